/*
 * sealer.c: appends what was committed to the tamper-evident log, and signs its root.
 *
 * It runs behind the payments and holds nobody up. One round takes the transactions between the
 * last round's end and the oldest one that still runs: below that nothing can appear any more, so
 * no row is missed and none is sealed twice, whatever order commits came in (standards A-2). The
 * rows' leaves become a block, whose primary key decides between two sealers.
 *
 * The hard thing is never to sign two trees that do not fit: what is in memory is only what the
 * ledger has confirmed, and after any doubt all is read again. Must never be a child of who handles
 * payments: its key is not theirs.
 */
#include "sealer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "check.h"
#include "frontier.h"
#include "keys.h"
#include "note.h"
#include "pg.h"
#include "proc.h"
#include "seal_round.h"
#include "text.h"

#define LOOK_MS    500
#define AGAIN_MS   1000
#define STEPS_MOST 2000 /* of one round, but for those of its last transaction */
#define IDLE_S     60   /* between checkpoints that cover nothing but the one before */
#define BLOCKS     64   /* read at once at the start */

static const enum pg_stmt read_rows[SEAL_TABLES] = {
#define SEALED(NAME, KIND, number, table, columns, order, sentence)                                \
	[number] = PG_STMT_SEALED_##NAME,
#include "sealed.def"
#undef SEALED
};

enum phase {
	AWAY,    /* no connection, or in doubt about what the ledger holds */
	LOADING, /* reads how far the log is */
	WAITING, /* for the next look */
	BUSY,    /* a round is under way */
};

struct sealer {
	const struct sealer_conf *conf;
	struct loop *loop;
	struct pg *pg;
	struct keys *keys;
	uint8_t key[NOTE_KEY_BYTES];
	int notes; /* descriptor */
	enum phase phase;
	bool stopping;
	int under_way;  /* statements without an answer yet */
	int64_t schema; /* version that we began with */
	bool outdated;
	struct mono next;       /* look */
	struct mono checkpoint; /* not before */
	struct frontier tree;   /* as the ledger has it */
	uint64_t signed_size;
	uint64_t left_size; /* of the last checkpoint that left the house, and its root */
	struct digest left_root;
	uint64_t upto, until; /* transactions: sealed below, this round's end */
	struct seal_round *round;
	enum seal_table reading; /* the next answer is of this table */
};

static void wait_ms(struct sealer *s, enum phase phase, int64_t ms)
{
	s->phase = phase;
	s->next = mono_plus_ms(loop_now(s->loop).mono, ms);
}

/* Whatever was under way, the ledger knows: it is read again. */
static void doubt(struct sealer *s, const char *why)
{
	if (s->phase != AWAY)
		proc_log("warn", "log-away", why);
	wait_ms(s, AWAY, AGAIN_MS);
}

/* False: it came to nothing, and the rest of what is under way will be in vain too. */
static bool is_done(struct sealer *s, const struct pg_answer *a)
{
	s->under_way--;
	if (s->phase == AWAY)
		return false;
	if (a->end == PG_END_DONE)
		return true;
	doubt(s, a->end == PG_END_REFUSED ? a->message : "the connection was lost");
	return false;
}

static bool ask(struct sealer *s, enum pg_stmt stmt, const struct pg_params *p, pg_done_fn *done)
{
	if (pg_send(s->pg, stmt, p, done, s) == RC_OK) {
		s->under_way++;
		return true;
	}
	doubt(s, "the ledger takes no statement");
	return false;
}

/* ---- start: how far the log is ----------------------------------------------------------------
 */

static void on_hashes(void *ctx, const struct pg_answer *a);

/* Under one name there is one history: where the ledger is not any more what was signed, because an
 * old backup was put back, nothing is signed. */
static void stop_at_a_fork(struct sealer *s)
{
	proc_log("error", "sealer",
		"a checkpoint that left the house does not fit the ledger: it was put back; the log"
		" goes on under another name and file");
	s->outdated = s->stopping = true;
}

static bool is_fork(const struct sealer *s)
{
	struct digest root;

	if (s->tree.size != s->left_size || !s->left_size)
		return false;
	root = frontier_root(&s->tree);
	return memcmp(root.b, s->left_root.b, sizeof root.b) != 0;
}

static void ask_hashes(struct sealer *s)
{
	struct pg_params p = { 0 };

	pg_add_int8(&p, (int64_t)s->tree.size);
	pg_add_int4(&p, BLOCKS);
	(void)ask(s, PG_STMT_SEAL_HASHES, &p, on_hashes);
}

