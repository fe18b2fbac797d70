/*
 * day.h: a calendar day as people write it.
 */
#ifndef XW_DAY_H
#define XW_DAY_H

#include "rc.h"
#include "span.h"

/* "2026-01-15", in days since 1970-01-01. RC_BAD; RC_RANGE: no such day, or before 1970. */
MUST enum rc day_parse(struct span text, int64_t *ret);

#endif
