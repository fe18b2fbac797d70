/*
 * auth.c: who speaks: the three credentials of a sales unit, and access tokens. A token is the
 * unit's client_id, the second at which it ends, and a MAC over both, so that every process of ours
 * knows it and none keeps it.
 *
 * The hard thing is to tell nobody which part was wrong, and to compare what is secret in constant
 * time. Must never take a token past its end.
 */
#include "vippstill.h"

#include "digest.h"
#include "text.h"

#define REFUSED ((struct fault){ RC_AUTH, REASON_SIGNATURE, "", "" })

static struct span header(const struct http_msg *m, const char *name)
{
	struct span s = SPAN_NONE;

	(void)!http_header_get(m, name, &s);
	return s;
}

/* SPEC vipps 2.3 [C:V-KIT]: the word Bearer, else 401. */
static struct span bearer(const struct http_msg *m)
{
	struct span s = header(m, "authorization"), head = SPAN("Bearer ");

	return span_starts(s, head) ? span_trim(span_sub(s, head.n, s.n)) : SPAN_NONE;
}

/* "<client_id>.<seconds>.<mac>": the id may hold dots. */
static bool split(struct span token, struct span *ret_id, struct span *ret_until,
	struct span *ret_signed, struct span *ret_mac)
{
	size_t mac = token.n, until;

	while (mac > 0 && token.p[mac - 1] != '.')
		mac--;
	for (until = mac > 0 ? mac - 1 : 0; until > 0 && token.p[until - 1] != '.';)
		until--;
	if (until < 2 || mac < until + 2)
		return false;
	*ret_id = span_sub(token, 0, until - 1);
	*ret_until = span_sub(token, until, mac - 1 - until);
	*ret_signed = span_sub(token, 0, mac - 1);
	*ret_mac = span_sub(token, mac, token.n);
	return true;
}

bool till_identify(const struct request *rq, struct span *ret_identity)
{
	struct span token = bearer(rq->http), until, is_signed, mac;

	if (rq->route->kind == TILL_TOKEN || rq->route->kind == TILL_IMAGE) {
		*ret_identity = rq->route->kind == TILL_IMAGE ? rq->arg[0]
							      : header(rq->http, "client_id");
		return !span_empty(*ret_identity);
	}
	return split(token, ret_identity, &until, &is_signed, &mac);
}

/* Secrets of different length differ; of equal length, all is looked at. */
static bool same(struct span a, struct span b)
{
	struct digest da = digest_sha256(a), db = digest_sha256(b);

	return !span_empty(a) && digest_same(da.b, db.b, sizeof da.b);
}

static bool write_mac(const struct adapter_env *env, struct span is_signed, struct buf *b)
{
	uint8_t mac[32];

	if (!env->signer || !env->signer->mac(env->signer->ctx, "token", is_signed, mac))
		return false;
	text_b64url(b, span_of(mac, sizeof mac));
	return true;
}

char *till_token(const struct adapter_env *env, struct wall until)
{
	struct span id = adapter_setting(env, "client_id");
	struct buf b = arena_buf(env->arena, id.n + 96);

	buf_add(&b, id);
	buf_ch(&b, '.');
	buf_i64(&b, until.us / 1000000);
	struct span is_signed = buf_span(&b);
	char mac_text[48];
	struct buf mac = buf_init(mac_text, sizeof mac_text);

	if (!buf_ok(&b) || !write_mac(env, is_signed, &mac))
		return canonical_str(env->arena, SPAN_NONE);
	buf_ch(&b, '.');
	buf_add(&b, buf_span(&mac));
	return canonical_str(env->arena, buf_span(&b));
}

static bool token_holds(const struct adapter_env *env, const struct http_msg *m)
{
	struct span id, until, is_signed, mac;
	char text[48];
	struct buf b = buf_init(text, sizeof text);
	int64_t seconds;

	return split(bearer(m), &id, &until, &is_signed, &mac) &&
	       span_eq(id, adapter_setting(env, "client_id")) &&
	       span_to_i64(until, &seconds) == RC_OK && write_mac(env, is_signed, &b) &&
	       same(buf_span(&b), mac) && env->now.us / 1000000 < seconds;
}

/* SPEC vipps 2.3 [C:V-EP]: the MSN has 4 to 6 digits; system headers at most 30 characters. Only
 * the webhooks API does without the MSN. */
static struct fault check_headers(const struct adapter_env *env, const struct request *rq)
{
	static const char *const system[] = { "Vipps-System-Name", "Vipps-System-Version",
		"Vipps-System-Plugin-Name", "Vipps-System-Plugin-Version" };
	struct span msn = header(rq->http, "merchant-serial-number");

	if (span_empty(msn) && rq->route->kind == TILL_HOOKS)
		return NO_FAULT;
	if (msn.n < 4 || msn.n > 6 || !span_is_digits(msn))
		return INVALID("Merchant-Serial-Number", "^[0-9]{4,6}$");
	if (!span_eq(msn, adapter_setting(env, "msn")))
		return (struct fault){ RC_BAD, REASON_FORBIDDEN, "", "not this sales unit" };
	for (size_t i = 0; i < sizeof system / sizeof *system; i++)
		if (header(rq->http, system[i]).n > 30)
			return INVALID(system[i], "at most 30 characters");
	return NO_FAULT;
}

struct fault till_authenticate(const struct adapter_env *env, const struct request *rq)
{
	const struct http_msg *m = rq->http;

	if (!same(header(m, "ocp-apim-subscription-key"), adapter_secret(env, "subscription_key")))
		return REFUSED;
	if (rq->route->kind == TILL_TOKEN)
		return span_eq(header(m, "client_id"), adapter_setting(env, "client_id")) &&
				       same(header(m, "client_secret"),
					       adapter_secret(env, "client_secret"))
			       ? NO_FAULT
			       : REFUSED;
	return token_holds(env, m) ? check_headers(env, rq) : REFUSED;
}
