/*
 * iso20022.c: one transfer as a message of ISO 20022, element by element in the order of its
 * schema.
 *
 * The hard thing is that a message that is almost valid is refused by a bank days later: the plays
 * hold each against the published schema. Amounts are decimals of major units, by the currency's
 * own digits (rule X-1). Must never write a number that is not exact.
 */
#include "iso20022.h"

#include "xml.h"

#define URN "urn:iso:std:iso:20022:tech:xsd:"

bool iso_is_iban(struct span s)
{
	int rest = 0;

	if (s.n < 15 || s.n > 34 || !span_is_alnum(s, ""))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[(i + 4) % s.n];
		bool letter = c >= 'A' && c <= 'Z';

		if (!letter && (c < '0' || c > '9'))
			return false;
		rest = (rest * (letter ? 100 : 10) + (letter ? c - 'A' + 10 : c - '0')) % 97;
	}
	return rest == 1 && s.p[0] >= 'A' && s.p[1] >= 'A' && s.p[2] <= '9' && s.p[3] <= '9';
}

bool iso_is_bic(struct span s)
{
	if (s.n != 8 && s.n != 11)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool letter = s.p[i] >= 'A' && s.p[i] <= 'Z',
		     digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (!letter && (!digit || i == 4 || i == 5))
			return false;
	}
	return true;
}

static void put_time(struct buf *b, const char *tag, struct wall at)
{
	char text[40];
	struct buf t = buf_init(text, sizeof text);

	wall_write(&t, at, 3);
	xml_put(b, tag, buf_span(&t));
}

static void put_day(struct buf *b, const char *tag, int64_t day)
{
	char text[40];
	struct buf t = buf_init(text, sizeof text);

	wall_write(&t, wall_of_day(day, 0, 0, 0), 0);
	xml_put(b, tag, span_sub(buf_span(&t), 0, 10));
}

static void put_amount(struct buf *b, const char *tag, struct money m)
{
	char text[40];
	struct buf t = buf_init(text, sizeof text);

	money_write_major(&t, m);
	buf_ch(b, '<');
	buf_str(b, tag);
	buf_str(b, " Ccy=\"");
	buf_str(b, ccy_alpha(money_ccy(m)));
	buf_str(b, "\">");
	buf_add(b, buf_span(&t));
	xml_close(b, tag);
}

static void put_institution(struct buf *b, const char *tag, const struct iso_party *p)
{
	xml_open(b, tag);
	xml_open(b, "FinInstnId");
	xml_put(b, "BICFI", span_str(p->bic));
	xml_close(b, "FinInstnId");
	xml_close(b, tag);
}

static void put_account(struct buf *b, const char *tag, const struct iso_party *p)
{
	xml_open(b, tag);
	xml_open(b, "Id");
	xml_put(b, "IBAN", span_str(p->iban));
	xml_close(b, "Id");
	xml_close(b, tag);
}

static void put_name(struct buf *b, const char *tag, const struct iso_party *p)
{
	xml_open(b, tag);
	xml_put(b, "Nm", span_str(p->name));
	xml_close(b, tag);
}

static void put_about(struct buf *b, const struct iso_transfer *t)
{
	xml_open(b, "RmtInf");
	xml_put(b, "Ustrd", t->about);
	xml_close(b, "RmtInf");
}

static void put_head(struct buf *b, const struct iso_transfer *t)
{
	xml_put(b, "MsgId", t->id);
	put_time(b, "CreDtTm", t->made);
	xml_put(b, "NbOfTxs", SPAN("1"));
}

/* SPEC iso20022 pacs.009.001.08 */
void iso_put_pacs009(struct buf *b, const struct iso_transfer *t)
{
	buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xml_open(b, "Document xmlns=\"" URN "pacs.009.001.08\"");
	xml_open(b, "FICdtTrf");
	xml_open(b, "GrpHdr");
	put_head(b, t);
	xml_open(b, "SttlmInf");
	xml_put(b, "SttlmMtd", SPAN("CLRG"));
	xml_close(b, "SttlmInf");
	xml_close(b, "GrpHdr");
	xml_open(b, "CdtTrfTxInf");
	xml_open(b, "PmtId");
	xml_put(b, "InstrId", t->id);
	xml_put(b, "EndToEndId", t->id);
	xml_close(b, "PmtId");
	put_amount(b, "IntrBkSttlmAmt", t->amount);
	put_day(b, "IntrBkSttlmDt", t->day);
	put_institution(b, "Dbtr", &t->from);
	put_account(b, "DbtrAcct", &t->from);
	put_institution(b, "Cdtr", &t->to);
	put_account(b, "CdtrAcct", &t->to);
	put_about(b, t);
	xml_close(b, "CdtTrfTxInf");
	xml_close(b, "FICdtTrf");
	xml_close(b, "Document");
	buf_ch(b, '\n');
}

/* SPEC iso20022 pain.001.001.09 */
void iso_put_pain001(struct buf *b, const struct iso_transfer *t)
{
	buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xml_open(b, "Document xmlns=\"" URN "pain.001.001.09\"");
	xml_open(b, "CstmrCdtTrfInitn");
	xml_open(b, "GrpHdr");
	put_head(b, t);
	put_name(b, "InitgPty", &t->from);
	xml_close(b, "GrpHdr");
	xml_open(b, "PmtInf");
	xml_put(b, "PmtInfId", t->id);
	xml_put(b, "PmtMtd", SPAN("TRF"));
	xml_open(b, "ReqdExctnDt");
	put_day(b, "Dt", t->day);
	xml_close(b, "ReqdExctnDt");
	put_name(b, "Dbtr", &t->from);
	put_account(b, "DbtrAcct", &t->from);
	put_institution(b, "DbtrAgt", &t->from);
	xml_open(b, "CdtTrfTxInf");
	xml_open(b, "PmtId");
	xml_put(b, "EndToEndId", t->id);
	xml_close(b, "PmtId");
	xml_open(b, "Amt");
	put_amount(b, "InstdAmt", t->amount);
	xml_close(b, "Amt");
	put_institution(b, "CdtrAgt", &t->to);
	put_name(b, "Cdtr", &t->to);
	put_account(b, "CdtrAcct", &t->to);
	put_about(b, t);
	xml_close(b, "CdtTrfTxInf");
	xml_close(b, "PmtInf");
	xml_close(b, "CstmrCdtTrfInitn");
	xml_close(b, "Document");
	buf_ch(b, '\n');
}
