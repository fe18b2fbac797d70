/*
 * problem.c: refusals as problem documents (RFC 9457, rule P-1), from one catalogue.
 *
 * The hard thing: a refused payment is stored and its refusal repeated for ever, so it must never
 * carry a status that invites to try again with the same key; a wallet's own trouble with our call
 * becomes "technical" for the till. Must never tell the caller anything of another partner.
 */
#include "partner.h"

#include "check.h"
#include "digest.h"
#include "id.h"

const struct problem partner_problems[] = {
#define CALL(reason, slug, status, retryable, title)                                               \
	{ REASON_##reason, slug, status, retryable, false, title },
#define REFUSAL(reason, slug, status, title) { REASON_##reason, slug, status, false, true, title },
#define HTTP(slug, status, retryable, title) { REASON_NONE, slug, status, retryable, false, title },
#include "problem.def"
#undef CALL
#undef REFUSAL
#undef HTTP
	{ REASON_NONE, NULL, 0, false, false, NULL },
};

const struct problem *problem_of(enum reason r, bool refusal)
{
	const struct problem *other = NULL;

	for (const struct problem *p = partner_problems; p->slug; p++) {
		if (p->reason != r || r == REASON_NONE)
			continue;
		if (p->refusal == refusal)
			return p;
		other = p;
	}
	/* A call may be refused for a payment's reason; a payment not for a call's. */
	return other && !refusal ? other
				 : problem_by_slug(refusal ? SPAN("technical") : SPAN("internal"));
}

const struct problem *problem_by_slug(struct span slug)
{
	for (const struct problem *p = partner_problems; p->slug; p++)
		if (span_eq(span_str(p->slug), slug))
			return p;
	return NULL;
}

static const struct problem *problem_by_status(int status)
{
	for (const struct problem *p = partner_problems; p->slug; p++)
		if (!p->refusal && p->status == status)
			return p;
	return NULL;
}

/* Other parts of the switch point with names of their own; those are not JSON pointers. */
static bool has_pointer(const Xw__Problem *p)
{
	return p && p->pointer[0] == '#';
}

static const struct problem *choose(const Xw__Canonical *reply, enum reason reason, int status)
{
	const struct problem *p = problem_of(reason, !reply->problem), *other = NULL;

	if (!reply->problem)
		return p;
	/* What HTTP/1.1 itself refuses has no reason of its own: the caller has set the status. */
	if (status > 400 && p->status != status)
		other = problem_by_status(status);
	else if (reason == REASON_MALFORMED && has_pointer(reply->problem))
		other = problem_by_slug(SPAN("validation-failed"));
	return other ? other : p;
}

/* A name for this occurrence. A refused payment's depends on the payment alone, since its bytes may
 * be made again without its request; a refused call's on the call. */
static void write_instance(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct jw *w)
{
	char text[48];
	struct buf b = buf_init(text, sizeof text);
	struct span parts[3] = { span_str(reply->object_id), span_str(op_name((enum op)reply->op)),
		span_str(reply->refund ? reply->refund->peer_id : "") };
	struct digest d;

	if (reply->problem && !(rq->http && http_header_get(rq->http, "signature", &parts[2])))
		parts[2] = span_of(env->nonce, sizeof env->nonce);
	d = digest_sha256_parts(parts, 3);
	d.b[6] = (uint8_t)((d.b[6] & 0x0f) | 0x80); /* RFC 9562: version 8, made by whoever */
	d.b[8] = (uint8_t)((d.b[8] & 0x3f) | 0x80);
	buf_str(&b, "urn:uuid:");
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf_ch(&b, '-');
		buf_hex(&b, span_of(&d.b[i], 1));
	}
	jw_str(w, "instance", buf_span(&b));
}

static void write_errors(const Xw__Canonical *reply, struct jw *w)
{
	const Xw__Problem *p = reply->problem;
	bool differs = p && p->reason == REASON_REPEAT;

	if (!has_pointer(p) && !(differs && reply->n_dropped > 0))
		return;
	jw_arr(w, "errors");
	if (has_pointer(p)) {
		jw_obj(w, NULL);
		jw_opt(w, "detail", span_str(p->detail));
		jw_str(w, "pointer", span_str(p->pointer));
		jw_end(w, '}');
	}
	for (size_t i = 0; differs && i < reply->n_dropped; i++) {
		jw_obj(w, NULL);
		jw_str(w, "detail", SPAN("this differs from the first request with this key"));
		jw_str(w, "pointer", span_str(reply->dropped[i]));
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static void write_limit(
	const char *limit, const char *value, const char *used, int64_t resets, struct jw *w)
{
	if (!*limit)
		return;
	jw_str(w, "limit", span_str(limit));
	jw_opt(w, "limit_value", span_str(value));
	jw_opt(w, "limit_used", span_str(used));
	partner_write_time(w, "limit_resets_at", resets);
}

/* The payment that this is about: our id is its trace id, too (see calls.c). */
static void write_payment_id(
	const struct adapter_env *env, const Xw__Canonical *reply, struct jw *w)
{
	char storage[160];
	struct buf b = buf_init(storage, sizeof storage);
	struct pay_id id;

	if (pay_id_parse(span_str(reply->object_id), &id) != RC_OK)
		return;
	jw_str(w, "payment_id", span_str(reply->object_id));
	buf_hex(&b, span_of(id.b, sizeof id.b));
	jw_str(w, "trace_id", buf_span(&b));
	buf_reset(&b);
	buf_add(&b, env->origin);
	buf_str(&b, "/v1/payments/");
	buf_str(&b, reply->object_id);
	if (!buf_ok(&b))
		return;
	jw_obj(w, "links");
	jw_str(w, "payment", buf_span(&b));
	jw_end(w, '}');
}

static void write_type(const struct adapter_env *env, const struct problem *p, struct jw *w)
{
	char storage[160];
	struct buf b = buf_init(storage, sizeof storage);

	buf_add(&b, env->origin);
	buf_str(&b, "/problems/");
	buf_str(&b, p->slug);
	jw_str(w, "type", buf_ok(&b) ? buf_span(&b) : SPAN("about:blank"));
}

void partner_write_problem(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, enum reason reason, struct http_out *out)
{
	const struct problem *p = choose(reply, reason, out->status);
	int32_t retry_s = reply->problem ? reply->problem->retry_after_s : 0;
	struct jw w = jw_init(&out->body);
	char digits[16];
	struct buf seconds = buf_init(digits, sizeof digits);

	CHECK(p);
	if (retry_s <= 0 && p->retryable)
		retry_s = 1;
	out->status = p->status;
	jw_obj(&w, NULL);
	write_type(env, p, &w);
	jw_str(&w, "title", span_str(p->title));
	jw_int(&w, "status", p->status);
	if (reply->problem)
		jw_opt(&w, "detail", span_str(reply->problem->detail));
	write_instance(env, rq, reply, &w);
	write_payment_id(env, reply, &w);
	jw_bool(&w, "retryable", p->retryable);
	if (p->retryable) {
		jw_int(&w, "retry_after_s", retry_s);
		buf_i64(&seconds, retry_s);
		http_out_header(out, "retry-after", buf_span(&seconds));
	}
	write_errors(reply, &w);
	if (reply->problem)
		write_limit(reply->problem->limit, reply->problem->value, reply->problem->used,
			reply->problem->resets, &w);
	else if (reply->outcome)
		write_limit(reply->outcome->limit, reply->outcome->limit_value,
			reply->outcome->limit_used, reply->outcome->limit_resets, &w);
	jw_end(&w, '}');
}
