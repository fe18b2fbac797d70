/*
 * test_json.c: what is refused, what reads as what, and that a full arena is never a success.
 */
#include "unit.h"

#include "json.h"

static char memory[1 << 20] __attribute__((aligned(16)));
static struct arena arena;

static enum rc parse(struct span text, const struct json **ret)
{
	arena = arena_init(memory, sizeof memory);
	return json_parse(&arena, text, ret);
}

static const struct json *parsed(const char *text)
{
	const struct json *v = NULL;

	if (parse(span_str(text), &v) != RC_OK)
		fail_msg("refused: %s", text);
	return v;
}

/* What other JSON libraries were seen to take, change or cut; and the grammar's own edges. */
static void refuses(void **state)
{
	static const char *const bad[] = {
		"{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"x\":{\"a\":1,\"a\":1}}",
		"{\"a\":9223372036854775808}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"\\u0000\":1}",
		"{\"a\":01}",
		"{\"a\":-01}",
		"{\"a\":\"x\ny\"}",
		"{\"a\":\"\t\"}",
		"{\"a\":1e999}",
		"{/* no */\"a\":1}",
		"{\"a\":1}//",
		"\xef\xbb\xbf{\"a\":1}",
		"",
		" ",
		"null",
		"1",
		"\"a\"",
		"true",
		"{",
		"}",
		"]",
		"{]",
		"[}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"[1,]",
		"{a:1}",
		"{'a':1}",
		"{\"a\":+1}",
		"{\"a\":.5}",
		"{\"a\":5.}",
		"{\"a\":NaN}",
		"{\"a\":Infinity}",
		"{\"a\":0x10}",
		"{\"a\":tru}",
		"{\"a\":\"\\x41\"}",
		"{\"a\":1}x",
		"{\"a\":1}{}",
		"{\"a\":1} \x01",
		"{\"a\" 1}",
		"[1 2]",
		"\"",
		"{\"a",
		"{\"a\\",
	};
	const struct json *v = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (parse(span_str(bad[i]), &v) != RC_BAD)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(parse(span_of("{\"a\":\"\0\"}", 9), &v), RC_BAD);
	assert_int_equal(parse(span_of("{\"a\":1}\0", 8), &v), RC_BAD);
	assert_int_equal(parse(SPAN_NONE, &v), RC_BAD);
	assert_null(v);
}

static void reads_values(void **state)
{
	const struct json *v = parsed(
		" {\"s\":\"caf\\u00e9 \\ud83d\\ude00\\/\\n\",\"n\":9007199254740993,"
		"\"min\":-9223372036854775808,\"r\":10.10,\"e\":1e2,\"t\":true,"
		"\"f\":false,\"ts\":\"true\",\"z\":null,\"empty\":\"\","
		"\"o\":{\"p\":{\"q\":\"deep\"}},\"a\":[\"x\",2,null,{\"y\":3}]}\r\n");
	struct span s = SPAN("untouched");
	int64_t n = -1;
	bool b = false;

	(void)state;
	assert_true(json_str(v, "s", &s));
	assert_span(s, "caf\xc3\xa9 \xf0\x9f\x98\x80/\n");
	assert_true(json_int(v, "n", &n));
	assert_true(n == INT64_C(9007199254740993));
	assert_true(json_int(v, "min", &n));
	assert_true(n == INT64_MIN);
	assert_true(json_str(v, "o.p.q", &s));
	assert_span(s, "deep");
	assert_true(json_str(v, "empty", &s));
	assert_span(s, "");
	assert_true(json_bool(v, "t", &b) && b);
	assert_true(json_bool(v, "f", &b) && !b);
	assert_true(json_bool(v, "ts", &b) && b);
	assert_int_equal(json_count(json_get(v, "a")), 4);
	assert_true(json_str(json_at(json_get(v, "a"), 0), "", &s));
	assert_span(s, "x");
	assert_true(json_int(json_at(json_get(v, "a"), 3), "y", &n) && n == 3);
	assert_null(json_at(json_get(v, "a"), 2));
	assert_null(json_at(json_get(v, "a"), 4));
	assert_true(json_is_object(v) && json_is_array(json_get(v, "a")));
	assert_true(json_is_string(json_get(v, "s")) && json_is_int(json_get(v, "n")));
	assert_true(json_is_bool(json_get(v, "f")) && !json_is_int(json_get(v, "r")));
}

