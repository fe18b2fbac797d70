/*
 * issuer.c: the debit of the payer: ask, capture where the peer only holds, inquire while unsure.
 *
 *   IDLE -> SENT -> YES | NO | PENDING | UNKNOWN      PENDING, UNKNOWN -> (inquire) -> YES | NO
 *
 * The hard thing: a lost answer is neither yes nor no. UNKNOWN is left by an answer only; when the
 * ladder of inquiries is used up, the undo takes over and makes sure that nothing remains. Must
 * never ask another candidate while the first may still have debited.
 */
#include "turn.h"

static bool candidate_follows(const struct pay *p)
{
	return p->iss.attempt + 1 < p->candidate_count;
}

static void ask(struct turn *t, enum op op)
{
	struct leg *l = &t->p->iss;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_SENT));
	if (l->op != op) /* a capture that is asked again goes on climbing its ladder */
		l->tries = 0;
	l->op = (uint8_t)op;
	l->asking = l->misses = 0;
	l->since = t->ev->now;
	l->next = turn_call(
		t, (struct call){
			   .peer = l->peer, .side = SIDE_ISSUER, .op = op, .attempt = l->attempt });
}

void issuer_ask(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *peer = turn_peer(t, p->candidate[p->iss.attempt]);
	enum reason why;

	p->iss.peer = peer->number;
	p->iss.agreement = peer->agreement;
	p->iss.reason = REASON_NONE;
	/* What a payer has confirmed stands: no new quote between consent and debit (RTS art. 5).
	 */
	why = p->confirmed ? REASON_NONE : fx_amounts(t);
	if (why == REASON_NONE)
		why = limit_check(t, turn_peer(t, p->acq.peer), peer);
	if (why != REASON_NONE) {
		issuer_refused(t, why);
		return;
	}
	post_reserve(t);
	ask(t, OP_DEBIT);
}

/* The next candidate gets the code only when the last one surely has not taken it. */
static bool next_candidate(struct turn *t)
{
	struct pay *p = t->p;

	if (p->undo.phase != UNDO_NONE || !candidate_follows(p))
		return false;
	post_release(t);
	p->iss.their_id[0] = p->iss.their_code[0] = p->action_url[0] = '\0';
	p->iss.attempt++;
	turn_moved(t, fsm_move(&fsm_leg, &p->iss.phase, LEG_NO));
	issuer_ask(t);
	return true;
}

void issuer_refused(struct turn *t, enum reason why)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;
	enum leg_phase was = l->phase;

	if (l->phase != LEG_NO)
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
	l->reason = (uint8_t)why;
	l->asking = 0;
	l->next = WALL_NONE;
	l->since = t->ev->now;
	t->st->forget_code = true;
	if (p->undo.phase != UNDO_NONE) {
		undo_go(t);
		return;
	}
	post_release(t);
	if (pay_is_scan(p)) {
		order_give_back(t, was);
		turn_reply(t, SEQ_CONFIRM);
		turn_notify(t, SEQ_CONFIRM);
		acquirer_tell(t);
	} else {
		turn_reply(t, SEQ_FIRST);
		turn_notify(t, SEQ_FIRST);
	}
}

/* Its quote is text to us; one that fits its own amounts in no direction is for a person to see. */
static void check_quote(struct turn *t, const struct msg *m)
{
	struct money asked = money_is_none(m->amount) ? t->p->iss.ask : m->amount;

	if (m->quote.price[0] && !money_is_none(m->settle) && !money_same(asked, m->settle) &&
		!fx_quote_fits(asked, m->settle, span_str(m->quote.price)))
		turn_exception(t, EXCEPTION_QUOTE);
}

/* The money is ours for certain. */
static void taken(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	l->taken = l->ask;
	if (!money_is_none(m->settle)) {
		l->owe = m->settle;
		l->rounding = MONEY_NONE; /* that was of our estimate */
	}
	l->asking = 0;
	l->sure = 1;
	l->next = WALL_NONE;
	l->since = t->ev->now;
	l->at = m->at.us ? m->at : t->ev->now;
	t->st->forget_code = true;
	t->st->keep_evidence = true;
	if (p->undo.phase != UNDO_NONE) {
		if (p->undo.phase == UNDO_WANTED)
			undo_go(t);
		return; /* the undo knows now what there is to give back */
	}
	doubt_over(t);
	post_payment(t);
	paid_open(t);
	check_quote(t, m);
	if (pay_is_scan(p)) {
		acquirer_tell(t);
	} else {
		turn_reply(t, SEQ_FIRST);
		turn_notify(t, SEQ_FIRST);
	}
}

