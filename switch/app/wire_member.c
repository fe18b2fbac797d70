/*
 * wire_member.c: what we decided of merchants is told to the acquirers that take us for their
 * scheme, until they have heard it.
 *
 * The hard thing is a decision that is changed while an earlier one is under way: what was heard
 * counts for the version that was told, and the ledger looks whether it is still the last. One at a
 * time. Must never tell of what is not decided.
 */
#include "wire_parts.h"

#define LEASE_MS 60000

enum { TOKEN, VERSION, TRIES, PEER, REQUEST, MERCHANT, STORE, STATE, DETAIL };

/* SPEC alipayplus 4.8 [T:3]: as results of payments are told again, with a quick start. */
static int next_s(int tries)
{
	static const int again[] = { 2, 10, 120, 600, 600, 3600, 7200, 21600, 54000 };
	int most = sizeof again / sizeof *again;

	return again[tries < 1 ? 0 : tries > most ? most - 1 : tries - 1];
}

static void on_over(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	w->member.busy = false;
	if (a->end != PG_END_DONE)
		proc_log("warning", "registration", "what was heard is not kept; told again");
}

static void told(struct wire *w, bool heard)
{
	struct wire_member *s = &w->member;
	struct pg_params params = { 0 };

	pg_add_bytes(&params, span_str(s->token));
	pg_add_int4(&params, s->version);
	pg_add_bool(&params, heard);
	pg_add_int4(&params, next_s(s->tries));
	s->busy = pg_send(w->clerk, PG_STMT_MEMBER_TOLD, &params, on_over, w) == RC_OK;
}

static void on_heard(void *ctx, const Xw__Canonical *answer)
{
	told(ctx, answer && !answer->problem && answer->outcome &&
			  answer->outcome->result == OUTCOME_APPROVED);
}

static Xw__Canonical *news(struct wire_member *s, const struct pg_rows *rows)
{
	struct arena *a = &s->arena;
	Xw__Canonical *c = canonical_new(a, OP_STANDING, false);
	bool good = span_eq(pg_bytes(rows, 0, STATE), SPAN("registered"));

	if (!c || !(c->order = canonical_order(a)))
		return NULL;
	c->request_id = canonical_str(a, pg_bytes(rows, 0, REQUEST));
	c->order->merchant->id = canonical_str(a, pg_bytes(rows, 0, MERCHANT));
	c->order->merchant->store_id = canonical_str(a, pg_bytes(rows, 0, STORE));
	c->outcome = canonical_outcome(a,
		good ? VERDICT(APPROVED, NONE) : VERDICT(DECLINED, MERCHANT), SPAN_NONE,
		good ? SPAN_NONE : pg_bytes(rows, 0, DETAIL));
	return arena_ok(a) ? c : NULL;
}

static void on_taken(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_member *s = &w->member;
	Xw__Canonical *c;

	s->busy = a->end == PG_END_DONE && pg_rows_count(a->rows) > 0 &&
		  span_to_cstr(pg_bytes(a->rows, 0, TOKEN), s->token, sizeof s->token);
	if (!s->busy)
		return;
	s->version = (int32_t)pg_int(a->rows, 0, VERSION);
	s->tries = (int)pg_int(a->rows, 0, TRIES);
	s->arena = arena_init(s->memory, WIRE_STANDING_ROOM);
	c = span_eq(pg_bytes(a->rows, 0, STATE), SPAN("asked")) ? NULL : news(s, a->rows);
	if (!c ||
		!wrk_ask(w->worker, (uint16_t)pg_int(a->rows, 0, PEER), c, &s->arena, on_heard, w))
		told(w, false);
}

void wire_member_look(struct wire *w)
{
	struct pg_params params = { 0 };

	if (w->member.busy)
		return;
	pg_add_int4(&params, LEASE_MS);
	w->member.busy = pg_send(w->clerk, PG_STMT_MEMBER_TAKE, &params, on_taken, w) == RC_OK;
}
