/*
 * exceptions.c: `switchctl exceptions` and `exception`: what waits for a person, whose it is, and
 * how it ends. An item is closed when somebody has seen to it; resolving a payment does not.
 *
 * The hard thing is a difference with a partner's file that is to be booked: money moves by
 * people's word alone, so one proposes it and another, under another name, asks for the same. Must
 * never close what it has not booked.
 */
#include "desk.h"

#include "json.h"
#include "safely.h"

#include <stdio.h>
#include <string.h>

/* Seconds in the largest unit that leaves two digits where it can. */
static void print_age(int64_t s)
{
	if (s < 120)
		printf("%4lld s  ", (long long)s);
	else if (s < 7200)
		printf("%4lld min", (long long)(s / 60));
	else if (s < 172800)
		printf("%4lld h  ", (long long)(s / 3600));
	else
		printf("%4lld d  ", (long long)(s / 86400));
}

static void each_exception(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[4096];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);
	struct span payment = pg_bytes(rows, row, 1), kind = pg_bytes(rows, row, 2);
	struct span said = pg_bytes(rows, row, 4), owner = pg_bytes(rows, row, 5);

	if (!d->options->json) {
		printf("%lld  %.*s  ", (long long)pg_int(rows, row, 0), SPAN_FMT(payment));
		print_age(pg_int(rows, row, 3));
		printf("  %.*s%s", SPAN_FMT(kind), span_empty(said) ? "" : ": ");
		print_safely(said);
		fputs(span_empty(owner) ? "" : "  -> ", stdout);
		print_safely(owner);
		putchar('\n');
		return;
	}
	jw_obj(&j, NULL);
	jw_int(&j, "id", pg_int(rows, row, 0));
	jw_opt(&j, "payment", payment);
	jw_str(&j, "kind", kind);
	jw_int(&j, "age_s", pg_int(rows, row, 3));
	jw_opt(&j, "said", said);
	jw_opt(&j, "owner", owner);
	jw_end(&j, '}');
	desk_put_member(d, buf_span(&b));
}

static enum ctl_exit list(const struct desk_options *o, struct desk *d, const int64_t *item)
{
	struct pg_params p = { 0 };
	bool good;

	if (item)
		pg_add_int8(&p, *item);
	else
		pg_add_null(&p);
	d->each = each_exception;
	good = desk_ask(d, PG_STMT_EXCEPTIONS, &p);
	if (good && o->json && !item)
		desk_put_end(d);
	return !good ? CTL_FAILED : item && !d->rows ? CTL_FAULTS : CTL_GOOD;
}

static void each_difference(struct desk *d, const struct pg_rows *rows, int row)
{
	struct span currency = pg_bytes(rows, row, 3);

	(void)d;
	printf("%.*s, window %.*s, %.*s: ours", SPAN_FMT(pg_bytes(rows, row, 0)),
		SPAN_FMT(pg_bytes(rows, row, 1)), SPAN_FMT(pg_bytes(rows, row, 2)));
	for (int column = 4; column <= 5; column++) {
		if (column == 5)
			printf(", theirs");
		if (pg_is_null(rows, row, column))
			printf(" none");
		else
			printf(" %lld %.*s minor units", (long long)pg_int(rows, row, column),
				SPAN_FMT(currency));
	}
	fputs("; ", stdout);
	print_safely(pg_bytes(rows, row, 6));
	if (pg_int(rows, row, 7))
		printf(" line %lld", (long long)pg_int(rows, row, 7));
	putchar('\n');
}

static enum ctl_exit show(const struct desk_options *o, struct desk *d, int64_t item)
{
	struct pg_params p = { 0 };
	enum ctl_exit status;

	d->between = "";
	status = list(o, d, &item);
	if (status == CTL_GOOD && o->json)
		putchar('\n');
	if (status != CTL_GOOD || o->json)
		return status;
	pg_add_int8(&p, item);
	d->each = each_difference;
	return desk_ask(d, PG_STMT_DIFFERENCE, &p) ? CTL_GOOD : CTL_FAILED;
}

static enum ctl_exit assign(const struct desk_options *o, struct desk *d, int64_t item)
{
	struct pg_params p = { 0 };

	pg_add_int8(&p, item);
	pg_add_bytes(&p, span_str(o->word[2]));
	pg_add_bytes(&p, span_str(o->by));
	pg_add_bytes(&p, span_str(o->reason));
	d->each = desk_keep_number;
	if (!desk_ask(d, PG_STMT_EXCEPTION_ASSIGN, &p))
		return CTL_FAILED;
	if (o->json)
		printf("{\"id\":%lld,\"assigned\":%s}\n", (long long)item,
			d->number ? "true" : "false");
	else
		puts(d->number ? "assigned" : "no such item is open");
	return d->number ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit close_item(
	const struct desk_options *o, struct desk *d, int64_t item, bool book)
{
	struct pg_params p = { 0 };
	bool closed;

	pg_add_int8(&p, item);
	pg_add_bool(&p, book);
	pg_add_bytes(&p, span_str(o->by));
	pg_add_bytes(&p, span_str(o->reason));
	d->each = desk_keep_text;
	if (!desk_ask(d, PG_STMT_EXCEPTION_SETTLE, &p))
		return CTL_FAILED;
	closed = strcmp(d->text, "closed") == 0;
	if (o->json)
		printf("{\"id\":%lld,\"closed\":%s,\"said\":\"%s\"}\n", (long long)item,
			closed ? "true" : "false", d->text);
	else if (strcmp(d->text, "proposed") == 0)
		puts("proposed: it is booked and closed when somebody else asks for the same");
	else
		puts(d->text);
	return closed || strcmp(d->text, "proposed") == 0 ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit run(const struct desk_options *o, const char *verb, int64_t item, bool book)
{
	struct desk d;
	enum ctl_exit status;

	if (!desk_open(&d, o))
		return CTL_FAILED;
	if (strcmp(verb, "list") == 0)
		status = list(o, &d, NULL);
	else if (strcmp(verb, "show") == 0)
		status = show(o, &d, item);
	else if (strcmp(verb, "assign") == 0)
		status = assign(o, &d, item);
	else
		status = close_item(o, &d, item, book);
	desk_close(&d);
	return status;
}

enum ctl_exit ctl_exceptions(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int words;
		bool decides;
	} verbs[] = { { "list", 1, false }, { "show", 2, false }, { "assign", 3, true },
		{ "close", 2, true } };
	struct desk_options o;
	bool book = false;
	const struct desk_option more[] = { { "--book", NULL, &book }, { NULL, NULL, NULL } };
	const char *verb;
	int64_t item = 0;
	size_t i = 0;

	if (!desk_read(argc, argv, 3, more, &o))
		return CTL_USAGE;
	verb = o.words ? o.word[0] : "list";
	while (i < sizeof verbs / sizeof verbs[0] && strcmp(verbs[i].verb, verb) != 0)
		i++;
	if (i == sizeof verbs / sizeof verbs[0] || (o.words && o.words != verbs[i].words) ||
		(o.words > 1 && span_to_i64(span_str(o.word[1]), &item) != RC_OK) ||
		(verbs[i].decides && !desk_signed(&o)))
		return CTL_USAGE;
	return run(&o, verb, item, book);
}

enum ctl_exit ctl_exception(int argc, char **argv)
{
	struct desk_options o;
	int64_t item;

	if (!desk_read(argc, argv, 2, NULL, &o) || o.words != 2 ||
		strcmp(o.word[0], "close") != 0 ||
		span_to_i64(span_str(o.word[1]), &item) != RC_OK || !desk_signed(&o))
		return CTL_USAGE;
	return run(&o, "close", item, false);
}
