/*
 * tree.c: the Merkle tree of RFC 6962 from its leaves: roots, and both kinds of proofs, made and
 * checked.
 *
 * The usual mistakes in checking are an index that is the size, a proof with hashes to spare, and a
 * tree of no leaves: all three are refused. Written from the RFC alone; the sealer's tree is
 * another one.
 */
#include "audit.h"

static struct digest node(const uint8_t *left, const uint8_t *right)
{
	const struct span part[] = { SPAN("\x01"), span_of(left, HASH), span_of(right, HASH) };

	return digest_sha256_parts(part, 3);
}

void tree_add(struct tree *t, const uint8_t leaf[HASH])
{
	if (t->size - t->base == t->room) {
		t->room = t->room ? t->room * 2 : 1024;
		t->leaf = more(t->leaf, t->room * HASH);
	}
	memcpy(t->leaf + (t->size - t->base) * HASH, leaf, HASH);
	t->size++;
	memcpy(t->stack[t->depth].b, leaf, HASH);
	t->height[t->depth++] = 0;
	while (t->depth > 1 && t->height[t->depth - 1] == t->height[t->depth - 2]) {
		t->stack[t->depth - 2] = node(t->stack[t->depth - 2].b, t->stack[t->depth - 1].b);
		t->height[t->depth - 2]++;
		t->depth--;
	}
}

struct digest tree_root(const struct tree *t)
{
	struct digest root;

	if (t->depth == 0)
		return digest_sha256(SPAN_NONE);
	root = t->stack[t->depth - 1];
	for (int i = t->depth - 2; i >= 0; i--)
		root = node(t->stack[i].b, root.b);
	return root;
}

/* The largest power of two below n. PRE: n > 1. */
static uint64_t split(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

bool tree_from(struct tree *t, uint64_t size, struct span nodes)
{
	struct tree fresh = { .base = size, .size = size };

	for (int i = 63; i >= 0; i--) {
		if (!(size >> i & 1))
			continue;
		if (nodes.n < HASH)
			return false;
		/* The largest stands last. */
		memcpy(fresh.stack[fresh.depth].b, nodes.p + nodes.n - HASH, HASH);
		fresh.height[fresh.depth++] = i;
		nodes.n -= HASH;
	}
	if (nodes.n)
		return false;
	fresh.base_depth = fresh.depth;
	memcpy(fresh.base_node, fresh.stack, sizeof fresh.stack);
	*t = fresh;
	return true;
}

/* Of leaves that are not kept, from where a complete subtree begins: its nodes, joined from the
 * right. */
static struct digest range_of_base(const struct tree *t, uint64_t from, uint64_t to)
{
	uint64_t end = t->base;
	struct digest root = digest_sha256(SPAN_NONE);
	bool any = false;

	for (int i = t->base_depth - 1; i >= 0; i--) {
		uint64_t begin = end & (end - 1); /* without its lowest bit */
		if (begin >= from && end <= to) {
			root = any ? node(t->base_node[i].b, root.b) : t->base_node[i];
			any = true;
		}
		end = begin;
	}
	return root;
}

struct digest tree_range(const struct tree *t, uint64_t from, uint64_t to)
{
	struct digest left, right;
	uint64_t k;

	if (to == from)
		return digest_sha256(SPAN_NONE);
	if (to <= t->base)
		return range_of_base(t, from, to);
	if (to - from == 1) {
		memcpy(left.b, t->leaf + (from - t->base) * HASH, HASH);
		return left;
	}
	k = split(to - from);
	left = tree_range(t, from, from + k);
	right = tree_range(t, from + k, to);
	return node(left.b, right.b);
}

static void inclusion(
	const struct tree *t, uint64_t index, uint64_t from, uint64_t to, struct proof *p)
{
	uint64_t k;

	if (to - from <= 1)
		return;
	k = split(to - from);
	if (index < k) {
		inclusion(t, index, from, from + k, p);
		p->hash[p->count++] = tree_range(t, from + k, to);
	} else {
		inclusion(t, index - k, from + k, to, p);
		p->hash[p->count++] = tree_range(t, from, from + k);
	}
}

void tree_inclusion(const struct tree *t, uint64_t index, uint64_t size, struct proof *ret)
{
	ret->count = 0;
	inclusion(t, index, 0, size, ret);
}

static void consistency(
	const struct tree *t, uint64_t old, uint64_t from, uint64_t to, bool whole, struct proof *p)
{
	uint64_t k;

	if (old == to - from) {
		if (!whole)
			p->hash[p->count++] = tree_range(t, from, to);
		return;
	}
	k = split(to - from);
	if (old <= k) {
		consistency(t, old, from, from + k, whole, p);
		p->hash[p->count++] = tree_range(t, from + k, to);
	} else {
		consistency(t, old - k, from + k, to, false, p);
		p->hash[p->count++] = tree_range(t, from, from + k);
	}
}

void tree_consistency(const struct tree *t, uint64_t old, uint64_t size, struct proof *ret)
{
	ret->count = 0;
	if (old > 0 && old < size)
		consistency(t, old, 0, size, true, ret);
}

bool proof_includes(uint64_t index, uint64_t size, const struct digest *leaf, const struct proof *p,
	const struct digest *root)
{
	uint64_t fn = index, sn = size - 1;
	struct digest r = *leaf;

	if (index >= size)
		return false;
	for (int i = 0; i < p->count; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			r = node(p->hash[i].b, r.b);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			r = node(r.b, p->hash[i].b);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(r.b, root->b, HASH) == 0;
}

bool proof_consistent(uint64_t old, uint64_t size, const struct proof *p,
	const struct digest *old_root, const struct digest *root)
{
	bool complete = (old & (old - 1)) == 0; /* its root is a node of the larger tree */
	uint64_t fn = old - 1, sn = size - 1;
	struct digest fr, sr;
	int i = 0;

	if (old == size)
		return p->count == 0 && memcmp(old_root->b, root->b, HASH) == 0;
	if (old == 0 || old > size || p->count == 0)
		return false;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	fr = sr = complete ? *old_root : p->hash[i++];
	for (; i < p->count; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			fr = node(p->hash[i].b, fr.b);
			sr = node(p->hash[i].b, sr.b);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			sr = node(sr.b, p->hash[i].b);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(fr.b, old_root->b, HASH) == 0 && memcmp(sr.b, root->b, HASH) == 0;
}
