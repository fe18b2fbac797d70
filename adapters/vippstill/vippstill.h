/*
 * vippstill.h: what the files of the adapter share that serves Vipps' ePayment API to tills.
 */
#ifndef XW_VIPPSTILL_H
#define XW_VIPPSTILL_H

#include "adapter.h"

/* What a route is about, where its operation does not tell. */
enum till_kind {
	TILL_TOKEN,
	TILL_PAYMENT,
	TILL_EVENTS,
	TILL_ADJUST, /* capture, cancel, refund */
	TILL_HOOKS,
	TILL_IMAGE,
};

/* Why a request is refused, as it is given to the switch and comes back to write_reply. */
struct fault {
	enum rc rc; /* RC_OK: it is not */
	enum reason reason;
	const char *pointer; /* one of Vipps' numbers, or the member or header that is wrong */
	const char *detail;
};
#define NO_FAULT            ((struct fault){ .rc = RC_OK })
#define NUMBERED(number, d) ((struct fault){ RC_RANGE, REASON_MALFORMED, number, d })
#define INVALID(name, d)    ((struct fault){ RC_BAD, REASON_MALFORMED, name, d })

/* auth.c: who speaks. Headers of each call, and access tokens. */
bool till_identify(const struct request *rq, struct span *ret_identity);
struct fault till_authenticate(const struct adapter_env *env, const struct request *rq);
/* A token that ends at `until`: nothing is kept of it. */
char *till_token(const struct adapter_env *env, struct wall until);
#define TILL_TOKEN_S 3600

/* create.c: the body of create. */
struct fault till_read_create(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c);
/* {"currency","value"} of the sales unit, as `name`; for capture and refund too. */
struct fault till_read_amount(
	const struct adapter_env *env, const struct json *body, const char *name, Xw__Money **ret);

/* problem.c: RFC 7807 as Vipps writes it. */
void till_write_problem(
	const struct adapter_env *env, const Xw__Canonical *reply, struct http_out *out);
/* The reply tells of a refused payment, refund or cancel: written as the problem that it is. */
bool till_write_refusal(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);

/* reply.c: answers that are no problems. */
void till_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
const char *till_state(const Xw__Canonical *c); /* "CREATED", "AUTHORIZED", ... */
/* Refused by the very step that began it: the till was told so, and there is no such payment. */
bool till_was_refused(const Xw__Canonical *c);

/* One movement, as events, webhooks and answers to changes tell it. */
struct till_event {
	const char *name; /* "CAPTURED"; NULL: nothing that a till is told */
	const Xw__Money *amount;
	int64_t at;
	const char *psp, *psp_more; /* pspReference: the one and then the other */
	const char *key;            /* "": not known */
};
/* What a notification is about. */
struct till_event till_event_of(const Xw__Canonical *c);
void till_put_event(struct jw *w, const Xw__Canonical *c, const struct till_event *e);
void till_put_amount(struct jw *w, const char *name, const Xw__Money *m);

/* image.c: pictures of codes. The path says and proves all of it: c->code is what is drawn. */
struct fault till_read_image(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c);
void till_write_image(const struct request *rq, const Xw__Canonical *c, struct http_out *out);
struct span till_image_type(const struct request *rq);
/* How a create wants its code: "svg", "png" and the pixels; empty: as text. */
struct span till_image_format(const struct adapter_env *env, const struct json *qr_format);
struct span till_image_address(const struct adapter_env *env, struct span code, struct span format);

/* hooks.c: webhooks. There is one registration, made by configuration. */
void till_write_hooks(
	const struct adapter_env *env, const struct request *rq, struct http_out *out);
struct fault till_read_hooks(
	const struct adapter_env *env, const struct request *rq, const struct json *body);
MUST enum rc till_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc till_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif
