/*
 * fake_person.c: by what the people of the Vipps MobilePay fake are known: phone numbers, the codes
 * in their apps, customer tokens; and the access tokens of the sales unit. The hard thing is to
 * keep none of it: a code holds its person, scrambled and with a checksum, so that made-up codes
 * are refused.
 */
#include "vippsfake.h"

#include "text.h"

#define SCRAMBLE UINT64_C(0x9e3779b97f4a7c15)

static bool read_phone(struct span digits, uint64_t *ret)
{
	uint64_t v = 0;

	if (digits.n < 10 || digits.n > 15 || !span_is_digits(digits) || digits.p[0] == '0')
		return false;
	for (size_t i = 0; i < digits.n; i++)
		v = v * 10 + (uint64_t)(digits.p[i] - '0');
	*ret = v;
	return true;
}

bool vf_is_phone(struct span text)
{
	uint64_t v;

	return read_phone(text, &v);
}

static uint64_t checksum(uint64_t v)
{
	return (v * SCRAMBLE) >> 48;
}

static void write_opaque(struct buf *b, struct span phone)
{
	uint64_t v = 0, scrambled, check;
	uint8_t bytes[10];

	if (!read_phone(phone, &v))
		return;
	scrambled = v ^ SCRAMBLE;
	check = checksum(v);
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(scrambled >> (56 - 8 * i));
	bytes[8] = (uint8_t)(check >> 8);
	bytes[9] = (uint8_t)check;
	buf_hex(b, span_of(bytes, sizeof bytes));
}

static bool read_opaque(struct span text, char ret_phone[16])
{
	uint8_t bytes[10];
	struct buf b = buf_init(bytes, sizeof bytes), phone = buf_init(ret_phone, 15);
	uint64_t v = 0, again;

	if (text.n != 20 || text_unhex(&b, text) != RC_OK)
		return false;
	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	v ^= SCRAMBLE;
	if (checksum(v) != (uint64_t)(bytes[8] << 8 | bytes[9]))
		return false;
	buf_u64(&phone, v);
	if (!buf_ok(&phone) || !read_phone(buf_span(&phone), &again))
		return false;
	ret_phone[phone.n] = '\0';
	return true;
}

/* SPEC vipps 2.14 [C:V-QR]: a personal code of version 2. */
void vf_write_qr(struct buf *b, struct span phone)
{
	buf_str(b, "https://qr.vipps.no/p/");
	write_opaque(b, phone);
}

/* SPEC vipps 2.14 [C:V-EP, C:V-QR]: personal codes of versions 1 and 2. */
bool vf_read_qr(struct span text, char ret_phone[16])
{
	struct span v1 = SPAN("https://qr.vipps.no/28/2/01/031/"),
		    v2 = SPAN("https://qr.vipps.no/p/");
	struct span rest;
	uint64_t v;

	if (span_istarts(text, v2))
		return read_opaque(span_sub(text, v2.n, text.n), ret_phone);
	if (!span_istarts(text, v1))
		return false;
	rest = span_sub(text, v1.n, text.n);
	rest = span_sub(rest, 0, span_find(rest, '?'));
	return read_phone(rest, &v) && span_to_cstr(rest, ret_phone, 16);
}

void vf_write_customer_token(struct buf *b, struct span phone)
{
	buf_str(b, "ct");
	write_opaque(b, phone);
}

bool vf_read_customer_token(struct span text, char ret_phone[16])
{
	return span_starts(text, SPAN("ct")) && read_opaque(span_sub(text, 2, text.n), ret_phone);
}

/* ---- access tokens ------------------------------------------------------------------------- */

#define TOKEN_MAX 2048

static void write_mac(const struct vippsfake *f, struct buf *b, struct span signed_part)
{
	struct digest mac = digest_hmac_sha256(
		span_of(f->token_key, sizeof f->token_key), signed_part);

	text_b64url(b, digest_span(&mac));
}

/* SPEC vipps 2.2 [C:V-AT]: a JWT of a thousand characters and more. */
void vf_write_access_token(
	const struct vippsfake *f, const struct sandbox_host *h, struct buf *b, int64_t expires_s)
{
	char storage[TOKEN_MAX];
	struct buf claims = buf_init(storage, sizeof storage);
	struct jw w = jw_init(&claims);
	struct span signed_part;
	size_t start = b->n;

	jw_obj(&w, NULL);
	jw_str(&w, "aud", SPAN("00000002-0000-0000-c000-000000000000"));
	jw_str(&w, "appid", h->setting(h->ctx, "client_id"));
	jw_int(&w, "exp", expires_s);
	jw_int(&w, "iat", h->now.us / 1000000);
	jw_arr(&w, "roles"); /* real ones are long as well */
	while (claims.n < 800)
		jw_str(&w, NULL, SPAN("payments.read-and-write"));
	jw_end(&w, ']');
	jw_end(&w, '}');
	text_b64url(b, SPAN("{\"typ\":\"JWT\",\"alg\":\"HS256\"}"));
	buf_ch(b, '.');
	text_b64url(b, buf_span(&claims));
	if (!buf_ok(b))
		return;
	signed_part = span_of(b->p + start, b->n - start);
	buf_ch(b, '.');
	write_mac(f, b, signed_part);
}

bool vf_access_token_holds(
	const struct vippsfake *f, const struct sandbox_host *h, struct span token)
{
	char mac_storage[64], storage[TOKEN_MAX];
	struct buf mac = buf_init(mac_storage, sizeof mac_storage),
		   claims = buf_init(storage, sizeof storage);
	size_t first = span_find(token, '.'), second = token.n;
	int64_t exp;

	while (second > 0 && token.p[second - 1] != '.')
		second--;
	if (first == token.n || second < first + 2)
		return false;
	write_mac(f, &mac, span_sub(token, 0, second - 1));
	if (!span_eq(buf_span(&mac), span_sub(token, second, token.n)))
		return false;
	return text_unb64_lenient(&claims, span_sub(token, first + 1, second - 2 - first)) ==
		       RC_OK &&
	       json_int(json_parse_object(h->arena, buf_span(&claims)), "exp", &exp) &&
	       h->now.us / 1000000 < exp;
}
