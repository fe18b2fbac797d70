/*
 * test_core_order.c: orders of our own making, and the payments that take them: two records, of
 * which one claim lets exactly one have the order.
 */
#include "core_case.h"

#include <string.h>

static void make(struct payworld *w, int64_t minor)
{
	w->m = (struct msg){ 0 };
	memcpy(w->m.request_id, "till-order-1", 13);
	w->m.amount = money_of(minor, EUR);
	pw_begin(w, (struct pay_event){ .op = OP_ORDER, .peer = TILL });
}

/* A user of `wallet` scans the order's code; what stands behind it is the order's own word. */
static void scan_by(struct payworld *w, const struct pay *order, int acquirer, int wallet)
{
	w->m = (struct msg){ 0 };
	memcpy(w->m.request_id, "scan-2", 7);
	memcpy(w->m.code.format, "emv-mpm", 8);
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE,
			    .peer = (uint16_t)wallet,
			    .order = order->id,
			    .code_peer = (uint16_t)acquirer,
			    .new_id = { { 9, 9 } } });
	assert_call(w, OP_RESOLVE);
	assert_int_equal(w->st.call[0].peer, acquirer);
	order_resolve(order, (uint16_t)acquirer, false, w->now, &w->m);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, w->m.outcome, w->m.reason);
}

static void scan(struct payworld *w, const struct pay *order, int acquirer)
{
	scan_by(w, order, acquirer, WALLET);
}

static void assert_takes(const struct payworld *w, const struct pay *order)
{
	struct claim c = order_claim(&order->id);

	assert_true(w->st.takes);
	assert_memory_equal(w->st.claim[w->st.claim_count - 1].digest, c.digest, 16);
}

static void assert_order_id(const struct pay *order, const char *text)
{
	struct pay_id id;

	assert_int_equal(pay_id_parse(span_str(text), &id), RC_OK);
	assert_true(pay_id_eq(&id, &order->id));
}

static void waits_and_expires(void **state)
{
	struct payworld *w = *state;

	make(w, 1000);
	assert_state(w, PAY_OPEN);
	assert_true(w->st.replies);
	assert_int_equal(w->rec.due.us, w->rec.expires.us);
	assert_int_equal(w->st.call_count, 0);
	pw_due(w);
	assert_takes(w, &w->rec);
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_int_equal(w->rec.due.us, 0);
}

/* A till that only makes orders has no codes of its own to be asked about. */
static void of_one_who_resolves_nothing(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	pw_peer(TILL)->caps[OP_RESOLVE] = NULL;
	make(w, 1000);
	order = w->rec;
	pw_next(w);
	scan(w, &order, TILL);
	assert_state(w, PAY_OPEN);
	pw_next(w);
	w->m = (struct msg){ 0 }; /* while a code of its own leads nowhere */
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE, .peer = WALLET, .code_peer = TILL });
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_NO_ROUTE);
}

static void alarm_of_one_that_was_taken(void **state)
{
	struct payworld *w = *state;

	make(w, 1000);
	w->now = w->rec.due;
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .taken = true });
	assert_state(w, PAY_TAKEN);
	assert_int_equal(w->st.claim_count, 0);
	assert_int_equal(w->st.notify_count, 0);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.fate, FATE_FOLLOW);
}

static void cancelled_by_the_till(void **state)
{
	struct payworld *w = *state;

	make(w, 1000);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_takes(w, &w->rec);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(w->rec.due.us, 0);
	pw_ask(w, OP_READ, TILL, 0);
	assert_int_equal(w->st.fate, FATE_VIEW);
}

/* The claim is its own since it expired: to take it again would be refused for ever. */
static void cancelled_after_it_expired(void **state)
{
	struct payworld *w = *state;

	make(w, 1000);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_false(w->st.takes);
	assert_true(w->st.replies);
	assert_int_equal(w->st.reply_seq, SEQ_CANCEL);
}

/* Whether it was taken is not in its own record: who asks is sent to the payment, if there is one.
 */
static void asked_about(void **state)
{
	static const enum op about[] = { OP_READ, OP_REFUND };
	struct payworld *w = *state;

	make(w, 1000);
	for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
		pw_ask(w, about[i], TILL, 100);
		assert_int_equal(w->st.fate, FATE_FOLLOW);
	}
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_REFUND,
			   .peer = TILL,
			   .msg = &w->m,
			   .order_free = true });
	assert_int_equal(w->st.refusal, REASON_BUSY);
	pw_ask(w, OP_READ, WALLET, 0);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
}

