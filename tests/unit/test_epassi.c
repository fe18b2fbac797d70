/*
 * test_epassi.c: the adapter and the fake face to face, a user's browser between them: every way in
 * which a browser goes or does not go, what the switch then knows, and what the fake's book says.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "site", "10001" },
	{ "key", "K1EXAMPLEKEY" },
	{ "form_url", "https://partner.example/e_payments/v2" },
	{ NULL, NULL },
};

#define ID "01kf0hj08028t5cy4tqkff04hm"

static struct dialogue *d;
/* What the switch heard, and in what state it holds the payment. */
static struct {
	int believed, refused, hints;
	char request_id[65], peer_id[65];
	const char *status;
} heard;
static char page[8192];

/* The switch: the adapter's own pages over a record that says `heard.status`. */
static void serve(void *ctx, const struct http_msg *m, struct http_out *ret)
{
	char text[1024], storage[64];
	struct buf methods = buf_init(storage, sizeof storage);
	Xw__Canonical *c, *reply;
	struct request rq;
	size_t line;
	enum rc rc;

	(void)ctx;
	arena_reset(&d->arena);
	d->env.now = d->w->host.now;
	assert_int_equal(adapter_route(d->adapter, m, &rq, &methods), RC_OK);
	rc = d->adapter->read_request(&d->env, &rq, &c);
	if (rc == RC_OK && c->op == OP_PUSH && c->authentic) {
		heard.believed++;
		heard.status = "PAID";
		snprintf(heard.request_id, sizeof heard.request_id, "%s", c->request_id);
		snprintf(heard.peer_id, sizeof heard.peer_id, "%s", c->peer_id);
		assert_int_equal(c->outcome->result, OUTCOME_APPROVED);
	} else if (rc == RC_OK && c->op == OP_PUSH) {
		heard.hints++;
		assert_int_equal(c->outcome->result, OUTCOME_UNKNOWN);
	} else if (rc != RC_OK) {
		heard.refused++;
	}
	snprintf(text, sizeof text,
		"op: read\nanswer: true\nobject_id: " ID "\nrequest_id: " ID "\nstatus: %s\n"
		"outcome.result: %s\norder.merchant.name: Bar\npayment.amount.minor: 1250\n"
		"payment.amount.currency: EUR\npayment.expires: 2026-01-15T09:40:00Z\n",
		heard.status, strcmp(heard.status, "PAID") == 0 ? "approved" : "pending");
	assert_int_equal(canonical_text_read(&d->arena, span_str(text), &reply, &line), RC_OK);
	d->adapter->write_reply(&d->env, &rq, rc == RC_OK ? reply : c, ret);
	assert_true(buf_ok(&ret->body));
	assert_true(span_to_cstr(buf_span(&ret->body), page, sizeof page));
}

