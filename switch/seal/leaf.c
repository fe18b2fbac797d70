/*
 * leaf.c: leaves of the tamper-evident log. Every byte here is part of what auditors verify years
 * later: nothing of it may change; a new form gets a new tag.
 */
#include "leaf.h"

#include "check.h"

#define TAG "XWLEDG1\0"

static void be(struct buf *b, uint32_t v, int bytes)
{
	while (bytes-- > 0)
		buf_ch(b, (char)(v >> 8 * bytes & 0xff));
}

void leaf_row_begin(struct buf *b, int columns)
{
	be(b, (uint32_t)columns, 2);
}

void leaf_length(struct buf *b, bool is_null, size_t bytes)
{
	be(b, is_null ? UINT32_MAX : (uint32_t)bytes, 4);
}

static struct digest leaf(const struct buf *entry)
{
	const struct span part[] = { SPAN("\0"), buf_span(entry) };

	CHECK(buf_ok(entry));
	return digest_sha256_parts(part, 2);
}

struct digest leaf_of_step(const struct leaf_step *s)
{
	char storage[8 + 1 + 16 + 4 + 1 + LEAF_PARTS * 33];
	struct buf b = buf_init(storage, sizeof storage);
	int count = 0;

	for (int i = 0; i < LEAF_PARTS; i++)
		count += s->has[i];
	buf_add(&b, SPAN(TAG "S"));
	buf_add(&b, span_of(s->payment.b, sizeof s->payment.b));
	be(&b, (uint32_t)s->version, 4);
	be(&b, (uint32_t)count, 1);
	for (int i = 0; i < LEAF_PARTS; i++) {
		if (!s->has[i])
			continue;
		be(&b, (uint32_t)i + 1, 1);
		buf_add(&b, digest_span(&s->part[i]));
	}
	return leaf(&b);
}

struct digest leaf_of_row(uint8_t table, const struct digest *row)
{
	char storage[8 + 1 + 1 + 32];
	struct buf b = buf_init(storage, sizeof storage);

	buf_add(&b, SPAN(TAG "R"));
	be(&b, table, 1);
	buf_add(&b, digest_span(row));
	return leaf(&b);
}