static void inquire(struct turn *t, const char *why)
{
	struct leg *l = &t->p->iss;

	if (!turn_caps(t, l->peer, OP_INQUIRE))
		return;
	l->asking = OP_INQUIRE;
	l->next = turn_call(t, (struct call){ .peer = l->peer,
				       .side = SIDE_ISSUER,
				       .op = OP_INQUIRE,
				       .attempt = l->attempt });
	turn_moved(t, why);
}

/* Anybody may send hints, and each question is a step for ever: the first is heeded at once, the
 * next not before this has gone by; of what is over, where a stranger can gain least, later. */
#define HINT_GAP_MS      1000
#define HINT_GAP_OVER_MS 10000

static struct wall hint_is_heeded_at(const struct turn *t)
{
	const struct leg *l = &t->p->iss;
	int64_t gap = l->phase == LEG_NO ? HINT_GAP_OVER_MS : HINT_GAP_MS;
	int64_t since = wall_diff_ms(t->ev->now, l->heeded);

	return since < 0 || since >= gap ? t->ev->now : wall_plus_ms(l->heeded, gap);
}

static void heed(struct turn *t)
{
	struct leg *l = &t->p->iss;

	l->hinted = 0;
	l->heeded = t->ev->now;
	inquire(t, "a push made us ask");
}

static struct wall earlier(struct wall a, struct wall b)
{
	return a.us && a.us < b.us ? a : b;
}

/* Still open: when do we ask again? At the end of the ladder we make sure that nothing remains. */
static void wait(struct turn *t, enum leg_phase phase, int32_t ask_after_ms)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;
	const struct caps *c = turn_caps(t, l->peer, OP_INQUIRE);

	if (l->phase != phase) {
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, (uint8_t)phase));
		l->since = t->ev->now;
		t->watch_anew = true;
	}
	l->asking = 0;
	l->next = WALL_NONE; /* an undo has its own alarm */
	if (p->undo.phase == UNDO_WANTED) {
		undo_go(t);
		return;
	}
	if (p->undo.phase != UNDO_NONE)
		return;
	l->next = c ? ladder_next(&c->ladder, l->tries, t->ev->now) : WALL_NONE;
	if (phase == LEG_PENDING) { /* somebody is to act, and has until the order expires */
		if (c && !l->next.us)
			l->next = ladder_next(&c->ladder, c->ladder.count - 1u, t->ev->now);
		if (ask_after_ms > 0)
			l->next = wall_plus_ms(t->ev->now, ask_after_ms);
		if (!l->next.us || l->next.us > p->expires.us)
			l->next = p->expires;
	}
	if (c && l->hinted)
		l->next = earlier(l->next, hint_is_heeded_at(t));
	if (!l->next.us)
		undo_want(t, UNDO_UNRESOLVED);
}

static void held(struct turn *t, enum op op)
{
	struct leg *l = &t->p->iss;

	l->held = l->ask;
	l->sure = 1;
	t->st->keep_evidence = true;
	t->st->forget_code = true;
	if (t->p->undo.phase != UNDO_NONE) {
		if (t->p->undo.phase == UNDO_WANTED)
			undo_go(t);
		return;
	}
	if (op == OP_CAPTURE) /* an answer to a capture that says "held": it did not arrive */
		wait(t, LEG_UNKNOWN, 0);
	else
		ask(t, OP_CAPTURE);
}

