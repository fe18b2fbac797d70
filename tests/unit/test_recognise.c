/*
 * test_recognise.c: what the rules of a scheme say of a scanned text, beside the recognition table.
 */
#include "unit.h"

#include "qr.h"
#include "recognise.h"

#define SCHEME "alipay-plus-order"

static struct rules rules;
static struct peer peers[2] = { { .number = 10, .name = "acqp" },
	{ .number = 11, .name = "mpp", .code_rules = SCHEME } };
static struct snapshot sn = { .peer = peers, .peer_count = 2 };

static void add(uint16_t peer, uint16_t number, const char *pattern, bool refused, bool page)
{
	struct rule r = { .peer = peer, .number = number, .refused = refused, .page = page };

	assert_true(span_to_cstr(span_str(pattern), r.pattern, sizeof r.pattern));
	assert_true(rules_add(&rules, &r));
}

static struct recognised recognised(const char *text)
{
	static char memory[QR_ARENA_BYTES * 2];
	struct arena a = arena_init(memory, sizeof memory);
	struct recognised r;

	assert_true(recognise(
		&a, span_str(text), SPAN("org.example"), SPAN("https://pay.example"), &r));
	recognise_by_rules(&sn, &rules, span_str(text), &r);
	return r;
}

static int set_up(void **state)
{
	(void)state;
	rules.count = 0;
	add(11, 1, "^https://shop\\.example/pay/\\d+$", false, false);
	add(11, 2, "^https://shop\\.example/menu/", false, true);
	add(11, 3, "^https://qr\\.alipayplus\\.com/", true, false);
	add(11, 4, "^https://(shop|qr)\\.", false, false);
	add(10, 1, "^https://other\\.example/", false, false);
	return 0;
}

static void known_by_a_rule_alone(void **state)
{
	struct recognised r = recognised("https://shop.example/pay/77");

	(void)state;
	assert_int_equal(r.scheme_count, 1);
	assert_string_equal(r.scheme[0], SCHEME);
	assert_int_equal(r.rule_count, 1);
	assert_int_equal(r.rule[0]->number, 1);
	assert_null(recognise_refusal(&r));
}

static void the_first_rule_decides(void **state)
{
	struct recognised page = recognised("https://shop.example/menu/7");
	struct recognised refused = recognised("https://qr.alipayplus.com/281666040393abcdef");

	(void)state;
	assert_int_equal(page.scheme_count, 0);
	assert_int_equal(page.rule[0]->number, 2);
	assert_non_null(strstr(recognise_refusal(&page), "a page"));
	assert_int_equal(refused.scheme_count, 0); /* which the table has */
	assert_int_equal(refused.rule[0]->number, 3);
	assert_non_null(strstr(recognise_refusal(&refused), "does not take it"));
}

static void beside_the_table(void **state)
{
	struct recognised r = recognised("https://qr.vipps.no/28/2/01/031/4790000001");

	(void)state; /* the table first, the scheme's rule behind it */
	assert_int_equal(r.scheme_count, 2);
	assert_string_equal(r.scheme[0], "vipps");
	assert_string_equal(r.scheme[1], SCHEME);
	assert_int_equal(r.rule[0]->number, 4);
}

static void of_who_is_not_asked(void **state)
{
	struct recognised r = recognised("https://other.example/1");

	(void)state; /* he has rules in the ledger, and is configured without */
	assert_int_equal(r.scheme_count, 0);
	assert_int_equal(r.rule_count, 0);
	assert_null(recognise_refusal(&r));
}

static void no_more_than_there_is_room_for(void **state)
{
	struct rule bad = { .peer = 11, .number = 9, .pattern = "(" }, good = { .pattern = "a" };

	(void)state;
	assert_false(rules_add(&rules, &bad));
	while (rules.count < MSG_RULES_MAX)
		assert_true(rules_add(&rules, &good));
	assert_false(rules_add(&rules, &good));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(known_by_a_rule_alone, set_up),
		cmocka_unit_test_setup(the_first_rule_decides, set_up),
		cmocka_unit_test_setup(beside_the_table, set_up),
		cmocka_unit_test_setup(of_who_is_not_asked, set_up),
		cmocka_unit_test_setup(no_more_than_there_is_room_for, set_up),
	};

	return cmocka_run_group_tests_name("recognise", tests, NULL, NULL);
}
