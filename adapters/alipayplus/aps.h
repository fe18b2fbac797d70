/*
 * aps.h: what the files of the Alipay+ adapter share. Alipay+ calls the protocol APS; its section
 * numbers in the SPEC comments are those of this folder's README, "The text we obey".
 *
 * All memory is the env's arena. Functions that read return RC_NOENT for a member that is absent,
 * RC_BAD for one that breaks its form, RC_RANGE for one outside of what we take.
 */
#ifndef XW_APS_H
#define XW_APS_H

#include "adapter.h"

#define APS_ID_MAX 64 /* paymentRequestId, refundRequestId, paymentId, customerId ... */

/* Our own routes; the adapter's `kind` of a struct route. */
enum aps_api {
	APS_NOTIFY_PAYMENT, /* Alipay+ -> us as ACQP */
	APS_PAY,            /* this and the rest: Alipay+ -> us as MPP */
	APS_INQUIRY_PAYMENT,
	APS_CANCEL_PAYMENT,
	APS_REFUND,
};

/* ---- aps_sign.c: envelope and signature ---- */

/* The three headers that every signed message has; `time` is Request-Time or Response-Time. */
struct aps_envelope {
	struct span method, uri; /* of the request, also where an answer is signed */
	struct span client_id, time;
	struct span body;
};

/* The bytes that are signed. SPAN_NONE when the arena is full. */
struct span aps_content(struct arena *a, const struct aps_envelope *e);
/* The value of the Signature header. RC_AUTH: the host has no key; RC_FULL. */
MUST enum rc aps_sign(
	const struct adapter_env *env, const struct aps_envelope *e, struct buf *ret_header);
/* RC_AUTH: the header is malformed or the signature does not hold; RC_FULL. */
MUST enum rc aps_verify(
	const struct adapter_env *env, const struct aps_envelope *e, struct span header);
/* Adds content-type, client-id, the time header and the signature over out's body. */
MUST enum rc aps_seal(const struct adapter_env *env, const char *time_header, struct span method,
	struct span uri, struct http_out *out);

/* ---- aps_codes.c: result codes ---- */

/* What a code says of a payment or of our call. */
struct aps_verdict {
	struct verdict v;
	bool refused_call; /* about our call, not about the payment: a `problem` */
};

/* resultStatus and resultCode as received, in answer to `op`; in a payment's own paymentResult,
 * which notifications carry, to OP_PUSH. Anything unheard of is UNKNOWN. */
struct aps_verdict aps_verdict(enum op op, struct span status, struct span code);

struct aps_result {
	const char *code;
	char status; /* 'S', 'F' or 'U' */
};

/* What we answer for a payment in that state, and for a call that we refuse. */
struct aps_result aps_result_of(enum aps_api api, const Xw__Outcome *o);
struct aps_result aps_result_of_problem(enum aps_api api, enum reason reason);
/* The table is sorted and every code of ours is in it; for the unit test. */
bool aps_codes_check(void);

/* ---- aps_body.c: members that several messages share ---- */

MUST enum rc aps_get_money(
	struct arena *a, const struct json *from, const char *path, Xw__Money **ret);
/* A scalar as text, "" where absent. RC_RANGE: over max bytes (counted in characters). */
MUST enum rc aps_get_text(
	struct arena *a, const struct json *from, const char *path, size_t max, char **ret);
/* Microseconds; 0 where absent. */
MUST enum rc aps_get_time(const struct json *from, const char *path, int64_t *ret);
MUST enum rc aps_get_quote(
	struct arena *a, const struct json *from, const char *path, Xw__Quote **ret);
MUST enum rc aps_get_order(struct arena *a, const struct json *from, Xw__Order **ret);
/* canonical_drop for those of the NULL-terminated list that are there. */
void aps_note_dropped(
	struct arena *a, const struct json *from, const char *const *names, Xw__Canonical *c);

/* A result as received, `result` or `paymentResult`; empty where absent. */
struct aps_said {
	struct span status, code, message;
};
struct aps_said aps_get_result(const struct json *body, const char *name);

/* NULL, or why the scheme's rules cannot carry this amount. */
const char *aps_cannot_carry(const Xw__Money *m);
/* Cut to max bytes at a character; left out when empty. */
void aps_put_text(struct jw *w, const char *key, const char *text, size_t max);
void aps_put_time(struct jw *w, const char *key, int64_t us);
void aps_put_result(struct jw *w, const char *key, struct aps_result r);

/* ---- the adapter's functions ---- */

MUST enum rc aps_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
void aps_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
void aps_seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out);
MUST enum rc aps_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc aps_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif
