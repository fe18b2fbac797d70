/*
 * image.c: the picture of a code, for tills that ask for one instead of the text. Its address holds
 * all that is drawn and a MAC over it, so nothing is kept, and we draw what we wrote and no more.
 *
 * The hard thing is that whoever has the address may fetch it, as with Vipps' own: it must tell no
 * more than the code on the till's screen does. Must never draw a text that somebody else chose.
 */
#include "vippstill.h"

#include "check.h"
#include "digest.h"
#include "qr.h"
#include "text.h"

#define SIZE_DEFAULT 1024 /* SPEC vipps 2.5 [C:V-EP]: pixels of a PNG, 100 to 2000 */
#define TOKEN_MAX    2048

struct picture {
	bool png;
	int64_t pixels;
	struct span code; /* base64url */
};

/* "svg.CODE.MAC" or "png1024.CODE.MAC": *ret_signed is what the MAC is over. */
static bool split(
	struct span token, struct picture *ret, struct span *ret_signed, struct span *ret_mac)
{
	size_t first = span_find(token, '.'), last;
	struct span form = span_sub(token, 0, first);

	for (last = token.n; last > 0 && token.p[last - 1] != '.';)
		last--;
	if (first == token.n || last < first + 2 || token.n > TOKEN_MAX)
		return false;
	*ret_signed = span_sub(token, 0, last - 1);
	*ret_mac = span_sub(token, last, token.n);
	ret->code = span_sub(token, first + 1, last - first - 2);
	ret->png = span_starts(form, SPAN("png"));
	ret->pixels = 0;
	return ret->png ? span_to_i64(span_sub(form, 3, form.n), &ret->pixels) == RC_OK
			: span_eq(form, SPAN("svg"));
}

static bool write_mac(const struct adapter_env *env, struct span is_signed, struct buf *b)
{
	uint8_t mac[32];
	struct buf text = arena_buf(env->arena, is_signed.n + sizeof "picture:");

	buf_str(&text, "picture:"); /* no access token is signed so */
	buf_add(&text, is_signed);
	if (!buf_ok(&text) || !env->signer ||
		!env->signer->mac(env->signer->ctx, "token", buf_span(&text), mac))
		return false;
	text_b64url(b, span_of(mac, sizeof mac));
	return buf_ok(b);
}

struct fault till_read_image(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c)
{
	static const struct fault none = { RC_BAD, REASON_NOT_FOUND, "", "" };
	char storage[48];
	struct buf mac = buf_init(storage, sizeof storage), code = arena_buf(env->arena, TOKEN_MAX);
	struct span is_signed, theirs;
	struct picture p;

	if (!split(rq->arg[1], &p, &is_signed, &theirs) || !write_mac(env, is_signed, &mac) ||
		theirs.n != mac.n || !digest_same(theirs.p, mac.p, mac.n) ||
		text_unb64_lenient(&code, p.code) != RC_OK)
		return none;
	c->code = canonical_code(env->arena, buf_span(&code));
	return NO_FAULT;
}

void till_write_image(const struct request *rq, const Xw__Canonical *c, struct http_out *out)
{
	struct span is_signed, mac;
	struct picture p;
	enum rc rc;

	CHECK(split(rq->arg[1], &p, &is_signed, &mac) && c->code);
	rc = p.png ? qr_draw_png(span_str(c->code->text), (int)p.pixels, &out->body)
		   : qr_draw_svg(span_str(c->code->text), &out->body);
	CHECK(rc == RC_OK); /* create.c has looked at the size; all codes of ours fit */
	out->status = 200;
}

struct span till_image_type(const struct request *rq)
{
	return span_starts(rq->arg[1], SPAN("png")) ? SPAN("image/png") : SPAN("image/svg+xml");
}

/* SPEC vipps 2.5 [C:V-EP]: qrFormat of a create; an SVG where nothing is said. */
struct span till_image_format(const struct adapter_env *env, const struct json *qr_format)
{
	struct span format = SPAN("IMAGE/SVG+XML");
	int64_t pixels = SIZE_DEFAULT;
	struct buf b = arena_buf(env->arena, 16);

	(void)(qr_format && json_str(qr_format, "format", &format));
	if (span_eq(format, SPAN("TEXT/TARGETURL")))
		return SPAN_NONE;
	if (!span_eq(format, SPAN("IMAGE/PNG")))
		return SPAN("svg");
	(void)json_int(qr_format, "size", &pixels);
	buf_str(&b, "png");
	buf_i64(&b, pixels);
	return buf_span(&b);
}

struct span till_image_address(const struct adapter_env *env, struct span code, struct span format)
{
	struct span id = adapter_setting(env, "client_id");
	size_t room = env->origin.n + id.n + code.n * 4 / 3 + 128;
	struct buf b = arena_buf(env->arena, room);
	size_t from;
	char storage[48];
	struct buf mac = buf_init(storage, sizeof storage);

	buf_add(&b, env->origin);
	buf_str(&b, "/qr-image/");
	buf_add(&b, id);
	buf_ch(&b, '/');
	from = b.n;
	buf_add(&b, format);
	buf_ch(&b, '.');
	text_b64url(&b, code);
	if (!buf_ok(&b) || !write_mac(env, span_sub(buf_span(&b), from, b.n), &mac))
		return SPAN_NONE;
	buf_ch(&b, '.');
	buf_add(&b, buf_span(&mac));
	return buf_ok(&b) ? buf_span(&b) : SPAN_NONE;
}
