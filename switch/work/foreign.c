/*
 * foreign.c: a record that is not for this program: written by a later version of it, or about
 * participants that its configuration does not have, because others were restarted before it.
 *
 * Half understood is not understood: whoever asks about such a payment is told to ask again, which
 * leads to a program that knows, and answers that came for it are let go, for they are asked for
 * again by whoever goes on. The hard thing is that it may turn foreign while requests wait and
 * calls are out. Must never step such a record, nor an older one of the same payment again.
 */
#include "work.h"

bool foreign_is(const struct wrk *w, const struct pay *p)
{
	const uint16_t named[] = { p->acq.peer, p->iss.peer, p->via, p->undo.by };

	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (named[i] && !link_of(w, named[i]))
			return true;
	for (int i = 0; i < p->candidate_count; i++)
		if (!link_of(w, p->candidate[i]))
			return true;
	return false;
}

void foreign_found(struct wrk *w, struct live *l)
{
	l->foreign = true;
	l->ours = l->has_turn = false;
	l->rec.due = WALL_NONE; /* others hear its alarm */
	live_set_alarm(w, l);
	if (!list_is_linked(&l->all))
		list_append(&w->ready, &l->all);
}

void live_refuse_all(struct wrk *w, struct live *l, enum reason why, const char *detail)
{
	while (!list_is_empty(&l->inbox)) {
		struct item *it = LIST_OBJ(list_pop(&l->inbox), struct item, node);
		if (it->rq)
			inbound_refuse(w, it->rq, why, detail, NULL);
		item_free(w, it);
	}
}

void foreign_refuse(struct wrk *w, struct live *l)
{
	live_refuse_all(w, l, REASON_UNAVAILABLE,
		"a later program has this payment; repeat with the same id");
}
