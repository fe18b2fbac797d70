/*
 * signed.h: fakes that speak our partner API: what the switch signed (RFC 9421), and answers signed
 * over it.
 */
#ifndef XW_SIGNED_H
#define XW_SIGNED_H

#include "fake.h"
#include "msgsig.h"

#define FAKE_NONCES 4096

struct fake_nonces {
	uint64_t seen[FAKE_NONCES]; /* of signatures, by hash */
};

struct msgsig_keys fake_keys(const struct sandbox_host *h);
/* One text behind the other, in the arena. */
struct span fake_join(const struct sandbox_host *h, struct span a, struct span b);
/* Whether the switch signed this request, for the first time. *ret is what an answer is signed
 * over, a refusal too. */
bool fake_signed(const struct sandbox_host *h, const struct http_msg *m, struct fake_nonces *nonces,
	struct msgsig_msg *ret);
/* Adds the content type and, unless the order says otherwise, the signature; `to` NULL: not. */
void fake_sign(const struct sandbox_host *h, const struct msgsig_msg *to, enum mischief how,
	struct http_out *out);
/* A problem document of the partner API; `pointer` may be NULL. */
struct http_out *fake_problem(
	const struct sandbox_host *h, int status, const char *slug, const char *pointer);

#endif
