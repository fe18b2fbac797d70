/*
 * fake_body.c: the bodies that the Vipps MobilePay fake answers with. The hard thing is fidelity
 * where it hurts: answers to changes are called application/problem+json even on success, and
 * numbers of errors hide in extraDetails. Never puts in what the partner leaves out.
 */
#include "vippsfake.h"

#define BODY_MAX 8192

/* SPEC vipps 2.10 [C:V-KIT]: numbers and titles; the statuses where the text gives one, else 400.
 */
static const struct {
	int code, status;
	const char *title;
} titles[] = {
	{ 4010, 409, "Capture idempotency conflict" },
	{ 4020, 409, "Idempotency error" },
	{ 4040, 400, "Invalid amount" },
	{ 4050, 400, "Invalid CustomerToken" },
	{ 4060, 400, "Invalid PersonalQr" },
	{ 4070, 400, "Invalid phone number" },
	{ 4080, 400, "Invalid scope" },
	{ 4090, 400, "Invalid URL" },
	{ 4100, 400, "Metadata capacity exceeded" },
	{ 4120, 400, "Metadata key length exceeded" },
	{ 4130, 400, "Metadata value length exceeded" },
	{ 4140, 400, "Missing required parameter" },
	{ 4150, 409, "Reference exists" },
	{ 5010, 400, "Blocking sources not applicable" },
	{ 5020, 400, "Express payment not allowed" },
	{ 5040, 400, "Invalid currency for merchant" },
	{ 5050, 400, "Long-living payment not allowed" },
	{ 5070, 400, "Payment cannot be created" },
	{ 5080, 400, "PUSH_MESSAGE not allowed" },
	{ 5090, 404, "Reference not found" },
	{ 5100, 400, "Refund not possible" },
	{ 6010, 400, "Amount too small" },
	{ 6020, 400, "Attempted refund before reservation" },
	{ 6030, 400, "Cancel period expired" },
	{ 6040, 400, "Cannot cancel a captured payment" },
	{ 6050, 400, "Cannot cancel a non-reserved payment" },
	{ 6060, 400, "Cannot cancel authorized payment" },
	{ 6070, 400, "Cannot capture a cancelled payment" },
	{ 6080, 400, "Cannot capture before reservation" },
	{ 6090, 400, "Capture amount too high" },
	{ 6100, 400, "Capture period expired" },
	{ 6110, 400, "Expiration date is too late" },
	{ 6120, 400, "Expiration date is too soon" },
	{ 6130, 400, "Long living payments require a receipt" },
	{ 6140, 400, "Must capture full amount" },
	{ 6150, 400, "Not enough refundable" },
	{ 6160, 400, "Order processing" },
	{ 6170, 400, "Payment already captured" },
	{ 6180, 400, "Payment already refunded" },
	{ 6190, 400, "Payment cannot be cancelled" },
	{ 6200, 400, "Payment cannot be captured" },
	{ 6210, 400, "Payment cannot be refunded" },
	{ 6220, 400, "Refund period expired" },
	{ 6230, 400, "Payment is already reserved" },
	{ 6250, 400, "Cannot cancel processing payment" },
	{ 7010, 400, "Customer not found" },
	{ 10010, 400, "Approve failed" },
	{ 10020, 400, "Approve not allowed" },
	{ 10030, 400, "Identification required" },
};

static size_t title_of(int code)
{
	size_t i = 0;

	while (i < sizeof titles / sizeof *titles && titles[i].code != code)
		i++;
	return i;
}

static void put_trace(struct jw *w, const struct sandbox_host *h)
{
	uint64_t ids[3] = { h->entropy(h->ctx), h->entropy(h->ctx), h->entropy(h->ctx) };
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	buf_str(&b, "00-");
	buf_hex(&b, span_of(ids, 16));
	buf_ch(&b, '-');
	buf_hex(&b, span_of(ids + 2, 8));
	buf_str(&b, "-01");
	jw_str(w, "traceId", buf_span(&b));
}

static void put_number(struct jw *w, const char *key, int v)
{
	char storage[16];
	struct buf b = buf_init(storage, sizeof storage);

	buf_i64(&b, v);
	jw_str(w, key, buf_span(&b));
}

struct http_out *vf_problem(
	const struct sandbox_host *h, int status, int code, const char *field, const char *reason)
{
	size_t title = title_of(code);
	bool known = title < sizeof titles / sizeof *titles;
	int said = status ? status : known ? titles[title].status : 400;
	struct jw w;
	struct http_out *out = fake_json_out(h, said, "application/problem+json", BODY_MAX, &w);
	char storage[32];
	struct buf type = buf_init(storage, sizeof storage);

	if (!out)
		return NULL;
	buf_str(&type, "https://httpstatuses.io/");
	buf_i64(&type, said);
	jw_obj(&w, NULL);
	jw_str(&w, "type", buf_span(&type));
	jw_str(&w, "title", span_str(known ? titles[title].title : http_status_text(said)));
	jw_opt(&w, "detail", span_str(reason ? reason : ""));
	jw_int(&w, "status", said);
	if (code || field) {
		jw_arr(&w, "extraDetails");
		jw_obj(&w, NULL);
		jw_str(&w, "name", span_str(code ? "ErrorCode" : field));
		if (code)
			put_number(&w, "reason", code);
		else
			jw_str(&w, "reason", span_str(reason));
		jw_end(&w, '}');
		jw_end(&w, ']');
	}
	put_trace(&w, h);
	jw_end(&w, '}');
	return out;
}

