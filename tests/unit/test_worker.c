/*
 * test_worker.c: the shell of the worker in a world of a few lines: a ledger that knows claims and
 * records, a peer that answers, and nothing that comes back before it is let.
 *
 * The dialect is the canonical message as text, so that a test says what it means. What the
 * simulator finds by chance is here on purpose.
 */
#include "unit.h"

#include "canon.h"
#include "digest.h"
#include "worker.h"

enum { SCHEME = 1, WALLET = 2 };

/* The dialect: bodies are messages as text. */

static bool said_who(const struct request *rq, struct span *ret)
{
	*ret = rq->arg[0];
	return true;
}

static enum rc read_text(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	size_t line;

	if (span_eq(rq->http->body, SPAN("much"))) /* what a body of many small members does */
		while (arena_alloc(env->arena, 4096))
			;
	if (!arena_ok(env->arena))
		return RC_FULL;
	assert_int_equal(canonical_text_read(env->arena, rq->http->body, ret, &line), RC_OK);
	return RC_OK;
}

static void write_text(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *m, struct http_out *out)
{
	(void)env, (void)rq;
	out->status = m->problem ? 400 : 200;
	canonical_text_write(&out->body, m);
}

static void no_seal(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)env, (void)rq, (void)replayed, (void)out;
}

static struct wrk_note notes[40]; /* of those tests that have any */
static int not_begun[2];          /* of the last call: when it was written, and when it left */

/* What a killer would leave now, of calls that had not begun. */
static int notes_left(void)
{
	int n = 0;

	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		n += notes[i].version && !notes[i].begun;
	return n;
}

static enum rc write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	(void)ret_why;
	not_begun[0] = notes_left();
	http_out_header(out, "token", env->token);
	out->method = call->payer && strcmp(call->payer->id, "browser") == 0 ? NULL : "POST";
	canonical_text_write(&out->body, call);
	return RC_OK;
}

static enum rc read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	struct span text = answer->status
				   ? answer->body
				   : SPAN("op: debit\nanswer: true\noutcome.result: pending\n"
					  "action_url: https://switch.example/forms/1\n");
	size_t line;

	(void)call, (void)out;
	assert_int_equal(canonical_text_read(env->arena, text, ret, &line), RC_OK);
	return RC_OK;
}

static const struct route served[] = {
	{ "POST", "/{peer}/pay", OP_DEBIT, 0, .hold_ms = 5000 },
	{ "POST", "/{peer}/scan", OP_RESOLVE, 0, .hold_ms = 5000 },
	{ "POST", "/{peer}/credit", OP_CREDIT, 0, .hold_ms = 5000 },
	{ "POST", "/{peer}/cancel", OP_CANCEL, 0, .hold_ms = 5000 },
	{ "POST", "/{peer}/read", OP_READ, 0, .hold_ms = 0 },
	{ "POST", "/{peer}/refund", OP_REFUND, 0, .hold_ms = 0 },
	{ "POST", "/{peer}/push", OP_PUSH, 0, .hold_ms = 0 },
	{ .method = NULL },
};
static const struct caps wallet_caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = 5000, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = 5000, .not_found_s = 5, .ladder = LADDER(1, 2, 3) },
	{ .op = OP_CANCEL,
		.allowed_ms = 5000,
		.cancel_undoes = true,
		.taken_at_once = true,
		.ladder = LADDER(2, 3) },
	{ .op = OP_CREDIT, .allowed_ms = 5000, .sends_code = true, .ladder = LADDER(2, 3) },
	{ .op = OP_PUSH, .push_decides = true },
	{ .op = OP_NONE },
};
static const struct caps guarded_caps[] = {
	{ .op = OP_TOKEN, .allowed_ms = 5000 },
	{ .op = OP_DEBIT, .allowed_ms = 5000, .needs_token = true },
	{ .op = OP_INQUIRE,
		.allowed_ms = 5000,
		.needs_token = true,
		.not_found_s = 5,
		.ladder = LADDER(1, 2, 3) },
	{ .op = OP_CANCEL,
		.allowed_ms = 5000,
		.needs_token = true,
		.cancel_undoes = true,
		.ladder = LADDER(2, 3) },
	{ .op = OP_NONE },
};
static const struct adapter dialect = { .name = "text",
	.caps = wallet_caps,
	.routes = served,
	.identify = said_who,
	.read_request = read_text,
	.write_reply = write_text,
	.seal_reply = no_seal,
	.write_call = write_call,
	.read_answer = read_answer };

/* The world. */

struct row {
	struct claim claim;
	struct pay_id payment;
	int seq;
	uint8_t fingerprint[16];
};

/* "2-token" is what we call who is "token" there. */
struct payer {
	char ours[MSG_ID], id[MSG_ID], handle[257];
};

struct asked {
	bool claim; /* of find, else load */
	bool code;  /* whose it is: the wallet's, always */
	bool payer; /* who he is */
	struct payer who;
	struct load_key key;
	struct claim digest;
	struct pay_id id;
};

struct world {
	struct wrk *w;
	const struct ports *ports;
	void *memory;
	struct mono now;
	struct row row[32];
	int rows;
	struct pay_id id[16];
	char record[16][PAY_BYTES_MAX];
	size_t record_bytes[16];
	char secret[16][2000];
	size_t secret_bytes[16];
	int payments;
	struct commit *commit[16];
	int commits;
	struct asked asked[16];
	int questions;
	int calls;
	uint64_t cookie; /* of the last one, and what went out */
	struct mono deadline;
	char called[4096];
	char with_token[32];
	const char *outcome; /* of the last decision */
	int outcomes;
	int status[16]; /* of the answer to each exchange; 0: none yet */
	char body[16][4096];
	struct arena arena[16];
	struct http_msg http[16];
	char store[16][192 * 1024];
	int exchanges;
};

