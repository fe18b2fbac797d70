/*
 * test_qr.c: every published payload gives exactly its verdict and its fields, and no payload,
 * however damaged, gives a crash, a half verdict or broken JSON.
 */
#include "qr_vectors.h"

#include "json.h"

static struct qr result;

/* The answer as one text; the vectors' fields are compact JSON with sorted keys, so bytes decide.
 */
static void expected_json(const struct qr_vector *v, struct buf *b)
{
	struct span codes = span_str(strcmp(v->codes, "-") == 0 ? "" : v->codes), code;
	struct jw w = jw_init(b);

	jw_obj(&w, NULL);
	jw_str(&w, "format", span_str(v->format));
	jw_int(&w, "strict", *v->strict == '1');
	jw_int(&w, "accept", *v->accept == '1');
	jw_arr(&w, "codes");
	while (!span_empty(codes) && span_split(&codes, ',', &code))
		jw_str(&w, NULL, code);
	jw_end(&w, ']');
	jw_raw(&w, "fields", span_str(v->fields));
	jw_end(&w, '}');
}

static void vectors_give_their_answers(void **state)
{
	static char got[1 << 16], wanted[1 << 16];

	(void)state;
	assert_true(qr_vector_count >= 269);
	for (size_t i = 0; i < qr_vector_count; i++) {
		struct buf b = buf_init(got, sizeof got), e = buf_init(wanted, sizeof wanted);

		qr_scan_text(qr_vector[i].payload, &result);
		qr_write_json(&b, &result);
		expected_json(&qr_vector[i], &e);
		if (!span_eq(buf_span(&b), buf_span(&e)))
			fail_msg("%s\n got    %.*s\n wanted %.*s", qr_vector[i].id, (int)b.n, b.p,
				(int)e.n, e.p);
	}
}

/* What must hold of any answer whatsoever. */
static void check_sound(const struct qr *q)
{
	static char text[1 << 17], parsed[1 << 20];
	struct buf b = buf_init(text, sizeof text);
	struct arena a = arena_init(parsed, sizeof parsed);
	const struct json *root;
	bool forbidden = false;

	for (size_t i = 0; i < q->finding_count; i++) {
		assert_false(forbidden); /* an E_ is the last */
		forbidden = qr_finding_forbids(q->finding[i]);
	}
	assert_int_equal(q->accept, !forbidden);
	assert_int_equal(q->strict, q->finding_count == 0);
	assert_true(q->field_count <= QR_FIELDS_MAX);
	if (!q->accept) {
		assert_int_equal(q->field_count + q->account_count + q->candidate_count, 0);
		assert_true(money_is_none(q->amount));
		return;
	}
	for (size_t i = 1; i < q->field_count; i++) {
		struct span before = q->field[i - 1].key, key = q->field[i].key;
		size_t n = before.n < key.n ? before.n : key.n;
		int c = memcmp(before.p, key.p, n);

		assert_true(c < 0 || (c == 0 && before.n < key.n));
	}
	qr_write_json(&b, q);
	assert_true(buf_ok(&b));
	assert_int_equal(json_parse(&a, buf_span(&b), &root), RC_OK);
}

/* A copy on the heap of exactly its size, so that a reader one byte too far is seen. */
static void scan_exact(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, p, n);
	qr_scan_text(span_of(copy, n), &result);
	check_sound(&result);
	free(copy);
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < qr_vector_count; i++) {
		for (size_t n = 0; n < qr_vector[i].payload.n; n++)
			scan_exact(qr_vector[i].payload.p, n);
	}
}

static void flip_anywhere(void **state)
{
	static const char values[] = { '0', '-', '\n', '\xe9', '9' };
	char copy[4096];

	(void)state;
	for (size_t i = 0; i < qr_vector_count; i++) {
		struct span p = qr_vector[i].payload;

		assert_true(p.n < sizeof copy);
		memcpy(copy, p.p, p.n);
		for (size_t at = 0; at < p.n; at++) {
			copy[at] = values[(i + at) % sizeof values];
			scan_exact(copy, p.n);
			copy[at] = (char)(p.p[at] ^ 1);
			scan_exact(copy, p.n);
			copy[at] = p.p[at];
		}
	}
}

