/*
 * pgfake.c: what the ledger means, in memory: claims, fences, guarded totals, alarms with leases,
 * notifications owed; the verdicts are those of the schema's commit_batch, in its order.
 *
 * The hard thing is a lost connection. A step that was sent is seen through: it may have been
 * applied or not when the line broke, and is submitted again either way; if it was there, that is
 * as good as OK. A process that dies leaves its last steps behind, applied or not. Must never
 * answer from inside the function that asked.
 */
#include "sim.h"

#include "digest.h"
#include "mutant.h"

#define APPLY_US 300
#define LOST_MAX 4

struct pg_commit {
	bool used, dead, sent;
	bool cut; /* its line broke: a failover */
	uint8_t proc;
	bool later; /* by the new version */
	int lost;   /* connections that broke under it */
	uint32_t life;
	struct commit *c;
	int64_t give_up_us;
	/* What was handed over, as it went out. */
	struct pay_id id;
	uint32_t version;
	struct digest digest;
	enum event_kind kind;
	enum op op;
	uint8_t claims, entries;
	struct claim claim[STEP_CLAIMS];
	int claim_seq;
	uint8_t fingerprint[16];
	struct entry entry[STEP_ENTRIES];
	struct span record, reply, secret;
	struct payment_key key; /* that its messages are sealed under */
	bool seals, set_key;
	bool replies, set_secret, remove_secret, exception;
	enum point_what lose; /* once */
	int reply_seq, reply_status, out_count;
	struct commit_out out[COMMIT_OUTS];
	int64_t due_us;
};

bool pg_goes_wrong(struct sim *s, uint32_t permille)
{
	return !s->calm && rng_hit(&s->chance, permille);
}

int64_t pg_latency(struct sim *s)
{
	int64_t us = APPLY_US + rng_below(&s->chance, 800);

	if (pg_goes_wrong(s, s->faults.pg_slow))
		us += rng_below(&s->chance, 2000000);
	return us;
}

bool pg_is_down(const struct sim *s)
{
	return s->now_us < s->ledger.down_until_us;
}

struct wall pg_wall(const struct sim *s)
{
	return (struct wall){ world_wall(s).us + s->ledger.wrong_us };
}

void pg_outage(struct sim *s, int64_t us)
{
	world_say(s, "ledger: down for %lld ms", (long long)(us / 1000));
	s->ledger.down_until_us = s->now_us + us;
}

void pg_read_only(struct sim *s, int64_t us)
{
	world_say(s, "ledger: writes nothing for %lld ms", (long long)(us / 1000));
	s->ledger.read_only_until_us = s->now_us + us;
}

/* What was under way when the lines broke is there or not, and nobody has heard; what was
 * acknowledged is there. */
void pg_failover(struct sim *s, int64_t us)
{
	for (int i = 0; i < PG_COMMITS; i++) {
		struct pg_commit *c = s->ledger.commit[i];
		if (c && c->used)
			c->cut = true;
	}
	s->ledger.asks_lost = s->ledger.asks;
	pg_outage(s, us);
}

void pg_begin(struct sim *s)
{
	struct ledger *l = &s->ledger;

	memset(l, 0, sizeof *l);
	map_init(&l->pays, world_alloc(s, map_bytes(LEDGER_PAYMENTS)), LEDGER_PAYMENTS);
	map_init(&l->claims, world_alloc(s, map_bytes(LEDGER_CLAIMS)), LEDGER_CLAIMS);
	l->outs_end = &l->outs;
}

struct ledger_pay *pg_find_pay(struct sim *s, const struct pay_id *id)
{
	return map_get(&s->ledger.pays, id->b);
}

const struct ledger_pay *pg_taker(struct sim *s, const struct pay_id *from)
{
	struct claim c = order_claim(from);
	const struct ledger_claim *k = map_get(&s->ledger.claims, c.digest);
	const struct ledger_pay *p = k ? pg_find_pay(s, &k->payment) : NULL;

	return p && p->rec.flow != FLOW_ORDER ? p : NULL;
}

const struct ledger_reply *pg_reply(const struct ledger_pay *p, int seq)
{
	for (const struct ledger_reply *r = p->replies; r; r = r->next)
		if (r->seq == seq)
			return r;
	return NULL;
}

/* ---- the books ---- */

/* A day's account is there before the day begins; here, when it is first asked for. */
static struct ledger_account *open_day(struct sim *s, int32_t number)
{
	struct ledger *l = &s->ledger;
	const struct peer *p = snapshot_peer(
		&s->config.snapshot, (uint16_t)(number >> 15 & 0x7fff));

	if (!p || money_is_none(p->day_max) || l->account_count == LEDGER_ACCOUNTS)
		return NULL;
	l->account[l->account_count] = (struct ledger_account){
		.number = number, .capped = true, .cap = money_minor(p->day_max)
	};
	return &l->account[l->account_count++];
}

static struct ledger_account *account_of(struct sim *s, int32_t number)
{
	for (int i = 0; i < s->ledger.account_count; i++)
		if (s->ledger.account[i].number == number)
			return &s->ledger.account[i];
	return acct_is_day(number) ? open_day(s, number) : NULL;
}

int64_t pg_contra(struct sim *s, const struct ledger_account *a)
{
	int class = a->number >> 26;
	const struct ledger_account *c;

	if (class != ACCT_OWED && class != ACCT_HELD)
		return 0;
	c = account_of(s, a->number - (8 << 26));
	return c ? c->posted : 0;
}

static struct ledger_sum *sum_of(struct sim *s, struct ledger_pay *p, int32_t account)
{
	for (int i = 0; i < p->sums; i++)
		if (p->sum[i].account == account)
			return &p->sum[i];
	if (p->sums == PAY_ACCOUNTS)
		world_fail(s, 0, "a payment touches too many accounts");
	p->sum[p->sums] = (struct ledger_sum){ account, 0, 0 };
	return &p->sum[p->sums++];
}

static void book(struct sim *s, struct ledger_pay *p, const struct pg_commit *c)
{
	for (int i = 0; i < c->entries; i++) {
		const struct entry *e = &c->entry[i];
		struct ledger_account *a = account_of(s, e->account);
		struct ledger_sum *sum = sum_of(s, p, e->account);
		int64_t minor = money_minor(e->money);

		if (e->kind == ENTRY_POST) {
			sum->posted += minor;
			a->posted += minor;
		} else {
			sum->reserved += minor;
			a->reserved += minor;
			if (minor > 0)
				oracle_reserved(s, a, c->kind, c->op);
		}
		if (sum->reserved < 0)
			world_fail(s, 10, "more was released than reserved");
	}
}

/* Oracle 3, before anything is kept: each currency sums to zero. */
static void check_balance(struct sim *s, const struct pg_commit *c)
{
	for (int i = 0; i < c->entries; i++) {
		int64_t sum = 0;

		if (c->entry[i].kind != ENTRY_POST)
			continue;
		for (int j = 0; j < c->entries; j++)
			if (c->entry[j].kind == ENTRY_POST &&
				money_same(c->entry[i].money, c->entry[j].money))
				sum += money_minor(c->entry[j].money);
		if (sum != 0)
			world_fail(s, 3, "postings of a step do not sum to zero: %lld of %s",
				(long long)sum, ccy_alpha(money_ccy(c->entry[i].money)));
	}
}

/* The first account in order that the step would take past its cap. */
static const struct ledger_account *capped(struct sim *s, const struct pg_commit *c)
{
	const struct ledger_account *found = NULL;

	for (int i = 0; i < c->entries; i++) {
		struct ledger_account *a = account_of(s, c->entry[i].account);
		int64_t net = 0;
		bool guarded = false;

		if (!a)
			world_fail(s, 0, "there is no account %x", (unsigned)c->entry[i].account);
		for (int j = 0; j < c->entries; j++) {
			if (c->entry[j].account != a->number)
				continue;
			net += money_minor(c->entry[j].money);
			guarded = guarded || c->entry[j].guarded;
		}
		if (guarded && a->capped &&
			a->posted + a->reserved + net - pg_contra(s, a) > a->cap &&
			(!found || a->number < found->number))
			found = a;
	}
	return found;
}

/* ---- a step ---- */

