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

static void begin(struct paywalk *k)
{
	static const char *const scheme[] = { "bluecode", "alipay-plus", "vipps" };

	switch (dice(k, 7)) {
	case 0:
		pw_scan(k->w);
		break;
	case 1:
		pw_scan_self(k->w);
		break;
	case 2:
		pw_tell(k->w, SELF, OUTCOME_APPROVED, 1000);
		break;
	case 3:
		pw_pay_out(k->w, WALLET, 1 + dice(k, 100000));
		break;
	default:
		pw_pay(k->w, scheme[dice(k, 3)], 1 + dice(k, 100000));
	}
}

/* One of the calls that are out comes to an end; some answers come twice. */
static void answered(struct paywalk *k)
{
	struct payworld *w = k->w;
	int i = (int)dice(k, (unsigned)k->outs);
	struct call c = k->out[i];

	if (dice(k, 4))
		k->out[i] = k->out[--k->outs];
	w->m = (struct msg){ .op = c.op, .outcome = (enum outcome)(1 + dice(k, 7)) };
	w->m.reason = dice(k, 3) ? REASON_NONE : REASON_CODE_UNKNOWN;
	if (c.op == OP_RESOLVE)
		w->m.amount = money_of(1000, EUR);
	pw_step(w, (struct pay_event){ .kind = dice(k, 4) ? EV_ANSWER : EV_NO_ANSWER,
			   .op = c.op,
			   .side = c.side,
			   .msg = &w->m,
			   .peer = c.peer,
			   .attempt = c.attempt,
			   .refund_seq = c.refund_seq,
			   .lost = dice(k, 2) ? LOST_UNSENT : LOST_UNKNOWN });
}

static void happen(struct paywalk *k)
{
	struct payworld *w = k->w;

	switch (dice(k, 8)) {
	case 0:
		if (w->rec.due.us)
			pw_due(w);
		break;
	case 1:
		pw_ask(w, dice(k, 2) ? OP_CANCEL : OP_REFUND, w->rec.acq.peer, 1 + dice(k, 2000));
		break;
	case 2:
		if (w->rec.flow == FLOW_SCAN)
			pw_ask(w, OP_CONFIRM, WALLET, 0);
		else if (w->rec.flow == FLOW_WALLET_DEBITS)
			pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
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
