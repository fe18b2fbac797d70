/*
 * rc.h: the errors of the machine room. Outcomes of a payment are not errors: see outcome.h.
 *
 * Every function that can fail returns an enum rc and leaves its ret_ arguments untouched unless it
 * returns RC_OK. Bugs are not errors either: they fail a CHECK.
 */
#ifndef XW_RC_H
#define XW_RC_H

enum rc {
	RC_OK,
	RC_MORE,   /* not enough bytes yet; not a failure */
	RC_BAD,    /* the input breaks its grammar */
	RC_RANGE,  /* well formed, but outside what we accept */
	RC_FULL,   /* a bound of ours was reached */
	RC_NOENT,  /* there is no such thing */
	RC_EXISTS, /* it is there already */
	RC_AUTH,   /* signature, key or identity does not hold */
	RC_TIME,   /* a deadline passed */
	RC_IO,     /* the other side or the system failed; what it did is unknown */
};

/* A constant text for logs, never NULL. */
const char *rc_str(enum rc rc);

#define MUST __attribute__((warn_unused_result))

#endif
