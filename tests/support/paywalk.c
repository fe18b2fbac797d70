/*
 * paywalk.c walks a payment through random events. The hard thing is the end: partners that lied
 * may be answered for, but a walk that proves anything has to end, so honest() keeps to what the
 * record says they did. It must never help the machine along: it does nothing that a partner would
 * not.
 */
#include "paywalk.h"

#include "check.h"
#include "fsm.h"

#include <stdio.h>

static unsigned dice(struct paywalk *k, unsigned n)
{
	return k->dice(k, n);
}

/* How it begins, with all that the shell may have to say of it: who is down, what the ledger
 * refused. */
static void begin(struct paywalk *k)
{
	static const char *const scheme[] = { "bluecode", "alipay-plus", "vipps" };
	struct payworld *w = k->w;

	if (!dice(k, 8))
		w->down = (uint16_t)(SCHEME + dice(k, 3));
	if (!dice(k, 8))
		w->cap_refused = true;
	switch (dice(k, 8)) {
	case 0:
		pw_scan_begin(w, WALLET);
		break;
	case 1:
		pw_scan_begin(w, SELF);
		break;
	case 2:
		pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
		break;
	case 3:
		pw_pay_out(w, WALLET, 1 + dice(k, 100000));
		break;
	case 4:
		pw_claim_begin(w);
		break;
	default: {
		const char *name = scheme[dice(k, 3)];

		pw_pay(w, name, 1 + dice(k, 100000));
	}
	}
	w->cap_refused = false;
}

/* What a partner says of amounts is right, missing, or another. */
static void say_amounts(struct paywalk *k, const struct call *c, struct msg *m)
{
	const struct leg *l = &k->w->rec.iss;

	switch (dice(k, 7)) {
	case 0:
		m->amount = l->ask;
		m->settle = l->owe;
		break;
	case 1:
		m->amount = money_of(1 + dice(k, 2000), dice(k, 2) ? EUR : NOK);
		break;
	case 2:
		m->has_counts = true;
		m->returned = money_of(dice(k, 2000), dice(k, 2) ? EUR : NOK);
		break;
	case 3:
		pw_pay_out(k->w, WALLET, 1 + dice(k, 100000));
		break;
	default:
		break;
	}
	if (c->op == OP_RESOLVE && money_is_none(m->amount))
		m->amount = money_of(1000, EUR);
}

/* One of the calls that are out comes to an end; some answers come twice. */
static void answered(struct paywalk *k)
{
	struct payworld *w = k->w;
	int i = (int)dice(k, (unsigned)k->outs);
	struct call c = k->out[i];
	struct pay_event ev = { .op = c.op,
		.side = c.side,
		.msg = &w->m,
		.peer = c.peer,
		.attempt = c.attempt,
		.refund_seq = c.refund_seq };

	if (dice(k, 4))
		k->out[i] = k->out[--k->outs];
	ev.kind = dice(k, 4) ? EV_ANSWER : EV_NO_ANSWER;
	ev.lost = dice(k, 2) ? LOST_UNSENT : LOST_UNKNOWN;
	w->m = (struct msg){ .op = c.op, .answer = true };
	w->m.outcome = (enum outcome)(1 + dice(k, OUTCOME_NOT_FOUND));
	w->m.reason = dice(k, 3) ? REASON_NONE : (enum reason)dice(k, REASON_RATE + 1);
	w->m.has_problem = !dice(k, 16);
	w->m.problem = w->m.reason ? w->m.reason : REASON_TECHNICAL;
	say_amounts(k, &c, &w->m);
	pw_step(w, ev);
}

/* News from a partner, believed where its caps say so; and from one that has no part in it. */
static void pushed(struct paywalk *k)
{
	struct payworld *w = k->w;
	uint16_t from = dice(k, 8) ? w->rec.iss.peer : TOUR;

	if (!from)
		return;
	w->m = (struct msg){ .op = OP_PUSH };
	w->m.authentic = dice(k, 2);
	w->m.outcome = (enum outcome)(1 + dice(k, OUTCOME_NOT_FOUND));
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = from, .msg = &w->m });
}

/* A caller asks: the one who may, or anybody. */
static void asked(struct paywalk *k)
{
	static const enum op ops[] = { OP_CANCEL, OP_REFUND, OP_REFUND, OP_READ };
	struct payworld *w = k->w;
	enum op op = ops[dice(k, 4)];
	int peer = dice(k, 6) ? w->rec.acq.peer : TILL + (int)dice(k, SELF);

	if (!peer)
		return;
	w->cap_refused = op == OP_REFUND && !dice(k, 8);
	pw_ask(w, op, peer, 1 + dice(k, 2000));
	w->cap_refused = false;
}

