/*
 * merchant.c: `switchctl merchant`: the registry of merchants and their stores, and the code that
 * each of them prints.
 *
 * The hard thing is that a printed code is for years: its token, the template's identifier and the
 * address must be what the switch serves, so the latter two are never guessed. Must never edit a
 * row: a change is another version, under a name and with a reason.
 */
#include "desk.h"

#include "draw.h"
#include "json.h"
#include "qr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a merchant, as people give it; NULL: not said. */
struct details {
	const char *store, *store_name, *name, *mcc, *country, *city, *address, *currency, *detail;
	const char *legal_name, *type, *number;
	const char *svg, *png, *guid, *origin;
};

enum column {
	TOKEN,
	ACQUIRER,
	ID,
	STORE,
	NAME,
	STORE_NAME,
	MCC,
	COUNTRY,
	CITY,
	ADDRESS,
	CURRENCY,
	STATE,
	CODE,
	SCHEMES,
	COLUMNS
};

static const char *const column_name[COLUMNS] = { "token", "acquirer", "id", "store", "name",
	"store_name", "mcc", "country", "city", "address", "currency", "state", "code", "schemes" };

static bool read_all(int argc, char **argv, int most, struct details *d, struct desk_options *ret)
{
	const struct desk_option more[] = { { "--store", &d->store, NULL },
		{ "--store-name", &d->store_name, NULL }, { "--name", &d->name, NULL },
		{ "--mcc", &d->mcc, NULL }, { "--country", &d->country, NULL },
		{ "--city", &d->city, NULL }, { "--address", &d->address, NULL },
		{ "--currency", &d->currency, NULL }, { "--detail", &d->detail, NULL },
		{ "--legal-name", &d->legal_name, NULL }, { "--registration-type", &d->type, NULL },
		{ "--registration-number", &d->number, NULL }, { "--svg", &d->svg, NULL },
		{ "--png", &d->png, NULL }, { "--guid", &d->guid, NULL },
		{ "--origin", &d->origin, NULL }, { NULL, NULL, NULL } };

	*d = (struct details){ .guid = getenv("XW_CODE_GUID"),
		.origin = getenv("XW_PAYER_ORIGIN") };
	return desk_read(argc, argv, most, more, ret);
}

static void add_text(struct pg_params *p, const char *text)
{
	if (text)
		pg_add_bytes(p, span_str(text));
	else
		pg_add_null(p);
}

static void sign(struct pg_params *p, const struct desk_options *o)
{
	add_text(p, o->by);
	add_text(p, o->reason);
}

/* ---- what is written down ---- */

static enum ctl_exit say(const struct desk_options *o, const char *token, bool done)
{
	if (o->json)
		printf("{\"token\":\"%s\",\"done\":%s}\n", token, done ? "true" : "false");
	else
		puts(done ? token : "there is no merchant of this token");
	return done ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit add(const struct desk_options *o, const struct details *m)
{
	struct pg_params p = { 0 };
	struct ccy currency;
	struct desk d;
	bool good;

	if (o->words != 3 || !m->name || !m->mcc || !m->country || !m->city || !m->currency ||
		ccy_by_alpha(span_str(m->currency), &currency) != RC_OK || !desk_signed(o))
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	add_text(&p, o->word[1]);
	add_text(&p, o->word[2]);
	add_text(&p, m->store ? m->store : "");
	add_text(&p, m->name);
	add_text(&p, m->store_name ? m->store_name : "");
	add_text(&p, m->mcc);
	add_text(&p, m->country);
	add_text(&p, m->city);
	add_text(&p, m->address ? m->address : "");
	add_text(&p, m->currency);
	sign(&p, o);
	d.each = desk_keep_text;
	good = desk_ask(&d, PG_STMT_MERCHANT_ADD, &p);
	desk_close(&d);
	return good ? say(o, d.text, true) : CTL_FAULTS;
}

/* "change", "suspend", "resume". */
static enum ctl_exit change(const struct desk_options *o, const struct details *m)
{
	struct pg_params p = { 0 };
	struct desk d;
	bool good, other = strcmp(o->word[0], "change") != 0;