static void end_loading(struct sealer *s)
{
	if (s->tree.size < s->left_size && !s->stopping)
		stop_at_a_fork(s);
	if (s->outdated)
		s->signed_size = s->tree.size; /* nothing is to be signed on the way out */
	wait_ms(s, WAITING, 0);
}

static void on_hashes(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;
	int n;

	if (!is_done(s, a))
		return;
	n = pg_rows_count(a->rows);
	for (int i = 0; i < n; i++) {
		struct span hashes = pg_bytes(a->rows, i, 1);
		struct digest leaf;

		if ((uint64_t)pg_int(a->rows, i, 0) != s->tree.size) {
			doubt(s, "the blocks of the log do not join");
			return;
		}
		for (; hashes.n >= sizeof leaf.b;
			hashes = span_sub(hashes, sizeof leaf.b, hashes.n)) {
			memcpy(leaf.b, hashes.p, sizeof leaf.b);
			frontier_append(&s->tree, &leaf);
			if (is_fork(s))
				stop_at_a_fork(s);
		}
	}
	if (n == BLOCKS && !s->stopping)
		ask_hashes(s);
	else
		end_loading(s);
}

static void on_state(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;

	if (!is_done(s, a))
		return;
	s->upto = (uint64_t)pg_int(a->rows, 0, 1);
	s->signed_size = (uint64_t)pg_int(a->rows, 0, 2);
	if (frontier_read(s->signed_size, pg_bytes(a->rows, 0, 3), &s->tree) != RC_OK) {
		doubt(s, "the last checkpoint's frontier is not one");
		return;
	}
	if (is_fork(s)) {
		stop_at_a_fork(s);
		end_loading(s);
		return;
	}
	ask_hashes(s);
}

static void load(struct sealer *s)
{
	struct pg_params none = { 0 };

	s->phase = LOADING;
	(void)ask(s, PG_STMT_SEAL_STATE, &none, on_state);
}

/* ---- checkpoints ------------------------------------------------------------------------------
 */

static void on_checkpoint(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;

	if (!is_done(s, a))
		return;
	if (pg_rows_count(a->rows) != 1) {
		doubt(s, "another sealer signs here");
		return;
	}
	s->signed_size = s->tree.size;
	wait_ms(s, WAITING, 0);
}

/* "<size>\n<root>\n\n": of the last note in the file, which may be torn at its end. */
static void read_left(struct sealer *s)
{
	char text[2 * NOTE_MAX];
	off_t end = lseek(s->notes, 0, SEEK_END),
	      from = end > (off_t)sizeof text ? end - (off_t)sizeof text : 0;
	ssize_t n = pread(s->notes, text, sizeof text, from);
	struct span rest = span_of(text, n > 0 ? (size_t)n : 0), line, size = SPAN_NONE,
		    before = SPAN_NONE;
	int64_t value;

	while (span_split(&rest, '\n', &line)) {
		struct buf root = buf_init(s->left_root.b, sizeof s->left_root.b);
		if (line.n == 0 && span_to_i64(before, &value) == RC_OK &&
			text_unb64(&root, size) == RC_OK && root.n == sizeof s->left_root.b)
			s->left_size = (uint64_t)value;
		before = size;
		size = line;
	}
}

/* Appended whole and on the disk, or false. */
static bool write_note(struct sealer *s, const struct buf *note)
{
	bool written = write(s->notes, note->p, note->n) == (ssize_t)note->n;

	if (written && fdatasync(s->notes) == 0)
		return true;
	doubt(s, strerror(errno));
	return false;
}

/* It leaves the house first: whoever comes after us in the ledger can only add to it. */
static void sign(struct sealer *s)
{
	char text[NOTE_MAX], signature[64], nodes[64 * 32];
	struct buf note = buf_init(text, sizeof text), sig = buf_init(signature, sizeof signature);
	struct buf frontier = buf_init(nodes, sizeof nodes);
	struct span origin = span_str(s->conf->origin), id;
	struct digest root = frontier_root(&s->tree);
	struct pg_params p = { 0 };
	enum key_alg alg;

	s->phase = BUSY;
	note_checkpoint(&note, origin, s->tree.size, &root);
	CHECK(keys_sign(s->keys, buf_span(&note), &sig, &alg, &id));
	note_sign(&note, origin, s->key, buf_span(&sig));
	frontier_write(&frontier, &s->tree);
	CHECK(buf_ok(&note) && buf_ok(&frontier));
	if (!write_note(s, &note))
		return;
	s->checkpoint = mono_plus_ms(loop_now(s->loop).mono, (int64_t)s->conf->every_s * 1000);
	pg_add_int8(&p, (int64_t)s->tree.size);
	pg_add_bytes(&p, buf_span(&note));
	pg_add_bytes(&p, buf_span(&frontier));
	(void)ask(s, PG_STMT_SEAL_CHECKPOINT, &p, on_checkpoint);
}

