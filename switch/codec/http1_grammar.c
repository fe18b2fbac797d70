/*
 * http1_grammar.c: which characters may stand where, and what a target and an authority look like.
 *
 * The hard thing is what a path means after decoding: a router that compares bytes and a file
 * system or proxy that decodes them must not see two different paths, so every spelling of a slash
 * or of a dot segment but the plain one is refused (H-4). Must never fold or rewrite: what came is
 * signed.
 */
#include "http1_grammar.h"

#include "text.h"

#define V   HTTP1_VALUE
#define VT  (HTTP1_VALUE | HTTP1_TOKEN)
#define VU  (HTTP1_VALUE | HTTP1_URI)
#define VTU (HTTP1_VALUE | HTTP1_TOKEN | HTTP1_URI)
#define ALL (VTU | HTTP1_HOST)

/* clang-format off */
const uint8_t http1_class_of[256] = {
	['\t'] = V, [' '] = V, ['"'] = V, ['<'] = V, ['>'] = V, ['\\'] = V, ['{'] = V, ['}'] = V,
	['#'] = VT, ['^'] = VT, ['`'] = VT, ['|'] = VT,
	['('] = VU, [')'] = VU, [','] = VU, ['/'] = VU, [':'] = VU, [';'] = VU, ['='] = VU, ['?'] = VU,
	['@'] = VU, ['['] = VU, [']'] = VU,
	['!'] = VTU, ['$' ... '\''] = VTU, ['*'] = VTU, ['+'] = VTU, ['~'] = VTU,
	['-'] = ALL, ['.'] = ALL, ['_'] = ALL, ['0' ... '9'] = ALL, ['A' ... 'Z'] = ALL,
	['a' ... 'z'] = ALL,
};
/* clang-format on */

bool http1_all(struct span s, enum http1_class c)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!http1_is(s.p[i], c))
			return false;
	}
	return true;
}

int http1_target_byte(struct span s, size_t *i)
{
	if (s.p[*i] != '%')
		return (unsigned char)s.p[*i];
	if (s.n - *i < 3)
		return -1;
	int high = text_hex_digit(s.p[*i + 1]), low = text_hex_digit(s.p[*i + 2]);

	*i += 2;
	return high < 0 || low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

/* No empty segment, no dot segment however it is spelt, no encoded slash or backslash. */
bool http1_path_ok(struct span path)
{
	size_t length = 0, dots = 0; /* of the segment under way */

	if (path.n == 0 || path.p[0] != '/')
		return false;
	for (size_t i = 1; i <= path.n; i++) {
		if (i == path.n || path.p[i] == '/') {
			if ((length == 0 && i < path.n) || (length && length == dots && dots <= 2))
				return false;
			length = dots = 0;
			continue;
		}
		int ch = http1_target_byte(path, &i);

		if (ch < 0 || ch == '/' || ch == '\\')
			return false;
		length++;
		dots += ch == '.';
	}
	return true;
}

bool http1_query_ok(struct span query)
{
	for (size_t i = 0; i < query.n; i++) {
		if (http1_target_byte(query, &i) < 0)
			return false;
	}
	return true;
}

/* "[" IPv6 "]": length of it, 0 where it is none. What the digits say is not looked at. */
static size_t bracketed(struct span s)
{
	size_t close = span_find(s, ']');

	if (s.n == 0 || s.p[0] != '[' || close == s.n || close < 3)
		return 0;
	for (size_t i = 1; i < close; i++) {
		if (text_hex_digit(s.p[i]) < 0 && s.p[i] != ':' && s.p[i] != '.')
			return 0;
	}
	return close + 1;
}

/* host[:port]. No user information: it exists to deceive. */
bool http1_authority_ok(struct span s)
{
	size_t host = bracketed(s);

	if (host == 0) {
		host = span_find(s, ':');
		if (host == 0 || !http1_all(span_sub(s, 0, host), HTTP1_HOST))
			return false;
	}
	if (host == s.n)
		return true;
	struct span port = span_sub(s, host + 1, s.n);

	return s.p[host] == ':' && port.n <= 5 && span_is_digits(port);
}

bool http1_method_has_body(struct span method)
{
	return span_starts(method, SPAN("P")); /* of the six methods that we know */
}
