/*
 * oracle.c: what must be true: of every step as it is committed, of every answer as it is given,
 * and of the books of all sides when messages have settled.
 *
 * The hard thing is to judge by what each side can know: a fake's book is the truth about money
 * that moved there, the ledger about what we believe, and a till about what it was told. Must never
 * look into a worker to decide; what it still holds at the end is the affair of held.c.
 */
#include "sim.h"

#define TOLD_MAX   8192 /* a power of two */
#define BIT(state) (1u << COVER_STATE(state))

struct told {
	uint64_t same; /* 0: free */
	int asked;     /* how often it came */
	int status;    /* 0: nothing final was told */
	int64_t at_us; /* when it was */
	struct span body;
};

void oracle_begin(struct sim *s)
{
	s->told = world_alloc(s, TOLD_MAX * sizeof *s->told);
	s->debited = world_alloc(s, TOLD_MAX * sizeof *s->debited);
	for (int i = 0; i < PARTIES; i++)
		s->party[i].book = NULL;
}

/* ---- of every step ---- */

static bool paid_family(enum pay_state s)
{
	return s == PAY_PAID || s == PAY_PARTLY_REFUNDED || s == PAY_REFUNDED;
}

const char *oracle_id(const struct pay_id *id)
{
	static char text[ID_TEXT_LEN + 1];
	struct buf b = buf_init(text, ID_TEXT_LEN);

	pay_id_write(&b, id);
	return text;
}

/* 6: what is final stays, but for what is asked of a paid one, and a success that came late. */
static void absorbing(struct sim *s, const struct pay *before, const struct pay *after)
{
	enum pay_state was = pay_state(before), is = pay_state(after);

	if (!(was & PAY_FINAL) || was == is || after->late)
		return;
	if (paid_family(was) && (paid_family(is) || is == PAY_REFUNDING || is == PAY_UNDOING ||
					is == PAY_CANCELLED || is == PAY_STUCK))
		return;
	world_fail(s, 6, "%s: final %s became %s", oracle_id(&after->id), pay_state_name(was),
		pay_state_name(is));
}

/* What the record says to be reserved is what the books reserve. */
static void reserved(struct sim *s, const struct ledger_pay *p)
{
	int64_t books = 0, record = 0;

	for (int i = 0; i < p->sums; i++)
		books += p->sum[i].reserved;
	record += money_minor(p->rec.iss.reserved) + money_minor(p->rec.owed) +
		  money_minor(p->rec.exposed) + money_minor(p->rec.held) +
		  money_minor(p->rec.acq.counted) + money_minor(p->rec.iss.counted);
	for (int i = 0; i < REFUNDS_OPEN; i++)
		record += money_minor(p->rec.refund[i].reserved);
	if (books != record)
		world_fail(s, 10, "%s: %lld reserved in the books, %lld in the record",
			oracle_id(&p->id), (long long)books, (long long)record);
}

/* 3: what is new finds room below the cap; what must be booked may pass it. So a net position is
 * bounded both ways: what is booked on it counts against the cap of the other way as well. */
void oracle_reserved(
	struct sim *s, const struct ledger_account *a, enum event_kind kind, enum op op)
{
	int64_t holds = a->posted + a->reserved - pg_contra(s, a);
	bool is_new = kind == EV_REQUEST &&
		      (op == OP_DEBIT || op == OP_RESOLVE || op == OP_CONFIRM || op == OP_ORDER ||
			      op == OP_CREDIT);

	if (is_new && a->capped && holds > a->cap)
		world_fail(s, 3, "account %x holds %lld, its cap is %lld", (unsigned)a->number,
			(long long)holds, (long long)a->cap);
}

/* 4: what comes after a cancel that binds the issuer's network is not for us to give back. */
static void reversed_by_them(struct sim *s, const struct pay *before, const struct pay *after)
{
	const struct caps *c = before->iss.peer
				       ? s->config.peer[before->iss.peer - 1].caps[OP_CANCEL]
				       : NULL;

	if (!before->late && after->late && before->undo.phase == UNDO_UNDONE && c &&
		c->cancel_binds)
		world_fail(s, 4, "%s: a late success is given back twice", oracle_id(&after->id));
}

