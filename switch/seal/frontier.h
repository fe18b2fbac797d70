/*
 * frontier.h: the right edge of a Merkle tree that only grows (RFC 6962): the roots of its complete
 * subtrees, one for each bit of its size. That is all one needs in order to append and to tell the
 * root.
 */
#ifndef XW_FRONTIER_H
#define XW_FRONTIER_H

#include "digest.h"

struct frontier {
	uint64_t size;          /* leaves */
	struct digest node[64]; /* node[i] covers 2^i leaves, where bit i of size is set */
};

void frontier_append(struct frontier *f, const struct digest *leaf);
/* Of an empty tree: the digest of nothing. */
struct digest frontier_root(const struct frontier *f);
/* The nodes from the smallest to the largest, 32 bytes each; and back. RC_BAD: not as many as a
 * tree of that size has. */
void frontier_write(struct buf *b, const struct frontier *f);
MUST enum rc frontier_read(uint64_t size, struct span nodes, struct frontier *ret);

#endif
