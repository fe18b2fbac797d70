/*
 * aps_sign.c: the APS envelope: what is signed, how the signature is written and read.
 *
 * The hard thing: partners spell the same signature in several ways, so it is read tolerantly and
 * written in one form only. Must never touch the body: what is signed and verified are the raw
 * bytes, and nothing here parses them.
 */
#include "aps.h"

#include "text.h"

#define SIGNATURE_BYTES_MAX 512 /* RSA-4096 */

/*
 * SPEC alipayplus 2.3 [C:S2]: sign METHOD SP URI LF Client-Id "." Time "." Body; the URI is the
 * path as requested, with its query; an answer is signed over the URI of its request.
 */
struct span aps_content(struct arena *a, const struct aps_envelope *e)
{
	size_t n = e->method.n + e->uri.n + e->client_id.n + e->time.n + e->body.n + 4;
	struct buf b = arena_buf(a, n);

	if (!arena_ok(a))
		return SPAN_NONE;
	buf_add(&b, e->method);
	buf_ch(&b, ' ');
	buf_add(&b, e->uri);
	buf_ch(&b, '\n');
	buf_add(&b, e->client_id);
	buf_ch(&b, '.');
	buf_add(&b, e->time);
	buf_ch(&b, '.');
	buf_add(&b, e->body);
	return buf_span(&b);
}

/* SPEC alipayplus 2.4 [C:S38]: percent-encoded standard base64 with padding. */
static void put_signature(struct buf *header, struct span sig)
{
	char storage[SIGNATURE_BYTES_MAX * 4 / 3 + 8];
	struct buf b64 = buf_init(storage, sizeof storage);

	text_b64(&b64, sig);
	text_percent(header, buf_span(&b64));
}

enum rc aps_sign(
	const struct adapter_env *env, const struct aps_envelope *e, struct buf *ret_header)
{
	char storage[SIGNATURE_BYTES_MAX];
	struct buf sig = buf_init(storage, sizeof storage);
	struct span content = aps_content(env->arena, e), version = SPAN_NONE;
	enum sig_alg alg;

	if (!arena_ok(env->arena))
		return RC_FULL;
	if (!env->signer) /* nothing is signed for who is not known */
		return RC_AUTH;
	if (!env->signer->sign(env->signer->ctx, content, &sig, &alg, &version) || !buf_ok(&sig) ||
		alg != SIG_RSA_SHA256)
		return RC_AUTH;
	buf_str(ret_header, "algorithm=RSA256,keyVersion=");
	buf_add(ret_header, span_empty(version) ? SPAN("1") : version);
	buf_str(ret_header, ",signature=");
	put_signature(ret_header, buf_span(&sig));
	return buf_ok(ret_header) ? RC_OK : RC_FULL;
}

/*
 * SPEC alipayplus 2.4 [T:1,T:3]: parts in any order with blanks around them, unknown ones ignored;
 * a part ends its name at the first "=", since unescaped padding occurs.
 */
static bool split_header(struct span header, struct span *ret_version, struct span *ret_signature)
{
	struct span part;

	*ret_version = *ret_signature = SPAN_NONE;
	while (span_split(&header, ',', &part)) {
		size_t eq = span_find(part, '=');
		struct span name = span_trim(span_sub(part, 0, eq));
		struct span value = span_trim(span_sub(part, eq + 1, part.n));

		if (span_eq(name, SPAN("algorithm")) && !span_eq(value, SPAN("RSA256")))
			return false;
		if (span_eq(name, SPAN("keyVersion")))
			*ret_version = value;
		if (span_eq(name, SPAN("signature"))) {
			if (ret_signature->p)
				return false;
			*ret_signature = value;
		}
	}
	return !span_empty(*ret_signature);
}

enum rc aps_verify(const struct adapter_env *env, const struct aps_envelope *e, struct span header)
{
	char escaped[SIGNATURE_BYTES_MAX * 2], raw[SIGNATURE_BYTES_MAX];
	struct buf b64 = buf_init(escaped, sizeof escaped), sig = buf_init(raw, sizeof raw);
	const struct signer *s = env->signer;
	struct span version, value, content;

	/* "%XX" only: a bare "+" is base64, not a blank. */
	if (!split_header(header, &version, &value) || text_unpercent(&b64, value) != RC_OK ||
		!buf_ok(&b64) || text_unb64_lenient(&sig, buf_span(&b64)) != RC_OK || !buf_ok(&sig))
		return RC_AUTH;
	content = aps_content(env->arena, e);
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (s->verify(s->ctx, version, content, buf_span(&sig)))
		return RC_OK;
	/* SPEC alipayplus 2.6 [I]: a version that we do not know yet may be the newest key. */
	if (!span_empty(version) && s->verify(s->ctx, SPAN_NONE, content, buf_span(&sig)))
		return RC_OK;
	return RC_AUTH;
}

/*
 * SPEC alipayplus 2.1, 2.2: Client-Id is the partner's own id in both directions. Lower-case names,
 * since an official client looks for them so. Whole seconds, so that answers which are equal within
 * a second have equal signatures.
 */
enum rc aps_seal(const struct adapter_env *env, const char *time_header, struct span method,
	struct span uri, struct http_out *out)
{
	char time_storage[40], header_storage[SIGNATURE_BYTES_MAX * 3];
	struct buf t = buf_init(time_storage, sizeof time_storage);
	struct buf header = buf_init(header_storage, sizeof header_storage);
	struct aps_envelope e = { .method = method, .uri = uri, .body = buf_span(&out->body) };
	enum rc rc;

	wall_write_offset(&t, env->now, 0);
	e.client_id = adapter_setting(env, "client_id");
	e.time = buf_span(&t);
	rc = aps_sign(env, &e, &header);
	if (rc != RC_OK)
		return rc;
	http_out_header(out, "content-type", SPAN("application/json; charset=UTF-8"));
	http_out_header(out, "client-id", e.client_id);
	http_out_header(out, time_header, e.time);
	http_out_header(out, "signature", buf_span(&header));
	return http_out_ok(out) ? RC_OK : RC_FULL;
}

const char *const aps_proof[] = { "client-id", "request-time", "response-time", "signature", NULL };

/* An answer that cannot be signed goes out unsigned: the scheme takes that for unknown, and asks
 * again. */
void aps_seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)replayed; /* APS has no mark for it */
	if (aps_seal(env, "response-time", rq->http->method, rq->http->target, out) != RC_OK)
		buf_reset(&out->headers);
}