static void not_found(struct turn *t)
{
	struct leg *l = &t->p->iss;
	const struct caps *c = turn_caps(t, l->peer, OP_INQUIRE);

	if (t->p->flow == FLOW_CLAIMED) { /* nobody asked for it: its payer has not decided */
		wait(t, LEG_PENDING, 0);
		return;
	}
	if (MUTANT(NOT_FOUND_ONCE)) {
		issuer_refused(t, REASON_UNRESOLVED);
		return;
	}
	l->misses++;
	/* F-3: final only after the settle time and twice in a row; and then we still cancel. */
	if (l->misses >= 2 && turn_settled(t, l->since, c->not_found_s * 1000)) {
		l->asking = 0;
		undo_want(t, UNDO_UNRESOLVED);
		return;
	}
	wait(t, LEG_UNKNOWN, 0);
	/* Its rungs are for who does not answer: they do, and a later one may be minutes away. */
	if (l->phase == LEG_UNKNOWN && l->next.us && !l->hinted)
		l->next = turn_settles(t, l->since, c->not_found_s * 1000);
}

/* A message that contradicts what is settled is recorded and changes nothing (F-6). */
static void settled(struct turn *t, enum outcome o, const struct msg *m)
{
	struct leg *l = &t->p->iss;

	if (l->phase == LEG_NO && (o == OUTCOME_APPROVED || o == OUTCOME_HELD))
		undo_late_success(t, m);
	else if (l->phase == LEG_YES && t->p->undo.phase == UNDO_NONE && t->p->refund_seq == 0 &&
		 (o == OUTCOME_DECLINED || o == OUTCOME_REVERSED))
		turn_exception(t, EXCEPTION_CONTRADICTION);
}

/* Where we are the scheme it is for us to say what they owe. */
static bool may_owe(struct turn *t, struct money stated)
{
	const struct leg *l = &t->p->iss;

	if (peer_as_scheme(turn_peer(t, l->peer)))
		return money_eq(stated, l->owe);
	return fx_may_settle(l->ask, l->owe, stated);
}

static enum outcome verdict(struct turn *t, enum op op, const struct msg *m)
{
	const struct leg *l = &t->p->iss;

	if (m->has_problem) /* the call changed nothing: a refused debit is final, a refused
			       question is not */
		return op == OP_DEBIT ? OUTCOME_DECLINED : OUTCOME_UNKNOWN;
	if (m->outcome != OUTCOME_APPROVED && m->outcome != OUTCOME_HELD)
		return m->outcome;
	if (m->outcome == OUTCOME_HELD && !turn_caps(t, l->peer, OP_CAPTURE))
		return OUTCOME_UNKNOWN; /* it has no such word */
	if ((!money_is_none(m->amount) && !money_eq(m->amount, l->ask)) ||
		(!money_is_none(m->settle) && !may_owe(t, m->settle))) {
		turn_exception(t, EXCEPTION_AMOUNT);
		return OUTCOME_UNKNOWN;
	}
	return m->outcome;
}

/* Both sides have the same end, in messages without parts of a second: theirs may come first. */
static bool at_its_end(const struct turn *t)
{
	return t->p->expires.us && wall_diff_ms(t->p->expires, t->ev->now) < 1000;
}

/* What they call it, who paid with what, and where its payer is sent. */
static void keep_names(struct turn *t, const struct msg *m)
{
	struct leg *l = &t->p->iss;

	if (m->peer_id[0] && !l->their_id[0])
		memcpy(l->their_id, m->peer_id, sizeof l->their_id);
	if (m->brand[0])
		memcpy(t->p->brand, m->brand, sizeof t->p->brand);
	if (m->action_url[0])
		memcpy(t->p->action_url, m->action_url, sizeof t->p->action_url);
	else if (m->code.text[0])
		memcpy(t->p->action_url, m->code.text, sizeof m->code.text);
}

/* When to ask again about what may have come late, after an answer. Their inquiries may lag behind
 * what they told us, but no longer than their settle time. */
static struct wall late_next(const struct turn *t, enum outcome o)
{
	const struct leg *l = &t->p->iss;
	int64_t settle_ms = turn_caps(t, l->peer, OP_INQUIRE)->not_found_s * INT64_C(1000);
	struct wall end = wall_plus_ms(
		l->heeded, settle_ms > HINT_GAP_OVER_MS ? settle_ms : HINT_GAP_OVER_MS);

	if (o == OUTCOME_UNKNOWN)
		return ladder_slow(0, t->ev->now); /* that tells nothing */
	return o == OUTCOME_NOT_FOUND && t->ev->now.us < end.us ? end : WALL_NONE;
}

