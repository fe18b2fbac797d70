/*
 * sim.h: one simulated world: the real workers, the real adapters and fakes, and made-up stand-ins
 * for everything behind ports.h, all driven by one queue of things that are to happen.
 *
 * A world is a function of its seed. Nothing in here reads a clock or an address: what differs
 * between two runs of a seed is a fault of the simulator. Memory comes from regions that are mapped
 * once and emptied between seeds; nothing of a seed survives it.
 */
#ifndef XW_SIM_H
#define XW_SIM_H

#include <setjmp.h>
#include <stdio.h>

#include "json.h"
#include "sandbox.h"
#include "work.h"

/* ---- chance ---- */

struct rng {
	uint64_t s;
};

uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* n > 0 */
bool rng_hit(struct rng *r, uint32_t permille);

/* ---- who is there ---- */

enum party_no {
	BLUECODE,
	VIPPS,
	APS_ACQP, /* the scheme debits its wallets for us */
	APS_MPP,  /* the scheme charges our wallets */
	TILL_EUR,
	TILL_NOK,
	PIVO,         /* a wallet on our own API */
	VIPPS_SERVER, /* its users scan, and are debited through VIPPS */
	WECHAT,       /* an institution's wallet: a cancel must wait, a refund is done later */
	ALIPAY,       /* by the older interface: a cancel has its day, a refund is repeated */
	VIPPS_TILL,   /* holds first and captures later, on us */
	SWISH,        /* from here on the till names the wallet, and its payer follows a link */
	SATISPAY,     /* it alone names payments */
	BANCONTACT,   /* a create is not recognised; payments are looked for */
	TWINT,        /* what is approved must be confirmed */
	EPASSI,       /* its payer fills in a form, and nobody is ever called */
	PIVO_APP,     /* orders over REST, paid in a browser */
	APS_TILL,     /* takes us for its scheme, as acquirer */
	APS_WALLET,   /* the same, as wallet: it debits itself, or by a code that we made */
	BLUE_TILL,    /* made for Bluecode, and asks us instead; cancels what is not clear */
	PARTIES
};

enum proc_no { WORKER_A, WORKER_B, CLERK, PROCS };
#define ENDED 64                        /* payments that all processes know to be paid */
#define NOTES (64 * (STEP_ACTIONS + 1)) /* of calls of a process */

/* ---- what goes wrong in this world: chances in thousandths, chosen from the seed ---- */

struct faults {
	/* link.c */
	uint32_t unsent, request_lost, answer_lost, cut, drip, twice, late;
	uint32_t delay_us;
	/* pgfake.c */
	uint32_t pg_unsent, pg_error, pg_lost_before, pg_lost_after, pg_slow, pg_refuse;
	uint32_t pg_outages, failovers;
	/* rdsfake.c */
	uint32_t rds_slow, rds_absent, rds_flush, rds_forged, rds_stale;
	/* crash.c, troubles.c */
	uint32_t crashes, bells_lost, pauses, jumps;
	uint32_t clocks;  /* of partners, that are set wrong */
	uint32_t forgets; /* partners that restart, and know no key any more */
	uint32_t lags;    /* partners whose inquiries are behind what they took */
	uint32_t twins;   /* two take the same up at once */
	bool rolls;       /* a new version is put in */
	bool small;       /* workers with hardly any memory */
	/* people.c and the partners */
	bool late_refusals; /* a wallet answers no cancel, and its payers refuse after the last */
	uint32_t mischief, odd_codes, repeats, conflicts, cancels, refunds;
	uint32_t corridor; /* most payments go this way; 0: any */
	uint32_t rogue;    /* most mischief is of this party; 0: any */
	bool caps;
	uint32_t skew_us;
	uint32_t hours;               /* of keys that are used again so much later */
	uint32_t decisions, switches; /* operators.c */
	bool coarse; /* clocks tick in milliseconds, so that two processes see the same time */
};

/* What is left out of what the seed chooses. */
struct smaller {
	uint64_t without; /* a bit for each kind of faults.c */
	int payments;     /* at most; 0: as many as chosen */
};

/* ---- world.c ---- */

