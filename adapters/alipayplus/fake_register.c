/*
 * fake_register.c: merchants and stores that the switch registers with the scheme: taken, asked
 * about, decided by a person's hand, told.
 *
 * The hard thing is that an S to a registration is no approval: wallets decide one by one, days
 * later. Must never answer the same request in two ways, nor take another one of a merchant that is
 * being looked at.
 */
#include "apsfake.h"

#include "check.h"

#define SPACING_US (INT64_C(30) * 60 * 1000000) /* SPEC 4.17: until then no new update */

static struct span store_of(const struct json *body)
{
	return fake_text(body, "storeInfo.referenceStoreId");
}

static struct apsf_registration *find(struct apsf *s, struct span request_id)
{
	for (size_t i = 0; i < APSF_REGISTRATIONS; i++)
		if (s->registration[i].request_id[0] &&
			span_eq(span_str(s->registration[i].request_id), request_id))
			return &s->registration[i];
	return NULL;
}

/* The latest one of a merchant and a store. */
static struct apsf_registration *latest(struct apsf *s, struct span merchant, struct span store)
{
	struct apsf_registration *last = NULL;

	for (size_t i = 0; i < APSF_REGISTRATIONS; i++) {
		struct apsf_registration *r = &s->registration[i];
		if (r->request_id[0] && span_eq(span_str(r->merchant), merchant) &&
			span_eq(span_str(r->store), store) && (!last || r->number > last->number))
			last = r;
	}
	return last;
}

static bool is_decided(const struct apsf_registration *r)
{
	return strcmp(r->status, "COMPLETED") == 0;
}

/* SPEC 4.17 [C:S34]: a store is needed in a shop; the words of productCodes are three. */
const char *apsf_check_products(const struct json *body)
{
	const struct json *list = json_get(body, "productCodes");
	bool shop = false;
	struct span word;

	if (!list || json_count(list) == 0)
		return "productCodes";
	for (size_t i = 0; i < json_count(list); i++) {
		if (!json_str(json_at(list, i), "", &word) ||
			(!span_eq(word, SPAN("IN_STORE_PAYMENT")) &&
				!span_eq(word, SPAN("CASHIER_PAYMENT")) &&
				!span_eq(word, SPAN("AGREEMENT_PAYMENT"))))
			return "productCodes";
		shop = shop || span_eq(word, SPAN("IN_STORE_PAYMENT"));
	}
	return shop && span_empty(store_of(body)) ? "storeInfo.referenceStoreId" : NULL;
}

/* The path behind the switch's own host: it is called where it serves. */
static void take_notify_path(struct apsf_registration *r, struct span url)
{
	struct span rest = span_sub(url, span_find_span(url, SPAN("://")) + 3, url.n);

	apsf_copy(r->notify_path, sizeof r->notify_path,
		span_sub(rest, span_find(rest, '/'), rest.n));
}

void apsf_on_registration(struct apsf_exchange *x)
{
	struct span id = fake_text(x->body, "registrationRequestId");
	struct span merchant = fake_text(x->body, "merchantInfo.referenceMerchantId");
	struct apsf_registration *r = find(x->s, id),
				 *before = latest(x->s, merchant, store_of(x->body));
	bool applies = x->twist != TWIST_SILENT && x->twist != TWIST_ERROR_500 &&
		       x->twist != TWIST_NO_EFFECT;

	if (r) {
		apsf_answer_result(x, "SUCCESS", 'S');
	} else if (before && !is_decided(before) && x->h->now.us - before->at.us < SPACING_US) {
		apsf_answer_result(x, "REGISTRATION_UNDER_REVIEW", 'F');
	} else if (x->s->registration_refusal[0]) {
		apsf_answer_result(x, x->s->registration_refusal, 'F');
		x->s->registration_refusal[0] = '\0';
	} else {
		if (applies) {
			r = &x->s->registration[x->s->registration_count % APSF_REGISTRATIONS];
			*r = (struct apsf_registration){ .number = ++x->s->registration_count,
				.at = x->h->now };
			apsf_copy(r->request_id, sizeof r->request_id, id);
			apsf_copy(r->merchant, sizeof r->merchant, merchant);
			apsf_copy(r->store, sizeof r->store, store_of(x->body));
			apsf_copy(r->status, sizeof r->status, SPAN("PENDING"));
			take_notify_path(r, fake_text(x->body, "registrationNotifyUrl"));
		}
		apsf_answer_result(x, "SUCCESS", 'S');
	}
}

