/*
 * work.h: the worker from inside; for the files of this folder only.
 *
 * Lifetimes: a request lives in its exchange's arena until it is answered; a call in its slot until
 * its answer is committed; a payment in memory (struct live) while anybody waits for it or it is in
 * work. All of it may vanish at any moment and is found again in the ledger.
 */
#ifndef XW_WORK_H
#define XW_WORK_H

#include "canon.h"
#include "check.h"
#include "digest.h"
#include "heap.h"
#include "list.h"
#include "map.h"
#include "mutant.h"
#include "recognise.h"
#include "slab.h"
#include "worker.h"

#define REQUEST_MAGIC 0x52455155u
#define LIVE_MAGIC    0x4c495645u
#define CALL_MAGIC    0x43414c4cu
#define SECRET_MAX                                                                                 \
	1900 /* what a call needs of the request and no record may have: see outbound.c */
#define CALL_BYTES  98304
#define SEAL_EXTRA  64    /* what sealing adds, at most */
#define IMAGE_MAX   32768 /* bytes of a picture */
#define PENDING_MAX 4     /* commits per payment are one at a time; its queue is longer */

struct live;
struct callout;

/* A code of our own making, and who wants to know what stands behind it: a call that we answer
 * ourselves, or a page. Lives in either. */
struct own {
	struct own_code code;
	bool taken; /* the order: a payment has it, or it has ended */
	bool standing_known;
	struct msg *answer; /* room for it */
	struct callout *call;
	struct rq *rq;
};

/* A request that we owe an answer. */
/* By which signature of whose key a message proved to be its sender's; empty where he proves it
 * otherwise. In the message's arena. */
struct proof {
	const struct signer *host;
	struct signer signer; /* what the adapter is given */
	struct arena *arena;
	struct span key, signature;
};

struct rq {
	uint32_t magic;
	struct list node; /* among the waiters of a payment */
	struct heap_node deadline;
	bool timed;
	struct exchange_ref ref;
	struct arena *arena;
	const struct http_msg *http;
	struct request request;
	const struct link *link;
	Xw__Canonical *canonical;
	struct msg *msg;
	struct pay_event ev;
	struct digest raw;
	struct proof proof;
	struct live *live;
	int seq;
	bool overdue;           /* it only waits for what the ledger is asked or told just now */
	bool replayed;          /* it repeats an earlier request */
	bool stranger;          /* nobody that we know: nothing is signed for him */
	bool payer_known;       /* he has our name in the message */
	char payer_own[MSG_ID]; /* the wallet's own id of him */
	bool code_asked;        /* whose code it is */
	bool standing_known;    /* at which schemes its merchant is registered */
	bool joined;            /* one whose commit is under way in this worker */
	bool nonce_used;        /* the cache has seen its signature */
	int cache_asked;        /* questions to the cache that are not answered */
	struct cache_answer cached;
	struct pay_id order; /* that was followed to its payment */
	struct own own;      /* the code of ours that it brings */
	struct http_out out; /* an answer that waits for the ledger */
	int looked_up;       /* claims that were looked up in the ledger before refusing */
	enum reason refusal;
	const char *refusal_detail;
	struct mono arrived;
};

/* OPERATOR: which request it is, who decided, and who is told what came of it. */
struct decision {
	int64_t number;
	char by[OPERATOR_NAME];
	wrk_operated_fn *done;
	void *ctx;
};

/* Something that happened to a payment and waits for its turn. */
struct item {
	struct list node;
	bool late;     /* a request whose time is up: answered from the record, whatever it says */
	bool had_turn; /* DUE: it has waited for its turn */
	struct pay_event ev;
	struct rq *rq;        /* REQUEST, PUSH */
	struct callout *call; /* ANSWER, NO_ANSWER */
	const Xw__Canonical *canonical;
	struct digest raw;
	struct decision decision;
	struct wrk_note note; /* NO_ANSWER of a call of a process that died */
};