/* Wrong types, nulls and missing members read as nothing, and change nothing. */
static void walks_members_in_their_order(void **state)
{
	const struct json *v = parsed("{\"b\":1,\"a.c\":\"x\",\"z\":null}"), *member = NULL;
	struct span s;

	(void)state;
	assert_string_equal(json_member(v, 0, &member), "b");
	assert_true(json_is_int(member));
	assert_string_equal(json_member(v, 1, &member), "a.c");
	assert_true(json_str(member, "", &s));
	assert_span(s, "x");
	assert_string_equal(json_member(v, 2, &member), "z");
	assert_null(member);
	assert_null(json_member(v, 3, &member));
	assert_null(json_member(parsed("[1]"), 0, &member));
	assert_null(json_member(NULL, 0, &member));
}

static void reads_nothing_where_nothing_is(void **state)
{
	const struct json *v = parsed(
		"{\"s\":\"x\",\"n\":1,\"r\":10.10,\"z\":null,\"a\":[1],\"o\":{}}");
	static const char *const no_string[] = { "n", "r", "z", "a", "o", "none", "s.x", "z.x",
		"a.0", "none.x", ".", "s.", ".s" };
	static const char *const no_int[] = { "s", "r", "z", "a", "o", "none" };
	struct span s = SPAN("kept");
	int64_t n = 7;
	bool b = true;

	(void)state;
	for (size_t i = 0; i < sizeof no_string / sizeof no_string[0]; i++)
		assert_false(json_str(v, no_string[i], &s));
	for (size_t i = 0; i < sizeof no_int / sizeof no_int[0]; i++) {
		assert_false(json_int(v, no_int[i], &n));
		assert_false(json_bool(v, no_int[i], &b));
	}
	assert_false(json_bool(v, "n", &b));
	assert_null(json_get(v, "z"));
	assert_null(json_get(NULL, "z"));
	assert_false(json_str(NULL, "", &s));
	assert_int_equal(json_count(v), 0);
	assert_null(json_at(v, 0));
	assert_span(s, "kept");
	assert_int_equal(n, 7);
	assert_true(b);
}

/* Numbers and truth values that partners send where their documents say string; never a real (N-2).
 */
static void text_of_natives(void **state)
{
	const struct json *v = parsed(
		"{\"s\":\"1234\",\"n\":1234,\"neg\":-5,\"t\":true,\"f\":false,"
		"\"r\":10.10,\"z\":null,\"a\":[]}");
	struct span s = SPAN_NONE;

	(void)state;
	assert_true(json_text(&arena, v, "s", &s));
	assert_span(s, "1234");
	assert_true(json_text(&arena, v, "n", &s));
	assert_span(s, "1234");
	assert_true(json_text(&arena, v, "neg", &s));
	assert_span(s, "-5");
	assert_true(json_text(&arena, v, "t", &s));
	assert_span(s, "true");
	assert_true(json_text(&arena, v, "f", &s));
	assert_span(s, "false");
	assert_false(json_text(&arena, v, "r", &s));
	assert_false(json_text(&arena, v, "z", &s));
	assert_false(json_text(&arena, v, "a", &s));
	assert_span(s, "false");
	arena.used = arena.cap;
	assert_false(json_text(&arena, v, "n", &s));
	assert_false(arena_ok(&arena));
}

