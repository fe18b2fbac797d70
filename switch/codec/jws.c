/*
 * jws.c: detached JSON Web Signatures. The hard thing is what a head may ask of its reader: a
 * critical member that is not understood voids the whole, and the name of a key is all that is
 * taken from it; where to find keys, and by which algorithm to believe one, is never the message's
 * to say. Must never decode or write the head anew before it is verified.
 */
#include "jws.h"

#include "text.h"

#define TEXT_MAX 8192
#define HALF     (JWS_ES256_LEN / 2)

/* ---- reading ------------------------------------------------------------------------------- */

static struct span decoded(struct arena *a, struct span text)
{
	struct buf b = arena_buf(a, text.n);

	if (!span_is_alnum(text, "-_") || text_unb64_lenient(&b, text) != RC_OK)
		return SPAN_NONE;
	return buf_span(&b);
}

static bool is_known(const char *const *known, struct span name)
{
	while (*known && !span_eq(span_str(*known), name))
		known++;
	return *known != NULL;
}

static bool has_member(const struct json *header, struct span name)
{
	const struct json *value;
	const char *member;

	for (size_t i = 0; (member = json_member(header, i, &value)); i++)
		if (value && span_eq(span_str(member), name))
			return true;
	return false;
}

/* RFC 7515 4.1.11: a list of names that are in the head, and that the reader must understand. */
static bool crit_holds(const struct json *header, const char *const *known)
{
	const struct json *crit = json_get(header, "crit");
	struct span name;

	if (!has_member(header, SPAN("crit")))
		return true;
	if (!json_is_array(crit) || json_count(crit) == 0)
		return false;
	for (size_t i = 0; i < json_count(crit); i++)
		if (!json_str(json_at(crit, i), "", &name) || !is_known(known, name) ||
			!has_member(header, name))
			return false;
	return true;
}

enum rc jws_read(struct arena *a, struct span text, const char *const *known, struct jws *ret)
{
	struct jws j = { .head = span_sub(text, 0, span_find(text, '.')) };
	struct span rest = span_sub(text, j.head.n, text.n);
	enum rc rc = RC_BAD;

	if (text.n > TEXT_MAX || !span_starts(rest, SPAN("..")))
		return RC_BAD;
	j.signature = decoded(a, span_sub(rest, 2, rest.n));
	if (!span_empty(j.signature))
		rc = json_parse(a, decoded(a, j.head), &j.header);
	if (!arena_ok(a))
		return RC_FULL;
	if (rc != RC_OK || !json_str(j.header, "alg", &j.alg) ||
		!json_str(j.header, "kid", &j.kid) || span_empty(j.kid) ||
		!crit_holds(j.header, known))
		return RC_BAD;
	(void)json_str(j.header, "typ", &j.typ);
	*ret = j;
	return RC_OK;
}

void jws_text(struct buf *b, struct span head, struct span body)
{
	buf_add(b, head);
	buf_ch(b, '.');
	text_b64url(b, body);
}

/* ---- DER ----------------------------------------------------------------------------------- */

/* A positive INTEGER of at most 32 bytes at the front, written as 32; what follows it. False: there
 * is none, or it is not as short as can be. */
static bool integer(struct span *der, struct buf *ret)
{
	static const char zeros[HALF];
	size_t n = der->n >= 2 ? (uint8_t)der->p[1] : 0;
	struct span v = span_sub(*der, 2, n);

	if (n == 0 || v.n != n || der->p[0] != 0x02 || (v.p[0] & 0x80))
		return false;
	if (v.p[0] == 0 && n > 1) {
		if (!(v.p[1] & 0x80))
			return false;
		v = span_sub(v, 1, v.n);
	}
	if (v.n > HALF)
		return false;
	buf_add(ret, span_of(zeros, HALF - v.n));
	buf_add(ret, v);
	*der = span_sub(*der, 2 + n, der->n);
	return true;
}

enum rc jws_ecdsa_undo_der(struct span der, struct buf *ret)
{
	char storage[JWS_ES256_LEN];
	struct buf b = buf_init(storage, sizeof storage);
	struct span rest = span_sub(der, 2, der.n);

	if (der.n < 2 || der.p[0] != 0x30 || (uint8_t)der.p[1] != rest.n || rest.n > 127)
		return RC_BAD;
	if (!integer(&rest, &b) || !integer(&rest, &b) || !span_empty(rest))
		return RC_BAD;
	buf_add(ret, buf_span(&b));
	return RC_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void write_head(struct buf *b, struct span typ, struct span kid,
	const struct jws_claim *claims, size_t count)
{
	struct jw w = jw_init(b);

	jw_obj(&w, NULL);
	jw_str(&w, "typ", typ);
	jw_str(&w, "kid", kid);
	jw_str(&w, "alg", SPAN("ES256"));
	for (size_t i = 0; i < count; i++)
		jw_str(&w, claims[i].name, claims[i].value);
	if (count > 0) {
		jw_arr(&w, "crit");
		for (size_t i = 0; i < count; i++)
			jw_str(&w, NULL, span_str(claims[i].name));
		jw_end(&w, ']');
	}
	jw_end(&w, '}');
}

enum rc jws_sign_es256(const struct msgsig_keys *k, struct arena *a, struct span typ,
	struct span kid, const struct jws_claim *claims, size_t count, struct span body,
	struct buf *ret)
{
	struct buf json = arena_buf(a, 2048), text = arena_buf(a, 2800 + body.n / 3 * 4),
		   sig = arena_buf(a, 128);
	struct span head, key;

	for (int tries = 0; tries < 2; tries++) {
		buf_reset(&json);
		buf_reset(&text);
		buf_reset(&sig);
		write_head(&json, typ, kid, claims, count);
		text_b64url(&text, buf_span(&json));
		head = buf_span(&text);
		jws_text(&text, SPAN_NONE, body);
		if (!arena_ok(a) || !buf_ok(&json) || !buf_ok(&text))
			return RC_FULL;
		if (!k->sign(k->ctx, buf_span(&text), &sig, &key) || sig.n != JWS_ES256_LEN)
			return RC_AUTH;
		if (span_eq(key, kid)) {
			buf_add(ret, head);
			buf_str(ret, "..");
			text_b64url(ret, buf_span(&sig));
			return buf_ok(ret) ? RC_OK : RC_FULL;
		}
		kid = key;
	}
	return RC_AUTH; /* two keys took turns */
}
