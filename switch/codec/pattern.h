/*
 * pattern.h: regular expressions that come from outside: a small language, matched in linear time.
 *
 * Known are literal characters, ".", classes ("[0-9A-F]", "[^/]", "\d", "\w"), groups and
 * alternatives, "?", "*", "+", "{n}", "{n,}" and "{n,m}", "^" and "$", and "(?i)" in front of all.
 * Bytes are matched, not characters. What is not anchored may stand anywhere in the text.
 */
#ifndef XW_PATTERN_H
#define XW_PATTERN_H

#include "buf.h"

#define PATTERN_TEXT    200 /* bytes, at most */
#define PATTERN_NODES   512
#define PATTERN_CLASSES 12

struct pattern_node {
	uint8_t kind, arg;
	uint16_t next, other;
};

/* No pointers: may be copied. */
struct pattern {
	uint16_t count;
	uint8_t classes;
	bool fold;
	struct pattern_node node[PATTERN_NODES];
	uint32_t class[PATTERN_CLASSES][8];
};

/* NULL: *ret is the pattern; else why it is none, a constant for people. */
const char *pattern_read(struct span text, struct pattern *ret);
bool pattern_matches(const struct pattern *p, struct span text);
/* Writes a text so that it stands for itself in a pattern. */
void pattern_quote(struct buf *b, struct span text);

#endif
