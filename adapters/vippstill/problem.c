/*
 * problem.c: refusals as Vipps writes them: RFC 7807 with a number of its own in extraDetails.
 *
 * The hard thing: the switch refuses with its reasons, the till branches on the number alone, so
 * each reason has one for each operation; and what is only not decided yet must not look like a
 * refusal. Must never tell the till anything of the wallet's side.
 */
#include "vippstill.h"

#include "digest.h"

/* SPEC vipps 2.10 [C:V-KIT]: numbers, and the statuses where the text gives one, else 400. */
static const struct number {
	const char *number;
	int status;
	const char *title;
} numbers[] = {
	{ "4020", 409, "Idempotency error" },
	{ "4010", 409, "Capture idempotency error" },
	{ "4040", 400, "Invalid amount" },
	{ "4050", 400, "Invalid customer token" },
	{ "4060", 400, "Invalid personal QR" },
	{ "4070", 400, "Invalid phone number" },
	{ "4090", 400, "Invalid URL" },
	{ "4100", 400, "Too much metadata" },
	{ "4120", 400, "Metadata key too long" },
	{ "4130", 400, "Metadata value too long" },
	{ "4140", 400, "Missing parameter" },
	{ "4150", 409, "Reference exists" },
	{ "4160", 400, "Payment method not available" },
	{ "5030", 400, "Scope not available" },
	{ "5040", 400, "Currency not available" },
	{ "5050", 400, "Long-living payments not available" },
	{ "5070", 400, "Payment cannot be created" },
	{ "5080", 400, "PUSH_MESSAGE not available" },
	{ "5090", 404, "Reference not found" },
	{ "5100", 400, "Refund not possible" },
	{ "6010", 400, "Amount too small" },
	{ "6030", 400, "Too late to cancel" },
	{ "6040", 400, "Captured payments cannot be cancelled" },
	{ "6060", 400, "Authorized payments cannot be cancelled" },
	{ "6090", 400, "Capture amount too high" },
	{ "6140", 400, "Must capture the full amount" },
	{ "6150", 400, "Not enough refundable" },
	{ "6160", 423, "The order is being processed" },
	{ "6190", 400, "Payment cannot be cancelled" },
	{ "6200", 400, "Payment cannot be captured" },
	{ "6210", 400, "Payment cannot be refunded" },
	{ "6220", 400, "Too late to refund" },
	{ "6250", 423, "Payment is being processed" },
};

#define D (OP_BIT(DEBIT) | OP_BIT(ORDER))
#define K OP_BIT(CAPTURE)
#define X OP_BIT(CANCEL)
#define R OP_BIT(REFUND)

/* What a reason of ours is to a till, by operation. */
static const struct meaning {
	enum reason reason;
	uint32_t ops;
	const char *number;
} meanings[] = {
	{ REASON_REPEAT, K, "4010" },
	{ REASON_REPEAT, R, "4150" },
	{ REASON_REPEAT, D | X, "4020" },
	{ REASON_DUPLICATE, D, "4150" },
	{ REASON_NOT_FOUND, D | K | X | R | OP_BIT(READ) | OP_BIT(IMAGE), "5090" },
	{ REASON_BUSY, X, "6250" },
	{ REASON_BUSY, D | K | R, "6160" },
	{ REASON_AMOUNT, D | R, "4040" },
	{ REASON_AMOUNT, K, "6090" },
	{ REASON_CURRENCY, D, "5040" },
	{ REASON_CODE_UNKNOWN, D, "4060" },
	{ REASON_CODE_EXPIRED, D, "4060" },
	{ REASON_NO_ROUTE, D, "4060" },
	{ REASON_LIMIT, K, "6140" },
	{ REASON_STATE, K, "6200" },
	{ REASON_STATE, X, "6190" },
	{ REASON_STATE, R, "6210" },
	{ REASON_WINDOW, X, "6030" },
	{ REASON_WINDOW, R, "6220" },
	{ REASON_REFUND_SUM, X, "6040" },
	{ REASON_REFUND_SUM, R, "6150" },
	{ REASON_CLOSED, X, "6060" },
	/* Whatever else the switch or the wallet refuses for. */
	{ REASON_NONE, D, "5070" },
	{ REASON_NONE, K, "6200" },
	{ REASON_NONE, X, "6190" },
	{ REASON_NONE, R, "5100" },
};

/* What is about the call, and has no number. */
static int status_of(enum reason r)
{
	static const struct {
		enum reason reason;
		int status;
	} statuses[] = {
		{ REASON_SIGNATURE, 401 },
		{ REASON_FORBIDDEN, 403 },
		{ REASON_OVERLOADED, 429 },
		{ REASON_INTERNAL, 500 },
		{ REASON_UNAVAILABLE, 503 },
		{ REASON_MALFORMED, 400 },
		{ REASON_CONTRACT, 403 },
	};

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].reason == r)
			return statuses[i].status;
	return 0;
}

