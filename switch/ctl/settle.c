/*
 * settle.c: `switchctl settle`: closed windows become settlements, one net amount for each
 * agreement; what we pay is instructed by a file for our bank, what we are paid is expected; what
 * the bank says came or went is booked between the position and our bank.
 *
 * The hard thing is paying once: a settlement's file has one name, its id is the transfer's, and
 * the same file comes whenever it is asked for again. Two people want the same before anything is
 * instructed or booked. Must never instruct what its books do not say.
 */
#include "check.h"
#include "clearing.h"
#include "iso20022.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 40

struct options {
	struct desk_options desk;
	const char *conf, *files, *through, *form, *amount, *reference;
};

struct settlement {
	bool found;
	int64_t id, agreement, first, through;
	struct money amount;
	char state[16], terms[16];
	struct wall instructed;
};

/* ---- what there is ------------------------------------------------------------------------- */

static void put_range(struct buf *b, int64_t first, int64_t through)
{
	clearing_put_day(b, first, false);
	if (first == through)
		return;
	buf_str(b, " to ");
	clearing_put_day(b, through, false);
}

static void each_settlement(struct desk *d, const struct pg_rows *rows, int row)
{
	char line[512], days[64], sum[64];
	struct buf b = buf_init(line, sizeof line), r = buf_init(days, sizeof days);
	struct buf s = buf_init(sum, sizeof sum);
	struct jw j = jw_init(&b);
	int64_t amount = pg_int(rows, row, 7); /* taste: money because its sign says who pays */
	struct money m;
	struct ccy c;

	CHECK(ccy_by_alpha(pg_bytes(rows, row, 3), &c) == RC_OK);
	m = money_of(amount < 0 ? -amount : amount, c);
	money_write_major(&s, m);
	put_range(&r, pg_int(rows, row, 4), pg_int(rows, row, 5));
	if (!d->options->json) {
		printf("%lld  %-16.*s %.*s  %s %.*s %s  %.*s  %.*s\n",
			(long long)pg_int(rows, row, 0), SPAN_FMT(pg_bytes(rows, row, 2)),
			SPAN_FMT(buf_span(&r)), amount < 0 ? "we pay" : "they pay",
			SPAN_FMT(buf_span(&s)), ccy_alpha(c), SPAN_FMT(pg_bytes(rows, row, 6)),
			SPAN_FMT(pg_bytes(rows, row, 8)));
		return;
	}
	jw_obj(&j, NULL);
	jw_int(&j, "id", pg_int(rows, row, 0));
	jw_str(&j, "participant", pg_bytes(rows, row, 2));
	jw_str(&j, "days", buf_span(&r));
	jw_str(&j, "currency", pg_bytes(rows, row, 3));
	jw_int(&j, "amount", amount);
	jw_str(&j, "terms", pg_bytes(rows, row, 6));
	jw_str(&j, "state", pg_bytes(rows, row, 8));
	jw_end(&j, '}');
	desk_put_member(d, buf_span(&b));
}

static enum ctl_exit list(const struct options *o, struct desk *d)
{
	struct pg_params p = { 0 };

	pg_add_null(&p);
	d->each = each_settlement;
	if (!desk_ask(d, PG_STMT_SETTLEMENTS, &p))
		return CTL_FAILED;
	if (o->desk.json)
		desk_put_end(d);
	return CTL_GOOD;
}

/* ---- open ---------------------------------------------------------------------------------- */

static bool open_one(const struct options *o, struct desk *d, const struct peer *peer,
	const struct conf_peer *e, int64_t through, long *ret_count)
{
	struct pg_params p = { 0 };

	pg_add_int4(&p, peer->agreement);
	pg_add_bytes(&p, span_str(ccy_alpha(peer->settle)));
	pg_add_int4(&p, (int32_t)through);
	pg_add_bytes(&p, e->settles == CONF_BY_US ? SPAN("by_us") : SPAN("by_peer"));
	pg_add_bytes(&p, span_str(o->desk.by));
	d->each = desk_keep_number;
	if (!desk_ask(d, PG_STMT_SETTLEMENT_OPEN, &p))
		return false;
	*ret_count += !d->null;
	return true;
}

/* Who is prefunded has paid before; its deposits and its windows meet on its position. */
static enum ctl_exit open_all(const struct options *o, struct desk *d, const struct conf *c)
{
	int64_t through;
	long count = 0;

