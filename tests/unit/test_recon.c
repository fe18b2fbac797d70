/*
 * test_recon.c: a partner's files against our items: each class of difference by itself, and days
 * with planted differences, of which exactly those are found.
 */
#include "unit.h"

#include "recon.h"

#define ITEMS 40

static struct ccy eur, nok;
static struct recon_item item[ITEMS];
static struct recon_id room[2 * ITEMS];
static char name[ITEMS][32];
static struct recon_found found[2 * ITEMS];
static int count;
static struct recon r;

static void on_found(void *ctx, const struct recon_found *f)
{
	(void)ctx;
	assert_true(count < 2 * ITEMS);
	found[count++] = *f;
}

/* `n` items of day 100: payments of 1000, 1010, ... with fees of 10; each third is a refund. */
static void items(size_t n)
{
	assert_int_equal(ccy_by_alpha(SPAN("EUR"), &eur), RC_OK);
	assert_int_equal(ccy_by_alpha(SPAN("NOK"), &nok), RC_OK);
	count = 0;
	r = (struct recon){
		.day = 100, .item = item, .items = n, .index = room, .found = on_found
	};
	r.gross = r.fees = money_of(0, eur);
	for (size_t i = 0; i < n; i++) {
		bool refund = i % 3 == 2;
		int64_t minor = 1000 + 10 * (int64_t)i;

		snprintf(name[i], sizeof name[i], "id-%zu", i);
		item[i] = (struct recon_item){ .what = refund ? REPORT_REFUND : REPORT_PAYMENT,
			.day = 100,
			.late_from = RECON_NEVER,
			.gross = money_of(refund ? -minor : minor, eur),
			.fees = money_of(10, eur),
			.id = span_str(name[i]),
			.first = refund ? SPAN("id-0") : SPAN_NONE };
		assert_int_equal(money_add(r.gross, item[i].gross, &r.gross), RC_OK);
		assert_int_equal(money_add(r.fees, item[i].fees, &r.fees), RC_OK);
		r.count++;
	}
}

static struct report_line line_of(size_t i)
{
	return (struct report_line){ .what = item[i].what,
		.line = (int)i + 2,
		.request_id = item[i].id,
		.settle = item[i].gross,
		.fees = item[i].fees };
}

static void total(int64_t gross, int64_t fees, int64_t n)
{
	struct report_line l = { .what = REPORT_TOTAL,
		.line = 4,
		.settle = money_of(money_minor(r.gross) + gross, eur),
		.fees = money_of(money_minor(r.fees) + fees, eur),
		.count = r.count + n };

	recon_line(&r, &l);
}

static void only(enum recon_class class, const char *reference)
{
	recon_end(&r);
	if (count != 1 || found[0].class != class)
		fail_msg("%d found, the first is %d: %s", count, count ? (int)found[0].class : 0,
			count ? found[0].detail : "");
	assert_span(found[0].reference, reference);
}

static void agreed(void **state)
{
	(void)state;
	items(5);
	recon_begin(&r);
	for (size_t i = 5; i-- > 0;) {
		struct report_line l = line_of(i);
		recon_line(&r, &l);
	}
	total(0, 0, 0);
	recon_end(&r);
	assert_int_equal(count, 0);
}

/* What is done to the line of item 1 of three, and what that makes of the totals. */
enum plant {
	OMIT,
	EXTRA,
	TWICE,
	AMOUNT,
	CURRENCY,
	FAILED,
	FEE,
	BESIDE,
	LATE_THERE,
	LATE_HERE,
	PAIRED,
	BY_PEER_ID,
	BY_PAYMENT,
	PLANTS
};

static void tell(struct report_line l)
{
	recon_line(&r, &l);
}

static void plant(enum plant p)
{
	struct report_line l = line_of(1);
	size_t last = 2;

	switch (p) {
	case OMIT:
		total(-1010, -10, -1);
		break;
	case EXTRA:
		tell(l);
		l.request_id = SPAN("other");
		tell(l);
		total(1010, 10, 1);
		break;
	case TWICE:
		tell(l);
		tell(l);
		total(1010, 10, 1);
		break;
	case AMOUNT:
		l.settle = money_of(1009, eur);
		tell(l);
		total(-1, 0, 0);
		break;
	case CURRENCY:
		l.settle = money_of(1010, nok);
		tell(l);
		total(-1010, 0, 0);
		break;
	case FAILED:
		l.failed = true;
		tell(l);
		total(-1010, -10, -1);
		break;
	case FEE:
		l.fees = money_of(12, eur);
		tell(l);
		total(0, 2, 0);
		break;
	case BESIDE:
	case LATE_THERE:
		tell(l);
		total(1010, 10, 1);
		break;
	case LATE_HERE:
		total(-1010, -10, -1);
		break;
	case PAIRED:
		tell(l);
		total(1010, 10, 1);
		break;
	case BY_PEER_ID:
		l.peer_id = l.request_id;
		l.request_id = SPAN("unheard of");
		tell(l);
		total(0, 0, 0);
		break;
	case BY_PAYMENT:
		tell(l);
		total(0, 0, 0);
		l = line_of(2);
		l.first_request_id = SPAN("id-0");
		l.request_id = SPAN_NONE;
		tell(l);
		last = 0;
		break;
	case PLANTS:
		break;
	}
	if (last)
		tell(line_of(last));
	tell(line_of(0));
}