void oracle_committed(struct sim *s, struct ledger_pay *p, const struct pay *before)
{
	const char *wrong = pay_check(&p->rec);

	if (wrong)
		world_fail(s, 6, "%s: %s", oracle_id(&p->id), wrong);
	p->seen |= BIT(pay_state(&p->rec));
	minute_committed(s, p);
	absorbing(s, before, &p->rec);
	reversed_by_them(s, before, &p->rec);
	reserved(s, p);
	if ((before->answered & ~p->rec.answered) != 0)
		world_fail(s, 9, "%s: an answer is not final any more", oracle_id(&p->id));
}

/* ---- of every answer ---- */

uint64_t oracle_same(const struct sim *s, int party, const struct http_msg *m)
{
	struct span key = SPAN_NONE;
	uint64_t v = (uint64_t)party;

	(void)s;
	if (!span_eq(m->method, SPAN("POST")))
		return 0;
	(void)http_header_get(m, "idempotency-key", &key);
	v = world_hash(world_hash(world_hash(v, m->target), key), m->body);
	return v | 1;
}

static struct told *told_of(struct sim *s, uint64_t same)
{
	size_t i = same >> 20;

	while (s->told[i % TOLD_MAX].same && s->told[i % TOLD_MAX].same != same)
		i++;
	s->told[i % TOLD_MAX].same = same;
	return &s->told[i % TOLD_MAX];
}

void oracle_debit(struct sim *s, uint64_t same)
{
	size_t i = same >> 20;

	while (s->debited[i % TOLD_MAX] && s->debited[i % TOLD_MAX] != (same | 1))
		i++;
	if (s->debited[i % TOLD_MAX])
		world_fail(s, 2, "a debit is sent a second time");
	s->debited[i % TOLD_MAX] = same | 1;
}

void oracle_asked(struct sim *s, const struct exchange *x)
{
	if (x->same)
		told_of(s, x->same)->asked++;
}

static void told(struct sim *s, uint64_t same, int status, struct span body)
{
	struct told *t = told_of(s, same);

	if (!t->status) {
		t->status = status;
		t->at_us = s->now_us;
		t->body = world_keep(s, body);
	} else if (t->status != status || !span_eq(t->body, body)) {
		world_fail(s, 9, "what was told as final changed: %d %.*s, then %d %.*s", t->status,
			SPAN_FMT(t->body), status, SPAN_FMT(body));
	}
}

/* 1: a first request of which nothing is kept, it is said, is not in the ledger. */
static void not_kept(struct sim *s, const struct exchange *x, struct span body)
{
	static const char *const paths[] = { "/v1/payments", "/v1/orders", "/v1/scans",
		"/v1/payouts" };
	static const char *const kinds[] = { "debit", "order", "scan", "credit" };
	struct span key;
	char text[MSG_ID];

	if (!x->same || told_of(s, x->same)->asked > 1 ||
		span_find_span(body, SPAN("nothing was changed")) == body.n ||
		!http_header_get(&x->msg, "idempotency-key", &key) ||
		!span_to_cstr(span_sub(key, 1, key.n - 2), text, sizeof text)) /* quoted */
		return;
	for (int i = 0; i < s->spends; i++) /* the key is that of another request */
		if (s->spend[i].confused && strstr(text, s->spend[i].id))
			return;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct claim c = idem_claim(peers_number(x->party), kinds[i], text);
		if (span_eq(x->msg.path, span_str(paths[i])) &&
			map_get(&s->ledger.claims, c.digest))
			world_fail(s, 1, "it is in the ledger: %.*s", SPAN_FMT(body));
	}
}

/* 9: what was final is never pending again to who asks after that. Of two that ask at once one may
 * hear late what was true before, as when answers overtake one another. */
static void told_pending(struct sim *s, const struct exchange *x, struct span body)
{
	const struct told *t = x->same ? told_of(s, x->same) : NULL;

	if (t && t->status && x->came_us > t->at_us)
		world_fail(s, 9, "what was told as final is pending: %.*s", SPAN_FMT(body));
}

