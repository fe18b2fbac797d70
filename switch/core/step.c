/*
 * step.c: core_step, the only entry: takes a copy of the record, hands the event to the obligation
 * that it is about, and checks the result.
 *
 * The hard thing is what it does not do: no clock, no allocation, no answer but the step. The
 * record's one alarm clock is the earliest `next` of its obligations, so a payment that has
 * something to do is always found again, whoever died. Every state has a resume rule: being stepped
 * at its `next`.
 */
#include "turn.h"

const struct peer *snapshot_peer(const struct snapshot *sn, uint16_t number)
{
	for (size_t i = 0; i < sn->peer_count; i++)
		if (sn->peer[i].number == number)
			return &sn->peer[i];
	return NULL;
}

const struct caps *peer_caps(const struct peer *p, enum op op)
{
	PRE(op < OP_MAX);
	return p->caps[op];
}

bool peer_cancels_unseen(const struct peer *p)
{
	const struct caps *c = peer_caps(p, OP_CANCEL);

	return p->scheme || (c && c->cancels_unseen);
}

bool peer_as_scheme(const struct peer *p)
{
	return p->caps[OP_DEBIT] && p->caps[OP_DEBIT]->as_scheme;
}

const struct peer *turn_peer(const struct turn *t, uint16_t number)
{
	const struct peer *p = snapshot_peer(t->sn, number);

	CHECK(p); /* participants are never taken out of the configuration, only switched off */
	return p;
}

static int64_t watched_ms(const struct turn *t)
{
	return t->before->watched_ms + t->ev->watched_ms;
}

bool turn_settled(const struct turn *t, struct wall since, int64_t ms)
{
	return wall_diff_ms(t->ev->now, since) >= ms && (!t->ev->watched_ms || watched_ms(t) >= ms);
}

#define NOTHING_AGAIN_MS 3000

/* Nothing is final before the time is over, but what is on its way may be found before: we look
 * once when half of it is over, and then at its end. A partner that was silent has many to be asked
 * about. */
struct wall turn_settles(const struct turn *t, struct wall since, int64_t ms)
{
	int64_t left = ms - wall_diff_ms(t->ev->now, since);

	if (t->ev->watched_ms && left < ms - watched_ms(t))
		left = ms - watched_ms(t);
	if (left > ms * 3 / 4 && left > 4 * NOTHING_AGAIN_MS)
		left /= 2;
	return wall_plus_ms(t->ev->now, left > NOTHING_AGAIN_MS ? left : NOTHING_AGAIN_MS);
}

const struct caps *turn_caps(const struct turn *t, uint16_t peer, enum op op)
{
	return peer_caps(turn_peer(t, peer), op);
}

bool turn_cancel_over(const struct turn *t, uint16_t number)
{
	const struct peer *peer = turn_peer(t, number);
	int64_t day = zone_day(&peer->zone, t->p->created);

	return peer->cancel_until_min >= 0 &&
	       t->ev->now.us >= zone_time(&peer->zone, day + 1, peer->cancel_until_min).us;
}

struct wall turn_call(struct turn *t, struct call c)
{
	const struct caps *caps = turn_caps(t, c.peer, c.op);
	/* What a code of ours stands for is in the ledger: whose it is, is not asked. */
	bool own = c.op == OP_RESOLVE && pay_is_of_ours(t->p);

	CHECK((own || caps) && t->st->call_count < STEP_ACTIONS);
	t->st->call[t->st->call_count++] = c;
	return wall_plus_ms(t->ev->now, (own ? LEDGER_MS : caps->allowed_ms) + TAKEOVER_MS);
}

void turn_reply(struct turn *t, int seq)
{
	if (pay_answer_final(t->before, seq))
		return; /* what was said stays said */
	if (seq < SEQ_REFUND)
		t->p->answered |= (uint8_t)(1u << seq);
	CHECK(!t->st->replies);
	t->st->replies = true;
	t->st->reply_seq = seq;
}

/* A result is pushed where the agreement asks for all of them, or where the request must have been
 * answered "pending" before; `asked` none: there was no request that could have waited for it. */
