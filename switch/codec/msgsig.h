/*
 * msgsig.h: signed HTTP messages: RFC 9421 signatures over RFC 9530 digests, in the two profiles of
 * the partner API, xw-request-v1 and xw-response-v1.
 *
 * Pure text: keys stay with the host, behind struct msgsig_keys. Spans in a struct msgsig live as
 * long as the arena. Everything that a profile does not name is refused.
 */
#ifndef XW_MSGSIG_H
#define XW_MSGSIG_H

#include "arena.h"
#include "http1.h"
#include "when.h"

#define MSGSIG_TAG_REQUEST    SPAN("xw-request-v1")
#define MSGSIG_TAG_ANSWER     SPAN("xw-response-v1")
#define MSGSIG_COMPONENTS_MAX 16

/* A covered component: "@method", "content-digest", "signature";req;key="sig1". */
struct msgsig_component {
	struct span id;   /* as in the signature base, quotes and parameters included */
	struct span name; /* lower case, without quotes */
	struct span key;  /* ;key="...": one member of a dictionary; empty: the whole field */
	bool req;         /* ;req: taken from the request that this message answers */
};

/* One signature, read. Texts are as between their quotes, escapes kept. */
struct msgsig {
	struct span label;
	struct span params; /* the value of @signature-params */
	size_t count;
	struct msgsig_component covered[MSGSIG_COMPONENTS_MAX];
	int64_t created, expires; /* seconds since 1970; -1: absent */
	struct span nonce, keyid, alg, tag;
	struct span signature; /* decoded */
};

/* The message that is signed: one that came in, or one about to leave. */
struct msgsig_msg {
	struct span target_uri;    /* requests: absolute, from configuration, never from Host */
	const struct http_msg *in; /* one of the two */
	const struct http_out *out;
	const struct msgsig_msg *req; /* answers: the request */
};

/* The one line of a field that must not repeat (RULE H-7); false where there is none, or several.
 */
bool msgsig_field(const struct msgsig_msg *m, const char *name, struct span *ret);

/* Keys without seeing them. `alg` and purpose are the host's affair: the key's record decides. */
struct msgsig_keys {
	void *ctx;
	/* Signs with the newest key, which *ret_key names. */
	bool (*sign)(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key);
	/* False also where the key is unknown, retired, or not that partner's. */
	bool (*verify)(void *ctx, struct span keyid, struct span data, struct span sig);
};

/* "sha-256=:...:" over the content. */
void msgsig_digest_write(struct buf *b, struct span content);
/* True when a sha-256 or sha-512 is there and all that are there equal ours. */
bool msgsig_digest_holds(struct span field, struct span content);

/* Finds and reads the one signature with this tag. RC_BAD, RC_RANGE (size), RC_FULL, RC_NOENT. */
MUST enum rc msgsig_read(struct arena *a, struct span signature_input, struct span signature,
	struct span tag, struct msgsig *ret);
/* Reads an inner list with parameters alone; neither label nor signature are set. RC_BAD, RC_FULL.
 */
MUST enum rc msgsig_params_read(struct span params, struct msgsig *ret);
/* The signature base. RC_BAD: a component cannot be resolved; RC_FULL. */
MUST enum rc msgsig_base(struct buf *b, const struct msgsig *s, const struct msgsig_msg *m);

/*
 * Signs a call of ours, or an answer to m->req, in `out`: adds content-digest (where there is a
 * body), signature-input and signature. `keyid` is our guess at the key's name; where the host
 * signs with another one, the work is done a second time. RC_AUTH: no key; RC_FULL.
 */
MUST enum rc msgsig_sign_request(const struct msgsig_keys *k, struct arena *a, struct span keyid,
	struct wall now, const uint8_t nonce[16], struct span target_uri, struct http_out *out);
MUST enum rc msgsig_sign_answer(const struct msgsig_keys *k, struct arena *a, struct span keyid,
	struct wall now, const struct msgsig_msg *req, struct http_out *out);

/* NULL: the signature holds, *ret says whose and which; else the cause, a constant for logs.
 * Whether the nonce is new is for the caller to find out, and only after this. */
const char *msgsig_verify_request(const struct msgsig_keys *k, struct arena *a, struct wall now,
	const struct msgsig_msg *m, struct msgsig *ret);
const char *msgsig_verify_answer(const struct msgsig_keys *k, struct arena *a, struct wall now,
	const struct msgsig_msg *m, struct msgsig *ret);
/* Who claims to have signed a request: the keyid, not yet proven, inside m's own bytes. */
bool msgsig_claimed_keyid(const struct http_msg *m, struct span *ret);

#endif
