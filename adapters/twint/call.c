/*
 * call.c: our calls to TWINT: SOAP 1.1, over TLS with the certificate of the merchant, which is the
 * host's. The hard thing is that all elements have an order and types without blanks (xs:token), so
 * that what a payer showed is sent as it was or not at all. Must never give an order the reference
 * of another.
 */
#include "twint.h"

#include "xml.h"

#define REFERENCE_MAX 50
#define CODE_MAX      3000
#define URL_MAX       250
#define SOAP          "http://schemas.xmlsoap.org/soap/envelope/"
#define TYPES         "http://service.twint.ch/"
#define VERSION       "v8_6"

struct span twint_reference(const Xw__Canonical *call)
{
	bool refund = call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND;

	return span_str(refund ? (call->refund ? call->refund->id : "") : call->request_id);
}

/* ---- parts --------------------------------------------------------------------------------- */

/* SPEC twint 7.4-merchant [C:TW-SDK] */
static void put_merchant(const struct adapter_env *env, struct buf *b)
{
	xml_open(b, "m:MerchantInformation");
	xml_put(b, "b:MerchantUuid", adapter_setting(env, "merchant_uuid"));
	xml_put(b, "b:CashRegisterId", adapter_setting(env, "cash_register_id"));
	xml_close(b, "m:MerchantInformation");
}

static void put_sum(struct buf *b, const Xw__Money *sum)
{
	char storage[24];
	struct buf amount = buf_init(storage, sizeof storage);

	money_write_major(&amount, canonical_money_in(sum));
	xml_open(b, "m:RequestedAmount");
	xml_put(b, "b:Amount", buf_span(&amount));
	xml_put(b, "b:Currency", SPAN("CHF"));
	xml_close(b, "m:RequestedAmount");
}

/* xs:token: no other blanks than single ones inside. */
static bool is_token(struct span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < ' ' ||
			(s.p[i] == ' ' && (i == 0 || i + 1 == s.n || s.p[i + 1] == ' ')))
			return false;
	return s.n > 0 && s.n <= max && span_utf8_prefix(s) == s.n;
}

/*
 * SPEC twint 7.4-start [C:TW-SDK for the elements, I for what PAYMENT_PAGE gives]: what the payer
 * showed, or an order for whoever comes, with a page to open and an address for updates.
 */
static const char *put_payer(
	const struct adapter_env *env, struct buf *b, const Xw__Canonical *call)
{
	struct span shown = span_str(call->code ? call->code->text : ""),
		    ours = span_str(call->request_id);
	struct buf url = arena_buf(env->arena, env->origin.n + env->peer.n + ours.n + 24);

	if (!span_empty(shown)) {
		xml_put(b, "m:OfflineAuthorization", shown);
		return is_token(shown, CODE_MAX) ? NULL : "not a code that TWINT takes";
	}
	if (call->code && call->code->format[0])
		return "the payer's code is gone, and an order without it would be another";
	xml_put(b, "m:UnidentifiedCustomer", SPAN("true"));
	xml_put(b, "m:PaymentLayerRendering", SPAN("PAYMENT_PAGE"));
	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/twint/");
	buf_add(&url, env->peer);
	buf_ch(&url, '/');
	buf_add(&url, ours);
	if (url.n <= URL_MAX)
		xml_put(b, "m:OrderUpdateNotificationURL", buf_span(&url));
	return NULL;
}

/* Up to its end, since a reversal says more. */
static void put_order(
	struct buf *b, const char *order, const Xw__Canonical *call, const Xw__Money *sum)
{
	xml_open(b, order);
	xml_put(b, "m:PostingType", SPAN("GOODS"));
	put_sum(b, sum);
	xml_put(b, "m:MerchantTransactionReference", twint_reference(call));
}

/* ---- operations ---------------------------------------------------------------------------- */

static const char *write_start(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	const char *order = "m:Order type=\"PAYMENT_IMMEDIATE\" confirmationNeeded=\"true\"";
	const Xw__Money *sum = canonical_charge(call->payment, SPAN("CHF"));

	if (!sum || sum->minor < 1)
		return "no amount in Swiss francs";
	put_merchant(env, b);
	put_order(b, order, call, sum);
	xml_close(b, order);
	return put_payer(env, b, call);
}

/* SPEC twint 7.4-refund [C:TW-SDK]: an order of its own, with a reference of its own. */
static const char *write_reversal(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	const char *order = "m:Order type=\"REVERSAL\" confirmationNeeded=\"false\"";
	const Xw__Money *sum = canonical_refund_charge(call->refund, SPAN("CHF"));

	if (!sum || sum->minor < 1)
		return "no amount in Swiss francs";
	put_merchant(env, b);
	put_order(b, order, call, sum);
	xml_open(b, "m:Link");
	xml_put(b, "m:MerchantTransactionReference", span_str(call->request_id));
	xml_close(b, "m:Link");
	xml_close(b, order);
	xml_put(b, "m:UnidentifiedCustomer", SPAN("true"));
	return NULL;
}

