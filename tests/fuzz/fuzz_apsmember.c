/*
 * fuzz_apsmember.c: whatever partners send for whom we are the scheme (fuzz_aps.h): a success of a
 * wallet has an id of its own and no other amount, an acquirer's order is whole, and only its S has
 * heard. Half of the requests are an acquirer's, half a wallet's.
 */
#define ADAPTER "apsmember"
#include "fuzz_aps.h"

#define IDS "request_id: R\npeer_id: P\nacquirer.id: A\nissuer: I\n"
#define SUM                                                                                        \
	"payment.amount.currency: NOK\npayment.amount.minor: 100\n"                                \
	"payment.settle.currency: EUR\npayment.settle.minor: 9\n"

static const struct {
	enum op op;
	const char *text;
} calls[] = {
	{ OP_DEBIT, "op: debit\n" IDS SUM "code.text: 1\norder.merchant.id: M\n" },
	{ OP_INQUIRE, "op: inquire\n" IDS SUM },
	{ OP_CANCEL, "op: cancel\n" IDS },
	{ OP_REFUND, "op: refund\n" IDS
		     "refund.id: F\nrefund.amount.currency: NOK\nrefund.amount.minor: 100\n"
		     "refund.settle.currency: EUR\nrefund.settle.minor: 9\n" },
	{ OP_RESOLVE, "op: resolve\ncode.text: x\npayer.id: P" },
	{ OP_TELL, "op: tell\n" IDS SUM "outcome.result: approved" },
	{ OP_NOTIFY, "op: notify\n" IDS SUM "outcome.result: declined" },
	{ OP_STANDING, "op: standing\nrequest_id: R\norder.merchant.id: M\n"
		       "outcome.result: declined" },
};

#define CALL_COUNT (sizeof calls / sizeof *calls)

static void check_answer(enum op op, const Xw__Canonical *c)
{
	bool approved = c->outcome->result == OUTCOME_APPROVED;
	bool heard = op == OP_TELL || op == OP_NOTIFY || op == OP_STANDING;

	CHECK(c->answer && c->op == (int32_t)op && c->outcome);
	if (c->outcome->result != OUTCOME_UNKNOWN || c->problem)
		CHECK(c->authentic && signature_holds);
	if (approved && (op == OP_DEBIT || op == OP_INQUIRE))
		CHECK(*c->peer_id && !c->payment->amount && !c->payment->settle);
	if (approved && op == OP_REFUND)
		CHECK(*c->refund->peer_id);
	if (approved && op == OP_RESOLVE)
		CHECK(*c->request_id && c->payment->amount && c->order);
	CHECK(!heard || approved || c->outcome->result == OUTCOME_UNKNOWN);
	CHECK(op == OP_CANCEL || op == OP_INQUIRE || c->outcome->result != OUTCOME_REVERSED);
}

static void fuzz_answer(uint8_t choice, size_t cap, struct span signature, struct span content)
{
	size_t i = choice % CALL_COUNT;
	struct http_msg m = message(signature, content, true);
	char *memory = malloc(cap + 1);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	Xw__Canonical *in_small, *in_big;

	role = calls[i].op >= OP_RESOLVE ? SPAN("acqp") : SPAN("mpp");
	in_small = read_answer(&small, calls[i].text, &m);
	in_big = read_answer(&big, calls[i].text, &m);
	CHECK(in_big);
	if (in_small)
		CHECK(span_eq(pack(in_small, 0), pack(in_big, 1)));
	check_answer(calls[i].op, in_big);
	through_text(&big, in_big);
	free(memory);
}