static struct mono now_mono(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static struct wall now_wall(void *ctx)
{
	return (struct wall){ INT64_C(1768469400000000) + ((struct world *)ctx)->now.us };
}

static void entropy(void *ctx, void *dst, size_t n)
{
	static uint8_t last;

	(void)ctx;
	memset(dst, ++last, n);
}

static enum rc take_commit(void *ctx, struct commit *c)
{
	struct world *o = ctx;

	o->commit[o->commits++] = c;
	return RC_OK;
}

static enum rc take_load(void *ctx, const struct pay_id *id, struct load_key k)
{
	struct world *o = ctx;

	o->asked[o->questions++] = (struct asked){ .key = k, .id = *id };
	return RC_OK;
}

static enum rc take_find(void *ctx, const struct claim *c, struct load_key k)
{
	struct world *o = ctx;

	o->asked[o->questions++] = (struct asked){ .claim = true, .key = k, .digest = *c };
	return RC_OK;
}

static enum rc no_reply(void *ctx, const struct pay_id *id, int seq, struct load_key k)
{
	(void)ctx, (void)id, (void)seq, (void)k;
	return RC_IO;
}

static enum rc no_codes(void *ctx, const struct shown_codes *c, struct load_key k)
{
	(void)ctx, (void)c, (void)k;
	return RC_IO;
}

static enum rc take_code(void *ctx, const uint8_t code[16], struct load_key k)
{
	struct world *o = ctx;

	(void)code;
	o->asked[o->questions++] = (struct asked){ .code = true, .key = k };
	return RC_OK;
}

static void put(struct span s, char *dst, size_t cap)
{
	assert_true(span_to_cstr(s, dst, cap));
}

static enum rc bind_payer(void *ctx, const struct payer_names *p, struct load_key k)
{
	struct world *o = ctx;
	struct asked *q = &o->asked[o->questions++];

	*q = (struct asked){ .payer = true, .key = k };
	put(p->ours, q->who.ours, sizeof q->who.ours);
	put(p->id, q->who.id, sizeof q->who.id);
	put(p->handle, q->who.handle, sizeof q->who.handle);
	return RC_OK;
}

static enum rc find_payer(void *ctx, struct span payer, struct load_key k)
{
	struct world *o = ctx;
	struct asked *q = &o->asked[o->questions++];

	*q = (struct asked){ .payer = true, .key = k };
	put(payer, q->who.ours, sizeof q->who.ours);
	put(span_sub(payer, 2, payer.n), q->who.id, sizeof q->who.id);
	put(SPAN("4790000001"), q->who.handle, sizeof q->who.handle);
	return RC_OK;
}

static enum rc no_merchant(void *ctx, struct span token, struct load_key k)
{
	(void)ctx, (void)token, (void)k;
	return RC_IO;
}

static enum rc no_cache(void *ctx, struct span key, struct load_key k)
{
	(void)ctx, (void)key, (void)k;
	return RC_FULL;
}

static void no_put(void *ctx, struct span key, struct span value)
{
	(void)ctx, (void)key, (void)value;
}

static enum rc take_call(
	void *ctx, uint16_t peer, const struct http_out *out, struct mono deadline, uint64_t cookie)
{
	struct world *o = ctx;
	struct span token;

	(void)peer;
	o->calls++;
	not_begun[1] = notes_left();
	o->cookie = cookie;
	o->deadline = deadline;
	assert_true(span_to_cstr(buf_span(&out->body), o->called, sizeof o->called));
	assert_true(http_out_get(out, "token", &token) &&
		    span_to_cstr(token, o->with_token, sizeof o->with_token));
	return RC_OK;
}

static bool take_reply(void *ctx, struct exchange_ref ref, const struct http_out *out)
{
	struct world *o = ctx;

	assert_int_equal(o->status[ref.slot], 0); /* once */
	o->status[ref.slot] = out->status;
	if (out->body.n)
		snprintf(o->body[ref.slot], sizeof o->body[0], "%.*s", (int)out->body.n,
			out->body.p);
	return true;
}

static const struct signer *no_signer(void *ctx, uint16_t peer)
{
	(void)ctx, (void)peer;
	return NULL;
}

static struct span no_setting(void *ctx, uint16_t peer, const char *name)
{
	(void)ctx, (void)peer, (void)name;
	return SPAN_NONE;
}

static void hash(void *ctx, struct span text, uint8_t ret[16])
{
	struct digest d = digest_sha256(text);

	(void)ctx;
	memcpy(ret, d.b, 16);
}

static void seal(void *ctx, const struct pay_id *id, struct span plain, struct buf *ret)
{
	(void)ctx, (void)id;
	buf_add(ret, plain);
}

static enum rc unseal(void *ctx, const struct pay_id *id, struct span sealed, struct buf *ret)
{
	(void)ctx, (void)id;
	buf_add(ret, sealed);
	return RC_OK;
}

static int16_t key_version(void *ctx)
{
	(void)ctx;
	return 3;
}

/* What is sealed under a key begins with the first byte of its seed. */
static enum rc seal_evidence(void *ctx, const struct pay_id *id, const struct payment_key *key,
	struct span plain, struct buf *ret)
{
	(void)ctx, (void)id;
	assert_int_equal(key->version, 3);
	assert_int_equal(key->bytes, PAYMENT_SEED);
	buf_ch(ret, (char)key->seed[0]);
	for (size_t i = 0; i < plain.n; i++)
		buf_ch(ret, (char)(plain.p[i] ^ 0x55));
	return RC_OK;
}

static void no_log(void *ctx, struct span json)
{
	(void)ctx, (void)json;
}

static void no_bell(void *ctx, const struct pay_id *id)
{
	(void)ctx, (void)id;
}

static const struct route_row rows[] = {
	{ .scheme = "shoes", .mode = 'C', .to = 2 },
	{ .scheme = "bluecode", .mode = 'O', .to = 2 },
};
static struct peer peers[2];
static struct link links[2];
static struct snapshot sn;
static struct wrk_conf conf = { .snapshot = &sn,
	.link = links,
	.link_count = 2,
	.origin = { "https://switch.example", 22 },
	.code_guid = { "example.switch", 14 },
	.payments_max = 16,
	.calls_max = 8 };

static struct world *fresh(void)
{
	static struct ports ports;
	struct world *o = calloc(1, sizeof *o);
	size_t n = (wrk_bytes(&conf) + 63) & ~(size_t)63;

	ports = (struct ports){ o, now_mono, now_wall, entropy, take_commit, take_load, take_find,
		no_reply, no_codes, take_code, bind_payer, find_payer, no_merchant, no_cache,
		no_put, no_cache, take_call, take_reply, no_signer, no_setting, hash, hash, seal,
		unseal, key_version, seal_evidence, no_log, no_bell, NULL, NULL, NULL };
	o->memory = aligned_alloc(64, n);
	memset(o->memory, 0, n);
	o->ports = &ports;
	o->w = wrk_init(o->memory, &conf, &ports);
	return o;
}

static void done(struct world *o)
{
	free(o->memory);
	free(o);
}

/* A request arrives; which exchange it is. */
static int request(struct world *o, const char *path, const char *body)
{
	int i = o->exchanges++;

	o->arena[i] = arena_init(o->store[i], sizeof o->store[i]);
	o->http[i] = (struct http_msg){ .method = SPAN("POST"),
		.target = span_str(path),
		.path = span_str(path),
		.body = span_str(body) };
	wrk_on_request(o->w, (struct exchange_ref){ 0, (uint32_t)i, 1 }, &o->arena[i], &o->http[i]);
	return i;
}

static void turn(struct world *o)
{
	o->now.us += 1000;
	(void)wrk_turn(o->w);
}

static const struct row *claim_of(const struct world *o, const struct claim *c)
{
	for (int i = 0; i < o->rows; i++)
		if (memcmp(o->row[i].claim.digest, c->digest, 16) == 0)
			return &o->row[i];
	return NULL;
}

static int payment_of(const struct world *o, const struct pay_id *id)
{
	for (int i = 0; i < o->payments; i++)
		if (pay_id_eq(&o->id[i], id))
			return i;
	return -1;
}

/* The first commit that waits reaches the ledger. */
static enum commit_verdict settle(struct world *o)
{
	struct commit *c = o->commit[0];
	const struct step *st = c->step;
	struct commit_result r = { .verdict = COMMIT_OK };
	int at = payment_of(o, &st->next.id);

	assert_true(o->commits > 0);
	memmove(o->commit, o->commit + 1, sizeof o->commit[0] * (size_t)--o->commits);
	for (int i = 0; i < st->claim_count && r.verdict == COMMIT_OK; i++) {
		const struct row *row = claim_of(o, &st->claim[i]);
		if (!row)
			continue;
		r = (struct commit_result){ .verdict = COMMIT_CLAIMED,
			.payment = row->payment,
			.claim = i,
			.seq = row->seq };
		memcpy(r.fingerprint, row->fingerprint, 16);
	}
	if (r.verdict == COMMIT_OK) {
		for (int i = 0; i < st->claim_count; i++) {
			struct row *row = &o->row[o->rows++];
			*row = (struct row){ st->claim[i], st->next.id, st->claim_seq, { 0 } };
			memcpy(row->fingerprint, st->claim_fingerprint, 16);
		}
		if (at < 0)
			o->id[at = o->payments++] = st->next.id;
		memcpy(o->record[at], st->record, st->record_bytes);
		o->record_bytes[at] = st->record_bytes;
		if (c->set_secret) {
			memcpy(o->secret[at], c->secret.p, c->secret.n);
			o->secret_bytes[at] = c->secret.n;
		}
	}
	wrk_on_commit(o->w, c, &r);
	return r.verdict;
}

/* The first question that waits is answered. */
static void answer(struct world *o)
{
	struct asked q = o->asked[0];
	struct loaded l = { .rc = RC_NOENT };
	int at = q.claim || q.code || q.payer ? -1 : payment_of(o, &q.id);
	const struct row *row = q.claim ? claim_of(o, &q.digest) : NULL;

	assert_true(o->questions > 0);
	memmove(o->asked, o->asked + 1, sizeof o->asked[0] * (size_t)--o->questions);
	if (row)
		l = (struct loaded){ .rc = RC_OK, .payment = row->payment, .seq = row->seq };
	else if (at >= 0)
		l = (struct loaded){ .rc = RC_OK,
			.payment = q.id,
			.record = span_of(o->record[at], o->record_bytes[at]),
			.secret = span_of(o->secret[at], o->secret_bytes[at]) };
	if (row)
		memcpy(l.fingerprint, row->fingerprint, 16);
	if (q.code)
		l = (struct loaded){ .rc = RC_OK,
			.peer = WALLET,
			.payer = SPAN("2-token"),
			.payer_own = SPAN("token") };
	if (q.payer)
		l = (struct loaded){ .rc = strstr(q.who.ours, "nobody") ? RC_NOENT : RC_OK,
			.payer = span_str(q.who.ours),
			.payer_own = span_str(q.who.id),
			.payer_handle = span_str(q.who.handle) };
	wrk_on_loaded(o->w, q.key, &l);
}

static void all(struct world *o)
{
	for (int i = 0; i < 20; i++) {
		turn(o);
		while (o->commits)
			(void)settle(o);
		while (o->questions)
			answer(o);
	}
}

/* The call that is out has its answer. */
static void answered(struct world *o, int status, const char *text)
{
	struct http_msg m = { .is_answer = true, .status = status, .body = span_str(text) };

	wrk_on_call_end(o->w, o->cookie, CALL_ANSWER, &m);
}

#define CANCEL                                                                                     \
	"op: cancel\nauthentic: true\nrequest_id: 20260115194010890100188000000000001\n"           \
	"undo.id: 20260115194010890100188000000000001\n"
#define READ "op: read\nauthentic: true\nrequest_id: 20260115194010890100188000000000001\n"
#define PAY                                                                                        \
	"op: debit\nauthentic: true\nkey: 20260115194010890100188000000000001\n"                   \
	"request_id: 20260115194010890100188000000000001\npayer.id: 2-token\n"                     \
	"payment.amount.currency: EUR\npayment.amount.minor: 8900\n"

#define SCANNED(id)                                                                                \
	"op: debit\nauthentic: true\nkey: " id "\nrequest_id: " id                                 \
	"\ncode.text: 281012020262467122\npayment.amount.currency: EUR\npayment.amount.minor: 8900\n"

static struct pay record(const struct world *o, int i)
{
	struct pay p;

	assert_true(i < o->payments);
	assert_int_equal(pay_unpack(span_of(o->record[i], o->record_bytes[i]), &p), RC_OK);
	return p;
}

/* F-5: a cancel that overtakes its payment; the payment then finds itself closed. */
static void cancel_comes_first(void **state)
{
	struct world *o = fresh();
	int cancel = request(o, "/scheme/cancel", CANCEL), pay;

	(void)state;
	all(o);
	assert_int_equal(o->status[cancel], 200);
	pay = request(o, "/scheme/pay", PAY);
	all(o);
	assert_int_equal(o->calls, 0); /* nobody is debited for what was cancelled */
	assert_int_equal(o->status[pay], 400);
	assert_non_null(strstr(o->body[pay], "problem.reason: order-closed"));
	done(o);
}

/* The same, but the payment is written between the cancel's question and its commit. */
static void cancel_beside_its_payment(void **state)
{
	struct world *o = fresh();
	int cancel = request(o, "/scheme/cancel", CANCEL);
	struct pay p;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o); /* no such payment yet */
	answer(o); /* whose user it is */
	turn(o);
	assert_int_equal(o->commits, 2);
	if (o->commit[0]->step->next.flow == FLOW_CLOSED) { /* whichever was stepped first */
		struct commit *c = o->commit[0];
		o->commit[0] = o->commit[1];
		o->commit[1] = c;
	}
	assert_int_equal(settle(o), COMMIT_OK);
	assert_int_equal(o->calls, 1);
	assert_int_equal(settle(o), COMMIT_CLAIMED);
	all(o);
	assert_int_equal(o->status[cancel], 200);
	assert_int_equal(o->payments, 1);
	p = record(o, 0);
	assert_int_equal(pay_state(&p), PAY_UNDOING);
	done(o);
}

