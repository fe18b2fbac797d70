/*
 * rules.c: which rule of a participant's fits a scanned text. The hard thing is order: rules
 * overlap, and the first one decides, whatever it says. Must never take a rule that cannot be read
 * for one that does not fit: whoever fills the set has read it before.
 */
#include "rules.h"

bool rules_add(struct rules *ret, const struct rule *r)
{
	if (ret->count == MSG_RULES_MAX ||
		pattern_read(span_str(r->pattern), &ret->pattern[ret->count]))
		return false;
	ret->rule[ret->count++] = *r;
	return true;
}

const struct rule *rules_find(const struct rules *r, uint16_t peer, struct span text)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->rule[i].peer == peer && pattern_matches(&r->pattern[i], text))
			return &r->rule[i];
	return NULL;
}
