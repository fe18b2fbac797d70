/*
 * test_core_refund.c: money goes back: refunds asked for by the acquirer, and those that undo a
 * payment; what is unknown is asked for, never guessed.
 */
#include "core_case.h"

/* They took it, then they do not know it: that gives nobody his money back. */
static void taken_and_not_found(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	for (int i = 0; i < 5; i++) {
		assert_call(w, OP_REFUND);
		pw_answer(w, OP_REFUND, OUTCOME_NOT_FOUND, REASON_NONE);
		assert_false(pay_is_final(&w->rec));
		assert_int_equal(w->st.call_count, 0);
		pw_due(w);
	}
	assert_int_equal(w->rec.undo.phase, UNDO_ASKING);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

/* An answer to the undo's own call, even where that is a refund. */
static void answer_undo(struct payworld *w, enum op op, enum outcome o, const char *peer_id)
{
	w->m = (struct msg){ .op = op, .answer = true, .outcome = o };
	assert_true(span_to_cstr(span_str(peer_id), w->m.peer_id, sizeof w->m.peer_id));
	pw_step(w, (struct pay_event){ .kind = EV_ANSWER,
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
		.op = OP_INQUIRE_REFUND, .allowed_ms = 5000, .ladder = { 3, { 2, 2, 3 } }
	};
	struct payworld *w = *state;

	pw_peer(PUSH)->caps[OP_INQUIRE_REFUND] = &about;
	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_call(w, OP_REFUND);
	answer_undo(w, OP_REFUND, OUTCOME_PENDING, "");
	pw_due(w);
	assert_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_PENDING, "");
	pw_due(w);
	assert_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_NOT_FOUND, ""); /* by our id: again */
	assert_int_equal(w->st.call_count, 0);
	pw_due(w);
	assert_call(w, OP_REFUND);
	answer_undo(w, OP_REFUND, OUTCOME_UNKNOWN, "");
	pw_due(w);
	assert_call(w, OP_INQUIRE_REFUND);
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_APPROVED, "");
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

/* One without a name of ours is sent again only when it surely is on its way no more: its settle
 * time is its own, however long the undo had lasted before. */
static void giving_back_has_its_own_time(void **state)
{
	static const struct caps about = { .op = OP_INQUIRE_REFUND,
		.allowed_ms = 5000,
		.ladder = { 8, { 2, 2, 2, 2, 2, 2, 2, 2 } } },
				 nameless = { .op = OP_REFUND,
					 .allowed_ms = 5000,
					 .repeat = REPEAT_INQUIRE_FIRST,
					 .ladder = { 8, { 2, 2, 2, 2, 2, 2, 2, 2 } } },
				 settles = { .op = OP_INQUIRE,
					 .allowed_ms = 5000,
					 .not_found_s = 60,
					 .ladder = { 2, { 2, 3 } } };
	struct payworld *w = *state;
	struct wall sent;

	pw_peer(PUSH)->caps[OP_INQUIRE_REFUND] = &about;
	pw_peer(PUSH)->caps[OP_REFUND] = &nameless;
	pw_peer(PUSH)->caps[OP_INQUIRE] = &settles;
	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	answer_undo(w, OP_CANCEL, OUTCOME_NOT_FOUND, "");
	pw_due(w);
	answer_undo(w, OP_CANCEL, OUTCOME_NOT_FOUND, "");
	w->now = wall_plus_ms(w->now, 600000);
	pw_due(w);
	w->m = (struct msg){ 0 };
	pw_answer_with(w, SIDE_ISSUER, OP_CANCEL, OUTCOME_DECLINED, REASON_STATE);
	assert_call(w, OP_INQUIRE);
	answer_undo(w, OP_INQUIRE, OUTCOME_APPROVED, "");
	assert_call(w, OP_REFUND);
	sent = w->now;
	answer_undo(w, OP_REFUND, OUTCOME_UNKNOWN, "");
	for (int i = 0; i < 40; i++) {
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_REFUND)
			break;
		if (w->st.call_count)
			answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_NOT_FOUND, "");
	}
	assert_call(w, OP_REFUND);
	assert_true(wall_diff_ms(w->now, sent) >= 60000);
}

