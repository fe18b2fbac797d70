/*
 * test_qr_write.c: merchant codes written by us. What is written reads back as what was meant, a
 * strict code written again without a change is the same bytes, and a change changes nothing else.
 */
#include "qr_vectors.h"

static char arena_storage[2 * QR_ARENA_BYTES];
static char code_storage[2048];
static struct qr before, after;

static enum rc encode(struct span payload, const struct qr_change *change, struct buf *ret)
{
	struct arena a = arena_init(arena_storage, sizeof arena_storage);

	*ret = buf_init(code_storage, sizeof code_storage);
	return qr_mpm_encode(&a, payload, change, ret);
}

static bool is_finding(const struct qr *q, enum qr_finding f)
{
	for (size_t i = 0; i < q->finding_count; i++) {
		if (q->finding[i] == f)
			return true;
	}
	return false;
}

/* --- pictures --- */

/* Other readers read them (tests/play); here only where they end. */
static void a_code_is_drawn_or_does_not_fit(void **state)
{
	static char picture[65536], long_text[4096];
	struct buf b = buf_init(picture, sizeof picture), small = buf_init(picture, 100);

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	assert_int_equal(qr_draw_svg(SPAN("HELLO"), &b), RC_OK);
	assert_true(span_starts(buf_span(&b), SPAN("<svg ")));
	assert_true(span_ends(buf_span(&b), SPAN("</svg>\n")));
	buf_reset(&b);
	assert_int_equal(qr_draw_png(SPAN("HELLO"), 100, &b), RC_OK);
	assert_memory_equal(b.p, "\x89PNG\r\n", 6);
	assert_int_equal(b.p[19], 87); /* 21 modules and the quiet zone are 29: three pixels each */
	buf_reset(&b);
	assert_int_equal(qr_draw_png(SPAN("HELLO"), 28, &b), RC_RANGE);
	assert_int_equal(qr_draw_svg(SPAN_NONE, &b), RC_RANGE);
	assert_int_equal(qr_draw_svg(span_of(long_text, sizeof long_text), &b), RC_RANGE);
	assert_int_equal(qr_draw_png(span_of(long_text, sizeof long_text), 2000, &b), RC_RANGE);
	assert_int_equal(qr_draw_svg(SPAN("HELLO"), &small), RC_FULL);
	buf_reset(&small);
	assert_int_equal(qr_draw_png(SPAN("HELLO"), 100, &small), RC_FULL);
}

/* --- somebody else's code --- */

static void nothing_changed(void **state)
{
	const struct qr_change none = { 0 };
	size_t strict = 0;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < qr_vector_count; i++) {
		struct span p = qr_vector[i].payload;

		if (strcmp(qr_vector[i].format, "emv-mpm") != 0 || *qr_vector[i].accept != '1') {
			assert_int_equal(encode(p, &none, &b), RC_BAD);
			continue;
		}
		assert_int_equal(encode(p, &none, &b), RC_OK);
		strict += *qr_vector[i].strict == '1';
		if (*qr_vector[i].strict == '1')
			assert_true(span_eq(buf_span(&b), p));
		else /* at most the case of the checksum */
			assert_true(span_ieq(buf_span(&b), p));
	}
	assert_true(strict >= 79);
}

static bool is_changed_field(struct span key)
{
	static const char *const keys[] = { "01", "54", "55", "56", "57", "62", "62.05", "63",
		"_amount_minor", "_fee_minor", "_fee_bp" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (span_eq(key, span_str(keys[i])))
			return true;
	}
	return false;
}

/* Every field of one is in the other, but for what a change may touch. */
static void check_kept(const struct qr *from, const struct qr *to)
{
	char key[64];
	struct span v;

	for (size_t i = 0; i < from->field_count; i++) {
		const struct qr_field *f = &from->field[i];

		if (is_changed_field(f->key))
			continue;
		assert_true(span_to_cstr(f->key, key, sizeof key));
		assert_true(qr_text(to, key, &v));
		assert_true(span_eq(v, f->value));
	}
}