enum live_state { LIVE_LOADING, LIVE_READY, LIVE_COMMITTING };

/* A payment in memory: a cache of its last record, and who waits for it. */
struct live {
	uint32_t magic;
	enum live_state state;
	struct pay rec;
	struct list inbox;   /* items */
	struct list waiters; /* requests */
	struct list all;
	struct heap_node due; /* by the monotonic clock */
	bool timed;
	bool has_turn;       /* its alarm is the turn that a question of it was given, */
	bool hurry;          /* which is before its time; */
	uint32_t turn_of;    /* by this version of the record: whoever reads it again keeps it */
	struct mono turn;    /* when that is: its alarm may be the end of its minute before */
	uint8_t hurries;     /* how often it was asked before its time, */
	struct mono hurried; /* and when that was decided last */
	struct wall clock;   /* the payment's time, which never goes back, */
	struct mono read;    /* as it was then: live_now */
	struct mono seen;    /* since when this version is in memory */
	bool ours;           /* the last step was committed here: we hear its alarm */
	bool stale;          /* the ledger could not be asked whether rec is still what it has */
	struct mono synced;  /* when rec was last what the ledger has */
	struct mono asked;   /* when the last load of it was begun */
	bool again;     /* somebody came since, and may have been told newer things elsewhere */
	bool reloading; /* the load under way is for them; it is the last */
	bool foreign;   /* the ledger's record is not for this program: foreign.c */
	uint16_t calls_out;
	struct work_step *step; /* being committed */
	struct payment_key key;
	uint16_t secret_bytes;
	char secret[SECRET_MAX];
};

/* A step on its way to the ledger, with the bytes that go with it. */
struct work_step {
	struct step st;
	struct commit c;
	struct live *live;
	struct item *item;
	struct claim claim[STEP_CLAIMS];
	int claim_count;
	char reply[16384];
	char evidence[24576];
	char out[STEP_NOTIFIES][16384];
	char sealed[SECRET_MAX + SEAL_EXTRA];
};

/* A call of ours that is out, or waits for an access token. */
struct callout {
	uint32_t magic;
	uint32_t slot, generation;
	struct list node; /* waiting for a token */
	const struct link *link;
	struct live *live; /* NULL: a token or a notification */
	struct call call;
	Xw__Canonical *message;
	struct http_out out;
	struct digest raw;
	struct span raw_head, raw_body; /* of the answer, in the arena */
	struct proof proof;
	bool is_token;
	struct mono begun;     /* when the step was decided that asks for it */
	struct mono start_by;  /* not sent by then, it is not sent at all */
	uint32_t token_number; /* of the access token that it was sent with */
	bool renewed;          /* sent once more, with a new one */
	struct msg *scratch;
	struct rq *rq;        /* a question passed on: who asked us */
	struct own own;       /* RESOLVE of a code of ours */
	struct pay_id out_id; /* a notification */
	wrk_delivered_fn *delivered;
	wrk_asked_fn *asked; /* a question of the host's */
	void *host_ctx;      /* of these two */
	struct arena arena;
	char store[CALL_BYTES];
};

enum wait_kind {
	WAIT_FREE,
	WAIT_NONCE,
	WAIT_CACHE,
	WAIT_PAYER,
	WAIT_CODE,
	WAIT_KEPT,
	WAIT_FIND,
	WAIT_CLAIM,
	WAIT_LIVE,
	WAIT_REPLY,
	WAIT_ORDER,
	WAIT_MERCHANT,
	WAIT_STANDING,
	WAIT_OWN_STANDING,
	WAIT_STANDING_KEPT,
	WAIT_MEMBER,
	WAIT_FOLLOW,
	WAIT_HOLDER,
	WAIT_HOLDER_LOADED,
};

/* Who has an order: from claim to claim, past all who gave it back. */
struct seek {
	struct pay_id from;   /* the order, or the last that gave it back */
	struct pay_id holder; /* none: nobody */
	uint32_t version;     /* of the order, as it was given back */
	struct own *own;      /* on whose behalf: a scan of its code, or a payment that wants it */
	struct live *live;
};

