/*
 * wire_store.c: the ports of what is remembered: the ledger, which is the truth, and the cache,
 * which only makes repeats cheap.
 *
 * The hard thing is ownership: what the worker hands over stays its own until the completion, so
 * the translation lives in a slot of ours for exactly that long. Must never take the cache's
 * silence for an answer.
 */
#include "wire_parts.h"

#include <stdio.h>

#include "check.h"

#define NONCE_TTL_MS (660 * 1000) /* 2 x 300 s + 60 s (5.4) */
#define CACHE_TTL_MS (24 * 3600 * 1000)

/* Commits */

static void on_committed(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct wire_commit *s = ctx;
	struct wire *w = s->w;
	struct commit *c = s->c;
	struct commit_result out = { .payment = r->payment,
		.claim = r->claim,
		.seq = r->seq,
		.account = r->account,
		.value = r->value,
		.cap = r->cap };

	(void)item;
	wire_observe(w, &w->stat->commit_s, s->began);
	memcpy(out.fingerprint, r->fingerprint, sizeof out.fingerprint);
	switch (r->verdict) {
	case PGB_OK:
	case PGB_OK_BEFORE:
		out.verdict = COMMIT_OK;
		break;
	case PGB_CLAIMED:
		out.verdict = COMMIT_CLAIMED;
		break;
	case PGB_FENCE:
		out.verdict = COMMIT_FENCE;
		break;
	case PGB_CAP:
	case PGB_STOPPED:
		out.verdict = COMMIT_CAP;
		break;
	case PGB_UNSENT:
		out.verdict = COMMIT_UNSENT;
		break;
	case PGB_ERROR:
		out.verdict = COMMIT_ERROR;
		break;
	}
	slab_give(&w->commit_slab, s);
	wrk_on_commit(w->worker, c, &out);
}

static void put_rows(struct pgb_item *it, const struct commit *c)
{
	const struct step *st = c->step;

	it->claims = st->claim_count;
	for (int i = 0; i < st->claim_count; i++) {
		memcpy(it->claim[i].digest, st->claim[i].digest, 16);
		it->claim[i].seq = (int16_t)st->claim_seq;
		memcpy(it->claim[i].fingerprint, st->claim_fingerprint, 16);
	}
	it->entries = st->entry_count;
	for (int i = 0; i < st->entry_count; i++)
		it->entry[i] = (struct pgb_entry){ .kind = (enum pgb_entry_kind)st->entry[i].kind,
			.guarded = st->entry[i].guarded,
			.account = st->entry[i].account,
			.amount = st->entry[i].money };
	it->raws = c->raw_count;
	for (int i = 0; i < c->raw_count; i++)
		it->raw[i] = (struct pgb_raw){ .peer = (int16_t)c->raw[i].peer,
			.op = c->raw[i].op,
			.outgoing = c->raw[i].outgoing,
			.key = c->raw[i].key,
			.head = c->raw[i].head,
			.body = c->raw[i].body,
			.signature = c->raw[i].signature };
	it->outs = c->out_count;
	for (int i = 0; i < c->out_count; i++)
		it->out[i] = (struct pgb_out){ .id = c->out[i].id,
			.seq = (int16_t)c->out[i].seq,
			.peer = (int16_t)c->out[i].peer,
			.next_at = { 0 },
			.body = c->out[i].body };
	if (st->exception) {
		it->exceptions = 1;
		it->exception[0] = (struct pgb_exception){ .kind = (int16_t)st->exception,
			.detail = span_str(st->moved ? st->moved : "") };
	}
}

static enum rc port_commit(void *ctx, struct commit *c)
{
	struct wire *w = ctx;
	const struct pay *p = &c->step->next;
	struct wire_commit *s = slab_take(&w->commit_slab);
	enum rc rc;

