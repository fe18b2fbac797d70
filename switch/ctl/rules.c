/*
 * rules.c: `switchctl rules`: by which rules schemes have said that their merchant codes are known;
 * and has a scheme asked now.
 *
 * The hard thing is that the clerk asks, not this program: it waits for what came of it, and where
 * nobody answers it says that the wish stands. Must never print a pattern unfiltered: it came from
 * outside.
 */
#include "desk.h"

#include "json.h"
#include "loop.h"
#include "safely.h"

#include <stdio.h>
#include <string.h>

#define OUTCOME_MS 15000
#define LOOK_MS    200

enum { NAME, OUTCOME, AT, VERSION, NUMBER, PATTERN, SAYS };

static enum ctl_exit say(const struct desk_options *o, const char *outcome)
{
	bool good = strncmp(outcome, "in force", 8) == 0;
	char line[1024];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	if (!*outcome) {
		fputs("switchctl: it was not over in time; the scheme is asked as soon as it can "
		      "be\n",
			stderr);
		return CTL_FAILED;
	}
	if (o->json) {
		jw_obj(&j, NULL);
		jw_str(&j, "participant", span_str(o->word[1]));
		jw_bool(&j, "in_force", good);
		jw_str(&j, "outcome", span_str(outcome));
		jw_end(&j, '}');
		printf("%.*s\n", SPAN_FMT(buf_span(&b)));
	} else {
		print_safely(span_str(outcome));
		putchar('\n');
	}
	return good ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit await(struct desk *d, int64_t number)
{
	struct mono end = mono_plus_ms(loop_now(d->loop).mono, OUTCOME_MS), next;
	struct pg_params p = { 0 };

	pg_add_bytes(&p, span_str(d->options->word[1]));
	pg_add_int8(&p, number);
	d->each = desk_keep_text;
	for (;;) {
		if (!desk_ask(d, PG_STMT_CODE_RULES_OUTCOME, &p))
			return CTL_FAILED;
		next = mono_plus_ms(loop_now(d->loop).mono, LOOK_MS);
		if (d->rows || next.us > end.us)
			return say(d->options, d->rows ? d->text : "");
		desk_rest(d, next);
	}
}

static enum ctl_exit load(const struct desk_options *o)
{
	struct pg_params p = { 0 };
	struct desk d;
	enum ctl_exit status = CTL_FAILED;

	if (o->words != 2 || !desk_signed(o))
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	pg_add_bytes(&p, span_str(o->word[1]));
	pg_add_bytes(&p, span_str(o->by));
	pg_add_bytes(&p, span_str(o->reason));
	d.each = desk_keep_number;
	if (desk_ask(&d, PG_STMT_CODE_RULES_ASK, &p)) {
		if (d.null)
			fputs("switchctl: this participant is not asked for code rules\n", stderr);
		status = d.null ? CTL_FAULTS : await(&d, d.number);
	}
	desk_close(&d);
	return status;
}

static void each_json(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[2048];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	jw_obj(&j, NULL);
	jw_str(&j, "participant", pg_bytes(rows, row, NAME));
	jw_opt(&j, "outcome", pg_bytes(rows, row, OUTCOME));
	jw_opt(&j, "at", pg_bytes(rows, row, AT));
	jw_opt(&j, "version", pg_bytes(rows, row, VERSION));
	if (pg_int(rows, row, NUMBER)) {
		jw_int(&j, "rule", pg_int(rows, row, NUMBER));
		jw_str(&j, "pattern", pg_bytes(rows, row, PATTERN));
		jw_str(&j, "says", pg_bytes(rows, row, SAYS));
	}
	jw_end(&j, '}');
	desk_put_member(d, buf_span(&b));
}

static void each_line(struct desk *d, const struct pg_rows *rows, int row)
{
	if (pg_int(rows, row, NUMBER) <= 1) {
		printf("%.*s, asked at %.*s: ", SPAN_FMT(pg_bytes(rows, row, NAME)),
			SPAN_FMT(pg_bytes(rows, row, AT)));
		print_safely(pg_bytes(rows, row, OUTCOME));
		putchar('\n');
	}
	if (!pg_int(rows, row, NUMBER))
		return;
	printf("%5lld  %-14.*s ", (long long)pg_int(rows, row, NUMBER),
		SPAN_FMT(pg_bytes(rows, row, SAYS)));
	print_safely(pg_bytes(rows, row, PATTERN));
	putchar('\n');
	(void)d;
}

static enum ctl_exit list(const struct desk_options *o)
{
	struct pg_params none = { 0 };
	struct desk d;
	bool good;

	if (o->words != 1)
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	d.each = o->json ? each_json : each_line;
	good = desk_ask(&d, PG_STMT_CODE_RULES_LIST, &none);
	if (good && o->json)
		desk_put_end(&d);
	desk_close(&d);
	return good ? CTL_GOOD : CTL_FAILED;
}

enum ctl_exit ctl_rules(int argc, char **argv)
{
	struct desk_options o;

	if (!desk_read(argc, argv, 2, NULL, &o) || o.words == 0)
		return CTL_USAGE;
	if (strcmp(o.word[0], "load") == 0)
		return load(&o);
	return strcmp(o.word[0], "list") == 0 ? list(&o) : CTL_USAGE;
}
