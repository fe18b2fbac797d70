/*
 * sandbox.c: a till that speaks Vipps' ePayment API and thinks that we are Vipps: it creates
 * payments for scanned codes, telephone numbers and codes that it shows itself, captures, cancels
 * and refunds them, and is told by webhook. Written from the partner's text, without a look at the
 * adapter.
 *
 * The hard thing is that it judges us: what the published text does not allow is a fault, which
 * "show" tells of. Its book is what it believes to be paid.
 */
#include "tillfake.h"

static void init(void *state, const struct sandbox_host *h)
{
	struct tillfake *f = state;

	f->generation = 1;
	f->salt = h->entropy(h->ctx);
}

struct vt_payment *vt_find(struct tillfake *f, struct span reference)
{
	for (uint32_t i = f->count; i > 0; i--)
		if (span_eq(span_str(f->payment[i - 1].reference), reference))
			return &f->payment[i - 1];
	return NULL;
}

uint32_t vt_index(const struct tillfake *f, const struct vt_payment *p)
{
	return (uint32_t)(p - f->payment) + 1;
}

void vt_fault(struct tillfake *f, const char *what)
{
	if (f->faults++ == 0)
		(void)span_to_cstr(span_sub(span_str(what), 0, sizeof f->fault - 1), f->fault,
			sizeof f->fault);
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	vt_on_webhook(state, h, tag, m);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct tillfake *f = state;
	struct vt_payment *p;
	unsigned kind;
	uint32_t index, change;

	if (!fake_cookie_read(cookie, f->generation, &kind, &index))
		return;
	change = index >> VT_INDEX_BITS;
	index &= (1u << VT_INDEX_BITS) - 1;
	p = index <= f->count && index > 0 ? &f->payment[index - 1] : NULL;
	if (kind == VT_FOR_TOKEN)
		vt_on_token(f, h, m);
	else if (kind == VT_FOR_HOOKS)
		vt_on_hooks(f, h, m);
	else if (p && kind == VT_FOR_CHANGE && change == p->changes)
		vt_on_change(f, h, p, m);
	else if (p && kind == VT_FOR_READ)
		vt_on_read(f, h, p, m);
	else if (p && kind == VT_FOR_EVENTS)
		vt_on_events(f, h, p, m);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct tillfake *f = state;
	unsigned kind;
	uint32_t index;

	if (fake_cookie_read(cookie, f->generation, &kind, &index) && kind == VT_POLL &&
		index > 0 && index <= f->count)
		vt_on_poll(f, h, &f->payment[index - 1]);
}

static bool book(void *state, size_t i, struct buf *ret_json)
{
	struct tillfake *f = state;
	const struct vt_payment *p = &f->payment[i];
	struct jw w = jw_init(ret_json);

	if (i >= f->count)
		return false;
	jw_obj(&w, NULL);
	jw_str(&w, "role", SPAN("acquirer"));
	/* Until it has read the payment it knows no name for it. */
	fake_put_line(&w, p->psp, span_str(p->reference), p->currency,
		*p->psp ? p->sums.authorized : 0,
		*p->psp ? p->sums.cancelled + p->sums.refunded : 0);
	jw_str(&w, "state", span_str(p->state));
	jw_opt(&w, "fault", span_str(f->fault));
	jw_end(&w, '}');
	return true;
}

const struct sandbox vippstill_sandbox = {
	.name = "vippstill",
	.state_bytes = sizeof(struct tillfake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = vt_control,
	.book = book,
};
