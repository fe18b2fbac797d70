/*
 * idem.c: which fields make two requests the same (rule I-4).
 *
 * The business fields are hashed in a fixed order, each with its length, so that no two different
 * requests can run into one another. The raw bytes are not: honest clients re-serialise.
 */
#include "digest.h"
#include "check.h"
#include "mutant.h"
#include "step.h"

#define PARTS 20

struct parts {
	struct span part[PARTS];
	uint8_t length[PARTS][2];
	struct span all[2 * PARTS];
	size_t n;
};

static void put(struct parts *p, struct span s)
{
	CHECK(p->n < PARTS && s.n <= UINT16_MAX);
	p->length[p->n][0] = (uint8_t)(s.n >> 8);
	p->length[p->n][1] = (uint8_t)s.n;
	p->all[2 * p->n] = span_of(p->length[p->n], 2);
	p->all[2 * p->n + 1] = s;
	p->n++;
}

static void put_money(struct parts *p, struct money m, char text[40])
{
	struct buf b = buf_init(text, 40);

	if (!money_is_none(m)) {
		money_write_minor(&b, m);
		if (!MUTANT(NO_CURRENCY))
			buf_str(&b, ccy_alpha(money_ccy(m)));
	}
	put(p, buf_span(&b));
}

void idem_fingerprint(const struct msg *m, uint8_t ret[16])
{
	struct parts p = { .n = 0 };
	char text[4][40];
	struct digest d;
	uint8_t op = (uint8_t)m->op;
	struct span expires = span_of(&m->expires, m->expires.us ? sizeof m->expires : 0);

	put(&p, span_of(&op, 1));
	put(&p, span_str(m->request_id));
	if (m->same[0]) {
		put(&p, span_str(m->same));
		d = digest_sha256_parts(p.all, 2 * p.n);
		memcpy(ret, d.b, 16);
		return;
	}
	put(&p, span_str(m->code.text));
	put(&p, span_str(m->payer.id));
	put(&p, span_str(m->payer.handle));
	put_money(&p, m->amount, text[0]);
	put_money(&p, m->settle, text[1]);
	put_money(&p, m->order_amount, text[2]);
	put(&p, span_str(m->order_reference));
	put(&p, span_str(m->merchant.id));
	put(&p, span_str(m->refund.id));
	put_money(&p, m->refund.amount, text[3]);
	put(&p, span_str(m->object_id));
	put(&p, span_str(m->notify_url));
	put(&p, expires);
	if (!m->code.text[0] && m->code.scheme[0])
		put(&p, span_str(m->code.scheme));
	d = digest_sha256_parts(p.all, 2 * p.n);
	memcpy(ret, d.b, 16);
}

struct claim idem_claim(uint16_t peer, const char *kind, const char *id)
{
	struct parts p = { .n = 0 };
	uint8_t number[2] = { (uint8_t)(peer >> 8), (uint8_t)peer };
	struct digest d;
	struct claim c;

	put(&p, span_of(number, 2));
	put(&p, span_str(kind));
	put(&p, span_str(id));
	d = digest_sha256_parts(p.all, 2 * p.n);
	memcpy(c.digest, d.b, 16);
	return c;
}
