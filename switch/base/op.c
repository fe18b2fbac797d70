/*
 * op.c: the names of operations, outcomes and reasons, all from op.def. The numbers may come from a
 * stored message of a newer version, so an unknown one is answered and not a failed check.
 */
#include "op.h"

const char *op_name(enum op op)
{
	switch (op) {
#define OP(NAME, number, slug, sentence)                                                           \
	case OP_##NAME:                                                                            \
		return slug;
#include "op.def"
#undef OP
	case OP_MAX:
		break;
	}
	return "unknown";
}

const char *outcome_name(enum outcome o)
{
	switch (o) {
#define OUTCOME(NAME, number, slug, sentence)                                                      \
	case OUTCOME_##NAME:                                                                       \
		return slug;
#include "op.def"
#undef OUTCOME
	}
	return "unknown";
}

const char *reason_name(enum reason r)
{
	switch (r) {
#define REASON(NAME, number, slug, sentence)                                                       \
	case REASON_##NAME:                                                                        \
		return slug;
#include "op.def"
#undef REASON
	}
	return "unknown";
}
