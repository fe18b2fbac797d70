/*
 * desk.c: a command's connection to the ledger, in the role of people who decide, and the options
 * that say who and why.
 *
 * The hard thing is silence: what was asked may have been done, so an end without an answer says
 * "look before you ask again". Must never put anything down without a name and a reason.
 */
#include "desk.h"

#include "loop.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define LOOK_MS    200
#define LONG_MS    120000 /* a whole window is summed, or read */
#define NAME_BYTES 64     /* bytes of an operator's name, as the ledger has it */

static const char *login_name(void)
{
	const struct passwd *p = getpwuid(getuid());

	return p ? p->pw_name : "";
}

static const struct desk_option *option_of(const struct desk_option *o, const char *name)
{
	for (; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

bool desk_read(
	int argc, char **argv, int most, const struct desk_option *more, struct desk_options *ret)
{
	const struct desk_option own[] = { { "--json", NULL, &ret->json },
		{ "--reason", &ret->reason, NULL }, { "--as", &ret->by, NULL },
		{ NULL, NULL, NULL } };

	*ret = (struct desk_options){ .by = login_name() };
	for (int i = 0; i < argc; i++) {
		const struct desk_option *o = option_of(own, argv[i]);
		if (!o)
			o = option_of(more, argv[i]);
		if (o && !o->value)
			*o->flag = true;
		else if (o && i + 1 < argc)
			*o->value = argv[++i];
		else if (!o && argv[i][0] != '-' && ret->words < most)
			ret->word[ret->words++] = argv[i];
		else
			return false;
	}
	return true;
}

bool desk_signed(const struct desk_options *o)
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

void desk_rest(struct desk *d, struct mono until)
{
	d->give_up = until;
	while (turn(d))
		;
}

void desk_close(struct desk *d)
{
	pg_close(d->pg);
	loop_free(d->loop);
}

bool desk_open(struct desk *d, const struct desk_options *o)
{
	const char *at = getenv("XW_LEDGER");

	return desk_open_as(d, o, at && *at ? at : "user=operator_rw", PG_OPERATOR);
}

bool desk_open_as(
	struct desk *d, const struct desk_options *o, const char *conninfo, enum pg_group group)
{
	struct pg_conf conf = { .conninfo = conninfo,
		.name = "switchctl",
		.groups = PG_EVERY | group,
		PG_CONF_DEFAULT };

	*d = (struct desk){
		.loop = loop_new(), .options = o, .between = "[", .wait_ms = CONNECT_MS
	};
	if (group == PG_CLEARING)
		conf.unit_ms = d->wait_ms = LONG_MS;
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

bool desk_ask(struct desk *d, enum pg_stmt stmt, const struct pg_params *params)
{
	d->answered = d->good = false;
	d->give_up = mono_plus_ms(loop_now(d->loop).mono, d->wait_ms);
	if (pg_send(d->pg, stmt, params, on_answer, d) == RC_OK)
		while (!d->answered && turn(d))
			;
	if (!d->answered)
		fputs("switchctl: no answer from the ledger; look before you ask again\n", stderr);
	return d->good;
}

void desk_put_member(struct desk *d, struct span json)
{
	printf("%s%.*s", d->between, SPAN_FMT(json));
	d->between = ",\n";
}

void desk_put_end(const struct desk *d)
{
	puts(d->rows ? "]" : "[]");
}

void desk_keep_number(struct desk *d, const struct pg_rows *rows, int row)
{
	d->null = pg_is_null(rows, row, 0);
	if (!d->null)
		d->number = pg_int(rows, row, 0);
}

void desk_keep_text(struct desk *d, const struct pg_rows *rows, int row)
{
	d->null = pg_is_null(rows, row, 0);
	if (!d->null && !span_to_cstr(pg_bytes(rows, row, 0), d->text, sizeof d->text))
		d->null = true;
}
