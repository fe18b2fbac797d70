/*
 * test_twint_sandbox.c: the TWINT fake refuses what the partner's schemas would refuse. Envelopes
 * are written by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"

#define UUID "5f91483d-78a7-4914-bc6f-0123456789ab"

static const struct fake_pair settings[] = {
	{ "merchant_uuid", UUID },
	{ NULL, NULL },
};

static struct fakeworld *w;
static char reply[16384];

#define MERCHANT                                                                                   \
	"<m:MerchantInformation><b:MerchantUuid>" UUID "</b:MerchantUuid><b:CashRegisterId>XW-1"   \
	"</b:CashRegisterId></m:MerchantInformation>"
#define HEADER                                                                                     \
	"<h:RequestHeaderElement><h:MessageId>" UUID "</h:MessageId><h:ClientSoftwareName>n"       \
	"</h:ClientSoftwareName><h:ClientSoftwareVersion>1</h:ClientSoftwareVersion>"              \
	"</h:RequestHeaderElement>"
#define ENVELOPE(header, body)                                                                     \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "                       \
	"xmlns:h=\"http://service.twint.ch/header/types/v8_6\" "                                   \
	"xmlns:m=\"http://service.twint.ch/merchant/types/v8_6\" "                                 \
	"xmlns:b=\"http://service.twint.ch/base/types/v8_6\"><s:Header>" header                    \
	"</s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define SUM(amount, currency)                                                                      \
	"<m:RequestedAmount><b:Amount>" amount "</b:Amount><b:Currency>" currency                  \
	"</b:Currency></m:RequestedAmount>"
#define REFERENCE(r) "<m:MerchantTransactionReference>" r "</m:MerchantTransactionReference>"
#define PAYMENT(sum, r)                                                                            \
	"<m:Order type=\"PAYMENT_IMMEDIATE\" confirmationNeeded=\"true\">"                         \
	"<m:PostingType>GOODS</m:PostingType>" sum                                                 \
	REFERENCE(r) "</m:Order>"
#define REVERSAL(sum, r, link)                                                                     \
	"<m:Order type=\"REVERSAL\" confirmationNeeded=\"false\">"                                 \
	"<m:PostingType>GOODS</m:PostingType>" sum                                                 \
	REFERENCE(r) "<m:Link>" REFERENCE(link) "</m:Link></m:Order>"
#define ANYBODY  "<m:UnidentifiedCustomer>true</m:UnidentifiedCustomer>"
#define START(m) "<m:StartOrderRequestElement>" m "</m:StartOrderRequestElement>"
#define GOOD(r)  START(MERCHANT PAYMENT(SUM("12.40", "CHF"), r) ANYBODY)

/* The name of the fault; "" where there is none. */
static const char *post(const char *action, const char *envelope)
{
	static char fault[64];
	char headers[128], *at;
	const struct http_msg *m;

	snprintf(headers, sizeof headers,
		"content-type: text/xml; charset=utf-8\r\n"
		"soapaction: \"%s\"\r\n",
		action);
	m = fakeworld_http(w, "POST", "/merchant", headers, envelope);
	assert_non_null(m);
	assert_true(span_to_cstr(m->body, reply, sizeof reply));
	fault[0] = '\0';
	at = strstr(reply, "<faultstring>");
	assert_int_equal(m->status, at ? 500 : 200);
	if (at)
		sscanf(at, "<faultstring>%63[^<]", fault);
	return fault;
}

static const char *call(const char *action, const char *body)
{
	char envelope[8192];

	snprintf(envelope, sizeof envelope, ENVELOPE(HEADER, "%s"), body);
	return post(action, envelope);
}

static void enrol(void)
{
	assert_string_equal(
		call("EnrollCashRegister", "<m:EnrollCashRegisterRequestElement>" MERCHANT
					   "<m:CashRegisterType>EPOS</m:CashRegisterType>"
					   "</m:EnrollCashRegisterRequestElement>"),
		"");
}

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("twint", settings);
	enrol();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

