/*
 * test_adapter.c: what all adapters share: the registry, routes, and canonical messages as text.
 */
#include "unit.h"

#include "adapter.h"

static char memory[64 * 1024];

static void registry_knows_names(void **state)
{
	const struct adapter *a = adapter_by_name(SPAN("alipayplus"));

	(void)state;
	assert_non_null(a);
	assert_string_equal(a->name, "alipayplus");
	assert_null(adapter_by_name(SPAN("alipayplu")));
	assert_null(adapter_by_name(SPAN_NONE));
	assert_non_null(adapter_caps(a, OP_DEBIT));
	assert_true(adapter_caps(a, OP_CANCEL)->cancel_undoes);
	assert_null(adapter_caps(a, OP_CAPTURE));
}

/* A made-up adapter: the matching is the same for all. */
static const struct route routes[] = {
	{ "GET", "/v1/things/{id}", OP_READ, 0, .hold_ms = 0 },
	{ "POST", "/v1/things/{id}", OP_CANCEL, 0, .hold_ms = 0 },
	{ "POST", "/v1/{peer}/things/{id}/refunds", OP_REFUND, 0, .hold_ms = 0 },
	{ .method = NULL },
};
static const struct adapter made_up = { .name = "made-up", .routes = routes };

static enum rc route(const char *method, const char *path, struct request *ret, struct buf *methods)
{
	static struct http_msg m;

	m = (struct http_msg){ .method = span_str(method), .path = span_str(path) };
	return adapter_route(&made_up, &m, ret, methods);
}

static void routes_match_segment_by_segment(void **state)
{
	char storage[64];
	struct buf methods = buf_init(storage, sizeof storage);
	struct request rq = { 0 };

	(void)state;
	assert_int_equal(route("POST", "/v1/things/a%2Fb", &rq, &methods), RC_OK);
	assert_int_equal(rq.route->op, OP_CANCEL);
	assert_span(rq.arg[0], "a%2Fb");
	assert_int_equal(methods.n, 0);
	assert_int_equal(route("POST", "/v1/p/things/7/refunds", &rq, &methods), RC_OK);
	assert_span(rq.arg[0], "p");
	assert_span(rq.arg[1], "7");
	assert_int_equal(route("GET", "/v1/things/", &rq, &methods), RC_NOENT);
	assert_int_equal(route("GET", "/v1/things", &rq, &methods), RC_NOENT);
	assert_int_equal(route("GET", "/v1/things/7/", &rq, &methods), RC_NOENT);
	assert_int_equal(route("GET", "/V1/things/7", &rq, &methods), RC_NOENT);
	assert_int_equal(route("GET", "", &rq, &methods), RC_NOENT);
	assert_int_equal(methods.n, 0);
}

static void another_method_names_those_of_the_path(void **state)
{
	char storage[64];
	struct buf methods = buf_init(storage, sizeof storage);
	struct request rq = { 0 };

	(void)state;
	assert_int_equal(route("DELETE", "/v1/things/7", &rq, &methods), RC_NOENT);
	assert_buf(&methods, "GET, POST");
	assert_null(rq.route);
}

static void text_comes_back_as_it_went(void **state)
{
	static const char text[] = "codes[0].text: 2816\ncodes[1].text: 2817\ncounts: {}\n"
				   "dropped[0]: a\ndropped[1]: b\\\\c\\nd\\x01\n"
				   "op: debit\noutcome.at: 2026-01-15T09:30:00.250Z\n"
				   "outcome.reason: insufficient-funds\noutcome.result: declined\n"
				   "payment.amount.currency: NOK\npayment.amount.minor: -8900\n"
				   "quantity: 3\nundo.only_if_open: true\nundo.reason: late\n";
	struct arena a = arena_init(memory, sizeof memory);
	char storage[2048];
	struct buf b = buf_init(storage, sizeof storage);
	Xw__Canonical *m = NULL;
	size_t line = 0;

	(void)state;
	assert_int_equal(canonical_text_read(&a, span_str(text), &m, &line), RC_OK);
	assert_int_equal(m->payment->amount->minor, -8900);
	assert_int_equal(m->outcome->reason, REASON_FUNDS);
	assert_int_equal(m->n_codes, 2);
	assert_string_equal(m->dropped[1], "b\\c\nd\x01");
	canonical_text_write(&b, m);
	assert_buf(&b, text);
}

static void bad_text_names_its_line(void **state)
{
	static const char *const bad[] = { "op: fly", "nothing: 1", "op", "op:debit", "quantity: x",
		"payment.amount.minor: 1.5", "codes[1].text: x", "codes.text: x", "op[0]: debit",
		"payment: 7", "outcome.at: yesterday", "authentic: false", "status: a\\q",
		"payment.amount: {", "status.x: 1", "codes[0: {}" };
	struct arena a;
	Xw__Canonical *m = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char storage[128];
		struct buf b = buf_init(storage, sizeof storage);
		size_t line = 0;

		buf_str(&b, "request_id: 1\n\n");
		buf_str(&b, bad[i]);
		a = arena_init(memory, sizeof memory);
		if (canonical_text_read(&a, buf_span(&b), &m, &line) != RC_BAD || line != 3)
			fail_msg("\"%s\" was taken, or found in line %zu", bad[i], line);
	}
	assert_null(m);
}

static void full_arenas_are_said(void **state)
{
	struct arena a = arena_init(memory, 64);
	Xw__Canonical *m = NULL;
	size_t line = 0;

	(void)state;
	assert_int_equal(canonical_text_read(&a, SPAN("op: debit"), &m, &line), RC_FULL);
	a = arena_init(memory, sizeof(Xw__Canonical) + 32);
	assert_int_equal(canonical_text_read(&a, SPAN("payment.mode: MPM"), &m, &line), RC_FULL);
	assert_null(m);
	assert_null(canonical_problem(&a, OP_DEBIT, REASON_RISK, "no", ""));
	assert_string_equal(canonical_str(&a, SPAN("does not fit any more")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_knows_names),
		cmocka_unit_test(routes_match_segment_by_segment),
		cmocka_unit_test(another_method_names_those_of_the_path),
		cmocka_unit_test(text_comes_back_as_it_went),
		cmocka_unit_test(bad_text_names_its_line),
		cmocka_unit_test(full_arenas_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
