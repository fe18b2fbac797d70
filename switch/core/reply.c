/*
 * reply.c: the messages that are made from a record: calls, answers, notifications.
 *
 * Each is a function of the record alone, so that the same one can be made again after a crash. The
 * hard thing is the word for the outcome: nothing that is not certain may be called declined.
 */
#include "turn.h"

static void put_id(const struct pay *p, char kind, unsigned n, char *dst)
{
	struct buf b = buf_init(dst, MSG_ID - 1);

	pay_write_id(p, kind, n, &b);
	CHECK(buf_ok(&b));
	dst[b.n] = '\0';
}

void reply_order(const struct pay *p, struct msg *m)
{
	memcpy(m->order_reference, p->order_reference, sizeof m->order_reference);
	memcpy(m->order_description, p->order_description, sizeof m->order_description);
	memcpy(m->merchant.id, p->merchant_id, sizeof m->merchant.id);
	memcpy(m->merchant.name, p->merchant_name, sizeof m->merchant.name);
	memcpy(m->merchant.mcc, p->merchant_mcc, sizeof m->merchant.mcc);
	memcpy(m->merchant.country, p->merchant_country, sizeof m->merchant.country);
	memcpy(m->merchant.city, p->merchant_city, sizeof m->merchant.city);
	memcpy(m->merchant.store_id, p->store_id, sizeof m->merchant.store_id);
	memcpy(m->merchant.store_name, p->store_name, sizeof m->merchant.store_name);
	memcpy(m->merchant.terminal_id, p->terminal_id, sizeof m->merchant.terminal_id);
	m->order_amount = pay_amount_is_open(p) ? MONEY_NONE : p->amount;
}

static void put_order_id(const struct pay *p, char *dst)
{
	struct buf b = buf_init(dst, MSG_ID - 1);

	pay_id_write(&b, &p->order);
	CHECK(buf_ok(&b));
	dst[b.n] = '\0';
}

static void put_mode(const struct pay *p, char dst[4])
{
	memcpy(dst, p->mode == 'C' ? "CPM" : p->mode == 'O' ? "OUT" : "MPM", 4);
}

/* The id by which the issuer knows the debit of this attempt. */
static void put_debit_id(const struct pay *p, unsigned attempt, char *dst)
{
	put_id(p, attempt ? 'a' : 0, attempt, dst);
}

static void call_refund(const struct pay *p, const struct call *c, struct msg *m)
{
	const struct refund *r = c->refund_seq ? pay_refund(p, c->refund_seq) : NULL;

	m->has_refund = true;
	if (r) {
		put_id(p, 'r', r->seq, m->refund.id);
		m->refund.amount = r->iss_ask;
		m->refund.settle = r->iss_owe;
		memcpy(m->refund.peer_id, r->peer_id, sizeof m->refund.peer_id);
	} else { /* giving back all of it */
		put_id(p, 'u', 1, m->refund.id);
		m->refund.amount = p->iss.taken;
		m->refund.settle = p->iss.owe;
		memcpy(m->refund.peer_id, p->undo.their_refund, sizeof m->refund.peer_id);
	}
	memcpy(m->key, m->refund.id, sizeof m->key);
}

/* The payer by our name for him: the shell puts in what his wallet calls him. */
static void put_debit(const struct pay *p, struct msg *m)
{
	reply_order(p, m);
	memcpy(m->payer.id, p->payer_id, sizeof m->payer.id);
	if (!pay_is_scan(p)) { /* else the code is the merchant's: the payer has shown none */
		memcpy(m->code.format, p->code_format, sizeof m->code.format);
		memcpy(m->code.scheme, p->code_scheme, sizeof m->code.scheme);
	}
	m->expires = p->expires;
	put_mode(p, m->mode);
}

/* Who takes us for its scheme knows both sides by the ids that we assigned to them. */
static void put_names(const struct snapshot *sn, const struct pay *p, uint16_t to, struct msg *m)
{
	const struct peer *reader = to ? snapshot_peer(sn, to) : NULL;

	if (!reader || !peer_as_scheme(reader))
		return;
	if (p->acq.peer)
		memcpy(m->acquirer.id, snapshot_peer(sn, p->acq.peer)->assigned_id,
			sizeof m->acquirer.id);
	if (!p->iss.peer)
		return;
	memcpy(m->issuer, snapshot_peer(sn, p->iss.peer)->assigned_id, sizeof m->issuer);
	if (!m->brand[0])
		memcpy(m->brand, snapshot_peer(sn, p->iss.peer)->name,
			sizeof snapshot_peer(sn, p->iss.peer)->name);
}

static void call_issuer(
	const struct snapshot *sn, const struct pay *p, const struct call *c, struct msg *m)
{
	const struct peer *peer = snapshot_peer(sn, c->peer);

	put_debit_id(p, c->attempt, m->request_id);
	memcpy(m->key, m->request_id, sizeof m->key);
	memcpy(m->peer_id, p->iss.their_id, sizeof m->peer_id);
	m->amount = p->iss.ask;
	m->settle = p->iss.owe;
	m->settle_ccy = peer->settle;
	put_names(sn, p, c->peer, m);
	if (c->op == OP_DEBIT ||
		peer_caps(peer, c->op)->sends_code) /* or repeats it, word for word */
		put_debit(p, m);
	switch (c->op) {
	case OP_DEBIT:
		break;
	case OP_CAPTURE:
		put_id(p, 'k', 1, m->key);
		break;
	case OP_CANCEL:
		put_id(p, 'c', 1, m->undo_id);
		memcpy(m->key, m->undo_id, sizeof m->key);
		m->only_if_open = !peer_caps(peer, OP_CANCEL)->cancel_undoes &&
				  money_sign(p->iss.held) == 0;
		break;
	case OP_REFUND:
	case OP_INQUIRE_REFUND:
		call_refund(p, c, m);
		break;
	case OP_INQUIRE:
		break;
	case OP_NONE:
	case OP_RESOLVE:
	case OP_TELL:
	case OP_NOTIFY:
	case OP_PUSH:
	case OP_CODES:
	case OP_TOKEN:
	case OP_ORDER:
	case OP_CONFIRM:
	case OP_CREDIT:
	case OP_READ:
	case OP_HOOKS:
	case OP_IMAGE:
	case OP_RULES:
	case OP_REGISTER:
	case OP_STANDING:
	case OP_MAX:
		CHECK_UNREACHABLE();
	}
}

/* A pay-out: the wallet stands where an acquirer does, and knows it by our id. */
static void call_credit(const struct pay *p, struct msg *m)
{
	put_id(p, 0, 0, m->request_id);
	memcpy(m->key, m->request_id, sizeof m->key);
	memcpy(m->peer_id, p->acq.their_id, sizeof m->peer_id);
	reply_order(p, m);
	m->amount = p->acq.owe;
	m->settle_ccy = money_ccy(p->acq.owe);
	put_mode(p, m->mode);
}

static void call_acquirer(
	const struct snapshot *sn, const struct pay *p, const struct call *c, struct msg *m)
{
	if (p->flow == FLOW_CREDIT) {
		call_credit(p, m);
		return;
	}
	put_names(sn, p, c->peer, m);
	put_id(p, 0, 0, m->peer_id);
	memcpy(m->request_id, p->acq.their_request, sizeof m->request_id);
	memcpy(m->payer.id, p->payer_id, sizeof m->payer.id);
	put_id(p, 't', c->attempt + 1u, m->key);
	if (c->op == OP_RESOLVE) {
		memcpy(m->code.format, p->code_format, sizeof m->code.format);
		memcpy(m->code.scheme, p->code_scheme, sizeof m->code.scheme);
		return;
	}
	CHECK(c->op == OP_TELL);
	memcpy(m->object_id, p->acq.their_id, sizeof m->object_id);
	m->amount = p->amount;
	m->settle = p->acq.owe;
	m->outcome = p->iss.phase == LEG_YES ? OUTCOME_APPROVED : OUTCOME_DECLINED;
	m->reason = (enum reason)p->iss.reason;
	m->at = p->iss.at;
}

void call_build(
	const struct snapshot *sn, const struct pay *p, const struct call *c, struct msg *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->op = c->op;
	if (c->side == SIDE_ISSUER)
		call_issuer(sn, p, c, ret);
	else
		call_acquirer(sn, p, c, ret);
}

