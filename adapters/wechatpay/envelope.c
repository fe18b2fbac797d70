/*
 * envelope.c: the signatures of WeChat Pay's interface of version 3, ours over calls and theirs
 * over answers and callbacks. The hard thing is that each line of what is signed ends with a LF,
 * the last too, and that the bytes are those of the wire: the path with its query, the body as it
 * is. Must never parse anything.
 */
#include "wechatpay.h"

#include "text.h"

#define SIGNATURE_MAX 512 /* RSA-4096 */
#define SKEW_S        300

/* SPEC wechatpay 3 [C:S44]: what is signed: lines, each with its LF. */
static struct span lines(struct arena *a, const struct span *line, size_t n)
{
	size_t bytes = n;
	struct buf b;

	for (size_t i = 0; i < n; i++)
		bytes += line[i].n;
	b = arena_buf(a, bytes);
	for (size_t i = 0; i < n; i++) {
		buf_add(&b, line[i]);
		buf_ch(&b, '\n');
	}
	return buf_span(&b);
}

static struct span unix_seconds(struct arena *a, struct wall t)
{
	struct buf b = arena_buf(a, 20);

	buf_i64(&b, t.us / 1000000);
	return buf_span(&b);
}

/* SPEC wechatpay 3 [C:S44]: up to 32 letters and digits. */
static struct span nonce_of(const struct adapter_env *env)
{
	struct buf b = arena_buf(env->arena, 2 * sizeof env->nonce);

	buf_hex(&b, span_of(env->nonce, sizeof env->nonce));
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 'a')
			b.p[i] = (char)(b.p[i] - 'a' + 'A');
	return buf_span(&b);
}

static void put_part(struct buf *b, const char *name, struct span value)
{
	buf_str(b, name);
	buf_str(b, "=\"");
	buf_add(b, value);
	buf_ch(b, '"');
}

/*
 * SPEC wechatpay 3 [C:S44, C:WX-G]: RSA-SHA256 over method, path with query, seconds, nonce, body;
 * in the header the institution's number and the serial number of its certificate, which is the
 * name of our key.
 */
bool wx_sign(const struct adapter_env *env, struct http_out *out)
{
	struct arena *a = env->arena;
	struct buf sig = arena_buf(a, SIGNATURE_MAX), b64 = arena_buf(a, SIGNATURE_MAX * 2),
		   header = arena_buf(a, SIGNATURE_MAX * 3);
	struct span time = unix_seconds(a, env->now), nonce = nonce_of(env), serial = SPAN_NONE,
		    mchid = adapter_setting(env, wx_is_institution(env) ? "sp_mchid" : "mchid");
	const struct span line[] = { span_str(out->method), buf_span(&out->target), time, nonce,
		buf_span(&out->body) };
	struct span text = lines(a, line, sizeof line / sizeof *line);
	enum sig_alg alg;

	if (!arena_ok(a) || !env->signer->sign(env->signer->ctx, text, &sig, &alg, &serial) ||
		alg != SIG_RSA_SHA256)
		return false;
	text_b64(&b64, buf_span(&sig));
	buf_str(&header, "WECHATPAY2-SHA256-RSA2048 ");
	put_part(&header, "mchid", mchid);
	put_part(&header, ",nonce_str", nonce);
	put_part(&header, ",signature", buf_span(&b64));
	put_part(&header, ",timestamp", time);
	put_part(&header, ",serial_no", serial);
	http_out_header(out, "authorization", buf_span(&header));
	return buf_ok(&header);
}

/*
 * SPEC wechatpay 3 [C:S44]: over timestamp, nonce and body, with the platform's key of that serial
 * number; one that we do not know is no reason to try another.
 */
bool wx_holds(const struct adapter_env *env, const struct http_msg *m, bool fresh)
{
	struct buf sig = arena_buf(env->arena, SIGNATURE_MAX);
	struct span time, nonce, signature, serial, text;
	int64_t s;

	if (!http_header_get(m, "wechatpay-timestamp", &time) ||
		!http_header_get(m, "wechatpay-nonce", &nonce) ||
		!http_header_get(m, "wechatpay-signature", &signature) ||
		!http_header_get(m, "wechatpay-serial", &serial) || span_empty(serial) ||
		span_to_i64(time, &s) != RC_OK || text_unb64(&sig, signature) != RC_OK ||
		!buf_ok(&sig))
		return false;
	if (fresh && (s < env->now.us / 1000000 - SKEW_S || s > env->now.us / 1000000 + SKEW_S))
		return false;
	text = lines(env->arena, (const struct span[]){ time, nonce, m->body }, 3);
	return arena_ok(env->arena) &&
	       env->signer->verify(env->signer->ctx, serial, text, buf_span(&sig));
}
