/*
 * wire.c: ports.h over io: database, cache, network, keys, log.
 *
 * Nothing is decided here; each function turns one question of the worker into one of io's and its
 * answer back into a completion. The hard thing is ownership across that line: what the worker
 * hands over stays its own until the completion, so the translations live in slots of their own for
 * exactly that long. Must never complete from inside the call that asked.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "check.h"
#include "entropy.h"
#include "http_client.h"
#include "keys.h"
#include "pages.h"
#include "pg_batch.h"
#include "rds.h"
#include "secret.h"
#include "slab.h"
#include "tls.h"

#define LOG_BYTES    (256 * 1024)
#define NONCE_TTL_MS (660 * 1000) /* 2 x 300 s + 60 s (5.4) */
#define CACHE_TTL_MS (24 * 3600 * 1000)

struct wire_commit {
	struct wire *w;
	struct commit *c;
	struct pgb_item item;
};

enum ask_kind { ASK_LOAD, ASK_FIND, ASK_REPLY, ASK_CACHE, ASK_NONCE };

struct ask {
	struct wire *w;
	enum ask_kind kind;
	struct load_key key;
	struct pay_id id;
};

struct wire_call {
	struct wire *w;
	uint64_t cookie;
	struct mono began;
};

struct wire_peer {
	struct wire *w;
	const struct conf_peer *conf;
	struct hc *pool;
	struct tls *tls;
	struct keys *keys;
	struct signer signer;
};

struct wire_clerk {
	wire_overdue_fn *overdue;
	wire_outbox_fn *outbox;
	wire_end_fn *overdue_end, *outbox_end;
	void *overdue_ctx, *outbox_ctx;
};

struct wire {
	struct loop *loop;
	const struct conf *conf;
	struct proc_slot *stat;
	struct proc_page *page;
	int own;
	const struct proc_bells *bells;
	struct event *bell;
	bool rung;
	struct pgb *batch;
	struct pg *read, *clerk;
	struct rds *cache;
	struct hs *server;
	struct tls *server_tls;
	struct span hosts[8];
	struct secret *secret;
	struct wire_peer *peer; /* one for each link */
	struct ports ports;
	struct wrk *worker;
	void *worker_memory;
	struct slab commit_slab, ask_slab, call_slab;
	void *indexes[3];
	struct wire_commit *commits;
	struct ask *asks;
	struct wire_call *calls;
	struct wire_clerk clerk_state;
	struct mono *arrived; /* by exchange slot */
	uint32_t exchanges;
	size_t log_bytes;
	char log[LOG_BYTES];
};

static struct mono port_mono(void *ctx)
{
	return loop_now(((struct wire *)ctx)->loop).mono;
}

static struct wall port_wall(void *ctx)
{
	return loop_now(((struct wire *)ctx)->loop).wall;
}

static void port_entropy(void *ctx, void *dst, size_t n)
{
	(void)ctx;
	entropy_fill(dst, n);
}

static void observe(struct proc_hist *h, int64_t us)
{
	static const int64_t bound_us[PROC_BUCKETS - 1] = { 5000, 10000, 25000, 50000, 100000,
		250000, 500000, 1000000, 2500000, 5000000, 10000000 };
	int i = 0;

	while (i < PROC_BUCKETS - 1 && us > bound_us[i])
		i++;
	h->bucket[i]++;
	h->count++;
	h->sum_us += (uint64_t)us;
}

/* Database: commits */

static void on_committed(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct wire_commit *s = ctx;
	struct wire *w = s->w;
	struct commit *c = s->c;
	struct commit_result out = { .payment = r->payment,
		.claim = r->claim,
		.seq = r->seq,
		.account = r->account,
		.value = r->value,
		.cap = r->cap };

	(void)item;
	memcpy(out.fingerprint, r->fingerprint, sizeof out.fingerprint);
	switch (r->verdict) {
	case PGB_OK:
	case PGB_OK_BEFORE:
		out.verdict = COMMIT_OK;
		w->stat->database_ok_us = loop_now(w->loop).mono.us;
		break;
	case PGB_CLAIMED:
		out.verdict = COMMIT_CLAIMED;
		break;
	case PGB_FENCE:
		out.verdict = COMMIT_FENCE;
		break;
	case PGB_CAP:
	case PGB_STOPPED:
		out.verdict = COMMIT_CAP;
		break;
	case PGB_UNSENT:
		out.verdict = COMMIT_UNSENT;
		break;
	case PGB_ERROR:
		out.verdict = COMMIT_ERROR;
		break;
	}
	slab_give(&w->commit_slab, s);
	wrk_on_commit(w->worker, c, &out);
}