static int setup(void **state)
{
	(void)state;
	memset(&heard, 0, sizeof heard);
	heard.status = "PENDING";
	d = dialogue_new("epassi", settings);
	d->w->serve = serve;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

static void control(const char *command)
{
	char answer[2048];

	assert_span(fakeworld_control(d->w, command, answer, sizeof answer), "{\"ok\":true}");
}

/* The user follows what the till shows. */
static void browse(const char *behaviour)
{
	char command[512];
	const Xw__Canonical *m = dialogue_call(d,
		"op: debit\nrequest_id: " ID
		"\npayment.amount.minor: 1250\npayment.amount.currency: EUR\n");

	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_string_equal(m->action_url, "https://switch.example/forms/epassi/epassi/" ID);
	snprintf(command, sizeof command,
		"{\"do\":\"browse\",\"url\":\"%s\",\"behaviour\":\"%s\",\"ms\":500}", m->action_url,
		behaviour);
	control(command);
	fakeworld_run(d->w, 2000);
}

static void assert_book(int taken)
{
	char line[512], expected[64];

	assert_true(fakeworld_book(d->w, 0, line, sizeof line));
	snprintf(expected, sizeof expected, "\"currency\":\"EUR\",\"taken\":%d,\"returned\":0",
		taken);
	assert_non_null(strstr(line, expected));
	assert_non_null(strstr(line, "\"id\":\"" ID "\""));
	assert_false(fakeworld_book(d->w, 1, line, sizeof line));
}

static void assert_shown(const char *text)
{
	char answer[4096];
	struct span s = fakeworld_control(d->w, "{\"do\":\"show\"}", answer, sizeof answer);

	if (span_find_span(s, span_str(text)) == s.n)
		fail_msg("%.*s does not say: %s", (int)s.n, s.p, text);
}

static void pays(void **state)
{
	(void)state;
	browse("pay");
	assert_int_equal(heard.believed, 2); /* by the browser, and by their server */
	assert_int_equal(heard.refused, 0);
	assert_string_equal(heard.request_id, ID);
	assert_true(heard.peer_id[0]);
	assert_book(1250);
	assert_shown("Paid. You can close this page.");
}

static void pays_and_goes(void **state)
{
	(void)state;
	browse("pay-and-go");
	assert_int_equal(heard.believed, 1);
	assert_book(1250);
}

static void says_no(void **state)
{
	(void)state;
	browse("cancel");
	assert_int_equal(heard.believed, 0);
	assert_int_equal(heard.hints, 1);
	assert_book(0);
	assert_shown("Not paid yet.");
	browse("pay"); /* what was left at ePassi is over there */
	assert_int_equal(heard.believed, 0);
	assert_book(0);
}

static void leaves(void **state)
{
	(void)state;
	browse("leave");
	assert_int_equal(heard.believed + heard.hints + heard.refused, 0);
	assert_book(0);
	browse("pay"); /* and comes back */
	assert_int_equal(heard.believed, 2);
	assert_book(1250);
}

/* Who comes too late finds no form, and nothing reaches ePassi. */
static void comes_too_late(void **state)
{
	char line[512];

	(void)state;
	heard.status = "UNDOING";
	browse("pay");
	assert_false(fakeworld_book(d->w, 0, line, sizeof line));
	assert_shown("This payment is closed.");
	heard.status = "PENDING";
	fakeworld_run(d->w, 600000);
	browse("pay");
	assert_false(fakeworld_book(d->w, 0, line, sizeof line));
}

static void lies_are_not_believed(void **state)
{
	static const char *const lies[] = { "bad-signature", "unsigned" };

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		char command[128];

		control("{\"do\":\"reset\"}");
		memset(&heard, 0, sizeof heard);
		heard.status = "PENDING";
		control("{\"do\":\"misbehave\",\"op\":\"notify\",\"how\":\"silent\"}");
		snprintf(command, sizeof command,
			"{\"do\":\"misbehave\",\"op\":\"return\",\"how\":\"%s\"}", lies[i]);
		control(command);
		browse("pay");
		assert_int_equal(heard.believed, 0);
		assert_int_equal(heard.refused, 1);
		assert_book(1250);
	}
}

/* Signed, but of another payment: it names that one, and no other. */
static void another_payment(void **state)
{
	(void)state;
	control("{\"do\":\"misbehave\",\"op\":\"notify\",\"how\":\"silent\"}");
	control("{\"do\":\"misbehave\",\"op\":\"return\",\"how\":\"wrong-id\"}");
	browse("pay");
	assert_int_equal(heard.believed, 1);
	assert_string_not_equal(heard.request_id, ID);
}

static void told_twice(void **state)
{
	(void)state;
	control("{\"do\":\"misbehave\",\"op\":\"notify\",\"how\":\"twice\"}");
	browse("pay");
	assert_int_equal(heard.believed, 3);
	assert_book(1250);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(pays),
		T(pays_and_goes),
		T(says_no),
		T(leaves),
		T(comes_too_late),
		T(lies_are_not_believed),
		T(another_payment),
		T(told_twice),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
