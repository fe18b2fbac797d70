/*
 * xml.h: strict XML over libxml2; xml.c alone includes it. Reads small messages of partners whole,
 * and escapes text for those that we write.
 *
 * Refused: a document type and whatever comes with one (entities of its own, external files),
 * encodings other than those below, bytes outside of theirs, NUL, an element with more than some 60
 * attributes, nesting over 64, and an arena that ran out. Nothing is ever fetched. Values live in
 * the arena; of a message of 2 KB it takes some 10.
 *
 * Encodings: UTF-8; and GBK, GB2312 and GB18030, which some partners declare: of these the bytes
 * are handed on as they are, so a text that is not ASCII is not UTF-8 (span_is_utf8 tells).
 */
#ifndef XW_XML_H
#define XW_XML_H

#include "arena.h"
#include "buf.h"
#include "rc.h"

struct xml; /* an element inside an arena; never freed */

/* The root element. RC_BAD: not XML as above. RC_FULL: the arena is too small. */
MUST enum rc xml_parse(struct arena *a, struct span text, const struct xml **ret);

/* Without its namespace prefix. */
struct span xml_name(const struct xml *e);
/* The i-th element directly below; NULL behind the last. */
const struct xml *xml_at(const struct xml *e, size_t i);
/* Looks up "a/b/c" below an element by names without prefixes; NULL where a part is missing, or is
 * there twice, so that two readers cannot find two different ones. The empty path is the element
 * itself. */
const struct xml *xml_get(const struct xml *from, const char *path);
/* The text of an element, blanks and all: "" where it is empty. False where there is no such
 * element, or where more than text is in it, a comment too: what stands on both sides of it would
 * run together. */
bool xml_text(const struct xml *from, const char *path, struct span *ret);
/* An attribute of the element itself. */
bool xml_attribute(const struct xml *e, const char *name, struct span *ret);

/* Text for an element or a quoted attribute: & < > " as entities; what XML 1.0 has no characters
 * for, and bytes that are no UTF-8, as U+FFFD. */
void xml_escape(struct buf *b, struct span text);
/* Writer: no blanks, in the order written. `tag` is a constant: a name, and where it opens, perhaps
 * attributes behind it (`Order type="REVERSAL"`), which the closing leaves out. */
void xml_open(struct buf *b, const char *tag);
void xml_close(struct buf *b, const char *tag);
void xml_put(struct buf *b, const char *tag, struct span text); /* open, escaped text, close */

#endif
