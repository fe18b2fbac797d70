/*
 * view.c: what the payer's browser is shown of his payment, or where it is sent.
 *
 * The hard thing is to say what is true to somebody who may come back hours later by the same
 * address: nothing that can still change is called an end. Must never show more of a payment than
 * its payee and its amounts.
 */
#include "payers.h"

#include "page.h"

static struct span label(const struct adapter_env *env)
{
	struct span s = adapter_setting(env, "label");

	return span_empty(s) ? env->peer : s;
}

/* "/<participant>/<id>": where this payment is looked at and confirmed. */
static void put_address(const struct adapter_env *env, const char *id, struct buf *b)
{
	buf_ch(b, '/');
	buf_add(b, env->peer);
	buf_ch(b, '/');
	buf_str(b, id);
}

static void redirect_to_payment(
	const struct adapter_env *env, int status, const Xw__Canonical *c, struct http_out *out)
{
	char storage[128];
	struct buf b = buf_init(storage, sizeof storage);

	put_address(env, c->request_id, &b);
	page_redirect(out, status, buf_span(&b));
}

static void put_payee(struct buf *b, const Xw__Canonical *c)
{
	const Xw__Party *m = c->order ? c->order->merchant : NULL;

	if (!m || !*m->name)
		return;
	page_element(b, "h1", *m->store_name ? span_str(m->store_name) : canonical_shop(c->order));
	if (*m->city)
		page_element(b, "p class=\"soft\"", span_str(m->city));
}

static void put_sum(struct buf *b, const char *tag, const char *before, const Xw__Money *m)
{
	char storage[96];
	struct buf text = buf_init(storage, sizeof storage);
	struct money sum = canonical_money_in(m);

	if (money_is_none(sum))
		return;
	buf_str(&text, before);
	page_sum(&text, sum);
	page_element(b, tag, buf_span(&text));
}

/* What he pays stands largest; what the shop asks beside it, where that is another currency. */
static void put_sums(struct buf *b, const Xw__Canonical *c)
{
	const Xw__Money *asked = c->payment ? c->payment->amount : NULL;
	const Xw__Money *paid = c->payment ? c->payment->settle : NULL;
	bool same = !paid || canonical_money_same(asked, paid);

	put_sum(b, "p class=\"sum\"", "", same ? asked : paid);
	if (!same)
		put_sum(b, "p class=\"soft\"", "The shop asks ", asked);
}

static void put_button(struct buf *b, const char *before, struct span wallet)
{
	buf_str(b, "<button>");
	buf_str(b, before);
	page_text(b, wallet);
	buf_str(b, "</button>\n");
}

/* The payee and the amount are known: he may agree. */
static void write_open(const struct adapter_env *env, const Xw__Canonical *c, struct http_out *out)
{
	char storage[128];
	struct buf *b = &out->body, address = buf_init(storage, sizeof storage);

	put_address(env, c->request_id, &address);
	page_begin(out, 200, SPAN("Confirm your payment"), 0);
	put_payee(b, c);
	put_sums(b, c);
	buf_str(b, "<form method=\"post\"");
	page_attribute(b, "action", buf_span(&address));
	buf_str(b, ">\n");
	put_button(b, "Pay with ", label(env));
	buf_str(b, "</form>\n");
	page_end(out);
}

/* Somebody is to act: he, in the wallet; or we wait. The page looks again by itself. */
static void write_pending(
	const struct adapter_env *env, const Xw__Canonical *c, struct http_out *out)
{
	struct buf *b = &out->body;

	page_begin(out, 200, SPAN("Waiting for your payment"), 3);
	put_payee(b, c);
	put_sums(b, c);
	if (*c->action_url) {
		buf_str(b, "<p role=\"status\">Not paid yet.</p>\n<p><a class=\"button\"");
		page_attribute(b, "href", span_str(c->action_url));
		buf_str(b, ">Continue with ");
		page_text(b, label(env));
		buf_str(b, "</a></p>\n");
	} else {
		buf_str(b, "<p role=\"status\">Waiting for ");
		page_text(b, label(env));
		buf_str(b, ". If it asks you on your phone, approve the payment there.</p>\n");
	}
	page_end(out);
}

static const struct {
	enum reason reason;
	const char *sentence;
} sentences[] = {
	{ REASON_FUNDS, "There is not enough money in your wallet." },
	{ REASON_LIMIT, "The amount is above a limit." },
	{ REASON_PAYER, "This wallet cannot pay now." },
	{ REASON_PAYER_REFUSED, "You declined it in your wallet." },
	{ REASON_CODE_UNKNOWN, "Nobody is paid by this code." },
	{ REASON_MERCHANT, "This shop cannot be paid now." },
	{ REASON_CLOSED, "This code was used already, or has expired." },
	{ REASON_EXPIRED, "It was not approved in time." },
	{ REASON_CANCELLED, "It was cancelled." },
	{ REASON_CURRENCY, "There is no exchange between the two currencies now." },
	{ REASON_AMOUNT, "This amount cannot be paid here." },
	{ REASON_UNAVAILABLE, "The wallet cannot be reached now." },
	{ REASON_UNRESOLVED, "The wallet did not answer." },
	{ REASON_NONE, "The wallet did not agree." },
};