struct sim;
struct told;
struct kept_line;
struct event;
typedef void event_fn(struct sim *s, const struct event *e);

struct event {
	int64_t at_us;
	uint64_t order, a, b;
	event_fn *fn;
	char *bytes;
	uint32_t n;
};

/* Happens `after_us` from now; bytes are copied. */
void world_in(struct sim *s, int64_t after_us, event_fn *fn, uint64_t a, uint64_t b);
void world_in_with(
	struct sim *s, int64_t after_us, event_fn *fn, uint64_t a, uint64_t b, struct span bytes);
/* Moves the clock to the earliest event and does it; false when there is none before `until_us`. */
bool world_step(struct sim *s, int64_t until_us);
struct wall world_wall(const struct sim *s);
/* Memory of this seed, zeroed. */
void *world_alloc(struct sim *s, size_t n);
struct span world_keep(struct sim *s, struct span bytes);
/* Of bytes, and of what `h` is the hash of before them: for finding what nobody forges. */
uint64_t world_hash(uint64_t h, struct span bytes);
/* Into the digest that two runs of a seed must agree on. */
void world_mix(struct sim *s, uint64_t v);
void world_mix_bytes(struct sim *s, struct span bytes);
/* A line of the trace, where one was asked for. */
__attribute__((format(printf, 2, 3))) void world_say(struct sim *s, const char *format, ...);
/* The seed has failed, by that invariant of README.md (0: none of them); does not return. */
__attribute__((format(printf, 3, 4), noreturn)) void world_fail(
	struct sim *s, int invariant, const char *format, ...);

/* ---- link.c: bytes between the parties ---- */

#define LINK_CALLS     2048
#define LINK_EXCHANGES 256
#define LINK_BYTES     65536
#define EXCHANGE_BYTES (192 * 1024)

/* A call of a worker on a partner. */
struct outcall {
	bool used, ended;
	uint8_t proc, party;
	uint32_t generation, life;
	uint64_t cookie;
	char method[8];
	bool mute; /* its answer is lost */
};

/* A call of a partner on the switch. */
struct incall {
	bool used;
	uint8_t party;
	uint32_t generation;
	uint64_t cookie;
	char method[8];
};

struct exchange {
	bool used;
	uint8_t proc, party;
	uint32_t generation, life, incall, incall_generation;
	uint64_t same; /* digest of what makes the request the same as another */
	int64_t came_us;
	struct arena arena;
	struct http_msg msg;
	char *memory, *bytes;
};

enum rc link_call(struct sim *s, int proc, uint16_t peer, const struct http_out *out,
	struct mono deadline, uint64_t cookie);
bool link_reply(struct sim *s, struct exchange_ref ref, const struct http_out *out);
/* A partner's answer to a call of ours, and its calls on us. */
void link_partner_reply(
	struct sim *s, int party, uint64_t tag, int delay_ms, const struct http_out *out);
void link_partner_call(
	struct sim *s, int party, uint64_t cookie, int delay_ms, const struct http_out *out);
/* Its connections break. */
void link_died(struct sim *s, int proc);

/* ---- partner.c: hosts the fakes ---- */

struct pair {
	const char *name, *value;
};

struct party {
	struct sim *s;
	int no;
	const char *name, *adapter_name;
	const struct sandbox *fake;
	void *state;
	struct sandbox_host host;
	struct arena arena;
	char *memory;
	const struct pair *settings;
	enum sig_alg alg;
	const char *our_key, *their_key;
	struct signer signer;
	bool answering;
	int64_t wrong_us;       /* of its clock */
	uint32_t restarts;      /* what was on its way to it has broken off */
	char answer[8192];      /* of control */
	struct kept_line *book; /* what oracle.c has read of it */
};

void party_open(struct sim *s);  /* once */
void party_begin(struct sim *s); /* each seed */
void party_request(struct sim *s, int party, uint64_t tag, const struct http_msg *m);
void party_answer(struct sim *s, int party, uint64_t cookie, const struct http_msg *m);
/* Runs one control command; its answer lives until the party's next turn. NULL: it was refused. */
__attribute__((format(printf, 3, 4))) const struct json *party_do(
	struct sim *s, int party, const char *format, ...);
