/*
 * rds.h: one connection to Redis, an accelerator and never a judge. Every question has three
 * answers: yes, no, and don't know; who is told "don't know" asks Postgres (rules K-1 to K-3).
 *
 * Answers come within 50 ms or not at all: a command past its deadline closes the connection, and
 * everything behind it is unknown too. The connection comes back by itself; commands never do.
 * Values carry a checksum bound to their key, so a mixed-up or damaged one is a "no".
 */
#ifndef XW_RDS_H
#define XW_RDS_H

#include "loop.h"
#include "span.h"

#define RDS_COMMANDS_MAX 256
#define RDS_BYTES_MAX    (1u << 20) /* outstanding, all commands together */
#define RDS_KEY_MAX      256        /* with the prefix */
#define RDS_VALUE_MAX    (64u << 10)

enum rds_say { RDS_YES, RDS_NO, RDS_UNKNOWN };

enum rds_state {
	RDS_STATE_DOWN,       /* no connection; a timer will try */
	RDS_STATE_CONNECTING, /* connected or not, the greeting is not answered */
	RDS_STATE_READY,
	RDS_STATE_BROKEN, /* being taken down: owners of commands are told */
};

/* value: what was stored, for rds_get and RDS_YES only; valid during the call. */
typedef void rds_done_fn(void *ctx, enum rds_say say, struct span value);
typedef void rds_state_fn(void *ctx, enum rds_state state, const char *why);

struct rds_conf {
	const char *path;   /* of its socket */
	const char *name;   /* as CLIENT LIST shows it */
	const char *prefix; /* of every key: environment and version of what is stored */
	int command_ms;
	int connect_ms;
	int retry_ms_max;
	bool held; /* commands wait for rds_flush; else they leave in the loop's next turn */
};
#define RDS_CONF_DEFAULT .command_ms = 50, .connect_ms = 1000, .retry_ms_max = 5000

struct rds;

/* conf's texts must outlive it. NULL: no memory. on_state may be NULL. */
struct rds *rds_open(
	struct loop *loop, const struct rds_conf *conf, rds_state_fn *on_state, void *ctx);
/* Outstanding commands hear RDS_UNKNOWN. Not from a callback. NULL is fine; returns NULL. */
struct rds *rds_close(struct rds *r);
enum rds_state rds_state(const struct rds *r);

/* For all: RC_OK: done is called exactly once, later. RC_IO: not connected; RC_FULL: too much
 * outstanding; RC_RANGE: key or value too long; then nothing was sent and done is not called.
 * done may be NULL. */

/* YES with the value, or NO. */
MUST enum rc rds_get(struct rds *r, struct span key, rds_done_fn *done, void *ctx);
/* YES: stored. */
MUST enum rc rds_set(struct rds *r, struct span key, struct span value, int ttl_ms,
	rds_done_fn *done, void *ctx);
/* YES: the key was free and is now taken; NO: it was taken. */
MUST enum rc rds_setnx(struct rds *r, struct span key, int ttl_ms, rds_done_fn *done, void *ctx);

/* Sends what the owner's turn has asked, in one write: waiting for the loop to say that the socket
 * takes bytes, which it nearly always does, costs four system calls and a turn for each. False:
 * the connection was lost over it, and done was called for all that was outstanding. */
bool rds_flush(struct rds *r);

#endif
