/*
 * fuzz_report.c: whatever a partner's file holds, its reader stays inside it, says on which line it
 * is wrong, and gives lines only with money and a kind in them; a field that was read can be
 * written and read again. The first byte says which dialect.
 */
#include "fuzz.h"

#include "csv.h"
#include "report.h"

static char memory[1 << 20] __attribute__((aligned(16)));

static void each(void *ctx, const struct report_line *l)
{
	int *lines = ctx;

	++*lines;
	CHECK(l->what >= REPORT_PAYMENT && l->what <= REPORT_OTHER && l->line > 0);
	CHECK(!money_is_none(l->settle));
	CHECK(span_is_utf8(l->request_id) && span_is_utf8(l->peer_id));
}

static void again(struct arena *a, struct span field)
{
	static char text[1 << 16];
	struct buf b = buf_init(text, sizeof text);
	struct csv c;

	csv_put(&b, field);
	csv_end(&b);
	if (!buf_ok(&b))
		return;
	c = csv_init(a, buf_span(&b));
	if (csv_next(&c) == RC_OK) {
		CHECK(c.count == 1 && span_eq(c.field[0], field));
		CHECK(csv_next(&c) == RC_NOENT);
	} else {
		CHECK(!arena_ok(a));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const struct report *of;
		struct span name;
	} dialects[] = { { &plain_report, { "day.csv", 7 } },
		{ &vipps_report, { "funds.json", 10 } },
		{ &aps_report, { "transactionItems_", 17 } }, { &aps_report, { "feeItems_", 9 } },
		{ &aps_report, { "settlement_", 11 } } };
	struct arena a = arena_init(memory, sizeof memory);
	int lines = 0;
	struct report_in in = { .arena = &a, .each = each, .ctx = &lines };
	char *copy;
	struct csv c;
	size_t which;

	if (size < 1 || ccy_by_alpha(SPAN("EUR"), &in.settle) != RC_OK)
		return 0;
	which = data[0] % (sizeof dialects / sizeof *dialects);
	copy = fuzz_copy(span_of(data + 1, size - 1));
	if (!dialects[which].of->read(&in, dialects[which].name, span_of(copy, size - 1)))
		CHECK(in.fault && in.fault_line >= 0);
	else
		CHECK(!in.fault);
	arena_reset(&a);
	c = csv_init(&a, span_of(copy, size - 1));
	while (csv_next(&c) == RC_OK)
		for (size_t i = 0; i < c.count; i++)
			again(&a, c.field[i]);
	free(copy);
	return 0;
}
