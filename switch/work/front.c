/*
 * front.c: the page of a code of ours: who is paid, how much, and by which wallet; the form in it
 * begins a payment at the adapter `page`. It is the one request that is about no payment and of no
 * participant, so no adapter can answer it.
 *
 * The hard thing is that everybody may look, and a look must cost little and change nothing: the
 * payment's id is made here, and nothing of it is kept. Must never show a code as open that the
 * ledger has given away.
 */
#include "work.h"

#include "page.h"

#define PAGE_BYTES 12288

/* A wallet that payers may choose. */
struct choice {
	const struct link *link;
	struct span label, asks;
	bool recognised; /* by what the browser says of itself */
};

#define CHOICES_MAX 24

static struct span setting(struct wrk *w, const struct link *l, const char *name)
{
	return w->port->setting(w->port->ctx, l->peer->number, name);
}

/* "AlipayClient|AlipayPlus": any of these words is in it. */
static bool has_word(struct span agent, struct span words)
{
	struct span word;

	while (span_split(&words, '|', &word))
		if (!span_empty(word) && span_find_span(agent, word) < agent.n)
			return true;
	return false;
}

/* In the order of the configuration, a wallet that was recognised first. */
static int choices(struct wrk *w, struct span agent, struct choice ret[CHOICES_MAX])
{
	int n = 0;

	for (size_t i = 0; i < w->conf.link_count && n < CHOICES_MAX; i++) {
		const struct link *l = &w->conf.link[i];
		struct choice c = { .link = l };

		if (!l->adapter->for_payers || l->off)
			continue;
		c.label = setting(w, l, "label");
		c.asks = setting(w, l, "asks");
		c.recognised = has_word(agent, setting(w, l, "user_agent"));
		if (span_empty(c.label))
			c.label = span_str(l->peer->name);
		if (c.recognised && n > 0) {
			memmove(ret + 1, ret, (size_t)n * sizeof *ret);
			ret[0] = c;
		} else {
			ret[n] = c;
		}
		n++;
	}
	return n;
}

static void reply(struct wrk *w, struct rq *rq, struct http_out *out)
{
	struct exchange_ref ref = rq->ref;

	page_head(out);
	rq->magic = 0;
	(void)w->port->reply(w->port->ctx, ref, out);
}

static void say(struct wrk *w, struct rq *rq, int status, const char *sentence)
{
	struct http_out out;

	if (!inbound_room(rq, &out, 2048)) {
		out.status = 503;
		rq->magic = 0;
		(void)w->port->reply(w->port->ctx, rq->ref, &out);
		return;
	}
	page_say(&out, status, sentence);
	reply(w, rq, &out);
}

void front_nowhere(struct wrk *w, struct rq *rq, int status)
{
	say(w, rq, status,
		status == 405 ? "This page is only looked at." : "There is no such page.");
}

/* "/<token>", looked at. */
bool front_has(const struct rq *rq)
{
	struct span path = rq->http->path;

	return rq->ref.listener == LISTENER_PAYERS && span_eq(rq->http->method, SPAN("GET")) &&
	       path.n > 1 && span_find(span_sub(path, 1, path.n), '/') == path.n - 1;
}

void front_show(struct wrk *w, struct rq *rq)
{
	struct span path = rq->http->path;
	struct arena *a = rq->arena;

	if (!recognise_token(span_sub(path, 1, path.n), &rq->own.code)) {
		say(w, rq, 404, "This is no code of ours. Please scan it again.");
		return;
	}
	rq->own.rq = rq;
	rq->own.answer = rq->msg = arena_new(a, struct msg);
	if (!rq->msg || w->draining || inbound_is_shed(w, OP_READ))
		say(w, rq, 503, "Please try again in a moment.");
	else
		own_resolve(w, &rq->own);
}

static void put_amount(struct buf *b, const struct msg *m)
{
	const char *alpha = ccy_alpha(m->settle_ccy);
	char storage[40];
	struct buf sum = buf_init(storage, sizeof storage);

	if (!money_is_none(m->amount)) {
		page_sum(&sum, m->amount);
		page_element(b, "p class=\"sum\"", buf_span(&sum));
		return;
	}
	page_hidden(b, &(struct page_field){ "currency", span_str(alpha) });
	buf_str(b, "<div class=\"field\"><label for=\"amount\">Amount in ");
	buf_str(b, alpha);
	buf_str(b, "</label>\n<input id=\"amount\" name=\"amount\" inputmode=\"decimal\" "
		   "autocomplete=\"off\" required maxlength=\"13\" "
		   "pattern=\"[0-9]{1,10}([.,][0-9]{1,2})?\" title=\"like 12.50\"></div>\n");
}