static void refused_at_once(void **state)
{
	struct payworld *w = *state;

	make(w, 0);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	make(w, 1000000000000); /* 10000000000.00: one digit more than a code has room for */
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	pw_peer(TILL)->amount_max = money_of(500, EUR);
	make(w, 501);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_LIMIT);
	assert_int_equal(w->rec.due.us, 0);
}

static void paid(void **state)
{
	struct payworld *o = *state, *w;
	struct msg seen;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	assert_state(w, PAY_OPEN);
	pw_ask(w, OP_READ, TILL, 0); /* who only looks at it is nobody to its till */
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	assert_int_equal(w->st.claim_count, 0); /* the order's id is the order's own */
	assert_true(w->rec.expires.us <= o->rec.expires.us);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_takes(w, &o->rec);
	assert_call(w, OP_DEBIT);
	pw_call(w, &seen);
	assert_string_equal(seen.code.format, ""); /* no code of the payer's was shown to anybody */
	pw_captured(w);
	assert_int_equal(w->st.call_count, 0); /* its acquirer agreed when it made the order */
	assert_state(w, PAY_PAID);
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_int_equal(pw_position(w, TILL, EUR), -995);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &seen);
	assert_order_id(&o->rec, seen.object_id);
	assert_string_equal(seen.request_id, "till-order-1");
	assert_int_equal(money_minor(seen.settle), 1000);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_READ, SEQ_FIRST, &seen);
	assert_string_equal(seen.request_id, "scan-2");
	assert_int_equal(money_ccy(seen.settle).num, NOK.num);
	pw_ask(w, OP_REFUND, TILL, 400);
	assert_call(w, OP_REFUND);
	w->now.us += 7000000;
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
	assert_int_equal(w->st.notify[0].to, TILL); /* who asked for the refund, not who scanned */
	pw_free(w);
}

/* Who made the order needs no answers to give: the ledger has them. */
static void paid_where_nobody_can_be_asked(void **state)
{
	struct payworld *o = *state, *w;

	pw_peer(TILL)->caps[OP_RESOLVE] = NULL;
	pw_peer(TILL)->caps[OP_TELL] = NULL;
	make(o, 1000);
	w = pw_new();
	pw_peer(TILL)->caps[OP_RESOLVE] = NULL;
	pw_peer(TILL)->caps[OP_TELL] = NULL;
	scan(w, &o->rec, TILL);
	assert_state(w, PAY_OPEN);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	assert_state(w, PAY_PAID);
	pw_free(w);
}

/* ---- an order that comes back ---- */

/* A request of the till's about the order, that was led here. */
static void ask_through_order(struct payworld *w, const struct pay *order, enum op op)
{
	w->m = (struct msg){ .op = op };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = op,
			   .peer = TILL,
			   .msg = &w->m,
			   .order_from = order->id });
}

/* Its wallet refused before anything moved: the till hears nothing, since its order is open. */
static void refused_for_certain_gives_it_back(void **state)
{
	struct payworld *o = *state, *w;
	struct pay first;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_state(w, PAY_DECLINED);
	assert_true(w->rec.gave_back);
	assert_int_equal(w->st.call_count, 0);
	for (int i = 0; i < w->st.notify_count; i++)
		assert_int_not_equal(w->st.notify[i].to, TILL);
	ask_through_order(w, &o->rec, OP_READ);
	assert_int_equal(w->st.fate, FATE_FOLLOW);
	ask_through_order(w, &o->rec, OP_CANCEL); /* it is the order that is to be cancelled */
	assert_int_equal(w->st.fate, FATE_FOLLOW);
	first = w->rec;
	pw_next(w);
	scan(w, &o->rec, TILL);
	w->m = (struct msg){ .op = OP_CONFIRM };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CONFIRM,
			   .peer = WALLET,
			   .msg = &w->m,
			   .order_from = first.id,
			   .order_version = pay_version(&first) });
	assert_takes(w, &first);
	/* what the till saw of the order when it was open again comes between the two */
	assert_true(pay_version(&w->rec) > pay_version(&first) + ORDER_STEPS_MAX);
	pw_captured(w);
	assert_state(w, PAY_PAID);
	assert_false(w->rec.gave_back);
	assert_int_equal(w->st.notify[0].to, TILL);
	pw_free(w);
}

static void the_payer_refuses_after_a_while(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_false(w->rec.gave_back);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_FUNDS);
	assert_true(w->rec.gave_back);
	pw_free(w);
}

static void never_sent_gives_it_back(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_lost(w, OP_DEBIT, LOST_UNSENT);
	assert_state(w, PAY_DECLINED);
	assert_true(w->rec.gave_back);
	pw_free(w);
}

