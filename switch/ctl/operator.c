/*
 * operator.c: `switchctl payment`: what a person decides, put into the ledger under a name and with
 * a reason; the switch's clerk does it and writes down what came of it.
 *
 * The hard thing is an end without an outcome: the request stands then, and is done as soon as it
 * can be, so that is said and never called a failure. Must never touch a payment itself.
 */
#include "desk.h"

#include "id.h"
#include "json.h"
#include "loop.h"

#include <stdio.h>
#include <string.h>

#define OUTCOME_MS 10000
#define LOOK_MS    200

static enum ctl_exit say_outcome(const struct desk_options *o, int64_t number, const char *outcome)
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
	struct mono end = mono_plus_ms(loop_now(d->loop).mono, OUTCOME_MS), next;
	struct pg_params params = { 0 };

	pg_add_int8(&params, number);
	d->each = desk_keep_text;
	for (;;) {
		if (!desk_ask(d, PG_STMT_OPERATOR_OUTCOME, &params))
			return say_outcome(d->options, number, "");
		if (d->rows && !d->null)
			return say_outcome(d->options, number, d->text);
		next = mono_plus_ms(loop_now(d->loop).mono, LOOK_MS);
		if (next.us > end.us)
			return say_outcome(d->options, number, "");
		desk_rest(d, next);
	}
}

enum ctl_exit ctl_payment(int argc, char **argv)
{
	static const char *const verb[] = { "retry", "undo", "write-off" };
	struct desk_options o;
	struct pg_params params = { 0 };
	struct pay_id id;
	struct desk d;
	enum ctl_exit status = CTL_FAILED;
	int16_t n = 0;

	if (!desk_read(argc, argv, 2, NULL, &o) || o.words != 2 || !desk_signed(&o))
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
	d.each = desk_keep_number;
	if (desk_ask(&d, PG_STMT_OPERATOR_ASK, &params))
		status = d.null ? say_outcome(&o, 0, "no such payment")
				: await_outcome(&d, d.number);
	desk_close(&d);
	return status;
}
