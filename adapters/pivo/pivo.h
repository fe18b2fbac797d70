/*
 * pivo.h: what the files of the Pivo adapter share.
 */
#ifndef XW_PIVO_H
#define XW_PIVO_H

#include "adapter.h"

enum pivo_kind { PIVO_FORM, PIVO_RETURN, PIVO_CANCEL, PIVO_REJECT };

/* sign.c. "<key id> <64 hex>" over the fields of a form, without `signature`. False: a field comes
 * twice or is malformed, there are too many, or there is no key. */
bool pivo_sign(const struct adapter_env *env, struct span form, struct buf *ret);
/* Whether the form's own `signature` is that. */
bool pivo_signed(const struct adapter_env *env, struct span form);

/* order.c: an order's members, the same in the form and in REST. */
#define PIVO_MEMBERS 11
struct pivo_member {
	const char *name;
	struct span value;
	bool number; /* in JSON */
};
/* NULL, or why there can be no such order. Members without a value are left out. */
const char *pivo_order(const struct adapter_env *env, struct span stamp, const Xw__Order *order,
	const Xw__Payment *payment, struct pivo_member ret[PIVO_MEMBERS], size_t *ret_count);
/* SPEC pivo 5.2 [I]: amounts have no currency, so they are euros. More than nothing; NULL: none. */
const Xw__Money *pivo_charge(const Xw__Payment *p);
/* The page with the signed form. */
void pivo_write_form(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *payment, struct http_out *out);

/* call.c, answer.c */
bool pivo_has_rest(const struct adapter_env *env);
bool pivo_can_ask(const struct adapter_env *env); /* what became of an order */
bool pivo_by_form(const struct adapter_env *env); /* orders begin with the form */
/* A setting, or what it is where it is absent. */
struct span pivo_setting(const struct adapter_env *env, const char *name, const char *otherwise);
enum rc pivo_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
enum rc pivo_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* back.c: return_url, cancel_url, reject_url. */
enum rc pivo_read_back(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif
