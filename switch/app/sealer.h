/*
 * sealer.h: the process that keeps the tamper-evident log: behind the payments, with rights and a
 * key of its own.
 */
#ifndef XW_SEALER_H
#define XW_SEALER_H

#include <stdbool.h>

struct sealer_conf {
	const char *origin;   /* name of the log and of its key */
	const char *key;      /* file: PEM, Ed25519, private */
	const char *postgres; /* libpq conninfo, role sealer */
	const char
		*notes; /* file that checkpoints are appended to; the verifier key lies beside it */
	int every_s;    /* between two checkpoints under traffic */
	int stretch;    /* leaves after which sums of accounts are rolled up */
};

/* Until SIGTERM; the exit status. */
int sealer_run(const struct sealer_conf *c);

#endif
