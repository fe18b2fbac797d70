/*
 * visitor.h: who asks on the operators' listener: a program of theirs, or a page in an operator's
 * browser that somebody else wrote.
 */
#ifndef XW_VISITOR_H
#define XW_VISITOR_H

#include "http1.h"

/* NULL: a program, which called us by an address, as localhost, or by one of the names (any case,
 * without a port). Otherwise why it is not served, a constant. */
const char *visitor_refused(const struct http_msg *m, const char *const *names, size_t name_count);

#endif
