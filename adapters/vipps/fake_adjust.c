/*
 * fake_adjust.c: cancel, capture, refund and force approve. The hard thing: an operation is refused
 * with the number that belongs to the state of the money, and a client acts on that number, so the
 * order of the questions matters. Never lets a sum pass the one that bounds it.
 */
#include "vippsfake.h"

#define DAY_MS INT64_C(86400000)

static struct vf_answer done(struct vippsfake *f, const struct vf_payment *p, uint32_t event)
{
	return (struct vf_answer){
		.status = 200,
		.payment = vf_index(f, p),
		.event = event,
		.sums = p->sums,
		.state = p->state,
	};
}

static int64_t remaining(const struct vf_payment *p)
{
	return p->sums.authorized - p->sums.captured - p->sums.cancelled;
}

/* SPEC vipps 2.8 [C:V-KIT]: capture within 180 days in Norway, within 14 elsewhere; cancel
 * likewise. */
static bool reservation_gone(const struct sandbox_host *h, const struct vf_payment *p)
{
	int64_t days = strcmp(p->currency, "NOK") == 0 ? 180 : 14;

	return wall_diff_ms(h->now, p->approved) > days * DAY_MS;
}

/* {"modificationAmount":{"currency","value"}} in the payment's currency, of one that is not under
 * way. */
static bool read_modification(const struct json *body, const struct vf_payment *p, int64_t *ret,
	struct vf_answer *ret_bad)
{
	static const char *const known[] = { "modificationAmount", NULL };
	static const char *const in_amount[] = { "currency", "value", NULL };
	const struct json *amount = json_get(body, "modificationAmount");
	struct span currency;

	*ret_bad = vf_invalid("modificationAmount", "an object of currency and value");
	if (!amount || json_unknown(body, known) || !json_is_object(amount) ||
		json_unknown(amount, in_amount) || !json_str(amount, "currency", &currency))
		return false;
	*ret_bad = vf_refuse(4040);
	if (!span_eq(currency, span_str(p->currency)) || !json_int(amount, "value", ret) ||
		*ret < 1 || *ret > 65000000)
		return false;
	*ret_bad = vf_refuse(6160);
	return !p->processing;
}

struct vf_answer vf_capture(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key)
{
	struct vf_answer a;
	int64_t amount;

	if (!read_modification(body, p, &amount, &a))
		return a;
	if (p->state == VF_CREATED)
		return vf_refuse(6080);
	if (p->state != VF_AUTHORIZED)
		return vf_refuse(p->state == VF_TERMINATED ? 6070 : 6200);
	if (p->sums.captured == p->sums.authorized)
		return vf_refuse(6170);
	if (remaining(p) == 0)
		return vf_refuse(6070);
	if (reservation_gone(h, p))
		return vf_refuse(6100);
	if (amount > remaining(p))
		return vf_refuse(6090);
	if (amount < p->amount && fake_setting_is(h, "full_capture_only", "on"))
		return vf_refuse(6140);
	p->sums.captured += amount;
	return done(f, p, vf_happens(f, h, p, VF_EV_CAPTURED, true, amount, key));
}

/* SPEC vipps 2.17 [C:V-KIT]: refund amounts 123 (nobody to receive it) and 124 (too late). */
struct vf_answer vf_refund(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key)
{
	struct vf_answer a;
	int64_t amount;

	if (!read_modification(body, p, &amount, &a))
		return a;
	if (p->state != VF_AUTHORIZED)
		return vf_refuse(6020);
	if (p->sums.captured == 0)
		return vf_refuse(6210);
	if (p->sums.refunded == p->sums.captured)
		return vf_refuse(6180);
	if (amount == 123)
		return vf_refuse(5100);
	/* SPEC vipps 2.8 [C:V-KIT]: within 365 days. */
	if (amount == 124 || wall_diff_ms(h->now, p->approved) > 365 * DAY_MS)
		return vf_refuse(6220);
	if (amount > p->sums.captured - p->sums.refunded)
		return vf_refuse(6150);
	p->sums.refunded += amount;
	return done(f, p, vf_happens(f, h, p, VF_EV_REFUNDED, true, amount, key));
}

/* SPEC vipps 2.8 [C:V-KIT]: all that is not captured; TERMINATED before the approval. */
struct vf_answer vf_cancel(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key)
{
	static const char *const known[] = { "cancelTransactionOnly", NULL };
	bool only_if_open = false;
	int64_t amount;

	if (body && (json_unknown(body, known) ||
			    (json_get(body, "cancelTransactionOnly") &&
				    !json_bool(body, "cancelTransactionOnly", &only_if_open))))
		return vf_invalid("cancelTransactionOnly", "true or false, and nothing else");
	if (p->processing)
		return vf_refuse(6250);
	if (p->state == VF_CREATED) {
		p->state = VF_TERMINATED;
		return done(f, p, vf_happens(f, h, p, VF_EV_TERMINATED, true, p->amount, key));
	}
	if (p->state != VF_AUTHORIZED)
		return vf_refuse(p->state == VF_TERMINATED ? 6190 : 6050);
	if (only_if_open)
		return vf_refuse(6060);
	amount = remaining(p);
	if (amount == 0)
		return vf_refuse(p->sums.captured > 0 ? 6040 : 6190);
	if (reservation_gone(h, p))
		return vf_refuse(6030);
	p->sums.cancelled += amount;
	return done(f, p, vf_happens(f, h, p, VF_EV_CANCELLED, true, amount, key));
}

/* SPEC vipps 2.17 [C:V-KIT]: {"customer":{"phoneNumber"}} or {"token"}; an expired card shows as
 * 500. */
int vf_force_approve(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, int *ret_code)
{
	static const char *const known[] = { "customer", "token", NULL };
	struct span phone, token;

	*ret_code = 10030;
	if (json_unknown(body, known))
		return 400;
	if (json_str(body, "customer.phoneNumber", &phone)) {
		if (!span_is_digits(phone) || phone.n < 10 || phone.n > 15)
			return 400;
		if (p->phone[0] && !span_eq(span_str(p->phone), phone))
			return 400;
	} else if (!json_str(body, "token", &token) || !span_eq(token, span_str(p->reference))) {
		return 400;
	}
	*ret_code = p->state == VF_AUTHORIZED ? 6230 : 10020;
	if (p->state != VF_CREATED || p->processing)
		return 400;
	if (p->amount == 186) {
		*ret_code = 0;
		return 500;
	}
	*ret_code = 10010;
	return vf_approve(f, h, p) && (p->state == VF_AUTHORIZED || p->processing) ? 0 : 400;
}
