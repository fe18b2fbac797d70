/*
 * fake_book.c: the book of the Bluecode fake. The hard thing: it must stay small and quick while a
 * benchmark puts a quarter of a million payments into it, in memory that is given once, so records
 * are taken in order, found by hash, and a reset only forgets how many there are. Never lets a
 * payment end twice.
 */
#include "bluefake.h"

/* SPEC bluecode 3.3 [C:B-POS, B-WC], and one word that no text holds. */
static const char *const code_words[] = { "AMOUNT_TOO_HIGH", "BRANCH_NOT_FOUND",
	"CANCELLED_BY_USER", "ERROR_INVALID_PARAMETER", "FRAUD_DETECTED", "INSUFFICIENT_FUNDS",
	"INVALID_BARCODE", "INVALID_STATE", "ISSUER_FAILURE", "ISSUER_NOT_SUPPORTED",
	"LIMIT_EXCEEDED", "LOYALTY_NOT_CONFIGURED", "MERCHANT_TX_ID_NOT_UNIQUE",
	"SERVICE_UNAVAILABLE", "SYSTEM_FAILURE", "TRANSACTION_NOT_FOUND", "UNAUTHORIZED",
	"UNHEARD_OF" };

const char *bf_code_word(struct span text)
{
	for (size_t i = 0; i < sizeof code_words / sizeof *code_words; i++)
		if (span_eq(span_str(code_words[i]), text))
			return code_words[i];
	return NULL;
}

bool bf_read_behaviour(struct span text, int32_t ms, struct bf_behaviour *ret)
{
	static const struct {
		const char *name;
		enum bf_how how;
		bool has_code;
	} known[] = {
		{ "approve", BF_APPROVE, false },
		{ "approve-no-refund", BF_APPROVE_NO_REFUND, false },
		{ "decline", BF_DECLINE, true },
		{ "error", BF_REFUSE, true },
		{ "failure", BF_FAIL, true },
		{ "processing", BF_NEVER, false },
		{ "processing-then-approve", BF_LATER_APPROVE, false },
		{ "processing-then-decline", BF_LATER_DECLINE, true },
		{ "processing-then-failure", BF_LATER_FAIL, true },
	};
	size_t colon = span_find(text, ':');
	struct span name = span_sub(text, 0, colon), word = span_sub(text, colon + 1, text.n);
	const char *code = bf_code_word(word);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!span_eq(span_str(known[i].name), name))
			continue;
		if (known[i].has_code ? !code : colon < text.n)
			return false;
		*ret = (struct bf_behaviour){ known[i].how, code ? code : "", ms };
		return true;
	}
	return false;
}

void bf_reset(struct bluefake *f, const struct sandbox_host *h)
{
	f->visits.generation++;
	f->salt = (uint32_t)h->entropy(h->ctx);
	f->payment_count = f->code_count = f->page_count = 0;
	memset(f->visits.visit, 0, sizeof f->visits.visit);
	f->visits.page = bf_page;
	f->visits.state = f;
	memset(f->bucket, 0, sizeof f->bucket);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(f->held, 0, sizeof f->held);
	memset(f->codes, 0, sizeof f->codes);
}

/* ---- barcodes ------------------------------------------------------------------------------ */

#define CODE_RANGE UINT64_C(100000000000000000) /* 17 digits */

static bool read_digits(struct span barcode, uint64_t *ret)
{
	uint64_t v = 0;

	if (barcode.n != 20 || !span_is_digits(barcode) || !span_starts(barcode, SPAN("988")))
		return false;
	for (size_t i = 3; i < 20; i++)
		v = v * 10 + (uint64_t)(barcode.p[i] - '0');
	*ret = v;
	return true;
}

/* The slot of these digits, or the free one where they belong. The table is never full. */
static struct bf_code *code_slot(struct bluefake *f, uint64_t digits)
{
	uint32_t at = fake_hash(span_of(&digits, sizeof digits)) % BF_CODES;

	while (f->codes[at].digits != 0 && f->codes[at].digits != digits + 1)
		at = (at + 1) % BF_CODES;
	return &f->codes[at];
}

struct bf_code *bf_mint(struct bluefake *f, const struct sandbox_host *h,
	const struct bf_behaviour *b, bool reusable)
{
	struct bf_code *c;
	uint64_t digits;

	if (f->code_count >= BF_CODES / 4 * 3)
		return NULL;
	do {
		digits = h->entropy(h->ctx) % CODE_RANGE;
		c = code_slot(f, digits);
	} while (c->digits != 0);
	*c = (struct bf_code){ digits + 1, *b, reusable, false };
	f->code_count++;
	return c;
}

void bf_write_code(struct buf *b, const struct bf_code *c)
{
	buf_str(b, "988");
	buf_dec(b, c->digits - 1, 17);
}

/* SPEC bluecode 3.5 [C:B-POS]: the sandbox's magic barcodes, which may be scanned again and again.
 * 402006 and 402007 carry their code in an answer of result ERROR. */