static void put_reply(struct sim *s, struct ledger_pay *p, const struct pg_commit *c)
{
	struct ledger_reply *r = world_alloc(s, sizeof *r);

	if (pg_reply(p, c->reply_seq))
		world_fail(s, 9, "answer %d became final a second time", c->reply_seq);
	*r = (struct ledger_reply){ c->reply_seq, c->reply_status, c->reply, p->replies };
	p->replies = r;
}

static void put_out(struct sim *s, const struct pg_commit *c, const struct commit_out *out)
{
	struct ledger_out *o = world_alloc(s, sizeof *o);

	*o = (struct ledger_out){ .id = out->id,
		.payment = c->id,
		.peer = out->peer,
		.seq = out->seq,
		.next_us = pg_wall(s).us,
		.body = out->body };
	*s->ledger.outs_end = o;
	s->ledger.outs_end = &o->next;
	s->ledger.outs_owed++;
}

static void put_claims(struct sim *s, const struct pg_commit *c)
{
	for (int i = 0; i < c->claims; i++) {
		struct ledger_claim *k = world_alloc(s, sizeof *k);
		*k = (struct ledger_claim){ .payment = c->id, .seq = c->claim_seq };
		memcpy(k->fingerprint, c->fingerprint, 16);
		if (!map_put(&s->ledger.claims, c->claim[i].digest, k))
			world_fail(s, 2, "one step claims the same twice");
	}
}

static void put_due(struct sim *s, struct ledger_pay *p, const struct pg_commit *c)
{
	p->due_us = c->due_us;
	p->leased_us = 0;
	if (c->set_secret)
		p->secret = c->secret;
	if (c->remove_secret || !c->due_us)
		p->secret = SPAN_NONE;
	if (c->due_us)
		clerk_hint(s, c->due_us + 1501000);
}

static struct ledger_pay *pay_new(struct sim *s, const struct pg_commit *c)
{
	struct ledger_pay *p = world_alloc(s, sizeof *p);

	CHECK(s->ledger.pay_count < LEDGER_PAYMENTS);
	p->id = c->id;
	CHECK(map_put(&s->ledger.pays, c->id.b, p));
	s->ledger.pay[s->ledger.pay_count++] = p;
	return p;
}

static void keep(struct sim *s, struct ledger_pay *p, const struct pg_commit *c)
{
	struct ledger_step *step = world_alloc(s, sizeof *step);
	struct pay before;

	if (!p)
		p = pay_new(s, c);
	before = p->rec;
	*step = (struct ledger_step){ .version = c->version, .before = p->last };
	memcpy(step->digest, c->digest.b, 32);
	p->last = step;
	p->record = c->record;
	p->later = c->later && s->faults.rolls && rng_hit(&s->chance, 300);
	if (pay_unpack(c->record, &p->rec) != RC_OK)
		world_fail(s, 0, "a record cannot be read");
	if (p->rec.version != c->version || !pay_id_eq(&p->rec.id, &c->id))
		world_fail(s, 0, "a record is not of its row");
	check_balance(s, c);
	book(s, p, c);
	put_claims(s, c);
	if (c->replies)
		put_reply(s, p, c);
	for (int i = 0; i < c->out_count; i++)
		put_out(s, c, &c->out[i]);
	if (c->set_key)
		p->key = c->key;
	if (c->seals && memcmp(&p->key, &c->key, sizeof p->key) != 0)
		world_fail(s, 7, "a message is sealed under a key that nobody has kept");
	put_due(s, p, c);
	p->exceptions += c->exception;
	p->written_off = p->written_off || (c->kind == EV_OPERATOR && p->to_write_off);
	s->ledger.commits++;
	oracle_committed(s, p, &before);
}

static enum commit_verdict judge(struct sim *s, const struct pg_commit *c, struct commit_result *r)
{
	struct ledger_pay *p = pg_find_pay(s, &c->id);
	const struct ledger_account *a;

