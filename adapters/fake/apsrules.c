/*
 * apsrules.c: whether the members of a message keep to their rules. The hard thing is to be exactly
 * as strict as the text: lengths are in characters, and a scalar is a string. Must never look at
 * what a message means.
 */
#include "apsrules.h"

/* SPEC 3.1, 4.1: an order in a shop. */
const struct rule apsrules_order[] = {
	{ "order.referenceOrderId", TEXT, 64, MUST_HAVE, NULL },
	{ "order.orderDescription", TEXT, 256, MUST_HAVE, NULL },
	{ "order.orderAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "order.merchant.referenceMerchantId", TEXT, 32, MUST_HAVE, NULL },
	{ "order.merchant.merchantName", TEXT, 256, MUST_HAVE, NULL },
	{ "order.merchant.merchantMCC", DIGITS, 4, MUST_HAVE, NULL },
	{ "order.merchant.merchantAddress.region", COUNTRY, 2, MUST_HAVE, NULL },
	{ "order.merchant.merchantAddress.state", TEXT, 8, MAY_HAVE, NULL },
	{ "order.merchant.merchantAddress.city", TEXT, 32, MAY_HAVE, NULL },
	{ "order.merchant.merchantAddress.address1", TEXT, 256, MAY_HAVE, NULL },
	{ "order.merchant.merchantAddress.zipCode", TEXT, 32, MAY_HAVE, NULL },
	{ "order.merchant.store.referenceStoreId", TEXT, 64, MUST_HAVE, NULL },
	{ "order.merchant.store.storeName", TEXT, 256, MUST_HAVE, NULL },
	{ "order.merchant.store.storeMCC", DIGITS, 4, MUST_HAVE, NULL },
	{ "order.env.storeTerminalId", TEXT, 64, MAY_HAVE, NULL },
	{ "order.env.storeTerminalRequestTime", TIME, 0, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* The word with a blank on either side stands in the list. */
static bool is_word(struct span s, const char *list)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	buf_ch(&b, ' ');
	buf_add(&b, s);
	buf_ch(&b, ' ');
	return buf_ok(&b) && span_find_span(span_str(list), buf_span(&b)) < strlen(list);
}

static bool is_country(struct span s)
{
	return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

/* SPEC 5.1: IDR has two decimals by ISO, and both must be zero. */
static bool is_money(const struct json *body, const char *path)
{
	struct money m;

	return fake_money(body, path, &m) &&
	       (strcmp(ccy_alpha(money_ccy(m)), "IDR") != 0 || money_minor(m) % 100 == 0);
}

static bool is_good(const struct json *body, const struct rule *r)
{
	struct span s = fake_text(body, r->path);
	struct wall w;

	switch (r->form) {
	case TEXT:
		return s.n > 0 && span_utf8_count(s) <= r->max;
	case DIGITS:
		return span_is_digits(s) && s.n <= r->max;
	case COUNTRY:
		return is_country(s);
	case MONEY:
		return is_money(body, r->path);
	case TIME:
		return wall_parse(s, &w) == RC_OK;
	case WORD:
		return s.n > 0 && is_word(s, r->words);
	case OBJECT:
		return json_is_object(json_get(body, r->path));
	case NOTHING:
		return false;
	}
	return false;
}

const char *apsrules_check(const struct rule *rules, const struct json *body)
{
	for (const struct rule *r = rules; r && r->path; r++) {
		bool there = json_get(body, r->path) != NULL;

		if (there ? !is_good(body, r) : r->mandatory)
			return r->path;
	}
	return NULL;
}
