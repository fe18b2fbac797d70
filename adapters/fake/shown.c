/*
 * shown.c: the book of a fake whose payers show a code at a till. The hard thing is time: a payment
 * may be open and end by itself, before or after somebody cancels it, and each end must be the only
 * one; so every change of its state is in one of few places below, and each asks for the state
 * first. Never pays what was cancelled, unless it was told to.
 */
#include "shown.h"

/* What a timer is for. */
enum shown_timer {
	TIMER_ENDS,     /* the payer acts */
	TIMER_REFUNDED, /* a refund is done */
	TIMER_HELD,     /* a request arrives late */
	TIMER_REVIVES,  /* misbehaviour: a success after a confirmed cancel */
	TELL_PAID,      /* also of calls: the switch is told */
	TELL_REFUNDED,
};

static uint64_t cookie(const struct shown *f, enum shown_timer kind, uint32_t index)
{
	return fake_cookie(f->generation, kind, index);
}

void shown_init(struct shown *f, const struct sandbox_host *h, const struct shown_dialect *d)
{
	f->dialect = d;
	f->salt = h->entropy(h->ctx) % UINT64_C(10000000000);
}

static void forget(struct shown *f, const struct sandbox_host *h)
{
	f->generation++;
	f->payments = f->refunds = f->codes = 0;
	memset(f->by_id, 0, sizeof f->by_id);
	memset(f->refund_by_id, 0, sizeof f->refund_by_id);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(f->held, 0, sizeof f->held);
	memset(f->code, 0, sizeof f->code);
	shown_init(f, h, f->dialect);
}

/* ---- codes --------------------------------------------------------------------------------- */

static const char *word_of(const struct shown_dialect *d, struct span text)
{
	for (const char *const *w = d->words; *w; w++)
		if (span_eq(span_str(*w), text))
			return *w;
	return NULL;
}

/* "approve", "decline:NOT_ENOUGH", "password-then-approve" ... */
static bool read_behaviour(
	const struct shown_dialect *d, struct span text, int32_t ms, struct shown_behaviour *ret)
{
	static const struct {
		const char *name;
		enum shown_how how;
		bool has_word;
	} known[] = {
		{ "approve", SHOWN_APPROVE, false },
		{ "approve-no-refund", SHOWN_KEEP, false },
		{ "decline", SHOWN_REFUSE, true },
		{ "password", SHOWN_WAIT, false },
		{ "password-then-approve", SHOWN_WAIT_APPROVE, false },
		{ "password-then-decline", SHOWN_WAIT_REFUSE, false },
	};
	size_t colon = span_find(text, ':');
	struct span name = span_sub(text, 0, colon);
	const char *word = word_of(d, span_sub(text, colon + 1, text.n));

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!span_eq(span_str(known[i].name), name))
			continue;
		if (known[i].has_word ? !word : colon < text.n)
			return false;
		*ret = (struct shown_behaviour){ known[i].how, word ? word : "", ms };
		return true;
	}
	return false;
}

/* The slot of this code, or the free one where it belongs. The table is never full. */
static struct shown_code *slot_of(struct shown *f, struct span text)
{
	uint32_t at = fake_hash(text) % SHOWN_CODES;

	while (f->code[at].text[0] && !span_eq(span_str(f->code[at].text), text))
		at = (at + 1) % SHOWN_CODES;
	return &f->code[at];
}

static const struct shown_code *mint(struct shown *f, const struct sandbox_host *h,
	const struct shown_behaviour *b, bool reusable)
{
	const struct shown_dialect *d = f->dialect;
	char text[SHOWN_CODE_MAX];
	struct shown_code *c;

	do {
		struct buf code = buf_init(text, d->code_digits);

		buf_str(&code, d->code_head);
		while (code.n < d->code_digits)
			buf_ch(&code, (char)('0' + h->entropy(h->ctx) % 10));
		c = slot_of(f, buf_span(&code));
	} while (c->text[0]);
	*c = (struct shown_code){ .behaviour = *b, .reusable = reusable };
	memcpy(c->text, text, d->code_digits);
	f->codes++;
	return c;
}

bool shown_scan(struct shown *f, struct span code, struct shown_behaviour *ret)
{
	struct shown_code *c = slot_of(f, code);

	if (!c->text[0] || (c->used && !c->reusable))
		return false;
	c->used = true;
	*ret = c->behaviour;
	return true;
}

