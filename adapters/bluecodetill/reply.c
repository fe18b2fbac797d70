/*
 * reply.c: what a till of Bluecode's is told: a payment with its state, that we are at it, or an
 * error.
 *
 * The hard thing is what each word makes a till do: a decline ends the sale, PROCESSING has it
 * ask, SYSTEM_FAILURE has it cancel for ever. So only what is certain gets a state, and nothing
 * that is over is called a failure of the system. Must never call a payment approved that could
 * still be undone by us.
 */
#include "bluecodetill.h"

/* SPEC bluecode 3.3 [C:B-POS]: milliseconds both; the till gives up at ttl, and cancels. */
#define CHECK_STATUS_MS 1000
#define TTL_MS          30000

/*
 * SPEC bluecode 3.3 [C:B-POS, B-WC]: the codes. `declined`: of a payment that was refused, and
 * of a refund; `error`: of a call, with its HTTP status, which but for 503 is ours. SPEC
 * 3.4: SYSTEM_FAILURE has the till cancel, so nothing that is over is called so.
 */
static const struct word {
	enum reason reason;
	int status;
	const char *declined, *error;
} words[] = {
	{ REASON_AMOUNT, 400, "ERROR_INVALID_PARAMETER", "ERROR_INVALID_PARAMETER" },
	{ REASON_BUSY, 503, "SERVICE_UNAVAILABLE", "SERVICE_UNAVAILABLE" },
	{ REASON_CLOSED, 400, "INVALID_STATE", "MERCHANT_TX_ID_NOT_UNIQUE" },
	{ REASON_CODE_EXPIRED, 400, "INVALID_BARCODE", "INVALID_BARCODE" },
	{ REASON_CODE_UNKNOWN, 400, "INVALID_BARCODE", "INVALID_BARCODE" },
	{ REASON_CONTRACT, 400, "ISSUER_NOT_SUPPORTED", "ISSUER_NOT_SUPPORTED" },
	{ REASON_CURRENCY, 400, "ISSUER_NOT_SUPPORTED", "ERROR_INVALID_PARAMETER" },
	{ REASON_DUPLICATE, 400, "", "MERCHANT_TX_ID_NOT_UNIQUE" },
	{ REASON_FORBIDDEN, 400, "", "INVALID_STATE" },
	{ REASON_FUNDS, 400, "INSUFFICIENT_FUNDS", "INSUFFICIENT_FUNDS" },
	{ REASON_INTERNAL, 500, "", "SYSTEM_FAILURE" },
	{ REASON_LIMIT, 400, "LIMIT_EXCEEDED", "LIMIT_EXCEEDED" },
	{ REASON_MALFORMED, 400, "", "ERROR_INVALID_PARAMETER" },
	{ REASON_MEDIA, 415, "", "ERROR_INVALID_PARAMETER" },
	{ REASON_MERCHANT, 400, "BRANCH_NOT_FOUND", "BRANCH_NOT_FOUND" },
	{ REASON_NOT_FOUND, 404, "", "TRANSACTION_NOT_FOUND" },
	{ REASON_NO_ROUTE, 400, "ISSUER_NOT_SUPPORTED", "ISSUER_NOT_SUPPORTED" },
	{ REASON_OVERLOADED, 503, "", "SERVICE_UNAVAILABLE" },
	{ REASON_PAYER, 400, "INVALID_STATE", "INVALID_STATE" },
	{ REASON_PAYER_REFUSED, 400, "CANCELLED_BY_USER", "CANCELLED_BY_USER" },
	{ REASON_RATE, 400, "ISSUER_NOT_SUPPORTED", "ERROR_INVALID_PARAMETER" },
	{ REASON_REFUND_SUM, 400, "AMOUNT_TOO_HIGH", "AMOUNT_TOO_HIGH" },
	{ REASON_REPEAT, 400, "", "MERCHANT_TX_ID_NOT_UNIQUE" },
	{ REASON_RISK, 400, "FRAUD_DETECTED", "FRAUD_DETECTED" },
	{ REASON_SIGNATURE, 401, "", "UNAUTHORIZED" },
	{ REASON_STATE, 400, "INVALID_STATE", "INVALID_STATE" },
	{ REASON_UNAVAILABLE, 503, "ISSUER_FAILURE", "SERVICE_UNAVAILABLE" },
	{ REASON_VERIFICATION, 400, "INVALID_STATE", "INVALID_STATE" },
	{ REASON_WINDOW, 400, "INVALID_STATE", "INVALID_STATE" },
	{ REASON_NONE, 400, "ISSUER_FAILURE", "ISSUER_FAILURE" }, /* and all that is not here */
};

