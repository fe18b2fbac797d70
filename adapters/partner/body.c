/*
 * body.c: reads the members of a JSON body under rules, and says of the first one that breaks a
 * rule where it stands, so that the sender finds it without reading our source.
 *
 * The hard thing is that lengths have two meanings: the contract counts characters, our records
 * count bytes; both are checked here, once. Must never let a real number become money: amounts are
 * strings of digits.
 */
#include "partner.h"

#include "check.h"
#include "money.h"
#include "text.h"

#define POINTER_MAX 128
#define CODE_BYTES  512

struct body body_init(struct arena *a, bool strict)
{
	struct body b = { .arena = a, .strict = strict };

	b.pointer = buf_init(arena_alloc(a, POINTER_MAX + 1), POINTER_MAX);
	return b;
}

bool body_ok(const struct body *b)
{
	return !b->detail && arena_ok(b->arena);
}

enum rc body_parse(struct body *b, struct span text)
{
	enum rc rc = json_parse(b->arena, text, &b->root);

	if (rc != RC_OK)
		return rc;
	return json_is_object(b->root) ? RC_OK : RC_BAD;
}

/* RFC 6901: "~" and "/" are escaped in a name, and all of it as a URI fragment. */
static void pointer_name(struct buf *b, const char *name)
{
	for (; *name; name++) {
		if (*name == '~' || *name == '/')
			buf_str(b, *name == '~' ? "~0" : "~1");
		else
			text_percent(b, span_of(name, 1));
	}
}

void body_fault(struct body *b, const char *detail, const char *at, const char *name)
{
	if (b->detail || !b->pointer.p)
		return;
	b->detail = detail;
	buf_str(&b->pointer, "#");
	buf_str(&b->pointer, at);
	buf_ch(&b->pointer, '/');
	pointer_name(&b->pointer, name);
	if (!buf_ok(&b->pointer)) { /* a very long name: point at what holds it */
		b->pointer = buf_init(b->pointer.p, POINTER_MAX);
		buf_str(&b->pointer, "#");
		buf_str(&b->pointer, at);
	}
	b->pointer.p[b->pointer.n] = '\0';
}

void body_only(struct body *b, const struct json *object, const char *at, const char *const *known)
{
	const char *unknown = b->strict && object ? json_unknown(object, known) : NULL;

	if (unknown)
		body_fault(b, "this member is not known here", at, unknown);
}

const struct json *body_object(struct body *b, const struct json *from, const char *at,
	const char *name, enum presence presence, const char *const *known)
{
	const struct json *v = json_get(from, name);
	char inner[POINTER_MAX];
	struct buf path = buf_init(inner, sizeof inner - 1);

	if (!v) {
		if (presence == REQUIRED)
			body_fault(b, "this member is required", at, name);
		return NULL;
	}
	if (!json_is_object(v)) {
		body_fault(b, "this must be an object", at, name);
		return NULL;
	}
	buf_str(&path, at);
	buf_ch(&path, '/');
	buf_str(&path, name);
	CHECK(buf_ok(&path)); /* both are constants of ours */
	inner[path.n] = '\0';
	body_only(b, v, inner, known);
	return v;
}

static bool char_fits(unsigned char c, enum chars chars)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

	switch (chars) {
	case CHARS_TEXT:
		return c >= 0x20 && c != 0x7f;
	case CHARS_CODE:
		return true;
	case CHARS_ID:
		return alnum || c == '.' || c == '_' || c == ':' || c == '-';
	case CHARS_VISIBLE:
		return c > 0x20 && c < 0x7f;
	case CHARS_DIGITS:
		return c >= '0' && c <= '9';
	case CHARS_UPPER:
		return c >= 'A' && c <= 'Z';
	}
	CHECK_UNREACHABLE();
}

static const char *text_fault(struct span s, struct text_rule rule)
{
	/* Our records have room for twice as many bytes as characters. */
	size_t bytes_max = rule.chars == CHARS_CODE ? CODE_BYTES : 2u * rule.max;
	size_t characters = span_utf8_count(s);

	for (size_t i = 0; i < s.n; i++)
		if (!char_fits((unsigned char)s.p[i], rule.chars))
			return "this holds a character that is not allowed here";
	if (characters < rule.min)
		return "this is too short";
	return characters > rule.max || s.n > bytes_max ? "this is too long" : NULL;
}

char *body_text(struct body *b, const struct json *from, const char *at, struct text_rule rule,
	enum presence presence)
{
	const struct json *v = json_get(from, rule.name);
	const char *fault = "this must be a string";
	struct span s = SPAN_NONE;

	if (!v)
		fault = presence == REQUIRED ? "this member is required" : NULL;
	else if (json_str(v, "", &s))
		fault = text_fault(s, rule);
	if (fault)
		body_fault(b, fault, at, rule.name);
	return canonical_str(b->arena, fault ? SPAN_NONE : s);
}

char *body_words(struct body *b, const struct json *from, const char *name, size_t bytes)
{
	struct span s = SPAN_NONE;

	(void)json_str(from, name, &s);
	return canonical_str(b->arena, span_utf8_cut(s, bytes));
}

Xw__Money *body_money(struct body *b, const struct json *from, const char *at, const char *name,
	enum presence presence)
{
	static const char *const known[] = { "currency", "value", NULL };
	const struct json *v = body_object(b, from, at, name, presence, known);
	struct span currency, value;
	struct money m;
	enum rc rc;

	if (!v)
		return NULL;
	if (!json_str(v, "currency", &currency) || !json_str(v, "value", &value)) {
		body_fault(b,
			"an amount is {\"currency\":\"EUR\",\"value\":\"1000\"}, both strings", at,
			name);
		return NULL;
	}
	rc = money_parse_minor(value, currency, &m);
	if (rc == RC_OK && money_sign(m) <= 0)
		rc = RC_RANGE;
	if (rc != RC_OK) {
		body_fault(b,
			"an amount is 1 to 14 digits of minor units, more than zero, of an ISO 4217 "
			"currency",
			at, name);
		return NULL;
	}
	return canonical_money_of(b->arena, m);
}

int64_t body_time(struct body *b, const struct json *from, const char *at, const char *name)
{
	struct wall w = WALL_NONE;
	struct span s;

	if (!json_get(from, name))
		return 0;
	if (!json_str(from, name, &s) || wall_parse(s, &w) != RC_OK)
		body_fault(b, "a time is as in RFC 3339, \"2026-01-15T10:30:00Z\"", at, name);
	return w.us;
}

int32_t body_int(struct body *b, const struct json *from, const char *at, const char *name,
	int32_t min, int32_t max)
{
	int64_t v;

	if (!json_get(from, name)) {
		body_fault(b, "this member is required", at, name);
		return 0;
	}
	if (!json_int(from, name, &v) || v < min || v > max) {
		body_fault(b, "this must be a whole number within its range", at, name);
		return 0;
	}
	return (int32_t)v;
}
