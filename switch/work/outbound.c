/*
 * outbound.c: action -> adapter -> call, and answer -> adapter -> event; with the access tokens
 * that some calls need first.
 *
 * The hard thing is honesty about how a call ended: what surely never left is "unsent", everything
 * else without a believable answer is "unknown". Must never send a call that the record does not
 * ask for.
 */
#include "work.h"

void outbound_free(struct wrk *w, struct callout *c)
{
	CHECK_OBJ(c, CALL_MAGIC);
	takeover_forget_call(w, c);
	if (c->live) {
		c->live->calls_out--;
		c->live = NULL;
	}
	c->magic = 0;
	c->generation++;
	if (!MUTANT(CALL_KEPT) || c->is_token || !c->delivered)
		slab_give(&w->calls, c);
}

static struct callout *call_new(struct wrk *w, const struct link *link)
{
	struct callout *c = slab_take(&w->calls);

	if (!c)
		return NULL;
	c->magic = CALL_MAGIC;
	c->slot = slab_index(&w->calls, c);
	c->link = link;
	c->live = NULL;
	c->delivered = NULL;
	c->asked = NULL;
	c->is_token = c->renewed = false;
	c->begun = w->now;
	c->scratch = NULL;
	c->rq = NULL;
	c->raw_head = c->raw_body = SPAN_NONE;
	c->proof.key = c->proof.signature = SPAN_NONE;
	memset(&c->call, 0, sizeof c->call);
	list_init(&c->node);
	c->arena = arena_init(c->store, sizeof c->store);
	c->out = (struct http_out){ .target = arena_buf(&c->arena, 1024),
		.headers = arena_buf(&c->arena, 6144),
		.body = arena_buf(&c->arena, 12288) };
	return c;
}

static void token_ended(struct wrk *w, struct callout *c, const Xw__Canonical *m);

static uint64_t cookie_of(const struct callout *c)
{
	return (uint64_t)c->generation << 32 | c->slot;
}

static void delivered(struct wrk *w, struct callout *c, const struct msg *m)
{
	bool taken = m && !m->has_problem && m->outcome == OUTCOME_APPROVED;

	if (!taken)
		note_undelivered(w, c->link, m);
	c->delivered(c->host_ctx, &c->out_id, taken, c->raw.b);
}

/* The call is over: its payment hears of it. `m` NULL: no usable answer. */
static void ended(struct wrk *w, struct callout *c, const struct msg *m, Xw__Canonical *canonical,
	enum lost lost)
{
	struct item *it;

	if (c->is_token) {
		token_ended(w, c, NULL);
		return;
	}
	if (!c->live) {
		if (c->rq)
			codes_passed_on(w, c->rq, m && !m->has_problem ? canonical : NULL);
		else if (c->delivered)
			delivered(w, c, m);
		else if (c->asked)
			c->asked(c->host_ctx, m ? canonical : NULL);
		outbound_free(w, c);
		return;
	}
	it = item_new(w);
	if (!it) { /* no room to think about it: its alarm will ring */
		outbound_free(w, c);
		return;
	}
	item_call_ended(it, m ? EV_ANSWER : EV_NO_ANSWER, &c->call);
	it->ev.msg = m;
	it->ev.lost = lost;
	it->call = c;
	it->canonical = canonical;
	it->raw = c->raw;
	live_push(w, c->live, it);
}

/* The peer's rules cannot carry this message: it was not sent and cannot be. */
static void unwritable(struct wrk *w, struct callout *c, const char *why)
{
	struct msg *m = arena_new(&c->arena, struct msg);

	if (!m) {
		ended(w, c, NULL, NULL, LOST_UNSENT);
		return;
	}
	m->op = c->call.op;
	m->answer = m->has_problem = true;
	m->problem = REASON_UNSUPPORTED;
	(void)span_to_cstr(span_str(why), m->detail, sizeof m->detail);
	ended(w, c, m, NULL, LOST_UNSENT);
}

static uint32_t allowed_ms(const struct callout *c)
{
	const struct caps *caps = peer_caps(c->link->peer, (enum op)c->message->op);

	return caps ? caps->allowed_ms : 5000;
}

/* How it ends when it does not go out. One that was sent before was refused for its access token,
 * by whoever looked at that: to be asked about, like any answer that tells nothing. */
static enum lost not_sent(const struct callout *c)
{
	return c->renewed ? LOST_UNKNOWN : LOST_UNSENT;
}

