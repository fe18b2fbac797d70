/*
 * clearing_names.c: by which ids others know a payment, taken up from the records of its steps
 * behind the payments, so that an auditor who was told one of them finds it at once.
 *
 * The hard thing is to miss none: steps are read in the order of transactions, below the oldest
 * that still runs, and each of them, since an id may stand in one record and not in the next. Must
 * never take up what names a person.
 */
#include "clearing.h"

#include "json.h"
#include "pay.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MOST 2000
#define JSON_BYTES (8u << 20)

struct names {
	struct desk *desk;
	struct buf json;
	struct jw w;
	uint64_t from, until;
	struct pay p;
};

static struct names *names; /* whose rows are read: a desk has no room for it */

static void put_name(struct jw *w, const char *id)
{
	if (*id)
		jw_str(w, NULL, span_str(id));
}

static void put_names(struct jw *w, const struct pay *p)
{
	put_name(w, p->acq.their_id);
	put_name(w, p->acq.their_request);
	put_name(w, p->iss.their_id);
	put_name(w, p->iss.their_request);
	put_name(w, p->undo.their_refund);
	put_name(w, p->order_reference);
	for (int i = 0; i < REFUNDS_OPEN; i++) {
		put_name(w, p->refund[i].request_id);
		put_name(w, p->refund[i].peer_id);
	}
	for (int i = 0; i < CAPTURES_MAX; i++)
		put_name(w, p->capture[i].request_id);
}

static void each_record(struct desk *d, const struct pg_rows *rows, int row)
{
	struct pay_id id = pg_id(rows, row, 0);
	char hex[33];
	struct buf b = buf_init(hex, 32);

	(void)d;
	if (pay_unpack(pg_bytes(rows, row, 1), &names->p) != RC_OK)
		return;
	buf_hex(&b, span_of(id.b, sizeof id.b));
	jw_obj(&names->w, NULL);
	jw_str(&names->w, "payment", buf_span(&b));
	jw_arr(&names->w, "ids");
	put_names(&names->w, &names->p);
	jw_end(&names->w, ']');
	jw_end(&names->w, '}');
}

static void each_range(struct desk *d, const struct pg_rows *rows, int row)
{
	(void)d;
	names->from = (uint64_t)pg_int(rows, row, 0);
	names->until = (uint64_t)pg_int(rows, row, 1);
}

static bool ask_range(struct desk *d)
{
	struct pg_params p = { 0 };

	pg_add_int4(&p, STEPS_MOST);
	pg_add_int8(&p, (int64_t)names->until);
	d->each = each_range;
	return desk_ask(d, PG_STMT_KNOWN_RANGE, &p);
}

/* Where there are no records nothing is put down: our own transactions make no work for us. */
static bool take_up_range(struct desk *d)
{
	struct pg_params p = { 0 }, q = { 0 };

	buf_reset(&names->json);
	names->w = jw_init(&names->json);
	jw_arr(&names->w, NULL);
	pg_add_int8(&p, (int64_t)names->from);
	pg_add_int8(&p, (int64_t)names->until);
	d->each = each_record;
	if (!desk_ask(d, PG_STMT_KNOWN_STEPS, &p))
		return false;
	if (!d->rows)
		return true;
	jw_end(&names->w, ']');
	if (!buf_ok(&names->json)) {
		fputs("switchctl: more ids in one transaction than there is room for\n", stderr);
		return false;
	}
	pg_add_int8(&q, (int64_t)names->until);
	pg_add_bytes(&q, buf_span(&names->json));
	d->each = desk_keep_number;
	return desk_ask(d, PG_STMT_KNOWN_ADD, &q);
}

bool clearing_take_names(struct desk *d)
{
	static struct names n;
	bool good;

	names = &n;
	n.json = buf_init(clearing_room(JSON_BYTES), JSON_BYTES);
	do
		good = ask_range(d) && (n.until == n.from || take_up_range(d));
	while (good && n.until > n.from);
	free(n.json.p);
	return good;
}
