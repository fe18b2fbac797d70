/*
 * camt.c: an account statement as ISO 20022 camt.053.001.08 (BankToCustomerStatement): we are the
 * bank, the participant is the customer.
 *
 * The hard thing is the sign: our books say plus for what is owed to us, which is a debit of the
 * customer's account. Must never write more decimals than the currency has.
 */
#include "statement.h"

#include "xml.h"

#define PIECE 8192
#define SPACE "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

static void put(FILE *f, const struct buf *b)
{
	if (!buf_ok(b) || fwrite(b->p, 1, b->n, f) != b->n)
		cannot("the statement could not be written");
}

static void put_time(struct buf *b, const char *tag, struct wall at)
{
	char text[40];
	struct buf t = buf_init(text, sizeof text);

	wall_write(&t, at, 6);
	xml_put(b, tag, buf_span(&t));
}

static void put_amount(struct buf *b, struct money m)
{
	bool is_debit = money_minor(m) > 0;
	char text[48], tag[32];
	struct buf t = buf_init(text, sizeof text);

	money_write_major(&t, money_minor(m) < 0 ? money_neg(m) : m);
	snprintf(tag, sizeof tag, "Amt Ccy=\"%s\"", ccy_alpha(money_ccy(m)));
	xml_put(b, tag, buf_span(&t));
	xml_put(b, "CdtDbtInd", is_debit ? SPAN("DBIT") : SPAN("CRDT"));
}

static void put_balance(struct buf *b, const char *code, struct money m, struct wall at)
{
	xml_open(b, "Bal");
	xml_open(b, "Tp");
	xml_open(b, "CdOrPrtry");
	xml_put(b, "Cd", span_str(code));
	xml_close(b, "CdOrPrtry");
	xml_close(b, "Tp");
	put_amount(b, m);
	xml_open(b, "Dt");
	put_time(b, "DtTm", at);
	xml_close(b, "Dt");
	xml_close(b, "Bal");
}

/* Unique by account and period, within 35 characters. */
static void put_id(struct buf *b, const char *tag, const struct statement *s)
{
	char text[48];

	snprintf(text, sizeof text, "%d-%llx-%llx", s->account,
		(unsigned long long)s->from.us / 1000, (unsigned long long)s->to.us / 1000);
	xml_put(b, tag, span_str(text));
}

static void begin(FILE *f, const struct statement *s)
{
	char room[PIECE], number[16];
	struct buf b = buf_init(room, sizeof room);

	buf_str(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xml_open(&b, "Document xmlns=\"" SPACE "\"");
	xml_open(&b, "BkToCstmrStmt");
	xml_open(&b, "GrpHdr");
	put_id(&b, "MsgId", s);
	put_time(&b, "CreDtTm", s->made);
	xml_close(&b, "GrpHdr");
	xml_open(&b, "Stmt");
	put_id(&b, "Id", s);
	put_time(&b, "CreDtTm", s->made);
	xml_open(&b, "FrToDt");
	put_time(&b, "FrDtTm", s->from);
	put_time(&b, "ToDtTm", s->to);
	xml_close(&b, "FrToDt");
	xml_open(&b, "Acct");
	xml_open(&b, "Id");
	xml_open(&b, "Othr");
	snprintf(number, sizeof number, "%d", s->account);
	xml_put(&b, "Id", span_str(number));
	xml_close(&b, "Othr");
	xml_close(&b, "Id");
	xml_put(&b, "Ccy", span_str(ccy_alpha(s->ccy)));
	xml_put(&b, "Nm", span_sub(span_str(s->name), 0, 70));
	xml_close(&b, "Acct");
	put_balance(&b, "OPBD", s->opening, s->from);
	put_balance(&b, "CLBD", s->closing, s->to);
	buf_ch(&b, '\n');
	put(f, &b);
}

/* What we call the entry, which names the payment and the line of its books. */
static void line(FILE *f, const struct statement *s, const struct statement_line *l)
{
	char room[PIECE], text[64];
	struct buf b = buf_init(room, sizeof room), t = buf_init(text, sizeof text);

	(void)s;
	pay_id_write(&t, &l->payment);
	xml_open(&b, "Ntry");
	xml_open(&b, "NtryRef");
	buf_add(&b, buf_span(&t));
	buf_ch(&b, '.');
	buf_u64(&b, (uint64_t)l->version);
	buf_ch(&b, '.');
	buf_u64(&b, (uint64_t)l->line);
	xml_close(&b, "NtryRef");
	put_amount(&b, l->amount);
	xml_open(&b, "Sts");
	xml_put(&b, "Cd", SPAN("BOOK"));
	xml_close(&b, "Sts");
	xml_open(&b, "BookgDt");
	put_time(&b, "DtTm", l->at);
	xml_close(&b, "BookgDt");
	xml_put(&b, "AcctSvcrRef", buf_span(&t));
	xml_open(&b, "BkTxCd");
	xml_open(&b, "Prtry");
	xml_put(&b, "Cd", money_minor(l->amount) > 0 ? SPAN("OWED-TO-US") : SPAN("OWED-BY-US"));
	xml_close(&b, "Prtry");
	xml_close(&b, "BkTxCd");
	xml_close(&b, "Ntry");
	buf_ch(&b, '\n');
	put(f, &b);
}

static void end(FILE *f, const struct statement *s)
{
	(void)s;
	fputs("</Stmt></BkToCstmrStmt></Document>\n", f);
}

const struct statement_form statement_camt053 = { "camt.053", begin, line, end };
