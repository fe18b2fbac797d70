/*
 * witness.c: somebody outside who has seen the log and remembers: a witness as C2SP's tlog-witness
 * describes it, over standard input and output, or beside a ledger that it may read.
 *
 * It remembers one checkpoint, the last that it cosigned, and cosigns another only when a proof
 * shows that its tree contains the one before. So whoever has two checkpoints with this name under
 * them has two of one history, whatever the log's owner did. The hard thing is the order: the
 * state is on the disk before the cosignature leaves, and two requests never look at one state.
 * Must never cosign two trees of one size, nor go back.
 */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define REQUEST_BYTES 65536
#define NOTE_BYTES    8192
#define COSIGNATURE   0x04 /* C2SP signed-note: Ed25519, timestamped, by a witness */

struct witness {
	const struct options *o;
	struct verifier log, self;
	EVP_PKEY *key;
	int lock; /* descriptor of the state's folder, or of the lock beside it */
};

/* ---- key --------------------------------------------------------------------------------------
 */

static EVP_PKEY *read_key(const char *file)
{
	FILE *f = fopen(file, "r");
	struct stat st;
	EVP_PKEY *key;

	if (!f || fstat(fileno(f), &st) != 0)
		cannot("%s: %s", file, strerror(errno));
	if (st.st_mode & (S_IRWXG | S_IRWXO) || st.st_uid != geteuid())
		cannot("%s must be ours, and readable by nobody else", file);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (!key || EVP_PKEY_id(key) != EVP_PKEY_ED25519)
		cannot("%s is no Ed25519 key", file);
	return key;
}

/* <name>+<id>+<base64>: what those who verify are given lies beside the state. */
static void write_verifier(const struct witness *w)
{
	char name[4096], text[400];
	struct buf b = buf_init(text, sizeof text), raw;
	uint8_t typed[33] = { COSIGNATURE };
	FILE *f;

	memcpy(typed + 1, w->self.key, 32);
	raw = buf_init(typed, sizeof typed);
	raw.n = sizeof typed;
	buf_str(&b, w->self.name);
	buf_ch(&b, '+');
	buf_hex(&b, span_of(w->self.id, 4));
	buf_ch(&b, '+');
	text_b64(&b, buf_span(&raw));
	snprintf(name, sizeof name, "%s.key", w->o->state);
	f = fopen(name, "w");
	if (!f || fprintf(f, "%.*s\n", SPAN_FMT(buf_span(&b))) < 0 || fclose(f) != 0)
		cannot("%s cannot be written", name);
}

static void open_witness(struct witness *w)
{
	uint8_t typed[33] = { COSIGNATURE };
	size_t n = 32;
	struct span part[3];
	struct digest d;

	prctl(PR_SET_DUMPABLE, 0); /* whoever shares our user cannot read the key out of us */
	verifier_need(w->o->key, &w->log);
	w->key = read_key(w->o->secret);
	if (EVP_PKEY_get_raw_public_key(w->key, w->self.key, &n) != 1)
		cannot("no public key");
	memcpy(typed + 1, w->self.key, 32);
	if (!span_to_cstr(span_str(w->o->name), w->self.name, sizeof w->self.name) ||
		!span_is_alnum(span_str(w->self.name), "-._~/:"))
		cannot("the name of a witness has letters, digits and -._~/: alone");
	part[0] = span_str(w->self.name);
	part[1] = SPAN("\n");
	part[2] = span_of(typed, sizeof typed);
	d = digest_sha256_parts(part, 3);
	memcpy(w->self.id, d.b, 4);
	w->self.cosigns = true;
	write_verifier(w);
}

/* ---- state ------------------------------------------------------------------------------------
 */

/* The last checkpoint that we cosigned; size 0 where there is none. One that does not bear both
 * signatures is not ours. */
static void read_state(const struct witness *w, struct checkpoint *ret)
{
	size_t n;
	char *text = read_file(w->o->state, &n);
	struct checkpoint c = { 0 };
	const char *why;

	if (!text && errno != ENOENT)
		cannot("%s: %s", w->o->state, strerror(errno));
	if (text) {
		why = note_open(span_of(text, n), &w->log, &c);
		if (!why)
			why = note_open(span_of(text, n), &w->self, &c);
		if (why)
			cannot("%s: %s", w->o->state, why);
		c.text = SPAN_NONE;
	}
	free(text);
	*ret = c;
}

/* On the disk, whole, or the program ends. */
static void write_state(const struct witness *w, struct span note)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof name, "%s.new", w->o->state);
	f = fopen(name, "w");
	if (!f || fwrite(note.p, 1, note.n, f) != note.n || fflush(f) != 0 ||
		fsync(fileno(f)) != 0 || fclose(f) != 0 || rename(name, w->o->state) != 0)
		cannot("%s: %s", name, strerror(errno));
}

/* One request at a time, whoever asks. */
static void lock_state(struct witness *w)
{
	char name[4096];

	snprintf(name, sizeof name, "%s.lock", w->o->state);
	w->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->lock < 0 || flock(w->lock, LOCK_EX) != 0)
		cannot("%s: %s", name, strerror(errno));
}

/* ---- a request --------------------------------------------------------------------------------
 */