static void notify(struct turn *t, uint16_t to, int seq, struct wall asked)
{
	const struct peer *peer = turn_peer(t, to);
	struct step *st = t->st;

	if (!peer_caps(peer, OP_NOTIFY) || peer->notify == NOTIFY_NEVER)
		return;
	if (peer->notify == NOTIFY_LATE && asked.us &&
		wall_diff_ms(t->ev->now, asked) + 250 < peer->hold_ms)
		return;
	CHECK(st->notify_count < STEP_NOTIFIES);
	st->notify[st->notify_count++] = (struct notify){ to, seq };
}

/* Who made an order hears of the payment that has it, whatever comes of it, but not of one that
 * leaves it as open as it was. Whose merchant's code
 * hangs on a wall knows of nobody who looks at it: of what was paid alone. */
static bool concerns_acquirer(const struct pay *p, int seq)
{
	if (!pay_id_is_none(&p->order))
		return !p->gave_back;
	return p->merchant_token[0] && (seq != SEQ_CONFIRM || p->iss.phase == LEG_YES);
}

/* When who waits for the first answer began to; none: it was told at once what its payer has to do,
 * and so waits no more. */
static struct wall asked_at(const struct pay *p)
{
	if (p->action_url[0])
		return WALL_NONE;
	return p->flow == FLOW_PUSHED && p->confirmed ? p->iss.since : p->created;
}

/* To who asked; and to who made an order, of the payment that has it: what becomes of other scans
 * is not the order's fate. */
void turn_notify(struct turn *t, int seq)
{
	const struct pay *p = t->p;
	const struct refund *r;

	if (seq >= SEQ_REFUND) {
		r = pay_refund(p, seq - SEQ_REFUND);
		notify(t, p->acq.peer, seq, r ? r->since : p->created);
		return;
	}
	if (seq >= SEQ_BEGUN) {
		notify(t, p->acq.peer, seq, t->ev->now);
		return;
	}
	if (p->flow != FLOW_CLAIMED) /* else it is they who told us */
		notify(t, p->caller == SIDE_ACQUIRER ? p->acq.peer : p->via, seq, asked_at(p));
	if (p->confirmed && p->acq.peer != p->via && concerns_acquirer(p, seq))
		notify(t, p->acq.peer, seq, WALL_NONE);
}

void turn_refuse(struct turn *t, enum reason why, const char *detail)
{
	t->st->fate = FATE_REFUSE;
	t->st->refusal = why;
	t->st->refusal_detail = detail;
}

void turn_exception(struct turn *t, enum exception x)
{
	if (x == EXCEPTION_CONTRADICTION) { /* once: a partner may repeat its message for days */
		if (t->p->denied)
			return;
		t->p->denied = 1;
		t->st->keep_evidence = true;
		turn_moved(t, "they contradict what is settled");
	}
	t->st->exception = x;
	t->st->changed = true; /* whatever the record says: what is not committed nobody sees */
	if (x == EXCEPTION_IN_DOUBT || x == EXCEPTION_REFUND)
		t->p->stuck = 1;
}

void turn_moved(struct turn *t, const char *sentence)
{
	t->st->moved = sentence;
}

void turn_order(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;

	memcpy(p->order_reference, m->order_reference, sizeof p->order_reference);
	memcpy(p->order_description, m->order_description, sizeof p->order_description);
	memcpy(p->merchant_id, m->merchant.id, sizeof p->merchant_id);
	memcpy(p->merchant_name, m->merchant.name, sizeof p->merchant_name);
	memcpy(p->merchant_mcc, m->merchant.mcc, sizeof p->merchant_mcc);
	memcpy(p->merchant_country, m->merchant.country, sizeof p->merchant_country);
	memcpy(p->merchant_city, m->merchant.city, sizeof p->merchant_city);
	memcpy(p->store_id, m->merchant.store_id, sizeof p->store_id);
	memcpy(p->store_name, m->merchant.store_name, sizeof p->store_name);
	memcpy(p->terminal_id, m->merchant.terminal_id, sizeof p->terminal_id);
}

static void earliest(struct wall *due, struct wall next)
{
	if (next.us && (!due->us || next.us < due->us))
		*due = next;
}

static struct wall alarm(const struct pay *p)
{
	struct wall due = WALL_NONE;

	earliest(&due, p->acq.next);
	earliest(&due, p->iss.next);
	if (!MUTANT(UNDO_SLEEPS))
		earliest(&due, p->undo.next);
	for (int i = 0; i < REFUNDS_OPEN; i++)
		earliest(&due, p->refund[i].next);
	earliest(&due, doubt_alarm(p));
	return due;
}

