/*
 * test_core.c: the payment machine, flow by flow, and under random events.
 *
 * The world here is one payment, its books and an issuer of which only the answers matter. After
 * each step: postings sum to zero per currency, nothing is reserved once the payment is final, and
 * what the positions hold equals what the legs say was taken and returned.
 */
#include "unit.h"

#include "canon.h"
#include "fsm.h"
#include "step.h"

enum { TILL = 1, SCHEME = 2, CODE = 3, PUSH = 4, WALLET = 5, TOUR = 6, SELF = 7 };

#define ALLOW 5000
static const struct caps scheme_caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = 8000, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .not_found_s = 5, .ladder = { 3, { 2, 2, 3 } } },
	{ .op = OP_CANCEL,
		.allowed_ms = 8000,
		.cancel_undoes = true,
		.cancel_binds = true,
		.ladder = { 2, { 2, 3 } } },
	{ .op = OP_REFUND, .allowed_ms = 8000, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_PUSH, .push_decides = true },
	{ .op = OP_RESOLVE, .allowed_ms = 8000 },
	{ .op = OP_TELL, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_NONE },
};
static const struct caps code_caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOW, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .not_found_s = 5, .ladder = { 3, { 1, 2, 3 } } },
	{ .op = OP_CANCEL, .allowed_ms = ALLOW, .cancel_undoes = true, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_REFUND,
		.allowed_ms = ALLOW,
		.repeat = REPEAT_INQUIRE_FIRST,
		.ladder = { 2, { 2, 3 } } },
	{ .op = OP_NONE },
};
static const struct caps push_caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOW, .must_capture = true, .sends_code = true },
	{ .op = OP_CAPTURE, .allowed_ms = ALLOW },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .not_found_s = 5, .ladder = { 3, { 5, 2, 2 } } },
	{ .op = OP_CANCEL, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_REFUND, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};
static const struct caps till_caps[] = { { .op = OP_NOTIFY, .allowed_ms = ALLOW },
	{ .op = OP_NONE } };

static const struct caps self_caps[] = {
	/* a wallet that debits its users by itself */
	{ .op = OP_CANCEL, .allowed_ms = ALLOW, .cancel_undoes = true, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_REFUND, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_NONE },
};

static struct peer peers[7];
static struct ccy EUR, NOK;
static const struct route_row routes[] = {
	{ .scheme = "alipay-plus", .mode = 'C', .to = SCHEME },
	{ .scheme = "bluecode", .mode = 'C', .to = CODE, .priority = 2 },
	{ .scheme = "bluecode", .mode = 'C', .to = SCHEME, .priority = 1 },
	{ .scheme = "vipps", .mode = 'C', .to = PUSH },
	{ .scheme = "alipay-plus-order", .mode = 'M', .to = SCHEME },
};
static struct rate rates[2];
static struct fee_row fee = {
	.name = "service", .agreement = 10 + TILL, .basis_points = 50, .on_refund = FEE_PRORATE
};
static struct snapshot sn;

static void set_text(char *dst, size_t cap, const char *text)
{
	assert_true(span_to_cstr(span_str(text), dst, cap));
}

static void set_peer(
	int i, const char *name, struct ccy settle, bool scheme, const struct caps *caps)
{
	struct peer *p = &peers[i - 1];

	*p = (struct peer){ .number = (uint16_t)i,
		.agreement = (uint16_t)(10 + i),
		.settle = settle,
		.scheme = scheme,
		.cancel_until_min = -1,
		.refund_days = 365,
		.expire_s = 120,
		.hold_ms = 6000,
		.notify = NOTIFY_LATE };
	set_text(p->name, sizeof p->name, name);
	for (; caps->op; caps++)
		p->caps[caps->op] = caps;
}

struct world {
	struct pay rec;
	struct step st;
	struct wall now;
	int64_t posted[64], reserved;
	int32_t account[64];
	int accounts;
	struct msg m;
	int replies[64];
};

static int64_t *sum_of(struct world *w, int32_t account)
{
	for (int i = 0; i < w->accounts; i++)
		if (w->account[i] == account)
			return &w->posted[i];
	w->account[w->accounts] = account;
	return &w->posted[w->accounts++];
}

static int64_t position(struct world *w, int peer, struct ccy c)
{
	return *sum_of(w, acct_number(ACCT_POSITION, (uint16_t)(10 + peer), c));
}