static const struct word *word_of(int32_t reason)
{
	const struct word *w = words;

	while (w->reason != REASON_NONE && (int32_t)w->reason != reason)
		w++;
	return w;
}

/* SPEC bluecode 3.3 [C:B-POS]: {"result":"ERROR","error_code":...} */
static void write_error(struct jw *w, const char *code)
{
	jw_str(w, "result", SPAN("ERROR"));
	jw_str(w, "error_code", span_str(*code ? code : "ISSUER_FAILURE"));
}

static int64_t ttl_ms(const struct adapter_env *env, const Xw__Canonical *reply)
{
	int64_t until = reply->payment ? reply->payment->expires : 0;
	int64_t ms = until > env->now.us ? (until - env->now.us) / 1000 : 1;

	return ms < 1 ? 1 : ms;
}

/* SPEC bluecode 3.3 [C:B-POS]: ask again in check_status_in, give up at ttl. A refund has no end
 * by which it must be decided. */
static void write_processing(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct jw *w)
{
	bool refund = rq->route->kind == BCT_REFUND;

	jw_str(w, "result", SPAN("PROCESSING"));
	jw_obj(w, "status");
	jw_str(w, "merchant_tx_id", span_str(reply->request_id));
	jw_int(w, "check_status_in", CHECK_STATUS_MS);
	jw_int(w, "ttl", refund ? TTL_MS : ttl_ms(env, reply));
	jw_end(w, '}');
}

static void write_payment(
	const Xw__Canonical *reply, const char *state, const char *code, struct jw *w)
{
	const Xw__Money *amount = reply->payment ? reply->payment->amount : NULL;

	jw_str(w, "result", SPAN("OK"));
	jw_obj(w, "payment");
	jw_str(w, "state", span_str(state));
	jw_opt(w, "code", span_str(code));
	jw_str(w, "merchant_tx_id", span_str(reply->request_id));
	jw_opt(w, "acquirer_tx_id", span_str(reply->peer_id));
	if (amount) {
		jw_str(w, "currency", span_str(amount->currency));
		jw_int(w, "total_amount", amount->minor);
		jw_int(w, "requested_amount", amount->minor);
		jw_int(w, "consumer_tip_amount", 0);
	}
	if (reply->code)
		jw_opt(w, "checkin_code", span_str(reply->code->text));
	jw_opt(w, "slip_note", span_str(reply->brand));
	jw_end(w, '}');
}

/* Paid: approved, until all of it went back. */
static const char *paid_state(const Xw__Canonical *reply)
{
	const Xw__Counts *n = reply->counts;

	return n && n->taken && n->returned && n->returned->minor >= n->taken->minor ? "REFUNDED"
										     : "APPROVED";
}

/* Ended without a debit. What nobody decided, or we undid, is closed rather than declined. */
static void write_declined(const Xw__Canonical *reply, struct jw *w)
{
	enum reason r = (enum reason)reply->outcome->reason;

	if (r == REASON_EXPIRED || r == REASON_UNRESOLVED || r == REASON_CLOSED ||
		r == REASON_CANCELLED)
		write_payment(reply, "CANCELED", "", w);
	else
		write_payment(reply, "DECLINED",
			*word_of(r)->declined ? word_of(r)->declined : "ISSUER_FAILURE", w);
}

static void write_outcome(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct jw *w)
{
	enum outcome o = reply->outcome ? (enum outcome)reply->outcome->result : OUTCOME_NONE;

	switch (o) {
	case OUTCOME_APPROVED:
		write_payment(reply, paid_state(reply), "", w);
		return;
	case OUTCOME_REVERSED:
		write_payment(reply, "CANCELED", "", w);
		return;
	case OUTCOME_DECLINED:
		if (rq->route->kind == BCT_REFUND)
			write_error(w, word_of(reply->outcome->reason)->declined);
		else
			write_declined(reply, w);
		return;
	case OUTCOME_UNKNOWN: /* closed by a person, who could not find out */
		write_error(w, "SYSTEM_FAILURE");
		return;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_NOT_FOUND:
		break;
	}
	/* An order shows its code until somebody pays. */
	if (reply->code && reply->code->text[0])
		write_payment(reply, "REGISTERED", "", w);
	else
		write_processing(env, rq, reply, w);
}

void bct_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	struct jw w = jw_init(&out->body);

	out->status = 200;
	jw_obj(&w, NULL);
	if (reply->problem) {
		const struct word *word = word_of(reply->problem->reason);

		out->status = word->status;
		write_error(&w, word->error);
	} else {
		write_outcome(env, rq, reply, &w);
	}
	jw_end(&w, '}');
}

void bct_seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)env;
	(void)rq;
	(void)replayed;
	http_out_header(out, "content-type", SPAN("application/json"));
}