/* Who forgets the keys of refunds after a minute, and answers about them by its own names alone. */
static const struct caps forgetful = {
	.op = OP_REFUND, .allowed_ms = 5000, .remembers_s = 60, .ladder = { 2, { 2, 3 } }
};
static const struct caps by_its_name = { .op = OP_INQUIRE_REFUND,
	.allowed_ms = 5000,
	.by_their_id = true,
	.ladder = { 3, { 2, 2, 3 } } };

/* Nor is it sent again when they may have forgotten its key: that would be a second one. */
static void giving_back_under_a_forgotten_key(void **state)
{
	struct payworld *w = *state;

	for (int asks = 0; asks < 2; asks++) {
		int sent = 1;

		pw_next(w);
		pw_peer(PUSH)->caps[OP_REFUND] = &forgetful;
		pw_peer(PUSH)->caps[OP_INQUIRE_REFUND] = asks ? &by_its_name : NULL;
		pw_scan(w);
		pw_ask(w, OP_CONFIRM, WALLET, 0);
		pw_captured(w);
		pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
		assert_call(w, OP_REFUND);
		answer_undo(w, OP_REFUND, OUTCOME_UNKNOWN, "");
		for (int i = 0; i < 20; i++) {
			pw_due(w);
			if (!w->st.call_count)
				continue;
			sent++;
			assert_true(wall_diff_ms(w->now, w->rec.undo.since) < 60000);
			answer_undo(w, asks ? OP_INQUIRE_REFUND : OP_REFUND, OUTCOME_UNKNOWN, "");
		}
		assert_in_range(sent, 2, 10);
		assert_state(w, PAY_STUCK);
		pw_operate(w, OPERATOR_RETRY); /* nobody can be asked: that is said */
		assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
		assert_false(w->st.changed);
		pw_operate(w, OPERATOR_WRITE_OFF);
		assert_state(w, PAY_WRITTEN_OFF);
	}
}

/* The debit's answer was lost, and with it the id by which alone it could be refunded. */
static void the_undo_learns_their_id(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	answer_undo(w, OP_CANCEL, OUTCOME_UNKNOWN, "their-id-7");
	assert_string_equal(w->rec.iss.their_id, "their-id-7");
	pw_due(w);
	assert_call(w, OP_CANCEL);
	answer_undo(w, OP_CANCEL, OUTCOME_REVERSED, "another");
	assert_string_equal(w->rec.iss.their_id, "their-id-7");
	assert_state(w, PAY_CANCELLED);
}

/* Where the issuer alone names refunds, the one that undoes it all is asked about by that name too,
 * also by whoever knows nothing but the record at rest. */
static void the_undo_learns_their_refund(void **state)
{
	static const struct caps about = {
		.op = OP_INQUIRE_REFUND, .allowed_ms = 5000, .ladder = { 3, { 2, 2, 3 } }
	};
	struct payworld *w = *state;
	struct msg m;

	pw_peer(PUSH)->caps[OP_INQUIRE_REFUND] = &about;
	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_call(w, OP_REFUND);
	pw_call(w, &m);
	assert_string_equal(m.refund.peer_id, "");
	w->m = (struct msg){ .has_refund = true, .refund.peer_id = "their-refund-3" };
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_PENDING, REASON_NONE);
	assert_string_equal(w->rec.iss.their_id, "");
	for (int i = 0; i < 2; i++) {
		char bytes[PAY_BYTES_MAX];
		struct buf b = buf_init(bytes, sizeof bytes);

		assert_int_equal(pay_pack(&w->rec, &b), RC_OK);
		assert_int_equal(pay_unpack(buf_span(&b), &w->rec), RC_OK);
		pw_due(w);
		assert_call(w, OP_INQUIRE_REFUND);
		pw_call(w, &m);
		assert_string_equal(m.refund.peer_id, "their-refund-3");
		if (i == 0)
			answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_PENDING, "");
	}
	answer_undo(w, OP_INQUIRE_REFUND, OUTCOME_APPROVED, "");
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
}

/* What has refunds is not undone as a whole by anybody: it would be given back twice. */
static void no_undo_beside_a_refund(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_operate(w, OPERATOR_UNDO);
	assert_int_equal(w->st.refusal, REASON_STATE);
	assert_int_equal(w->rec.undo.phase, UNDO_NONE);
}