static void repeated(struct paywalk *k)
{
	struct payworld *w = k->w;
	struct pay_event ev = { .kind = EV_REQUEST, .msg = &w->m, .repeated = true };

	ev.op = w->rec.flow == FLOW_DEBIT ? OP_DEBIT : OP_RESOLVE;
	ev.peer = w->rec.caller == SIDE_ACQUIRER ? w->rec.acq.peer : w->rec.iss.peer;
	ev.fingerprint[0] = !dice(k, 4);
	ev.prior_claim = !dice(k, 4);
	pw_step(w, ev);
}

static void confirmed(struct paywalk *k)
{
	struct payworld *w = k->w;

	if (w->rec.flow == FLOW_SCAN)
		pw_ask(w, OP_CONFIRM, WALLET, 0);
	else if (w->rec.flow == FLOW_WALLET_DEBITS)
		pw_tell(w, SELF, OUTCOME_APPROVED, dice(k, 4) ? 1000 : 1001);
	else if (w->rec.flow == FLOW_CLAIMED || w->rec.flow == FLOW_PUSHED)
		pw_tell(w, w->rec.via, OUTCOME_APPROVED, dice(k, 4) ? 1000 : 1001);
}

static void happen(struct paywalk *k)
{
	struct payworld *w = k->w;

	switch (dice(k, 16)) {
	case 0:
	case 1:
		if (w->rec.due.us)
			pw_due(w);
		break;
	case 2:
	case 3:
		asked(k);
		break;
	case 4:
		confirmed(k);
		break;
	case 5:
		pushed(k);
		break;
	case 6:
		repeated(k);
		break;
	case 7:
		pw_step(w, (struct pay_event){ .kind = EV_RESUME });
		break;
	case 8:
		pw_step(w, (struct pay_event){ .kind = EV_OPERATOR,
				   .verb = (enum operator_verb)(OPERATOR_RETRY + dice(k, 3)) });
		break;
	case 9:
		w->now.us += (int64_t)dice(k, 256) * 1000000;
		break;
	default:
		if (k->outs)
			answered(k);
	}
}

static enum outcome honest(const struct leg *iss, enum op asked)
{
	bool taken = money_sign(iss->taken) > 0;

	if (asked == OP_CANCEL)
		return OUTCOME_REVERSED;
	if (asked == OP_CAPTURE || asked == OP_REFUND || asked == OP_TELL || asked == OP_CREDIT ||
		taken)
		return OUTCOME_APPROVED;
	return iss->op == OP_CAPTURE ? OUTCOME_HELD : OUTCOME_DECLINED;
}

static void answer_honestly(struct payworld *w)
{
	struct call c = w->st.call[0];

	w->m = (struct msg){ .op = c.op, .outcome = honest(&w->rec.iss, c.op) };
	if (c.refund_seq && c.op == OP_INQUIRE) {
		w->m.has_counts = true;
		w->m.returned = money_is_none(w->rec.iss.returned)
					? money_of(0, money_ccy(w->rec.iss.ask))
					: w->rec.iss.returned;
	}
	pw_step(w, (struct pay_event){ .kind = EV_ANSWER,
			   .op = c.op,
			   .side = c.side,
			   .msg = &w->m,
			   .peer = c.peer,
			   .attempt = c.attempt,
			   .refund_seq = c.refund_seq });
}

static void tell(const struct pay *p)
{
	fprintf(stderr, "%s: issuer %s (%s, asking %d), undo %s (%s), acquirer %s (%s), late %d\n",
		pay_state_name(pay_state(p)), fsm_leg.state_name[p->iss.phase], op_name(p->iss.op),
		p->iss.asking, fsm_undo.state_name[p->undo.phase], op_name(p->undo.op),
		fsm_leg.state_name[p->acq.phase], op_name(p->acq.op), p->late);
}

void paywalk_run(struct paywalk *k, int events)
{
	struct payworld *w = k->w = pw_new();

	k->outs = 0;
	begin(k);
	for (int i = 0; i < events; i++) {
		for (int j = 0; j < w->st.call_count && k->outs < PAYWALK_CALLS; j++)
			k->out[k->outs++] = w->st.call[j];
		w->st.call_count = 0;
		happen(k);
	}
	for (int n = 0; n < 400 && !pay_is_final(&w->rec); n++) {
		if (w->st.call_count)
			answer_honestly(w);
		else
			pw_due(w);
	}
	if (!pay_is_final(&w->rec))
		tell(&w->rec);
	CHECK(pay_is_final(&w->rec));
	pw_free(w);
}
