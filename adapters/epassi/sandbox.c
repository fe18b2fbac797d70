/*
 * sandbox.c: an ePassi of our own: its web pages, users with browsers, and the partner API that the
 * real one would serve beside them; with a book.
 *
 * The hard thing is that everything moves through a browser, which may be closed at any moment:
 * what was paid is paid, whoever heard of it. Never tells the switch anything that its own book
 * does not say, unless it was told to.
 */
#include "epassifake.h"

static const char *const operations[] = { "form", "pay", "return", "notify", "read", "cancel",
	"refund", NULL };

static const char *operation_of(const struct http_msg *m)
{
	if (span_eq(m->path, SPAN("/e_payments/v2")))
		return "form";
	if (span_eq(m->path, SPAN("/pay")))
		return "pay";
	return interop_op(m);
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct epassifake *f = state;
	struct mischief_order o = mischief_take(&f->mischief, operation_of(m));
	struct http_out *out;

	if (mischief_stops(&o, h, tag, m, NULL, 0))
		return;
	out = ef_page(f, h, m);
	if (!out)
		out = interop_answer(&ef_interop, f, &f->nonces, h, m, &o);
	if (!out)
		out = fake_out(h, 404, 16);
	if (out)
		mischief_reply(&o, h, tag, out);
}

static void on_event(struct epassifake *f, const struct sandbox_host *h, uint64_t cookie,
	const struct http_msg *m)
{
	unsigned kind;
	uint32_t index;

	if (fake_cookie_read(cookie, f->visits.generation, &kind, &index) && kind < VISIT_KINDS)
		visit_goes_on(&f->visits, h, (enum visit_kind)kind, index, m);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	on_event(state, h, cookie, m);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	on_event(state, h, cookie, NULL);
}

static void control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct epassifake *f = state;
	struct span verb = fake_text(command, "do");

	if (visit_control(&f->visits, h, command, ret_json))
		return;
	if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, operations, command, ret_json);
	} else if (span_eq(verb, SPAN("reset"))) {
		ef_reset(f, h);
		fake_control_ok(ret_json);
	} else {
		fake_control_error(ret_json, "browse, show, misbehave or reset");
	}
}

static void init(void *state, const struct sandbox_host *h)
{
	ef_begin(state, h);
}

const struct sandbox epassi_sandbox = {
	.name = "epassi",
	.state_bytes = sizeof(struct epassifake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = control,
	.book = ef_book,
};
