/*
 * wire_rules.c: code rules: asked of the schemes when it is time, kept in the ledger, put into the
 * page, and from there into force in this process.
 *
 * The hard thing is that nothing of a set may be in force before all of it is durable, and that
 * what is in force stays there whatever comes instead of an answer. One scheme at a time. Must
 * never say that a set is in force before it lies in the page.
 */
#include "wire_parts.h"

#include <stdio.h>

#include "code_rules.h"

/* SPEC alipayplus 4.14 [C:S18]: at least once a day. */
#define NEXT_S   (6 * 3600)
#define AGAIN_S  300
#define LEASE_MS 60000
#define READ_MS  60000 /* another clerk, elsewhere, may have asked */

void wire_rules_refresh(struct wire *w)
{
	if (code_rules_read(&w->page->rules, &w->rules_seen, &w->rules))
		wrk_set_rules(w->worker, &w->rules);
}

static void on_over(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	w->rules_state.busy = false;
	if (a->end != PG_END_DONE)
		proc_log("warning", "code-rules", "an outcome was not written; asked again soon");
}

/* What came of it is written down; lost, the lease ends and the scheme is asked again. */
static void over(struct wire *w, int next_s, const char *outcome)
{
	struct wire_rules *r = &w->rules_state;
	struct pg_params params = { 0 };

	pg_add_int2(&params, r->peer);
	pg_add_int8(&params, r->asked);
	pg_add_int4(&params, next_s);
	pg_add_bytes(&params, span_str(outcome));
	proc_log(next_s == NEXT_S ? "info" : "warning", "code-rules", outcome);
	if (pg_send(w->clerk, PG_STMT_CODE_RULES_DONE, &params, on_over, w) != RC_OK)
		r->busy = false;
}

static void on_read(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_rules *r = &w->rules_state;

	if (a->end == PG_END_DONE)
		code_rules_write(&w->page->rules, a->rows);
	r->reading = false;
	if (r->kept) /* what was read before that may be older */
		over(w, a->end == PG_END_DONE ? NEXT_S : AGAIN_S,
			a->end == PG_END_DONE ? r->outcome : "the ledger was lost");
	r->kept = false;
}

static bool read_again(struct wire *w)
{
	struct pg_params none = { 0 };

	w->rules_state.reading = pg_send(w->clerk, PG_STMT_CODE_RULES, &none, on_read, w) == RC_OK;
	return w->rules_state.reading;
}

static void on_kept(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	w->rules_state.kept = a->end == PG_END_DONE && read_again(w);
	if (!w->rules_state.kept)
		over(w, AGAIN_S, "the ledger did not take them");
}

static void keep(struct wire *w, const Xw__Canonical *answer)
{
	struct wire_rules *r = &w->rules_state;
	struct buf b = buf_init(r->memory + WIRE_RULES_ROOM / 2, WIRE_RULES_ROOM / 2);
	struct jw j = jw_init(&b);
	struct pg_params params = { 0 };

	jw_arr(&j, NULL);
	for (size_t i = 0; i < answer->n_rules; i++) {
		jw_obj(&j, NULL);
		jw_str(&j, "pattern", span_str(answer->rules[i]->pattern));
		jw_bool(&j, "refused", answer->rules[i]->refused);
		jw_bool(&j, "page", answer->rules[i]->page);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	pg_add_int2(&params, r->peer);
	pg_add_bytes(&params, span_str(answer->rules_version));
	pg_add_bytes(&params, buf_span(&b));
	snprintf(r->outcome, sizeof r->outcome, "in force: %zu rules of version %s",
		answer->n_rules, answer->rules_version);
	if (!buf_ok(&b) || pg_send(w->clerk, PG_STMT_CODE_RULES_KEEP, &params, on_kept, w) != RC_OK)
		over(w, AGAIN_S, "the ledger was lost");
}

static void on_asked(void *ctx, const Xw__Canonical *answer)
{
	struct wire *w = ctx;
	char text[256];

	if (!answer || (!answer->problem &&
			       (!answer->outcome || answer->outcome->result == OUTCOME_UNKNOWN))) {
		over(w, AGAIN_S, "refused: there is no answer that can be believed");
	} else if (answer->problem) {
		snprintf(text, sizeof text, "refused: %s%s%s", answer->problem->pointer,
			*answer->problem->pointer ? ": " : "", answer->problem->detail);
		over(w, AGAIN_S, text);
	} else if (answer->outcome->result != OUTCOME_APPROVED) {
		snprintf(text, sizeof text, "refused: they say %s", answer->outcome->code);
		over(w, AGAIN_S, text);
	} else {
		keep(w, answer);
	}
}

static void on_taken(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_rules *r = &w->rules_state;
	Xw__Canonical *question;

	if (a->end != PG_END_DONE || pg_rows_count(a->rows) == 0) {
		r->busy = false;
		return;
	}
	r->peer = (int16_t)pg_int(a->rows, 0, 0);
	r->asked = pg_int(a->rows, 0, 1);
	r->arena = arena_init(r->memory, WIRE_RULES_ROOM / 2);
	question = canonical_new(&r->arena, OP_RULES, false);
	if (!wrk_ask(w->worker, (uint16_t)r->peer, question, &r->arena, on_asked, w))
		over(w, AGAIN_S, "refused: too much to do");
}

void wire_rules_look(struct wire *w)
{
	struct wire_rules *r = &w->rules_state;
	struct mono now = loop_now(w->loop).mono;
	struct pg_params params = { 0 };

	if (now.us >= r->read_at.us && !r->reading && read_again(w))
		r->read_at = mono_plus_ms(now, READ_MS);
	if (r->busy)
		return;
	pg_add_int4(&params, LEASE_MS);
	r->busy = pg_send(w->clerk, PG_STMT_CODE_RULES_TAKE, &params, on_taken, w) == RC_OK;
}
