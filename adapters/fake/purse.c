/*
 * purse.c: payments that a person approves in an app, as a book for fakes. The hard thing: an entry
 * has several ends that race (the payer, the clock, the merchant's cancel), and exactly one may
 * win; so all go through purse_end. Never lets more come back than was taken, and knows no partner.
 */
#include "purse.h"

#include "text.h"

enum purse_timer {
	TIMER_APPROVES,
	TIMER_REFUSES,
	TIMER_FAILS,
	TIMER_EXPIRES,
	TIMER_REFUNDED,
	TIMER_REVIVES,
	TIMER_TELLS,  /* and the answer to a call */
	TIMER_TOLD,   /* the answer to a call that was made twice: nobody waits for it */
	TIMER_ARRIVES /* the index is that of a held request */
};

static uint32_t index_of(const struct purse *f, const struct purse_entry *e)
{
	return (uint32_t)(e - f->entry) + 1;
}

void purse_init(struct purse *f, const struct sandbox_host *h, const struct purse_dialect *d)
{
	f->dialect = d;
	f->salt = (uint32_t)h->entropy(h->ctx);
}

/* ---- entries ------------------------------------------------------------------------------- */

struct purse_entry *purse_find(struct purse *f, struct span id)
{
	uint32_t at = f->by_id[fake_hash(id) % PURSE_ENTRIES];

	while (at != 0 && !span_eq(span_str(f->entry[at - 1].id), id))
		at = f->entry[at - 1].next_by_id;
	return at ? &f->entry[at - 1] : NULL;
}

static struct purse_entry *of_ref(struct purse *f, uint32_t at, struct span ref)
{
	while (at != 0 && !span_eq(span_str(f->entry[at - 1].ref), ref))
		at = f->entry[at - 1].next_by_ref;
	return at ? &f->entry[at - 1] : NULL;
}

struct purse_entry *purse_find_ref(struct purse *f, struct span ref)
{
	return of_ref(f, f->by_ref[fake_hash(ref) % PURSE_ENTRIES], ref);
}

struct purse_entry *purse_find_key(struct purse *f, struct span key)
{
	struct purse_entry *e = purse_find_ref(f, key);

	return e && (e->parent || e->created.us > f->forgot.us) ? e : NULL;
}

struct purse_entry *purse_next_ref(struct purse *f, const struct purse_entry *e)
{
	return of_ref(f, e->next_by_ref, span_str(e->ref));
}

struct purse_entry *purse_find_bank(struct purse *f, struct span bank)
{
	struct span tail = span_sub(bank, 24, 8);
	uint32_t index = 0;

	for (size_t i = 0; i < tail.n; i++)
		index = index << 4 | ((uint32_t)text_hex_digit(tail.p[i]) & 15);
	if (bank.n != 32 || index == 0 || index > f->count ||
		!span_eq(span_str(f->entry[index - 1].bank), bank))
		return NULL;
	return &f->entry[index - 1];
}

bool purse_payer_came(struct purse *f, struct span payer)
{
	uint32_t at = f->by_payer[fake_hash(payer) % PURSE_ENTRIES];

	while (at != 0 && !span_eq(span_str(f->entry[at - 1].payer), payer))
		at = f->entry[at - 1].next_by_payer;
	return at != 0;
}

struct purse_entry *purse_waiting(struct purse *f, struct span payer)
{
	uint32_t at = f->by_payer[fake_hash(payer) % PURSE_ENTRIES];

	while (at != 0 && (f->entry[at - 1].state != PURSE_OPEN ||
				  !span_eq(span_str(f->entry[at - 1].payer), payer)))
		at = f->entry[at - 1].next_by_payer;
	return at ? &f->entry[at - 1] : NULL;
}

bool purse_keep_url(struct purse_entry *e, const struct sandbox_host *h, struct span url)
{
	if (!span_starts(url, SPAN("https://")) || url.n >= sizeof e->url)
		return false;
	if (!span_starts(url, h->switch_origin))
		return true;
	return span_to_cstr(span_sub(url, h->switch_origin.n, url.n), e->url, sizeof e->url);
}

struct purse_entry *purse_parent(struct purse *f, const struct purse_entry *e)
{
	return e->parent ? &f->entry[e->parent - 1] : NULL;
}

struct purse_entry *purse_new(
	struct purse *f, const struct sandbox_host *h, struct span id, struct span ref)
{
	uint32_t *by_id = &f->by_id[fake_hash(id) % PURSE_ENTRIES],
		 *by_ref = &f->by_ref[fake_hash(ref) % PURSE_ENTRIES];
	struct purse_entry *e;