	if (!s)
		return RC_FULL;
	*s = (struct wire_commit){ .w = w, .c = c, .began = loop_now(w->loop).mono };
	s->item.payment = p->id;
	s->item.version = (int32_t)p->version;
	s->item.kind = (int16_t)c->kind;
	s->item.op = c->op;
	s->item.state = (int16_t)pay_state(p);
	s->item.acquirer = (int16_t)p->acq.peer;
	s->item.issuer = (int16_t)p->iss.peer;
	s->item.mode = (char)p->mode;
	s->item.amount = p->amount;
	s->item.record = span_of(c->step->record, c->step->record_bytes);
	s->item.evidence = c->evidence;
	s->item.replies = c->replies;
	s->item.reply_seq = (int16_t)c->reply_seq;
	s->item.reply_status = (int16_t)c->reply_status;
	s->item.reply = c->reply;
	put_rows(&s->item, c);
	s->item.due = p->due.us ? PGB_DUE_SET : PGB_DUE_NONE;
	s->item.due_at = p->due;
	s->item.secret_op = c->set_secret      ? PGB_SECRET_SET
			    : c->remove_secret ? PGB_SECRET_REMOVE
					       : PGB_SECRET_KEEP;
	s->item.secret = c->secret;
	s->item.sets_key = c->set_key;
	s->item.key = (struct pgb_key){ c->key.version, span_of(c->key.seed, c->key.bytes),
		span_str(p->payer_id) };
	s->item.give_up = c->give_up;
	rc = pgb_submit(w->batch, &s->item, on_committed, s);
	if (rc != RC_OK)
		slab_give(&w->commit_slab, s);
	return rc;
}

/* Questions */

static struct ask *ask_new(struct wire *w, enum ask_kind kind, struct load_key k)
{
	struct ask *q = slab_take(&w->ask_slab);

	if (q)
		*q = (struct ask){ .w = w, .kind = kind, .key = k };
	return q;
}

static void ask_free(struct ask *a)
{
	slab_give(&a->w->ask_slab, a);
}

static bool put(const struct pg_rows *rows, int column, char *dst, size_t cap)
{
	return span_to_cstr(pg_bytes(rows, 0, column), dst, cap);
}

/* False: what stands in the registry fits no message; its own rules are narrower. */
static bool read_merchant(const struct pg_rows *rows, struct merchant *ret)
{
	struct msg_party *p = &ret->party;

	memset(ret, 0, sizeof *ret);
	ret->acquirer = (uint16_t)pg_int(rows, 0, 0);
	ret->active = pg_int(rows, 0, 1) != 0;
	return ccy_by_alpha(pg_bytes(rows, 0, 2), &ret->ccy) == RC_OK &&
	       put(rows, 3, p->id, sizeof p->id) && put(rows, 4, p->name, sizeof p->name) &&
	       put(rows, 5, p->mcc, sizeof p->mcc) && put(rows, 6, p->country, sizeof p->country) &&
	       put(rows, 7, p->city, sizeof p->city) &&
	       put(rows, 8, p->address, sizeof p->address) &&
	       put(rows, 9, p->store_id, sizeof p->store_id) &&
	       put(rows, 10, p->store_name, sizeof p->store_name);
}

/* Columns: our name for him, the hash that he is found by, version of the key, what is sealed under
 * it. False: it does not open. */
static bool read_payer(const struct wire *w, const struct pg_rows *rows, int column,
	struct buf *plain, struct loaded *ret)
{
	struct span rest;

	ret->payer = pg_bytes(rows, 0, column);
	if (vault_open_payer(w->vault, (int16_t)pg_int(rows, 0, column + 2),
		    pg_bytes(rows, 0, column + 1), pg_bytes(rows, 0, column + 3), plain) != RC_OK)
		return false;
	rest = buf_span(plain);
	return span_split(&rest, '\0', &ret->payer_own) &&
	       span_split(&rest, '\0', &ret->payer_handle);
}

static void read_key(const struct pg_rows *rows, struct payment_key *ret)
{
	struct span seed;

	if (pg_is_null(rows, 0, 5))
		return;
	seed = pg_bytes(rows, 0, 5);
	if (seed.n > sizeof ret->seed)
		return;
	ret->version = (int16_t)pg_int(rows, 0, 4);
	ret->bytes = (uint8_t)seed.n;
	memcpy(ret->seed, seed.p, seed.n);
}

