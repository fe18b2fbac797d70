/*
 * csv.c: comma separated values, read and written.
 *
 * The hard thing is a quote: inside of it commas and line ends are text, so that one that is
 * missing swallows the rest of the file. Whatever has a quote in a place that RFC 4180 does not
 * give it is refused, and so is a record that the file ends in the middle of. Must never give half
 * a record.
 */
#include "csv.h"

#define MARK SPAN("\xef\xbb\xbf") /* of UTF-8, at the begin of a file */

struct csv csv_init(struct arena *a, struct span text)
{
	if (span_starts(text, MARK))
		text = span_sub(text, 3, text.n);
	return (struct csv){ .rest = text, .arena = a, .next = 1 };
}

/* Past a field's end: what follows it. RC_OK: another field; RC_NOENT: the record ends. */
static enum rc behind(struct csv *c)
{
	struct span s = c->rest;

	if (span_starts(s, SPAN(","))) {
		c->rest = span_sub(s, 1, s.n);
		return RC_OK;
	}
	if (span_starts(s, SPAN("\r\n")))
		s = span_sub(s, 1, s.n);
	if (s.n && s.p[0] != '\n')
		return RC_BAD;
	c->next += s.n > 0;
	c->rest = span_sub(s, 1, s.n);
	return RC_NOENT;
}

/* What stands between the quotes, of which doubled ones count once. PRE: rest begins with one. */
static enum rc quoted(struct csv *c, struct span *ret)
{
	struct span s = span_sub(c->rest, 1, c->rest.n);
	size_t n = 0, doubled = 0;
	struct buf b;

	for (;; n++) {
		n += span_find(span_sub(s, n, s.n), '"');
		if (n >= s.n)
			return RC_BAD;
		if (n + 1 == s.n || s.p[n + 1] != '"')
			break;
		n++;
		doubled++;
	}
	*ret = span_sub(s, 0, n);
	c->rest = span_sub(s, n + 1, s.n);
	for (size_t i = 0; i < n; i++)
		c->next += s.p[i] == '\n';
	if (!doubled)
		return RC_OK;
	b = arena_buf(c->arena, n - doubled);
	for (size_t i = 0; i < n; i++) {
		buf_ch(&b, s.p[i]);
		i += s.p[i] == '"';
	}
	*ret = buf_span(&b);
	return buf_ok(&b) ? RC_OK : RC_FULL;
}

static enum rc plain(struct csv *c, struct span *ret)
{
	size_t n = 0;

	while (n < c->rest.n && c->rest.p[n] != ',' && c->rest.p[n] != '\n' &&
		c->rest.p[n] != '\r') {
		if (c->rest.p[n] == '"')
			return RC_BAD;
		n++;
	}
	*ret = span_sub(c->rest, 0, n);
	c->rest = span_sub(c->rest, n, c->rest.n);
	return RC_OK;
}

enum rc csv_next(struct csv *c)
{
	enum rc rc;

	c->line = c->next;
	c->count = 0;
	if (span_empty(c->rest))
		return RC_NOENT;
	do {
		struct span *f = &c->field[c->count];

		if (c->count == CSV_FIELDS_MAX)
			return RC_FULL;
		rc = span_starts(c->rest, SPAN("\"")) ? quoted(c, f) : plain(c, f);
		if (rc != RC_OK)
			return rc;
		if (!span_is_utf8(*f) || span_find(*f, '\0') < f->n)
			return RC_BAD;
		c->count++;
		rc = behind(c);
	} while (rc == RC_OK);
	return rc == RC_NOENT ? RC_OK : rc;
}

void csv_put(struct buf *b, struct span v)
{
	bool quote = false;

	if (b->n && b->p[b->n - 1] != '\n')
		buf_ch(b, ',');
	for (size_t i = 0; i < v.n; i++)
		quote = quote || v.p[i] == '"' || v.p[i] == ',' || v.p[i] == '\n' || v.p[i] == '\r';
	/* It would be taken for the file's own; and an empty first field would leave no trace for
	 * the comma behind it. */
	quote = quote || (b->n == 0 && span_starts(v, MARK));
	quote = quote || (v.n == 0 && (b->n == 0 || b->p[b->n - 1] == '\n'));
	if (!quote) {
		buf_add(b, v);
		return;
	}
	buf_ch(b, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			buf_ch(b, '"');
		buf_ch(b, v.p[i]);
	}
	buf_ch(b, '"');
}

void csv_end(struct buf *b)
{
	buf_ch(b, '\n');
}
