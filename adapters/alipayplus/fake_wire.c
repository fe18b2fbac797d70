/*
 * fake_wire.c: the fake's answers, spoiled on demand. The hard thing is to spoil one thing at a
 * time: a garbled body is signed well, a bad signature covers a good body. Must never count as
 * heard what the switch has not signed.
 */
#include "apsfake.h"

void apsf_copy(char *dst, size_t cap, struct span src)
{
	span_to_cstr(span_sub(src, 0, cap - 1), dst, cap);
}

bool apsf_check_answer(struct apsf *s, const struct sandbox_host *h, const char *path,
	const struct http_msg *m, const struct json **ret_body)
{
	bool forged, good = apsw_check_answer(h, path, m, &forged, ret_body);

	s->bad_signatures += forged;
	return good;
}

static enum apsw_spoil spoil_of(enum apsf_twist twist)
{
	return twist == TWIST_UNSIGNED        ? APSW_UNSIGNED
	       : twist == TWIST_BAD_SIGNATURE ? APSW_BAD
	       : twist == TWIST_URLSAFE       ? APSW_URLSAFE
					      : APSW_GOOD;
}

void apsf_answer(const struct apsf_exchange *x, struct span body)
{
	const struct sandbox_host *h = x->h;
	struct http_out *o;
	int delay = x->delay_ms;

	if (x->twist == TWIST_GARBLED)
		body.n -= body.n / 3;
	o = apsw_out(h, 200, body);
	if (x->twist == TWIST_SLOW)
		delay += (int)x->twist_ms;
	if (x->twist == TWIST_SILENT || x->twist == TWIST_APPLY_SILENT)
		o->status = 0;
	if (x->twist == TWIST_CUT)
		o->status = -1;
	if (x->twist == TWIST_ERROR_500) {
		o->status = 500;
		buf_reset(&o->body);
	}
	if (o->status == 200)
		apsw_seal(h, "response-time", x->m->target, spoil_of(x->twist), o);
	h->reply(h->ctx, x->tag, delay, o);
}

void apsf_answer_result(const struct apsf_exchange *x, const char *code, char status)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", x->twist == TWIST_UNKNOWN_CODE ? "A_NEW_CODE" : code, status);
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

int apsf_scaled(const struct sandbox_host *h, int64_t ms)
{
	int64_t divisor = fake_setting_int(h, "time_divisor", 1);

	return (int)(ms / (divisor > 0 ? divisor : 1));
}