/* A checkpoint is a row too: alone it is worth another one only so that all see that we live. */
static bool should_sign(const struct sealer *s)
{
	uint64_t fresh = s->tree.size - s->signed_size;
	struct mono from = s->checkpoint;

	if (fresh <= 1)
		from = mono_plus_ms(from, (int64_t)(IDLE_S - s->conf->every_s) * 1000);
	return fresh > 0 && loop_now(s->loop).mono.us >= from.us;
}

/* ---- one round --------------------------------------------------------------------------------
 */

static void roll_up(struct sealer *s);

/* Behind a ledger that grew without us there may be more than one stretch. */
static void on_roll_up(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;

	if (!is_done(s, a))
		return;
	if (pg_int(a->rows, 0, 0))
		roll_up(s);
	else
		wait_ms(s, WAITING, seal_round_steps(s->round) >= STEPS_MOST ? 0 : LOOK_MS);
}

static void roll_up(struct sealer *s)
{
	struct pg_params p = { 0 };

	pg_add_int4(&p, s->conf->stretch);
	(void)ask(s, PG_STMT_SEAL_ROLL_UP, &p, on_roll_up);
}

static void on_block(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;
	struct span leaves = seal_round_leaves(s->round);
	struct digest leaf;

	if (!is_done(s, a))
		return;
	if (pg_rows_count(a->rows) != 1) {
		doubt(s, "another sealer writes here");
		return;
	}
	for (size_t i = 0; i < leaves.n; i += sizeof leaf.b) {
		memcpy(leaf.b, leaves.p + i, sizeof leaf.b);
		frontier_append(&s->tree, &leaf);
	}
	s->upto = s->until;
	roll_up(s);
}

static void write_block(struct sealer *s)
{
	struct span leaves, kept;
	struct pg_params p = { 0 };

	seal_round_end(s->round);
	leaves = seal_round_leaves(s->round);
	kept = seal_round_kept(s->round);
	if (leaves.n == 0) {
		s->upto = s->until;
		wait_ms(s, WAITING, LOOK_MS);
		return;
	}
	/* follows from the rows, and so is not to be tampered with either */
	s->until = seal_round_last(s->round) + 1;
	pg_add_int8(&p, (int64_t)s->tree.size);
	pg_add_int8(&p, (int64_t)s->until);
	pg_add_int4(&p, (int32_t)(leaves.n / sizeof(struct digest)));
	pg_add_bytes(&p, leaves);
	pg_add_bytes(&p, kept.n ? kept : SPAN(""));
	(void)ask(s, PG_STMT_SEAL_BLOCK, &p, on_block);
}

static void on_rows(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;
	enum seal_table table = s->reading++;

	if (!is_done(s, a))
		return;
	seal_round_take(s->round, table, a->rows);
	if (s->reading == SEAL_TABLES)
		write_block(s);
}

static void on_until(void *ctx, const struct pg_answer *a)
{
	struct sealer *s = ctx;
	struct pg_params p = { 0 };

	if (!is_done(s, a))
		return;
	s->until = (uint64_t)pg_int(a->rows, 0, 0);
	if (!s->schema)
		s->schema = pg_int(a->rows, 0, 1);
	if (s->schema != pg_int(a->rows, 0, 1)) {
		proc_log("error", "sealer",
			"the schema was changed; its new tables are not ours to pass over");
		s->outdated = s->stopping = true;
		wait_ms(s, WAITING, 0);
		return;
	}
	if (s->until <= s->upto) {
		wait_ms(s, WAITING, LOOK_MS);
		return;
	}
	s->reading = SEAL_TABLE_STEP;
	seal_round_begin(s->round);
	pg_add_int8(&p, (int64_t)s->upto);
	pg_add_int8(&p, (int64_t)s->until);
	for (enum seal_table t = SEAL_TABLE_STEP; t < SEAL_TABLES; t++)
		if (!ask(s, read_rows[t], &p, on_rows))
			return;
}

