/*
 * partner.h: what the files of the partner API's adapter share, and nobody else sees.
 */
#ifndef XW_PARTNER_H
#define XW_PARTNER_H

#include "adapter.h"
#include "msgsig.h"

/* What a route is about; route.kind. */
enum partner_kind {
	KIND_PAYMENT,
	KIND_REFUND,
	KIND_ORDER,
	KIND_SCAN,
	KIND_CODES,
	KIND_PAYOUT,
	KIND_EVENT,
};

#define MODE_PAYOUT "OUT" /* Payment.mode of a pay-out */

/* ---- partner.c ---- */
extern const struct adapter partner_adapter;
struct msgsig_keys partner_keys(const struct adapter_env *env);

/* ---- body.c: reading a strict JSON body ---- */

/* The first fault sticks; after it every reader gives nothing. Look at body_ok once, at the end. */
struct body {
	struct arena *arena;
	const struct json *root;
	bool strict; /* unknown members are faults: what we serve; not what we are answered */
	const char *detail; /* NULL: no fault so far */
	struct buf pointer; /* where: a JSON pointer as a URI fragment, NUL-terminated */
};

enum chars {
	CHARS_TEXT,    /* anything but control characters */
	CHARS_CODE,    /* anything: what a scanner reads may hold line ends */
	CHARS_ID,      /* A-Z a-z 0-9 . _ : - */
	CHARS_VISIBLE, /* ASCII without blanks */
	CHARS_DIGITS,
	CHARS_UPPER,
};

/* A member's rule: name, how many characters (and at most twice as many bytes), which. */
struct text_rule {
	const char *name;
	uint16_t min, max;
	enum chars chars;
};
#define RULE(name, min, max, chars) ((struct text_rule){ name, min, max, CHARS_##chars })

enum presence { OPTIONAL, REQUIRED };

struct body body_init(struct arena *a, bool strict);
/* RC_BAD: not JSON, or not an object; RC_FULL. */
MUST enum rc body_parse(struct body *b, struct span text);
void body_fault(struct body *b, const char *detail, const char *at, const char *name);
bool body_ok(const struct body *b);
/* Members that are not in the list are faults of a strict body. `at` is "" for the root. */
void body_only(struct body *b, const struct json *object, const char *at, const char *const *known);
/* NULL when absent. */
const struct json *body_object(struct body *b, const struct json *from, const char *at,
	const char *name, enum presence presence, const char *const *known);
/* A C string in the arena; "" when absent. */
char *body_text(struct body *b, const struct json *from, const char *at, struct text_rule rule,
	enum presence presence);
/* Words for people, cut to so many bytes; "" when absent or no string. Never a fault. */
char *body_words(struct body *b, const struct json *from, const char *name, size_t bytes);
/* {"currency":"EUR","value":"1000"}; NULL when absent. More than zero. */
Xw__Money *body_money(struct body *b, const struct json *from, const char *at, const char *name,
	enum presence presence);
/* RFC 3339, in microseconds; 0 when absent. */
int64_t body_time(struct body *b, const struct json *from, const char *at, const char *name);
int32_t body_int(struct body *b, const struct json *from, const char *at, const char *name,
	int32_t min, int32_t max);

/* ---- requests.c: bodies of the calls that we serve ---- */

/* Fills *c from the body; faults are in *b. */
void partner_read_body(
	const struct adapter_env *env, const struct request *rq, struct body *b, Xw__Canonical *c);
/* ---- objects.c: a debit, credit or refund as wallets state it ---- */

/* From `status`, `reason` and `detail`, by the operation's table of words; UNKNOWN for those that
 * are not in it. */
Xw__Outcome *partner_read_outcome(struct body *b, const struct json *v, enum op op);
/* Fills outcome, peer_id, amounts and refunds. */
void partner_read_debit(struct body *b, const struct json *v, Xw__Canonical *c);
void partner_read_refund(struct body *b, const struct json *v, Xw__Canonical *c);
void partner_read_push(struct body *b, Xw__Canonical *c);

/* ---- problem.c: the catalogue ---- */

struct problem {
	enum reason reason; /* REASON_NONE: of HTTP itself, found by its status */
	const char *slug;
	int status;
	bool retryable; /* with the same key */
	bool refusal;   /* of the payment, not of the call */
	const char *title;
};

extern const struct problem partner_problems[]; /* ends with slug NULL */
/* Never NULL: "technical" for a refusal that is not in the catalogue, "internal" for a call. */
const struct problem *problem_of(enum reason r, bool refusal);
const struct problem *problem_by_slug(struct span slug); /* NULL: not ours */
void partner_write_problem(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, enum reason reason, struct http_out *out);

/* ---- replies.c: the resources ---- */
void partner_write_resource(const struct adapter_env *env, enum partner_kind kind, enum op op,
	const Xw__Canonical *reply, struct jw *w);
/* "PAID", "PENDING", ...: what became of it, in the partner's words. */
const char *partner_status(enum partner_kind kind, enum op op, const Xw__Canonical *c);
/* "DONE", "DECLINED", "PENDING". */
const char *partner_refund_word(int32_t result);
void partner_write_time(struct jw *w, const char *key, int64_t us); /* nothing when 0 */
void partner_write_order(struct jw *w, const Xw__Order *o);         /* nothing when empty */

/* ---- calls.c, webhook.c, answers.c: what partners serve ---- */
MUST enum rc partner_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc partner_write_webhook(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc partner_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);
/* The absolute URI of a call of ours, in the arena; SPAN_NONE at its limit. */
struct span partner_call_uri(const struct adapter_env *env, const struct http_out *out);

#endif
