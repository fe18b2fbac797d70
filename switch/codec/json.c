/*
 * json.c: strict JSON in, deterministic JSON out. jansson does the grammar; this file keeps it
 * inside an arena and refuses what jansson lets pass. The only file that includes it.
 *
 * Three hard things. jansson's allocator is global, so it bumps whichever arena a parse has named
 * and nothing outside a parse. jansson does not survive being out of memory: a failed growth of its
 * string buffer drops a character and reports success, or trips an assertion that ends the process.
 * So an allocation that fails never returns to it: it leaves the parse by a long jump, which is
 * safe because all that a parse has built lies in the arena. And the hash seed is fixed, for equal
 * runs; so the members of one object are bounded before parsing, or a peer could choose keys that
 * collide and make us compare each with each. Must never let a real become an amount.
 */
#include "json.h"

#include "check.h"

#include <jansson.h>
#include <setjmp.h> /* taste: layer because a full arena leaves the parse by a long jump */

/* jansson has macros of these names; behind the header they are our functions. */
#undef json_is_object
#undef json_is_array
#undef json_is_string

#define DEPTH_MAX   16
#define MEMBERS_MAX 256 /* of one object; twenty times what any partner sends */

/* The parse under way: set and cleared by json_parse, NULL at any other time. */
struct parse {
	struct arena *arena;
	jmp_buf full;
};
static struct parse *parsing;

static void *bump_alloc(size_t n)
{
	PRE(parsing); /* nothing else here makes values */
	void *p = arena_room(parsing->arena, n);

	if (!p)
		longjmp(parsing->full, 1);
	return p;
}

static void bump_free(void *p)
{
	(void)p; /* the arena is forgotten as a whole */
}

/* Once per process: jansson must not have allocated before. Any seed but 0, which means random. */
static void jansson_init(void)
{
	static bool done;

	if (done)
		return;
	json_set_alloc_funcs(bump_alloc, bump_free);
	json_object_seed(1);
	done = true;
}

static const json_t *of(const struct json *v)
{
	return (const json_t *)(const void *)v;
}

/* Values that are null are treated as absent ones (partners mix both). */
static const struct json *not_null(const json_t *v)
{
	return v && !json_is_null(v) ? (const struct json *)(const void *)v : NULL;
}

/* Behind the string that begins at s.p[i]; s.n where it does not end. */
static size_t skip_string(struct span s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\')
			i++;
	}
	return i < s.n ? i + 1 : s.n;
}

/* Most texts have too little of either to pass a bound, wherever it stands; that is soon said. */
static bool has_few(struct span s)
{
	size_t opened = 0, members = 0;

	for (size_t i = 0; i < s.n; i++) {
		opened += s.p[i] == '{' || s.p[i] == '[';
		members += s.p[i] == ':';
	}
	return opened <= DEPTH_MAX && members <= MEMBERS_MAX;
}

/* Counts what jansson does not bound tightly enough: nesting, and members of an object. On text
 * that is not JSON the counts mean nothing, but then jansson refuses it. */
static bool within_bounds(struct span s)
{
	static const bool counts[256] = {
		['"'] = true, ['{'] = true, ['['] = true, ['}'] = true, [']'] = true, [':'] = true
	};
	unsigned members[DEPTH_MAX + 1];
	size_t depth = 0;

	members[0] = 0;
	for (size_t i = 0; i < s.n;) {
		if (!counts[(uint8_t)s.p[i]]) {
			i++;
			continue;
		}
		switch (s.p[i]) {
		case '"':
			i = skip_string(s, i);
			continue;
		case '{':
		case '[':
			if (++depth > DEPTH_MAX)
				return false;
			members[depth] = 0;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return false;
			depth--;
			break;
		case ':':
			if (++members[depth] > MEMBERS_MAX)
				return false;
			break;
		default:
			break;
		}
		i++;
	}
	return true;
}

/* NULL where it is not JSON, or where the arena ran out. */
static const json_t *load(struct arena *a, struct span text)
{
	struct parse parse = { .arena = a };
	const json_t *v;

	CHECK(!parsing);
	parsing = &parse;
	if (setjmp(parse.full) == 0)
		v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	else
		v = NULL;
	parsing = NULL;
	return v;
}

enum rc json_parse(struct arena *a, struct span text, const struct json **ret)
{
	jansson_init();
	if (!arena_ok(a))
		return RC_FULL;
	if (text.n == 0 || (!has_few(text) && !within_bounds(text)))
		return RC_BAD;
	const json_t *v = load(a, text);

	if (!arena_ok(a))
		return RC_FULL;
	if (!v)
		return RC_BAD;
	*ret = (const struct json *)(const void *)v;
	return RC_OK;
}

const struct json *json_parse_object(struct arena *a, struct span text)
{
	const struct json *v;

	return json_parse(a, text, &v) == RC_OK && json_is_object(v) ? v : NULL;
}

/* Behind the digits that begin at s.p[i]. */
static size_t skip_digits(struct span s, size_t i)
{
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i;
}

/* Behind the string, the number or the single character at s.p[i]. *ret_decimal: it is a number
 * with a fraction; others that have a point (leading zeros, an exponent) are the grammar's to
 * judge.
 */
static size_t skip_token(struct span s, size_t i, bool *ret_decimal)
{
	size_t whole = i + (s.p[i] == '-'), point = skip_digits(s, whole), part, end = i + 1;

	*ret_decimal = false;
	if (s.p[i] == '"')
		return skip_string(s, i);
	if (s.p[i] != '-' && point == whole)
		return end;
	while (end < s.n && strchr("0123456789+-.eE", s.p[end]) && s.p[end])
		end++;
	part = point < end && s.p[point] == '.' ? skip_digits(s, point + 1) : 0;
	*ret_decimal = part == end && part > point + 1 && point > whole &&
		       (s.p[whole] != '0' || point == whole + 1);
	return end;
}

/* A name must not become one that it was not. */
static bool is_name(struct span s, size_t end)
{
	while (end < s.n && strchr(" \t\r\n", s.p[end]) && s.p[end])
		end++;
	return end < s.n && s.p[end] == ':';
}

enum rc json_parse_decimals(struct arena *a, struct span text, const struct json **ret)
{
	/* A number with a fraction has three bytes, and one more stands before the next. */
	size_t cap = text.n + text.n / 2 + 2, end;
	struct buf b = arena_buf(a, cap);
	bool decimal;

	if (!arena_ok(a))
		return RC_FULL;
	for (size_t i = 0; i < text.n; i = end) {
		end = skip_token(text, i, &decimal);
		decimal = decimal && !is_name(text, end);
		if (decimal)
			buf_ch(&b, '"');
		buf_add(&b, span_sub(text, i, end - i));
		if (decimal)
			buf_ch(&b, '"');
	}
	CHECK(buf_ok(&b));
	return json_parse(a, buf_span(&b), ret);
}

const struct json *json_get(const struct json *from, const char *path)
{
	const json_t *v = of(from);
	struct span rest = *path ? span_str(path) : SPAN_NONE, name;

	while (v && span_split(&rest, '.', &name))
		v = json_object_getn(v, name.p, name.n);
	return not_null(v);
}

static bool is_type(const struct json *v, json_type type)
{
	return v && json_typeof(of(v)) == type;
}

bool json_is_object(const struct json *v)
{
	return is_type(v, JSON_OBJECT);
}

bool json_is_array(const struct json *v)
{
	return is_type(v, JSON_ARRAY);
}

bool json_is_string(const struct json *v)
{
	return is_type(v, JSON_STRING);
}

bool json_is_int(const struct json *v)
{
	return is_type(v, JSON_INTEGER);
}

bool json_is_bool(const struct json *v)
{
	return is_type(v, JSON_TRUE) || is_type(v, JSON_FALSE);
}

size_t json_count(const struct json *array)
{
	return json_array_size(of(array));
}

const struct json *json_at(const struct json *array, size_t i)
{
	return not_null(json_array_get(of(array), i));
}

bool json_str(const struct json *from, const char *path, struct span *ret)
{
	const struct json *v = json_get(from, path);

	if (!json_is_string(v))
		return false;
	*ret = span_of(json_string_value(of(v)), json_string_length(of(v)));
	return true;
}

bool json_text(struct arena *a, const struct json *from, const char *path, struct span *ret)
{
	const struct json *v = json_get(from, path);
	char storage[24];
	struct buf b = buf_init(storage, sizeof storage);

	if (json_is_string(v))
		return json_str(v, "", ret);
	if (json_is_bool(v)) {
		*ret = is_type(v, JSON_TRUE) ? SPAN("true") : SPAN("false");
		return true;
	}
	if (!json_is_int(v))
		return false;
	buf_i64(&b, json_integer_value(of(v)));
	struct span text = arena_dup(a, buf_span(&b));

	if (!text.p)
		return false;
	*ret = text;
	return true;
}