static void look(struct sealer *s)
{
	struct pg_params p = { 0 };

	s->phase = BUSY;
	pg_add_int8(&p, (int64_t)s->upto);
	pg_add_int4(&p, STEPS_MOST);
	(void)ask(s, PG_STMT_SEAL_UNTIL, &p, on_until);
}

/* ---- the process ------------------------------------------------------------------------------
 */

static struct mono turn(void *ctx)
{
	struct sealer *s = ctx;
	bool is_time = loop_now(s->loop).mono.us >= s->next.us;

	if (s->stopping && s->phase == WAITING && s->tree.size > s->signed_size) {
		sign(s); /* nothing that was sealed stays without a signature */
	} else if (s->stopping && s->phase != BUSY) {
		loop_stop(s->loop);
		return MONO_NEVER;
	}
	if (s->phase == AWAY && is_time && s->under_way == 0 && pg_state(s->pg) == PG_STATE_READY)
		load(s);
	else if (s->phase == WAITING && should_sign(s))
		sign(s);
	else if (s->phase == WAITING && is_time)
		look(s);
	return mono_plus_ms(loop_now(s->loop).mono, 100);
}

static void on_term(void *ctx)
{
	struct sealer *s = ctx;

	s->stopping = true;
}

static void on_connection(void *ctx, enum pg_state state, const char *why)
{
	(void)ctx;
	if (state == PG_STATE_BROKEN)
		proc_log("warn", "ledger", why);
	else if (state == PG_STATE_READY)
		proc_log("info", "ledger", "ready");
}

/* What verifiers are given lies beside the checkpoints, in <notes>.key. */
static const char *write_verifier_key(const struct sealer *s)
{
	char file[4096], text[NOTE_MAX];
	struct buf b = buf_init(text, sizeof text);
	FILE *f;
	bool good;

	note_verifier_key(&b, span_str(s->conf->origin), s->key);
	buf_ch(&b, '\n');
	snprintf(file, sizeof file, "%s.key", s->conf->notes);
	f = fopen(file, "we");
	if (!f)
		return strerror(errno);
	good = fwrite(text, 1, b.n, f) == b.n;
	return fclose(f) == 0 && good ? NULL : "the verifier key cannot be written";
}

/* NULL, or what is missing. */
static const char *open_all(struct sealer *s)
{
	struct pg_conf pg = { PG_CONF_DEFAULT, .conninfo = s->conf->postgres, .name = "sealer",
		.groups = PG_SEAL };
	const char *why;

	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return "its memory cannot be hidden from others of its user";
	if (!note_name_is_good(span_str(s->conf->origin)))
		return "the origin is no name for a log: letters, digits and -._~/: alone";
	s->keys = keys_new();
	s->loop = loop_new();
	s->round = seal_round_new();
	if (!s->keys || !s->loop || !s->round)
		return "out of memory";
	if (keys_add_file(s->keys, KEY_OURS, SPAN("log"), KEY_ACTIVE, s->conf->key, &why) != RC_OK)
		return why;
	if (!keys_public(s->keys, s->key))
		return "the log's key is not Ed25519";
	s->notes = open(s->conf->notes, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (s->notes < 0)
		return strerror(errno);
	read_left(s);
	if ((why = write_verifier_key(s)))
		return why;
	pg.unit_ms = 60000;
	s->pg = pg_open(s->loop, &pg, on_connection, s);
	if (!s->pg || loop_signal(s->loop, SIGTERM, on_term, s) != RC_OK ||
		loop_signal(s->loop, SIGINT, on_term, s) != RC_OK)
		return "out of memory";
	return NULL;
}

static void close_all(struct sealer *s)
{
	pg_close(s->pg);
	loop_free(s->loop);
	keys_free(s->keys);
	if (s->notes >= 0)
		close(s->notes);
	seal_round_free(s->round);
}

int sealer_run(const struct sealer_conf *c)
{
	struct sealer s = { .conf = c, .notes = -1 };
	const char *why = open_all(&s);
	int status = why ? 3 : 0;

	if (why) {
		proc_log("error", "sealer", why);
	} else {
		proc_log("info", "sealer", c->origin);
		if (loop_run(s.loop, turn, &s) != RC_OK || s.outdated)
			status = 1;
	}
	close_all(&s);
	return status;
}
