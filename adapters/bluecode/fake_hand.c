/*
 * fake_hand.c: what a person or a test may do to the Bluecode fake: mint barcodes, end a payment,
 * make it misbehave, begin anew. The hard thing is to promise no more than was done: an order that
 * cannot be carried out says so. Never touches a payment but through the book.
 */
#include "bluefake.h"

static const char *const operations[] = { "payment", "register", "status", "cancel", "refund",
	"callback", NULL };

static void control_mint(struct bluefake *f, const struct sandbox_host *h,
	const struct json *command, struct buf *ret_json)
{
	struct jw w = jw_init(ret_json);
	struct fake_mint m;
	struct bf_behaviour b;

	if (!fake_mint_read(command, &m) || !bf_read_behaviour(m.behaviour, m.ms, &b) ||
		f->code_count + m.count > BF_CODES / 4 * 3) {
		fake_control_error(ret_json, "unknown behaviour, or a number out of range");
		return;
	}
	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	jw_arr(&w, "codes");
	for (uint32_t i = 0; i < m.count; i++) {
		char storage[24];
		struct buf code = buf_init(storage, sizeof storage);

		bf_write_code(&code, bf_mint(f, h, &b, m.reusable));
		jw_str(&w, NULL, buf_span(&code));
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
}

/* A payment that waits in PROCESSING ends now, by hand. */
static void control_end(struct bluefake *f, const struct json *command, struct buf *ret_json)
{
	struct bf_behaviour end = { BF_LATER_APPROVE, "", 0 };
	struct span our_id, code;
	struct bf_payment *p;

	if (json_str(command, "code", &code)) {
		end.how = BF_LATER_DECLINE;
		end.code = bf_code_word(code);
	}
	p = json_str(command, "id", &our_id) ? bf_by_our_id(f, our_id) : NULL;
	if (!p || p->state != BF_PROCESSING || !end.code) {
		fake_control_error(ret_json, "no such payment in PROCESSING, or unknown code");
		return;
	}
	p->behaviour = end;
	bf_end(p);
	fake_control_ok(ret_json);
}

void bf_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct bluefake *f = state;
	struct span verb = SPAN_NONE;

	if (visit_control(&f->visits, h, command, ret_json))
		return;
	(void)json_str(command, "do", &verb);
	if (span_eq(verb, SPAN("mint-code"))) {
		control_mint(f, h, command, ret_json);
	} else if (span_eq(verb, SPAN("end"))) {
		control_end(f, command, ret_json);
	} else if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, operations, command, ret_json);
	} else if (span_eq(verb, SPAN("reset"))) {
		bf_reset(f, h);
		fake_control_ok(ret_json);
	} else {
		fake_control_error(ret_json, "mint-code, end, browse, show, misbehave or reset");
	}
}
