/*
 * id.h: our 128-bit ids: 48 bits of milliseconds, 12 bits of shard, 68 bits of randomness, so that
 * time order keeps indexes local and the shard travels in the id. One type per kind.
 */
#ifndef XW_ID_H
#define XW_ID_H

#include "buf.h"
#include "rc.h"
#include "when.h"

struct pay_id {
	uint8_t b[16];
};

#define ID_TEXT_LEN 26 /* lower-case Crockford base32: [0-9a-hjkmnp-tv-z] */

/* random: 9 bytes from the kernel, of which 68 bits are used. */
struct pay_id pay_id_make(struct wall now, unsigned shard, const uint8_t random[9]);
bool pay_id_is_none(const struct pay_id *id);
bool pay_id_eq(const struct pay_id *a, const struct pay_id *b);
struct wall pay_id_time(const struct pay_id *id);
void pay_id_write(struct buf *b, const struct pay_id *id);
MUST enum rc pay_id_parse(
	struct span text, struct pay_id *ret); /* exactly 26 characters, any case */

#endif
