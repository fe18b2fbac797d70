/*
 * route.c: who can take this code or serve this payer; pure over the route table.
 *
 * The hard thing: several schemes may own the same digits. Candidates keep the order of the
 * recognition table first and the rows' priority second, and the same participant is tried once.
 * What is said of a row is said where it is judged, so that an explanation cannot differ from what
 * is done. Must never infer a scheme from anything but the code and the table.
 */
#include "route.h"

#include "turn.h"

struct find {
	const struct snapshot *sn;
	const struct route_ask *ask;
	struct route_choice *to;
	struct route_trace *trace;
};

static void note(struct find *f, size_t row, uint16_t to, enum route_verdict v)
{
	struct route_trace *t = f->trace;

	if (t && t->count < t->most)
		t->line[t->count++] = (struct route_line){ (uint16_t)row, to, v };
}

static bool is_day(const struct route_hours *h, int weekday)
{
	return (h->days >> weekday & 1) != 0;
}

/* Hours that end before they begin go on behind midnight, and belong to the day of their begin. */
static bool is_open(const struct route_hours *h, struct wall now)
{
	int weekday, minute;

	if (!h->days)
		return true;
	weekday = zone_weekday(zone_day(&h->zone, now));
	minute = zone_minute(&h->zone, now);
	if (h->from_min < h->until_min)
		return is_day(h, weekday) && minute >= h->from_min && minute < h->until_min;
	return (is_day(h, weekday) && minute >= h->from_min) ||
	       (is_day(h, (weekday + 6) % 7) && minute < h->until_min);
}

/* ROUTE_WON: the row fits. */
static enum route_verdict judge(const struct find *f, const struct route_row *r)
{
	const struct route_ask *a = f->ask;
	struct ccy ccy = money_is_none(a->amount) ? (struct ccy){ 0 } : money_ccy(a->amount);
	int64_t minor = money_minor(a->amount);

	if (r->off)
		return ROUTE_OFF;
	if (r->mode != a->mode)
		return ROUTE_MODE;
	if (r->from && r->from != a->from)
		return ROUTE_FROM;
	if (r->ccy.num && ccy.num && !ccy_eq(r->ccy, ccy))
		return ROUTE_CURRENCY;
	if (ccy.num && r->min && minor < r->min)
		return ROUTE_BELOW;
	if (ccy.num && r->max && minor > r->max)
		return ROUTE_ABOVE;
	return is_open(&r->hours, a->now) ? ROUTE_WON : ROUTE_TIME;
}

/* Of a consumer-presented code the asker is the acquirer; otherwise it is who pays, or who debits
 * for it. */
static bool is_corridor(const struct find *f, const struct corridor *c, uint16_t to)
{
	const struct route_ask *a = f->ask;
	const struct peer *from = snapshot_peer(f->sn, a->from);
	bool sells = a->mode == 'C' || a->mode == 'S';
	uint16_t acquirer = sells ? a->from : to;
	uint16_t issuer = sells ? to : a->from;

	return (!c->mode || c->mode == a->mode) && (!c->acquirer || c->acquirer == acquirer) &&
	       (!c->issuer || c->issuer == issuer ||
		       (!sells && from && c->issuer == from->debit_via));
}

/* The first row that speaks of a corridor decides; where none does, it is on. */
static bool corridor_off(const struct find *f, uint16_t to)
{
	for (size_t i = 0; i < f->sn->corridor_count; i++)
		if (is_corridor(f, &f->sn->corridor[i], to))
			return f->sn->corridor[i].off;
	return false;
}

static bool is_among(const uint16_t *list, int count, uint16_t to)
{
	for (int i = 0; i < count; i++)
		if (list[i] == to)
			return true;
	return false;
}

static enum route_verdict add(struct find *f, uint16_t to)
{
	struct route_choice *c = f->to;
	const struct peer *peer = snapshot_peer(f->sn, to);

	/* Numbers come from outside too: only who can do it is a candidate; an order of ours says
	 * all by itself. */
	if (!peer || (f->ask->op != OP_NONE && !peer_caps(peer, f->ask->op)))
		return ROUTE_CANNOT;
	if (f->ask->claimed && peer->scheme)
		return ROUTE_HAIRPIN;
	if (corridor_off(f, to))
		return ROUTE_CORRIDOR;
	if (is_among(f->ask->unregistered, f->ask->unregistered_count, to)) {
		c->unregistered = true;
		return ROUTE_UNREGISTERED;
	}
	if (is_among(f->ask->down, f->ask->down_count, to)) {
		c->unreachable = true;
		return ROUTE_DOWN;
	}
	for (int i = 0; i < c->count; i++)
		if (c->to[i] == to)
			return ROUTE_AGAIN;
	if (c->count == CANDIDATES_MAX)
		return ROUTE_FULL;
	c->to[c->count++] = to;
	return ROUTE_WON;
}