/* Who only asks is shed first, then the new; what is about a payment that is there finds room. */
static void questions_are_shed_first(void **state)
{
	struct world *o = fresh();
	int pay, later, read, cancel;

	(void)state;
	wrk_set_load(o->w, 61);
	pay = request(o, "/scheme/pay", PAY);
	all(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(o->status[pay], 0); /* it waits for the wallet */
	read = request(o, "/scheme/read", READ);
	assert_non_null(strstr(o->body[read], "problem.reason: overloaded"));
	wrk_set_load(o->w, 76);
	later = request(o, "/scheme/pay", PAY);
	assert_int_equal(o->status[later], 400);
	assert_non_null(strstr(o->body[later], "problem.reason: overloaded"));
	wrk_set_load(o->w, 100);
	cancel = request(o, "/scheme/cancel", CANCEL);
	all(o);
	assert_int_equal(o->status[cancel], 200);
	assert_int_equal(wrk_stats(o->w)->shed, 2);
	done(o);
}

/* A request about a payment in memory, where the ledger cannot be asked whether that is still so.
 */
static int about_an_old_copy(struct world *o, const char *target, const char *text)
{
	struct loaded silent = { .rc = RC_IO };
	int i;

	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	(void)settle(o); /* the call is out, so the payment stays in memory */
	o->now.us += 1000;
	i = request(o, target, text);
	turn(o);
	answer(o); /* whose the id is */
	turn(o);
	assert_int_equal(o->questions, 1);
	wrk_on_loaded(o->w, o->asked[--o->questions].key, &silent);
	turn(o);
	o->now.us += 1000;
	return i;
}

/* Another process may have told it newer things. */
static void nothing_old_is_read(void **state)
{
	struct world *o = fresh();
	int read = about_an_old_copy(o, "/scheme/read", READ);

	(void)state;
	assert_int_equal(o->status[read], 400);
	assert_non_null(strstr(o->body[read], "problem.reason: unavailable"));
	read = request(o, "/scheme/read", READ);
	all(o);
	assert_int_equal(o->status[read], 200);
	done(o);
}

/* Its time is up while a step of its payment is on its way to the ledger: it hears what that came
 * to, and only where the ledger is stuck that nobody knows. */
static void its_time_is_up_beside_a_commit(bool stuck)
{
	struct world *o = fresh();
	int pay = request(o, "/scheme/pay", PAY);

	all(o);
	answered(o, 200, "op: debit\nanswer: true\noutcome.result: pending\n");
	turn(o);
	assert_int_equal(o->commits, 1);
	o->now.us += 5000000;
	turn(o);
	assert_int_equal(o->status[pay], 0);
	if (!stuck) {
		(void)settle(o);
		answer(o); /* another may have committed the next */
	} else {
		o->now.us += 1000000;
		turn(o);
		assert_non_null(strstr(o->body[pay], "problem.reason: unavailable"));
	}
	assert_int_equal(o->status[pay], stuck ? 400 : 200);
	assert_true(stuck || strstr(o->body[pay], "outcome.result: pending"));
	all(o);
	done(o);
}

static void a_commit_at_the_deadline(void **state)
{
	(void)state;
	its_time_is_up_beside_a_commit(false);
	its_time_is_up_beside_a_commit(true);
}

/* What an old copy forbids may be allowed by now, and who is refused acts upon it. */
static void nothing_old_refuses(void **state)
{
	static const char refund[] = "op: refund\nauthentic: true\nkey: R1\n"
				     "request_id: 20260115194010890100188000000000001\n"
				     "refund.id: R1\nrefund.amount.currency: EUR\n"
				     "refund.amount.minor: 100\n";
	struct world *o = fresh();
	int early = about_an_old_copy(o, "/scheme/refund", refund);

	(void)state;
	assert_int_equal(o->status[early], 400);
	assert_non_null(strstr(o->body[early], "problem.reason: unavailable"));
	early = request(o, "/scheme/refund", refund);
	all(o);
	assert_non_null(strstr(o->body[early], "problem.reason: request-in-progress"));
	done(o);
}

/* While we commit one step another process may commit the next, whatever becomes of ours. */
static void read_beside_a_commit(enum commit_verdict verdict)
{
	struct commit_result r = { .verdict = verdict };
	struct world *o = fresh();
	int read;

	(void)request(o, "/scheme/pay", PAY);
	all(o);
	(void)request(o, "/scheme/cancel", CANCEL);
	for (turn(o); o->questions; turn(o))
		answer(o);
	assert_int_equal(o->commits, 1);
	o->now.us += 1000;
	read = request(o, "/scheme/read", READ);
	turn(o);
	answer(o); /* whose the id is */
	turn(o);
	o->now.us += 1000;
	if (verdict == COMMIT_OK)
		(void)settle(o);
	else
		wrk_on_commit(o->w, o->commit[--o->commits], &r);
	turn(o);
	assert_int_equal(o->status[read], 0);
	assert_int_equal(o->questions, 1);
	all(o);
	assert_int_equal(o->status[read], 200);
	done(o);
}

static void read_while_it_is_committed(void **state)
{
	(void)state;
	read_beside_a_commit(COMMIT_OK);
	read_beside_a_commit(COMMIT_UNSENT);
	read_beside_a_commit(COMMIT_ERROR);
}

static void request_fills_its_memory(void **state)
{
	struct world *o = fresh();
	int much = request(o, "/scheme/pay", "much");

	(void)state;
	assert_int_equal(o->status[much], 503);
	done(o);
}

/* Switched off between a request and its repetition: that is not refused as if it were new. */
static void switched_off_meanwhile(void **state)
{
	struct world *o = fresh();
	int repeated, other;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	links[0].off = true;
	repeated = request(o, "/scheme/pay", PAY);
	other = request(o, "/scheme/pay", SCANNED("77"));
	all(o);
	links[0].off = false;
	assert_int_equal(o->status[repeated], 0); /* waits for the wallet, like the first */
	assert_non_null(strstr(o->body[other], "problem.reason: not-contracted"));
	assert_int_equal(o->calls, 1);
	done(o);
}

/* More wait for one answer than there is room to keep count of: the rest hear what is true now. */
static void many_wait(void **state)
{
	uint32_t usual = conf.payments_max;
	struct world *o;

	(void)state;
	conf.payments_max = 2;
	o = fresh();
	conf.payments_max = usual;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(request(o, "/scheme/pay", PAY), i);
		all(o);
	}
	assert_int_equal(o->calls, 1);
	assert_int_equal(o->status[3], 0);
	assert_int_equal(o->status[4], 200);
	assert_non_null(strstr(o->body[4], "outcome.result: pending"));
	done(o);
}

