/*
 * pieces_speed.c: what each pure piece of a payment costs alone, in processor time: recognising a
 * code of each format, an adapter's four functions over its golden cases, canonical messages, one
 * step of the payment machine, reading an HTTP head, signature bases, the log. A tool for people:
 * nothing asserts a speed.
 *
 *	pieces_speed [PREFIX]		only the pieces whose name begins so
 *
 * The hard thing is to measure the translation and nothing else: signatures are canned after the
 * first (keys_speed measures those), and of many short rounds the quickest counts, since whatever
 * else the machine does can only make one slower.
 */
#include "canon.h"
#include "check.h"
#include "frontier.h"
#include "golden_run.h"
#include "leaf.h"
#include "msgsig.h"
#include "payworld.h"
#include "qr.h"
#include "step.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS   7
#define ROUND_NS 2000000

static struct span only;

static int64_t used_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Microseconds of processor time for one call; the quickest round's mean. */
static double cost(void (*once)(void *ctx), void *ctx)
{
	double best = 1e9;

	once(ctx); /* warm */
	for (int round = 0; round < ROUNDS; round++) {
		int64_t begin = used_ns(), ns;
		int n = 0;

		do {
			for (int i = 0; i < 16; i++, n++)
				once(ctx);
			ns = used_ns() - begin;
		} while (ns < ROUND_NS);
		if ((double)ns / n < best)
			best = (double)ns / n;
	}
	return best / 1000;
}

struct piece {
	char name[64];
	double sum, most, json; /* us; json: jansson's part of sum */
	int cases;
	char at[160]; /* where the most was */
};

static void piece_add(struct piece *p, double us, double json, const char *at)
{
	p->sum += us;
	p->json += json;
	p->cases++;
	if (us >= p->most) {
		p->most = us;
		snprintf(p->at, sizeof p->at, "%s", at);
	}
}

static void piece_print(const struct piece *p)
{
	if (p->cases)
		printf("%-34s %8.2f %8.2f %8.2f %6d  %s\n", p->name, p->sum / p->cases,
			(p->sum - p->json) / p->cases, p->most, p->cases, p->at);
}

static bool wanted(const char *name)
{
	return span_starts(span_str(name), only);
}

/* ---- codes --------------------------------------------------------------------------------- */

static void scan(void *ctx)
{
	static char storage[QR_ARENA_BYTES];
	static struct qr q;
	struct arena a = arena_init(storage, sizeof storage);

	qr_scan(&a, *(struct span *)ctx, &q);
}

/* In place: line ends as the vector files escape them. */
static struct span payload_of(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && (p[1] == 'n' || p[1] == 'r'))
			*out++ = *++p == 'n' ? '\n' : '\r';
		else
			*out++ = *p;
	}
	return span_of(text, (size_t)(out - text));
}

/* The vectors of one file that are accepted. */
static void codes_of(const char *file)
{
	static char line[1 << 16];
	char path[512];
	struct piece p = { 0 };
	FILE *f;

	snprintf(p.name, sizeof p.name, "scan %s", file);
	snprintf(path, sizeof path, "%s/vectors/qr/%s.tsv", XW_TESTS, file);
	if (!wanted(p.name))
		return;
	if (!(f = fopen(path, "re"))) {
		fprintf(stderr, "pieces_speed: %s cannot be read\n", path);
		exit(1);
	}
	while (fgets(line, sizeof line, f)) {
		char *cell[9] = { line }, *rest = line;
		struct span payload;

		for (int i = 0; i < 9 && rest; i++)
			cell[i] = strsep(&rest, "\t");
		if (!cell[5] || strcmp(cell[3], "1") != 0)
			continue;
		payload = payload_of(cell[5]);
		piece_add(&p, cost(scan, &payload), 0, cell[0]);
	}
	fclose(f);
	piece_print(&p);
}

/* ---- adapters ------------------------------------------------------------------------------ */

/* The first signature is made, and given again from then on; all hold. */
struct canned {
	const struct signer *real;
	char sig[1024], key[128];
	size_t sig_n, key_n;
	enum sig_alg alg;
};

static bool canned_sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	struct canned *c = ctx;

	if (!c->sig_n) {
		struct buf sig = buf_init(c->sig, sizeof c->sig);
		struct span key;

		if (!c->real->sign(c->real->ctx, data, &sig, &c->alg, &key))
			return false;
		c->sig_n = sig.n;
		c->key_n = key.n;
		CHECK(key.n <= sizeof c->key);
		memcpy(c->key, key.p, key.n);
	}
	buf_add(ret_sig, span_of(c->sig, c->sig_n));
	*ret_alg = c->alg;
	*ret_key = span_of(c->key, c->key_n);
	return true;
}

static bool canned_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx, (void)key, (void)data, (void)sig;
	return true;
}

static bool canned_mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct canned *c = ctx;

	return c->real->mac(c->real->ctx, secret, data, ret);
}