static void put_choice(struct buf *b, const struct choice *c, bool checked)
{
	struct span name = span_str(c->link->peer->name);

	buf_str(b, "<div class=\"choice\"><input type=\"radio\" name=\"wallet\" required");
	page_attribute(b, "id", name);
	page_attribute(b, "value", name);
	buf_str(b, checked ? " checked>" : ">");
	buf_str(b, "<label");
	page_attribute(b, "for", name);
	buf_ch(b, '>');
	page_text(b, c->label);
	buf_str(b, "</label>\n");
	if (!span_empty(c->asks)) {
		buf_str(b, "<div class=\"field\"><label for=\"phone-");
		page_text(b, name);
		buf_str(b, "\">Your telephone number, with the country's code</label>\n"
			   "<input type=\"tel\" autocomplete=\"tel\" maxlength=\"20\" "
			   "name=\"phone-");
		page_text(b, name);
		buf_str(b, "\" id=\"phone-");
		page_text(b, name);
		buf_str(b, "\"></div>\n");
	}
	buf_str(b, "</div>\n");
}

static void put_form(struct wrk *w, struct rq *rq, const struct msg *m, struct buf *b)
{
	struct choice choice[CHOICES_MAX];
	struct span agent = SPAN_NONE;
	char text[ID_TEXT_LEN];
	struct buf id = buf_init(text, sizeof text);
	struct pay_id made;
	uint8_t random[9];
	int n;

	(void)http_header_get(rq->http, "user-agent", &agent);
	n = choices(w, agent, choice);
	w->port->entropy(w->port->ctx, random, sizeof random);
	made = pay_id_make(w->wall, w->conf.shard, random);
	pay_id_write(&id, &made);
	buf_str(b, "<form method=\"post\"");
	page_attribute(b, "action", rq->http->path);
	buf_str(b, ">\n");
	page_hidden(b, &(struct page_field){ "id", buf_span(&id) });
	put_amount(b, m);
	buf_str(b, "<fieldset><legend>Pay with</legend>\n");
	for (int i = 0; i < n; i++)
		put_choice(b, &choice[i], choice[i].recognised || n == 1);
	buf_str(b, "</fieldset>\n<button>Continue</button>\n</form>\n");
}

static void write_page(struct wrk *w, struct rq *rq, const struct msg *m, struct http_out *out)
{
	const char *name = *m->merchant.store_name ? m->merchant.store_name : m->merchant.name;
	char storage[300];
	struct buf title = buf_init(storage, sizeof storage);
	struct buf *b = &out->body;

	buf_str(&title, "Pay ");
	buf_str(&title, name);
	page_begin(out, 200, buf_span(&title), 0);
	page_element(b, "h1", span_str(name));
	if (*m->merchant.city)
		page_element(b, "p class=\"soft\"", span_str(m->merchant.city));
	if (*m->order_description)
		page_element(b, "p", span_str(m->order_description));
	put_form(w, rq, m, b);
	page_end(out);
}

void front_resolved(struct wrk *w, struct rq *rq, const struct msg *m)
{
	struct http_out out;

	CHECK_OBJ(rq, REQUEST_MAGIC);
	if (!m || !inbound_room(rq, &out, PAGE_BYTES))
		say(w, rq, 503, "Please try again in a moment.");
	else if (m->outcome != OUTCOME_APPROVED &&
		 (m->reason == REASON_CLOSED || m->reason == REASON_EXPIRED))
		say(w, rq, 410, "This code was used already, or has expired.");
	else if (m->outcome != OUTCOME_APPROVED && m->reason == REASON_MERCHANT)
		say(w, rq, 410, "This shop cannot be paid by this code now.");
	else if (m->outcome != OUTCOME_APPROVED)
		say(w, rq, 404, "This is no code of ours. Please scan it again.");
	else {
		write_page(w, rq, m, &out);
		reply(w, rq, &out);
	}
}