/* What the answer says; NULL where it is not to be believed. */
static struct msg *understood(
	struct wrk *w, struct callout *c, const struct http_msg *answer, Xw__Canonical **ret)
{
	struct adapter_env env = env_for(w, c->link, &c->arena);
	const char *where;
	struct msg *m;

	c->raw = digest_sha256(answer->body);
	c->raw_body = arena_dup(&c->arena, answer->body);
	c->raw_head = journal_head(c->link->adapter, answer, &c->out, &c->arena);
	proof_listen(&c->proof, &env);
	if (c->link->adapter->read_answer(&env, c->message, &c->out, answer, ret) != RC_OK)
		return NULL;
	m = c->scratch ? c->scratch : arena_room(&c->arena, sizeof *m);
	return m && canon_read(*ret, m, &where) == RC_OK ? m : NULL;
}

/* The adapter alone answers: nobody is asked. */
static void settle_alone(struct wrk *w, struct callout *c)
{
	static const struct http_msg nothing = { .is_answer = true };
	Xw__Canonical *canonical = NULL;
	struct msg *m = understood(w, c, &nothing, &canonical);

	if (c->is_token)
		token_ended(w, c, m ? canonical : NULL);
	else
		ended(w, c, m, canonical, LOST_UNSENT);
}

/* The last turn may be long ago, as such times are. */
static bool is_in_time(const struct wrk *w, const struct callout *c)
{
	return w->port->mono(w->port->ctx).us < c->start_by.us;
}

static void send(struct wrk *w, struct callout *c)
{
	struct adapter_env env = env_for(w, c->link, &c->arena);
	const char *why = "";
	struct mono deadline = c->renewed || gate_begins((enum op)c->message->op)
				       ? c->start_by
				       : mono_plus_ms(w->port->mono(w->port->ctx), allowed_ms(c));
	enum rc rc;

	w->stats.calls++;
	c->token_number = link_state(w, c->link)->token_number;
	rc = c->link->adapter->write_call(&env, c->message, &c->out, &why);
	if (rc != RC_OK || !http_out_ok(&c->out)) {
		unwritable(w, c, rc == RC_RANGE ? why : "the call does not fit");
		return;
	}
	if (!c->out.method) {
		settle_alone(w, c);
		return;
	}
	takeover_call_begins(w, c);
	gate_call_begins(w, c->link, c->call.op, deadline);
	if (w->port->call(w->port->ctx, c->link->peer->number, &c->out, deadline, cookie_of(c)) !=
		RC_OK) {
		w->stats.calls_unsent++;
		ended(w, c, NULL, NULL, not_sent(c));
	}
}

static bool token_valid(const struct wrk *w, const struct link_state *s)
{
	return s->token_bytes && s->token_until.us > wall_plus_ms(w->wall, 30000).us;
}

/* Those who wait for a token go out, or end: nothing of them was sent. */
static void release_waiting(struct wrk *w, struct link_state *s, bool got)
{
	while (!list_is_empty(&s->waiting)) {
		struct callout *next = LIST_OBJ(list_pop(&s->waiting), struct callout, node);
		if (got && is_in_time(w, next))
			send(w, next);
		else
			ended(w, next, NULL, NULL, not_sent(next));
	}
}

static void fetch_token(struct wrk *w, const struct link *l)
{
	struct callout *c = call_new(w, l);

	if (!c) { /* they may be the very ones who hold all the places */
		release_waiting(w, link_state(w, l), false);
		return;
	}
	c->message = canonical_new(&c->arena, OP_TOKEN, false);
	c->call.op = OP_TOKEN;
	c->is_token = true;
	link_state(w, l)->fetching = true;
	send(w, c);
}

/* Goes out now, or waits for the token that it needs. */
static void start(struct wrk *w, struct callout *c)
{
	const struct caps *caps = peer_caps(c->link->peer, (enum op)c->message->op);
	struct link_state *s = link_state(w, c->link);

	/* A debit that waits must not come out behind its own cancel, and the time allowed counts
	 * from when it was decided: whoever waits for it waits since then. The last quarter of it
	 * is too little to begin anything. */
	if (!c->renewed)
		c->start_by = mono_plus_ms(c->begun, allowed_ms(c));
	if (gate_begins((enum op)c->message->op) && !c->renewed &&
		c->start_by.us - w->now.us < (int64_t)allowed_ms(c) * 1000 / 4) {
		w->stats.calls_unsent++;
		ended(w, c, NULL, NULL, LOST_UNSENT);
		return;
	}
	if (!caps || !caps->needs_token || token_valid(w, s)) {
		send(w, c);
		return;
	}
	list_append(&s->waiting, &c->node);
	if (!s->fetching)
		fetch_token(w, c->link);
}

