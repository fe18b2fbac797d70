/*
 * aps_believe.c: what is believed of an answer to a call of ours.
 *
 * The hard thing: an answer of success is believed only if everything about it fits. It must be
 * HTTP 200, signed over the URI that we asked, well-formed, with a known code, and for the very ids
 * and amounts that we asked for. Anything else is UNKNOWN: never a success, and never a refusal
 * either.
 */
#include "aps.h"

/* For what must be so before a success is believed. */
void aps_must(struct aps_answering *r, bool ok)
{
	r->fits = r->fits && ok;
}

/* Members that decide money or identity: absent is allowed, malformed is not. */
void aps_optional(struct aps_answering *r, enum rc rc)
{
	aps_must(r, rc == RC_OK || rc == RC_NOENT);
}

void aps_must_text(struct aps_answering *r, const char *path, char **ret)
{
	aps_must(r, aps_get_text(r->a, r->body, path, APS_ID_MAX, ret) == RC_OK && **ret);
}

/* Members for people and files: one that cannot be read is left out, and noted. */
void aps_tell_text(struct aps_answering *r, const char *path, size_t max, char **ret)
{
	if (aps_get_text(r->a, r->body, path, max, ret) != RC_OK)
		canonical_drop(r->a, r->c, path);
}

void aps_tell_time(struct aps_answering *r, const char *path, int64_t *ret)
{
	if (aps_get_time(r->body, path, ret) != RC_OK)
		canonical_drop(r->a, r->c, path);
}

/* An id that must be ours: absent is allowed where `mandatory` is not set, another never. */
void aps_own_id(struct aps_answering *r, const char *path, const char *ours, bool mandatory)
{
	char *theirs = canonical_str(r->a, SPAN_NONE);

	aps_must(r, aps_get_text(r->a, r->body, path, APS_ID_MAX, &theirs) == RC_OK);
	aps_must(r, *theirs || !mandatory);
	aps_must(r, !*theirs || !*ours || strcmp(theirs, ours) == 0);
}

void aps_set_outcome(struct aps_answering *r, struct verdict v, const struct aps_said *said)
{
	r->c->outcome->result = v.outcome;
	r->c->outcome->reason = v.reason;
	r->c->outcome->code = canonical_str(r->a, said->code);
	r->c->outcome->text = canonical_str(r->a, said->message);
}

/* SPEC alipayplus 2.2, 2.3: the answer is signed over the URI of the request, with its own time. */
static bool is_authentic(
	const struct adapter_env *env, const struct http_out *out, const struct http_msg *answer)
{
	struct aps_envelope e = { .method = span_str(out->method),
		.uri = buf_span(&out->target),
		.client_id = adapter_setting(env, "client_id"),
		.body = answer->body };
	struct span signature, echoed;

	if (!http_header_get(answer, "response-time", &e.time) ||
		!http_header_get(answer, "signature", &signature))
		return false;
	if (http_header_get(answer, "client-id", &echoed) && !span_eq(echoed, e.client_id))
		return false;
	return aps_verify(env, &e, signature) == RC_OK;
}

/* An answer that tells nothing: what we cannot believe or understand. */
static Xw__Canonical *answer_new(struct arena *a, const Xw__Canonical *call, enum reason reason)
{
	Xw__Canonical *c = canonical_new(a, (enum op)call->op, true);

	if (!c)
		return NULL;
	c->request_id = call->request_id;
	c->peer_id = call->peer_id;
	c->outcome = canonical_outcome(
		a, (struct verdict){ OUTCOME_UNKNOWN, reason }, SPAN_NONE, SPAN_NONE);
	c->payment = canonical_payment(a);
	c->payer = canonical_party(a);
	return arena_ok(a) ? c : NULL;
}

static void read_result(struct aps_answering *r, aps_answer_fn *const read[OP_MAX])
{
	enum op op = (enum op)r->call->op;
	struct aps_said said = aps_get_result(r->body, "result");
	struct aps_verdict v = aps_verdict(op, said.status, said.code);
	Xw__Canonical *unfit;

	if (v.refused_call) {
		Xw__Canonical *refusal = canonical_problem(
			r->a, op, v.v.reason, canonical_str(r->a, said.code), "");

		r->c->problem = refusal ? refusal->problem : NULL;
		return;
	}
	aps_set_outcome(r, v.v, &said);
	if (span_eq(said.status, SPAN("S")) && v.v.outcome != OUTCOME_UNKNOWN && read[op])
		read[op](r);
	if (r->fits)
		return;
	/* It says that it went well, but not for what we asked. Nothing of it may be taken over: an
	 * id of somebody else's payment would spoil every later inquiry. */
	unfit = answer_new(r->a, r->call, REASON_AMOUNT);
	if (!unfit)
		return;
	unfit->authentic = true;
	unfit->outcome->code = r->c->outcome->code;
	unfit->outcome->text = r->c->outcome->text;
	r->c = unfit;
}

enum rc aps_believe(const struct adapter_env *env, aps_answer_fn *const read[OP_MAX],
	const Xw__Canonical *call, const struct http_out *out, const struct http_msg *answer,
	Xw__Canonical **ret)
{
	struct aps_answering r = { .env = env, .a = env->arena, .call = call, .fits = true };
	bool authentic = is_authentic(env, out, answer);

	r.c = answer_new(r.a, call, authentic ? REASON_TECHNICAL : REASON_SIGNATURE);
	if (!r.c)
		return RC_FULL;
	r.c->authentic = authentic;
	/* SPEC alipayplus 2.2, 7.1 [C:S38,S39]: the verdict is in the body of a 200; any other
	 * status, an unsigned answer and one that does not parse are all unknown. */
	if (authentic && answer->status == 200)
		r.body = json_parse_object(r.a, answer->body);
	if (r.body)
		read_result(&r, read);
	if (!arena_ok(r.a))
		return RC_FULL;
	*ret = r.c;
	return RC_OK;
}
