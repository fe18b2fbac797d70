/*
 * audit.h: what the parts of switchaudit share: reading the ledger by one connection in one
 * snapshot, without any right to write, and the Merkle tree.
 */
#ifndef XW_AUDIT_H
#define XW_AUDIT_H

#include <stdarg.h>
#include <stdio.h>
#include <libpq-fe.h>

#include "digest.h"
#include "id.h"

#define HASH 32

/* Exit status of the program. */
enum { AUDIT_GOOD = 0, AUDIT_FAULT = 1, AUDIT_USAGE = 2, AUDIT_CANNOT = 3 };

/* Says why on standard error and ends the program with AUDIT_CANNOT. */
_Noreturn void cannot(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *more(void *p, size_t bytes); /* realloc that cannot fail */

/* The whole of a file, NUL-terminated; the caller frees. NULL: it cannot be read. */
char *read_file(const char *name, size_t *ret_n);

/* ---- ledger.c ---------------------------------------------------------------------------------
 */

/* A connection whose transaction sees the ledger as it is now, to the end, and cannot write. */
PGconn *ledger_open(const char *conninfo);
/* Rows of text; the caller clears. Parameters as text, NULL-terminated. */
PGresult *ledger_query(PGconn *c, const char *sql, const char *const *params);
/* A number, or text of our own, of a query's only row. */
int64_t ledger_number(PGconn *c, const char *sql);

/* Rows as COPY ... (FORMAT binary) gives them, one after another. */
struct copy {
	PGconn *c;
	char *line;      /* libpq's, until the next row */
	struct span row; /* the row's bytes: columns counted, each with its length in front */
};

void copy_begin(struct copy *k, PGconn *c, const char *sql);
bool copy_next(struct copy *k); /* false: that was all */
/* The n-th column's bytes; false where it is null. */
bool copy_column(const struct copy *k, int n, struct span *ret);
int64_t copy_int(const struct copy *k, int n); /* of 1, 2, 4 or 8 bytes; 0 where null */

/* ---- totals.c ---------------------------------------------------------------------------------
 */

struct total {
	int32_t account; /* 0: free */
	int64_t posted, reserved;
};

/* By hash of the account. All zero: empty. */
struct totals {
	struct total *all;
	size_t count, room;
};

struct total *totals_of(struct totals *t, int32_t account); /* good until the next call */
/* False: beyond all bounds. */
bool totals_add(struct totals *t, int32_t account, bool posted, int64_t plus);
void totals_clear(struct totals *t);
/* What every account came to at a moment (text for the ledger, "infinity"): all steps until then.
 */
void totals_at(PGconn *c, const char *at, struct totals *ret);

/* ---- tree.c -----------------------------------------------------------------------------------
 */

/* A tree that is built leaf by leaf; those from `base` on are kept, 32 bytes each. */
struct tree {
	uint8_t *leaf;
	uint64_t size, room, base;
	struct digest base_node[64]; /* the stack as it was then */
	int base_depth;
	struct digest stack[64]; /* roots of complete subtrees, the largest first */
	int height[64], depth;
};

void tree_add(struct tree *t, const uint8_t leaf[HASH]);
/* One that goes on from leaves which are not at hand, by the roots of its complete subtrees, the
 * smallest first. False: not as many as a tree of that size has. */
bool tree_from(struct tree *t, uint64_t size, struct span nodes);
struct digest tree_root(const struct tree *t); /* of all leaves so far */
/* The root of leaves from..to-1, both inside, and of those before `base` only complete subtrees. */
struct digest tree_range(const struct tree *t, uint64_t from, uint64_t to);

#define PROOF_MAX 64
struct proof {
	int count;
	struct digest hash[PROOF_MAX];
};
/* RFC 6962 2.1.1 and 2.1.2, in the tree of the first `size` leaves. */
void tree_inclusion(const struct tree *t, uint64_t index, uint64_t size, struct proof *ret);
void tree_consistency(const struct tree *t, uint64_t old, uint64_t size, struct proof *ret);
bool proof_includes(uint64_t index, uint64_t size, const struct digest *leaf, const struct proof *p,
	const struct digest *root);
bool proof_consistent(uint64_t old, uint64_t size, const struct proof *p,
	const struct digest *old_root, const struct digest *root);

/* ---- note.c -----------------------------------------------------------------------------------
 */

struct verifier {
	char name[201];
	uint8_t id[4], key[32];
	bool cosigns; /* a witness: its signature holds a time */
};

struct checkpoint {
	struct span text; /* what is signed */
	char origin[201];
	uint64_t size;
	struct digest root;
};

/* "<name>+<key id>+<base64>". False: that is no such key, or its id is another's. */
bool verifier_read(struct span text, struct verifier *ret);
/* An option's value: the key itself, or a file that holds it. Ends the program where it is neither.
 */
void verifier_need(const char *key_or_file, struct verifier *ret);
/* The same of several, one a line; how many. */
int verifiers_need(const char *key_or_file, struct verifier *ret, int most);
/* NULL, or what is wrong: its form, or a signature by a known key that does not hold, or none by
 * it. Signatures by others are passed over. */
const char *note_open(struct span note, const struct verifier *by, struct checkpoint *ret);

/* The last checkpoint of the ledger, as it is written; the caller frees. NULL: there is none. */
char *note_newest(PGconn *c);

/* ---- prove.c, check.c -------------------------------------------------------------------------
 */

/* "old N", the proof, an empty line, the checkpoint of `size` leaves: that the log only grew since
 * then, and what C2SP's tlog-witness has a log ask of a witness. */
void growth_write(PGconn *c, uint64_t old, uint64_t size, FILE *f);
/* The first two of them; *rest is the checkpoint then. False: not of the form. */
bool growth_read(struct span *rest, uint64_t *ret_old, struct proof *ret);

/* ---- leaves.c ---------------------------------------------------------------------------------
 */

/* One leaf as the rows of today make it. */
struct leaf {
	uint64_t xact;
	uint8_t table; /* 1: a step with its parts */
	bool has_raw;
	struct pay_id payment; /* of a step, or of a claim without one */
	int32_t version;
	uint8_t part[4][HASH]; /* digests of its rows by table; of another row: the first */
	bool has[4];
};

/* Where the rows' contents are of interest to somebody else too. */
struct leaf_eyes {
	void (*step)(void *ctx, const struct copy *row);
	void (*entry)(void *ctx, const struct copy *row);
	void *ctx;
};

/* One more than the highest number in sealed.def. */
enum {
	TABLES_NONE,
#define SEALED(NAME, KIND, number, table, columns, order, sentence) TABLE_##NAME = number,
#include "sealed.def"
#undef SEALED
	TABLES_MAX
};

/* The leaves of a range, by table and in the order of each: those of table t are
 * leaf[start[t]] to leaf[start[t + 1] - 1]. Of table 4 those claims that no step of theirs covers.
 */
struct leaves {
	struct leaf *leaf;
	size_t count, room;
	size_t start[TABLES_MAX + 1];
	uint64_t rows[TABLES_MAX]; /* read so far, by table */
};

/* Of transactions from..until-1; what was in *ret before is replaced, rows are counted on. */
void leaves_read(
	PGconn *c, uint64_t from, uint64_t until, const struct leaf_eyes *eyes, struct leaves *ret);
/* The hash of a leaf; with `raw`, that digest stands for messages that are gone. */
struct digest leaf_hash(const struct leaf *l, const uint8_t *raw);
/* The bytes that are hashed. */
size_t leaf_entry(const struct leaf *l, const uint8_t *raw, uint8_t ret[256]);
const char *leaf_table_name(uint8_t table);
int leaf_table_columns(uint8_t table); /* how many are hashed */
/* The COPY of one step's rows of a table, as they are hashed; payment in hexadecimal. */
void leaf_rows_sql(uint8_t table, const char *payment, int32_t version, char *ret, size_t cap);

/* ---- opener.c ---------------------------------------------------------------------------------
 */

/* The keys that an auditor was given; ends the program where the file holds none. */
struct vault;
struct vault *vault_need(const char *file);
/* What opens the messages of one payment. */
struct opener {
	bool erased; /* its key was destroyed */
	bool opens;
	uint8_t id[16];
	struct digest key;
};
/* By what stands in payment_key. `opens` false: of a version of the vault's that was not given, or
 * no seed. */
void opener_from(const struct vault *v, int64_t version, struct span id, struct span seed,
	struct opener *ret);
/* `v` NULL: none was given. Payment in hexadecimal. */
void opener_of(PGconn *c, const struct vault *v, const char *payment, struct opener *ret);
/* Appends what was sealed; else says why not. */
const char *opener_read(const struct opener *o, struct span sealed, struct buf *ret);

/* ---- the verbs --------------------------------------------------------------------------------
 */

struct options {
	const char *postgres; /* conninfo */
	const char *vault;    /* file of the keys of what is personal, or NULL */
	const char *key;      /* verifier key or a file with it, or NULL */
	const char *notes;    /* file of checkpoints that left the house, or NULL */
	const char *state, *secret, *name, *every; /* of a witness: files, its name, seconds */
	const char *witness, *cosigned;            /* its verifier key, and what it has cosigned */
	const char *out;                           /* file to write, or NULL: standard output */
	const char *old;                           /* file of the older checkpoint */
	const char *before;    /* the first day of a month: those before it are to leave */
	const char *left;      /* file of the entries of what has left */
	const char *at;        /* a moment */
	const char *from, *to; /* a period */
	const char *conf;      /* the switch's configuration */
	const char *form;      /* of a file that is written */
	bool json;
	int words;
	char **word; /* what stands behind the options */
};

int audit_verify(const struct options *o);
int audit_prove(const struct options *o);
int audit_check(const struct options *o);
int audit_trace(const struct options *o);
int audit_lineage(const struct options *o);
int audit_balance(const struct options *o);
int audit_statement(const struct options *o);
int audit_export(const struct options *o);
int audit_replay(const struct options *o);
int audit_witness(const struct options *o);

#endif
