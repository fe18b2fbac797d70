/*
 * pattern.c: regular expressions as programs of a machine that is in several places at once.
 *
 * The hard thing is that a stranger wrote the pattern and another one the text: so there is no
 * going back. All places are followed together, a text costs its length times the pattern's nodes,
 * and a repetition is written out, within a limit. Must never be given a memory of its own.
 */
#include "pattern.h"

#include "check.h"

#define GROUPS_MAX  8 /* inside one another */
#define REPEATS_MAX 512

enum kind { CHAR, ANY, CLASS, START, END, SPLIT, JUMP, MATCH };

struct reader {
	struct span text;
	size_t at;
	int depth;
	const char *why;
	struct pattern *p;
};

static bool fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static int peek(const struct reader *r)
{
	return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : -1;
}

static bool take(struct reader *r, char ch)
{
	if (peek(r) != ch)
		return false;
	r->at++;
	return true;
}

static uint16_t put(struct reader *r, enum kind kind, uint8_t arg)
{
	uint16_t n = r->p->count;

	if (n == PATTERN_NODES) {
		fail(r, "the pattern is too large");
		return 0;
	}
	r->p->node[n] = (struct pattern_node){ (uint8_t)kind, arg, (uint16_t)(n + 1), 0 };
	r->p->count++;
	return n;
}

/* ---- classes ------------------------------------------------------------------------------- */

static unsigned char folded(const struct pattern *p, unsigned char ch)
{
	return p->fold && ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch;
}

static void add_range(const struct pattern *p, uint32_t set[8], int low, int high)
{
	for (int ch = low; ch <= high; ch++) {
		unsigned char to = folded(p, (unsigned char)ch);
		set[to >> 5] |= UINT32_C(1) << (to & 31);
	}
}

/* "d" and "w"; false: it is neither. */
static bool add_named(const struct pattern *p, uint32_t set[8], int name)
{
	if (name != 'd' && name != 'w')
		return false;
	add_range(p, set, '0', '9');
	if (name == 'w') {
		add_range(p, set, 'a', 'z');
		add_range(p, set, 'A', 'Z');
		add_range(p, set, '_', '_');
	}
	return true;
}

