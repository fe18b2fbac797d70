/*
 * evidence.c: `switchctl evidence`: destroys the keys of payments, so that nobody reads any more
 * what their messages say of people; of one payment, or, for a timer to call every day, of all that
 * are over and began longer ago than evidence is kept.
 *
 * The hard thing is that it cannot be taken back: each has a name and a reason. Must never touch
 * what is under way; the ledger refuses that too.
 */
#include "desk.h"

#include "id.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE  10000
#define DAY_MS   (24 * 3600 * 1000LL)
#define DAYS_MAX 36500

static enum ctl_exit answer(const struct desk_options *o, bool good, int64_t n)
{
	if (!good)
		return CTL_FAILED;
	printf(o->json ? "{\"erased\":%lld}\n" : "%lld payments erased\n", (long long)n);
	return CTL_GOOD;
}

static enum ctl_exit erase(struct desk *d, const struct pay_id *id)
{
	const struct desk_options *o = d->options;
	struct pg_params p = { 0 };
	bool good;

	pg_add_id(&p, id);
	pg_add_bytes(&p, span_str(o->by));
	pg_add_bytes(&p, span_str(o->reason));
	d->each = desk_keep_number;
	good = desk_ask(d, PG_STMT_EVIDENCE_ERASE, &p);
	return good && !d->number ? (void)answer(o, true, 0),
	       CTL_FAULTS         : answer(o, good, d->number);
}

static enum ctl_exit expire(struct desk *d, int64_t days)
{
	const struct desk_options *o = d->options;
	struct wall before = wall_plus_ms(loop_now(d->loop).wall, -days * DAY_MS);
	int64_t all = 0;
	bool good;

	do {
		struct pg_params p = { 0 };
		pg_add_time(&p, before);
		pg_add_int4(&p, AT_ONCE);
		pg_add_bytes(&p, span_str(o->by));
		pg_add_bytes(&p, span_str(o->reason));
		d->each = desk_keep_number;
		d->number = 0;
		good = desk_ask(d, PG_STMT_EVIDENCE_EXPIRE, &p);
		all += good ? d->number : 0;
	} while (good && d->number == AT_ONCE);
	return answer(o, good, all);
}

enum ctl_exit ctl_evidence(int argc, char **argv)
{
	const char *text = NULL;
	const struct desk_option more[] = { { "--days", &text, NULL }, { NULL, NULL, NULL } };
	struct desk_options o;
	enum ctl_exit status;
	struct pay_id id;
	int64_t days = 0;
	bool by_age;
	struct desk d;

	if (!desk_read(argc, argv, 2, more, &o) || o.words < 1)
		return CTL_USAGE;
	by_age = strcmp(o.word[0], "expire") == 0;
	if (by_age ? o.words != 1 || !text || span_to_i64(span_str(text), &days) != RC_OK ||
				days < 1 || days > DAYS_MAX
		   : strcmp(o.word[0], "erase") != 0 || o.words != 2 || text ||
				pay_id_parse(span_str(o.word[1]), &id) != RC_OK)
		return CTL_USAGE;
	if (!desk_signed(&o))
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	status = by_age ? expire(&d, days) : erase(&d, &id);
	desk_close(&d);
	return status;
}