/* ---- payments ------------------------------------------------------------------------------ */

static void put_amount(struct jw *w, const char *key, const struct vf_payment *p, int64_t value)
{
	jw_obj(w, key);
	jw_str(w, "currency", span_str(p->currency));
	jw_int(w, "value", value);
	jw_end(w, '}');
}

static void put_payment(struct jw *w, const struct vf_payment *p, const struct vf_sums *s,
	enum vf_state state, const struct mischief_order *o)
{
	int64_t wrong = o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0;

	jw_obj(w, "aggregate");
	put_amount(w, "authorizedAmount", p, s->authorized ? s->authorized + wrong : 0);
	put_amount(w, "cancelledAmount", p, s->cancelled ? s->cancelled + wrong : 0);
	put_amount(w, "capturedAmount", p, s->captured ? s->captured + wrong : 0);
	put_amount(w, "refundedAmount", p, s->refunded);
	jw_end(w, '}');
	put_amount(w, "amount", p, p->amount + wrong);
	jw_str(w, "state",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF")
						: span_str(vf_state_name(state)));
	jw_str(w, "reference",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-reference")
					    : span_str(p->reference));
}

static void put_psp(struct jw *w, const struct vippsfake *f, uint32_t event)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	vf_write_psp(&b, f, event);
	jw_str(w, "pspReference", buf_span(&b));
}

/* SPEC vipps 2.5 [C:V-EP]: where each flow sends the person; a push message, nowhere. */
static void put_redirect(struct jw *w, const struct vf_payment *p)
{
	static const char *const heads[] = { "", "vipps://?token=",
		"https://landing.vipps.no?token=", "https://qr-image.vipps.no/v1?token=" };
	char storage[128];
	struct buf b = buf_init(storage, sizeof storage);

	if (p->flow == VF_PUSH_MESSAGE)
		return;
	buf_str(&b, heads[p->flow]);
	buf_str(&b, p->reference);
	jw_str(w, "redirectUrl", buf_span(&b));
}

struct http_out *vf_payment_out(struct vippsfake *f, const struct sandbox_host *h,
	const struct vf_payment *p, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 200, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	put_payment(&w, p, &p->sums, p->state, o);
	jw_obj(&w, "paymentMethod");
	jw_str(&w, "type", SPAN("WALLET"));
	jw_end(&w, '}');
	jw_obj(&w, "profile");
	jw_end(&w, '}');
	put_psp(&w, f, p->first_event);
	put_redirect(&w, p);
	if (p->meta_n > 0)
		jw_raw(&w, "metadata", span_of(f->meta + p->meta_at, p->meta_n));
	if (p->state == VF_AUTHORIZED)
		fake_put_time(
			&w, "captureGuaranteedUntil", wall_plus_ms(p->approved, 7 * 86400000), 3);
	jw_end(&w, '}');
	return out;
}

void vf_put_event(struct jw *w, const struct vippsfake *f, uint32_t number)
{
	const struct vf_event *e = &f->events[number - 1];
	const struct vf_payment *p = &f->payments[e->payment - 1];

	jw_str(w, "reference", span_str(p->reference));
	put_psp(w, f, number);
	jw_str(w, "name", span_str(vf_event_text(e->name)));
	put_amount(w, "amount", p, e->amount);
	fake_put_time(w, "timestamp", e->at, 3);
	jw_opt(w, "idempotencyKey", span_str(e->key));
	jw_bool(w, "success", e->success);
}

struct http_out *vf_events_out(
	struct vippsfake *f, const struct sandbox_host *h, const struct vf_payment *p)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 200, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_arr(&w, NULL);
	for (uint32_t at = p->first_event; at != 0; at = f->events[at - 1].next) {
		jw_obj(&w, NULL);
		vf_put_event(&w, f, at);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	return out;
}

static struct http_out *created_out(
	const struct sandbox_host *h, const struct vf_payment *p, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 201, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_str(&w, "reference",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-reference")
					    : span_str(p->reference));
	put_redirect(&w, p);
	jw_end(&w, '}');
	return out;
}

/* SPEC vipps 2.4 [C:V-EP]: a success of cancel, capture and refund is application/problem+json. */
static struct http_out *adjusted_out(struct vippsfake *f, const struct sandbox_host *h,
	const struct vf_answer *a, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 200, "application/problem+json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	put_payment(&w, &f->payments[a->payment - 1], &a->sums, a->state, o);
	put_psp(&w, f, a->event);
	jw_end(&w, '}');
	return out;
}

struct http_out *vf_answer_out(struct vippsfake *f, const struct sandbox_host *h, enum vf_op op,
	const struct vf_answer *a, const struct mischief_order *o)
{
	if (a->status == 0 || a->status >= 300)
		return vf_problem(h, a->status, a->code, a->field, a->reason);
	/* Told so: it is done, and the answer has a number that nobody knows. */
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		return vf_problem(h, 400, 9999, NULL, NULL);
	if (op == VF_CREATE)
		return created_out(h, &f->payments[a->payment - 1], o);
	return adjusted_out(f, h, a, o);
}
