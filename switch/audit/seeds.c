/*
 * seeds.c: whether the key of each payment is still the one under which its messages were sealed.
 *
 * The bytes from which it is derived stand in a working table, which must be able to forget and so
 * is no part of the log: who rewrites them has destroyed evidence without a word. Only who holds
 * the vault's keys can tell, by opening the payment's first message. The hard thing is what was
 * destroyed by right: a payment that got messages afterwards has another key. Must never show what
 * it opens.
 */
#include "verdict.h"

#define BODY_BYTES (1 << 18)

/* Payments nobody is on record for having erased. */
#define SEEDS                                                                                      \
	"copy (select k.payment, k.version, k.seed, r.body from ledger.payment_key k"              \
	" join ledger.raw r on r.payment = k.payment and r.version = 1 and r.body is not null"     \
	" where not exists (select from ledger.operator_action a"                                  \
	" where a.action = 'evidence erase' and a.object = k.payment::text)"                       \
	" and k.payment >= coalesce((select max(object collate \"C\") from ledger.operator_action" \
	" where action = 'evidence erase before'),"                                                \
	" '00000000-0000-0000-0000-000000000000')::uuid) to stdout (format binary)"

void seeds_check(struct verdict *v, const struct vault *vault)
{
	static char room[BODY_BYTES];
	struct copy k;

	for (copy_begin(&k, v->c, SEEDS); copy_next(&k);) {
		struct span id = SPAN_NONE, seed = SPAN_NONE, body = SPAN_NONE;
		struct buf b = buf_init(room, sizeof room);
		struct pay_id payment = { 0 };
		struct opener o;

		(void)copy_column(&k, 0, &id);
		(void)copy_column(&k, 2, &seed);
		(void)copy_column(&k, 3, &body);
		if (id.n == sizeof payment.b)
			memcpy(payment.b, id.p, id.n);
		opener_from(vault, copy_int(&k, 1), id, seed, &o);
		if (!o.opens)
			verdict_fault(v, "payment %s: its key is of none of the vault's",
				verdict_id(&payment));
		else if (opener_read(&o, body, &b))
			verdict_fault(v, "payment %s: its key is not what sealed its messages",
				verdict_id(&payment));
	}
}
