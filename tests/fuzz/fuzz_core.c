/*
 * fuzz_core.c: the payment machine under a list of events that the bytes choose: whatever happens,
 * in whatever order, each step's record passes pay_check, the books sum to zero, what is final
 * stays, and with honest partners the payment ends.
 *
 * The engine sees branches, not states, so the bytes are dice: each is one small choice, and a
 * changed byte changes one event.
 */
#include "fuzz.h"

#include "paywalk.h"

#define EVENTS_MAX 200

struct bytes {
	struct paywalk walk; /* first: the dice find the rest by it */
	const uint8_t *at;
	size_t left;
};

static unsigned dice(struct paywalk *k, unsigned n)
{
	struct bytes *b = (struct bytes *)k;
	unsigned v = 0;

	for (unsigned range = 1; range < n && b->left; range <<= 8, b->left--)
		v = v << 8 | *b->at++;
	return v % n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { { .dice = dice }, data, size };

	paywalk_run(&b.walk, size < EVENTS_MAX ? (int)size : EVENTS_MAX);
	return 0;
}
