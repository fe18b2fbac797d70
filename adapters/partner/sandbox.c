/*
 * sandbox.c: the fake partner of the partner API, put together: routes, timers, the hand of a
 * person or a test, and the book.
 *
 * The hard thing is that one participant plays three parts, and its book must tell them apart: what
 * a wallet took, what it was given, and what a till believes it was paid. Must never keep anything
 * outside of its state: the simulator runs many of them, and runs them again.
 */
#include "partnerfake.h"

#include "check.h"

#define CODE_DIGITS 24

_Static_assert(FAKE_DEBITS % 2 == 0, "hash chains");

void pfake_add(struct money sums[FAKE_SUMS], struct money m)
{
	for (size_t i = 0; i < FAKE_SUMS && !money_is_none(m); i++) {
		if (money_is_none(sums[i])) {
			sums[i] = m;
			return;
		}
		if (money_same(sums[i], m)) {
			CHECK(money_add(sums[i], m, &sums[i]) == RC_OK);
			return;
		}
	}
}

/* ---- behaviours ---- */

static const struct {
	const char *name;
	enum fake_how how;
	const char *reason; /* where the text names none */
	int after_ms;
} hows[] = {
	{ "approve", HOW_APPROVE, "", 0 },
	{ "decline", HOW_DECLINE, "insufficient-funds", 0 },
	{ "pending", HOW_PENDING, "", 0 },
	{ "pending-then-approve", HOW_PENDING_APPROVE, "", 3000 },
	{ "pending-then-decline", HOW_PENDING_DECLINE, "payer-refused", 3000 },
	{ "slow", HOW_SLOW, "", 7000 },
	{ "silent", HOW_SILENT, "", 0 },
	{ "apply-then-silent", HOW_APPLY_SILENT, "", 0 },
	{ "apply-then-error", HOW_APPLY_ERROR, "", 0 },
};

bool pfake_behaviour_read(struct span text, struct fake_behaviour *ret)
{
	struct fake_behaviour b = { 0 };
	struct span name, part;
	int64_t ms;

	span_split(&text, ':', &name);
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		if (!span_eq(span_str(hows[i].name), name))
			continue;
		b.how = (uint8_t)hows[i].how;
		b.after_ms = hows[i].after_ms;
		CHECK(span_to_cstr(span_str(hows[i].reason), b.reason, sizeof b.reason));
		while (span_split(&text, ':', &part)) {
			if (span_to_i64(part, &ms) == RC_OK && ms < 86400000)
				b.after_ms = (int)ms;
			else if (!span_to_cstr(part, b.reason, sizeof b.reason))
				return false;
		}
		*ret = b;
		return true;
	}
	return false;
}

/* Codes that need no minting: CII, 02, 9, then a digit that says what they do. */
static bool magic_code(const struct sandbox_host *h, struct span text, struct fake_behaviour *ret)
{
	static const char *const does[10] = { "approve", "decline:insufficient-funds",
		"decline:payer-refused", "pending-then-approve", "pending-then-decline", "pending",
		"apply-then-silent", "slow", "apply-then-error", "decline:code-expired" };
	struct span cii = fake_setting(h, "cii", "281777");

	if (text.n != CODE_DIGITS || !span_is_digits(text) || !span_starts(text, cii) ||
		!span_starts(span_sub(text, 6, 3), SPAN("029")))
		return false;
	return pfake_behaviour_read(span_str(does[text.p[9] - '0']), ret);
}

bool pfake_token_find(struct fake *f, const struct sandbox_host *h, struct span text,
	struct fake_behaviour *ret, struct fake_token **ret_token)
{
	for (size_t i = 0; i < f->token_count && i < FAKE_TOKENS; i++) {
		if (!span_eq(span_str(f->token[i].text), text))
			continue;
		*ret = f->token[i].does;
		*ret_token = &f->token[i];
		return true;
	}
	/* Users that need no making: "user-approve", "user-decline:payer-refused", ... */
	if (span_starts(text, SPAN("user-")))
		return pfake_behaviour_read(span_sub(text, 5, text.n), ret);
	return magic_code(h, text, ret);
}

