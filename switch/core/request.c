/*
 * request.c: what peers may ask of us, and of whose payments.
 *
 * The hard thing is sameness: a request that claims an id for the first time may begin something,
 * the same one again gets the same answer, and another one under the same id is refused by name.
 * Must never show one partner that another's payment exists.
 */
#include "turn.h"

void turn_claim(struct turn *t, int seq)
{
	struct step *st = t->st;

	for (int i = 0; i < t->ev->claim_count && !MUTANT(UNIQUE_KEY); i++)
		st->claim[st->claim_count++] = t->ev->claim[i];
	st->claim_seq = seq;
	memcpy(st->claim_fingerprint, t->ev->fingerprint, sizeof st->claim_fingerprint);
	st->fate = FATE_WAIT;
	st->fate_seq = seq;
}

void turn_begun(struct turn *t)
{
	const struct caps *c = turn_caps(t, t->ev->peer, OP_NOTIFY);

	if (c && c->begun)
		turn_notify(t, SEQ_BEGUN);
}

/* All that the recognition table says, so that the routing can be done again from the record. */
static void put_schemes(struct turn *t)
{
	const struct pay_event *ev = t->ev;
	struct pay *p = t->p;
	struct buf b = buf_init(p->code_others, sizeof p->code_others - 1);

	memcpy(p->code_scheme, ev->msg->code.scheme, sizeof p->code_scheme);
	if (ev->scheme_count)
		CHECK(span_to_cstr(span_str(ev->scheme[0]), p->code_scheme, sizeof p->code_scheme));
	for (int i = 1; i < ev->scheme_count; i++) {
		if (i > 1)
			buf_ch(&b, ' ');
		buf_str(&b, ev->scheme[i]);
	}
	CHECK(buf_ok(&b));
	p->code_others[b.n] = '\0';
	p->code_peer = ev->code_peer;
}

void turn_begin(struct turn *t, enum flow flow, char mode, enum side caller)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	const struct peer *peer = turn_peer(t, t->ev->peer);
	struct leg *l = caller == SIDE_ACQUIRER ? &p->acq : &p->iss;

	p->id = t->ev->new_id;
	p->flow = (uint8_t)flow;
	p->mode = (uint8_t)mode;
	p->caller = (uint8_t)caller;
	p->created = t->ev->now;
	p->expires = wall_plus_ms(t->ev->now, (int64_t)peer->expire_s * 1000);
	if (m->expires.us && m->expires.us < p->expires.us)
		p->expires = m->expires;
	l->peer = peer->number;
	l->agreement = peer->agreement;
	memcpy(l->their_request, m->request_id, sizeof l->their_request);
	memcpy(p->code_hash, t->ev->code_hash, sizeof p->code_hash);
	memcpy(p->code_format, m->code.format, sizeof p->code_format);
	put_schemes(t);
	memcpy(p->payer_id, m->payer.id, sizeof p->payer_id);
	memcpy(p->notify_url, m->notify_url, sizeof p->notify_url);
}

/* Of a payer whose code the acquirer's side brings; or, where it wants one to show for an order, of
 * whoever scans that. */
static void debit(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	const struct peer *peer = turn_peer(t, t->ev->peer);
	enum reason why;

	if (money_sign(m->amount) <= 0) {
		turn_refuse(t, REASON_AMOUNT, "the amount must be positive");
		return;
	}
	if (t->ev->taken) {
		turn_refuse(t, REASON_CODE_EXPIRED, "this code was used");
		return;
	}
	turn_begin(t, FLOW_DEBIT, t->ev->op == OP_ORDER ? 'M' : 'C', SIDE_ACQUIRER);
	turn_order(t, m);
	p->amount = m->amount;
	if (peer->scheme) /* a scheme states what it will collect from us for it */
		p->acq.owe = money_is_none(m->settle) ? m->amount : m->settle;
	turn_moved(t, fsm_move(&fsm_leg, &p->acq.phase, LEG_YES));
	turn_claim(t, SEQ_FIRST);
	turn_begun(t);
	if (t->ev->code_peer &&
		!MUTANT(HAIRPIN)) /* its wallet sees the payer's token alone, and cannot tell */
		order_take_code(t);
	why = route_find(t);
	if (p->expires.us <= t->ev->now.us)
		why = REASON_EXPIRED;
	else if (peer->scheme && !money_same(p->acq.owe, money_of(0, peer->settle)))
		why = REASON_CURRENCY;
	if (why != REASON_NONE)
		issuer_refused(t, why);
	else
		issuer_ask(t);
}

