/*
 * test_csv.c: comma separated values, by the examples of RFC 4180 and by texts that two readers
 * would split in two ways.
 */
#include "unit.h"

#include "csv.h"

static char memory[4096] __attribute__((aligned(16)));

/* The fields of all records as "a|b;c|d;"; NULL: refused, on the line that is in *ret_line. */
static const char *read(struct span text, int *ret_line)
{
	static char out[512];
	struct arena a = arena_init(memory, sizeof memory);
	struct csv c = csv_init(&a, text);
	struct buf b = buf_init(out, sizeof out - 1);
	enum rc rc;

	while ((rc = csv_next(&c)) == RC_OK) {
		for (size_t i = 0; i < c.count; i++) {
			buf_str(&b, i ? "|" : "");
			buf_add(&b, c.field[i]);
		}
		buf_ch(&b, ';');
	}
	*ret_line = c.line;
	out[b.n] = '\0';
	return rc == RC_NOENT ? out : NULL;
}

static void records(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "a,b\r\nc,d\r\n", "a|b;c|d;" },
		{ "a,b\nc,d", "a|b;c|d;" },
		{ "\"a\",\"b,c\"\n", "a|b,c;" },
		{ "\"a\"\"b\"\n", "a\"b;" },
		{ "\"\"\"\"\n", "\";" },
		{ "\"a\nb\",c\n", "a\nb|c;" },
		{ ",\n", "|;" },
		{ "\n", ";" },
		{ "\"\"\n", ";" },
		{ "\xef\xbb\xbfhead\n", "head;" },
		{ " a , b \n", " a | b ;" },
	};
	int line;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = read(span_str(cases[i].text), &line);
		assert_non_null(got);
		assert_string_equal(got, cases[i].want);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		int line;
	} cases[] = {
		{ "a\"b\n", 1 },
		{ "a\n\"b", 2 },
		{ "a\n\"b\"c\n", 2 },
		{ "a\rb\n", 1 },
		{ "\"x\ny\"\nb\xff\n", 3 },
		{ "a\n\n\"", 3 },
	};
	int line;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(read(span_str(cases[i].text), &line));
		assert_int_equal(line, cases[i].line);
	}
	assert_null(read(SPAN("a\0b\n"), &line));
}

static void what_is_written_is_read(void **state)
{
	static const char *const fields[] = { "", "a", "a,b", "\"", "x\ny", "\r\n", " ", "\"\"",
		"\xef\xbb\xbf" "a" };
	enum { N = sizeof fields / sizeof fields[0] };
	struct arena a = arena_init(memory, sizeof memory);
	char text[256];
	struct buf b = buf_init(text, sizeof text);
	struct csv c;

	(void)state;
	for (size_t first = 0; first < N; first++) {
		for (size_t i = 0; i <= first; i++)
			csv_put(&b, span_str(fields[i == 0 ? first : i - 1]));
		csv_end(&b);
		c = csv_init(&a, buf_span(&b));
		assert_int_equal(csv_next(&c), RC_OK);
		assert_int_equal(c.count, first + 1);
		for (size_t i = 0; i <= first; i++)
			assert_span(c.field[i], fields[i == 0 ? first : i - 1]);
		assert_int_equal(csv_next(&c), RC_NOENT);
		buf_reset(&b);
	}
}

static void too_much(void **state)
{
	struct arena tiny = arena_init(memory, 16);
	struct csv c = csv_init(&tiny, SPAN("\"aaaaaaaaaaaaaaaaaaaaaaaaa\"\"\"\n"));
	char commas[CSV_FIELDS_MAX + 1];

	(void)state;
	assert_int_equal(csv_next(&c), RC_FULL);
	memset(commas, ',', sizeof commas);
	c = csv_init(&tiny, span_of(commas, sizeof commas));
	assert_int_equal(csv_next(&c), RC_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records),
		cmocka_unit_test(refused),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
