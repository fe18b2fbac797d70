/*
 * recon.c: lines of a partner's files against items of ours.
 *
 * Each line finds its item by one of the ids that both sides know; what is left over on either side
 * is missing on the other. The hard thing is to find each difference once: a total that differs by
 * exactly what the lines explain is not another one, and an item that stands in the window beside
 * this one differs by its date only. Must never match two lines with one item.
 */
#include "recon.h"

#include "check.h"

#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
	const struct recon_id *x = a, *y = b;
	size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
	int d = n ? memcmp(x->id.p, y->id.p, n) : 0;

	if (d)
		return d;
	return (x->id.n > y->id.n) - (x->id.n < y->id.n);
}

static void index_id(struct recon *r, struct recon_item *i, struct span id)
{
	if (!span_empty(id))
		r->index[r->ids++] = (struct recon_id){ id, i };
}

void recon_begin(struct recon *r)
{
	r->ids = 0;
	for (size_t i = 0; i < r->items; i++) {
		index_id(r, &r->item[i], r->item[i].id);
		index_id(r, &r->item[i], r->item[i].peer_id);
	}
	qsort(r->index, r->ids, sizeof *r->index, by_id);
	r->more = r->more_fees = money_of(0, money_ccy(r->gross));
}

/* The one of that kind and name; one that was not seen yet goes first, then one of this window. */
static struct recon_item *find(struct recon *r, struct span id, enum report_what what)
{
	struct recon_id key = { id, NULL };
	struct recon_item *best = NULL;
	size_t low = 0, high = r->ids;

	if (span_empty(id))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_id(&r->index[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < r->ids && span_eq(r->index[low].id, id); low++) {
		struct recon_item *i = r->index[low].item;
		if (i->what != what)
			continue;
		if (!best || (best->seen && !i->seen) ||
			(best->seen == i->seen && best->day != r->day && i->day == r->day))
			best = i;
	}
	return best;
}

/* A refund that they name only by the payment that it is of: one of the same amount. */
static struct recon_item *find_by_payment(struct recon *r, const struct report_line *l)
{
	for (size_t i = 0; i < r->items; i++) {
		struct recon_item *it = &r->item[i];
		if (it->what == l->what && !it->seen && span_eq(it->first, l->first_request_id) &&
			money_eq(it->gross, l->settle))
			return it;
	}
	return NULL;
}

static void add(struct money *sum, struct money m)
{
	if (money_same(*sum, m))
		CHECK(money_add(*sum, m, sum) == RC_OK);
}

static void differ(struct recon *r, enum recon_class class, const struct recon_item *i,
	const struct report_line *l, struct money ours, struct money theirs, const char *detail)
{
	struct recon_found f = { .class = class,
		.item = i,
		.reference = i ? i->id : l->request_id,
		.ours = ours,
		.theirs = theirs,
		.line = l ? l->line : 0,
		.detail = detail };

	if (span_empty(f.reference))
		f.reference = i ? i->peer_id : l->peer_id;
	r->found(r->ctx, &f);
}

/* What is not in our window, though it is in their file, or the other way round. */
static void explain(struct recon *r, struct money gross, struct money fees, int64_t items)
{
	add(&r->more, gross);
	add(&r->more_fees, fees);
	r->more_items += items;
}

static struct money minus(struct money theirs, struct money ours)
{
	struct money m = MONEY_NONE;

