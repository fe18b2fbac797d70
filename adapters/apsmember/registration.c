/*
 * registration.c: merchants that an acquirer wants its scheme to know: what it asks of us, how that
 * stands, and what it is told when people have decided.
 *
 * The hard thing is that what comes in stands in our registry from then on, so more is asked of it
 * than the scheme's text does. Must never answer a registration with more than that it was taken: S
 * is no approval.
 */
#include "apsmember.h"

/* Our registry's rules, beyond the text's: ids that can stand in a code, a category of four digits,
 * a region and a city. */
static bool is_merchant(const Xw__Party *m)
{
	struct span region = span_str(m->country), city = span_str(m->city);

	return span_is_alnum(span_str(m->id), "._:-") &&
	       (!*m->store_id || span_is_alnum(span_str(m->store_id), "._:-")) &&
	       strlen(m->mcc) == 4 && span_is_digits(span_str(m->mcc)) && region.n == 2 &&
	       region.p[0] >= 'A' && region.p[0] <= 'Z' && region.p[1] >= 'A' &&
	       region.p[1] <= 'Z' && city.n > 0;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 32 || (unsigned char)*s == 127)
			return true;
	return false;
}

static bool is_plain(const Xw__Canonical *c)
{
	const Xw__Party *m = c->order->merchant;
	const Xw__Registration *r = c->registration;
	struct span type = span_str(r->type);

	for (size_t i = 0; i < type.n; i++)
		if (type.p[i] != '_' && (type.p[i] < 'A' || type.p[i] > 'Z'))
			return false;
	return !has_control(m->name) && !has_control(m->store_name) && !has_control(m->city) &&
	       !has_control(m->address) && !has_control(r->legal_name) && !has_control(r->number) &&
	       !span_empty(span_trim(span_str(m->name)));
}

static void take_party(struct aps_reading *r, Xw__Party *m)
{
	aps_take_text(r, "merchantInfo.referenceMerchantId", "/merchantInfo/referenceMerchantId",
		APS_ID_MAX, true, &m->id);
	aps_take_text(r, "merchantInfo.merchantDisplayName", "/merchantInfo/merchantDisplayName",
		128, true, &m->name);
	aps_take_text(r, "merchantInfo.merchantMCC", "/merchantInfo/merchantMCC", 4, true, &m->mcc);
	aps_take_text(r, "merchantInfo.merchantAddress.region",
		"/merchantInfo/merchantAddress/region", 2, true, &m->country);
	aps_take_text(r, "merchantInfo.merchantAddress.city", "/merchantInfo/merchantAddress/city",
		32, true, &m->city);
	aps_take_text(r, "merchantInfo.merchantAddress.address1",
		"/merchantInfo/merchantAddress/address1", 128, false, &m->address);
	aps_take_text(r, "storeInfo.referenceStoreId", "/storeInfo/referenceStoreId", APS_ID_MAX,
		true, &m->store_id);
	aps_take_text(r, "storeInfo.storeName", "/storeInfo/storeName", 128, false, &m->store_name);
}

static void take_law(struct aps_reading *r, Xw__Registration *x)
{
	aps_take_text(r, "merchantInfo.registrationDetail.legalName",
		"/merchantInfo/registrationDetail/legalName", 128, false, &x->legal_name);
	aps_take_text(r, "merchantInfo.registrationDetail.registrationType",
		"/merchantInfo/registrationDetail/registrationType", 64, false, &x->type);
	aps_take_text(r, "merchantInfo.registrationDetail.registrationNo",
		"/merchantInfo/registrationDetail/registrationNo", 64, false, &x->number);
}

/* SPEC alipayplus 4.17 [C:S34]: payments in shops are what a member's tills can make here, so
 * IN_STORE_PAYMENT must be among the products, and a store be named. */
static bool is_in_store(const struct json *body)
{
	const struct json *list = json_get(body, "productCodes");
	struct span word;

	for (size_t i = 0; list && i < json_count(list) && i < 8; i++)
		if (json_str(json_at(list, i), "", &word) &&
			span_eq(word, SPAN("IN_STORE_PAYMENT")))
			return true;
	return false;
}

void apsm_take_registration(struct aps_reading *r)
{
	static const char *const not_carried[] = { "registrationNotifyUrl", "passThroughInfo",
		NULL };
	Xw__Canonical *c = r->c;

	c->order = canonical_order(r->a);
	c->registration = arena_new(r->a, Xw__Registration);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	xw__registration__init(c->registration);
	aps_take_text(r, "registrationRequestId", "/registrationRequestId", APS_ID_MAX, true,
		&c->request_id);
	take_party(r, c->order->merchant);
	take_law(r, c->registration);
	if (r->rc == RC_OK && !is_in_store(r->body))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "payments in shops alone", "/productCodes");
	if (r->rc == RC_OK && (!is_merchant(c->order->merchant) || !is_plain(c)))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "not a merchant that can be kept",
			"/merchantInfo");
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/* By merchant and store, or by the request's id. */
void apsm_take_inquiry(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;
	bool by_id = json_get(r->body, "registrationRequestId") != NULL;

	c->order = canonical_order(r->a);
	if (!c->order) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "registrationRequestId", "/registrationRequestId", APS_ID_MAX, false,
		&c->request_id);
	aps_take_text(r, "referenceMerchantId", "/referenceMerchantId", APS_ID_MAX, !by_id,
		&c->order->merchant->id);
	aps_take_text(r, "referenceStoreId", "/referenceStoreId", APS_ID_MAX, !by_id,
		&c->order->merchant->store_id);
}

/* SPEC alipayplus 4.17 [C:S34]: of all wallets together, and of each: here one decides for all. */
void apsm_put_decision(const struct adapter_env *env, struct jw *w, const Xw__Outcome *o)
{
	struct span psp = adapter_setting(env, "psp_name");
	bool decided = o->result == OUTCOME_APPROVED || o->result == OUTCOME_DECLINED;

	jw_obj(w, "registrationResult");
	jw_str(w, "registrationStatus", decided ? SPAN("COMPLETED") : SPAN("PENDING"));
	jw_end(w, '}');
	if (!decided)
		return;
	jw_arr(w, "pspRegistrationResultList");
	jw_obj(w, NULL);
	jw_arr(w, "productCodes");
	jw_str(w, NULL, SPAN("IN_STORE_PAYMENT"));
	jw_end(w, ']');
	jw_str(w, "pspName", span_empty(psp) ? SPAN("CROSSWALLET") : psp);
	jw_obj(w, "registrationResult");
	jw_str(w, "registrationStatus",
		o->result == OUTCOME_APPROVED ? SPAN("APPROVED") : SPAN("REJECTED"));
	if (o->result == OUTCOME_DECLINED)
		jw_opt(w, "rejectionReason", span_str(o->text));
	jw_end(w, '}');
	jw_end(w, '}');
	jw_end(w, ']');
}

const char *apsm_check_news(const Xw__Canonical *c)
{
	const char *why = aps_check_id(c->request_id, APS_ID_MAX,
		"there is no registrationRequestId", "registrationRequestId is longer than 64");

	if (!why && (!c->order || !c->order->merchant || !*c->order->merchant->id))
		why = "there is no merchant";
	if (!why && (!c->outcome || (c->outcome->result != OUTCOME_APPROVED &&
					    c->outcome->result != OUTCOME_DECLINED)))
		why = "only a decision can be told";
	return why;
}

void apsm_put_news(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	jw_str(w, "registrationRequestId", span_str(c->request_id));
	aps_put_standing(env, w, c);
	apsm_put_decision(env, w, c->outcome);
}
