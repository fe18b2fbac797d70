/*
 * explain.c: a code and an amount -> every row of the route table that was considered, and why it
 * won or lost.
 *
 * The hard thing is to be true: recognition and routing are the payment path's own functions, and
 * what they cannot see here is said: a payer's code that was fetched through us is known by its
 * hash in the ledger alone. Must never route by itself.
 */
#include "explain.h"

#include "form.h"
#include "json.h"
#include "recognise.h"
#include "route.h"

#define ROWS_MAX 200

struct question {
	const char *code, *scheme, *from, *amount, *currency, *mode, *at;
	struct recognised found;
	struct route_ask ask;
	uint16_t down[CONF_PEERS_MAX];
};

/* "" where absent; NULL where it is twice, or too long. */
static const char *field(struct arena *a, struct span form, const char *name)
{
	char *text = arena_alloc(a, 1024);
	struct buf b = buf_init(text, 1023);
	enum rc rc = text ? form_get(form, name, &b) : RC_FULL;

	if (rc != RC_OK && rc != RC_NOENT)
		return NULL;
	text[b.n] = '\0';
	return text;
}

static bool read_fields(struct arena *a, struct span form, struct question *q)
{
	static const char *const known[] = { "code", "scheme", "from", "amount", "currency", "mode",
		"at", NULL };

	return form_only(form, known) && (q->code = field(a, form, "code")) &&
	       (q->scheme = field(a, form, "scheme")) && (q->from = field(a, form, "from")) &&
	       (q->amount = field(a, form, "amount")) &&
	       (q->currency = field(a, form, "currency")) && (q->mode = field(a, form, "mode")) &&
	       (q->at = field(a, form, "at"));
}

static const struct peer *peer_named(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (strcmp(c->peer[i].name, name) == 0)
			return &c->peer[i];
	return NULL;
}

/* Without a mode: what the participant would bring. */
static bool put_mode(struct question *q, const struct peer *from)
{
	static const char *const modes[] = { "CPM", "MPM", "OUT", "SHOW" };
	int i = from->roles & PEER_ACQUIRER ? 0 : 1;

	if (*q->mode)
		for (i = 0; i < 4 && strcmp(q->mode, modes[i]) != 0; i++)
			;
	if (i == 4)
		return false;
	q->mode = modes[i];
	q->ask.mode = (uint8_t)modes[i][0];
	q->ask.op = route_op(q->ask.mode);
	q->ask.claimed = from->scheme && q->ask.mode == 'M';
	return true;
}

static bool put_amount(struct question *q)
{
	struct ccy ccy;

	return !*q->amount ||
	       (ccy_by_alpha(span_str(q->currency), &ccy) == RC_OK &&
		       money_parse_major(span_str(q->amount), ccy, &q->ask.amount) == RC_OK);
}

/* A merchant code of a participant's own, by the address that it has registered with us. */
static const struct peer *registered(const struct conf *c, struct span code)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->peer[i].order_url[0] && span_starts(code, span_str(c->peer[i].order_url)))
			return &c->peer[i];
	return NULL;
}

/* Whose a merchant code is, as the payment path finds out: our own, a participant's, a scheme's. */
static void put_scanned(const struct conf *c, const struct rules *rules, struct question *q)
{
	const struct peer *own = registered(c, span_str(q->code));

	if (q->found.own.peer) {
		q->ask.only = q->found.own.peer;
		q->ask.op = OP_NONE;
	} else if (own) {
		q->ask.only = own->number;
	} else {
		recognise_by_rules(&c->snapshot, rules, span_str(q->code), &q->found);
	}
}

static bool put_code(
	struct arena *a, const struct conf *c, const struct rules *rules, struct question *q)
{
	struct route_ask *ask = &q->ask;

	if (!*q->code)
		return *q->scheme &&
		       span_to_cstr(span_str(q->scheme), ask->scheme[ask->scheme_count++],
			       sizeof ask->scheme[0]);
	if (!recognise(a, span_str(q->code), span_str(c->code_guid), span_str(c->payer_origin),
		    &q->found))
		return false;
	if (ask->mode == 'M')
		put_scanned(c, rules, q);
	for (int i = 0; i < q->found.scheme_count; i++)
		if (!span_to_cstr(span_str(q->found.scheme[i]), ask->scheme[ask->scheme_count++],
			    sizeof ask->scheme[0]))
			return false;
	return true;
}

/* One whose breaker is open in every worker gets nothing new. */
static void put_down(const struct conf *c, const struct explain_gates *gates, struct question *q)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->link[i].off ||
			(gates && gates->workers && gates->open_in[i] == gates->workers))
			q->down[q->ask.down_count++] = c->peer[i].number;
	q->ask.down = q->down;
}

static const char *read_question(struct arena *a, const struct conf *c, struct span form,
	struct wall now, const struct rules *rules, struct question *q)
{
	const struct peer *from;