static bool is_letter(int ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* One character of a class, escaped or not; -1: it was a set, or a fault. */
static int class_char(struct reader *r, uint32_t set[8])
{
	int ch = peek(r);

	if (ch < 0) {
		fail(r, "a class is not closed");
		return -1;
	}
	r->at++;
	if (ch != '\\')
		return ch;
	ch = peek(r);
	if (ch >= 0)
		r->at++;
	if (add_named(r->p, set, ch))
		return -1;
	if (ch < 0 || is_letter(ch))
		fail(r, "an escape that is not known");
	return ch;
}

static bool put_class(struct reader *r, const uint32_t set[8], bool negated)
{
	struct pattern *p = r->p;
	uint8_t i = 0;

	while (i < p->classes && memcmp(p->class[i], set, sizeof p->class[i]) != 0)
		i++;
	if (i == PATTERN_CLASSES)
		return fail(r, "the pattern has too many classes");
	if (i == p->classes)
		memcpy(p->class[p->classes++], set, sizeof p->class[i]);
	p->node[put(r, CLASS, i)].other = negated;
	return !r->why;
}

static bool read_class(struct reader *r)
{
	bool negated = take(r, '^'), first = true;
	uint32_t set[8] = { 0 };

	while (first || !take(r, ']')) {
		int low = class_char(r, set), high = low;
		first = false;
		if (r->why)
			return false;
		if (low < 0)
			continue;
		if (peek(r) == '-' && r->at + 1 < r->text.n && r->text.p[r->at + 1] != ']') {
			r->at++;
			high = class_char(r, set);
		}
		if (r->why || high < low)
			return fail(r, "a range of a class ends before it begins");
		add_range(r->p, set, low, high);
	}
	return put_class(r, set, negated);
}

/* ---- the language -------------------------------------------------------------------------- */

static bool read_choice(struct reader *r);

static bool read_group(struct reader *r)
{
	if (take(r, '?') && !take(r, ':'))
		return fail(r, "a kind of group that is not known");
	if (++r->depth > GROUPS_MAX)
		return fail(r, "groups stand too deep in one another");
	if (!read_choice(r))
		return false;
	r->depth--;
	return take(r, ')') || fail(r, "a group is not closed");
}

static bool read_escape(struct reader *r)
{
	uint32_t set[8] = { 0 };
	int ch = peek(r);

	if (ch >= 0)
		r->at++;
	if (add_named(r->p, set, ch))
		return put_class(r, set, false);
	if (ch < 0 || is_letter(ch))
		return fail(r, "an escape that is not known");
	put(r, CHAR, (uint8_t)ch);
	return !r->why;
}

static bool read_atom(struct reader *r)
{
	int ch = peek(r);

	r->at++;
	switch (ch) {
	case '(':
		return read_group(r);
	case '[':
		return read_class(r);
	case '\\':
		return read_escape(r);
	case '.':
		put(r, ANY, 0);
		break;
	case '^':
		put(r, START, 0);
		break;
	case '$':
		put(r, END, 0);
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(r, "a repetition of nothing");
	default:
		put(r, CHAR, folded(r->p, (unsigned char)ch));
	}
	return !r->why;
}

static bool read_number(struct reader *r, int *ret)
{
	size_t from = r->at;

	*ret = 0;
	for (int ch = peek(r); ch >= '0' && ch <= '9' && *ret <= REPEATS_MAX; ch = peek(r)) {
		*ret = *ret * 10 + (ch - '0');
		r->at++;
	}
	return r->at > from && *ret <= REPEATS_MAX;
}

/* How often, most -1 for no end. False: there is no repetition, or a fault. */
static bool read_repeat(struct reader *r, int *ret_least, int *ret_most)
{
	*ret_least = 0;
	*ret_most = -1;
	if (take(r, '*'))
		return true;
	if (take(r, '+')) {
		*ret_least = 1;
		return true;
	}
	if (take(r, '?')) {
		*ret_most = 1;
		return true;
	}
	if (!take(r, '{'))
		return false;
	if (!read_number(r, ret_least))
		return fail(r, "a repetition is not {n}, {n,} or {n,m}");
	*ret_most = *ret_least;
	if (take(r, ',')) {
		*ret_most = -1;
		if (peek(r) != '}' && (!read_number(r, ret_most) || *ret_most < *ret_least))
			return fail(r, "a repetition is not {n}, {n,} or {n,m}");
	}
	return take(r, '}') || fail(r, "a repetition is not {n}, {n,} or {n,m}");
}

/* The atom that began there, once more. */
static bool write_again(struct reader *r, size_t at)
{
	size_t end = r->at;
	bool good;

	r->at = at;
	good = read_atom(r);
	r->at = end;
	return good;
}

/* What was written of the atom is taken back, and written as often as it may come. */
static bool write_repeat(struct reader *r, size_t at, uint16_t first, int least, int most)
{
	uint16_t split[REPEATS_MAX];
	int n = 0;

	r->p->count = first;
	for (int i = 0; i < least; i++)
		if (!write_again(r, at))
			return false;
	if (most < 0) {
		uint16_t loop = put(r, SPLIT, 0);
		if (r->why || !write_again(r, at))
			return false;
		r->p->node[put(r, JUMP, 0)].next = loop;
		r->p->node[loop].other = r->p->count;
		return !r->why;
	}
	for (int i = least; i < most; i++) {
		split[n++] = put(r, SPLIT, 0);
		if (r->why || !write_again(r, at))
			return false;
	}
	while (n > 0)
		r->p->node[split[--n]].other = r->p->count;
	return true;
}

static bool read_piece(struct reader *r)
{
	uint16_t first = r->p->count;
	size_t at = r->at;
	int least, most;

	if (!read_atom(r))
		return false;
	if (!read_repeat(r, &least, &most))
		return !r->why;
	if (!write_repeat(r, at, first, least, most))
		return false;
	at = r->at;
	return !read_repeat(r, &least, &most) ? !r->why : fail(r, "a repetition of a repetition");
}

/* Alternatives: each begins with a node that leads to the next one, where there is one, and ends
 * with a jump behind them all. */
static bool read_choice(struct reader *r)
{
	uint16_t ends[PATTERN_TEXT];
	int n = 0;

	for (;;) {
		uint16_t begin = put(r, JUMP, 0);
		while (!r->why && peek(r) >= 0 && peek(r) != '|' && peek(r) != ')')
			if (!read_piece(r))
				return false;
		if (r->why)
			return false;
		if (!take(r, '|'))
			break;
		ends[n++] = put(r, JUMP, 0);
		r->p->node[begin].kind = SPLIT;
		r->p->node[begin].other = r->p->count;
	}
	while (n > 0)
		r->p->node[ends[--n]].next = r->p->count;
	return true;
}

const char *pattern_read(struct span text, struct pattern *ret)
{
	struct reader r = { .text = text, .p = ret };

	ret->count = 0;
	ret->classes = 0;
	ret->fold = span_starts(text, SPAN("(?i)"));
	if (text.n > PATTERN_TEXT)
		return "the pattern is too long";
	r.at = ret->fold ? 4 : 0;
	if (!read_choice(&r))
		return r.why;
	put(&r, MATCH, 0);
	if (r.at < text.n)
		fail(&r, "a group is closed that was not opened");
	if (!r.why && pattern_matches(ret, SPAN_NONE))
		fail(&r, "the pattern fits the empty text");
	return r.why;
}

/* ---- the machine --------------------------------------------------------------------------- */

struct places {
	uint16_t count, at[PATTERN_NODES];
};

struct machine {
	const struct pattern *p;
	uint32_t mark[PATTERN_NODES]; /* in which step it was reached, plus 1 */
	struct places now, then;
	bool matched;
};

/* All that is reached from a node without a character, in front of text[at]. */
static void reach(struct machine *m, struct places *to, uint16_t from, size_t at, size_t end)
{
	uint16_t stack[2 * PATTERN_NODES + 1], depth = 0; /* a node leads to two at most */

	stack[depth++] = from;
	while (depth) {
		uint16_t i = stack[--depth];
		const struct pattern_node *n = &m->p->node[i];

		CHECK(i < m->p->count);
		if (m->mark[i] == at + 1)
			continue;
		m->mark[i] = (uint32_t)at + 1;
		switch ((enum kind)n->kind) {
		case CHAR:
		case ANY:
		case CLASS:
			to->at[to->count++] = i;
			break;
		case MATCH:
			m->matched = true;
			break;
		case START:
		case END:
			if (at == (n->kind == START ? 0 : end))
				stack[depth++] = n->next;
			break;
		case SPLIT:
			if (m->mark[n->other] != at + 1)
				stack[depth++] = n->other;
			if (m->mark[n->next] != at + 1)
				stack[depth++] = n->next;
			break;
		case JUMP:
			stack[depth++] = n->next;
			break;
		}
	}
}

static bool takes(const struct pattern *p, const struct pattern_node *n, unsigned char ch)
{
	ch = folded(p, ch);
	if (n->kind == CHAR)
		return n->arg == ch;
	return n->kind == ANY || (p->class[n->arg][ch >> 5] >> (ch & 31) & 1) != n->other;
}

bool pattern_matches(const struct pattern *p, struct span text)
{
	struct machine m;

	m.p = p;
	m.matched = false;
	m.now.count = 0;
	memset(m.mark, 0, p->count * sizeof m.mark[0]);
	for (size_t at = 0;; at++) {
		reach(&m, &m.now, 0, at, text.n);
		if (m.matched || at == text.n)
			return m.matched;
		m.then.count = 0;
		for (uint16_t i = 0; i < m.now.count; i++) {
			const struct pattern_node *n = &p->node[m.now.at[i]];
			if (takes(p, n, (unsigned char)text.p[at]))
				reach(&m, &m.then, n->next, at + 1, text.n);
		}
		m.now = m.then;
	}
}

void pattern_quote(struct buf *b, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (span_find(SPAN("\\^$.|?*+()[]{}"), text.p[i]) < 14)
			buf_ch(b, '\\');
		buf_ch(b, text.p[i]);
	}
}
