/*
 * fake_hear.c: what a till makes of answers. The hard thing is to be a judge as well: an answer
 * that Vipps would never give is a fault that everybody sees, and not silently taken. Never
 * believes a state that goes back, or sums that cannot be.
 */
#include "tillfake.h"

static void fault_if(struct tillfake *f, bool wrong, const char *what)
{
	if (wrong)
		vt_fault(f, what);
}

/* A number as a string (SPEC vipps 2.2 [C:V-AT]). */
void vt_on_token(struct tillfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	const struct json *body = json_parse_object(h->arena, m->body);
	struct span token = fake_text(body, "access_token");

	f->fetching = false;
	if (m->status != 200)
		return;
	fault_if(f,
		!span_eq(fake_text(body, "token_type"), SPAN("Bearer")) ||
			!span_is_digits(fake_text(body, "expires_in")) ||
			!span_to_cstr(token, f->token, sizeof f->token) || !*f->token,
		"a token is not as published");
	for (uint32_t i = 0; i < f->count; i++)
		if (f->payment[i].doing.op != VT_NOTHING)
			vt_send_change(f, h, &f->payment[i]);
}

/* The one ErrorCode of a problem; "" where it has none (SPEC vipps 2.10 [C:V-KIT]). */
static void read_problem(
	struct tillfake *f, struct vt_payment *p, const struct http_msg *m, const struct json *body)
{
	const struct json *details = json_get(body, "extraDetails");
	int64_t status = 0;

	(void)json_int(body, "status", &status);
	fault_if(f,
		!body || status != m->status || span_empty(fake_text(body, "type")) ||
			span_empty(fake_text(body, "title")) ||
			span_empty(fake_text(body, "traceId")),
		"a problem is not as published");
	p->number[0] = '\0';
	for (size_t i = 0; i < json_count(details); i++)
		if (span_eq(fake_text(json_at(details, i), "name"), SPAN("ErrorCode")))
			(void)span_to_cstr(fake_text(json_at(details, i), "reason"), p->number,
				sizeof p->number);
}

static bool sum(const struct vt_payment *p, const struct json *body, const char *path, int64_t *ret)
{
	const struct json *v = json_get(body, path);

	return span_eq(fake_text(v, "currency"), span_str(p->currency)) &&
	       json_int(v, "value", ret) && *ret >= 0;
}

/* SPEC vipps 2.6, 2.7 [C:V-EP]: what an answer must have, and what it cannot say. */
static const char *read_payment(
	struct vt_payment *p, const struct json *body, struct span *ret_state)
{
	struct vt_sums s;
	int64_t amount;

	if (!span_eq(fake_text(body, "reference"), span_str(p->reference)))
		return "an answer names another payment";
	if (!sum(p, body, "amount", &amount) || amount != p->amount ||
		!sum(p, body, "aggregate.authorizedAmount", &s.authorized) ||
		!sum(p, body, "aggregate.cancelledAmount", &s.cancelled) ||
		!sum(p, body, "aggregate.capturedAmount", &s.captured) ||
		!sum(p, body, "aggregate.refundedAmount", &s.refunded))
		return "a sum is missing, or in another currency";
	if ((s.authorized != 0 && s.authorized != amount) ||
		s.captured + s.cancelled > s.authorized || s.refunded > s.captured)
		return "sums that cannot be";
	if (s.authorized < p->sums.authorized || s.captured < p->sums.captured ||
		s.cancelled < p->sums.cancelled || s.refunded < p->sums.refunded)
		return "a sum went back";
	*ret_state = fake_text(body, "state");
	if (span_eq(*ret_state, SPAN("AUTHORIZED")) != (s.authorized > 0))
		return "authorized is what has an authorized sum";
	p->sums = s;
	return NULL;
}

static bool is_final(struct span state)
{
	return !span_empty(state) && !span_eq(state, SPAN("CREATED"));
}

static void take_payment(struct tillfake *f, struct vt_payment *p, const struct json *body)
{
	struct span state = SPAN_NONE, was = span_str(p->state);
	const char *wrong = read_payment(p, body, &state);

	if (wrong) {
		vt_fault(f, wrong);
		return;
	}
	fault_if(f, is_final(was) && !span_eq(was, state), "a final state changed");
	(void)span_to_cstr(state, p->state, sizeof p->state);
}

