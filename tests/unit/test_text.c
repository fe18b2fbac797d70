/*
 * test_text.c: base64, hex and percent coding against RFC 4648, RFC 3986 and real messages.
 */
#include "unit.h"

#include "text.h"

static char storage[4096];

static struct buf fresh(void)
{
	return buf_init(storage, sizeof storage);
}

/* RFC 4648 section 10. */
static void base64_vectors(void **state)
{
	static const struct {
		const char *plain, *padded, *url;
	} cases[] = { { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/", "-_-_" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf b = fresh();

		text_b64(&b, span_str(cases[i].plain));
		assert_buf(&b, cases[i].padded);
		b = fresh();
		text_b64url(&b, span_str(cases[i].plain));
		assert_buf(&b, cases[i].url);
		b = fresh();
		assert_int_equal(text_unb64(&b, span_str(cases[i].padded)), RC_OK);
		assert_buf(&b, cases[i].plain);
		b = fresh();
		assert_int_equal(text_unb64_lenient(&b, span_str(cases[i].url)), RC_OK);
		assert_buf(&b, cases[i].plain);
		b = fresh();
		assert_int_equal(text_unb64_lenient(&b, span_str(cases[i].padded)), RC_OK);
		assert_buf(&b, cases[i].plain);
	}
}

static void base64_refusals(void **state)
{
	static const char *const bad[] = { "Zg", "Zg=", "Z", "=",
		"==", "====", "Z===", "Zg===", "Zh==", "Zm9=", "Zm8=\n", "Zm 9v===", "-_-_",
		"Zm9v====", "Zg==Zg==", "Zm9\xff" };
	static const char *const bad_anyway[] = { "Z", "Zm9vY", "Zm=v", "Z===", "Zm9v\n", "Zm 9",
		"Zm9!" };
	struct buf b = fresh();

	(void)state;
	buf_str(&b, "kept");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(text_unb64(&b, span_str(bad[i])), RC_BAD);
	for (size_t i = 0; i < sizeof bad_anyway / sizeof bad_anyway[0]; i++)
		assert_int_equal(text_unb64_lenient(&b, span_str(bad_anyway[i])), RC_BAD);
	assert_buf(&b, "kept");
	b = buf_init(storage, 2);
	assert_int_equal(text_unb64(&b, SPAN("Zm9v")), RC_FULL);
	assert_int_equal(text_unb64(&b, SPAN("Zg==")), RC_FULL); /* the flag stays up */
	b = buf_init(storage, 3);
	assert_int_equal(text_unb64(&b, SPAN("Zm9v")), RC_OK);
}

/* The signature header of a scheme's message: percent-encoded padded base64 of 256 bytes. */
static void signature_both_ways(void **state)
{
	static const char wire[] =
		"KENeFtp6eTxpcszU7En0aNKkndibBLtPb%2Fldb%2Fr5ZQPjQiJ4u8aVsri7NL3ZneYDJ6e6mDZien%2Flvk7wpjz"
		"RXJ3OXInQAQgijQDHbdE1GnL2vPOc3SXAyFU%2FOoZbIu7krnVSf5z8r1OWPIVwVS%2BCtupqcV0b0%2FeTsk9Pdp"
		"K63ScnJowMpGct0p8GmXp%2FFJhlNfv%2FIX6gwVmIkKTgbuC6pV1OE17%2FACIewRaDXWBt%2BXx%2FfVwQWUPo1"
		"cS1uAV2KOXAdNvFz3mtCXCCXJPF4D3DP5pzuUQL04HvN3Gu1F%2Bw869vdyb3x76ye%2BPxlrmX%2FvUBL19GPzhz"
		"F5QzphJUnejWKw%3D%3D";
	char text[512], bytes[256], again[512], wire_again[512];
	struct buf t = buf_init(text, sizeof text), raw = buf_init(bytes, sizeof bytes);
	struct buf t2 = buf_init(again, sizeof again), w2 = buf_init(wire_again, sizeof wire_again);

	(void)state;
	assert_int_equal(text_unpercent(&t, span_str(wire)), RC_OK);
	assert_int_equal(text_unb64(&raw, buf_span(&t)), RC_OK);
	assert_int_equal(raw.n, 256);
	text_b64(&t2, buf_span(&raw));
	text_percent(&w2, buf_span(&t2));
	assert_buf(&w2, wire);
	/* As two older clients send it: URL alphabet, no padding. */
	char url[512], lenient[256];
	struct buf u = buf_init(url, sizeof url), l = buf_init(lenient, sizeof lenient);

	text_b64url(&u, buf_span(&raw));
	assert_int_equal(u.n, 342);
	assert_int_equal(text_unb64_lenient(&l, buf_span(&u)), RC_OK);
	assert_true(span_eq(buf_span(&l), buf_span(&raw)));
}

/* Payloads of real payer codes: base64 on the wire, "CPV" inside. */
static void payer_codes(void **state)
{
	FILE *f = fopen(XW_TESTS "/vectors/qr/emv-cpm.tsv", "r");
	char line[8192];
	int seen = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		struct span rest = span_str(line), id, format, strict, accept, codes, payload;
		struct buf b = fresh(), back = fresh();
		char again[1024];

		if (!span_split(&rest, '\t', &id) || !span_split(&rest, '\t', &format) ||
			!span_split(&rest, '\t', &strict) || !span_split(&rest, '\t', &accept) ||
			!span_split(&rest, '\t', &codes) || !span_split(&rest, '\t', &payload) ||
			!span_eq(accept, SPAN("1")))
			continue;
		assert_int_equal(text_unb64(&b, payload), RC_OK);
		assert_true(span_starts(buf_span(&b), SPAN("\x85\x05"
							   "CPV01")));
		back = buf_init(again, sizeof again);
		text_b64(&back, buf_span(&b));
		assert_true(span_eq(buf_span(&back), payload));
		seen++;
	}
	fclose(f);
	assert_true(seen >= 3);
}

