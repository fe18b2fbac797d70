/*
 * fsm.h: small table machines. A move that its .def list does not allow stops the program at the
 * line that made it; the sentence of the move is what gets logged.
 */
#ifndef XW_FSM_H
#define XW_FSM_H

#include "check.h"

struct fsm_move {
	uint8_t from, to;
	const char *sentence;
};

struct fsm {
	const char *name;
	uint8_t state_count, move_count;
	const char *const *state_name;
	const char *const *state_sentence;
	const struct fsm_move *move;
};

extern const struct fsm fsm_leg, fsm_undo, fsm_refund;

/* Moves *state and returns the sentence of the move. */
const char *fsm_move(const struct fsm *f, uint8_t *state, uint8_t to);

#endif
