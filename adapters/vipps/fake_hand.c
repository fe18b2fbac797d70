/*
 * fake_hand.c: what a person or a test may do to the Vipps MobilePay fake: be the payer with the
 * app, mint the payer's codes, make it misbehave, begin anew. The hard thing is to promise no more
 * than was done: a verb that finds nothing to do says so. Never touches a payment but through the
 * book.
 */
#include "vippsfake.h"

static const char *const operations[] = { "token", "create", "get", "events", "cancel", "capture",
	"refund", "approve", "webhook", NULL };

typedef bool act_fn(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p);

static void control_act(struct vippsfake *f, const struct sandbox_host *h,
	const struct json *command, act_fn *act, struct buf *ret_json)
{
	struct span reference;
	struct vf_payment *p = json_str(command, "reference", &reference) ? vf_find(f, reference)
									  : NULL;

	if (!p)
		fake_control_error(ret_json, "no such payment");
	else if (!act(f, h, p))
		fake_control_error(ret_json, "it does not wait for that");
	else
		fake_control_ok(ret_json);
}

typedef void write_fn(struct buf *b, struct span phone);

static void control_mint(
	const struct json *command, const char *member, write_fn *write, struct buf *ret_json)
{
	char storage[64];
	struct buf text = buf_init(storage, sizeof storage);
	struct span phone = fake_text(command, "phone");
	struct jw w = jw_init(ret_json);

	if (!vf_is_phone(phone)) {
		fake_control_error(ret_json, "phone: 10 to 15 digits with the country code");
		return;
	}
	write(&text, phone);
	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	jw_str(&w, member, buf_span(&text));
	jw_end(&w, '}');
}

static void control_report(struct vippsfake *f, const struct sandbox_host *h,
	const struct json *command, struct buf *ret_json)
{
	struct buf before = *ret_json;
	struct jw w = jw_init(ret_json);

	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	if (vf_put_report(f, h, fake_text(command, "day"), fake_text(command, "omit"), &w)) {
		jw_end(&w, '}');
		return;
	}
	*ret_json = before;
	fake_control_error(ret_json, "day is 2026-01-15");
}

/* Every access token is void from now on. */
static void control_expire_tokens(
	struct vippsfake *f, const struct sandbox_host *h, struct buf *ret_json)
{
	uint64_t random = h->entropy(h->ctx);

	memcpy(f->token_key, &random, sizeof random);
	fake_control_ok(ret_json);
}

/* It restarts, and knows no key any more; what it was told to do later does not come to pass. */
static void control_forget(struct vippsfake *f, struct buf *ret_json)
{
	f->key_count = 0;
	f->life++;
	memset(f->held, 0, sizeof f->held);
	fake_control_ok(ret_json);
}

void vf_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct vippsfake *f = state;
	struct span verb = SPAN_NONE;

	(void)json_str(command, "do", &verb);
	if (span_eq(verb, SPAN("app-approve"))) {
		control_act(f, h, command, vf_approve, ret_json);
	} else if (span_eq(verb, SPAN("app-refuse"))) {
		control_act(f, h, command, vf_abort, ret_json);
	} else if (span_eq(verb, SPAN("app-expire"))) {
		control_act(f, h, command, vf_expire, ret_json);
	} else if (span_eq(verb, SPAN("mint-code"))) {
		control_mint(command, "code", vf_write_qr, ret_json);
	} else if (span_eq(verb, SPAN("mint-token"))) {
		control_mint(command, "token", vf_write_customer_token, ret_json);
	} else if (span_eq(verb, SPAN("expire-tokens"))) {
		control_expire_tokens(f, h, ret_json);
	} else if (span_eq(verb, SPAN("forget"))) {
		control_forget(f, ret_json);
	} else if (span_eq(verb, SPAN("report"))) {
		control_report(f, h, command, ret_json);
	} else if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&f->mischief, operations, command, ret_json);
	} else if (span_eq(verb, SPAN("reset"))) {
		vf_reset(f, h);
		fake_control_ok(ret_json);
	} else {
		fake_control_error(ret_json,
			"app-approve, app-refuse, app-expire, mint-code, mint-token, "
			"expire-tokens, forget, report, misbehave or reset");
	}
}
