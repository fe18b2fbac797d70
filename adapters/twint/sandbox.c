/*
 * sandbox.c: a TWINT of our own: the merchant's service, the app, and the calls that tell of an
 * update, with a book of its own. Written from the partner's WSDL and schemas, without a look at
 * the adapter.
 *
 * The hard thing is that an order has two ends to come to: approved, it holds, and only the
 * merchant's confirmation moves the money. Never takes a reference a second time, nor a register
 * that was not enrolled.
 */
#include "twintfake.h"

#include "money.h"

#define REGISTERS 8

struct twint {
	struct purse purse; /* first: a struct purse is what timers get */
	char enrolled[REGISTERS][51];
};

/* ---- orders -------------------------------------------------------------------------------- */

/* SPEC twint 7.4-states [C:TW-SDK]; the numbers of those that the examples do not show are ours. */
static const struct {
	const char *status, *status_code, *reason, *reason_code;
} states[] = {
	{ "IN_PROGRESS", "1", "ORDER_PENDING", "80" },
	{ "SUCCESS", "0", "ORDER_OK", "0" },
	{ "FAILURE", "2", "CLIENT_ABORT", "103" },
	{ "FAILURE", "2", "MERCHANT_ABORT", "102" },
	{ "FAILURE", "2", "CLIENT_TIMEOUT", "101" },
	{ "FAILURE", "2", "GENERAL_ERROR", "100" },
	{ "IN_PROGRESS", "1", "ORDER_CONFIRMATION_PENDING", "90" },
	{ "IN_PROGRESS", "1", "UNHEARD_OF", "99" },
};

static void put_code(struct buf *b, const char *name, const char *code, const char *word)
{
	char storage[48];
	struct buf tag = buf_init(storage, sizeof storage - 1);

	buf_str(&tag, name);
	buf_str(&tag, " code=\"");
	buf_str(&tag, code);
	buf_ch(&tag, '"');
	storage[tag.n] = '\0';
	xml_put(b, storage, span_str(word));
}

static void put_status(struct buf *b, const char *name, const struct purse_entry *e,
	const struct mischief_order *o)
{
	size_t i = e->state == PURSE_OPEN && e->approved ? 6 : (size_t)e->state;

	if (o->how == MISCHIEF_UNKNOWN_CODE)
		i = 7;
	if (o->how == MISCHIEF_PENDING)
		i = 0;
	xml_open(b, name);
	put_code(b, "v81:Status", states[i].status_code, states[i].status);
	put_code(b, "v81:Reason", states[i].reason_code, states[i].reason);
	xml_close(b, name);
}

static void put_sum(struct buf *b, const char *name, const struct purse_entry *e,
	const struct mischief_order *o)
{
	char storage[24];
	struct buf amount = buf_init(storage, sizeof storage);
	struct money m;

	if (money_from_minor(e->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0), SPAN("CHF"),
		    &m) != RC_OK)
		return;
	money_write_major(&amount, m);
	xml_open(b, name);
	xml_put(b, "v82:Amount", buf_span(&amount));
	xml_put(b, "v82:Currency", SPAN("CHF"));
	xml_close(b, name);
}

static void put_time(struct buf *b, const char *name, struct wall t)
{
	char storage[40];
	struct buf time = buf_init(storage, sizeof storage);

	wall_write(&time, t, 3);
	xml_put(b, name, buf_span(&time));
}