static void unknown_members(void **state)
{
	static const char *const known[] = { "a", "b", NULL };

	(void)state;
	assert_null(json_unknown(parsed("{\"b\":1,\"a\":2}"), known));
	assert_null(json_unknown(parsed("{}"), known));
	assert_null(json_unknown(parsed("[\"c\"]"), known));
	assert_string_equal(json_unknown(parsed("{\"a\":1,\"c\":1,\"d\":1}"), known), "c");
}

static void repeat(struct buf *b, const char *text, int times)
{
	while (times--)
		buf_str(b, text);
}

static void bounds_depth_and_members(void **state)
{
	static char text[1 << 18];
	struct buf b = buf_init(text, sizeof text);
	const struct json *v;

	(void)state;
	repeat(&b, "[", 16);
	repeat(&b, "]", 16);
	assert_int_equal(parse(buf_span(&b), &v), RC_OK);
	b = buf_init(text, sizeof text);
	repeat(&b, "[", 17);
	repeat(&b, "]", 17);
	assert_int_equal(parse(buf_span(&b), &v), RC_BAD);
	b = buf_init(text, sizeof text);
	repeat(&b, "[", 10000);
	assert_int_equal(parse(buf_span(&b), &v), RC_BAD);
	b = buf_init(text, sizeof text); /* many beside one another are not deep */
	buf_str(&b, "[{}");
	repeat(&b, ",{\"a\":[]}", 300);
	buf_str(&b, "]");
	assert_int_equal(parse(buf_span(&b), &v), RC_OK);
	/* Brackets in strings are text, also behind an escaped quote. */
	assert_int_equal(parse(SPAN("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[\\\\\"]"), &v), RC_OK);
	for (int members = 256; members <= 257; members++) {
		b = buf_init(text, sizeof text);
		buf_str(&b, "{\"x\":{\"y\":0}");
		for (int i = 1; i < members; i++) {
			buf_str(&b, ",\"k");
			buf_i64(&b, i);
			buf_str(&b, "\":\":::\"");
		}
		buf_str(&b, "}");
		assert_int_equal(parse(buf_span(&b), &v), members == 256 ? RC_OK : RC_BAD);
	}
}

static const char message[] =
	"{\"paymentRequestId\":\"SW20260115000001\",\"order\":{\"referenceOrderId\":\"R-77\","
	"\"orderDescription\":\"Kaffe og bolle \\u00e6\\u00f8\\u00e5 \\\"\\\\\\/\",\"orderAmount\":"
	"{\"currency\":\"NOK\",\"value\":\"8900\"}},\"paymentAmount\":{\"currency\":\"NOK\",\"value\":"
	"8900},\"flags\":[true,false,null,\"\\ud83d\\ude00 and a string that makes the buffer grow\"],"
	"\"settlementStrategy\":{\"settlementCurrency\":\"EUR\"}}";

static void check_message(const struct json *v)
{
	struct span s;
	int64_t n;

	assert_true(json_str(v, "paymentRequestId", &s));
	assert_span(s, "SW20260115000001");
	assert_true(json_str(v, "order.referenceOrderId", &s));
	assert_span(s, "R-77");
	assert_true(json_str(v, "order.orderDescription", &s));
	assert_span(s, "Kaffe og bolle \xc3\xa6\xc3\xb8\xc3\xa5 \"\\/");
	assert_true(json_str(v, "order.orderAmount.value", &s));
	assert_span(s, "8900");
	assert_true(json_int(v, "paymentAmount.value", &n) && n == 8900);
	assert_int_equal(json_count(json_get(v, "flags")), 4);
	assert_true(json_str(json_at(json_get(v, "flags"), 3), "", &s));
	assert_span(s, "\xf0\x9f\x98\x80 and a string that makes the buffer grow");
	assert_true(json_str(v, "settlementStrategy.settlementCurrency", &s));
	assert_span(s, "EUR");
}

