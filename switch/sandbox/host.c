/*
 * host.c plays the partners. The hard thing is that a fake believes itself alone with one call at a
 * time, while its answers wait, its callers hang up and its calls end in any order: so whatever a
 * fake asks for is copied and done after it has returned, an exchange is named by a reference that
 * goes stale by itself, and every call is answered exactly once, by nothing at all if need be. Must
 * never call a fake from inside a call of that fake.
 */
#include "host.h"

#include "address.h"
#include "check.h"
#include "digest.h"
#include "entropy.h"
#include "http_client.h"
#include "http_server.h"
#include "keys.h"
#include "later.h"
#include "reqlog.h"
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PARTICIPANT_MAGIC 0x70617274u
#define ARENA_BYTES       (4u << 20) /* of one call of a fake */
#define IN_WORK_MAX       512u       /* requests per participant that wait for their answer */
#define CONNS_MAX         1024u
#define CALL_CONNS_MAX    32u
#define CALL_MS           10000     /* a call of a fake, all in all */
#define NEVER_MS          30000     /* nobody waits that long for an answer that does not come */
#define SLOT_MASK         0xffffffu /* the rest of a reference's slot is the server's number */

/* A request that waits for its answer. */
struct asked {
	uint64_t tag; /* 0: none */
	struct reqlog_entry entry;
};

struct participant {
	uint32_t magic;
	struct host *all;
	const struct sandbox_participant *conf;
	const struct sandbox *fake;
	void *state;
	struct sandbox_host view; /* what the fake sees */
	int listen_fd;
	struct tls *tls, *call_tls;
	struct hs *server;
	struct hc *client;               /* NULL: nobody to call */
	bool replied;                    /* the request in the fake's hands has its answer */
	struct asked asked[IN_WORK_MAX]; /* by the exchange's slot */
};

struct host {
	struct loop *loop;
	struct later_queue *queue;
	struct arena arena;
	void *arena_storage;
	size_t count;
	struct participant *participant[SANDBOX_PARTICIPANTS_MAX];
};

static struct participant *of(void *ctx)
{
	struct participant *p = ctx;

	CHECK_OBJ(p, PARTICIPANT_MAGIC);
	return p;
}

static void say(const struct participant *p, const char *why)
{
	reqlog_say(span_str(p->conf->name), why, loop_now(p->all->loop).wall);
}

/* ---- what a fake may do ---------------------------------------------------------------------- */

static uint64_t entropy(void *ctx)
{
	uint64_t v;

	(void)ctx;
	entropy_fill(&v, sizeof v);
	return v;
}

/* A partner knows its own secrets, so its secret keys are settings too. */
static struct span setting(void *ctx, const char *name)
{
	struct participant *p = of(ctx);

	for (size_t i = 0; i < p->conf->setting_count; i++)
		if (span_eq(p->conf->setting[i].name, span_str(name)))
			return p->conf->setting[i].value;
	return keys_secret(p->conf->keys, name);
}

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	enum key_alg alg;

	return keys_sign(of(ctx)->conf->keys, data, ret_sig, &alg, ret_key);
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	return keys_verify(of(ctx)->conf->keys, key, data, sig);
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct participant *p = of(ctx);
	struct span text;
	struct digest d;

	if (keys_mac(p->conf->keys, secret, data, ret))
		return true;
	text = setting(p, secret);
	if (span_empty(text))
		return false;
	d = digest_hmac_sha256(text, data);
	memcpy(ret, d.b, sizeof d.b);
	return true;
}

static struct later *queue(struct participant *p, enum later_kind kind, uint64_t id, int after_ms)
{
	struct later *l = later_add(
		p->all->queue, kind, p, id, loop_now(p->all->loop).mono, after_ms);

	if (!l)
		say(p, "lost: too much waits already");
	return l;
}

static void reply(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out)
{
	struct participant *p = of(ctx);
	struct later *l;

	p->replied = true;
	if (out->status <= 0) {
		(void)queue(p, out->status < 0 ? LATER_CUT : LATER_NEVER, tag,
			out->status < 0 ? delay_ms : NEVER_MS);
		return;
	}
	l = queue(p, LATER_REPLY, tag, delay_ms);
	if (l && !later_carry(p->all->queue, l, out)) {
		say(p, "an answer that is incomplete or finds no room: cut instead");
		l->kind = LATER_CUT;
	}
}

static void call(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct participant *p = of(ctx);
	struct later *l = queue(p, LATER_CALL, cookie, delay_ms);

	if (l && !later_carry(p->all->queue, l, out)) {
		say(p, "a call that is incomplete or finds no room: not made");
		l->kind = LATER_UNANSWERED;
	}
}

static void timer(void *ctx, uint64_t cookie, int after_ms)
{
	(void)queue(of(ctx), LATER_TIMER, cookie, after_ms);
}

/* ---- what happens to a fake ------------------------------------------------------------------ */

