/*
 * mutant.h: one bug at a time, on purpose, to see that the simulator finds it; mutant.def lists
 * them.
 *
 * MUTANT(NAME) is false and leaves nothing behind, but in a build with -Dmutants=true, whose
 * simulator alone says which one is in force: no other program of such a build can be linked.
 */
#ifndef XW_MUTANT_H
#define XW_MUTANT_H

#ifdef XW_MUTANTS
enum mutant {
	MUTANT_NONE,
#define MUTANT_ROW(NAME, name, invariant, sentence) MUTANT_##NAME,
#include "mutant.def"
#undef MUTANT_ROW
	MUTANT_COUNT
};

extern enum mutant xw_mutant;
#define MUTANT(NAME) (xw_mutant == MUTANT_##NAME)
#else
#define MUTANT(NAME) 0
#endif

#endif
