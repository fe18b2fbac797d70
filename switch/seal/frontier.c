/*
 * frontier.c: appending to a Merkle tree by its right edge alone, as one adds one to a binary
 * number: each carry joins two complete subtrees of the same size. Must never be shared with who
 * checks: switch/audit has a tree of its own.
 */
#include "frontier.h"

#include "check.h"

static struct digest join(const struct digest *left, const struct digest *right)
{
	const struct span part[] = { SPAN("\x01"), digest_span(left), digest_span(right) };

	return digest_sha256_parts(part, 3);
}

void frontier_append(struct frontier *f, const struct digest *leaf)
{
	struct digest d = *leaf;
	int i = 0;

	for (; f->size >> i & 1; i++)
		d = join(&f->node[i], &d);
	CHECK(i < 63);
	f->node[i] = d;
	f->size++;
}

struct digest frontier_root(const struct frontier *f)
{
	struct digest root = digest_sha256(SPAN_NONE);
	bool any = false;

	for (int i = 0; i < 64; i++) {
		if (!(f->size >> i & 1))
			continue;
		root = any ? join(&f->node[i], &root) : f->node[i];
		any = true;
	}
	return root;
}

void frontier_write(struct buf *b, const struct frontier *f)
{
	for (int i = 0; i < 64; i++)
		if (f->size >> i & 1)
			buf_add(b, digest_span(&f->node[i]));
}

enum rc frontier_read(uint64_t size, struct span nodes, struct frontier *ret)
{
	struct frontier f = { .size = size };

	for (int i = 0; i < 64; i++) {
		if (!(size >> i & 1))
			continue;
		if (nodes.n < sizeof f.node[i].b)
			return RC_BAD;
		memcpy(f.node[i].b, nodes.p, sizeof f.node[i].b);
		nodes = span_sub(nodes, sizeof f.node[i].b, nodes.n);
	}
	if (nodes.n)
		return RC_BAD;
	*ret = f;
	return RC_OK;
}
