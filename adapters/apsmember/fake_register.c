/*
 * fake_register.c: the merchants that an acquirer of the fake's has its scheme know: it asks, looks
 * how it stands, and is told. The hard thing is that S says only that the request was taken. Must
 * never believe a decision that is not signed, or that nobody asked for.
 */
#include "memberfake.h"

#include "check.h"

static const char *const paths[] = { "/aps/api/v1/merchants/registration",
	"/aps/api/v1/merchants/inquiryRegistrationStatus" };

static struct mf_merchant *find(struct mf *s, struct span request_id)
{
	for (size_t i = 0; i < MF_MERCHANTS; i++)
		if (s->merchant[i].request_id[0] &&
			span_eq(span_str(s->merchant[i].request_id), request_id))
			return &s->merchant[i];
	return NULL;
}

static void put_address(struct jw *w, const char *name)
{
	jw_obj(w, name);
	jw_str(w, "region", SPAN("NO"));
	jw_str(w, "city", SPAN("Oslo"));
	jw_str(w, "address1", SPAN("Stranden 1"));
	jw_end(w, '}');
}

static void put_registration(struct jw *w, const struct mf_merchant *m)
{
	jw_str(w, "registrationRequestId", span_str(m->request_id));
	jw_arr(w, "productCodes");
	jw_str(w, NULL, SPAN("IN_STORE_PAYMENT"));
	jw_end(w, ']');
	jw_obj(w, "merchantInfo");
	jw_str(w, "referenceMerchantId", span_str(m->id));
	jw_str(w, "merchantDisplayName", SPAN("Fjord Kaffe AS"));
	jw_str(w, "merchantMCC", SPAN("5812"));
	put_address(w, "merchantAddress");
	jw_obj(w, "registrationDetail");
	jw_str(w, "legalName", SPAN("Fjord Kaffe AS"));
	jw_str(w, "registrationType", SPAN("ENTERPRISE_REGISTRATION_NO"));
	jw_str(w, "registrationNo", SPAN("914594685"));
	jw_end(w, '}');
	jw_end(w, '}');
	jw_obj(w, "storeInfo");
	jw_str(w, "referenceStoreId", span_str(m->store));
	jw_str(w, "storeName", SPAN("Aker Brygge"));
	jw_str(w, "storeMCC", SPAN("5812"));
	put_address(w, "storeAddress");
	jw_end(w, '}');
	jw_str(w, "registrationNotifyUrl",
		SPAN("https://acquirer.example/v1/merchants/notifyRegistrationStatus"));
}

static void ask(struct mf *s, const struct sandbox_host *h, struct mf_merchant *m, bool inquires)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	if (inquires) {
		jw_str(&w, "referenceMerchantId", span_str(m->id));
		jw_str(&w, "referenceStoreId", span_str(m->store));
	} else {
		put_registration(&w, m);
	}
	jw_end(&w, '}');
	apsw_call(h,
		fake_cookie(s->generation, MF_EV_REGISTER + inquires, (uint32_t)(m - s->merchant)),
		paths[inquires], buf_span(&b));
}

/* SPEC 4.17 [C:S34]: of all wallets, and of each one; ours is one. */
static void learn(struct mf_merchant *m, const struct json *body)
{
	const struct json *list = json_get(body, "pspRegistrationResultList");
	const struct json *psp = list && json_count(list) ? json_at(list, 0) : NULL;

	mf_copy(m->status, sizeof m->status,
		fake_text(body, "registrationResult.registrationStatus"));
	mf_copy(m->verdict, sizeof m->verdict,
		psp ? fake_text(psp, "registrationResult.registrationStatus") : SPAN_NONE);
	mf_copy(m->reason, sizeof m->reason,
		psp ? fake_text(psp, "registrationResult.rejectionReason") : SPAN_NONE);
}

void mf_on_registered(struct mf *s, const struct sandbox_host *h, uint32_t at, enum mf_event e,
	const struct http_msg *answer)
{
	struct mf_merchant *m = &s->merchant[at % MF_MERCHANTS];
	const struct json *body;
	bool forged;

	if (!answer || answer->status == 0)
		return;
	if (!apsw_check_answer(h, paths[e - MF_EV_REGISTER], answer, &forged, &body)) {
		m->doubtful += forged;
		s->bad_signatures += forged;
		return;
	}
	mf_copy(m->code, sizeof m->code, fake_text(body, "result.resultCode"));
	if (e == MF_EV_STANDING && span_eq(span_str(m->code), SPAN("SUCCESS")))
		learn(m, body);
}

/* The scheme tells what was decided. */
void mf_on_decided(struct mf_exchange *x)
{
	struct mf_merchant *m = find(x->s, fake_text(x->body, "registrationRequestId"));

	if (!m) {
		mf_answer_result(x, "PROCESS_FAIL", 'F');
		return;
	}
	m->told++;
	learn(m, x->body);
	mf_answer_result(x, "SUCCESS", 'S');
}

/* {"do":"register","merchant":M,"store":S,"request":R}, {"do":"standing",...}. NULL, or why not. */
const char *mf_merchant_verb(
	struct mf *s, const struct sandbox_host *h, const struct json *command, struct jw *w)
{
	struct span verb = fake_text(command, "do"), id = fake_text(command, "merchant");
	struct span store = fake_text(command, "store"), request = fake_text(command, "request");
	struct mf_merchant *m = span_empty(request) ? NULL : find(s, request);

	if (!mf_is_acquirer(h))
		return "a wallet has no merchants";
	if (!m && (span_eq(verb, SPAN("standing")) || span_empty(id) || span_empty(store)))
		return "name a merchant and a store, or a request that was made";
	if (!m) {
		m = &s->merchant[s->merchant_count++ % MF_MERCHANTS];
		*m = (struct mf_merchant){ .told = 0 };
		if (span_empty(request))
			mf_new_id(s, h, "G", m->request_id);
		else
			mf_copy(m->request_id, sizeof m->request_id, request);
	}
	if (!span_empty(id) && !span_empty(store)) {
		mf_copy(m->id, sizeof m->id, id);
		mf_copy(m->store, sizeof m->store, store);
	}
	jw_str(w, "request", span_str(m->request_id));
	if (span_eq(verb, SPAN("registered"))) {
		jw_str(w, "code", span_str(m->code));
		jw_str(w, "status", span_str(m->status));
		jw_str(w, "verdict", span_str(m->verdict));
		jw_str(w, "reason", span_str(m->reason));
		jw_int(w, "told", m->told);
		jw_int(w, "doubtful", m->doubtful);
		return NULL;
	}
	m->code[0] = '\0';
	ask(s, h, m, span_eq(verb, SPAN("standing")));
	return NULL;
}
