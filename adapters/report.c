/*
 * report.c: which dialect reads whose files, the plain form for partners that have no file of their
 * own, and what readers of headed columns share.
 *
 * The hard thing is a file that is almost right: a column that has moved, a number in major units,
 * half a file. So columns go by name, every line has as many fields as the header, the last line
 * counts the others, and one fault refuses all. Must never pass over a line.
 */
#include "report.h"

#include "csv.h"

const struct report *report_of(struct span adapter)
{
	if (span_eq(adapter, SPAN("alipayplus")) || span_eq(adapter, SPAN("apsmember")))
		return &aps_report;
	return span_eq(adapter, SPAN("vipps")) ? &vipps_report : &plain_report;
}

bool report_fault(struct report_in *in, int line, const char *why)
{
	if (!in->fault) {
		in->fault = why;
		in->fault_line = line;
	}
	return false;
}

#define NAME_MOST 64 /* bytes of a column's name that are said again */

static bool column_fault(struct report_in *in, int line, struct span name, const char *why)
{
	struct span n = span_of(name.p, name.n < NAME_MOST ? name.n : NAME_MOST);
	struct buf b = arena_buf(in->arena, n.n + span_str(why).n + 16);

	buf_str(&b, "column \"");
	buf_add(&b, n);
	buf_str(&b, "\" ");
	buf_str(&b, why);
	buf_ch(&b, '\0');
	return report_fault(in, line, buf_ok(&b) ? b.p : why);
}

bool report_columns(struct report_in *in, const struct csv *c, const char *const *names, int count,
	int must, int *ret_column)
{
	for (int n = 0; n < count; n++) {
		struct span name = span_str(names[n]);
		ret_column[n] = -1;
		for (size_t i = 0; i < c->count; i++) {
			if (!span_eq(c->field[i], name))
				continue;
			if (ret_column[n] >= 0)
				return column_fault(in, c->line, name, "is there twice");
			ret_column[n] = (int)i;
		}
		if (n < must && ret_column[n] < 0)
			return column_fault(in, c->line, name, "must be there and is not");
	}
	return true;
}

struct span report_field(const struct csv *c, int column)
{
	return column < 0 ? SPAN_NONE : c->field[column];
}

/* ---- the plain form ------------------------------------------------------------------------ */

enum { TYPE, ID, CURRENCY, AMOUNT, PARTNER_ID, TIME, FEE, STATUS, PAYMENT, PLAIN_COLUMNS };

static const char *const plain_names[PLAIN_COLUMNS] = { "type", "id", "currency", "amount",
	"partner_id", "time", "fee", "status", "payment" };
#define PLAIN_MUST (AMOUNT + 1)

/* The form is ours: a column that it does not have is one by another name, or says what nobody
 * would read. */
static bool plain_header(struct report_in *in, const struct csv *c, int *ret_column)
{
	for (size_t i = 0; i < c->count; i++) {
		int n = 0;
		while (n < PLAIN_COLUMNS && !span_eq(c->field[i], span_str(plain_names[n])))
			n++;
		if (n == PLAIN_COLUMNS)
			return column_fault(in, c->line, c->field[i], "is none of this form");
	}
	return report_columns(in, c, plain_names, PLAIN_COLUMNS, PLAIN_MUST, ret_column);
}

static bool plain_amount(
	struct report_in *in, const struct csv *c, int column, struct span ccy, struct money *ret)
{
	struct span text = report_field(c, column);

	if (money_parse_minor(text, ccy, ret) != RC_OK)
		return report_fault(in, c->line, "an amount that is not in minor units");
	return true;
}

static bool plain_line(struct report_in *in, const struct csv *c, const int *column)
{
	struct report_line l = { .line = c->line,
		.type = report_field(c, column[TYPE]),
		.request_id = report_field(c, column[ID]),
		.peer_id = report_field(c, column[PARTNER_ID]),
		.first_request_id = report_field(c, column[PAYMENT]) };
	struct span time = report_field(c, column[TIME]), status = report_field(c, column[STATUS]);

	if (span_eq(l.type, SPAN("payment")))
		l.what = REPORT_PAYMENT;
	else if (span_eq(l.type, SPAN("refund")))
		l.what = REPORT_REFUND;
	else
		return report_fault(in, c->line, "a type that is neither payment nor refund");
	if (span_empty(l.request_id))
		return report_fault(in, c->line, "a line without an id");
	if (!plain_amount(in, c, column[AMOUNT], report_field(c, column[CURRENCY]), &l.settle))
		return false;
	if (!span_empty(report_field(c, column[FEE])) &&
		!plain_amount(in, c, column[FEE], report_field(c, column[CURRENCY]), &l.fees))
		return false;
	if (!span_empty(time) && wall_parse_lenient(time, &l.at) != RC_OK)
		return report_fault(in, c->line, "a time that is none");
	l.failed = !span_empty(status) && !span_eq(status, SPAN("done"));
	if (l.what == REPORT_REFUND) {
		l.settle = money_neg(l.settle);
		if (!money_is_none(l.fees))
			l.fees = money_neg(l.fees);
	}
	in->each(in->ctx, &l);
	return true;
}

static bool plain_read(struct report_in *in, struct span name, struct span bytes)
{
	struct csv c = csv_init(in->arena, bytes);
	int column[PLAIN_COLUMNS];
	int64_t lines = 0, said;
	size_t wide;
	enum rc rc = csv_next(&c);

	(void)name;
	if (rc != RC_OK || !plain_header(in, &c, column))
		return report_fault(in, 1, "there is no header");
	wide = c.count;
	while ((rc = csv_next(&c)) == RC_OK && !span_eq(c.field[0], SPAN("end"))) {
		if (c.count != wide)
			return report_fault(in, c.line, "not as many fields as the header has");
		if (!plain_line(in, &c, column))
			return false;
		lines++;
	}
	if (rc != RC_OK)
		return report_fault(in, c.line,
			rc == RC_NOENT ? "the last line, end, is missing" : "this is not CSV");
	if (c.count < 2 || span_to_i64(c.field[1], &said) != RC_OK || said != lines)
		return report_fault(in, c.line, "the end counts other lines than there are");
	if (csv_next(&c) != RC_NOENT)
		return report_fault(in, c.line, "something stands behind the end");
	return true;
}

const struct report plain_report = { .read = plain_read };
