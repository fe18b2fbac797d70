/*
 * route.c: `switchctl route`: why a code goes where it goes, and what another table would send
 * elsewhere.
 *
 * The hard thing is to say what is true now: the running switch is asked, since it alone knows
 * whose breaker is open; a configuration that is only a file is read by the switch's own code.
 * Recorded payments are put the question that they put when they began (core/route.h). Must never
 * write to the ledger.
 */
#include "ask.h"
#include "desk.h"
#include "explain.h"
#include "form.h"
#include "json.h"
#include "route.h"
#include "sysclock.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE         500
#define ROUTE_FIELDS 6

static char memory[ASK_BYTES_MAX];

/* Where, and of what. */
struct options {
	struct desk_options desk;
	const char *conf, *operators, *ledger, *since;
	const char *field[ROUTE_FIELDS];
};

static const char *const fields[ROUTE_FIELDS] = { "scheme", "from", "amount", "currency", "mode",
	"at" };

/* False: wrong use. */
static bool read_options(int argc, char **argv, int words, struct options *o)
{
	const struct desk_option more[] = { { "--conf", &o->conf, NULL },
		{ "--operators", &o->operators, NULL }, { "--ledger", &o->ledger, NULL },
		{ "--since", &o->since, NULL }, { "--scheme", &o->field[0], NULL },
		{ "--from", &o->field[1], NULL }, { "--amount", &o->field[2], NULL },
		{ "--currency", &o->field[3], NULL }, { "--mode", &o->field[4], NULL },
		{ "--at", &o->field[5], NULL }, { NULL, NULL, NULL } };

	return desk_read(argc, argv, words, more, &o->desk);
}

static bool put_form(const struct options *o, struct buf *ret)
{
	if (o->desk.words)
		form_put(ret, "code", span_str(o->desk.word[0]));
	for (int i = 0; i < ROUTE_FIELDS; i++)
		if (o->field[i])
			form_put(ret, fields[i], span_str(o->field[i]));
	return buf_ok(ret);
}

/* ---- explain ---- */

static struct span text_of(const struct json *v, const char *path)
{
	struct span s = SPAN_NONE;

	(void)json_str(v, path, &s);
	return s;
}

static void print_row(const struct json *r)
{
	int64_t n, open;
	bool off;

	if (json_int(r, "row", &n))
		printf("%5lld  ", (long long)n);
	else
		printf("    -  ");
	printf("%-20.*s %-18.*s %-12.*s %.*s", SPAN_FMT(text_of(r, "scheme")),
		SPAN_FMT(text_of(r, "to")), SPAN_FMT(text_of(r, "verdict")),
		SPAN_FMT(text_of(r, "why")));
	if (json_bool(r, "switched_off", &off))
		printf(" (switched off)");
	if (json_int(r, "breaker_open_in", &open))
		printf(" (breaker open in %lld workers)", (long long)open);
	putchar('\n');
}

/* Without its pattern, which came from outside. */
static void print_rule(const struct json *r)
{
	int64_t n = 0;

	(void)json_int(r, "rule", &n);
	printf("rule %lld of %.*s, scheme %.*s: %.*s\n", (long long)n, SPAN_FMT(text_of(r, "of")),
		SPAN_FMT(text_of(r, "scheme")), SPAN_FMT(text_of(r, "says")));
}

/* The code may hold anything; the answer holds names of ours only. */
static enum ctl_exit print_explained(struct span answer, bool as_json)
{
	struct arena a = arena_init(memory, sizeof memory);
	const struct json *v = json_parse_object(&a, answer), *rows, *asked;

