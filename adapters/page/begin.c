/*
 * begin.c: what a payer's browser sends: the form of a code's page, his agreement, a look at how
 * things stand.
 *
 * The hard thing is a form that is posted twice, or by somebody else's page: its id, which we made,
 * is the payment's, and a browser says where a form comes from. Must never take an amount that can
 * be read in two ways.
 */
#include "payers.h"

#include "form.h"
#include "id.h"
#include "page.h"
#include "payer.h"

#define AGENT_MAX 512           /* bytes of it that a message has room for */
#define OLD_MS    (3600 * 1000) /* a page that was left open for longer is scanned again */

bool payers_wallet(struct span form, struct span *ret)
{
	struct span pair, name;

	while (span_split(&form, '&', &pair)) {
		if (!span_split(&pair, '=', &name) || !span_eq(name, SPAN(PAYERS_WALLET)))
			continue;
		*ret = pair; /* names of participants are never percent-encoded */
		return !span_empty(pair);
	}
	return false;
}

/* Browsers say it of every POST. */
static bool is_from_us(const struct adapter_env *env, const struct http_msg *m)
{
	struct span origin;

	return http_header_count(m, "origin") == 0 ||
	       (http_header_get(m, "origin", &origin) && span_eq(origin, env->origin));
}

static bool is_id(struct span s, struct pay_id *ret)
{
	return s.n == ID_TEXT_LEN && pay_id_parse(s, ret) == RC_OK;
}

/* "12.50", "12,50" or "12": digits, and at most one mark with digits behind it. What groups
 * thousands in one country is the mark in another, so three digits behind it are refused. */
static bool read_amount(struct span text, struct ccy c, struct money *ret)
{
	char storage[16];
	struct buf plain = buf_init(storage, sizeof storage);
	size_t mark = 0;

	text = span_trim(text);
	while (mark < text.n && text.p[mark] != '.' && text.p[mark] != ',')
		mark++;
	buf_add(&plain, span_sub(text, 0, mark));
	if (mark < text.n) {
		if (text.n - mark - 1 > 2)
			return false;
		buf_ch(&plain, '.');
		buf_add(&plain, span_sub(text, mark + 1, text.n));
	}
	return buf_ok(&plain) && money_parse_major(buf_span(&plain), c, ret) == RC_OK &&
	       money_sign(*ret) > 0;
}

/* The amount of a form whose code leaves it open; false: it is there and cannot be one. */
static bool put_amount(struct arena *a, struct span form, Xw__Payment *p)
{
	char text[16], alpha[4];
	struct buf amount = buf_init(text, sizeof text), ccy = buf_init(alpha, sizeof alpha);
	struct money m;
	struct ccy c;
	enum rc rc = form_get(form, PAYERS_AMOUNT, &amount);

	if (rc == RC_NOENT)
		return true;
	if (rc != RC_OK || form_get(form, PAYERS_CCY, &ccy) != RC_OK ||
		ccy_by_alpha(buf_span(&ccy), &c) != RC_OK || !read_amount(buf_span(&amount), c, &m))
		return false;
	p->amount = canonical_money_of(a, m);
	return true;
}

/* "+47 900 00 001" as its digits; wallets want them with the country's in front. */
static bool put_handle(const struct adapter_env *env, struct span form, Xw__Party *payer)
{
	char name[64], text[40], digits[16];
	struct buf given = buf_init(text, sizeof text), b = buf_init(digits, sizeof digits);
	struct buf field = buf_init(name, sizeof name - 1);
	enum rc rc;

	if (span_empty(adapter_setting(env, "asks")))
		return true;
	buf_str(&field, PAYERS_HANDLE);
	buf_add(&field, env->peer);
	name[field.n] = '\0';
	rc = form_get(form, name, &given);
	for (size_t i = 0; rc == RC_OK && i < given.n; i++) {
		char ch = given.p[i];
		if (ch >= '0' && ch <= '9')
			buf_ch(&b, ch);
		else if (ch != ' ' && ch != '-' && !(ch == '+' && b.n == 0))
			return false;
	}
	payer->handle = canonical_str(env->arena, buf_span(&b));
	return rc == RC_OK && buf_ok(&b) && b.n >= 8;
}

