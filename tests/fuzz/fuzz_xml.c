/*
 * fuzz_xml.c: whatever the bytes, parsing stays inside its arena, never succeeds in one that ran
 * out, and takes in a small arena only what it takes in a large one. Any text survives escaping and
 * reading. The first two bytes are the size of the small arena.
 */
#include "fuzz.h"

#include "xml.h"

static char large[1 << 22] __attribute__((aligned(16)));
static char text[1 << 20];

/* Every element and every text; a limit, since the fuzzer is fond of breadth. */
static size_t walk(const struct xml *e, int depth)
{
	size_t seen = 1;
	struct span s;

	CHECK(!span_empty(xml_name(e)));
	if (xml_text(e, "", &s))
		CHECK(!xml_at(e, 0));
	(void)xml_attribute(e, "name", &s);
	for (size_t i = 0; depth > 0 && i < 64 && xml_at(e, i); i++)
		seen += walk(xml_at(e, i), depth - 1);
	return seen;
}

static void parse_both_ways(struct span s, size_t cap)
{
	char *memory = malloc(cap + 1), *copy = fuzz_copy(s);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	const struct xml *v = NULL, *w = NULL;
	enum rc in_small = xml_parse(&small, span_of(copy, s.n), &v);
	enum rc in_big = xml_parse(&big, span_of(copy, s.n), &w);

	CHECK(in_small == RC_OK || in_small == RC_BAD || in_small == RC_FULL);
	CHECK((in_small == RC_FULL) == !arena_ok(&small));
	CHECK(in_small == RC_FULL || in_big == RC_FULL || in_small == in_big);
	CHECK(in_small == RC_OK || !v);
	CHECK(in_big != RC_OK || span_find_span(s, SPAN("<!DOCTYPE")) == s.n);
	if (in_small == RC_OK && in_big == RC_OK)
		CHECK(walk(v, 6) == walk(w, 6));
	free(memory);
	free(copy);
}

static void write_and_read(struct span s)
{
	struct buf b = buf_init(text, sizeof text);
	struct arena a = arena_init(large, sizeof large);
	const struct xml *root;
	struct span back;

	xml_put(&b, "a", s);
	if (!buf_ok(&b) || span_find_span(s, SPAN("<!DOCTYPE")) < s.n)
		return;
	enum rc rc = xml_parse(&a, buf_span(&b), &root);

	/* "=" counts as an attribute's, wherever it stands. */
	CHECK(rc == RC_OK || (rc == RC_BAD && span_find(s, '=') < s.n));
	CHECK(rc != RC_OK || (xml_text(root, "", &back) && span_is_utf8(back)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct span s = span_of(data + 2, size - 2);

	parse_both_ways(s, (size_t)data[0] << 8 | data[1]);
	write_and_read(s);
	return 0;
}