static uint32_t states_of_word(struct span word)
{
	static const struct {
		const char *word;
		uint32_t states;
	} words[] = {
		{ "PAID", BIT(PAY_PAID) },
		{ "PARTIALLY_REFUNDED", BIT(PAY_PARTLY_REFUNDED) | BIT(PAY_REFUNDING) },
		{ "REFUNDED", BIT(PAY_REFUNDED) },
		{ "DECLINED", BIT(PAY_DECLINED) | BIT(PAY_UNDONE) },
		{ "CANCELLED", BIT(PAY_CANCELLED) },
		{ "EXPIRED", BIT(PAY_EXPIRED) },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_eq(span_str(words[i].word), word))
			return words[i].states;
	return 0;
}

/* 1: what is said of a payment has been in the ledger. */
static void in_ledger(struct sim *s, struct span id_word, uint32_t states, struct span body)
{
	struct pay_id id;
	const struct ledger_pay *p;
	uint32_t seen = 0;

	if (!states || pay_id_parse(id_word, &id) != RC_OK)
		return;
	p = pg_find_pay(s, &id);
	for (const struct ledger_pay *of = p; of; of = pg_taker(s, &of->id))
		seen |= of->seen;
	if (!(seen & states))
		world_fail(s, 1, "told before it was committed: %.*s", SPAN_FMT(body));
}

/* 11: only who has a part in it hears of it. */
static void has_part(struct sim *s, int party, struct span id_word, struct span body)
{
	uint16_t who = peers_number(party);
	struct pay_id id;
	const struct ledger_pay *p;

	if (pay_id_parse(span_sub(id_word, 0, ID_TEXT_LEN), &id) != RC_OK)
		return;
	p = pg_find_pay(s, &id);
	if (p &&
		(who != p->rec.acq.peer || (!pay_id_is_none(&p->rec.order) && !p->rec.confirmed)) &&
		who != p->rec.iss.peer && who != p->rec.via)
		world_fail(s, 11, "%s is told of a payment of others: %.*s", s->party[party].name,
			SPAN_FMT(body));
}

/* 2: an answer is about the amount that was asked for; of a confirmation, about the order's. */
static void same_amount(struct sim *s, const struct exchange *x, struct arena *a,
	const struct json *answer, struct span body)
{
	const struct json *v;
	struct span asked[2], got[2];

	if (span_ends(x->msg.path, SPAN("/confirm")) || span_empty(x->msg.body) ||
		!json_text(a, answer, "amount.value", &got[0]) ||
		!json_str(answer, "amount.currency", &got[1]) ||
		json_parse(a, x->msg.body, &v) != RC_OK ||
		!json_text(a, v, "amount.value", &asked[0]) ||
		!json_str(v, "amount.currency", &asked[1]))
		return;
	if (!span_eq(asked[0], got[0]) || !span_eq(asked[1], got[1]))
		world_fail(s, 2, "asked for %.*s, answered by %.*s", SPAN_FMT(x->msg.body),
			SPAN_FMT(body));
}

static void replied_partner(
	struct sim *s, const struct exchange *x, const struct json *v, int status, struct span body)
{
	struct span id, word;
	bool retry = false;

	if (json_str(v, "id", &id) && json_str(v, "status", &word) && !json_get(v, "payment_id"))
		in_ledger(s, id, states_of_word(word), body);
	if (json_str(v, "payment_id", &id) || json_str(v, "id", &id))
		has_part(s, x->party, id, body);
	(void)json_bool(v, "retryable", &retry);
	if (!x->same)
		return;
	if (json_get(v, "codes") || json_get(v, "access_token"))
		return; /* nobody keeps them: a repeat gives fresh ones */
	if (status == 202)
		told_pending(s, x, body);
	if (status < 300 ? status != 202 : json_get(v, "payment_id") && !retry)
		told(s, x->same, status, body);
}