static void amount_and_reference_set(void **state)
{
	size_t changed = 0, refused = 0;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < qr_vector_count; i++) {
		struct span p = qr_vector[i].payload, v;

		if (strcmp(qr_vector[i].format, "emv-mpm") != 0 || *qr_vector[i].accept != '1')
			continue;
		struct arena a = arena_init(qr_arena_storage, sizeof qr_arena_storage);

		qr_scan(&a, p, &before);
		bool has_currency = !is_finding(&before, QR_W_MISSING_53);
		struct qr_change change = {
			.amount = has_currency ? money_of(1230000, before.currency) : MONEY_NONE,
			.drop_fees = true,
			.reference = SPAN("ABC123xyz")
		};
		enum rc rc = encode(p, &change, &b);

		if (rc != RC_OK) { /* signed, an opaque 62, or no room in it */
			refused++;
			continue;
		}
		struct arena c = arena_init(arena_storage, sizeof arena_storage);

		qr_scan(&c, buf_span(&b), &after);
		assert_true(after.accept);
		assert_true(qr_text(&after, "62.05", &v));
		assert_span(v, "ABC123xyz");
		assert_false(qr_text(&after, "55", &v) || qr_text(&after, "56", &v));
		if (has_currency) {
			assert_true(money_eq(after.amount, change.amount));
			assert_true(after.dynamic);
			assert_false(qr_text(&after, "54", &v) && v.n > 13);
		}
		check_kept(&before, &after);
		check_kept(&after, &before);
		/* and doing it twice does nothing more */
		char once[2048];
		size_t n = b.n;

		memcpy(once, b.p, n);
		assert_int_equal(encode(span_of(once, n), &change, &b), RC_OK);
		assert_true(span_eq(buf_span(&b), span_of(once, n)));
		changed++;
	}
	assert_true(changed > 120);
	assert_true(refused > 0 && refused < 10);
}

#define HEAD "<00 01><26<00 com.example.a><01 A>>"
#define TAIL "<58 SG><59 SHOP><60 TOWN>"

static void expect_encoded(const char *from, const struct qr_change *change, const char *to)
{
	char text[2048], wanted[2048];
	struct buf b;

	assert_int_equal(encode(qr_sealed(from, text, sizeof text), change, &b), RC_OK);
	struct span w = qr_sealed(to, wanted, sizeof wanted);

	if (!span_eq(buf_span(&b), w))
		fail_msg("\n got    %.*s\n wanted %.*s", (int)b.n, b.p, SPAN_FMT(w));
}

static void where_things_go(void **state)
{
	struct ccy sgd = { 702 }, jpy = { 392 };
	struct qr_change amount = { .amount = money_of(1050, sgd) };
	struct qr_change reference = { .reference = SPAN("R1") };
	struct qr_change fees = { .drop_fees = true };
	struct qr_change yen = { .amount = money_of(1050, jpy) };

	(void)state;
	expect_encoded(HEAD "<52 0000><53 702>" TAIL, &amount,
		"<00 01><01 12><26<00 com.example.a><01 A>><52 0000><53 702><54 10.50>" TAIL);
	expect_encoded("<00 01><01 11><26<00 com.example.a>><53 702><52 0000><54 1>" TAIL, &amount,
		"<00 01><01 12><26<00 com.example.a>><53 702><52 0000><54 10.50>" TAIL);
	expect_encoded("<00 01><26<00 com.example.a>><52 0000><53 392>" TAIL, &yen,
		"<00 01><01 12><26<00 com.example.a>><52 0000><53 392><54 1050>" TAIL);
	expect_encoded(HEAD "<52 0000><53 702>" TAIL "<61 1><64<00 EN><01 S>><80<00 X>>",
		&reference,
		HEAD "<52 0000><53 702>" TAIL "<61 1><62<05 R1>><64<00 EN><01 S>><80<00 X>>");
	expect_encoded(HEAD "<52 0000><53 702>" TAIL "<62<03 A><07 B>>", &reference,
		HEAD "<52 0000><53 702>" TAIL "<62<03 A><05 R1><07 B>>");
	expect_encoded(HEAD "<52 0000><53 702>" TAIL "<62<07 B><05 old><01 C>>", &reference,
		HEAD "<52 0000><53 702>" TAIL "<62<05 R1><07 B><01 C>>");
	expect_encoded(HEAD "<52 0000><53 702>" TAIL "<62>", &reference,
		HEAD "<52 0000><53 702>" TAIL "<62<05 R1>>");
	expect_encoded(HEAD "<52 0000><53 702><55 02><56 1><57 1>" TAIL, &fees,
		HEAD "<52 0000><53 702>" TAIL);
	/* lengths that counted bytes count characters afterwards */
	expect_encoded(HEAD "<52 0000><53 702>" TAIL "64130002DE0103K\xc3\xb6", &reference,
		HEAD "<52 0000><53 702>" TAIL "<62<05 R1>><64<00 DE><01 K\xc3\xb6>>");
}