static void check_step(struct world *w, const struct pay *before)
{
	int64_t sum[1000] = { 0 };
	struct pay again;

	assert_null(pay_check(&w->st.next));
	for (int i = 0; i < w->st.entry_count; i++) {
		const struct entry *e = &w->st.entry[i];
		int64_t minor = money_minor(e->money);
		if (e->kind == ENTRY_POST) {
			sum[money_ccy(e->money).num] += minor;
			*sum_of(w, e->account) += minor;
		} else {
			w->reserved += minor;
		}
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(sum[i], 0);
	if (pay_is_final(&w->st.next) && w->reserved)
		print_error("still reserved in %s (flow %d, from %s): %s\n",
			pay_state_name(pay_state(&w->st.next)), w->st.next.flow,
			pay_state_name(pay_state(before)), w->st.moved ? w->st.moved : "");
	if (pay_is_final(&w->st.next))
		assert_int_equal(w->reserved, 0);
	if (pay_is_final(before) &&
		!(pay_state(before) == PAY_PAID || pay_state(before) == PAY_PARTLY_REFUNDED ||
			pay_state(before) == PAY_REFUNDED) &&
		!w->st.next.late)
		assert_int_equal(pay_state(before), pay_state(&w->st.next)); /* F-6 */
	assert_int_equal(pay_unpack(span_of(w->st.record, w->st.record_bytes), &again), RC_OK);
	for (int i = 0; i < w->st.reply_count; i++) {
		assert_true(w->st.reply_seq[i] < 64);
		assert_int_equal(
			w->replies[w->st.reply_seq[i]]++, 0); /* an answer becomes final once */
	}
}

static void step(struct world *w, struct pay_event ev)
{
	struct pay before = w->rec;
	static struct step twice;

	ev.now = w->now;
	core_step(&sn, &before, &ev, &w->st);
	core_step(&sn, &before, &ev, &twice);
	assert_int_equal(w->st.record_bytes, twice.record_bytes);
	assert_memory_equal(w->st.record, twice.record, twice.record_bytes);
	check_step(w, &before);
	w->rec = w->st.next;
	w->now.us += 1000;
}

static struct world *fresh(void)
{
	struct world *w = calloc(1, sizeof *w);

	w->now = (struct wall){ INT64_C(1768469400000000) };
	return w;
}

static void pay_request(struct world *w, const char *scheme, int64_t minor)
{
	struct pay_event ev = { .kind = EV_REQUEST,
		.op = OP_DEBIT,
		.peer = TILL,
		.msg = &w->m,
		.claim_count = 1,
		.new_id = { { 1, 2, 3 } },
		.scheme_count = 1,
		.scheme = { scheme } };

	memset(&w->m, 0, sizeof w->m);
	w->m.op = OP_DEBIT;
	set_text(w->m.request_id, sizeof w->m.request_id, "till-payment-1");
	set_text(w->m.code.text, sizeof w->m.code.text, "98802222100100123456");
	w->m.amount = money_of(minor, EUR);
	step(w, ev);
}

static void ask(struct world *w, enum op op, int peer, int64_t minor)
{
	struct pay_event ev = {
		.kind = EV_REQUEST, .op = op, .peer = (uint16_t)peer, .msg = &w->m, .claim_count = 1
	};

	memset(&w->m, 0, sizeof w->m);
	w->m.op = op;
	if (op == OP_REFUND) {
		w->m.has_refund = true;
		w->m.refund.amount = money_of(minor, money_ccy(w->rec.amount));
	}
	step(w, ev);
}

static void answer_msg(struct world *w, enum side side, enum op op, enum outcome o, enum reason r)
{
	struct pay_event ev = { .kind = EV_ANSWER,
		.op = op,
		.side = side,
		.msg = &w->m,
		.peer = side == SIDE_ISSUER ? w->rec.iss.peer : w->rec.acq.peer,
		.attempt = side == SIDE_ISSUER ? w->rec.iss.attempt : w->rec.acq.attempt };

	if (op == OP_REFUND)
		ev.refund_seq = w->rec.refund_seq;
	w->m.op = op;
	w->m.answer = true;
	w->m.outcome = o;
	w->m.reason = r;
	step(w, ev);
}

static void answer(struct world *w, enum op op, enum outcome o, enum reason r)
{
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ISSUER, op, o, r);
}

static void lost(struct world *w, enum op op, enum lost how)
{
	struct pay_event ev = { .kind = EV_NO_ANSWER,
		.op = op,
		.side = SIDE_ISSUER,
		.lost = how,
		.peer = w->rec.iss.peer,
		.attempt = w->rec.iss.attempt };

	if (op == OP_REFUND)
		ev.refund_seq = w->rec.refund_seq;
	step(w, ev);
}