/* Out of our window, as if it had never been in it. */
static void leave(size_t i)
{
	assert_int_equal(money_sub(r.gross, item[i].gross, &r.gross), RC_OK);
	assert_int_equal(money_sub(r.fees, item[i].fees, &r.fees), RC_OK);
	r.count--;
}

static void each_class(void **state)
{
	static const struct {
		enum recon_class class;
		const char *reference;
	} want[PLANTS] = {
		[OMIT] = { RECON_MISSING_THERE, "id-1" },
		[EXTRA] = { RECON_MISSING_HERE, "other" },
		[TWICE] = { RECON_MISSING_HERE, "id-1" },
		[AMOUNT] = { RECON_AMOUNT, "id-1" },
		[CURRENCY] = { RECON_CURRENCY, "id-1" },
		[FAILED] = { RECON_STATUS, "id-1" },
		[FEE] = { RECON_FEE, "id-1" },
		[BESIDE] = { RECON_DATE, "id-1" },
		[LATE_HERE] = { RECON_DATE, "id-1" },
		[PAIRED] = { RECON_STATUS, "id-1" },
	};

	(void)state;
	for (enum plant p = OMIT; p < PLANTS; p++) {
		items(3);
		if (p == BESIDE || p == LATE_THERE) {
			leave(1);
			item[1].day = 101;
			item[1].late_from = p == LATE_THERE ? 100 : RECON_NEVER;
		} else if (p == LATE_HERE) {
			item[1].late_from = 99;
		} else if (p == PAIRED) {
			leave(1);
			item[1].paired = true;
		}
		recon_begin(&r);
		plant(p);
		if (want[p].class)
			only(want[p].class, want[p].reference);
		else
			recon_end(&r);
		if (!want[p].class && count)
			fail_msg("%d: %s", (int)p, found[0].detail);
	}
}

static void hidden_totals(void **state)
{
	(void)state;
	for (int what = 0; what < 3; what++) {
		items(1);
		recon_begin(&r);
		tell(line_of(0));
		total(what == 0, what == 1, what == 2);
		only(what == 0 ? RECON_AMOUNT : what == 1 ? RECON_FEE : RECON_STATUS, "settlement");
	}
}

/* Fees in a file of their own; of a refund only if it says so. */
static void fees_apart(void **state)
{
	(void)state;
	items(3);
	recon_begin(&r);
	for (size_t i = 0; i < 3; i++) {
		struct report_line l = line_of(i), fee = l;
		l.fees = MONEY_NONE;
		tell(l);
		fee.of = l.what;
		fee.what = REPORT_FEE;
		fee.settle = money_of(4, eur);
		tell(fee);
		fee.settle = money_of(i == 1 ? 5 : 6, eur);
		tell(fee);
	}
	total(0, -1, 0);
	only(RECON_FEE, "id-1");
	assert_int_equal(money_minor(found[0].theirs), 9);
}

/* A day of items, each with its own difference or none: those and no others are found, and the
 * totals, which are the sums of what they sent, are explained. */
static void planted_at_random(void **state)
{
	uint64_t dice = 20260115;

	(void)state;
	for (int round = 0; round < 500; round++) {
		int64_t gross = 0, fees = 0, n = 0;
		int planted = 0;

		items(ITEMS);
		recon_begin(&r);
		for (size_t i = 0; i < ITEMS; i++) {
			struct report_line l = line_of(i);
			int64_t by = (int64_t)(unit_random(&dice) % 50) + 1;

			switch (unit_random(&dice) % 8) {
			case 0:
				planted++;
				gross -= money_minor(l.settle);
				fees -= 10;
				n--;
				continue;
			case 1:
				planted++;
				l.settle = money_of(money_minor(l.settle) + by, eur);
				gross += by;
				break;
			case 2:
				planted++;
				l.fees = money_of(10 + by, eur);
				fees += by;
				break;
			}
			tell(l);
		}
		total(gross, fees, n);
		recon_end(&r);
		assert_int_equal(count, planted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreed),
		cmocka_unit_test(each_class),
		cmocka_unit_test(hidden_totals),
		cmocka_unit_test(fees_apart),
		cmocka_unit_test(planted_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