static void changes_refused(void **state)
{
	static const char *const signed_codes[] = {
		"<00 01><26<00 SG.COM.NETS><01 A><99 6041>><52 0000><53 702>" TAIL,
		"<00 01><26<00 mm.com.mmqr><01 A>><52 0000><53 104>" TAIL "<89<00 A><01 B>>",
	};
	const struct qr_change none = { 0 }, reference = { .reference = SPAN("R1") };
	const struct {
		const char *code;
		struct qr_change change;
		enum rc rc;
	} rows[] = {
		{ HEAD "<52 0000><53 702>" TAIL, { .amount = money_of(1, (struct ccy){ 978 }) },
			RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL, { .amount = money_of(0, (struct ccy){ 702 }) },
			RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL, { .amount = money_of(-1, (struct ccy){ 702 }) },
			RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL,
			{ .amount = money_of(999999999999, (struct ccy){ 702 }) }, RC_OK },
		{ HEAD "<52 0000><53 702>" TAIL,
			{ .amount = money_of(1000000000000, (struct ccy){ 702 }) }, RC_RANGE },
		{ HEAD "<52 0000>" TAIL, { .amount = money_of(1, (struct ccy){ 702 }) }, RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL, { .reference = SPAN("a-b") }, RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL,
			{ .reference = SPAN("12345678901234567890123456") }, RC_RANGE },
		{ HEAD "<52 0000><53 702>" TAIL "<62 opaque>", { .reference = SPAN("R1") },
			RC_BAD },
		{ HEAD "<52 0000><53 702>" TAIL
		       "<62<01 1234567890123456789012345><02 1234567890123456789012345>"
		       "<03 1234567890123456789012345><04 12>>",
			{ .reference = SPAN("R1") }, RC_OK },
		{ HEAD "<52 0000><53 702>" TAIL
		       "<62<01 1234567890123456789012345><02 1234567890123456789012345>"
		       "<03 1234567890123456789012345><04 123>>",
			{ .reference = SPAN("R1") }, RC_RANGE },
	};
	char text[2048], small[32];
	struct buf b;

	(void)state;
	/* lengths in bytes; the template is opaque in them and would have one id twice in
	 * characters */
	assert_int_equal(encode(qr_sealed(HEAD "<52 0000><53 702>" TAIL "6414"
					       "0002K\xc3\xb6"
					       "0002K\xc3\xb6",
					text, sizeof text),
				 &none, &b),
		RC_BAD);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
			encode(qr_sealed(rows[i].code, text, sizeof text), &rows[i].change, &b),
			rows[i].rc);
	for (size_t i = 0; i < 2; i++) {
		struct span s = qr_sealed(signed_codes[i], text, sizeof text);

		assert_int_equal(encode(s, &reference, &b), RC_AUTH);
		assert_int_equal(encode(s, &none, &b), RC_OK);
		assert_true(span_eq(buf_span(&b), s));
	}
	struct span s = qr_sealed(HEAD "<52 0000><53 702>" TAIL, text, sizeof text);
	struct arena a = arena_init(arena_storage, sizeof arena_storage);
	struct buf little = buf_init(small, sizeof small);

	assert_int_equal(qr_mpm_encode(&a, s, &none, &little), RC_FULL);
	a = arena_init(arena_storage, 4096);
	little = buf_init(text + 1024, 1024);
	assert_int_equal(qr_mpm_encode(&a, s, &none, &little), RC_FULL);
	assert_int_equal(little.n, 0);
}

