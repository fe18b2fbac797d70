/*
 * ports.h: a worker's whole view of the world. app/wire.c binds it to sockets and servers,
 * tests/sim to a world of its own making; the worker cannot tell.
 *
 * Functions that take long return at once and complete later by a call of worker.h's wrk_on_...; a
 * completion never comes from inside the function that asked for it. RC_FULL or RC_IO means that
 * nothing was begun and no completion will come. What is handed over by pointer must stay unchanged
 * until the completion.
 */
#ifndef XW_PORTS_H
#define XW_PORTS_H

#include "adapter.h"
#include "step.h"

/* Partners of all dialects; payers' browsers. */
enum { LISTENER_PARTNERS, LISTENER_PAYERS };

/* An exchange of some listener; stays harmless when it is over. */
struct exchange_ref {
	uint32_t listener, slot, generation;
};

#define COMMIT_OUTS STEP_NOTIFIES
#define COMMIT_RAWS 2

#define PAYMENT_SEED     16
#define PAYMENT_SEED_MAX 48

/* From which the key of one payment is derived, under which its messages are sealed. */
struct payment_key {
	int16_t version;
	uint8_t bytes; /* 0: it has none */
	uint8_t seed[PAYMENT_SEED_MAX];
};

struct commit_raw {
	uint16_t peer;
	enum op op;
	bool outgoing;
	struct span key, head, body, signature;
};

/* A notification that is owed. */
struct commit_out {
	struct pay_id id;
	uint16_t peer;
	int seq;
	struct span body; /* packed canonical */
};

/* One step on its way into the ledger. */
struct commit {
	const struct step *step;
	enum event_kind kind;
	enum op op;
	struct span evidence; /* packed canonical messages with their digests */
	bool replies;
	int reply_seq, reply_status;
	struct span reply; /* the body, as it will be sent and repeated */
	int out_count;
	struct commit_out out[COMMIT_OUTS];
	int raw_count;
	struct commit_raw raw[COMMIT_RAWS];
	bool set_secret, remove_secret;
	struct span secret; /* encrypted */
	bool set_key;
	struct payment_key key; /* what the step's messages are sealed under */
	struct mono give_up;    /* not begun by then: COMMIT_UNSENT */
	void *owner;            /* the worker's own */
};

enum commit_verdict {
	COMMIT_OK,
	COMMIT_CLAIMED, /* one of the claims was there: whose, and what it claimed */
	COMMIT_FENCE,   /* somebody else stepped the payment: load, and step again */
	COMMIT_CAP,     /* an account would pass its cap, or was stopped by an operator */
	COMMIT_UNSENT,  /* nothing was kept and nothing will be */
	COMMIT_ERROR,   /* the ledger refuses this step as such: a bug of ours */
};

struct commit_result {
	enum commit_verdict verdict;
	struct pay_id payment; /* CLAIMED */
	int claim, seq;
	uint8_t fingerprint[16];
	int32_t account; /* CAP */
	int64_t value, cap;
};

/* Payer codes that a participant's user may show at tills, as keyed hashes. */
struct shown_codes {
	uint16_t peer;
	struct span payer; /* our name of the participant's user */
	struct wall until; /* of the last one */
	uint32_t apart_s;  /* each one before lives so much less */
	int count;
	uint8_t hash[MSG_CODES_MAX][16];
};

/* A wallet's user: its own words for him, either of which may be empty, and our name. */
struct payer_names {
	uint16_t wallet;
	struct span id, handle;
	struct span ours; /* should he be new */
};

/* Why something is loaded; the worker's own, given back with the completion. */
struct load_key {
	uint32_t slot, generation;
};

struct loaded {
	enum rc rc; /* RC_OK, RC_NOENT, RC_IO */
	struct pay_id payment;
	struct span record; /* valid during the completion */
	struct span secret; /* encrypted, or empty */
	struct payment_key key;
	int seq; /* find: which request holds the claim */
	int claim;
	uint8_t fingerprint[16];
	int status; /* reply */
	struct span body;
	uint16_t peer; /* code: whose it is, and whose user's */
	/* payer, code: our name of him, and what his wallet calls him, where we know it */
	struct span payer, payer_own, payer_handle;
	struct span registered; /* standing: numbers of participants, with blanks between them */
	/* member: the ledger's word; of which request; what people said */
	struct span word, request, said;
	const struct merchant *merchant; /* likewise valid during the completion */
};