/* Where the payer comes back to, and how things stand. */
static char *return_url(const struct adapter_env *env, struct span id)
{
	struct buf b = arena_buf(env->arena, env->origin.n + env->peer.n + id.n + 2);

	buf_add(&b, env->origin);
	buf_ch(&b, '/');
	buf_add(&b, env->peer);
	buf_ch(&b, '/');
	buf_add(&b, id);
	return canonical_str(env->arena, buf_span(&b));
}

static enum rc refuse(const struct adapter_env *env, const struct request *rq, enum reason why,
	const char *pointer, Xw__Canonical **ret)
{
	return arena_ok(env->arena) ? canonical_refuse(env->arena, rq->route->op, RC_BAD, why,
					      "a payer's form", pointer, ret)
				    : RC_FULL;
}

static enum rc read_begin(const struct adapter_env *env, const struct request *rq, struct span form,
	Xw__Canonical *c, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	char text[ID_TEXT_LEN];
	struct buf id = buf_init(text, sizeof text);
	struct buf address = arena_buf(a, env->origin.n + 1 + rq->arg[0].n);
	struct span agent = SPAN_NONE;
	struct pay_id made;

	if (form_get(form, PAYERS_ID, &id) != RC_OK || !is_id(buf_span(&id), &made))
		return refuse(env, rq, REASON_MALFORMED, "/id", ret);
	if (wall_diff_ms(env->now, pay_id_time(&made)) > OLD_MS)
		return refuse(env, rq, REASON_EXPIRED, "/id", ret);
	buf_add(&address, env->origin); /* a code of ours, in the shape that a browser knows */
	buf_ch(&address, '/');
	buf_add(&address, rq->arg[0]);
	c->payment = canonical_payment(a);
	c->payer = canonical_party(a);
	c->code = canonical_code(a, buf_span(&address));
	if (!arena_ok(a))
		return RC_FULL;
	if (!put_amount(a, form, c->payment))
		return refuse(env, rq, REASON_AMOUNT, "/amount", ret);
	if (!put_handle(env, form, c->payer))
		return refuse(env, rq, REASON_MALFORMED, "/phone", ret);
	c->request_id = c->key = canonical_str(a, buf_span(&id));
	(void)http_header_get(rq->http, "user-agent", &agent);
	c->user_agent = canonical_str(a, span_utf8_cut(agent, AGENT_MAX));
	c->payment->mode = canonical_str(a, SPAN("MPM"));
	c->payment->return_url = return_url(env, buf_span(&id));
	return RC_OK;
}

enum rc payers_read(const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	Xw__Canonical *c = canonical_new(a, rq->route->op, false);
	struct span form;
	struct pay_id id;
	enum rc rc = RC_OK;

	if (!c)
		return RC_FULL;
	if (!payer_form(rq->http, &form))
		return refuse(env, rq, REASON_MEDIA, "", ret);
	if (rq->route->kind != PAYERS_LOOK && !is_from_us(env, rq->http))
		return refuse(env, rq, REASON_FORBIDDEN, "", ret);
	if (rq->route->kind == PAYERS_BEGIN) {
		rc = read_begin(env, rq, form, c, ret);
	} else if (is_id(rq->arg[1], &id)) {
		c->request_id = canonical_str(a, rq->arg[1]);
		if (rq->route->kind == PAYERS_CONFIRM)
			c->key = c->request_id;
	} else {
		return refuse(env, rq, REASON_NOT_FOUND, "", ret);
	}
	if (rc != RC_OK)
		return rc;
	c->authentic = true;
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}
