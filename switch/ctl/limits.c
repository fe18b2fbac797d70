/*
 * limits.c: `switchctl limits`: every limit that the ledger counts, what is used of it, and what is
 * left.
 *
 * The hard thing is that a position has two of them, one each way, and what is booked on it counts
 * in both: against the one and in favour of the other. So what is used may be below nothing. Must
 * never show a sum without its currency.
 */
#include "desk.h"

#include "json.h"
#include "money.h"

#include <stdio.h>

enum { NAME, WAY, PARTICIPANT, CURRENCY, MOST, USED, STOPPED, DAY };

static struct money sum_in(const struct pg_rows *rows, int row, int column)
{
	struct money m;

	return money_from_minor(pg_int(rows, row, column), pg_bytes(rows, row, CURRENCY), &m) ==
			       RC_OK
		       ? m
		       : MONEY_NONE;
}

static void each_json(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[1024];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	jw_obj(&j, NULL);
	jw_str(&j, "limit", pg_bytes(rows, row, NAME));
	jw_str(&j, "way", pg_bytes(rows, row, WAY));
	jw_opt(&j, "participant", pg_bytes(rows, row, PARTICIPANT));
	jw_opt(&j, "day", pg_bytes(rows, row, DAY));
	jw_str(&j, "currency", pg_bytes(rows, row, CURRENCY));
	if (!pg_is_null(rows, row, MOST)) {
		jw_int(&j, "most", pg_int(rows, row, MOST));
		jw_int(&j, "left", pg_int(rows, row, MOST) - pg_int(rows, row, USED));
	}
	jw_int(&j, "used", pg_int(rows, row, USED));
	jw_bool(&j, "stopped", pg_int(rows, row, STOPPED) != 0);
	jw_end(&j, '}');
	desk_put_member(d, buf_span(&b));
}

static void each_line(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[256];
	struct buf b = buf_init(line, sizeof line);

	(void)d;
	money_write_major(&b, sum_in(rows, row, USED));
	if (!pg_is_null(rows, row, MOST)) {
		buf_str(&b, " of ");
		money_write_major(&b, sum_in(rows, row, MOST));
	}
	buf_ch(&b, ' ');
	buf_add(&b, pg_bytes(rows, row, CURRENCY));
	printf("%-16.*s %-14.*s %-14.*s %-40.*s%.*s%s\n", SPAN_FMT(pg_bytes(rows, row, NAME)),
		SPAN_FMT(pg_bytes(rows, row, WAY)), SPAN_FMT(pg_bytes(rows, row, PARTICIPANT)),
		SPAN_FMT(buf_span(&b)), SPAN_FMT(pg_bytes(rows, row, DAY)),
		pg_int(rows, row, STOPPED) != 0 ? " stopped" : "");
}

enum ctl_exit ctl_limits(int argc, char **argv)
{
	struct pg_params p = { 0 };
	struct desk_options o;
	struct desk d;
	bool good;

	if (!desk_read(argc, argv, 1, NULL, &o))
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	if (o.words)
		pg_add_bytes(&p, span_str(o.word[0]));
	else
		pg_add_null(&p);
	d.each = o.json ? each_json : each_line;
	d.between = "[";
	good = desk_ask(&d, PG_STMT_LIMITS, &p);
	if (good && o.json)
		desk_put_end(&d);
	desk_close(&d);
	return good ? CTL_GOOD : CTL_FAILED;
}