/* Whatever is found out later: another was not let in while nobody knew. */
static void an_unknown_keeps_it(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	assert_state(w, PAY_IN_DOUBT);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_FUNDS);
	assert_state(w, PAY_DECLINED);
	assert_false(w->rec.gave_back);
	assert_int_equal(w->st.notify[w->st.notify_count - 1].to, TILL);
	ask_through_order(w, &o->rec, OP_READ);
	assert_int_equal(w->st.fate, FATE_VIEW);
	pw_free(w);
}

static void an_undo_keeps_it(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	ask_through_order(w, &o->rec, OP_CANCEL);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_false(w->rec.gave_back);
	pw_free(w);
}

/* The end is for every process by its own clock: so near to it the order stays where it is. */
static void too_late_to_give_back(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	w->now.us = w->rec.expires.us - 9000000;
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_false(w->rec.gave_back);
	assert_int_equal(w->st.notify[w->st.notify_count - 1].to, TILL);
	pw_free(w);
}

/* A word that comes late: his money goes back, the order is no longer his. */
static void a_success_after_it_was_given_back(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	w->m = (struct msg){
		.outcome = OUTCOME_APPROVED, .authentic = true, .amount = w->rec.iss.ask
	};
	pw_step(w, (struct pay_event){
			   .kind = EV_PUSH, .op = OP_PUSH, .peer = w->rec.iss.peer, .msg = &w->m });
	assert_true(w->rec.gave_back);
	for (int i = 0; i < w->st.notify_count; i++)
		assert_int_not_equal(w->st.notify[i].to, TILL);
	assert_int_equal(pw_position(w, TILL, EUR), 0);
	pw_free(w);
}

/* A payer of a scheme's: the same. */
static void a_schemes_payer_refuses(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan_by(w, &o->rec, TILL, SCHEME);
	assert_takes(w, &o->rec);
	assert_state(w, PAY_PENDING);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_FUNDS);
	assert_true(w->rec.gave_back);
	assert_int_equal(w->reserved, 0);
	pw_free(w);
}

static void the_order_ends_after_it_came_back(void **state)
{
	struct payworld *w = *state;
	struct pay first = { .id = { { 9, 9 } } };

	make(w, 1000);
	w->now = w->rec.due;
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .order_from = first.id });
	assert_takes(w, &first);
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(w->st.notify[0].to, TILL);
}

/* Many may scan it; what becomes of those that do not take it is not the order's fate. */
static void other_scans_are_not_told(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	pw_ask(w, OP_CANCEL, WALLET, 0);
	assert_state(w, PAY_CANCELLED);
	for (int i = 0; i < w->st.notify_count; i++)
		assert_int_not_equal(w->st.notify[i].to, TILL);
	pw_next(w);
	scan(w, &o->rec, TILL);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	for (int i = 0; i < w->st.notify_count; i++)
		assert_int_not_equal(w->st.notify[i].to, TILL);
	pw_free(w);
}

static void tell(struct payworld *w, bool taken)
{
	w->m = (struct msg){ .op = OP_TELL, .outcome = OUTCOME_APPROVED };
	w->m.amount = w->rec.amount;
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_TELL,
			   .peer = SELF,
			   .msg = &w->m,
			   .taken = taken });
}

static void paid_by_a_wallet_that_debits_itself(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan_by(w, &o->rec, TILL, SELF);
	tell(w, false);
	assert_takes(w, &o->rec);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->st.notify[w->st.notify_count - 1].to, TILL);
	tell(w, false);
	assert_false(w->st.changed);
	pw_free(w);
}

/* It has its user's money, but another has the order: the money goes back. */
static void debits_itself_and_another_was_first(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan_by(w, &o->rec, TILL, SELF);
	tell(w, true);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_false(w->st.takes);
	assert_call(w, OP_CANCEL);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(pw_position(w, TILL, EUR), 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
	pw_free(w);
}

static void another_was_first(void **state)
{
	struct payworld *o = *state, *w;

	make(o, 1000);
	w = pw_new();
	scan(w, &o->rec, TILL);
	w->m = (struct msg){ .op = OP_CONFIRM };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CONFIRM,
			   .peer = WALLET,
			   .msg = &w->m,
			   .claim_count = 1,
			   .taken = true });
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	assert_false(w->st.changed);
	pw_free(w);
}