/* ---- payments ------------------------------------------------------------------------------ */

struct shown_payment *shown_new(struct shown *f, const struct sandbox_host *h, struct span id)
{
	uint32_t *bucket = &f->by_id[fake_hash(id) % SHOWN_BUCKETS];
	struct shown_payment *p = &f->payment[f->payments];

	if (f->payments == SHOWN_PAYMENTS)
		return NULL;
	*p = (struct shown_payment){ .created = h->now, .next = *bucket };
	if (!span_to_cstr(id, p->id, sizeof p->id))
		return NULL;
	*bucket = ++f->payments;
	return p;
}

struct shown_payment *shown_find(struct shown *f, struct span id)
{
	uint32_t at = f->by_id[fake_hash(id) % SHOWN_BUCKETS];

	for (; at != 0; at = f->payment[at - 1].next)
		if (span_eq(span_str(f->payment[at - 1].id), id))
			return &f->payment[at - 1];
	return NULL;
}

/* What its id begins with, ten digits that differ after each reset, eight of number. */
static void write_own(struct buf *b, const struct shown *f, const char *head, uint32_t index)
{
	buf_str(b, head);
	buf_dec(b, f->salt, 10);
	buf_dec(b, index, 8);
}

static uint32_t index_of(const struct shown *f, const struct shown_payment *p)
{
	return (uint32_t)(p - f->payment);
}

void shown_write_own(struct buf *b, const struct shown *f, const struct shown_payment *p)
{
	write_own(b, f, f->dialect->payment_head, index_of(f, p));
}

struct shown_payment *shown_find_own(struct shown *f, struct span own_id)
{
	struct span number = span_sub(own_id, own_id.n < 8 ? 0 : own_id.n - 8, 8);
	char storage[48];
	struct buf b = buf_init(storage, sizeof storage);
	uint32_t index = 0;

	for (size_t i = 0; i < number.n; i++)
		index = index * 10 + (uint32_t)(number.p[i] - '0');
	if (number.n != 8 || !span_is_digits(number) || index >= f->payments)
		return NULL;
	shown_write_own(&b, f, &f->payment[index]);
	return span_eq(buf_span(&b), own_id) ? &f->payment[index] : NULL;
}

/* ---- telling the switch -------------------------------------------------------------------- */

bool shown_keep_url(struct shown_tell *t, const struct sandbox_host *h, struct span url)
{
	struct span path = span_sub(url, h->switch_origin.n, url.n);

	if (!span_starts(url, SPAN("https://")) || url.n > 256)
		return false;
	return !span_starts(url, h->switch_origin) || !span_starts(path, SPAN("/")) ||
	       span_to_cstr(path, t->url, sizeof t->url);
}

static struct shown_tell *tell_of(struct shown *f, enum shown_timer kind, uint32_t index)
{
	return kind == TELL_PAID ? &f->payment[index % SHOWN_PAYMENTS].tell
				 : &f->refund[index % SHOWN_REFUNDS].tell;
}

static void tell(
	struct shown *f, const struct sandbox_host *h, enum shown_timer kind, uint32_t index)
{
	const struct shown_refund *r = kind == TELL_REFUNDED ? &f->refund[index] : NULL;
	const struct shown_payment *p = r ? shown_payment_of(f, r) : &f->payment[index];
	struct shown_tell *t = tell_of(f, kind, index);
	struct mischief_order o;
	struct http_out *out;

	if (!t->url[0] || !f->dialect->tell)
		return;
	o = mischief_take(&f->mischief, "callback");
	if (o.how == MISCHIEF_SILENT)
		return;
	out = f->dialect->tell(f, h, p, r, &o);
	if (!out)
		return;
	out->method = "POST";
	buf_str(&out->target, t->url);
	for (int times = o.how == MISCHIEF_TWICE ? 2 : 1; times > 0; times--)
		h->call(h->ctx, cookie(f, kind, index), o.how == MISCHIEF_SLOW ? o.ms : 0, out);
}

void shown_on_answer(
	void *state, const struct sandbox_host *h, uint64_t c, const struct http_msg *m)
{
	struct shown *f = state;
	struct shown_tell *t;
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(c, f->generation, &kind, &index))
		return;
	t = tell_of(f, (enum shown_timer)kind, index);
	if (f->dialect->acknowledges(m) || f->dialect->retry_ms[t->tries] < 0)
		return;
	h->timer(h->ctx, c, f->dialect->retry_ms[t->tries++]);
}

