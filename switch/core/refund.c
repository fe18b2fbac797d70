/*
 * refund.c: refunds: any number one after another, a few at once, never more than was taken.
 *
 *   NONE -> SENT -> DONE | NO | PENDING | UNKNOWN      UNKNOWN -> (same id again, or inquire) ->
 * ...
 *
 * The hard thing: amounts in other currencies. They come from the partner's message where it states
 * them; else from the payment's own amounts on the cumulative refunded sum, so that refunding all
 * of it returns exactly what was taken, in every currency. Must never repeat a refund that the
 * partner cannot recognise as the same.
 */
#include "turn.h"

static struct refund *find(struct pay *p, uint16_t seq)
{
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase != REFUND_NONE && p->refund[i].seq == seq)
			return &p->refund[i];
	return NULL;
}

static void ask(struct turn *t, struct refund *r, enum op op)
{
	r->asking = op == OP_REFUND ? 0 : (uint8_t)op;
	r->next = turn_call(t, (struct call){ .peer = t->p->iss.peer,
				       .side = SIDE_ISSUER,
				       .op = op,
				       .attempt = t->p->iss.attempt,
				       .refund_seq = r->seq });
}

/* The share of `whole` that belongs to `part` of the order, less what `before` has returned of it.
 */
static struct money share(
	struct money whole, struct money part, struct money of, struct money before)
{
	struct money m;

	CHECK(money_scale(whole, money_minor(part), money_minor(of), money_ccy(whole),
		      ROUND_HALF_EVEN, &m) == RC_OK);
	CHECK(money_sub(m, before, &m) == RC_OK);
	/* They may have stated more for an earlier part: then this one brings nothing back. */
	return money_sign(m) < 0 ? money_of(0, money_ccy(m)) : m;
}

static void add(struct money *sum, struct money m)
{
	if (money_is_none(*sum))
		*sum = money_of(0, money_ccy(m));
	CHECK(money_add(*sum, m, sum) == RC_OK);
}

static void amounts(struct pay *p, struct refund *r)
{
	struct money part, of = p->amount, total = money_of(0, money_ccy(p->amount));
	struct money iss = money_of(0, money_ccy(p->iss.owe)),
		     acq = money_of(0, money_ccy(p->acq.owe));
	struct money ask = money_of(0, money_ccy(p->iss.ask));

	if (!money_is_none(p->refunded)) {
		add(&total, p->refunded);
		add(&iss, p->iss_returned);
		add(&acq, p->acq_returned);
		add(&ask, p->iss.returned);
	}
	for (int i = 0; i < REFUNDS_OPEN; i++) {
		const struct refund *o = &p->refund[i];
		if (o != r && refund_is_open(o)) {
			add(&total, o->amount);
			add(&iss, o->iss_owe);
			add(&acq, o->acq_owe);
			add(&ask, o->iss_ask);
		}
	}
	if (!money_is_none(r->acq_owe)) { /* the requester says what it gives back */
		of = p->acq.owe;
		part = acq;
		add(&part, r->acq_owe);
	} else {
		part = total;
		add(&part, r->amount);
		r->acq_owe = share(p->acq.owe, part, of, acq);
	}
	r->iss_owe = share(p->iss.owe, part, of, iss);
	r->iss_ask = share(p->iss.ask, part, of, ask);
}

static void finish(struct turn *t, struct refund *r, enum refund_phase phase);

void refund_begin(struct turn *t, const struct msg_refund *m, bool release, enum reason refuse)
{
	struct pay *p = t->p;
	struct refund *r = NULL;

	/* The slot of the oldest one that is finished. */
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (!refund_is_open(&p->refund[i]) && (!r || p->refund[i].seq < r->seq))
			r = &p->refund[i];
	CHECK(r);
	memset(r, 0, sizeof *r);
	r->seq = ++p->refund_seq;
	r->amount = m->amount;
	r->since = t->ev->now;
	t->watch_anew = true;
	memcpy(r->request_id, m->id, sizeof r->request_id);
	r->release = release;
	if (release)
		add(&p->released, r->amount);
	if (refuse != REASON_NONE) { /* kept, so that the same id keeps failing */
		r->reason = (uint8_t)refuse;
		finish(t, r, REFUND_NO);
		return;
	}
	r->acq_owe = m->settle;
	amounts(p, r);
	if (money_sign(r->iss_ask) == 0) { /* less than the payer's currency has a coin for */
		r->reason = REASON_AMOUNT;
		finish(t, r, REFUND_NO);
		return;
	}
	turn_moved(t, fsm_move(&fsm_refund, &r->phase, REFUND_SENT));
	post_refund_reserve(t, r);
	ask(t, r, OP_REFUND);
}