static const char *mint(struct fake *f, const struct sandbox_host *h, const struct json *command,
	bool code, struct jw *w)
{
	struct fake_token t = { .once = code };
	struct span behaviour = SPAN("approve");
	struct buf b = buf_init(t.text, sizeof t.text - 1);

	json_str(command, "behaviour", &behaviour);
	if (!pfake_behaviour_read(behaviour, &t.does))
		return "no such behaviour";
	if (code) {
		buf_add(&b, fake_setting(h, "cii", "281777"));
		buf_str(&b, "020"); /* never a magic one */
		while (b.n < CODE_DIGITS)
			buf_dec(&b, h->entropy(h->ctx) % 1000, 3);
	} else if (!pfake_text(command, "handle", t.text, sizeof t.text)) {
		return "a user has a handle";
	}
	f->token[f->token_count++ % FAKE_TOKENS] = t;
	jw_str(w, code ? "code" : "handle", span_str(t.text));
	return NULL;
}

static const char *new_order(
	struct fake *f, const struct sandbox_host *h, const struct json *command, struct jw *w)
{
	struct fake_order *o = &f->order[f->order_serial++ % FAKE_ORDERS];
	struct span behaviour = SPAN("approve"), value, currency;
	char code[160];
	struct buf b = buf_init(code, sizeof code), id = buf_init(o->id, sizeof o->id - 1);
	int64_t expires_ms = 300000;
	uint64_t e = h->entropy(h->ctx);

	*o = (struct fake_order){ .status = "OPEN" };
	json_str(command, "behaviour", &behaviour);
	if (!pfake_behaviour_read(behaviour, &o->does))
		return "no such behaviour";
	if (json_text(h->arena, command, "amount", &value) &&
		(!json_str(command, "currency", &currency) ||
			money_parse_minor(value, currency, &o->amount) != RC_OK))
		return "an amount has a currency";
	json_int(command, "expires_ms", &expires_ms);
	o->expires = wall_plus_ms(h->now, expires_ms);
	buf_str(&id, "o-");
	buf_hex(&id, span_of(&e, 8));
	buf_add(&b, fake_setting(h, "code_prefix", "https://pay.partner.example/o/"));
	buf_str(&b, o->id);
	jw_str(w, "code", buf_span(&b));
	jw_str(w, "order", span_str(o->id));
	return NULL;
}

/* ---- the interface ---- */

static struct fake *pfake_of(void *state)
{
	struct fake *f = state;

	CHECK_OBJ(f, FAKE_MAGIC);
	return f;
}

static void init(void *state, const struct sandbox_host *h)
{
	(void)h;
	((struct fake *)state)->magic = FAKE_MAGIC;
}

/* The operations, by the names that "misbehave" takes. */
static const char *const ops[] = { "debit", "read", "cancel", "refund", "credit", "resolve", "tell",
	"webhook", NULL };

static const char *op_of(const struct http_msg *m, struct span path)
{
	if (http_header_count(m, "webhook-signature") > 0)
		return "webhook";
	if (span_starts(path, SPAN("orders/")))
		return span_eq(path, SPAN("orders/resolve")) ? "resolve" : "tell";
	if (span_eq(m->method, SPAN("GET")))
		return "read";
	if (span_ends(path, SPAN("/cancel")))
		return "cancel";
	if (span_ends(path, SPAN("/refunds")))
		return "refund";
	return span_starts(path, SPAN("credits")) ? "credit" : "debit";
}

/* What follows the base path of our configuration; empty where it is not below it. */
static struct span path_of(const struct sandbox_host *h, const struct http_msg *m)
{
	struct span base = fake_setting(h, "base_path", "/interop/v1");

	if (!span_starts(m->path, base) || m->path.n <= base.n || m->path.p[base.n] != '/')
		return SPAN_NONE;
	return span_sub(m->path, base.n + 1, m->path.n);
}

