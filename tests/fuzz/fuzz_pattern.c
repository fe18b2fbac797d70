/*
 * fuzz_pattern.c: whatever stands in the first line is a pattern or is refused; a pattern never
 * fits the empty text, and says the same of the rest of the input twice. That rest, quoted, is a
 * pattern that fits it, where it is not longer than a pattern may be.
 */
#include "fuzz.h"

#include "pattern.h"

static struct pattern pattern, again;

static void quoted(struct span text)
{
	char room[PATTERN_TEXT];
	struct buf b = buf_init(room, sizeof room);

	buf_ch(&b, '^');
	pattern_quote(&b, text);
	buf_ch(&b, '$');
	if (buf_ok(&b) && text.n)
		CHECK(!pattern_read(buf_span(&b), &again) && pattern_matches(&again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy(span_of(data, size));
	struct span rest = span_of(copy, size), first;

	if (span_split(&rest, '\n', &first) && !pattern_read(first, &pattern)) {
		CHECK(pattern.count <= PATTERN_NODES && !pattern_matches(&pattern, SPAN_NONE));
		CHECK(pattern_matches(&pattern, rest) == pattern_matches(&pattern, rest));
	}
	quoted(rest);
	free(copy);
	return 0;
}