static bool is_due(struct wall next, struct wall now)
{
	return next.us && next.us <= now.us;
}

/* What waits for a partner that answers again is due now. */
static void hurry(struct pay *p, struct wall now)
{
	const uint16_t peers[] = { p->iss.peer, p->acq.peer };

	for (int i = 0; i < 2; i++) {
		struct wall *next = peers[i] ? pay_waits(p, peers[i]) : NULL;
		if (next && !is_due(*next, now))
			*next = now;
	}
}

static void due(struct turn *t)
{
	struct pay *p = t->p;
	struct wall now = t->ev->now;

	if (t->ev->look)
		return;
	if (t->ev->hurry)
		hurry(p, now);
	if (is_due(p->undo.next, now)) {
		undo_due(t);
	} else if (p->flow == FLOW_ORDER) {
		if (is_due(p->acq.next, now))
			order_due(t);
	} else if (p->flow == FLOW_CREDIT) {
		if (is_due(p->acq.next, now))
			credit_due(t);
	} else if (is_due(p->iss.next, now)) {
		if (pay_state(p) == PAY_OPEN) {
			p->iss.next = WALL_NONE;
			undo_want(t, UNDO_EXPIRED); /* never confirmed */
		} else {
			issuer_due(t);
		}
	} else if (is_due(p->acq.next, now)) {
		acquirer_due(t);
	} else if (p->refund_seq) { /* without any there may be no issuer either */
		refund_due(t);
	}
}

static bool about_undo(const struct turn *t)
{
	const struct undo *u = &t->p->undo;

	return t->ev->side == SIDE_ISSUER && (u->phase == UNDO_ASKING || u->phase == UNDO_STUCK) &&
	       t->ev->op == u->op && t->ev->op != OP_DEBIT && t->ev->op != OP_CAPTURE;
}

static void answer(struct turn *t)
{
	const struct pay_event *ev = t->ev;

	if (ev->refund_seq)
		refund_answer(t, ev->msg);
	else if (t->p->flow == FLOW_CREDIT)
		credit_answer(t, ev->op, ev->msg);
	else if (ev->side == SIDE_ACQUIRER)
		acquirer_answer(t, ev->op, ev->msg);
	else if (ev->attempt != t->p->iss.attempt)
		return; /* of a candidate that has refused already */
	else if (about_undo(t))
		undo_answer(t, ev->op, ev->msg);
	else if (ev->op == OP_DEBIT || ev->op == OP_CAPTURE || ev->op == OP_INQUIRE)
		issuer_answer(t, ev->op, ev->msg);
}

static void no_answer(struct turn *t)
{
	const struct pay_event *ev = t->ev;

	if (ev->refund_seq)
		refund_no_answer(t, ev->lost);
	else if (t->p->flow == FLOW_CREDIT)
		credit_no_answer(t, ev->lost);
	else if (ev->side == SIDE_ACQUIRER)
		acquirer_no_answer(t, ev->op, ev->lost);
	else if (ev->attempt != t->p->iss.attempt)
		return;
	else if (about_undo(t))
		undo_no_answer(t);
	else if (ev->op == OP_DEBIT || ev->op == OP_CAPTURE || ev->op == OP_INQUIRE)
		issuer_no_answer(t, ev->op, ev->lost);
}

/* Who has no part in the payment hears what everybody hears of one that does not exist. */
static void push(struct turn *t)
{
	const struct pay *p = t->p;
	uint16_t peer = t->ev->peer;

	if (peer != p->iss.peer && peer != p->acq.peer && peer != p->via) {
		turn_refuse(t, REASON_NOT_FOUND, "no such payment");
		return;
	}
	t->st->fate = FATE_ACK;
	if (t->ev->msg->has_refund) {
		if (p->flow != FLOW_CREDIT && peer == p->iss.peer)
			refund_push(t, t->ev->msg);
	} else if (p->flow == FLOW_CREDIT && peer == p->acq.peer) {
		credit_push(t, t->ev->msg);
	} else if (p->flow != FLOW_CREDIT && peer == p->iss.peer) {
		issuer_push(t, t->ev->msg);
	}
}