static void put_rows(struct pgb_item *it, const struct commit *c)
{
	const struct step *st = c->step;

	it->claims = st->claim_count;
	for (int i = 0; i < st->claim_count; i++) {
		memcpy(it->claim[i].digest, st->claim[i].digest, 16);
		it->claim[i].seq = (int16_t)st->claim_seq;
		memcpy(it->claim[i].fingerprint, st->claim_fingerprint, 16);
	}
	it->entries = st->entry_count;
	for (int i = 0; i < st->entry_count; i++)
		it->entry[i] = (struct pgb_entry){ .kind = (enum pgb_entry_kind)st->entry[i].kind,
			.guarded = st->entry[i].guarded,
			.account = st->entry[i].account,
			.amount = st->entry[i].money };
	it->raws = c->raw_count;
	for (int i = 0; i < c->raw_count; i++)
		it->raw[i] = (struct pgb_raw){ .peer = (int16_t)c->raw[i].peer,
			.op = c->raw[i].op,
			.outgoing = c->raw[i].outgoing,
			.key = c->raw[i].key,
			.head = c->raw[i].head,
			.body = c->raw[i].body,
			.signature = c->raw[i].signature };
	if (c->has_out) {
		it->outs = 1;
		it->out[0] = (struct pgb_out){ .id = c->out_id,
			.seq = (int16_t)c->out_seq,
			.peer = (int16_t)c->out_peer,
			.next_at = { 0 },
			.body = c->out_body };
	}
	if (st->exception) {
		it->exceptions = 1;
		it->exception[0] = (struct pgb_exception){ .kind = (int16_t)st->exception,
			.detail = span_str(st->moved ? st->moved : "") };
	}
}

static enum rc port_commit(void *ctx, struct commit *c)
{
	struct wire *w = ctx;
	const struct pay *p = &c->step->next;
	struct wire_commit *s = slab_take(&w->commit_slab);
	enum rc rc;

	if (!s)
		return RC_FULL;
	*s = (struct wire_commit){ .w = w, .c = c };
	s->item.payment = p->id;
	s->item.version = (int32_t)p->version;
	s->item.kind = (int16_t)c->kind;
	s->item.op = c->op;
	s->item.state = (int16_t)pay_state(p);
	s->item.acquirer = (int16_t)p->acq.peer;
	s->item.issuer = (int16_t)p->iss.peer;
	s->item.mode = (char)p->mode;
	s->item.amount = p->amount;
	s->item.record = span_of(c->step->record, c->step->record_bytes);
	s->item.evidence = c->evidence;
	s->item.replies = c->replies;
	s->item.reply_seq = (int16_t)c->reply_seq;
	s->item.reply_status = (int16_t)c->reply_status;
	s->item.reply = c->reply;
	put_rows(&s->item, c);
	s->item.due = p->due.us ? PGB_DUE_SET : PGB_DUE_NONE;
	s->item.due_at = p->due;
	s->item.secret_op = c->set_secret      ? PGB_SECRET_SET
			    : c->remove_secret ? PGB_SECRET_REMOVE
					       : PGB_SECRET_KEEP;
	s->item.secret = c->secret;
	s->item.give_up = c->give_up;
	rc = pgb_submit(w->batch, &s->item, on_committed, s);
	if (rc != RC_OK)
		slab_give(&w->commit_slab, s);
	return rc;
}

/* Database: questions */

static struct ask *ask_new(struct wire *w, enum ask_kind kind, struct load_key k)
{
	struct ask *q = slab_take(&w->ask_slab);

	if (q)
		*q = (struct ask){ .w = w, .kind = kind, .key = k };
	return q;
}

static void ask_free(struct ask *a)
{
	slab_give(&a->w->ask_slab, a);
}

