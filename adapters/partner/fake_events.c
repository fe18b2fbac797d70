/*
 * fake_events.c: what the fake wallet does of itself: pending debits and refunds become final,
 * and the switch is told, until it says that it knows.
 *
 * The hard thing: a timer may find that somebody else was first (a cancel, a person). Must never
 * make a final debit something else.
 */
#include "partnerfake.h"

#include "check.h"

#define PUSH_TRIES 5
#define PUSH_MS    2000

static struct fake_debit *slot_of(struct fake *f, uint64_t serial)
{
	struct fake_debit *d = &f->debit[(serial - 1) % FAKE_DEBITS];

	return serial > 0 && d->serial == serial ? d : NULL;
}

static void push(struct fake *f, const struct sandbox_host *h, struct fake_debit *d,
	const struct fake_refund *r)
{
	struct http_out *out = pfake_out(h);
	struct jw w = jw_init(&out->body);
	char key[80];
	struct buf k = buf_init(key, sizeof key - 1);

	out->method = "POST";
	buf_str(&out->target, "/v1/events");
	jw_obj(&w, NULL);
	jw_str(&w, "type",
		r           ? SPAN("refund.updated")
		: d->credit ? SPAN("credit.updated")
			    : SPAN("debit.updated"));
	fake_put_time(&w, "timestamp", d->at, 3);
	jw_obj(&w, "data");
	if (r) {
		jw_str(&w, "requestId", span_str(d->id));
		jw_str(&w, "refundId", span_str(r->id));
		jw_str(&w, "status", span_str(r->status));
		fake_put_money(&w, "amount", r->amount);
	} else {
		pfake_write_debit(&w, d, d->id, d->amount);
	}
	jw_end(&w, '}');
	jw_end(&w, '}');
	buf_str(&k, "ev-");
	buf_str(&k, r ? r->id : d->id);
	buf_str(&k, r ? "-r" : pfake_debit_word(d));
	key[k.n] = '\0';
	pfake_call(f, h, FOR_PUSH, d->serial, 0, out, key);
}

void pfake_wallet_pushed(struct fake *f, const struct sandbox_host *h, const struct fake_call *c,
	const struct http_msg *m, bool believed)
{
	struct fake_debit *d = slot_of(f, c->serial);

	if (!d || (believed && m->status < 300) || ++d->pushes >= PUSH_TRIES)
		return;
	h->timer(h->ctx, FAKE_TIMER_DEBIT | d->serial, PUSH_MS);
}

/* What was pending becomes final, or a push that did not arrive is made again. */
void pfake_wallet_timer(struct fake *f, const struct sandbox_host *h, uint64_t serial)
{
	struct fake_debit *d = slot_of(f, serial);

	if (!d)
		return;
	for (size_t i = 0; i < d->refund_count; i++) {
		if (strcmp(d->refund[i].status, "PENDING") != 0)
			continue;
		if (d->refund[i].refuses) {
			memcpy(d->refund[i].status, "DECLINED", sizeof "DECLINED");
			CHECK(money_sub(d->returned, d->refund[i].amount, &d->returned) == RC_OK);
		} else {
			memcpy(d->refund[i].status, "DONE", sizeof "DONE");
		}
		push(f, h, d, &d->refund[i]);
		return;
	}
	if (d->state == DEBIT_PENDING) {
		d->state = *d->reason ? DEBIT_DECLINED : DEBIT_APPROVED;
		d->at = h->now;
	} else if (d->pushes == 0) { /* it was cancelled meanwhile */
		return;
	}
	push(f, h, d, NULL);
}

void pfake_wallet_lie(struct fake *f, const struct sandbox_host *h, const char *id)
{
	const struct fake_debit *d = pfake_debit_find(f, id);
	struct fake_debit lie = { .serial = 1, .state = DEBIT_PENDING };

	if (d)
		lie = *d;
	memcpy(lie.id, id, sizeof lie.id);
	lie.state = lie.state == DEBIT_APPROVED ? DEBIT_DECLINED : DEBIT_APPROVED;
	if (!*lie.reason)
		memcpy(lie.reason, "payer-refused", sizeof "payer-refused");
	push(f, h, &lie, NULL);
}

bool pfake_wallet_decide(struct fake *f, const struct sandbox_host *h, const char *id, bool approve,
	const char *reason)
{
	struct fake_debit *d = pfake_debit_find(f, id);

	if (!d || d->state != DEBIT_PENDING)
		return false;
	d->reason[0] = '\0';
	if (!approve && !span_to_cstr(span_str(reason), d->reason, sizeof d->reason))
		return false;
	pfake_wallet_timer(f, h, d->serial);
	return true;
}