bool json_int(const struct json *from, const char *path, int64_t *ret)
{
	const struct json *v = json_get(from, path);

	if (!json_is_int(v))
		return false;
	*ret = json_integer_value(of(v));
	return true;
}

bool json_bool(const struct json *from, const char *path, bool *ret)
{
	const struct json *v = json_get(from, path);
	struct span text = SPAN_NONE;
	bool is_true = is_type(v, JSON_TRUE) ||
		       (json_str(v, "", &text) && span_eq(text, SPAN("true")));

	if (!is_true && !is_type(v, JSON_FALSE) && !span_eq(text, SPAN("false")))
		return false;
	*ret = is_true;
	return true;
}

static bool is_listed(const char *key, const char *const *known)
{
	for (; *known; known++) {
		if (strcmp(key, *known) == 0)
			return true;
	}
	return false;
}

const char *json_unknown(const struct json *object, const char *const *known)
{
	/* The iterator wants to be able to change what it walks over; it is not asked to. */
	json_t *o = (json_t *)(uintptr_t)of(object);

	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
		if (!is_listed(json_object_iter_key(i), known))
			return json_object_iter_key(i);
	}
	return NULL;
}

const char *json_member(const struct json *object, size_t i, const struct json **ret_value)
{
	json_t *o = (json_t *)(uintptr_t)of(object);
	void *at = json_object_iter(o);

	while (at && i-- > 0)
		at = json_object_iter_next(o, at);
	if (!at)
		return NULL;
	*ret_value = not_null(json_object_iter_value(at));
	return json_object_iter_key(at);
}

/* Writes one character that cannot stand in a JSON string as it is (RFC 8259 section 7). */
static void write_escape(struct buf *b, unsigned char ch)
{
	static const char letter[] = { ['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\' };

	buf_ch(b, '\\');
	if (letter[ch]) {
		buf_ch(b, letter[ch]);
		return;
	}
	buf_str(b, "u00");
	buf_hex(b, span_of(&ch, 1));
}

static bool is_plain(unsigned char ch)
{
	return ch >= 0x20 && ch < 0x80 && ch != '"' && ch != '\\';
}

/* Valid UTF-8 in runs, with escapes between them. */
static void write_valid(struct buf *b, struct span s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch >= 0x20 && ch != '"' && ch != '\\')
			continue;
		buf_add(b, span_sub(s, from, i - from));
		write_escape(b, ch);
		from = i + 1;
	}
	buf_add(b, span_sub(s, from, s.n - from));
}

static void write_string(struct buf *b, struct span s)
{
	size_t plain = 0;

	while (plain < s.n && is_plain((unsigned char)s.p[plain])) /* mostly all of it */
		plain++;
	buf_ch(b, '"');
	buf_add(b, span_sub(s, 0, plain));
	s = span_sub(s, plain, s.n);
	while (s.n) {
		size_t valid = span_utf8_prefix(s);

		write_valid(b, span_sub(s, 0, valid));
		if (valid < s.n)
			buf_str(b, "\xef\xbf\xbd"); /* U+FFFD for the byte that is none */
		s = span_sub(s, valid + 1, s.n);
	}
	buf_ch(b, '"');
}

/* What stands before a value: the comma, and the key of a member. */
static void begin(struct jw *w, const char *key)
{
	if (w->comma)
		buf_ch(w->b, ',');
	w->comma = true;
	if (key) {
		write_string(w->b, span_str(key));
		buf_ch(w->b, ':');
	}
}

void jw_obj(struct jw *w, const char *key)
{
	begin(w, key);
	buf_ch(w->b, '{');
	w->comma = false;
}

void jw_arr(struct jw *w, const char *key)
{
	begin(w, key);
	buf_ch(w->b, '[');
	w->comma = false;
}

void jw_end(struct jw *w, char bracket)
{
	PRE(bracket == '}' || bracket == ']');
	buf_ch(w->b, bracket);
	w->comma = true;
}

void jw_str(struct jw *w, const char *key, struct span value)
{
	begin(w, key);
	write_string(w->b, value);
}

void jw_opt(struct jw *w, const char *key, struct span value)
{
	if (!span_empty(value))
		jw_str(w, key, value);
}

void jw_int(struct jw *w, const char *key, int64_t value)
{
	begin(w, key);
	buf_i64(w->b, value);
}

void jw_bool(struct jw *w, const char *key, bool value)
{
	begin(w, key);
	buf_str(w->b, value ? "true" : "false");
}

void jw_raw(struct jw *w, const char *key, struct span json)
{
	begin(w, key);
	buf_add(w->b, json);
}