	if (!v) {
		fputs("switchctl: the answer cannot be read\n", stderr);
		return CTL_FAILED;
	}
	rows = json_get(v, "rows");
	asked = json_get(v, "asked");
	if (as_json) {
		printf("%.*s\n", SPAN_FMT(answer));
		return json_count(asked) ? CTL_GOOD : CTL_FAULTS;
	}
	printf("%.*s of %.*s at %.*s: ", SPAN_FMT(text_of(v, "mode")), SPAN_FMT(text_of(v, "from")),
		SPAN_FMT(text_of(v, "at")));
	for (size_t i = 0; i < json_count(asked); i++)
		printf("%s%.*s", i ? ", then " : "", SPAN_FMT(text_of(json_at(asked, i), "")));
	printf("%s%.*s\n", json_count(asked) ? "" : "nobody: ", SPAN_FMT(text_of(v, "reason")));
	for (size_t i = 0; i < json_count(json_get(v, "rules")); i++)
		print_rule(json_at(json_get(v, "rules"), i));
	if (json_count(rows))
		printf("  row  %-20s %-18s %-12s why\n", "scheme", "to", "verdict");
	for (size_t i = 0; i < json_count(rows); i++)
		print_row(json_at(rows, i));
	return json_count(asked) ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit explain_by_file(const struct options *o, struct span form)
{
	static char text[128 * 1024];
	struct buf out = buf_init(text, sizeof text);
	const char *why;
	struct conf *c = conf_load(o->conf, NULL, &why);
	bool good = c && explain(c, form, sysclock_wall(), NULL, NULL, &out, &why);

	if (!good)
		fprintf(stderr, "switchctl: %s\n", why);
	conf_free(c);
	return good ? print_explained(buf_span(&out), o->desk.json) : CTL_FAILED;
}

static enum ctl_exit route_explain(int argc, char **argv)
{
	struct options o = { .operators = getenv("XW_OPERATORS") };
	char text[8192];
	struct buf form = buf_init(text, sizeof text);
	struct http_msg m;
	enum ctl_exit status;

	if (!read_options(argc, argv, 1, &o) || !put_form(&o, &form))
		return CTL_USAGE;
	if (o.conf)
		return explain_by_file(&o, buf_span(&form));
	if (!o.operators || !*o.operators) {
		fputs("switchctl: where? Give --operators HOST:PORT or --conf FILE, or set "
		      "XW_OPERATORS\n",
			stderr);
		return CTL_USAGE;
	}
	status = ask(o.operators, "POST", SPAN("/route/explain"), buf_span(&form), &m);
	return status == CTL_GOOD ? print_explained(m.body, o.desk.json) : status;
}

/* ---- diff ---- */

struct replay {
	struct desk desk; /* first: who is called for each row finds the rest by it */
	const struct options *options;
	const struct conf *old, *new;
	struct pay_id last; /* of the page */
	long seen, moved;
};

static void put_names(const struct conf *c, const struct route_choice *to, struct buf *b)
{
	for (int i = 0; i < to->count; i++) {
		const struct peer *p = snapshot_peer(&c->snapshot, to->to[i]);
		buf_str(b, i ? "," : "");
		buf_str(b, p ? p->name : "?");
	}
	if (!to->count)
		buf_str(b, "nobody");
}

static void print_moved(const struct replay *r, const struct pay *p, const struct route_ask *ask,
	const struct route_choice *was, const struct route_choice *will)
{
	char text[2048], amount[48];
	struct buf b = buf_init(text, sizeof text), m = buf_init(amount, sizeof amount);
	const struct peer *from = snapshot_peer(&r->old->snapshot, ask->from);
	struct jw j = jw_init(&b);
	char lists[2][256];
	struct buf list[2] = { buf_init(lists[0], 256), buf_init(lists[1], 256) };
	char id[32];
	struct buf i = buf_init(id, sizeof id);

	pay_id_write(&i, &p->id);
	put_names(r->old, was, &list[0]);
	put_names(r->new, will, &list[1]);
	if (!money_is_none(ask->amount)) {
		money_write_major(&m, ask->amount);
		buf_ch(&m, ' ');
		buf_str(&m, ccy_alpha(money_ccy(ask->amount)));
	}
	jw_obj(&j, NULL);
	jw_str(&j, "payment", buf_span(&i));
	jw_str(&j, "from", span_str(from ? from->name : "?"));
	jw_str(&j, "mode", span_of(&ask->mode, 1));
	jw_opt(&j, "scheme", span_str(ask->scheme_count ? ask->scheme[0] : ""));
	jw_opt(&j, "amount", buf_span(&m));
	jw_str(&j, "old", buf_span(&list[0]));
	jw_str(&j, "new", buf_span(&list[1]));
	jw_end(&j, '}');
	if (r->options->desk.json)
		printf("%.*s\n", SPAN_FMT(buf_span(&b)));
	else
		printf("%.*s  %-14s %-18s %14.*s  %.*s -> %.*s\n", SPAN_FMT(buf_span(&i)),
			from ? from->name : "?", ask->scheme_count ? ask->scheme[0] : "-",
			SPAN_FMT(buf_span(&m)), SPAN_FMT(buf_span(&list[0])),
			SPAN_FMT(buf_span(&list[1])));
}

static void each_payment(struct desk *d, const struct pg_rows *rows, int row)
{
	static struct pay p;
	struct replay *r = (struct replay *)d;
	struct route_ask ask;
	struct route_choice was, will;

	r->last = pg_id(rows, row, 0);
	if (pay_unpack(pg_bytes(rows, row, 1), &p) != RC_OK || p.flow == FLOW_ORDER ||
		p.flow == FLOW_CLOSED)
		return; /* nobody was asked */
	route_asked(&r->old->snapshot, &p, &ask);
	route_choose(&r->old->snapshot, &ask, &was, NULL);
	route_choose(&r->new->snapshot, &ask, &will, NULL);
	r->seen++;
	if (was.count == will.count && memcmp(was.to, will.to, was.count * sizeof was.to[0]) == 0)
		return;
	r->moved++;
	print_moved(r, &p, &ask, &was, &will);
}

static enum ctl_exit run_replay(struct replay *r, struct wall since)
{
	const struct options *o = r->options;
	struct desk *d = &r->desk;
	bool good = true;