/* SPEC twint 7.4-order [C:TW-SDK] */
static void put_order(struct buf *b, const struct purse_entry *e, const struct mischief_order *o)
{
	const char *kind = e->parent ? "v81:Order type=\"REVERSAL\" confirmationNeeded=\"false\""
				     : "v81:Order type=\"PAYMENT_IMMEDIATE\" "
				       "confirmationNeeded=\"true\"";

	xml_open(b, kind);
	xml_put(b, "v81:PostingType", SPAN("GOODS"));
	put_sum(b, "v81:RequestedAmount", e, o);
	xml_put(b, "v81:MerchantTransactionReference",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses") : span_str(e->ref));
	xml_put(b, "v81:PaymentAuthorizationType", SPAN("FINAL_AUTH"));
	xml_put(b, "v81:Uuid", span_str(e->id));
	put_status(b, "v81:Status", e, o);
	put_time(b, "v81:CreationTimestamp", e->created);
	if (e->approved)
		put_sum(b, "v81:AuthorizedAmount", e, o);
	if (e->state != PURSE_OPEN)
		put_time(b, "v81:ProcessingTimestamp", e->ended);
	xml_open(b, "v81:PaymentAmount");
	xml_put(b, "v81:PaymentMethod", SPAN("DEBIT"));
	put_sum(b, "v81:Amount", e, o);
	xml_close(b, "v81:PaymentAmount");
	xml_close(b, kind);
}

static void put_merchant(const struct sandbox_host *h, struct buf *b, struct span cash_register)
{
	xml_open(b, "v81:MerchantInformation");
	xml_put(b, "v82:MerchantUuid", fake_setting(h, "merchant_uuid", ""));
	xml_put(b, "v82:CashRegisterId", cash_register);
	xml_close(b, "v81:MerchantInformation");
}

/* What was started; a payment's payer may open it. */
static struct http_out *started(
	const struct sandbox_host *h, const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = twint_begin(h, "StartOrder");
	char storage[96];
	struct buf url = buf_init(storage, sizeof storage);

	if (!out)
		return NULL;
	xml_put(&out->body, "v81:OrderUuid", span_str(e->id));
	put_status(&out->body, "v81:OrderStatus", e, o);
	if (e->url[0]) {
		buf_str(&url, "https://pay.twint.ch/payment?token=");
		buf_str(&url, e->id);
		xml_put(&out->body, "v81:Token", SPAN("12345"));
		xml_put(&out->body, "v81:TwintURL", buf_span(&url));
	}
	xml_put(&out->body, "v81:CustomerInformation", SPAN_NONE);
	xml_put(&out->body, "v81:PairingStatus", SPAN("NO_PAIRING"));
	twint_end(out, "StartOrder");
	return out;
}

static struct http_out *order_of(const struct sandbox_host *h, const char *operation,
	struct span cash_register, const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = twint_begin(h, operation);

	if (!out)
		return NULL;
	if (strcmp(operation, "CancelOrder") != 0)
		put_merchant(h, &out->body, cash_register);
	put_order(&out->body, e, o);
	if (strcmp(operation, "MonitorOrder") == 0)
		xml_put(&out->body, "v81:PairingStatus", SPAN("NO_PAIRING"));
	twint_end(out, operation);
	return out;
}

static struct http_out *tell(struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = fake_out(h, 0, 16);

	(void)f;
	(void)o;
	if (!out || e->parent)
		return NULL;
	out->method = "POST";
	buf_str(&out->target, e->url);
	return out;
}

/* ---- codes that a payer shows -------------------------------------------------------------- */

static const char *const behaviours[] = { "approve", "refuse", "no-funds" };

/* What it looks like is not published: ours is "TW", a digit for the behaviour, twelve of chance.
 */
static void mint(
	struct purse *f, const struct sandbox_host *h, struct span behaviour, struct buf *ret_json)
{
	struct jw w = jw_init(ret_json);
	char code[15];
	struct buf b = buf_init(code, sizeof code);

	(void)f;
	for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
		if (!span_eq(behaviour, span_str(behaviours[i])))
			continue;
		buf_str(&b, "TW");
		buf_dec(&b, i, 1);
		buf_dec(&b, h->entropy(h->ctx) % UINT64_C(1000000000000), 12);
		jw_obj(&w, NULL);
		jw_bool(&w, "ok", true);
		jw_str(&w, "code", buf_span(&b));
		jw_end(&w, '}');
		return;
	}
	fake_control_error(ret_json, "approve, refuse or no-funds");
}

/* ---- requests ------------------------------------------------------------------------------ */