static struct span canned_secret(void *ctx, const char *name)
{
	struct canned *c = ctx;

	return c->real->secret(c->real->ctx, name);
}

static void act(void *ctx)
{
	(void)!golden_run_act(ctx);
}

static void parse_json(void *ctx)
{
	struct golden_run *r = ctx;
	const struct json *v;

	r->arena = r->prepared;
	(void)!json_parse(&r->arena, r->msg.body, &v);
}

static void measure_case(struct golden_case *c, struct piece piece[4])
{
	struct golden_run *r = golden_run_new(c);
	struct canned canned = { .real = r->env.signer };
	struct signer signer = { &canned, canned_sign, canned_verify, canned_mac, canned_secret,
		NULL };
	bool reads = r->act == GOLDEN_READ_ANSWER || r->act == GOLDEN_READ_REQUEST;
	double json = 0;

	if (golden_run_act(r) == RC_OK) { /* refusals are shorter */
		r->env.signer = &signer;
		if (reads && span_starts(r->msg.body, SPAN("{")))
			json = cost(parse_json, r);
		piece_add(&piece[r->act], cost(act, r), json, c->title);
	}
	golden_run_free(r);
}

static int is_text(const struct dirent *e)
{
	return span_ends(span_str(e->d_name), SPAN(".txt"));
}

static void adapter_of(const char *name)
{
	static const char *const acts[] = { "write_call", "read_answer", "read_request",
		"write_reply" };
	struct piece piece[4] = { 0 };
	struct dirent **files;
	char dir[512], path[1024];
	int n;

	snprintf(dir, sizeof dir, "%s/../adapters/%s/golden", XW_TESTS, name);
	if ((n = scandir(dir, &files, is_text, alphasort)) < 0)
		return;
	for (int i = 0; i < 4; i++)
		snprintf(piece[i].name, sizeof piece[i].name, "%s %s", name, acts[i]);
	for (int i = 0; i < n; i++) {
		struct golden_file f;

		snprintf(path, sizeof path, "%s/%s", dir, files[i]->d_name);
		f = golden_open(path, XW_TESTS "/vectors/keys");
		for (size_t k = 0; k < f.count; k++)
			measure_case(&f.cases[k], piece);
		golden_close(&f);
		free(files[i]);
	}
	free(files);
	for (int i = 0; i < 4; i++)
		piece_print(&piece[i]);
}

static void adapters(void)
{
	struct dirent **all;
	int n = scandir(XW_TESTS "/../adapters", &all, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (all[i]->d_name[0] != '.' && (!only.n || wanted(all[i]->d_name)))
			adapter_of(all[i]->d_name);
		free(all[i]);
	}
	free(all);
}

/* ---- the machine --------------------------------------------------------------------------- */

struct machine {
	struct payworld *w;
	struct step st;
	Xw__Canonical *canonical;
	char packed[4096], storage[65536];
	size_t packed_n;
};

static void step_once(void *ctx)
{
	struct machine *m = ctx;

	core_step(pw_snapshot(), &m->w->before, &m->w->ev, &m->st);
}

static void pack_once(void *ctx)
{
	struct machine *m = ctx;
	struct arena a = arena_init(m->storage, sizeof m->storage);
	struct buf b = buf_init(m->packed, sizeof m->packed);
	Xw__Canonical *c;

	CHECK(canon_write(&m->w->m, &a, &c) == RC_OK && canon_pack(c, &b) == RC_OK);
	m->packed_n = b.n;
}

static void unpack_once(void *ctx)
{
	struct machine *m = ctx;
	struct arena a = arena_init(m->storage, sizeof m->storage);
	static struct msg msg;
	const char *where;
	Xw__Canonical *c;

	CHECK(canon_unpack(span_of(m->packed, m->packed_n), &a, &c) == RC_OK &&
		canon_read(c, &msg, &where) == RC_OK);
}

static void one(const char *name, void (*once)(void *ctx), void *ctx)
{
	struct piece p = { 0 };

	snprintf(p.name, sizeof p.name, "%s", name);
	if (!wanted(name))
		return;
	piece_add(&p, cost(once, ctx), 0, "");
	piece_print(&p);
}