/* Appends our line: of the time, and of the time and the text signed together. */
static void cosign(const struct witness *w, struct span text, struct buf *ret)
{
	char message[NOTE_BYTES], blob[4 + 8 + 64];
	struct buf m = buf_init(message, sizeof message), b = buf_init(blob, sizeof blob);
	uint64_t now = (uint64_t)time(NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[64];
	size_t n = sizeof signature;

	buf_str(&m, "cosignature/v1\ntime ");
	buf_u64(&m, now);
	buf_ch(&m, '\n');
	buf_add(&m, text);
	if (!buf_ok(&m) || !ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, w->key) != 1 ||
		EVP_DigestSign(ctx, signature, &n, (const uint8_t *)m.p, m.n) != 1)
		cannot("it could not be signed");
	EVP_MD_CTX_free(ctx);
	buf_add(&b, span_of(w->self.id, 4));
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_ch(&b, (char)(now >> shift & 0xff));
	buf_add(&b, span_of(signature, n));
	buf_str(ret, "\xe2\x80\x94 ");
	buf_str(ret, w->self.name);
	buf_ch(ret, ' ');
	text_b64(ret, buf_span(&b));
	buf_ch(ret, '\n');
}

/* NULL: it contains what we have seen. */
static const char *judge(const struct checkpoint *seen, uint64_t old, const struct proof *p,
	const struct checkpoint *now)
{
	if (seen->size && strcmp(seen->origin, now->origin) != 0)
		return "it is another log";
	if (old != seen->size)
		return "another checkpoint was seen last";
	if (now->size < seen->size)
		return "the log has become smaller";
	if (seen->size == 0)
		return p->count == 0 ? NULL : "a first checkpoint needs no proof";
	return proof_consistent(seen->size, now->size, p, &seen->root, &now->root)
		       ? NULL
		       : "the tree does not contain the one that was cosigned before";
}

/* Takes "old N", a proof, an empty line and a checkpoint. Where it holds, *ret is the checkpoint
 * with our line, and the state has it. */
static const char *take(
	struct witness *w, struct span request, struct checkpoint *ret_seen, struct buf *ret)
{
	struct checkpoint now;
	struct span rest = request;
	struct proof p;
	uint64_t old;
	const char *why;

	lock_state(w);
	read_state(w, ret_seen);
	if (!growth_read(&rest, &old, &p))
		return "it is not of the form";
	why = note_open(rest, &w->log, &now);
	if (!why)
		why = judge(ret_seen, old, &p, &now);
	if (why)
		return why;
	buf_add(ret, rest);
	cosign(w, now.text, ret);
	if (!buf_ok(ret))
		return "it has too many signatures";
	write_state(w, buf_span(ret));
	close(w->lock);
	return NULL;
}

static int answer(struct witness *w, struct span request, FILE *out)
{
	char text[NOTE_BYTES];
	struct buf note = buf_init(text, sizeof text);
	struct checkpoint seen = { 0 };
	const char *why = take(w, request, &seen, &note);

	if (why) {
		fprintf(stderr, "switchaudit: not cosigned: %s (last seen: %" PRIu64 " leaves)\n",
			why, seen.size);
		return AUDIT_FAULT;
	}
	if (fwrite(note.p, 1, note.n, out) != note.n || fflush(out) != 0)
		cannot("the cosigned checkpoint could not be written");
	return AUDIT_GOOD;
}

/* ---- beside a ledger --------------------------------------------------------------------------
 */

/* One look: the newest checkpoint, where it is another than the last. */
static int look(struct witness *w, FILE *out)
{
	struct checkpoint seen, now;
	PGconn *c = ledger_open(w->o->postgres);
	char *note = note_newest(c), *request = NULL;
	size_t n = 0;
	FILE *f;
	int status = AUDIT_GOOD;

	read_state(w, &seen);
	if (note && note_open(span_str(note), NULL, &now) == NULL &&
		(now.size != seen.size || memcmp(now.root.b, seen.root.b, HASH) != 0)) {
		f = open_memstream(&request, &n);
		if (!f)
			cannot("out of memory");
		growth_write(c, seen.size, now.size, f);
		fclose(f);
		status = answer(w, span_of(request, n), out);
		free(request);
	}
	free(note);
	PQfinish(c);
	return status;
}

static volatile sig_atomic_t stopping;

static void on_term(int signal)
{
	(void)signal;
	stopping = 1;
}

/* A look is a process of its own: whatever befalls it, the next one comes. */
static int follow(struct witness *w, FILE *out)
{
	const struct sigaction act = { .sa_handler = on_term };
	const long every = strtol(w->o->every, NULL, 10); /* main.c has looked at it */

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	while (!stopping) {
		pid_t child = fork();
		if (child == 0)
			_exit(look(w, out));
		if (child > 0)
			while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
				;
		for (long i = 0; i < every * 10 && !stopping; i++)
			nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	return AUDIT_GOOD;
}

int audit_witness(const struct options *o)
{
	struct witness w = { .o = o };
	static char request[REQUEST_BYTES];
	FILE *out = stdout;
	size_t n;
	int status;

	if (o->words || !o->key || !o->secret || !o->state || !o->name)
		return AUDIT_USAGE;
	open_witness(&w);
	if (o->out && !(out = fopen(o->out, "a")))
		cannot("%s: %s", o->out, strerror(errno));
	if (o->every) {
		status = follow(&w, out);
	} else {
		n = fread(request, 1, sizeof request, stdin);
		status = n == sizeof request ? AUDIT_FAULT : answer(&w, span_of(request, n), out);
	}
	EVP_PKEY_free(w.key);
	return status;
}