/* An answer when none is waited for any more, but for one about what may have come late. */
static void behind_the_end(struct turn *t, enum op op, enum outcome o, const struct msg *m)
{
	struct leg *l = &t->p->iss;

	if (l->asking && op == OP_INQUIRE) {
		l->asking = 0;
		l->next = l->phase == LEG_NO ? late_next(t, o) : WALL_NONE;
		/* What came while we asked may have come to pass behind the answer. */
		if (l->phase == LEG_NO && l->hinted && o != OUTCOME_APPROVED && o != OUTCOME_HELD)
			l->next = hint_is_heeded_at(t);
	}
	settled(t, o, m);
}

void issuer_answer(struct turn *t, enum op op, const struct msg *m)
{
	struct leg *l = &t->p->iss;
	enum outcome o = verdict(t, op, m);
	enum reason why = m->has_problem ? m->problem : m->reason;

	keep_names(t, m);
	if (t->p->undo.phase == UNDO_WRITTEN_OFF) { /* a person has judged; another may again */
		if (o == OUTCOME_APPROVED || o == OUTCOME_HELD)
			turn_exception(t, EXCEPTION_CONTRADICTION);
		return;
	}
	if (l->phase == LEG_YES || l->phase == LEG_NO || l->phase == LEG_IDLE) {
		behind_the_end(t, op, o, m);
		return;
	}
	memcpy(l->their_code, m->their_code, sizeof l->their_code);
	if (o != OUTCOME_NOT_FOUND)
		l->misses = 0;
	switch (o) {
	case OUTCOME_APPROVED:
		taken(t, m);
		break;
	case OUTCOME_HELD:
		held(t, op);
		break;
	case OUTCOME_DECLINED:
		t->st->keep_evidence = true;
		if (op == OP_CAPTURE) { /* why it cannot be taken is for an inquiry to say */
			wait(t, LEG_UNKNOWN, 0);
			break;
		}
		l->sure = 1;
		if (op == OP_DEBIT && why == REASON_CODE_UNKNOWN && next_candidate(t))
			break;
		if (why == REASON_CLOSED && at_its_end(t))
			why = REASON_EXPIRED;
		issuer_refused(t, why == REASON_NONE ? REASON_TECHNICAL : why);
		break;
	case OUTCOME_REVERSED:
		t->st->keep_evidence = true;
		l->sure = 1;
		issuer_refused(t, why == REASON_NONE ? REASON_CANCELLED : why);
		break;
	case OUTCOME_PENDING:
		wait(t, LEG_PENDING, m->ask_after_ms);
		break;
	case OUTCOME_NOT_FOUND:
		not_found(t);
		break;
	case OUTCOME_NONE:
	case OUTCOME_UNKNOWN:
		wait(t, LEG_UNKNOWN, 0);
		break;
	}
}

void issuer_no_answer(struct turn *t, enum op op, enum lost lost)
{
	struct leg *l = &t->p->iss;

	if (l->phase == LEG_NO && l->asking) { /* about what may have come late: until they say */
		l->asking = 0;
		l->next = ladder_slow(0, t->ev->now);
		return;
	}
	if (l->phase != LEG_SENT && l->phase != LEG_PENDING && l->phase != LEG_UNKNOWN)
		return;
	/* Only the very first sending of a debit proves by "unsent" that nothing can have moved. */
	if (MUTANT(NEXT_AFTER_SILENCE) && op == OP_DEBIT && next_candidate(t))
		return;
	if (op == OP_DEBIT && (lost == LOST_UNSENT || MUTANT(TIMEOUT_IS_NO)) &&
		l->phase == LEG_SENT && l->tries == 0) {
		if (!next_candidate(t))
			issuer_refused(t, REASON_UNAVAILABLE);
		return;
	}
	/* Its webhook may have come while it was out, which was no step: ask at once, the first
	 * time. */
	if (op == OP_CAPTURE && !l->heeded.us)
		l->hinted = 1;
	if (op == OP_INQUIRE && l->phase == LEG_PENDING)
		wait(t, LEG_PENDING, 0);
	else
		wait(t, LEG_UNKNOWN, 0);
}

