/*
 * dialogue.h: an adapter and its partner's fake face to face: a canonical call as text in, the
 * canonical answer out, bytes in between. Both sides read the same settings and secrets.
 */
#ifndef XW_DIALOGUE_H
#define XW_DIALOGUE_H

#include "adapter.h"
#include "fakeworld.h"

struct dialogue {
	struct fakeworld *w;
	const struct adapter *adapter;
	struct adapter_env env;
	struct signer signer;
	bool wrong_key;   /* the switch signs with a key that the fake does not know */
	bool keep_nonce;  /* it repeats itself to the byte */
	enum sig_alg alg; /* of the stand-in for our key; RSA where nobody says otherwise */
	struct arena arena;
	struct request rq;
	uint64_t nonces;
	char token[4096], sent[8192];
	size_t sent_n;
	uint8_t storage[262144];
};

struct dialogue *dialogue_new(const char *name, const struct fake_pair *settings);
void dialogue_free(struct dialogue *d);
/* "op: debit\nrequest_id: ..." The answer lives until the next call; NULL: the fake gave none. */
const Xw__Canonical *dialogue_call(struct dialogue *d, const char *call);
/* The same with a message in d->arena, which dialogue_fresh has emptied before. */
const Xw__Canonical *dialogue_ask(struct dialogue *d, const Xw__Canonical *call);
void dialogue_fresh(struct dialogue *d);
/* Why that call cannot be written, though it can be said; fails the test where it can. */
const char *dialogue_refused(struct dialogue *d, const char *call);
/* Fetches an access token and keeps it for the calls that follow. */
void dialogue_token(struct dialogue *d);
/* The verdict of an answer; fails the test at the line that asks. */
#define assert_outcome(m, o, r) dialogue_assert((m), (o), (r), __FILE__, __LINE__)
void dialogue_assert(
	const Xw__Canonical *m, enum outcome o, enum reason r, const char *file, int line);
/* What a person does to the fake, which must take it. */
void dialogue_control(struct dialogue *d, const char *json);
void dialogue_misbehave(struct dialogue *d, const char *op, const char *how, int ms);
/* The fake's book has one line, and that text is in it. */
#define assert_one_line(d, text) dialogue_assert_book((d), (text), __FILE__, __LINE__)
void dialogue_assert_book(struct dialogue *d, const char *text, const char *file, int line);
/* The last call that the fake made to the switch, through the adapter. */
enum rc dialogue_push(struct dialogue *d, Xw__Canonical **ret);
/* The same for the i-th call that is held (fakeworld.h); d->rq is what it is answered to. */
enum rc dialogue_read(struct dialogue *d, size_t i, Xw__Canonical **ret);
/* Answers it, where it was the last to be read. NULL: no answer comes. */
void dialogue_answer(struct dialogue *d, size_t i, const Xw__Canonical *reply, bool replayed);

#endif
