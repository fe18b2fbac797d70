/*
 * partner.c: hosts the partners' fakes: time, settings, keys, and what they send; and carries out
 * what a person or a test asks of them.
 *
 * The hard thing is that the fakes know only their own side: the host signs for them with a
 * stand-in for their key and verifies with one for ours. Their state lies in regions that are
 * emptied between seeds by the kernel, since most of it is never touched. Must never call a fake
 * from inside itself.
 */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "digest.h"

#define ARENA_BYTES ((size_t)1 << 20)

/* ---- stand-ins for keys ---- */

static size_t sig_bytes(enum sig_alg alg)
{
	switch (alg) {
	case SIG_RSA_SHA256:
	case SIG_RSA_SHA512:
		return 256;
	case SIG_ED25519:
	case SIG_P256_SHA256:
		return 64;
	case SIG_HMAC_SHA256:
		break;
	}
	return 32;
}

/* As long as the real one, and different for whoever signs and for every text. Nobody here forges,
 * so it need not be hard to find. */
static size_t stand_in(const struct party *p, const char *who, struct span data, uint8_t ret[256])
{
	struct rng r = { world_hash(world_hash((uint64_t)p->no, span_str(who)), data) };
	size_t n = sig_bytes(p->alg);

	for (size_t i = 0; i < n; i += 8) {
		uint64_t v = rng_next(&r);
		memcpy(ret + i, &v, 8);
	}
	return n;
}

static bool holds(const struct party *p, const char *who, struct span data, struct span sig)
{
	uint8_t good[256];
	size_t n = stand_in(p, who, data, good);

	return sig.n == n && memcmp(sig.p, good, n) == 0;
}

static bool switch_sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	const struct party *p = ctx;
	uint8_t sig[256];

	buf_add(ret_sig, span_of(sig, stand_in(p, "switch", data, sig)));
	*ret_alg = p->alg;
	*ret_key = span_str(p->our_key);
	return true;
}

static bool switch_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	const struct party *p = ctx;

	return (span_empty(key) || span_eq(key, span_str(p->their_key))) &&
	       holds(p, "partner", data, sig);
}

static struct span fixed(const struct party *p, const char *name)
{
	for (const struct pair *at = p->settings; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return span_str(at->value);
	return SPAN_NONE;
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct digest d = digest_hmac_sha256(fixed(ctx, secret), data);

	memcpy(ret, d.b, 32);
	return !span_empty(fixed(ctx, secret));
}

static struct span secret(void *ctx, const char *name)
{
	return fixed(ctx, name);
}

struct span party_setting(const struct party *p, const char *name)
{
	return strcmp(name, "keyid") == 0 ? span_str(p->our_key) : fixed(p, name);
}

/* ---- the fake's side ---- */

static bool fake_sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	const struct party *p = ctx;
	uint8_t sig[256];

	buf_add(ret_sig, span_of(sig, stand_in(p, "partner", data, sig)));
	*ret_key = span_str(p->their_key);
	return true;
}

static bool fake_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	const struct party *p = ctx;

	return (span_empty(key) || span_eq(key, span_str(p->our_key))) &&
	       holds(p, "switch", data, sig);
}

static struct span fake_setting(void *ctx, const char *name)
{
	const struct party *p = ctx;

	return strcmp(name, "keyid") == 0 ? span_str(p->their_key) : fixed(p, name);
}

static uint64_t fake_entropy(void *ctx)
{
	return rng_next(&((struct party *)ctx)->s->entropy);
}

static void fake_reply(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out)
{
	struct party *p = ctx;

	link_partner_reply(p->s, p->no, tag, delay_ms, out);
}

static void fake_call(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct party *p = ctx;

	link_partner_call(p->s, p->no, cookie, delay_ms, out);
}

static struct party *enter(struct sim *s, int party)
{
	struct party *p = &s->party[party];

	CHECK(!p->answering);
	CHECK(arena_ok(&p->arena));
	arena_reset(&p->arena);
	p->host.now = (struct wall){ world_wall(s).us + p->wrong_us };
	p->answering = true;
	return p;
}

static void on_timer(struct sim *s, const struct event *e)
{
	struct party *p = enter(s, (int)e->a);

	p->fake->on_timer(p->state, &p->host, e->b);
	p->answering = false;
}

static void fake_timer(void *ctx, uint64_t cookie, int after_ms)
{
	struct party *p = ctx;

	world_in(p->s, (int64_t)(after_ms > 0 ? after_ms : 0) * 1000, on_timer, (uint64_t)p->no,
		cookie);
}

void party_request(struct sim *s, int party, uint64_t tag, const struct http_msg *m)
{
	struct party *p = enter(s, party);

	p->fake->on_request(p->state, &p->host, tag, m);
	p->answering = false;
}