static void refund_without_an_id(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	pw_ask(w, OP_REFUND, TILL, 100);
	assert_int_equal(w->st.refusal, REASON_BUSY); /* one in flight per payment */
	for (int i = 0; i < 6; i++) {
		pw_due(w);
		assert_true(w->st.call_count == 0 ||
			    w->st.call[0].op == OP_INQUIRE); /* never repeated */
	}
	assert_state(w, PAY_STUCK);
}

static void refund_not_found(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_captured(w);
	pw_ask(w, OP_REFUND, TILL, 400);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_NOT_FOUND, REASON_NONE);
	assert_int_equal(w->st.call_count, 0); /* not round and round: its ladder says when */
	pw_due(w);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
}

/* A refund whose slot was used again is known by its stored answer, which is the requester's. */
static void refund_read_by_others(void **state)
{
	struct payworld *w = *state;
	struct pay_event ev = { .kind = EV_REQUEST, .op = OP_READ };
	struct buf b;

	pw_pay(w, "vipps", 1000);
	pw_captured(w);
	for (int i = 0; i < 5; i++)
		pw_ask(w, OP_REFUND, TILL, 2000); /* too much: refused, and kept */
	w->m = (struct msg){ 0 };
	w->m.has_refund = true;
	b = buf_init(w->m.refund.id, sizeof w->m.refund.id - 1);
	pay_write_id(&w->rec, 'r', 1, &b);
	ev.msg = &w->m;
	ev.peer = TILL;
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	ev.peer = PUSH;
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	w->rec.refund_seq = REFUND_SEQ_MAX;
	pw_ask(w, OP_REFUND, TILL, 10);
	assert_int_equal(w->st.refusal, REASON_STATE);
}

/* An older copy of the record is asked for a refund that it does not know yet. */
static void refund_of_an_older_copy(void **state)
{
	struct payworld *w = *state;
	struct msg *m = calloc(1, sizeof *m);

	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_REFUND, SEQ_REFUND + 1, m);
	assert_int_equal(m->outcome, OUTCOME_PENDING);
	free(m);
}

/* What the issuer states for a refund is booked, as long as no more goes back than was owed. */
static void settlement_that_they_state(void **state)
{
	struct payworld *w = *state;

	pw_pay_in(w, "alipay-plus", money_of(10000, NOK)); /* 8.70 EUR, both ways */
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 9000);
	w->m = (struct msg){ .has_refund = true };
	w->m.refund.settle = money_of(800, EUR);
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, SCHEME, EUR), 70);
	pw_ask(w, OP_REFUND, TILL, 500); /* a part of its share went back with the first */
	w->m = (struct msg){ .has_refund = true };
	w->m.refund.settle = money_of(71, EUR);
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	assert_int_equal(pw_position(w, SCHEME, EUR), 44);
	pw_ask(w, OP_REFUND, TILL, 500);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
	assert_int_equal(pw_position(w, TILL, EUR), 0);
}

/* Without an exchange a refund gives back what was asked: a cent's does not take it all. */
static void settlement_that_is_not_the_refund(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 1);
	w->m = (struct msg){ .has_refund = true };
	w->m.refund.settle = money_of(1000, EUR);
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	assert_int_equal(pw_position(w, SCHEME, EUR), 999);
}

/* Where pushes decide, one about a refund ends it, by our id for it and its own amount. */
static void refund_pushed(void **state)
{
	struct payworld *w = *state;
	struct msg told = { .outcome = OUTCOME_APPROVED, .authentic = true, .has_refund = true };
	struct pay_event ev = { .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &told };
	struct buf b = buf_init(told.refund.id, sizeof told.refund.id - 1);

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 400);
	pw_answer(w, OP_REFUND, OUTCOME_PENDING, REASON_NONE);
	pay_write_id(&w->rec, 'r', 2, &b);
	told.refund.amount = money_of(400, EUR);
	pw_step(w, ev); /* of no refund of ours */
	assert_false(w->st.changed);
	b = buf_init(told.refund.id, sizeof told.refund.id - 1);
	pay_write_id(&w->rec, 'r', 1, &b);
	told.refund.amount = money_of(399, EUR);
	pw_step(w, ev);
	assert_false(w->st.changed);
	told.refund.amount = money_of(400, EUR);
	pw_step(w, ev);
	assert_state(w, PAY_PARTLY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 600);
	pw_step(w, ev);
	assert_false(w->st.changed);
}

static const struct caps once = {
	.op = OP_REFUND, .repeat = REPEAT_NEVER, .allowed_ms = 5000, .ladder = { 2, { 2, 3 } }
};