struct merchant {
	struct span cash_register;
	const char *fault; /* NULL: it is ours */
	const char *code;
};

static bool is_enrolled(const struct twint *t, const struct sandbox_host *h, struct span id)
{
	for (size_t i = 0; i < REGISTERS; i++)
		if (span_eq(span_str(t->enrolled[i]), id))
			return true;
	return fake_setting_is(h, "registers", "any");
}

static struct merchant read_merchant(
	const struct twint *t, const struct sandbox_host *h, const struct xml *e, bool enrols)
{
	static const struct twint_child spec[] = { { "MerchantUuid", false },
		{ "CashRegisterId", false } };
	const struct xml *part[2];
	struct merchant m = { .fault = "InvalidParameter", .code = "1110" };
	struct span uuid;

	if (!twint_children(e, spec, 2, part) || !twint_token(part[0], 36, &uuid) ||
		!twint_is_uuid(uuid) || !twint_token(part[1], 50, &m.cash_register))
		return m;
	m.fault = NULL;
	if (!fake_setting_allows(h, "merchant_uuid", uuid)) {
		m.fault = "InvalidMerchant";
		m.code = "1111";
	} else if (span_empty(m.cash_register) ||
		   (!enrols && !is_enrolled(t, h, m.cash_register))) {
		m.fault = "InvalidCashRegister";
		m.code = "1112";
	}
	return m;
}

static struct http_out *invalid(const struct sandbox_host *h)
{
	return twint_fault(h, "InvalidParameter", "1110");
}

/* SPEC twint 7.4-enrol [C:TW-SDK] */
static struct http_out *enrol(
	struct twint *t, const struct sandbox_host *h, const struct xml *element)
{
	static const struct twint_child spec[] = { { "MerchantInformation", false },
		{ "CashRegisterType", false } };
	static const char *const types =
		"POS-Serviced POS-Selfservice POS-VendingMachine EPOS MPOS";
	const struct xml *part[2];
	struct span type;
	struct merchant m;
	struct http_out *out;

	if (!twint_children(element, spec, 2, part) || !twint_token(part[1], 20, &type) ||
		span_empty(type) || span_find_span(span_str(types), type) == strlen(types))
		return invalid(h);
	m = read_merchant(t, h, part[0], true);
	if (m.fault)
		return twint_fault(h, m.fault, m.code);
	for (size_t i = 0; i < REGISTERS && !is_enrolled(t, h, m.cash_register); i++)
		if (!t->enrolled[i][0])
			(void)span_to_cstr(m.cash_register, t->enrolled[i], sizeof t->enrolled[i]);
	out = twint_begin(h, "EnrollCashRegister");
	if (!out)
		return NULL;
	xml_open(&out->body, "v81:BeaconSecurity");
	xml_put(&out->body, "v81:BeaconUuid", fake_setting(h, "merchant_uuid", ""));
	xml_put(&out->body, "v81:MajorId", SPAN("1"));
	xml_put(&out->body, "v81:MinorId", SPAN("1"));
	xml_put(&out->body, "v81:BeaconInitString", SPAN("x"));
	xml_put(&out->body, "v81:BeaconSecret", SPAN("x"));
	xml_close(&out->body, "v81:BeaconSecurity");
	twint_end(out, "EnrollCashRegister");
	return out;
}

/* A sum of francs, as CurrencyAmountType has it. NULL, or the fault. */
static const char *read_sum(const struct xml *e, int64_t *ret)
{
	static const struct twint_child spec[] = { { "Amount", false }, { "Currency", false } };
	const struct xml *part[2];
	struct span amount, currency;
	struct money m;
	struct ccy c;

	if (!twint_children(e, spec, 2, part) || !twint_token(part[0], 20, &amount) ||
		!twint_token(part[1], 3, &currency))
		return "InvalidParameter";
	if (!span_eq(currency, SPAN("CHF")))
		return "InvalidCurrency";
	if (ccy_by_alpha(currency, &c) != RC_OK || money_parse_major(amount, c, &m) != RC_OK ||
		money_minor(m) < 1)
		return "InvalidAmount";
	*ret = money_minor(m);
	return NULL;
}