/* --- our own --- */

#define OURS                                                                                       \
	{                                                                                          \
		.guid = SPAN("com.example.switch"), .sub_count = 1, .sub = { { 1, SPAN("M1") } }   \
	}
#define ALIPAY                                                                                     \
	{                                                                                          \
		.guid = SPAN("com.alipay"), .sub_count = 1,                                        \
		.sub = { { 1, SPAN("https://pay.example/e") } }                                    \
	}
#define PAYNOW                                                                                     \
	{                                                                                          \
		.guid = SPAN("SG.PAYNOW"), .sub_count = 2,                                         \
		.sub = { { 1, SPAN("2") },                                                         \
			{ 2, SPAN("T08GB0001A") } }                                                \
	}
#define SGQR                                                                                       \
	{                                                                                          \
		.guid = SPAN("SG.SGQR"), .sub_count = 1, .sub = { { 1, SPAN("1809132E11F3") } }    \
	}
#define PLAIN(text)                                                                                \
	{                                                                                          \
		.guid = SPAN(text)                                                                 \
	}

static struct qr_merchant shop(const char *country, uint16_t currency)
{
	return (struct qr_merchant){ .currency = { currency },
		.mcc = SPAN("5812"),
		.country = span_str(country),
		.name = SPAN("DRAGON BOWL"),
		.city = SPAN("Singapore") };
}

static enum rc build(const struct qr_merchant *m, struct buf *ret)
{
	*ret = buf_init(code_storage, sizeof code_storage);
	return qr_mpm_build(m, ret);
}

static void expect_built(const struct qr_merchant *m, const char *wanted)
{
	char text[2048];
	struct buf b;

	assert_int_equal(build(m, &b), RC_OK);
	struct span w = qr_sealed(wanted, text, sizeof text);

	if (!span_eq(buf_span(&b), w))
		fail_msg("\n got    %.*s\n wanted %.*s", (int)b.n, b.p, SPAN_FMT(w));
	qr_scan_text(buf_span(&b), &after);
	assert_true(after.strict ||
		    (after.accept && after.finding_count == 1 && is_finding(&after, QR_W_PFI_02)));
}

static void unified_codes(void **state)
{
	struct qr_merchant m = shop("SG", 702);
	struct qr_template four[] = { OURS, ALIPAY, SGQR, PAYNOW,
		{ .id = 4, .sub_count = 1, .sub = { { 0, SPAN("5220240700074690") } } } };

	(void)state;
	memcpy(m.template, four, sizeof four);
	m.template_count = 5;
	expect_built(&m, "<00 01><01 11><04 5220240700074690><26<00 com.example.switch><01 M1>>"
			 "<27<00 com.alipay><01 https://pay.example/e>>"
			 "<28<00 SG.PAYNOW><01 2><02 T08GB0001A>><51<00 SG.SGQR><01 1809132E11F3>>"
			 "<52 5812><53 702><58 SG><59 DRAGON BOWL><60 Singapore>");
	m.amount = money_of(1050, m.currency);
	m.reference = SPAN("01jd5m7q8r9s0t1v2w3x4y5z6");
	m.store = SPAN("S1");
	m.terminal = SPAN("T1");
	m.postal = SPAN("339511");
	m.language = SPAN("zh");
	m.local_name = SPAN("\xe9\xbe\x99");
	m.local_city = SPAN("\xe6\x96\xb0\xe5\x8a\xa0\xe5\x9d\xa1");
	expect_built(&m,
		"<00 01><01 12><04 5220240700074690><26<00 com.example.switch><01 M1>>"
		"<27<00 com.alipay><01 https://pay.example/e>>"
		"<28<00 SG.PAYNOW><01 2><02 T08GB0001A>><51<00 SG.SGQR><01 1809132E11F3>>"
		"<52 5812><53 702><54 10.50><58 SG><59 DRAGON BOWL><60 Singapore><61 339511>"
		"<62<03 S1><05 01jd5m7q8r9s0t1v2w3x4y5z6><07 T1>>"
		"<64<00 zh><01 \xe9\xbe\x99><02 \xe6\x96\xb0\xe5\x8a\xa0\xe5\x9d\xa1>>");
	assert_true(money_eq(after.amount, m.amount));
	assert_span(after.reference, "01jd5m7q8r9s0t1v2w3x4y5z6");
	assert_true(after.dynamic);
}

