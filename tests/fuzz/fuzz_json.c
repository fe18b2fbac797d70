/*
 * fuzz_json.c: whatever the bytes, parsing stays inside its arena, never succeeds in one that ran
 * out, and takes in a small arena only what it takes in a large one. The same bytes as a string
 * survive writing and reading. With decimals kept it takes exactly what it takes without. The first
 * two bytes are the size of the small arena.
 */
#include "fuzz.h"

#include "json.h"

static char large[1 << 22] __attribute__((aligned(16)));
static char text[1 << 20];

static void parse_both_ways(struct span s, size_t cap)
{
	char *memory = malloc(cap + 1), *copy = fuzz_copy(s);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	const struct json *v = NULL, *w = NULL;
	enum rc in_small = json_parse(&small, span_of(copy, s.n), &v);
	enum rc in_big = json_parse(&big, span_of(copy, s.n), &w);

	CHECK(in_small == RC_OK || in_small == RC_BAD || in_small == RC_FULL);
	CHECK((in_small == RC_FULL) == !arena_ok(&small));
	CHECK(in_small == RC_FULL || in_big == RC_FULL || in_small == in_big);
	CHECK(in_small == RC_OK || !v);
	if (in_small == RC_OK && in_big == RC_OK) {
		struct span a = SPAN_NONE, b = SPAN_NONE;
		const char *none[] = { NULL };
		const char *k = json_unknown(v, none), *l = json_unknown(w, none);

		CHECK(json_is_array(v) || json_is_object(v));
		CHECK(json_count(v) == json_count(w) && !k == !l);
		CHECK(!k || strcmp(k, l) == 0);
		bool has = json_text(&small, json_is_array(v) ? json_at(v, 0) : v, k ? k : "", &a);

		CHECK(has == json_text(
				     &big, json_is_array(w) ? json_at(w, 0) : w, k ? k : "", &b) ||
			!arena_ok(&small));
		CHECK(!has || (span_eq(a, b) && span_is_utf8(a)));
	}
	free(memory);
	free(copy);
}

static void with_decimals(struct span s)
{
	struct arena a = arena_init(large, sizeof large);
	char *copy = fuzz_copy(s);
	const struct json *v;
	enum rc plain = json_parse(&a, span_of(copy, s.n), &v), kept;

	arena_reset(&a);
	kept = json_parse_decimals(&a, span_of(copy, s.n), &v);
	CHECK(plain == RC_FULL || kept == RC_FULL || plain == kept);
	free(copy);
}

static void write_and_read(struct span s)
{
	struct buf b = buf_init(text, sizeof text);
	struct jw w = jw_init(&b);
	struct arena a = arena_init(large, sizeof large);
	const struct json *v;
	struct span back;

	jw_arr(&w, NULL);
	jw_str(&w, NULL, s);
	jw_end(&w, ']');
	CHECK(s.n > sizeof text / 8 || buf_ok(&b));
	if (!buf_ok(&b) || span_find(s, '\0') < s.n)
		return; /* "\u0000" is written, and refused by us */
	enum rc rc = json_parse(&a, buf_span(&b), &v);

	CHECK(rc == RC_OK);
	CHECK(json_str(json_at(v, 0), "", &back));
	CHECK(span_eq(s, back) || !span_is_utf8(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct span s = span_of(data + 2, size - 2);

	parse_both_ways(s, (size_t)data[0] << 8 | data[1]);
	with_decimals(s);
	write_and_read(s);
	return 0;
}