struct order {
	struct span reference, link, link_uuid, offline, url;
	int64_t amount;
	bool reversal;
};

/* Order, of a start. NULL, or the fault. */
static const char *read_order(const struct xml *e, struct order *o)
{
	static const struct twint_child spec[] = { { "PostingType", false },
		{ "RequestedAmount", false }, { "MerchantTransactionReference", false },
		{ "Link", true } };
	const struct xml *part[4];
	struct span type, posting, confirm = SPAN_NONE;
	const char *fault;

	if (!twint_children(e, spec, 4, part) || !xml_attribute(e, "type", &type) ||
		!twint_token(part[0], 5, &posting) ||
		!(span_eq(posting, SPAN("GOODS")) || span_eq(posting, SPAN("MONEY"))) ||
		!twint_token(part[2], 50, &o->reference) || span_empty(o->reference))
		return "InvalidParameter";
	fault = read_sum(part[1], &o->amount);
	if (fault)
		return fault;
	o->reversal = span_eq(type, SPAN("REVERSAL"));
	(void)xml_attribute(e, "confirmationNeeded", &confirm);
	if (!o->reversal)
		return span_eq(type, SPAN("PAYMENT_IMMEDIATE")) && !part[3] &&
				       span_eq(confirm, SPAN("true"))
			       ? NULL
			       : "InvalidOrder"; /* other orders are not played */
	if (!part[3] || xml_at(part[3], 1))
		return "InvalidOrder";
	(void)xml_text(part[3], "MerchantTransactionReference", &o->link);
	(void)xml_text(part[3], "OrderUuid", &o->link_uuid);
	return NULL;
}

/* SPEC twint 7.4-start [C:TW-SDK]: one of the customers; rendering, and an address behind it. */
static const char *read_start(const struct xml *element, struct order *o)
{
	static const struct twint_child spec[] = { { "MerchantInformation", false },
		{ "Order", false }, { "OfflineAuthorization", true },
		{ "UnidentifiedCustomer", true }, { "PaymentLayerRendering", true },
		{ "OrderUpdateNotificationURL", true } };
	const struct xml *part[6];
	struct span s;

	if (!twint_children(element, spec, 6, part) || !part[2] == !part[3] ||
		(part[2] && (!twint_token(part[2], 3000, &o->offline) || span_empty(o->offline))) ||
		(part[3] && (!twint_token(part[3], 5, &s) || !span_eq(s, SPAN("true")))) ||
		(part[4] && (!twint_token(part[4], 12, &s) ||
				    !(span_eq(s, SPAN("QR_CODE")) ||
					    span_eq(s, SPAN("PAYMENT_PAGE"))))) ||
		(part[5] && (!part[4] || !twint_token(part[5], 250, &o->url))))
		return "InvalidParameter";
	return read_order(part[1], o);
}

static struct purse_entry *new_entry(
	struct purse *f, const struct sandbox_host *h, const struct order *o)
{
	char id[36];
	struct buf b = buf_init(id, sizeof id);
	struct purse_entry *e;

	purse_write_uuid(&b, h);
	e = purse_new(f, h, buf_span(&b), o->reference);
	if (!e)
		return NULL;
	e->amount = o->amount;
	memcpy(e->currency, "CHF", 4);
	e->expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 180000));
	if (span_to_cstr(o->offline, e->payer, sizeof e->payer) &&
		(span_empty(o->url) || purse_keep_url(e, h, o->url)))
		return e;
	e->state = PURSE_FAILED; /* half an entry pays nothing */
	return NULL;
}