	if (o->words != 2 || !desk_signed(o))
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	add_text(&p, o->word[1]);
	add_text(&p, m->name);
	add_text(&p, m->store_name);
	add_text(&p, m->mcc);
	add_text(&p, m->city);
	add_text(&p, m->address);
	if (other)
		pg_add_bool(&p, strcmp(o->word[0], "resume") == 0);
	else
		pg_add_null(&p);
	sign(&p, o);
	d.each = desk_keep_number;
	good = desk_ask(&d, PG_STMT_MERCHANT_CHANGE, &p);
	desk_close(&d);
	return good ? say(o, o->word[1], d.number != 0) : CTL_FAULTS;
}

static enum ctl_exit scheme(const struct desk_options *o, const struct details *m)
{
	struct pg_params p = { 0 };
	struct desk d;
	bool good;

	if (o->words != 4 || !desk_signed(o))
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	for (int i = 1; i < 4; i++)
		add_text(&p, o->word[i]);
	add_text(&p, m->detail ? m->detail : "");
	sign(&p, o);
	d.each = desk_keep_number;
	good = desk_ask(&d, PG_STMT_MERCHANT_SCHEME, &p);
	desk_close(&d);
	return good ? say(o, o->word[1], d.number != 0) : CTL_FAULTS;
}

/* Asked of the scheme by the clerk, until it is decided; prints the request's id. */
static enum ctl_exit enrol(const struct desk_options *o, const struct details *m)
{
	struct pg_params p = { 0 };
	struct desk d;
	bool good;

	if (o->words != 3 || !desk_signed(o))
		return CTL_USAGE;
	if (!desk_open(&d, o))
		return CTL_FAILED;
	add_text(&p, o->word[1]);
	add_text(&p, o->word[2]);
	add_text(&p, m->legal_name ? m->legal_name : "");
	add_text(&p, m->type ? m->type : "");
	add_text(&p, m->number ? m->number : "");
	sign(&p, o);
	d.each = desk_keep_text;
	good = desk_ask(&d, PG_STMT_MERCHANT_REGISTER, &p);
	desk_close(&d);
	return good ? say(o, d.text, true) : CTL_FAULTS;
}

/* ---- what is read ---- */

static void put_json(struct jw *j, const struct pg_rows *rows, int row)
{
	jw_obj(j, NULL);
	for (int i = 0; i < COLUMNS; i++)
		jw_opt(j, column_name[i], pg_bytes(rows, row, i));
	jw_end(j, '}');
}

static void each_listed(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[4096];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	if (!d->options->json) {
		printf("%.*s  %-9.*s %-16.*s %.*s %.*s, %.*s\n",
			SPAN_FMT(pg_bytes(rows, row, TOKEN)), SPAN_FMT(pg_bytes(rows, row, STATE)),
			SPAN_FMT(pg_bytes(rows, row, ACQUIRER)),
			SPAN_FMT(pg_bytes(rows, row, CURRENCY)),
			SPAN_FMT(pg_bytes(rows, row, NAME)), SPAN_FMT(pg_bytes(rows, row, CITY)));
		return;
	}
	put_json(&j, rows, row);
	desk_put_member(d, buf_span(&b));
}

static void each_shown(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[4096];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	if (d->options->json) {
		put_json(&j, rows, row);
		printf("%.*s\n", SPAN_FMT(buf_span(&b)));
		return;
	}
	for (int i = 0; i < COLUMNS; i++)
		if (!span_empty(pg_bytes(rows, row, i)))
			printf("%-12s %.*s\n", column_name[i], SPAN_FMT(pg_bytes(rows, row, i)));
}

/* Of one merchant, or, with token NULL, of all. */
static enum ctl_exit look(const struct desk_options *o, const char *token,
	void (*each)(struct desk *d, const struct pg_rows *rows, int row), struct desk *d)
{
	struct pg_params p = { 0 };
	bool good;

	if (!desk_open(d, o))
		return CTL_FAILED;
	add_text(&p, token);
	d->each = each;
	good = desk_ask(d, PG_STMT_MERCHANTS, &p);
	desk_close(d);
	if (!good)
		return CTL_FAILED;
	if (token && d->rows == 0) {
		fputs("switchctl: there is no merchant of this token\n", stderr);
		return CTL_FAULTS;
	}
	return CTL_GOOD;
}

static enum ctl_exit list(const struct desk_options *o, const struct details *m)
{
	struct desk d;
	enum ctl_exit status;