static void hex_both_ways(void **state)
{
	struct buf b = fresh();

	(void)state;
	assert_int_equal(text_unhex(&b, SPAN("00fFaB")), RC_OK);
	assert_true(span_eq(buf_span(&b), span_of("\x00\xff\xab", 3)));
	assert_int_equal(text_unhex(&b, SPAN("0")), RC_BAD);
	assert_int_equal(text_unhex(&b, SPAN("0g")), RC_BAD);
	assert_int_equal(text_unhex(&b, SPAN("0x10")), RC_BAD);
	assert_int_equal(text_unhex(&b, SPAN(" 1")), RC_BAD);
	assert_int_equal(b.n, 3);
	b = buf_init(storage, 1);
	assert_int_equal(text_unhex(&b, SPAN("0001")), RC_FULL);
}

static void percent_and_form(void **state)
{
	struct buf b = fresh();

	(void)state;
	text_percent(&b, SPAN("aZ09-._~ +/=%&*\x00\xc3\xb8"));
	assert_buf(&b, "aZ09-._~%20%2B%2F%3D%25%26%2A%00%C3%B8");
	b = fresh();
	text_form(&b, SPAN("aZ09-._* +/=%&~"));
	assert_buf(&b, "aZ09-._*+%2B%2F%3D%25%26%7E");
	b = fresh();
	assert_int_equal(text_unpercent(&b, SPAN("a+b%20c%2bd")), RC_OK);
	assert_buf(&b, "a+b c+d");
	b = fresh();
	assert_int_equal(text_unform(&b, SPAN("a+b%20c%2bd")), RC_OK);
	assert_buf(&b, "a b c+d");
}

static void percent_refusals(void **state)
{
	static const char *const bad[] = { "%", "%2", "%2g", "%g2", "%%20", "a%", "% 20", "%0x" };
	struct buf b = fresh();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(text_unpercent(&b, span_str(bad[i])), RC_BAD);
		assert_int_equal(text_unform(&b, span_str(bad[i])), RC_BAD);
	}
	assert_int_equal(b.n, 0);
	b = buf_init(storage, 2);
	assert_int_equal(text_unpercent(&b, SPAN("%20%20%20")), RC_FULL);
}

/* Whatever the bytes, each coding gives them back. */
static void all_bytes_both_ways(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char bytes[48], text[160], again[48];
		size_t n = unit_random(&seed) % (sizeof bytes + 1);

		for (size_t k = 0; k < n; k++)
			bytes[k] = (char)unit_random(&seed);
		for (int coding = 0; coding < 5; coding++) {
			struct buf t = buf_init(text, sizeof text),
				   b = buf_init(again, sizeof again);
			struct span s = span_of(bytes, n);

			if (coding == 0) {
				text_b64(&t, s);
				assert_int_equal(text_unb64(&b, buf_span(&t)), RC_OK);
			} else if (coding == 1) {
				text_b64url(&t, s);
				assert_int_equal(text_unb64_lenient(&b, buf_span(&t)), RC_OK);
			} else if (coding == 2) {
				buf_hex(&t, s);
				assert_int_equal(text_unhex(&b, buf_span(&t)), RC_OK);
			} else if (coding == 3) {
				text_percent(&t, s);
				assert_int_equal(text_unpercent(&b, buf_span(&t)), RC_OK);
			} else {
				text_form(&t, s);
				assert_int_equal(text_unform(&b, buf_span(&t)), RC_OK);
			}
			assert_true(span_eq(buf_span(&b), s));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_refusals),
		cmocka_unit_test(signature_both_ways),
		cmocka_unit_test(payer_codes),
		cmocka_unit_test(hex_both_ways),
		cmocka_unit_test(percent_and_form),
		cmocka_unit_test(percent_refusals),
		cmocka_unit_test(all_bytes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