static void due(struct world *w)
{
	assert_true(w->rec.due.us > 0);
	if (w->now.us < w->rec.due.us)
		w->now = w->rec.due;
	step(w, (struct pay_event){ .kind = EV_DUE });
}

static void expect_call(struct world *w, enum op op)
{
	assert_int_equal(w->st.call_count, 1);
	assert_string_equal(op_name(w->st.call[0].op), op_name(op));
}

static void expect_state(struct world *w, enum pay_state s)
{
	assert_string_equal(pay_state_name(pay_state(&w->rec)), pay_state_name(s));
}

static void approved(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	expect_call(w, OP_DEBIT);
	expect_state(w, PAY_DEBITING);
	assert_int_equal(w->reserved, 8900);
	answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	assert_int_equal(w->st.reply_count, 1);
	assert_int_equal(position(w, CODE, EUR), 8900);
	assert_int_equal(position(w, TILL, EUR), -8900 + 44); /* fee 50 bp of 89.00, half to even */
	assert_int_equal(w->rec.due.us, 0);
	free(w);
}

static void declined_and_next_candidate(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	expect_call(w, OP_DEBIT); /* the next owner of such digits is asked */
	assert_int_equal(w->st.call[0].peer, SCHEME);
	answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	expect_state(w, PAY_DECLINED);
	assert_int_equal(position(w, CODE, EUR), 0);
	free(w);
}

static void never_next_after_timeout(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	lost(w, OP_DEBIT, LOST_UNKNOWN);
	expect_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.call_count, 0);
	due(w);
	expect_call(w, OP_INQUIRE);
	answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	expect_state(w, PAY_DECLINED);
	free(w);
}

static void unsent_goes_on(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	lost(w, OP_DEBIT, LOST_UNSENT);
	expect_call(w, OP_DEBIT);
	lost(w, OP_DEBIT, LOST_UNSENT);
	expect_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_UNAVAILABLE);
	free(w);
}

static void lost_then_found(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "alipay-plus", 8900);
	lost(w, OP_DEBIT, LOST_UNKNOWN);
	due(w);
	answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	free(w);
}

static void not_found_is_cancelled(void **state)
{
	struct world *w = fresh();
	int n = 0;

	(void)state;
	pay_request(w, "bluecode", 8900);
	lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (w->rec.undo.phase == UNDO_NONE && n++ < 10) {
		due(w);
		if (w->st.call_count)
			answer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
	}
	expect_call(w, OP_CANCEL);
	expect_state(w, PAY_UNDOING);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	expect_state(w, PAY_UNDONE);
	assert_int_equal(position(w, CODE, EUR), 0);
	free(w);
}

static void late_success(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	lost(w, OP_DEBIT, LOST_UNKNOWN);
	ask(w, OP_CANCEL, TILL, 0);
	expect_call(w, OP_CANCEL);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	expect_state(w, PAY_CANCELLED);
	answer(w, OP_DEBIT, OUTCOME_APPROVED,
		REASON_NONE); /* the debit's own answer, much too late */
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_int_equal(position(w, CODE, EUR), 8900);
	expect_call(w, OP_CANCEL);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(position(w, CODE, EUR), 0);
	free(w);
}

static void late_success_at_the_scheme(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "alipay-plus", 8900);
	lost(w, OP_DEBIT, LOST_UNKNOWN);
	ask(w, OP_CANCEL, TILL, 0);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	memset(&w->m, 0, sizeof w->m);
	w->m.authentic = true;
	w->m.outcome = OUTCOME_APPROVED;
	step(w, (struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
	assert_int_equal(w->st.fate, FATE_ACK);
	assert_int_equal(w->st.call_count, 0); /* the scheme reverses it */
	assert_int_equal(position(w, SCHEME, EUR), 0);
	expect_state(w, PAY_CANCELLED);
	free(w);
}

static void capture_wallet(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "vipps", 1000);
	assert_int_equal(
		money_minor(w->rec.iss.ask), 11730); /* 10.00 EUR at 11.50 and 2 %, rounded up */
	answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	expect_state(w, PAY_PENDING);
	due(w);
	answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	expect_call(w, OP_CAPTURE);
	lost(w, OP_CAPTURE, LOST_UNKNOWN);
	due(w);
	answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	expect_call(w, OP_CAPTURE); /* it had not arrived: the same capture again */
	lost(w, OP_CAPTURE, LOST_UNKNOWN);
	due(w);
	answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	assert_int_equal(position(w, PUSH, NOK), 11730);
	ask(w, OP_REFUND, TILL, 333);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PARTLY_REFUNDED);
	ask(w, OP_REFUND, TILL, 668);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(pay_refund(&w->rec, 2)->reason, REASON_REFUND_SUM);
	ask(w, OP_REFUND, TILL, 667);
	lost(w, OP_REFUND, LOST_UNKNOWN);
	expect_state(w, PAY_REFUNDING);
	due(w);
	expect_call(w, OP_REFUND);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_REFUNDED);
	assert_int_equal(
		position(w, PUSH, NOK), 0); /* a full refund returns exactly what was taken */
	assert_int_equal(position(w, TILL, EUR), 0);
	free(w);
}