static void replied_scheme(
	struct sim *s, const struct exchange *x, const struct json *v, int status, struct span body)
{
	struct span word;

	if (span_find_span(x->msg.path, SPAN("/inquiry")) < x->msg.path.n ||
		span_ends(x->msg.path, SPAN("/notifyPayment")) ||
		span_ends(x->msg.path, SPAN("/getPaymentCode"))) /* fresh ones each time */
		return;
	if (json_str(v, "result.resultStatus", &word) && span_eq(word, SPAN("S")))
		told(s, x->same, status, body);
}

void oracle_replied(struct sim *s, const struct exchange *x, const struct http_out *out)
{
	static char memory[1 << 17];
	struct arena a = arena_init(memory, sizeof memory);
	struct span body = buf_span(&out->body);
	const struct json *v;

	if (span_empty(body) || json_parse(&a, body, &v) != RC_OK || !json_is_object(v))
		return;
	if (json_get(v, "result"))
		replied_scheme(s, x, v, out->status, body);
	else
		replied_partner(s, x, v, out->status, body);
	if (out->status >= 500)
		not_kept(s, x, body);
	if (out->status < 300)
		same_amount(s, x, &a, v, body);
}

/* What goes into the cache is an answer that the ledger holds. */
void oracle_cached(struct sim *s, struct span value)
{
	struct span body = span_sub(value, 34, value.n);

	for (int i = s->ledger.pay_count; i-- > 0;)
		for (const struct ledger_reply *r = s->ledger.pay[i]->replies; r; r = r->next)
			if (span_eq(r->body, body))
				return;
	world_fail(s, 1, "the cache is given what the ledger does not hold: %.*s", SPAN_FMT(body));
}

/* ---- when messages have settled ---- */

bool oracle_is_open(const struct ledger_pay *p)
{
	return !pay_is_final(&p->rec) && pay_state(&p->rec) != PAY_NEW;
}

bool oracle_settled(const struct sim *s, bool but_stuck)
{
	if (s->ledger.outs_owed)
		return false;
	for (int i = 0; i < s->ledger.pay_count; i++) {
		const struct ledger_pay *p = s->ledger.pay[i];
		/* Of what is over it may still be asked what came late. */
		if ((oracle_is_open(p) || p->due_us) && !(but_stuck && p->exceptions))
			return false;
	}
	for (int i = 0; i < LINK_CALLS; i++)
		if ((s->outcall[i].used && !s->outcall[i].ended) || s->incall[i].used)
			return false;
	if (s->ledger.under_way)
		return false;
	for (int i = 0; i < PROCS; i++)
		if (!s->proc[i].alive || s->proc[i].turn_us <= s->now_us + 1000000)
			return false;
	return true;
}

struct line {
	struct pay_id id;
	bool has_id;
	int64_t net, taken, unclear;
	bool acquirer;
	char own[66], state[24], currency[4], role[16];
};

/* A line of a fake's book as it was read last; it is not read again while it is the same. */
struct kept_line {
	struct span text;
	struct line line;
	bool of_money;
	struct kept_line *next;
};

/* A line of a fake's book; false where it is not about a payment's money. */
static bool read_line(struct sim *s, int party, struct span text, struct line *ret)
{
	static char memory[1 << 16];
	struct arena a = arena_init(memory, sizeof memory);
	const struct json *v;
	struct span id, role = SPAN_NONE, word;
	int64_t returned;

	CHECK(json_parse(&a, text, &v) == RC_OK);
	*ret = (struct line){ .acquirer = false };
	(void)json_int(v, "unclear", &ret->unclear);
	if (!json_str(v, "id", &id) || !json_int(v, "taken", &ret->taken) ||
		!json_int(v, "returned", &returned))
		world_fail(s, 0, "%s keeps a strange book: %.*s", s->party[party].name,
			SPAN_FMT(text));
	if (json_str(v, "fault", &word)) /* it judges what it is told */
		world_fail(s, 8, "%s: %.*s", s->party[party].name, SPAN_FMT(word));
	ret->net = ret->taken - returned;
	ret->has_id = pay_id_parse(span_sub(id, 0, ID_TEXT_LEN), &ret->id) == RC_OK;
	if (!json_str(v, "role", &role))
		(void)json_str(v, "leg", &role);
	(void)span_to_cstr(role, ret->role, sizeof ret->role);
	ret->acquirer = span_eq(role, SPAN("acquirer")) || span_eq(role, SPAN("credit")) ||
			span_starts(role, SPAN("mpp-"));
	if (json_str(v, "own_id", &word))
		(void)span_to_cstr(word, ret->own, sizeof ret->own);
	if (json_str(v, "state", &word))
		(void)span_to_cstr(word, ret->state, sizeof ret->state);
	if (json_str(v, "currency", &word))
		(void)span_to_cstr(word, ret->currency, sizeof ret->currency);
	return !span_eq(role, SPAN("scan"));
}

