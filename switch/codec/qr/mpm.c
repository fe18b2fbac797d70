/*
 * mpm.c: takes an EMVCo merchant code apart: text, checksum, objects, templates, fields.
 *
 * The one hard thing is what a length counts. The standard says characters; the root is tried in
 * characters, then bytes, then UTF-16 units, and whatever fits the whole root is used inside the
 * templates too. Recursion is bounded by rule (root, template, 62.50 to 62.99), never by whether a
 * value looks like objects. Must never read past a parent's end.
 */
#include "mpm.h"

#include "check.h"

static const char ids[] = "00010203040506070809101112131415161718192021222324"
			  "25262728293031323334353637383940414243444546474849"
			  "50515253545556575859606162636465666768697071727374"
			  "75767778798081828384858687888990919293949596979899";

struct span mpm_id_text(int id)
{
	PRE(id >= 0 && id < 100);
	return span_of(ids + 2 * id, 2);
}

bool mpm_is_template(int id)
{
	return (id >= 26 && id <= 51) || id == 62 || id == 64 || id >= 80;
}

uint16_t mpm_crc(struct span bytes)
{
	static const uint16_t nibble[16] = { 0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6,
		0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef };
	unsigned crc = 0xffff;

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned byte = (unsigned char)bytes.p[i];

		crc = (crc << 4 & 0xffff) ^ nibble[crc >> 12 ^ byte >> 4];
		crc = (crc << 4 & 0xffff) ^ nibble[crc >> 12 ^ (byte & 15)];
	}
	return (uint16_t)crc;
}