/* A question to database or cache that is out. */
struct wait {
	enum wait_kind kind;
	uint32_t generation;
	struct rq *rq;
	struct live *live;
	struct own *own;
	struct seek seek;
};

/* What the registry said not long ago. */
#define KNOWN_MERCHANTS 64
struct known {
	char token[MERCHANT_TOKEN];
	struct mono until;
	struct merchant merchant;
};

struct env_ctx {
	const struct ports *port;
	uint16_t peer;
};

/* What changes about a participant while we run. */
struct link_state {
	char token[4096];
	size_t token_bytes;
	uint32_t token_number; /* counts those that we were given */
	struct wall token_until;
	bool fetching;
	struct list waiting; /* callouts */
	uint32_t failures;   /* calls in a row of which not a byte left */
	uint32_t begun, bad; /* of this window: calls that begin something; those without an answer
			      */
	uint32_t in_a_row;   /* new payments without an answer */
	struct mono window_until;
	uint32_t opened; /* times that the gate closed in a row: doubles its pause */
	struct mono closed_until, probe_until;
	bool ill;                /* a call had no answer, and none has had one since; */
	struct mono hurried;     /* when what waited for that was last brought forward */
	struct mono turn;        /* when the next question of ours may go out */
	char undelivered[64];    /* why a notification was not taken, as we have said it, */
	struct mono quiet_until; /* and said again not before */
	struct env_ctx env;
};

#define NONCES 16

struct wrk {
	struct wrk_conf conf;
	const struct ports *port;
	struct wrk_stats stats;
	struct mono now;
	struct wall wall;
	bool draining;
	unsigned load;         /* percent */
	struct map payments;   /* id -> live */
	struct map claims;     /* claims whose commit is under way -> live */
	struct heap due;       /* payments by alarm */
	struct heap deadlines; /* requests by when they must be answered */
	struct list ready;     /* payments with something in their inbox; see live.all */
	struct slab lives, items, steps, calls, waits;
	struct link_state *state; /* one for each link */
	struct known known[KNOWN_MERCHANTS];
	uint8_t nonce[NONCES][16]; /* for messages, drawn together; each is used once */
	int nonces;                /* left */
	const struct rules *rules; /* of the host; NULL: there are none */
	char scratch[131072];      /* for one function at a time */
};

/* live.c */
struct live *live_find(struct wrk *w, const struct pay_id *id);
/* In memory, loading if it was not; NULL when there is no room. */
struct live *live_get(struct wrk *w, const struct pay_id *id);
struct live *live_new(struct wrk *w);
/* There is so little room that what waits is not kept in memory. */
bool live_scarce(const struct wrk *w);
void live_release_if_idle(struct wrk *w, struct live *l);
/* The time as this payment knows it: the wall's, but where that was set back it goes on as the
 * monotonic clock does, so that alarms and settle times are waited for, no longer and no shorter.
 */
struct wall live_now(const struct wrk *w, struct live *l);
/* Rings when the record wants to be stepped. */
void live_set_alarm(struct wrk *w, struct live *l);
void live_ring_at(struct wrk *w, struct live *l, struct mono at);
/* The same, as its turn: it stays so for as long as the record is this one. Where its minute of
 * doubt is over before, it rings for that first. */
