/*
 * fake.c: what the fakes share. The hard thing about mischief is that a lost request and a lost
 * answer look alike to the switch and must differ in the fake's book, so each order says which it
 * is. Never knows a partner.
 */
#include "fake.h"

struct http_out *fake_out(const struct sandbox_host *h, int status, size_t body_max)
{
	const size_t target_max = 512, headers_max = 2048;
	struct http_out *o = arena_new(h->arena, struct http_out);

	if (!o)
		return NULL;
	o->status = status;
	o->target = arena_buf(h->arena, target_max);
	o->headers = arena_buf(h->arena, headers_max);
	o->body = arena_buf(h->arena, body_max);
	return arena_ok(h->arena) ? o : NULL;
}

struct http_out *fake_json_out(const struct sandbox_host *h, int status, const char *type,
	size_t body_max, struct jw *ret_w)
{
	struct http_out *o = fake_out(h, status, body_max);

	if (!o)
		return NULL;
	http_out_header(o, "content-type", span_str(type));
	*ret_w = jw_init(&o->body);
	return o;
}

/* ---- settings ------------------------------------------------------------------------------- */

struct span fake_setting(const struct sandbox_host *h, const char *name, const char *otherwise)
{
	struct span v = h->setting(h->ctx, name);

	return span_empty(v) ? span_str(otherwise) : v;
}

int64_t fake_setting_int(const struct sandbox_host *h, const char *name, int64_t otherwise)
{
	int64_t v;

	return span_to_i64(h->setting(h->ctx, name), &v) == RC_OK ? v : otherwise;
}

bool fake_setting_is(const struct sandbox_host *h, const char *name, const char *value)
{
	return span_eq(h->setting(h->ctx, name), span_str(value));
}

bool fake_setting_allows(const struct sandbox_host *h, const char *name, struct span value)
{
	struct span wanted = h->setting(h->ctx, name);

	return span_empty(wanted) ? !span_empty(value) : span_eq(wanted, value);
}

/* ---- members ------------------------------------------------------------------------------- */

struct span fake_header(const struct http_msg *m, const char *name)
{
	struct span value;

	return http_header_get(m, name, &value) ? value : SPAN_NONE;
}

struct span fake_text(const struct json *from, const char *path)
{
	struct span s;

	return json_str(from, path, &s) ? s : SPAN_NONE;
}

bool fake_money(const struct json *from, const char *path, struct money *ret)
{
	const struct json *v = json_get(from, path);

	return money_parse_minor(fake_text(v, "value"), fake_text(v, "currency"), ret) == RC_OK;
}

void fake_put_money(struct jw *w, const char *key, struct money m)
{
	char storage[24];
	struct buf b = buf_init(storage, sizeof storage);

	if (money_is_none(m))
		return;
	money_write_minor(&b, m);
	jw_obj(w, key);
	jw_str(w, "currency", span_str(ccy_alpha(money_ccy(m))));
	jw_str(w, "value", buf_span(&b));
	jw_end(w, '}');
}

void fake_put_time(struct jw *w, const char *key, struct wall t, int digits)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	if (t.us == 0)
		return;
	wall_write(&b, t, digits);
	jw_str(w, key, buf_span(&b));
}

void fake_put_line(struct jw *w, const char *id, struct span own_id, const char *currency,
	int64_t taken, int64_t returned)
{
	jw_str(w, "id", span_str(id));
	jw_str(w, "own_id", own_id);
	jw_str(w, "currency", span_str(currency));
	jw_int(w, "taken", taken);
	jw_int(w, "returned", returned);
}

/* ---- what a fake keeps ---------------------------------------------------------------------- */

uint64_t fake_cookie(uint32_t generation, unsigned kind, uint32_t index)
{
	return (uint64_t)generation << 40 | (uint64_t)kind << 32 | index;
}

bool fake_cookie_read(uint64_t cookie, uint32_t generation, unsigned *ret_kind, uint32_t *ret_index)
{
	*ret_kind = cookie >> 32 & 0xff;
	*ret_index = (uint32_t)cookie;
	return cookie >> 40 == generation;
}