/* While it is open; and where we have concluded that nothing came of it: what comes late has to go
 * back. A question that a hint makes us ask is no rung of the ladder, so whoever went on hinting
 * could keep a payment in doubt for ever: once the ladder's whole time is over, only its rungs
 * count. */
static bool hint_counts(struct turn *t, const struct msg *m)
{
	const struct leg *l = &t->p->iss;
	bool same = m->outcome == OUTCOME_DECLINED || m->outcome == OUTCOME_REVERSED;
	const struct caps *c = turn_caps(t, l->peer, OP_CANCEL);
	const struct caps *asked = turn_caps(t, l->peer, OP_INQUIRE);

	if (l->phase == LEG_NO) /* their own word for it stands, until they may have another */
		return (!l->sure || (!same && !(c && c->cancel_binds))) && !t->p->late && l->op;
	if (t->p->undo.phase != UNDO_NONE || !asked)
		return false;
	if (l->phase == LEG_UNKNOWN)
		return wall_diff_ms(t->ev->now, l->since) < ladder_whole_ms(&asked->ladder);
	/* What a capture of ours came to, its answer tells, or the ladder behind it. */
	if (l->phase == LEG_SENT && l->op == OP_CAPTURE)
		return false;
	/* That somebody is to act is no news to who waits for just that: a question about it would
	 * only make the hint that matters wait for the next one's turn. */
	return (l->phase == LEG_SENT || l->phase == LEG_PENDING) && m->outcome != OUTCOME_PENDING;
}

/* Whether it moves the payment by itself: signed, and of our amount where it says that money may be
 * ours. A success that names no amount cannot be compared with what was asked: a hint (W-4). That
 * it is held is the payer's consent alone: our capture of it is asked of them, and they answer for
 * that.
 */
static bool push_decides(const struct turn *t, const struct msg *m)
{
	const struct leg *l = &t->p->iss;
	const struct caps *c = turn_caps(t, l->peer, OP_PUSH);
	bool complete = !money_is_none(m->amount) ||
			(m->outcome != OUTCOME_APPROVED && m->outcome != OUTCOME_HELD);

	if (!c || !m->authentic)
		return false;
	if (c->push_decides)
		return complete && m->outcome != OUTCOME_UNKNOWN && m->outcome != OUTCOME_NONE;
	return c->push_holds && m->outcome == OUTCOME_HELD && money_eq(m->amount, l->ask) &&
	       l->phase == LEG_PENDING && !l->asking && t->p->undo.phase == UNDO_NONE;
}

void issuer_push(struct turn *t, const struct msg *m)
{
	struct leg *l = &t->p->iss;

	if (push_decides(t, m)) {
		issuer_answer(t, OP_PUSH, m);
		return;
	}
	if (!hint_counts(t, m))
		return;
	if (l->phase == LEG_SENT || l->asking) {
		l->hinted = 1;
	} else if (hint_is_heeded_at(t).us <= t->ev->now.us) {
		heed(t);
	} else {
		l->hinted = 1;
		l->next = earlier(l->next, hint_is_heeded_at(t));
	}
}

void issuer_due(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;
	const struct caps *c = turn_caps(t, l->peer, OP_INQUIRE);

	if (l->phase == LEG_SENT ||
		l->asking) { /* the call's time is over and nobody told us of its end */
		issuer_no_answer(t, l->asking ? OP_INQUIRE : l->op, LOST_UNKNOWN);
		return;
	}
	if (l->phase == LEG_NO) {
		if (l->hinted)
			l->heeded = t->ev->now;
		l->hinted = 0;
		inquire(t, "asked what came late");
		return;
	}
	if (p->expires.us && p->expires.us <= t->ev->now.us && l->phase == LEG_PENDING) {
		undo_want(t, UNDO_EXPIRED);
		return;
	}
	if (!c) {
		undo_want(t, UNDO_UNRESOLVED);
		return;
	}
	if (l->hinted) { /* no rung */
		heed(t);
		return;
	}
	if (l->tries < UINT8_MAX)
		l->tries++;
	inquire(t, "asked what became of it");
}