/* It is known how the change ended. */
static void settled(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p)
{
	enum vt_op op = p->doing.op;

	p->doing.op = VT_NOTHING;
	if (op == VT_CREATE && p->http != 201)
		p->done = true;
	else
		vt_send_read(f, h, p, false);
}

static void created(struct tillfake *f, struct vt_payment *p, const struct json *body)
{
	struct span code = fake_text(body, "redirectUrl");

	fault_if(f, !span_eq(fake_text(body, "reference"), span_str(p->reference)),
		"an answer names another payment");
	fault_if(f, p->qr == span_empty(code), "redirectUrl is for QR, and only for that");
	if (p->qr)
		(void)span_to_cstr(code, p->code, sizeof p->code);
	if (!*p->state)
		(void)span_to_cstr(SPAN("CREATED"), p->state, sizeof p->state);
}

/* SPEC vipps 2.9 [C:V-KIT]: after a lost answer, the same once more under the same key; 423 and 429
 * come back later, 5xx too; a 401 wants another token. */
void vt_on_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m)
{
	const struct json *body = json_parse_object(h->arena, m->body);

	if (p->doing.op == VT_NOTHING)
		return;
	p->http = m->status;
	p->answers += m->status == 200;
	if (m->status == 401)
		f->token[0] = '\0';
	if (m->status == 0 || m->status == 401 || m->status == 423 || m->status == 429 ||
		m->status >= 500) {
		if (m->status >= 400)
			read_problem(f, p, m, body);
		return; /* the poll sends it again */
	}
	if (m->status == 201 && p->doing.op == VT_CREATE)
		created(f, p, body);
	else if (m->status == 200 && p->doing.op != VT_CREATE)
		take_payment(f, p, body);
	else
		read_problem(f, p, m, body);
	settled(f, h, p);
}

/* Nothing more will come by itself. */
static bool is_over(const struct vt_payment *p)
{
	if (p->doing.op != VT_NOTHING || !is_final(span_str(p->state)))
		return false;
	return p->sums.authorized == 0 || !p->captures || p->sums.captured > 0 ||
	       p->sums.cancelled > 0;
}

void vt_on_read(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m)
{
	bool old = p->asked != p->answers, again = p->again;
	const struct json *body = json_parse_object(h->arena, m->body);
	struct span psp = fake_text(body, "pspReference");

	p->reading = p->again = false;
	if (m->status == 401)
		f->token[0] = '\0';
	if (old || again)
		vt_send_read(f, h, p, false);
	if (m->status != 200 || old)
		return;
	fault_if(f,
		!json_is_object(json_get(body, "profile")) || span_empty(psp) ||
			!span_eq(fake_text(body, "paymentMethod.type"), SPAN("WALLET")),
		"a payment is not as published");
	(void)span_to_cstr(psp, p->psp, sizeof p->psp);
	take_payment(f, p, body);
	p->done = is_over(p);
	/* What is not captured is never paid out (SPEC vipps 2.8 [C:V-KIT]). */
	if (p->captures && p->doing.op == VT_NOTHING && p->sums.authorized > 0 &&
		p->sums.captured == 0 && p->sums.cancelled == 0)
		vt_begin_change(f, h, p, VT_CAPTURE, p->amount, false);
}

void vt_on_events(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m)
{
	const struct json *body;

	if (m->status != 200 || json_parse(h->arena, m->body, &body) != RC_OK)
		return;
	p->events = (uint16_t)json_count(body);
	for (size_t i = 0; i < json_count(body); i++) {
		const struct json *e = json_at(body, i);
		bool success = false;
		int64_t value;

		fault_if(f,
			!span_eq(fake_text(e, "reference"), span_str(p->reference)) ||
				span_empty(fake_text(e, "pspReference")) ||
				!sum(p, e, "amount", &value) ||
				!json_bool(e, "success", &success) ||
				(i == 0) != span_eq(fake_text(e, "name"), SPAN("CREATED")),
			"an event is not as published");
	}
}
