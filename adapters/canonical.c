/*
 * canonical.c: building canonical messages in the arena of a call. The hard thing is memory at its
 * limit: a builder answers NULL once the arena is full and stays so, hence a caller takes all the
 * parts it needs and looks at arena_ok once before it fills any. Never judges what a message says.
 */
#include "adapter.h"

#include "digest.h"

#define DROPPED_MAX 8

char *canonical_str(struct arena *a, struct span s)
{
	char *copy = s.n > 0 ? arena_cstr(a, s) : NULL;

	return copy ? copy : (char *)protobuf_c_empty_string;
}

/* One function per message type: room in the arena, set to the type's defaults. */
#define NEW(linkage, function, type, init)                                                         \
	linkage type *function(struct arena *a)                                                    \
	{                                                                                          \
		type *m = arena_new(a, type);                                                      \
                                                                                                   \
		if (m)                                                                             \
			init(m);                                                                   \
		return m;                                                                          \
	}
NEW(static, new_message, Xw__Canonical, xw__canonical__init)
NEW(static, new_problem, Xw__Problem, xw__problem__init)
NEW(static, new_outcome, Xw__Outcome, xw__outcome__init)
NEW(static, new_money, Xw__Money, xw__money__init)
NEW(static, new_order, Xw__Order, xw__order__init)
NEW(static, new_code, Xw__Code, xw__code__init)
NEW(, canonical_party, Xw__Party, xw__party__init)
NEW(, canonical_payment, Xw__Payment, xw__payment__init)
NEW(, canonical_quote, Xw__Quote, xw__quote__init)
NEW(, canonical_refund, Xw__Refund, xw__refund__init)
NEW(, canonical_undo, Xw__Undo, xw__undo__init)
NEW(, canonical_counts, Xw__Counts, xw__counts__init)
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

