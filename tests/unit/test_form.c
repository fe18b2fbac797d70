/*
 * test_form.c: fields of a form as browsers post them (WHATWG URL,
 * application/x-www-form-urlencoded), and forms that two readers might read in two ways.
 */
#include "unit.h"

#include "form.h"

static char storage[256];

static enum rc get(const char *form, const char *name, struct buf *ret)
{
	*ret = buf_init(storage, sizeof storage);
	return form_get(span_str(form), name, ret);
}

static void fields(void **state)
{
	static const struct {
		const char *form, *name, *value;
	} cases[] = {
		{ "a=1&b=2", "a", "1" },
		{ "a=1&b=2", "b", "2" },
		{ "a=1&b=", "b", "" },
		{ "a=1&b", "b", "" },
		{ "a=x+y", "a", "x y" },
		{ "a=x%2By", "a", "x+y" },
		{ "a=%C3%A4", "a", "\xc3\xa4" },
		{ "a=1=2", "a", "1=2" },
		{ "&&a=1&", "a", "1" },
		{ "%61=1", "a", "1" },
		{ "a+b=1", "a b", "1" },
		{ "x=%zz&a=1", "a", "1" },
		{ "x%z=1&a=1", "a", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;

		assert_int_equal(get(cases[i].form, cases[i].name, &b), RC_OK);
		assert_span(buf_span(&b), cases[i].value);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *form, *name;
		enum rc rc;
	} cases[] = {
		{ "", "a", RC_NOENT },
		{ "b=1", "a", RC_NOENT },
		{ "A=1", "a", RC_NOENT },
		{ "a=1&a=1", "a", RC_BAD },
		{ "a=1&%61=2", "a", RC_BAD },
		{ "a=%", "a", RC_BAD },
		{ "a=%4", "a", RC_BAD },
		{ "a=%4g", "a", RC_BAD },
	};
	struct buf small = buf_init(storage, 3);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b;

		assert_int_equal(get(cases[i].form, cases[i].name, &b), cases[i].rc);
		assert_int_equal(b.n, 0);
	}
	assert_int_equal(form_get(SPAN("a=1234"), "a", &small), RC_FULL);
	assert_int_equal(small.n, 0);
	assert_true(buf_ok(&small));
}

static void only_known(void **state)
{
	static const char *const known[] = { "a", "b", NULL };

	(void)state;
	assert_true(form_only(SPAN(""), known));
	assert_true(form_only(SPAN("b=1&a=2"), known));
	assert_false(form_only(SPAN("b=1&c=2"), known));
	assert_false(form_only(SPAN("b=1&%zz=2"), known));
}

static void what_is_put_is_got(void **state)
{
	char text[128];
	struct buf b = buf_init(text, sizeof text), value;

	(void)state;
	form_put(&b, "a", SPAN("x y&z=\xc3\xa4"));
	form_put(&b, "b c", SPAN(""));
	assert_span(buf_span(&b), "a=x+y%26z%3D%C3%A4&b+c=");
	text[b.n] = '\0';
	assert_int_equal(get(text, "a", &value), RC_OK);
	assert_span(buf_span(&value), "x y&z=\xc3\xa4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(refused),
		cmocka_unit_test(only_known),
		cmocka_unit_test(what_is_put_is_got),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
