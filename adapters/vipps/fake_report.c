/*
 * fake_report.c: a day of the funds ledger, as the report API gives it, of what this fake captured
 * and refunded itself; the text has no such thing in its test environment, so there is no call for
 * it, only a command.
 *
 * The hard thing is the balance: each entry begins where the one before it ended, and the fee of a
 * capture is an entry of its own. Must never speak of a payment that only was approved.
 */
#include "vippsfake.h"

#define TEXT_BYTES (200u * 1024)

struct ledger {
	const struct vippsfake *f;
	struct jw w;
	int64_t balance;
	struct span day, omit;
};

static void put_entry(struct ledger *l, const char *type, const struct vf_event *e, uint32_t number,
	int64_t minor)
{
	const struct vf_payment *p = &l->f->payments[e->payment - 1];
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	vf_write_psp(&b, l->f, number);
	jw_obj(&l->w, NULL);
	jw_str(&l->w, "pspReference", buf_span(&b));
	fake_put_time(&l->w, "time", e->at, 3);
	jw_str(&l->w, "ledgerDate", l->day);
	jw_str(&l->w, "entryType", span_str(type));
	jw_str(&l->w, "reference", span_str(p->reference));
	jw_str(&l->w, "currency", span_str(p->currency));
	jw_int(&l->w, "amount", minor);
	jw_int(&l->w, "balanceBefore", l->balance);
	l->balance += minor;
	jw_int(&l->w, "balanceAfter", l->balance);
	jw_end(&l->w, '}');
}

static void put_event(struct ledger *l, const struct vf_event *e, uint32_t number, int64_t fee_bp)
{
	int64_t fee = e->amount * fee_bp / 10000;

	if (!e->success || span_eq(span_str(l->f->payments[e->payment - 1].reference), l->omit))
		return;
	if (e->name == VF_EV_REFUNDED)
		put_entry(l, "refund", e, number, -e->amount);
	if (e->name != VF_EV_CAPTURED)
		return;
	put_entry(l, "capture", e, number, e->amount);
	if (fee)
		put_entry(l, "capture-fee", e, number, -fee);
}

bool vf_put_report(const struct vippsfake *f, const struct sandbox_host *h, struct span day,
	struct span omit, struct jw *ret)
{
	char stamp[40];
	struct buf at = buf_init(stamp, sizeof stamp);
	struct buf text = arena_buf(h->arena, TEXT_BYTES);
	struct ledger l = { .f = f, .w = jw_init(&text), .day = day, .omit = omit };
	struct wall from;

	buf_add(&at, day);
	buf_str(&at, "T00:00:00Z");
	if (day.n != 10 || wall_parse(buf_span(&at), &from) != RC_OK)
		return false;
	jw_obj(&l.w, NULL);
	jw_arr(&l.w, "items");
	for (uint32_t i = 0; i < f->event_count; i++)
		if (f->events[i].at.us >= from.us &&
			f->events[i].at.us < wall_plus_ms(from, 86400000).us)
			put_event(
				&l, &f->events[i], i + 1, fake_setting_int(h, "capture_fee_bp", 0));
	jw_end(&l.w, ']');
	jw_bool(&l.w, "hasMore", false);
	jw_bool(&l.w, "tryLater", false);
	jw_end(&l.w, '}');
	if (buf_ok(&text))
		jw_str(ret, "text", buf_span(&text));
	return buf_ok(&text);
}
