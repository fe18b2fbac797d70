/*
 * apsrules.h: the field tables of APS (section 4 of the partner's text) as data, for strict fakes:
 * which members a message must have, of what form and length; also what a receiver only may refuse,
 * scalars that are not strings, and empty strings.
 */
#ifndef XW_APSRULES_H
#define XW_APSRULES_H

#include "fake.h"

enum form { TEXT, DIGITS, COUNTRY, MONEY, TIME, WORD, OBJECT, NOTHING };

struct rule {
	const char *path;
	enum form form;
	uint16_t max; /* characters */
	bool mandatory;
	const char *words; /* WORD: " A B " */
};

#define MUST_HAVE true
#define MAY_HAVE  false

extern const struct rule apsrules_order[]; /* the member `order` of a payment in a shop */

/* NULL, or the path of the first member that breaks its rule; `rules` ends with path NULL, and may
 * be NULL. */
const char *apsrules_check(const struct rule *rules, const struct json *body);

#endif
