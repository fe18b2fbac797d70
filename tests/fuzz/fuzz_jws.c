/*
 * fuzz_jws.c: whatever stands in the header of a signature, reading it stays inside its arena and
 * says the same in a small one as in a large one; what was read is what was sent, and a critical
 * member is one that the caller knows. A signature in DER is 64 bytes or none. The first two bytes
 * are the size of the small arena.
 */
#include "fuzz.h"

#include "jws.h"

static char large[1 << 20] __attribute__((aligned(16)));
static const char *const known[] = { "exp", NULL };

static void read_both_ways(struct span s, size_t cap)
{
	char *memory = malloc(cap + 1), *copy = fuzz_copy(s);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	struct jws v = { .alg = SPAN_NONE }, w = { .alg = SPAN_NONE };
	enum rc in_small = jws_read(&small, span_of(copy, s.n), known, &v);
	enum rc in_big = jws_read(&big, span_of(copy, s.n), known, &w);

	CHECK(in_big == RC_OK || in_big == RC_BAD);
	CHECK((in_small == RC_FULL) == !arena_ok(&small));
	CHECK(in_small == RC_FULL || in_small == in_big);
	if (in_big == RC_OK) {
		const struct json *crit = json_get(w.header, "crit");
		struct span name;

		CHECK(!span_empty(w.kid) && !span_empty(w.signature));
		CHECK(span_starts(span_sub(span_of(copy, s.n), w.head.n, s.n), SPAN("..")));
		for (size_t i = 0; i < json_count(crit); i++)
			CHECK(json_str(json_at(crit, i), "", &name) && span_eq(name, SPAN("exp")));
	}
	if (in_small == RC_OK)
		CHECK(span_eq(v.signature, w.signature) && span_eq(v.kid, w.kid));
	free(memory);
	free(copy);
}

static void undo_der(struct span s)
{
	char *copy = fuzz_copy(s), out[JWS_ES256_LEN];
	struct buf b = buf_init(out, sizeof out);
	enum rc rc = jws_ecdsa_undo_der(span_of(copy, s.n), &b);

	CHECK(rc == RC_OK ? buf_ok(&b) && b.n == JWS_ES256_LEN : rc == RC_BAD && b.n == 0);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct span s = span_of(data + 2, size - 2);

	read_both_ways(s, (size_t)data[0] << 8 | data[1]);
	undo_der(s);
	return 0;
}
