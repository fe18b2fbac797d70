/*
 * utf8.h: inside xw_qr: characters. All of it wants valid UTF-8 (span_is_utf8) but utf8_is_ascii.
 */
#ifndef XW_QR_UTF8_H
#define XW_QR_UTF8_H

#include "span.h"

/* What a length counts. Only CHARS is right; the others are met. */
enum utf8_unit { UTF8_CHARS, UTF8_BYTES, UTF8_UTF16 };

/* Takes the first character off; PRE: there is one. */
uint32_t utf8_take(struct span *rest);
/* Bytes of the first `count` units; false when the text is shorter or a character would be cut. */
bool utf8_prefix(struct span s, size_t count, enum utf8_unit unit, size_t *ret_bytes);
bool utf8_is_ascii(struct span s);
bool utf8_has_astral(struct span s); /* a character above U+FFFF */
/* A control character: C0, DEL or C1; CR and LF too unless `lines`. */
bool utf8_has_control(struct span s, bool lines);
/* Writes one character up to U+FFFF, 1 to 3 bytes. Returns how many. */
size_t utf8_put(char *dst, uint32_t ch);

#endif
