/*
 * journal.c: what happened, as evidence: the event with its canonical message, kept beside the step
 * that it led to, so that an auditor can run the step again and compare.
 *
 * Personal fields are taken out before packing: the code's text, the payer's handle, name and
 * browser, and what partners call him. They come back sealed, where the message is not kept whole.
 * The hard thing is that this is written for every step, so it packs what is there already and
 * copies little.
 */
#include "work.h"

#include "journal.pb-c.h"

static ProtobufCBinaryData data(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* The personal fields of a message, while they are not in it. */
struct personal {
	char *text, *id, *handle, *name, *agent;
};

static char *take_out(char **field)
{
	char *was = *field;

	*field = (char *)(uintptr_t) "";
	return was;
}

/* In a request the payer has the name that we gave him; in what partners say, theirs. */
static struct personal hide(Xw__Canonical *m, enum event_kind kind)
{
	Xw__Party *p = m->payer;

	return (struct personal){ .text = m->code ? take_out(&m->code->text) : NULL,
		.id = p && kind != EV_REQUEST ? take_out(&p->id)
		      : p                     ? p->id
					      : NULL,
		.handle = p ? take_out(&p->handle) : NULL,
		.name = p ? take_out(&p->name) : NULL,
		.agent = take_out(&m->user_agent) };
}

static void put_back(Xw__Canonical *m, const struct personal *p)
{
	if (m->code)
		m->code->text = p->text;
	if (m->payer) {
		m->payer->id = p->id;
		m->payer->handle = p->handle;
		m->payer->name = p->name;
	}
	m->user_agent = p->agent;
}

#define HEAD_MAX 3072

struct span journal_head(const struct adapter *by, const struct http_msg *m,
	const struct http_out *asked, struct arena *a)
{
	char storage[HEAD_MAX];
	struct buf b = buf_init(storage, sizeof storage);
	struct span value;

	if (m->is_answer) {
		buf_u64(&b, (uint64_t)m->status);
		buf_str(&b, " to ");
		buf_str(&b, asked->method);
		buf_ch(&b, ' ');
		buf_add(&b, buf_span(&asked->target));
	} else {
		buf_add(&b, m->method);
		buf_ch(&b, ' ');
		/* What a form says behind the path is kept as a body is. */
		buf_add(&b, m->body.n ? m->target : m->path);
	}
	for (const char *const *name = by->proof; name && *name; name++) {
		if (!http_header_get(m, *name, &value))
			continue;
		buf_ch(&b, '\n');
		buf_str(&b, *name);
		buf_str(&b, ": ");
		buf_add(&b, value);
	}
	return buf_ok(&b) ? arena_dup(a, buf_span(&b)) : SPAN_NONE;
}

struct span journal_personal(const struct item *it, struct arena *a)
{
	Xw__Canonical *m = (Xw__Canonical *)(uintptr_t)it->canonical;
	struct personal was = hide(m, it->ev.kind);
	Xw__Canonical only = XW__CANONICAL__INIT;
	Xw__Code code = XW__CODE__INIT;
	Xw__Party payer = XW__PARTY__INIT;
	struct buf b;

	put_back(m, &was);
	if (m->code && *was.text) {
		code.text = was.text;
		only.code = &code;
	}
	if (m->payer) {
		payer.id = it->ev.kind == EV_REQUEST ? payer.id : was.id;
		payer.handle = was.handle;
		payer.name = was.name;
		if (*payer.id || *payer.handle || *payer.name)
			only.payer = &payer;
	}
	only.user_agent = was.agent;
	b = arena_buf(a, xw__canonical__get_packed_size(&only));
	return b.p && canon_pack(&only, &b) == RC_OK ? buf_span(&b) : SPAN_NONE;
}

/* What is one number, or points into the item. */
static void put_scalars(const struct item *it, uint32_t snapshot, Xw__Event *e)
{
	const struct pay_event *ev = &it->ev;

	e->kind = ev->kind;
	e->now = ev->now.us;
	e->peer = ev->peer;
	e->op = ev->op;
	e->side = ev->side;
	e->attempt = ev->attempt;
	e->refund_seq = ev->refund_seq;
	e->lost = ev->lost;
	e->verb = ev->verb;
	e->operator_ = (char *)(uintptr_t)it->decision.by;
	e->cap_refused = ev->cap_refused;
	e->cap_account = ev->cap_account;
	e->cap = ev->cap;
	e->cap_used = ev->cap_used;
	e->repeated = ev->repeated;
	e->prior_claim = ev->prior_claim;
	e->prior_seq = ev->prior_seq;
	if (ev->repeated)
		e->prior_fingerprint = data(ev->prior_fingerprint, 16);
	e->snapshot = (int32_t)snapshot;
	e->salt = ev->salt;
	e->code_peer = ev->code_peer;
	if (!pay_id_is_none(&ev->order))
		e->order = data(ev->order.b, sizeof ev->order.b);
	e->merchant = (char *)(uintptr_t)ev->merchant;
	if (ev->kind == EV_REQUEST)
		e->code_format = (char *)(uintptr_t)ev->msg->code.format;
	e->order_free = ev->order_free;
	if (!pay_id_is_none(&ev->order_from))
		e->order_from = data(ev->order_from.b, sizeof ev->order_from.b);
	e->order_version = ev->order_version;
	e->taken = ev->taken;
	e->hurry = ev->hurry;
	e->look = ev->look;
	e->watched_ms = ev->watched_ms;
}

bool journal_pack(const struct item *it, uint32_t snapshot, struct span sealed, struct buf *ret)
{
	const struct pay_event *ev = &it->ev;
	Xw__Event e = XW__EVENT__INIT;
	ProtobufCBinaryData claims[2];
	int32_t down[EVENT_DOWN_MAX], unregistered[EVENT_DOWN_MAX];
	struct personal personal = { 0 };
	char *schemes[8];
	Xw__Canonical *m = (Xw__Canonical *)(uintptr_t)it->canonical;
	size_t n;
	char *room;

	put_scalars(it, snapshot, &e);
	for (int i = 0; i < ev->scheme_count; i++)
		schemes[i] = (char *)(uintptr_t)ev->scheme[i];
	e.schemes = schemes;
	e.n_schemes = ev->scheme_count;
	for (int i = 0; i < ev->claim_count; i++)
		claims[i] = data(ev->claim[i].digest, 16);
	for (int i = 0; i < ev->down_count; i++)
		down[i] = ev->down[i];
	e.down = down;
	e.n_down = ev->down_count;
	for (int i = 0; i < ev->unregistered_count; i++)
		unregistered[i] = ev->unregistered[i];
	e.unregistered = unregistered;
	e.n_unregistered = ev->unregistered_count;
	e.claims = claims;
	e.n_claims = ev->claim_count;
	if (!is_zero(ev->code_hash, 16))
		e.code_hash = data(ev->code_hash, 16);
	if (ev->claim_count)
		e.fingerprint = data(ev->fingerprint, 16);
	if (m) {
		e.message = m;
		e.raw_digest = data(it->raw.b, sizeof it->raw.b);
		personal = hide(m, ev->kind);
	}
	if (it->rq || it->call)
		e.adapter = (char *)(uintptr_t)adapter_version(
			it->rq ? it->rq->link->adapter : it->call->link->adapter);
	if (sealed.n)
		e.personal = data(sealed.p, sealed.n);
	n = xw__event__get_packed_size(&e);
	room = buf_room(ret, n);
	if (room)
		xw__event__pack(&e, (uint8_t *)room);
	if (m)
		put_back(m, &personal);
	return room != NULL;
}