static void on_answer(void *ctx, const struct pg_answer *a)
{
	struct ask *q = ctx;
	struct wire *w = q->w;
	struct merchant merchant;
	char room[512];
	struct buf plain = buf_init(room, sizeof room);
	struct loaded l = { .rc = RC_IO, .payment = q->id };
	enum ask_kind kind = q->kind;
	struct load_key key = q->key;

	if (a->end == PG_END_DONE) {
		bool found = pg_rows_count(a->rows) > 0;
		l.rc = found ? RC_OK : RC_NOENT;
		if (found && kind == ASK_LOAD) {
			l.record = pg_bytes(a->rows, 0, 2);
			l.secret = pg_is_null(a->rows, 0, 3) ? SPAN_NONE : pg_bytes(a->rows, 0, 3);
			read_key(a->rows, &l.key);
		} else if (found && kind == ASK_FIND) {
			l.payment = pg_id(a->rows, 0, 0);
			l.seq = (int)pg_int(a->rows, 0, 1);
			if (pg_bytes(a->rows, 0, 2).n == sizeof l.fingerprint)
				memcpy(l.fingerprint, pg_bytes(a->rows, 0, 2).p,
					sizeof l.fingerprint);
		} else if (found && kind == ASK_CODE) {
			l.peer = (uint16_t)pg_int(a->rows, 0, 0);
			l.rc = read_payer(w, a->rows, 1, &plain, &l) ? RC_OK : RC_IO;
		} else if (found && kind == ASK_PAYER) {
			l.rc = read_payer(w, a->rows, 0, &plain, &l) ? RC_OK : RC_IO;
		} else if (found && kind == ASK_STANDING) {
			l.registered = pg_bytes(a->rows, 0, 0);
		} else if (found && kind == ASK_MEMBER) {
			l.word = pg_bytes(a->rows, 0, 0);
			if (pg_rows_columns(a->rows) > 2) {
				l.request = pg_bytes(a->rows, 0, 1);
				l.said = pg_bytes(a->rows, 0, 2);
			}
		} else if (found && kind == ASK_MERCHANT) {
			l.rc = read_merchant(a->rows, &merchant) ? RC_OK : RC_NOENT;
			l.merchant = &merchant;
		} else if (found && kind == ASK_REPLY) {
			l.status = (int)pg_int(a->rows, 0, 0);
			l.body = pg_bytes(a->rows, 0, 1);
		}
	}
	ask_free(q);
	if (kind == ASK_REPLY)
		wrk_on_reply_loaded(w->worker, key, &l);
	else
		wrk_on_loaded(w->worker, key, &l);
}

static enum rc ask(struct ask *q, enum pg_stmt stmt, const struct pg_params *params)
{
	enum rc rc = pg_send(q->w->read, stmt, params, on_answer, q);

	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

static enum rc port_load(void *ctx, const struct pay_id *id, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_LOAD, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	q->id = *id;
	pg_add_id(&params, id);
	return ask(q, PG_STMT_LOAD, &params);
}

static enum rc port_find(void *ctx, const struct claim *claim, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_FIND, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, span_of(claim->digest, sizeof claim->digest));
	return ask(q, PG_STMT_LOAD_CLAIM, &params);
}

static enum rc port_load_reply(void *ctx, const struct pay_id *id, int seq, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_REPLY, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	q->id = *id;
	pg_add_id(&params, id);
	pg_add_int2(&params, (int16_t)seq);
	return ask(q, PG_STMT_LOAD_REPLY, &params);
}

static enum rc port_find_code(void *ctx, const uint8_t hash[16], struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_CODE, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, span_of(hash, 16));
	return ask(q, PG_STMT_CODE_FIND, &params);
}

static struct span peer_name(const struct wire *w, uint16_t number)
{
	const struct peer *p = snapshot_peer(&w->conf->snapshot, number);

	CHECK(p);
	return span_str(p->name);
}

static enum rc port_bind_payer(void *ctx, const struct payer_names *p, struct load_key k)
{
	struct wire *w = ctx;
	struct ask *q = ask_new(w, ASK_PAYER, k);
	struct pg_params params = { 0 };
	char plain[512], sealed[600];
	struct buf words = buf_init(plain, sizeof plain), box = buf_init(sealed, sizeof sealed);
	struct span name = peer_name(w, p->wallet);
	uint8_t hash[16], handle[16];