static const char *sentence_of(enum reason r)
{
	size_t i = 0;

	while (sentences[i].reason != r && sentences[i].reason != REASON_NONE)
		i++;
	return sentences[i].sentence;
}

/* What he may show at the counter. */
static void put_receipt(struct buf *b, const Xw__Canonical *c)
{
	char storage[96];
	struct buf text = buf_init(storage, sizeof storage);

	if (!c->outcome->at)
		return;
	wall_write(&text, (struct wall){ c->outcome->at }, 0);
	buf_str(&text, ", payment ");
	buf_str(&text, c->object_id);
	page_element(b, "p class=\"soft\"", buf_span(&text));
}

static void write_end(const Xw__Canonical *c, struct http_out *out)
{
	struct buf *b = &out->body;
	int32_t result = c->outcome ? c->outcome->result : OUTCOME_NONE;
	bool paid = result == OUTCOME_APPROVED;

	page_begin(out, 200, paid ? SPAN("Paid") : SPAN("Not paid"), 0);
	put_payee(b, c);
	put_sums(b, c);
	buf_str(b, paid ? "<p role=\"status\" class=\"good\">Paid</p>\n"
			: "<p role=\"status\" class=\"bad\">Not paid</p>\n");
	if (paid && c->counts)
		page_element(b, "p", SPAN("Part or all of it was given back."));
	if (paid) {
		put_receipt(b, c);
		page_element(b, "p", SPAN("The shop has been told. You can close this page."));
	}
	if (!paid)
		page_element(b, "p",
			span_str(result == OUTCOME_REVERSED
					 ? "It was cancelled. Whatever was taken is given back."
					 : sentence_of((enum reason)c->outcome->reason)));
	page_end(out);
}

static void write_look(const struct adapter_env *env, const Xw__Canonical *c, struct http_out *out)
{
	int32_t result = c->outcome ? c->outcome->result : OUTCOME_NONE;

	if (strcmp(c->status, "OPEN") == 0)
		write_open(env, c, out);
	else if (result == OUTCOME_APPROVED || result == OUTCOME_DECLINED ||
		 result == OUTCOME_REVERSED)
		write_end(c, out);
	else
		write_pending(env, c, out);
}

/* Nothing to convert, so nothing new to be seen: his first word was his agreement. */
static bool is_agreed(const Xw__Canonical *c)
{
	return strcmp(c->status, "OPEN") == 0 && c->payment &&
	       canonical_money_same(c->payment->amount, c->payment->settle);
}

static bool begins(const struct request *rq)
{
	return rq->route && rq->route->kind == PAYERS_BEGIN;
}

static bool is_busy(enum reason why)
{
	return why == REASON_OVERLOADED || why == REASON_BUSY || why == REASON_INTERNAL ||
	       why == REASON_UNAVAILABLE;
}

/* What a refusal is to somebody with a form in front of him; NULL: what it is of a payment. */
static const char *plainly(const struct request *rq, const Xw__Problem *p)
{
	enum reason why = (enum reason)p->reason;

	if (strcmp(p->pointer, "/amount") == 0)
		return "This amount cannot be read. Write it like 12.50.";
	if (strcmp(p->pointer, "/phone") == 0)
		return "Please give your telephone number, with the country's code.";
	if (strcmp(p->pointer, "/id") == 0)
		return "This page was open for too long. Please begin again.";
	if (why == REASON_NOT_FOUND)
		return "There is no such payment.";
	if (why == REASON_SIGNATURE) /* no participant of that name */
		return begins(rq) ? "Please choose how to pay." : "There is no such payment.";
	if (why == REASON_FORBIDDEN)
		return "This form is not from our page.";
	if (why == REASON_REPEAT)
		return "This form was sent before, with other contents.";
	if (why == REASON_STATE)
		return "This payment is under way already.";
	return is_busy(why) ? "Please try again in a moment." : NULL;
}

static void write_problem(const struct request *rq, const Xw__Problem *p, struct http_out *out)
{
	enum reason why = (enum reason)p->reason;
	bool nowhere = why == REASON_NOT_FOUND || (why == REASON_SIGNATURE && !begins(rq));
	const char *said = plainly(rq, p);
	struct buf *b = &out->body;

	page_begin(out, is_busy(why) ? 503 : nowhere ? 404 : 400, SPAN("Payment"), 0);
	page_element(b, "p role=\"alert\"", span_str(said ? said : sentence_of(why)));
	if (begins(rq)) {
		buf_str(b, "<p><a class=\"button\" href=\"/");
		page_text(b, rq->arg[0]);
		buf_str(b, "\">Begin again</a></p>\n");
	}
	page_end(out);
}

void payers_write(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	bool web = span_starts(span_str(reply->action_url), SPAN("https://"));

	if (reply->problem)
		write_problem(rq, reply->problem, out);
	else if (rq->route->kind == PAYERS_LOOK)
		write_look(env, reply, out);
	else if (rq->route->kind == PAYERS_CONFIRM && web)
		page_redirect(out, 303, span_str(reply->action_url));
	else
		redirect_to_payment(env,
			rq->route->kind == PAYERS_BEGIN && is_agreed(reply) ? 307 : 303, reply,
			out);
}
