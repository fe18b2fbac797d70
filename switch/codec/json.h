/*
 * json.h: strict JSON over jansson; json.c alone includes it.
 *
 * Refused: duplicate keys, trailing bytes, invalid UTF-8, NUL in strings, a root that is neither
 * object nor array, nesting over 16 and objects of more than 256 members (both counted before
 * parsing), and an arena that ran out (whatever jansson reported). Values live in the arena. Reals
 * parse, but json_text and json_int refuse them, so none can become money (rule N-2).
 */
#ifndef XW_JSON_H
#define XW_JSON_H

#include "arena.h"
#include "buf.h"
#include "rc.h"

struct json; /* a value inside an arena; never freed */

/* RC_BAD: not JSON as above. RC_FULL: the arena is too small. */
MUST enum rc json_parse(struct arena *a, struct span text, const struct json **ret);
/* The same, but a number with a fraction ("amount": 100.00) is the string of what was written, so
 * that money which a partner sends so can be read exactly, by money_parse_major. */
MUST enum rc json_parse_decimals(struct arena *a, struct span text, const struct json **ret);

/* The object that the text is. NULL: it is none, or the arena ran out (look at arena_ok). */
const struct json *json_parse_object(struct arena *a, struct span text);

/* Looks up "a.b.c" from an object; NULL where any part is missing, null, or not an object. The
 * empty path is the value itself, here and in every function that takes one: an element of an array
 * is read by json_str(json_at(v, i), "", &s). */
const struct json *json_get(const struct json *from, const char *path);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_string(const struct json *v);
bool json_is_int(const struct json *v);
bool json_is_bool(const struct json *v);
size_t json_count(const struct json *array); /* 0 where it is none */
/* NULL behind the end, and where the element is null. */
const struct json *json_at(const struct json *array, size_t i);

/* A string as it is; false where absent or of another type. */
bool json_str(const struct json *from, const char *path, struct span *ret);
/* A string, or a native integer or bool as text (partners mix both): never a real. The arena holds
 * the text of natives. */
bool json_text(struct arena *a, const struct json *from, const char *path, struct span *ret);
bool json_int(const struct json *from, const char *path, int64_t *ret);
/* true/false, or the strings "true"/"false". */
bool json_bool(const struct json *from, const char *path, bool *ret);
/* The first member of an object that is not in the NULL-terminated list; NULL if all are known. */
const char *json_unknown(const struct json *object, const char *const *known);
/* The i-th member of an object whose names are not known beforehand, in the order of the text: its
 * name, NULL behind the last one. *ret_value is NULL for null. */
const char *json_member(const struct json *object, size_t i, const struct json **ret_value);

/* Writer: members in the order written, no blanks, bounded, deterministic. Invalid UTF-8 in a
 * string becomes U+FFFD. A comma is put where one is needed. key NULL: array element or root. */
struct jw {
	struct buf *b;
	bool comma;
};

static inline struct jw jw_init(struct buf *b)
{
	return (struct jw){ b, false };
}

void jw_obj(struct jw *w, const char *key);
void jw_arr(struct jw *w, const char *key);
void jw_end(struct jw *w, char bracket); /* '}' or ']' */
void jw_str(struct jw *w, const char *key, struct span value);
void jw_opt(struct jw *w, const char *key, struct span value); /* left out when empty */
void jw_int(struct jw *w, const char *key, int64_t value);
void jw_bool(struct jw *w, const char *key, bool value);
void jw_raw(struct jw *w, const char *key, struct span json);

#endif
