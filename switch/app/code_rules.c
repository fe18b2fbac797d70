/*
 * code_rules.c: code rules in the page that processes share.
 *
 * The hard thing is a reader in the middle of a writing: there is no lock, since a process that
 * dies with one would stop all others; a number is odd meanwhile, and who saw it change looks
 * again. Must never leave half a set with anybody.
 */
#include "code_rules.h"

void code_rules_write(struct proc_rules *to, const struct pg_rows *rows)
{
	uint32_t number = __atomic_load_n(&to->number, __ATOMIC_RELAXED) |
			  1; /* odd: who died in it */
	uint32_t count = 0;

	__atomic_store_n(&to->number, number, __ATOMIC_SEQ_CST);
	for (int i = 0; i < pg_rows_count(rows) && count < MSG_RULES_MAX; i++) {
		struct rule *r = &to->rule[count];

		memset(r, 0, sizeof *r);
		r->peer = (uint16_t)pg_int(rows, i, 0);
		r->number = (uint16_t)pg_int(rows, i, 1);
		r->refused = pg_int(rows, i, 3) != 0;
		r->page = pg_int(rows, i, 4) != 0;
		count += span_to_cstr(pg_bytes(rows, i, 2), r->pattern, sizeof r->pattern);
	}
	to->count = count;
	__atomic_store_n(&to->number, number + 1, __ATOMIC_SEQ_CST);
}

bool code_rules_read(const struct proc_rules *from, uint32_t *seen, struct rules *ret)
{
	static struct proc_rules copy;
	uint32_t number = __atomic_load_n(&from->number, __ATOMIC_SEQ_CST);

	if (number == *seen || number % 2 != 0)
		return false;
	memcpy(&copy, from, sizeof copy);
	if (__atomic_load_n(&from->number, __ATOMIC_SEQ_CST) != number)
		return false;
	ret->count = 0;
	for (uint32_t i = 0; i < copy.count && i < MSG_RULES_MAX; i++)
		(void)rules_add(ret, &copy.rule[i]);
	*seen = number;
	return true;
}