/* What others are told of it. A success that comes after the end is between us and the wallet,
 * while it goes back and afterwards: what was final stays so. */
static enum pay_state told_state(const struct pay *p)
{
	if (!p->late)
		return pay_state(p);
	switch ((enum undo_cause)p->undo.cause) {
	case UNDO_BY_CALLER:
		return PAY_CANCELLED;
	case UNDO_EXPIRED:
		return PAY_EXPIRED;
	case UNDO_LATE:
		return p->iss.reason == REASON_EXPIRED ? PAY_EXPIRED : PAY_DECLINED;
	case UNDO_BY_NOBODY:
	case UNDO_UNRESOLVED:
	case UNDO_REFUSED:
		break;
	}
	return PAY_UNDONE;
}

static enum outcome outcome_of(const struct pay *p, enum reason *ret_reason)
{
	enum pay_state s = told_state(p);

	*ret_reason = REASON_NONE;
	switch (s) {
	case PAY_PAID:
	case PAY_PARTLY_REFUNDED:
	case PAY_REFUNDED:
	case PAY_REFUNDING:
		return OUTCOME_APPROVED;
	case PAY_DECLINED:
		*ret_reason = (enum reason)(
			p->acq.phase == LEG_NO && p->iss.phase != LEG_NO && !p->late
				? p->acq.reason
				: p->iss.reason);
		return OUTCOME_DECLINED;
	case PAY_EXPIRED:
		*ret_reason = REASON_EXPIRED;
		return OUTCOME_DECLINED;
	case PAY_CANCELLED:
		*ret_reason = REASON_CANCELLED;
		return OUTCOME_REVERSED;
	case PAY_UNDONE:
		*ret_reason = p->undo.cause == UNDO_REFUSED ? REASON_CLOSED : REASON_UNRESOLVED;
		return OUTCOME_DECLINED;
	case PAY_WRITTEN_OFF:
		*ret_reason = REASON_UNRESOLVED;
		return OUTCOME_UNKNOWN;
	case PAY_STUCK:
		return p->posted == POSTED_PAYMENT && p->undo.phase == UNDO_NONE &&
				       p->refund_seq /* it is a refund that is stuck */
			       ? OUTCOME_APPROVED
			       : OUTCOME_PENDING;
	case PAY_NEW:
	case PAY_RESOLVING:
	case PAY_OPEN:
	case PAY_DEBITING:
	case PAY_PENDING:
	case PAY_IN_DOUBT:
	case PAY_CAPTURING:
	case PAY_TELLING:
	case PAY_CREDITING:
	case PAY_TAKEN:
	case PAY_UNDOING:
		return OUTCOME_PENDING;
	}
	CHECK_UNREACHABLE();
}

/* Each side reads its own ids and amounts: what the other has agreed with us is not its business.
 * A participant on both sides reads as who began the payment. */
static enum side side_of(const struct pay *p, uint16_t peer)
{
	bool acquirer = peer == p->acq.peer, issuer = peer == p->iss.peer || peer == p->via;

	return acquirer && issuer ? (enum side)p->caller : acquirer ? SIDE_ACQUIRER : SIDE_ISSUER;
}

/* For the requester its own id stands first; ours is the answering side's. */
static void refund_of(
	const struct pay *p, const struct refund *r, enum side side, struct msg_refund *ret)
{
	bool asked = side == SIDE_ACQUIRER && r->request_id[0];

	memset(ret, 0, sizeof *ret);
	put_id(p, 'r', r->seq, ret->peer_id);
	memcpy(ret->id, asked ? r->request_id : ret->peer_id, sizeof ret->id);
	ret->amount = r->amount;
	ret->settle = side == SIDE_ACQUIRER ? r->acq_owe : r->iss_owe;
	ret->at = r->since;
	ret->release = r->release;
	switch ((enum refund_phase)r->phase) {
	case REFUND_DONE:
		ret->outcome = OUTCOME_APPROVED;
		break;
	case REFUND_NO:
		ret->outcome = OUTCOME_DECLINED;
		break;
	case REFUND_NONE:
	case REFUND_SENT:
	case REFUND_PENDING:
	case REFUND_UNKNOWN:
	case REFUND_STUCK:
		ret->outcome = OUTCOME_PENDING;
		break;
	}
}