struct span party_setting(const struct party *p, const char *name);

/* ---- peers.c: the configuration of the switch ---- */

#define ROUTES_MAX 32

struct config {
	struct peer peer[PARTIES];
	struct link link[PARTIES];
	struct rate rate[6];
	struct route_row route[ROUTES_MAX];
	struct fee_row fee;
	struct snapshot snapshot;
	/* What the old version was told. */
	struct peer older_peer[PARTIES];
	struct link older_link[PARTIES];
	struct route_row older_route[32];
	struct snapshot older;
};

void peers_begin(struct sim *s);
/* What is switched off is so for the old version, too. */
void peers_older(struct sim *s);
const struct pair *peers_settings(int party);
int peers_party(uint16_t number);
uint16_t peers_number(int party);

/* ---- pgfake.c: what the ledger means ---- */

#define LEDGER_PAYMENTS 1024
#define LEDGER_CLAIMS   8192
#define LEDGER_ACCOUNTS 256
#define PAY_ACCOUNTS    24

struct ledger_sum {
	int32_t account;
	int64_t posted, reserved;
};

struct ledger_step {
	uint32_t version;
	uint8_t digest[32]; /* of the record */
	struct ledger_step *before;
};

struct ledger_reply {
	int seq, status;
	struct span body;
	struct ledger_reply *next;
};

struct ledger_pay {
	struct pay_id id;
	struct pay rec;
	struct span record, secret;
	struct payment_key key;
	struct ledger_step *last;
	struct ledger_reply *replies;
	int64_t due_us, leased_us; /* wall; 0: none */
	struct ledger_sum sum[PAY_ACCOUNTS];
	bool later; /* its record has what only the new version knows */
	int sums, exceptions;
	int64_t doubt_us; /* since when it is in doubt; 0: it is not */
	int listed; /* how often its undo was put on the list; and whether it is by its record */
	bool was_stuck;
	bool to_write_off, written_off; /* an operator wants that; a step of his was taken */
	uint32_t seen;                  /* bit COVER_STATE(s): it was in that state */
};

struct ledger_claim {
	struct pay_id payment;
	int seq;
	uint8_t fingerprint[16];
};

struct ledger_account {
	int32_t number;
	int64_t posted, reserved, cap;
	bool capped;
};

struct ledger_out {
	struct pay_id id, payment;
	uint16_t peer;
	int seq, tries;
	int64_t next_us, leased_us;
	bool done;
	struct span body;
	struct ledger_out *next;
};

#define PG_COMMITS 512

struct pg_commit; /* one on its way */

struct ledger_code {
	uint8_t hash[16];
	uint16_t peer;
	struct span payer;
	int64_t until_us;
	struct ledger_code *next;
};

struct ledger_payer {
	uint16_t wallet;
	struct span id, handle, ours;
	struct ledger_payer *next;
};

struct ledger {
	struct map pays, claims;
	struct ledger_code *codes;
	struct ledger_payer *payers;
	struct ledger_pay *pay[LEDGER_PAYMENTS];
	int pay_count;
	struct ledger_account account[LEDGER_ACCOUNTS];
	int account_count;
	struct ledger_out *outs, **outs_end;
	int outs_owed, under_way; /* notifications; commits and questions */
	struct pg_commit *commit[PG_COMMITS];
	int64_t down_until_us, read_only_until_us; /* world time */
	int64_t wrong_us;                          /* of its clock */
	uint64_t asks, asks_lost;                  /* questions; those up to there got no answer */
	uint64_t commits;
};

void pg_begin(struct sim *s);
enum rc pg_commit(struct sim *s, int proc, struct commit *c);
enum rc pg_load(struct sim *s, int proc, const struct pay_id *id, struct load_key k);
enum rc pg_find(struct sim *s, int proc, const struct claim *claim, struct load_key k);
enum rc pg_load_reply(struct sim *s, int proc, const struct pay_id *id, int seq, struct load_key k);
enum rc pg_find_code(struct sim *s, int proc, const uint8_t hash[16], struct load_key k);
enum rc pg_bind_payer(struct sim *s, int proc, const struct payer_names *names, struct load_key k);
enum rc pg_find_payer(struct sim *s, int proc, struct span payer, struct load_key k);
enum rc pg_find_merchant(struct sim *s, int proc, struct span token, struct load_key k);
enum rc pg_keep_codes(struct sim *s, int proc, const struct shown_codes *c, struct load_key k);
void pg_died(struct sim *s, int proc);
struct ledger_pay *pg_find_pay(struct sim *s, const struct pay_id *id);
/* The payment that took that order of ours, or that took it after that payment gave it back; NULL:
 * none has, or it is neither. */