	if (money_same(theirs, ours))
		CHECK(money_sub(theirs, ours, &m) == RC_OK);
	return m;
}

static void not_here(struct recon *r, const struct report_line *l, const char *detail)
{
	explain(r, l->settle, l->fees, 1);
	differ(r, RECON_MISSING_HERE, NULL, l, MONEY_NONE, l->settle, detail);
}

/* They say that it failed: where we have nothing of it either, that is agreed. */
static void failed(struct recon *r, struct recon_item *i, const struct report_line *l)
{
	if (!i || i->paired)
		return;
	i->seen = true;
	i->their_fees = i->fees; /* and no fee of it is another matter */
	if (i->day == r->day)
		explain(r, money_neg(i->gross), money_neg(i->fees), -1);
	differ(r, RECON_STATUS, i, l, i->gross, MONEY_NONE, "they say that nothing moved");
}

static void compare(struct recon *r, struct recon_item *i, const struct report_line *l)
{
	i->seen = true;
	if (i->paired) {
		explain(r, l->settle, MONEY_NONE, 1);
		i->their_fees = l->fees;
		differ(r, RECON_STATUS, i, l, MONEY_NONE, l->settle,
			"it was reversed here, and they settle it");
		return;
	}
	if (i->day != r->day) {
		explain(r, i->gross, i->fees, 1);
		if (i->late_from != r->day)
			differ(r, RECON_DATE, i, l, i->gross, l->settle,
				"it stands in another window here");
	}
	if (!money_same(l->settle, i->gross)) {
		explain(r, money_neg(i->gross), MONEY_NONE, 0);
		differ(r, RECON_CURRENCY, i, l, i->gross, l->settle, "another currency");
	} else if (!money_eq(l->settle, i->gross)) {
		explain(r, minus(l->settle, i->gross), MONEY_NONE, 0);
		differ(r, RECON_AMOUNT, i, l, i->gross, l->settle, "another amount");
	}
	if (!money_is_none(l->fees)) {
		r->has_fees = true;
		i->their_fees = l->fees;
	}
}

static void on_item(struct recon *r, const struct report_line *l)
{
	struct recon_item *i = find(r, l->request_id, l->what);

	r->has_items = true;
	if (!i)
		i = find(r, l->peer_id, l->what);
	if (!i && span_empty(l->request_id) && !span_empty(l->first_request_id))
		i = find_by_payment(r, l);
	if (l->failed)
		failed(r, i, l);
	else if (!i)
		not_here(r, l, "we know of no such item");
	else if (i->seen)
		not_here(r, l, "it is in their file more than once");
	else
		compare(r, i, l);
}

static void on_fee(struct recon *r, const struct report_line *l)
{
	enum report_what of = l->of ? l->of : REPORT_PAYMENT;
	struct recon_item *i = find(r, l->request_id, of);

	r->has_fees = true;
	if (!i)
		i = find(r, l->peer_id, of);
	if (!i) {
		explain(r, MONEY_NONE, l->settle, 0);
		differ(r, RECON_FEE, NULL, l, MONEY_NONE, l->settle,
			"a fee of nothing that we know");
		return;
	}
	if (money_is_none(i->their_fees))
		i->their_fees = money_of(0, money_ccy(l->settle));
	add(&i->their_fees, l->settle);
}

void recon_line(void *ctx, const struct report_line *l)
{
	struct recon *r = ctx;

	r->lines++;
	switch (l->what) {
	case REPORT_PAYMENT:
	case REPORT_REFUND:
	case REPORT_REVERSAL:
		on_item(r, l);
		break;
	case REPORT_FEE:
		on_fee(r, l);
		break;
	case REPORT_TOTAL:
		if (!r->has_total)
			r->total_gross = r->total_fees = money_of(0, money_ccy(r->gross));
		r->has_total = true;
		r->total_line = l->line;
		add(&r->total_gross, l->settle);
		add(&r->total_fees, l->fees);
		r->total_count += l->count;
		break;
	case REPORT_OTHER:
		break;
	}
}

static void end_item(struct recon *r, struct recon_item *i)
{
	struct money none = money_of(0, money_ccy(i->fees)), theirs = i->their_fees;
	bool here = i->day == r->day && !i->paired;

	if (money_is_none(theirs))
		theirs = none;
	if (here && !i->seen && r->has_items) {
		explain(r, money_neg(i->gross), money_neg(i->fees), -1);
		if (i->late_from != RECON_NEVER)
			differ(r, RECON_DATE, i, NULL, i->gross, MONEY_NONE,
				"it came late, and is not in their file of this day");
		else
			differ(r, RECON_MISSING_THERE, i, NULL, i->gross, MONEY_NONE,
				"it is not in their file");
		return;
	}
	if (i->paired)
		explain(r, MONEY_NONE, theirs, 0);
	if (r->has_fees && (here || (i->seen && !i->paired)) && !money_eq(theirs, i->fees)) {
		explain(r, MONEY_NONE, minus(theirs, i->fees), 0);
		differ(r, RECON_FEE, i, NULL, i->fees, theirs, "another fee");
	}
}

/* What they settle is our window and what the differences explain; else something is hidden. */
static void end_total(struct recon *r)
{
	struct report_line l = { .line = r->total_line, .request_id = SPAN("settlement") };
	struct money gross = r->gross, fees = r->fees;

	add(&gross, r->more);
	add(&fees, r->more_fees);
	if (!money_eq(gross, r->total_gross))
		differ(r, RECON_AMOUNT, NULL, &l, gross, r->total_gross,
			"the total that they settle is not that of the items");
	if (!money_eq(fees, r->total_fees))
		differ(r, RECON_FEE, NULL, &l, fees, r->total_fees,
			"the fees that they settle are not those of the items");
	if (r->has_items && r->count + r->more_items != r->total_count)
		differ(r, RECON_STATUS, NULL, &l, MONEY_NONE, MONEY_NONE,
			"they settle another number of items");
}

void recon_end(struct recon *r)
{
	for (size_t i = 0; i < r->items; i++)
		end_item(r, &r->item[i]);
	if (r->has_total)
		end_total(r);
}
