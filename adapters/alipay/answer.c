/*
 * answer.c: what Alipay's XML answers say. The hard thing: a call that is refused before it is
 * looked at gets an answer without a signature, which is nobody's word; and of what is signed the
 * ids and the sum must still be ours. Must never book what the payer pays: that is in yuan and
 * between them.
 */
#include "alipay.h"

#include "money.h"
#include "xml.h"

/* Of a document in GBK the bytes are as they came. */
static struct span readable(struct span text)
{
	return span_is_utf8(text) ? text : SPAN_NONE;
}

static void set_outcome(const struct adapter_env *env, Xw__Canonical *c, struct verdict v,
	struct span code, struct span text)
{
	c->outcome = canonical_outcome(env->arena, v, readable(code), readable(text));
}

static struct span their_id(const struct ali_params *p)
{
	struct span id = ali_get(p, "alipay_trans_id");

	return id.n <= ALI_ID_MAX && span_is_alnum(id, "_-") ? id : SPAN_NONE;
}

bool ali_sum(const struct adapter_env *env, struct span decimal, struct span currency,
	int64_t *ret_minor)
{
	struct money m;
	struct ccy ccy;

	if (!span_eq(currency, ali_currency(env)) || ccy_by_alpha(currency, &ccy) != RC_OK ||
		money_parse_major(decimal, ccy, &m) != RC_OK)
		return false;
	*ret_minor = money_minor(m);
	return true;
}

/* SPEC alipay 4 [C:ANTOM, T:QF]: `error` of the service, in some of them detail_error_code. */
static struct span error_of(const struct ali_params *p)
{
	struct span error = ali_get(p, "error");

	return span_empty(error) ? ali_get(p, "detail_error_code") : error;
}

static bool is_refused(const struct ali_params *p)
{
	struct span result = ali_get(p, "result_code");

	/* SPEC alipay 4 [C:ANTOM]: FAILED of payments and refunds, FAIL of the others. */
	return span_eq(result, SPAN("FAILED")) || span_eq(result, SPAN("FAIL"));
}

static bool is_done(const struct ali_params *p)
{
	return span_eq(ali_get(p, "result_code"), SPAN("SUCCESS"));
}

/* It says what we know, or, where it need not be there, nothing. */
static bool says(const struct ali_params *p, const char *name, const char *expected, bool needed)
{
	struct span value = ali_get(p, name);

	return span_empty(value) ? !needed : span_eq(value, span_str(expected));
}

/* SPEC alipay 4 [C:S43]: yyyyMMddHHmmss, of Beijing. */
static void set_time(const struct adapter_env *env, struct span digits, Xw__Outcome *o)
{
	static const char *const before[] = { "", "-", "-", "T", ":", ":" };
	static const size_t width[] = { 4, 2, 2, 2, 2, 2 };
	struct buf b = arena_buf(env->arena, 32);
	struct wall at;

	if (!o || digits.n != 14 || !span_is_digits(digits))
		return;
	for (size_t i = 0, from = 0; i < 6; from += width[i++]) {
		buf_str(&b, before[i]);
		buf_add(&b, span_sub(digits, from, width[i]));
	}
	buf_str(&b, "+08:00");
	if (wall_parse(buf_span(&b), &at) == RC_OK)
		o->at = at.us;
}

/* ---- payments ------------------------------------------------------------------------------ */

/* The sum that it states is the one that we asked for. */
static bool sum_is_ours(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, bool needed)
{
	const Xw__Money *asked = canonical_charge(call->payment, ali_currency(env));
	int64_t minor;

	if (span_empty(ali_get(p, "trans_amount")))
		return !needed;
	return ali_sum(env, ali_get(p, "trans_amount"), ali_get(p, "currency"), &minor) &&
	       (!asked || asked->minor == minor);
}

static struct verdict checked(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, struct verdict v)
{
	bool taken = v.outcome == OUTCOME_APPROVED;

	if (!says(p, "partner_trans_id", call->request_id, taken) ||
		!sum_is_ours(env, call, p, taken))
		return VERDICT(UNKNOWN, AMOUNT);
	if (taken && span_empty(their_id(p)))
		return VERDICT(UNKNOWN, MALFORMED);
	return v;
}

static void set_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, Xw__Canonical *c)
{
	int64_t minor;

	c->peer_id = canonical_str(env->arena, their_id(p));
	set_time(env, ali_get(p, "alipay_pay_time"), c->outcome);
	if (c->outcome && c->outcome->result == OUTCOME_APPROVED)
		c->brand = canonical_str(env->arena, SPAN("Alipay"));
	if (ali_sum(env, ali_get(p, "trans_amount"), ali_get(p, "currency"), &minor))
		canonical_set_charge(env->arena, call, ali_currency(env),
			canonical_money(env->arena, minor, ali_currency(env)), c);
}

/* SPEC alipay 4 [C:S43]: UNKNOW, spelt so: the payer is at the password. */
static struct verdict payment_verdict(
	const Xw__Canonical *call, const struct ali_params *p, struct span *ret_code)
{
	*ret_code = ali_get(p, "result_code");
	if (is_refused(p)) {
		*ret_code = error_of(p);
		return code_verdict(ali_codes, (enum op)call->op, *ret_code);
	}
	if (call->op == OP_INQUIRE && is_done(p)) {
		*ret_code = ali_get(p, "alipay_trans_status");
		return code_verdict(ali_states, OP_INQUIRE, *ret_code);
	}
	if (call->op == OP_DEBIT && span_eq(*ret_code, SPAN("UNKNOW")))
		return VERDICT(PENDING, NONE);
	return is_done(p) ? VERDICT(APPROVED, NONE) : VERDICT(UNKNOWN, NONE);
}