/* Found by fuzzing: out of memory inside a long number ends a process that lets jansson see it. */
static void full_is_survived_anywhere(void **state)
{
	static const char *const texts[] = {
		"[1000000000000000000000000000000000000000000000000000000.5]",
		"[10000000000000000e100000000000000000000000000000000000000000]",
		"[-000000000000000000000000000000000000000000000000000000000000]",
		"[\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"]",
		"[ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt]",
		"[ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc+e",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (size_t cap = 0; cap <= 2048; cap++) {
			struct arena a = arena_init(memory, cap);
			const struct json *v = NULL;
			enum rc rc = json_parse(&a, span_str(texts[i]), &v);

			assert_int_equal(rc == RC_FULL, !arena_ok(&a));
		}
	}
}

/* At every size of the arena: full, or right. jansson alone drops characters and says all is well.
 */
static void full_is_never_success(void **state)
{
	size_t first_ok = 0;

	(void)state;
	for (size_t cap = 0; cap <= 16384; cap++) {
		/* At the very end of the memory, so that the sanitizer sees one byte too many. */
		struct arena a = arena_init(
			memory + sizeof memory - (cap & ~(size_t)15), cap & ~(size_t)15);
		const struct json *v = NULL;
		enum rc rc = json_parse(&a, span_str(message), &v);

		if (rc == RC_OK) {
			assert_true(arena_ok(&a));
			check_message(v);
			first_ok = first_ok ? first_ok : cap;
		} else {
			assert_int_equal(rc, RC_FULL);
			assert_null(v);
			assert_int_equal(first_ok, 0); /* more room is never worse */
		}
	}
	assert_true(first_ok > 1000);
	struct arena spent = arena_init(memory, 64);
	const struct json *v = NULL;

	spent.over = true;
	assert_int_equal(json_parse(&spent, SPAN("[]"), &v), RC_FULL);
}

/* N-4: eight times the body is what a parse may use; the densest text does not fit, nor break out.
 */
static void dense_text_fits_or_is_full(void **state)
{
	static const char *const shapes[] = { "[],", "{},", "0,", "\"\",", "\"a\",", "{\"a\":0}," };
	static char text[65536];

	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		struct buf b = buf_init(text, sizeof text);
		const struct json *v;

		buf_ch(&b, '[');
		while (b.n + strlen(shapes[i]) + 2 < sizeof text)
			buf_str(&b, shapes[i]);
		buf_str(&b, "0]");
		arena = arena_init(memory, 8 * sizeof text);
		enum rc rc = json_parse(&arena, buf_span(&b), &v);

		assert_true(rc == RC_OK || rc == RC_FULL);
	}
}

static void writes(void **state)
{
	char storage[512];
	struct buf b = buf_init(storage, sizeof storage);
	struct jw w = jw_init(&b);
	const struct json *v;

	(void)state;
	jw_obj(&w, NULL);
	jw_str(&w, "s", SPAN("a\"\\/\b\f\n\r\t\x01\x1f\x7f \xc3\xb8"));
	jw_opt(&w, "left out", SPAN(""));
	jw_opt(&w, "o", SPAN("x"));
	jw_int(&w, "n", INT64_MIN);
	jw_arr(&w, "a");
	jw_int(&w, NULL, 1);
	jw_obj(&w, NULL);
	jw_end(&w, '}');
	jw_arr(&w, NULL);
	jw_end(&w, ']');
	jw_bool(&w, NULL, false);
	jw_end(&w, ']');
	jw_bool(&w, "b", true);
	jw_raw(&w, "r", SPAN("{\"x\":1}"));
	jw_obj(&w, "\"k\"");
	jw_end(&w, '}');
	jw_end(&w, '}');
	assert_buf(&b,
		"{\"s\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xb8\",\"o\":\"x\","
		"\"n\":-9223372036854775808,\"a\":[1,{},[],false],\"b\":true,\"r\":{\"x\":1},"
		"\"\\\"k\\\"\":{}}");
	assert_int_equal(parse(buf_span(&b), &v), RC_OK);
	b = buf_init(storage, 8);
	w = jw_init(&b);
	jw_str(&w, NULL, SPAN("too long for it"));
	assert_false(buf_ok(&b));
}