/* Profiles take the ids that they fix, whatever the order in which they come; the rest what is
 * left. */
static void profile_ids(void **state)
{
	static const struct {
		const char *guid, *country;
		uint16_t currency;
		int id; /* 0: refused */
	} rows[] = { { "A000000677010111", "TH", 764, 29 }, { "A000000677010112", "TH", 764, 30 },
		{ "A000000677010113", "TH", 764, 31 }, { "A000000677010111", "TH", 702, 0 },
		{ "A000000677010111", "SG", 764, 0 }, { "hk.com.hkicl", "HK", 344, 26 },
		{ "hk.com.hkicl", "HK", 156, 26 }, { "A000000524", "IN", 356, 26 },
		{ "shop@bank", "KH", 840, 29 }, { "shop@bank", "KH", 702, 0 },
		{ "shop@bank", "SG", 702, 27 }, { "ID.CO.QRIS.WWW", "ID", 360, 51 },
		{ "A000000727", "VN", 704, 38 }, { "A0000006150001", "MY", 458, 26 },
		{ "com.p2pqrpay", "PH", 608, 27 }, { "ph.ppmi.p2m", "PH", 608, 28 },
		{ "jp.or.paymentsjapan", "JP", 392, 26 }, { "ke.go.qr", "KE", 404, 28 },
		{ "A005266284662577", "LA", 418, 38 }, { "com.grab", "SG", 702, 27 } };
	char key[8];
	struct span v;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct qr_merchant m = shop(rows[i].country, rows[i].currency);
		struct qr_template two[] = { OURS, { .guid = span_str(rows[i].guid) } };

		memcpy(m.template, two, sizeof two);
		m.template_count = 2;
		assert_int_equal(build(&m, &b), rows[i].id ? RC_OK : RC_BAD);
		if (!rows[i].id)
			continue;
		qr_scan_text(buf_span(&b), &after);
		assert_true(after.accept);
		snprintf(key, sizeof key, "%d.00", rows[i].id);
		assert_true(qr_text(&after, key, &v));
		assert_span(v, rows[i].guid);
		assert_true(qr_text(&after, "_schemes", &v));
		assert_true(qr_text(&after, rows[i].id == 26 ? "27.00" : "26.00", &v));
		assert_span(v, "com.example.switch");
	}
}

static enum rc build_with(
	const char *country, uint16_t currency, const struct qr_template *t, size_t n)
{
	struct qr_merchant m = shop(country, currency);
	struct buf b;

	memcpy(m.template, t, n * sizeof *t);
	m.template_count = n;
	return build(&m, &b);
}