const struct ledger_pay *pg_taker(struct sim *s, const struct pay_id *from);
/* What is booked where this account of reservations belongs to; 0 of any other. */
int64_t pg_contra(struct sim *s, const struct ledger_account *a);
const struct ledger_reply *pg_reply(const struct ledger_pay *p, int seq);
void pg_outage(struct sim *s, int64_t us);
/* It refuses to write, as who is about to be replaced. */
void pg_read_only(struct sim *s, int64_t us);
/* All lines break; after so long there is another, which has all that was acknowledged. */
void pg_failover(struct sim *s, int64_t us);
struct wall pg_wall(const struct sim *s);
/* pgask.c asks in the same weather. */
bool pg_goes_wrong(struct sim *s, uint32_t permille);
int64_t pg_latency(struct sim *s);
bool pg_is_down(const struct sim *s);

/* ---- rdsfake.c ---- */

#define RDS_ENTRIES 4096

struct rds_entry {
	uint64_t key; /* 0: free */
	struct span value;
};

struct rds_fake {
	struct rds_entry entry[RDS_ENTRIES];
	struct rds_entry replica[RDS_ENTRIES]; /* as it was a while ago */
	int count;
	uint32_t asked[PROCS]; /* questions of each that are not answered */
};

void rds_begin(struct sim *s);
void rds_flush(struct sim *s);
void rds_died(struct sim *s, int proc); /* nobody waits for its answers */
enum rc rds_get(struct sim *s, int proc, struct span key, struct load_key k);
void rds_put(struct sim *s, struct span key, struct span value);
enum rc rds_nonce(struct sim *s, int proc, struct span nonce, struct load_key k);

/* ---- ports.c, crash.c: processes ---- */

struct proc {
	struct sim *s;
	int no;
	uint32_t life; /* counts its starts */
	bool alive;
	jmp_buf out;
	struct wrk_note note[NOTES]; /* outlives its lives */
	bool inside;
	int die_in;       /* port calls; 0: not */
	int64_t skew_us;  /* of its wall clock */
	int64_t wrong_us; /* the same, once somebody has set it wrong */
	int64_t asleep_until_us;
	int64_t lost_us;       /* of its monotonic clock, which stood still */
	bool later, later_now; /* the new version; what runs now */
	void *memory;
	struct wrk *w;
	struct wrk_conf conf;
	struct ports ports;
	int64_t turn_us; /* its next turn; INT64_MAX: none */
	int64_t turned_us;
	uint64_t turn_no;
};

void ports_bind(struct proc *p);
void proc_open(struct sim *s);  /* once */
void proc_begin(struct sim *s); /* each seed */
/* Runs `fn` inside the process, which may die in it. */
typedef void proc_fn(struct proc *p, void *arg);
void proc_run(struct sim *s, int proc, proc_fn *fn, void *arg);
/* Every port call passes here; may not return. */
void proc_port(struct proc *p);
bool proc_is(const struct sim *s, int proc, uint32_t life);
void proc_crash_soon(struct sim *s, int proc);
void proc_die(struct sim *s, int proc); /* now */
/* The world's time at which that process' monotonic clock says so. */
int64_t proc_time(const struct proc *p, struct mono at);
void proc_start(struct sim *s, int proc);
/* The others hear that an answer of that payment is final; or not, for a bell may be lost. */
void proc_ring(struct sim *s, int from, const struct pay_id *id);
/* The clerk has a reason to look at that wall time. */
void clerk_hint(struct sim *s, int64_t wall_us);

/* ---- troubles.c: stops, clocks, versions ---- */