/* SPEC twint 7.4-refund [C:TW-SDK]: in parts, each with a reference of its own. */
static struct http_out *reverse(struct purse *f, const struct sandbox_host *h,
	const struct order *o, const struct mischief_order *order)
{
	struct purse_entry *parent = span_empty(o->link) ? purse_find(f, o->link_uuid)
							 : purse_find_ref(f, o->link),
			   *e;

	if (!parent || parent->parent)
		return twint_fault(h, "InvalidOrder", "1116");
	if (!parent->taken)
		return twint_fault(h, "ReversalError", "1204");
	if (o->amount > purse_left(parent))
		return twint_fault(h, "InvalidAmount", "1113");
	e = new_entry(f, h, o);
	if (!e)
		return twint_fault(h, "SystemError", "1000");
	purse_give_back(f, h, e, parent, fake_setting_int(h, "refund_ms", 0));
	return started(h, e, order);
}

/* A code that was used before, or that nobody made, is none. NULL, or the fault. */
static const char *scan(struct purse *f, struct span code)
{
	if (!span_starts(code, SPAN("TW")) || code.n != 15 || purse_payer_came(f, code))
		return "InvalidOfflineAuthorization";
	return code.p[2] == '2' ? "FundsError" : NULL;
}

static struct http_out *start(struct purse *f, const struct sandbox_host *h, const struct order *o,
	const struct mischief_order *order)
{
	const char *fault = span_empty(o->offline) ? NULL : scan(f, o->offline);
	struct purse_entry *e;

	/* Whether TWINT refuses a reference that was used is not written; ours does. */
	if (purse_find_ref(f, o->reference))
		return twint_fault(h, "InvalidOrder", "1116");
	if (o->reversal)
		return reverse(f, h, o, order);
	if (fault)
		return twint_fault(h, fault, fault[0] == 'F' ? "1209" : "1115");
	e = new_entry(f, h, o);
	if (!e)
		return twint_fault(h, "SystemError", "1000");
	purse_await(f, h, e);
	if (e->payer[0] && e->payer[2] == '1')
		(void)purse_end(f, h, e, PURSE_REFUSED, NULL);
	else if (e->payer[0] || order->how == MISCHIEF_LATE_SUCCESS)
		e->approved = true;
	return started(h, e, order);
}

/* ---- on an order that is there ------------------------------------------------------------- */

static struct purse_entry *order_at(
	struct purse *f, const struct xml *reference, const struct xml *uuid)
{
	struct span s;

	if (reference && twint_token(reference, 50, &s))
		return purse_find_ref(f, s);
	return uuid && twint_token(uuid, 36, &s) ? purse_find(f, s) : NULL;
}

static struct http_out *confirm(struct purse *f, const struct sandbox_host *h,
	struct purse_entry *e, const struct xml *sum, struct span cash_register,
	const struct mischief_order *o)
{
	int64_t amount;
	const char *fault = read_sum(sum, &amount);

	if (fault)
		return twint_fault(h, fault, "1110");
	if (e->state != PURSE_OPEN || !e->approved)
		return twint_fault(h, "InvalidOrder", "1116");
	if (amount != e->amount)
		return twint_fault(h, "InvalidAmount", "1113");
	(void)purse_end(f, h, e, PURSE_PAID, NULL);
	return order_of(h, "ConfirmOrder", cash_register, e, o);
}

static struct http_out *cancel(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	struct span cash_register, const struct mischief_order *o)
{
	if (e->parent || !purse_end(f, h, e, PURSE_CANCELLED, NULL))
		return twint_fault(h, "StatusTransitionError", "1200");
	return order_of(h, "CancelOrder", cash_register, e, o);
}

