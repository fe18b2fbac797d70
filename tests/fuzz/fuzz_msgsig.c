/*
 * fuzz_msgsig.c: signature headers from anybody: read or refused, never half; what is read has one
 * canonical text, which reads as itself; and the base of what was read ends in it.
 *
 * The input is lines: signature-input, signature, content-digest, then the body.
 */
#include "fuzz.h"

#include "msgsig.h"

#define URI SPAN("https://example.com/foo?a=b")

static char memory[1 << 16];

static void add(struct http_msg *m, const char *name, struct span value)
{
	m->header[m->header_count++] = (struct http_header){ span_str(name), value };
}

static void check_base(const struct msgsig *s, const struct http_msg *in)
{
	static char storage[8192];
	struct buf b = buf_init(storage, sizeof storage);
	struct msgsig_msg req = { .target_uri = URI, .in = in };
	struct msgsig_msg m = { .target_uri = URI, .in = in, .req = &req };

	if (msgsig_base(&b, s, &m) == RC_OK)
		CHECK(span_ends(buf_span(&b), s->params));
}

static void check_read(
	const struct http_msg *in, struct span input, struct span sig, struct span tag)
{
	static char text[2048];
	struct arena a = arena_init(memory, sizeof memory);
	struct buf b = buf_init(text, sizeof text);
	struct msgsig s, again;
	struct span keyid;

	if (msgsig_read(&a, input, sig, tag, &s) != RC_OK)
		return;
	CHECK(span_eq(s.tag, tag) && s.count <= MSGSIG_COMPONENTS_MAX && s.params.n <= input.n);
	CHECK(msgsig_params_read(s.params, &again) == RC_OK && again.count == s.count);
	CHECK(again.created == s.created && span_eq(again.keyid, s.keyid));
	check_base(&s, in);
	if (span_eq(tag, MSGSIG_TAG_REQUEST) && !span_empty(s.keyid))
		CHECK(msgsig_claimed_keyid(in, &keyid) && span_eq(keyid, s.keyid));
	/* The canonical text, sent as a header, means the same. */
	buf_add(&b, s.label);
	buf_ch(&b, '=');
	buf_add(&b, s.params);
	CHECK(buf_ok(&b));
	CHECK(msgsig_read(&a, buf_span(&b), sig, tag, &again) == RC_OK);
	CHECK(span_eq(again.params, s.params) && span_eq(again.signature, s.signature));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(span_of(data, size));
	struct span rest = span_of(copy, size), input = SPAN_NONE, sig = SPAN_NONE,
		    digest = SPAN_NONE;
	struct http_msg m = { .method = SPAN("POST"), .target = SPAN("/foo?a=b") };

	span_split(&rest, '\n', &input);
	span_split(&rest, '\n', &sig);
	span_split(&rest, '\n', &digest);
	m.body = rest;
	add(&m, "signature-input", span_trim(input));
	add(&m, "signature", span_trim(sig));
	add(&m, "content-digest", digest);
	add(&m, "content-type", SPAN("application/json"));
	check_read(&m, span_trim(input), span_trim(sig), MSGSIG_TAG_REQUEST);
	check_read(&m, span_trim(input), span_trim(sig), MSGSIG_TAG_ANSWER);
	(void)msgsig_digest_holds(digest, rest);
	free(copy);
	return 0;
}