void troubles_begin(struct sim *s);
/* Whether the partner restarts over this request, which it has just served. */
bool troubles_forgets(struct sim *s, int party, const struct http_msg *m);
void troubles_end(struct sim *s);
bool proc_asleep(const struct sim *s, int proc);
/* True: the process is stopped, and the event comes once it goes on. */
bool proc_sleeps(struct sim *s, int proc, const struct event *e);

/* ---- people.c ---- */

struct spend {
	uint8_t party; /* whose till or app */
	uint8_t issuer;
	bool scan;
	bool of_scheme; /* an order whose code the scheme makes */
	bool shown;     /* an order: its till shows a code */
	bool confused;  /* its till was made to ask for something else under the same id */
	char id[40];    /* theirs */
	char code[640];
	int64_t minor;
	const char *currency;
	int refunds;
};

#define SPENDS_MAX 512

void people_begin(struct sim *s);

/* ---- codes.c ---- */

/* Mostly the first. */
const char *code_pick(struct sim *s, const char *const *names, uint32_t count);
/* Into p->code; false: none was to be had. */
bool code_of_wallet(struct sim *s, struct spend *p, int issuer);
bool code_of_merchant(struct sim *s, struct spend *p);

/* ---- operators.c ---- */

#define RULINGS_MAX 64

/* Of a person, until somebody says what came of it. */
struct ruling {
	struct pay_id id;
	enum operator_verb verb;
	int tries;
	bool done;
};

void operators_begin(struct sim *s);

/* ---- mischief.c ---- */

#define ORDERS_MAX 256

/* Some partner misbehaves from then on, for a while. */
void mischief_order(struct sim *s, int64_t after_us);
/* A wallet answers no cancel any more, for longer than it is asked before a person is. */
void mischief_silence(struct sim *s);
/* They are told to behave again; who is silent goes on for as long as it was told to. */
void mischief_end(struct sim *s);
/* Some wallet pushes the opposite of what it has answered. */
void mischief_lie(struct sim *s, int64_t after_us);

/* ---- oracle.c ---- */

void oracle_begin(struct sim *s);
/* For a message; good until the next. */
const char *oracle_id(const struct pay_id *id);
void oracle_committed(struct sim *s, struct ledger_pay *p, const struct pay *before);
/* A reservation on that account was booked by such an event. */
void oracle_reserved(
	struct sim *s, const struct ledger_account *a, enum event_kind kind, enum op op);
/* A request has come. */
/* A debit goes out that is the same as all that hash so. */
void oracle_debit(struct sim *s, uint64_t same);
void oracle_asked(struct sim *s, const struct exchange *x);
void oracle_replied(struct sim *s, const struct exchange *x, const struct http_out *out);
void oracle_cached(struct sim *s, struct span value);
/* True when nothing is left to do; with `but_stuck`, nothing but what is on the exception list. */
bool oracle_settled(const struct sim *s, bool but_stuck);
void oracle_safe(struct sim *s); /* while things happen */
void oracle_end(struct sim *s);  /* when all has settled */
/* Neither final nor new. */
bool oracle_is_open(const struct ledger_pay *p);
/* The same for all readers of a request: its target, key and body. */
uint64_t oracle_same(const struct sim *s, int party, const struct http_msg *m);

/* ---- minute.c: nothing is in doubt for long, and on no list ---- */

void minute_committed(struct sim *s, struct ledger_pay *p);
void minute_calm(struct sim *s); /* faults end */

/* ---- held.c ---- */

void held_end(struct sim *s); /* when all has settled */

/* ---- faults.c: the kinds, each by its number ---- */

struct faults faults_choose(struct rng *r);
const char *faults_name(int kind); /* NULL: there are no more */
bool faults_have(const struct faults *f, int kind);
void faults_leave_out(struct faults *f, uint64_t without);
/* "a,b,c"; false: one of them is none. */
bool faults_parse(struct span names, uint64_t *ret);

/* ---- shrink.c ---- */

/* PRE: the last world has failed. Leaves in s->smaller the least that fails the same way, and its
 * failure in s. */
void shrink(struct sim *s, uint64_t seed);
void shrink_print(const struct sim *s, FILE *to);

/* ---- seed.c ---- */

