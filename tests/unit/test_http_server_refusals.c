/*
 * test_http_server_refusals.c: what is refused before any handler sees it, with which status and in
 * whose words.
 */
#include "http_host.h"

/* What somebody once read in two ways is refused, and nothing behind it is read as a request. */
static void smuggling(void **state)
{
	static const struct {
		const char *text, *status;
	} row[] = {
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
			"400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
			"400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n",
			"400" },
		{ "GET / HTTP/1.1\nHost: a\n\n", "400" },
		{ "GET / HTTP/1.1\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400" },
		{ "GET //evil/x HTTP/1.1\r\nHost: a\r\n\r\n", "400" },
		{ "GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "400" },
		{ "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "505" },
		{ "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501" },
		{ "POST / HTTP/1.1\r\nHost: a\r\n\r\n", "411" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", "413" },
	};
	char text[512];
	struct http_host *h = *state;

	host_start(h);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(text, sizeof text, "%s%s", row[i].text, GET("/smuggled"));
		host_assert_refused(h, text, row[i].status);
	}
	assert_int_equal(hs_stats(h->server)->refused[501 - HS_STATUS_MIN], 2);
	assert_int_equal(hs_stats(h->server)->requests, 0);
}

static void sizes(void **state)
{
	static char text[40000];
	struct http_host *h = *state;
	int n;

	host_start(h);
	n = snprintf(text, sizeof text, "GET /%05000d HTTP/1.1\r\n", 0);
	host_assert_refused(h, text, "414");
	n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %05000d\r\n", 0);
	host_assert_refused(h, text, "431");
	n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 70; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "X%d: y\r\n", i);
	host_assert_refused(h, text, "431");
	/* A body that is small in a thousand chunks is more than is held. */
	n = snprintf(text, sizeof text,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 2000; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "1\r\nx\r\n");
	host_assert_refused(h, text, "413");
}

static void errors_are_problem_documents(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd, "nonsense\r\n\r\n");
	host_hear(h, h->heard.ended);
	assert_non_null(strstr(h->heard.text, "content-type: application/problem+json\r\n"));
	assert_true(host_ends(h, "{\"type\":\"https://switch.example/problems/malformed-request\","
				 "\"title\":\"Bad Request\",\"status\":400,\"retryable\":false}"));
}

static void write_dialect(void *ctx, int status, const char *slug, struct http_out *out)
{
	(void)ctx;
	http_out_header(out, "content-type", SPAN("text/x-dialect"));
	buf_str(&out->body, slug);
	buf_u64(&out->body, (uint64_t)status);
}

static void errors_in_a_dialect(void **state)
{
	struct http_host *h = *state;

	h->conf.write_error = write_dialect;
	host_open(h);
	net_say(h->fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
	host_hear(h, h->heard.ended);
	assert_true(host_ends(h, "\r\n\r\npayload-too-large413"));
}

/* H-6 */
static void host_must_be_ours(void **state)
{
	static const struct span hosts[] = { { "here", 4 }, { "127.0.0.1:99", 12 } };
	struct http_host *h = *state;

	h->conf.hosts = hosts;
	h->conf.host_count = 2;
	host_open(h);
	host_assert_refused(h, "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n", "400");
	net_say(h->fd,
		"GET /a HTTP/1.1\r\nHost: HERE\r\n\r\nGET /b HTTP/1.1\r\nHost: 127.0.0.1:99\r\n\r\n");
	host_hear(h, host_ends(h, "/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_case(smuggling),
		host_case(sizes),
		host_case(errors_are_problem_documents),
		host_case(errors_in_a_dialect),
		host_case(host_must_be_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
