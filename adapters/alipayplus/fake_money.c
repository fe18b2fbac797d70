/*
 * fake_money.c: the scheme's rates, shares and totals.
 *
 * The hard thing is rounding: one step from the amount to the result, half to even, so that a full
 * refund gives back exactly what was taken. Rates are whole numbers of millionths of a euro; never
 * a float.
 */
#include "apsfake.h"

#include "check.h"

/* Millionths of a euro for one major unit. Invented, but of the right size. */
static const struct {
	const char *currency;
	int32_t euro_millionths;
} rates[] = {
	{ "AED", 250000 },
	{ "AUD", 610000 },
	{ "BGN", 511292 },
	{ "CAD", 680000 },
	{ "CHF", 1060000 },
	{ "CNY", 127000 },
	{ "CZK", 40100 },
	{ "DKK", 134000 },
	{ "EUR", 1000000 },
	{ "GBP", 1170000 },
	{ "HKD", 118000 },
	{ "HUF", 2510 },
	{ "IDR", 58 },
	{ "ISK", 6800 },
	{ "JPY", 6100 },
	{ "KRW", 680 },
	{ "MOP", 114000 },
	{ "MYR", 200000 },
	{ "NOK", 85400 },
	{ "NZD", 560000 },
	{ "PHP", 16000 },
	{ "PLN", 233000 },
	{ "RON", 201000 },
	{ "SEK", 87300 },
	{ "SGD", 680000 },
	{ "THB", 26000 },
	{ "TRY", 27000 },
	{ "TWD", 29000 },
	{ "USD", 920000 },
	{ "VND", 37 },
};

static int64_t rate_of(struct ccy c)
{
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		if (strcmp(rates[i].currency, ccy_alpha(c)) == 0)
			return rates[i].euro_millionths;
	return 0;
}

static int64_t minor_units(struct ccy c)
{
	int64_t n = 1;

	for (int i = 0; i < ccy_exp(c); i++)
		n *= 10;
	return n;
}

/* SPEC alipayplus 5.1 [C:S27]: half to even, and whole rupiah. */
bool apsf_convert(struct money m, struct ccy to, struct money *ret)
{
	int64_t from_rate = rate_of(money_ccy(m)), to_rate = rate_of(to);
	bool rupiah = strcmp(ccy_alpha(to), "IDR") == 0;
	int64_t unit = rupiah ? 1 : minor_units(to);

	if (from_rate == 0 || to_rate == 0)
		return false;
	if (ccy_eq(money_ccy(m), to)) {
		*ret = m;
		return true;
	}
	if (money_scale(m, from_rate * unit, to_rate * minor_units(money_ccy(m)), to,
		    ROUND_HALF_EVEN, ret) != RC_OK)
		return false;
	if (rupiah)
		*ret = money_of(money_minor(*ret) * 100, to);
	return true;
}

struct money apsf_share(struct money whole, struct money part, struct money of)
{
	struct money share;

	if (money_sign(of) == 0 || money_scale(whole, money_minor(part), money_minor(of),
					   money_ccy(whole), ROUND_HALF_EVEN, &share) != RC_OK)
		return money_of(0, money_ccy(whole));
	return share;
}

/* Four decimals are plenty for people. */
void apsf_put_quote(
	struct jw *w, const char *key, struct money first, struct money second, struct wall now)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);
	int64_t one = rate_of(money_ccy(first)), other = rate_of(money_ccy(second));
	int64_t price = other > 0 ? one * 10000 / other : 0;

	jw_obj(w, key);
	buf_str(&b, "Q-");
	buf_i64(&b, wall_day(now, 480));
	jw_str(w, "quoteId", buf_span(&b));
	buf_reset(&b);
	buf_str(&b, ccy_alpha(money_ccy(first)));
	buf_ch(&b, '/');
	buf_str(&b, ccy_alpha(money_ccy(second)));
	jw_str(w, "quoteCurrencyPair", buf_span(&b));
	buf_reset(&b);
	buf_i64(&b, price / 10000);
	buf_ch(&b, '.');
	buf_dec(&b, (uint64_t)(price % 10000), 4);
	jw_str(w, "quotePrice", buf_span(&b));
	apsw_put_time(w, "quoteStartTime", wall_of_day(wall_day(now, 480), 480, 0, 0));
	apsw_put_time(w, "quoteExpiryTime", wall_of_day(wall_day(now, 480) + 1, 480, 0, 0));
	jw_end(w, '}');
}

struct money apsf_falsified(struct money m, enum apsf_twist twist)
{
	struct ccy other;

	if (twist == TWIST_WRONG_AMOUNT)
		return money_of(money_minor(m) + 1, money_ccy(m));
	if (twist != TWIST_WRONG_CURRENCY)
		return m;
	CHECK(ccy_by_alpha(strcmp(ccy_alpha(money_ccy(m)), "USD") ? SPAN("USD") : SPAN("SEK"),
		      &other) == RC_OK);
	return money_of(money_minor(m), other);
}

/* The row of that leg and currency, made where there is none. */
static struct apsf_total *total_of(
	struct apsf_total total[APSF_TOTALS], enum apsf_leg leg, struct ccy c)
{
	for (size_t i = 0; i < APSF_TOTALS; i++) {
		struct apsf_total *t = &total[i];

		if (t->leg == LEG_NONE) {
			t->leg = (uint8_t)leg;
			t->taken = t->returned = money_of(0, c);
		}
		if (t->leg == leg && ccy_eq(money_ccy(t->taken), c))
			return t;
	}
	return NULL;
}

static void add(struct money *sum, struct money m)
{
	CHECK(money_add(*sum, m, sum) == RC_OK);
}

void apsf_take(struct apsf *s, struct apsf_payment *p, struct wall at)
{
	struct apsf_total *t = total_of(s->total, (enum apsf_leg)p->leg, money_ccy(p->settle));

	p->state = STATE_PAID;
	p->once_paid = true;
	p->done = at;
	if (!t)
		return; /* more currencies than anybody settles in */
	t->payments++;
	add(&t->taken, p->settle);
}

void apsf_give_back(struct apsf *s, struct apsf_payment *p, struct money m)
{
	struct apsf_total *t = total_of(s->total, (enum apsf_leg)p->leg, money_ccy(m));

	add(&p->given_back, m);
	if (t)
		add(&t->returned, m);
}

void apsf_forget(struct apsf *s, const struct apsf_payment *p)
{
	struct apsf_total *t = NULL;

	s->evicted++;
	if (p->once_paid)
		t = total_of(s->forgotten, (enum apsf_leg)p->leg, money_ccy(p->settle));
	if (!t)
		return;
	t->payments++;
	add(&t->taken, p->settle);
	add(&t->returned, p->given_back);
}