struct sim *seed_open(void);
/* False: it failed, and s->broken and s->why say by what. */
bool seed_run(struct sim *s, uint64_t seed);

/* A world in which nothing but that flow of sweep.c happens, and nothing goes wrong but its points.
 */
bool seed_flow(struct sim *s, int flow);

/* ---- sweep.c: a fault at each effect in turn ---- */

enum point_what { POINT_NONE, POINT_CRASH, POINT_LOST_BEFORE, POINT_LOST_AFTER };

struct point {
	uint64_t at; /* which effect, from 1 */
	enum point_what what;
};

struct sweep {
	uint64_t effects; /* of all processes so far */
	int count;
	struct point point[2];
	enum point_what lost; /* of the effect that is under way */
	char action[600];
};

void sweep_begin(struct sim *s, int flow);
bool sweep_crashes(struct sim *s); /* counts one more */
bool sweep_loses(const struct sim *s, enum point_what what);
int sweep_run(struct sim *s, int jobs, bool json);

/* ---- cover.c: what the core was seen to do ---- */

#define COVER_STATES   32
#define COVER_STATE(s) (((s)&PAY_FINAL ? 16 : 0) + ((s)&15)) /* of enum pay_state */
#define COVER_KINDS    8
#define COVER_MOVES    32

struct cover {
	uint64_t state[COVER_STATES][COVER_KINDS];  /* state of the payment, event */
	uint64_t move[3][COVER_MOVES][COVER_KINDS]; /* leg, undo, refund: row of the table, event */
};

extern struct cover cover;
void cover_add(struct cover *sum, const struct cover *more);
/* Prints the matrices; the number of cells that should have been hit and were not, of how many. */
unsigned cover_print(const struct cover *c, unsigned *ret_cells);

/* ---- jobs.c: processes that share the work ---- */

/* Calls `fn` for 0 .. count - 1, each in a process of its own, `most` at a time. A child that dies
 * by a signal reports it to `died`. */
typedef void job_fn(void *ctx, int n);
typedef void job_died_fn(void *ctx, int n, int signal);
void jobs_run(int count, int most, job_fn *fn, job_died_fn *died, void *ctx);
/* Memory that the processes share, zeroed. */
void *jobs_share(size_t n);
int64_t jobs_ms(void);

/* ---- mutants.c: bugs of switch/base/mutant.def ---- */

bool mutants_choose(struct span name); /* false: no such, or none in this build */
/* Every bug with seeds from `from` on, at most `seeds`; the number of those that survive. */
int mutants_run(struct sim *s, uint64_t seeds, uint64_t from, int jobs, bool json);

/* ---- the world ---- */

struct sim {
	uint64_t seed;
	struct rng chance, entropy, people; /* faults and delays; kernel's; what people do */
	struct faults faults;
	struct smaller smaller;
	bool jumps; /* clocks are set wrong in every world, not in some */
	bool calm;  /* the liveness phase: faults are off */
	bool trace;
	int64_t now_us, calm_us;
	struct wall start;
	uint64_t digest, events, order;

	struct event *heap;
	size_t heap_count, heap_cap;
	char *memory;
	size_t memory_used;

	struct outcall outcall[LINK_CALLS];
	struct incall incall[LINK_CALLS];
	struct exchange exchange[LINK_EXCHANGES];
	struct party party[PARTIES];
	struct config config;
	struct ledger ledger;
	struct rds_fake rds;
	struct proc proc[PROCS];
	struct wrk_ended ended[ENDED];
	int64_t look_us; /* the clerk's next look, world time */
	bool looking;

	struct sweep sweep;
	struct spend spend[SPENDS_MAX];
	int spends, spends_planned;
	struct ruling ruling[RULINGS_MAX];
	int rulings;
	bool ordered[ORDERS_MAX]; /* of mischief.c: that was told to somebody */
	int64_t late_us;          /* the last thing that somebody comes back for, hours later */
	int64_t hasty_us;         /* until then tills lose patience: some wallet hangs */
	struct told *told;        /* what callers were told */
	uint64_t *debited;        /* hashes of the debits that were sent; oracle.c */

	jmp_buf failed;
	int broken; /* the invariant */
	char why[1024];
};

#endif