/* What it sees in this call. */
static struct sandbox_host *look(struct participant *p)
{
	arena_reset(&p->all->arena);
	p->view.now = loop_now(p->all->loop).wall;
	return &p->view;
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct participant *p = of(ctx);
	uint64_t tag = (uint64_t)x->ref.slot << 32 | x->ref.generation;
	struct asked *asked = &p->asked[x->ref.slot & SLOT_MASK];

	asked->tag = tag;
	reqlog_begin(&asked->entry, m->method, m->path, loop_now(p->all->loop).mono);
	p->replied = false;
	p->fake->on_request(p->state, look(p), tag, m);
	/* It may still answer out of a timer; if not, the exchange must come to an end. */
	if (!p->replied)
		(void)queue(p, LATER_NEVER, tag, NEVER_MS);
}

static void tell_answer(struct participant *p, uint64_t cookie, const struct http_msg *m)
{
	const struct http_msg none = { .is_answer = true };

	p->fake->on_answer(p->state, look(p), cookie, m ? m : &none);
}

static void end_exchange(struct participant *p, const struct later *l)
{
	struct hs_ref ref = { (uint32_t)(l->id >> 32), (uint32_t)l->id };
	struct asked *asked = &p->asked[ref.slot & SLOT_MASK];
	struct loop_now now = loop_now(p->all->loop);
	const char *why = NULL;
	int status = 0;

	if (asked->tag != l->id)
		return; /* it has ended before */
	asked->tag = 0;
	if (l->kind == LATER_REPLY) {
		status = l->message->out.status;
		if (!hs_reply(ref, &l->message->out))
			why = "the caller is gone";
	} else {
		status = l->kind == LATER_CUT ? -1 : 0;
		hs_drop(ref);
	}
	reqlog_end(&asked->entry, span_str(p->conf->name), "in", status, why, now.mono, now.wall);
}

/* A call of a fake is over: NULL answer: none came. */
static void end_call(struct later *l, const struct http_msg *answer, const char *why)
{
	struct participant *p = of(l->owner);
	struct loop_now now = loop_now(p->all->loop);
	uint64_t cookie = l->id;
	struct reqlog_entry e;

	reqlog_begin(&e, span_str(l->message->method), buf_span(&l->message->out.target), l->begun);
	reqlog_end(&e, span_str(p->conf->name), "out", answer ? answer->status : 0, why, now.mono,
		now.wall);
	later_give(p->all->queue, l);
	tell_answer(p, cookie, answer);
}

static void on_call_done(void *ctx, const struct hc_result *r)
{
	end_call(ctx, r->end == HC_ANSWER ? r->answer : NULL, r->end == HC_ANSWER ? NULL : r->why);
}

static void start_call(struct participant *p, struct later *l)
{
	enum rc rc = RC_NOENT;

	l->begun = loop_now(p->all->loop).mono;
	if (p->client)
		rc = hc_call(p->client, &l->message->out, mono_plus_ms(l->begun, CALL_MS),
			on_call_done, l);
	if (rc != RC_OK)
		end_call(l, NULL, p->client ? rc_str(rc) : "no switch_url");
}

/* Does one thing and gives it back, but for a call that is on its way: on_call_done does. */
static void carry_out(struct host *h, struct later *l)
{
	struct participant *p = of(l->owner);
	uint64_t id = l->id;

	switch (l->kind) {
	case LATER_CALL:
		start_call(p, l);
		return;
	case LATER_REPLY:
	case LATER_CUT:
	case LATER_NEVER:
		end_exchange(p, l);
		later_give(h->queue, l);
		return;
	case LATER_TIMER:
		later_give(h->queue, l);
		p->fake->on_timer(p->state, look(p), id);
		return;
	case LATER_UNANSWERED:
		later_give(h->queue, l);
		tell_answer(p, id, NULL);
		return;
	}
	CHECK_UNREACHABLE();
}

struct mono host_turn(void *host)
{
	struct host *h = host;
	/* Only what is due now: a fake that asks on and on must not hold the loop. */
	uint32_t n = later_ready(h->queue, loop_now(h->loop).mono);

	while (n-- > 0)
		carry_out(h, later_take(h->queue));
	reqlog_flush();
	return later_next(h->queue);
}

void participant_control(struct participant *p, const struct json *command, struct buf *ret_json)
{
	p->fake->control(p->state, look(p), command, ret_json);
}

bool participant_book(struct participant *p, size_t i, struct buf *ret_json)
{
	return p->fake->book(p->state, i, ret_json);
}

const struct sandbox_participant *participant_conf(const struct participant *p)
{
	return p->conf;
}

/* ---- opening and closing --------------------------------------------------------------------- */

/* What was wrong, with the participant's name. */
static char why_text[256];

static bool complain(const struct participant *p, const char *what, const char *why)
{
	snprintf(why_text, sizeof why_text, "%.64s: %s: %.128s", p->conf->name, what, why);
	return false;
}