static void put_amount(struct money m, char *dst, size_t cap)
{
	struct buf b = buf_init(dst, cap - 1);

	if (money_is_none(m))
		return;
	money_write_major(&b, m);
	buf_ch(&b, ' ');
	buf_str(&b, ccy_alpha(money_ccy(m)));
	CHECK(buf_ok(&b));
}

/* A refusal by a limit of ours names it and says what it is. */
static void put_limit(const struct pay *p, struct msg *m)
{
	memcpy(m->limit, p->limit, sizeof p->limit);
	put_amount(p->limit_value, m->limit_value, sizeof m->limit_value);
	put_amount(p->limit_used, m->limit_used, sizeof m->limit_used);
	m->limit_resets = p->limit_resets;
}

static void reply_refund(const struct pay *p, enum side side, int seq, struct msg *m)
{
	const struct refund *r = pay_refund(p, seq - SEQ_REFUND);

	m->has_refund = true;
	if (!r) { /* begun elsewhere: this copy of the record is older than the claim */
		m->outcome = OUTCOME_PENDING;
		m->reason = REASON_NONE;
		return;
	}
	refund_of(p, r, side, &m->refund);
	m->outcome = m->refund.outcome;
	m->reason = (enum reason)r->reason;
	if (m->reason == REASON_LIMIT && p->limit[0])
		put_limit(p, m);
	m->at = r->since;
}

/* A scan's answer: what the payer is asked to confirm. */
static void reply_scan(const struct pay *p, struct msg *m)
{
	bool refused = p->acq.op == OP_NONE || (p->acq.op == OP_RESOLVE && p->acq.phase == LEG_NO);

	m->settle = p->flow == FLOW_WALLET_DEBITS ? p->iss.owe : p->iss.ask;
	m->expires = p->expires;
	if (p->quote.until.us && p->quote.until.us < m->expires.us)
		m->expires = p->quote.until;
	m->reason = REASON_NONE;
	if (refused) {
		m->outcome = OUTCOME_DECLINED;
		m->reason = (enum reason)p->acq.reason;
	} else if (p->acq.op == OP_RESOLVE && p->acq.phase != LEG_YES) {
		m->outcome = OUTCOME_PENDING;
	} else {
		m->outcome = OUTCOME_APPROVED;
	}
}

/* What an acquirer's side that captures later counts; what is being released is not yet. */
static void put_captures(const struct pay *p, struct msg *m)
{
	struct money none = money_of(0, money_ccy(p->amount)), returned = none;

	m->has_counts = true;
	m->held = p->amount;
	m->taken = p->captured;
	m->released = p->undo.phase == UNDO_UNDONE ? p->amount : p->released;
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].release && refund_is_open(&p->refund[i]))
			CHECK(money_sub(m->released, p->refund[i].amount, &m->released) == RC_OK);
	if (!money_is_none(p->refunded))
		CHECK(money_sub(p->refunded, m->released, &returned) == RC_OK);
	m->returned = returned;
	for (int i = 0; i < CAPTURES_MAX && !money_is_none(p->capture[i].amount); i++) {
		struct msg_capture *c = &m->captures[m->capture_count++];

		memcpy(c->id, p->capture[i].request_id, sizeof c->id);
		put_id(p, 'k', (unsigned)i + 1, c->peer_id);
		c->amount = p->capture[i].amount;
		c->at = p->capture[i].at;
	}
}

/* It reads what we asked it to debit, by the id that we gave it for that. */
static bool is_debited(const struct pay *p, uint16_t to)
{
	return to == p->iss.peer && to != p->acq.peer && to != p->via && p->iss.op != OP_NONE;
}

