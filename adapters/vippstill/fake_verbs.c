/*
 * fake_verbs.c: what a person or a test may ask of the till. The hard thing: it asks, and does not
 * wait; what comes of it is for "show" to tell. Never begins a change while another has no answer.
 */
#include "tillfake.h"

static const char *const words[] = { "CREATED", "AUTHORIZED", "ABORTED", "EXPIRED", "TERMINATED" };

/* In the words of the other tills. */
static const char *status_of(const struct vt_payment *p)
{
	static const char *const said[] = { "PENDING", "PAID", "DECLINED", "EXPIRED", "CANCELLED" };
	const struct vt_sums *s = &p->sums;

	if (p->http >= 400 && !*p->state)
		return "DECLINED";
	if (s->authorized > 0 && s->cancelled == s->authorized)
		return "CANCELLED";
	if (s->refunded > 0 && s->refunded == s->captured)
		return "REFUNDED";
	if (s->refunded > 0)
		return "PARTIALLY_REFUNDED";
	if (s->authorized > 0 && p->captures && s->captured == 0)
		return "PENDING"; /* its capture is on its way */
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], p->state) == 0)
			return said[i];
	return "";
}

static void show(const struct tillfake *f, const struct vt_payment *p, struct jw *w)
{
	jw_str(w, "payment", span_str(p->reference));
	jw_opt(w, "switch_id", span_str(p->psp));
	jw_opt(w, "status", span_str(status_of(p)));
	jw_opt(w, "state", span_str(p->state));
	if (p->qr)
		jw_opt(w, "code", span_str(p->code));
	jw_int(w, "http", p->http);
	jw_opt(w, "number", span_str(p->number));
	jw_bool(w, "doing", p->doing.op != VT_NOTHING);
	jw_int(w, "authorized", p->sums.authorized);
	jw_int(w, "captured", p->sums.captured);
	jw_int(w, "cancelled", p->sums.cancelled);
	jw_int(w, "refunded", p->sums.refunded);
	jw_int(w, "told", p->told);
	jw_int(w, "webhooks", p->webhooks);
	jw_int(w, "events", p->events);
	jw_int(w, "faults", f->faults);
	jw_int(w, "refused", f->refused);
	jw_opt(w, "fault", span_str(f->fault));
}

/* Minor units, as text or as a number; what is left out is `otherwise`. */
static bool read_value(
	const struct sandbox_host *h, const struct json *command, int64_t otherwise, int64_t *ret)
{
	struct span text;

	*ret = otherwise;
	return !json_get(command, "amount") ||
	       (json_text(h->arena, command, "amount", &text) && span_to_i64(text, ret) == RC_OK);
}

static struct vt_payment *begin(struct tillfake *f)
{
	struct vt_payment *p = f->count < VT_PAYMENTS ? &f->payment[f->count] : NULL;
	struct buf b;

	if (!p)
		return NULL;
	memset(p, 0, sizeof *p);
	f->count++;
	b = buf_init(p->reference, sizeof p->reference - 1);
	buf_str(&b, "till-");
	buf_hex(&b, span_of(&f->salt, sizeof f->salt));
	buf_ch(&b, '-');
	buf_dec(&b, f->count, 6);
	return p;
}

static const char *start(struct tillfake *f, const struct sandbox_host *h, bool qr,
	const struct json *command, struct jw *w)
{
	struct span currency = fake_setting(h, "currency", "NOK"), reference;
	struct vt_payment *p;
	int64_t amount;
	bool captures = true;

	(void)json_str(command, "currency", &currency);
	if (!read_value(h, command, 0, &amount) || currency.n != 3)
		return "amount and currency are needed";
	if (!qr && !json_get(command, "code") && !json_get(command, "phone"))
		return "a code or a phone is needed";
	p = begin(f);
	if (!p)
		return "the book is full";
	p->qr = qr;
	p->amount = amount;
	(void)span_to_cstr(currency, p->currency, sizeof p->currency);
	(void)span_to_cstr(fake_text(command, "code"), p->code, sizeof p->code);
	(void)span_to_cstr(fake_text(command, "phone"), p->phone, sizeof p->phone);
	if (json_str(command, "reference", &reference) && reference.n <= 50)
		(void)span_to_cstr(reference, p->reference, sizeof p->reference);
	(void)json_bool(command, "capture", &captures);
	p->captures = captures;
	vt_begin_change(f, h, p, VT_CREATE, amount, false);
	jw_str(w, "payment", span_str(p->reference));
	return NULL;
}

static const char *change(struct tillfake *f, const struct sandbox_host *h, struct span verb,
	struct vt_payment *p, const struct json *command)
{
	enum vt_op op = span_eq(verb, SPAN("capture"))  ? VT_CAPTURE
			: span_eq(verb, SPAN("cancel")) ? VT_CANCEL
			: span_eq(verb, SPAN("refund")) ? VT_REFUND
							: VT_NOTHING;
	bool only = false;
	int64_t amount;

	if (op == VT_NOTHING)
		return "no such verb";
	if (p->doing.op != VT_NOTHING)
		return "the last change has no answer yet";
	if (!read_value(h, command, p->amount, &amount))
		return "an amount is minor units";
	(void)json_bool(command, "only_if_open", &only);
	vt_begin_change(f, h, p, op, amount, only);
	h->timer(h->ctx, fake_cookie(f->generation, VT_POLL, vt_index(f, p)),
		(int)fake_setting_int(h, "poll_ms", 2000));
	return NULL;
}

static const char *on_payment(struct tillfake *f, const struct sandbox_host *h, struct span verb,
	const struct json *command, struct jw *w)
{
	struct vt_payment *p = vt_find(f, fake_text(command, "payment"));

	if (!p)
		return "name a payment of ours";
	if (span_eq(verb, SPAN("show")))
		show(f, p, w);
	else if (span_eq(verb, SPAN("read")))
		vt_send_read(f, h, p, false);
	else if (span_eq(verb, SPAN("events")))
		vt_send_read(f, h, p, true);
	else
		return change(f, h, verb, p, command);
	return NULL;
}

static const char *on_till(struct tillfake *f, const struct sandbox_host *h, struct span verb,
	const struct json *command, struct jw *w)
{
	if (span_eq(verb, SPAN("pay")))
		return start(f, h, false, command, w);
	if (span_eq(verb, SPAN("order")))
		return start(f, h, true, command, w);
	if (span_eq(verb, SPAN("register"))) {
		vt_send_hooks(f, h);
		return NULL;
	}
	if (span_eq(verb, SPAN("expire-token"))) { /* ours is not what it was */
		f->token[0] = '\0';
		return NULL;
	}
	return on_payment(f, h, verb, command, w);
}

void vt_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	static const char *const ops[] = { "webhook", NULL };
	struct tillfake *f = state;
	struct span verb = fake_text(command, "do");
	struct jw w = jw_init(ret_json);
	const char *error;

	if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, ops, command, ret_json);
		return;
	}
	if (span_eq(verb, SPAN("reset"))) {
		uint32_t generation = f->generation + 1;

		memset(f, 0, sizeof *f);
		f->generation = generation;
		f->salt = h->entropy(h->ctx);
		fake_control_ok(ret_json);
		return;
	}
	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	error = on_till(f, h, verb, command, &w);
	jw_end(&w, '}');
	if (error) {
		buf_reset(ret_json);
		fake_control_error(ret_json, error);
	}
}