static bool open_server(struct participant *p)
{
	const struct sandbox_participant *c = p->conf;
	struct tls_conf tls = { .server = true,
		.cert_file = c->tls_cert,
		.key_file = c->tls_key,
		.ca_file = c->client_ca,
		.ask = c->client_ca ? TLS_ASK_ALWAYS : TLS_ASK_NEVER };
	struct hs_conf conf = hs_conf_default;
	const char *why;

	if (c->tls_cert && !(p->tls = tls_open(&tls, &why)))
		return complain(p, "tls_cert", why);
	p->listen_fd = address_listen(c->address, c->port, &why);
	if (p->listen_fd < 0)
		return complain(p, "port", why);
	conf.listen_fd = p->listen_fd;
	conf.tls = p->tls;
	conf.limits = http1_limits_default;
	conf.limits.allow_underscore = true; /* some partners' headers are named so */
	conf.conns_max = CONNS_MAX;
	conf.per_address_max = CONNS_MAX; /* the switch is one address */
	conf.in_work_max = IN_WORK_MAX;
	p->server = hs_open(p->all->loop, &conf, on_request, p, &why);
	return p->server || complain(p, "listener", why);
}

static bool open_client(struct participant *p)
{
	const struct sandbox_participant *c = p->conf;
	struct tls_conf tls = { .cert_file = c->call_cert,
		.key_file = c->call_key,
		.ca_file = c->switch_ca,
		.peer_name = c->switch_host };
	struct hc_conf conf = hc_conf_default;
	const char *why;

	if (!c->switch_url)
		return true;
	if (c->switch_tls && !(p->call_tls = tls_open(&tls, &why)))
		return complain(p, "switch_ca", why);
	conf.address = c->switch_host;
	conf.port = c->switch_port;
	conf.host = span_str(strstr(c->switch_url, "://") + 3);
	conf.tls = p->call_tls;
	conf.conns_max = CALL_CONNS_MAX;
	conf.waiting_max = IN_WORK_MAX;
	p->client = hc_open(p->all->loop, &conf, &why);
	return p->client || complain(p, "switch_url", why);
}

static struct participant *close_participant(struct participant *p)
{
	if (!p)
		return NULL;
	hs_close(p->server);
	hc_close(p->client);
	tls_close(p->tls);
	tls_close(p->call_tls);
	if (p->listen_fd >= 0)
		close(p->listen_fd);
	free(p->state);
	free(p);
	return NULL;
}

static bool open_participant(
	struct host *h, const struct sandbox_participant *conf, struct participant **ret)
{
	struct participant *p = calloc(1, sizeof *p);

	if (!p)
		return false;
	*ret = p;
	p->magic = PARTICIPANT_MAGIC;
	p->all = h;
	p->conf = conf;
	p->listen_fd = -1;
	p->fake = sandbox_by_name(span_str(conf->fake));
	CHECK(p->fake); /* the configuration was checked */
	p->state = calloc(1, p->fake->state_bytes);
	if (!p->state)
		return complain(p, "state", "out of memory");
	CHECK((uintptr_t)p->state % 16 == 0);
	p->view = (struct sandbox_host){
		.ctx = p,
		.arena = &h->arena,
		.name = span_str(conf->name),
		.origin = span_str(conf->origin),
		.switch_origin = span_str(conf->switch_url),
		.entropy = entropy,
		.setting = setting,
		.sign = sign,
		.verify = verify,
		.mac = mac,
		.reply = reply,
		.call = call,
		.timer = timer,
	};
	if (!open_server(p) || !open_client(p))
		return false;
	p->fake->init(p->state, look(p));
	return true;
}

struct host *host_new(struct loop *loop, const struct sandbox_conf *conf, const char **ret_why)
{
	struct host *h = calloc(1, sizeof *h);

	*ret_why = "out of memory";
	if (!h)
		return NULL;
	h->loop = loop;
	h->queue = later_new();
	h->arena_storage = malloc(ARENA_BYTES);
	if (!h->queue || !h->arena_storage)
		return host_free(h);
	h->arena = arena_init(h->arena_storage, ARENA_BYTES);
	for (size_t i = 0; i < conf->count; i++) {
		if (!open_participant(h, &conf->participant[i], &h->participant[i])) {
			if (h->participant[i])
				*ret_why = why_text;
			h->count = i + 1;
			return host_free(h);
		}
		h->count = i + 1;
	}
	return h;
}

struct host *host_free(struct host *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < h->count; i++)
		close_participant(h->participant[i]);
	later_free(h->queue);
	free(h->arena_storage);
	free(h);
	return NULL;
}

struct participant *host_at(struct host *h, size_t i)
{
	return i < h->count ? h->participant[i] : NULL;
}

struct participant *host_find(struct host *h, struct span name)
{
	for (size_t i = 0; i < h->count; i++)
		if (span_eq(span_str(h->participant[i]->conf->name), name))
			return h->participant[i];
	return NULL;
}