/* What was paid stays so, whatever becomes of its refund, and whichever way it was paid. */
static void stuck_refund_of_a_scan(void **state)
{
	struct payworld *w = *state;
	struct msg seen;

	pw_peer(PUSH)->caps[OP_REFUND] = &once;
	pw_peer(PUSH)->caps[OP_INQUIRE_REFUND] = NULL;
	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, SCHEME, 100);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	assert_state(w, PAY_STUCK);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_READ, SEQ_FIRST, &seen);
	assert_int_equal(seen.outcome, OUTCOME_APPROVED);
}

/* A refund that may never be repeated nor asked about stands on the list, and its alarm goes on. */
static void refund_of_unknown_fate(void **state)
{
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_REFUND] = &once;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_peer(CODE)->caps[OP_INQUIRE] = NULL;
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	assert_state(w, PAY_STUCK);
	assert_int_equal(w->st.exception, EXCEPTION_REFUND);
	for (int i = 0; i < 3; i++) {
		pw_due(w);
		assert_int_equal(w->st.call_count, 0);
		assert_state(w, PAY_STUCK);
	}
}

static void stuck_refund(struct payworld *w)
{
	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	while (pay_state(&w->rec) != PAY_STUCK) {
		pw_due(w);
		pw_unanswered(w);
	}
	assert_int_equal(w->reserved, 100);
}

static void a_person_has_it_asked_about(void **state)
{
	struct payworld *w = *state;

	stuck_refund(w);
	pw_operate(w, OPERATOR_RETRY);
	assert_call(w, OP_INQUIRE);
	assert_int_equal(w->st.call[0].refund_seq, 1);
	pw_operate(w, OPERATOR_WRITE_OFF); /* not while the issuer may say it */
	assert_int_equal(w->st.refusal, REASON_STATE);
}

/* Counted as refused: nothing is held for it, and it can be asked for again. */
static void a_person_writes_it_off(void **state)
{
	struct payworld *w = *state;

	stuck_refund(w);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(w->st.reply_seq, SEQ_REFUND + 1);
	assert_int_equal(pw_position(w, CODE, EUR), 8900);
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED };
	pw_step(w, (struct pay_event){ .kind = EV_ANSWER,
			   .op = OP_REFUND,
			   .side = SIDE_ISSUER,
			   .peer = CODE,
			   .refund_seq = 1,
			   .msg = &w->m });
	assert_int_equal(w->st.exception, EXCEPTION_CONTRADICTION);
	pw_ask(w, OP_REFUND, TILL, 100);
	assert_call(w, OP_REFUND);
}

/* Where nothing can be asked, retrying is not a decision. */
static void nothing_to_retry(void **state)
{
	struct payworld *w = *state;

	refund_of_unknown_fate(state);
	pw_operate(w, OPERATOR_RETRY);
	assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
	assert_false(w->st.changed);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->reserved, 0);
}

static void refunds_that_are_refused(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_ask(w, OP_REFUND, TILL, 100);
	assert_int_equal(w->st.refusal, REASON_BUSY); /* not paid yet */
	pw_captured(w);
	pw_ask(w, OP_REFUND, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	w->m.refund.amount = money_of(1, NOK);
	pw_step(w, (struct pay_event){
			   .kind = EV_REQUEST, .op = OP_REFUND, .peer = TILL, .msg = &w->m });
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	w->cap_refused = true;
	pw_ask(w, OP_REFUND, TILL, 1);
	assert_int_equal(pay_refund(&w->rec, 1)->reason, REASON_LIMIT);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_REFUND, SEQ_REFUND + 1, &w->m);
	assert_int_equal(w->m.reason, REASON_LIMIT);
	assert_string_equal(w->m.limit, "position-cap");
	assert_string_equal(w->m.limit_value, "500.00 EUR");
	w->cap_refused = false;
	for (int i = 0; i < REFUNDS_OPEN; i++) {
		pw_ask(w, OP_REFUND, TILL, 100);
		assert_call(w, OP_REFUND);
	}
	pw_ask(w, OP_REFUND, TILL, 100);
	assert_int_equal(w->st.refusal, REASON_BUSY);
	pw_peer(PUSH)->caps[OP_REFUND] = NULL;
	pw_ask(w, OP_REFUND, TILL, 100);
	assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
}

