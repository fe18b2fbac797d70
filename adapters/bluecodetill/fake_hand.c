/*
 * fake_hand.c: what a cashier or a test does at the till: sell, cancel, refund, look. The hard
 * thing is to wait for nothing: what comes of it is for "show" to tell. Never sells at a
 * terminal whose cancels are not confirmed.
 */
#include "bluetillfake.h"

const char *bt_status(const struct bt_sale *s)
{
	switch (s->state) {
	case BT_OPEN:
		return s->call == BT_CANCEL ? "CANCELLING" : "PENDING";
	case BT_PAID:
		return s->call == BT_CANCEL       ? "CANCELLING"
		       : s->refunded == 0         ? "PAID"
		       : s->refunded >= s->amount ? "REFUNDED"
						  : "PARTIALLY_REFUNDED";
	case BT_DECLINED:
		return "DECLINED";
	case BT_CANCELLED:
		return "CANCELLED";
	}
	return "";
}

/* SPEC bluecode 3.4 [C:B-POS]: while a cancel is not confirmed, a terminal starts no payment. */
static bool is_blocked(const struct bluetill *f, const char *terminal)
{
	for (uint32_t i = 0; i < f->sale_count; i++)
		if (f->sale[i].call == BT_CANCEL && strcmp(f->sale[i].terminal, terminal) == 0)
			return true;
	return false;
}

static struct bt_sale *find(struct bluetill *f, const struct json *command)
{
	struct span id;

	if (!json_str(command, "payment", &id))
		return NULL;
	for (uint32_t i = f->sale_count; i-- > 0;) /* the newest of that name */
		if (span_eq(span_str(f->sale[i].id), id))
			return &f->sale[i];
	return NULL;
}

static void put(
	const struct json *from, const char *path, struct span otherwise, char *to, size_t cap)
{
	struct span s = otherwise;

	(void)json_str(from, path, &s);
	if (!span_to_cstr(s, to, cap))
		to[0] = '\0';
}

static const char *sell(struct bluetill *f, const struct sandbox_host *h, enum bt_call call,
	const struct json *command, struct jw *w)
{
	struct bt_sale *s = &f->sale[f->sale_count];
	struct buf id;
	struct span value;

	if (f->sale_count == BT_SALES)
		return "the till's roll is full";
	*s = (struct bt_sale){ .call = call };
	put(command, "terminal", SPAN("kasse-1"), s->terminal, sizeof s->terminal);
	put(command, "code", SPAN_NONE, s->barcode, sizeof s->barcode);
	put(command, "currency", fake_setting(h, "currency", "EUR"), s->currency,
		sizeof s->currency);
	put(command, "branch", fake_setting(h, "branch_ext_id", "branch-1"), s->branch,
		sizeof s->branch);
	put(command, "scheme", SPAN("AUTO"), s->scheme, sizeof s->scheme);
	put(command, "id", SPAN_NONE, s->id, sizeof s->id);
	if (!json_text(h->arena, command, "amount", &value) ||
		span_to_i64(value, &s->amount) != RC_OK)
		return "an amount in cents is needed";
	if (is_blocked(f, s->terminal))
		return "NON_CANCELED_TIMEOUTS";
	id = buf_init(s->id, sizeof s->id - 1);
	for (int i = 0; i < 2 && !*s->id; i++) { /* unlike those before a restart */
		uint64_t e = h->entropy(h->ctx);

		buf_hex(&id, span_of(&e, sizeof e));
	}
	f->sale_count++;
	bt_send(f, h, s);
	jw_str(w, "payment", span_str(s->id));
	return NULL;
}

static const char *cancel(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s)
{
	if (s->call == BT_CANCEL)
		return NULL;
	s->by_hand = s->state == BT_PAID;
	bt_next(f, h, s, BT_CANCEL, 0);
	return NULL;
}

static const char *refund(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct json *command)
{
	struct span value;

	if (s->state != BT_PAID || s->call != BT_NOTHING || s->refunding)
		return "it is not paid, or something is under way";
	s->whole = !json_get(command, "amount");
	s->refunding = s->amount - s->refunded;
	if (!s->whole && (!json_text(h->arena, command, "amount", &value) ||
				 span_to_i64(value, &s->refunding) != RC_OK))
		return "an amount in cents";
	s->call = BT_REFUND;
	s->tries = 0;
	bt_send(f, h, s);
	return NULL;
}

static const char *show(const struct bt_sale *s, struct jw *w)
{
	jw_str(w, "payment", span_str(s->id));
	jw_opt(w, "switch_id", span_str(s->acquirer_id));
	jw_str(w, "status", span_str(bt_status(s)));
	jw_opt(w, "reason", span_str(s->code));
	jw_opt(w, "code", span_str(s->checkin));
	jw_int(w, "http", s->http);
	jw_int(w, "answers", s->answers);
	jw_int(w, "cancels", s->cancels);
	jw_int(w, "doubtful", s->doubtful);
	jw_int(w, "refunded", s->refunded);
	jw_int(w, "refunding", s->refunding);
	return NULL;
}

static const char *do_verb(struct bluetill *f, const struct sandbox_host *h, struct span verb,
	const struct json *command, struct jw *w)
{
	struct bt_sale *s;

	if (span_eq(verb, SPAN("pay")))
		return sell(f, h, BT_PAYMENT, command, w);
	if (span_eq(verb, SPAN("order")))
		return sell(f, h, BT_REGISTER, command, w);
	s = find(f, command);
	if (!s)
		return "pay, order; or show, cancel, refund with a payment of ours";
	if (span_eq(verb, SPAN("show")))
		return show(s, w);
	if (span_eq(verb, SPAN("cancel")))
		return cancel(f, h, s);
	return span_eq(verb, SPAN("refund")) ? refund(f, h, s, command) : "show, cancel or refund";
}

void bt_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	static const char *const operations[] = { "payment", "register", "status", "cancel",
		"refund", NULL };
	struct bluetill *f = state;
	struct jw w = jw_init(ret_json);
	struct span verb = SPAN_NONE;
	const char *wrong;

	(void)json_str(command, "do", &verb);
	if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, operations, command, ret_json);
		return;
	}
	if (span_eq(verb, SPAN("reset"))) {
		f->generation++;
		f->sale_count = 0;
		memset(&f->mischief, 0, sizeof f->mischief);
		fake_control_ok(ret_json);
		return;
	}
	jw_obj(&w, NULL);
	wrong = do_verb(f, h, verb, command, &w);
	jw_bool(&w, "ok", !wrong);
	jw_opt(&w, "error", span_str(wrong));
	jw_end(&w, '}');
}
