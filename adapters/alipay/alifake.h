/*
 * alifake.h: what the files of the Alipay fake share: a call as its parameters, and an answer as
 * the elements that are signed.
 */
#ifndef XW_ALIFAKE_H
#define XW_ALIFAKE_H

#include "shown.h"

#include "money.h"

#define ALF_FIELDS 40

struct alf_field {
	struct span name, value;
};

/* Fields in the order of their names, without empty ones. */
struct alf_list {
	struct alf_field field[ALF_FIELDS];
	size_t n;
};

/* fake_wire.c. False: malformed, a name twice, or too many. */
bool alf_read(struct arena *a, struct span form, struct alf_list *ret);
struct span alf_get(const struct alf_list *l, const char *name);
bool alf_has_only(const struct alf_list *l, const char *const *known);
void alf_say(struct alf_list *l, const char *name, struct span value);
void alf_say_money(const struct sandbox_host *h, struct alf_list *l, const char *name,
	int64_t minor, const char *currency);
/* yyyyMMddHHmmss of Beijing. */
void alf_say_time(
	const struct sandbox_host *h, struct alf_list *l, const char *name, struct wall t);
void alf_say_own(const struct sandbox_host *h, struct alf_list *l, const char *name,
	const struct shown *f, const struct shown_payment *p);
/* Refused before it was looked at: without a signature. */
struct http_out *alf_fail(const struct sandbox_host *h, const char *error);
/* Who asks, and that it holds; NULL: it does. */
const char *alf_refuse(
	const struct sandbox_host *h, const struct http_msg *m, const struct alf_list *ask);
/* The answer with that in it, signed; spoilt as ordered. */
struct http_out *alf_answer(const struct sandbox_host *h, const struct alf_list *ask,
	const struct alf_list *answer, const struct mischief_order *o);
/* A signed form. */
struct http_out *alf_form(
	const struct sandbox_host *h, struct alf_list *l, const struct mischief_order *o);
/* A sum in the contract's currency. */
bool alf_amount(
	const struct sandbox_host *h, struct span decimal, struct span currency, int64_t *ret);
struct span alf_currency(const struct sandbox_host *h);

typedef const char *alf_service_fn(struct shown *f, const struct sandbox_host *h,
	const struct alf_list *ask, const struct mischief_order *o, struct alf_list *answer);

/* Each fills the answer; or names the error of a call that is not looked at. fake_pay.c */
alf_service_fn alf_pay, alf_query, alf_cancel;
struct http_out *alf_tell(struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct shown_refund *r,
	const struct mischief_order *o);
/* fake_refund.c */
alf_service_fn alf_refund;

#endif
