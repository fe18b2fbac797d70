/*
 * form.h: application/x-www-form-urlencoded, as browsers post it and as it stands in queries.
 */
#ifndef XW_FORM_H
#define XW_FORM_H

#include "buf.h"
#include "rc.h"

/* The value of the only field of that name. RC_NOENT: there is none; RC_BAD: there are several, or
 * it is malformed; RC_FULL: it does not fit (the buffer is then as it was). */
MUST enum rc form_get(struct span form, const char *name, struct buf *ret);
/* The names of all fields are in the list, which ends with NULL. */
bool form_only(struct span form, const char *const *known);
/* Adds a field, and "&" where it is not the first. */
void form_put(struct buf *b, const char *name, struct span value);

#endif