static void machine(void)
{
	static struct machine m;

	m.w = pw_new();
	pw_pay(m.w, "alipay-plus", 1000);
	one("core_step, a till asks", step_once, &m);
	pack_once(&m);
	one("canon, message to bytes", pack_once, &m);
	one("canon, bytes to message", unpack_once, &m);
	pw_answer(m.w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	one("core_step, the wallet has paid", step_once, &m);
	pw_free(m.w);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

#define BODY                                                                                       \
	"{\"payment_id\":\"till-0001\",\"amount\":{\"value\":\"12.70\",\"currency\":\"EUR\"},"     \
	"\"code\":{\"text\":\"281032026911185414815634\"},\"order\":{\"description\":\"Shoes\"}}"
#define URI "https://switch.example/v1/payments"

struct wire {
	char bytes[4096], copy[4096], target[64], headers[2048], body[512];
	size_t n;
	struct http_msg msg;
	struct http_out out;
	struct msgsig_keys keys;
	char storage[65536];
};

static bool any_sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	(void)ctx, (void)data;
	buf_add(ret_sig, span_of(BODY, 64));
	*ret_key = SPAN("till-key-1");
	return true;
}

static bool any_verify(void *ctx, struct span keyid, struct span data, struct span sig)
{
	(void)ctx, (void)keyid, (void)data, (void)sig;
	return true;
}

static void base_write(void *ctx)
{
	static const uint8_t nonce[16] = { 1 };
	struct wire *w = ctx;
	struct arena a = arena_init(w->storage, sizeof w->storage);

	w->out = (struct http_out){ .method = "POST",
		.target = buf_init(w->target, sizeof w->target),
		.headers = buf_init(w->headers, sizeof w->headers),
		.body = buf_init(w->body, sizeof w->body) };
	buf_str(&w->out.target, "/v1/payments");
	buf_str(&w->out.body, BODY);
	http_out_header(&w->out, "content-type", SPAN("application/json"));
	http_out_header(&w->out, "idempotency-key", SPAN("k-1"));
	CHECK(msgsig_sign_request(&w->keys, &a, SPAN("till-key-1"),
		      (struct wall){ 1768469706000000 }, nonce, SPAN(URI), &w->out) == RC_OK);
}

static void head_read(void *ctx)
{
	struct wire *w = ctx;
	size_t used;
	int status;
	bool head_done;

	memcpy(w->copy, w->bytes, w->n);
	CHECK(http1_read_request(w->copy, w->n, &http1_limits_default, &w->msg, &used, &status,
		      &head_done) == RC_OK);
}

static void base_read(void *ctx)
{
	struct wire *w = ctx;
	struct arena a = arena_init(w->storage, sizeof w->storage);
	struct msgsig_msg m = { .target_uri = SPAN(URI), .in = &w->msg };
	struct msgsig s;

	CHECK(!msgsig_verify_request(&w->keys, &a, (struct wall){ 1768469706000000 }, &m, &s));
}

static void http(void)
{
	static struct wire w = { .keys = { NULL, any_sign, any_verify } };
	struct buf b = buf_init(w.bytes, sizeof w.bytes);

	one("RFC 9421, a request is signed", base_write, &w);
	base_write(&w);
	buf_str(&b, "POST /v1/payments HTTP/1.1\r\nhost: switch.example\r\n");
	buf_str(&b, "user-agent: till/1.0\r\naccept: application/json\r\n");
	buf_add(&b, buf_span(&w.out.headers));
	buf_str(&b, "content-length: ");
	buf_i64(&b, (int64_t)w.out.body.n);
	buf_str(&b, "\r\n\r\n");
	buf_add(&b, buf_span(&w.out.body));
	CHECK(buf_ok(&b));
	w.n = b.n;
	one("HTTP, a request is read", head_read, &w);
	head_read(&w);
	one("RFC 9421, a request is verified", base_read, &w);
}

/* ---- the log ------------------------------------------------------------------------------- */

/* A step's rows as the sealer reads them, and a verifier after it. */
struct sealed {
	char rows[LEAF_PARTS][1200];
	struct leaf_step step;
	struct digest leaf;
	struct frontier log;
};

static void rows_digest(void *ctx)
{
	struct sealed *s = ctx;

	for (int i = 0; i < LEAF_PARTS; i++) {
		s->step.has[i] = true;
		s->step.part[i] = digest_sha256(span_of(s->rows[i], sizeof s->rows[i]));
	}
}

static void leaf_make(void *ctx)
{
	struct sealed *s = ctx;

	s->leaf = leaf_of_step(&s->step);
}

static void leaf_append(void *ctx)
{
	struct sealed *s = ctx;

	frontier_append(&s->log, &s->leaf);
}

static void log_root(void *ctx)
{
	struct sealed *s = ctx;

	s->leaf = frontier_root(&s->log);
}

static void sealing(void)
{
	static struct sealed s;

	s.step.version = 1;
	one("log, digests of a step's rows", rows_digest, &s);
	one("log, a step's leaf", leaf_make, &s);
	one("log, a leaf is appended", leaf_append, &s);
	one("log, the root of it", log_root, &s);
}

int main(int argc, char **argv)
{
	static const char *const codes[] = { "emv-mpm", "emv-cpm", "epc-sct", "epc-msct",
		"swiss-qr", "wallet-code", "url-and-other" };

	only = argc > 1 ? span_str(argv[1]) : SPAN_NONE;
	printf("%-34s %8s %8s %8s %6s  %s\n", "us of processor time", "mean", "no json", "most",
		"cases", "the most in");
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		codes_of(codes[i]);
	http();
	machine();
	sealing();
	adapters();
	return 0;
}