/* SPEC 4.17 [C:S34]: the result of all together, and of each wallet that has decided. */
static void put_result(struct jw *w, const struct apsf_registration *r)
{
	jw_obj(w, "registrationResult");
	jw_str(w, "registrationStatus", span_str(r->status));
	jw_end(w, '}');
	if (!r->verdict[0])
		return;
	jw_arr(w, "pspRegistrationResultList");
	jw_obj(w, NULL);
	jw_arr(w, "productCodes");
	jw_str(w, NULL, SPAN("IN_STORE_PAYMENT"));
	jw_end(w, ']');
	jw_str(w, "pspName", SPAN("ALIPAY_CN"));
	jw_obj(w, "registrationResult");
	jw_str(w, "registrationStatus", span_str(r->verdict));
	jw_opt(w, "rejectionReason", span_str(r->reason));
	jw_end(w, '}');
	jw_end(w, '}');
	jw_end(w, ']');
}

void apsf_on_standing(struct apsf_exchange *x)
{
	struct span id = fake_text(x->body, "registrationRequestId");
	const struct apsf_registration *r =
		span_empty(id) ? latest(x->s, fake_text(x->body, "referenceMerchantId"),
					 fake_text(x->body, "referenceStoreId"))
			       : find(x->s, id);
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	if (!r) {
		apsf_answer_result(x, "PROCESS_FAIL", 'F');
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(
		&w, "result", x->twist == TWIST_UNKNOWN_CODE ? "A_NEW_CODE" : "SUCCESS", 'S');
	put_result(&w, r);
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

static void notify(struct apsf *s, const struct sandbox_host *h, const struct apsf_registration *r)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	jw_str(&w, "registrationRequestId", span_str(r->request_id));
	jw_str(&w, "referenceMerchantId", span_str(r->merchant));
	jw_str(&w, "referenceStoreId", span_str(r->store));
	put_result(&w, r);
	jw_end(&w, '}');
	s->notifications++;
	apsw_call(h, (uint64_t)EVENT_REGISTRATION << 56 | (uint64_t)(r - s->registration),
		r->notify_path, buf_span(&b));
}

void apsf_on_standing_heard(
	struct apsf *s, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct apsf_registration *r = &s->registration[cookie % APSF_REGISTRATIONS];
	const struct json *body;

	if (apsf_check_answer(s, h, r->notify_path, m, &body) &&
		span_eq(fake_text(body, "result.resultStatus"), SPAN("S")))
		r->heard++;
	else
		s->bad_acknowledgements++;
}

/* What a person decides of one: of that request, or the latest of that merchant and store. `tell`:
 * the switch is told of it. NULL, or why not. */
const char *apsf_decide_registration(
	struct apsf *s, const struct sandbox_host *h, const struct json *command, struct jw *w)
{
	struct span id = fake_text(command, "request"), merchant = fake_text(command, "merchant");
	struct span store = fake_text(command, "store"), verdict = fake_text(command, "verdict");
	struct apsf_registration *r = span_empty(id) ? latest(s, merchant,
							       span_empty(store) ? merchant : store)
						     : find(s, id);
	bool tell = false;

	if (!span_empty(fake_text(command, "refuse_next"))) {
		apsf_copy(s->registration_refusal, sizeof s->registration_refusal,
			fake_text(command, "refuse_next"));
		return NULL;
	}
	if (!r)
		return "no such registration";
	if (!span_empty(verdict)) {
		bool pending = span_eq(verdict, SPAN("PENDING"));
		apsf_copy(
			r->status, sizeof r->status, pending ? SPAN("PENDING") : SPAN("COMPLETED"));
		apsf_copy(r->verdict, sizeof r->verdict, pending ? SPAN_NONE : verdict);
		apsf_copy(r->reason, sizeof r->reason, fake_text(command, "reason"));
	}
	if (json_bool(command, "tell", &tell) && tell)
		notify(s, h, r);
	jw_str(w, "request", span_str(r->request_id));
	jw_str(w, "status", span_str(r->status));
	jw_int(w, "heard", r->heard);
	return NULL;
}

/* SPEC 4.17: a payment before approval fails, where that is demanded. */
bool apsf_is_registered(struct apsf *s, const struct sandbox_host *h, const struct json *order)
{
	const struct apsf_registration *r;

	if (!span_eq(fake_setting(h, "registration", "no"), SPAN("yes")))
		return true;
	r = latest(s, fake_text(order, "order.merchant.referenceMerchantId"),
		fake_text(order, "order.merchant.store.referenceStoreId"));
	return r && is_decided(r) && strcmp(r->verdict, "APPROVED") == 0;
}
