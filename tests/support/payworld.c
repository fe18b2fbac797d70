/*
 * payworld.c moves one payment through the machine and keeps its books beside it.
 *
 * The hard thing is to hold only what is true of every payment, in whatever order things happen, so
 * that each test is watched by the same rules without asking for it. It must never mend what a step
 * got wrong: the books here are the sum of the steps' entries and of nothing else.
 */
#include "payworld.h"

#include "check.h"
#include "cleared.h"

#include <stdlib.h>
#include <string.h>

#define ALLOW 5000
static const struct caps scheme_caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = 8000, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .not_found_s = 5, .ladder = { 3, { 2, 2, 3 } } },
	{ .op = OP_CANCEL,
		.allowed_ms = 8000,
		.cancel_undoes = true,
		.cancel_binds = true,
		.taken_at_once = true,
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
	{ .op = OP_PUSH, .push_holds = true },
	{ .op = OP_NONE },
};
static const struct caps credit_caps[] = {
	{ .op = OP_NOTIFY, .allowed_ms = ALLOW },
	{ .op = OP_RESOLVE, .allowed_ms = ALLOW },
	{ .op = OP_CREDIT, .allowed_ms = ALLOW, .sends_code = true, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_NONE },
};
static const struct caps till_caps[] = { { .op = OP_NOTIFY, .allowed_ms = ALLOW },
	{ .op = OP_RESOLVE, .allowed_ms = ALLOW },
	{ .op = OP_TELL, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } }, { .op = OP_NONE } };

static const struct caps self_caps[] = {
	/* a wallet that debits its users by itself */
	{ .op = OP_CANCEL, .allowed_ms = ALLOW, .cancel_undoes = true, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_REFUND, .allowed_ms = ALLOW, .ladder = { 2, { 2, 3 } } },
	{ .op = OP_NONE },
};

static const struct route_row routes[] = {
	{ .scheme = "alipay-plus", .mode = 'C', .to = SCHEME },
	{ .scheme = "bluecode", .mode = 'C', .to = CODE, .priority = 2 },
	{ .scheme = "bluecode", .mode = 'C', .to = SCHEME, .priority = 1 },
	{ .scheme = "vipps", .mode = 'C', .to = PUSH },
	{ .scheme = "alipay-plus-order", .mode = 'M', .to = SCHEME },
};
static const struct fee_row fee = { .name = "service",
	.agreement = 10 + TILL,
	.to = FEE_US,
	.basis_points = 50,
	.on_refund = FEE_PRORATE };
struct ccy EUR, NOK;
static struct peer peers[SELF];
static struct rate rates[2];
static struct snapshot sn;

static void set_text(char *dst, size_t cap, const char *text)
{
	CHECK(span_to_cstr(span_str(text), dst, cap));
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
		.notify = NOTIFY_LATE,
		.markup_bp = MARKUP_COMMON };
	set_text(p->name, sizeof p->name, name);
	for (; caps->op; caps++)
		p->caps[caps->op] = caps;
}

static void configure(void)
{
	CHECK(ccy_by_alpha(SPAN("EUR"), &EUR) == RC_OK && ccy_by_alpha(SPAN("NOK"), &NOK) == RC_OK);
	set_peer(TILL, "till", EUR, false, till_caps);
	set_peer(SCHEME, "scheme", EUR, true, scheme_caps);
	set_peer(CODE, "code", EUR, false, code_caps);
	set_peer(PUSH, "push", NOK, false, push_caps);
	set_peer(WALLET, "wallet", NOK, false, credit_caps);
	set_peer(TOUR, "tour", EUR, false, till_caps);
	set_peer(SELF, "self", EUR, false, self_caps);
	peers[WALLET - 1].debit_via = PUSH;
	rates[0] = (struct rate){
		.from = EUR, .to = NOK, .price = { 1150, 100 }, .at = { 1 }, .until = { INT64_MAX }
	};
	rates[1] = (struct rate){
		.from = NOK, .to = EUR, .price = { 87, 1000 }, .at = { 1 }, .until = { INT64_MAX }
	};
	sn = (struct snapshot){ .peer = peers,
		.peer_count = SELF,
		.route = routes,
		.route_count = sizeof routes / sizeof *routes,
		.fee = &fee,
		.fee_count = 1,
		.rate = rates,
		.rate_count = 2,
		.markup_bp = 200,
		.quote_life_s = 600 };
}

struct payworld *pw_new(void)
{
	struct payworld *w = calloc(1, sizeof *w);

	CHECK(w);
	configure();
	w->now = (struct wall){ INT64_C(1768469400000000) };
	return w;
}

void pw_free(struct payworld *w)
{
	free(w);
}

