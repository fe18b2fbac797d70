/*
 * text.h: base64, base64url, hex, percent coding; strict readers and lenient ones apart.
 */
#ifndef XW_TEXT_H
#define XW_TEXT_H

#include "buf.h"
#include "rc.h"

void text_b64(struct buf *b, struct span bytes);          /* standard alphabet, padded */
void text_b64url(struct buf *b, struct span bytes);       /* URL alphabet, unpadded */
MUST enum rc text_unb64(struct buf *b, struct span text); /* strict: standard, padded, canonical */
/* Either alphabet, padding optional. */
MUST enum rc text_unb64_lenient(struct buf *b, struct span text);
int text_hex_digit(char ch); /* 0 to 15, or -1 */
MUST enum rc text_unhex(struct buf *b, struct span text);
/* Percent-encodes all but unreserved characters (RFC 3986). */
void text_percent(struct buf *b, struct span s);
/* Decodes %XX only; "+" stays "+". RC_BAD on a malformed triplet. */
MUST enum rc text_unpercent(struct buf *b, struct span s);
/* application/x-www-form-urlencoded: blanks are "+". */
void text_form(struct buf *b, struct span s);
MUST enum rc text_unform(struct buf *b, struct span s);

#endif
