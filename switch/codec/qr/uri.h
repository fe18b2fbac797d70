/*
 * uri.h: inside xw_qr: the parts of a scanned URL. A scanned URL is data; nothing here opens one.
 */
#ifndef XW_QR_URI_H
#define XW_QR_URI_H

#include "scan.h"

struct uri {
	struct span scheme; /* without "://" */
	struct span host;   /* lower case */
	struct span path, query;
	bool has_userinfo, has_port, has_query, has_fragment;
};

/* scheme://authority[path][?query][#fragment]. False: no such form, or a host that is no name. */
bool uri_split(struct scan *s, struct span text, struct uri *ret);

struct uri_rules {
	struct span prefix;        /* put in front of each name to make the field's key */
	enum qr_finding malformed; /* for a broken percent triplet */
	bool same_twice;           /* a name may come again with the same value */
};

/* Puts the query's parameters into fields, percent-decoded ("+" stays). Fails with E_DUP, E_UTF8,
 * E_CTRL, or the rules' own. Names that begin with "_" would read as derived and are left out. */
bool uri_put_params(struct scan *s, struct span query, const struct uri_rules *rules);

void aplus_read(struct scan *s, struct span text, const struct uri *u);
#define APLUS_PATH SPAN("/MPM/3/")

#endif