struct cache_answer {
	bool known; /* false: a miss, or the cache did not answer */
	struct span value;
};

enum call_end { CALL_ANSWER, CALL_UNSENT, CALL_UNKNOWN };

struct ports {
	void *ctx;
	struct mono (*mono)(void *ctx); /* one now per turn */
	struct wall (*wall)(void *ctx);
	void (*entropy)(void *ctx, void *dst, size_t n);

	enum rc (*commit)(void *ctx, struct commit *c);                         /* wrk_on_commit */
	enum rc (*load)(void *ctx, const struct pay_id *id, struct load_key k); /* wrk_on_loaded */
	/* The payment that a claim belongs to. */
	enum rc (*find)(void *ctx, const struct claim *claim, struct load_key k);
	enum rc (*load_reply)(void *ctx, const struct pay_id *id, int seq, struct load_key k);

	/* Kept until they expire; the completion says RC_OK or RC_IO. */
	enum rc (*keep_codes)(void *ctx, const struct shown_codes *c, struct load_key k);
	enum rc (*find_code)(void *ctx, const uint8_t hash[16], struct load_key k);
	/* A wallet's user under the name that we gave him, now or before; RC_OK or RC_IO. */
	enum rc (*bind_payer)(void *ctx, const struct payer_names *p, struct load_key k);
	/* Who has that name. */
	enum rc (*find_payer)(void *ctx, struct span payer, struct load_key k);
	/* A merchant of the registry by the token in its code. */
	enum rc (*find_merchant)(void *ctx, struct span token, struct load_key k);

	enum rc (*cache_get)(void *ctx, struct span key, struct load_key k); /* wrk_on_cache */
	void (*cache_put)(void *ctx, struct span key, struct span value);
	/* A nonce that must be new: RC_OK new, RC_EXISTS seen; anything else: not known.
	 * wrk_on_cache: known and empty value for new, known and "1" for seen. */
	enum rc (*nonce)(void *ctx, struct span nonce, struct load_key k);

	/* `cookie` comes back with wrk_on_call_end. */
	enum rc (*call)(void *ctx, uint16_t peer, const struct http_out *out, struct mono deadline,
		uint64_t cookie);
	bool (*reply)(void *ctx, struct exchange_ref ref, const struct http_out *out);

	const struct signer *(*signer)(void *ctx, uint16_t peer);
	struct span (*setting)(void *ctx, uint16_t peer, const char *name);
	/* Keyed hash of a scanned code; authenticated encryption of what may not be kept in clear.
	 */
	void (*code_hash)(void *ctx, struct span text, uint8_t ret[16]);
	/* Keyed digest of what the cache is given, under another key: only what we put there
	 * counts. */
	void (*cache_tag)(void *ctx, struct span text, uint8_t ret[16]);
	void (*seal)(void *ctx, const struct pay_id *id, struct span plain, struct buf *ret);
	MUST enum rc (*open)(
		void *ctx, const struct pay_id *id, struct span sealed, struct buf *ret);

	/* The version of new keys; and what is sealed for as long as the payment's key is there: to
	 * be read by auditors, never by us. */
	int16_t (*key_version)(void *ctx);
	MUST enum rc (*seal_evidence)(void *ctx, const struct pay_id *id,
		const struct payment_key *key, struct span plain, struct buf *ret);

	/* One JSON object, for one log line. */
	void (*log)(void *ctx, struct span json);
	/* Other processes may care: an answer of this payment is final (wrk_on_bell there), or,
	 * NULL, a notification waits. Losing one costs time only. */
	void (*bell)(void *ctx, const struct pay_id *id);

	/* At which schemes an acquirer's merchant is registered. */
	enum rc (*find_standing)(void *ctx, uint16_t acquirer, struct span merchant,
		struct span store, struct load_key k);
	/* What a scheme says of a registration of ours is kept; the completion says RC_OK or RC_IO.
	 */
	enum rc (*keep_standing)(void *ctx, uint16_t peer, struct span request_id,
		struct span state, struct span detail, struct load_key k);
	/* Of those for whom we are the scheme: a merchant is to be registered (OP_REGISTER), or
	 * they ask how that stands (OP_STANDING). RC_NOENT: nobody asked for that. */
	enum rc (*ask_member)(
		void *ctx, const struct peer *peer, const struct msg *m, struct load_key k);
};

#endif