	for (const struct ledger_step *at = p ? p->last : NULL; at; at = at->before)
		if (at->version == c->version && memcmp(at->digest, c->digest.b, 32) == 0) {
			if (!c->lost)
				world_fail(s, 2,
					"two processes took the same step, and both will act");
			return COMMIT_OK; /* it was there before */
		}
	for (int i = 0; i < c->claims; i++) {
		const struct ledger_claim *k = map_get(&s->ledger.claims, c->claim[i].digest);
		if (!k)
			continue;
		r->payment = k->payment;
		r->claim = i;
		r->seq = k->seq;
		memcpy(r->fingerprint, k->fingerprint, 16);
		return COMMIT_CLAIMED;
	}
	if ((p ? p->last->version : 0) != c->version - 1 && !MUTANT(FENCE))
		return COMMIT_FENCE;
	if ((a = capped(s, c))) {
		r->account = a->number;
		r->value = a->posted + a->reserved - pg_contra(s, a);
		r->cap = a->cap;
		return COMMIT_CAP;
	}
	if (p && p->later && !c->later)
		world_fail(s, 7, "an older version has stepped what it cannot read");
	keep(s, p, c);
	return COMMIT_OK;
}

/* ---- its way ---- */

struct judged {
	struct commit *c;
	struct commit_result r;
};

static void tell(struct proc *p, void *arg)
{
	struct judged *v = arg;

	wrk_on_commit(p->w, v->c, &v->r);
}

static void broke(struct sim *s, uint64_t slot);

static void on_verdict(struct sim *s, const struct event *e)
{
	struct pg_commit *c = s->ledger.commit[e->a];
	struct judged v = { c->c, { 0 } };
	uint8_t proc = c->proc;
	uint32_t life = c->life;

	if (proc_is(s, proc, life) && proc_sleeps(s, proc, e))
		return;
	if (proc_is(s, proc, life) && c->cut && c->sent) { /* the answer did not come through */
		c->cut = false;
		broke(s, e->a);
		return;
	}
	memcpy(&v.r, e->bytes, sizeof v.r);
	c->used = false;
	s->ledger.under_way--;
	if (!proc_is(s, proc, life))
		return;
	/* What was handed over had to stay as it was until now. */
	if (!span_eq(span_of(v.c->step->record, v.c->step->record_bytes), c->record) ||
		!span_eq(v.c->reply, c->reply))
		world_fail(s, 7, "a step was changed on its way to the ledger");
	proc_run(s, proc, tell, &v);
}

static void answer(struct sim *s, uint64_t slot, struct commit_result r, int64_t after_us)
{
	static const char *const names[] = { "ok", "claimed", "fence", "cap", "unsent", "error" };

	world_say(s, "ledger: version %u of %02x%02x: %s", s->ledger.commit[slot]->version,
		s->ledger.commit[slot]->id.b[14], s->ledger.commit[slot]->id.b[15],
		names[r.verdict]);
	world_in_with(s, after_us, on_verdict, slot, 0, span_of(&r, sizeof r));
}

static void on_apply(struct sim *s, const struct event *e);

/* The line broke: it is submitted again once there is another. */
static void broke(struct sim *s, uint64_t slot)
{
	struct pg_commit *c = s->ledger.commit[slot];

	if (MUTANT(COMMIT_FAILED))
		answer(s, slot, (struct commit_result){ .verdict = COMMIT_UNSENT }, 1000);
	else if (++c->lost > LOST_MAX)
		answer(s, slot, (struct commit_result){ .verdict = COMMIT_ERROR }, 1000);
	else
		world_in(s, 50000 + rng_below(&s->chance, 1500000), on_apply, slot, 0);
}

