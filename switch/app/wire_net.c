/*
 * wire_net.c: the ports of who is talked to: the partners' listener, calls to each partner, and the
 * keys that say who is who.
 *
 * Each participant has a pool of connections, a TLS context and a ring of keys of its own, so that
 * none can be mistaken for another. Must never let a key leave this process.
 */
#include "wire_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "pages.h"

_Static_assert((int)SIG_RSA_SHA256 == (int)KEY_RSA_SHA256 && (int)SIG_ED25519 == (int)KEY_ED25519 &&
		       (int)SIG_P256_SHA256 == (int)KEY_P256_SHA256 &&
		       (int)SIG_HMAC_SHA256 == (int)KEY_HMAC_SHA256,
	"adapters and keys number their algorithms alike");

/* Calls */

#define QUIET_MS 60000

/* Once a minute for each participant and cause: one that is down fails a hundred calls a second. */
static void say_why(struct wire *w, struct wire_peer *p, const char *why)
{
	struct mono now = loop_now(w->loop).mono;
	struct wire_cause *c = p->cause;
	char text[256];

	for (size_t i = 0; i < WIRE_CAUSES && c->why != why; i++)
		if (p->cause[i].why == why || p->cause[i].quiet_until.us < c->quiet_until.us)
			c = &p->cause[i];
	if (c->why == why && now.us < c->quiet_until.us)
		return;
	*c = (struct wire_cause){ why, mono_plus_ms(now, QUIET_MS) };
	snprintf(text, sizeof text, "%s: %s", p->conf->name, why);
	proc_log("warning", "call", text);
}

static void on_call_done(void *ctx, const struct hc_result *r)
{
	struct wire_call *c = ctx;
	struct wire *w = c->w;
	uint64_t cookie = c->cookie;

	wire_observe(w, &w->stat->call_s, c->began);
	if (r->end != HC_ANSWER)
		say_why(w, c->peer, r->why);
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
	*c = (struct wire_call){ w, p, cookie, loop_now(w->loop).mono };
	rc = hc_call(p->pool, out, deadline, on_call_done, c);
	if (rc != RC_OK)
		slab_give(&w->call_slab, c);
	return rc;
}

/* Requests */

bool wire_public_page(struct hs_exchange *x, const struct http_msg *m)
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
	if (wire_public_page(x, m))
		return;
	wire_rules_refresh(w);
	wrk_set_load(w->worker, (unsigned)(100 * hs_stats(w->server)->in_work / w->exchanges));
	wrk_on_request(w->worker,
		(struct exchange_ref){ LISTENER_PARTNERS, x->ref.slot, x->ref.generation },
		&x->arena, m);
}

static bool port_reply(void *ctx, struct exchange_ref ref, const struct http_out *out)
{
	struct wire *w = ctx;

	if (ref.listener == LISTENER_PAYERS)
		return hs_reply((struct hs_ref){ ref.slot, ref.generation }, out);
	if (ref.slot < w->exchanges)
		wire_observe(w, &w->stat->request_s, w->arrived[ref.slot]);
	return hs_reply((struct hs_ref){ ref.slot, ref.generation }, out);
}

/* What a listener needs, so that whoever is ready can also serve. */
static bool open_listener(struct wire *w, const char **ret_why)
{
	const struct conf *c = w->conf;
	struct tls_conf t = { .server = true,
		.cert_file = c->tls_cert_file,
		.key_file = c->tls_key_file,
		.ca_file = c->client_ca_file,
		.ask = c->client_ca_file ? TLS_ASK_OPTIONAL : TLS_ASK_NEVER };

	if (t.cert_file && !(w->server_tls = tls_open(&t, ret_why)))
		return false;
	for (size_t i = 0; i < c->host_count; i++)
		w->hosts[i] = span_str(c->hosts[i]);
	w->exchanges = c->requests_max;
	*ret_why = "out of memory";
	return (w->arrived = calloc(w->exchanges, sizeof *w->arrived)) != NULL;
}