static const char *write_by_reference(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	put_merchant(env, b);
	xml_put(b, "m:MerchantTransactionReference", twint_reference(call));
	return NULL;
}

static const char *write_monitor(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	const char *why = write_by_reference(env, call, b);

	xml_put(b, "m:WaitForResponse", SPAN("false"));
	return why;
}

static const char *write_confirm(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	const Xw__Money *sum = canonical_charge(call->payment, SPAN("CHF"));
	const char *why = write_by_reference(env, call, b);

	if (!sum || sum->minor < 1)
		return "no amount in Swiss francs";
	put_sum(b, sum);
	xml_put(b, "m:PartialConfirmation", SPAN("false"));
	return why;
}

/* SPEC twint 7.4-enrol [C:TW-SDK]: before anything else; again does no harm [I]. */
static const char *write_enrol(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	struct span type = adapter_setting(env, "register_type");

	(void)call;
	put_merchant(env, b);
	xml_put(b, "m:CashRegisterType", span_empty(type) ? SPAN("EPOS") : type);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*write)(
		const struct adapter_env *env, const Xw__Canonical *call, struct buf *b);
} operations[OP_MAX] = {
	[OP_TOKEN] = { "EnrollCashRegister", write_enrol },
	[OP_DEBIT] = { "StartOrder", write_start },
	[OP_CAPTURE] = { "ConfirmOrder", write_confirm },
	[OP_INQUIRE] = { "MonitorOrder", write_monitor },
	[OP_CANCEL] = { "CancelOrder", write_by_reference },
	[OP_REFUND] = { "StartOrder", write_reversal },
	[OP_INQUIRE_REFUND] = { "MonitorOrder", write_monitor },
};

const char *twint_operation(enum op op)
{
	return operations[op].name;
}

/* ---- the envelope -------------------------------------------------------------------------- */

/* SPEC twint 7.4-header [C:TW-SDK]: a UUID for each message. */
static void put_header(const struct adapter_env *env, struct buf *b)
{
	uint8_t u[16];
	char storage[36];
	struct buf id = buf_init(storage, sizeof storage);

	memcpy(u, env->nonce, sizeof u);
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof u; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf_ch(&id, '-');
		buf_hex(&id, span_of(&u[i], 1));
	}
	xml_open(b, "s:Header");
	xml_open(b, "h:RequestHeaderElement");
	xml_put(b, "h:MessageId", buf_span(&id));
	xml_put(b, "h:ClientSoftwareName", SPAN("Crosswallet"));
	xml_put(b, "h:ClientSoftwareVersion", SPAN("1.0"));
	xml_close(b, "h:RequestHeaderElement");
	xml_close(b, "s:Header");
}

static const char *write_envelope(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	char element[64];
	struct buf e = buf_init(element, sizeof element - 1);
	const char *why;

	buf_str(&e, "m:");
	buf_str(&e, operations[call->op].name);
	buf_str(&e, "RequestElement");
	element[e.n] = '\0';
	buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	xml_open(b, "s:Envelope xmlns:s=\"" SOAP "\" xmlns:h=\"" TYPES "header/types/" VERSION
		    "\" xmlns:m=\"" TYPES "merchant/types/" VERSION "\" xmlns:b=\"" TYPES
		    "base/types/" VERSION "\"");
	put_header(env, b);
	xml_open(b, "s:Body");
	xml_open(b, element);
	why = operations[call->op].write(env, call, b);
	xml_close(b, element);
	xml_close(b, "s:Body");
	xml_close(b, "s:Envelope");
	return why;
}

static const char *write(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct span ours = twint_reference(call);
	struct buf action = arena_buf(env->arena, 32);

	if (!operations[call->op].name)
		return "TWINT has no such operation";
	if (call->op != OP_TOKEN &&
		(span_empty(ours) || ours.n > REFERENCE_MAX || !span_is_alnum(ours, "-")))
		return "the id is no reference that TWINT takes";
	if (span_empty(adapter_setting(env, "merchant_uuid")) ||
		span_empty(adapter_setting(env, "cash_register_id")))
		return "merchant_uuid or cash_register_id is not set";
	out->method = "POST";
	if (span_empty(env->base_path))
		buf_ch(&out->target, '/');
	buf_add(&out->target, env->base_path);
	http_out_header(out, "content-type", SPAN("text/xml; charset=utf-8"));
	buf_ch(&action, '"');
	buf_str(&action, operations[call->op].name);
	buf_ch(&action, '"');
	http_out_header(out, "soapaction", buf_span(&action));
	return write_envelope(env, call, &out->body);
}

enum rc twint_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write(env, call, out);

	return adapter_written(env, out, why, ret_why);
}