	CHECK(clearing_read_day("--through", o->through, &through));
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->extra[i].settles != CONF_PREFUNDED &&
			!open_one(o, d, &c->peer[i], &c->extra[i], through, &count))
			return CTL_FAILED;
	if (o->desk.json)
		printf("{\"opened\":%ld}\n", count);
	else
		printf("%ld settlements\n", count);
	return CTL_GOOD;
}

/* ---- instruct ------------------------------------------------------------------------------ */

static struct settlement one;

static void keep_settlement(struct desk *d, const struct pg_rows *rows, int row)
{
	struct ccy c;

	(void)d;
	CHECK(ccy_by_alpha(pg_bytes(rows, row, 3), &c) == RC_OK);
	one = (struct settlement){ .found = true,
		.id = pg_int(rows, row, 0),
		.agreement = pg_int(rows, row, 1),
		.first = pg_int(rows, row, 4),
		.through = pg_int(rows, row, 5),
		.amount = money_of(pg_int(rows, row, 7), c) };
	CHECK(span_to_cstr(pg_bytes(rows, row, 6), one.terms, sizeof one.terms));
	CHECK(span_to_cstr(pg_bytes(rows, row, 8), one.state, sizeof one.state));
	if (!pg_is_null(rows, row, 9))
		one.instructed = pg_time(rows, row, 9);
}

static bool load(struct desk *d, int64_t id)
{
	struct pg_params p = { 0 };

	pg_add_int8(&p, id);
	d->each = keep_settlement;
	if (!desk_ask(d, PG_STMT_SETTLEMENTS, &p))
		return false;
	if (!one.found)
		fputs("switchctl: there is no such settlement\n", stderr);
	return one.found;
}

static const struct conf_peer *who(const struct conf *c, int64_t agreement)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->peer[i].agreement == agreement)
			return &c->extra[i];
	return NULL;
}

static struct iso_party party(const struct conf_bank *b)
{
	return (struct iso_party){ b->name, b->iban, b->bic };
}

static bool write_file(const struct options *o, const struct conf *c)
{
	static char text[16384];
	char id[NAME_BYTES], name[2 * NAME_BYTES], about[128], days[64];
	struct buf b = buf_init(text, sizeof text), r = buf_init(days, sizeof days);
	const struct conf_peer *e = who(c, one.agreement);
	bool pain = o->form && strcmp(o->form, "pain.001") == 0;
	struct iso_transfer t = { .made = one.instructed, .amount = money_neg(one.amount) };

	if (!e || !e->bank.iban || !c->bank.iban) {
		fputs("switchctl: no bank account is configured for one of the two sides\n",
			stderr);
		return false;
	}
	snprintf(id, sizeof id, "XW-SETTLEMENT-%lld", (long long)one.id);
	put_range(&r, one.first, one.through);
	snprintf(about, sizeof about, "Settlement of %.*s", SPAN_FMT(buf_span(&r)));
	t.id = span_str(id);
	t.day = wall_day(one.instructed, 0);
	t.from = party(&c->bank);
	t.to = party(&e->bank);
	t.about = span_str(about);
	(pain ? iso_put_pain001 : iso_put_pacs009)(&b, &t);
	snprintf(name, sizeof name, "%s_%s.xml", pain ? "pain.001" : "pacs.009", id);
	return buf_ok(&b) && clearing_put_file(o->files, name, buf_span(&b));
}

static enum ctl_exit say(const struct options *o, int64_t id, const char *said, bool good)
{
	if (o->desk.json)
		printf("{\"id\":%lld,\"said\":\"%s\"}\n", (long long)id, said);
	else
		puts(strcmp(said, "proposed") == 0 ? DESK_PROPOSED : said);
	return good ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit instruct(
	const struct options *o, struct desk *d, const struct conf *c, int64_t id)
{
	struct pg_params p = { 0 };
	char said[sizeof d->text];
	bool instructed;

	pg_add_int8(&p, id);
	pg_add_bytes(&p, span_str(o->desk.by));
	pg_add_bytes(&p, span_str(o->desk.reason));
	d->each = desk_keep_text;
	if (!desk_ask(d, PG_STMT_SETTLEMENT_INSTRUCT, &p))
		return CTL_FAILED;
	memcpy(said, d->text, sizeof said);
	instructed = strcmp(said, "instructed") == 0;
	if (instructed && (!load(d, id) || !write_file(o, c)))
		return CTL_FAILED;
	return say(o, id, said, instructed || strcmp(said, "proposed") == 0);
}

/* ---- confirm ------------------------------------------------------------------------------- */

static enum ctl_exit confirm(const struct options *o, struct desk *d, int64_t id)
{
	struct pg_params p = { 0 };
	struct money sum;
	int64_t minor;

