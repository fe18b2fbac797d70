/*
 * report.c: a day of Vipps' funds or fees ledger, as its report API gives it, read from a file.
 *
 * The hard thing is what the text leaves open: new kinds of entries may appear without notice, and
 * one that we do not know may be money of a payment. So those that move money between the ledger
 * and the bank are named here, and any other stands as a line of its own for reconciliation to
 * find. Must never read a day that is not closed yet.
 */
#include "report.h"

#include "json.h"

/* SPEC vipps 2.16 [V-RP] */
static const struct {
	const char *type;
	enum report_what what;
} types[] = {
	{ "capture", REPORT_PAYMENT },
	{ "refund", REPORT_REFUND },
	{ "capture-fee", REPORT_FEE },
	{ "fees-retained", REPORT_OTHER },
	{ "fees-invoiced", REPORT_OTHER },
	{ "scheduled-for-payout", REPORT_OTHER },
	{ "payout-aborted", REPORT_OTHER },
	{ "top-up", REPORT_OTHER },
};

static enum report_what what_of(struct span type)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_eq(type, span_str(types[i].type)))
			return types[i].what;
	return REPORT_REVERSAL; /* correction, disputed capture, or what is new: of no item of ours
				 */
}

static bool read_entry(struct report_in *in, const struct json *e, int n, int64_t *balance)
{
	struct report_line l = { .line = n };
	struct span currency, time;
	int64_t minor, before, after, expected;

	if (!json_str(e, "entryType", &l.type) || !json_str(e, "reference", &l.request_id) ||
		!json_str(e, "pspReference", &l.peer_id) || !json_str(e, "currency", &currency) ||
		!json_str(e, "time", &time) || !json_int(e, "amount", &minor) ||
		!json_int(e, "balanceBefore", &before) || !json_int(e, "balanceAfter", &after))
		return report_fault(in, n, "an entry without what every entry has");
	if (wall_parse(time, &l.at) != RC_OK)
		return report_fault(in, n, "a time that is none");
	if (minor < -MONEY_MINOR_MAX || minor > MONEY_MINOR_MAX ||
		money_from_minor(minor < 0 ? -minor : minor, currency, &l.settle) != RC_OK)
		return report_fault(in, n, "an amount or a currency that is none");
	if (__builtin_add_overflow(before, minor, &expected) || expected != after ||
		(n > 1 && before != *balance))
		return report_fault(in, n, "the balances do not follow from the amounts");
	*balance = after;
	l.what = what_of(l.type);
	if (minor < 0)
		l.settle = money_neg(l.settle);
	if (l.what == REPORT_FEE) /* it is taken from us */
		l.settle = money_neg(l.settle);
	if (l.what == REPORT_REFUND) { /* named by the payment that it is of */
		l.first_request_id = l.request_id;
		l.request_id = SPAN_NONE;
	}
	in->each(in->ctx, &l);
	return true;
}

static bool read(struct report_in *in, struct span name, struct span bytes)
{
	const struct json *v = json_parse_object(in->arena, bytes), *items;
	int64_t balance = 0;
	bool flag;

	(void)name;
	if (!v || !json_is_array(items = json_get(v, "items")))
		return report_fault(in, 0, "this is no page of a ledger");
	if (json_bool(v, "tryLater", &flag) && flag)
		return report_fault(in, 0, "the day is not closed yet");
	if (json_bool(v, "hasMore", &flag) && flag)
		return report_fault(in, 0, "it is a part of the day: put its pages together");
	for (size_t i = 0; i < json_count(items); i++)
		if (!read_entry(in, json_at(items, i), (int)i + 1, &balance))
			return false;
	return true;
}

const struct report vipps_report = { .read = read };
