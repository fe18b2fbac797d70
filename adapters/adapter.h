/*
 * adapter.h: a peer's dialect as a pure translator between its bytes and the canonical message.
 *
 * An adapter does no I/O, reads no clock, allocates only from the arena it is given and keeps
 * nothing between calls. All state of a dialogue is in the payment record; all timing is in the
 * core; all sockets are in io. Four functions do the work, two for each direction: read_request and
 * write_reply (with seal_reply) when the peer asks us, write_call and read_answer when we ask the
 * peer.
 *
 * Lenient in, strict out. Readers verify signatures over the raw bytes before they parse.
 * A partner's result code that is not in the adapter's table is OUTCOME_UNKNOWN, never DECLINED.
 */
#ifndef XW_ADAPTER_H
#define XW_ADAPTER_H

#include "arena.h"
#include "canonical.pb-c.h"
#include "caps.h"
#include "http1.h"
#include "json.h"
#include "money.h"
#include "op.h"
#include "when.h"

enum sig_alg {
	SIG_RSA_SHA256,  /* PKCS#1 v1.5, RSA-2048 or more */
	SIG_ED25519,     /* 64 bytes over the text itself */
	SIG_P256_SHA256, /* r and s, 64 bytes (RFC 9421 ecdsa-p256-sha256) */
	SIG_HMAC_SHA256, /* 32 bytes */
	SIG_RSA_SHA512,  /* PKCS#1 v1.5, where the peer's file says so of the key */
};

/* Signing and verifying without seeing a key. The host finds the key by peer, purpose and version.
 */
struct signer {
	void *ctx;
	/* Signs with our current key towards this peer. *ret_alg and *ret_key say which it was. */
	bool (*sign)(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
		struct span *ret_key);
	/* Verifies with the peer's key of that name or version (empty: the newest). False also
	 * where the key is unknown or retired. */
	bool (*verify)(void *ctx, struct span key, struct span data, struct span sig);
	/* HMAC with a named secret of this peer ("webhook"): for MACs that must be recomputed. */
	bool (*mac)(void *ctx, const char *secret, struct span data, uint8_t ret[32]);
	/* A named secret in clear for headers that carry it (client_secret): "" where unset. */
	struct span (*secret)(void *ctx, const char *name);
	/* The name or version of the peer's key that an empty one stands for, as evidence. NULL: it
	 * is not told. */
	struct span (*newest)(void *ctx);
};

/* All that an adapter knows of the world at one call. */
struct adapter_env {
	struct arena *arena;
	struct wall now;
	uint8_t nonce[16];     /* fresh randomness */
	struct span peer;      /* the peer's name in our configuration, "bluecode" */
	struct span token;     /* its access token, where the caps row asks for one */
	struct span origin;    /* our own public origin, "https://switch.example" */
	struct span authority; /* outgoing calls: host[:port] of the peer's base URL */
	struct span
		base_path; /* outgoing calls: path prefix of the peer's base URL, no final "/" */
	const struct signer *signer;
	void *settings_ctx;
	/* A setting of the peer's file by name ("client_id"); SPAN_NONE where absent. */
	struct span (*setting)(void *settings_ctx, const char *name);
};

/* A path that we serve. "{id}" matches one non-empty segment. */
struct route {
	const char *method;
	const char *path;
	enum op op;
	uint8_t kind;     /* the adapter's own distinction between routes of one op */
	uint16_t hold_ms; /* how long the caller may be kept waiting for a final answer */
	/* Header names with "_" that it takes, ended by NULL; NULL: none. Elsewhere they are
	 * refused, since some proxies read them as "-". */
	const char *const *underscored;
};

#define ROUTE_ARGS_MAX 2

struct request {
	const struct route *route;
	const struct http_msg *http;
	struct span arg[ROUTE_ARGS_MAX]; /* the "{id}" segments */
};

struct adapter {
	const char *name;
	const struct caps *caps; /* ends with OP_NONE */
	/* Headers on which a message of this partner's proves to be its own: kept beside the body
	 * as evidence, and never one that holds a secret. Ends with NULL; NULL: there are none. */
	const char *const *proof;
	const struct route *routes; /* ends with method NULL; NULL: it serves nothing, and the next
				       four are NULL as well */
	bool for_payers; /* its routes are on the payers' listener and no other, and env.origin is
			    that of the payers' pages */

	/* Who claims to speak: Client-Id, owner of the keyid, path segment... Not yet proven.
	 * False: the message does not say. The shell finds the peer whose setting `identity` equals
	 * it. */
	bool (*identify)(const struct request *rq, struct span *ret_identity);