static const char *number_of(enum op op, enum reason r)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings && op < OP_MAX; i++)
		if ((meanings[i].reason == r || meanings[i].reason == REASON_NONE) &&
			(meanings[i].ops >> op & 1) != 0)
			return meanings[i].number;
	return NULL;
}

static const struct number *row_of(const char *number)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (number && strcmp(numbers[i].number, number) == 0)
			return &numbers[i];
	return NULL;
}

/* A name for this occurrence; of a refused payment by its own id, since its bytes may be made again
 * without its request. */
static void put_trace(const struct adapter_env *env, const Xw__Canonical *reply, struct jw *w)
{
	struct span parts[2] = { span_str(reply->object_id),
		reply->problem ? span_of(env->nonce, sizeof env->nonce)
			       : span_str(reply->refund ? reply->refund->peer_id : "") };
	struct digest d = digest_sha256_parts(parts, 2);
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	buf_str(&b, "00-");
	buf_hex(&b, span_of(d.b, 16));
	buf_ch(&b, '-');
	buf_hex(&b, span_of(d.b + 16, 8));
	buf_str(&b, "-01");
	jw_str(w, "traceId", buf_span(&b));
}

struct shown {
	int status;
	const char *title, *detail, *name, *reason;
};

static void write(const struct adapter_env *env, const Xw__Canonical *reply, const struct shown *p,
	struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	char storage[40];
	struct buf type = buf_init(storage, sizeof storage);

	out->status = p->status;
	buf_str(&type, "https://httpstatuses.io/");
	buf_i64(&type, p->status);
	jw_obj(&w, NULL);
	jw_str(&w, "type", buf_span(&type));
	jw_str(&w, "title", span_str(p->title));
	jw_opt(&w, "detail", span_str(p->detail));
	jw_int(&w, "status", p->status);
	if (*p->name) {
		jw_arr(&w, "extraDetails");
		jw_obj(&w, NULL);
		jw_str(&w, "name", span_str(p->name));
		jw_str(&w, "reason", span_str(p->reason));
		jw_end(&w, '}');
		jw_end(&w, ']');
	}
	put_trace(env, reply, &w);
	jw_end(&w, '}');
	/* SPEC vipps 2.10 [C:V-KIT]: 423 and 429: come back later. */
	if (p->status == 423 || p->status == 429 || p->status == 503)
		http_out_header(out, "retry-after", SPAN("2"));
}

static void write_number(const struct adapter_env *env, const Xw__Canonical *reply,
	const char *number, const char *detail, struct http_out *out)
{
	const struct number *row = row_of(number);
	struct shown p = { row ? row->status : 400, row ? row->title : "Bad Request", detail,
		"ErrorCode", number };

	write(env, reply, &p, out);
}

/* Ours is a number, or the name of what is wrong; where the switch itself refused there is neither.
 */
void till_write_problem(
	const struct adapter_env *env, const Xw__Canonical *reply, struct http_out *out)
{
	const Xw__Problem *problem = reply->problem;
	enum reason reason = (enum reason)problem->reason;
	bool names = *problem->pointer && reason == REASON_MALFORMED;
	const char *number = names && span_is_digits(span_str(problem->pointer)) ? problem->pointer
										 : NULL;
	int status = status_of(reason);
	struct shown p = { .detail = problem->detail, .name = "", .reason = "" };

	if (!number && status == 0)
		number = number_of((enum op)reply->op, reason);
	if (number) {
		write_number(env, reply, number, problem->detail, out);
		return;
	}
	/* What HTTP/1.1 itself refuses: the caller has set the status. */
	p.status = status ? status : out->status >= 400 ? out->status : 400;
	p.title = http_status_text(p.status);
	if (names) {
		p.name = problem->pointer;
		p.reason = problem->detail;
	}
	write(env, reply, &p, out);
}

/* A cancel of what had ended without it. */
static bool ended_before(const Xw__Canonical *c)
{
	const char *state = till_state(c);

	return strcmp(state, "ABORTED") == 0 || strcmp(state, "EXPIRED") == 0;
}

bool till_write_refusal(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	enum op op = rq->route ? rq->route->op : OP_NONE;
	enum outcome o = reply->outcome ? (enum outcome)reply->outcome->result : OUTCOME_NONE;
	enum reason r = reply->outcome ? (enum reason)reply->outcome->reason : REASON_NONE;
	const char *number = NULL;

	if (till_was_refused(reply) && rq->route && rq->route->kind != TILL_ADJUST)
		number = op == OP_READ ? "5090" : number_of(op, r);
	else if (op == OP_CANCEL && !reply->refund && ended_before(reply))
		number = "6190";
	else if ((op == OP_CANCEL || op == OP_REFUND) && o == OUTCOME_PENDING)
		number = op == OP_CANCEL ? "6250" : "6160";
	else if ((op == OP_CANCEL || op == OP_REFUND) && o == OUTCOME_DECLINED)
		number = number_of(reply->refund && reply->refund->release ? OP_CANCEL : op, r);
	if (!number)
		return false;
	write_number(env, reply, number, "", out);
	return true;
}
