/*
 * intake.c: from bytes to an event: whose dialect it is, who says to be speaking, what it claims,
 * whose code it brings.
 *
 * The hard thing is order: what costs little comes first, and nobody who has not proven himself
 * learns more than that he has not. Must never act on a message that the adapter did not believe.
 */
#include "work.h"

#define ADAPTERS_MAX 32

/* Percent of the host's room: until then all are welcome. Who only asks can ask again. */
#define READ_UNTIL  60
#define BEGIN_UNTIL 75

bool inbound_is_shed(const struct wrk *w, enum op op)
{
	unsigned until = inbound_begins(op) || op == OP_CODES ? BEGIN_UNTIL
			 : op == OP_READ                      ? READ_UNTIL
							      : 100;

	return w->load > until;
}

void wrk_set_load(struct wrk *w, unsigned percent)
{
	w->load = percent;
}

static const char *claim_kind(enum op op)
{
	switch (op) {
	case OP_DEBIT:
		return "debit";
	case OP_RESOLVE:
		return "scan";
	case OP_CONFIRM:
		return "confirm";
	case OP_CANCEL:
		return "cancel";
	case OP_REFUND:
		return "refund";
	case OP_TELL:
		return "tell";
	case OP_ORDER:
		return "order";
	case OP_CREDIT:
		return "credit";
	case OP_CAPTURE:
		return "capture";
	case OP_NONE:
	case OP_INQUIRE:
	case OP_INQUIRE_REFUND:
	case OP_NOTIFY:
	case OP_PUSH:
	case OP_CODES:
	case OP_TOKEN:
	case OP_READ:
	case OP_HOOKS:
	case OP_IMAGE:
	case OP_RULES:
	case OP_REGISTER:
	case OP_STANDING:
	case OP_MAX:
		return NULL;
	}
	return NULL;
}