static void payer_never_acts(void **state)
{
	struct world *w = fresh();
	int n = 0;

	(void)state;
	pay_request(w, "vipps", 1000);
	answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	while (w->rec.undo.phase == UNDO_NONE && n++ < 200) {
		due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE)
			answer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	}
	expect_call(w, OP_CANCEL);
	answer(w, OP_CANCEL, OUTCOME_DECLINED, REASON_STATE); /* approved in the last moment */
	expect_call(w, OP_INQUIRE);
	answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_int_equal(w->st.call_count, 0); /* a moment later, and then all of it */
	due(w);
	expect_call(w, OP_CANCEL);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_CANCELLED);
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_true(pay_is_final(&w->rec));
	assert_int_equal(w->reserved, 0);
	free(w);
}

static void tourist_scan(struct world *w)
{
	struct pay_event ev = { .kind = EV_REQUEST,
		.op = OP_RESOLVE,
		.peer = WALLET,
		.msg = &w->m,
		.claim_count = 1,
		.new_id = { { 9 } },
		.scheme_count = 1,
		.scheme = { "alipay-plus-order" } };

	memset(&w->m, 0, sizeof w->m);
	w->m.op = OP_RESOLVE;
	set_text(w->m.request_id, sizeof w->m.request_id, "scan-1");
	set_text(w->m.code.text, sizeof w->m.code.text, "https://qr.alipayplus.com/281");
	step(w, ev);
	expect_call(w, OP_RESOLVE);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(1000, EUR);
	set_text(w->m.request_id, sizeof w->m.request_id, "aplus-order-1");
	answer_msg(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_OPEN);
	assert_int_equal(w->st.claim_count, 1);
}

static void scan_confirm_tell(void **state)
{
	struct world *w = fresh();

	(void)state;
	tourist_scan(w);
	ask(w, OP_CONFIRM, WALLET, 0);
	expect_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, PUSH);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	expect_call(w, OP_TELL);
	expect_state(w, PAY_TELLING);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	assert_int_equal(position(w, PUSH, NOK), 11730);
	assert_int_equal(position(w, SCHEME, EUR), -1000);
	ask(w, OP_CANCEL, SCHEME, 0); /* the scheme cancels: answered at once, undone by a refund */
	assert_int_equal(w->st.reply_count, 1);
	expect_call(w, OP_REFUND);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_CANCELLED);
	assert_int_equal(position(w, PUSH, NOK), 0);
	free(w);
}

static void told_and_refused(void **state)
{
	struct world *w = fresh();

	(void)state;
	tourist_scan(w);
	ask(w, OP_CONFIRM, WALLET, 0);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	expect_call(w, OP_REFUND);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_UNDONE);
	assert_int_equal(position(w, PUSH, NOK), 0);
	assert_int_equal(position(w, SCHEME, EUR), 0);
	free(w);
}

static void never_confirmed(void **state)
{
	struct world *w = fresh();

	(void)state;
	tourist_scan(w);
	due(w);
	expect_state(w, PAY_EXPIRED);
	ask(w, OP_CONFIRM, WALLET, 0);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	free(w);
}

static void self_scan(struct world *w)
{
	struct pay_event ev = { .kind = EV_REQUEST,
		.op = OP_RESOLVE,
		.peer = SELF,
		.msg = &w->m,
		.claim_count = 1,
		.new_id = { { 7 } },
		.scheme_count = 1,
		.scheme = { "alipay-plus-order" } };

	memset(&w->m, 0, sizeof w->m);
	w->m.op = OP_RESOLVE;
	step(w, ev);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(1000, EUR);
	set_text(w->m.request_id, sizeof w->m.request_id, "aplus-order-2");
	answer_msg(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_OPEN);
	assert_int_equal(w->reserved, 1000); /* it may debit at any moment */
}

