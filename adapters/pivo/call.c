/*
 * call.c: our calls to Pivo: access token, order, and what became of it; cancels and refunds where
 * Pivo serves our partner API. The hard thing is an order whose answer was lost: it can be found
 * again by its stamp alone. Must never make a second order for one stamp in the hope that the first
 * is gone: a repeat is the same call.
 */
#include "pivo.h"

#include "json.h"
#include "payer.h"
#include "text.h"

struct span pivo_setting(const struct adapter_env *env, const char *name, const char *otherwise)
{
	struct span s = adapter_setting(env, name);

	return span_empty(s) ? span_str(otherwise) : s;
}

bool pivo_has_rest(const struct adapter_env *env)
{
	return !span_empty(adapter_setting(env, "client_id"));
}

bool pivo_can_ask(const struct adapter_env *env)
{
	return pivo_has_rest(env) || payer_has_server(env);
}

bool pivo_by_form(const struct adapter_env *env)
{
	return !pivo_has_rest(env) || span_eq(adapter_setting(env, "orders"), SPAN("form"));
}

/* SPEC pivo 5.1 [C:P-DOC]: client credentials as JSON, with both scopes. */
static void write_token(const struct adapter_env *env, struct http_out *out)
{
	struct jw w = jw_init(&out->body);

	out->method = "POST";
	buf_str(&out->target, "/oauth/token");
	jw_obj(&w, NULL);
	jw_str(&w, "client_id", adapter_setting(env, "client_id"));
	jw_str(&w, "client_secret", adapter_secret(env, "client_secret"));
	jw_str(&w, "scope", SPAN("payments acquirings"));
	jw_str(&w, "grant_type", SPAN("client_credentials"));
	jw_end(&w, '}');
}

/* SPEC pivo 5.4 [I]: an order is posted with the members of the form. */
static const char *write_order(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct pivo_member member[PIVO_MEMBERS];
	struct jw w = jw_init(&out->body);
	size_t n = 0;
	const char *why = pivo_order(
		env, span_str(call->request_id), call->order, call->payment, member, &n);

	if (why)
		return why;
	out->method = "POST";
	jw_obj(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		if (member[i].number)
			jw_raw(&w, member[i].name, member[i].value);
		else
			jw_str(&w, member[i].name, member[i].value);
	}
	jw_end(&w, '}');
	return NULL;
}

/* SPEC pivo 5.4 [I]: by Pivo's id; by the stamp where that is not known. */
static void write_read(const Xw__Canonical *call, struct http_out *out)
{
	out->method = "GET";
	if (call->peer_id[0]) {
		buf_ch(&out->target, '/');
		text_percent(&out->target, span_str(call->peer_id));
	} else {
		buf_str(&out->target, "?stamp=");
		text_percent(&out->target, span_str(call->request_id));
	}
}

static const char *write_rest(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	const char *why = NULL;

	/* The base path of the participant's url is the partner API's. */
	if (call->op == OP_TOKEN) {
		write_token(env, out);
	} else {
		buf_add(&out->target, pivo_setting(env, "orders_path", "/api/payments"));
		adapter_put_bearer(env, out);
		if (call->op == OP_DEBIT)
			why = write_order(env, call, out);
		else
			write_read(call, out);
	}
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "accept", SPAN("application/json"));
	return why;
}

/* The form's page is ours to serve, if its order can be written. */
static const char *check_form(const struct adapter_env *env, const Xw__Canonical *call)
{
	struct pivo_member member[PIVO_MEMBERS];
	size_t n;

	if (span_empty(adapter_setting(env, "form_url")) ||
		span_empty(adapter_setting(env, "key_id")))
		return "the form's address or the key's id is not configured";
	/* A callback states euros; where it alone decides, they must be what was asked. */
	if (!pivo_can_ask(env) && call->payment &&
		pivo_charge(call->payment) != call->payment->amount)
		return "the amount is not in euros, and Pivo cannot be asked";
	return pivo_order(env, span_str(call->request_id), call->order, call->payment, member, &n);
}

enum rc pivo_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	bool rest = pivo_has_rest(env);
	const char *why = NULL;

	if (!adapter_caps(adapter_by_name(SPAN("pivo")), (enum op)call->op))
		why = "Pivo has no such operation";
	else if (call->op != OP_TOKEN && !call->request_id[0])
		why = "no id of ours";
	else if (call->op == OP_DEBIT && pivo_by_form(env))
		why = check_form(env, call);
	else if ((call->op == OP_CANCEL || call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND ||
			 (call->op == OP_INQUIRE && !rest)) &&
		 payer_has_server(env))
		return payer_ask_server(env, SPAN("EUR"), call, out, ret_why);
	else if (rest && call->op != OP_REFUND && call->op != OP_INQUIRE_REFUND)
		why = write_rest(env, call, out);
	return adapter_written(env, out, why, ret_why); /* without a method: nobody is called */
}