/* FNV-1a. */
uint32_t fake_hash(struct span s)
{
	uint32_t v = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		v = (v ^ (unsigned char)s.p[i]) * 16777619u;
	return v;
}

void fake_control_ok(struct buf *b)
{
	buf_str(b, "{\"ok\":true}");
}

void fake_control_error(struct buf *b, const char *error)
{
	struct jw w = jw_init(b);

	jw_obj(&w, NULL);
	jw_bool(&w, "ok", false);
	jw_str(&w, "error", span_str(error));
	jw_end(&w, '}');
}

#define MINT_MAX 50

bool fake_mint_read(const struct json *command, struct fake_mint *ret)
{
	struct fake_mint m = { .behaviour = SPAN("approve") };
	int64_t ms = 2000, count = 1;

	(void)json_str(command, "behaviour", &m.behaviour);
	(void)json_int(command, "ms", &ms);
	(void)json_int(command, "count", &count);
	(void)json_bool(command, "reusable", &m.reusable);
	if (ms < 0 || ms > MISCHIEF_MS_MAX || count < 1 || count > MINT_MAX)
		return false;
	m.ms = (int32_t)ms;
	m.count = (uint32_t)count;
	*ret = m;
	return true;
}

/* ---- mischief ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum mischief how;
} words[] = {
	{ "apply-then-cut", MISCHIEF_APPLY_CUT },
	{ "apply-then-error-", MISCHIEF_APPLY_ERROR },
	{ "apply-then-silent", MISCHIEF_APPLY_SILENT },
	{ "bad-signature", MISCHIEF_BAD_SIGNATURE },
	{ "cut", MISCHIEF_CUT },
	{ "error-", MISCHIEF_ERROR },
	{ "garbled", MISCHIEF_GARBLED },
	{ "lagging", MISCHIEF_LAGGING },
	{ "late", MISCHIEF_LATE },
	{ "late-refusal", MISCHIEF_LATE_REFUSAL },
	{ "late-success", MISCHIEF_LATE_SUCCESS },
	{ "pending", MISCHIEF_PENDING },
	{ "silent", MISCHIEF_SILENT },
	{ "slow", MISCHIEF_SLOW },
	{ "twice", MISCHIEF_TWICE },
	{ "unknown-code", MISCHIEF_UNKNOWN_CODE },
	{ "unsigned", MISCHIEF_UNSIGNED },
	{ "wrong-amount", MISCHIEF_WRONG_AMOUNT },
	{ "wrong-id", MISCHIEF_WRONG_ID },
};

static bool read_word(struct span text, struct mischief_order *ret)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct span name = span_str(words[i].name);
		int64_t status = 0;

		if (span_ends(name, SPAN("-"))) {
			if (!span_starts(text, name) ||
				span_to_i64(span_sub(text, name.n, text.n), &status) != RC_OK ||
				status < 300 || status > 599)
				continue;
		} else if (!span_eq(text, name)) {
			continue;
		}
		ret->how = words[i].how;
		ret->status = (int)status;
		return true;
	}
	return false;
}

static bool knows_op(const char *const *ops, struct span op)
{
	for (; *ops; ops++)
		if (span_eq(span_str(*ops), op))
			return true;
	return false;
}

/* The row of the same order, else a free one; NULL: none is left. */
static struct mischief_row *row_for(
	struct mischief_table *t, struct span op, const struct mischief_order *order)
{
	struct mischief_row *row = NULL;

	for (size_t i = 0; i < MISCHIEF_ROWS; i++) {
		if (span_eq(span_str(t->row[i].op), op) && t->row[i].order.how == order->how)
			return &t->row[i];
		if (!row && t->row[i].left == 0)
			row = &t->row[i];
	}
	return row;
}

void mischief_control(struct mischief_table *t, const char *const *ops, const struct json *command,
	struct buf *ret_json)
{
	struct mischief_order order = { .how = MISCHIEF_NONE };
	int64_t count = 1, ms = 10000;
	struct mischief_row *row;
	struct span op, how;

	(void)json_int(command, "count", &count);
	(void)json_int(command, "ms", &ms);
	if (!json_str(command, "op", &op) || !knows_op(ops, op)) {
		fake_control_error(ret_json, "unknown op");
		return;
	}
	if (!json_str(command, "how", &how) || !read_word(how, &order) || count < 0 ||
		count > UINT32_MAX || ms < 0 || ms > MISCHIEF_MS_MAX) {
		fake_control_error(ret_json, "unknown how, or count or ms out of range");
		return;
	}
	order.ms = (int32_t)ms;
	row = row_for(t, op, &order);
	if (!row || !span_to_cstr(op, row->op, sizeof row->op)) {
		fake_control_error(ret_json, "too many orders at once");
		return;
	}
	row->order = order;
	row->left = (uint32_t)count;
	fake_control_ok(ret_json);
}

struct mischief_order mischief_take(struct mischief_table *t, const char *op)
{
	for (size_t i = 0; i < MISCHIEF_ROWS; i++) {
		if (t->row[i].left == 0 || strcmp(t->row[i].op, op) != 0)
			continue;
		t->row[i].left--;
		return t->row[i].order;
	}
	return (struct mischief_order){ MISCHIEF_NONE, 0, 0 };
}

/* An answer of a status and no body: what a proxy in front of the partner would say. */
static void reply_status(const struct sandbox_host *h, uint64_t tag, int status)
{
	struct http_out *out = fake_out(h, status, 16);

	if (out)
		h->reply(h->ctx, tag, 0, out);
}

/* The slot, or -1: none is free, or it does not fit. */
static int hold(struct fake_held held[FAKE_HELD], const struct http_msg *m)
{
	int i = 0;

	while (i < FAKE_HELD && held[i].used)
		i++;
	if (i == FAKE_HELD || m->body.n > sizeof held[i].body ||
		!span_to_cstr(m->method, held[i].method, sizeof held[i].method) ||
		!span_to_cstr(m->path, held[i].path, sizeof held[i].path) ||
		!span_to_cstr(fake_header(m, "idempotency-key"), held[i].key, sizeof held[i].key) ||
		!span_to_cstr(fake_header(m, "content-type"), held[i].type, sizeof held[i].type))
		return -1;
	if (m->body.n > 0) /* none may be no bytes at no place */
		memcpy(held[i].body, m->body.p, m->body.n);
	held[i].body_n = m->body.n;
	held[i].used = true;
	return i;
}

bool mischief_stops(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, struct fake_held held[FAKE_HELD], uint64_t cookie)
{
	int slot = held && o->how == MISCHIEF_LATE ? hold(held, m) : -1;

	if (slot >= 0)
		h->timer(h->ctx, cookie | (uint64_t)slot, o->ms);
	if (o->how == MISCHIEF_SILENT || o->how == MISCHIEF_LATE)
		reply_status(h, tag, 0);
	else if (o->how == MISCHIEF_CUT)
		reply_status(h, tag, -1);
	else if (o->how == MISCHIEF_ERROR)
		reply_status(h, tag, o->status);
	else
		return false;
	return true;
}

bool mischief_hides(const struct mischief_order *o, const struct sandbox_host *h, struct wall taken)
{
	return o->how == MISCHIEF_LAGGING && wall_diff_ms(h->now, taken) < o->ms;
}

void mischief_reply(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag,
	struct http_out *out)
{
	if (o->how == MISCHIEF_APPLY_ERROR) {
		reply_status(h, tag, o->status);
		return;
	}
	if (o->how == MISCHIEF_APPLY_SILENT)
		out->status = 0;
	else if (o->how == MISCHIEF_APPLY_CUT)
		out->status = -1;
	else if (o->how == MISCHIEF_GARBLED)
		out->body.n /= 2;
	h->reply(h->ctx, tag, o->how == MISCHIEF_SLOW ? o->ms : 0, out);
}
