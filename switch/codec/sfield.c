/*
 * sfield.c: reads structured fields and writes their strict serialisation in the same pass (RFC
 * 9651 sections 4.2 and 4.1), since signatures are made over the second, not over the bytes on the
 * wire.
 *
 * The hard thing is to be exact in both: what is refused here cannot be signed, and one value must
 * have one text. Must never guess: dates, display strings and bare keys, legal but nobody's in
 * signature fields, are refused with the rest.
 */
#include "sfield.h"

#include "text.h"

static void put(struct sf *s, struct span text)
{
	if (s->out)
		buf_add(s->out, text);
}

static void skip_blanks(struct sf *s, bool tabs)
{
	while (sf_peek(s) == ' ' || (tabs && sf_peek(s) == '\t'))
		s->at++;
}

struct span sf_since(const struct sf *s, size_t start)
{
	return span_sub(s->in, start, s->at - start);
}

static bool is_alpha(int c)
{
	return sf_is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool sf_is_one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c) != NULL;
}

bool sf_key(struct sf *s, struct span *ret)
{
	size_t start = s->at;

	if (!sf_is_lower(sf_peek(s)) && sf_peek(s) != '*')
		return false;
	while (sf_is_lower(sf_peek(s)) || sf_is_digit(sf_peek(s)) ||
		sf_is_one_of(sf_peek(s), "_-.*"))
		s->at++;
	*ret = sf_since(s, start);
	put(s, *ret);
	return true;
}

/* *ret is the text between the quotes with its escapes: one text for one value. */
bool sf_string(struct sf *s, struct span *ret)
{
	size_t start = s->at;

	if (!sf_take(s, '"'))
		return false;
	while (sf_peek(s) != '"') {
		int c = sf_peek(s);

		if (c < 0x20 || c > 0x7e)
			return false;
		s->at++;
		if (c == '\\' && !sf_take(s, '"') && !sf_take(s, '\\'))
			return false;
	}
	s->at++;
	put(s, sf_since(s, start));
	*ret = span_sub(s->in, start + 1, s->at - start - 2);
	return true;
}

/* Integers are written anew, since "007" is 7; decimals are nobody's in our profiles: as they are.
 */
static bool read_number(struct sf *s)
{
	size_t start = s->at, digits;
	bool negative = sf_take(s, '-');
	uint64_t v = 0;

	for (digits = 0; sf_is_digit(sf_peek(s)) && digits <= 15; digits++)
		v = v * 10 + (uint64_t)(s->in.p[s->at++] - '0');
	if (digits == 0 || digits > 15)
		return false;
	if (sf_take(s, '.')) {
		size_t decimals = 0;

		for (; sf_is_digit(sf_peek(s)); decimals++)
			s->at++;
		put(s, sf_since(s, start));
		return digits <= 12 && decimals >= 1 && decimals <= 3;
	}
	if (s->out) {
		if (negative && v != 0)
			buf_ch(s->out, '-');
		buf_u64(s->out, v);
	}
	return true;
}

static bool read_token(struct sf *s)
{
	size_t start = s->at;

	if (!is_alpha(sf_peek(s)) && sf_peek(s) != '*')
		return false;
	while (is_alpha(sf_peek(s)) || sf_is_digit(sf_peek(s)) ||
		sf_is_one_of(sf_peek(s), "!#$%&'*+-.^_`|~:/"))
		s->at++;
	put(s, sf_since(s, start));
	return true;
}

static bool read_bytes(struct sf *s)
{
	char storage[SF_BYTES_MAX];
	struct buf decoded = buf_init(storage, sizeof storage);
	size_t start = s->at;

	if (!sf_take(s, ':'))
		return false;
	while (sf_peek(s) >= 0 && sf_peek(s) != ':')
		s->at++;
	if (!sf_take(s, ':'))
		return false;
	put(s, sf_since(s, start));
	/* Strict base64 has one text for one value, so the text is canonical as it is. */
	return text_unb64(&decoded, span_sub(s->in, start + 1, s->at - start - 2)) == RC_OK;
}

static bool read_bool(struct sf *s)
{
	if (!sf_take(s, '?') || (sf_peek(s) != '0' && sf_peek(s) != '1'))
		return false;
	put(s, s->in.p[s->at] == '1' ? SPAN("?1") : SPAN("?0"));
	s->at++;
	return true;
}

static bool read_bare(struct sf *s, struct span *ret_string)
{
	int c = sf_peek(s);

	*ret_string = SPAN_NONE;
	if (c == '"')
		return sf_string(s, ret_string);
	if (c == ':')
		return read_bytes(s);
	if (c == '?')
		return read_bool(s);
	return sf_is_digit(c) || c == '-' ? read_number(s) : read_token(s);
}

static bool read_params(struct sf *s, struct span *ret_tag, struct span *ret_keyid)
{
	struct span key, value;

	while (sf_take(s, ';')) {
		put(s, SPAN(";"));
		skip_blanks(s, false);
		if (!sf_key(s, &key))
			return false;
		if (!sf_take(s, '='))
			continue;
		if (span_starts(span_sub(s->in, s->at, 2), SPAN("?1"))) { /* true is not written */
			s->at += 2;
			continue;
		}
		put(s, SPAN("="));
		if (!read_bare(s, &value))
			return false;
		if (ret_tag && span_eq(key, SPAN("tag")))
			*ret_tag = value;
		if (ret_keyid && span_eq(key, SPAN("keyid")))
			*ret_keyid = value;
	}
	return true;
}

static bool read_list(struct sf *s, struct sf_member *ret)
{
	struct span ignored;
	bool first = true;

	if (!sf_take(s, '('))
		return false;
	put(s, SPAN("("));
	for (skip_blanks(s, false); !sf_take(s, ')'); skip_blanks(s, false)) {
		if (!first && s->in.p[s->at - 1] != ' ')
			return false;
		if (!first)
			put(s, SPAN(" "));
		if (!read_bare(s, &ignored) || !read_params(s, NULL, NULL))
			return false;
		first = false;
	}
	put(s, SPAN(")"));
	ret->is_list = true;
	return read_params(s, &ret->tag, &ret->keyid);
}

static bool read_member(struct sf *s, struct sf_member *ret)
{
	struct buf *out = s->out;
	struct span ignored;
	size_t start;
	bool good;

	*ret = (struct sf_member){ 0 };
	if (!sf_key(s, &ret->key) || !sf_take(s, '=')) /* a bare key is true: never one of ours */
		return false;
	start = out ? out->n : 0;
	if (sf_peek(s) == '(')
		good = read_list(s, ret);
	else
		good = read_bare(s, &ignored) && read_params(s, NULL, NULL);
	if (out)
		ret->value = span_sub(buf_span(out), start, out->n - start);
	return good;
}

/* The next member of a dictionary; false at the end and, with s->bad, at the first fault. */
bool sf_next_member(struct sf *s, struct sf_member *ret)
{
	if (s->bad || s->at >= s->in.n)
		return false;
	if (s->at > 0) {
		skip_blanks(s, true);
		s->bad = !sf_take(s, ',');
		skip_blanks(s, true);
	}
	s->bad = s->bad || !read_member(s, ret);
	return !s->bad;
}