	if (!q)
		return RC_FULL;
	secret_hash_payer(w->secret, name, SECRET_PAYER_HANDLE, p->handle, handle);
	memcpy(hash, handle, sizeof hash);
	if (p->id.n)
		secret_hash_payer(w->secret, name, SECRET_PAYER_ID, p->id, hash);
	buf_add(&words, p->id);
	buf_ch(&words, '\0');
	buf_add(&words, p->handle);
	buf_ch(&words, '\0');
	vault_seal_payer(w->vault, span_of(hash, sizeof hash), buf_span(&words), &box);
	CHECK(buf_ok(&words) && buf_ok(&box));
	pg_add_bytes(&params, span_of(hash, sizeof hash));
	if (p->handle.n)
		pg_add_bytes(&params, span_of(handle, sizeof handle));
	else
		pg_add_null(&params);
	pg_add_bytes(&params, p->ours);
	pg_add_int2(&params, (int16_t)p->wallet);
	pg_add_int2(&params, vault_version(w->vault));
	pg_add_bytes(&params, buf_span(&box));
	return ask(q, PG_STMT_PAYER_BIND, &params);
}

static enum rc port_find_payer(void *ctx, struct span payer, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_PAYER, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, payer);
	return ask(q, PG_STMT_PAYER_FIND, &params);
}

static enum rc port_find_merchant(void *ctx, struct span token, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_MERCHANT, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, token);
	return ask(q, PG_STMT_MERCHANT_FIND, &params);
}

static enum rc port_find_standing(
	void *ctx, uint16_t acquirer, struct span merchant, struct span store, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_STANDING, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_int2(&params, (int16_t)acquirer);
	pg_add_bytes(&params, merchant);
	pg_add_bytes(&params, store);
	return ask(q, PG_STMT_STANDING_FIND, &params);
}

static enum rc port_keep_standing(void *ctx, uint16_t peer, struct span request_id,
	struct span state, struct span detail, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_STANDING_KEPT, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, request_id);
	pg_add_int2(&params, (int16_t)peer);
	pg_add_bytes(&params, state);
	pg_add_bytes(&params, detail);
	pg_add_bool(&params, false);
	return ask(q, PG_STMT_REGISTRATION_SAID, &params);
}

static void add_text(struct pg_params *p, const char *text)
{
	pg_add_bytes(p, span_str(text));
}

static enum rc port_ask_member(
	void *ctx, const struct peer *peer, const struct msg *m, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_MEMBER, k);
	struct pg_params params = { 0 };
	const struct msg_party *p = &m->merchant;

	if (!q)
		return RC_FULL;
	pg_add_int2(&params, (int16_t)peer->number);
	add_text(&params, m->request_id);
	add_text(&params, p->id);
	add_text(&params, p->store_id);
	if (m->op == OP_STANDING)
		return ask(q, PG_STMT_MEMBER_STANDING, &params);
	add_text(&params, p->name);
	add_text(&params, p->store_name);
	add_text(&params, p->mcc);
	add_text(&params, p->country);
	add_text(&params, p->city);
	add_text(&params, p->address);
	add_text(&params, ccy_alpha(peer->settle));
	add_text(&params, m->legal_name);
	add_text(&params, m->legal_type);
	add_text(&params, m->legal_number);
	return ask(q, PG_STMT_MEMBER_REGISTER, &params);
}

static enum rc port_keep_codes(void *ctx, const struct shown_codes *c, struct load_key k)
{
	struct ask *q = ask_new(ctx, ASK_KEPT, k);
	struct pg_params params = { 0 };

	if (!q)
		return RC_FULL;
	pg_add_bytes(&params, span_of(c->hash, (size_t)c->count * sizeof c->hash[0]));
	pg_add_int2(&params, (int16_t)c->peer);
	pg_add_bytes(&params, c->payer);
	pg_add_time(&params, c->until);
	pg_add_int4(&params, (int32_t)c->apart_s);
	return ask(q, PG_STMT_CODES_KEEP, &params);
}

/* Cache */

static void on_cached(void *ctx, enum rds_say answer, struct span value)
{
	struct ask *q = ctx;
	struct wire *w = q->w;
	struct cache_answer c = { .known = false };
	enum ask_kind kind = q->kind;
	struct load_key key = q->key;

	ask_free(q);
	if (answer == RDS_UNKNOWN) {
		w->stat->cache_dont_know++;
	} else if (kind == ASK_NONCE) {
		c.known = true; /* it was set, so it is new; or it was there */
		c.value = answer == RDS_YES ? SPAN_NONE : SPAN("1");
	} else {
		c.known = answer == RDS_YES;
		c.value = value;
		*(answer == RDS_YES ? &w->stat->cache_hits : &w->stat->cache_misses) += 1;
	}
	wrk_on_cache(w->worker, key, &c);
}