static void on_answer(void *ctx, const struct pg_answer *a)
{
	struct ask *q = ctx;
	struct wire *w = q->w;
	struct loaded l = { .rc = RC_IO, .payment = q->id };
	enum ask_kind kind = q->kind;
	struct load_key key = q->key;

	if (a->end == PG_END_DONE) {
		bool found = pg_rows_count(a->rows) > 0;
		l.rc = found ? RC_OK : RC_NOENT;
		w->stat->database_ok_us = loop_now(w->loop).mono.us;
		if (found && kind == ASK_LOAD) {
			l.record = pg_bytes(a->rows, 0, 2);
			l.secret = pg_is_null(a->rows, 0, 3) ? SPAN_NONE : pg_bytes(a->rows, 0, 3);
		} else if (found && kind == ASK_FIND) {
			l.payment = pg_id(a->rows, 0, 0);
			l.seq = (int)pg_int(a->rows, 0, 1);
			if (pg_bytes(a->rows, 0, 2).n == sizeof l.fingerprint)
				memcpy(l.fingerprint, pg_bytes(a->rows, 0, 2).p,
					sizeof l.fingerprint);
		} else if (found) {
			l.status = (int)pg_int(a->rows, 0, 0);
			l.body = pg_bytes(a->rows, 0, 1);
		}
	}
	ask_free(q);
	if (kind == ASK_REPLY)
		wrk_on_reply_loaded(w->worker, key, &l);
	else
		wrk_on_loaded(w->worker, key, &l);
}

static enum rc ask(struct ask *q, enum pg_stmt stmt, const struct pg_params *params)
{
	enum rc rc = pg_send(q->w->read, stmt, params, on_answer, q);

	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

static enum rc port_load(void *ctx, const struct pay_id *id, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_LOAD, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	q->id = *id;
	pg_add_id(&params, id);
	return ask(q, PG_STMT_LOAD, &params);
}

static enum rc port_find(void *ctx, const struct claim *claim, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_FIND, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, span_of(claim->digest, sizeof claim->digest));
	return ask(q, PG_STMT_LOAD_CLAIM, &params);
}

static enum rc port_load_reply(void *ctx, const struct pay_id *id, int seq, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_REPLY, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	q->id = *id;
	pg_add_id(&params, id);
	pg_add_int2(&params, (int16_t)seq);
	return ask(q, PG_STMT_LOAD_REPLY, &params);
}

/* Network */

static void on_call_done(void *ctx, const struct hc_result *r)
{
	struct wire_call *c = ctx;
	struct wire *w = c->w;
	uint64_t cookie = c->cookie;

	observe(&w->stat->call_s, loop_now(w->loop).mono.us - c->began.us);
	slab_give(&w->call_slab, c);
	wrk_on_call_end(w->worker, cookie,
		r->end == HC_ANSWER   ? CALL_ANSWER
		: r->end == HC_UNSENT ? CALL_UNSENT
				      : CALL_UNKNOWN,
		r->answer);
}

static size_t index_of(const struct wire *w, uint16_t peer)
{
	for (size_t i = 0; i < w->conf->peer_count; i++)
		if (w->conf->peer[i].number == peer)
			return i;
	CHECK_UNREACHABLE(); /* the worker knows no other peers than the configuration's */
}

static enum rc port_call(
	void *ctx, uint16_t peer, const struct http_out *out, struct mono deadline, uint64_t cookie)
{
	struct wire *w = ctx;
	struct wire_peer *p = &w->peer[index_of(w, peer)];
	struct wire_call *c;
	enum rc rc;

	if (!p->pool)
		return RC_NOENT;
	if (!(c = slab_take(&w->call_slab)))
		return RC_FULL;
	*c = (struct wire_call){ w, cookie, loop_now(w->loop).mono };
	rc = hc_call(p->pool, out, deadline, on_call_done, c);
	if (rc != RC_OK)
		slab_give(&w->call_slab, c);
	return rc;
}

static bool public_page(struct hs_exchange *x, const struct http_msg *m)
{
	char *headers, *body;
	struct http_out out;

	if (!pages_has(m) || !(headers = arena_alloc(&x->arena, 256)) ||
		!(body = arena_alloc(&x->arena, PAGES_BYTES_MAX)))
		return false;
	out = (struct http_out){ .headers = buf_init(headers, 256),
		.body = buf_init(body, PAGES_BYTES_MAX) };
	pages_answer(m, &out);
	hs_reply(x->ref, &out);
	return true;
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct wire *w = ctx;

	w->stat->http_requests++;
	if (x->ref.slot < w->exchanges)
		w->arrived[x->ref.slot] = x->arrived;
	if (public_page(x, m))
		return;
	wrk_on_request(w->worker, (struct exchange_ref){ 0, x->ref.slot, x->ref.generation },
		&x->arena, m);
}

static bool port_reply(void *ctx, struct exchange_ref ref, const struct http_out *out)
{
	struct wire *w = ctx;

	if (ref.slot < w->exchanges)
		observe(&w->stat->request_s, loop_now(w->loop).mono.us - w->arrived[ref.slot].us);
	return hs_reply((struct hs_ref){ ref.slot, ref.generation }, out);
}

