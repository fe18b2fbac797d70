/*
 * apsmember.h: what the files of the adapter share that plays Alipay+ towards partners of our own:
 * acquirers (ACQP) and wallets (MPP) that speak APS and take us for their scheme.
 */
#ifndef XW_APSMEMBER_H
#define XW_APSMEMBER_H

#include "aps.h"

/* What the participant is to us: the setting member_role. */
bool apsm_is_acquirer(const struct adapter_env *env);

/* A quote between two amounts, of any use only for people: "NOK/EUR" and EUR per NOK, as a factor
 * of minor units that gives the second exactly when the product is rounded. Nothing where the two
 * are in one currency. */
void apsm_put_quote(struct jw *w, const char *key, const char *id, const Xw__Money *first,
	const Xw__Money *second);

/* ---- the adapter's functions ---- */

MUST enum rc apsm_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
void apsm_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
MUST enum rc apsm_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc apsm_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* registration.c: merchants of an acquirer. */
void apsm_take_registration(struct aps_reading *r);
void apsm_take_inquiry(struct aps_reading *r);
const char *apsm_check_news(const Xw__Canonical *c);
void apsm_put_news(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c);
/* registrationResult, and what our wallets say, which is one word for all of them. */
void apsm_put_decision(const struct adapter_env *env, struct jw *w, const Xw__Outcome *o);

#endif
