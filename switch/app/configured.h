/*
 * configured.h: what a switch was told, as the log remembers it: its files and keys by their
 * digests.
 */
#ifndef XW_CONFIGURED_H
#define XW_CONFIGURED_H

#include "conf.h"

#define CONFIGURED_BYTES (1u << 20) /* enough for each participant's every key */

/*
 * Appends a JSON array of pairs, what and how it is: each file of the configuration as it was read,
 * each key and certificate that it names, and the version that events say. Public things are their
 * SHA-256, as sha256sum says it; secrets HMAC-SHA-256 under a key of the switch's secret, so that
 * who reads the log can try none; nothing, where that is no secret. Reads key files: to be called
 * before confinement.
 */
void configured_put(const struct conf *c, struct buf *b);

#endif