static void token_ended(struct wrk *w, struct callout *c, const Xw__Canonical *m)
{
	struct link_state *s = link_state(w, c->link);
	bool got = m && !m->problem && m->token[0] && strlen(m->token) <= sizeof s->token;

	s->fetching = false;
	if (got) {
		s->token_number++;
		s->token_bytes = strlen(m->token);
		memcpy(s->token, m->token, s->token_bytes);
		s->token_until = (struct wall){ m->token_until };
		got = token_valid(w, s);
	}
	outbound_free(w, c);
	release_waiting(w, s, got);
}

void outbound_local(struct wrk *w, struct callout *c, struct msg *answer)
{
	Xw__Canonical *canonical = NULL;

	if (answer && canon_write(answer, &c->arena, &canonical) != RC_OK)
		answer = NULL;
	ended(w, c, answer, canonical, LOST_UNSENT);
}

/*
 * Refused for its access token (revoked before its time, the peer began anew): so this sending did
 * nothing, and a sale need not be lost by it. Once more, the same call with a new token, within the
 * time that it was given. False: no such call, or it was the second time.
 */
static bool sent_again(struct wrk *w, struct callout *c)
{
	const struct caps *caps = peer_caps(c->link->peer, (enum op)c->message->op);
	struct link_state *s = link_state(w, c->link);

	if (!caps || !caps->needs_token)
		return false;
	if (c->token_number == s->token_number) /* nobody fetched another meanwhile */
		s->token_bytes = 0;
	if (c->renewed || !is_in_time(w, c))
		return false;
	c->renewed = true;
	buf_reset(&c->out.target);
	buf_reset(&c->out.headers);
	buf_reset(&c->out.body);
	gate_call_ended(w, c->link, c->call.op, GATE_ANSWERED);
	start(w, c);
	return true;
}

/* Strings, each with its NUL, in this order; in place of the id, which is ours, the wallet's own.
 */
static const struct secret {
	size_t offset, cap;
} secrets[] = {
#define SECRET(member)                                                                             \
	{                                                                                          \
		offsetof(struct msg, member), sizeof((struct msg){ 0 }.member)                     \
	}
	SECRET(code.text),
	SECRET(payer.handle),
	SECRET(user_agent),
	SECRET(return_url),
	SECRET(payer.id),
};
enum { SECRET_CODE, SECRET_HANDLE, SECRET_AGENT, SECRET_RETURN, SECRET_ID };

#define SECRET_COUNT (sizeof secrets / sizeof *secrets)

void outbound_keep_secret(struct live *l, const struct rq *rq)
{
	struct buf b = buf_init(l->secret, sizeof l->secret);
	size_t length = 0;

	for (size_t i = 0; i < SECRET_COUNT; i++) {
		const char *text = i == SECRET_ID ? rq->payer_own
						  : (const char *)rq->msg + secrets[i].offset;

		length += strlen(text);
		buf_add(&b, span_of(text, strlen(text) + 1));
	}
	CHECK(buf_ok(&b));
	l->secret_bytes = length ? (uint16_t)b.n : 0;
}

/*
 * A merchant's code is for the side that resolves it, and a code that a scheme gave out for the
 * scheme: these payers are debited by handle or token, unless their wallet takes us for its scheme
 * and gets the code too. Who is credited by a code is known by nothing else. What his wallet calls
 * the payer, where he comes from and goes to is for the side that debits him, or credits.
 */
static bool is_told(struct wrk *w, const struct live *l, const struct call *call, size_t secret)
{
	if (secret != SECRET_CODE)
		return call->side == SIDE_ISSUER || call->op == OP_CREDIT;
	return call->op == OP_RESOLVE || call->op == OP_CREDIT ||
	       (l->rec.mode == 'C' && (peer_as_scheme(link_of(w, call->peer)->peer) ||
					      (!l->rec.payer_id[0] &&
						      !link_of(w, l->rec.acq.peer)->peer->scheme)));
}

static void put_secret(struct wrk *w, const struct live *l, const struct call *call, struct msg *m)
{
	struct span rest = span_of(l->secret, l->secret_bytes), text;

	for (size_t i = 0; i < SECRET_COUNT && span_split(&rest, '\0', &text); i++)
		if (is_told(w, l, call, i))
			(void)span_to_cstr(text, (char *)m + secrets[i].offset, secrets[i].cap);
}

