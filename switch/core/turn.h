/*
 * turn.h: one step in the making, shared by the files of the payment machine and by nobody else.
 *
 * `p` is the next record, already a copy of the one before. Obligations (two legs, the undo, open
 * refunds) each have their own `next`; the record's single alarm clock is the earliest of them.
 */
#ifndef XW_TURN_H
#define XW_TURN_H

#include "fsm.h"
#include "mutant.h"
#include "step.h"

struct turn {
	const struct snapshot *sn;
	const struct pay *before;
	const struct pay_event *ev;
	struct step *st;
	struct pay *p;
	bool watch_anew; /* a settle time begins with this step */
};

/* How long after a call's own deadline another process may take the payment over. */
#define TAKEOVER_MS 5000
/* The longest that the ledger is waited for, where it is asked instead of a partner. */
#define LEDGER_MS 5000

/* step.c */
const struct peer *turn_peer(const struct turn *t, uint16_t number);
/* So much time has passed since then, and was seen to pass, by us or by who had it before. */
bool turn_settled(const struct turn *t, struct wall since, int64_t ms);
/* When to ask once more of what they know nothing of, so that it may count: as soon as it is
 * settled, but not at once. */
struct wall turn_settles(const struct turn *t, struct wall since, int64_t ms);
const struct caps *turn_caps(const struct turn *t, uint16_t peer, enum op op); /* or NULL */
/* Whether that participant's time for cancels of this payment is over: a time of day after the
 * business day of the payment has ended. As the acquirer's side it may not ask any more, as the
 * issuer it is not to be asked. */
bool turn_cancel_over(const struct turn *t, uint16_t number);
/* Adds a call and returns the moment by which it has surely ended. */
struct wall turn_call(struct turn *t, struct call c);
/* The answer `seq` is final with this step; nothing where it was before. */
void turn_reply(struct turn *t, int seq);
void turn_notify(struct turn *t, int seq);
void turn_refuse(struct turn *t, enum reason why, const char *detail);
void turn_exception(struct turn *t, enum exception x);
void turn_moved(struct turn *t, const char *sentence);

/* What stands behind the code: the merchant and its order. */
void turn_order(struct turn *t, const struct msg *m);
/* reply.c: the same, back into a message. */
void reply_order(const struct pay *p, struct msg *m);

/* ladder.c: when to ask again after `tries` tries; WALL_NONE when the ladder is used up. */
struct wall ladder_next(const struct ladder *l, unsigned tries, struct wall now);
/* How long all rungs take together. */
int64_t ladder_whole_ms(const struct ladder *l);
/* The slow lane of what is stuck: 30 s, 1, 2, 5 min ... 1 h. */
struct wall ladder_slow(unsigned tries, struct wall now);

/* issuer.c: the debit of the payer */
void issuer_ask(struct turn *t); /* the next candidate, from IDLE or NO */
void issuer_answer(
	struct turn *t, enum op op, const struct msg *m); /* answer to DEBIT, CAPTURE, INQUIRE */
void issuer_no_answer(struct turn *t, enum op op, enum lost lost);
void issuer_push(struct turn *t, const struct msg *m);
void issuer_due(struct turn *t);
void issuer_refused(struct turn *t, enum reason why); /* the leg ends with NO */

/* acquirer.c: the side that is paid, where it is we who ask it */
void acquirer_resolve(struct turn *t);
void acquirer_tell(struct turn *t);
void acquirer_answer(struct turn *t, enum op op, const struct msg *m);
void acquirer_no_answer(struct turn *t, enum op op, enum lost lost);
void acquirer_due(struct turn *t);
/* What was pushed is not taken: the pusher gives it back to its payer. */
void acquirer_push_back(struct turn *t, enum reason why);

/* claim.c: a scheme's payer at a merchant code */
/* The order is resolved: it is that payer's. */
void claim_take(struct turn *t);
/* The scheme asks again what the code is; true: not what it was, and it hears so. */
bool claim_repeated(struct turn *t);
/* The scheme has its payer's money and asks whether we take it. */
void claim_pushed(struct turn *t);

/* undo.c */
void undo_want(struct turn *t, enum undo_cause cause);
void undo_go(struct turn *t); /* from WANTED, once nothing is out any more */
void undo_answer(struct turn *t, enum op op, const struct msg *m);
void undo_no_answer(struct turn *t);
void undo_due(struct turn *t);
/* A person has it asked about now, where that is safe. */
void undo_retry(struct turn *t);
/* The answer to a cancel, now that its fate is known. */
void undo_answer_cancel(struct turn *t);
/* A person closes what stays stuck: an undo, a pay-out, a result that is not heard. */
void undo_write_off(struct turn *t);
/* The issuer says that it debited after we had concluded that it had not. */
void undo_late_success(struct turn *t, const struct msg *m);

