/*
 * uri.c: splits a URL and decodes its parameters.
 *
 * The one hard thing is the authority: what stands before the last @ is not the host, however much
 * it looks like one, and a browser and a naive reader must not disagree on it. One reader, no
 * repair, no request. Must never decode twice, nor a name or value that is not UTF-8 afterwards.
 */
#include "uri.h"

#include "ascii.h"
#include "text.h"
#include "utf8.h"

#define HOST_MAX 253

static bool is_host_char(char ch)
{
	return ascii_alnum(ch) || ch == '-' || ch == '.';
}

static struct span lower(struct scan *s, struct span host)
{
	struct span copy = scan_join(s, host, SPAN(""));

	for (size_t i = 0; i < copy.n; i++) {
		if (ascii_upper(host.p[i]))
			((char *)(uintptr_t)copy.p)[i] = (char)(host.p[i] | 0x20);
	}
	return copy;
}

/* [userinfo@]host[:port]; a browser reads a backslash as the end, so it must not pass as a host. */
static bool split_authority(struct scan *s, struct span authority, struct uri *ret)
{
	size_t at = authority.n;

	while (at > 0 && authority.p[at - 1] != '@')
		at--;
	ret->has_userinfo = at > 0;
	struct span host = span_sub(authority, at, authority.n);
	size_t colon = span_find(host, ':');

	ret->has_port = colon < host.n;
	host = span_sub(host, 0, colon);
	if (host.n == 0 || host.n > HOST_MAX || !ascii_all(host, is_host_char))
		return false;
	ret->host = lower(s, host);
	return true;
}

/* Where the first of two characters stands; text.n if neither does. */
static size_t find_either(struct span text, char a, char b)
{
	size_t first = span_find(text, a), second = span_find(text, b);

	return first < second ? first : second;
}

bool uri_split(struct scan *s, struct span text, struct uri *ret)
{
	size_t colon = span_find(text, ':');
	struct span rest = span_sub(text, colon, text.n);

	if (!span_starts(rest, SPAN("://")))
		return false;
	ret->scheme = span_sub(text, 0, colon);
	rest = span_sub(rest, 3, rest.n);
	size_t hash = span_find(rest, '#');

	ret->has_fragment = hash < rest.n;
	rest = span_sub(rest, 0, hash);
	size_t end = find_either(rest, '/', '?');
	struct span authority = span_sub(rest, 0, end);

	rest = span_sub(rest, end, rest.n);
	size_t mark = span_find(rest, '?');

	ret->has_query = mark < rest.n;
	ret->path = span_sub(rest, 0, mark);
	ret->query = span_sub(rest, mark + 1, rest.n);
	return split_authority(s, authority, ret);
}

static bool decode(struct scan *s, struct span text, enum qr_finding malformed, struct span *ret)
{
	if (span_find(text, '%') < text.n) {
		struct buf b = arena_buf(s->arena, text.n);

		if (!b.p)
			return scan_fail(s, QR_E_SIZE);
		if (text_unpercent(&b, text) != RC_OK)
			return scan_fail(s, malformed);
		text = buf_span(&b);
	}
	if (!span_is_utf8(text))
		return scan_fail(s, QR_E_UTF8);
	if (utf8_has_control(text, false))
		return scan_fail(s, QR_E_CTRL);
	*ret = text;
	return true;
}

/* The field of that key among those from `first` on; NULL if there is none. */
static const struct qr_field *find_field(const struct qr *q, size_t first, struct span key)
{
	for (size_t i = first; i < q->field_count; i++) {
		if (span_eq(q->field[i].key, key))
			return &q->field[i];
	}
	return NULL;
}

bool uri_put_params(struct scan *s, struct span query, const struct uri_rules *rules)
{
	size_t first = s->q->field_count;
	struct span part, name, value;

	while (span_split(&query, '&', &part)) {
		size_t equals = span_find(part, '=');

		if (span_empty(part) || part.p[0] == '_')
			continue;
		if (!decode(s, span_sub(part, 0, equals), rules->malformed, &name) ||
			!decode(s, span_sub(part, equals + 1, part.n), rules->malformed, &value))
			return false;
		struct span key = span_empty(rules->prefix) ? name
							    : scan_join(s, rules->prefix, name);
		const struct qr_field *before = find_field(s->q, first, key);

		if (before && !(rules->same_twice && span_eq(before->value, value)))
			return scan_fail(s, QR_E_DUP);
		if (!before)
			scan_put(s, key, value);
		if (!s->q->accept)
			return false;
	}
	return true;
}