	if (!desk_open_as(d, &o->desk, o->ledger ? o->ledger : "user=recon", PG_RECORDS))
		return CTL_FAILED;
	d->each = each_payment;
	do {
		struct pg_params params = { 0 };
		pg_add_id(&params, &r->last);
		pg_add_time(&params, since);
		pg_add_int8(&params, PAGE);
		good = desk_ask(d, PG_STMT_TRAFFIC, &params);
	} while (good && d->rows == PAGE);
	desk_close(d);
	if (!good)
		return CTL_FAILED;
	if (o->desk.json)
		printf("{\"payments\":%ld,\"elsewhere\":%ld}\n", r->seen, r->moved);
	else
		printf("%ld payments, %ld would go elsewhere\n", r->seen, r->moved);
	return r->moved ? CTL_FAULTS : CTL_GOOD;
}

static enum ctl_exit route_diff(int argc, char **argv)
{
	struct options o = { .conf = NULL };
	struct wall since = { 1 };
	struct conf *old, *new = NULL;
	enum ctl_exit status = CTL_FAILED;
	const char *why;

	if (!read_options(argc, argv, 2, &o) || o.desk.words != 2 || !o.conf)
		return CTL_USAGE;
	if (o.since && wall_parse(span_str(o.since), &since) != RC_OK) {
		fprintf(stderr,
			"switchctl: --since %s: a moment is written as 2026-01-15T10:30:00Z\n",
			o.since);
		return CTL_USAGE;
	}
	if ((old = conf_load(o.conf, &(struct conf_instead){ .routes = o.desk.word[0] }, &why)) &&
		(new = conf_load(o.conf, &(struct conf_instead){ .routes = o.desk.word[1] }, &why)))
		status = run_replay(
			&(struct replay){ .options = &o, .old = old, .new = new }, since);
	else
		fprintf(stderr, "switchctl: %s\n", why);
	conf_free(new);
	conf_free(old);
	return status;
}

enum ctl_exit ctl_route(int argc, char **argv)
{
	if (argc && strcmp(argv[0], "explain") == 0)
		return route_explain(argc - 1, argv + 1);
	if (argc && strcmp(argv[0], "diff") == 0)
		return route_diff(argc - 1, argv + 1);
	return CTL_USAGE;
}