struct view {
	int64_t issuer[PARTIES], acquirer[PARTIES], unclear;
	int effective; /* debits that stand */
};

/* Calls `fn` for each line of all books. */
typedef void line_fn(struct sim *s, int party, const struct line *l, void *ctx);

static void each_line(struct sim *s, line_fn *fn, void *ctx)
{
	char text[1024];

	for (int party = 0; party < PARTIES; party++) {
		struct party *p = &s->party[party];
		struct kept_line **at = &p->book;
		for (size_t i = 0;; i++, at = &(*at)->next) {
			struct buf b = buf_init(text, sizeof text);
			if (!p->fake->book(p->state, i, &b))
				break;
			CHECK(buf_ok(&b));
			if (!*at)
				*at = world_alloc(s, sizeof **at);
			if (!span_eq((*at)->text, buf_span(&b))) {
				(*at)->text = world_keep(s, buf_span(&b));
				(*at)->of_money = read_line(s, party, (*at)->text, &(*at)->line);
			}
			if ((*at)->of_money)
				fn(s, party, &(*at)->line, ctx);
		}
	}
}

/* Of an order: the payment that took it last, which its till knows by the order. */
static int index_of(struct sim *s, const struct pay_id *id)
{
	for (const struct ledger_pay *taker = pg_taker(s, id); taker; taker = pg_taker(s, id))
		id = &taker->id;
	for (int i = 0; i < s->ledger.pay_count; i++)
		if (pay_id_eq(&s->ledger.pay[i]->id, id))
			return i;
	return -1;
}

static void add_line(struct sim *s, int party, const struct line *l, void *ctx)
{
	struct view *views = ctx;
	int i = l->has_id ? index_of(s, &l->id) : -1;

	if (i < 0) {
		if (l->net != 0)
			world_fail(s, 4,
				"%s moved %lld %s for a payment that the ledger does not "
				"know: %s %s",
				s->party[party].name, (long long)l->net, l->currency, l->own,
				l->state);
		return;
	}
	if (l->acquirer) {
		views[i].acquirer[party] += l->net;
		views[i].unclear += l->unclear;
		return;
	}
	views[i].issuer[party] += l->net;
	views[i].effective += l->taken > 0 && l->net == l->taken;
}

/* What one payment alone may have: an order, or a payer's code that went through us. */
static bool same_prize(const struct pay *a, const struct pay *b)
{
	static const uint8_t none[sizeof a->code_hash];

	if (!pay_id_is_none(&a->order) && pay_id_eq(&a->order, &b->order))
		return true;
	return a->mode == 'C' && b->mode == 'C' && a->code_peer && a->code_peer == b->code_peer &&
	       memcmp(a->code_hash, none, sizeof none) != 0 &&
	       memcmp(a->code_hash, b->code_hash, sizeof none) == 0;
}

/* 2: two payments by one code, or of one order, are one too many. */
static void prizes(struct sim *s)
{
	for (int i = 0; i < s->ledger.pay_count; i++)
		for (int j = 0; j < i; j++) {
			const struct pay *a = &s->ledger.pay[i]->rec, *b = &s->ledger.pay[j]->rec;
			if (a->posted == POSTED_PAYMENT && b->posted == POSTED_PAYMENT &&
				same_prize(a, b))
				world_fail(s, 2, "two payments have the same order or code: %s",
					oracle_id(&a->id));
		}
}

