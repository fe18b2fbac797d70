/*
 * wire_standing.c: merchants registered at schemes: the request sent until it is answered, then
 * asked about until it is decided; what is said goes into the registry.
 *
 * The hard thing is the lost answer: the same request goes out again under the same id, which the
 * scheme answers as before. One at a time; a scheme takes days. Must never decide which of two
 * words counts: the ledger does, in one place for answers and notifications.
 */
#include "wire_parts.h"

#include <stdio.h>

#define LEASE_MS 60000

enum {
	ID,
	PEER,
	PHASE,
	TRIES,
	MERCHANT,
	NAME,
	MCC,
	COUNTRY,
	CITY,
	ADDRESS,
	STORE,
	STORE_NAME,
	LEGAL,
	TYPE,
	NUMBER
};

/* Soon, then less often. SPEC alipayplus 4.17 [C:S34]: the status once a day. */
static int next_s(const struct wire_standing *s)
{
	static const int send[] = { 2, 5, 30, 120, 600, 3600 };
	static const int inquire[] = { 5, 30, 300, 1800, 7200, 86400 };
	int n = s->tries < 1 ? 0 : s->tries > 6 ? 5 : s->tries - 1;

	return s->sending ? send[n] : inquire[n];
}

static void on_over(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	w->standing.busy = false;
	if (a->end != PG_END_DONE)
		proc_log("warning", "registration", "what was said is not kept; asked again soon");
}

static void again(struct wire *w, const char *phase, int s)
{
	struct pg_params params = { 0 };

	pg_add_bytes(&params, span_str(w->standing.id));
	pg_add_bytes(&params, span_str(phase));
	pg_add_int4(&params, s);
	w->standing.busy = pg_send(w->clerk, PG_STMT_REGISTRATION_AGAIN, &params, on_over, w) ==
			   RC_OK;
}

static void decided(struct wire *w, const char *state, const char *detail)
{
	struct pg_params params = { 0 };

	pg_add_bytes(&params, span_str(w->standing.id));
	pg_add_int2(&params, w->standing.peer);
	pg_add_bytes(&params, span_str(state));
	pg_add_bytes(&params, span_str(detail));
	pg_add_bool(&params, true);
	w->standing.busy = pg_send(w->clerk, PG_STMT_REGISTRATION_SAID, &params, on_over, w) ==
			   RC_OK;
}

static void on_asked(void *ctx, const Xw__Canonical *answer)
{
	struct wire *w = ctx;
	struct wire_standing *s = &w->standing;
	const Xw__Outcome *o = answer && !answer->problem ? answer->outcome : NULL;
	char text[400];

	if (answer && answer->problem && s->sending) {
		decided(w, "refused", answer->problem->detail);
	} else if (o && o->result == OUTCOME_DECLINED) {
		snprintf(text, sizeof text, "%s%s%s", s->sending ? o->code : "",
			s->sending && *o->text ? ": " : "", o->text);
		decided(w, "refused", text);
	} else if (o && o->result == OUTCOME_APPROVED && !s->sending) {
		decided(w, "registered", o->text);
	} else if (o && o->result == OUTCOME_PENDING && s->sending) {
		again(w, "inquire", 5);
	} else {
		again(w, s->sending ? "send" : "inquire", next_s(s));
	}
}

static char *text_of(struct wire_standing *s, const struct pg_rows *rows, int column)
{
	return canonical_str(&s->arena, pg_bytes(rows, 0, column));
}

static Xw__Canonical *question(struct wire_standing *s, const struct pg_rows *rows)
{
	Xw__Canonical *c = canonical_new(&s->arena, s->sending ? OP_REGISTER : OP_STANDING, false);
	Xw__Registration *r = arena_new(&s->arena, Xw__Registration);
	Xw__Party *m;

	if (!c || !r || !(c->order = canonical_order(&s->arena)))
		return NULL;
	xw__registration__init(r);
	m = c->order->merchant;
	c->request_id = text_of(s, rows, ID);
	m->id = text_of(s, rows, MERCHANT);
	m->name = text_of(s, rows, NAME);
	m->mcc = text_of(s, rows, MCC);
	m->country = text_of(s, rows, COUNTRY);
	m->city = text_of(s, rows, CITY);
	m->address = text_of(s, rows, ADDRESS);
	m->store_id = text_of(s, rows, STORE);
	m->store_name = text_of(s, rows, STORE_NAME);
	r->legal_name = text_of(s, rows, LEGAL);
	r->type = text_of(s, rows, TYPE);
	r->number = text_of(s, rows, NUMBER);
	if (*r->legal_name || *r->number)
		c->registration = r;
	return arena_ok(&s->arena) ? c : NULL;
}

static void on_taken(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_standing *s = &w->standing;
	Xw__Canonical *c;

	s->busy = a->end == PG_END_DONE && pg_rows_count(a->rows) > 0 &&
		  span_to_cstr(pg_bytes(a->rows, 0, ID), s->id, sizeof s->id);
	if (!s->busy)
		return;
	s->peer = (int16_t)pg_int(a->rows, 0, PEER);
	s->sending = span_eq(pg_bytes(a->rows, 0, PHASE), SPAN("send"));
	s->tries = (int)pg_int(a->rows, 0, TRIES);
	s->arena = arena_init(s->memory, WIRE_STANDING_ROOM);
	c = question(s, a->rows);
	if (!c || !wrk_ask(w->worker, (uint16_t)s->peer, c, &s->arena, on_asked, w))
		again(w, s->sending ? "send" : "inquire", next_s(s));
}

void wire_standing_look(struct wire *w)
{
	struct pg_params params = { 0 };

	if (w->standing.busy)
		return;
	pg_add_int4(&params, LEASE_MS);
	w->standing.busy = pg_send(w->clerk, PG_STMT_REGISTRATION_TAKE, &params, on_taken, w) ==
			   RC_OK;
}
