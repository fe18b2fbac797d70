/*
 * crowd.c: the partners. Each request is signed by RFC 9421 and each answer verified over the very
 * request that it answers, as a careful partner does, on one of many kept-alive TLS connections.
 *
 * The hard thing is never to wait: a call goes out at once on a connection that is free or on a new
 * one, or not at all. Calls go round the pools, so that all connections stay in use. Must never
 * queue a call behind another: its time would be counted as the switch's.
 */
#include "bench.h"

#include "check.h"
#include "crowd_keys.h"
#include "entropy.h"
#include "sysclock.h"
#include "tls.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static bool party_sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	enum key_alg alg;

	return keys_sign(((struct party *)ctx)->keys, data, ret_sig, &alg, ret_key);
}

static bool party_verify(void *ctx, struct span id, struct span data, struct span sig)
{
	return keys_verify(((struct party *)ctx)->keys, id, data, sig);
}

bool crowd_keys_load(
	struct keys *k, const char *dir, enum key_kind kind, char ret_id[128], const char **ret_why)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[512];
	bool any = false;

	*ret_why = "no folder of keys";
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n < 5 || n > 100 || strcmp(e->d_name + n - 4, ".pem") != 0)
			continue;
		snprintf(path, sizeof path, "%.380s/%.100s", dir, e->d_name);
		any = keys_add_file(k, kind, span_of(e->d_name, n - 4), KEY_ACTIVE, path,
			      ret_why) == RC_OK;
		if (!any)
			break;
		memcpy(ret_id, e->d_name, n - 4);
		ret_id[n - 4] = '\0';
	}
	if (d)
		closedir(d);
	return any;
}

static bool open_party(struct party *p, const char *name, const char *keys, const char **ret_why)
{
	char dir[400], theirs[128];

	*p = (struct party){ .name = name, .keys = keys_new() };
	*ret_why = "out of memory";
	if (!p->keys)
		return false;
	snprintf(dir, sizeof dir, "%s/sandbox/%s/ours", keys, name);
	if (!crowd_keys_load(p->keys, dir, KEY_OURS, p->keyid, ret_why))
		return false;
	snprintf(dir, sizeof dir, "%s/sandbox/%s/theirs", keys, name);
	return crowd_keys_load(p->keys, dir, KEY_THEIRS, theirs, ret_why);
}

static bool open_pools(struct crowd *c, const struct place *at, const char **ret_why)
{
	struct hc_conf hc = hc_conf_default;
	char ca[400], host[64];
	struct tls_conf t = { .ca_file = ca, .peer_name = at->address };

	snprintf(ca, sizeof ca, "%s/tls/ca.pem", at->keys);
	snprintf(host, sizeof host, "%s:%u", at->address, at->port);
	if (!(c->tls = tls_open(&t, ret_why)))
		return false;
	hc.address = at->address;
	hc.port = at->port;
	hc.host = span_str(host);
	hc.tls = c->tls;
	hc.conns_max = POOL_CONNS;
	hc.waiting_max = POOL_CONNS; /* each for the connection that is being opened for it */
	hc.request_max = 8192;
	hc.answer_max = 32 * 1024;
	for (int i = 0; i < POOLS; i++)
		if (!(c->pool[i] = hc_open(c->loop, &hc, ret_why)))
			return false;
	return true;
}

bool crowd_open(struct crowd *c, struct bench *b, const struct place *at, const char **ret_why)
{
	c->loop = b->loop;
	snprintf(c->origin, sizeof c->origin, "https://%s:%u", at->address, at->port);
	for (int i = 0; i < JOBS; i++) {
		c->job[i] = (struct job){ .b = b, .next = c->free };
		c->free = &c->job[i];
	}
	return open_party(&c->party[0], "till-eur", at->keys, ret_why) &&
	       open_party(&c->party[1], "vipps-server", at->keys, ret_why) &&
	       open_pools(c, at, ret_why);
}

void crowd_close(struct crowd *c)
{
	for (int i = 0; i < POOLS; i++)
		hc_close(c->pool[i]);
	tls_close(c->tls);
	for (int i = 0; i < PARTIES; i++)
		keys_free(c->party[i].keys);
}

/* ---- calls --------------------------------------------------------------------------------- */

/* A Vipps user scans, everything else is paid at the till. */
static struct party *party_of(struct crowd *c, const struct job *j)
{
	return &c->party[j->b->deal[j->deal].way == WAY_VIPPS];
}

static struct span uri_of(struct crowd *c, const struct job *j)
{
	struct buf uri = buf_init(c->uri, sizeof c->uri);

	buf_str(&uri, c->origin);
	buf_add(&uri, buf_span(&j->out.target));
	return buf_span(&uri);
}

static const struct http_msg *believed(
	struct crowd *c, const struct job *j, const struct http_msg *m, struct arena *a)
{
	struct party *p = party_of(c, j);
	struct msgsig_keys keys = { p, party_sign, party_verify };
	struct msgsig_msg req = { .target_uri = uri_of(c, j), .out = &j->out };
	struct msgsig_msg answer = { .in = m, .req = &req };
	struct msgsig s;

	return msgsig_verify_answer(&keys, a, sysclock_wall(), &answer, &s) ? NULL : m;
}

static void on_done(void *ctx, const struct hc_result *r)
{
	struct job *j = ctx;
	struct crowd *c = &j->b->crowd;
	struct arena a = arena_init(c->arena, sizeof c->arena);
	const struct http_msg *m = NULL;

	--*j->busy;
	if (r->end != HC_ANSWER)
		j->b->load.result->lost++;
	else if (!(m = believed(c, j, r->answer, &a)))
		j->b->load.result->unsigned_++;
	load_answered(j->b, j, m, &a);
	j->next = c->free;
	c->free = j;
}

static bool find_pool(struct crowd *c, struct job *j)
{
	for (int i = 0; i < POOLS; i++) {
		uint32_t at = c->turn++ % POOLS;

		if (c->busy[at] < POOL_CONNS) {
			j->pool = c->pool[at];
			j->busy = &c->busy[at];
			return true;
		}
	}
	return false;
}

enum rc crowd_send(
	struct crowd *c, uint32_t deal, enum call_kind kind, const char *code, struct mono intended)
{
	struct job *j = c->free;
	struct arena a = arena_init(c->arena, sizeof c->arena);
	struct msgsig_keys keys;
	struct party *p;
	uint8_t nonce[16];
	enum rc rc;

	if (!j || !find_pool(c, j))
		return RC_FULL;
	j->deal = deal;
	j->kind = kind;
	j->intended = intended;
	j->out = (struct http_out){ .target = buf_init(j->target, sizeof j->target),
		.headers = buf_init(j->headers, sizeof j->headers),
		.body = buf_init(j->body, sizeof j->body) };
	deal_write(j->b, deal, kind, code, &j->out);
	p = party_of(c, j);
	keys = (struct msgsig_keys){ p, party_sign, party_verify };
	entropy_fill(nonce, sizeof nonce);
	rc = msgsig_sign_request(
		&keys, &a, span_str(p->keyid), sysclock_wall(), nonce, uri_of(c, j), &j->out);
	CHECK(rc == RC_OK && http_out_ok(&j->out)); /* sized for it */
	rc = hc_call(j->pool, &j->out,
		mono_plus_ms(sysclock_mono(), j->b->enduring ? PATIENT_MS : WAIT_MS), on_done, j);
	if (rc != RC_OK)
		return rc;
	c->free = j->next;
	++*j->busy;
	return RC_OK;
}