void outbound_call(struct wrk *w, struct live *l, const struct call *call)
{
	const struct link *link = link_of(w, call->peer);
	struct callout *c = call_new(w, link);
	struct msg *m;

	if (!c)
		return; /* no room: the record's alarm is set behind the call's time and will ring
			 */
	c->call = *call;
	c->begun = l->asked;
	c->live = l;
	l->calls_out++;
	takeover_note_call(w, c);
	m = arena_room(&c->arena, sizeof *m);
	CHECK(m);
	c->scratch = m; /* large: used again for the answer */
	if (call->op == OP_RESOLVE && pay_is_of_ours(&l->rec)) {
		memset(m, 0, sizeof *m);
		c->own = (struct own){ .code = { .order = l->rec.order, .peer = call->peer },
			.answer = m,
			.call = c };
		memcpy(c->own.code.merchant, l->rec.merchant_token, sizeof c->own.code.merchant);
		own_resolve(w, &c->own);
		return;
	}
	call_build(w->conf.snapshot, &l->rec, call, m);
	if (l->secret_bytes && peer_caps(link->peer, call->op)->sends_code)
		put_secret(w, l, call, m);
	if (canon_write(m, &c->arena, &c->message) != RC_OK) {
		c->message = canonical_new(&c->arena, call->op, false);
		unwritable(w, c, "the call does not fit");
		return;
	}
	memset(m->code.text, 0, sizeof m->code.text);
	memset(m->payer.handle, 0, sizeof m->payer.handle);
	memset(m->payer.id, 0, sizeof m->payer.id);
	memset(m->user_agent, 0, sizeof m->user_agent);
	start(w, c);
}

bool outbound_pass_on(struct wrk *w, struct rq *rq, const struct link *to)
{
	struct callout *c = call_new(w, to);
	struct msg *m = c ? arena_room(&c->arena, sizeof *m) : NULL;

	if (!m)
		return false;
	c->call.op = rq->msg->op;
	c->scratch = m;
	c->rq = rq;
	*m = *rq->msg;
	memset(m->payer.handle, 0, sizeof m->payer.handle);
	if (canon_write(m, &c->arena, &c->message) != RC_OK) {
		outbound_free(w, c);
		return false;
	}
	start(w, c);
	return true;
}

/* For who waits at a till "I do not know" is no better than silence. */
static bool says_something(const struct msg *m)
{
	return m && (m->has_problem || m->outcome != OUTCOME_UNKNOWN);
}

void wrk_on_call_end(
	struct wrk *w, uint64_t cookie, enum call_end end, const struct http_msg *answer)
{
	struct callout *c = slab_at(&w->calls, (uint32_t)cookie);
	Xw__Canonical *canonical = NULL;
	struct msg *m = NULL;

	if (c->magic != CALL_MAGIC || c->generation != (uint32_t)(cookie >> 32))
		return;
	if (end == CALL_ANSWER && answer->status == 401 && sent_again(w, c))
		return;
	if (end == CALL_ANSWER)
		m = understood(w, c, answer, &canonical);
	if (c->is_token) {
		token_ended(w, c, m ? canonical : NULL);
		return;
	}
	gate_call_ended(w, c->link, c->call.op,
		says_something(m)    ? GATE_ANSWERED
		: end == CALL_UNSENT ? GATE_UNSENT
				     : GATE_LOST);
	if (!m && end == CALL_UNSENT)
		w->stats.calls_unsent++;
	else if (!m)
		w->stats.calls_unknown++;
	ended(w, c, m, canonical, end == CALL_UNSENT ? not_sent(c) : LOST_UNKNOWN);
}

bool wrk_deliver(struct wrk *w, const struct pay_id *out_id, uint16_t peer, struct span body,
	wrk_delivered_fn *done, void *ctx)
{
	const struct link *l = link_of(w, peer);
	struct callout *c = l ? call_new(w, l) : NULL;

	if (!c)
		return false;
	c->out_id = *out_id;
	c->delivered = done;
	c->host_ctx = ctx;
	c->call.op = OP_NOTIFY;
	if (canon_unpack(body, &c->arena, &c->message) != RC_OK) {
		outbound_free(w, c);
		return false;
	}
	start(w, c);
	return true;
}

bool wrk_ask(struct wrk *w, uint16_t peer, Xw__Canonical *message, struct arena *room,
	wrk_asked_fn *done, void *ctx)
{
	const struct link *l = link_of(w, peer);
	struct callout *c = l ? call_new(w, l) : NULL;

	if (!c)
		return false;
	c->asked = done;
	c->host_ctx = ctx;
	c->call.op = (enum op)message->op;
	c->message = message;
	c->arena = *room; /* an answer may be larger than any that is about a payment */
	start(w, c);
	return true;
}
