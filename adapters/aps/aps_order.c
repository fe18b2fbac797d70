/*
 * aps_order.c: what calls of either direction carry alike: ids, the order with its merchant; and
 * writing a call as a whole.
 *
 * The hard thing: a call may be sent again after a crash, and is compared with what came before. So
 * a body is a function of the canonical message and the settings alone; only the headers know the
 * time.
 */
#include "aps.h"

#include "id.h"

/* NULL, or why a mandatory text is not acceptable. Ids are never cut. */
const char *aps_check_id(const char *id, size_t max, const char *missing, const char *too_long)
{
	if (!*id)
		return missing;
	return strlen(id) > max ? too_long : NULL;
}

const char *aps_check_request_id(const Xw__Canonical *c)
{
	return aps_check_id(c->request_id, APS_ID_MAX, "there is no paymentRequestId",
		"paymentRequestId is longer than 64");
}

const char *aps_check_customer(const Xw__Canonical *c)
{
	return aps_check_id(c->payer ? c->payer->id : "", APS_ID_MAX, "there is no customerId",
		"customerId is longer than 64");
}

/*
 * SPEC alipayplus 3.1, 4.1 [C:S3,S38]: merchant and store are mandatory in a shop. SPEC 14.16:
 * lengths of referenceMerchantId differ between pages (32, 64); keep to the smaller.
 */
const char *aps_check_merchant(const Xw__Party *m)
{
	const char *why = aps_check_id(m->id, 32, "there is no referenceMerchantId",
		"referenceMerchantId is longer than 32");

	if (!why && !*m->name)
		why = "there is no merchantName";
	if (!why && !*m->mcc)
		why = "there is no merchantMCC";
	if (!why && strlen(m->country) != 2)
		why = "the merchant's region is not a country code";
	if (!why && strlen(m->store_id) > APS_ID_MAX)
		why = "referenceStoreId is longer than 64";
	return why;
}

/* A merchant that has no stores of its own is its one store. */
static void aps_put_merchant(struct jw *w, const Xw__Party *m)
{
	jw_obj(w, "merchant");
	jw_str(w, "referenceMerchantId", span_str(m->id));
	aps_put_text(w, "merchantName", m->name, 256);
	aps_put_text(w, "merchantMCC", m->mcc, 32);
	jw_obj(w, "merchantAddress");
	jw_str(w, "region", span_str(m->country));
	aps_put_text(w, "city", m->city, 32);
	aps_put_text(w, "address1", m->address, 256);
	jw_end(w, '}');
	jw_obj(w, "store");
	jw_str(w, "referenceStoreId", span_str(*m->store_id ? m->store_id : m->id));
	aps_put_text(w, "storeName", *m->store_name ? m->store_name : m->name, 256);
	aps_put_text(w, "storeMCC", m->mcc, 32);
	jw_end(w, '}');
	jw_end(w, '}');
}

/*
 * SPEC alipayplus 4.1 [C:S3]: storeTerminalId and storeTerminalRequestTime are recommended. The
 * time is the one in our own payment id, so that a repeat says the same. SPEC 4.3 [C:S4]: an entry
 * code must have the browser's userAgent; the wallet is found by it.
 */
static void put_env(struct jw *w, const Xw__Canonical *c)
{
	const char *terminal = c->order->merchant->terminal_id;
	struct pay_id id;

	if (!*terminal && !*c->user_agent)
		return;
	jw_obj(w, "env");
	aps_put_text(w, "userAgent", c->user_agent, 1024);
	aps_put_text(w, "storeTerminalId", terminal, 64);
	if (*terminal &&
		pay_id_parse(span_sub(span_str(c->request_id), 0, ID_TEXT_LEN), &id) == RC_OK)
		aps_put_time(w, "storeTerminalRequestTime", pay_id_time(&id).us);
	jw_end(w, '}');
}

void aps_put_order(struct jw *w, const Xw__Canonical *c, bool for_another)
{
	const Xw__Order *o = c->order;

	jw_obj(w, "order");
	jw_str(w, "referenceOrderId",
		span_str(*o->reference    ? o->reference
			 : *c->request_id ? c->request_id
					  : c->object_id));
	aps_put_text(
		w, "orderDescription", *o->description ? o->description : o->merchant->name, 256);
	canonical_money_write(w, "orderAmount", o->amount ? o->amount : c->payment->amount);
	aps_put_merchant(w, o->merchant);
	put_env(w, c);
	/* SPEC alipayplus 3.1 [T:1]: we are not the merchant's own acquirer. */
	if (for_another && c->acquirer && *c->acquirer->id) {
		jw_obj(w, "indirectAcquirer");
		aps_put_text(w, "referenceAcquirerId", c->acquirer->id, 64);
		aps_put_text(w, "acquirerName", c->acquirer->name, 256);
		jw_end(w, '}');
	}
	jw_end(w, '}');
}

/* ---- a call as a whole --------------------------------------------------------------------- */

enum rc aps_write(const struct adapter_env *env, const struct aps_call *k, struct span path,
	const Xw__Canonical *call, struct http_out *out, const char **ret_why)
{
	const char *why = k && k->check ? k->check(call) : "APS has no such operation";
	struct jw w = jw_init(&out->body);
	enum rc rc;

	if (!why) {
		jw_obj(&w, NULL);
		k->put(env, &w, call);
		jw_end(&w, '}');
		out->method = "POST";
		buf_add(&out->target, env->base_path);
		buf_add(&out->target, path);
	}
	rc = adapter_written(env, out, why, ret_why);
	return rc == RC_OK
		       ? aps_seal(env, "request-time", SPAN("POST"), buf_span(&out->target), out)
		       : rc;
}