	if (f->count == PURSE_ENTRIES)
		return NULL;
	e = &f->entry[f->count];
	memset(e, 0, sizeof *e);
	if (!span_to_cstr(id, e->id, sizeof e->id) || !span_to_cstr(ref, e->ref, sizeof e->ref))
		return NULL;
	e->created = h->now;
	e->next_by_id = *by_id;
	e->next_by_ref = *by_ref;
	*by_id = *by_ref = ++f->count;
	return e;
}

int64_t purse_left(const struct purse_entry *e)
{
	return e->taken ? e->amount - e->returned - e->returning : 0;
}

void purse_write_hex(struct buf *b, const struct sandbox_host *h, size_t n)
{
	while (n > 0) {
		uint64_t v = h->entropy(h->ctx);
		size_t take = n < 16 ? n : 16;

		buf_hex(b, span_of(&v, take / 2));
		n -= take;
	}
}

void purse_write_uuid(struct buf *b, const struct sandbox_host *h)
{
	uint64_t v[2] = { h->entropy(h->ctx), h->entropy(h->ctx) };
	uint8_t u[16];

	memcpy(u, v, sizeof u);
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof u; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf_ch(b, '-');
		buf_hex(b, span_of(&u[i], 1));
	}
}

/* ---- telling the switch -------------------------------------------------------------------- */

/* Misbehave with "callback": lost ones are sent again, as the partner would. */
static void tell(struct purse *f, const struct sandbox_host *h, struct purse_entry *e)
{
	struct mischief_order o;
	uint64_t cookie = fake_cookie(f->generation, TIMER_TELLS, index_of(f, e));
	struct http_out *out;

	e->telling = false;
	if (!e->url[0] || fake_setting_is(h, "callbacks", "off"))
		return;
	o = mischief_take(&f->mischief, "callback");
	out = f->dialect->tell(f, h, e, &o);
	if (!out)
		return;
	if (!http_out_ok(out))
		return;
	e->telling = true;
	if (o.how == MISCHIEF_SILENT || o.how == MISCHIEF_CUT) {
		h->timer(h->ctx, cookie, (int)f->dialect->retry_ms[0]);
		return;
	}
	if (o.how == MISCHIEF_GARBLED)
		out->body.n /= 2;
	h->call(h->ctx, cookie, o.how == MISCHIEF_SLOW ? o.ms : 0, out);
	if (o.how == MISCHIEF_TWICE)
		h->call(h->ctx, fake_cookie(f->generation, TIMER_TOLD, 0), 0, out);
}

void purse_on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct purse *f = state;
	const int32_t *retry_ms = f->dialect->retry_ms;
	struct purse_entry *e;
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(cookie, f->generation, &kind, &index) || kind != TIMER_TELLS)
		return;
	e = &f->entry[index - 1];
	e->telling = false;
	if (m->status >= 200 && m->status <= 299)
		return;
	for (uint8_t i = 0; i < e->tries; i++)
		if (retry_ms[i] < 0)
			return;
	if (retry_ms[e->tries] < 0)
		return;
	e->telling = true;
	h->timer(h->ctx, cookie, (int)retry_ms[e->tries++]);
}

/* Each of its states is told as often as another. */
static void tell_anew(struct purse *f, const struct sandbox_host *h, struct purse_entry *e)
{
	e->tries = 0;
	tell(f, h, e);
}

/* ---- what happens to an entry --------------------------------------------------------------- */

static void paid(struct purse *f, const struct sandbox_host *h, struct purse_entry *e)
{
	struct purse_entry *parent = purse_parent(f, e);
	struct buf bank = buf_init(e->bank, sizeof e->bank - 1);
	uint32_t index = index_of(f, e);

	purse_write_hex(&bank, h, 24);
	buf_hex(&bank, span_of((uint8_t[]){ (uint8_t)(index >> 24), (uint8_t)(index >> 16),
				       (uint8_t)(index >> 8), (uint8_t)index },
			       4));
	for (size_t i = 0; i < bank.n; i++)
		if (e->bank[i] >= 'a')
			e->bank[i] = (char)(e->bank[i] - 'a' + 'A');
	e->bank[bank.n] = '\0';
	e->taken = true;
	if (parent) {
		parent->returning -= e->amount;
		parent->returned += e->amount;
	}
}

bool purse_end(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	enum purse_state state, const char *code)
{
	struct purse_entry *parent = purse_parent(f, e);

	if (e->state != PURSE_OPEN)
		return false;
	if (!code)
		code = f->dialect->code[state] ? f->dialect->code[state] : "";
	e->state = state;
	e->ended = h->now;
	(void)span_to_cstr(span_str(code), e->code, sizeof e->code);
	if (state == PURSE_PAID)
		paid(f, h, e);
	else if (parent)
		parent->returning -= e->amount;
	tell_anew(f, h, e);
	return true;
}

/* The payer says yes. False: not open, or said so before. */
static bool approve(struct purse *f, const struct sandbox_host *h, struct purse_entry *e)
{
	if (!f->dialect->holds)
		return purse_end(f, h, e, PURSE_PAID, NULL);
	if (e->state != PURSE_OPEN || e->approved)
		return false;
	e->approved = true;
	tell_anew(f, h, e);
	return true;
}

#define TIMER_MS_MAX INT64_C(1000000000)

static void timer_at(struct purse *f, const struct sandbox_host *h, const struct purse_entry *e,
	enum purse_timer kind, int64_t ms)
{
	ms = ms < 0 ? 0 : ms > TIMER_MS_MAX ? TIMER_MS_MAX : ms;
	h->timer(h->ctx, fake_cookie(f->generation, kind, index_of(f, e)), (int)ms);
}

void purse_remember(struct purse *f, struct purse_entry *e)
{
	uint32_t *by_payer = &f->by_payer[fake_hash(span_str(e->payer)) % PURSE_ENTRIES];

	e->next_by_payer = *by_payer;
	*by_payer = index_of(f, e);
}

/* The people of this town: the last two digits of the handle say what each of them does. */
void purse_await(struct purse *f, const struct sandbox_host *h, struct purse_entry *e)
{
	static const struct {
		const char *ending;
		enum purse_timer does;
		const char *setting;
		int64_t ms;
	} people[] = {
		{ "01", TIMER_APPROVES, "act_ms", 300 },
		{ "02", TIMER_REFUSES, "act_ms", 300 },
		{ "04", TIMER_APPROVES, "late_ms", 15000 },
		{ "05", TIMER_FAILS, "act_ms", 300 },
	};

	purse_remember(f, e);
	timer_at(f, h, e, TIMER_EXPIRES, wall_diff_ms(e->expires, h->now));
	if (e->fails[0]) {
		timer_at(f, h, e, TIMER_FAILS, fake_setting_int(h, "act_ms", 300));
		return;
	}
	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (span_ends(span_str(e->payer), span_str(people[i].ending))) {
			timer_at(f, h, e, people[i].does,
				fake_setting_int(h, people[i].setting, people[i].ms));
			return;
		}
	if (!span_ends(span_str(e->payer), SPAN("03")) && fake_setting_is(h, "others", "approve"))
		timer_at(f, h, e, TIMER_APPROVES, fake_setting_int(h, "act_ms", 300));
}

void purse_give_back(struct purse *f, const struct sandbox_host *h, struct purse_entry *refund,
	struct purse_entry *parent, int64_t after_ms)
{
	refund->parent = index_of(f, parent);
	memcpy(refund->currency, parent->currency, sizeof refund->currency);
	parent->returning += refund->amount;
	if (after_ms > 0)
		timer_at(f, h, refund, TIMER_REFUNDED, after_ms);
	else
		(void)purse_end(f, h, refund, PURSE_PAID, NULL);
}

void purse_pay_out(
	struct purse *f, const struct sandbox_host *h, struct purse_entry *e, int64_t after_ms)
{
	e->out = true;
	timer_at(f, h, e, e->fails[0] ? TIMER_FAILS : TIMER_REFUNDED, after_ms);
}

void purse_revive(
	struct purse *f, const struct sandbox_host *h, struct purse_entry *e, int32_t after_ms)
{
	timer_at(f, h, e, TIMER_REVIVES, after_ms);
}

void purse_on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct purse *f = state;
	struct purse_entry *e;
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(cookie, f->generation, &kind, &index))
		return;
	e = &f->entry[index ? index - 1 : 0];
	switch ((enum purse_timer)kind) {
	case TIMER_APPROVES:
		(void)approve(f, h, e);
		break;
	case TIMER_REFUNDED:
		(void)purse_end(f, h, e, PURSE_PAID, NULL);
		break;
	case TIMER_REFUSES:
		(void)purse_end(f, h, e, PURSE_REFUSED, NULL);
		break;
	case TIMER_FAILS:
		(void)purse_end(f, h, e, PURSE_FAILED, e->fails[0] ? e->fails : NULL);
		break;
	case TIMER_EXPIRES:
		(void)purse_end(f, h, e, PURSE_EXPIRED, NULL);
		break;
	case TIMER_REVIVES: /* told so: it confirmed the cancel, and took the money all the same */
		e->state = PURSE_OPEN;
		(void)purse_end(f, h, e, PURSE_PAID, NULL);
		break;
	case TIMER_TELLS:
		tell(f, h, e);
		break;
	case TIMER_TOLD:
		break;
	case TIMER_ARRIVES:
		if (f->held[index].used)
			f->dialect->arrives(f, h, &f->held[index]);
		f->held[index].used = false;
		break;
	}
}

/* ---- requests ------------------------------------------------------------------------------ */

void purse_request(struct purse *f, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, const char *op, purse_answer_fn *answer)
{
	struct mischief_order o = mischief_take(&f->mischief, op);
	struct http_out *out;

	if (mischief_stops(&o, h, tag, m, f->dialect->arrives ? f->held : NULL,
		    fake_cookie(f->generation, TIMER_ARRIVES, 0)))
		return;
	out = answer(f, h, m, &o);
	if (out)
		mischief_reply(&o, h, tag, out);
}

/* ---- by hand ------------------------------------------------------------------------------- */

static void reset(struct purse *f, const struct sandbox_host *h)
{
	f->generation++;
	f->count = 0;
	f->salt = (uint32_t)h->entropy(h->ctx);
	memset(f->by_id, 0, sizeof f->by_id);
	memset(f->by_ref, 0, sizeof f->by_ref);
	memset(f->by_payer, 0, sizeof f->by_payer);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(f->held, 0, sizeof f->held);
	f->forgot = WALL_NONE;
}

/* It restarts, and knows no key of what was made, except of refunds, whose repeats nobody could
 * tell from new ones then; what it was told to do later does not come to pass. */
static void forget(struct purse *f, const struct sandbox_host *h)
{
	f->forgot = h->now;
	memset(f->held, 0, sizeof f->held);
}

/* Links that open a payment in the app end with its id: .../pay/ID, ...?token=ID. */
static struct span last_part(struct span url)
{
	size_t i = url.n;

	while (i > 0 && url.p[i - 1] != '/' && url.p[i - 1] != '=')
		i--;
	return span_sub(url, i, url.n);
}

static void control_end(struct purse *f, const struct sandbox_host *h, const struct json *command,
	enum purse_state state, struct buf *ret_json)
{
	struct purse_entry *e = NULL;
	char code[24];
	struct span s, why = SPAN_NONE;

	if (json_str(command, "reference", &s))
		e = purse_find_ref(f, s);
	else if (json_str(command, "url", &s))
		e = purse_find(f, last_part(s));
	else if (json_str(command, "id", &s))
		e = purse_find(f, s);
	(void)json_str(command, "code", &why);
	if (!e || !span_to_cstr(why, code, sizeof code) ||
		!(state == PURSE_PAID && !e->parent
				? approve(f, h, e)
				: purse_end(f, h, e, state, why.n ? code : NULL)))
		fake_control_error(ret_json, "no such payment that is open");
	else
		fake_control_ok(ret_json);
}

void purse_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	static const struct {
		const char *verb;
		enum purse_state state;
	} ends[] = {
		{ "app-approve", PURSE_PAID },
		{ "browse", PURSE_PAID },
		{ "app-refuse", PURSE_REFUSED },
		{ "app-expire", PURSE_EXPIRED },
		{ "app-fail", PURSE_FAILED },
	};
	struct purse *f = state;
	struct span verb = SPAN_NONE;

	(void)json_str(command, "do", &verb);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (span_eq(verb, span_str(ends[i].verb))) {
			control_end(f, h, command, ends[i].state, ret_json);
			return;
		}
	if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, f->dialect->ops, command, ret_json);
	} else if (span_eq(verb, SPAN("forget"))) {
		forget(f, h);
		fake_control_ok(ret_json);
	} else if (span_eq(verb, SPAN("reset"))) {
		reset(f, h);
		fake_control_ok(ret_json);
	} else {
		fake_control_error(ret_json,
			"app-approve, app-refuse, app-expire, app-fail, misbehave, forget or reset");
	}
}

/* ---- the book ------------------------------------------------------------------------------ */

bool purse_book(void *state, size_t i, struct buf *ret_json)
{
	static const char *const names[] = { "open", "paid", "refused", "cancelled", "expired",
		"failed" };
	struct purse *f = state;
	struct jw w = jw_init(ret_json);
	const struct purse_entry *e = f->entry;

	/* Refunds are no lines of their own: they are what has returned of their payments. */
	for (;; e++) {
		if (e == f->entry + f->count)
			return false;
		if (e->parent == 0 && i-- == 0)
			break;
	}
	jw_obj(&w, NULL);
	if (e->out)
		jw_str(&w, "role", SPAN("credit"));
	fake_put_line(
		&w, e->ref, span_str(e->id), e->currency, e->taken ? e->amount : 0, e->returned);
	jw_str(&w, "state", span_str(names[e->state]));
	jw_end(&w, '}');
	return true;
}
