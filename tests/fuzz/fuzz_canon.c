/*
 * fuzz_canon.c: canonical bytes from anywhere: read or refused with the field that is wrong; what
 * was read can be written, and from then on reading and writing change nothing.
 *
 * What is kept as evidence goes through here years later, so the second writing is compared byte
 * for byte with the first.
 */
#include "fuzz.h"

#include "canon.h"

static char memory[1 << 18];

/* Bytes to message; false where either step refuses. */
static bool read_bytes(struct span bytes, struct arena *a, struct msg *ret)
{
	const char *where = NULL;
	Xw__Canonical *c;
	enum rc rc = canon_unpack(bytes, a, &c);

	if (rc != RC_OK) {
		CHECK(rc == RC_BAD || rc == RC_FULL || rc == RC_RANGE);
		return false;
	}
	rc = canon_read(c, ret, &where);
	CHECK(rc == RC_OK || ((rc == RC_BAD || rc == RC_RANGE) && where && where[0]));
	return rc == RC_OK;
}

static struct span write_bytes(const struct msg *m, struct arena *a, char *room, size_t cap)
{
	struct buf b = buf_init(room, cap);
	Xw__Canonical *c;

	CHECK(canon_write(m, a, &c) == RC_OK);
	CHECK(canon_pack(c, &b) == RC_OK && buf_ok(&b));
	return buf_span(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[CANON_BYTES_MAX], second[CANON_BYTES_MAX], little[512];
	static struct msg m, again;
	char *copy = fuzz_copy(span_of(data, size));
	struct arena a = arena_init(memory, sizeof memory);
	struct arena narrow = arena_init(little, sizeof little);

	(void)read_bytes(span_of(copy, size), &narrow, &m); /* no room is no harm */
	if (read_bytes(span_of(copy, size), &a, &m)) {
		struct span one = write_bytes(&m, &a, first, sizeof first);

		arena_reset(&a);
		CHECK(read_bytes(one, &a, &again));
		CHECK(span_eq(write_bytes(&again, &a, second, sizeof second), one));
	}
	free(copy);
	return 0;
}
