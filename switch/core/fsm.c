/*
 * fsm.c: the tables of leg, undo and refund, built from their .def lists.
 *
 * The hard thing is that the same lists also yield the enums, the diagrams of the README and the
 * operators' words; so nothing about a state may be written anywhere else.
 */
#include "fsm.h"

#include <stddef.h>

#include "pay.h"

#define COUNT(a) (uint8_t)(sizeof(a) / sizeof((a)[0]))

#define MOVE(FROM, TO, sentence)
#define STATE(NAME, sentence) #NAME,
static const char *const leg_name[] = {
#include "leg.def"
};
static const char *const undo_name[] = {
#include "undo.def"
};
static const char *const refund_name[] = {
#include "refund.def"
};
#undef STATE
#define STATE(NAME, sentence) sentence,
static const char *const leg_sentence[] = {
#include "leg.def"
};
static const char *const undo_sentence[] = {
#include "undo.def"
};
static const char *const refund_sentence[] = {
#include "refund.def"
};
#undef STATE
#undef MOVE

#define STATE(NAME, sentence)
#define MOVE(FROM, TO, sentence) { LEG_##FROM, LEG_##TO, sentence },
static const struct fsm_move leg_move[] = {
#include "leg.def"
};
#undef MOVE
#define MOVE(FROM, TO, sentence) { UNDO_##FROM, UNDO_##TO, sentence },
static const struct fsm_move undo_move[] = {
#include "undo.def"
};
#undef MOVE
#define MOVE(FROM, TO, sentence) { REFUND_##FROM, REFUND_##TO, sentence },
static const struct fsm_move refund_move[] = {
#include "refund.def"
};
#undef MOVE
#undef STATE

const struct fsm fsm_leg = { "leg", COUNT(leg_name), COUNT(leg_move), leg_name, leg_sentence,
	leg_move };
const struct fsm fsm_undo = { "undo", COUNT(undo_name), COUNT(undo_move), undo_name, undo_sentence,
	undo_move };
const struct fsm fsm_refund = { "refund", COUNT(refund_name), COUNT(refund_move), refund_name,
	refund_sentence, refund_move };

const char *fsm_move(const struct fsm *f, uint8_t *state, uint8_t to)
{
	for (int i = 0; i < f->move_count; i++) {
		const struct fsm_move *m = &f->move[i];
		if (m->from == *state && m->to == to) {
			*state = to;
			return m->sentence;
		}
	}
	CHECK_UNREACHABLE(); /* the machine has no such move */
}