/* The side that is to be told, or credited, gives no certain answer. */
static bool acquirer_is_stuck(const struct pay *p)
{
	const struct leg *l = &p->acq;

	return p->stuck && p->undo.phase == UNDO_NONE && !l->asking &&
	       (l->phase == LEG_PENDING || l->phase == LEG_UNKNOWN);
}

/* A debit that nobody says anything about. */
static bool debit_is_stuck(const struct pay *p)
{
	return p->stuck && p->undo.phase == UNDO_NONE && p->iss.phase == LEG_UNKNOWN &&
	       !p->iss.asking;
}

static void operator_cannot(struct turn *t)
{
	turn_refuse(t, REASON_STATE,
		t->p->stuck ? "the partner is being asked at this moment"
			    : "nothing of this payment is stuck");
}

static void operator_retry(struct turn *t)
{
	if (t->p->undo.phase == UNDO_STUCK)
		undo_retry(t);
	else if (acquirer_is_stuck(t->p) && t->p->flow == FLOW_CREDIT)
		credit_due(t);
	else if (acquirer_is_stuck(t->p))
		acquirer_due(t);
	else if (debit_is_stuck(t->p))
		issuer_due(t);
	else if (refund_stuck(t->p))
		refund_retry(t);
	else
		operator_cannot(t);
}

/* Where the other side may have been told of a success, only its own word can undo that; pushed
 * money is given back by who pushed it. */
static bool may_undo(const struct pay *p)
{
	return p->undo.phase == UNDO_NONE && !pay_is_final(p) && p->iss.peer &&
	       p->flow != FLOW_CREDIT && p->flow != FLOW_PUSHED && p->acq.op != OP_TELL &&
	       !pay_has_refunds(p);
}

static void operator_step(struct turn *t)
{
	switch (t->ev->verb) {
	case OPERATOR_RETRY:
		operator_retry(t);
		break;
	case OPERATOR_UNDO:
		if (may_undo(t->p))
			undo_want(t, UNDO_BY_CALLER);
		else
			turn_refuse(t, REASON_STATE, "there is nothing to undo");
		break;
	case OPERATOR_WRITE_OFF:
		if (t->p->undo.phase == UNDO_STUCK || acquirer_is_stuck(t->p))
			undo_write_off(t);
		else if (refund_stuck(t->p))
			refund_write_off(t);
		else if (debit_is_stuck(t->p))
			turn_refuse(t, REASON_STATE,
				"undo it first: what stays stuck then can be written off");
		else
			operator_cannot(t);
		break;
	}
}

static void finish(struct turn *t)
{
	const struct pay *before = t->before;
	struct step *st = t->st;
	struct buf now = buf_init(st->record, sizeof st->record);

	st->changed = st->changed || !pay_same(before, &st->next);
	if (st->changed || t->ev->kind == EV_DUE || t->ev->kind == EV_RESUME)
		doubt_look(t);
	if (st->changed)
		st->next.watched_ms = t->watch_anew || !st->next.doubt.us ? 0
				      : watched_ms(t) < UINT32_MAX        ? (uint32_t)watched_ms(t)
									  : UINT32_MAX;
	st->next.due = alarm(&st->next);
	st->changed = st->changed || st->next.due.us != before->due.us;
	if (st->changed) {
		st->next.version = before->version + 1;
		st->next.salt = t->ev->salt;
	}
	CHECK(pay_pack(&st->next, &now) == RC_OK);
	st->record_bytes = now.n;
	CHECK(pay_check(&st->next) == NULL);
	CHECK_IMPLIES(!st->changed, st->entry_count == 0 && st->call_count == 0 && !st->replies);
}

void core_step(const struct snapshot *sn, const struct pay *before, const struct pay_event *ev,
	struct step *ret)
{
	struct turn t = { sn, before, ev, ret, &ret->next, false };

	memset(ret, 0, offsetof(struct step, record));
	ret->next = *before;
	switch (ev->kind) {
	case EV_REQUEST:
		request_step(&t);
		break;
	case EV_ANSWER:
		answer(&t);
		break;
	case EV_NO_ANSWER:
		no_answer(&t);
		break;
	case EV_PUSH:
		push(&t);
		break;
	case EV_DUE:
	case EV_RESUME:
		due(&t);
		break;
	case EV_OPERATOR:
		operator_step(&t);
		break;
	}
	finish(&t);
}
