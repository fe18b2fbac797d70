/*
 * fuzz_http1.c: whatever the bytes, the reader stays inside them, says the same twice, and changes
 * its mind only from "more" to something: what a part of a stream was read as, the whole stream is
 * too. The first byte chooses request or answer, the second where the stream is cut.
 */
#include "fuzz.h"

#include "http1.h"

static struct http_msg msg, again;

struct result {
	enum rc rc;
	size_t used;
	int status;
	bool head_done;
};

static struct result read_message(bool answer, char *p, size_t n, struct http_msg *m)
{
	struct result r = { .status = 0 };

	if (answer)
		r.rc = http1_read_answer(p, n, SPAN("POST"), &http1_limits_default, m, &r.used);
	else
		r.rc = http1_read_request(
			p, n, &http1_limits_default, m, &r.used, &r.status, &r.head_done);
	return r;
}

static void check_inside(struct span s, const char *p, size_t n)
{
	CHECK(s.n == 0 || (s.p >= p && s.n <= n && s.p - p <= (ptrdiff_t)(n - s.n)));
}

static void check_message(const struct http_msg *m, const char *p, size_t n)
{
	char storage[256];
	struct buf b = buf_init(storage, sizeof storage);
	struct span s;

	CHECK(m->header_count <= HTTP1_HEADERS_MAX);
	for (size_t i = 0; i < m->header_count; i++) {
		check_inside(m->header[i].name, p, n);
		check_inside(m->header[i].value, p, n);
	}
	check_inside(m->target, p, n);
	check_inside(m->body, p, n);
	CHECK(m->is_answer || (m->path.n && m->path.p[0] == '/' && m->host.n));
	(void)http_header_get(m, "signature", &s);
	(void)http_query_get(m, "a", &b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	bool answer = data[0] & 1;
	struct span whole = span_of(data + 2, size - 2);
	struct span part = span_sub(whole, 0, whole.n * data[1] / 256);
	char *p = fuzz_copy(part), *q = fuzz_copy(whole);
	struct result early = read_message(answer, p, part.n, &again);
	struct result r = read_message(answer, q, whole.n, &msg);

	if (r.rc == RC_OK) {
		CHECK(r.used <= whole.n);
		check_message(&msg, q, r.used);
	}
	if (early.rc == RC_MORE) {
		CHECK(span_eq(part, span_of(p, part.n))); /* untouched until it is whole */
		CHECK(r.rc != RC_OK || r.used > part.n);
	} else {
		CHECK(early.rc == r.rc && early.used == r.used && early.status == r.status);
		CHECK(early.rc != RC_OK || span_eq(again.body, msg.body));
	}
	free(p);
	free(q);
	return 0;
}