/* A merchant code survives damage only with a checksum made to fit; so make it fit. */
static void flip_under_a_good_checksum(void **state)
{
	static const char values[] = { '0', '-', 'x', '\xe9', '9' };
	char copy[2048], crc[5];

	(void)state;
	for (size_t i = 0; i < qr_vector_count; i++) {
		struct span p = qr_vector[i].payload;

		if (strcmp(qr_vector[i].format, "emv-mpm") != 0 || p.n < 8)
			continue;
		memcpy(copy, p.p, p.n);
		for (size_t at = 6; at < p.n - 8; at++) {
			copy[at] = values[(i + at) % sizeof values];
			snprintf(crc, sizeof crc, "%04X", qr_slow_crc(copy, p.n - 4));
			memcpy(copy + p.n - 4, crc, 4);
			scan_exact(copy, p.n);
			copy[at] = p.p[at];
		}
	}
}

static void noise(void **state)
{
	static const char *const heads[] = { "", "000201", "BCD\n", "SPC\n", "hQVDUFY",
		"upi://pay?", "https://qr.alipay.com/", "https://x.example/MPM/3/", "C1237856901;",
		"S6Y-" };
	uint64_t seed = 20190610;
	char text[600];

	(void)state;
	for (int turn = 0; turn < 20000; turn++) {
		const char *head = heads[turn % 10];
		size_t n = strlen(head), length = unit_random(&seed) % 500;

		memcpy(text, head, n);
		for (size_t i = 0; i < length; i++) {
			uint64_t r = unit_random(&seed);

			text[n++] = r % 8 ? "0123456789;=&%\n+./-Aa\xc3\xa9"[r / 8 % 23]
					  : (char)(r >> 8);
		}
		scan_exact(text, n);
	}
}

/* Whatever the size, an answer and no more time than the bytes take. */
static void huge(void **state)
{
	static char text[1 << 20];
	static const struct {
		const char *head, *repeated, *finding;
	} cases[] = { { "000201", "5900", "E_SIZE" }, { "BCD\n", "\n1", "E_SIZE" },
		{ "SPC\n", "\n1", "E_SIZE" }, { "hQVDUFY", "A", "E_SIZE" },
		{ "upi://pay?", "a=b&", "E_SIZE" }, { "https://qr.alipay.com/", "a", "E_SIZE" },
		{ "", "7", "E_UNKNOWN" }, { "", "x", "E_UNKNOWN" }, { "", " ", "E_EMPTY" },
		{ "S6Y-", "A", "E_SIZE" }, { "C1237856901;1;", "A", "E_SIZE" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = strlen(cases[i].head), step = strlen(cases[i].repeated);

		memcpy(text, cases[i].head, n);
		for (; n + step < sizeof text; n += step)
			memcpy(text + n, cases[i].repeated, step);
		qr_scan_text(span_of(text, n), &result);
		check_sound(&result);
		assert_string_equal(qr_finding_name(result.finding[result.finding_count - 1]),
			cases[i].finding);
	}
}

/* In an arena that is too small the answer is a refusal, at every size. */
static void small_arenas(void **state)
{
	(void)state;
	for (size_t i = 0; i < qr_vector_count; i += 7) {
		for (size_t cap = 0; cap < 1024; cap += 48) {
			struct arena a = arena_init(qr_arena_storage, cap);

			qr_scan(&a, qr_vector[i].payload, &result);
			check_sound(&result);
			if (!arena_ok(&a))
				assert_false(result.accept);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_give_their_answers),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(flip_anywhere),
		cmocka_unit_test(flip_under_a_good_checksum),
		cmocka_unit_test(noise),
		cmocka_unit_test(huge),
		cmocka_unit_test(small_arenas),
	};

	return cmocka_run_group_tests(tests, qr_load, NULL);
}
