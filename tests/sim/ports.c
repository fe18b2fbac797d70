/*
 * ports.c: ports.h over the made-up world. Each function is a place where the process may die: the
 * calls before it have had their effect, the rest never happens.
 *
 * Keys are stand-ins: a keyed digest stretched to the length of the real signature, since what is
 * tested here is who signs what, not arithmetic; real keys are the affair of other tests.
 */
#include "sim.h"

#include "digest.h"

static struct sim *enter(void *ctx)
{
	struct proc *p = ctx;

	proc_port(p);
	return p->s;
}

static int no(void *ctx)
{
	return ((struct proc *)ctx)->no;
}

static struct mono port_mono(void *ctx)
{
	const struct proc *p = ctx;

	return (struct mono){ p->s->now_us - p->lost_us + 1000000 };
}

static struct wall port_wall(void *ctx)
{
	const struct proc *p = ctx;

	int64_t us = world_wall(p->s).us + p->skew_us + p->wrong_us;

	return (struct wall){ p->s->faults.coarse ? us / 1000 * 1000 : us };
}

static void port_entropy(void *ctx, void *dst, size_t n)
{
	struct sim *s = ((struct proc *)ctx)->s;

	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = rng_next(&s->entropy);
		memcpy((char *)dst + i, &v, n - i < 8 ? n - i : 8);
	}
}

static enum rc port_commit(void *ctx, struct commit *c)
{
	struct sim *s = enter(ctx);

	return pg_commit(s, no(ctx), c);
}

static enum rc port_load(void *ctx, const struct pay_id *id, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_load(s, no(ctx), id, k);
}

static enum rc port_find(void *ctx, const struct claim *claim, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_find(s, no(ctx), claim, k);
}

static enum rc port_load_reply(void *ctx, const struct pay_id *id, int seq, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_load_reply(s, no(ctx), id, seq, k);
}

static enum rc port_find_code(void *ctx, const uint8_t hash[16], struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_find_code(s, no(ctx), hash, k);
}

static enum rc port_bind_payer(void *ctx, const struct payer_names *names, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_bind_payer(s, no(ctx), names, k);
}

static enum rc port_find_payer(void *ctx, struct span payer, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_find_payer(s, no(ctx), payer, k);
}

static enum rc port_find_merchant(void *ctx, struct span token, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_find_merchant(s, no(ctx), token, k);
}

static enum rc port_keep_codes(void *ctx, const struct shown_codes *c, struct load_key k)
{
	struct sim *s = enter(ctx);

	return pg_keep_codes(s, no(ctx), c, k);
}

static enum rc port_cache_get(void *ctx, struct span key, struct load_key k)
{
	struct sim *s = enter(ctx);

	return rds_get(s, no(ctx), key, k);
}

static void port_cache_put(void *ctx, struct span key, struct span value)
{
	struct sim *s = enter(ctx);

	rds_put(s, key, value);
}

static enum rc port_nonce(void *ctx, struct span nonce, struct load_key k)
{
	struct sim *s = enter(ctx);

	return rds_nonce(s, no(ctx), nonce, k);
}

static enum rc port_call(
	void *ctx, uint16_t peer, const struct http_out *out, struct mono deadline, uint64_t cookie)
{
	struct sim *s = enter(ctx);

	return link_call(s, no(ctx), peer, out, deadline, cookie);
}

static bool port_reply(void *ctx, struct exchange_ref ref, const struct http_out *out)
{
	struct sim *s = enter(ctx);

	return link_reply(s, ref, out);
}

static const struct signer *port_signer(void *ctx, uint16_t peer)
{
	return &((struct proc *)ctx)->s->party[peers_party(peer)].signer;
}

static struct span port_setting(void *ctx, uint16_t peer, const char *name)
{
	return party_setting(&((struct proc *)ctx)->s->party[peers_party(peer)], name);
}

static void port_code_hash(void *ctx, struct span text, uint8_t ret[16])
{
	struct digest d = digest_sha256(text);

	(void)ctx;
	memcpy(ret, d.b, 16);
}

static void port_cache_tag(void *ctx, struct span text, uint8_t ret[16])
{
	struct digest d = digest_hmac_sha256(SPAN("the tag's key"), text);

	(void)ctx;
	memcpy(ret, d.b, 16);
}

/* Not encryption, but what is opened must be what was sealed, for that very payment. */
static void port_seal(void *ctx, const struct pay_id *id, struct span plain, struct buf *ret)
{
	(void)ctx;
	buf_add(ret, span_of(id->b, sizeof id->b));
	buf_add(ret, plain);
}

static enum rc port_open(void *ctx, const struct pay_id *id, struct span sealed, struct buf *ret)
{
	(void)ctx;
	if (!span_starts(sealed, span_of(id->b, sizeof id->b)))
		return RC_AUTH;
	buf_add(ret, span_sub(sealed, sizeof id->b, sealed.n));
	return RC_OK;
}

static int16_t port_key_version(void *ctx)
{
	(void)ctx;
	return 1;
}

static enum rc port_seal_evidence(void *ctx, const struct pay_id *id, const struct payment_key *key,
	struct span plain, struct buf *ret)
{
	if (!key->bytes)
		return RC_AUTH;
	port_seal(ctx, id, plain, ret);
	return RC_OK;
}

static void port_log(void *ctx, struct span json)
{
	struct proc *p = ctx;

	world_mix_bytes(p->s, json);
	world_say(p->s, "%d %.*s", p->no, SPAN_FMT(json));
}

static void port_bell(void *ctx, const struct pay_id *id)
{
	struct sim *s = enter(ctx);

	if (s->sweep.lost != POINT_NONE)
		return;
	if (id)
		proc_ring(s, no(ctx), id);
	else
		clerk_hint(s, pg_wall(s).us + 1000);
}

void ports_bind(struct proc *p)
{
	p->ports = (struct ports){ .ctx = p,
		.mono = port_mono,
		.wall = port_wall,
		.entropy = port_entropy,
		.commit = port_commit,
		.load = port_load,
		.find = port_find,
		.load_reply = port_load_reply,
		.find_code = port_find_code,
		.bind_payer = port_bind_payer,
		.find_payer = port_find_payer,
		.find_merchant = port_find_merchant,
		.keep_codes = port_keep_codes,
		.cache_get = port_cache_get,
		.cache_put = port_cache_put,
		.nonce = port_nonce,
		.call = port_call,
		.reply = port_reply,
		.signer = port_signer,
		.setting = port_setting,
		.code_hash = port_code_hash,
		.cache_tag = port_cache_tag,
		.seal = port_seal,
		.open = port_open,
		.key_version = port_key_version,
		.seal_evidence = port_seal_evidence,
		.log = port_log,
		.bell = port_bell };
}
