/*
 * check.c: checks a proof from files alone: no ledger, no switch, nothing that they could tell us.
 *
 * The signature comes first, then the path to the signed root, then the rows beside the proof: each
 * must be covered by the entry. Must never say "good" of a part that it did not understand.
 */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

static int bad(const char *why)
{
	printf("does not hold: %s\n", why);
	return AUDIT_FAULT;
}

/* Lines of base64 until an empty one. False: something else. */
static bool read_path(struct span *rest, struct proof *ret)
{
	struct span line;

	ret->count = 0;
	while (span_split(rest, '\n', &line) && line.n > 0) {
		struct buf b;
		if (ret->count == PROOF_MAX)
			return false;
		b = buf_init(ret->hash[ret->count++].b, HASH);
		if (text_unb64(&b, line) != RC_OK || b.n != HASH)
			return false;
	}
	return rest->p != NULL;
}

static bool read_number(struct span line, struct span name, uint64_t *ret)
{
	int64_t n;

	if (!span_starts(line, name) || span_to_i64(span_sub(line, name.n, line.n), &n) != RC_OK)
		return false;
	*ret = (uint64_t)n;
	return true;
}

/* ---- the rows beside a proof -------------------------------------------------------------------
 */

/* "XWLEDG1" 0 'S' payment[16] version[4] count { table digest[32] }: the digest of that table. */
static const uint8_t *digest_of(struct span entry, uint8_t table)
{
	const uint8_t *p = (const uint8_t *)entry.p;

	for (size_t at = 30; at + 33 <= entry.n; at += 33)
		if (p[at] == table)
			return p + at + 1;
	return NULL;
}

/* Every row of the file is covered by the entry, and all that it covers are there. */
static const char *check_rows(struct span entry, struct span rows)
{
	for (uint8_t table = 1; table <= 4; table++) {
		const uint8_t *want = digest_of(entry, table);
		struct span rest = rows, line, name;
		char *bytes = more(NULL, rows.n + 1);
		struct buf b = buf_init(bytes, rows.n);
		struct digest d;
		bool good;

		while (span_split(&rest, '\n', &line)) {
			if (!span_split(&line, ' ', &name) ||
				!span_eq(name, span_str(leaf_table_name(table))))
				continue;
			good = text_unb64(&b, line) == RC_OK;
			if (!good)
				break;
		}
		d = digest_sha256(buf_span(&b));
		good = buf_ok(&b) && (want ? b.n > 0 && memcmp(d.b, want, HASH) == 0 : b.n == 0);
		free(bytes);
		if (!good)
			return "the rows beside it are not those that were sealed";
	}
	return NULL;
}

/* ---- the two kinds of proofs -------------------------------------------------------------------
 */

static int check_step(const struct options *o, struct span rest, const struct verifier *by)
{
	struct span line, extra;
	uint8_t entry[512];
	struct buf e = buf_init(entry, sizeof entry);
	uint64_t index;
	struct proof p;
	struct checkpoint c;
	struct digest leaf;
	struct span part[2] = { SPAN("\0"), SPAN_NONE };
	const char *why;
	char file[4096], *rows;
	size_t n;

	if (!span_split(&rest, '\n', &line) || !span_split(&rest, '\n', &extra) ||
		!span_starts(extra, SPAN("extra ")) ||
		text_unb64(&e, span_sub(extra, 6, extra.n)) != RC_OK ||
		!span_split(&rest, '\n', &line) || !read_number(line, SPAN("index "), &index) ||
		!read_path(&rest, &p))
		return bad("it is not of the form");
	why = note_open(rest, by, &c);
	if (why)
		return bad(why);
	part[1] = buf_span(&e);
	leaf = digest_sha256_parts(part, 2);
	if (!proof_includes(index, c.size, &leaf, &p, &c.root))
		return bad("the path does not lead to the signed root");
	printf("leaf %" PRIu64 " is in the log %s of %" PRIu64 " leaves\n", index, c.origin,
		c.size);
	snprintf(file, sizeof file, "%s.rows", o->word[0]);
	rows = read_file(file, &n);
	if (!rows)
		return AUDIT_GOOD;
	why = check_rows(buf_span(&e), span_of(rows, n));
	free(rows);
	if (why)
		return bad(why);
	printf("the rows in %s are those that were sealed\n", file);
	return AUDIT_GOOD;
}

bool growth_read(struct span *rest, uint64_t *ret_old, struct proof *ret)
{
	struct span line;

	return span_split(rest, '\n', &line) && read_number(line, SPAN("old "), ret_old) &&
	       read_path(rest, ret);
}

static int check_growth(const struct options *o, struct span rest, const struct verifier *by)
{
	uint64_t old;
	struct proof p;
	struct checkpoint now, before;
	const char *why;
	char *old_note;
	size_t n;

	if (!o->old)
		cannot("--old FILE: the earlier checkpoint, as you have kept it");
	if (!growth_read(&rest, &old, &p))
		return bad("it is not of the form");
	old_note = read_file(o->old, &n);
	if (!old_note)
		cannot("%s cannot be read", o->old);
	why = note_open(rest, by, &now);
	if (!why)
		why = note_open(span_of(old_note, n), by, &before);
	if (!why && (before.size != old || strcmp(before.origin, now.origin) != 0))
		why = "the earlier checkpoint is another one";
	if (!why && !proof_consistent(old, now.size, &p, &before.root, &now.root))
		why = "the later tree does not contain the earlier one";
	free(old_note);
	if (why)
		return bad(why);
	printf("the log of %" PRIu64 " leaves only added to that of %" PRIu64 "\n", now.size, old);
	return AUDIT_GOOD;
}

int audit_check(const struct options *o)
{
	struct verifier by;
	size_t n;
	char *text;
	int status;

	if (o->words != 1 || !o->key)
		return AUDIT_USAGE;
	verifier_need(o->key, &by);
	text = read_file(o->word[0], &n);
	if (!text)
		cannot("%s cannot be read", o->word[0]);
	status = span_starts(span_of(text, n), SPAN("old "))
			 ? check_growth(o, span_of(text, n), &by)
			 : check_step(o, span_of(text, n), &by);
	free(text);
	return status;
}