/* The partner gives refunds no id; what it has returned in all decides. */
static void refund_by_counts(void **state)
{
	static const struct {
		int64_t returned; /* negative: it does not say */
		bool known, done;
	} t[] = { { 100, true, true }, { 0, true, false }, { 50, false, false },
		{ -1, false, false } };
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		pw_pay(w, "bluecode", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		pw_ask(w, OP_REFUND, TILL, 100);
		pw_lost(w, OP_REFUND, LOST_UNKNOWN);
		for (int n = 0; n < 9 && refund_is_open(&w->rec.refund[0]); n++) {
			pw_due(w);
			if (!w->st.call_count)
				continue;
			assert_call(w, OP_INQUIRE);
			w->m = (struct msg){ .has_counts = t[i].returned >= 0 };
			if (w->m.has_counts)
				w->m.returned = money_of(t[i].returned, EUR);
			pw_step(w, (struct pay_event){ .kind = EV_ANSWER,
					   .op = OP_INQUIRE,
					   .side = SIDE_ISSUER,
					   .msg = &w->m,
					   .peer = CODE,
					   .refund_seq = 1 });
		}
		assert_int_equal(!refund_is_open(&w->rec.refund[0]), t[i].known);
		assert_int_equal(w->rec.refunds_done, t[i].done);
	}
}

/* Under a key that the partner may have forgotten it would be a second refund: then its sums are
 * asked for. */
static void what_they_forget_is_asked_about(void **state)
{
	static const struct caps forgets = {
		.op = OP_REFUND, .allowed_ms = 5000, .remembers_s = 3600, .ladder = { 2, { 2, 5 } }
	};
	struct payworld *w = *state;
	struct wall since;
	int sent = 0, asked = 0;

	pw_peer(CODE)->caps[OP_REFUND] = &forgets;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	since = w->now;
	pw_ask(w, OP_REFUND, TILL, 100);
	while (!asked) {
		if (!w->st.call_count) {
			pw_due(w);
			continue;
		}
		asked += w->st.call[0].op == OP_INQUIRE;
		sent += !asked;
		assert_call(w, wall_diff_ms(w->now, since) < 3600000 ? OP_REFUND : OP_INQUIRE);
		if (!asked)
			pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	}
	assert_in_range(sent, 6, 12);
	w->m = (struct msg){ .has_counts = true, .returned = money_of(100, EUR) };
	pw_step(w, (struct pay_event){ .kind = EV_ANSWER,
			   .op = OP_INQUIRE,
			   .side = SIDE_ISSUER,
			   .msg = &w->m,
			   .peer = CODE,
			   .refund_seq = 1 });
	assert_int_equal(w->rec.refunds_done, 1);
}

/* Whose refunds have names of theirs: until it is known they are sent again, and that no longer
 * than their key is known. */
static void asked_about_by_their_name(void **state)
{
	static const struct caps forgets = { .op = OP_REFUND,
		.allowed_ms = 5000,
		.remembers_s = 60,
		.ladder = { 2, { 2, 5 } } },
				 asks = { .op = OP_INQUIRE_REFUND,
					 .allowed_ms = 5000,
					 .by_their_id = true,
					 .ladder = { 3, { 2, 5, 90 } } };
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_REFUND] = &forgets;
	pw_peer(CODE)->caps[OP_INQUIRE_REFUND] = &asks;
	for (int named = 0; named < 2; named++) {
		pw_next(w);
		pw_pay(w, "bluecode", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		pw_ask(w, OP_REFUND, TILL, 100);
		if (named)
			snprintf(w->rec.refund[0].peer_id, sizeof w->rec.refund[0].peer_id, "r");
		pw_lost(w, OP_REFUND, LOST_UNKNOWN);
		pw_due(w);
		assert_call(w, named ? OP_INQUIRE_REFUND : OP_REFUND);
		if (named)
			continue;
		pw_lost(w, OP_REFUND, LOST_UNKNOWN);
		w->now = wall_plus_ms(w->now, 120000);
		pw_due(w);
		assert_call(w, OP_INQUIRE);
	}
}

/* One whose key may be forgotten, at an issuer that answers about refunds by its own names alone:
 * without the name there is nothing to ask, and who wants it asked hears so; another one beside it
 * that has a name is asked about. */
