/*
 * fake_files.c: the scheme's clearing and settlement files, of what this fake itself saw: what the
 * switch's books are compared with.
 *
 * The hard thing is to be another's account of the same day: everything comes from the fake's own
 * payments and refunds, never from what the switch says of them. Its text shows names of files and
 * the first field; the columns are as inferred as the switch's reading of them. A difference that a
 * test wants is planted by the command, once, in one line.
 */
#include "apsfake.h"

#include "csv.h"

#define TEXT_BYTES (200u * 1024)

static const char *const files[] = { "transactionItems", "feeItems", "settlement" };
enum { ITEMS, FEES, SETTLEMENT, FILE_COUNT };

/* What is written: of one leg, done within the window. */
struct window {
	struct apsf *s;
	const struct sandbox_host *h;
	int file;
	bool acqp;
	struct wall from, until;
	struct span omit; /* a payment of which nothing is said */
	struct span off;  /* a payment whose amount is one too much */
	struct buf lines;
	int64_t count;
	struct money gross, fees;
};

static void put_number(struct buf *b, int64_t n)
{
	char text[24];
	struct buf v = buf_init(text, sizeof text);

	buf_i64(&v, n);
	csv_put(b, buf_span(&v));
}

static void put_money(struct buf *b, struct money m)
{
	put_number(b, money_minor(m));
	csv_put(b, span_str(ccy_alpha(money_ccy(m))));
}

static void put_time(struct buf *b, struct wall at)
{
	char text[40];
	struct buf v = buf_init(text, sizeof text);

	wall_write_offset(&v, at, 480);
	csv_put(b, buf_span(&v));
}

/* SPEC alipayplus 9.3 [C:S31]: a fee of the acquirer's side, kept when it refunds. */
static struct money service_fee(const struct window *w, struct money settle)
{
	struct money fee;

	if (money_scale(settle, fake_setting_int(w->h, "service_fee_bp", 0), 10000,
		    money_ccy(settle), ROUND_HALF_EVEN, &fee) != RC_OK)
		fee = money_of(0, money_ccy(settle));
	return fee;
}

static void add(struct money *sum, struct money m)
{
	if (money_same(*sum, m) && money_add(*sum, m, sum) != RC_OK)
		*sum = money_of(0, money_ccy(m));
}

static void put_fee(struct window *w, const struct apsf_payment *p, struct money fee)
{
	struct buf *b = &w->lines;

	csv_put(b, SPAN("service"));
	csv_put(b, SPAN("PAYMENT"));
	csv_put(b, span_str(p->request_id));
	csv_put(b, span_str(p->payment_id));
	put_time(b, p->done);
	put_money(b, fee);
	csv_end(b);
	w->count++;
}

static void put_item(struct window *w, const struct apsf_payment *p, const struct apsf_refund *r,
	struct money settle)
{
	struct buf *b = &w->lines;

	csv_put(b, r ? SPAN("REFUND") : SPAN("PAYMENT"));
	csv_put(b, span_str(r ? r->request_id : p->request_id));
	csv_put(b, span_str(r ? r->refund_id : p->payment_id));
	put_time(b, r ? r->done : p->done);
	put_money(b, r ? r->amount : p->amount);
	put_money(b, settle);
	csv_put(b, r ? span_str(p->request_id) : SPAN_NONE);
	csv_put(b, r ? span_str(p->payment_id) : SPAN_NONE);
	csv_end(b);
	w->count++;
}

static bool is_in(const struct window *w, const struct apsf_payment *p, struct wall at)
{
	return p->state == STATE_PAID && (p->leg == LEG_ACQP) == w->acqp && at.us >= w->from.us &&
	       at.us < w->until.us &&
	       (span_empty(w->omit) || (!span_eq(span_str(p->request_id), w->omit) &&
					       !span_eq(span_str(p->payment_id), w->omit)));
}

static void look_at_payment(struct window *w, const struct apsf_payment *p)
{
	struct money settle = p->settle, fee;

	if (!is_in(w, p, p->done))
		return;
	if (!span_empty(w->off) && (span_eq(span_str(p->request_id), w->off) ||
					   span_eq(span_str(p->payment_id), w->off)))
		settle = money_of(money_minor(settle) + 1, money_ccy(settle));
	fee = w->acqp ? service_fee(w, settle) : money_of(0, money_ccy(settle));
	add(&w->gross, settle);
	add(&w->fees, fee);
	if (w->file == FEES && money_sign(fee))
		put_fee(w, p, fee);
	else if (w->file != FEES)
		put_item(w, p, NULL, settle);
}

static void look_at_refund(struct window *w, const struct apsf_refund *r)
{
	const struct apsf_payment *p = apsf_refunded_payment(w->s, r);

	if (!p || r->state != STATE_PAID || !is_in(w, p, r->done))
		return;
	add(&w->gross, money_neg(r->settle));
	if (w->file != FEES)
		put_item(w, p, r, r->settle);
}

