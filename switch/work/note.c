/*
 * note.c: one JSON line for each move of a payment and each refusal, always in the same form.
 *
 * Operators and the move tables share their sentences. Must never hold a code, a handle, a key, a
 * signature or a body.
 */
#include "json.h"
#include "work.h"

static void head(struct jw *j, struct wrk *w, const char *level, const char *event)
{
	char ts[40];
	struct buf b = buf_init(ts, sizeof ts);

	wall_write(&b, w->wall, 6);
	jw_obj(j, NULL);
	jw_str(j, "ts", buf_span(&b));
	jw_str(j, "lvl", span_str(level));
	jw_str(j, "ev", span_str(event));
}

static void peer(struct jw *j, const struct wrk *w, const char *key, uint16_t number)
{
	const struct link *l = number ? link_of(w, number) : NULL;

	if (l)
		jw_str(j, key, span_str(l->peer->name));
}

void note_moved(struct wrk *w, const struct pay *before, const struct step *st)
{
	const struct pay *p = &st->next;
	char line[1024], id[32];
	struct buf b = buf_init(line, sizeof line), t = buf_init(id, sizeof id);
	struct jw j = jw_init(&b);

	pay_id_write(&t, &p->id);
	head(&j, w, st->exception ? "warning" : "info", "move");
	jw_str(&j, "payment", buf_span(&t));
	jw_int(&j, "version", p->version);
	jw_str(&j, "from", span_str(pay_state_name(pay_state(before))));
	jw_str(&j, "state", span_str(pay_state_name(pay_state(p))));
	jw_opt(&j, "moved", span_str(st->moved));
	peer(&j, w, "acquirer", p->acq.peer);
	peer(&j, w, "issuer", p->iss.peer);
	if (p->iss.reason)
		jw_str(&j, "code", span_str(reason_name((enum reason)p->iss.reason)));
	if (st->exception)
		jw_int(&j, "exception", st->exception);
	jw_int(&j, "dur_us", w->wall.us - p->created.us);
	jw_end(&j, '}');
	if (buf_ok(&b))
		w->port->log(w->port->ctx, buf_span(&b));
}

#define QUIET_MS     60000
#define QUIET_MS_MIN 1000

/* An outbox that nobody takes from is tried for days: one line a minute, or when it is another
 * reason. */
void note_undelivered(struct wrk *w, const struct link *l, const struct msg *m)
{
	struct link_state *s = link_state(w, l);
	struct span why = !m               ? SPAN("no usable answer")
			  : m->has_problem ? span_str(m->detail)
					   : span_str(m->their_code);
	char line[1024], cause[sizeof s->undelivered];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	CHECK(span_to_cstr(span_utf8_cut(why, sizeof cause - 1), cause, sizeof cause));
	if (w->now.us < s->quiet_until.us &&
		(strcmp(cause, s->undelivered) == 0 ||
			s->quiet_until.us - w->now.us > (QUIET_MS - QUIET_MS_MIN) * INT64_C(1000)))
		return;
	memcpy(s->undelivered, cause, sizeof cause);
	s->quiet_until = mono_plus_ms(w->now, QUIET_MS);
	head(&j, w, "warning", "undelivered");
	jw_str(&j, "partner", span_str(l->peer->name));
	jw_opt(&j, "detail", span_str(cause));
	if (m && !m->has_problem)
		jw_opt(&j, "said", span_str(m->their_text));
	jw_end(&j, '}');
	if (buf_ok(&b))
		w->port->log(w->port->ctx, buf_span(&b));
}

void note_refused(struct wrk *w, const struct rq *rq, enum reason why, const char *detail)
{
	char line[1024];
	struct buf b = buf_init(line, sizeof line);
	struct jw j = jw_init(&b);

	head(&j, w, "notice", "refused");
	jw_str(&j, "partner", span_str(rq->link->peer->name));
	if (rq->request.route)
		jw_str(&j, "op", span_str(op_name(rq->request.route->op)));
	jw_str(&j, "code", span_str(reason_name(why)));
	jw_opt(&j, "detail", span_sub(span_str(detail), 0, 256));
	jw_end(&j, '}');
	if (buf_ok(&b))
		w->port->log(w->port->ctx, buf_span(&b));
}