/* A wallet that the payer's own browser goes to: nobody is called, and where the payer has to go is
 * told at once, not at the end of the time that the request may be held. */
static void the_payer_goes_on(void **state)
{
	struct world *o = fresh();
	int by_token, by_name;

	(void)state;
	by_token = request(o, "/scheme/pay",
		"op: debit\nauthentic: true\nkey: 1\nrequest_id: 1\npayer.id: 2-browser\n"
		"payment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	by_name = request(o, "/wallet/pay",
		"op: debit\nauthentic: true\nkey: 2\nrequest_id: 2\npayer.id: browser\n"
		"code.scheme: shoes\npayment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	all(o);
	assert_int_equal(o->calls, 0);
	assert_non_null(strstr(o->body[by_token], "outcome.result: pending"));
	assert_non_null(strstr(o->body[by_token], "action_url: https://switch.example/forms/1"));
	assert_non_null(strstr(o->body[by_name], "action_url: https://switch.example/forms/1"));
	done(o);
}

/* The call that is out is answered. */
static void called(struct world *o, int status, const char *text)
{
	answered(o, status, text);
	all(o);
}

#define TOKEN(text)                                                                                \
	"op: token\nanswer: true\ntoken: " text "\ntoken_until: 2026-01-15T12:00:00Z\n"            \
	"outcome.result: approved\n"
#define REFUSED "op: debit\nanswer: true\noutcome.result: unknown\n"

static struct world *paying_with_a_token(void)
{
	struct world *o;

	for (const struct caps *c = guarded_caps; c->op; c++)
		peers[1].caps[c->op] = c;
	o = fresh();
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_non_null(strstr(o->called, "op: token"));
	called(o, 200, TOKEN("first"));
	assert_non_null(strstr(o->called, "op: debit"));
	assert_string_equal(o->with_token, "first");
	assert_int_equal(o->calls, 2);
	return o;
}

/* A token that was revoked before its time costs no sale: the same call again, with another, and no
 * later than the first had to end. */
static void a_revoked_token_costs_nothing(void **state)
{
	struct world *o = paying_with_a_token();
	struct mono deadline = o->deadline;
	char first[4096];

	(void)state;
	memcpy(first, o->called, sizeof first);
	called(o, 401, REFUSED);
	assert_non_null(strstr(o->called, "op: token"));
	called(o, 200, TOKEN("second"));
	assert_string_equal(o->called, first);
	assert_string_equal(o->with_token, "second");
	assert_true(o->deadline.us <= deadline.us);
	called(o, 200,
		"op: debit\nanswer: true\nauthentic: true\noutcome.result: approved\n"
		"peer_id: w-1\npayment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	assert_int_equal(o->calls, 4);
	assert_int_equal(o->status[0], 200);
	assert_non_null(strstr(o->body[0], "outcome.result: approved"));
	done(o);
}

/* The time that a call is given counts from when it was decided: what the ledger took of it is
 * gone. */
static void time_counts_from_the_decision(void **state)
{
	struct world *o = fresh();
	int64_t decided;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o); /* whose user it is */
	turn(o);
	decided = o->now.us;
	assert_int_equal(o->commits, 1);
	o->now.us += 2000000;
	(void)settle(o);
	turn(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(o->deadline.us, decided + 5000000);
	done(o);
}

/* The token comes when the time that the call was given is over, and before the next turn: it is
 * not sent. */
static void a_token_too_late(void **state)
{
	struct http_msg m = { .is_answer = true, .status = 200, .body = SPAN(TOKEN("late")) };
	struct world *o;

	(void)state;
	for (const struct caps *c = guarded_caps; c->op; c++)
		peers[1].caps[c->op] = c;
	o = fresh();
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	o->now.us += 5100000;
	wrk_on_call_end(o->w, o->cookie, CALL_ANSWER, &m);
	assert_int_equal(o->calls, 1);
	all(o);
	assert_int_equal(o->calls, 1);
	done(o);
}

/* Whose new token is refused as well has another trouble: it is asked about, not sent again. */
static void refused_twice(void **state)
{
	struct world *o = paying_with_a_token();

	(void)state;
	called(o, 401, REFUSED);
	called(o, 200, TOKEN("second"));
	called(o, 401, REFUSED);
	assert_int_equal(o->calls, 4);
	o->now.us += 2000000;
	all(o);
	called(o, 200, TOKEN("third"));
	assert_non_null(strstr(o->called, "op: inquire"));
	done(o);
}

/* No new token is to be had: what was refused is asked about when there is one. */
static void refused_and_no_other(void **state)
{
	struct world *o = paying_with_a_token();

	(void)state;
	called(o, 401, REFUSED);
	called(o, 500, "op: token\nanswer: true\noutcome.result: unknown\n");
	assert_int_equal(o->calls, 3);
	assert_int_equal(o->status[0], 0); /* nobody is told that it was declined */
	done(o);
}

/* The receiver of a pay-out may show a code: it goes to his wallet, with each sending. */
static void credited_by_code(void **state)
{
	struct world *o = fresh();
	struct mono sent;

	(void)state;
	(void)request(o, "/scheme/credit",
		"op: credit\nauthentic: true\nkey: 1\nrequest_id: 1\ncode.text: 98802222999900315000\n"
		"payment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	all(o);
	assert_int_equal(o->calls, 1);
	assert_non_null(strstr(o->called, "code.text: 98802222999900315000"));
	sent = o->now;
	called(o, 500, "op: credit\nanswer: true\nauthentic: true\noutcome.result: unknown\n");
	o->called[0] = '\0';
	while (o->calls == 1 && o->now.us < sent.us + 10000000) {
		o->now.us += 1000000;
		all(o);
	}
	assert_non_null(strstr(o->called, "code.text: 98802222999900315000"));
	done(o);
}

static const struct caps tells = { .op = OP_DEBIT, .allowed_ms = 5000, .sends_code = true };

/* What no record may have of a payer goes with the call that needs it. */
static void debited_in_a_browser(void **state)
{
	struct world *o;

	(void)state;
	peers[1].caps[OP_DEBIT] = &tells;
	o = fresh();
	(void)request(o, "/scheme/pay",
		PAY "user_agent: Firefox\n"
		    "payment.return_url: https://shop.example/back\n");
	answer(o);
	turn(o);
	assert_int_equal(o->commits, 1);
	assert_true(span_find_span(o->commit[0]->evidence, SPAN("Firefox")) ==
		    o->commit[0]->evidence.n);
	all(o);
	assert_non_null(strstr(o->called, "user_agent: Firefox"));
	assert_non_null(strstr(o->called, "payer.handle: 4790000001"));
	assert_non_null(strstr(o->called, "payment.return_url: https://shop.example/back"));
	done(o);
}

static bool holds(struct span s, const char *text)
{
	return span_find_span(s, span_str(text)) < s.n;
}

/* What a wallet calls its user stays between it and us: the record and the evidence know him by a
 * name of ours, and so does whoever else is asked. */
static void known_by_our_name(void **state)
{
	struct world *o = fresh();
	int refused;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_non_null(strstr(o->called, "payer.id: token"));
	assert_non_null(strstr(o->called, "payer.handle: 4790000001"));
	assert_string_equal(record(o, 0).payer_id, "2-token");
	refused = request(o, "/scheme/pay",
		"op: debit\nauthentic: true\nkey: 7\nrequest_id: 7\npayer.id: 2-nobody\n"
		"payment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	all(o);
	assert_non_null(strstr(o->body[refused], "problem.reason: payer-unavailable"));
	assert_int_equal(o->payments, 1);
	(void)request(o, "/wallet/scan",
		"op: resolve\nauthentic: true\nkey: 8\nrequest_id: 8\npayer.id: mine\n"
		"payer.handle: 4790000002\ncode.text: 00020101\n");
	answer(o);
	turn(o);
	assert_int_equal(o->commits, 1);
	assert_memory_equal(o->commit[0]->step->next.payer_id, "2-", 2);
	assert_int_equal(strlen(o->commit[0]->step->next.payer_id), 2 + ID_TEXT_LEN);
	assert_false(holds(o->commit[0]->evidence, "mine"));
	assert_false(holds(o->commit[0]->evidence, "4790000002"));
	assert_true(holds(o->commit[0]->evidence, o->commit[0]->step->next.payer_id));
	all(o);
	done(o);
}

/* What is personal is sealed under a key of the payment, which is kept with its first step; once
 * that is destroyed, what comes later has another. */
static void sealed_by_payment(void **state)
{
	static const char said[] =
		"op: debit\nanswer: true\noutcome.result: pending\npayer.name: Anna\n";
	const struct http_msg m = { .is_answer = true, .status = 200, .body = span_str(said) };
	struct world *o = fresh();
	uint8_t first;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	first = o->commit[0]->key.seed[0];
	assert_true(o->commit[0]->set_key);
	assert_int_equal(o->commit[0]->raw_count, 1);
	assert_int_equal((uint8_t)o->commit[0]->raw[0].body.p[0], first);
	assert_false(holds(o->commit[0]->raw[0].body, "2-token"));
	(void)settle(o);
	wrk_on_call_end(o->w, o->cookie, CALL_ANSWER, &m);
	turn(o);
	assert_int_equal(o->commits, 1);
	assert_false(o->commit[0]->set_key);
	assert_int_equal(o->commit[0]->key.seed[0], first);
	assert_false(holds(o->commit[0]->evidence, "Anna"));
	(void)settle(o);
	all(o);
	done(o);
}

/* A code that the wallet fetched through us is good for one payment, though its repeats are as good
 * as ever. */
static void a_code_is_used_once(void **state)
{
	static const struct route_row through_us[] = {
		{ .scheme = "payer-codes", .mode = 'C', .from = WALLET, .to = SCHEME },
	};
	struct world *o;
	int used, again;

	(void)state;
	sn.route = through_us;
	sn.route_count = 1;
	peers[0].scheme = false;
	peers[1].caps[OP_DEBIT] = &tells;
	o = fresh();
	(void)request(o, "/scheme/pay", SCANNED("1"));
	all(o);
	assert_int_equal(o->calls, 1);
	assert_non_null(strstr(o->called, "payer.id: token"));
	used = request(o, "/scheme/pay", SCANNED("2"));
	again = request(o, "/scheme/pay", SCANNED("1"));
	all(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(o->payments, 1);
	assert_non_null(strstr(o->body[used], "problem.reason: code-expired"));
	assert_int_equal(o->status[again], 0); /* waits for the wallet, like the first */
	done(o);
}

/* The clerk finds a payment overdue of which it has an older copy: it looks again first. */
static void resumed_from_the_ledger(void **state)
{
	struct world *o = fresh();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_true(wrk_resume(o->w, &o->id[0]));
	assert_int_equal(o->questions, 1);
	all(o);
	done(o);
}

/* A later program has stepped it and written more than we know: it is neither stepped nor told of,
 * whether its answer comes back to us, its caller does, or the clerk finds it. */
static void a_later_record_is_left_alone(void **state)
{
	struct world *o = fresh();
	uint64_t commits;
	int again;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_int_equal(o->calls, 1);
	memcpy(o->record[0] + o->record_bytes[0], "\xc0\x07\x05", 3);
	o->record_bytes[0] += 3;
	commits = wrk_stats(o->w)->commits;
	assert_true(wrk_resume(o->w, &o->id[0]));
	all(o);
	called(o, 200, "op: debit\nanswer: true\noutcome.result: approved\n");
	again = request(o, "/scheme/pay", PAY);
	all(o);
	assert_non_null(strstr(o->body[again], "problem.reason: unavailable"));
	assert_int_equal(wrk_stats(o->w)->commits, commits);
	assert_int_equal(o->calls, 1);
	done(o);
}

/* Others were restarted with a participant of whom this one was not told. */
static void a_stranger_is_left_alone(void **state)
{
	struct world *o = fresh();
	struct wrk_conf wide = conf;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	conf.link_count = sn.peer_count = 1;
	free(o->memory);
	o->memory = aligned_alloc(64, (wrk_bytes(&wide) + 63) & ~(size_t)63);
	memset(o->memory, 0, (wrk_bytes(&wide) + 63) & ~(size_t)63);
	o->w = wrk_init(o->memory, &conf, o->ports);
	assert_true(wrk_resume(o->w, &o->id[0]));
	all(o);
	assert_int_equal(o->commits, 0);
	assert_int_equal(wrk_stats(o->w)->steps, 0);
	conf = wide;
	sn.peer_count = 2;
	done(o);
}

static void operated(void *ctx, int64_t number, const char *outcome)
{
	struct world *o = ctx;

	assert_int_equal(number, 7);
	o->outcome = outcome;
	o->outcomes++;
}

static void operate(struct world *o, enum operator_verb verb)
{
	assert_true(wrk_operate(o->w, &o->id[0], verb, SPAN("maria"), 7, operated, o));
}

/* What an old copy would refuse is left to be taken again. */
static void a_person_is_not_refused_by_an_old_copy(void **state)
{
	struct loaded silent = { .rc = RC_IO };
	struct world *o = fresh();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	o->now.us += 1000;
	operate(o, OPERATOR_WRITE_OFF);
	assert_int_equal(o->questions, 1);
	wrk_on_loaded(o->w, o->asked[--o->questions].key, &silent);
	turn(o);
	assert_int_equal(o->outcomes, 0);
	o->now.us += 1000;
	operate(o, OPERATOR_WRITE_OFF);
	all(o);
	assert_int_equal(o->outcomes, 1);
	assert_string_equal(o->outcome, "nothing of this payment is stuck");
	done(o);
}

/* No room to step it: the place that it was given is free again. */
static void refused_for_want_of_room(void **state)
{
	struct world *o = fresh();
	struct pay_id id;
	int refused;

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o); /* whose user it is */
	turn(o);
	id = o->commit[0]->step->next.id;
	while (wrk_operate(o->w, &id, OPERATOR_RETRY, SPAN("ann"), 7, operated, o))
		continue;
	refused = request(o, "/scheme/pay",
		"op: debit\nauthentic: true\nkey: 8\nrequest_id: 8\npayer.id: 2-token\n"
		"payment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	answer(o);
	assert_non_null(strstr(o->body[refused], "problem.reason: overloaded"));
	assert_int_equal(wrk_stats(o->w)->live, 1);
	all(o);
	done(o);
}

/* A person hears what came of it: why not, or, once that is durable, that it is done. Evidence
 * says who it was. */
static void a_person_decides(void **state)
{
	struct world *o = fresh();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	operate(o, OPERATOR_WRITE_OFF);
	all(o);
	assert_int_equal(o->outcomes, 1);
	assert_string_equal(o->outcome, "nothing of this payment is stuck");
	operate(o, OPERATOR_UNDO);
	turn(o);
	answer(o); /* it looks at the record again first */
	turn(o);
	assert_int_equal(o->commits, 1);
	assert_int_equal(o->outcomes, 1);
	assert_non_null(memmem(
		o->commit[0]->evidence.p, o->commit[0]->evidence.n, "maria", strlen("maria")));
	all(o);
	assert_int_equal(o->outcomes, 2);
	assert_string_equal(o->outcome, "done");
	done(o);
}

static int world_of_two(void **state)
{
	static const char *const name[] = { "scheme", "wallet" };
	struct ccy eur;

	(void)state;
	assert_int_equal(ccy_by_alpha(SPAN("EUR"), &eur), RC_OK);
	for (int i = 0; i < 2; i++) {
		peers[i] = (struct peer){ .number = (uint16_t)(i + 1),
			.agreement = (uint16_t)(i + 1),
			.settle = eur,
			.scheme = i == 0,
			.cancel_until_min = -1,
			.expire_s = 120,
			.hold_ms = 6000 };
		for (const struct caps *c = wallet_caps; c->op; c++)
			if (i == 1 || c->op == OP_CANCEL)
				peers[i].caps[c->op] = c;
		links[i] = (struct link){
			.peer = &peers[i], .adapter = &dialect, .identity = span_str(name[i])
		};
	}
	sn = (struct snapshot){
		.peer = peers, .peer_count = 2, .route = rows, .route_count = 2, .quote_life_s = 600
	};
	return 0;
}

/* What a worker had noted when it died, and another with nothing but the ledger, and that. */
static struct wrk_note noted;

static struct world *noting(void)
{
	memset(notes, 0, sizeof notes);
	conf.note = notes;
	conf.note_count = sizeof notes / sizeof *notes;
	assert_int_equal(wrk_notes(&conf), conf.note_count);
	return fresh();
}

static int keep_note(void)
{
	int count = 0;

	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
		if (!notes[i].version)
			continue;
		noted = notes[i];
		count++;
	}
	return count;
}

/* Another worker takes its place. */
static void another(struct world *o)
{
	size_t n = (wrk_bytes(&conf) + 63) & ~(size_t)63;

	free(o->memory); /* the sanitizer knows parts of it as poisoned */
	o->memory = aligned_alloc(64, n);
	memset(o->memory, 0, n);
	o->w = wrk_init(o->memory, &conf, o->ports);
}

static void dies(struct world *o)
{
	memset(notes, 0, sizeof notes);
	another(o);
	o->calls = 0;
	assert_true(wrk_take_over(o->w, &noted));
	all(o);
}

static int no_notes(void **state)
{
	conf.note = NULL;
	conf.note_count = 0;
	return world_of_two(state);
}

/* Dead between the commit and the call: it is made, once, in the time that is left, and paid. */
static void a_call_that_had_not_begun_is_made(void **state)
{
	struct world *o = noting();
	char first[4096];

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	assert_int_equal(o->commits, 1);
	assert_int_equal(keep_note(), 1); /* before it is durable: whoever dies now has noted it */
	assert_false(noted.begun);
	(void)settle(o);
	memcpy(first, o->called, sizeof first);
	o->now.us += 1000000;
	dies(o);
	assert_int_equal(o->calls, 1);
	assert_string_equal(o->called, first);
	assert_int_equal(record(o, 0).version, 1);
	called(o, 200,
		"op: debit\nanswer: true\nauthentic: true\noutcome.result: approved\n"
		"peer_id: w-1\npayment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	assert_int_equal(record(o, 0).iss.phase, LEG_YES);
	assert_int_equal(keep_note(), 0);
	assert_true(wrk_take_over(o->w, &noted)); /* somebody has gone on: nothing is done */
	all(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(record(o, 0).version, 2);
	done(o);
}

/* Whoever dies while it is made leaves one note of it; and none that says it had not begun, once it
 * may have. */
static void a_call_has_one_note(void **state)
{
	struct world *o = noting();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(not_begun[0], 1);
	assert_int_equal(not_begun[1], 0);
	done(o);
}

/* Dead before it heard that another process had been first: that one's record asks for other calls.
 */
static void a_call_of_a_record_that_lost(void **state)
{
	struct world *o = noting();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	assert_int_equal(keep_note(), 1);
	noted.salt++; /* of the same version, which the other has */
	(void)settle(o);
	dies(o);
	assert_int_equal(o->calls, 0);
	assert_int_equal(record(o, 0).version, 1);
	done(o);
}

/* Some of it may have left: its fate is not known, and that is asked, at once. */
static void a_call_that_had_begun_is_asked_about(void **state)
{
	struct world *o = noting();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	assert_int_equal(o->calls, 1);
	assert_int_equal(keep_note(), 1);
	assert_true(noted.begun);
	dies(o);
	assert_int_equal(o->calls, 0);
	assert_int_equal(record(o, 0).iss.phase, LEG_UNKNOWN);
	o->now.us += 1100000;
	all(o);
	assert_int_equal(o->calls, 1);
	assert_non_null(strstr(o->called, "op: inquire"));
	done(o);
}

/* Too late for a call to end before the record's alarm rings, when all look at it: it is not made;
 * and what the ledger does not have was never asked for. */
static void a_call_too_late_to_make(void **state)
{
	struct world *o = noting();

	(void)state;
	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	assert_int_equal(keep_note(), 1);
	(void)settle(o);
	o->now.us += 6000000;
	dies(o);
	assert_int_equal(o->calls, 0);
	assert_int_equal(record(o, 0).iss.phase, LEG_UNKNOWN);
	done(o);
	o = noting();
	(void)request(o, "/scheme/pay", PAY);
	answer(o);
	turn(o);
	assert_int_equal(keep_note(), 1);
	o->commits = 0; /* it never arrived */
	dies(o);
	assert_int_equal(o->calls, 0);
	assert_int_equal(o->payments, 0);
	assert_int_equal(wrk_stats(o->w)->live, 0);
	done(o);
}

static struct wrk_ended ended[8];

static int none_ended(void **state)
{
	conf.ended = NULL;
	conf.ended_count = 0;
	return world_of_two(state);
}

static struct world *paid(void)
{
	struct world *o;

	memset(ended, 0, sizeof ended);
	conf.ended = ended;
	conf.ended_count = sizeof ended / sizeof *ended;
	o = fresh();
	(void)request(o, "/scheme/pay", PAY);
	all(o);
	called(o, 200,
		"op: debit\nanswer: true\nauthentic: true\noutcome.result: approved\n"
		"peer_id: w-1\npayment.amount.currency: EUR\npayment.amount.minor: 8900\n");
	assert_int_equal(record(o, 0).iss.phase, LEG_YES);
	return o;
}

/* The wallet sends a result of its payment; how often the ledger is asked before it is
 * acknowledged. */
static int told(struct world *o, const char *result, const char *minor)
{
	static char text[8][512];
	char id[32];
	struct buf b = buf_init(id, sizeof id);
	int i = o->exchanges, asked;

	pay_id_write(&b, &o->id[0]);
	snprintf(text[i], sizeof text[i],
		"op: push\nauthentic: true\nrequest_id: %.*s\noutcome.result: %s\npeer_id: w-1\n"
		"payment.amount.currency: EUR\npayment.amount.minor: %s\n",
		(int)b.n, id, result, minor);
	(void)request(o, "/wallet/push", text[i]);
	turn(o);
	asked = o->questions;
	all(o);
	assert_int_equal(o->status[i], 200);
	return asked;
}

/* What is committed and told again costs the ledger nothing, whoever hears it. */
static void told_again_what_is_known(void **state)
{
	struct world *o = paid();

	(void)state;
	assert_int_equal(told(o, "approved", "8900"), 0);
	another(o);
	assert_int_equal(told(o, "approved", "8900"), 0);
	assert_int_equal(record(o, 0).version, 2);
	o->now.us += 5000000;
	assert_int_equal(told(o, "approved", "8900"), 1); /* too long ago to be believed */
	done(o);
}

/* Anything else is stepped on what the ledger has. */
static void told_what_is_news(void **state)
{
	struct world *o = paid();

	(void)state;
	assert_int_equal(told(o, "declined", "8900"), 1);
	assert_int_equal(record(o, 0).version, 3);
	assert_int_equal(record(o, 0).denied, 1); /* it is for a person to see */
	assert_int_equal(told(o, "approved", "8901"), 1);
	assert_int_equal(record(o, 0).version, 4);
	done(o);
}

/* A copy that is taken back, one that is being written, and one of another payment help nobody. */
static void told_what_nobody_keeps(void **state)
{
	struct world *o = paid();

	(void)state;
	for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
		ended[i].turn++; /* as if its process had died of it */
	assert_int_equal(told(o, "approved", "8900"), 1);
	for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
		ended[i].turn++;
	assert_int_equal(told(o, "approved", "8900"), 0);
	for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
		ended[i].payment.b[0] ^= 1;
	assert_int_equal(told(o, "approved", "8900"), 1);
	for (size_t i = 0; i < sizeof ended / sizeof *ended; i++)
		ended[i].payment.b[0] ^= 1;
	(void)request(o, "/scheme/cancel", CANCEL);
	all(o);
	another(o);
	assert_int_equal(told(o, "approved", "8900"), 1);
	done(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancel_comes_first),
		cmocka_unit_test(cancel_beside_its_payment),
		cmocka_unit_test(questions_are_shed_first),
		cmocka_unit_test(nothing_old_is_read),
		cmocka_unit_test(a_commit_at_the_deadline),

		cmocka_unit_test(nothing_old_refuses),
		cmocka_unit_test(read_while_it_is_committed),
		cmocka_unit_test(request_fills_its_memory),
		cmocka_unit_test(switched_off_meanwhile),
		cmocka_unit_test(many_wait),
		cmocka_unit_test(the_payer_goes_on),
		cmocka_unit_test(credited_by_code),
		cmocka_unit_test(debited_in_a_browser),
		cmocka_unit_test(resumed_from_the_ledger),
		cmocka_unit_test(a_later_record_is_left_alone),
		cmocka_unit_test(a_stranger_is_left_alone),
		cmocka_unit_test(known_by_our_name),
		cmocka_unit_test(sealed_by_payment),
		cmocka_unit_test_teardown(a_code_is_used_once, world_of_two),
		cmocka_unit_test(a_person_is_not_refused_by_an_old_copy),
		cmocka_unit_test(a_person_decides),
		cmocka_unit_test(refused_for_want_of_room),
		cmocka_unit_test_teardown(a_revoked_token_costs_nothing, world_of_two),
		cmocka_unit_test(time_counts_from_the_decision),
		cmocka_unit_test_teardown(a_token_too_late, world_of_two),
		cmocka_unit_test_teardown(refused_twice, world_of_two),
		cmocka_unit_test_teardown(refused_and_no_other, world_of_two),
		cmocka_unit_test_teardown(a_call_that_had_not_begun_is_made, no_notes),
		cmocka_unit_test_teardown(a_call_has_one_note, no_notes),
		cmocka_unit_test_teardown(a_call_of_a_record_that_lost, no_notes),
		cmocka_unit_test_teardown(a_call_that_had_begun_is_asked_about, no_notes),
		cmocka_unit_test_teardown(a_call_too_late_to_make, no_notes),
		cmocka_unit_test_teardown(told_again_what_is_known, none_ended),
		cmocka_unit_test_teardown(told_what_is_news, none_ended),
		cmocka_unit_test_teardown(told_what_nobody_keeps, none_ended),
	};

	return cmocka_run_group_tests(tests, world_of_two, NULL);
}
