/*
 * bench.h: what the files of switchbench share: the world that it loads, the deals (payments as
 *their partner knows them), a run and what it came to.
 *
 *	crowd.c   the partners: keys, kept-alive connections, signed calls, verified answers
 *	deal.c    what a partner says and understands: bodies of requests, meaning of answers
 *	load.c    when: arrivals at a fixed rate, and what follows on a payment
 *	stock.c   order codes, made beforehand by the scheme's fake; counters of the switch
 *	plan.c    which rates, for how long, and which of them was held
 *	endure.c  one run through faults: who was served, and for how long nobody was
 *
 * One process, one thread, one of each: the structs belong to main.
 */
#ifndef XW_BENCH_H
#define XW_BENCH_H

#include "cpu.h"
#include "hist.h"
#include "http_client.h"
#include "msgsig.h"
#include "when.h"

#define POOLS       32 /* of connections, each a partner's server */
#define POOL_CONNS  8  /* bound of one */
#define PARTIES     2
#define DEALS_MAX   (1u << 21)
#define JOBS        (POOLS * POOL_CONNS)
#define LATER_MAX   (1u << 17)
#define AFTER_MS    500 /* a refund, cancel, replay or read comes so long after what it follows */
#define TRIES_MAX   40
#define STOCK_MAX   2048
#define WAIT_MS     15000 /* a partner waits so long for an answer */
#define PATIENT_MS  8000  /* one that knows of trouble waits so long, and repeats */
#define HELD_P99_US 100000

/* ---- corridors ---- */

/* Whose code is scanned; how a payment goes. */
enum way { WAY_ALIPAYPLUS, WAY_QUIET, WAY_VIPPS, WAY_BLUECODE, WAYS };

/* Asymmetric signatures that switchd makes and verifies for one payment that goes right. */
struct way_crypto {
	int rsa_sign, rsa_verify, p256_sign, p256_verify;
};

struct corridor {
	const char *name;
	int share[WAYS];                  /* percent */
	int refund, cancel, lost, replay; /* percent of payments */
	bool thrice;                      /* the scheme notifies each payment so often */
	int first_rate;                   /* where the search begins */
};

const struct corridor *corridor_find(const char *name);
const struct way_crypto *way_crypto(enum way w);

/* ---- deals ---- */

enum deal_state { DEAL_NEW, DEAL_OPEN, DEAL_PAID, DEAL_CANCELLED, DEAL_FAILED };
enum call_kind {
	CALL_PAY,
	CALL_SCAN,
	CALL_CONFIRM,
	CALL_READ,
	CALL_REPLAY,
	CALL_REFUND,
	CALL_CANCEL
};

struct deal {
	char id[27]; /* the switch's; "" until it told */
	uint8_t way, state;
	uint8_t follow; /* enum call_kind: REPLAY, REFUND, CANCEL, or PAY for none */
	bool lose;      /* the wallet's answer gets lost */
	uint8_t tries;
	bool counted; /* in a run that is over or aborted otherwise */
	int32_t price;
	int64_t taken, returned;
	struct mono intended;
	uint8_t answer[16]; /* digest of the final answer's body */
};

/* What an answer means for what is to be done. */
enum meaning {
	MEANS_DONE,    /* the payment is paid; or what followed is done */
	MEANS_CONFIRM, /* a scan waits for its user */
	MEANS_PENDING, /* ask again later */
	MEANS_AGAIN,   /* the call itself failed: repeat it */
	MEANS_NO,      /* final, and nothing moved; where faults are expected */
	MEANS_WRONG,   /* final, and not what it should be */
};

struct bench;
/* Writes the request: method, target, body, headers but the signature's. `code` for CALL_SCAN. */
void deal_write(const struct bench *b, uint32_t deal, enum call_kind kind, const char *code,
	struct http_out *out);
enum meaning deal_read(struct bench *b, uint32_t deal, enum call_kind kind,
	const struct http_msg *m, struct arena *a);
/* Chooses way and fate of a deal by its number. */
void deal_begin(struct bench *b, uint32_t deal, struct mono intended);
/* The partner's book, for comparison with the ledger; false where the file cannot be written. */
bool deal_write_book(const struct bench *b, const char *file);

/* ---- the crowd ---- */

struct party {
	const char *name;
	struct keys *keys;
	char keyid[128];
};

struct job {
	struct bench *b;
	uint32_t deal;
	enum call_kind kind;
	struct mono intended;
	struct hc *pool;
	uint8_t *busy; /* of that pool */
	struct http_out out;
	char target[256], headers[2048], body[1024];
	struct job *next; /* free ones */
};

