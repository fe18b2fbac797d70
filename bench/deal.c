/*
 * deal.c: what a partner says to the switch and how it understands the answers; its book.
 *
 * The hard thing is that a run is judged by it: a request that is repeated must be the same to the
 * byte, so everything in it follows from the deal's number, and a final answer that is repeated is
 * compared by its digest. Must never believe a word that the contract
 * (adapters/partner/openapi.yaml) does not give.
 */
#include "bench.h"

#include "digest.h"
#include "json.h"
#include "money.h"

#include <stdio.h>

static const struct corridor corridors[] = {
	{ .name = "alipayplus-cpm", .share = { [WAY_ALIPAYPLUS] = 100 }, .first_rate = 300 },
	{ .name = "alipayplus-cpm-quiet", .share = { [WAY_QUIET] = 100 }, .first_rate = 300 },
	{ .name = "vipps-mpm", .share = { [WAY_VIPPS] = 100 }, .first_rate = 100 },
	{ .name = "wallet-cpm", .share = { [WAY_BLUECODE] = 100 }, .first_rate = 500 },
	{ .name = "mix",
		.share = { [WAY_ALIPAYPLUS] = 50, [WAY_VIPPS] = 10, [WAY_BLUECODE] = 40 },
		.refund = 2,
		.cancel = 1,
		.lost = 1,
		.replay = 5,
		.first_rate = 200 },
	{ .name = "faults",
		.share = { [WAY_ALIPAYPLUS] = 50, [WAY_BLUECODE] = 50 },
		.refund = 2,
		.cancel = 1,
		.replay = 3,
		.first_rate = 200 },
	{ .name = "storm",
		.share = { [WAY_ALIPAYPLUS] = 100 },
		.replay = 50,
		.thrice = true,
		.first_rate = 200 },
};

const struct corridor *corridor_find(const char *name)
{
	for (size_t i = 0; i < sizeof corridors / sizeof *corridors; i++)
		if (strcmp(corridors[i].name, name) == 0)
			return &corridors[i];
	return NULL;
}

/*
 * The till's request is verified and its answer signed (P-256). Alipay+ as wallet: pay is signed,
 * its answer verified, and so is the notification; acknowledgements are signed once a second. As
 * scheme of the merchant: userInitiatedPay and notifyPayment, each signed and its answer verified,
 * and two requests of the partner. Bluecode and Vipps use secrets.
 */
const struct way_crypto *way_crypto(enum way w)
{
	static const struct way_crypto table[WAYS] = {
		[WAY_ALIPAYPLUS] = { 1, 2, 1, 1 },
		[WAY_QUIET] = { 1, 1, 1, 1 },
		[WAY_VIPPS] = { 2, 2, 2, 2 },
		[WAY_BLUECODE] = { 0, 0, 1, 1 },
	};

	return &table[w];
}

/* A number from 0 to 99 that depends on the deal and what is asked of it. */
static int dice(uint32_t deal, uint32_t what)
{
	uint64_t x = ((uint64_t)what << 32 | deal) + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (int)((x ^ (x >> 31)) % 100);
}

void deal_begin(struct bench *b, uint32_t deal, struct mono intended)
{
	const struct corridor *k = b->corridor;
	struct deal *d = &b->deal[deal];
	int roll = dice(deal, 1), way = 0;

	for (; way < WAYS - 1 && roll >= k->share[way]; way++)
		roll -= k->share[way];
	*d = (struct deal){ .way = (uint8_t)way, .intended = intended };
	d->price = (int32_t)(100 + deal * 37 % 4900);
	d->lose = way == WAY_ALIPAYPLUS && dice(deal, 3) * k->share[way] < k->lost * 100;
	/* What a Vipps user pays is refunded and cancelled by the merchant's side, not by us. */
	roll = way == WAY_VIPPS ? 99 : dice(deal, 2);
	d->follow = roll < k->refund                           ? CALL_REFUND
		    : roll < k->refund + k->cancel             ? CALL_CANCEL
		    : roll < k->refund + k->cancel + k->replay ? CALL_REPLAY
							       : CALL_PAY;
}