/* I-2, I-3: the key within (partner, operation), and the partner's own id. */
static void claims(const struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;
	struct pay_event *ev = &rq->ev;
	const char *kind = claim_kind(m->op);
	uint8_t bare[16];

	if (!kind)
		return;
	if (m->key[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, kind, m->key);
	if (m->op == OP_REFUND && m->refund.id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "refund-id", m->refund.id);
	else if ((inbound_begins(m->op) || m->op == OP_TELL) && m->request_id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "id", m->request_id);
	else if (m->op == OP_CANCEL && !m->key[0] && m->request_id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "cancel-id", m->request_id);
	/* Kept for ever, and over what few people could have sent: keyed, lest it be guessed. */
	idem_fingerprint(m, bare);
	w->port->code_hash(w->port->ctx, span_of(bare, sizeof bare), ev->fingerprint);
}

/* A merchant code of a participant's own, by the address that it has registered with us. */
static void registered_code(const struct wrk *w, struct rq *rq)
{
	struct span code = span_str(rq->msg->code.text);

	for (size_t i = 0; i < w->conf.link_count && !rq->ev.code_peer; i++) {
		const struct peer *p = w->conf.link[i].peer;
		if (p->order_url[0] && span_starts(code, span_str(p->order_url)))
			rq->ev.code_peer = p->number;
	}
}

/* Whose code is it? The recognition table speaks, and the rules of schemes; the core routes. A
 * payer who shows no code named the wallet instead. Why it can be nobody's, or NULL. */
static const char *whose_code(struct wrk *w, struct rq *rq)
{
	struct msg *m = rq->msg;
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct recognised r;

	if (!m->code.text[0] && m->code.scheme[0])
		rq->ev.scheme[rq->ev.scheme_count++] = m->code.scheme;
	if (!m->code.text[0] ||
		!recognise(&a, span_str(m->code.text), w->conf.code_guid, w->conf.payer_origin, &r))
		return NULL;
	if (m->op == OP_RESOLVE) {
		rq->ev.order = r.own.order;
		rq->ev.code_peer = r.own.peer;
		memcpy(rq->ev.merchant, r.own.merchant, sizeof rq->ev.merchant);
		registered_code(w, rq);
		if (!rq->ev.code_peer)
			recognise_by_rules(w->conf.snapshot, w->rules, span_str(m->code.text), &r);
	}
	w->port->code_hash(w->port->ctx, span_str(m->code.text), rq->ev.code_hash);
	(void)span_to_cstr(span_str(r.format), m->code.format, sizeof m->code.format);
	memcpy(rq->ev.scheme, r.scheme, sizeof rq->ev.scheme);
	rq->ev.scheme_count = r.scheme_count;
	if (r.scheme_count)
		(void)span_to_cstr(span_str(r.scheme[0]), m->code.scheme, sizeof m->code.scheme);
	return rq->ev.code_peer ? NULL : recognise_refusal(&r);
}

/* A pay-out names the wallet where it does not bring a code. */
static void name_wallet(const struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;

	if (m->op != OP_CREDIT || m->code.text[0])
		return;
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (strcmp(w->conf.link[i].peer->name, m->code.scheme) == 0)
			rq->ev.code_peer = w->conf.link[i].peer->number;
}

static const struct link *link_by_identity(
	const struct wrk *w, const struct adapter *a, struct span identity)
{
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (w->conf.link[i].adapter == a && span_eq(w->conf.link[i].identity, identity))
			return &w->conf.link[i];
	return NULL;
}

/* Finds the adapter whose path it is, and the participant who says to be speaking. */
static enum rc identify(const struct wrk *w, struct rq *rq, struct buf *methods)
{
	const struct adapter *tried[ADAPTERS_MAX];
	const struct link *first = NULL;
	struct request refused = { 0 };
	size_t count = 0;
	struct span identity;

	for (size_t i = 0; i < w->conf.link_count; i++) {
		const struct adapter *a = w->conf.link[i].adapter;
		bool again = false;
		for (size_t j = 0; j < count; j++)
			again = again || tried[j] == a;
		if (again || !a->routes || a->for_payers != (rq->ref.listener == LISTENER_PAYERS))
			continue;
		CHECK(count < sizeof tried / sizeof *tried); /* more dialects than there are */
		tried[count++] = a;
		if (adapter_route(a, rq->http, &rq->request, methods) != RC_OK)
			continue;
		rq->link = &w->conf.link[i];
		if (!adapter_takes_headers(&rq->request))
			return RC_BAD;
		/* Two dialects may share a path: who speaks decides. The first one's is that of
		 * the refusal. */
		if (!first) {
			first = &w->conf.link[i];
			refused = rq->request;
		}
		if (a->identify(&rq->request, &identity) &&
			(rq->link = link_by_identity(w, a, identity)) != NULL)
			return RC_OK;
	}
	rq->link = first;
	rq->request = refused;
	return first ? RC_AUTH : RC_NOENT;
}

/* Nobody's path: a bare problem document, or a page. */
static void nowhere(struct wrk *w, struct rq *rq, const struct buf *methods)
{
	char headers[256], body[256];
	struct http_out out = { .status = methods->n ? 405 : 404,
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	w->stats.refused++;
	if (rq->ref.listener == LISTENER_PAYERS) {
		front_nowhere(w, rq, out.status);
		return;
	}
	http_out_header(&out, "content-type", SPAN("application/problem+json"));
	if (methods->n)
		http_out_header(&out, "allow", buf_span(methods));
	buf_str(&out.body, "{\"type\":\"");
	buf_add(&out.body, w->conf.origin);
	buf_str(&out.body,
		methods->n
			? "/problems/method-not-allowed\",\"title\":\"Method not allowed\",\"status\":405}"
			: "/problems/not-found\",\"title\":\"Not found\",\"status\":404}");
	w->port->reply(w->port->ctx, rq->ref, &out);
}

/* A path may serve several operations; the message says which it is. */
static const struct route *route_of_op(const struct rq *rq)
{
	const struct route *is = rq->request.route;

	for (const struct route *r = rq->link->adapter->routes; r->method; r++)
		if (r->op == rq->msg->op && strcmp(r->path, is->path) == 0)
			return r;
	return is;
}

/* Asked of the adapter alone: no payment is behind it. */
static bool answered_alone(enum op op)
{
	return op == OP_TOKEN || op == OP_HOOKS || op == OP_IMAGE;
}

/* The adapter believes it, and every member is within its bounds: what it claims is asked about. */
static void read_message(struct wrk *w, struct rq *rq)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	const char *where = "";
	enum rc rc;

	proof_listen(&rq->proof, &env);
	rc = rq->link->adapter->read_request(&env, &rq->request, &rq->canonical);
	if (rc == RC_OK && !(rq->msg = arena_room(rq->arena, sizeof *rq->msg)))
		rc = RC_FULL;
	if (rc == RC_FULL) {
		inbound_refuse(w, rq, REASON_MALFORMED, "more members than anybody reads", NULL);
		return;
	}
	if (rc != RC_OK) {
		const Xw__Problem *p = rq->canonical->problem;
		inbound_refuse(w, rq, (enum reason)p->reason, p->detail, p->pointer);
		return;
	}
	if (canon_read(rq->canonical, rq->msg, &where) != RC_OK) {
		inbound_refuse(w, rq, REASON_MALFORMED, "a member is out of its bounds", where);
		return;
	}
	if (answered_alone(rq->msg->op)) {
		inbound_alone(w, rq);
		return;
	}
	rq->request.route = route_of_op(rq);
	rq->raw = digest_sha256(rq->http->body);
	rq->ev.kind = rq->msg->op == OP_PUSH ? EV_PUSH : EV_REQUEST;
	rq->ev.peer = rq->link->peer->number;
	rq->ev.op = rq->msg->op;
	rq->ev.msg = rq->msg;
	claims(w, rq);
	if ((where = whose_code(w, rq))) {
		inbound_refuse_new(w, rq, REASON_UNSUPPORTED, where);
		return;
	}
	name_wallet(w, rq);
	inbound_ask(w, rq);
}

void wrk_on_request(
	struct wrk *w, struct exchange_ref ref, struct arena *arena, const struct http_msg *m)
{
	struct rq *rq = arena_new(arena, struct rq);
	char text[64];
	struct buf methods = buf_init(text, sizeof text);
	enum rc rc;

	w->stats.requests++;
	CHECK(rq);
	rq->magic = REQUEST_MAGIC;
	rq->ref = ref;
	rq->arena = arena;
	rq->http = m;
	rq->arrived = w->port->mono(w->port->ctx);
	list_init(&rq->node);
	if (front_has(rq)) {
		front_show(w, rq);
		return;
	}
	rc = identify(w, rq, &methods);
	if (rc == RC_NOENT) {
		nowhere(w, rq, &methods);
		return;
	}
	rq->stranger = rc != RC_OK;
	if (rc == RC_BAD) {
		inbound_refuse(w, rq, REASON_MALFORMED, "a header's name holds a \"_\"", NULL);
		return;
	}
	if (rc != RC_OK) {
		inbound_refuse(w, rq, REASON_SIGNATURE, "the signature does not hold", NULL);
		return;
	}
	if (w->draining) {
		inbound_refuse(
			w, rq, REASON_UNAVAILABLE, "this process is going down; repeat", NULL);
		return;
	}
	if (inbound_is_shed(w, rq->request.route->op)) { /* before its signature costs anything */
		w->stats.shed++;
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once; repeat later", NULL);
		return;
	}
	read_message(w, rq);
}