void pw_next(struct payworld *w)
{
	w->rec = (struct pay){ 0 };
	w->reserved = w->exposed = w->held = w->counted = 0;
	memset(w->replies, 0, sizeof w->replies);
}

struct peer *pw_peer(int number)
{
	CHECK(number >= TILL && number <= SELF);
	return &peers[number - 1];
}

struct snapshot *pw_snapshot(void)
{
	return &sn;
}

static int64_t *sum_of(struct payworld *w, int32_t account)
{
	for (int i = 0; i < w->accounts; i++)
		if (w->account[i] == account)
			return &w->posted[i];
	CHECK(w->accounts < 64);
	w->account[w->accounts] = account;
	return &w->posted[w->accounts++];
}

int64_t pw_position(struct payworld *w, int peer, struct ccy c)
{
	return *sum_of(w, acct_number(ACCT_POSITION, (uint16_t)(10 + peer), c));
}

static void book(struct payworld *w)
{
	int64_t sum[1000] = { 0 };

	for (int i = 0; i < w->st.entry_count; i++) {
		const struct entry *e = &w->st.entry[i];
		int64_t minor = money_minor(e->money);

		if (e->kind == ENTRY_POST) {
			sum[money_ccy(e->money).num] += minor;
			*sum_of(w, e->account) += minor;
		} else if (acct_is_day(e->account)) {
			w->counted += minor;
		} else if (e->account >> 26 == ACCT_EXCHANGE) {
			w->exposed += minor;
		} else if (e->account >> 26 == ACCT_HELD) {
			w->held += minor;
		} else {
			w->reserved += minor;
		}
	}
	for (int i = 0; i < 1000; i++)
		CHECK(sum[i] == 0);
}

/* Only a refund, or a success that came too late, moves what is final (rule F-6). */
static bool may_move_on(const struct pay *before, const struct pay *next)
{
	enum pay_state s = pay_state(before);

	return !pay_is_final(before) || s == PAY_PAID || s == PAY_PARTLY_REFUNDED ||
	       s == PAY_REFUNDED || next->late;
}

/* Calls, answers and notifications can be made from the record, and say what was booked. */
static void check_messages(const struct step *st)
{
	static struct msg m;
	const struct pay *p = &st->next;
	uint16_t caller = p->caller == SIDE_ACQUIRER ? p->acq.peer : p->via;

	for (int i = 0; i < st->call_count; i++) {
		call_build(&sn, p, &st->call[i], &m);
		CHECK(m.key[0] && (m.request_id[0] || m.peer_id[0]));
	}
	if (st->replies) {
		reply_build(&sn, p, caller, OP_DEBIT, st->reply_seq, &m);
		CHECK(m.object_id[0] && m.outcome != OUTCOME_NONE);
		if (m.outcome == OUTCOME_APPROVED &&
			!(st->reply_seq == SEQ_FIRST && pay_state(p) == PAY_OPEN))
			CHECK(p->posted == POSTED_PAYMENT);
	}
	for (int i = 0; i < st->notify_count; i++)
		notify_build(&sn, p, st->notify[i].to, st->notify[i].seq, &m);
	reply_build(&sn, p, p->acq.peer, OP_READ, SEQ_FIRST, &m);
	reply_build(&sn, p, p->iss.peer, OP_READ, SEQ_FIRST, &m);
}

/* What clearing will make of the step is what it posted on positions: no more and no less. */
static void check_cleared(const struct payworld *w, const struct pay *before)
{
	struct cleared item[CLEARED_SIDES];
	int n = cleared_by(before, &w->st.next, item);

	for (int i = 0; i < w->st.entry_count; i++) {
		const struct entry *e = &w->st.entry[i];
		struct money rest = e->money;

		if (e->kind != ENTRY_POST || e->account >> 26 != ACCT_POSITION)
			continue;
		for (int k = 0; k < n; k++)
			if (acct_number(ACCT_POSITION, item[k].agreement,
				    money_ccy(item[k].gross)) == e->account)
				CHECK(money_sub(rest, cleared_net(&item[k]), &rest) == RC_OK);
		CHECK(money_sign(rest) == 0);
	}
	for (int k = 0; k < n; k++) {
		int32_t account = acct_number(
			ACCT_POSITION, item[k].agreement, money_ccy(item[k].gross));
		/* Both sides of one participant take each other off its position. */
		bool posted = money_sign(cleared_net(&item[k])) == 0 ||
			      (n == 2 && item[0].agreement == item[1].agreement);

		for (int i = 0; i < w->st.entry_count; i++)
			posted = posted || (w->st.entry[i].kind == ENTRY_POST &&
						   w->st.entry[i].account == account);
		CHECK(posted && item[k].request_id[0] + item[k].peer_id[0]);
	}
}

