/*
 * operator.c: `switchctl payment`, `exceptions` and `exception`: what a person decides, put into
 * the ledger under a name and with a reason; the switch's clerk does it and writes down what came
 * of it.
 *
 * The hard thing is an end without an outcome: the request stands then, and is done as soon as it
 * can be, so that is said and never called a failure. Must never touch a payment itself.
 */
#include "ctl.h"

#include "json.h"
#include "pg.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define OUTCOME_MS 10000
#define LOOK_MS    200
#define NAME_BYTES 64 /* bytes of an operator's name, as the ledger has it */

struct options {
	const char *word[2];
	int words;
	const char *reason, *by;
	bool json;
};

/* A connection, and the answer that is waited for. */
struct desk {
	struct loop *loop;
	struct pg *pg;
	struct mono give_up;
	bool answered, good;
	void (*each)(struct desk *d, const struct pg_rows *rows, int row);
	const struct options *options;
	int rows;
	bool null;
	int64_t number;
	char text[512];
	const char *between;
};

static const char *login_name(void)
{
	const struct passwd *p = getpwuid(getuid());

	return p ? p->pw_name : "";
}

/* False: wrong use. A word more than wanted, or an option that is not known, is one. */
static bool read_options(int argc, char **argv, int words, struct options *ret)
{
	*ret = (struct options){ .by = login_name() };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ret->json = true;
		else if (strcmp(argv[i], "--reason") == 0 && i + 1 < argc)
			ret->reason = argv[++i];
		else if (strcmp(argv[i], "--as") == 0 && i + 1 < argc)
			ret->by = argv[++i];
		else if (argv[i][0] != '-' && ret->words < words)
			ret->word[ret->words++] = argv[i];
		else
			return false;
	}
	return ret->words == words;
}

static bool who_and_why(const struct options *o)
{
	bool reason = o->reason && o->reason[strspn(o->reason, " \t\r\n")];
	size_t n = strlen(o->by);

	if (!reason)
		fputs("switchctl: why? Give --reason TEXT\n", stderr);
	else if (n == 0 || n > NAME_BYTES)
		fputs("switchctl: who? Give --as NAME, of at most 64 bytes\n", stderr);
	return reason && n > 0 && n <= NAME_BYTES;
}

static bool turn(struct desk *d)
{
	struct mono now = loop_now(d->loop).mono;

	return now.us < d->give_up.us && loop_once(d->loop, mono_plus_ms(now, LOOK_MS)) == RC_OK;
}

static void desk_close(struct desk *d)
{
	pg_close(d->pg);
	loop_free(d->loop);
}

static bool desk_open(struct desk *d, const struct options *o)
{
	const char *at = getenv("XW_LEDGER");
	struct pg_conf conf = { .conninfo = at && *at ? at : "user=operator_rw",
		.name = "switchctl",
		.groups = PG_EVERY | PG_OPERATOR,
		PG_CONF_DEFAULT };

	*d = (struct desk){ .loop = loop_new(), .options = o };
	if (!d->loop)
		return false;
	d->give_up = mono_plus_ms(loop_now(d->loop).mono, CONNECT_MS);
	d->pg = pg_open(d->loop, &conf, NULL, NULL);
	while (d->pg && pg_state(d->pg) != PG_STATE_READY && turn(d))
		;
	if (d->pg && pg_state(d->pg) == PG_STATE_READY)
		return true;
	fputs("switchctl: the ledger does not answer; set PGHOST and PGDATABASE, or XW_LEDGER\n",
		stderr);
	desk_close(d);
	return false;
}

static void on_answer(void *ctx, const struct pg_answer *a)
{
	struct desk *d = ctx;

	d->answered = true;
	d->good = a->end == PG_END_DONE;
	if (a->end == PG_END_REFUSED)
		fprintf(stderr, "switchctl: the ledger refuses: %s\n", a->message);
	else if (a->end == PG_END_LOST)
		fputs("switchctl: the connection ended first; look before you ask again\n", stderr);
	d->rows = d->good ? pg_rows_count(a->rows) : 0;
	for (int i = 0; i < d->rows; i++)
		d->each(d, a->rows, i);
}

static bool ask_ledger(struct desk *d, enum pg_stmt stmt, const struct pg_params *params)
{
	d->answered = d->good = false;
	d->give_up = mono_plus_ms(loop_now(d->loop).mono, CONNECT_MS);
	if (pg_send(d->pg, stmt, params, on_answer, d) == RC_OK)
		while (!d->answered && turn(d))
			;
	if (!d->answered)
		fputs("switchctl: no answer from the ledger; look before you ask again\n", stderr);
	return d->good;
}

static void keep_number(struct desk *d, const struct pg_rows *rows, int row)
{
	d->null = pg_is_null(rows, row, 0);
	if (!d->null)
		d->number = pg_int(rows, row, 0);
}

static void keep_text(struct desk *d, const struct pg_rows *rows, int row)
{
	d->null = pg_is_null(rows, row, 0);
	if (!d->null && !span_to_cstr(pg_bytes(rows, row, 0), d->text, sizeof d->text))
		d->null = true;
}

static enum ctl_exit say_outcome(const struct options *o, int64_t number, const char *outcome)
{
	char line[1024];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);
	bool done = strcmp(outcome, "done") == 0;

	if (o->json) {
		jw_obj(&j, NULL);
		jw_str(&j, "payment", span_str(o->word[1]));
		if (number)
			jw_int(&j, "request", number);
		jw_bool(&j, "done", done);
		jw_opt(&j, "outcome", span_str(outcome));
		jw_end(&j, '}');
		printf("%.*s\n", SPAN_FMT(buf_span(&b)));
	} else if (*outcome) {
		printf("%s\n", outcome);
	}
	if (!*outcome)
		fprintf(stderr,
			"switchctl: request %lld was not reached in time; it stands, and is done "
			"as soon as it can be\n",
			(long long)number);
	return done ? CTL_GOOD : *outcome ? CTL_FAULTS : CTL_FAILED;
}

static enum ctl_exit await_outcome(struct desk *d, int64_t number)
{
	struct mono end = mono_plus_ms(loop_now(d->loop).mono, OUTCOME_MS);
	struct pg_params params = { 0 };

	pg_add_int8(&params, number);
	d->each = keep_text;
	for (;;) {
		if (!ask_ledger(d, PG_STMT_OPERATOR_OUTCOME, &params))
			return say_outcome(d->options, number, "");
		if (d->rows && !d->null)
			return say_outcome(d->options, number, d->text);
		d->give_up = mono_plus_ms(loop_now(d->loop).mono, LOOK_MS);
		if (d->give_up.us > end.us)
			return say_outcome(d->options, number, "");
		while (turn(d))
			;
	}
}

enum ctl_exit ctl_payment(int argc, char **argv)
{
	static const char *const verb[] = { "retry", "undo", "write-off" };
	struct options o;
	struct pg_params params = { 0 };
	struct pay_id id;
	struct desk d;
	enum ctl_exit status = CTL_FAILED;
	int16_t n = 0;

	if (!read_options(argc, argv, 2, &o) || !who_and_why(&o))
		return CTL_USAGE;
	while (n < 3 && strcmp(o.word[0], verb[n]) != 0)
		n++;
	if (n == 3 || pay_id_parse(span_str(o.word[1]), &id) != RC_OK)
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	pg_add_id(&params, &id);
	pg_add_int2(&params, (int16_t)(n + 1)); /* core/event.h's enum operator_verb */
	pg_add_bytes(&params, span_str(o.by));
	pg_add_bytes(&params, span_str(o.reason));
	d.each = keep_number;
	if (ask_ledger(&d, PG_STMT_OPERATOR_ASK, &params))
		status = d.null ? say_outcome(&o, 0, "no such payment")
				: await_outcome(&d, d.number);
	desk_close(&d);
	return status;
}

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
	struct span said = pg_bytes(rows, row, 4);

	if (!d->options->json) {
		printf("%lld  %.*s  ", (long long)pg_int(rows, row, 0), SPAN_FMT(payment));
		print_age(pg_int(rows, row, 3));
		printf("  %.*s%s%.*s\n", SPAN_FMT(kind), span_empty(said) ? "" : ": ",
			SPAN_FMT(said));
		return;
	}
	jw_obj(&j, NULL);
	jw_int(&j, "id", pg_int(rows, row, 0));
	jw_opt(&j, "payment", payment);
	jw_str(&j, "kind", kind);
	jw_int(&j, "age_s", pg_int(rows, row, 3));
	jw_opt(&j, "said", said);
	jw_end(&j, '}');
	printf("%s%.*s", d->between, SPAN_FMT(buf_span(&b)));
	d->between = ",\n";
}

enum ctl_exit ctl_exceptions(int argc, char **argv)
{
	struct pg_params none = { 0 };
	struct options o;
	struct desk d;
	bool good;

	if (!read_options(argc, argv, 0, &o))
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	d.each = each_exception;
	d.between = "[";
	good = ask_ledger(&d, PG_STMT_EXCEPTIONS, &none);
	if (good && o.json)
		puts(d.rows ? "]" : "[]");
	desk_close(&d);
	return good ? CTL_GOOD : CTL_FAILED;
}

enum ctl_exit ctl_exception(int argc, char **argv)
{
	struct pg_params params = { 0 };
	struct options o;
	struct desk d;
	int64_t item;
	bool good;

	if (!read_options(argc, argv, 2, &o) || strcmp(o.word[0], "close") != 0 ||
		span_to_i64(span_str(o.word[1]), &item) != RC_OK || !who_and_why(&o))
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	pg_add_int8(&params, item);
	pg_add_bytes(&params, span_str(o.by));
	pg_add_bytes(&params, span_str(o.reason));
	d.each = keep_number;
	good = ask_ledger(&d, PG_STMT_OPERATOR_CLOSE, &params);
	desk_close(&d);
	if (!good)
		return CTL_FAILED;
	if (o.json)
		printf("{\"id\":%lld,\"closed\":%s}\n", (long long)item,
			d.number ? "true" : "false");
	else
		puts(d.number ? "closed" : "no such item is open");
	return d.number ? CTL_GOOD : CTL_FAULTS;
}
