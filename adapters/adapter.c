/*
 * adapter.c: what all adapters share: finding the route of a request, and building canonical
 * messages in the arena of the call. The hard thing is memory at its limit: a builder answers NULL
 * once the arena is full and stays so, hence a caller takes all the parts it needs and looks at
 * arena_ok once before it fills any. Never knows a partner by name.
 */
#include "adapter.h"

/* Matches path against pattern segment by segment; "{...}" takes one non-empty segment as it is. */
static bool route_matches(const char *pattern, struct span path, struct span args[ROUTE_ARGS_MAX])
{
	struct span want = span_str(pattern), want_part, part;
	size_t arg_count = 0;

	while (span_split(&want, '/', &want_part)) {
		if (!span_split(&path, '/', &part))
			return false;
		if (want_part.n > 0 && want_part.p[0] == '{') {
			if (part.n == 0 || arg_count == ROUTE_ARGS_MAX)
				return false;
			args[arg_count++] = part;
		} else if (!span_eq(want_part, part)) {
			return false;
		}
	}
	return !span_split(&path, '/', &part);
}

enum rc adapter_route(const struct adapter *a, const struct http_msg *m, struct request *ret,
	struct buf *ret_methods)
{
	for (const struct route *r = a->routes; r->method; r++) {
		struct request found = { .route = r, .http = m };

		if (!route_matches(r->path, m->path, found.arg))
			continue;
		if (span_eq(span_str(r->method), m->method)) {
			buf_reset(ret_methods);
			*ret = found;
			return RC_OK;
		}
		if (ret_methods->n > 0)
			buf_str(ret_methods, ", ");
		buf_str(ret_methods, r->method);
	}
	return RC_NOENT;
}

char *canonical_str(struct arena *a, struct span s)
{
	char *copy = s.n > 0 ? arena_cstr(a, s) : NULL;

	return copy ? copy : (char *)protobuf_c_empty_string;
}

/* One function per message type: room in the arena, set to the type's defaults. */
#define NEW(function, type, init)                                                                  \
	static type *function(struct arena *a)                                                     \
	{                                                                                          \
		type *m = arena_new(a, type);                                                      \
                                                                                                   \
		if (m)                                                                             \
			init(m);                                                                   \
		return m;                                                                          \
	}
NEW(new_message, Xw__Canonical, xw__canonical__init)
NEW(new_problem, Xw__Problem, xw__problem__init)
NEW(new_outcome, Xw__Outcome, xw__outcome__init)
NEW(new_money, Xw__Money, xw__money__init)
NEW(new_order, Xw__Order, xw__order__init)
NEW(new_party, Xw__Party, xw__party__init)
NEW(new_payment, Xw__Payment, xw__payment__init)
NEW(new_quote, Xw__Quote, xw__quote__init)
NEW(new_refund, Xw__Refund, xw__refund__init)
NEW(new_undo, Xw__Undo, xw__undo__init)
NEW(new_counts, Xw__Counts, xw__counts__init)
NEW(new_code, Xw__Code, xw__code__init)
#undef NEW

Xw__Canonical *canonical_new(struct arena *a, enum op op, bool answer)
{
	Xw__Canonical *c = new_message(a);

	if (c) {
		c->op = op;
		c->answer = answer;
	}
	return c;
}

Xw__Canonical *canonical_problem(
	struct arena *a, enum op op, enum reason reason, const char *detail, const char *pointer)
{
	Xw__Canonical *c = canonical_new(a, op, true);
	Xw__Problem *p = new_problem(a);

	if (!c || !p)
		return NULL;
	p->reason = reason;
	p->detail = canonical_str(a, span_str(detail));
	p->pointer = canonical_str(a, span_str(pointer));
	c->problem = p;
	return arena_ok(a) ? c : NULL;
}

/* At most `bytes` of s, and never half a character. */
static struct span cut(struct span s, size_t bytes)
{
	size_t n = s.n < bytes ? s.n : bytes;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return span_sub(s, 0, n);
}

Xw__Outcome *canonical_outcome(
	struct arena *a, enum outcome o, enum reason r, struct span code, struct span text)
{
	Xw__Outcome *m = new_outcome(a);

	if (m) {
		m->result = o;
		m->reason = r;
		m->code = canonical_str(a, cut(code, 64));
		m->text = canonical_str(a, cut(text, 256));
	}
	return m;
}

Xw__Money *canonical_money(struct arena *a, int64_t minor, struct span currency)
{
	Xw__Money *m = new_money(a);

	if (m) {
		m->minor = minor;
		m->currency = canonical_str(a, currency);
	}
	return m;
}

Xw__Order *canonical_order(struct arena *a)
{
	Xw__Order *m = new_order(a);

	if (m)
		m->merchant = new_party(a);
	return m && m->merchant ? m : NULL;
}

Xw__Party *canonical_party(struct arena *a)
{
	return new_party(a);
}

Xw__Payment *canonical_payment(struct arena *a)
{
	return new_payment(a);
}

Xw__Quote *canonical_quote(struct arena *a)
{
	return new_quote(a);
}

Xw__Refund *canonical_refund(struct arena *a)
{
	return new_refund(a);
}

Xw__Undo *canonical_undo(struct arena *a)
{
	return new_undo(a);
}

Xw__Counts *canonical_counts(struct arena *a)
{
	return new_counts(a);
}

Xw__Code *canonical_code(struct arena *a, struct span text)
{
	Xw__Code *m = new_code(a);

	if (m)
		m->text = canonical_str(a, text);
	return m;
}