static void registers_are_enrolled(void **state)
{
	(void)state;
	fakeworld_free(w);
	w = fakeworld_new("twint", settings);
	assert_string_equal(call("StartOrder", GOOD("r-1")), "InvalidCashRegister");
	assert_string_equal(
		call("EnrollCashRegister", "<m:EnrollCashRegisterRequestElement>" MERCHANT
					   "<m:CashRegisterType>TILL</m:CashRegisterType>"
					   "</m:EnrollCashRegisterRequestElement>"),
		"InvalidParameter");
	enrol();
	enrol();
	assert_string_equal(call("StartOrder", GOOD("r-1")), "");
}

static void envelopes_are_checked(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		ENVELOPE("", GOOD("r-1")),
		ENVELOPE("<h:RequestHeaderElement/>", GOOD("r-1")),
		ENVELOPE(HEADER HEADER, GOOD("r-1")),
		ENVELOPE(HEADER, ""),
		ENVELOPE(HEADER, GOOD("r-1") GOOD("r-2")),
		ENVELOPE(HEADER, "<m:MonitorOrderRequestElement/>"),
		("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header/>"
		 "<s:Body/></s:Envelope>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (strcmp(post("StartOrder", bad[i]), "InvalidParameter") != 0)
			fail_msg("%s was taken", bad[i]);
	assert_string_equal(post("DanceOrder", ENVELOPE(HEADER, GOOD("r-1"))), "InvalidParameter");
	assert_string_equal(post("StartOrder", ENVELOPE(HEADER, GOOD("r-1"))), "");
}

static void starts_are_checked(void **state)
{
	static const struct {
		const char *fault, *body;
	} cases[] = {
		{ "InvalidParameter", START(PAYMENT(SUM("1", "CHF"), "a") MERCHANT ANYBODY) },
		{ "InvalidParameter", START(MERCHANT PAYMENT(SUM("1", "CHF"), "a")) },
		{ "InvalidParameter", START(MERCHANT ANYBODY PAYMENT(SUM("1", "CHF"), "a")) },
		{ "InvalidParameter", START(MERCHANT PAYMENT(SUM("1", "CHF"), "a") ANYBODY
					      "<m:Colour>red</m:Colour>") },
		{ "InvalidParameter", START(MERCHANT PAYMENT(SUM("1", "CHF"), "") ANYBODY) },
		{ "InvalidParameter", START(MERCHANT PAYMENT(SUM("1", "CHF"), " a") ANYBODY) },
		{ "InvalidParameter", START(MERCHANT PAYMENT("", "a") ANYBODY) },
		{ "InvalidParameter", START(MERCHANT PAYMENT(SUM("1", "CHF"),
					      "a") "<m:OfflineAuthorization>TW0"
						   "</m:OfflineAuthorization>" ANYBODY) },
		{ "InvalidParameter",
			START(MERCHANT PAYMENT(SUM("1", "CHF"), "a") ANYBODY
				"<m:OrderUpdateNotificationURL>https://switch.example/x"
				"</m:OrderUpdateNotificationURL>") },
		{ "InvalidParameter",
			START(MERCHANT PAYMENT(SUM("1", "CHF"), "a") ANYBODY
				"<m:PaymentLayerRendering>POSTER</m:PaymentLayerRendering>") },
		{ "InvalidCurrency", START(MERCHANT PAYMENT(SUM("1", "EUR"), "a") ANYBODY) },
		{ "InvalidAmount", START(MERCHANT PAYMENT(SUM("0", "CHF"), "a") ANYBODY) },
		{ "InvalidAmount", START(MERCHANT PAYMENT(SUM("-1", "CHF"), "a") ANYBODY) },
		{ "InvalidAmount", START(MERCHANT PAYMENT(SUM("1.005", "CHF"), "a") ANYBODY) },
		{ "InvalidOrder",
			START(MERCHANT "<m:Order type=\"PAYMENT_IMMEDIATE\">"
				       "<m:PostingType>GOODS</m:PostingType>" SUM("1", "CHF")
					       REFERENCE("a") "</m:Order>" ANYBODY) },
		{ "InvalidOfflineAuthorization", START(MERCHANT PAYMENT(SUM("1", "CHF"),
							 "a") "<m:OfflineAuthorization>nobody"
							      "</m:OfflineAuthorization>") },
		{ "InvalidMerchant",
			START("<m:MerchantInformation><b:MerchantUuid>" UUID "</b:MerchantUuid>"
			      "</m:MerchantInformation>" PAYMENT(SUM("1", "CHF"), "a") ANYBODY) },
	};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof cases / sizeof *cases; i++)
		if (strcmp(call("StartOrder", cases[i].body), cases[i].fault) != 0)
			fail_msg("%s: %s", cases[i].body, reply);
	assert_string_equal(
		call("StartOrder", cases[16].body), "InvalidParameter"); /* no register */
	assert_string_equal(call("StartOrder", GOOD("a")), "");
	assert_string_equal(call("StartOrder", GOOD("a")), "InvalidOrder"); /* it was used */
}

