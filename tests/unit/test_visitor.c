/*
 * test_visitor.c: who may ask on the operators' listener: requests as programs send them, and as
 * browsers do for pages of others (Fetch Standard: Origin; Fetch Metadata: Sec-Fetch-Site).
 */
#include "unit.h"

#include "visitor.h"

static const char *const names[] = { "switch.internal" };

static const char *judge(const char *method, const char *host, const char *more)
{
	static char text[1024];
	struct http_msg m;
	size_t used;
	bool head_done;
	int status;

	snprintf(text, sizeof text,
		"%s /reload HTTP/1.1\r\nHost: %s\r\n%sContent-Length: 0\r\n\r\n", method, host,
		more);
	assert_int_equal(http1_read_request(text, strlen(text), &http1_limits_default, &m, &used,
				 &status, &head_done),
		RC_OK);
	return visitor_refused(&m, names, 1);
}

static void programs(void **state)
{
	static const char *const hosts[] = { "127.0.0.1:9100", "127.0.0.1", "10.1.2.3:9100",
		"[::1]:9100", "[2001:db8::1]", "localhost:9100", "LOCALHOST",
		"switch.internal:9100", "Switch.Internal" };

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		assert_null(judge("GET", hosts[i], ""));
		assert_null(judge("POST", hosts[i], ""));
	}
	assert_null(judge("GET", "localhost", "Sec-Fetch-Site: none\r\n")); /* typed in */
}

static void names_of_others(void **state)
{
	static const char *const hosts[] = { "evil.example", "evil.example:9100",
		"127.0.0.1.evil.example", "localhost.evil.example", "switch.internal.evil.example",
		"127.0.0.1.:9100", "1.2.3" };

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		assert_non_null(judge("GET", hosts[i], ""));
}

static void pages_of_others(void **state)
{
	static const char *const from[] = { "Origin: https://evil.example\r\n", "Origin: null\r\n",
		"Origin: http://127.0.0.1:9100\r\n", "Origin: a\r\nOrigin: b\r\n",
		"Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
		"Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n",
		"Origin: https://evil.example\r\nSec-Fetch-Site: none\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		assert_non_null(judge("POST", "127.0.0.1:9100", from[i]));
		assert_non_null(judge("GET", "127.0.0.1:9100", from[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs),
		cmocka_unit_test(names_of_others),
		cmocka_unit_test(pages_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