static void a_retry_asks_or_is_refused(void **state)
{
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_REFUND] = &forgetful;
	pw_peer(CODE)->caps[OP_INQUIRE_REFUND] = &by_its_name;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_peer(CODE)->caps[OP_INQUIRE] = NULL;
	pw_ask(w, OP_REFUND, TILL, 100);
	for (int i = 0; i < 40 && w->rec.refund[0].phase != REFUND_STUCK; i++) {
		if (w->st.call_count)
			pw_lost(w, w->st.call[0].op, LOST_UNKNOWN);
		else
			pw_due(w);
	}
	w->now = wall_plus_ms(w->now, 61000);
	pw_operate(w, OPERATOR_RETRY);
	assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
	assert_false(w->st.changed);
	w->rec.refund[1] = w->rec.refund[0];
	w->rec.refund[1].seq = ++w->rec.refund_seq;
	snprintf(w->rec.refund[1].peer_id, sizeof w->rec.refund[1].peer_id, "r");
	w->rec.refund[0].next = w->now; /* its own alarm rings as well */
	pw_operate(w, OPERATOR_RETRY);
	assert_call(w, OP_INQUIRE_REFUND);
	assert_int_equal(w->st.call[0].refund_seq, w->rec.refund[1].seq);
}

/* What a partner that exchanges says it gave back is booked, unless it is more than was owed. */
static void refund_of_another_amount(void **state)
{
	static const struct {
		int64_t amount, settle; /* 0: not said; 1.00 EUR, 11.50 NOK are asked for */
		int64_t left;           /* of 115.00 NOK */
		enum exception exception;
		bool done;
	} t[] = {
		{ 100, 0, 10350, EXCEPTION_NONE, true },
		{ 100, 1149, 10351, EXCEPTION_NONE, true },
		{ 0, 1381, 10119, EXCEPTION_NONE, true }, /* a fifth more than we expect */
		{ 0, 1382, 10350, EXCEPTION_AMOUNT, true },
		{ 0, 11501, 10350, EXCEPTION_AMOUNT, true },
		{ 101, 0, 11500, EXCEPTION_AMOUNT, false },
	};
	struct payworld *w = *state;

	pw_peer(SCHEME)->settle = NOK;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		int64_t before = pw_position(w, SCHEME, NOK);

		pw_next(w);
		pw_pay(w, "alipay-plus", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		pw_ask(w, OP_REFUND, TILL, 100);
		w->m = (struct msg){ .has_refund = true };
		if (t[i].amount)
			w->m.refund.amount = money_of(t[i].amount, EUR);
		if (t[i].settle)
			w->m.refund.settle = money_of(t[i].settle, NOK);
		pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
		assert_int_equal(w->st.exception, t[i].exception);
		assert_int_equal(w->rec.refunds_done, t[i].done);
		assert_int_equal(pw_position(w, SCHEME, NOK) - before, t[i].left);
	}
}

/* The call itself was refused: final for the first sending, no news for a repeat. */
static void refund_call_refused(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	w->m = (struct msg){ .has_problem = true, .problem = REASON_BUSY };
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_NONE, REASON_NONE);
	assert_int_equal(w->rec.refund[0].phase, REFUND_NO);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	pw_due(w);
	assert_call(w, OP_REFUND);
	w->m = (struct msg){ .has_problem = true, .problem = REASON_BUSY };
	pw_answer_with(w, SIDE_ISSUER, OP_REFUND, OUTCOME_NONE, REASON_NONE);
	assert_true(refund_is_open(pay_refund(&w->rec, 2)));
	pw_lost(w, OP_REFUND, LOST_UNSENT); /* a repeat that was not sent is no news either */
	assert_true(refund_is_open(pay_refund(&w->rec, 2)));
}

static void refund_unsent(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_lost(w, OP_REFUND, LOST_UNSENT);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->rec.refund[0].reason, REASON_UNAVAILABLE);
}

