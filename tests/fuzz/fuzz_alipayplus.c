/*
 * fuzz_alipayplus.c: whatever Alipay+ sends (fuzz_aps.h): it believes a success only if it is
 * signed and is for what was asked.
 */
#define ADAPTER "alipayplus"
#include "fuzz_aps.h"

#include "pattern.h"

static struct pattern pattern;

#define ASKED "payment.amount.currency: NOK\npayment.amount.minor: 100"
#define DEBIT                                                                                      \
	"op: debit\nrequest_id: R\ncode.text: 1\norder.merchant.id: M\norder.merchant.name: N\n"   \
	"order.merchant.mcc: 1\norder.merchant.country: NO\n" ASKED
#define CREATED                                                                                    \
	"op: debit\nrequest_id: R\npayment.mode: MPM\norder.merchant.id: M\n"                      \
	"order.merchant.name: N\norder.merchant.mcc: 1\norder.merchant.country: NO\n" ASKED
#define SHOP                                                                                       \
	"order.merchant.id: M\norder.merchant.name: N\norder.merchant.mcc: 1\n"                    \
	"order.merchant.country: NO"
#define REFUND                                                                                     \
	"op: refund\nrequest_id: R\nrefund.id: F\nrefund.amount.currency: NOK\n"                   \
	"refund.amount.minor: 100"

static const char *const calls[] = {
	DEBIT,
	"op: inquire\nrequest_id: R\n" ASKED,
	"op: cancel\nrequest_id: R",
	REFUND,
	"op: resolve\ncode.text: x\npayer.id: P",
	"op: tell\nrequest_id: R\noutcome.result: declined",
	"op: codes\npayer.id: P",
	CREATED,
	CREATED "\nuser_agent: A",
	"op: notify\nobject_id: R\nissuer_payment_id: P\noutcome.result: approved",
	"op: rules",
	"op: register\nrequest_id: R\n" SHOP,
	"op: standing\nrequest_id: R\n" SHOP,
};

#define CALL_COUNT (sizeof calls / sizeof *calls)

static bool is_hundred_nok(const Xw__Money *m)
{
	return m && m->minor == 100 && strcmp(m->currency, "NOK") == 0;
}

static void check_answer(enum op op, const Xw__Canonical *c)
{
	bool approved = c->outcome->result == OUTCOME_APPROVED;

	CHECK(c->answer && c->op == (int32_t)op && c->outcome);
	if (c->outcome->result != OUTCOME_UNKNOWN || c->problem)
		CHECK(c->authentic && signature_holds);
	if (approved && (op == OP_DEBIT || op == OP_INQUIRE)) {
		CHECK(is_hundred_nok(c->payment->amount) && *c->peer_id);
		CHECK(c->payment->settle && strcmp(c->payment->settle->currency, "EUR") == 0);
	}
	if (approved && op == OP_REFUND)
		CHECK(is_hundred_nok(c->refund->amount) && *c->refund->peer_id);
	if (approved && op == OP_RESOLVE)
		CHECK(*c->request_id && c->payment->amount && c->payment->settle && c->order);
	if (approved && op == OP_CODES)
		CHECK(c->n_codes >= 1 && c->n_codes <= 10);
	CHECK(!approved || op != OP_REGISTER); /* taken at most */
	if (approved && op == OP_RULES)
		CHECK(c->problem ? c->n_rules == 0 : c->n_rules > 0 && *c->rules_version);
	for (size_t i = 0; i < c->n_rules; i++)
		CHECK(!pattern_read(span_str(c->rules[i]->pattern), &pattern));
	CHECK(op == OP_CANCEL || op == OP_INQUIRE || c->outcome->result != OUTCOME_REVERSED);
	CHECK(op == OP_CANCEL || op == OP_INQUIRE || c->outcome->result != OUTCOME_NOT_FOUND);
}

static bool is_web(const Xw__Canonical *c)
{
	return strncmp(c->action_url, "https://", 8) == 0;
}

static void fuzz_answer(uint8_t choice, size_t cap, struct span signature, struct span content)
{
	static const enum op ops[CALL_COUNT] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_RESOLVE, OP_TELL, OP_CODES, OP_DEBIT, OP_DEBIT, OP_NOTIFY, OP_RULES, OP_REGISTER,
		OP_STANDING };
	size_t i = choice % CALL_COUNT;
	struct http_msg m = message(signature, content, true);
	char *memory = malloc(cap + 1);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	Xw__Canonical *in_small = read_answer(&small, calls[i], &m);
	Xw__Canonical *in_big = read_answer(&big, calls[i], &m);

	CHECK(in_big);
	if (in_small)
		CHECK(span_eq(pack(in_small, 0), pack(in_big, 1)));
	check_answer(ops[i], in_big);
	if (ops[i] == OP_DEBIT && i > 0) /* made, which is not paid: there is something to show */
		CHECK(in_big->outcome->result != OUTCOME_APPROVED &&
			(in_big->outcome->result != OUTCOME_PENDING || in_big->code ||
				is_web(in_big) ||
				!span_eq(span_str(in_big->outcome->code), SPAN("SUCCESS"))));
	through_text(&big, in_big);
	free(memory);
}