static struct http_out *on_order(struct twint *t, const struct sandbox_host *h,
	const struct twint_request *rq, const struct mischief_order *o)
{
	bool monitors = strcmp(rq->operation, "MonitorOrder") == 0,
	     confirms = strcmp(rq->operation, "ConfirmOrder") == 0;
	const struct twint_child spec[] = { { "MerchantInformation", false }, { "OrderUuid", true },
		{ "MerchantTransactionReference", true },
		{ monitors ? "WaitForResponse" : "RequestedAmount", !confirms },
		{ "PartialConfirmation", true } };
	const struct xml *part[5];
	struct purse_entry *e;
	struct merchant m;

	if (!twint_children(rq->element, spec,
		    confirms   ? 5
		    : monitors ? 4
			       : 3,
		    part) ||
		!part[1] == !part[2])
		return invalid(h);
	m = read_merchant(t, h, part[0], false);
	if (m.fault)
		return twint_fault(h, m.fault, m.code);
	e = order_at(&t->purse, part[2], part[1]);
	if (!e || (monitors && mischief_hides(o, h, e->created)))
		return twint_fault(h, "InvalidOrder", "1116");
	if (confirms)
		return confirm(&t->purse, h, e, part[3], m.cash_register, o);
	return monitors ? order_of(h, "MonitorOrder", m.cash_register, e, o)
			: cancel(&t->purse, h, e, m.cash_register, o);
}

static struct http_out *answer(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct twint *t = (struct twint *)f;
	struct twint_request rq;
	struct merchant who;
	struct order order = { .amount = 0 };
	const char *fault;

	if (!span_eq(m->method, SPAN("POST")) ||
		!span_istarts(fake_header(m, "content-type"), SPAN("text/xml")) ||
		!twint_read_envelope(h, m, &rq))
		return invalid(h);
	if (strcmp(rq.operation, "EnrollCashRegister") == 0)
		return enrol(t, h, rq.element);
	if (strcmp(rq.operation, "StartOrder") != 0)
		return on_order(t, h, &rq, o);
	fault = read_start(rq.element, &order);
	if (fault)
		return twint_fault(h, fault, "1110");
	who = read_merchant(t, h, xml_at(rq.element, 0), false);
	if (who.fault)
		return twint_fault(h, who.fault, who.code);
	return start(f, h, &order, o);
}

/* ---- of struct sandbox --------------------------------------------------------------------- */

static void arrives(struct purse *f, const struct sandbox_host *h, const struct fake_held *r)
{
	static const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct http_msg m = { .method = span_str(r->method),
		.body = span_of(r->body, r->body_n),
		.header_count = 2,
		.header = { { SPAN("content-type"), span_str(r->type) },
			{ SPAN("soapaction"), SPAN("\"StartOrder\"") } } };

	(void)answer(f, h, &m, &none);
}

static const int32_t retry_ms[] = { 1000, 5000, -1 };
static const char *const ops[] = { "enroll", "start", "monitor", "confirm", "cancel", "reverse",
	"callback", NULL };
static const struct purse_dialect dialect = {
	.ops = ops,
	.tell = tell,
	.retry_ms = retry_ms,
	.arrives = arrives,
	.holds = true,
};

static const char *op_of(const struct http_msg *m)
{
	static const struct {
		const char *operation, *op;
	} names[] = { { "EnrollCashRegister", "enroll" }, { "MonitorOrder", "monitor" },
		{ "ConfirmOrder", "confirm" }, { "CancelOrder", "cancel" } };
	const char *operation = twint_operation_of(m);

	for (size_t i = 0; i < sizeof names / sizeof *names && operation; i++)
		if (strcmp(names[i].operation, operation) == 0)
			return names[i].op;
	if (!operation)
		return "";
	return span_find_span(m->body, SPAN("\"REVERSAL\"")) < m->body.n ? "reverse" : "start";
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	purse_request(state, h, tag, m, op_of(m), answer);
}

static void control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct span verb = SPAN_NONE, behaviour = SPAN("approve");

	(void)json_str(command, "do", &verb);
	(void)json_str(command, "behaviour", &behaviour);
	if (span_eq(verb, SPAN("mint-code")))
		mint(state, h, behaviour, ret_json);
	else
		purse_control(state, h, command, ret_json);
}

static void init(void *state, const struct sandbox_host *h)
{
	purse_init(state, h, &dialect);
}

const struct sandbox twint_sandbox = {
	.name = "twint",
	.state_bytes = sizeof(struct twint),
	.init = init,
	.on_request = on_request,
	PURSE_SANDBOX,
	.control = control,
};