void live_give_turn(struct wrk *w, struct live *l, struct mono at, bool hurry);
/* Its alarm rings for that: its turn is to come, and rings again. */
bool live_looks_first(struct wrk *w, struct live *l);
void live_push(struct wrk *w, struct live *l, struct item *it);
/* Reads the record again: another process may have moved it. Nothing is stepped meanwhile. */
void live_refresh(struct wrk *w, struct live *l);
/* False, and nothing changed, where the ledger cannot be asked now. */
bool live_load(struct wrk *w, struct live *l);
struct item *item_new(struct wrk *w);
void item_free(struct wrk *w, struct item *it);
/* It tells the core how that call ended. */
void item_call_ended(struct item *it, enum event_kind kind, const struct call *call);
/* loaded.c */
struct wait *wait_new(struct wrk *w, enum wait_kind kind, struct load_key *ret);
void wait_free(struct wrk *w, struct wait *a);
/* worker.c */
const struct link *link_of(const struct wrk *w, uint16_t peer);
struct link_state *link_state(struct wrk *w, const struct link *l);
struct adapter_env env_for(struct wrk *w, const struct link *l, struct arena *arena);

/* takeover.c */
void takeover_note_step(struct wrk *w, const struct work_step *ws);
void takeover_forget_step(struct wrk *w, const struct work_step *ws);
/* The step's note of a call goes before the call has one of its own: of two, one would say that it
 * had not begun, when it has. */
void takeover_call_follows(struct wrk *w, const struct work_step *ws, int i);
void takeover_note_call(struct wrk *w, const struct callout *c);
void takeover_call_begins(struct wrk *w, const struct callout *c);
void takeover_forget_call(struct wrk *w, const struct callout *c);
/* Nothing is to be stepped: the call was made, or is no longer wanted. */
bool takeover_done(struct wrk *w, struct live *l, const struct item *it);

/* ended.c */
/* Behind a commit: what its wallet may tell of it again is known without the ledger for a while. */
void ended_keep(struct wrk *w, const struct pay *before, const struct step *st);
/* A push that tells what is committed already has been acknowledged; false: it is to be stepped. */
bool ended_says_same(struct wrk *w, struct rq *rq, const struct pay_id *id);

/* foreign.c */
/* It names a participant that this program has not been told of. */
bool foreign_is(const struct wrk *w, const struct pay *p);
/* What the ledger has of it is not for us. */
void foreign_found(struct wrk *w, struct live *l);
void foreign_refuse(struct wrk *w, struct live *l);
/* All that waits to be stepped is let go, and who asked is told why. */
void live_refuse_all(struct wrk *w, struct live *l, enum reason why, const char *detail);

/* answers.c, inbound.c, intake.c */
void inbound_refuse(
	struct wrk *w, struct rq *rq, enum reason why, const char *detail, const char *pointer);
/* Refuses, unless the ledger knows the request: then it is a repetition and gets its first answer.
 */
void inbound_refuse_new(struct wrk *w, struct rq *rq, enum reason why, const char *detail);
void inbound_claim_found(struct wrk *w, struct rq *rq, const struct loaded *got);
/* The answer `seq` as the record stands. */
void inbound_view(struct wrk *w, struct rq *rq, const struct pay *p, int seq);
void inbound_send(struct wrk *w, struct rq *rq, int status, struct span body, bool replayed);
/* The adapter alone answers, from what it has read: nothing of it is a payment's. */
void inbound_alone(struct wrk *w, struct rq *rq);
void inbound_replay(struct wrk *w, struct rq *rq, const struct pay *p, int seq);
void inbound_wait(struct wrk *w, struct live *l, struct rq *rq, int seq);
void inbound_deadline(struct wrk *w, struct rq *rq);
void inbound_unjoin(struct wrk *w, struct live *l);
/* The answer that a request waits for, as the record stands: final or pending. */
void inbound_answer(struct wrk *w, struct rq *rq, const struct pay *p, int seq);
void inbound_late(struct wrk *w, struct rq *rq, const struct live *l);
/* Those whose answer has become final elsewhere. */
void inbound_settled(struct wrk *w, struct live *l);
void inbound_to_payment(struct wrk *w, struct rq *rq, const struct pay_id *id);
/* Status and body of a final answer, for storage: the same whoever asks. */
bool inbound_render(struct wrk *w, const struct link *l, const struct pay *p, int seq,
	int *ret_status, struct buf *ret_body);