/* ---- requests ------------------------------------------------------------------------------ */

/* Ours for it: unique as long as the switch remembers, which is for ever. */
static void put_name(struct buf *b, const char *prefix, const struct bench *bench, uint32_t deal)
{
	buf_str(b, prefix);
	buf_dec(b, bench->salt, 10);
	buf_ch(b, '.');
	buf_dec(b, deal, 8);
}

static void put_name_member(
	struct jw *w, const char *key, const char *prefix, const struct bench *bench, uint32_t deal)
{
	char text[40];
	struct buf b = buf_init(text, sizeof text);

	put_name(&b, prefix, bench, deal);
	jw_str(w, key, buf_span(&b));
}

/*
 * A code of the scheme's, "CII 029 NN" and 13 digits: NN says what its wallet does (00 approves, 18
 * approves and cuts the connection, 21 notifies three times, 23 never). Of Bluecode's the
 * documented one that is always approved.
 */
static void put_code(struct jw *w, const struct bench *b, uint32_t deal)
{
	const struct deal *d = &b->deal[deal];
	char text[32];
	struct buf code = buf_init(text, sizeof text);

	if (d->way == WAY_BLUECODE) {
		buf_str(&code, "98802222100100123456");
	} else {
		buf_str(&code, "281666029");
		buf_str(&code, d->lose               ? "18"
			       : d->way == WAY_QUIET ? "23"
			       : b->corridor->thrice ? "21"
						     : "00");
		buf_dec(&code, b->salt % 100000, 5);
		buf_dec(&code, deal, 8);
	}
	jw_str(w, "code", buf_span(&code));
}

static void put_price(struct jw *w, int32_t minor)
{
	char digits[16];
	struct buf b = buf_init(digits, sizeof digits);

	buf_i64(&b, minor);
	jw_obj(w, "amount");
	jw_str(w, "currency", SPAN("EUR"));
	jw_str(w, "value", buf_span(&b));
	jw_end(w, '}');
}

static void write_payment(const struct bench *b, uint32_t deal, struct jw *w)
{
	put_name_member(w, "partner_payment_id", "b", b, deal);
	put_code(w, b, deal);
	put_price(w, b->deal[deal].price);
	jw_obj(w, "merchant");
	jw_str(w, "id", SPAN("kiosk-7"));
	jw_str(w, "name", SPAN("Kiosk at the harbour"));
	jw_str(w, "mcc", SPAN("5994"));
	jw_str(w, "country", SPAN("DE"));
	jw_str(w, "city", SPAN("Hamburg"));
	jw_end(w, '}');
	jw_str(w, "terminal_id", SPAN("till-3"));
	jw_obj(w, "order");
	put_name_member(w, "reference", "R", b, deal);
	jw_str(w, "description", SPAN("Coffee and a bun"));
	jw_end(w, '}');
}

static void write_scan(const struct bench *b, uint32_t deal, const char *code, struct jw *w)
{
	char phone[16], user[16];
	struct buf p = buf_init(phone, sizeof phone), u = buf_init(user, sizeof user);

	buf_str(&p, "479"); /* the fake's people approve where their number ends in 01 */
	buf_dec(&p, deal % 100000, 5);
	buf_str(&p, "01");
	buf_str(&u, "u-");
	buf_dec(&u, deal % 100000, 5);
	put_name_member(w, "wallet_scan_id", "b", b, deal);
	jw_str(w, "code", span_str(code));
	jw_obj(w, "payer");
	jw_str(w, "id", buf_span(&u));
	jw_str(w, "handle", buf_span(&p));
	jw_end(w, '}');
}

static void write_body(const struct bench *b, uint32_t deal, enum call_kind kind, const char *code,
	struct buf *body)
{
	struct jw w = jw_init(body);