static void tell_us(struct world *w, int peer, enum outcome o, int64_t minor)
{
	struct pay_event ev = { .kind = EV_REQUEST,
		.op = OP_TELL,
		.peer = (uint16_t)peer,
		.msg = &w->m,
		.claim_count = 1,
		.new_id = { { 8 } },
		.scheme_count = 1,
		.scheme = { "alipay-plus-order" } };

	memset(&w->m, 0, sizeof w->m);
	w->m.op = OP_TELL;
	w->m.outcome = o;
	w->m.amount = money_of(minor, EUR);
	set_text(w->m.code.text, sizeof w->m.code.text, "https://qr.alipayplus.com/281");
	step(w, ev);
}

/* The wallet goes away while the acquirer's side is still asked what stands behind the code. */
static void cancelled_while_resolving(void **state)
{
	struct pay_event ev = { .kind = EV_REQUEST,
		.op = OP_RESOLVE,
		.peer = SELF,
		.claim_count = 1,
		.new_id = { { 7 } },
		.scheme_count = 1,
		.scheme = { "alipay-plus-order" } };
	struct world *w = fresh();

	(void)state;
	ev.msg = &w->m;
	w->m.op = OP_RESOLVE;
	step(w, ev);
	tell_us(w, SELF, OUTCOME_APPROVED, 1000); /* of an order that nobody has shown it */
	assert_int_equal(w->st.fate, FATE_REFUSE);
	ask(w, OP_TELL, SELF, 0);
	w->m.outcome = OUTCOME_APPROVED;
	step(w, (struct pay_event){
			.kind = EV_REQUEST, .op = OP_TELL, .peer = SELF, .msg = &w->m });
	assert_int_equal(w->st.fate, FATE_REFUSE);
	ask(w, OP_CANCEL, SELF, 0);
	expect_state(w, PAY_CANCELLED);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(1000, EUR);
	set_text(w->m.request_id, sizeof w->m.request_id, "aplus-order-3");
	answer_msg(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_CANCELLED);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(w->rec.due.us, 0);
	free(w);
}

/* They took it, then they do not know it: that gives nobody his money back. */
static void taken_and_not_found(void **state)
{
	struct world *w = fresh();

	(void)state;
	tourist_scan(w);
	ask(w, OP_CONFIRM, WALLET, 0);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	for (int i = 0; i < 5; i++) {
		expect_call(w, OP_REFUND);
		answer(w, OP_REFUND, OUTCOME_NOT_FOUND, REASON_NONE);
		assert_false(pay_is_final(&w->rec));
		assert_int_equal(w->st.call_count, 0);
		due(w);
	}
	expect_state(w, PAY_UNDOING);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_int_equal(position(w, PUSH, NOK), 0);
	free(w);
}

/* An answer to the undo's own call, even where that is a refund. */
static void answer_undo(struct world *w, enum op op, enum outcome o, const char *peer_id)
{
	memset(&w->m, 0, sizeof w->m);
	w->m.op = op;
	w->m.answer = true;
	w->m.outcome = o;
	set_text(w->m.peer_id, sizeof w->m.peer_id, peer_id);
	step(w, (struct pay_event){ .kind = EV_ANSWER,
			.op = op,
			.side = SIDE_ISSUER,
			.msg = &w->m,
			.peer = w->rec.iss.peer,
			.attempt = w->rec.iss.attempt });
}

/* Giving back is a refund that takes its time: it is sent once, and asked about from then on. */
static void giving_back_takes_time(void **state)
{
	static const struct caps about = {
		.op = OP_INQUIRE_REFUND, .allowed_ms = ALLOW, .ladder = { 3, { 2, 2, 3 } }
	};
	struct world *w = fresh();

	(void)state;
	peers[PUSH - 1].caps[OP_INQUIRE_REFUND] = &about;
	tourist_scan(w);
	ask(w, OP_CONFIRM, WALLET, 0);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	expect_call(w, OP_REFUND);
	answer_undo(w, OP_REFUND, OUTCOME_PENDING, "");
	due(w);
	expect_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_PENDING, "");
	due(w);
	expect_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_NOT_FOUND, ""); /* by our id: again */
	assert_int_equal(w->st.call_count, 0);
	due(w);
	expect_call(w, OP_REFUND);
	answer_undo(w, OP_REFUND, OUTCOME_UNKNOWN, "");
	due(w);
	expect_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_APPROVED, "");
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_int_equal(position(w, PUSH, NOK), 0);
	peers[PUSH - 1].caps[OP_INQUIRE_REFUND] = NULL;
	free(w);
}