/* Who debits whom: we the wallet's user, the wallet its own, or a scheme those of its wallets. */
static enum flow scan_flow(const struct peer *wallet)
{
	if (wallet->scheme)
		return FLOW_CLAIMED;
	if (peer_as_scheme(wallet) && !wallet->debit_via)
		return FLOW_WALLET_DEBITS;
	return wallet->debit_via || peer_caps(wallet, OP_DEBIT) ? FLOW_SCAN : FLOW_WALLET_DEBITS;
}

static void scan(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *wallet = turn_peer(t, t->ev->peer);
	const struct msg *m = t->ev->msg;
	enum reason why;

	if (!money_is_none(m->amount) && money_sign(m->amount) <= 0) {
		turn_refuse(t, REASON_AMOUNT, "the amount must be positive");
		return;
	}
	turn_begin(t, scan_flow(wallet), 'M', SIDE_ISSUER);
	p->via = t->ev->peer;
	p->amount = m->amount; /* where the payer says it with the scan */
	p->order = t->ev->order;
	memcpy(p->merchant_token, t->ev->merchant, sizeof p->merchant_token);
	turn_claim(t, SEQ_FIRST);
	why = route_find(t);
	if (why == REASON_NONE) {
		acquirer_resolve(t);
		return;
	}
	turn_moved(t, fsm_move(&fsm_leg, &p->acq.phase, LEG_NO));
	p->acq.reason = (uint8_t)why;
	t->st->forget_code = true;
	turn_reply(t, SEQ_FIRST);
}

/* The payer says how much, in the merchant's currency: from now on it is an order like others. */
static enum reason say_amount(struct turn *t, struct money m)
{
	struct pay *p = t->p;
	enum reason why = REASON_AMOUNT;

	if (money_same(m, p->amount) && money_sign(m) > 0) {
		p->amount = m;
		why = fx_amounts(t);
	}
	if (why != REASON_NONE)
		*p = *t->before; /* refused, nothing changes: it can be said again */
	return why;
}

static void confirm(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	bool open = pay_amount_is_open(p);
	enum reason why;

	if (pay_state(p) != PAY_OPEN) {
		turn_refuse(t, p->confirmed ? REASON_STATE : REASON_CLOSED,
			"the order is not open for a confirmation");
		return;
	}
	if (p->expires.us <= t->ev->now.us ||
		(p->quote.until.us && p->quote.until.us <= t->ev->now.us)) {
		turn_refuse(t, REASON_CLOSED, "the order or its quote has expired; scan again");
		return;
	}
	if (!open && !money_is_none(m->amount) && !money_eq(m->amount, p->iss.ask)) {
		turn_refuse(t, REASON_AMOUNT, "not the amount that was shown to the payer");
		return;
	}
	if (t->ev->taken) {
		turn_refuse(t, REASON_CLOSED, "another payer was first, or the order was closed");
		return;
	}
	if (open && (why = say_amount(t, m->amount)) != REASON_NONE) {
		turn_refuse(t, why,
			why == REASON_AMOUNT
				? "the amount is for the payer to say, in the merchant's currency"
				: "there is no exchange between the two currencies now");
		return;
	}
	turn_claim(t, SEQ_CONFIRM);
	if (!pay_id_is_none(&p->order) && !MUTANT(ORDER_TWICE))
		order_take(t, &p->order, SEQ_CONFIRM);
	p->confirmed = 1;
	p->candidate[0] = p->iss.peer;
	p->candidate_count = 1;
	issuer_ask(t);
}

/* The wallet debited its user by itself and says so. It counts while the order is open; after that
 * the acknowledgement refuses, and the wallet is asked to cancel until certain. */
static void debited(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	struct leg *l = &p->iss;

	if ((!money_is_none(m->amount) && !money_eq(m->amount, p->amount)) ||
		(!money_is_none(m->settle) && !money_eq(m->settle, l->owe))) {
		turn_refuse(t, REASON_REPEAT, "not the amount of this order");
		return;
	}
	if (m->payer.id[0] && strcmp(m->payer.id, p->payer_id) != 0) {
		turn_refuse(t, REASON_REPEAT, "not the customer who scanned it");
		return;
	}
	if (l->phase == LEG_YES &&
		(m->outcome != OUTCOME_APPROVED || strcmp(m->peer_id, l->their_id) != 0)) {
		turn_refuse(t, REASON_REPEAT, "it was told otherwise before");
		return;
	}
	if (money_is_none(l->ask)) { /* it was never told an amount, so it cannot have taken it */
		turn_refuse(t, REASON_CLOSED, "there is no order to pay");
		return;
	}
	t->st->fate = FATE_VIEW;
	t->st->fate_seq = SEQ_CONFIRM;
	if (m->outcome != OUTCOME_APPROVED || l->phase == LEG_YES)
		return; /* a failed try leaves the order open; a repeated success changes nothing */
	memcpy(l->their_id, m->peer_id, sizeof l->their_id);
	if (pay_state(p) == PAY_OPEN && p->expires.us <= t->ev->now.us)
		undo_want(t, UNDO_EXPIRED); /* its alarm has not rung yet */
	else if (pay_state(p) == PAY_OPEN && t->ev->taken)
		undo_want(t, UNDO_REFUSED);
	if (pay_state(p) != PAY_OPEN) {
		undo_late_success(t, m);
		turn_refuse(t, REASON_CLOSED,
			"the order is closed; the payer is to get the money back");
		return;
	}
	if (!pay_id_is_none(&p->order))
		order_take(t, &p->order, SEQ_CONFIRM);
	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	p->confirmed = 1;
	l->taken = l->ask;
	l->sure = 1;
	l->next = WALL_NONE;
	l->at = m->at.us ? m->at : t->ev->now;
	t->st->keep_evidence = true;
	post_payment(t);
	paid_open(t);
	acquirer_tell(t);
}

/* The wallet tells of a debit that we asked for: as good as an answer. Where the debit is being
 * undone its success is no news that we want, and it hears so. */
static void told_by_issuer(struct turn *t)
{
	const struct msg *m = t->ev->msg;

	t->st->fate = FATE_VIEW;
	t->st->fate_seq = SEQ_FIRST;
	issuer_push(t, m);
	if (m->outcome == OUTCOME_APPROVED && t->p->undo.phase != UNDO_NONE)
		turn_refuse(
			t, REASON_CLOSED, "the payment is closed; the payer gets the money back");
}

/* The money is taken already: the acquirer's side takes it over, or it goes back. */
static void pushed(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	const struct peer *peer = turn_peer(t, t->ev->peer);
	enum reason why;

	if (money_sign(m->amount) <= 0 || m->outcome != OUTCOME_APPROVED) {
		turn_refuse(t, REASON_AMOUNT, "nothing is pushed");
		return;
	}
	turn_begin(t, FLOW_PUSHED, 'M', SIDE_ISSUER);
	p->via = peer->number;
	p->amount = m->amount;
	p->iss.ask = m->amount;
	p->iss.owe = money_is_none(m->settle) ? m->amount : m->settle;
	p->iss.taken = p->iss.ask;
	memcpy(p->iss.their_id, m->peer_id, sizeof p->iss.their_id);
	turn_moved(t, fsm_move(&fsm_leg, &p->iss.phase, LEG_YES));
	turn_claim(t, SEQ_FIRST);
	why = money_same(p->iss.owe, money_of(0, peer->settle)) ? route_find(t) : REASON_CURRENCY;
	if (why == REASON_NONE) {
		acquirer_resolve(t);
		return;
	}
	turn_moved(t, fsm_move(&fsm_leg, &p->acq.phase, LEG_NO));
	fsm_move(&fsm_leg, &p->iss.phase, LEG_NO);
	p->acq.reason = p->iss.reason = (uint8_t)why;
	p->iss.returned = p->iss.taken;
	turn_reply(t, SEQ_FIRST);
}

/* A cancel for something that never came: if it still comes, it finds itself closed. */
static void cancel_first(struct turn *t)
{
	struct pay *p = t->p;

	if (!peer_cancels_unseen(turn_peer(t, t->ev->peer))) {
		turn_refuse(t, REASON_NOT_FOUND, "no such payment");
		return;
	}
	turn_begin(t, FLOW_CLOSED, 'C', SIDE_ACQUIRER);
	turn_claim(t, SEQ_CANCEL);
	p->undo.cause = UNDO_BY_CALLER;
	p->undo.asked = CANCEL_TAKEN;
	p->undo.by = t->ev->peer;
	turn_moved(t, fsm_move(&fsm_undo, &p->undo.phase, UNDO_UNDONE));
	turn_reply(t, SEQ_CANCEL);
}

/* Nothing moved and nothing will; should a success come late, this answer stays what it was. */
static void cancel_of_nothing(struct turn *t)
{
	turn_claim(t, SEQ_CANCEL);
	t->p->undo.by = t->ev->peer;
	turn_moved(t, "cancel asked of what never moved");
	turn_reply(t, SEQ_CANCEL);
}

static void cancel(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *theirs = turn_caps(t, t->ev->peer, OP_CANCEL);
	bool at_once = theirs && theirs->taken_at_once;

	if (p->version == 0) {
		cancel_first(t);
		return;
	}
	if (t->ev->peer == p->via && t->ev->peer != p->acq.peer && p->confirmed) {
		turn_refuse(
			t, REASON_STATE, "the payer has confirmed; the merchant's side can cancel");
		return;
	}
	/* Asked before under another key: one undo, one answer. */
	if (p->undo.asked != CANCEL_NOT_ASKED || pay_answer_final(p, SEQ_CANCEL)) {
		t->st->fate = pay_answer_final(p, SEQ_CANCEL) ? FATE_REPLAY : FATE_WAIT;
		t->st->fate_seq = SEQ_CANCEL;
		return;
	}
	if (t->ev->msg->only_if_open && p->iss.phase == LEG_YES) {
		turn_refuse(t, REASON_CLOSED, "it is paid, and was to be cancelled only if not");
		return;
	}
	if (p->undo.phase == UNDO_NONE && pay_is_final(p) && p->iss.phase != LEG_YES &&
		!MUTANT(FINAL_MOVES)) {
		cancel_of_nothing(t);
		return;
	}
	if (money_sign(p->captured) > 0) {
		paid_release(t);
		return;
	}
	if (pay_has_refunds(p)) {
		turn_refuse(t, REASON_STATE, "the payment has refunds; refund the rest");
		return;
	}
	if (p->undo.phase == UNDO_NONE && p->iss.phase == LEG_YES &&
		turn_cancel_over(t, p->acq.peer)) {
		turn_refuse(t, REASON_WINDOW, "the cancel window is over; refund instead");
		return;
	}
	turn_claim(t, SEQ_CANCEL);
	if (p->flow == FLOW_ORDER && p->undo.phase == UNDO_NONE) { /* else it has itself already */
		order_take(t, &p->id, SEQ_CANCEL);
		p->acq.next = WALL_NONE;
	}
	p->undo.asked = at_once ? CANCEL_TAKEN : CANCEL_WAITS;
	p->undo.by = t->ev->peer;
	turn_moved(t, "cancel asked by the merchant's side");
	undo_want(t, UNDO_BY_CALLER);
	if (at_once || p->undo.phase == UNDO_UNDONE || p->undo.phase == UNDO_WRITTEN_OFF)
		undo_answer_cancel(t);
}

static void read(struct turn *t)
{
	struct step *st = t->st;

	st->fate = FATE_VIEW;
	st->fate_seq = SEQ_FIRST;
	if (t->ev->msg->has_refund) {
		int n = refund_seq_of(&t->ev->msg->refund);
		if (n < 1 || n > t->p->refund_seq) {
			turn_refuse(t, REASON_NOT_FOUND, "no such refund");
			return;
		}
		st->fate_seq = SEQ_REFUND + n;
		if (!pay_refund(
			    t->p, n)) { /* its slot was used again: the stored answer says it all */
			st->fate = FATE_REPLAY;
			if (t->ev->peer != t->p->acq.peer) /* and is the requester's alone */
				turn_refuse(t, REASON_NOT_FOUND, "no such refund");
		}
	}
}

/* Who only looks at an order is nobody to its till, until he has it. */
static bool may_see(const struct pay *p, uint16_t peer)
{
	bool looks = !pay_id_is_none(&p->order) && !p->confirmed;

	return MUTANT(ANYBODY) || p->version == 0 || (peer == p->acq.peer && !looks) ||
	       peer == p->iss.peer || peer == p->via;
}

static bool may_do(const struct pay *p, enum op op, uint16_t peer)
{
	if (p->version == 0)
		return true;
	if (op == OP_CONFIRM)
		return p->flow == FLOW_SCAN && peer == p->via;
	if (op == OP_TELL)
		return peer == p->via || (p->flow == FLOW_DEBIT && peer == p->iss.peer);
	if (p->flow == FLOW_CREDIT)
		return false; /* a credit is the wallet's user's for good */
	if (op == OP_CANCEL && p->flow == FLOW_PUSHED)
		return false; /* what is accepted is refunded */
	if (op == OP_CANCEL)
		return peer == p->acq.peer || peer == p->via;
	return peer == p->acq.peer;
}

/* Its first sending was stepped: it is told what that led to, or why it is not the same. */
static void repeated(struct turn *t)
{
	const struct pay_event *ev = t->ev;
	struct pay *p = t->p;

	if (p->flow == FLOW_CLOSED && ev->op != OP_CANCEL && ev->op != OP_READ &&
		ev->op != OP_INQUIRE) {
		turn_refuse(t, REASON_CLOSED, "cancelled before it came");
		return;
	}
	if (ev->prior_claim > 0) { /* claim 0 is the key; 1 the partner's own id */
		turn_refuse(t, REASON_DUPLICATE, "this payment id was used under another key");
		return;
	}
	if (memcmp(ev->fingerprint, ev->prior_fingerprint, sizeof ev->fingerprint) != 0) {
		turn_refuse(t, REASON_REPEAT, "the same id came before with other contents");
		return;
	}
	if (claim_repeated(t))
		return;
	t->st->fate = pay_answer_final(p, ev->prior_seq) ? FATE_REPLAY : FATE_WAIT;
	t->st->fate_seq = ev->prior_seq;
}

/* It is about another record: the payment that has the order, or the order that this one gave back.
 */
static bool is_elsewhere(const struct turn *t)
{
	const struct pay_event *ev = t->ev;
	const struct pay *p = t->p;

	if (p->flow == FLOW_ORDER && !ev->order_free &&
		(pay_state(p) == PAY_TAKEN || (ev->op != OP_CANCEL && pay_state(p) == PAY_OPEN)))
		return true;
	return p->gave_back && !pay_id_is_none(&ev->order_from);
}

static void dispatch(struct turn *t)
{
	const struct pay_event *ev = t->ev;
	const struct pay *p = t->p;

	if (ev->op == OP_DEBIT && p->version == 0)
		debit(t);
	else if (ev->op == OP_RESOLVE && p->version == 0)
		scan(t);
	else if (ev->op == OP_ORDER && p->version == 0 && ev->msg->code.scheme[0])
		debit(t);
	else if (ev->op == OP_ORDER && p->version == 0)
		order_begin(t);
	else if (ev->op == OP_CREDIT && p->version == 0)
		credit_begin(t);
	else if (ev->op == OP_CONFIRM)
		confirm(t);
	else if (ev->op == OP_TELL && p->version == 0)
		pushed(t);
	else if (ev->op == OP_TELL && p->flow == FLOW_WALLET_DEBITS)
		debited(t);
	else if (ev->op == OP_TELL && (p->flow == FLOW_CLAIMED || p->flow == FLOW_PUSHED))
		claim_pushed(t);
	else if (ev->op == OP_TELL && p->flow == FLOW_DEBIT)
		told_by_issuer(t);
	else if (ev->op == OP_CANCEL)
		cancel(t);
	else if (ev->op == OP_CAPTURE)
		paid_capture(t);
	else if (ev->op == OP_REFUND)
		paid_refund(t);
	else
		turn_refuse(t, REASON_UNSUPPORTED, "this operation is not offered here");
}

void request_step(struct turn *t)
{
	const struct pay_event *ev = t->ev;
	struct pay *p = t->p;

	if (!may_see(p, ev->peer))
		turn_refuse(t, REASON_NOT_FOUND, "no such payment");
	else if (ev->repeated)
		repeated(t);
	else if (is_elsewhere(t))
		t->st->fate = FATE_FOLLOW;
	else if (ev->op == OP_READ || ev->op == OP_INQUIRE)
		read(t);
	else if (!may_do(p, ev->op, ev->peer))
		turn_refuse(t, REASON_FORBIDDEN, "this side of a payment cannot ask that");
	else
		dispatch(t);
}