/* What the answer is about, where that is not the payment as a whole. */
static void reply_to(const struct pay *p, enum side side, enum op op, int seq, struct msg *ret)
{
	if (op == OP_TELL && p->flow != FLOW_PUSHED) {
		/* The wallet's own word: what was taken down is acknowledged, whatever comes later.
		 */
		ret->outcome = OUTCOME_APPROVED;
		ret->reason = REASON_NONE;
	} else if (seq >= SEQ_REFUND) {
		reply_refund(p, side, seq, ret);
	} else if (seq >= SEQ_CAPTURE) {
		ret->has_capture = true;
		ret->capture = ret->captures[seq - SEQ_CAPTURE];
	} else if (seq == SEQ_CANCEL) {
		ret->outcome = pay_answer_final(p, SEQ_CANCEL) ? OUTCOME_REVERSED : OUTCOME_PENDING;
		ret->reason = REASON_CANCELLED;
	} else if (seq == SEQ_FIRST && pay_is_scan(p) && op == OP_RESOLVE) {
		reply_scan(p, ret);
	}
}

void reply_build(const struct snapshot *sn, const struct pay *p, uint16_t to, enum op op, int seq,
	struct msg *ret)
{
	enum side side = side_of(p, to);
	const struct leg *own = side == SIDE_ACQUIRER ? &p->acq : &p->iss;

	memset(ret, 0, sizeof *ret);
	ret->op = op;
	ret->answer = true;
	put_id(p, 0, 0, ret->object_id);
	if (side == SIDE_ACQUIRER && !pay_id_is_none(&p->order))
		put_order_id(p, ret->object_id); /* it knows the payment by the order it made */
	memcpy(ret->peer_id, ret->object_id, sizeof ret->peer_id);
	memcpy(ret->request_id, own->their_request, sizeof ret->request_id);
	memcpy(ret->issuer_payment_id, p->iss.their_id, sizeof ret->issuer_payment_id);
	memcpy(ret->brand, p->brand, sizeof ret->brand);
	memcpy(ret->payer.id, p->payer_id, sizeof ret->payer.id);
	reply_order(p, ret);
	ret->amount = pay_amount_is_open(p) ? MONEY_NONE : p->amount;
	if (pay_amount_is_open(p)) /* in which the payer is to say it */
		ret->settle_ccy = money_ccy(p->amount);
	/* The acquirer what it gets, the other side what its payer pays. */
	ret->settle = side == SIDE_ACQUIRER ? p->acq.owe : p->iss.ask;
	if (is_debited(p, to)) {
		put_debit_id(p, p->iss.attempt, ret->request_id);
		ret->amount = p->iss.ask;
		ret->settle = p->iss.owe;
	}
	ret->expires = p->expires;
	put_mode(p, ret->mode);
	put_names(sn, p, to, ret);
	ret->at = p->iss.at.us ? p->iss.at : p->iss.since;
	ret->version = pay_version(p);
	ret->outcome = outcome_of(p, &ret->reason);
	if (p->flow == FLOW_ORDER) /* in which shape its code is wanted */
		memcpy(ret->code.format, p->code_format, sizeof ret->code.format);
	if (pay_awaits_action(p) && pay_is_shown(p))
		memcpy(ret->code.text, p->action_url, sizeof p->action_url);
	else if (pay_awaits_action(p))
		memcpy(ret->action_url, p->action_url, sizeof ret->action_url);
	if (ret->reason == REASON_LIMIT && p->limit[0])
		put_limit(p, ret);
	if (ret->outcome == OUTCOME_DECLINED || ret->outcome == OUTCOME_REVERSED)
		memcpy(ret->their_code, p->iss.their_code, sizeof ret->their_code);
	memcpy(ret->status, pay_state_name(told_state(p)), strlen(pay_state_name(told_state(p))));
	ret->created = p->created;
	if (side == SIDE_ACQUIRER && !money_is_none(p->captured)) {
		put_captures(p, ret);
	} else if (!money_is_none(p->refunded)) {
		ret->has_counts = true;
		ret->taken = p->amount;
		ret->returned = p->refunded;
	}
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase != REFUND_NONE)
			refund_of(p, &p->refund[i], side, &ret->refunds[ret->refund_count++]);
	reply_to(p, side, op, seq, ret);
}

void notify_build(
	const struct snapshot *sn, const struct pay *p, uint16_t to, int seq, struct msg *ret)
{
	reply_build(sn, p, to, OP_NOTIFY, seq, ret);
	ret->answer = false;
	put_id(p, 'n', (unsigned)seq + 1, ret->event_id);
}
