/*
 * wire_parts.h: what the files of wire share and nobody else sees: the struct, and what each part
 * opens. wire_store is what is remembered (ledger, cache), wire_net who is talked to (listener,
 * calls, keys), wire_bell our own processes, wire_clerk the clerk's questions.
 */
#ifndef XW_WIRE_PARTS_H
#define XW_WIRE_PARTS_H

#include <event2/event.h>

#include "http_client.h"
#include "keys.h"
#include "pg_batch.h"
#include "rds.h"
#include "box.h"
#include "secret.h"
#include "vault.h"
#include "slab.h"
#include "tls.h"
#include "wire.h"

#define WIRE_LOG_BYTES (256 * 1024)

struct wire_commit {
	struct wire *w;
	struct commit *c;
	struct mono began;
	struct pgb_item item;
};

enum ask_kind {
	ASK_LOAD,
	ASK_FIND,
	ASK_REPLY,
	ASK_CODE,
	ASK_PAYER,
	ASK_KEPT,
	ASK_MERCHANT,
	ASK_STANDING,
	ASK_STANDING_KEPT,
	ASK_MEMBER,
	ASK_CACHE,
	ASK_NONCE
};

struct ask {
	struct wire *w;
	enum ask_kind kind;
	struct load_key key;
	struct pay_id id;
};

struct wire_call {
	struct wire *w;
	struct wire_peer *peer;
	uint64_t cookie;
	struct mono began;
};

#define WIRE_CAUSES 8

/* Why calls failed, as we have said it; said again after a while only. */
struct wire_cause {
	const char *why;
	struct mono quiet_until;
};

struct wire_peer {
	struct wire *w;
	struct wire_cause cause[WIRE_CAUSES];
	const struct conf_peer *conf;
	struct hc *pool;
	struct tls *tls;
	struct keys *keys;
	struct signer signer;
};

struct wire_clerk {
	wire_overdue_fn *overdue;
	wire_outbox_fn *outbox;
	wire_operator_fn *operate;
	wire_end_fn *overdue_end, *outbox_end, *operator_end;
	void *overdue_ctx, *outbox_ctx, *operator_ctx;
};

/* What is under way with one merchant's registration. */
struct wire_standing {
	bool busy, sending;
	int16_t peer;
	int tries;
	char id[32];
	char *memory; /* of the clerk alone */
	struct arena arena;
};

/* What is being told of one merchant to the acquirer that asked. */
struct wire_member {
	bool busy;
	int32_t version;
	int tries;
	char token[16];
	char *memory; /* of the clerk alone */
	struct arena arena;
};

#define WIRE_STANDING_ROOM (256u << 10)
#define WIRE_RULES_ROOM    (1u << 20)

/* What is under way with one participant's code rules. */
struct wire_rules {
	bool busy, reading, kept;
	int16_t peer;
	int64_t asked;
	int next_s;
	char outcome[256];
	char *memory; /* of the clerk alone: a half for question and answer, one for what is kept */
	struct arena arena;
	struct mono read_at;
};

struct wire {
	struct loop *loop;
	const struct conf *conf;
	struct proc_slot *stat;
	struct proc_page *page;
	struct proc_notes *notes;
	int own;
	const struct proc_bells *bells;
	struct event *bell;
	bool rung;
	struct pgb *batch;
	struct pg *read, *clerk;
	struct rds *cache;
	struct hs *server;
	struct tls *server_tls;
	struct hs *payers; /* NULL: there are no pages for them */
	struct tls *payers_tls;
	struct span payer_host;
	struct span hosts[CONF_HOSTS];
	struct secret *secret;
	struct vault *vault;
	struct wire_peer *peer; /* one for each link */
	struct ports ports;
	struct wrk *worker;
	void *worker_memory;
	struct slab commit_slab, ask_slab, call_slab;
	void *indexes[3];
	struct wire_commit *commits;
	struct ask *asks;
	struct wire_call *calls;
	struct wire_clerk clerk_state;
	struct wire_rules rules_state;
	struct wire_standing standing;
	struct wire_member member;
	uint32_t rules_seen; /* number of those in force here */
	struct rules rules;
	struct mono *arrived; /* by exchange slot */
	uint32_t exchanges;
	size_t log_bytes;
	char log[WIRE_LOG_BYTES];
};

/* Each part fills in its own of the ports. */
void wire_store_ports(struct ports *p);
void wire_net_ports(struct ports *p);
void wire_bell_ports(struct ports *p);

MUST bool wire_store_open(struct wire *w, bool is_clerk, const char **ret_why);
MUST bool wire_net_open(struct wire *w, bool is_clerk, const char **ret_why);
MUST bool wire_payers_open(struct wire *w, const char **ret_why);
MUST bool wire_payers_listen(struct wire *w, int listen_fd, const char **ret_why);
void wire_payers_close(struct wire *w);
/* True: it was one of our public pages, and is answered. */
bool wire_public_page(struct hs_exchange *x, const struct http_msg *m);
MUST bool wire_bell_open(struct wire *w);
void wire_store_close(struct wire *w);
void wire_net_close(struct wire *w);
void wire_bell_close(struct wire *w);
void wire_log_flush(struct wire *w);
/* The worker has the code rules that are in force. */
void wire_rules_refresh(struct wire *w);
/* Counts how long something took that began at `since`. */
void wire_observe(const struct wire *w, struct proc_hist *h, struct mono since);

#endif
