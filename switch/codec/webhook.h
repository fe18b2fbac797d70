/*
 * webhook.h: Standard Webhooks 1.0.0: what is signed and how its header is written, for both ends;
 * and what Vipps MobilePay signs instead. Keys stay with the host.
 */
#ifndef XW_WEBHOOK_H
#define XW_WEBHOOK_H

#include "buf.h"
#include "rc.h"

#define WEBHOOK_TOLERANCE_S 300

/* What is signed: "<id>.<seconds>.<body>". RC_BAD: an id with a dot; RC_FULL. */
MUST enum rc webhook_content(struct buf *b, struct span id, int64_t seconds, struct span body);
/* Adds one signature, "v1,<base64>", behind a blank where there is one already (rotation).
 * `version` is "v1" (HMAC-SHA256) or "v1a" (Ed25519). */
void webhook_signature(struct buf *b, const char *version, struct span sig);
/* The next signature of a header; false at the end. Unreadable ones are passed over. */
bool webhook_next(struct span *rest, struct span *ret_version, struct buf *ret_sig);

/* Vipps MobilePay's: an HMAC-SHA256, keyed with the text of a secret, over what the request's own
 * headers say; `hash` is the base64 of the body's SHA-256. */
#define WEBHOOK_VIPPS_SCHEME                                                                       \
	"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
void webhook_vipps_text(struct buf *b, struct span method, struct span target, struct span date,
	struct span host, struct span hash);

#endif
