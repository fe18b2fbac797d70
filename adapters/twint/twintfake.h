/*
 * twintfake.h: what the files of the TWINT fake share: envelopes, read strictly and written.
 */
#ifndef XW_TWINTFAKE_H
#define XW_TWINTFAKE_H

#include "purse.h"
#include "xml.h"

struct twint_request {
	const char *operation;     /* "StartOrder" */
	const struct xml *element; /* StartOrderRequestElement */
};

/* The operation that a request names, by its SOAPAction alone; NULL: none that is played. */
const char *twint_operation_of(const struct http_msg *m);
/* An envelope as the schema has it: our header, one element of that operation. */
bool twint_read_envelope(
	const struct sandbox_host *h, const struct http_msg *m, struct twint_request *ret);

/* A child that an element must or may have, in the order of its schema. */
struct twint_child {
	const char *name;
	bool optional;
};

/* False: others are there, in another order, or one is missing. ret[i] NULL where it is absent. */
bool twint_children(
	const struct xml *e, const struct twint_child *spec, size_t n, const struct xml **ret);
/* The text of an element as xs:token has it, of at most `max` characters; false: not so. */
bool twint_token(const struct xml *e, size_t max, struct span *ret);
bool twint_is_uuid(struct span s);

/* What is answered: the start of an envelope with that element open, and its end. */
struct http_out *twint_begin(const struct sandbox_host *h, const char *operation);
void twint_end(struct http_out *out, const char *operation);
/* SPEC twint 7.4-faults [C:TW-SDK]: HTTP 500, one element in the detail. */
struct http_out *twint_fault(const struct sandbox_host *h, const char *name, const char *code);

#endif