static void check_step(struct payworld *w, const struct pay *before)
{
	const struct pay *next = &w->st.next;
	struct pay again;

	CHECK(!pay_check(next));
	book(w);
	if (pay_is_final(next))
		CHECK(w->reserved == 0 && w->exposed == 0 && w->held == 0);
	CHECK(w->reserved >= 0 && w->exposed >= 0 && w->held >= 0 && w->counted >= 0);
	CHECK((w->exposed > 0) == (w->held > 0)); /* what is owed by an exchange was bought */
	if (!may_move_on(before, next))
		CHECK(pay_state(before) == pay_state(next));
	CHECK(pay_unpack(span_of(w->st.record, w->st.record_bytes), &again) == RC_OK);
	check_messages(&w->st);
	check_cleared(w, before);
	if (w->st.replies) {
		CHECK(w->st.reply_seq < 64);
		CHECK(w->replies[w->st.reply_seq]++ == 0);
	}
}

/* Who decides something hears "done" of what was done, or why it was not. */
static void check_decision(const struct payworld *w)
{
	const struct step *st = &w->st;

	if (st->fate == FATE_REFUSE)
		CHECK(!st->changed && st->refusal_detail);
	else
		CHECK(st->changed && (w->ev.verb != OPERATOR_RETRY || st->call_count > 0 ||
					     st->next.undo.phase != w->before.undo.phase));
}

void pw_step(struct payworld *w, struct pay_event ev)
{
	struct pay before = w->rec;
	static struct step twice;

	ev.now = w->now;
	ev.down_count = w->down != 0;
	ev.down[0] = w->down;
	ev.cap_refused = w->cap_refused;
	ev.cap_account = w->cap_account ? w->cap_account
					: acct_number(ACCT_POSITION, 10 + CODE, EUR);
	ev.cap = 50000;
	ev.cap_used = 49000;
	w->before = before;
	w->ev = ev;
	core_step(&sn, &before, &ev, &w->st);
	core_step(&sn, &before, &ev, &twice);
	CHECK(w->st.record_bytes == twice.record_bytes);
	CHECK(!memcmp(w->st.record, twice.record, twice.record_bytes));
	check_step(w, &before);
	if (ev.kind == EV_OPERATOR)
		check_decision(w);
	w->rec = w->st.next;
	w->now.us += 1000;
}

void pw_begin(struct payworld *w, struct pay_event ev)
{
	w->m.op = ev.op;
	ev.kind = EV_REQUEST;
	ev.msg = &w->m;
	ev.claim_count = 1;
	if (pay_id_is_none(&ev.new_id))
		ev.new_id = (struct pay_id){ { 1, 2, 3 } };
	pw_step(w, ev);
}

static void begin(struct payworld *w, enum op op, int peer, const char *scheme)
{
	pw_begin(w, (struct pay_event){ .op = op,
			    .peer = (uint16_t)peer,
			    .scheme_count = 1,
			    .scheme = { scheme } });
}

void pw_pay(struct payworld *w, const char *scheme, int64_t minor)
{
	pw_pay_in(w, scheme, money_of(minor, EUR));
}

void pw_pay_in(struct payworld *w, const char *scheme, struct money amount)
{
	w->m = (struct msg){ 0 };
	set_text(w->m.request_id, sizeof w->m.request_id, "till-payment-1");
	set_text(w->m.code.text, sizeof w->m.code.text, "98802222100100123456");
	w->m.amount = amount;
	begin(w, OP_DEBIT, TILL, scheme);
}

void pw_pay_out(struct payworld *w, int wallet, int64_t minor)
{
	w->m = (struct msg){ .amount = money_of(minor, EUR) };
	set_text(w->m.request_id, sizeof w->m.request_id, "payout-1");
	pw_begin(w,
		(struct pay_event){ .op = OP_CREDIT, .peer = TOUR, .code_peer = (uint16_t)wallet });
}

void pw_scan_begin(struct payworld *w, int peer)
{
	w->m = (struct msg){ 0 };
	set_text(w->m.request_id, sizeof w->m.request_id, "scan-1");
	set_text(w->m.code.text, sizeof w->m.code.text, "https://qr.alipayplus.com/281");
	begin(w, OP_RESOLVE, peer, "alipay-plus-order");
}

void pw_resolved(struct payworld *w, const char *order_id, int64_t minor)
{
	w->m = (struct msg){ .amount = money_of(minor, EUR) };
	set_text(w->m.request_id, sizeof w->m.request_id, order_id);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
}

void pw_scan(struct payworld *w)
{
	pw_scan_begin(w, WALLET);
	pw_resolved(w, "aplus-order-1", 1000);
	CHECK(pay_state(&w->rec) == PAY_OPEN && w->st.claim_count == 1);
}

void pw_scan_self(struct payworld *w)
{
	pw_scan_begin(w, SELF);
	pw_resolved(w, "aplus-order-2", 1000);
	CHECK(pay_state(&w->rec) == PAY_OPEN && w->reserved == 1000);
}

