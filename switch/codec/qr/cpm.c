/*
 * cpm.c: the EMVCo consumer-presented code: base64 of BER-TLV with an account number and a
 * cryptogram.
 *
 * The one hard thing: a common template 62 speaks for every application 61, so an object of the
 * chosen application and of 62 may not both state the same, and the account number may come from 5A
 * or from track 2 but must be one. Must never print the payload whole: it can pay.
 */
#include "scan.h"

#include "ascii.h"
#include "utf8.h"

#define OBJECTS_MAX 64
#define APPS_MAX    9

struct ber {
	uint32_t tag;
	struct span tag_bytes, value;
};

struct template
{
	size_t count;
	struct ber obj[OBJECTS_MAX];
};

struct cpm {
	struct template root;
	size_t app_count;
	struct template app[APPS_MAX];
	bool usable[APPS_MAX];
	bool has_common;
	struct template common;
	const struct template *chosen; /* the first usable application */
};

enum kind { TEXT, BCD, BIN };

/* QRCPS-CPM 1.0: the primitive objects of 61 and 62, their sizes in bytes, and under which name the
 * value is given besides: as text, or in hexadecimal where it is none. */
static const struct {
	uint32_t tag;
	enum kind kind;
	size_t min, max;
	const char *derived;
} apps[] = {
	{ 0x4f, BIN, 5, 16, NULL }, /* identifier of the application */
	{ 0x50, TEXT, 1, 16, "_label" },
	{ 0x57, BIN, 1, 19, NULL }, /* track 2 */
	{ 0x5a, BIN, 1, 10, NULL }, /* account number */
	{ 0x5f20, TEXT, 2, 26, "_cardholder" },
	{ 0x5f2d, TEXT, 2, 8, "_lang" },
	{ 0x5f50, TEXT, 1, 512, "_issuer_url" },
	{ 0x9f08, BIN, 2, 2, "_app_version" },
	{ 0x9f19, BCD, 6, 6, "_trid" },   /* token requestor */
	{ 0x9f24, TEXT, 29, 29, "_par" }, /* payment account reference */
	{ 0x9f25, BCD, 2, 2, "_last4" },
};

/* What the switch reads of the transparent data: routing and replay need it. */
static const struct {
	uint32_t tag;
	const char *derived;
} cryptos[] = { { 0x9f10, "_iad" }, { 0x9f26, "_arqc" }, { 0x9f36, "_atc" }, { 0x9f37, "_un" } };

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* A tag of one byte, or up to four where the low five bits of the first are all ones. */
static bool take_tag(struct span *rest, struct ber *ret)
{
	size_t n = 1;

	if ((rest->p[0] & 0x1f) == 0x1f) {
		do {
			if (n == 4 || n == rest->n)
				return false;
		} while (rest->p[n++] & 0x80);
	}
	ret->tag_bytes = span_sub(*rest, 0, n);
	ret->tag = 0;
	for (size_t i = 0; i < n; i++)
		ret->tag = ret->tag << 8 | (unsigned char)rest->p[i];
	*rest = span_sub(*rest, n, rest->n);
	return true;
}

/* Short form, or 81 and 82; never indefinite. */
static bool take_length(struct span *rest, size_t *ret)
{
	if (rest->n == 0)
		return false;
	size_t first = (unsigned char)rest->p[0], more = first < 0x80 ? 0 : first - 0x80;
	size_t length = first < 0x80 ? first : 0;

	if ((first >= 0x80 && (more < 1 || more > 2)) || rest->n < 1 + more)
		return false;
	for (size_t i = 1; i <= more; i++)
		length = length << 8 | (unsigned char)rest->p[i];
	*rest = span_sub(*rest, 1 + more, rest->n);
	*ret = length;
	return true;
}

/* 00 and FF between objects are padding. */
static bool take_ber(struct span *rest, struct ber *ret, bool *ret_end)
{
	size_t length;

	while (rest->n > 0 && (rest->p[0] == 0 || rest->p[0] == '\xff'))
		*rest = span_sub(*rest, 1, rest->n);
	*ret_end = rest->n == 0;
	if (*ret_end)
		return true;
	if (!take_tag(rest, ret) || !take_length(rest, &length) || length > rest->n)
		return false;
	ret->value = span_sub(*rest, 0, length);
	*rest = span_sub(*rest, length, rest->n);
	return true;
}

