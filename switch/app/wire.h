/*
 * wire.h: binds a worker's ports to sockets, servers and keys; only the files of wire know both
 * sides.
 */
#ifndef XW_WIRE_H
#define XW_WIRE_H

#include "http_server.h"
#include "loop.h"
#include "proc.h"

struct wire;

/* Opens everything that a worker (or, without a listener, the clerk) needs, the keys of a listener
 * too. NULL: *ret_why says whose file was refused, and why. All that is pointed to outlives it.
 * own: its slot in the page and the notes. */
struct wire *wire_open(struct loop *loop, const struct conf *conf, struct proc_page *page,
	struct proc_notes *notes, int own, const struct proc_bells *bells, bool is_clerk,
	const char **ret_why);
struct wire *wire_close(struct wire *w);
/* Takes requests from now on. Only who is ready should. */
bool wire_listen(struct wire *w, const struct proc_fds *fds, const char **ret_why);
struct wrk *wire_worker(struct wire *w);
/* One turn of the worker, with what belongs around it: log lines, counters. */
struct mono wire_turn(struct wire *w);
/* Stops accepting; who is connected is served once more. True once nobody is. */
bool wire_drain(struct wire *w);
bool wire_ready(const struct wire *w); /* the ledger takes commits */

/* The clerk's questions to the ledger; the answers come to the functions given. */
typedef void wire_overdue_fn(void *ctx, const struct pay_id *id);
typedef void wire_outbox_fn(
	void *ctx, const struct pay_id *out_id, uint16_t peer, int tries, struct span body);
typedef void wire_operator_fn(void *ctx, int64_t number, const struct pay_id *id,
	enum operator_verb verb, struct span by);
typedef void wire_end_fn(void *ctx, bool ok);
/* At most one of each under way: RC_FULL. */
MUST enum rc wire_overdue(struct wire *w, int most, int grace_ms, int lease_ms,
	wire_overdue_fn *each, wire_end_fn *end, void *ctx);
MUST enum rc wire_outbox(
	struct wire *w, int most, int lease_ms, wire_outbox_fn *each, wire_end_fn *end, void *ctx);
MUST enum rc wire_operator(struct wire *w, int most, int lease_ms, wire_operator_fn *each,
	wire_end_fn *end, void *ctx);
/* What became of a request; lost, its lease ends and it is taken again. */
void wire_operator_done(struct wire *w, int64_t number, const char *outcome);
void wire_outbox_done(struct wire *w, const struct pay_id *out_id, const uint8_t digest[32]);
void wire_outbox_retry(struct wire *w, const struct pay_id *out_id, struct wall next);
/* Whether somebody said, since the last call, that a notification waits. */
bool wire_rung(struct wire *w);
void wire_counts(struct wire *w); /* closes what is known again; gauges into the slot */
/* The wall's clock was set back: what the ledger was told to wait for by the old time waits no
 * longer. */
void wire_clock_back(struct wire *w);
void wire_partitions(struct wire *w); /* tables for the months to come */
void wire_days(struct wire *w);       /* accounts for the days to come */
void wire_expire_codes(struct wire *w);
/* Schemes are asked for their code rules when it is time; to be called each second. */
void wire_rules_look(struct wire *w);
/* Merchants are registered at schemes, and those asked about that are not decided; likewise. */
void wire_standing_look(struct wire *w);
/* Tells what we decided of a merchant to the acquirer that asked us, its scheme. */
void wire_member_look(struct wire *w);

#endif