static void profiles_that_clash(void **state)
{
	struct qr_template two_fps[] = { PLAIN("hk.com.hkicl"), PLAIN("hk.com.hkicl") };
	struct qr_template transfer_ota[] = { PLAIN("A000000677010111"),
		PLAIN("A000000677010114") };
	struct qr_template bharat[] = { PLAIN("A000000524"), PLAIN("A000000524"),
		PLAIN("A000000524"), PLAIN("A000000524") };
	struct qr_template taken[] = { { .id = 30, .guid = SPAN("a.b") },
		{ .id = 30, .guid = SPAN("c.d") } };
	struct qr_template moved[] = { { .id = 29, .guid = SPAN("A000000677010112") } };
	struct qr_template card[] = { { .id = 26, .sub_count = 1, .sub = { { 0, SPAN("4") } } } };
	struct qr_template cards[] = { { .id = 2, .sub_count = 1, .sub = { { 0, SPAN("4") } } },
		{ .id = 2, .sub_count = 1, .sub = { { 0, SPAN("4") } } } };
	struct qr_template nations[] = { PLAIN("A000000677010111"), PLAIN("A000000727") };
	struct qr_template vnpay_first[] = { { .id = 26, .guid = SPAN("a.b") },
		PLAIN("A000000775") };

	(void)state;
	assert_int_equal(build_with("HK", 344, two_fps, 2), RC_EXISTS);
	assert_int_equal(build_with("TH", 764, transfer_ota, 2), RC_EXISTS);
	assert_int_equal(build_with("IN", 356, bharat, 3), RC_OK);
	assert_int_equal(build_with("IN", 356, bharat, 4), RC_EXISTS);
	assert_int_equal(build_with("SG", 702, taken, 1), RC_OK);
	assert_int_equal(build_with("SG", 702, taken, 2), RC_EXISTS);
	assert_int_equal(build_with("TH", 764, moved, 1), RC_BAD);
	assert_int_equal(build_with("SG", 702, card, 1), RC_BAD);
	assert_int_equal(build_with("SG", 702, cards, 2), RC_EXISTS);
	assert_int_equal(build_with("TH", 764, nations, 2), RC_BAD);
	assert_int_equal(build_with("VN", 704, vnpay_first, 2), RC_EXISTS);
}

#define TEN    "1234567890"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void limits(void **state)
{
	struct qr_template ours = OURS, pix = PLAIN("br.gov.bcb.pix");
	struct qr_merchant good = shop("SG", 702), m;
	struct buf b;

	(void)state;
	good.template[0] = ours;
	good.template_count = 1;
#define CASE(member, value, rc)                                                                    \
	do {                                                                                       \
		m = good;                                                                          \
		m.member = value;                                                                  \
		assert_int_equal(build(&m, &b), rc);                                               \
	} while (0)
	CASE(mcc, SPAN("581"), RC_BAD);
	CASE(mcc, SPAN("58a2"), RC_BAD);
	CASE(country, SPAN("sg"), RC_BAD);
	CASE(currency.num, 0, RC_BAD);
	CASE(name, SPAN(""), RC_BAD);
	CASE(name, SPAN(TEN TEN "12345"), RC_OK);
	CASE(name, SPAN(TEN TEN "123456"), RC_RANGE);
	CASE(name, SPAN("S\xc3\xb6hne"), RC_BAD);
	CASE(city, SPAN(TEN "123456"), RC_RANGE);
	CASE(postal, SPAN(TEN "1"), RC_RANGE);
	CASE(terminal, SPAN("a\nb"), RC_BAD);
	CASE(reference, SPAN("a-b"), RC_BAD);
	CASE(reference, SPAN("***"), RC_BAD);
	CASE(reference, SPAN(TEN TEN "123456"), RC_RANGE);
	CASE(amount, money_of(100, good.currency), RC_BAD); /* a sale needs a reference */
	CASE(amount, money_of(100, (struct ccy){ 978 }), RC_BAD);
	CASE(language, SPAN("zh"), RC_BAD);
	CASE(local_name, SPAN("x"), RC_BAD);
	CASE(template_count, 0, RC_BAD);
	CASE(template_count, QR_TEMPLATES_MAX + 1, RC_BAD);
	CASE(template[0].sub_count, QR_SUBS_MAX + 1, RC_BAD);
	CASE(template[0].sub[0].id, 0, RC_BAD);
	CASE(template[0].sub[0].id, 100, RC_BAD);
	CASE(template[0].sub[0].value, SPAN(""), RC_BAD);
	CASE(template[0].guid, SPAN(TEN TEN TEN "123"), RC_RANGE);
	CASE(template[0].sub[0].value, SPAN(NINETY), RC_RANGE); /* with the identifier over 99 */
	CASE(template[0].id, 51, RC_BAD);
#undef CASE
	m = good;
	m.amount = money_of(99999999999999, m.currency);
	m.reference = SPAN("R");
	assert_int_equal(build(&m, &b), RC_RANGE);
	/* PIX wants a transaction id, and takes *** in a code that is no sale */
	m = shop("BR", 986);
	m.template[0] = pix;
	m.template[0].sub[0] = (struct qr_sub){ 1, SPAN("a@b.de") };
	m.template[0].sub_count = 1;
	m.template_count = 1;
	assert_int_equal(build(&m, &b), RC_BAD);
	m.reference = SPAN("***");
	assert_int_equal(build(&m, &b), RC_OK);
	m.amount = money_of(100, m.currency);
	assert_int_equal(build(&m, &b), RC_BAD);
}