Xw__Canonical *canonical_answer(struct arena *a, const Xw__Canonical *call)
{
	Xw__Canonical *c = canonical_new(a, (enum op)call->op, true);

	if (c)
		c->request_id = canonical_str(a, span_str(call->request_id));
	if (c && call->refund)
		c->refund = canonical_refund(a);
	if (c && c->refund)
		c->refund->id = canonical_str(a, span_str(call->refund->id));
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

enum rc canonical_refuse(struct arena *a, enum op op, enum rc rc, enum reason reason,
	const char *detail, const char *pointer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_problem(a, op, reason, detail, pointer);

	if (!c)
		return RC_FULL;
	*ret = c;
	return rc;
}

Xw__Outcome *canonical_outcome(
	struct arena *a, struct verdict v, struct span code, struct span text)
{
	Xw__Outcome *m = new_outcome(a);

	if (m) {
		m->result = v.outcome;
		m->reason = v.reason;
		m->code = canonical_str(a, span_utf8_cut(code, 64));
		m->text = canonical_str(a, span_utf8_cut(text, 256));
	}
	return m;
}

struct span canonical_http_code(struct arena *a, int status)
{
	struct buf b = arena_buf(a, 16);

	buf_str(&b, "HTTP ");
	buf_i64(&b, status);
	return buf_span(&b);
}

Xw__Order *canonical_order(struct arena *a)
{
	Xw__Order *m = new_order(a);

	if (m)
		m->merchant = canonical_party(a);
	return m && m->merchant ? m : NULL;
}

struct span canonical_plain(
	struct arena *a, struct span text, size_t max, size_t (*letter)(struct span))
{
	struct buf b = arena_buf(a, 4 * max);
	size_t count = 0;
	bool blank = false;

	for (size_t i = 0, n; i < text.n && count + blank < max; i += n) {
		struct span rest = span_sub(text, i, text.n);

		n = letter(rest);
		if (n == 0) {
			blank = count > 0;
			n = 1;
			continue;
		}
		if (blank)
			buf_ch(&b, ' ');
		count += 1 + blank;
		blank = false;
		buf_add(&b, span_sub(rest, 0, n));
	}
	return buf_span(&b);
}

struct span canonical_shop(const Xw__Order *o)
{
	const Xw__Party *m = o ? o->merchant : NULL;

	return span_str(!m ? "" : m->name[0] ? m->name : m->store_name);
}

Xw__Code *canonical_code(struct arena *a, struct span text)
{
	Xw__Code *m = new_code(a);

	if (m)
		m->text = canonical_str(a, text);
	return m;
}

void canonical_set_event_id(
	struct arena *a, const struct span *parts, size_t count, Xw__Canonical *c)
{
	struct buf joined = arena_buf(a, 512), hex = arena_buf(a, 32);
	struct digest d;

	for (size_t i = 0; i < count; i++) {
		buf_add(&joined, parts[i]);
		if (i + 1 < count)
			buf_ch(&joined, '\n');
	}
	d = digest_sha256(buf_span(&joined));
	buf_hex(&hex, span_of(d.b, 16));
	c->event_id = canonical_str(a, buf_span(&hex));
}

void canonical_drop(struct arena *a, Xw__Canonical *c, const char *what)
{
	if (!c->dropped)
		c->dropped = arena_alloc(a, DROPPED_MAX * sizeof *c->dropped);
	if (c->dropped && c->n_dropped < DROPPED_MAX)
		c->dropped[c->n_dropped++] = canonical_str(a, span_str(what));
}

/* ---- money ---------------------------------------------------------------------------------- */

Xw__Money *canonical_money(struct arena *a, int64_t minor, struct span currency)
{
	Xw__Money *m = new_money(a);

	if (m) {
		m->minor = minor;
		m->currency = canonical_str(a, currency);
	}
	return m;
}

Xw__Money *canonical_money_of(struct arena *a, struct money m)
{
	return canonical_money(a, money_minor(m), span_str(ccy_alpha(money_ccy(m))));
}

struct money canonical_money_in(const Xw__Money *m)
{
	struct money ret;

	if (!m || money_from_minor(m->minor, span_str(m->currency), &ret) != RC_OK)
		return MONEY_NONE;
	return ret;
}

bool canonical_money_same(const Xw__Money *a, const Xw__Money *b)
{
	return a && b && a->minor == b->minor && strcmp(a->currency, b->currency) == 0;
}

void canonical_money_write(struct jw *w, const char *key, const Xw__Money *m)
{
	char storage[24];
	struct buf digits = buf_init(storage, sizeof storage);

	if (!m)
		return;
	buf_i64(&digits, m->minor);
	jw_obj(w, key);
	jw_str(w, "currency", span_str(m->currency));
	jw_str(w, "value", buf_span(&digits));
	jw_end(w, '}');
}

static bool is_in(const Xw__Money *m, struct span currency)
{
	return m && span_eq(span_str(m->currency), currency);
}

static const Xw__Money *charge(
	const Xw__Money *amount, const Xw__Money *settle, struct span currency)
{
	if (span_empty(currency) || is_in(amount, currency))
		return amount;
	return is_in(settle, currency) ? settle : NULL;
}

const Xw__Money *canonical_charge(const Xw__Payment *p, struct span currency)
{
	return p ? charge(p->amount, p->settle, currency) : NULL;
}

const Xw__Money *canonical_refund_charge(const Xw__Refund *r, struct span currency)
{
	return r ? charge(r->amount, r->settle, currency) : NULL;
}

void canonical_set_charge(struct arena *a, const Xw__Canonical *call, struct span currency,
	Xw__Money *sum, Xw__Canonical *c)
{
	const Xw__Money *asked = canonical_charge(call->payment, currency);

	c->payment = canonical_payment(a);
	if (!c->payment)
		return;
	if (asked && asked == call->payment->settle)
		c->payment->settle = sum;
	else
		c->payment->amount = sum;
}