static void on_apply(struct sim *s, const struct event *e)
{
	struct pg_commit *c = s->ledger.commit[e->a];
	struct commit_result r = { .verdict = COMMIT_UNSENT };

	if (c->dead) {
		/* Its process is gone: what had left may still be applied, and nobody hears. */
		if (!pg_is_down(s) && rng_hit(&s->chance, 500))
			judge(s, c, &r);
		c->used = false;
		s->ledger.under_way--;
		return;
	}
	if (!c->sent && proc_sleeps(s, c->proc, e))
		return;
	if (!c->cut && s->now_us < s->ledger.read_only_until_us) { /* 25006; it leaves again */
		c->cut = false;
		if (!c->sent && c->give_up_us <= s->now_us)
			answer(s, e->a, r, 0);
		else
			world_in(s, 1000 + rng_below(&s->chance, 500000), on_apply, e->a, 0);
		return;
	}
	if (c->cut) { /* it was on its way when the lines broke */
		c->cut = false;
		c->sent = true;
		if (rng_hit(&s->chance, 500))
			judge(s, c, &r);
		broke(s, e->a);
		return;
	}
	if (pg_is_down(s) && !c->sent && c->give_up_us <= s->ledger.down_until_us) {
		int64_t left = c->give_up_us - s->now_us;
		answer(s, e->a, r, left > 0 ? left : 0);
		return;
	}
	if (pg_is_down(s)) {
		world_in(s, s->ledger.down_until_us - s->now_us + 1000, on_apply, e->a, 0);
		return;
	}
	if (!c->sent && pg_goes_wrong(s, s->faults.pg_unsent)) {
		answer(s, e->a, r, rng_below(&s->chance, 3000000));
		return;
	}
	if (pg_goes_wrong(s, s->faults.pg_error)) {
		r.verdict = COMMIT_ERROR;
		answer(s, e->a, r, pg_latency(s));
		return;
	}
	c->sent = true;
	if (pg_goes_wrong(s, s->faults.pg_lost_before) || c->lose == POINT_LOST_BEFORE) {
		c->lose = POINT_NONE;
		broke(s, e->a);
		return;
	}
	r.verdict = judge(s, c, &r);
	if (pg_goes_wrong(s, s->faults.pg_lost_after) || c->lose == POINT_LOST_AFTER) {
		c->lose = POINT_NONE;
		broke(s, e->a);
	} else {
		answer(s, e->a, r, 100);
	}
}

static struct pg_commit *slot_new(struct sim *s, uint64_t *ret_slot)
{
	for (uint64_t i = 0; i < PG_COMMITS; i++) {
		if (!s->ledger.commit[i])
			s->ledger.commit[i] = world_alloc(s, sizeof *s->ledger.commit[i]);
		if (s->ledger.commit[i]->used)
			continue;
		*ret_slot = i;
		return s->ledger.commit[i];
	}
	return NULL;
}

enum rc pg_commit(struct sim *s, int proc, struct commit *c)
{
	const struct step *st = c->step;
	struct pg_commit *to;
	uint64_t slot;

	if (pg_goes_wrong(s, s->faults.pg_refuse) || !(to = slot_new(s, &slot)))
		return RC_FULL;
	*to = (struct pg_commit){ .used = true,
		.proc = (uint8_t)proc,
		.life = s->proc[proc].life,
		.later = s->proc[proc].later_now,
		.c = c,
		.give_up_us = proc_time(&s->proc[proc], c->give_up),
		.id = st->next.id,
		.version = st->next.version,
		.digest = digest_sha256(span_of(st->record, st->record_bytes)),
		.kind = c->kind,
		.op = c->op,
		.claims = st->claim_count,
		.entries = st->entry_count,
		.claim_seq = st->claim_seq,
		.record = world_keep(s, span_of(st->record, st->record_bytes)),
		.reply = world_keep(s, c->reply),
		.secret = world_keep(s, c->secret),
		.replies = c->replies,
		.out_count = c->out_count,
		.key = c->key,
		.set_key = c->set_key,
		.seals = c->raw_count > 0,
		.set_secret = c->set_secret,
		.remove_secret = c->remove_secret,
		.exception = st->exception != EXCEPTION_NONE,
		.reply_seq = c->reply_seq,
		.reply_status = c->reply_status,
		.lose = s->sweep.lost,
		.due_us = st->next.due.us };
	for (int i = 0; i < c->out_count; i++) {
		to->out[i] = c->out[i];
		to->out[i].body = world_keep(s, c->out[i].body);
	}
	memcpy(to->claim, st->claim, sizeof to->claim);
	memcpy(to->entry, st->entry, sizeof to->entry);
	memcpy(to->fingerprint, st->claim_fingerprint, 16);
	world_mix_bytes(s, digest_span(&to->digest));
	s->ledger.under_way++;
	world_in(s, pg_latency(s), on_apply, slot, 0);
	return RC_OK;
}

void pg_died(struct sim *s, int proc)
{
	for (int i = 0; i < PG_COMMITS; i++) {
		struct pg_commit *c = s->ledger.commit[i];
		if (c && c->used && c->proc == proc)
			c->dead = true;
	}
}
