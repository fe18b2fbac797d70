/*
 * roots.c: the checkpoints that were signed, here and in the file that left the house, against the
 * tree as it grows.
 *
 * They are collected first, since a root can only be looked at while the tree has its size. Must
 * never pass over a note because it cannot be read: that is a fault too.
 */
#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Signed by one of the log's keys, and by the witness, where they are given. */
struct signers {
	const struct verifier *log, *witness;
	int logs; /* a log that was put back goes on under another name */
};

static void add_note(
	struct verdict *v, struct span note, const struct signers *by, const char *from)
{
	struct roots *l = &v->roots;
	struct checkpoint c;
	const char *why = by->logs ? "no signature by the key" : note_open(note, NULL, &c);
	int key = 0;

	for (int i = 0; i < by->logs && why; i++)
		if (!(why = note_open(note, &by->log[i], &c)))
			key = i;
	if (!why && by->witness)
		why = note_open(note, by->witness, &c);
	if (why) {
		verdict_fault(v, "a checkpoint in %s: %s", from, why);
		return;
	}
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 256;
		l->root = more(l->root, l->room * sizeof *l->root);
	}
	l->root[l->count++] =
		(struct signed_root){ .size = c.size, .root = c.root, .from = from, .key = key };
}

static void notes_of_ledger(struct verdict *v, const struct signers *by)
{
	PGresult *r = ledger_query(v->c,
		"select note, size, sha256(frontier) from ledger.checkpoint order by size", NULL);

	for (int i = 0; i < PQntuples(r); i++) {
		size_t before = v->roots.count;
		struct signed_root *root;
		add_note(v, span_str(PQgetvalue(r, i, 0)), by, "the ledger");
		if (v->roots.count == before)
			continue;
		root = &v->roots.root[before];
		root->has_frontier = verdict_digest(r, i, 2, &root->frontier);
		if (root->size != verdict_number(r, i, 1))
			verdict_fault(v, "checkpoint %s is filed under another size",
				PQgetvalue(r, i, 1));
	}
	PQclear(r);
}

/* Notes one behind the other: a text, an empty line, signatures. */
static void notes_of_file(struct verdict *v, const struct signers *by, const char *file)
{
	FILE *f = fopen(file, "r");
	char note[65536], line[4096];
	size_t n = 0;
	bool in_signatures = false;

	if (!f)
		cannot("%s cannot be read", file);
	while (fgets(line, sizeof line, f)) {
		size_t bytes = strlen(line);
		if (in_signatures && (uint8_t)line[0] != 0xe2) {
			add_note(v, span_of(note, n), by, file);
			in_signatures = false;
			n = 0;
		}
		if (n + bytes > sizeof note)
			cannot("%s holds no checkpoints", file);
		memcpy(note + n, line, bytes);
		n += bytes;
		in_signatures |= (uint8_t)line[0] == 0xe2;
	}
	if (n > 0)
		add_note(v, span_of(note, n), by, file);
	fclose(f);
}

static int by_size(const void *a, const void *b)
{
	const struct signed_root *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* Keys are given oldest first. One that another has followed signs nothing any more, whoever has
 * it. */
static void check_succession(struct verdict *v)
{
	const struct signed_root *root = v->roots.root;

	for (size_t i = 1; i < v->roots.count; i++)
		if (root[i].key < root[i - 1].key) {
			verdict_fault(v,
				"the checkpoint of %" PRIu64
				" leaves in %s is signed by a key that another had followed",
				root[i].size, root[i].from);
			return;
		}
}

/* What the sealer goes on from: the roots of the complete subtrees, the smallest first. */
static struct digest frontier_of(const struct tree *t)
{
	struct span part[64];

	for (int i = 0; i < t->depth; i++)
		part[i] = span_of((const char *)t->stack[t->depth - 1 - i].b, HASH);
	return digest_sha256_parts(part, (size_t)t->depth);
}

/* Those of the size that the tree has now. All of one tree, they fit one another too. */
void roots_check(struct verdict *v)
{
	struct roots *l = &v->roots;

	for (; l->next < l->count && l->root[l->next].size <= v->tree.size; l->next++) {
		const struct signed_root *want = &l->root[l->next];
		struct digest root = tree_root(&v->tree), frontier = frontier_of(&v->tree);
		if (want->size != v->tree.size || memcmp(root.b, want->root.b, HASH) != 0)
			verdict_fault(v,
				"the checkpoint of %" PRIu64 " leaves in %s is not this tree's",
				want->size, want->from);
		else if (want->has_frontier && memcmp(frontier.b, want->frontier.b, HASH) != 0)
			verdict_fault(v,
				"what the sealer goes on from, beside the checkpoint of %" PRIu64
				" leaves, is not this tree's",
				want->size);
		v->checkpoints++;
	}
}

void roots_end(struct verdict *v)
{
	if (v->roots.next < v->roots.count)
		verdict_fault(v,
			"%s holds a checkpoint of %" PRIu64 " leaves; the ledger has %" PRIu64,
			v->roots.root[v->roots.next].from, v->roots.root[v->roots.next].size,
			v->tree.size);
}

void roots_read(struct verdict *v, const struct verifier *by, int keys, const struct options *o)
{
	struct signers signers = { .log = by, .logs = keys };
	struct verifier witness;

	notes_of_ledger(v, &signers);
	if (o->notes)
		notes_of_file(v, &signers, o->notes);
	if (o->witness) {
		verifier_need(o->witness, &witness);
		signers.witness = &witness;
	}
	if (o->cosigned)
		notes_of_file(v, &signers, o->cosigned);
	if (v->roots.count)
		qsort(v->roots.root, v->roots.count, sizeof *v->roots.root, by_size);
	check_succession(v);
}