/* ---- what becomes of a payment ------------------------------------------------------------- */

static void end_as(const struct sandbox_host *h, struct shown_payment *p, enum shown_state s)
{
	p->state = s;
	p->ended = h->now;
}

void shown_pay(struct shown *f, const struct sandbox_host *h, struct shown_payment *p)
{
	end_as(h, p, SHOWN_PAID);
	p->taken = true;
	p->returned = 0;
	tell(f, h, TELL_PAID, index_of(f, p));
}

void shown_begin(struct shown *f, const struct sandbox_host *h, struct shown_payment *p)
{
	switch (p->behaviour.how) {
	case SHOWN_APPROVE:
	case SHOWN_KEEP:
		shown_pay(f, h, p);
		break;
	case SHOWN_REFUSE:
		end_as(h, p, SHOWN_REFUSED);
		break;
	case SHOWN_WAIT_APPROVE:
	case SHOWN_WAIT_REFUSE:
		h->timer(h->ctx, cookie(f, TIMER_ENDS, index_of(f, p)), p->behaviour.ms);
		break;
	case SHOWN_WAIT:
		break;
	}
}

/* The payer acts, unless somebody cancelled it meanwhile. */
static bool payer_acts(
	struct shown *f, const struct sandbox_host *h, struct shown_payment *p, bool approves)
{
	if (p->state != SHOWN_OPEN)
		return false;
	if (approves)
		shown_pay(f, h, p);
	else
		end_as(h, p, SHOWN_REFUSED);
	return true;
}

void shown_cancel(const struct sandbox_host *h, struct shown_payment *p)
{
	if (p->state == SHOWN_PAID)
		p->returned = p->amount;
	end_as(h, p, p->state == SHOWN_PAID ? SHOWN_UNDONE : SHOWN_CLOSED);
}

void shown_revive(
	struct shown *f, const struct sandbox_host *h, struct shown_payment *p, int32_t after_ms)
{
	h->timer(h->ctx, cookie(f, TIMER_REVIVES, index_of(f, p)), after_ms);
}

int64_t shown_left(const struct shown_payment *p)
{
	return p->state == SHOWN_PAID ? p->amount - p->returned - p->returning : 0;
}

/* ---- refunds ------------------------------------------------------------------------------- */

static void refunded(struct shown *f, const struct sandbox_host *h, struct shown_refund *r)
{
	struct shown_payment *p = shown_payment_of(f, r);

	if (r->done)
		return;
	r->done = true;
	r->ended = h->now;
	p->returning -= r->amount;
	p->returned += r->amount;
	tell(f, h, TELL_REFUNDED, (uint32_t)(r - f->refund));
}

struct shown_refund *shown_give_back(struct shown *f, const struct sandbox_host *h,
	struct shown_payment *p, struct span id, int64_t amount, const struct shown_tell *told)
{
	uint32_t *bucket = &f->refund_by_id[fake_hash(id) % SHOWN_BUCKETS];
	struct shown_refund *r = &f->refund[f->refunds];
	int64_t ms = fake_setting_int(h, "refund_ms", 0);

	if (f->refunds == SHOWN_REFUNDS)
		return NULL;
	*r = (struct shown_refund){ .amount = amount,
		.created = h->now,
		.payment = index_of(f, p),
		.tell = *told,
		.next = *bucket };
	if (!span_to_cstr(id, r->id, sizeof r->id))
		return NULL;
	p->returning += amount;
	*bucket = ++f->refunds;
	if (ms == 0)
		refunded(f, h, r);
	else
		h->timer(h->ctx, cookie(f, TIMER_REFUNDED, f->refunds - 1), (int)ms);
	return r;
}

struct shown_refund *shown_find_refund(struct shown *f, struct span id)
{
	uint32_t at = f->refund_by_id[fake_hash(id) % SHOWN_BUCKETS];

	for (; at != 0; at = f->refund[at - 1].next)
		if (span_eq(span_str(f->refund[at - 1].id), id))
			return &f->refund[at - 1];
	return NULL;
}

struct shown_payment *shown_payment_of(struct shown *f, const struct shown_refund *r)
{
	return &f->payment[r->payment];
}