static enum rc port_cache_get(void *ctx, struct span key, struct load_key k)
{
	struct wire *w = ctx;
	struct ask *q = w->cache ? ask_new(w, ASK_CACHE, k) : NULL;
	enum rc rc;

	if (!q)
		return RC_FULL;
	rc = rds_get(w->cache, key, on_cached, q);
	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

static void port_cache_put(void *ctx, struct span key, struct span value)
{
	struct wire *w = ctx;

	if (w->cache && rds_set(w->cache, key, value, CACHE_TTL_MS, NULL, NULL) != RC_OK)
		w->stat->cache_dont_know++;
}

static enum rc port_nonce(void *ctx, struct span nonce, struct load_key k)
{
	struct wire *w = ctx;
	struct ask *q = w->cache ? ask_new(w, ASK_NONCE, k) : NULL;
	char text[256];
	struct buf key = buf_init(text, sizeof text);
	enum rc rc;

	if (!q)
		return RC_FULL;
	buf_str(&key, "n:");
	buf_add(&key, nonce);
	rc = buf_ok(&key) ? rds_setnx(w->cache, buf_span(&key), NONCE_TTL_MS, on_cached, q)
			  : RC_RANGE;
	if (rc != RC_OK)
		ask_free(q);
	return rc;
}

/* Opening */

static void on_pg_state(void *ctx, enum pg_state state, const char *why)
{
	struct wire *w = ctx;
	char line[512];
	int n;

	if (state != PG_STATE_BROKEN && state != PG_STATE_READY)
		return;
	n = snprintf(line, sizeof line, "{\"lvl\":\"%s\",\"ev\":\"ledger\",\"state\":\"%s\"}",
		state == PG_STATE_READY ? "info" : "warning",
		state == PG_STATE_READY ? "ready" : "lost");
	(void)why;
	if (n > 0 && (size_t)n < sizeof line)
		w->ports.log(w, span_of(line, (size_t)n));
}

static bool open_database(struct wire *w, bool is_clerk)
{
	struct pgb_conf b = { .conninfo = w->conf->postgres,
		.name = is_clerk ? "clerk" : "worker",
		PGB_CONF_DEFAULT };
	struct pg_conf r = { .conninfo = w->conf->postgres,
		.name = is_clerk ? "clerk read" : "worker read",
		.groups = PG_EVERY | PG_READ,
		PG_CONF_DEFAULT };
	struct pg_conf k = { .conninfo = w->conf->postgres,
		.name = "clerk queues",
		.groups = PG_EVERY | PG_CLERK,
		PG_CONF_DEFAULT };

	w->batch = pgb_open(w->loop, &b, on_pg_state, w);
	w->read = pg_open(w->loop, &r, on_pg_state, w);
	if (is_clerk)
		w->clerk = pg_open(w->loop, &k, on_pg_state, w);
	return w->batch && w->read && (!is_clerk || w->clerk);
}

static bool open_cache(struct wire *w, bool is_clerk)
{
	struct rds_conf c = { .path = w->conf->redis,
		.name = is_clerk ? "clerk" : "worker",
		.prefix = "xw1:",
		.held = true,
		RDS_CONF_DEFAULT };

	return !w->conf->redis || (w->cache = rds_open(w->loop, &c, NULL, NULL));
}

bool wire_store_open(struct wire *w, bool is_clerk, const char **ret_why)
{
	*ret_why = "out of memory";
	return open_cache(w, is_clerk) && open_database(w, is_clerk);
}

/* Whoever hears from one of them that nothing comes may turn to those behind it, never to those
 * before; the last tells nobody. */
void wire_store_close(struct wire *w)
{
	w->cache = rds_close(w->cache);
	w->read = pg_close(w->read);
	w->clerk = pg_close(w->clerk);
	w->batch = pgb_close(w->batch);
}

void wire_store_ports(struct ports *p)
{
	p->commit = port_commit;
	p->load = port_load;
	p->find = port_find;
	p->load_reply = port_load_reply;
	p->find_code = port_find_code;
	p->bind_payer = port_bind_payer;
	p->find_payer = port_find_payer;
	p->find_merchant = port_find_merchant;
	p->find_standing = port_find_standing;
	p->keep_standing = port_keep_standing;
	p->ask_member = port_ask_member;
	p->keep_codes = port_keep_codes;
	p->cache_get = port_cache_get;
	p->cache_put = port_cache_put;
	p->nonce = port_nonce;
}