void inbound_begin(struct wrk *w, struct rq *rq);
/* The requester's own id of the payment that the request is about. */
struct claim inbound_payment_claim(const struct rq *rq);
void inbound_cached(struct wrk *w, struct rq *rq, const struct cache_answer *c);
void inbound_nonce(struct wrk *w, struct rq *rq, const struct cache_answer *c);
#define CACHE_TAG  16
#define CACHE_HEAD (CACHE_TAG + 16 + 2) /* tag, fingerprint, status */
void inbound_cache_key(const struct claim *c, struct buf *ret);
void inbound_cache_tag(struct wrk *w, struct span key, struct span value, uint8_t ret[CACHE_TAG]);

/* A request that was read: what is known of it is asked (nonce, cache), then it goes to the payment
 * that it begins or is about. */
void inbound_ask(struct wrk *w, struct rq *rq);
/* There is too much to do for a request of this kind. */
bool inbound_is_shed(const struct wrk *w, enum op op);
void inbound_dispatch(struct wrk *w, struct rq *rq);
/* Whether it makes something new; what does not is about something that is there. */
bool inbound_begins(enum op op);
/* Writers get what is left of the exchange's arena, headers and body apart. */
bool inbound_room(struct rq *rq, struct http_out *out, size_t body);
/* Seals it and gives it to the requester, who then waits no longer. */
void inbound_reply(struct wrk *w, struct rq *rq, struct http_out *out, bool replayed);

/* person.c */
/* The participant that debits whom the request names. */
uint16_t person_wallet(const struct rq *rq);
/* True: the ledger is asked first who the payer is. */
bool person_ask(struct wrk *w, struct rq *rq);
void person_known(struct wrk *w, struct rq *rq, const struct loaded *got);
/* From now on he has our name; false: no room. */
bool person_put(struct rq *rq, const struct loaded *got);

/* codes.c */
void codes_make(struct wrk *w, struct rq *rq);
/* The answer to a question that was passed on; NULL: none came. */
void codes_passed_on(struct wrk *w, struct rq *rq, Xw__Canonical *answer);
void codes_kept(struct wrk *w, struct rq *rq, const struct loaded *got);
/* True: the ledger is asked first whose code the till has brought. */
bool codes_ask_whose(struct wrk *w, struct rq *rq);
void codes_found(struct wrk *w, struct rq *rq, const struct loaded *got);

/* standing.c: merchants' registration at schemes. */
/* True: the ledger is asked first, since somebody wants merchants registered. */
bool standing_ask(struct wrk *w, struct rq *rq);
void standing_known(struct wrk *w, struct rq *rq, const struct loaded *got);
bool standing_has(struct span registered, uint16_t peer);
/* A scheme tells what has become of a registration. */
void standing_told(struct wrk *w, struct rq *rq);
void standing_kept(struct wrk *w, struct rq *rq, const struct loaded *got);
/* One for whom we are the scheme has a merchant registered, or asks how that stands. */
void standing_of_member(struct wrk *w, struct rq *rq);
void standing_answered(struct wrk *w, struct rq *rq, const struct loaded *got);
/* scheme.c: what is asked of us as a scheme, and is about no payment. */
void scheme_tell_rules(struct wrk *w, struct rq *rq);

/* commit.c */
void commit_step(struct wrk *w, struct live *l, struct item *it);
/* Whose the order is that a step wanted and did not get. */
void commit_order_sought(struct wrk *w, const struct seek *s, enum rc rc);
/* outbound.c */
/* Keeps for the calls to come what the request says of its payer. */
void outbound_keep_secret(struct live *l, const struct rq *rq);
void outbound_call(struct wrk *w, struct live *l, const struct call *c);
/* Passes a question on that moves no money and begins nothing; false: no room. */
bool outbound_pass_on(struct wrk *w, struct rq *rq, const struct link *to);
void outbound_free(struct wrk *w, struct callout *c);
/* The answer to a call that we answer ourselves; NULL: there is none. */
void outbound_local(struct wrk *w, struct callout *c, struct msg *answer);
/* own.c */
/* The text of an order's code, and the address of its page where that is wanted (code.format
 * "page"); false where its data do not fit. */