static bool scan_magic(struct span barcode, struct bf_behaviour *ret)
{
	static const struct {
		const char *barcode;
		struct bf_behaviour behaviour;
	} magic[] = {
		{ "98802222100100123456", { BF_APPROVE, "", 0 } },
		{ "98802222999900301000", { BF_LATER_APPROVE, "", 5000 } },
		{ "98802222999900315000", { BF_LATER_FAIL, "SYSTEM_FAILURE", 15000 } },
		{ "98888888888888888888", { BF_REFUSE, "INVALID_BARCODE", 0 } },
		{ "98804444000000402006", { BF_REFUSE, "INVALID_STATE", 0 } },
		{ "98804444000000402007", { BF_REFUSE, "LIMIT_EXCEEDED", 0 } },
		{ "98802222999900500500", { BF_FAIL, "SYSTEM_FAILURE", 0 } },
		{ "98802222100100500001", { BF_APPROVE, "", 0 } },
		{ "98802222100100500503", { BF_APPROVE, "", 0 } },
	};

	for (size_t i = 0; i < sizeof magic / sizeof *magic; i++) {
		if (!span_eq(span_str(magic[i].barcode), barcode))
			continue;
		*ret = magic[i].behaviour;
		return true;
	}
	return false;
}

bool bf_scan(struct bluefake *f, struct span barcode, struct bf_behaviour *ret)
{
	struct bf_code *c;
	uint64_t digits;

	if (scan_magic(barcode, ret))
		return true;
	if (!read_digits(barcode, &digits))
		return false;
	c = code_slot(f, digits);
	if (c->digits == 0 || (c->used && !c->reusable))
		return false;
	c->used = true;
	*ret = c->behaviour;
	return true;
}

/* ---- payments ------------------------------------------------------------------------------ */

static uint32_t *bucket_of(struct bluefake *f, struct span our_id)
{
	return &f->bucket[fake_hash(our_id) % BF_BUCKETS];
}

struct bf_payment *bf_new(struct bluefake *f, struct span our_id)
{
	uint32_t *bucket = bucket_of(f, our_id);
	struct bf_payment *p;

	if (f->payment_count == BF_PAYMENTS)
		return NULL;
	p = &f->payments[f->payment_count];
	*p = (struct bf_payment){ .code = "", .next = *bucket };
	if (!span_to_cstr(our_id, p->our_id, sizeof p->our_id))
		return NULL;
	*bucket = ++f->payment_count;
	return p;
}

struct bf_payment *bf_by_our_id(struct bluefake *f, struct span our_id)
{
	for (uint32_t at = *bucket_of(f, our_id); at != 0; at = f->payments[at - 1].next)
		if (span_eq(span_str(f->payments[at - 1].our_id), our_id))
			return &f->payments[at - 1];
	return NULL;
}

uint32_t bf_index(const struct bluefake *f, const struct bf_payment *p)
{
	return (uint32_t)(p - f->payments);
}

/* "BC", eight digits of hex that differ after each reset, eight digits of number. */
void bf_write_their_id(struct buf *b, const struct bluefake *f, const struct bf_payment *p)
{
	const uint8_t salt[] = { (uint8_t)(f->salt >> 24), (uint8_t)(f->salt >> 16),
		(uint8_t)(f->salt >> 8), (uint8_t)f->salt };

	buf_str(b, "BC");
	buf_hex(b, span_of(salt, sizeof salt));
	buf_dec(b, bf_index(f, p), 8);
}

struct bf_payment *bf_by_their_id(struct bluefake *f, struct span their_id)
{
	struct span number = span_sub(their_id, 10, 8);
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);
	uint32_t index = 0;

	for (size_t i = 0; i < number.n; i++)
		index = index * 10 + (uint32_t)(number.p[i] - '0');
	if (number.n != 8 || !span_is_digits(number) || index >= f->payment_count)
		return NULL;
	bf_write_their_id(&b, f, &f->payments[index]);
	return span_eq(buf_span(&b), their_id) ? &f->payments[index] : NULL;
}

void bf_approve(struct bf_payment *p)
{
	p->state = BF_APPROVED;
	p->taken = true;
}

void bf_start(struct bluefake *f, const struct sandbox_host *h, struct bf_payment *p)
{
	switch (p->behaviour.how) {
	case BF_APPROVE:
	case BF_APPROVE_NO_REFUND:
		bf_approve(p);
		break;
	case BF_DECLINE:
		p->state = BF_DECLINED;
		p->code = p->behaviour.code;
		break;
	case BF_REFUSE:
	case BF_FAIL:
		p->state = BF_FAILURE;
		p->code = p->behaviour.code;
		break;
	case BF_LATER_APPROVE:
	case BF_LATER_DECLINE:
	case BF_LATER_FAIL:
		h->timer(h->ctx, fake_cookie(f->visits.generation, BF_TIMER_ENDS, bf_index(f, p)),
			p->behaviour.ms);
		p->state = BF_PROCESSING;
		break;
	case BF_NEVER:
		p->state = BF_PROCESSING;
		break;
	}
}

/* The end of PROCESSING, unless somebody cancelled it meanwhile. */
void bf_end(struct bf_payment *p)
{
	if (p->state != BF_PROCESSING)
		return;
	if (p->behaviour.how == BF_LATER_APPROVE) {
		bf_approve(p);
		return;
	}
	p->state = p->behaviour.how == BF_LATER_DECLINE ? BF_DECLINED : BF_FAILURE;
	p->code = p->behaviour.code;
}

const char *bf_state_name(const struct bf_payment *p)
{
	switch (p->state) {
	case BF_PROCESSING:
		return "PROCESSING";
	case BF_REGISTERED:
		return "REGISTERED";
	case BF_APPROVED:
		return "APPROVED";
	case BF_DECLINED:
		return "DECLINED";
	case BF_CANCELED:
		return "CANCELED";
	case BF_REFUNDED:
		return "REFUNDED";
	case BF_FAILURE:
		return "FAILURE";
	}
	return "";
}