static void put_summary(const struct window *w, struct buf *b, int64_t count, struct money net)
{
	csv_put(b, SPAN("totalCount"));
	csv_put(b, w->file == FEES ? SPAN("netFeeAmountValue") : SPAN("netSettlementAmountValue"));
	csv_put(b, w->file == FEES ? SPAN("feeAmountCurrency") : SPAN("settlementAmountCurrency"));
	csv_end(b);
	put_number(b, count);
	put_money(b, net);
	csv_end(b);
}

/* An acquirer is paid what is left of its payments; a wallet pays them. */
static void put_whole(const struct window *w, struct span day, struct buf *b)
{
	struct money net = w->gross;

	add(&net, w->acqp ? money_neg(w->fees) : w->fees);
	if (w->file == SETTLEMENT) {
		put_summary(w, b, 1, net);
		buf_str(b, "clearingBatchId,transactionCount,transactionAmountValue,feeAmountValue,"
			   "settlementAmountValue,settlementAmountCurrency\n");
		csv_put(b, day);
		put_number(b, w->count);
		put_number(b, money_minor(w->gross));
		put_number(b, money_minor(w->fees));
		put_money(b, net);
		csv_end(b);
		return;
	}
	put_summary(w, b, w->count, w->file == FEES ? w->fees : w->gross);
	buf_str(b, w->file == FEES
			   ? "feeType,transactionType,transactionRequestId,transactionId,"
			     "transactionTime,feeAmountValue,feeAmountCurrency\n"
			   : "transactionType,transactionRequestId,transactionId,transactionTime,"
			     "transactionAmountValue,transactionAmountCurrency,"
			     "settlementAmountValue,settlementAmountCurrency,"
			     "originalTransactionRequestId,originalTransactionId\n");
	buf_add(b, buf_span(&w->lines));
}

/* SPEC alipayplus 9.1 [C:S26] */
static void put_name(const struct window *w, struct span day, struct buf *b)
{
	buf_str(b, files[w->file]);
	buf_ch(b, '_');
	buf_add(b, fake_setting(w->h, "client_id", "XW"));
	buf_ch(b, '_');
	buf_str(b, ccy_alpha(money_ccy(w->gross)));
	buf_ch(b, '_');
	buf_add(b, day);
	buf_str(b, "_1_000.csv");
}

static bool read_window(const struct json *command, struct window *w, char day[16], size_t *ret_n)
{
	struct span date = fake_text(command, "day"), kind = fake_text(command, "kind");
	struct ccy settle;
	char stamp[40];
	struct buf b = buf_init(stamp, sizeof stamp), d = buf_init(day, 15);

	buf_add(&b, date);
	buf_str(&b, "T00:00:00+08:00");
	while (w->file < FILE_COUNT && !span_eq(kind, span_str(files[w->file])))
		w->file++;
	if (w->file == FILE_COUNT || date.n != 10 || wall_parse(buf_span(&b), &w->from) != RC_OK ||
		ccy_by_alpha(fake_setting(w->h, "settlement_currency", "EUR"), &settle) != RC_OK)
		return false;
	for (size_t i = 0; i < date.n; i++)
		if (date.p[i] != '-')
			buf_ch(&d, date.p[i]);
	*ret_n = d.n;
	w->until = wall_plus_ms(w->from, 24 * 3600 * 1000);
	w->acqp = !span_eq(fake_text(command, "leg"), SPAN("mpp"));
	w->omit = fake_text(command, "omit");
	w->off = fake_text(command, "off");
	w->gross = w->fees = money_of(0, settle);
	w->lines = arena_buf(w->h->arena, TEXT_BYTES);
	return true;
}

const char *apsf_put_file(
	struct apsf *s, const struct sandbox_host *h, const struct json *command, struct jw *ret)
{
	struct window w = { .s = s, .h = h };
	struct buf name = arena_buf(h->arena, 200), text = arena_buf(h->arena, TEXT_BYTES + 2048);
	char day[16];
	size_t n;

	if (!read_window(command, &w, day, &n))
		return "kind is transactionItems, feeItems or settlement, day 2026-01-15";
	for (size_t i = 0; i < APSF_PAYMENTS; i++)
		look_at_payment(&w, &s->payment[i]);
	for (size_t i = 0; i < APSF_REFUNDS; i++)
		if (s->refund[i].request_id[0])
			look_at_refund(&w, &s->refund[i]);
	put_name(&w, span_of(day, n), &name);
	put_whole(&w, span_of(day, n), &text);
	if (!buf_ok(&w.lines) || !buf_ok(&text))
		return "more lines than an answer has room for";
	jw_str(ret, "name", buf_span(&name));
	jw_str(ret, "text", buf_span(&text));
	return NULL;
}