static void route(struct fake_rq *rq, struct span path)
{
	if (span_starts(path, SPAN("debits")) || span_starts(path, SPAN("credits")))
		pfake_wallet_request(rq, path);
	else if (span_starts(path, SPAN("orders/")))
		pfake_acquirer_request(rq, path);
	else
		pfake_refuse(rq, 404, "not-found", NULL);
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct fake_rq rq = { .f = pfake_of(state), .h = h, .tag = tag, .m = m };
	struct span path = path_of(h, m);
	const char *op = op_of(m, path);

	rq.mischief = mischief_take(&rq.f->mischief, op);
	if (mischief_stops(&rq.mischief, h, tag, m, rq.f->held, FAKE_TIMER_HELD))
		return;
	if (strcmp(op, "webhook") == 0)
		pfake_webhook(&rq);
	else if (pfake_verify(&rq))
		route(&rq, path);
}

/* It arrives after all; whoever sent it has long hung up. */
static void arrive(struct fake *f, const struct sandbox_host *h, struct fake_held *held)
{
	struct http_msg m = { .method = span_str(held->method),
		.path = span_str(held->path),
		.target = span_str(held->path),
		.body = span_of(held->body, held->body_n) };
	struct fake_rq rq = { .f = f, .h = h, .m = &m, .mute = true };

	m.header[m.header_count++] = (struct http_header){ SPAN("content-type"),
		SPAN("application/json") };
	m.header[m.header_count++] = (struct http_header){ SPAN("idempotency-key"),
		span_str(held->key) };
	if (held->used) /* it was not forgotten by a reset */
		route(&rq, path_of(h, &m));
	held->used = false;
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct fake *f = pfake_of(state);
	struct fake_call *c = &f->call[(cookie & 0xffff) % FAKE_CALLS];
	bool believed;

	if (!c->used || c->generation != (uint32_t)(cookie >> 16))
		return;
	believed = pfake_believes(h, c, m);
	c->used = false;
	if (c->purpose == FOR_PUSH)
		pfake_wallet_pushed(f, h, c, m, believed);
	else
		pfake_till_answer(f, h, c, m, believed);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct fake *f = pfake_of(state);
	uint64_t about = cookie & FAKE_TIMER_HELD, n = cookie & ~FAKE_TIMER_HELD;

	if (about == FAKE_TIMER_HELD)
		arrive(f, h, &f->held[n % FAKE_HELD]);
	else if (about == FAKE_TIMER_DEBIT)
		pfake_wallet_timer(f, h, n);
	else
		pfake_till_timer(f, h, n);
}

static const char *decide(
	struct fake *f, const struct sandbox_host *h, const char *verb, const struct json *command)
{
	char id[FAKE_ID], reason[FAKE_WORD] = "payer-refused";

	pfake_text(command, "reason", reason, sizeof reason);
	if (!pfake_text(command, "id", id, sizeof id) ||
		!pfake_wallet_decide(f, h, id, strcmp(verb, "approve") == 0, reason))
		return "no such debit that waits";
	return NULL;
}

static const char *lie(struct fake *f, const struct sandbox_host *h, const struct json *command)
{
	char id[FAKE_ID] = "";

	if (!pfake_text(command, "id", id, sizeof id))
		return "of which debit?";
	pfake_wallet_lie(f, h, id);
	return NULL;
}

static const char *own_verb(struct fake *f, const struct sandbox_host *h, const char *verb,
	const struct json *command, struct jw *w)
{
	if (strcmp(verb, "mint-code") == 0 || strcmp(verb, "mint-user") == 0)
		return mint(f, h, command, strcmp(verb, "mint-code") == 0, w);
	if (strcmp(verb, "new-order") == 0)
		return new_order(f, h, command, w);
	if (strcmp(verb, "lie") == 0)
		return lie(f, h, command);
	if (strcmp(verb, "approve") == 0 || strcmp(verb, "decline") == 0)
		return decide(f, h, verb, command);
	if (strcmp(verb, "counts") == 0) {
		jw_int(w, "refused_signatures", f->refused_signatures);
		jw_int(w, "webhooks", f->webhooks);
		return NULL;
	}
	return pfake_till_do(f, h, verb, command, w);
}

