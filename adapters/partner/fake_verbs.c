/*
 * fake_verbs.c: what a person or a test may ask of the fake till, app and desk.
 *
 * The hard thing: conflicts must be made on purpose only: "repeat" sends the same request with the
 * same key, and differs in exactly what the command says. Must never wait: what comes of it is for
 * "show" to tell.
 */
#include "partnerfake.h"

#include "check.h"

#define TIMES_MAX 16

static bool read_amount(const struct sandbox_host *h, const struct json *command, struct money *ret)
{
	struct span value, currency;

	return json_text(h->arena, command, "amount", &value) &&
	       json_str(command, "currency", &currency) &&
	       money_parse_minor(value, currency, ret) == RC_OK;
}

static void show(const struct fake_payment *p, struct jw *w)
{
	jw_str(w, "payment", span_str(p->id));
	jw_opt(w, "switch_id", span_str(p->switch_id));
	jw_opt(w, "status", span_str(p->status));
	jw_opt(w, "problem", span_str(p->problem));
	jw_opt(w, "code", span_str(p->code));
	jw_opt(w, "action", span_str(p->action));
	jw_int(w, "http", p->http);
	jw_int(w, "answers", p->answers);
	jw_int(w, "replayed", p->replayed);
	jw_int(w, "doubtful", p->doubtful);
	jw_bool(w, "told", p->told);
	jw_int(w, "version", p->version);
	fake_put_money(w, "amount", p->amount);
	fake_put_money(w, "settled", p->settled);
	pfake_write_refunds(w, "id", p->refund, p->refund_count);
}

static const char *start(struct fake *f, const struct sandbox_host *h, uint8_t kind,
	const struct json *command, struct jw *w)
{
	struct fake_payment *p = pfake_payment_new(f, h, kind);
	int64_t times = 1;
	bool want;

	if (!read_amount(h, command, &p->amount) && kind != KIND_SCAN && kind != KIND_CODES)
		return "amount and currency are needed";
	pfake_text(command, "code", p->code, sizeof p->code);
	pfake_text(command, "wallet", p->wallet, sizeof p->wallet);
	pfake_text(command, "accept", p->wallet, sizeof p->wallet);
	if (!pfake_text(command, "payer", p->handle, sizeof p->handle))
		CHECK(span_to_cstr(SPAN("user-approve"), p->handle, sizeof p->handle));
	pfake_text(command, "payee", p->handle, sizeof p->handle);
	pfake_text(command, "handle", p->phone, sizeof p->phone);
	if (json_bool(command, "follow", &want))
		p->follow = want;
	if (json_bool(command, "confirm", &want))
		p->confirm = want;
	json_int(command, "times", &times);
	for (int64_t i = 0; i < times && i < TIMES_MAX; i++)
		if (!pfake_create(f, h, p, p->kind == KIND_SCAN ? MONEY_NONE : p->amount, 0))
			return "too many calls are out";
	jw_str(w, "payment", span_str(p->id));
	return NULL;
}

/* The same key again: as it was, or with another amount; or the same id under another key. */
static const char *repeat(struct fake *f, const struct sandbox_host *h, struct fake_payment *p,
	const struct json *command)
{
	struct money amount = p->kind == KIND_SCAN ? MONEY_NONE : p->amount;
	int64_t times = 1;
	bool other_key = false;

	read_amount(h, command, &amount);
	json_bool(command, "other_key", &other_key);
	json_int(command, "times", &times);
	for (int64_t i = 0; i < times && i < TIMES_MAX; i++)
		if (!pfake_create(f, h, p, amount, other_key))
			return "too many calls are out";
	return NULL;
}

static const char *begin_refund(struct fake *f, const struct sandbox_host *h,
	struct fake_payment *p, const struct json *command)
{
	struct fake_refund *r = &p->refund[p->refund_count];

	if (p->refund_count == FAKE_REFUNDS)
		return "no more refunds of this one";
	*r = (struct fake_refund){ .amount = p->amount };
	read_amount(h, command, &r->amount);
	p->refund_count++;
	return pfake_call_refund(f, h, p, p->refund_count - 1) ? NULL : "too many calls are out";
}

static const char *confirm(struct fake *f, const struct sandbox_host *h, struct fake_payment *p,
	const struct json *command)
{
	read_amount(h, command, &p->typed);
	p->confirmed = true;
	return pfake_change(f, h, FOR_CONFIRM, p) ? NULL : "too many calls are out";
}

static const char *on_payment(struct fake *f, const struct sandbox_host *h, const char *verb,
	const struct json *command, struct jw *w)
{
	struct fake_payment *p;
	struct span id;
	bool sent = true;

	if (!json_str(command, "payment", &id) || !(p = pfake_payment_find(f, id)))
		return "name a payment of ours";
	if (strcmp(verb, "repeat") == 0)
		return repeat(f, h, p, command);
	if (strcmp(verb, "show") == 0) {
		show(p, w);
		return NULL;
	}
	if (!*p->switch_id)
		return "the switch has not named it yet";
	if (strcmp(verb, "refund") == 0)
		return begin_refund(f, h, p, command);
	if (strcmp(verb, "confirm") == 0)
		return confirm(f, h, p, command);
	p->cancelling = p->cancelling || strcmp(verb, "cancel") == 0;
	sent = strcmp(verb, "cancel") == 0 ? pfake_change(f, h, FOR_CANCEL, p)
					   : pfake_read_object(f, h, p);
	return sent ? NULL : "too many calls are out";
}

/* Asks about, or for, a payment that it has only heard of; nothing of its own comes of it. */
static const char *peek(struct fake *f, const struct sandbox_host *h, const struct json *command)
{
	struct http_out *out = pfake_out(h);
	struct jw w = jw_init(&out->body);
	struct span id, how = SPAN_NONE;

	if (!json_str(command, "id", &id))
		return "name a payment of the switch";
	json_str(command, "how", &how);
	out->method = span_empty(how) ? "GET" : "POST";
	buf_str(&out->target, "/v1/payments/");
	buf_add(&out->target, id);
	buf_add(&out->target, how);
	if (span_empty(how))
		return pfake_call(f, h, FOR_READ, 0, 0, out, NULL) ? NULL
								   : "too many calls are out";
	jw_obj(&w, NULL);
	jw_str(&w, "reason", SPAN("curiosity"));
	jw_end(&w, '}');
	return pfake_call(f, h, FOR_READ, 0, 0, out, "peek") ? NULL : "too many calls are out";
}

const char *pfake_till_do(struct fake *f, const struct sandbox_host *h, const char *verb,
	const struct json *command, struct jw *w)
{
	static const struct {
		const char *verb;
		uint8_t kind;
	} starts[] = { { "pay", KIND_TILL }, { "order", KIND_ORDER }, { "scan", KIND_SCAN },
		{ "payout", KIND_PAYOUT }, { "codes", KIND_CODES } };

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strcmp(starts[i].verb, verb) == 0)
			return start(f, h, starts[i].kind, command, w);
	if (strcmp(verb, "peek") == 0)
		return peek(f, h, command);
	return on_payment(f, h, verb, command, w);
}