void party_answer(struct sim *s, int party, uint64_t cookie, const struct http_msg *m)
{
	struct party *p = enter(s, party);

	p->fake->on_answer(p->state, &p->host, cookie, m);
	p->answering = false;
}

const struct json *party_do(struct sim *s, int party, const char *format, ...)
{
	struct party *p = enter(s, party);
	struct buf b = buf_init(p->answer, sizeof p->answer);
	const struct json *command, *answer;
	char text[2048];
	va_list args;
	bool ok = true;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	CHECK(n > 0 && (size_t)n < sizeof text);
	CHECK(json_parse(&p->arena, span_of(text, (size_t)n), &command) == RC_OK);
	p->fake->control(p->state, &p->host, command, &b);
	p->answering = false;
	CHECK(buf_ok(&b) && json_parse(&p->arena, buf_span(&b), &answer) == RC_OK);
	world_say(s, "%s is told %s: %.*s", p->name, text, SPAN_FMT(buf_span(&b)));
	world_mix_bytes(s, buf_span(&b));
	(void)json_bool(answer, "ok", &ok);
	return ok && !json_get(answer, "error") ? answer : NULL;
}

/* ---- the beginning ---- */

static void prepare(struct sim *s, int i)
{
	static const char *const keys[PARTIES] = { "", "", "1", "1", "till-eur:202601-1",
		"till-nok:202601-1", "pivo:202601-1", "vipps-server:202601-1",
		"7132d72a03e93cddf8c03bbd1f37eedf95d4b5a9", "1", "", "", "satispay", "bancontact-1",
		"", "epassi:202601-1", "pivo-app:202601-1", "1", "1", "" };
	struct party *p = &s->party[i];
	bool alipay = strncmp(p->adapter_name, "alipay", 6) == 0 ||
		      strcmp(p->adapter_name, "apsmember") == 0;
	bool ours = strcmp(p->adapter_name, "partner") == 0 || i == EPASSI || i == PIVO_APP;
	bool wechat = i == WECHAT;

	p->s = s;
	p->no = i;
	p->alg = alipay || wechat || i == SATISPAY ? SIG_RSA_SHA256
		 : i == SWISH                      ? SIG_RSA_SHA512
		 : i == BANCONTACT                 ? SIG_P256_SHA256
						   : SIG_ED25519;
	p->our_key = alipay            ? "1"
		     : ours            ? "crosswallet:202601-1"
		     : wechat          ? "5157f09efdc096de15ebe81a47057a7232f1b8e1"
		     : i == BANCONTACT ? "crosswallet-1"
		     : i == SWISH      ? "4512"
				       : "";
	p->their_key = keys[i];
	p->signer = (struct signer){ p, switch_sign, switch_verify, mac, secret, NULL };
	p->host = (struct sandbox_host){ .ctx = p,
		.arena = &p->arena,
		.name = span_str(p->name),
		.switch_origin = SPAN("https://switch.example"),
		.entropy = fake_entropy,
		.setting = fake_setting,
		.sign = fake_sign,
		.verify = fake_verify,
		.mac = mac,
		.reply = fake_reply,
		.call = fake_call,
		.timer = fake_timer };
}

/* peers_begin has named them. */
void party_open(struct sim *s)
{
	for (int i = 0; i < PARTIES; i++) {
		struct party *p = &s->party[i];
		p->fake = sandbox_by_name(span_str(p->adapter_name));
		CHECK(p->fake);
		p->state = mmap(NULL, p->fake->state_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		p->memory = malloc(ARENA_BYTES);
		CHECK(p->state != MAP_FAILED && p->memory);
		p->arena = arena_init(p->memory, ARENA_BYTES);
		prepare(s, i);
	}
}

void party_begin(struct sim *s)
{
	static const char *const origins[PARTIES] = { "https://bluecode.example",
		"https://vipps.example", "https://aps.example", "https://mpp.example",
		"https://till-eur.example", "https://till-nok.example", "https://pivo.example",
		"https://vipps-server.example", "https://wechat.example", "https://alipay.example",
		"https://vipps-till.example", "https://swish.example", "https://satispay.example",
		"https://bancontact.example", "https://twint.example", "https://epassi.example",
		"https://pivo-app.example", "https://aps-acquirer.example",
		"https://aps-wallet.example", "https://bluecode-till.example" };

	for (int i = 0; i < PARTIES; i++) {
		struct party *p = &s->party[i];
		CHECK(madvise(p->state, p->fake->state_bytes, MADV_DONTNEED) == 0);
		p->answering = false;
		p->wrong_us = 0;
		p->restarts = 0;
		p->host.origin = span_str(origins[i]);
		enter(s, i);
		p->fake->init(p->state, &p->host);
		p->answering = false;
	}
}