	jw_obj(&w, NULL);
	switch (kind) {
	case CALL_PAY:
	case CALL_REPLAY:
		write_payment(b, deal, &w);
		break;
	case CALL_SCAN:
		write_scan(b, deal, code, &w);
		break;
	case CALL_REFUND:
		put_name_member(&w, "partner_refund_id", "r", b, deal);
		put_price(&w, b->deal[deal].price / 2);
		break;
	case CALL_CONFIRM:
	case CALL_CANCEL:
	case CALL_READ:
		break;
	}
	jw_end(&w, '}');
}

void deal_write(const struct bench *b, uint32_t deal, enum call_kind kind, const char *code,
	struct http_out *out)
{
	static const char *const verb[] = { "", "", "/confirm", "", "", "/refunds", "/cancel" };
	/* Of the key: a repeated request has the key of the first. */
	static const char *const prefix[] = { "pay-", "scan-", "confirm-", "", "pay-", "refund-",
		"cancel-" };
	const struct deal *d = &b->deal[deal];
	char text[64];
	struct buf key = buf_init(text, sizeof text);

	buf_str(&out->target, d->way == WAY_VIPPS ? "/v1/scans" : "/v1/payments");
	if (kind != CALL_PAY && kind != CALL_REPLAY && kind != CALL_SCAN) {
		buf_ch(&out->target, '/');
		buf_str(&out->target, d->id);
		buf_str(&out->target, verb[kind]);
	}
	http_out_header(out, "accept", SPAN("application/json, application/problem+json"));
	out->method = "GET";
	if (kind == CALL_READ)
		return;
	out->method = "POST";
	buf_ch(&key, '"');
	put_name(&key, prefix[kind], b, deal);
	buf_ch(&key, '"');
	write_body(b, deal, kind, code, &out->body);
	http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "idempotency-key", buf_span(&key));
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool read_minor(const struct json *body, const char *member, int64_t *ret)
{
	const struct json *v = json_get(body, member);
	struct span value, currency;
	struct money m;

	if (!v || !json_str(v, "value", &value) || !json_str(v, "currency", &currency) ||
		money_parse_minor(value, currency, &m) != RC_OK)
		return false;
	*ret = money_minor(m);
	return true;
}

/* What is owed between us: settlement_amount, or the amount itself where that is not stated. */
static bool read_owed(const struct json *body, int64_t *ret)
{
	return read_minor(body, "settlement_amount", ret) || read_minor(body, "amount", ret);
}

static enum meaning read_paid(
	struct deal *d, enum call_kind kind, const struct http_msg *m, const struct json *body)
{
	struct digest digest = digest_sha256(m->body);
	struct span replayed;
	int64_t owed;

	if (kind == CALL_REPLAY) /* the same bytes, and said to be a repetition */
		return memcmp(digest.b, d->answer, sizeof d->answer) == 0 &&
				       http_header_get(m, "idempotent-replayed", &replayed)
			       ? MEANS_DONE
			       : MEANS_WRONG;
	if (d->way != WAY_VIPPS && !read_owed(body, &owed))
		return MEANS_WRONG;
	d->taken = d->way == WAY_VIPPS ? 0 : owed;
	d->state = DEAL_PAID;
	memcpy(d->answer, digest.b, sizeof d->answer);
	/* Only the answer to the payment itself is repeated to its key. */
	if (kind == CALL_READ && d->follow == CALL_REPLAY)
		d->follow = CALL_PAY;
	return MEANS_DONE;
}

/* It ended, and nothing is owed for it. */
static bool is_no(struct span status)
{
	return span_eq(status, SPAN("DECLINED")) || span_eq(status, SPAN("EXPIRED")) ||
	       span_eq(status, SPAN("CANCELLED"));
}