/* The rows of one scheme, highest priority first; equal ones in the table's order. */
static void add_scheme(struct find *f, const char *scheme)
{
	const struct snapshot *sn = f->sn;
	int32_t below = INT16_MAX + 1, best;

	do {
		best = INT16_MIN - 1;
		for (size_t i = 0; i < sn->route_count; i++)
			if (strcmp(sn->route[i].scheme, scheme) == 0 &&
				sn->route[i].priority < below && sn->route[i].priority > best)
				best = sn->route[i].priority;
		for (size_t i = 0; i < sn->route_count && best >= INT16_MIN; i++) {
			const struct route_row *r = &sn->route[i];
			if (r->priority != best || strcmp(r->scheme, scheme) != 0)
				continue;
			enum route_verdict v = judge(f, r);
			note(f, i, r->to, v == ROUTE_WON ? add(f, r->to) : v);
		}
		below = best;
	} while (best >= INT16_MIN);
}

void route_choose(const struct snapshot *sn, const struct route_ask *ask, struct route_choice *ret,
	struct route_trace *trace)
{
	struct find f = { sn, ask, ret, trace };

	*ret = (struct route_choice){ .count = 0 };
	if (trace)
		trace->count = 0;
	if (ask->only)
		note(&f, ROUTE_NO_ROW, ask->only, add(&f, ask->only));
	for (int i = 0; i < ask->scheme_count && !ask->only; i++)
		add_scheme(&f, ask->scheme[i]);
}

enum reason route_reason(const struct route_ask *ask, const struct route_choice *c)
{
	if (c->count)
		return REASON_NONE;
	if (c->unreachable)
		return REASON_UNAVAILABLE;
	if (c->unregistered)
		return REASON_MERCHANT;
	return ask->scheme_count || ask->only ? REASON_NO_ROUTE : REASON_CODE_UNKNOWN;
}

enum op route_op(uint8_t mode)
{
	return mode == 'C' || mode == 'S' ? OP_DEBIT : mode == 'O' ? OP_CREDIT : OP_RESOLVE;
}

/* A scheme names the payer by the name that we gave it: "<participant>-<26 characters>". Whatever
 * the code says then: it is the scheme's, and would lead back to it. */
static bool names_payer(const struct snapshot *sn, const struct pay *p, uint16_t from)
{
	const struct peer *peer = snapshot_peer(sn, from);

	return p->payer_id[0] && p->flow == FLOW_DEBIT && peer && peer->scheme;
}

static uint16_t wallet_of(const char *payer_id)
{
	struct span rest = span_str(payer_id), head;
	int64_t number;

	return span_split(&rest, '-', &head) && span_to_i64(head, &number) == RC_OK &&
			       number <= UINT16_MAX
		       ? (uint16_t)number
		       : 0;
}

static void add_name(struct route_ask *a, struct span name)
{
	if (name.n && a->scheme_count < ROUTE_SCHEMES &&
		span_to_cstr(name, a->scheme[a->scheme_count], sizeof a->scheme[0]))
		a->scheme_count++;
}

void route_asked(const struct snapshot *sn, const struct pay *p, struct route_ask *ret)
{
	struct span others = span_str(p->code_others), name;
	uint8_t mode = pay_is_shown(p) ? 'S' : p->mode;

	*ret = (struct route_ask){ .mode = mode,
		.op = pay_is_of_ours(p) ? OP_NONE : route_op(mode),
		.from = p->caller == SIDE_ACQUIRER ? p->acq.peer : p->via,
		.claimed = p->flow == FLOW_CLAIMED,
		.amount = p->amount,
		.now = p->created };
	if (names_payer(sn, p, ret->from)) {
		ret->only = wallet_of(p->payer_id);
		return;
	}
	ret->only = p->code_peer;
	add_name(ret, span_str(p->code_scheme));
	while (span_split(&others, ' ', &name))
		add_name(ret, name);
}

enum reason route_find(struct turn *t)
{
	struct pay *p = t->p;
	struct route_ask ask;
	struct route_choice c;
	enum reason why;

	route_asked(t->sn, p, &ask);
	ask.down = t->ev->down;
	ask.down_count = t->ev->down_count;
	ask.unregistered = t->ev->unregistered;
	ask.unregistered_count = t->ev->unregistered_count;
	route_choose(t->sn, &ask, &c, NULL);
	memcpy(p->candidate, c.to, sizeof p->candidate);
	p->candidate_count = c.count;
	why = route_reason(&ask, &c);
	return (why == REASON_NO_ROUTE || why == REASON_CODE_UNKNOWN) &&
			       names_payer(t->sn, p, ask.from)
		       ? REASON_PAYER
		       : why;
}

const char *route_verdict_name(enum route_verdict v)
{
	static const char *const names[] = {
#define ROUTE_VERDICT(NAME, text, sentence) text,
#include "route.def"
#undef ROUTE_VERDICT
	};

	return names[v];
}

const char *route_verdict_sentence(enum route_verdict v)
{
	static const char *const sentences[] = {
#define ROUTE_VERDICT(NAME, text, sentence) sentence,
#include "route.def"
#undef ROUTE_VERDICT
	};

	return sentences[v];
}
