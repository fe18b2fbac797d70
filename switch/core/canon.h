/*
 * canon.h: canonical protobuf <-> struct msg, the one place that checks every bound of what an
 * adapter or the network produced (rule N-1).
 */
#ifndef XW_CANON_H
#define XW_CANON_H

#include "arena.h"
#include "canonical.pb-c.h"
#include "msg.h"

#define CANON_BYTES_MAX 65536

/* RC_RANGE: a string too long, a number or enum out of range; RC_BAD: text that is not UTF-8, an
 * unknown currency, an amount without one. *ret_where names the field, a constant. */
MUST enum rc canon_read(const Xw__Canonical *from, struct msg *ret, const char **ret_where);
/* Everything in the arena; RC_FULL when it runs out. */
MUST enum rc canon_write(const struct msg *from, struct arena *a, Xw__Canonical **ret);

/* Bytes at rest. The nesting and the size are checked before protobuf-c sees them. */
MUST enum rc canon_pack(const Xw__Canonical *from, struct buf *ret);
MUST enum rc canon_unpack(struct span bytes, struct arena *a, Xw__Canonical **ret);

#endif