/* The alarm rings while a refund is out: its time is over, and it is asked about, or sent again. */
static void refund_out_too_long(void **state)
{
	static const struct caps about = {
		.op = OP_INQUIRE_REFUND, .allowed_ms = 5000, .ladder = { 3, { 2, 2, 3 } }
	};
	struct payworld *w = *state;

	for (int asks = 0; asks <= 1; asks++) {
		pw_next(w);
		pw_peer(SCHEME)->caps[OP_INQUIRE_REFUND] = asks ? &about : NULL;
		pw_pay(w, "alipay-plus", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		pw_ask(w, OP_REFUND, TILL, 100);
		pw_due(w);
		assert_int_equal(w->rec.refund[0].phase, REFUND_UNKNOWN);
		pw_due(w);
		assert_call(w, asks ? OP_INQUIRE_REFUND : OP_REFUND);
		pw_due(w); /* nobody tells us of that either */
		assert_true(refund_is_open(&w->rec.refund[0]));
	}
}

static void refunds_are_read_by_their_id(void **state)
{
	static const struct {
		const char *tail;
		enum fate fate;
	} t[] = { { "-r1", FATE_VIEW }, { "-r2", FATE_REFUSE }, { "-r0", FATE_REFUSE },
		{ "-r", FATE_REFUSE }, { "-x1", FATE_REFUSE }, { "", FATE_REFUSE } };
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = buf_init(w->m.refund.id, sizeof w->m.refund.id - 1);

		w->m = (struct msg){ .has_refund = true };
		pay_write_id(&w->rec, 0, 0, &b);
		buf_str(&b, t[i].tail);
		pw_step(w, (struct pay_event){
				   .kind = EV_REQUEST, .op = OP_READ, .peer = TILL, .msg = &w->m });
		assert_int_equal(w->st.fate, t[i].fate);
	}
}

/* A scheme that refunds says what its user gets: that goes back, and the payer's share of it. */
static void requester_states_what_goes_back(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	pw_ask_back(w, 500, 400);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, SCHEME, EUR), -600);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730 - 4692);
	pw_ask_back(w, 100, 601);
	assert_false(w->st.call_count);
	assert_int_equal(w->rec.refund[1].reason, REASON_REFUND_SUM);
	pw_ask(w, OP_REFUND, SCHEME, 500);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

/* Less than the payer's currency has a coin for cannot go back. */
/* Without an amount it is of all that is left, which may be nothing. */
static void refund_of_all_that_is_left(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	for (int i = 0; i < 2; i++) {
		w->m = (struct msg){ .op = OP_REFUND, .has_refund = true };
		pw_step(w,
			(struct pay_event){
				.kind = EV_REQUEST, .op = OP_REFUND, .peer = TILL, .msg = &w->m });
		if (i == 0) {
			assert_call(w, OP_REFUND);
			pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
			assert_state(w, PAY_REFUNDED);
		}
	}
	assert_int_equal(w->st.refusal, REASON_STATE);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

static void refund_of_nothing(void **state)
{
	struct payworld *w = *state;

	w->m = (struct msg){ .amount = money_of(10000, NOK) };
	pw_begin(w, (struct pay_event){ .op = OP_DEBIT,
			    .peer = WALLET,
			    .scheme_count = 1,
			    .scheme = { "bluecode" } });
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, WALLET, 1);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(w->rec.refund[0].reason, REASON_AMOUNT);
	assert_state(w, PAY_PAID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(taken_and_not_found),
		core_case(giving_back_takes_time),
		core_case(giving_back_has_its_own_time),
		core_case(giving_back_under_a_forgotten_key),
		core_case(the_undo_learns_their_id),
		core_case(the_undo_learns_their_refund),
		core_case(no_undo_beside_a_refund),
		core_case(refund_without_an_id),
		core_case(stuck_refund_of_a_scan),
		core_case(refund_not_found),
		core_case(refund_read_by_others),
		core_case(refund_of_an_older_copy),
		core_case(settlement_that_they_state),
		core_case(settlement_that_is_not_the_refund),
		core_case(refund_pushed),
		core_case(refund_of_unknown_fate),
		core_case(a_person_has_it_asked_about),
		core_case(a_person_writes_it_off),
		core_case(nothing_to_retry),
		core_case(requester_states_what_goes_back),
		core_case(refund_of_all_that_is_left),
		core_case(refund_of_nothing),
		core_case(refunds_that_are_refused),
		core_case(refund_by_counts),
		core_case(what_they_forget_is_asked_about),
		core_case(asked_about_by_their_name),
		core_case(a_retry_asks_or_is_refused),
		core_case(refund_of_another_amount),
		core_case(refund_call_refused),
		core_case(refund_unsent),
		core_case(refund_out_too_long),
		core_case(refunds_are_read_by_their_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