	*q = (struct question){ .found = { .format = "" }, .ask = { .now = now } };
	if (!read_fields(a, form, q))
		return "the question has fields that are not known, twice there, or too long";
	if (!(from = peer_named(c, q->from)))
		return "from: there is no such participant";
	q->ask.from = from->number;
	if (!put_mode(q, from))
		return "mode: CPM, MPM or OUT";
	if (!put_amount(q))
		return "amount: decimals of an ISO 4217 currency";
	if (*q->at && wall_parse(span_str(q->at), &q->ask.now) != RC_OK)
		return "at: an RFC 3339 time";
	return put_code(a, c, rules, q) ? NULL
					: "code: none, and no scheme; or longer than any code";
}

static const char *name_of(const struct conf *c, uint16_t number)
{
	const struct peer *p = snapshot_peer(&c->snapshot, number);

	return p ? p->name : "";
}

static void write_gate(
	const struct conf *c, const struct explain_gates *gates, uint16_t number, struct jw *j)
{
	for (size_t i = 0; i < c->peer_count; i++) {
		if (c->peer[i].number != number)
			continue;
		if (c->link[i].off)
			jw_bool(j, "switched_off", true);
		if (gates && gates->open_in[i])
			jw_int(j, "breaker_open_in", gates->open_in[i]);
	}
}

static void write_row(const struct conf *c, const struct explain_gates *gates,
	const struct route_line *l, struct jw *j)
{
	jw_obj(j, NULL);
	if (l->row != ROUTE_NO_ROW) {
		const struct route_row *r = &c->route[l->row];
		jw_int(j, "row", l->row + 1);
		jw_str(j, "scheme", span_str(r->scheme));
		jw_int(j, "priority", r->priority);
		jw_opt(j, "from", span_str(name_of(c, r->from)));
	}
	jw_str(j, "to", span_str(name_of(c, l->to)));
	jw_str(j, "verdict", span_str(route_verdict_name(l->verdict)));
	jw_str(j, "why", span_str(route_verdict_sentence(l->verdict)));
	write_gate(c, gates, l->to, j);
	jw_end(j, '}');
}

static void write_question(const struct conf *c, const struct question *q, struct jw *j)
{
	char text[40];
	struct buf at = buf_init(text, sizeof text);

	wall_write(&at, q->ask.now, 0);
	jw_str(j, "from", span_str(q->from));
	jw_str(j, "mode", span_str(q->mode));
	jw_str(j, "at", buf_span(&at));
	jw_opt(j, "amount", span_str(q->amount));
	jw_opt(j, "currency", span_str(*q->amount ? q->currency : ""));
	jw_opt(j, "format", span_str(q->found.format));
	jw_arr(j, "schemes");
	for (int i = 0; i < q->ask.scheme_count; i++)
		jw_str(j, NULL, span_str(q->ask.scheme[i]));
	jw_end(j, ']');
	jw_opt(j, "order_of", span_str(name_of(c, q->ask.only)));
}

static void write_rules(const struct conf *c, const struct question *q, struct jw *j)
{
	jw_arr(j, "rules");
	for (int i = 0; i < q->found.rule_count; i++) {
		const struct rule *r = q->found.rule[i];
		jw_obj(j, NULL);
		jw_str(j, "of", span_str(name_of(c, r->peer)));
		jw_int(j, "rule", r->number);
		jw_str(j, "pattern", span_str(r->pattern));
		jw_str(j, "scheme", span_str(snapshot_peer(&c->snapshot, r->peer)->code_rules));
		jw_str(j, "says",
			r->refused ? SPAN("not-supported")
			: r->page  ? SPAN("opens-page")
				   : SPAN("decode"));
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

bool explain(const struct conf *c, struct span form, struct wall now, const struct rules *rules,
	const struct explain_gates *gates, struct buf *out, const char **ret_why)
{
	static char memory[128 * 1024];
	static struct route_line lines[ROWS_MAX];
	struct arena a = arena_init(memory, sizeof memory);
	struct route_trace trace = { .line = lines, .most = ROWS_MAX };
	struct route_choice choice;
	struct question q;
	struct jw j = jw_init(out);
	enum reason why;

	if ((*ret_why = read_question(&a, c, form, now, rules, &q)))
		return false;
	put_down(c, gates, &q);
	route_choose(&c->snapshot, &q.ask, &choice, &trace);
	why = recognise_refusal(&q.found) ? REASON_UNSUPPORTED : route_reason(&q.ask, &choice);
	jw_obj(&j, NULL);
	write_question(c, &q, &j);
	jw_arr(&j, "asked");
	for (int i = 0; i < choice.count; i++)
		jw_str(&j, NULL, span_str(name_of(c, choice.to[i])));
	jw_end(&j, ']');
	if (why != REASON_NONE)
		jw_str(&j, "reason", span_str(reason_name(why)));
	jw_arr(&j, "rows");
	for (size_t i = 0; i < trace.count; i++)
		write_row(c, gates, &trace.line[i], &j);
	jw_end(&j, ']');
	if (rules)
		write_rules(c, &q, &j);
	if (gates)
		jw_int(&j, "workers", gates->workers);
	jw_end(&j, '}');
	return true;
}