static void read_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, Xw__Canonical *c)
{
	struct span code;
	struct verdict v = payment_verdict(call, p, &code);

	v = checked(env, call, p, v);
	set_outcome(env, c, v, code, ali_get(p, "display_message"));
	/* What is said of another payment must not be kept with ours. */
	if (says(p, "partner_trans_id", call->request_id, false))
		set_payment(env, call, p, c);
}

/* ---- what follows -------------------------------------------------------------------------- */

/* SPEC alipay 5 [C:ANTOM]: `action` says whether it was closed or given back; either way nothing
 * is left of it. */
static void read_cancel(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, Xw__Canonical *c)
{
	struct span code = is_refused(p) ? error_of(p) : ali_get(p, "result_code");
	struct verdict v = VERDICT(UNKNOWN, NONE);

	if (is_refused(p) && !span_eq(ali_get(p, "retry_flag"), SPAN("Y")))
		v = code_verdict(ali_codes, OP_CANCEL, code);
	else if (is_done(p))
		v = VERDICT(REVERSED, CANCELLED);
	if (!says(p, "out_trade_no", call->request_id, false))
		v = VERDICT(UNKNOWN, AMOUNT);
	set_outcome(env, c, v, code, SPAN_NONE);
}

static void read_refund(const struct adapter_env *env, const Xw__Canonical *call,
	const struct ali_params *p, Xw__Canonical *c)
{
	const Xw__Money *asked = canonical_refund_charge(call->refund, ali_currency(env));
	struct verdict v = VERDICT(UNKNOWN, NONE);
	struct span code = ali_get(p, "result_code");
	int64_t minor;

	if (is_refused(p)) {
		code = error_of(p);
		v = code_verdict(ali_codes, OP_REFUND, code);
	} else if (is_done(p)) {
		v = VERDICT(APPROVED, NONE);
	}
	if (!asked || !c->refund ||
		!says(p, "partner_refund_id", call->refund->id, v.outcome == OUTCOME_APPROVED) ||
		!says(p, "partner_trans_id", call->request_id, false) ||
		(v.outcome == OUTCOME_APPROVED && (!ali_sum(env, ali_get(p, "refund_amount"),
							   ali_get(p, "currency"), &minor) ||
							  minor != asked->minor)))
		v = VERDICT(UNKNOWN, AMOUNT);
	set_outcome(env, c, v, code, SPAN_NONE);
	if (v.outcome != OUTCOME_APPROVED)
		return;
	if (asked == call->refund->amount)
		c->refund->amount = canonical_money(env->arena, minor, ali_currency(env));
	else
		c->refund->settle = canonical_money(env->arena, minor, ali_currency(env));
}

/* ---- the answer as a whole ----------------------------------------------------------------- */

/* SPEC alipay 3 [T:QF]: signed is what stands in response/alipay. An element with elements in it is
 * joined in a way that is not described, so such an answer cannot be verified. */
static bool read_params(const struct xml *root, struct ali_params *ret)
{
	const struct xml *from = xml_get(root, "response/alipay"), *e;
	struct span text;

	for (size_t i = 0; from && (e = xml_at(from, i)); i++) {
		if (!xml_text(e, "", &text))
			return false;
		ali_put(ret, xml_name(e), text);
	}
	return from && !ret->bad;
}

static struct span text_of(const struct xml *root, const char *path)
{
	struct span text;

	return xml_text(root, path, &text) ? text : SPAN_NONE;
}

/* SPEC alipay 4 [C:ANTOM]: is_success F: refused before it was looked at, without a signature. */
static void read_document(const struct adapter_env *env, const Xw__Canonical *call,
	const struct xml *root, Xw__Canonical *c)
{
	struct ali_params p = { .n = 0 };
	struct span error = text_of(root, "error");

	if (!span_eq(xml_name(root), SPAN("alipay")) ||
		!span_eq(text_of(root, "is_success"), SPAN("T"))) {
		struct verdict v = code_verdict(ali_codes, (enum op)call->op, error);

		set_outcome(env, c, v.reason == REASON_FORBIDDEN ? v : VERDICT(UNKNOWN, NONE),
			error, SPAN_NONE);
	} else if (!read_params(root, &p) ||
		   !ali_holds(env, &p, text_of(root, "sign"), text_of(root, "sign_type"))) {
		set_outcome(env, c, VERDICT(UNKNOWN, SIGNATURE), SPAN_NONE, SPAN_NONE);
	} else if (call->op == OP_CANCEL) {
		read_cancel(env, call, &p, c);
	} else if (call->op == OP_REFUND) {
		read_refund(env, call, &p, c);
	} else {
		read_payment(env, call, &p, c);
	}
}

enum rc ali_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	struct span code = canonical_http_code(env->arena, answer->status);
	const struct xml *root;

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (answer->status != 200)
		set_outcome(env, c, VERDICT(UNKNOWN, NONE), code, SPAN_NONE);
	else if (xml_parse(env->arena, answer->body, &root) != RC_OK)
		set_outcome(env, c, VERDICT(UNKNOWN, MALFORMED), code, SPAN_NONE);
	else
		read_document(env, call, root, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}
