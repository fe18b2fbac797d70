/*
 * fuzz_qr.c: whatever the bytes, a scan ends, stays inside its arena and gives a sound answer: one
 * E_ at most and as the last, nothing left behind a refusal, keys in order. The same bytes give the
 * same answer in a smaller arena, or a refusal. A merchant code that was accepted can be written
 * again, and what is written is accepted and says the same; with our amount it says that amount.
 */
#include "fuzz.h"

#include "qr.h"

static char storage[3 * QR_ARENA_BYTES] __attribute__((aligned(16)));
static char first_text[8 * QR_ARENA_BYTES], second_text[8 * QR_ARENA_BYTES];
static char code[4096];
static struct qr q;

static void check_sound(void)
{
	for (size_t i = 0; i < q.finding_count; i++)
		CHECK(qr_finding_forbids(q.finding[i]) == (!q.accept && i + 1 == q.finding_count));
	CHECK(q.strict == (q.finding_count == 0));
	CHECK(q.accept || q.field_count + q.account_count + q.candidate_count == 0);
	CHECK(q.accept || (money_is_none(q.amount) && q.name.n + q.reference.n == 0));
	CHECK((q.format == QR_UNKNOWN) <= !q.accept);
	for (size_t i = 1; i < q.field_count; i++) {
		struct span a = q.field[i - 1].key, b = q.field[i].key;
		int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

		CHECK(c < 0 || (c == 0 && a.n < b.n));
	}
}

static struct span scan(struct span s, size_t cap, char *text)
{
	struct arena a = arena_init(storage, cap);
	struct buf b = buf_init(text, sizeof first_text);

	qr_scan(&a, s, &q);
	check_sound();
	CHECK(arena_ok(&a) || !q.accept);
	qr_write_json(&b, &q);
	CHECK(buf_ok(&b));
	return buf_span(&b);
}

/* Without a change twice gives the same bytes; with an amount, that amount. */
static void write_again(struct span s)
{
	struct arena a = arena_init(storage, sizeof storage);
	struct buf b = buf_init(code, sizeof code / 2), c = buf_init(code + sizeof code / 2, 2048);
	struct qr_change change = { 0 };
	struct ccy currency = q.currency;
	bool strict = q.strict, by_characters = true;

	for (size_t i = 0; i < q.finding_count; i++)
		by_characters &= q.finding[i] != QR_W_LEN_BYTES && q.finding[i] != QR_W_LEN_UTF16;

	enum rc rc = qr_mpm_encode(&a, s, &change, &b);

	CHECK(rc == RC_OK ||
		(rc == RC_BAD && !by_characters)); /* lengths in another unit may mean two things */
	if (rc != RC_OK)
		return;
	CHECK(!strict || span_eq(buf_span(&b), s));
	scan(buf_span(&b), QR_ARENA_BYTES, second_text);
	CHECK(q.accept && q.format == QR_EMV_MPM);
	arena_reset(&a);
	CHECK(qr_mpm_encode(&a, buf_span(&b), &change, &c) == RC_OK);
	CHECK(span_eq(buf_span(&b), buf_span(&c)));
	if (currency.num == 0)
		return;
	change.amount = money_of(12300, currency);
	change.drop_fees = true;
	arena_reset(&a);
	buf_reset(&c);
	if (qr_mpm_encode(&a, s, &change, &c) != RC_OK)
		return; /* signed, or no room, or the currency was not stated */
	scan(buf_span(&c), QR_ARENA_BYTES, second_text);
	CHECK(q.accept && q.dynamic && money_eq(q.amount, change.amount));
	CHECK(money_is_none(q.fee) && q.fee_bp == 0);
}

/* Only a right checksum lets damage get past the door, so the last four characters are made one. */
static void seal(char *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned crc = 0xffff;

	for (size_t i = 0; i + 4 < n; i++) {
		crc ^= (unsigned)(unsigned char)p[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	for (size_t i = 0; i < 4; i++)
		p[n - 4 + i] = hex[crc >> (12 - 4 * i) & 15];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(span_of(data, size));
	struct span s = span_of(copy, size);

	if (size > 14 && span_starts(s, SPAN("0002")) && copy[size - 5] == '4')
		seal(copy, size);
	struct span large = scan(s, QR_ARENA_BYTES, first_text);
	bool merchant = q.accept && q.format == QR_EMV_MPM;

	CHECK(span_eq(large, scan(s, sizeof storage, second_text)));
	struct span small = scan(s, size % 997, second_text);

	CHECK(!q.accept || span_eq(large, small));
	if (merchant) {
		scan(s, QR_ARENA_BYTES, second_text);
		write_again(s);
	}
	free(copy);
	return 0;
}