/* 2: while things happen, at most one debit of a payment stands. */
void oracle_safe(struct sim *s)
{
	struct view *views = world_alloc(s, (size_t)(s->ledger.pay_count + 1) * sizeof *views);

	each_line(s, add_line, views);
	for (int i = 0; i < s->ledger.pay_count; i++)
		if (views[i].effective > 1)
			world_fail(s, 2, "%s was debited %d times",
				oracle_id(&s->ledger.pay[i]->id), views[i].effective);
	prizes(s);
}

static int64_t posted(const struct ledger_pay *p, enum account_class class, int party)
{
	int64_t sum = 0;

	for (int i = 0; i < p->sums; i++)
		if ((enum account_class)(p->sum[i].account >> 26) == class &&
			(p->sum[i].account >> 10 & 0xffff) == peers_number(party))
			sum += p->sum[i].posted;
	return sum;
}

/* Who asked for something else under the same id was refused, and may believe that. */
static bool confused(const struct sim *s, const struct leg *asked)
{
	for (int i = 0; i < s->spends; i++)
		if (s->spend[i].confused && strcmp(s->spend[i].id, asked->their_request) == 0)
			return true;
	return false;
}

/* 4: issuer's book = ledger = acquirer's view. */
static void compare(struct sim *s, const struct ledger_pay *p, const struct view *v)
{
	for (int i = 0; i < PARTIES; i++) {
		int64_t position = posted(p, ACCT_POSITION, i), fee = posted(p, ACCT_FEE, i);
		bool acquirer = p->rec.acq.peer == peers_number(i);
		int64_t theirs = acquirer ? -v->acquirer[i] : v->issuer[i];
		int64_t ours = position + (acquirer ? fee : 0);

		if (acquirer && ours == theirs + v->unclear)
			theirs = ours; /* of a refund without an id it heard nothing */
		if (ours != theirs && !confused(s, acquirer ? &p->rec.acq : &p->rec.iss))
			world_fail(s, 4, "%s (%s): %s has %lld, the ledger %lld", oracle_id(&p->id),
				pay_state_name(pay_state(&p->rec)), s->party[i].name,
				(long long)theirs, (long long)ours);
	}
}

void oracle_end(struct sim *s)
{
	struct view *views = world_alloc(s, (size_t)(s->ledger.pay_count + 1) * sizeof *views);
	int64_t held = 0, expected = 0;

	each_line(s, add_line, views);
	for (int i = 0; i < s->ledger.pay_count; i++) {
		const struct ledger_pay *p = s->ledger.pay[i];
		if (oracle_is_open(p) && !p->exceptions)
			world_fail(s, 5, "%s is %s for ever, and on no list", oracle_id(&p->id),
				pay_state_name(pay_state(&p->rec)));
		if (!oracle_is_open(p) &&
			!p->written_off) /* a person has judged, and may be wrong */
			compare(s, p, &views[i]);
		for (int j = 0; j < p->sums; j++)
			expected += p->sum[j].reserved;
	}
	for (int i = 0; i < s->ledger.account_count; i++)
		held += s->ledger.account[i].reserved;
	if (held != expected)
		world_fail(s, 10, "accounts hold %lld, payments %lld", (long long)held,
			(long long)expected);
	for (int i = 0; i < s->ledger.pay_count; i++)
		for (int j = 0; j < s->ledger.pay[i]->sums; j++)
			if (!oracle_is_open(s->ledger.pay[i]) &&
				s->ledger.pay[i]->sum[j].reserved &&
				!acct_is_day(s->ledger.pay[i]->sum[j].account))
				world_fail(s, 10, "%s is over and holds a reservation",
					oracle_id(&s->ledger.pay[i]->id));
	if (s->ledger.outs_owed)
		world_fail(s, 8, "%d notifications were not delivered", s->ledger.outs_owed);
	held_end(s);
}
