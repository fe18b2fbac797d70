/*
 * cavage.h: signed HTTP messages before RFC 9421: draft-cavage-http-signatures-10, as some partners
 * still sign. Framing only: what is signed, and the header that says so; keys are the caller's.
 *
 *   Authorization: Signature keyId="k", algorithm="rsa-sha256",
 *       headers="(request-target) host date digest", signature="base64"
 */
#ifndef XW_CAVAGE_H
#define XW_CAVAGE_H

#include "http1.h"

struct cavage {
	struct span key_id, algorithm;
	struct span headers;   /* names in the order of signing; "date" where the header has none */
	struct span signature; /* base64 */
};

/* RC_BAD: not of that form, a parameter twice, keyId or signature missing. */
MUST enum rc cavage_parse(struct span header, struct cavage *ret);
/* The text that was signed: the named headers of a received request, each as "name: value", joined
 * by LF. RC_NOENT: one of them is not there, or more than once; RC_FULL. */
MUST enum rc cavage_text(struct span headers, const struct http_msg *m, struct buf *ret);
/* The same of a request that is about to be sent; `host` as the Host header will say it. */
MUST enum rc cavage_text_out(
	struct span headers, const struct http_out *out, struct span host, struct buf *ret);
/* Is this name among those? */
bool cavage_covers(struct span headers, const char *name);
/* "SHA-256=" and the base64 of the body's digest; also of an empty body. */
void cavage_digest(struct buf *b, struct span body);
/* The value of the header. */
void cavage_write(struct buf *b, const struct cavage *c);

#endif
