/*
 * aps_report.c: the clearing and settlement files of Alipay+, read where it sends them to us, and
 * written where we are the scheme.
 *
 * The hard thing is that the published text shows names and the first field, not the columns: so
 * they go by name, those that are needed are listed here, others are passed over, and totals must
 * be those of the lines. Amounts are minor units like everywhere in APS. Must never take a file for
 * another kind: the name says which, and the columns must agree.
 */
#include "report.h"

#include "csv.h"

/* SPEC alipayplus 9.2 [I]: columns as the interfaces name their members; settings of nobody. */
enum {
	TYPE,
	REQUEST_ID,
	ID,
	AT,
	AMOUNT,
	CURRENCY,
	SETTLE,
	SETTLE_CURRENCY,
	FIRST_REQUEST_ID,
	FIRST_ID,
	MERCHANT,
	STORE,
	BRAND,
	LATE,
	ITEM_COLUMNS
};
static const char *const item_names[ITEM_COLUMNS] = { "transactionType", "transactionRequestId",
	"transactionId", "transactionTime", "transactionAmountValue", "transactionAmountCurrency",
	"settlementAmountValue", "settlementAmountCurrency", "originalTransactionRequestId",
	"originalTransactionId", "referenceMerchantId", "referenceStoreId", "walletBrandName",
	"carriedFrom" };
#define ITEM_MUST (SETTLE_CURRENCY + 1)

enum { FEE_TYPE, FEE_KIND, FEE_REQUEST_ID, FEE_ID, FEE_AT, FEE_VALUE, FEE_CURRENCY, FEE_COLUMNS };
static const char *const fee_names[FEE_COLUMNS] = { "feeType", "transactionType",
	"transactionRequestId", "transactionId", "transactionTime", "feeAmountValue",
	"feeAmountCurrency" };

enum { BATCH, BATCH_COUNT, BATCH_GROSS, BATCH_FEES, BATCH_NET, BATCH_CURRENCY, BATCH_COLUMNS };
static const char *const batch_names[BATCH_COLUMNS] = { "clearingBatchId", "transactionCount",
	"transactionAmountValue", "feeAmountValue", "settlementAmountValue",
	"settlementAmountCurrency" };

enum { COUNT, NET, NET_CURRENCY, SUMMARY_COLUMNS };
static const char *const summary_names[REPORT_FILES][SUMMARY_COLUMNS] = {
	{ "totalCount", "netSettlementAmountValue", "settlementAmountCurrency" },
	{ "totalCount", "netFeeAmountValue", "feeAmountCurrency" },
	{ "totalCount", "netSettlementAmountValue", "settlementAmountCurrency" },
};

static const char *const heads[REPORT_FILES] = { "transactionItems_", "feeItems_", "settlement_" };

static const char *const kinds[] = {
	[REPORT_PAYMENT] = "PAYMENT", [REPORT_REFUND] = "REFUND", [REPORT_REVERSAL] = "REVERSAL"
};

/* ---- writing ------------------------------------------------------------------------------- */

/* SPEC alipayplus 9.1 [C:S26] */
static void put_name(struct buf *b, enum report_file f, const struct report_window *w, int part)
{
	buf_str(b, heads[f]);
	buf_add(b, w->participant);
	buf_ch(b, '_');
	buf_str(b, ccy_alpha(w->settle));
	buf_ch(b, '_');
	buf_add(b, w->day);
	buf_ch(b, '_');
	buf_add(b, w->agreement);
	buf_ch(b, '_');
	buf_dec(b, (uint64_t)part, 3);
	buf_str(b, ".csv");
}

static void put_names(struct buf *b, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		csv_put(b, span_str(names[i]));
	csv_end(b);
}

/* taste: money because a total has a sign, and amounts of the protocol have none. */
static void put_value(struct buf *b, struct money m)
{
	char text[24];
	struct buf v = buf_init(text, sizeof text);

	buf_i64(&v, money_minor(m));
	csv_put(b, buf_span(&v));
}

static void put_amount(struct buf *b, struct money m)
{
	put_value(b, money_sign(m) < 0 ? money_neg(m) : m);
	csv_put(b, span_str(ccy_alpha(money_ccy(m))));
}

static void put_number(struct buf *b, int64_t n)
{
	char text[24];
	struct buf v = buf_init(text, sizeof text);

	buf_i64(&v, n);
	csv_put(b, buf_span(&v));
}

static void put_time(struct buf *b, struct wall at)
{
	char text[40];
	struct buf v = buf_init(text, sizeof text);

	if (at.us)
		wall_write_offset(&v, at, 480);
	csv_put(b, buf_span(&v));
}

static void put_summary(struct buf *b, enum report_file f, int64_t count, struct money net)
{
	put_names(b, summary_names[f], SUMMARY_COLUMNS);
	put_number(b, count);
	put_value(b, net);
	csv_put(b, span_str(ccy_alpha(money_ccy(net))));
	csv_end(b);
}