bool wire_listen(struct wire *w, const struct proc_fds *fds, const char **ret_why)
{
	struct hs_conf c = hs_conf_default;

	c.listen_fd = fds->partners;
	c.tls = w->server_tls;
	c.hosts = w->hosts;
	c.host_count = w->conf->host_count;
	c.origin = span_str(w->conf->origin);
	c.limits = http1_limits_default;
	c.limits.allow_underscore = true; /* the route that is found judges them */
	c.in_work_max = w->exchanges;
	c.idle_ms = w->conf->idle_s * 1000;
	c.arena_bytes = 192 * 1024;
	w->server = hs_open(w->loop, &c, on_request, w, ret_why);
	return w->server && wire_payers_listen(w, fds->payers, ret_why);
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

static struct span newest(void *ctx)
{
	return keys_newest(((struct wire_peer *)ctx)->keys);
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

static void port_cache_tag(void *ctx, struct span text, uint8_t ret[16])
{
	secret_tag(((struct wire *)ctx)->secret, text, ret);
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

static int16_t port_key_version(void *ctx)
{
	return vault_version(((struct wire *)ctx)->vault);
}

static enum rc port_seal_evidence(void *ctx, const struct pay_id *id, const struct payment_key *key,
	struct span plain, struct buf *ret)
{
	struct span payment = span_of(id->b, sizeof id->b);
	struct digest by;
	enum rc rc = vault_payment_key(((struct wire *)ctx)->vault, key->version, payment,
		span_of(key->seed, key->bytes), &by);

	if (rc == RC_OK)
		box_seal(&by, payment, plain, ret);
	return rc;
}

/* Opening */

static bool load_keys(struct keys *k, const struct conf_peer *c, const char **ret_why)
{
	for (size_t i = 0; i < c->key_count; i++)
		if (keys_add_file(k, c->key[i].use, span_str(c->key[i].id), c->key[i].state,
			    c->key[i].file, ret_why) != RC_OK ||
			(c->key[i].sha512 && keys_use_sha512(k, ret_why) != RC_OK))
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
	p->signer = (struct signer){ p, sign, verify, mac, secret_of, newest };
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

/* NULL: all is open. Else whose file was refused. */
static const char *open_all(struct wire *w, bool is_clerk, const char **ret_why)
{
	if (!(w->secret = secret_open(w->conf->secret_file, ret_why)))
		return "secret";
	if (!(w->vault = vault_open(w->conf->vault_file, ret_why)))
		return "vault";
	for (size_t i = 0; i < w->conf->peer_count; i++)
		if (!open_peer(w, i, ret_why))
			return w->conf->extra[i].name;
	if (!is_clerk && !open_listener(w, ret_why))
		return "partners";
	return is_clerk || wire_payers_open(w, ret_why) ? NULL : "payers";
}

bool wire_net_open(struct wire *w, bool is_clerk, const char **ret_why)
{
	static char text[256];
	const char *whose;

	*ret_why = "out of memory";
	w->peer = calloc(w->conf->peer_count ? w->conf->peer_count : 1, sizeof *w->peer);
	if (!w->peer)
		return false;
	whose = open_all(w, is_clerk, ret_why);
	if (!whose)
		return true;
	snprintf(text, sizeof text, "%s: %s", whose, *ret_why);
	*ret_why = text;
	return false;
}

void wire_net_close(struct wire *w)
{
	wire_payers_close(w);
	hs_close(w->server);
	tls_close(w->server_tls);
	for (size_t i = 0; w->peer && i < w->conf->peer_count; i++) {
		hc_close(w->peer[i].pool);
		tls_close(w->peer[i].tls);
		keys_free(w->peer[i].keys);
	}
	vault_close(w->vault);
	secret_close(w->secret);
	free(w->arrived);
	free(w->peer);
}

void wire_net_ports(struct ports *p)
{
	p->call = port_call;
	p->reply = port_reply;
	p->signer = port_signer;
	p->setting = port_setting;
	p->code_hash = port_code_hash;
	p->cache_tag = port_cache_tag;
	p->seal = port_seal;
	p->open = port_open;
	p->key_version = port_key_version;
	p->seal_evidence = port_seal_evidence;
}
