/*
 * fake_mpp.c: what the switch asks the scheme as wallet partner (MPP): what stands behind a
 * scanned order code, payment codes to show, by which rules codes of ours are known, and its report
 * that a user paid.
 *
 * The hard thing is the report: it is a debit that has happened, so refusing it is not enough. What
 * is refused is cancelled at the wallet until that is certain.
 */
#include "apsfake.h"

#include "check.h"

/* ---- userInitiatedPay ---------------------------------------------------------------------- */

static void answer_order(const struct apsf_exchange *x, const struct apsf_payment *p)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_str(&w, "acquirerId", SPAN("1022188000000000777"));
	jw_str(&w, "pspId", fake_setting(x->h, "psp_id", "1022172000000000001"));
	jw_str(&w, "codeType", SPAN("ORDER_CODE"));
	jw_str(&w, "paymentRequestId", span_str(p->request_id));
	apsw_put_order(&w, p->reference, p->amount, "storeMcc",
		NULL); /* as one official sample spells it */
	fake_put_money(&w, "paymentAmount", p->amount);
	fake_put_money(&w, "payToAmount", apsf_falsified(p->settle, x->twist));
	if (!money_same(p->amount, p->settle))
		apsf_put_quote(&w, "paymentQuote", p->amount, p->settle, p->created);
	jw_obj(&w, "paymentFactor");
	jw_str(&w, "isInStorePayment", SPAN("true"));
	jw_str(&w, "isCashierPayment", SPAN("true"));
	jw_str(&w, "inStorePaymentScenario", SPAN("OrderCode"));
	jw_end(&w, '}');
	apsw_put_time(&w, "paymentExpiryTime", p->expires);
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

/* SPEC alipayplus 4.10, 7.4 [C:S12]: the code is the key; another customer is inconsistent. */
void apsf_on_resolve(struct apsf_exchange *x)
{
	struct span customer = fake_text(x->body, "customerId");
	struct span code = fake_text(x->body, "codeValue");
	struct apsf_payment *p = apsf_find_any(x->s, code);

	if (!p || p->leg != LEG_SCAN || !span_eq(span_str(p->code), code)) {
		apsf_answer_result(x, "INVALID_CODE", 'F');
		return;
	}
	apsf_expire(x->s, x->h, p);
	if (p->resolved && !span_eq(span_str(p->customer), customer)) {
		apsf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
	} else if (p->state == STATE_CLOSED && p->expires.us && x->h->now.us >= p->expires.us) {
		apsf_answer_result(x, "EXPIRED_CODE", 'F');
	} else if (p->state != STATE_OPEN) {
		apsf_answer_result(x, "ORDER_IS_CLOSED", 'F');
	} else if (x->twist == TWIST_UNKNOWN_CODE) {
		apsf_answer_result(x, "A_NEW_CODE", 'F');
	} else {
		if (x->twist != TWIST_SILENT && x->twist != TWIST_ERROR_500) {
			p->resolved = true;
			apsf_copy(p->customer, sizeof p->customer, customer);
		}
		answer_order(x, p);
	}
}

/* ---- notifyPayment ------------------------------------------------------------------------- */

/* SPEC alipayplus 4.11 [C:S16]: paymentAmount, paymentResult, paymentId, payToAmount, customerId.
 */
static struct digest told(const struct json *body)
{
	static const char *const paths[] = { "paymentAmount.currency", "paymentAmount.value",
		"paymentResult.resultStatus", "paymentId", "payToAmount.currency",
		"payToAmount.value", "customerId" };
	struct span parts[2 * sizeof paths / sizeof *paths];
	size_t n = 0;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		parts[n++] = fake_text(body, paths[i]);
		parts[n++] = SPAN("\n");
	}
	return digest_sha256_parts(parts, n);
}

/* Does it report what we had asked to be paid? payToAmount may be left out where it is the same. */
static bool reports_what_was_asked(const struct json *body, const struct apsf_payment *p)
{
	struct money amount, settle = MONEY_NONE;

	if (!fake_money(body, "paymentAmount", &amount) || !money_eq(amount, p->amount))
		return false;
	if (!json_get(body, "payToAmount"))
		settle = amount;
	else if (!fake_money(body, "payToAmount", &settle))
		return false;
	return money_eq(settle, p->settle) &&
	       span_eq(fake_text(body, "customerId"), span_str(p->customer));
}

static void take_paid(struct apsf_exchange *x, struct apsf_payment *p)
{
	apsf_take(x->s, p, apsw_time(x->body, "paymentTime"));
	p->phase = PHASE_NONE;
}