static void put_item(struct buf *b, const struct report_line *l)
{
	csv_put(b, span_str(kinds[l->what]));
	csv_put(b, l->request_id);
	csv_put(b, l->peer_id);
	put_time(b, l->at);
	put_amount(b, l->amount);
	put_amount(b, l->settle);
	csv_put(b, l->first_request_id);
	csv_put(b, l->first_id);
	csv_put(b, l->merchant);
	csv_put(b, l->store);
	csv_put(b, l->brand);
	csv_put(b, l->late_from);
	csv_end(b);
}

/* A fee has a sign: what goes back, and what the participant gets, is negative. */
static void put_fee(struct buf *b, const struct report_line *l)
{
	csv_put(b, l->type);
	csv_put(b, span_str(kinds[l->of]));
	csv_put(b, l->request_id);
	csv_put(b, l->peer_id);
	put_time(b, l->at);
	put_value(b, l->settle);
	csv_put(b, span_str(ccy_alpha(money_ccy(l->settle))));
	csv_end(b);
}

/* An acquirer is paid what is left of its payments; a wallet owes them and the fees. */
static struct money net_of(const struct report_window *w)
{
	struct money net;

	if ((w->acquirer ? money_sub : money_add)(w->gross, w->fees, &net) != RC_OK)
		net = money_of(0, w->settle);
	return net;
}

static void put_settlement(struct buf *b, const struct report_window *w)
{
	put_summary(b, REPORT_SETTLEMENT, 1, net_of(w));
	put_names(b, batch_names, BATCH_COLUMNS);
	csv_put(b, w->day);
	put_number(b, w->count);
	put_value(b, w->gross);
	put_value(b, w->fees);
	put_value(b, net_of(w));
	csv_put(b, span_str(ccy_alpha(w->settle)));
	csv_end(b);
}