static void finish(struct turn *t, struct refund *r, enum refund_phase phase)
{
	struct pay *p = t->p;
	uint16_t seq = r->seq;

	turn_moved(t, fsm_move(&fsm_refund, &r->phase, (uint8_t)phase));
	t->st->keep_evidence = true;
	post_refund(t, r, phase == REFUND_DONE && !MUTANT(REFUND_FORGOTTEN));
	if (phase == REFUND_DONE) {
		add(&p->refunded, r->amount);
		add(&p->iss_returned, r->iss_owe);
		add(&p->acq_returned, r->acq_owe);
		add(&p->iss.returned, r->iss_ask);
		p->refunds_done++;
	} else if (r->release) {
		CHECK(money_sub(p->released, r->amount, &p->released) == RC_OK);
	}
	r->next = WALL_NONE;
	turn_reply(t, SEQ_REFUND + seq);
	turn_notify(t, SEQ_REFUND + seq);
}

/* They recognise it as the same: sending it once more cannot pay twice. */
static bool may_repeat(const struct turn *t, const struct refund *r)
{
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_REFUND);

	return c->repeat == REPEAT_SAME_ID &&
	       (!c->remembers_s || MUTANT(REFUND_REPEATED) ||
		       wall_diff_ms(t->ev->now, r->since) < c->remembers_s * INT64_C(1000));
}

/* What the partner answers about a refund, without another sending of it. */
static const struct caps *asks_refund(const struct turn *t, const struct refund *r)
{
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_INQUIRE_REFUND);

	return c && (!c->by_their_id || r->peer_id[0]) ? c : NULL;
}

/* Whose ladder is climbed: that of what is asked next (refund_due). */
static const struct caps *asked_by(const struct turn *t)
{
	const struct caps *refund = turn_caps(t, t->p->iss.peer, OP_REFUND);
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_INQUIRE_REFUND);

	if (!c && refund->repeat == REPEAT_INQUIRE_FIRST)
		c = turn_caps(t, t->p->iss.peer, OP_INQUIRE);
	return c && c->ladder.count ? c : refund;
}

static void again(struct turn *t, struct refund *r, enum refund_phase phase)
{
	const struct caps *c = asked_by(t);

	if (r->phase != phase && r->phase != REFUND_STUCK)
		turn_moved(t, fsm_move(&fsm_refund, &r->phase, (uint8_t)phase));
	r->asking = 0;
	r->next = ladder_next(&c->ladder, r->tries, t->ev->now);
	if (turn_caps(t, t->p->iss.peer, OP_REFUND)->repeat == REPEAT_NEVER &&
		phase == REFUND_UNKNOWN)
		r->next = WALL_NONE;
	if (r->next.us && (phase == REFUND_PENDING || !t->p->stuck))
		return;
	if (r->phase != REFUND_STUCK)
		turn_moved(t, fsm_move(&fsm_refund, &r->phase, REFUND_STUCK));
	if (!t->p->stuck)
		turn_exception(t, EXCEPTION_REFUND);
	if (!r->next.us)
		r->next = ladder_slow(
			(unsigned)(r->tries > c->ladder.count ? r->tries - c->ladder.count : 0),
			t->ev->now);
}

/* They know nothing of it. Where they recognise our id, send it again. Where they do not, a repeat
 * could pay twice: twice in a row and after the settle time it counts as refused, and the requester
 * may begin another. */
static void not_found(struct turn *t, struct refund *r)
{
	const struct caps *q = turn_caps(t, t->p->iss.peer, OP_INQUIRE);

	r->misses++;
	if (may_repeat(t, r) && t->ev->op == OP_REFUND) {
		again(t, r, REFUND_UNKNOWN); /* the refund itself was answered so: not at once */
	} else if (may_repeat(t, r)) {
		ask(t, r, OP_REFUND);
	} else if (r->misses >= 2 && turn_settled(t, r->since, (q ? q->not_found_s : 0) * 1000)) {
		r->reason = REASON_UNRESOLVED;
		finish(t, r, REFUND_NO);
	} else {
		again(t, r, REFUND_UNKNOWN);
	}
}