/* Two ASCII digits, or -1. Never a library's number reader: they take "-4" and " 7". */
static int two_digits(struct span s, size_t at)
{
	if (!span_is_digits(span_sub(s, at, 2)) || s.n < at + 2)
		return -1;
	return (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
}

bool mpm_split(struct span text, enum utf8_unit unit, struct mpm_obj *ret, size_t max,
	size_t *ret_count, enum qr_finding *ret_why)
{
	size_t count = 0;

	while (text.n > 0) {
		int id = two_digits(text, 0), length = two_digits(text, 2);
		size_t bytes;

		if (id < 0 || length < 0) {
			*ret_why = id < 0 ? QR_E_ID : QR_E_LEN;
			return false;
		}
		text = span_sub(text, 4, text.n);
		if (!utf8_prefix(text, (size_t)length, unit, &bytes)) {
			*ret_why = QR_E_TRUNC;
			return false;
		}
		CHECK(count < max);
		ret[count++] = (struct mpm_obj){ .id = id, .value = span_sub(text, 0, bytes) };
		text = span_sub(text, bytes, text.n);
	}
	*ret_count = count;
	return true;
}

const struct mpm_obj *mpm_sub(const struct mpm_obj *template, int id)
{
	for (size_t i = 0; i < template->sub_count; i++) {
		if (template->sub[i].id == id)
			return template->sub[i].value.n ? &template->sub[i] : NULL;
	}
	return NULL;
}

static bool check_text(struct scan *s, struct span text)
{
	if (!span_is_utf8(text))
		return scan_fail(s, QR_E_UTF8);
	if (utf8_has_control(text, false))
		return scan_fail(s, QR_E_CTRL);
	if (text.n > SCAN_MPM_MAX)
		return scan_fail(s, QR_E_SIZE);
	if (span_utf8_count(text) > 512)
		scan_warn(s, QR_W_SIZE);
	return true;
}

/* The value of four hexadecimal digits; false for any other text. */
static bool read_hex4(struct span digits, unsigned *ret_value, bool *ret_lower)
{
	unsigned value = 0;
	bool lower = false;

	for (size_t i = 0; i < digits.n; i++) {
		char ch = digits.p[i];

		if (ch >= 'a' && ch <= 'f')
			lower = true;
		else if (!((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'F')))
			return false;
		value = value << 4 | (unsigned)(ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
	}
	*ret_value = value;
	*ret_lower = lower;
	return digits.n == 4;
}

/* Only the tail counts: names and account numbers can hold "6304" too. */
static bool check_crc(struct scan *s, struct span text)
{
	size_t at = text.n;
	unsigned stated;
	bool lower;

	for (int i = 0; i < 4 && at > 0; i++) {
		do
			at--;
		while (at > 0 && ((unsigned char)text.p[at] & 0xc0) == 0x80);
	}
	if (!span_ends(span_sub(text, 0, at), SPAN("6304")))
		return scan_fail(s, span_find_span(text, SPAN("6304")) == text.n ? QR_E_CRC_MISSING
										 : QR_E_CRC_POS);
	if (!read_hex4(span_sub(text, at, 4), &stated, &lower) || text.n - at != 4)
		return scan_fail(s, QR_E_CRC_FORMAT);
	if (stated != mpm_crc(span_sub(text, 0, at)))
		return scan_fail(s, QR_E_CRC);
	if (lower)
		scan_warn(s, QR_W_CRC_LOWER);
	return true;
}

static bool split_root(
	struct span text, enum utf8_unit unit, struct mpm *m, enum qr_finding *ret_why)
{
	if (!mpm_split(text, unit, m->obj, MPM_ROOT_MAX, &m->count, ret_why))
		return false;
	if (m->obj[m->count - 1].id != 63 || m->obj[m->count - 1].value.n != 4) {
		*ret_why = QR_E_CRC_POS;
		return false;
	}
	m->unit = unit;
	return true;
}

static bool find_root(struct scan *s, struct span text, struct mpm *m)
{
	enum qr_finding why, other;

	if (split_root(text, UTF8_CHARS, m, &why))
		return true;
	if (utf8_is_ascii(text))
		return scan_fail(s, why);
	if (split_root(text, UTF8_BYTES, m, &other))
		scan_warn(s, QR_W_LEN_BYTES);
	else if (utf8_has_astral(text) && split_root(text, UTF8_UTF16, m, &other))
		scan_warn(s, QR_W_LEN_UTF16);
	else
		return scan_fail(s, why);
	return true;
}

static bool has_twice(const struct mpm_obj *obj, size_t count)
{
	bool seen[100] = { false };

	for (size_t i = 0; i < count; i++) {
		if (seen[obj[i].id])
			return true;
		seen[obj[i].id] = true;
	}
	return false;
}

static bool check_root(struct scan *s, struct mpm *m)
{
	if (has_twice(m->obj, m->count))
		return scan_fail(s, QR_E_DUP);
	if (span_eq(m->obj[0].value, SPAN("02")))
		scan_warn(s, QR_W_PFI_02);
	memset(m->by_id, 0, sizeof m->by_id);
	for (size_t i = 0; i < m->count; i++) {
		const struct mpm_obj *o = &m->obj[i];

		if (o->value.n > 0) {
			m->by_id[o->id] = o;
			continue;
		}
		if ((o->id >= 2 && o->id <= 51) || o->id == 53 || o->id == 54 || o->id == 58)
			return scan_fail(s, QR_E_LEN_ZERO);
		scan_warn(s, QR_W_LEN_ZERO);
	}
	return true;
}

/* `depth` 1 for the root's templates, 2 for those inside 62; there is no third. */
static bool open_template(struct scan *s, enum utf8_unit unit, struct mpm_obj *o, int depth)
{
	struct mpm_obj sub[MPM_SUB_MAX];
	size_t count;
	enum qr_finding why;

	if (!mpm_split(o->value, unit, sub, MPM_SUB_MAX, &count, &why)) {
		scan_warn(s, QR_W_TMPL_OPAQUE);
		return true;
	}
	if (has_twice(sub, count))
		return scan_fail(s, QR_E_DUP_SUB);
	o->sub = arena_alloc(s->arena, count * sizeof *sub);
	if (!o->sub)
		return scan_fail(s, QR_E_SIZE);
	memcpy(o->sub, sub, count * sizeof *sub);
	o->sub_count = count;
	o->split = true;
	for (size_t i = 0; i < count; i++) {
		if (sub[i].value.n == 0)
			scan_warn(s, QR_W_LEN_ZERO);
		else if (depth == 1 && o->id == 62 && sub[i].id >= 50 &&
			 !open_template(s, unit, &o->sub[i], 2))
			return false;
	}
	return true;
}

bool mpm_take_apart(struct scan *s, struct span text, struct mpm *ret)
{
	if (!check_text(s, text) || !check_crc(s, text) || !find_root(s, text, ret) ||
		!check_root(s, ret))
		return false;
	for (size_t i = 0; i < ret->count; i++) {
		struct mpm_obj *o = &ret->obj[i];

		if (mpm_is_template(o->id) && o->value.n > 0 && !open_template(s, ret->unit, o, 1))
			return false;
	}
	return true;
}

static void put_fields(struct scan *s, struct span key, const struct mpm_obj *o)
{
	if (!o->split) {
		scan_put(s, key, o->value);
		return;
	}
	struct span dotted = scan_join(s, key, SPAN("."));

	for (size_t i = 0; i < o->sub_count; i++)
		put_fields(s, scan_join(s, dotted, mpm_id_text(o->sub[i].id)), &o->sub[i]);
}

void mpm_read(struct scan *s, struct span text)
{
	struct mpm m;

	s->q->format = QR_EMV_MPM;
	if (!mpm_take_apart(s, text, &m) || !mpm_judge(s, &m))
		return;
	for (size_t i = 0; i < m.count; i++)
		put_fields(s, mpm_id_text(m.obj[i].id), &m.obj[i]);
}