	if (!load(d, id))
		return CTL_FAULTS;
	minor = money_minor(one.amount);
	if (o->amount) {
		if (money_parse_major(span_str(o->amount), money_ccy(one.amount), &sum) != RC_OK) {
			fprintf(stderr, "switchctl: --amount %s is no amount of %s\n", o->amount,
				ccy_alpha(money_ccy(one.amount)));
			return CTL_USAGE;
		}
		minor = minor < 0 ? -money_minor(sum) : money_minor(sum);
	}
	pg_add_int8(&p, id);
	pg_add_int8(&p, minor);
	pg_add_bytes(&p, span_str(o->reference));
	pg_add_bytes(&p, span_str(o->desk.by));
	pg_add_bytes(&p, span_str(o->desk.reason));
	d->each = desk_keep_text;
	if (!desk_ask(d, PG_STMT_SETTLEMENT_CONFIRM, &p))
		return CTL_FAILED;
	return say(o, id, d->text,
		strcmp(d->text, "confirmed") == 0 || strcmp(d->text, "proposed") == 0);
}

/* ---- all ----------------------------------------------------------------------------------- */

enum verb { LIST, OPEN, INSTRUCT, CONFIRM, VERBS };

static enum ctl_exit run(const struct options *o, enum verb v, const struct conf *c, int64_t id)
{
	enum ctl_exit status = CTL_USAGE;
	struct desk d;

	if (!desk_open(&d, &o->desk))
		return CTL_FAILED;
	switch (v) {
	case LIST:
		status = list(o, &d);
		break;
	case OPEN:
		status = open_all(o, &d, c);
		break;
	case INSTRUCT:
		status = instruct(o, &d, c, id);
		break;
	case CONFIRM:
		status = confirm(o, &d, id);
		break;
	case VERBS:
		break;
	}
	desk_close(&d);
	return status;
}

/* What the verb needs is there. */
static bool is_whole(const struct options *o, enum verb v, int64_t *ret_id)
{
	int64_t day;

	if (v == VERBS || o->desk.words != (v == LIST || v == OPEN ? 1 : 2) ||
		(o->desk.words == 2 && span_to_i64(span_str(o->desk.word[1]), ret_id) != RC_OK))
		return false;
	if (v == OPEN)
		return o->conf && o->through && clearing_read_day("--through", o->through, &day);
	if (v == INSTRUCT && (!o->conf || !o->files ||
				     (o->form && strcmp(o->form, "pacs.009") != 0 &&
					     strcmp(o->form, "pain.001") != 0)))
		return false;
	if (v == CONFIRM && !o->reference)
		return false;
	return v == LIST || desk_signed(&o->desk);
}

enum ctl_exit ctl_settle(int argc, char **argv)
{
	static const char *const verbs[VERBS] = { "list", "open", "instruct", "confirm" };
	struct options o = { .conf = NULL };
	const struct desk_option more[] = { { "--conf", &o.conf, NULL },
		{ "--files", &o.files, NULL }, { "--through", &o.through, NULL },
		{ "--form", &o.form, NULL }, { "--amount", &o.amount, NULL },
		{ "--reference", &o.reference, NULL }, { NULL, NULL, NULL } };
	enum ctl_exit status = CTL_FAILED;
	struct conf *c = NULL;
	const char *why = "";
	enum verb v = LIST;
	int64_t id = 0;

	if (!desk_read(argc, argv, 2, more, &o.desk) || !o.desk.words)
		return CTL_USAGE;
	while (v < VERBS && strcmp(verbs[v], o.desk.word[0]) != 0)
		v++;
	if (!is_whole(&o, v, &id))
		return CTL_USAGE;
	if (o.conf && !(c = conf_load(o.conf, NULL, &why)))
		fprintf(stderr, "switchctl: %s\n", why);
	else
		status = run(&o, v, c, id);
	conf_free(c);
	return status;
}