/* The debit's answer was lost, and with it the id by which alone it could be refunded. */
static void the_undo_learns_their_id(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "vipps", 1000);
	answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	ask(w, OP_CANCEL, TILL, 0);
	expect_call(w, OP_CANCEL);
	answer_undo(w, OP_CANCEL, OUTCOME_UNKNOWN, "their-id-7");
	assert_string_equal(w->rec.iss.their_id, "their-id-7");
	due(w);
	expect_call(w, OP_CANCEL);
	answer_undo(w, OP_CANCEL, OUTCOME_REVERSED, "another");
	assert_string_equal(w->rec.iss.their_id, "their-id-7");
	expect_state(w, PAY_CANCELLED);
	free(w);
}

static void refund_not_found(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "vipps", 1000);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	ask(w, OP_REFUND, TILL, 400);
	expect_call(w, OP_REFUND);
	answer(w, OP_REFUND, OUTCOME_NOT_FOUND, REASON_NONE);
	assert_int_equal(w->st.call_count, 0); /* not round and round: its ladder says when */
	due(w);
	expect_call(w, OP_REFUND);
	answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PARTLY_REFUNDED);
	free(w);
}

/* A refund whose slot was used again is known by its stored answer, which is the requester's. */
static void refund_read_by_others(void **state)
{
	struct pay_event ev = { .kind = EV_REQUEST, .op = OP_READ };
	struct world *w = fresh();
	struct buf b;

	(void)state;
	pay_request(w, "vipps", 1000);
	answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	for (int i = 0; i < 5; i++)
		ask(w, OP_REFUND, TILL, 2000); /* too much: refused, and kept */
	memset(&w->m, 0, sizeof w->m);
	w->m.has_refund = true;
	b = buf_init(w->m.refund.id, sizeof w->m.refund.id - 1);
	pay_write_id(&w->rec, 'r', 1, &b);
	ev.msg = &w->m;
	ev.peer = TILL;
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	ev.peer = PUSH;
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	w->rec.refund_seq = REFUND_SEQ_MAX;
	ask(w, OP_REFUND, TILL, 10);
	assert_int_equal(w->st.refusal, REASON_STATE);
	free(w);
}

/* An older copy of the record is asked for a refund that it does not know yet. */
static void refund_of_an_older_copy(void **state)
{
	struct world *w = fresh();
	struct msg *m = calloc(1, sizeof *m);

	(void)state;
	pay_request(w, "bluecode", 1000);
	answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	reply_build(&w->rec, TILL, OP_REFUND, SEQ_REFUND + 1, m);
	assert_int_equal(m->outcome, OUTCOME_PENDING);
	free(m);
	free(w);
}

static void push_of_a_stranger(void **state)
{
	struct pay_event ev = { .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME };
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 1000);
	memset(&w->m, 0, sizeof w->m);
	w->m.authentic = true;
	w->m.outcome = OUTCOME_APPROVED;
	ev.msg = &w->m;
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	assert_false(w->st.changed);
	free(w);
}

static void wallet_debits_itself(void **state)
{
	struct world *w = fresh();

	(void)state;
	self_scan(w);
	tell_us(w, SELF, OUTCOME_DECLINED, 1000);
	expect_state(w, PAY_OPEN); /* a failed try leaves the order open */
	tell_us(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_VIEW);
	expect_call(w, OP_TELL);
	assert_int_equal(position(w, SELF, EUR), 1000);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	tell_us(w, SELF, OUTCOME_APPROVED, 1000); /* again: acknowledged, nothing changes */
	assert_false(w->st.changed);
	tell_us(w, SELF, OUTCOME_APPROVED, 1001);
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	free(w);
}