static void put_file(struct buf *b, enum report_file f, const struct report_window *w,
	const struct report_line *l, size_t n)
{
	struct money net = money_of(0, w->settle);

	if (f == REPORT_SETTLEMENT) {
		put_settlement(b, w);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (money_add(net, l[i].settle, &net) != RC_OK)
			b->over = true;
	put_summary(b, f, (int64_t)n, net);
	put_names(b, f == REPORT_FEES ? fee_names : item_names,
		f == REPORT_FEES ? FEE_COLUMNS : ITEM_COLUMNS);
	for (size_t i = 0; i < n; i++)
		(f == REPORT_FEES ? put_fee : put_item)(b, &l[i]);
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reading {
	struct report_in *in;
	struct csv c;
	size_t wide;
	int column[ITEM_COLUMNS];
	enum report_file file;
	int64_t count;
	struct money sum;
};

static bool bad(struct reading *r, const char *why)
{
	return report_fault(r->in, r->c.line, why);
}

static bool next(struct reading *r)
{
	enum rc rc = csv_next(&r->c);

	if (rc == RC_OK)
		return true;
	return rc == RC_NOENT ? false : bad(r, "this is not CSV");
}

/* A whole number of minor units, of any sign where `negative`. */
static bool value(struct reading *r, int column, struct span ccy, bool negative, struct money *ret)
{
	struct span text = report_field(&r->c, column);
	bool minus = negative && span_starts(text, SPAN("-"));

	if (money_parse_minor(span_sub(text, minus, text.n), ccy, ret) != RC_OK)
		return bad(r, "an amount that is not a whole number of minor units");
	if (minus)
		*ret = money_neg(*ret);
	return true;
}

static bool is_settled(struct reading *r, struct money m)
{
	return ccy_eq(money_ccy(m), r->in->settle) ||
	       bad(r, "another currency than the agreement's");
}

static bool at(struct reading *r, int column, struct wall *ret)
{
	struct span text = report_field(&r->c, column);

	return span_empty(text) || wall_parse(text, ret) == RC_OK || bad(r, "a time that is none");
}

static bool kind(struct reading *r, int column, enum report_what *ret)
{
	struct span text = report_field(&r->c, column);

	for (enum report_what k = REPORT_PAYMENT; k <= REPORT_REVERSAL; k++)
		if (span_eq(text, span_str(kinds[k]))) {
			*ret = k;
			return true;
		}
	return bad(r, "a transactionType that we do not know");
}

/* A currency that is not ours is a difference of that line, not a fault of the file. */
static bool read_item(struct reading *r, struct report_line *l)
{
	const struct csv *c = &r->c;

	if (!kind(r, r->column[TYPE], &l->what) || !at(r, r->column[AT], &l->at) ||
		!value(r, r->column[AMOUNT], report_field(c, r->column[CURRENCY]), false,
			&l->amount) ||
		!value(r, r->column[SETTLE], report_field(c, r->column[SETTLE_CURRENCY]), false,
			&l->settle))
		return false;
	l->first_request_id = report_field(c, r->column[FIRST_REQUEST_ID]);
	l->first_id = report_field(c, r->column[FIRST_ID]);
	l->merchant = report_field(c, r->column[MERCHANT]);
	l->store = report_field(c, r->column[STORE]);
	l->brand = report_field(c, r->column[BRAND]);
	l->late_from = report_field(c, r->column[LATE]);
	if (l->what != REPORT_PAYMENT)
		l->settle = money_neg(l->settle);
	return true;
}

static bool read_fee(struct reading *r, struct report_line *l)
{
	l->what = REPORT_FEE;
	l->type = report_field(&r->c, r->column[FEE_TYPE]);
	return kind(r, r->column[FEE_KIND], &l->of) && at(r, r->column[FEE_AT], &l->at) &&
	       value(r, r->column[FEE_VALUE], report_field(&r->c, r->column[FEE_CURRENCY]), true,
		       &l->settle) &&
	       is_settled(r, l->settle);
}

static bool read_batch(struct reading *r, struct report_line *l)
{
	struct span ccy = report_field(&r->c, r->column[BATCH_CURRENCY]);
	struct money net;

	l->what = REPORT_TOTAL;
	l->type = report_field(&r->c, r->column[BATCH]);
	if (!value(r, r->column[BATCH_GROSS], ccy, true, &l->settle) ||
		!value(r, r->column[BATCH_FEES], ccy, true, &l->fees) ||
		!value(r, r->column[BATCH_NET], ccy, true, &net) || !is_settled(r, l->settle))
		return false;
	if (span_to_i64(report_field(&r->c, r->column[BATCH_COUNT]), &l->count) != RC_OK)
		return bad(r, "a count that is none");
	return money_add(r->sum, net, &r->sum) == RC_OK || bad(r, "a sum beyond all bounds");
}

static bool read_line(struct reading *r)
{
	struct report_line l = { .line = r->c.line };

	if (r->c.count != r->wide)
		return bad(r, "not as many fields as the header has");
	if (r->file == REPORT_SETTLEMENT) {
		if (!read_batch(r, &l))
			return false;
	} else {
		l.request_id = report_field(
			&r->c, r->column[r->file == REPORT_FEES ? FEE_REQUEST_ID : REQUEST_ID]);
		l.peer_id = report_field(&r->c, r->column[r->file == REPORT_FEES ? FEE_ID : ID]);
		if (span_empty(l.request_id) && span_empty(l.peer_id))
			return bad(r, "a line without an id");
		if (!(r->file == REPORT_FEES ? read_fee : read_item)(r, &l))
			return false;
		if (money_same(r->sum, l.settle) && money_add(r->sum, l.settle, &r->sum) != RC_OK)
			return bad(r, "a sum beyond all bounds");
	}
	r->count++;
	r->in->each(r->in->ctx, &l);
	return true;
}

/* SPEC alipayplus 9.2 [C:S26]: a summary, whose first field is totalCount; then the details. */
static bool read_summary(struct reading *r, int64_t *ret_count, struct money *ret_net)
{
	int column[SUMMARY_COLUMNS];

	if (!next(r) || !span_eq(r->c.field[0], SPAN("totalCount")))
		return report_fault(r->in, 1, "it does not begin with totalCount");
	if (!report_columns(
		    r->in, &r->c, summary_names[r->file], SUMMARY_COLUMNS, SUMMARY_COLUMNS, column))
		return false;
	r->wide = r->c.count;
	if (!next(r) || r->c.count != r->wide)
		return bad(r, "the summary has no values");
	return (span_to_i64(report_field(&r->c, column[COUNT]), ret_count) == RC_OK ||
		       bad(r, "a count that is none")) &&
	       value(r, column[NET], report_field(&r->c, column[NET_CURRENCY]), true, ret_net) &&
	       is_settled(r, *ret_net);
}

static bool read_header(struct reading *r)
{
	static const struct {
		const char *const *names;
		int count, must;
	} detail[REPORT_FILES] = { { item_names, ITEM_COLUMNS, ITEM_MUST },
		{ fee_names, FEE_COLUMNS, FEE_COLUMNS },
		{ batch_names, BATCH_COLUMNS, BATCH_COLUMNS } };

	if (!next(r))
		return bad(r, "there is no header of details");
	r->wide = r->c.count;
	return report_columns(r->in, &r->c, detail[r->file].names, detail[r->file].count,
		detail[r->file].must, r->column);
}

static bool read(struct report_in *in, struct span name, struct span bytes)
{
	struct reading r = { .in = in, .c = csv_init(in->arena, bytes), .file = REPORT_FILES };
	struct money net = MONEY_NONE;
	int64_t count = 0;

	for (int f = 0; f < REPORT_FILES; f++)
		if (span_starts(name, span_str(heads[f])))
			r.file = (enum report_file)f;
	if (r.file == REPORT_FILES)
		return report_fault(in, 0, "the name is none of the scheme's");
	r.sum = money_of(0, in->settle);
	if (!read_summary(&r, &count, &net) || !read_header(&r))
		return false;
	while (next(&r))
		if (!read_line(&r))
			return false;
	if (in->fault)
		return false;
	if (count != r.count)
		return bad(&r, "totalCount counts other lines than there are");
	return money_eq(net, r.sum) || bad(&r, "the net total is not that of the lines");
}

const struct report aps_report = { .read = read, .put_name = put_name, .put_file = put_file };
