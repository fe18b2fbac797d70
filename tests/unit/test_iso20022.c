/*
 * test_iso20022.c: instructions to a bank: account numbers by the examples of their registries, and
 * both messages word for word. The plays hold them against the published schemas.
 */
#include "unit.h"

#include "iso20022.h"

static void accounts(void **state)
{
	static const char *const good[] = { "GB82WEST12345698765432", "DE89370400440532013000",
		"NO9386011117947", "FI2112345600000785", "MT84MALT011000012345MTLCAST001S" };
	static const char *const bad[] = { "", "DE89370400440532013001", "de89370400440532013000",
		"DE8937040044053201300", "GB82 WEST 1234 5698 7654 32", "NO93860111179470",
		"9386011117947NO", "DEX9370400440532013000" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!iso_is_iban(span_str(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (iso_is_iban(span_str(bad[i])))
			fail_msg("%s", bad[i]);
	assert_true(iso_is_bic(SPAN("DEUTDEFF")) && iso_is_bic(SPAN("DEUTDEFF500")));
	assert_true(iso_is_bic(SPAN("DNBANOKKXXX")));
	assert_false(iso_is_bic(SPAN("DEUTDEFF5")) || iso_is_bic(SPAN("DEUT1EFF")) ||
		     iso_is_bic(SPAN("deutdeff")) || iso_is_bic(SPAN("")));
}

static struct iso_transfer transfer(const char *ccy, int64_t minor)
{
	struct iso_transfer t = { .id = SPAN("XW-SETTLEMENT-7"),
		.made = { INT64_C(1768469400000000) },
		.day = 20468,
		.from = { "Crosswallet & Co", "DE89370400440532013000", "DEUTDEFF" },
		.to = { "Till", "NO9386011117947", "DNBANOKKXXX" },
		.about = SPAN("Settlement of 2026-01-14") };
	struct ccy c;

	assert_int_equal(ccy_by_alpha(span_str(ccy), &c), RC_OK);
	t.amount = money_of(minor, c);
	return t;
}

#define PARTY_TAIL                                                                                 \
	"</CdtrAcct><RmtInf><Ustrd>Settlement of 2026-01-14</Ustrd></RmtInf></CdtTrfTxInf>"

static void messages(void **state)
{
	static char text[4096];
	struct buf b = buf_init(text, sizeof text);
	struct iso_transfer t = transfer("EUR", 123405);

	(void)state;
	iso_put_pacs009(&b, &t);
	assert_buf(&b,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pacs.009.001.08\"><FICdtTrf><GrpHdr>"
		"<MsgId>XW-SETTLEMENT-7</MsgId><CreDtTm>2026-01-15T09:30:00.000Z</CreDtTm>"
		"<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>"
		"<CdtTrfTxInf><PmtId><InstrId>XW-SETTLEMENT-7</InstrId>"
		"<EndToEndId>XW-SETTLEMENT-7</EndToEndId></PmtId>"
		"<IntrBkSttlmAmt Ccy=\"EUR\">1234.05</IntrBkSttlmAmt>"
		"<IntrBkSttlmDt>2026-01-15</IntrBkSttlmDt>"
		"<Dbtr><FinInstnId><BICFI>DEUTDEFF</BICFI></FinInstnId></Dbtr>"
		"<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>"
		"<Cdtr><FinInstnId><BICFI>DNBANOKKXXX</BICFI></FinInstnId></Cdtr>"
		"<CdtrAcct><Id><IBAN>NO9386011117947</IBAN></Id>" PARTY_TAIL
		"</FICdtTrf></Document>\n");
	buf_reset(&b);
	t = transfer("JPY", 5000);
	iso_put_pain001(&b, &t);
	assert_true(
		span_find_span(buf_span(&b), SPAN("<InstdAmt Ccy=\"JPY\">5000</InstdAmt>")) < b.n);
	assert_true(span_find_span(buf_span(&b),
			    SPAN("<InitgPty><Nm>Crosswallet &amp; Co</Nm></InitgPty>")) < b.n);
	buf_reset(&b);
	t = transfer("BHD", 1);
	iso_put_pain001(&b, &t);
	assert_true(span_find_span(buf_span(&b), SPAN(">0.001<")) < b.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