void pw_claim_begin(struct payworld *w)
{
	w->m = (struct msg){ 0 };
	set_text(w->m.key, sizeof w->m.key, "digest-of-the-code");
	set_text(w->m.code.text, sizeof w->m.code.text, "code-of-the-tour");
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE, .peer = SCHEME, .code_peer = TOUR });
}

void pw_claim(struct payworld *w)
{
	pw_claim_begin(w);
	pw_resolved(w, "tour-order-1", 1000);
	CHECK(pay_state(&w->rec) == PAY_PENDING && w->reserved == 1000);
}

void pw_tell(struct payworld *w, int peer, enum outcome o, int64_t minor)
{
	w->m = (struct msg){ .outcome = o, .amount = money_of(minor, EUR) };
	set_text(w->m.code.text, sizeof w->m.code.text, "https://qr.alipayplus.com/281");
	begin(w, OP_TELL, peer, "alipay-plus-order");
}

void pw_ask(struct payworld *w, enum op op, int peer, int64_t minor)
{
	w->m = (struct msg){ .op = op };
	if (op == OP_REFUND) {
		w->m.has_refund = true;
		w->m.refund.amount = money_of(
			minor, money_is_none(w->rec.amount) ? EUR : money_ccy(w->rec.amount));
	}
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = op,
			   .peer = (uint16_t)peer,
			   .msg = &w->m,
			   .claim_count = 1 });
}

void pw_call(const struct payworld *w, struct msg *ret)
{
	CHECK(w->st.call_count == 1);
	call_build(&sn, &w->rec, &w->st.call[0], ret);
}

void pw_ask_back(struct payworld *w, int64_t minor, int64_t settle)
{
	w->m = (struct msg){ .op = OP_REFUND, .has_refund = true };
	w->m.refund.amount = money_of(minor, money_ccy(w->rec.amount));
	w->m.refund.settle = money_of(settle, money_ccy(w->rec.acq.owe));
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_REFUND,
			   .peer = w->rec.acq.peer,
			   .msg = &w->m,
			   .claim_count = 1 });
}

void pw_answer_with(struct payworld *w, enum side side, enum op op, enum outcome o, enum reason r)
{
	struct pay_event ev = { .kind = EV_ANSWER,
		.op = op,
		.side = side,
		.msg = &w->m,
		.peer = side == SIDE_ISSUER ? w->rec.iss.peer : w->rec.acq.peer,
		.attempt = side == SIDE_ISSUER ? w->rec.iss.attempt : w->rec.acq.attempt };

	ev.watched_ms = w->watched_ms;
	if (op == OP_REFUND)
		ev.refund_seq = w->rec.refund_seq;
	w->m.op = op;
	w->m.answer = true;
	w->m.outcome = o;
	w->m.reason = r;
	pw_step(w, ev);
}

void pw_answer(struct payworld *w, enum op op, enum outcome o, enum reason r)
{
	w->m = (struct msg){ 0 };
	pw_answer_with(w, SIDE_ISSUER, op, o, r);
}

void pw_answer_acquirer(struct payworld *w, enum op op, enum outcome o, enum reason r)
{
	w->m = (struct msg){ 0 };
	pw_answer_with(w, SIDE_ACQUIRER, op, o, r);
}

void pw_captured(struct payworld *w)
{
	pw_answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	pw_answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
}

void pw_lost(struct payworld *w, enum op op, enum lost how)
{
	struct pay_event ev = { .kind = EV_NO_ANSWER,
		.op = op,
		.side = SIDE_ISSUER,
		.lost = how,
		.peer = w->rec.iss.peer,
		.attempt = w->rec.iss.attempt };

	if (op == OP_REFUND)
		ev.refund_seq = w->rec.refund_seq;
	pw_step(w, ev);
}

void pw_unanswered(struct payworld *w)
{
	const struct call c = w->st.call[0];

	if (w->st.call_count)
		pw_step(w, (struct pay_event){ .kind = EV_NO_ANSWER,
				   .op = c.op,
				   .side = c.side,
				   .peer = c.peer,
				   .attempt = c.attempt,
				   .refund_seq = c.refund_seq,
				   .lost = LOST_UNKNOWN });
}

void pw_operate(struct payworld *w, enum operator_verb verb)
{
	pw_step(w, (struct pay_event){ .kind = EV_OPERATOR, .verb = verb });
}

void pw_due(struct payworld *w)
{
	CHECK(w->rec.due.us > 0);
	if (w->now.us < w->rec.due.us)
		w->now = w->rec.due;
	pw_step(w, (struct pay_event){ .kind = EV_DUE });
	CHECK(w->st.changed); /* else it would ring for ever */
}
