/*
 * proc.h: the processes of a switch and the page of memory that they share: each role writes its
 * own slot, the console reads all. Counters, an operator's wish for a reload with what came of it;
 * beside it, hints for who goes on with what the dead had begun. Nothing that a payment hangs on.
 */
#ifndef XW_PROC_H
#define XW_PROC_H

#include <sys/types.h>

#include "conf.h"
#include "http_server.h"
#include "rules.h"

enum role { ROLE_NONE, ROLE_WORKER, ROLE_CLERK, ROLE_CONSOLE, ROLE_SETUP };

#define PROC_MAX        36
#define PROC_DAYS_AHEAD 30 /* accounts of days are made so long before */
#define PROC_SAID       512
#define PROC_BUCKETS    12 /* .005 .01 .025 .05 .1 .25 .5 1 2.5 5 10 s and more */

struct proc_hist {
	uint64_t bucket[PROC_BUCKETS];
	uint64_t sum_us, count;
};

struct proc_slot {
	uint32_t role;     /* enum role; 0: free */
	int64_t turned_us; /* monotonic time of the last turn of its loop */
	uint32_t ready;    /* serves, or does its work; a supervisor lets the old ones go by it */
	uint32_t draining;
	uint32_t cache_ok;
	struct wrk_stats work;
	uint64_t http_requests, http_conns, http_shed, http_timeouts;
	uint64_t http_refused[HS_STATUS_MAX - HS_STATUS_MIN + 1]; /* by status */
	uint64_t batches, batch_steps, batch_splits, batch_lost;
	uint64_t cache_misses, cache_hits, cache_dont_know;
	struct proc_hist request_s, commit_s, call_s;
	int64_t gate_open_until_us[CONF_PEERS_MAX]; /* breakers, in the configuration's order */
	/* clerk */
	uint64_t resumed, taken_over, delivered, delivery_failed;
	int64_t due_count, overdue_count, outbox_count, exceptions_open;
	int64_t oldest_due_us, oldest_outbox_us; /* wall time; 0: none */
	uint64_t log_dropped;
};

/* Code rules as the clerk last read them from the ledger, and setup at the very first: who reads
 * takes a copy, and looks at the number before and behind. */
struct proc_rules {
	uint32_t number; /* odd: being written; 0: nobody has yet */
	uint32_t count;
	struct rule rule[MSG_RULES_MAX];
};

/* Notes of processes that have died, until a clerk takes each. By the supervisor, `put`; by any
 * clerk, `taken`, in order. More than fit are found by their alarms. */
#define PROC_NOTES   4096
#define PROC_ORPHANS 4096
#define PROC_ENDED   4096

struct proc_orphans {
	uint32_t put, taken;
	struct wrk_note note[PROC_ORPHANS];
};

/* Apart from the page: who may write here has calls made with the keys of others, so that only
 * those who have keys themselves have it. */
struct proc_notes {
	struct wrk_note note[PROC_MAX][PROC_NOTES]; /* of who has the slot */
	struct proc_orphans orphans;
	struct wrk_ended ended[PROC_ENDED]; /* by all */
};

struct proc_page {
	int64_t supervisor_turned_us;
	uint32_t restarts;
	uint32_t stopping;
	uint32_t reloads_asked, reloads_done; /* by the console; by the supervisor */
	uint32_t reload_good;
	char reload_said[PROC_SAID]; /* of the last one done: why not */
	struct proc_rules rules;
	struct proc_slot slot[PROC_MAX];
};

/* A doorbell for each slot: datagrams of one byte 'n' (a notification waits; for the clerk), or of
 * 'p' and a payment's id (an answer of it is final; for the workers). Losing one costs time only.
 */
struct proc_bells {
	int hear[PROC_MAX], ring[PROC_MAX];
};

/* Listening sockets; -1: not wanted. */
struct proc_fds {
	int partners, operators, payers;
};

/* The roles; each runs until it is told to stop (SIGTERM: drain, then go; twice: at once) and
 * returns the exit status. `listen_fd` is open already. */
int worker_run(const struct conf *c, struct proc_page *page, struct proc_notes *notes, int slot,
	const struct proc_fds *fds, const struct proc_bells *bells);
int clerk_run(const struct conf *c, struct proc_page *page, struct proc_notes *notes, int slot,
	const struct proc_bells *bells);
int console_run(
	const struct conf *c, struct proc_page *page, struct proc_slot *slot, int listen_fd);
/* Participants, accounts and caps of the configuration are in the ledger, and the ledger's code
 * rules in the page where nobody has put them there. 0, or 3. */
int setup_run(const struct conf *c, struct proc_page *page);
/* Opens sockets and shared memory, starts the roles, restarts what dies, stops them in order. The
 * configuration is its own from then on. */
int supervisor_run(struct conf *c);

/* As fork(2); the child has the signals, name and rights of a role. */
pid_t proc_fork(enum role role);
const char *proc_role_name(enum role role);
/* One line of the log of a process, before or beside its worker: level, event, text. */
void proc_log(const char *level, const char *event, const char *text);
/* A word of sd_notify's protocol, where there is a service manager. */
void proc_tell_manager(const char *state);

#endif
