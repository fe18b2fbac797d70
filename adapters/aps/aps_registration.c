/*
 * aps_registration.c: merchants and stores that a scheme and its wallets must know before they may
 * be paid: what is said of one, and what has become of it.
 *
 * The hard thing is that there is no one answer: each wallet approves or rejects for itself, one
 * after another. What some have approved is registered; what all have rejected is not, with their
 * reasons; what the scheme has not completed is being looked at. Must never take a word that it
 * does not know for either.
 */
#include "aps.h"

#define REASONS 250 /* bytes of an outcome's text are 256 */

const char *aps_check_registration(const Xw__Canonical *c)
{
	const char *why = aps_check_id(c->request_id, APS_ID_MAX,
		"there is no registrationRequestId", "registrationRequestId is longer than 64");

	if (!why && (!c->order || !c->order->merchant))
		why = "there is no merchant";
	return why ? why : aps_check_merchant(c->order->merchant);
}

static struct span store_id(const Xw__Party *m)
{
	return span_str(*m->store_id ? m->store_id : m->id);
}

static void put_address(struct jw *w, const char *name, const Xw__Party *m)
{
	jw_obj(w, name);
	jw_str(w, "region", span_str(m->country));
	aps_put_text(w, "city", m->city, 32);
	aps_put_text(w, "address1", m->address, 256);
	jw_end(w, '}');
}

/* SPEC alipayplus 4.17 [C:S34]: one merchant or store a call; the store is needed in a shop. A
 * merchant that has none is its own, as in its payments. */
void aps_put_registration(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	const Xw__Party *m = c->order->merchant;
	struct buf url = arena_buf(env->arena, 512);

	jw_str(w, "registrationRequestId", span_str(c->request_id));
	jw_arr(w, "productCodes");
	jw_str(w, NULL, SPAN("IN_STORE_PAYMENT"));
	jw_end(w, ']');
	jw_obj(w, "merchantInfo");
	jw_str(w, "referenceMerchantId", span_str(m->id));
	aps_put_text(w, "merchantDisplayName", m->name, 256);
	aps_put_text(w, "merchantMCC", m->mcc, 32);
	put_address(w, "merchantAddress", m);
	if (c->registration) {
		jw_obj(w, "registrationDetail");
		aps_put_text(w, "legalName", c->registration->legal_name, 256);
		aps_put_text(w, "registrationType", c->registration->type, 64);
		aps_put_text(w, "registrationNo", c->registration->number, 64);
		jw_end(w, '}');
	}
	jw_end(w, '}');
	jw_obj(w, "storeInfo");
	jw_str(w, "referenceStoreId", store_id(m));
	aps_put_text(w, "storeName", *m->store_name ? m->store_name : m->name, 256);
	aps_put_text(w, "storeMCC", m->mcc, 32);
	put_address(w, "storeAddress", m);
	jw_end(w, '}');
	buf_add(&url, env->origin);
	buf_str(&url, "/aps/");
	buf_add(&url, env->peer);
	buf_str(&url, "/v1/merchants/notifyRegistrationStatus");
	jw_str(w, "registrationNotifyUrl", buf_span(&url));
}

void aps_put_standing(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	jw_str(w, "referenceMerchantId", span_str(c->order->merchant->id));
	jw_str(w, "referenceStoreId", store_id(c->order->merchant));
}

void aps_read_registration(struct aps_answering *r)
{
	r->c->outcome->result = OUTCOME_PENDING;
}

/* "ALIPAY_HK: the reason; ..." of those wallets that have rejected. */
static void add_reason(struct buf *b, const struct json *psp)
{
	struct span name = SPAN("-"), why = SPAN_NONE;

	(void)json_str(psp, "pspName", &name);
	(void)json_str(psp, "registrationResult.rejectionReason", &why);
	if (b->n)
		buf_str(b, "; ");
	buf_add(b, span_utf8_cut(name, 64));
	if (!span_empty(why)) {
		buf_str(b, ": ");
		buf_add(b, why);
	}
}

struct standing {
	int approved, rejected;
	struct buf reasons;
	bool odd; /* a word that is not known */
};

static void read_wallets(struct arena *a, const struct json *body, struct standing *ret)
{
	const struct json *list = json_get(body, "pspRegistrationResultList");
	struct span word;

	*ret = (struct standing){ .reasons = arena_buf(a, 4096) };
	for (size_t i = 0; list && i < json_count(list) && i < 64; i++) {
		const struct json *psp = json_at(list, i);
		if (!json_str(psp, "registrationResult.registrationStatus", &word))
			ret->odd = true;
		else if (span_eq(word, SPAN("APPROVED")))
			ret->approved++;
		else if (span_eq(word, SPAN("REJECTED"))) {
			ret->rejected++;
			add_reason(&ret->reasons, psp);
		}
	}
}

/* SPEC alipayplus 4.17 [C:S34]: registrationResult is of all wallets together: PENDING, COMPLETED;
 * each one's stands beside it: APPROVED, REJECTED with rejectionReason. */
static void read_result(struct arena *a, const struct json *body, Xw__Outcome *o)
{
	struct standing s;
	struct span word = SPAN_NONE, why;

	read_wallets(a, body, &s);
	(void)json_str(body, "registrationResult.registrationStatus", &word);
	if (json_str(body, "registrationResult.rejectionReason", &why) && buf_ok(&s.reasons)) {
		buf_str(&s.reasons, s.reasons.n ? "; " : "");
		buf_add(&s.reasons, why);
	}
	o->code = canonical_str(a, span_utf8_cut(word, 64));
	o->text = canonical_str(a, span_utf8_cut(buf_span(&s.reasons), REASONS));
	o->reason = REASON_NONE;
	if (span_eq(word, SPAN("PENDING")) || span_eq(word, SPAN("PROCESSING")))
		o->result = OUTCOME_PENDING;
	else if (span_eq(word, SPAN("REJECTED")) ||
		 (span_eq(word, SPAN("COMPLETED")) && s.rejected && !s.approved && !s.odd)) {
		o->result = OUTCOME_DECLINED;
		o->reason = REASON_MERCHANT;
	} else if (span_eq(word, SPAN("APPROVED")) ||
		   (span_eq(word, SPAN("COMPLETED")) && s.approved))
		o->result = OUTCOME_APPROVED;
	else
		o->result = OUTCOME_UNKNOWN;
}

void aps_read_standing(struct aps_answering *r)
{
	read_result(r->a, r->body, r->c->outcome);
}

void aps_take_standing(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;

	c->order = canonical_order(r->a);
	c->outcome = canonical_outcome(r->a, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "registrationRequestId", "/registrationRequestId", APS_ID_MAX, true,
		&c->request_id);
	aps_take_text(r, "referenceMerchantId", "/referenceMerchantId", APS_ID_MAX, true,
		&c->order->merchant->id);
	aps_take_text(r, "referenceStoreId", "/referenceStoreId", APS_ID_MAX, false,
		&c->order->merchant->store_id);
	if (!json_is_object(json_get(r->body, "registrationResult")))
		aps_note(r, RC_NOENT, true, "/registrationResult");
	if (r->rc == RC_OK)
		read_result(r->a, r->body, c->outcome);
	if (r->rc == RC_OK && c->outcome->result == OUTCOME_UNKNOWN)
		aps_fault(r, RC_BAD, REASON_MALFORMED, "no such status",
			"/registrationResult/registrationStatus");
}