/* Cache */

static void on_cached(void *ctx, enum rds_say answer, struct span value)
{
	struct ask *q = ctx;
	struct wire *w = q->w;
	struct cache_answer c = { .known = false };
	enum ask_kind kind = q->kind;
	struct load_key key = q->key;

	ask_free(q);
	if (answer == RDS_UNKNOWN) {
		w->stat->cache_dont_know++;
	} else if (kind == ASK_NONCE) {
		c.known = true; /* it was set, so it is new; or it was there */
		c.value = answer == RDS_YES ? SPAN_NONE : SPAN("1");
	} else {
		c.known = answer == RDS_YES;
		c.value = value;
		*(answer == RDS_YES ? &w->stat->cache_hits : &w->stat->cache_misses) += 1;
	}
	wrk_on_cache(w->worker, key, &c);
}

static enum rc port_cache_get(void *ctx, struct span key, struct load_key k)
{
	struct wire *w = ctx;
	struct ask *q = w->cache ? ask_new(w, ASK_CACHE, k) : NULL;
	enum rc rc;

	if (!q)
		return RC_FULL;
	rc = rds_get(w->cache, key, on_cached, q);
	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

static void port_cache_put(void *ctx, struct span key, struct span value)
{
	struct wire *w = ctx;

	if (w->cache && rds_set(w->cache, key, value, CACHE_TTL_MS, NULL, NULL) != RC_OK)
		w->stat->cache_dont_know++;
}

static enum rc port_nonce(void *ctx, struct span nonce, struct load_key k)
{
	struct wire *w = ctx;
	struct ask *q = w->cache ? ask_new(w, ASK_NONCE, k) : NULL;
	char text[256];
	struct buf key = buf_init(text, sizeof text);
	enum rc rc;

	if (!q)
		return RC_FULL;
	buf_str(&key, "n:");
	buf_add(&key, nonce);
	rc = buf_ok(&key) ? rds_setnx(w->cache, buf_span(&key), NONCE_TTL_MS, on_cached, q)
			  : RC_RANGE;
	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

/* Keys and secrets */

static const struct signer *port_signer(void *ctx, uint16_t peer)
{
	struct wire *w = ctx;

	return &w->peer[index_of(w, peer)].signer;
}

static bool sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	struct wire_peer *p = ctx;
	enum key_alg alg;

	if (!keys_sign(p->keys, data, ret_sig, &alg, ret_key))
		return false;
	*ret_alg = (enum sig_alg)alg;
	return true;
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	struct wire_peer *p = ctx;

	return keys_verify(p->keys, key, data, sig);
}

static bool mac(void *ctx, const char *name, struct span data, uint8_t ret[32])
{
	return keys_mac(((struct wire_peer *)ctx)->keys, name, data, ret);
}

static struct span secret_of(void *ctx, const char *name)
{
	return keys_secret(((struct wire_peer *)ctx)->keys, name);
}

static struct span port_setting(void *ctx, uint16_t peer, const char *name)
{
	struct wire *w = ctx;
	const struct conf_peer *p = &w->conf->extra[index_of(w, peer)];

