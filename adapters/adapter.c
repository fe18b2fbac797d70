/*
 * adapter.c: what all adapters do in the same way: finding the route of a request, looking a code
 * up, and what every call carries. The hard thing is to stay general: what one partner alone asks
 * for is in its own folder. Never knows a partner by name.
 */
#include "adapter.h"

#include "digest.h"
#include "text.h"

/* Matches path against pattern segment by segment; "{...}" takes one non-empty segment as it is. */
static bool route_matches(const char *pattern, struct span path, struct span args[ROUTE_ARGS_MAX])
{
	struct span want = span_str(pattern), want_part, part;
	size_t arg_count = 0;

	while (span_split(&want, '/', &want_part)) {
		if (!span_split(&path, '/', &part))
			return false;
		if (want_part.n > 0 && want_part.p[0] == '{') {
			if (part.n == 0 || arg_count == ROUTE_ARGS_MAX)
				return false;
			args[arg_count++] = part;
		} else if (!span_eq(want_part, part)) {
			return false;
		}
	}
	return !span_split(&path, '/', &part);
}

enum rc adapter_route(const struct adapter *a, const struct http_msg *m, struct request *ret,
	struct buf *ret_methods)
{
	for (const struct route *r = a->routes; r && r->method; r++) {
		struct request found = { .route = r, .http = m };

		if (!route_matches(r->path, m->path, found.arg))
			continue;
		if (span_eq(span_str(r->method), m->method)) {
			buf_reset(ret_methods);
			*ret = found;
			return RC_OK;
		}
		if (ret_methods->n > 0)
			buf_str(ret_methods, ", ");
		buf_str(ret_methods, r->method);
	}
	return RC_NOENT;
}

bool adapter_takes_headers(const struct request *rq)
{
	const struct http_msg *m = rq->http;

	for (size_t i = 0; m->underscored && i < m->header_count; i++) {
		const char *const *name = rq->route->underscored;
		struct span s = m->header[i].name;

		if (span_find(s, '_') == s.n)
			continue;
		while (name && *name && !span_ieq(span_str(*name), s))
			name++;
		if (!name || !*name)
			return false;
	}
	return true;
}

/* ---- codes and calls ------------------------------------------------------------------------ */

struct verdict code_verdict(const struct code_rule *rules, enum op op, struct span code)
{
	for (const struct code_rule *r = rules; r->code && op < OP_MAX; r++)
		if ((r->ops >> op & 1) != 0 && span_eq(span_str(r->code), code))
			return r->verdict;
	return VERDICT(UNKNOWN, NONE);
}

struct span adapter_setting(const struct adapter_env *env, const char *name)
{
	return env->setting ? env->setting(env->settings_ctx, name) : SPAN_NONE;
}

struct span adapter_secret(const struct adapter_env *env, const char *name)
{
	return env->signer ? env->signer->secret(env->signer->ctx, name) : SPAN_NONE;
}

void adapter_put_bearer(const struct adapter_env *env, struct http_out *out)
{
	struct buf b = arena_buf(env->arena, sizeof "Bearer " + env->token.n);

	buf_str(&b, "Bearer ");
	buf_add(&b, env->token);
	http_out_header(out, "authorization", buf_span(&b));
}

/* "Basic" and both in base64; of the arena. */
static struct span basic(const struct adapter_env *env, struct span name, struct span password)
{
	size_t n = name.n + 1 + password.n;
	struct buf plain = arena_buf(env->arena, n),
		   b = arena_buf(env->arena, sizeof "Basic " + (n + 2) / 3 * 4);

	buf_add(&plain, name);
	buf_ch(&plain, ':');
	buf_add(&plain, password);
	buf_str(&b, "Basic ");
	text_b64(&b, buf_span(&plain));
	return buf_span(&b);
}

void adapter_put_basic(
	const struct adapter_env *env, struct span name, struct span password, struct http_out *out)
{
	http_out_header(out, "authorization", basic(env, name, password));
}

/* The scheme's word in any case, the rest to the letter, in a time that does not tell where it
 * differs. */
bool adapter_basic_holds(const struct adapter_env *env, const struct http_msg *m, struct span name,
	struct span password)
{
	struct span shown, wanted = basic(env, name, password);
	const size_t head = sizeof "Basic " - 1;

	return !span_empty(name) && !span_empty(password) &&
	       http_header_get(m, "authorization", &shown) && shown.n == wanted.n &&
	       span_istarts(shown, SPAN("Basic ")) &&
	       digest_same(shown.p + head, wanted.p + head, shown.n - head);
}

enum rc adapter_written(const struct adapter_env *env, const struct http_out *out, const char *why,
	const char **ret_why)
{
	if (why) {
		*ret_why = why;
		return RC_RANGE;
	}
	return http_out_ok(out) && arena_ok(env->arena) ? RC_OK : RC_FULL;
}

int32_t adapter_retry_after_ms(const struct http_msg *answer, int32_t max_s)
{
	struct span after;
	int64_t s;

	if (!http_header_get(answer, "retry-after", &after) || span_to_i64(after, &s) != RC_OK ||
		s < 1 || s > max_s)
		return 0;
	return (int32_t)(s * 1000);
}

/* ---- hints by webhook ----------------------------------------------------------------------- */

bool push_identify(const struct request *rq, struct span *ret_identity)
{
	*ret_identity = rq->arg[0];
	return true;
}

enum rc push_read_hint(const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct span ours = rq->arg[1], date = SPAN_NONE;
	Xw__Canonical *c;

	if (ours.n > 64 || !span_is_alnum(ours, "-"))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"not an id of ours", "", ret);
	c = canonical_new(env->arena, OP_PUSH, false);
	if (c) {
		(void)http_header_get(rq->http, "date", &date);
		c->request_id = canonical_str(env->arena, ours);
		c->outcome = canonical_outcome(
			env->arena, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
		canonical_set_event_id(env->arena,
			(struct span[]){ ours, span_sub(date, 0, 64), rq->http->body }, 3, c);
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

static int push_status(enum reason r)
{
	if (r == REASON_SIGNATURE)
		return 401;
	if (r == REASON_NOT_FOUND)
		return 200;
	if (r == REASON_OVERLOADED || r == REASON_BUSY || r == REASON_INTERNAL ||
		r == REASON_UNAVAILABLE)
		return 503;
	return 400;
}

void push_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	(void)env;
	(void)rq;
	out->status = reply->problem ? push_status((enum reason)reply->problem->reason) : 200;
}

const char *const adapter_msgsig_proof[] = { "signature", "signature-input", "content-digest",
	"content-type", "idempotency-key", NULL };