static void control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct fake *f = pfake_of(state);
	struct jw w = jw_init(ret_json);
	char verb[FAKE_WORD] = "";
	const char *wrong;

	pfake_text(command, "do", verb, sizeof verb);
	if (strcmp(verb, "misbehave") == 0) {
		mischief_control(&f->mischief, ops, command, ret_json);
		return;
	}
	if (strcmp(verb, "reset") == 0) {
		memset(f, 0, sizeof *f);
		init(f, h);
		fake_control_ok(ret_json);
		return;
	}
	jw_obj(&w, NULL);
	wrong = own_verb(f, h, verb, command, &w);
	jw_bool(&w, "ok", !wrong);
	jw_opt(&w, "error", span_str(wrong));
	jw_end(&w, '}');
}

/* ---- the book ---- */

static int64_t minor(struct money m)
{
	return money_is_none(m) ? 0 : money_minor(m);
}

/* What has moved: all of it or nothing. */
static struct money moved(struct money m, bool did)
{
	return did || money_is_none(m) ? m : money_of(0, money_ccy(m));
}

static void write_line(struct buf *ret, const char *role, const char *id, const char *own_id,
	struct money taken, struct money returned, const char *state)
{
	struct jw w = jw_init(ret);

	jw_obj(&w, NULL);
	jw_str(&w, "role", span_str(role));
	fake_put_line(&w, id, span_str(own_id), ccy_alpha(money_ccy(taken)), minor(taken),
		minor(returned));
	jw_str(&w, "state", span_str(state));
	jw_end(&w, '}');
}

static void write_debit(struct buf *ret, const struct fake_debit *d)
{
	static const char *const words[] = { "pending", "paid", "declined", "cancelled" };
	bool took = d->state == DEBIT_APPROVED || d->undo == UNDO_RETURNED;
	char own[24], id[FAKE_ID];
	struct buf b = buf_init(own, sizeof own - 1);

	buf_str(&b, d->credit ? "wc-" : "wp-");
	buf_dec(&b, d->serial, 8);
	own[b.n] = '\0';
	/* The switch's id of a leg is that of its payment, and a suffix. */
	CHECK(span_to_cstr(span_sub(span_str(d->id), 0, 26), id, sizeof id));
	write_line(ret, d->credit ? "credit" : "issuer", id, own, moved(d->amount, took),
		d->returned, words[d->state]);
}

static void write_payment(struct buf *ret, const struct fake_payment *p)
{
	static const char *const roles[] = { "acquirer", "acquirer", "scan", "payout", "codes" };
	struct money worth = money_is_none(p->settled) ? p->amount : p->settled;

	write_line(ret, roles[p->kind], p->switch_id, p->id, moved(worth, pfake_is_paid(p)),
		p->returned, p->status);
}

static void write_order(struct buf *ret, const struct fake_order *o)
{
	write_line(ret, "acquirer", o->paid_by, o->id, moved(o->amount, *o->paid_by), MONEY_NONE,
		o->status);
}

static size_t at_most(uint64_t n, size_t cap)
{
	return n < cap ? (size_t)n : cap;
}

static bool book(void *state, size_t i, struct buf *ret_json)
{
	struct fake *f = pfake_of(state);
	size_t debits = at_most(f->debit_serial, FAKE_DEBITS);
	size_t payments = at_most(f->payment_serial, FAKE_PAYMENTS);
	size_t orders = at_most(f->order_serial, FAKE_ORDERS);

	if (i < debits) {
		write_debit(ret_json, &f->debit[i]);
		return true;
	}
	i -= debits;
	if (i < payments) {
		write_payment(ret_json, &f->payment[i]);
		return true;
	}
	i -= payments;
	if (i < orders) {
		write_order(ret_json, &f->order[i]);
		return true;
	}
	i -= orders;
	if (i < FAKE_SUMS && !money_is_none(f->gone_taken[i])) {
		write_line(ret_json, "forgotten", "", "", f->gone_taken[i], f->gone_returned[i],
			"forgotten");
		return true;
	}
	return false;
}

const struct sandbox partner_sandbox = {
	.name = "partner",
	.state_bytes = sizeof(struct fake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = control,
	.book = book,
};