void shown_write_own_refund(struct buf *b, const struct shown *f, const struct shown_refund *r)
{
	write_own(b, f, f->dialect->refund_head, (uint32_t)(r - f->refund));
}

/* ---- requests and timers ------------------------------------------------------------------- */

void shown_request(struct shown *f, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, const char *op, shown_answer_fn *answer)
{
	struct mischief_order o = mischief_take(&f->mischief, op);
	struct http_out *out;

	if (mischief_stops(&o, h, tag, m, f->held, cookie(f, TIMER_HELD, 0)))
		return;
	out = answer(f, h, m, &o);
	if (out)
		mischief_reply(&o, h, tag, out);
}

void shown_on_timer(void *state, const struct sandbox_host *h, uint64_t c)
{
	struct shown *f = state;
	struct shown_payment *p;
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(c, f->generation, &kind, &index))
		return;
	p = &f->payment[index % SHOWN_PAYMENTS];
	switch ((enum shown_timer)kind) {
	case TIMER_ENDS:
		(void)payer_acts(f, h, p, p->behaviour.how == SHOWN_WAIT_APPROVE);
		break;
	case TIMER_REFUNDED:
		refunded(f, h, &f->refund[index % SHOWN_REFUNDS]);
		break;
	case TIMER_REVIVES: /* told so: it confirmed the cancel, and took the money all the same */
		shown_pay(f, h, p);
		break;
	case TIMER_HELD:
		f->dialect->arrives(f, h, &f->held[index % FAKE_HELD]);
		memset(&f->held[index % FAKE_HELD], 0, sizeof f->held[0]);
		break;
	case TELL_PAID:
	case TELL_REFUNDED:
		tell(f, h, (enum shown_timer)kind, index);
		break;
	}
}

/* ---- the hand of a person or a test -------------------------------------------------------- */

static void control_mint(struct shown *f, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json)
{
	struct jw w = jw_init(ret_json);
	struct fake_mint m;
	struct shown_behaviour b;

	if (!fake_mint_read(command, &m) || !read_behaviour(f->dialect, m.behaviour, m.ms, &b) ||
		f->codes + m.count > SHOWN_CODES / 4 * 3) {
		fake_control_error(ret_json, "unknown behaviour, or a number out of range");
		return;
	}
	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	jw_arr(&w, "codes");
	for (uint32_t i = 0; i < m.count; i++)
		jw_str(&w, NULL, span_str(mint(f, h, &b, m.reusable)->text));
	jw_end(&w, ']');
	jw_end(&w, '}');
}

/* The payer acts now: {"do":"end","id":...,"approve":false}. */
static void control_end(struct shown *f, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json)
{
	struct shown_payment *p;
	bool approve = true;
	struct span id;

	(void)json_bool(command, "approve", &approve);
	p = json_str(command, "id", &id) ? shown_find(f, id) : NULL;
	if (p && payer_acts(f, h, p, approve))
		fake_control_ok(ret_json);
	else
		fake_control_error(ret_json, "no such payment that is open");
}

void shown_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct shown *f = state;
	struct span verb = SPAN_NONE;

	(void)json_str(command, "do", &verb);
	if (span_eq(verb, SPAN("mint-code"))) {
		control_mint(f, h, command, ret_json);
	} else if (span_eq(verb, SPAN("end"))) {
		control_end(f, h, command, ret_json);
	} else if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, f->dialect->operations, command, ret_json);
	} else if (span_eq(verb, SPAN("reset"))) {
		forget(f, h);
		fake_control_ok(ret_json);
	} else {
		fake_control_error(ret_json, "mint-code, end, misbehave or reset");
	}
}

bool shown_book(void *state, size_t i, struct buf *ret_json)
{
	struct shown *f = state;
	const struct shown_payment *p = &f->payment[i];
	char storage[48];
	struct buf own = buf_init(storage, sizeof storage);
	struct jw w = jw_init(ret_json);

	if (i >= f->payments)
		return false;
	shown_write_own(&own, f, p);
	jw_obj(&w, NULL);
	fake_put_line(
		&w, p->id, buf_span(&own), p->currency, p->taken ? p->amount : 0, p->returned);
	jw_str(&w, "state", span_str(f->dialect->state[p->state]));
	jw_end(&w, '}');
	return true;
}