/* refund.c */
/* refuse: REASON_NONE, or why our own rules refuse it; the refusal is final and kept. `release`: it
 * gives back what was not captured. */
void refund_begin(struct turn *t, const struct msg_refund *m, bool release, enum reason refuse);
void refund_answer(struct turn *t, const struct msg *m);
/* A push about a refund, which says nothing about the debit. */
void refund_push(struct turn *t, const struct msg *m);
/* The number in our own id of a refund, "<payment>-r<n>"; 0: it is none. */
uint16_t refund_seq_of(const struct msg_refund *m);
void refund_no_answer(struct turn *t, enum lost lost);
void refund_due(struct turn *t);
/* Whether one is on the exception list and nobody is being asked about it. */
bool refund_stuck(const struct pay *p);
/* A person has what can be asked about asked about now. */
void refund_retry(struct turn *t);
/* A person closes the oldest that is stuck: it counts as refused, and may be asked for again. */
void refund_write_off(struct turn *t);

/* request.c: what peers may ask */
void request_step(struct turn *t);
/* The record of a new payment, as far as every flow has it; `caller` is the side that asks. */
void turn_begin(struct turn *t, enum flow flow, char mode, enum side caller);
/* The request's ids are claimed by this step, and it waits for answer `seq`. */
void turn_claim(struct turn *t, int seq);
/* Whoever wants to hear that it was begun does. */
void turn_begun(struct turn *t);

/* order.c: merchant codes of our own making */
void order_begin(struct turn *t);
void order_due(struct turn *t);
/* Claims the order: one of payment, cancel and expiry gets it. */
void order_take(struct turn *t, const struct pay_id *id, int seq);
/* The payer's wallet has refused, out of that phase of its leg: whoever comes next may have it. */
void order_give_back(struct turn *t, enum leg_phase was);
/* The same for a payer's code that went through us: it is good for one payment. */
void order_take_code(struct turn *t);

/* paid.c: what the acquirer's side asks of what is paid */
void paid_refund(struct turn *t);
void paid_open(struct turn *t); /* it is paid: from now on it may be captured, where it is to be */
void paid_capture(struct turn *t);
void paid_release(struct turn *t); /* a part was captured: what is left goes back */

/* credit.c: pay-outs */
void credit_begin(struct turn *t);
void credit_answer(struct turn *t, enum op op, const struct msg *m);
void credit_no_answer(struct turn *t, enum lost lost);
void credit_push(struct turn *t, const struct msg *m);
void credit_due(struct turn *t);

/* doubt.c */
/* Behind every step: when the payment came to be in doubt, and after a minute, that it is on the
 * exception list. */
void doubt_look(struct turn *t);
/* What was in doubt is certain now, whatever is asked next: it is on no list. */
void doubt_over(struct turn *t);

/* route.c: fills p->candidate by what the record asks; the reason when there is none */
enum reason route_find(struct turn *t);
/* fx.c: amounts of both legs for the current candidate; the reason when it cannot be done */
enum reason fx_amounts(struct turn *t);
enum reason fx_acquirer(struct turn *t); /* the acquirer's side alone */
/* Whether a settlement that the issuer states for `asked` can be one of `owed`: where no exchange
 * lies between the two, it is what was asked; else by its own rate, but not a fifth off ours. */
bool fx_may_settle(struct money asked, struct money owed, struct money stated);
/* Whether a partner's quote is about these two amounts: schemes turn their quotes either way and
 * count by major or minor units (alipayplus.md 5.3), so all four are tried. Nothing is derived from
 * it. */
bool fx_quote_fits(struct money amount, struct money settle, struct span price);
/* limit.c */
/* The ledger would not hold it: the record names the limit. PRE: the event says which. */
void limit_name(struct turn *t);
enum reason limit_check(struct turn *t, const struct peer *asks, const struct peer *pays);

/* post.c: the books */
/* The issuer's position, what exchanges may owe, the participants' days: all of it guarded. */
void post_reserve(struct turn *t);
void post_release(struct turn *t);  /* nothing came of it */
void post_payment(struct turn *t);  /* releases, and books debit, exchange, fees */
void post_undone(struct turn *t);   /* whatever was booked or held is taken back */
void post_suspense(struct turn *t); /* a late success: theirs, and nobody's yet */
void post_refund_reserve(struct turn *t, struct refund *r);
void post_refund(struct turn *t, struct refund *r, bool done); /* releases; books when done */

#endif
