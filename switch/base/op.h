/*
 * op.h: the words that core, adapters and the canonical messages share: operations, outcomes,
 * reasons. Declared once in op.def, with the sentence that operators read. The numbers are those of
 * proto/canonical.proto and never change.
 */
#ifndef XW_OP_H
#define XW_OP_H

enum op {
#define OP(NAME, number, slug, sentence) OP_##NAME = number,
#include "op.def"
#undef OP
	OP_MAX = 32
};

enum outcome {
#define OUTCOME(NAME, number, slug, sentence) OUTCOME_##NAME = number,
#include "op.def"
#undef OUTCOME
};

enum reason {
#define REASON(NAME, number, slug, sentence) REASON_##NAME = number,
#include "op.def"
#undef REASON
};

/* Constant texts, "unknown" for a number that is not ours. */
const char *op_name(enum op op);          /* "debit" */
const char *outcome_name(enum outcome o); /* "approved" */
const char *reason_name(enum reason r);   /* "insufficient-funds" */

#endif