/* The counts of a partner that gives refunds no id: they decide whether this one is in them. */
static enum outcome by_counts(const struct pay *p, const struct refund *r, const struct msg *m)
{
	struct money before = money_of(0, money_ccy(p->iss.ask)), with;

	if (!m->has_counts || money_is_none(m->returned))
		return OUTCOME_UNKNOWN;
	if (!money_is_none(p->iss.returned))
		before = p->iss.returned;
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (&p->refund[i] != r && refund_is_open(&p->refund[i]))
			return OUTCOME_UNKNOWN; /* two at once cannot be told apart */
	CHECK(money_add(before, r->iss_ask, &with) == RC_OK);
	if (money_eq(m->returned, with))
		return OUTCOME_APPROVED;
	return money_eq(m->returned, before) ? OUTCOME_NOT_FOUND : OUTCOME_UNKNOWN;
}

/* What they state is booked, unless more would be given back than was owed: then ours stands, and
 * a person is told. */
static void settled(struct turn *t, struct refund *r, struct money stated)
{
	struct pay *p = t->p;
	struct money sum = stated;

	bool fits = money_is_none(p->iss_returned) ||
		    money_add(sum, p->iss_returned, &sum) == RC_OK;

	for (int i = 0; i < REFUNDS_OPEN && fits; i++)
		if (&p->refund[i] != r && refund_is_open(&p->refund[i]))
			fits = money_add(sum, p->refund[i].iss_owe, &sum) == RC_OK;
	if (fits && fx_may_settle(r->iss_ask, r->iss_owe, stated) &&
		money_cmp(sum, p->iss.owe) <= 0)
		r->iss_owe = stated;
	else
		turn_exception(t, EXCEPTION_AMOUNT);
}

/* They say what became of it. */
static void heard(struct turn *t, struct refund *r, enum outcome o, const struct msg *m)
{
	if (o != OUTCOME_NOT_FOUND)
		r->misses = 0;
	if (m->has_refund && m->refund.peer_id[0])
		memcpy(r->peer_id, m->refund.peer_id, sizeof r->peer_id);
	if (o == OUTCOME_APPROVED && m->has_refund && !money_is_none(m->refund.amount) &&
		!money_eq(m->refund.amount, r->iss_ask)) {
		turn_exception(t, EXCEPTION_AMOUNT);
		o = OUTCOME_UNKNOWN;
	}
	switch (o) {
	case OUTCOME_APPROVED:
	case OUTCOME_REVERSED:
		if (m->has_refund && money_same(m->refund.settle, r->iss_owe) &&
			money_sign(m->refund.settle) > 0)
			settled(t, r, m->refund.settle);
		finish(t, r, REFUND_DONE);
		break;
	case OUTCOME_DECLINED:
		r->reason = (uint8_t)(m->has_problem ? m->problem : m->reason);
		finish(t, r, REFUND_NO);
		break;
	case OUTCOME_NOT_FOUND:
		not_found(t, r);
		break;
	case OUTCOME_PENDING:
		again(t, r, REFUND_PENDING);
		break;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_UNKNOWN:
		again(t, r, REFUND_UNKNOWN);
		break;
	}
}

void refund_answer(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	struct refund *r = find(p, t->ev->refund_seq);
	enum outcome o = m->has_problem ? OUTCOME_UNKNOWN : m->outcome;

	if (r && r->phase == REFUND_NO && r->reason == REASON_UNRESOLVED && o == OUTCOME_APPROVED)
		turn_exception(t, EXCEPTION_CONTRADICTION); /* concluded, or judged, and wrong */
	if (!r || !refund_is_open(r))
		return;
	if (t->ev->op == OP_INQUIRE && !m->has_problem)
		o = by_counts(p, r, m);
	else if (t->ev->op == OP_REFUND && m->has_problem && r->phase == REFUND_SENT &&
		 r->tries == 0)
		o = OUTCOME_DECLINED; /* the call was refused, and no earlier one can have done it
				       */
	heard(t, r, o, m);
}

/* As an answer, where the peer's pushes decide and this one names the refund's own amount; else the
 * next question will tell. */