static void what_it_says_to_a_scan(void **state)
{
	struct payworld *w = *state;
	struct pay none = { 0 };
	struct msg m;

	make(w, 1000);
	order_resolve(&w->rec, TILL, true, w->now, &m);
	assert_int_equal(m.reason, REASON_CLOSED);
	order_resolve(&w->rec, TOUR, false, w->now, &m); /* a forged code */
	assert_int_equal(m.reason, REASON_CODE_UNKNOWN);
	order_resolve(&none, TILL, false, w->now, &m);
	assert_int_equal(m.reason, REASON_CODE_UNKNOWN);
	order_resolve(&w->rec, TILL, false, w->rec.expires, &m);
	assert_int_equal(m.reason, REASON_EXPIRED);
	pw_ask(w, OP_CANCEL, TILL, 0);
	order_resolve(&w->rec, TILL, false, w->now, &m);
	assert_int_equal(m.outcome, OUTCOME_DECLINED);
	assert_int_equal(m.reason, REASON_CLOSED);
}

/* A payment is no order: its code would otherwise be paid a second time. */
static void a_payment_is_no_order(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pw_pay(w, "bluecode", 1000);
	order_resolve(&w->rec, TILL, false, w->now, &m);
	assert_int_equal(m.outcome, OUTCOME_DECLINED);
}

/* ---- codes that a scheme makes ------------------------------------------------------------- */

static void show(struct payworld *w)
{
	static const struct route_row rows[] = {
		{ .scheme = "alipay-plus", .mode = 'C', .to = CODE },
		{ .scheme = "alipay-plus", .mode = 'S', .to = SCHEME },
	};

	pw_snapshot()->route = rows;
	pw_snapshot()->route_count = 2;
	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	memcpy(w->m.request_id, "till-order-1", 13);
	memcpy(w->m.code.scheme, "alipay-plus", 12);
	pw_begin(w, (struct pay_event){ .op = OP_ORDER,
			    .peer = TILL,
			    .scheme_count = 1,
			    .scheme = { "alipay-plus" } });
}

/* The till gets the scheme's code, and the payer who scans it pays like any other. */
static void code_of_a_scheme(void **state)
{
	struct payworld *w = *state;
	static struct msg m;

	show(w);
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, SCHEME);
	pw_call(w, &m);
	assert_string_equal(m.mode, "MPM");
	assert_string_equal(m.user_agent, "");
	w->m = (struct msg){ 0 };
	memcpy(w->m.code.text, "https://qr.scheme/281", 22);
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_state(w, PAY_PENDING);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_ORDER, SEQ_FIRST, &m);
	assert_string_equal(m.code.text, "https://qr.scheme/281");
	assert_string_equal(m.action_url, ""); /* it is not for a browser */
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->st.notify_count, 1); /* however soon: it was answered already */
	reply_build(pw_snapshot(), &w->rec, TILL, OP_ORDER, SEQ_FIRST, &m);
	assert_string_equal(m.code.text, "");
	assert_int_equal(pw_position(w, SCHEME, EUR), 1000);
}

static void code_of_a_scheme_ends(void **state)
{
	struct payworld *w = *state;

	show(w);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	while (pay_state(&w->rec) == PAY_PENDING) {
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE)
			pw_answer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	}
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(w->reserved, 0);
}

static void code_of_nobody(void **state)
{
	struct payworld *w = *state;

	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	memcpy(w->m.request_id, "till-order-1", 13);
	memcpy(w->m.code.scheme, "vipps", 6); /* whose users show codes, and scan none of theirs */
	pw_begin(w,
		(struct pay_event){
			.op = OP_ORDER, .peer = TILL, .scheme_count = 1, .scheme = { "vipps" } });
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_NO_ROUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(waits_and_expires),
		core_case(of_one_who_resolves_nothing),
		core_case(alarm_of_one_that_was_taken),
		core_case(cancelled_by_the_till),
		core_case(cancelled_after_it_expired),
		core_case(asked_about),
		core_case(refused_at_once),
		core_case(paid),
		core_case(paid_where_nobody_can_be_asked),
		core_case(refused_for_certain_gives_it_back),
		core_case(the_payer_refuses_after_a_while),
		core_case(never_sent_gives_it_back),
		core_case(an_unknown_keeps_it),
		core_case(an_undo_keeps_it),
		core_case(too_late_to_give_back),
		core_case(a_success_after_it_was_given_back),
		core_case(a_schemes_payer_refuses),
		core_case(the_order_ends_after_it_came_back),
		core_case(other_scans_are_not_told),
		core_case(paid_by_a_wallet_that_debits_itself),
		core_case(debits_itself_and_another_was_first),
		core_case(another_was_first),
		core_case(what_it_says_to_a_scan),
		core_case(a_payment_is_no_order),
		core_case(code_of_a_scheme),
		core_case(code_of_a_scheme_ends),
		core_case(code_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
