/*
 * webhook.h: Standard Webhooks 1.0.0: what is signed and how its header is written, for both ends.
 * Keys stay with the host.
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

#endif