	for (size_t i = 0; i < p->setting_count; i++)
		if (strcmp(p->setting[i].name, name) == 0)
			return span_str(p->setting[i].value);
	return SPAN_NONE;
}

static void port_code_hash(void *ctx, struct span text, uint8_t ret[16])
{
	secret_hash(((struct wire *)ctx)->secret, text, ret);
}

static void port_seal(void *ctx, const struct pay_id *id, struct span plain, struct buf *ret)
{
	secret_seal(((struct wire *)ctx)->secret, span_of(id->b, sizeof id->b), plain, ret);
}

static enum rc port_open(void *ctx, const struct pay_id *id, struct span sealed, struct buf *ret)
{
	return secret_unseal(
		((struct wire *)ctx)->secret, span_of(id->b, sizeof id->b), sealed, ret);
}

/* Log and bell */

static void flush_log(struct wire *w)
{
	size_t at = 0;

	while (at < w->log_bytes) {
		ssize_t n = write(STDERR_FILENO, w->log + at, w->log_bytes - at);
		if (n <= 0) { /* a sink that blocks must not block us: what does not fit is counted
			       */
			w->stat->log_dropped++;
			break;
		}
		at += (size_t)n;
	}
	w->log_bytes = 0;
}

static void port_log(void *ctx, struct span json)
{
	struct wire *w = ctx;

	if (json.n + 1 > LOG_BYTES - w->log_bytes)
		flush_log(w);
	memcpy(w->log + w->log_bytes, json.p, json.n);
	w->log_bytes += json.n;
	w->log[w->log_bytes++] = '\n';
}

static void ring(const struct wire *w, enum role role, const void *text, size_t n)
{
	for (int i = 0; i < PROC_MAX; i++)
		if (i != w->own && w->page->slot[i].role == (uint32_t)role)
			(void)!send(w->bells->ring[i], text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void port_bell(void *ctx, const struct pay_id *id)
{
	char text[17] = "p";

	if (!id) {
		ring(ctx, ROLE_CLERK, "n", 1);
		return;
	}
	memcpy(text + 1, id->b, sizeof id->b);
	ring(ctx, ROLE_WORKER, text, sizeof text);
}

static void on_bell(evutil_socket_t fd, short what, void *ctx)
{
	struct wire *w = ctx;
	char text[32];
	struct pay_id id;
	ssize_t n;

	(void)what;
	while ((n = recv(fd, text, sizeof text, MSG_DONTWAIT)) > 0) {
		if (n == 1) {
			w->rung = true;
		} else if (n == 17) {
			memcpy(id.b, text + 1, sizeof id.b);
			wrk_on_bell(w->worker, &id);
		}
	}
}

_Static_assert((int)SIG_RSA_SHA256 == (int)KEY_RSA_SHA256 && (int)SIG_ED25519 == (int)KEY_ED25519 &&
		       (int)SIG_P256_SHA256 == (int)KEY_P256_SHA256 &&
		       (int)SIG_HMAC_SHA256 == (int)KEY_HMAC_SHA256,
	"adapters and keys number their algorithms alike");

/* Opening */

static void on_pg_state(void *ctx, enum pg_state state, const char *why)
{
	struct wire *w = ctx;
	char line[512];
	int n;

	if (state != PG_STATE_BROKEN && state != PG_STATE_READY)
		return;
	n = snprintf(line, sizeof line, "{\"lvl\":\"%s\",\"ev\":\"ledger\",\"state\":\"%s\"}",
		state == PG_STATE_READY ? "info" : "warning",
		state == PG_STATE_READY ? "ready" : "lost");
	(void)why;
	if (n > 0 && (size_t)n < sizeof line)
		port_log(w, span_of(line, (size_t)n));
}

static enum key_kind kind_of(const char *use)
{
	return strcmp(use, "ours") == 0     ? KEY_OURS
	       : strcmp(use, "theirs") == 0 ? KEY_THEIRS
	       : strcmp(use, "shared") == 0 ? KEY_SHARED
					    : KEY_SECRET;
}

static enum key_state state_of(const char *state)
{
	return strcmp(state, "pending") == 0    ? KEY_PENDING
	       : strcmp(state, "retiring") == 0 ? KEY_RETIRING
	       : strcmp(state, "revoked") == 0  ? KEY_REVOKED
						: KEY_ACTIVE;
}

/* The configuration has checked the words. */
static bool load_keys(struct keys *k, const struct conf_peer *c, const char **ret_why)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (keys_add_file(k, kind_of(c->key[i].use), span_str(c->key[i].id),
			    state_of(c->key[i].state), c->key[i].file, ret_why) != RC_OK)
			return false;
	return true;
}

static bool open_peer(struct wire *w, size_t i, const char **ret_why)
{
	struct wire_peer *p = &w->peer[i];
	const struct conf_peer *c = &w->conf->extra[i];
	struct hc_conf hc = hc_conf_default;

	p->w = w;
	p->conf = c;
	p->signer = (struct signer){ p, sign, verify, mac, secret_of };
	if (!(p->keys = keys_new()) || !load_keys(p->keys, c, ret_why))
		return false;
	if (!c->url)
		return true;
	if (c->tls) {
		struct tls_conf t = { .server = false,
			.ca_file = c->ca_file,
			.peer_name = c->address,
			.cert_file = c->client_cert_file,
			.key_file = c->client_key_file };
		if (!(p->tls = tls_open(&t, ret_why)))
			return false;
	}
	hc.address = c->address;
	hc.port = c->port;
	hc.host = w->conf->link[i].authority;
	hc.tls = p->tls;
	if (c->connections)
		hc.conns_max = c->connections;
	p->pool = hc_open(w->loop, &hc, ret_why);
	return p->pool != NULL;
}

bool wire_listen(struct wire *w, int listen_fd, const char **ret_why)
{
	struct hs_conf c = hs_conf_default;
	struct tls_conf t = { .server = true,
		.cert_file = w->conf->tls_cert_file,
		.key_file = w->conf->tls_key_file,
		.ca_file = w->conf->client_ca_file,
		.ask = w->conf->client_ca_file ? TLS_ASK_OPTIONAL : TLS_ASK_NEVER };

	if (t.cert_file && !(w->server_tls = tls_open(&t, ret_why)))
		return false;
	for (size_t i = 0; i < w->conf->host_count; i++)
		w->hosts[i] = span_str(w->conf->hosts[i]);
	c.listen_fd = listen_fd;
	c.tls = w->server_tls;
	c.hosts = w->hosts;
	c.host_count = w->conf->host_count;
	c.origin = span_str(w->conf->origin);
	c.in_work_max = w->conf->requests_max;
	c.arena_bytes = 192 * 1024;
	w->exchanges = c.in_work_max;
	if (!(w->arrived = calloc(w->exchanges, sizeof *w->arrived))) {
		*ret_why = "out of memory";
		return false;
	}
	w->server = hs_open(w->loop, &c, on_request, w, ret_why);
	return w->server != NULL;
}

static bool open_database(struct wire *w, bool is_clerk, const char **ret_why)
{
	struct pgb_conf b = { .conninfo = w->conf->postgres,
		.name = is_clerk ? "clerk" : "worker",
		PGB_CONF_DEFAULT };
	struct pg_conf r = { .conninfo = w->conf->postgres,
		.name = is_clerk ? "clerk read" : "worker read",
		.groups = PG_EVERY | PG_READ,
		PG_CONF_DEFAULT };
	struct pg_conf k = { .conninfo = w->conf->postgres,
		.name = "clerk queues",
		.groups = PG_EVERY | PG_CLERK,
		PG_CONF_DEFAULT };

	w->batch = pgb_open(w->loop, &b, on_pg_state, w);
	w->read = pg_open(w->loop, &r, on_pg_state, w);
	if (is_clerk)
		w->clerk = pg_open(w->loop, &k, on_pg_state, w);
	*ret_why = "out of memory";
	return w->batch && w->read && (!is_clerk || w->clerk);
}

static bool open_worker(struct wire *w, bool is_clerk, const char **ret_why)
{
	struct wrk_conf c = { .snapshot = &w->conf->snapshot,
		.link = w->conf->link,
		.link_count = w->conf->peer_count,
		.origin = span_str(w->conf->origin),
		.shard = w->conf->shard,
		.payments_max = w->conf->payments_max,
		.calls_max = w->conf->calls_max,
		.is_clerk = is_clerk };
	uint32_t asks = 2 * c.payments_max;
	size_t bytes = wrk_bytes(&c);

	w->ports = (struct ports){ .ctx = w,
		.mono = port_mono,
		.wall = port_wall,
		.entropy = port_entropy,
		.commit = port_commit,
		.load = port_load,
		.find = port_find,
		.load_reply = port_load_reply,
		.cache_get = port_cache_get,
		.cache_put = port_cache_put,
		.nonce = port_nonce,
		.call = port_call,
		.reply = port_reply,
		.signer = port_signer,
		.setting = port_setting,
		.code_hash = port_code_hash,
		.seal = port_seal,
		.open = port_open,
		.log = port_log,
		.bell = port_bell };
	*ret_why = "out of memory";
	w->worker_memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	w->commits = calloc(c.calls_max, sizeof *w->commits);
	w->asks = calloc(asks, sizeof *w->asks);
	w->calls = calloc(c.calls_max, sizeof *w->calls);
	w->indexes[0] = malloc(slab_bytes(c.calls_max));
	w->indexes[1] = malloc(slab_bytes(asks));
	w->indexes[2] = malloc(slab_bytes(c.calls_max));
	if (!w->worker_memory || !w->commits || !w->asks || !w->calls || !w->indexes[0] ||
		!w->indexes[1] || !w->indexes[2])
		return false;
	slab_init(&w->commit_slab, w->commits, sizeof *w->commits, c.calls_max, w->indexes[0]);
	slab_init(&w->ask_slab, w->asks, sizeof *w->asks, asks, w->indexes[1]);
	slab_init(&w->call_slab, w->calls, sizeof *w->calls, c.calls_max, w->indexes[2]);
	memset(w->worker_memory, 0, bytes);
	w->worker = wrk_init(w->worker_memory, &c, &w->ports);
	return true;
}

struct wire *wire_open(struct loop *loop, const struct conf *conf, struct proc_page *page, int own,
	const struct proc_bells *bells, bool is_clerk, const char **ret_why)
{
	struct wire *w = calloc(1, sizeof *w);

	*ret_why = "out of memory";
	if (!w)
		return NULL;
	w->loop = loop;
	w->conf = conf;
	w->stat = &page->slot[own];
	w->page = page;
	w->own = own;
	w->bells = bells;
	w->peer = calloc(conf->peer_count ? conf->peer_count : 1, sizeof *w->peer);
	if (!w->peer || !(w->secret = secret_open(conf->secret_file, ret_why)))
		return wire_close(w);
	for (size_t i = 0; i < conf->peer_count; i++)
		if (!open_peer(w, i, ret_why))
			return wire_close(w);
	if (conf->redis) {
		struct rds_conf rc = { .path = conf->redis,
			.name = is_clerk ? "clerk" : "worker",
			.prefix = "xw1:",
			RDS_CONF_DEFAULT };
		if (!(w->cache = rds_open(loop, &rc, NULL, NULL)))
			return wire_close(w);
	}
	if (!open_database(w, is_clerk, ret_why) || !open_worker(w, is_clerk, ret_why))
		return wire_close(w);
	w->bell = event_new(loop_base(loop), bells->hear[own], EV_READ | EV_PERSIST, on_bell, w);
	if (!w->bell || event_add(w->bell, NULL) != 0)
		return wire_close(w);
	return w;
}

bool wire_rung(struct wire *w)
{
	bool rung = w->rung;

	w->rung = false;
	return rung;
}

struct wire *wire_close(struct wire *w)
{
	if (!w)
		return NULL;
	if (w->bell)
		event_free(w->bell);
	hs_close(w->server);
	tls_close(w->server_tls);
	for (size_t i = 0; w->peer && i < w->conf->peer_count; i++) {
		hc_close(w->peer[i].pool);
		tls_close(w->peer[i].tls);
		keys_free(w->peer[i].keys);
	}
	pgb_close(w->batch);
	pg_close(w->read);
	pg_close(w->clerk);
	rds_close(w->cache);
	secret_close(w->secret);
	for (int i = 0; i < 3; i++)
		free(w->indexes[i]);
	free(w->worker_memory);
	free(w->commits);
	free(w->asks);
	free(w->calls);
	free(w->arrived);
	free(w->peer);
	flush_log(w);
	free(w);
	return NULL;
}

struct wrk *wire_worker(struct wire *w)
{
	return w->worker;
}

bool wire_ready(const struct wire *w)
{
	return pgb_ready(w->batch) && pg_state(w->read) == PG_STATE_READY &&
	       (!w->clerk || pg_state(w->clerk) == PG_STATE_READY);
}

static void count(struct wire *w)
{
	struct proc_slot *s = w->stat;
	struct pgb_stats b = pgb_stats(w->batch);

	s->work = *wrk_stats(w->worker);
	s->turned_us = loop_now(w->loop).mono.us;
	s->database_ok = wire_ready(w);
	s->cache_ok = w->cache && rds_state(w->cache) == RDS_STATE_READY;
	s->batches = b.batches;
	s->batch_steps = b.steps;
	s->batch_splits = b.splits;
	s->batch_lost = b.lost;
	if (w->server) {
		const struct hs_stats *h = hs_stats(w->server);
		s->http_conns = h->conns;
		s->http_shed = h->shed;
		s->http_timeouts = h->timeout_head + h->timeout_body + h->timeout_handshake;
		memcpy(s->http_refused, h->refused, sizeof s->http_refused);
	}
}

struct mono wire_turn(struct wire *w)
{
	struct mono next;

	slab_turn(&w->commit_slab);
	slab_turn(&w->ask_slab);
	slab_turn(&w->call_slab);
	next = wrk_turn(w->worker);

	count(w);
	if (w->log_bytes)
		flush_log(w);
	return next;
}

bool wire_drain(struct wire *w)
{
	if (w->server)
		hs_drain(w->server);
	w->stat->draining = 1;
	return wrk_drain(w->worker) && (!w->server || hs_busy(w->server) == 0);
}

/* The clerk's questions */

static void on_overdue(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_clerk *k = &w->clerk_state;
	wire_end_fn *end = k->overdue_end;
	bool ok = a->end == PG_END_DONE;

	for (int i = 0; ok && i < pg_rows_count(a->rows); i++) {
		struct pay_id id = pg_id(a->rows, i, 0);
		k->overdue(k->overdue_ctx, &id);
	}
	k->overdue_end = NULL;
	end(k->overdue_ctx, ok);
}

enum rc wire_overdue(struct wire *w, int most, int grace_ms, int lease_ms, wire_overdue_fn *each,
	wire_end_fn *end, void *ctx)
{
	struct wire_clerk *k = &w->clerk_state;
	struct pg_params params = { 0 };
	enum rc rc;

	if (k->overdue_end)
		return RC_FULL;
	pg_add_int4(&params, most);
	pg_add_int4(&params, grace_ms);
	pg_add_int4(&params, lease_ms);
	pg_add_int4(&params, (int32_t)getpid());
	rc = pg_send(w->clerk, PG_STMT_OVERDUE_TAKE, &params, on_overdue, w);
	if (rc != RC_OK)
		return rc;
	k->overdue = each;
	k->overdue_end = end;
	k->overdue_ctx = ctx;
	return RC_OK;
}

static void on_outbox(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_clerk *k = &w->clerk_state;
	wire_end_fn *end = k->outbox_end;
	bool ok = a->end == PG_END_DONE;

	for (int i = 0; ok && i < pg_rows_count(a->rows); i++) {
		struct pay_id id = pg_id(a->rows, i, 0);
		k->outbox(k->outbox_ctx, &id, (uint16_t)pg_int(a->rows, i, 3),
			(int)pg_int(a->rows, i, 4), pg_bytes(a->rows, i, 5));
	}
	k->outbox_end = NULL;
	end(k->outbox_ctx, ok);
}

enum rc wire_outbox(
	struct wire *w, int most, int lease_ms, wire_outbox_fn *each, wire_end_fn *end, void *ctx)
{
	struct wire_clerk *k = &w->clerk_state;
	struct pg_params params = { 0 };
	enum rc rc;

	if (k->outbox_end)
		return RC_FULL;
	pg_add_int4(&params, most);
	pg_add_int4(&params, lease_ms);
	rc = pg_send(w->clerk, PG_STMT_OUTBOX_TAKE, &params, on_outbox, w);
	if (rc != RC_OK)
		return rc;
	k->outbox = each;
	k->outbox_end = end;
	k->outbox_ctx = ctx;
	return RC_OK;
}

/* Whatever becomes of it, the row's lease ends and it is tried again: at least once, never less. */
static void on_outbox_kept(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	if (a->end != PG_END_DONE)
		w->stat->delivery_failed++;
}

void wire_outbox_done(struct wire *w, const struct pay_id *out_id, const uint8_t digest[32])
{
	struct pg_params params = { 0 };

	pg_add_id(&params, out_id);
	pg_add_bytes(&params, span_of(digest, 32));
	if (pg_send(w->clerk, PG_STMT_OUTBOX_DONE, &params, on_outbox_kept, w) != RC_OK)
		w->stat->delivery_failed++;
}

void wire_outbox_retry(struct wire *w, const struct pay_id *out_id, struct wall next)
{
	struct pg_params params = { 0 };

	pg_add_id(&params, out_id);
	pg_add_time(&params, next);
	if (pg_send(w->clerk, PG_STMT_OUTBOX_RETRY, &params, on_outbox_kept, w) != RC_OK)
		w->stat->delivery_failed++;
}

static void on_counts(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct proc_slot *s = w->stat;

	if (a->end != PG_END_DONE || pg_rows_count(a->rows) == 0)
		return;
	s->due_count = pg_int(a->rows, 0, 0);
	s->overdue_count = pg_int(a->rows, 0, 1);
	s->oldest_due_us = pg_is_null(a->rows, 0, 2) ? 0 : pg_time(a->rows, 0, 2).us;
	s->outbox_count = pg_int(a->rows, 0, 3);
	s->oldest_outbox_us = pg_is_null(a->rows, 0, 4) ? 0 : pg_time(a->rows, 0, 4).us;
	s->exceptions_open = pg_int(a->rows, 0, 5);
}

void wire_counts(struct wire *w)
{
	struct pg_params params = { 0 };

	if (pg_send(w->clerk, PG_STMT_COUNTS, &params, on_counts, w) != RC_OK)
		return; /* next time, then */
}

void wire_partitions(struct wire *w)
{
	struct pg_params params = { 0 };

	pg_add_int4(&params, 3);
	if (pg_send(w->clerk, PG_STMT_PARTITIONS_MAKE, &params, on_outbox_kept, w) != RC_OK)
		proc_log("warning", "partitions", "not looked after now; again in hours");
}