static void at_most_512(void **state)
{
	struct qr_merchant m = shop("SG", 702);
	struct buf b;

	(void)state;
	/* six templates of 63 characters; 50 to 70 are usual */
	for (size_t n = 1; n <= 8; n++) {
		m.template[n - 1] = (struct qr_template)PLAIN("com.example.of.a.long.name.0001");
		m.template[n - 1].sub[0] = (struct qr_sub){ 1, SPAN(TEN TEN "0123") };
		m.template[n - 1].sub_count = 1;
		m.template_count = n;
		enum rc rc = build(&m, &b);

		if (rc == RC_OK)
			assert_true(b.n <= 512);
		assert_int_equal(rc, n <= 6 ? RC_OK : RC_RANGE);
	}
}

/* Random merchants: what is built is strict, and says what was meant. */
static void what_is_built_reads_back(void **state)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghij.,-/6304";
	uint64_t seed = 7;
	char pool[64];

	(void)state;
	for (int turn = 0; turn < 5000; turn++) {
		struct qr_merchant m = shop("SG", 702);
		struct buf b;
		struct span v;

		for (size_t i = 0; i < sizeof pool; i++)
			pool[i] = chars[unit_random(&seed) % (sizeof chars - 1)];
		m.name = span_of(pool, 1 + unit_random(&seed) % 25);
		m.city = span_of(pool + 10, 1 + unit_random(&seed) % 15);
		m.postal = span_of(pool + 20, unit_random(&seed) % 11);
		m.store = span_of(pool + 30, unit_random(&seed) % 25);
		if (unit_random(&seed) % 2) {
			m.amount = money_of(
				(int64_t)(1 + unit_random(&seed) % 99999999), m.currency);
			m.reference = SPAN("R0123456789");
		}
		m.template_count = 1 + unit_random(&seed) % 3;
		m.template[0] = (struct qr_template)OURS;
		m.template[1] = (struct qr_template)ALIPAY;
		m.template[2] = (struct qr_template)PAYNOW;
		m.template[0].sub[0].value = span_of(pool, 1 + unit_random(&seed) % 40);
		assert_int_equal(build(&m, &b), RC_OK);
		qr_scan_text(buf_span(&b), &after);
		assert_true(after.strict);
		assert_true(span_eq(after.name, m.name) && span_eq(after.city, m.city));
		assert_true(money_eq(after.amount, m.amount));
		assert_true(span_eq(after.reference, m.reference));
		assert_true(qr_text(&after, "26.01", &v) && span_eq(v, m.template[0].sub[0].value));
		assert_int_equal(after.account_count, m.template_count);
		assert_int_equal(qr_text(&after, "61", &v), m.postal.n > 0);
	}
}