/* The first report of this payment. */
static void take_report(struct apsf_exchange *x, struct apsf_payment *p)
{
	bool paid = span_eq(fake_text(x->body, "paymentResult.resultStatus"), SPAN("S"));

	if (paid)
		apsf_copy(p->payment_id, sizeof p->payment_id, fake_text(x->body, "paymentId"));
	if (!paid) {
		if (p->state == STATE_OPEN) {
			p->state = STATE_FAILED;
			p->done = x->h->now;
			p->phase = PHASE_NONE;
			apsf_copy(p->fail_code, sizeof p->fail_code,
				fake_text(x->body, "paymentResult.resultCode"));
		}
		apsf_answer_result(x, "SUCCESS", 'S');
	} else if (p->state == STATE_OPEN && !reports_what_was_asked(x->body, p)) {
		apsf_answer_result(x, "PARAM_ILLEGAL", 'F');
		apsf_undo(x->s, x->h, p);
	} else if (p->state == STATE_OPEN) {
		take_paid(x, p);
		apsf_answer_result(x, "SUCCESS", 'S');
	} else {
		/* SPEC alipayplus 4.11 [C:S32]: closed already, so the user gets the money back. */
		apsf_answer_result(x, "ORDER_IS_CLOSED", 'F');
		apsf_undo(x->s, x->h, p);
	}
}

void apsf_on_told(struct apsf_exchange *x)
{
	struct apsf_payment *p = apsf_find(x->s, false, fake_text(x->body, "paymentRequestId"));
	struct digest now = told(x->body);

	if (!p || (p->leg == LEG_SCAN && !p->resolved)) {
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F');
		return;
	}
	apsf_expire(x->s, x->h, p);
	if (x->twist == TWIST_SILENT || x->twist == TWIST_ERROR_500 ||
		x->twist == TWIST_UNKNOWN_CODE) {
		apsf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
	} else if (!p->result_told) {
		p->result_told = true;
		p->told_compared = now;
		take_report(x, p);
	} else if (!digest_same(&now, &p->told_compared, sizeof now)) {
		apsf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
	} else if (p->state == STATE_CLOSED) {
		apsf_answer_result(x, "ORDER_IS_CLOSED", 'F');
	} else {
		apsf_answer_result(x, "SUCCESS", 'S');
	}
}

/* ---- getPaymentCode ------------------------------------------------------------------------ */

/* SPEC alipayplus 4.13, 8 [C:S17]: 1 to 10 codes, each of one minute. */
void apsf_on_codes(struct apsf_exchange *x)
{
	int64_t quantity = 1;
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);
	int64_t life_ms = fake_setting_int(x->h, "code_life_s", 60) * 1000;

	if (json_get(x->body, "codeQuantity") &&
		span_to_i64(fake_text(x->body, "codeQuantity"), &quantity) != RC_OK)
		quantity = 1;
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_arr(&w, "paymentCodeInfoList");
	for (int64_t i = 0; i < quantity; i++) {
		char storage[33];
		struct buf digits = buf_init(storage, sizeof storage);
		struct wall from = wall_plus_ms(x->h->now, i * life_ms);
		struct apsf_code *c;

		apsf_code_digits(x->s, x->h, &digits);
		c = apsf_code_new(x->s, buf_span(&digits), from, wall_plus_ms(from, life_ms));
		apsf_copy(c->customer, sizeof c->customer, fake_text(x->body, "customerId"));
		jw_obj(&w, NULL);
		jw_str(&w, "paymentCode", buf_span(&digits));
		apsw_put_time(&w, "codeValidityStartTime", from);
		apsw_put_time(&w, "codeExpiryTime", c->until);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

/* ---- inquiryCodeRules ---------------------------------------------------------------------- */

/* The names of the members are inferred: of a rule's form nothing has been seen. */
static const char usual_rules[] =
	"[{\"codePattern\":\"^https://qr\\\\.alipayplus\\\\.com/281\\\\d{3}04.+$\","
	"\"isSupported\":\"true\",\"postCodeMatchActionType\":\"DECODE\"},"
	"{\"codePattern\":\"^https://shop\\\\.plusmall\\\\.example/pay/281\\\\d{3}04\\\\w+$\","
	"\"isSupported\":\"true\",\"postCodeMatchActionType\":\"DECODE\"},"
	"{\"codePattern\":\"^https://shop\\\\.plusmall\\\\.example/menu/.*$\","
	"\"isSupported\":\"true\",\"postCodeMatchActionType\":\"OPEN_URL\"},"
	"{\"codePattern\":\"^https://qr\\\\.alipay\\\\.com/.+$\","
	"\"isSupported\":\"false\",\"postCodeMatchActionType\":\"DECODE\"}]";

void apsf_on_code_rules(struct apsf_exchange *x)
{
	struct buf b = arena_buf(x->h->arena, APSF_RULES + 256);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(
		&w, "result", x->twist == TWIST_UNKNOWN_CODE ? "A_NEW_CODE" : "SUCCESS", 'S');
	jw_raw(&w, "codeRules", span_str(x->s->rules[0] ? x->s->rules : usual_rules));
	jw_opt(&w, "version", span_str(x->s->rules[0] ? x->s->rules_version : "2026.01.15.1"));
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}