#define ON(op, m) "<m:" op "RequestElement>" MERCHANT m "</m:" op "RequestElement>"

static void hand(const char *command)
{
	char answer[128];

	fakeworld_control(w, command, answer, sizeof answer);
	assert_non_null(strstr(answer, "true"));
}

static void an_order_goes_its_way(void **state)
{
	(void)state;
	assert_string_equal(call("StartOrder", GOOD("r-1")), "");
	assert_non_null(strstr(reply, ">IN_PROGRESS<"));
	assert_string_equal(
		call("ConfirmOrder", ON("ConfirmOrder", REFERENCE("r-1") SUM("12.40", "CHF"))),
		"InvalidOrder"); /* nobody has approved */
	hand("{\"do\":\"app-approve\",\"reference\":\"r-1\"}");
	assert_string_equal(call("MonitorOrder", ON("MonitorOrder", REFERENCE("r-1"))), "");
	assert_non_null(strstr(reply, ">ORDER_CONFIRMATION_PENDING<"));
	assert_string_equal(
		call("ConfirmOrder", ON("ConfirmOrder", REFERENCE("r-1") SUM("12.39", "CHF"))),
		"InvalidAmount");
	assert_string_equal(
		call("ConfirmOrder", ON("ConfirmOrder", REFERENCE("r-1"))), "InvalidParameter");
	assert_string_equal(
		call("ConfirmOrder", ON("ConfirmOrder", REFERENCE("r-1") SUM("12.40", "CHF"))), "");
	assert_non_null(strstr(reply, ">SUCCESS<"));
	assert_string_equal(
		call("CancelOrder", ON("CancelOrder", REFERENCE("r-1"))), "StatusTransitionError");
	assert_string_equal(
		call("MonitorOrder", ON("MonitorOrder", REFERENCE("r-9"))), "InvalidOrder");
	assert_string_equal(call("MonitorOrder", ON("MonitorOrder", "")), "InvalidParameter");
}

static void reversals_are_checked(void **state)
{
#define BACK(sum, r, link) START(MERCHANT REVERSAL(SUM(sum, "CHF"), r, link) ANYBODY)
	(void)state;
	assert_string_equal(call("StartOrder", GOOD("r-1")), "");
	assert_string_equal(call("StartOrder", BACK("1.00", "x-1", "r-1")), "ReversalError");
	hand("{\"do\":\"app-approve\",\"reference\":\"r-1\"}");
	assert_string_equal(call("StartOrder", BACK("1.00", "x-1", "r-1")), "ReversalError");
	assert_string_equal(
		call("ConfirmOrder", ON("ConfirmOrder", REFERENCE("r-1") SUM("12.40", "CHF"))), "");
	assert_string_equal(call("StartOrder", BACK("12.41", "x-1", "r-1")), "InvalidAmount");
	assert_string_equal(call("StartOrder", BACK("1.00", "x-1", "r-9")), "InvalidOrder");
	assert_string_equal(call("StartOrder", BACK("1.00", "x-1", "r-1")), "");
	assert_non_null(strstr(reply, ">SUCCESS<"));
	assert_string_equal(call("StartOrder", BACK("1.00", "x-1", "r-1")), "InvalidOrder");
	assert_string_equal(call("StartOrder", BACK("11.41", "x-2", "r-1")), "InvalidAmount");
	assert_string_equal(call("StartOrder", BACK("11.40", "x-2", "r-1")), "");
	assert_string_equal(
		call("CancelOrder", ON("CancelOrder", REFERENCE("x-2"))), "StatusTransitionError");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(registers_are_enrolled),
		T(envelopes_are_checked),
		T(starts_are_checked),
		T(an_order_goes_its_way),
		T(reversals_are_checked),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
