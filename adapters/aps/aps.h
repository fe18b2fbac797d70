/*
 * aps.h: APS, the protocol of Alipay+, whichever side of it we stand on: envelope, result codes,
 * common members. Section numbers in the SPEC comments are those of alipayplus/README.md, "The text
 * we obey".
 *
 * All memory is the env's arena. Functions that read return RC_NOENT for a member that is absent,
 * RC_BAD for one that breaks its form, RC_RANGE for one outside of what we take.
 */
#ifndef XW_APS_H
#define XW_APS_H

#include "adapter.h"

#define APS_ID_MAX 64 /* paymentRequestId, refundRequestId, paymentId, customerId ... */

/* What is asked of us; the adapter's `kind` of a struct route. */
enum aps_api {
	APS_NOTIFY_PAYMENT,
	APS_PAY,
	APS_INQUIRY_PAYMENT,
	APS_CANCEL_PAYMENT,
	APS_REFUND,
	APS_USER_INITIATED_PAY,
	APS_GET_PAYMENT_CODE,
	APS_PUSH_PAYMENT,
	APS_INQUIRY_PUSH_PAYMENT,
	APS_INQUIRY_CODE_RULES,
	APS_NOTIFY_REGISTRATION,
	APS_REGISTRATION,
	APS_INQUIRY_REGISTRATION,
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

/* ---- aps_request.c: reading a request ---- */

/* The first fault found, and where. */
struct aps_reading {
	const struct adapter_env *env;
	struct arena *a;
	const struct json *body;
	Xw__Canonical *c;
	enum rc rc;
	enum reason reason;
	const char *detail, *pointer;
};

typedef void aps_read_fn(struct aps_reading *r, const struct request *rq);

/* Verifies and parses; then `read` fills r->c. As adapter.h's read_request. */
MUST enum rc aps_read(const struct adapter_env *env, const struct request *rq, aps_read_fn *read,
	Xw__Canonical **ret);
void aps_fault(struct aps_reading *r, enum rc rc, enum reason reason, const char *detail,
	const char *pointer);
/* What the helpers above found; an absent member is a fault where it is mandatory. */
void aps_note(struct aps_reading *r, enum rc rc, bool mandatory, const char *pointer);
void aps_take_text(struct aps_reading *r, const char *path, const char *pointer, size_t max,
	bool mandatory, char **ret);
void aps_take_money(struct aps_reading *r, const char *path, const char *pointer, bool mandatory,
	Xw__Money **ret);

/* ---- aps_order.c: writing a call ---- */

/* NULL, or why a mandatory text is not acceptable. Ids are never cut. */
const char *aps_check_id(const char *id, size_t max, const char *missing, const char *too_long);
const char *aps_check_request_id(const Xw__Canonical *c);
const char *aps_check_customer(const Xw__Canonical *c);
const char *aps_check_merchant(const Xw__Party *m);
/* With the acquirer behind us, where we are one ourselves: `for_another`. PRE: c has order,
 * merchant and payment. */
void aps_put_order(struct jw *w, const Xw__Canonical *c, bool for_another);

struct aps_call {
	const char *path;
	const char *(*check)(const Xw__Canonical *c); /* NULL, or why it cannot be said */
	/* PRE: check found nothing. */
	void (*put)(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c);
};
/* As adapter.h's write_call. k may be NULL or empty: there is no such operation. */
MUST enum rc aps_write(const struct adapter_env *env, const struct aps_call *k, struct span path,
	const Xw__Canonical *call, struct http_out *out, const char **ret_why);

/* ---- aps_believe.c: reading an answer ---- */

struct aps_answering {
	const struct adapter_env *env;
	struct arena *a;
	const Xw__Canonical *call;
	const struct json *body;
	Xw__Canonical *c; /* the answer; payment, payer, outcome are there */
	bool fits;        /* false: something is missing, or is not what we asked for */
};

/* Reads the members of an answer whose result is SUCCESS. */
typedef void aps_answer_fn(struct aps_answering *r);

/* As adapter.h's read_answer; `read` by operation, NULL where it has no more to say. */
MUST enum rc aps_believe(const struct adapter_env *env, aps_answer_fn *const read[OP_MAX],
	const Xw__Canonical *call, const struct http_out *out, const struct http_msg *answer,
	Xw__Canonical **ret);
/* For what must be so before a success is believed. */
void aps_must(struct aps_answering *r, bool ok);
/* Members that decide money or identity: absent is allowed, malformed is not. */
void aps_optional(struct aps_answering *r, enum rc rc);
void aps_must_text(struct aps_answering *r, const char *path, char **ret);
/* Members for people and files: one that cannot be read is left out, and noted. */
void aps_tell_text(struct aps_answering *r, const char *path, size_t max, char **ret);
void aps_tell_time(struct aps_answering *r, const char *path, int64_t *ret);
/* An id that must be ours: absent is allowed where `mandatory` is not set, another never. */
void aps_own_id(struct aps_answering *r, const char *path, const char *ours, bool mandatory);
void aps_set_outcome(struct aps_answering *r, struct verdict v, const struct aps_said *said);

/* ---- aps_rules.c: code rules ---- */

#define APS_CODE_RULES "/aps/api/v1/codes/inquiryCodeRules"

void aps_put_rules(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c);
/* Of an answer whose result is SUCCESS: all of them, or a problem that names the first wrong one.
 */
void aps_read_rules(struct aps_answering *r);

/* ---- aps_registration.c: merchants at a scheme ---- */

const char *aps_check_registration(const Xw__Canonical *c);
void aps_put_registration(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c);
/* By merchant and store: the latest registration of the two. */
void aps_put_standing(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c);
/* S to a registration says that it is being looked at. */
void aps_read_registration(struct aps_answering *r);
void aps_read_standing(struct aps_answering *r);
/* notifyRegistrationStatus, as it came. */
void aps_take_standing(struct aps_reading *r);

/* ---- of struct adapter, for all who speak APS ---- */

bool aps_identify(const struct request *rq, struct span *ret_identity);
/* The headers that prove whose a message is. */
extern const char *const aps_proof[];

void aps_seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out);

#endif