static bool split(struct span bytes, struct template *ret)
{
	bool end = false;

	ret->count = 0;
	while (ret->count < OBJECTS_MAX && take_ber(&bytes, &ret->obj[ret->count], &end)) {
		if (end)
			return true;
		ret->count++;
	}
	ret->count = 0;
	return false;
}

static const struct ber *find(const struct template *t, uint32_t tag)
{
	for (size_t i = 0; t && i < t->count; i++) {
		if (t->obj[i].tag == tag)
			return &t->obj[i];
	}
	return NULL;
}

static int digit_of(char ch)
{
	if (ascii_letter(ch))
		return ascii_upper(ch) ? ch - 'A' : ch - 'a' + 26;
	if (ascii_digit(ch))
		return ch - '0' + 52;
	return ch == '+' || ch == '-' ? 62 : ch == '/' || ch == '_' ? 63 : -1;
}

/* Our own reader, since each lapse has a name: folded, URL alphabet, padding left out. */
static bool decode(struct scan *s, struct span text, struct span *ret)
{
	char *p = arena_alloc(s->arena, text.n);
	size_t digits = 0, pads = 0, n = 0;
	uint32_t bits = 0;
	bool folded = false, url = false;

	if (!p)
		return scan_fail(s, QR_E_SIZE);
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];
		int v = digit_of(ch);

		if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n') {
			folded = true;
			continue;
		}
		url |= ch == '-' || ch == '_';
		pads += ch == '=';
		if ((v < 0 && ch != '=') || (v >= 0 && pads > 0))
			return scan_fail(s, QR_E_B64);
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		digits++;
		if (digits % 4 != 1)
			p[n++] = (char)(bits >> (digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0));
	}
	size_t wanted = (4 - digits % 4) % 4;

	if (wanted == 3 || pads > wanted)
		return scan_fail(s, QR_E_B64);
	if (folded)
		scan_warn(s, QR_W_B64_FOLDED);
	if (url)
		scan_warn(s, QR_W_B64_URL);
	if (pads < wanted)
		scan_warn(s, QR_W_B64_PAD);
	if (digits + pads > 512)
		scan_warn(s, QR_W_SIZE);
	*ret = span_of(p, n);
	return true;
}

static bool has_twice(const struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (find(t, t->obj[i].tag) != &t->obj[i])
			return true;
	}
	return false;
}

static bool open_templates(struct scan *s, struct span bytes, struct cpm *c)
{
	bool good = split(bytes, &c->root);

	c->app_count = 0;
	c->has_common = false;
	for (size_t i = 0; good && i < c->root.count; i++) {
		const struct ber *o = &c->root.obj[i];

		if (o->tag == 0x61) {
			good = c->app_count < APPS_MAX && split(o->value, &c->app[c->app_count]);
			c->app_count++;
		} else if (o->tag == 0x62 && !c->has_common) {
			c->has_common = true;
			good = split(o->value, &c->common);
		}
	}
	return good || scan_fail(s, QR_E_TLV);
}

static bool check_structure(struct scan *s, const struct cpm *c)
{
	const struct ber *first = &c->root.obj[0];

	if (!span_eq(first->value, SPAN("CPV01")))
		return scan_fail(s, QR_E_PFI_VALUE);
	for (size_t i = 0; i < c->root.count; i++) {
		const struct ber *o = &c->root.obj[i];

		if (o->tag != 0x61 && find(&c->root, o->tag) != o)
			return scan_fail(s, QR_E_DUP);
	}
	for (size_t i = 0; i < c->app_count; i++) {
		if (has_twice(&c->app[i]))
			return scan_fail(s, QR_E_DUP);
	}
	if (c->has_common && has_twice(&c->common))
		return scan_fail(s, QR_E_DUP);
	if (c->app_count == 0)
		return scan_fail(s, QR_E_NO_APP);
	if (c->app_count > 2)
		scan_warn(s, QR_W_APPS);
	return true;
}

static bool choose_app(struct scan *s, struct cpm *c)
{
	c->chosen = NULL;
	for (size_t i = 0; i < c->app_count; i++) {
		const struct ber *aid = find(&c->app[i], 0x4f);

		c->usable[i] = aid && aid->value.n >= 5 && aid->value.n <= 16;
		if (!c->usable[i])
			scan_warn(s, QR_W_APP_SKIPPED);
		else if (!c->chosen)
			c->chosen = &c->app[i];
	}
	if (!c->chosen)
		return scan_fail(s, QR_E_NO_AID);
	/* Both would speak for the chosen application; templates (63, 64) differ by tag anyway. */
	for (size_t i = 0; c->has_common && i < c->common.count; i++) {
		if (find(c->chosen, c->common.obj[i].tag))
			return scan_fail(s, QR_E_DUP);
	}
	return true;
}

static void judge_order(struct scan *s, const struct cpm *c)
{
	bool other = false;

	for (size_t i = 1; i < c->root.count; i++) {
		uint32_t tag = c->root.obj[i].tag;

		if ((tag == 0x61 || tag == 0x62) && other)
			scan_warn(s, QR_W_ORDER);
		other |= tag != 0x61 && tag != 0x62;
	}
	if (c->has_common && c->app_count == 1)
		scan_warn(s, QR_W_COMMON_SINGLE);
}

static struct span hex_of(struct scan *s, struct span bytes)
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = arena_alloc(s->arena, bytes.n * 2);

	for (size_t i = 0; p && i < bytes.n; i++) {
		p[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		p[2 * i + 1] = digits[bytes.p[i] & 15];
	}
	return p ? span_of(p, bytes.n * 2) : SPAN("");
}

static void judge_object(struct scan *s, const struct ber *o)
{
	for (size_t i = 0; i < COUNT(apps); i++) {
		if (apps[i].tag != o->tag)
			continue;
		if (o->value.n < apps[i].min || o->value.n > apps[i].max)
			scan_warn(s, QR_W_FIELD_LEN);
		if ((apps[i].kind == TEXT && !ascii_all(o->value, ascii_printable)) ||
			(apps[i].kind == BCD && !span_is_digits(hex_of(s, o->value))))
			scan_warn(s, QR_W_CHARSET);
	}
	if (o->tag == 0x63 || o->tag == 0x64) {
		struct template inner;

		if (!split(o->value, &inner))
			scan_warn(s, QR_W_TRANSPARENT);
	}
}

/* Digits, then any padding F. */
static bool read_pan(struct span hex, struct span *ret)
{
	while (hex.n > 0 && hex.p[hex.n - 1] == 'F')
		hex.n--;
	*ret = hex;
	return span_is_digits(hex);
}

/* Number D YYMM service-code discretionary, and one F where the digits are odd. */
static bool read_track2(struct span hex, struct span *ret_pan, struct span *ret_expiry)
{
	size_t at = span_find(hex, 'D');
	struct span rest = span_sub(hex, at + 1, hex.n);

	if (at == hex.n)
		return false;
	if (span_ends(rest, SPAN("F")))
		rest.n--;
	if (rest.n < 7 || !span_is_digits(rest))
		return false;
	*ret_pan = span_sub(hex, 0, at);
	*ret_expiry = span_sub(rest, 0, 4);
	return true;
}

static const struct ber *object(const struct cpm *c, uint32_t tag)
{
	const struct ber *o = find(c->chosen, tag);

	return o ? o : c->has_common ? find(&c->common, tag) : NULL;
}

static bool check_pan(struct scan *s, const struct cpm *c)
{
	const struct ber *plain = object(c, 0x5a), *track2 = object(c, 0x57);
	struct span pan = SPAN(""), other = SPAN(""), expiry = SPAN("");

	if (!plain && !track2)
		return scan_fail(s, QR_E_NO_PAN);
	if (plain && !read_pan(hex_of(s, plain->value), &pan))
		return scan_fail(s, QR_E_PAN);
	if (track2 && !read_track2(hex_of(s, track2->value), &other, &expiry))
		return scan_fail(s, QR_E_TRACK2);
	if (track2 && (!span_is_digits(other) || (plain && !span_eq(pan, other))))
		return scan_fail(s, QR_E_PAN);
	scan_put(s, SPAN("_pan"), plain ? pan : other);
	if (track2)
		scan_put(s, SPAN("_expiry"), expiry);
	return true;
}

static void put_template(struct scan *s, const char *name, const struct template *t)
{
	struct span head = scan_join(s, span_str(name), SPAN("."));

	for (size_t i = 0; i < t->count; i++)
		scan_put(s, scan_join(s, head, hex_of(s, t->obj[i].tag_bytes)),
			hex_of(s, t->obj[i].value));
}

static void put_aids(struct scan *s, const struct cpm *c)
{
	struct span aids = SPAN("");

	for (size_t i = 0; i < c->app_count; i++) {
		if (!c->usable[i])
			continue;
		if (aids.n > 0)
			aids = scan_join(s, aids, SPAN(","));
		aids = scan_join(s, aids, hex_of(s, find(&c->app[i], 0x4f)->value));
	}
	scan_put(s, SPAN("_aids"), aids);
}

/* The cryptogram is in the chosen application's 63, else in the common 64. */
static void put_derived(struct scan *s, const struct cpm *c)
{
	const struct ber *transparent = object(c, 0x63) ? object(c, 0x63) : object(c, 0x64);
	struct template crypto = { 0 };

	put_aids(s, c);
	for (size_t i = 0; i < COUNT(apps); i++) {
		const struct ber *o = object(c, apps[i].tag);

		if (!o || !apps[i].derived)
			continue;
		/* What cannot be shown is left to the field in hexadecimal. */
		if (apps[i].kind == TEXT && span_is_utf8(o->value) &&
			!utf8_has_control(o->value, false))
			scan_put(s, span_str(apps[i].derived), o->value);
		else if (apps[i].kind != TEXT)
			scan_put(s, span_str(apps[i].derived), hex_of(s, o->value));
	}
	if (!object(c, 0x9f08))
		scan_put(s, SPAN("_app_version"), SPAN("0010"));
	if (!transparent || !split(transparent->value, &crypto))
		return;
	for (size_t i = 0; i < COUNT(cryptos); i++) {
		const struct ber *o = find(&crypto, cryptos[i].tag);

		if (o)
			scan_put(s, span_str(cryptos[i].derived), hex_of(s, o->value));
	}
}

static void put_fields(struct scan *s, const struct cpm *c)
{
	scan_put(s, SPAN("85"), c->root.obj[0].value);
	for (size_t i = 1; i < c->root.count; i++) {
		const struct ber *o = &c->root.obj[i];

		if (o->tag != 0x61 && o->tag != 0x62)
			scan_put(s, hex_of(s, o->tag_bytes), hex_of(s, o->value));
	}
	for (size_t i = 0; i < c->app_count; i++) {
		char name[] = "61#1";

		name[3] = (char)('1' + i);
		put_template(s, name, &c->app[i]);
	}
	if (c->has_common)
		put_template(s, "62", &c->common);
	put_derived(s, c);
}

void cpm_read(struct scan *s, struct span text)
{
	struct cpm c;
	struct span bytes;

	s->q->format = QR_EMV_CPM;
	if (text.n > SCAN_CPM_MAX) {
		scan_fail(s, QR_E_SIZE);
		return;
	}
	if (!decode(s, text, &bytes) || !open_templates(s, bytes, &c) || !check_structure(s, &c) ||
		!choose_app(s, &c))
		return;
	judge_order(s, &c);
	for (size_t i = 0; i < c.app_count; i++) {
		for (size_t k = 0; c.usable[i] && k < c.app[i].count; k++)
			judge_object(s, &c.app[i].obj[k]);
	}
	for (size_t k = 0; c.has_common && k < c.common.count; k++)
		judge_object(s, &c.common.obj[k]);
	if (check_pan(s, &c))
		put_fields(s, &c);
}