static void wallet_debits_too_late(void **state)
{
	struct world *w = fresh();

	(void)state;
	self_scan(w);
	due(w);
	expect_state(w, PAY_EXPIRED);
	tell_us(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	expect_call(w, OP_CANCEL); /* repeated until certain */
	assert_int_equal(position(w, SELF, EUR), 1000);
	lost(w, OP_CANCEL, LOST_UNKNOWN);
	due(w);
	expect_call(w, OP_CANCEL);
	answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(position(w, SELF, EUR), 0);
	free(w);
}

static void pushed_money(void **state)
{
	struct world *w = fresh();

	(void)state;
	tell_us(w, SELF, OUTCOME_APPROVED, 500);
	expect_call(w, OP_RESOLVE);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(500, EUR);
	answer_msg(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	expect_call(w, OP_TELL);
	assert_int_equal(position(w, SELF, EUR), 0); /* not before they take it */
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_PAID);
	assert_int_equal(w->st.reply_count, 1);
	assert_int_equal(position(w, SELF, EUR), 500);
	assert_int_equal(position(w, SCHEME, EUR), -500);
	free(w);
}

static void pushed_and_rejected(void **state)
{
	struct world *w = fresh();

	(void)state;
	tell_us(w, SELF, OUTCOME_APPROVED, 500);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(500, EUR);
	answer_msg(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	memset(&w->m, 0, sizeof w->m);
	answer_msg(w, SIDE_ACQUIRER, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	expect_state(w, PAY_DECLINED);
	assert_int_equal(w->st.reply_count, 1);
	assert_int_equal(position(w, SELF, EUR), 0);
	free(w);
}

static void repeats(void **state)
{
	struct world *w = fresh();
	struct pay_event ev = {
		.kind = EV_REQUEST, .op = OP_DEBIT, .peer = TILL, .msg = &w->m, .repeated = true
	};

	(void)state;
	pay_request(w, "bluecode", 8900);
	w->m.op = OP_DEBIT;
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_WAIT);
	assert_false(w->st.changed);
	answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	ev.fingerprint[0] = 1;
	step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	ev.peer = TOUR; /* somebody else's payment does not exist */
	step(w, ev);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	free(w);
}

static void another_amount(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	memset(&w->m, 0, sizeof w->m);
	w->m.amount = money_of(890, EUR);
	answer_msg(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	expect_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	free(w);
}

static void refund_without_an_id(void **state)
{
	struct world *w = fresh();

	(void)state;
	pay_request(w, "bluecode", 8900);
	answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	ask(w, OP_REFUND, TILL, 100);
	lost(w, OP_REFUND, LOST_UNKNOWN);
	ask(w, OP_REFUND, TILL, 100);
	assert_int_equal(w->st.refusal, REASON_BUSY); /* one in flight per payment */
	for (int i = 0; i < 6; i++) {
		due(w);
		assert_true(w->st.call_count == 0 ||
			    w->st.call[0].op == OP_INQUIRE); /* never repeated */
	}
	expect_state(w, PAY_STUCK);
	free(w);
}

/* A walk: whatever the issuer says, whatever is lost, in whatever order; the checks of each step
 * hold, and once the issuer is honest again, the payment ends. */
static uint64_t seed;
static unsigned dice(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void honest_end(struct world *w)
{
	for (int n = 0; n < 400 && !pay_is_final(&w->rec); n++) {
		struct call c;
		if (!w->st.call_count) {
			due(w);
			continue;
		}
		c = w->st.call[0];
		memset(&w->m, 0, sizeof w->m);
		if (c.refund_seq && c.op == OP_INQUIRE) {
			w->m.has_counts = true;
			w->m.returned = money_is_none(w->rec.iss.returned)
						? money_of(0, money_ccy(w->rec.iss.ask))
						: w->rec.iss.returned;
		}
		w->m.op = c.op;
		w->m.outcome = c.op == OP_CANCEL ? OUTCOME_REVERSED
			       : c.op == OP_CAPTURE || c.op == OP_REFUND || c.op == OP_TELL
				       ? OUTCOME_APPROVED
			       : w->rec.iss.op == OP_CAPTURE && money_sign(w->rec.iss.taken) == 0
				       ? OUTCOME_HELD
			       : money_sign(w->rec.iss.taken) > 0 ? OUTCOME_APPROVED
								  : OUTCOME_DECLINED;
		step(w, (struct pay_event){ .kind = EV_ANSWER,
				.op = c.op,
				.side = c.side,
				.msg = &w->m,
				.peer = c.peer,
				.attempt = c.attempt,
				.refund_seq = c.refund_seq });
	}
	if (!pay_is_final(&w->rec))
		print_error(
			"seed state %s: iss %s op %s asking %d, undo %s op %s, acq %s op %s, late %d\n",
			pay_state_name(pay_state(&w->rec)), fsm_leg.state_name[w->rec.iss.phase],
			op_name(w->rec.iss.op), w->rec.iss.asking,
			fsm_undo.state_name[w->rec.undo.phase], op_name(w->rec.undo.op),
			fsm_leg.state_name[w->rec.acq.phase], op_name(w->rec.acq.op), w->rec.late);
	assert_true(pay_is_final(&w->rec));
}

static void walk(void **state)
{
	static const char *const scheme[] = { "bluecode", "alipay-plus", "vipps" };

	(void)state;
	for (uint64_t s = 1; s <= 20000; s++) {
		struct world *w = fresh();
		struct call out[64];
		int outs = 0;

		seed = s;
		switch (dice(6)) {
		case 0:
			tourist_scan(w);
			break;
		case 1:
			self_scan(w);
			break;
		case 2:
			tell_us(w, SELF, OUTCOME_APPROVED, 1000);
			break;
		default:
			pay_request(w, scheme[dice(3)], 1 + dice(100000));
		}
		for (int i = 0; i < 40; i++) {
			for (int j = 0; j < w->st.call_count && outs < 64; j++)
				out[outs++] = w->st.call[j];
			w->st.call_count = 0;
			switch (dice(8)) {
			case 0:
				if (w->rec.due.us)
					due(w);
				break;
			case 1:
				ask(w, dice(2) ? OP_CANCEL : OP_REFUND, w->rec.acq.peer,
					1 + dice(2000));
				break;
			case 2:
				if (w->rec.flow == FLOW_SCAN)
					ask(w, OP_CONFIRM, WALLET, 0);
				else if (w->rec.flow == FLOW_WALLET_DEBITS)
					tell_us(w, SELF, OUTCOME_APPROVED, 1000);
				break;
			default:
				if (outs) {
					int k = (int)dice((unsigned)outs);
					struct call c = out[k];
					if (dice(4)) /* some answers come twice */
						out[k] = out[--outs];
					memset(&w->m, 0, sizeof w->m);
					w->m.outcome = (enum outcome)(1 + dice(7));
					w->m.reason = dice(3) ? REASON_NONE : REASON_CODE_UNKNOWN;
					if (c.op == OP_RESOLVE)
						w->m.amount = money_of(1000, EUR);
					w->m.op = c.op;
					step(w, (struct pay_event){
							.kind = dice(4) ? EV_ANSWER : EV_NO_ANSWER,
							.op = c.op,
							.side = c.side,
							.msg = &w->m,
							.peer = c.peer,
							.attempt = c.attempt,
							.refund_seq = c.refund_seq,
							.lost = dice(2) ? LOST_UNSENT
									: LOST_UNKNOWN });
				}
			}
		}
		honest_end(w);
		free(w);
	}
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(ccy_by_alpha(SPAN("EUR"), &EUR), RC_OK);
	assert_int_equal(ccy_by_alpha(SPAN("NOK"), &NOK), RC_OK);
	set_peer(TILL, "till", EUR, false, till_caps);
	set_peer(SCHEME, "scheme", EUR, true, scheme_caps);
	set_peer(CODE, "code", EUR, false, code_caps);
	set_peer(PUSH, "push", NOK, false, push_caps);
	set_peer(WALLET, "wallet", NOK, false, till_caps);
	set_peer(TOUR, "tour", EUR, false, till_caps);
	set_peer(SELF, "self", EUR, false, self_caps);
	peers[WALLET - 1].debit_via = PUSH;
	rates[0] = (struct rate){ EUR, NOK, 1150, 2, { 1 }, { INT64_MAX } };
	rates[1] = (struct rate){ NOK, EUR, 87, 3, { 1 }, { INT64_MAX } };
	sn = (struct snapshot){ .peer = peers,
		.peer_count = 7,
		.route = routes,
		.route_count = 5,
		.fee = &fee,
		.fee_count = 1,
		.rate = rates,
		.rate_count = 2,
		.markup_bp = 200,
		.quote_life_s = 600 };
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(approved),
		cmocka_unit_test(declined_and_next_candidate),
		cmocka_unit_test(never_next_after_timeout),
		cmocka_unit_test(unsent_goes_on),
		cmocka_unit_test(lost_then_found),
		cmocka_unit_test(not_found_is_cancelled),
		cmocka_unit_test(late_success),
		cmocka_unit_test(late_success_at_the_scheme),
		cmocka_unit_test(capture_wallet),
		cmocka_unit_test(payer_never_acts),
		cmocka_unit_test(scan_confirm_tell),
		cmocka_unit_test(told_and_refused),
		cmocka_unit_test(never_confirmed),
		cmocka_unit_test(wallet_debits_itself),
		cmocka_unit_test(wallet_debits_too_late),
		cmocka_unit_test(pushed_money),
		cmocka_unit_test(pushed_and_rejected),
		cmocka_unit_test(repeats),
		cmocka_unit_test(another_amount),
		cmocka_unit_test(refund_without_an_id),
		cmocka_unit_test(cancelled_while_resolving),
		cmocka_unit_test(taken_and_not_found),
		cmocka_unit_test(giving_back_takes_time),
		cmocka_unit_test(the_undo_learns_their_id),
		cmocka_unit_test(refund_not_found),
		cmocka_unit_test(refund_read_by_others),
		cmocka_unit_test(refund_of_an_older_copy),
		cmocka_unit_test(push_of_a_stranger),
		cmocka_unit_test(walk),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
