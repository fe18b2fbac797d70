/*
 * jws.h: detached JSON Web Signatures (RFC 7515, appendix F) as partners send them in a header of
 * an HTTP message: "head..signature", over the head and the body, both in base64url. Framing only:
 * keys are the caller's, and what the members of the head mean too.
 */
#ifndef XW_JWS_H
#define XW_JWS_H

#include "arena.h"
#include "json.h"
#include "msgsig.h"

#define JWS_CLAIMS_MAX 8
#define JWS_ES256_LEN  64 /* r and s */

struct jws {
	struct span head;          /* as it came: a part of what is signed */
	const struct json *header; /* what it says */
	struct span alg, kid, typ; /* typ: "" where it has none */
	struct span signature;     /* decoded */
};

/* A member of the head that the reader must understand. */
struct jws_claim {
	const char *name;
	struct span value;
};

/*
 * Takes a detached signature apart. RC_BAD: not of that form; a head that is no object with alg and
 * kid; one whose "crit" is not a list of members that are there and in `known` (ends with NULL).
 * RC_FULL. Whether it holds is for the caller to find out, who alone knows the key of that name:
 * what a head says of where keys are to be had (jku, x5u, jwk, x5c) is never looked at.
 */
MUST enum rc jws_read(struct arena *a, struct span text, const char *const *known, struct jws *ret);
/* What is signed. */
void jws_text(struct buf *b, struct span head, struct span body);
/* r and s, 32 bytes each, of an ECDSA signature in DER over P-256. RC_BAD: it is none. */
MUST enum rc jws_ecdsa_undo_der(struct span der, struct buf *ret);
/*
 * A signature with ES256 by the newest key: members typ, kid and alg, the claims, and crit naming
 * them. `kid` is our guess at the key's name; where the host signs with another one, the work is
 * done a second time. RC_AUTH: there is no such key; RC_FULL.
 */
MUST enum rc jws_sign_es256(const struct msgsig_keys *k, struct arena *a, struct span typ,
	struct span kid, const struct jws_claim *claims, size_t count, struct span body,
	struct buf *ret);

#endif