	(void)m;
	if (o->words != 1)
		return CTL_USAGE;
	status = look(o, NULL, each_listed, &d);
	if (status == CTL_GOOD && o->json)
		desk_put_end(&d);
	return status;
}

static enum ctl_exit show(const struct desk_options *o, const struct details *m)
{
	struct desk d;

	(void)m;
	return o->words == 2 ? look(o, o->word[1], each_shown, &d) : CTL_USAGE;
}

/* ---- the code ---- */

static const struct details *printed;

static void each_coded(struct desk *d, const struct pg_rows *rows, int row)
{
	char storage[512];
	struct arena a = arena_init(storage, sizeof storage);
	struct buf text = buf_init(d->text, sizeof d->text - 1);
	struct qr_unified u = { .guid = span_str(printed->guid),
		.origin = span_str(printed->origin),
		.token = pg_bytes(rows, row, CODE),
		.mcc = pg_bytes(rows, row, MCC),
		.country = pg_bytes(rows, row, COUNTRY),
		.name = pg_bytes(
			rows, row, span_empty(pg_bytes(rows, row, STORE_NAME)) ? NAME : STORE_NAME),
		.city = pg_bytes(rows, row, CITY) };

	u.amount = MONEY_NONE;
	d->null = ccy_by_alpha(pg_bytes(rows, row, CURRENCY), &u.currency) != RC_OK ||
		  qr_unified_build(&a, &u, &text) != RC_OK;
	d->text[d->null ? 0 : text.n] = '\0';
}

static enum ctl_exit code(const struct desk_options *o, const struct details *m)
{
	struct desk d;
	enum ctl_exit status;

	if (o->words != 2)
		return CTL_USAGE;
	if (!m->guid || !*m->guid || !m->origin || !*m->origin) {
		fputs("switchctl: for which switch? Give --guid and --origin, its code_guid and "
		      "payer_origin, or set XW_CODE_GUID and XW_PAYER_ORIGIN\n",
			stderr);
		return CTL_USAGE;
	}
	printed = m;
	status = look(o, o->word[1], each_coded, &d);
	if (status != CTL_GOOD)
		return status;
	if (d.null) {
		fputs("switchctl: this does not fit into a code; is the origin too long?\n",
			stderr);
		return CTL_FAULTS;
	}
	return draw_code(span_str(d.text), m->svg, m->png);
}

enum ctl_exit ctl_merchant(int argc, char **argv)
{
	static const struct {
		const char *verb;
		enum ctl_exit (*run)(const struct desk_options *o, const struct details *m);
	} verbs[] = { { "add", add }, { "change", change }, { "suspend", change },
		{ "resume", change }, { "scheme", scheme }, { "register", enrol }, { "list", list },
		{ "show", show }, { "code", code } };
	struct desk_options o;
	struct details m;

	if (!read_all(argc, argv, DESK_WORDS, &m, &o) || o.words == 0)
		return CTL_USAGE;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(o.word[0], verbs[i].verb) == 0)
			return verbs[i].run(&o, &m);
	return CTL_USAGE;
}