	/*
	 * Verifies and reads a request or push. RC_OK: *ret is complete and canonical, authentic
	 * says whether the signature held. Otherwise *ret carries only `problem`, to be given back
	 * by write_reply; RC_AUTH for signatures, RC_BAD or RC_RANGE for contents. RC_FULL: the
	 * arena ran out, *ret is untouched.
	 */
	enum rc (*read_request)(
		const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

	/* Status and body of the answer, without anything that differs between two calls with the
	 * same canonical reply: the bytes are stored and repeated. `reply->problem` makes a
	 * refusal. */
	void (*write_reply)(const struct adapter_env *env, const struct request *rq,
		const Xw__Canonical *reply, struct http_out *out);
	/* Adds the headers of this very answer: time, signature, replay marks. NULL: there are
	 * none.
	 */
	void (*seal_reply)(const struct adapter_env *env, const struct request *rq, bool replayed,
		struct http_out *out);

	/* Writes and signs a call of ours. RC_RANGE: the peer's rules cannot carry this message
	 * (nothing is sent; say why in *ret_why, a constant). RC_FULL: it does not fit. RC_OK
	 * without a method: there is nobody to ask, the payer carries it there; nothing is sent,
	 * and read_answer, which is called at once with an answer of status 0, says how things
	 * stand. */
	enum rc (*write_call)(const struct adapter_env *env, const Xw__Canonical *call,
		struct http_out *out, const char **ret_why);

	/*
	 * Verifies and reads the answer to `out`, the call as it was sent. Always RC_OK with a
	 * message whose outcome is UNKNOWN where the answer cannot be believed or understood;
	 * RC_FULL when the arena ran out (the shell takes it as unknown too). `call` is what
	 * write_call was given.
	 */
	enum rc (*read_answer)(const struct adapter_env *env, const Xw__Canonical *call,
		const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);
};

/* The registry: one line per adapter in registry.c. */
const struct adapter *adapter_by_name(struct span name);
/* Its name and a digest of its sources, for evidence; "" of one that is not registered. */
const char *adapter_version(const struct adapter *a);
const struct caps *adapter_caps(const struct adapter *a, enum op op); /* NULL: not supported */
/* Finds the route. RC_NOENT: none; *ret_methods, empty before, then names the methods of the path
 * ("GET, POST": answer 405) or stays empty (404). */
MUST enum rc adapter_route(const struct adapter *a, const struct http_msg *m, struct request *ret,
	struct buf *ret_methods);
/* False: a header's name has a "_" that the route does not list. */
bool adapter_takes_headers(const struct request *rq);

/* ---- what the partner's words mean ---------------------------------------------------------- */

struct verdict {
	enum outcome outcome;
	enum reason reason;
};
#define VERDICT(o, r) ((struct verdict){ OUTCOME_##o, REASON_##r })

#define OP_BIT(name) (UINT32_C(1) << OP_##name)

/* What a word or number of the partner means in answer to some operations (OP_BITs). */
struct code_rule {
	const char *code;
	uint32_t ops;
	struct verdict verdict;
};
/* The row of a table that ends with code NULL; UNKNOWN for what is not in it for that operation. */
struct verdict code_verdict(const struct code_rule *rules, enum op op, struct span code);

/* ---- what every call needs ------------------------------------------------------------------ */

/* A setting of the peer, a secret of its in clear; SPAN_NONE where absent. */
struct span adapter_setting(const struct adapter_env *env, const char *name);
struct span adapter_secret(const struct adapter_env *env, const char *name);
/* "authorization: Bearer" with the access token of the env; "Basic" with name and password. */
void adapter_put_bearer(const struct adapter_env *env, struct http_out *out);
void adapter_put_basic(const struct adapter_env *env, struct span name, struct span password,
	struct http_out *out);
/* The request shows this name and password, neither of them empty. */
bool adapter_basic_holds(const struct adapter_env *env, const struct http_msg *m, struct span name,
	struct span password);
/* How write_call ends: as its comment says. `why` NULL: there is nothing against it. */
MUST enum rc adapter_written(const struct adapter_env *env, const struct http_out *out,
	const char *why, const char **ret_why);
/* The seconds of Retry-After in ms; 0 where it is absent, a date, or more than max_s. */
int32_t adapter_retry_after_ms(const struct http_msg *answer, int32_t max_s);

/* ---- hints by webhook ----------------------------------------------------------------------- */

/* The address that we gave out names the peer as the first "{...}" of the route; what comes there
 * proves itself. */
bool push_identify(const struct request *rq, struct span *ret_identity);
/* read_request of one that nobody signs: nothing in it is read. It is no more than a reason to ask
 * about the payment that the route's second "{...}" names. */
MUST enum rc push_read_hint(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
/* A status and no body: 401, 400 and 503 to what is to be sent again, 200 to all else; also to what
 * will never be of use, since partners repeat for days, and some hold later events back. */
void push_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);

/* ---- building messages ---------------------------------------------------------------------- */

/*
 * Everything lives in the arena. A full one gives NULL and is sticky: take all parts first, look at
 * arena_ok once, then fill them.
 */
Xw__Canonical *canonical_new(struct arena *a, enum op op, bool answer);
/* An answer to `call`: our id of the payment, and of the refund where the call is about one. */
Xw__Canonical *canonical_answer(struct arena *a, const Xw__Canonical *call);
Xw__Canonical *canonical_problem(
	struct arena *a, enum op op, enum reason reason, const char *detail, const char *pointer);
/* Ends read_request with a problem: *ret and `rc`; or RC_FULL. */
MUST enum rc canonical_refuse(struct arena *a, enum op op, enum rc rc, enum reason reason,
	const char *detail, const char *pointer, Xw__Canonical **ret);
/* The partner's code and words are for people: cut to 64 and 256 bytes where they are longer. */
Xw__Outcome *canonical_outcome(
	struct arena *a, struct verdict v, struct span code, struct span text);
/* "HTTP 503": the code of an answer that holds none. */
struct span canonical_http_code(struct arena *a, int status);
Xw__Order *canonical_order(struct arena *a); /* with merchant */
/* The shop that the money is for, as the payer knows it, for wallets to whom we are the merchant;
 * "" where it has no name. */
struct span canonical_shop(const Xw__Order *o);
/* Text of people for a partner that takes few characters: at most `max` of those whose bytes at the
 * front `letter` counts (0: it is none); what else there is becomes a blank, blanks in a row one.
 */
struct span canonical_plain(
	struct arena *a, struct span text, size_t max, size_t (*letter)(struct span));
Xw__Party *canonical_party(struct arena *a);
Xw__Payment *canonical_payment(struct arena *a);
Xw__Quote *canonical_quote(struct arena *a);
Xw__Refund *canonical_refund(struct arena *a);
Xw__Undo *canonical_undo(struct arena *a);
Xw__Counts *canonical_counts(struct arena *a);
Xw__Code *canonical_code(struct arena *a, struct span text);
/* Protobuf strings are C strings: a copy in the arena; "" for an empty span, and at the limit. */
char *canonical_str(struct arena *a, struct span s);
/* Makes c->event_id of what tells an event from others. */
void canonical_set_event_id(
	struct arena *a, const struct span *parts, size_t count, Xw__Canonical *c);
/* Says in c->dropped what was not carried over, or was assumed; up to eight a message. */
void canonical_drop(struct arena *a, Xw__Canonical *c, const char *what);

/* ---- money in messages ---------------------------------------------------------------------- */

Xw__Money *canonical_money(struct arena *a, int64_t minor, struct span currency);
Xw__Money *canonical_money_of(struct arena *a, struct money m);
/* MONEY_NONE where there is none, or none that can be. */
struct money canonical_money_in(const Xw__Money *m);
bool canonical_money_same(const Xw__Money *a, const Xw__Money *b); /* false where one is absent */
/* {"currency":"EUR","value":"1000"}, value in minor units; nothing when NULL. */
void canonical_money_write(struct jw *w, const char *key, const Xw__Money *m);

/*
 * A partner that knows one currency moves that of two sums which is in it: the order's, or what is
 * settled; the order's where `currency` is empty. NULL: neither is.
 */
const Xw__Money *canonical_charge(const Xw__Payment *p, struct span currency);
const Xw__Money *canonical_refund_charge(const Xw__Refund *r, struct span currency);
/* Makes c->payment and states in it the sum that the partner says it moved, where the call has the
 * one that we asked for. */
void canonical_set_charge(struct arena *a, const Xw__Canonical *call, struct span currency,
	Xw__Money *sum, Xw__Canonical *c);

/* ---- messages as text ----------------------------------------------------------------------- */

/*
 * A message as text for people and golden files: "path: value" lines in order of path, only what is
 * set; operations, outcomes and reasons by name, times in RFC 3339, repeated members as "codes[0]".
 */
void canonical_text_write(struct buf *b, const Xw__Canonical *m);
/* The way back. RC_BAD: *ret_line is the first line (from 1) that is not as above; RC_FULL. */
MUST enum rc canonical_text_read(
	struct arena *a, struct span text, Xw__Canonical **ret, size_t *ret_line);

/* `proof` of who signs by RFC 9421: the headers that a signature lies in or covers. */
extern const char *const adapter_msgsig_proof[];

#endif