static enum meaning read_payment(struct bench *b, struct deal *d, enum call_kind kind,
	const struct http_msg *m, const struct json *body)
{
	struct span status, id;

	if (!json_str(body, "status", &status) || !json_str(body, "id", &id))
		return MEANS_WRONG;
	if (d->id[0] && !span_eq(id, span_str(d->id)))
		b->load.result->doubled++;
	if (!span_to_cstr(id, d->id, sizeof d->id))
		return MEANS_WRONG;
	if (kind == CALL_CANCEL) {
		if (span_eq(status, SPAN("CANCELLING")))
			return MEANS_PENDING;
		if (!span_eq(status, SPAN("CANCELLED")))
			return MEANS_WRONG;
		d->state = DEAL_CANCELLED;
		d->returned = d->taken;
		return MEANS_DONE;
	}
	if (span_eq(status, SPAN("PAID")))
		return read_paid(d, kind, m, body);
	if (span_eq(status, SPAN("OPEN")) && d->way == WAY_VIPPS) {
		d->state = DEAL_OPEN;
		return MEANS_CONFIRM;
	}
	if (b->enduring && d->state < DEAL_PAID && is_no(status)) {
		d->state = DEAL_FAILED;
		return MEANS_NO;
	}
	/* Whether anything moved is being found out: a worker that died had it. */
	if (b->enduring && d->state < DEAL_PAID && span_eq(status, SPAN("CANCELLING")))
		return MEANS_PENDING;
	return span_eq(status, SPAN("PENDING")) ? MEANS_PENDING : MEANS_WRONG;
}

static enum meaning read_refund(const struct bench *b, struct deal *d, const struct json *body)
{
	struct span status;
	int64_t owed;

	if (!json_str(body, "status", &status))
		return MEANS_WRONG;
	if (span_eq(status, SPAN("PENDING")))
		return MEANS_PENDING;
	if (b->enduring && is_no(status))
		return MEANS_NO;
	if (!span_eq(status, SPAN("DONE")) || !read_owed(body, &owed))
		return MEANS_WRONG;
	d->returned = owed;
	return MEANS_DONE;
}

enum meaning deal_read(struct bench *b, uint32_t deal, enum call_kind kind,
	const struct http_msg *m, struct arena *a)
{
	const struct json *body;
	bool retryable = false;

	if (json_parse(a, m->body, &body) != RC_OK)
		return MEANS_WRONG;
	if (m->status < 300)
		return kind == CALL_REFUND ? read_refund(b, &b->deal[deal], body)
					   : read_payment(b, &b->deal[deal], kind, m, body);
	json_bool(body, "retryable", &retryable);
	if (retryable || m->status >= 500)
		return MEANS_AGAIN;
	/* 422: it was understood, and is refused: nothing moved. */
	if (!b->enduring || m->status != 422)
		return MEANS_WRONG;
	if (b->deal[deal].state < DEAL_PAID)
		b->deal[deal].state = DEAL_FAILED;
	return MEANS_NO;
}

/* ---- the book ------------------------------------------------------------------------------ */

#define LINES_MAX 1000 /* in one object */

bool deal_write_book(const struct bench *b, const char *file)
{
	FILE *f = fopen(file, "we");
	uint32_t lines = 0;

	for (uint32_t i = 0; f && i < b->deal_count; i++) {
		const struct deal *d = &b->deal[i];

		if (!d->id[0] || d->way == WAY_VIPPS) /* a scan moves no money of the partner's */
			continue;
		fputs(lines % LINES_MAX == 0 ? lines ? "]}\n{\"name\":\"till-eur\",\"lines\":["
						     : "{\"name\":\"till-eur\",\"lines\":["
					     : ",",
			f);
		lines++;
		fprintf(f,
			"{\"role\":\"acquirer\",\"id\":\"%s\",\"currency\":\"EUR\",\"taken\":%lld,"
			"\"returned\":%lld}",
			d->id, (long long)d->taken, (long long)d->returned);
	}
	if (f && lines)
		fputs("]}\n", f);
	return f && fclose(f) == 0;
}