bool own_code_put(struct wrk *w, struct arena *a, const struct pay *p, struct msg *m);
/* Answers whoever stands in *o, now or later. */
void own_resolve(struct wrk *w, struct own *o);
void own_order_sought(struct wrk *w, const struct seek *s, enum rc rc);
void own_order_loaded(struct wrk *w, struct own *o, const struct loaded *got);
void own_merchant_found(struct wrk *w, struct own *o, const struct loaded *got);
void own_standing_known(struct wrk *w, struct own *o, const struct loaded *got);
/* front.c: the page of a code of ours, from which payers begin. */
bool front_has(const struct rq *rq);
void front_show(struct wrk *w, struct rq *rq);
/* What stands behind the code; NULL: we could not find out. */
void front_resolved(struct wrk *w, struct rq *rq, const struct msg *m);
void front_nowhere(struct wrk *w, struct rq *rq, int status);
/* order.c */
/* A request about an order, to whose record, or that of one who gave it back, it was led. */
void order_follow(struct wrk *w, struct rq *rq, const struct pay *p);
void order_followed(struct wrk *w, struct rq *rq, const struct loaded *got);
/* Ends in own_order_sought or commit_order_sought; RC_IO there: the ledger cannot be asked. */
void order_seek(struct wrk *w, struct seek s);
/* The same where `holder` had it at least once. */
void order_seek_past(struct wrk *w, struct seek s);
void order_holder_found(struct wrk *w, const struct seek *s, const struct loaded *got);
void order_holder_loaded(struct wrk *w, const struct seek *s, const struct loaded *got);
/* proof.c: from now on what the adapter verifies by `env` is noted. */
void proof_listen(struct proof *p, struct adapter_env *env);
/* journal.c: the event as evidence; false when it does not fit. */
/* The start line of a message and the headers that prove whose it is, one a line; behind an
 * answer's stands what it answers. SPAN_NONE: no room. */
struct span journal_head(const struct adapter *by, const struct http_msg *m,
	const struct http_out *asked, struct arena *a);
/* What is personal in the item's message, packed; empty: nothing, or no room. */
struct span journal_personal(const struct item *it, struct arena *a);
/* `sealed`: that, as nobody can read it, or none. */
bool journal_pack(const struct item *it, uint32_t snapshot, struct span sealed, struct buf *ret);
/* gate.c: a participant that cannot be reached, or does not answer, gets nothing new for a while,
 * and questions only as many as it can bear. It never stops cancels, refunds or notifications. */
/* What begins something at a participant; all else is about what was begun. */
bool gate_begins(enum op op);
enum gate_end { GATE_ANSWERED, GATE_UNSENT, GATE_LOST };
void gate_call_begins(struct wrk *w, const struct link *l, enum op op, struct mono deadline);
void gate_call_ended(struct wrk *w, const struct link *l, enum op op, enum gate_end end);
void gate_down(const struct wrk *w, struct pay_event *ev);
/* True: the alarm was for a question, which waits for its turn; it rings again then. What is turned
 * away when its minute of doubt is over becomes a look. */
bool gate_defers(struct wrk *w, struct live *l, struct item *it);
/* So much later a question is asked than it might be: payments that were lost at one moment do not
 * all ask at one moment. */
int64_t gate_jitter_ms(struct wrk *w, struct live *l);
/* note.c */
void note_moved(struct wrk *w, const struct pay *before, const struct step *st);
/* What its participant said to a notification; NULL: nothing that can be believed. */
void note_undelivered(struct wrk *w, const struct link *l, const struct msg *m);
void note_refused(struct wrk *w, const struct rq *rq, enum reason why, const char *detail);

#endif
