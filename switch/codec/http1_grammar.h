/*
 * http1_grammar.h: the characters, targets and authorities of HTTP, for http1.c and http1_out.c
 * only.
 */
#ifndef XW_HTTP1_GRAMMAR_H
#define XW_HTTP1_GRAMMAR_H

#include "span.h"

enum http1_class {
	HTTP1_TOKEN = 1, /* RFC 9110: method and header names */
	HTTP1_VALUE = 2, /* header values: visible ASCII, blank, tab (H-5) */
	HTTP1_URI = 4,   /* target: unreserved, reserved but "#", and "%" (H-4) */
	HTTP1_HOST = 8,  /* a host's name or IPv4 address */
};

extern const uint8_t http1_class_of[256];

static inline bool http1_is(char ch, enum http1_class c)
{
	return http1_class_of[(unsigned char)ch] & c;
}

bool http1_all(struct span s, enum http1_class c);
/* The byte at s.p[*i], percent-decoded, and *i moved to its last character; -1 for a bad triplet
 * and for %00. */
int http1_target_byte(struct span s, size_t *i);
bool http1_path_ok(struct span path);
bool http1_query_ok(struct span query);
bool http1_authority_ok(struct span authority);
/* POST, PUT and PATCH have a body, the others none (H-10). */
bool http1_method_has_body(struct span method);

#endif