/* --- our own code --- */

static enum rc unified(const struct qr_unified *u, struct buf *ret)
{
	struct arena a = arena_init(arena_storage, sizeof arena_storage);

	*ret = buf_init(code_storage, sizeof code_storage);
	return qr_unified_build(&a, u, ret);
}

#define GUID   SPAN("org.crosswallet.demo")
#define ORIGIN SPAN("https://pay.example:8443")

static struct qr_unified coffee(void)
{
	return (struct qr_unified){ .guid = GUID,
		.origin = ORIGIN,
		.token = SPAN("4k7m2p9q8r3s"),
		.amount = MONEY_NONE,
		.currency = { 578 },
		.mcc = SPAN("5812"),
		.country = SPAN("NO"),
		.name = SPAN("Kaffe & T\xc3\xa9 p\xc3\xa5 hj\xc3\xb8rnet, gate 17"),
		.city = SPAN("\xe6\x9d\xb1") };
}

/* One code, two ways to its token: our template, and the scheme's address. */
static void our_code(void **state)
{
	struct qr_unified u = coffee();
	struct span v;
	struct buf b;

	(void)state;
	assert_int_equal(unified(&u, &b), RC_OK);
	qr_scan_text(buf_span(&b), &after);
	assert_true(after.strict && !after.dynamic);
	assert_true(money_is_none(after.amount));
	assert_true(span_eq(after.city, SPAN("NO")));
	assert_true(span_eq(after.name, SPAN("Kaffe & T p hjrnet, gate")));
	assert_int_equal(after.account_count, 2);
	assert_true(qr_unified_token(&after, buf_span(&b), GUID, ORIGIN, &v));
	assert_true(span_eq(v, u.token));
	assert_true(qr_text(&after, "27.01", &v));
	assert_true(span_eq(v, SPAN("https://pay.example:8443/4k7m2p9q8r3s")));
	assert_false(qr_unified_token(&after, buf_span(&b), SPAN("org.other"), SPAN_NONE, &v));
	u.amount = money_of(5500, u.currency);
	u.reference = SPAN("R1");
	u.origin = SPAN_NONE;
	assert_int_equal(unified(&u, &b), RC_OK);
	qr_scan_text(buf_span(&b), &after);
	assert_true(after.strict && after.dynamic && after.account_count == 1);
	u.token = SPAN("no token");
	assert_int_equal(unified(&u, &b), RC_BAD);
}

static void our_address(void **state)
{
	static const struct {
		const char *text, *token;
	} cases[] = { { "https://pay.example:8443/4k7m2p9q8r3s", "4k7m2p9q8r3s" },
		{ "https://pay.example:8443/a-14?from=wallet", "a-14" },
		{ "https://pay.example:8443/a#b", "a" }, { "https://pay.example:8443/", NULL },
		{ "https://pay.example:8443/a/b", NULL }, { "https://pay.example:84430/a", NULL },
		{ "https://pay.example/a", NULL }, { "https://pay.example:8443.evil/a", NULL } };
	struct span v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_str(cases[i].text);
		qr_scan_text(text, &after);
		assert_int_equal(
			qr_unified_token(&after, text, GUID, ORIGIN, &v), cases[i].token != NULL);
		if (cases[i].token)
			assert_true(span_eq(v, span_str(cases[i].token)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_drawn_or_does_not_fit),
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(amount_and_reference_set),
		cmocka_unit_test(where_things_go),
		cmocka_unit_test(changes_refused),
		cmocka_unit_test(unified_codes),
		cmocka_unit_test(profile_ids),
		cmocka_unit_test(profiles_that_clash),
		cmocka_unit_test(limits),
		cmocka_unit_test(at_most_512),
		cmocka_unit_test(what_is_built_reads_back),
		cmocka_unit_test(our_code),
		cmocka_unit_test(our_address),
	};

	return cmocka_run_group_tests(tests, qr_load, NULL);
}