static void invalid_text_is_replaced(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = { { "\xff", "\"\xef\xbf\xbd\"" }, { "a\xc3", "\"a\xef\xbf\xbd\"" },
		{ "\x80\x80z", "\"\xef\xbf\xbd\xef\xbf\xbdz\"" },
		{ "\xc3\xb8\xc0\"", "\"\xc3\xb8\xef\xbf\xbd\\\"\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[64];
		struct buf b = buf_init(storage, sizeof storage);
		struct jw w = jw_init(&b);

		jw_str(&w, NULL, span_str(cases[i].in));
		assert_buf(&b, cases[i].out);
	}
}

/* Whatever bytes are written as a string, they are read back, or as U+FFFD. */
static void strings_both_ways(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char bytes[24], storage[256];
		size_t n = 1 + unit_random(&seed) % sizeof bytes;
		struct buf b = buf_init(storage, sizeof storage);
		struct jw w = jw_init(&b);
		const struct json *v;
		struct span s;

		for (size_t k = 0; k < n; k++)
			bytes[k] = (char)(unit_random(&seed) % (i % 2 ? 0x7f : 0xff) + 1);
		jw_arr(&w, NULL);
		jw_str(&w, NULL, span_of(bytes, n));
		jw_end(&w, ']');
		assert_true(buf_ok(&b));
		assert_int_equal(parse(buf_span(&b), &v), RC_OK);
		assert_true(json_str(json_at(v, 0), "", &s));
		if (span_is_utf8(span_of(bytes, n)))
			assert_true(span_eq(s, span_of(bytes, n)));
		else
			assert_true(span_find_span(s, SPAN("\xef\xbf\xbd")) < s.n);
	}
}

/* What was written, digit by digit, where json_parse would make a real of it. */
static void decimals_are_kept_as_written(void **state)
{
	static const char *const bad[] = { "[01.5]", "[1.]", "[-.5]", "[1.5.5]", "[1.5",
		"[1.5 1.5]", "{1.5:1}", "[+1.5]" };
	struct arena a = arena_init(memory, sizeof memory);
	const struct json *v;
	struct span s;
	int64_t n;

	(void)state;
	assert_int_equal(json_parse_decimals(&a,
				 SPAN("{\"a\":100.00,\"b\":[0.10,-3.5],\"c\":7,"
				      "\"d\":\"say \\\"1.5\\\"\",\"e\":1.5e3,\"f\":1.0}"),
				 &v),
		RC_OK);
	assert_true(json_str(v, "a", &s));
	assert_span(s, "100.00");
	assert_true(json_str(json_at(json_get(v, "b"), 0), "", &s));
	assert_span(s, "0.10");
	assert_true(json_str(json_at(json_get(v, "b"), 1), "", &s));
	assert_span(s, "-3.5");
	assert_true(json_int(v, "c", &n) && n == 7);
	assert_true(json_str(v, "d", &s));
	assert_span(s, "say \"1.5\"");
	assert_false(json_text(&a, v, "e", &s)); /* a real still */
	assert_true(json_str(v, "f", &s));
	assert_span(s, "1.0");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(json_parse_decimals(&a, span_str(bad[i]), &v), RC_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(walks_members_in_their_order),
		cmocka_unit_test(reads_nothing_where_nothing_is),
		cmocka_unit_test(text_of_natives),
		cmocka_unit_test(unknown_members),
		cmocka_unit_test(bounds_depth_and_members),
		cmocka_unit_test(full_is_never_success),
		cmocka_unit_test(full_is_survived_anywhere),
		cmocka_unit_test(dense_text_fits_or_is_full),
		cmocka_unit_test(writes),
		cmocka_unit_test(invalid_text_is_replaced),
		cmocka_unit_test(strings_both_ways),
		cmocka_unit_test(decimals_are_kept_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
