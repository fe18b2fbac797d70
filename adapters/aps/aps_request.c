/*
 * aps_request.c: reading a request of the other side: the envelope first, then the body's members.
 *
 * The hard thing: the signature covers the raw bytes, so it is checked before anything is parsed;
 * and the first fault found is the one that is told. Must never let a body through whose envelope
 * did not hold.
 */
#include "aps.h"

void aps_fault(struct aps_reading *r, enum rc rc, enum reason reason, const char *detail,
	const char *pointer)
{
	if (r->rc != RC_OK)
		return;
	r->rc = rc;
	r->reason = reason;
	r->detail = detail;
	r->pointer = pointer;
}

/* What the helpers of aps_body.c found; an absent member is a fault where it is mandatory. */
void aps_note(struct aps_reading *r, enum rc rc, bool mandatory, const char *pointer)
{
	if (rc == RC_OK || (rc == RC_NOENT && !mandatory))
		return;
	if (rc == RC_NOENT)
		aps_fault(r, RC_BAD, REASON_MALFORMED, "a mandatory member is missing", pointer);
	else
		aps_fault(
			r, rc, REASON_MALFORMED, "a member is malformed or out of range", pointer);
}

void aps_take_text(struct aps_reading *r, const char *path, const char *pointer, size_t max,
	bool mandatory, char **ret)
{
	aps_note(r, aps_get_text(r->a, r->body, path, max, ret), mandatory, pointer);
	if (r->rc == RC_OK && mandatory && !**ret)
		aps_note(r, RC_NOENT, true, pointer);
}

void aps_take_money(struct aps_reading *r, const char *path, const char *pointer, bool mandatory,
	Xw__Money **ret)
{
	aps_note(r, aps_get_money(r->a, r->body, path, ret), mandatory, pointer);
}

/* SPEC alipayplus 2.1, 2.3 [C:S2]: Client-Id is the partner's, and the sender signs over the path
 * that it asks. */
static void check_envelope(struct aps_reading *r, const struct request *rq)
{
	struct aps_envelope e = {
		.method = rq->http->method, .uri = rq->http->target, .body = rq->http->body
	};
	struct span signature;
	enum rc rc;

	if (!http_header_get(rq->http, "client-id", &e.client_id) ||
		!http_header_get(rq->http, "request-time", &e.time) ||
		!http_header_get(rq->http, "signature", &signature)) {
		aps_fault(r, RC_AUTH, REASON_SIGNATURE,
			"Client-Id, Request-Time and Signature are mandatory", "");
		return;
	}
	if (!span_eq(e.client_id, adapter_setting(r->env, "client_id"))) {
		aps_fault(r, RC_AUTH, REASON_FORBIDDEN, "Client-Id is another's", "");
		return;
	}
	rc = aps_verify(r->env, &e, signature);
	if (rc != RC_OK)
		aps_fault(r, rc, REASON_SIGNATURE, "the signature does not hold", "");
}

bool aps_identify(const struct request *rq, struct span *ret_identity)
{
	return http_header_get(rq->http, "client-id", ret_identity);
}

enum rc aps_read(const struct adapter_env *env, const struct request *rq, aps_read_fn *read,
	Xw__Canonical **ret)
{
	struct aps_reading r = { .env = env,
		.a = env->arena,
		.rc = RC_OK,
		.c = canonical_new(env->arena, rq->route->op, false) };

	if (!r.c)
		return RC_FULL;
	check_envelope(&r, rq);
	if (r.rc == RC_OK && !(r.body = json_parse_object(r.a, rq->http->body)))
		aps_fault(&r, RC_BAD, REASON_MALFORMED, "the body is not a JSON object", "");
	if (r.rc == RC_OK)
		read(&r, rq);
	if (!arena_ok(env->arena) || r.rc == RC_FULL)
		return RC_FULL;
	if (r.rc != RC_OK)
		return canonical_refuse(
			r.a, rq->route->op, r.rc, r.reason, r.detail, r.pointer, ret);
	r.c->authentic = true;
	*ret = r.c;
	return RC_OK;
}