void refund_push(struct turn *t, const struct msg *m)
{
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_PUSH);
	struct refund *r = find(t->p, refund_seq_of(&m->refund));

	if (r && refund_is_open(r) && c && c->push_decides && m->authentic &&
		money_eq(m->refund.amount, r->iss_ask) && m->outcome != OUTCOME_UNKNOWN &&
		m->outcome != OUTCOME_NONE)
		heard(t, r, m->outcome, m);
}

uint16_t refund_seq_of(const struct msg_refund *m)
{
	struct span id = span_str(m->id), tail = span_sub(id, ID_TEXT_LEN, id.n);
	int64_t n;

	return span_starts(tail, SPAN("-r")) &&
			       span_to_i64(span_sub(tail, 2, tail.n), &n) == RC_OK && n > 0 &&
			       n <= REFUND_SEQ_MAX
		       ? (uint16_t)n
		       : 0;
}

void refund_no_answer(struct turn *t, enum lost lost)
{
	struct refund *r = find(t->p, t->ev->refund_seq);

	if (!r || !refund_is_open(r))
		return;
	if (lost == LOST_UNSENT && r->phase == REFUND_SENT && r->tries == 0) {
		r->reason = REASON_UNAVAILABLE;
		finish(t, r, REFUND_NO);
		return;
	}
	again(t, r, r->phase == REFUND_PENDING ? REFUND_PENDING : REFUND_UNKNOWN);
}

void refund_due(struct turn *t)
{
	struct pay *p = t->p;

	for (int i = 0; i < REFUNDS_OPEN; i++) {
		struct refund *r = &p->refund[i];
		if (!refund_is_open(r) || !r->next.us || r->next.us > t->ev->now.us)
			continue;
		if (r->phase == REFUND_SENT || r->asking) { /* nobody told us how the call ended */
			again(t, r, r->phase == REFUND_PENDING ? REFUND_PENDING : REFUND_UNKNOWN);
			continue;
		}
		if (r->tries < UINT8_MAX)
			r->tries++;
		if (asks_refund(t, r) && !MUTANT(REFUND_REPEATED) &&
			!(MUTANT(KEY_TRUSTED) && may_repeat(t, r)))
			ask(t, r, OP_INQUIRE_REFUND);
		else if (may_repeat(t, r) || MUTANT(REFUND_REPEATED))
			ask(t, r, OP_REFUND);
		else if (turn_caps(t, p->iss.peer, OP_INQUIRE))
			ask(t, r, OP_INQUIRE);
		else { /* neither safe to repeat nor to be asked about: a person's */
			again(t, r, REFUND_UNKNOWN);
			continue;
		}
		turn_moved(t, "asked about the refund again");
		return; /* one call a step; the next alarm does the others */
	}
}

/* Its index; -1: none is on the list, or each is being asked about. */
static int oldest_stuck(const struct pay *p)
{
	int found = -1;

	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase == REFUND_STUCK && !p->refund[i].asking &&
			(found < 0 || p->refund[i].seq < p->refund[found].seq))
			found = i;
	return found;
}

bool refund_stuck(const struct pay *p)
{
	return oldest_stuck(p) >= 0;
}

/* There is a question about it, or another sending of it, that cannot give back twice. */
static bool can_ask(const struct turn *t, const struct refund *r)
{
	return asks_refund(t, r) || may_repeat(t, r) || turn_caps(t, t->p->iss.peer, OP_INQUIRE);
}

void refund_retry(struct turn *t)
{
	struct pay *p = t->p;
	bool any = false;

	for (int i = 0; i < REFUNDS_OPEN; i++) {
		struct refund *r = &p->refund[i];
		if (r->phase == REFUND_STUCK && !r->asking && can_ask(t, r)) {
			r->next = t->ev->now;
			any = true;
		}
	}
	if (!any) {
		turn_refuse(t, REASON_UNSUPPORTED,
			"nobody was asked: this issuer can neither be asked about a refund of which "
			"it may know nothing, nor be sent it again without making a second one; have "
			"it say what became of that one, then write it off");
		return;
	}
	refund_due(t); /* asks about one; the alarm of the others rings at once */
}

void refund_write_off(struct turn *t)
{
	struct refund *r = &t->p->refund[oldest_stuck(t->p)];

	r->reason = REASON_UNRESOLVED;
	finish(t, r, REFUND_NO);
	turn_moved(t, "the refund is written off by a person, and counts as refused");
}