struct crowd {
	struct loop *loop;
	struct tls *tls;
	struct hc *pool[POOLS];
	uint8_t busy[POOLS];
	uint32_t turn; /* which pool is next */
	struct party party[PARTIES];
	struct job job[JOBS];
	struct job *free;
	char origin[64], uri[320];
	char arena[64 * 1024];
};

struct place {
	const char *address;
	uint16_t port, control, operators;
	const char *keys; /* the run's keys/ */
};

bool crowd_open(struct crowd *c, struct bench *b, const struct place *at, const char **ret_why);
void crowd_close(struct crowd *c);
/* Signs and sends; the answer comes to load_answered. RC_FULL: every connection is busy. */
MUST enum rc crowd_send(struct crowd *c, uint32_t deal, enum call_kind kind, const char *code,
	struct mono intended);

/* ---- stock ---- */

struct stock {
	struct bench *b;
	struct hc *control, *operators;
	uint32_t want, asked;
	uint64_t head, tail; /* codes made and used */
	char code[STOCK_MAX][192];
	struct counters *into; /* a question to the switch that is under way */
	bool failed;
};

/* The switch's own counters. */
struct counters {
	int64_t commits, batches, calls, call_us, call_count;
};

bool stock_open(struct stock *s, struct bench *b, const struct place *at, const char **ret_why);
void stock_close(struct stock *s);
void stock_fill(struct stock *s);
const char *stock_take(struct stock *s); /* NULL: none is there */
/* Asks the switch; turns the loop until it has answered. */
bool stock_counters(struct stock *s, struct counters *ret);

/* ---- runs ---- */

struct result {
	double offered, achieved, seconds;
	uint64_t arrivals, paid; /* of the window */
	uint64_t dropped, late, pending,
		after; /* after: refunds, cancels, replays that were done */
	uint64_t lost, unsigned_, refused, wrong, unfinished; /* errors */
	uint64_t declined, doubled; /* doubled: one key, and the answer names another payment */
	int64_t gap_us;             /* the longest time without a payment that was paid, */
	int64_t calm_gap_us;        /* and that of the calm seconds at the beginning */
	uint64_t way[WAYS];         /* paid, by way */
	int64_t lag_us;             /* the latest start after its intended one */
	struct hist latency, after_latency;
	struct cpu cpu; /* used in the window */
	struct counters counters;
	bool aborted, cpu_known;
};

struct later {
	struct mono at;
	uint32_t deal;
	uint8_t kind;
};

/* When a run ends before its time, `aborted` and without figures. */
enum load_patience {
	LOAD_WHOLE,         /* never */
	LOAD_WHILE_HOPEFUL, /* the rate is hopeless */
	LOAD_WHILE_HELD,    /* an arrival of the window was dropped */
};

struct load {
	struct mono begin, from, to; /* arrivals; the window inside */
	double gap_us;
	uint64_t started, open; /* arrivals; deals and follow-ups that are not over */
	bool running, in_window;
	enum load_patience patience;
	struct later later[LATER_MAX];
	uint64_t later_head, later_tail;
	struct mono paid_at; /* the last time */
	struct cpu cpu;
	struct counters counters;
	struct result *result;
};

struct bench {
	struct loop *loop;
	const struct corridor *corridor;
	bool enduring;   /* faults are made meanwhile: no figure is taken, every call is repeated */
	int64_t calm_us; /* so long nothing is broken */
	struct cpu_pids pids;
	int64_t payer_us; /* what a Vipps user takes to approve; no part of a latency */
	uint32_t salt;
	uint32_t deal_count;
	struct deal *deal;
	uint64_t shown; /* unexpected answers that were printed */
	struct crowd crowd;
	struct stock stock;
	struct load load;
};

/* One run: `warm_s` beforehand, then the window; until all is over. False: the processes to be
 * measured are gone. */
bool load_run(struct bench *b, double rate, double warm_s, double seconds,
	enum load_patience patience, struct result *ret);
/* From the crowd: how a call ended. m NULL: no answer, or none that is signed over our call. */
void load_answered(struct bench *b, struct job *j, const struct http_msg *m, struct arena *a);
/* endure.c: one run at one rate, reported as one JSON object; false where it could not be made. */
bool endure_run(struct bench *b, double rate, double seconds);
uint64_t result_errors(const struct result *r);
bool result_held(const struct result *r);

#endif
