/*
 * qr.c: recognises a payload by its head and hands it to the reader of its format.
 *
 * The one hard thing is the order of the rules: the first that matches wins, they work on bytes,
 * and none may be widened (a Thai bank slip is TLV too, and no merchant code). Must never guess:
 * what fits no rule is unknown, and what a reader refused leaves no field and no account behind.
 */
#include "qr.h"

#include "check.h"
#include "json.h"
#include "scan.h"
#include "utf8.h"

#define BLANKS SPAN(" \t\r\n")

static const char *const formats[][2] = {
#define FORMAT(NAME, slug, sentence) [QR_##NAME] = { slug, sentence },
#include "format.def"
#undef FORMAT
};

static const char *const findings[][2] = {
#define FINDING(NAME, sentence) [QR_##NAME] = { #NAME, sentence },
#include "finding.def"
#undef FINDING
};

const char *qr_format_name(enum qr_format f)
{
	return formats[f][0];
}

const char *qr_format_sentence(enum qr_format f)
{
	return formats[f][1];
}

const char *qr_finding_name(enum qr_finding f)
{
	return findings[f][0];
}

const char *qr_finding_sentence(enum qr_finding f)
{
	return findings[f][1];
}

bool qr_finding_forbids(enum qr_finding f)
{
	return findings[f][0][0] == 'E';
}

static void note(struct qr *q, enum qr_finding f)
{
	q->strict = false;
	for (size_t i = 0; i < q->finding_count; i++) {
		if (q->finding[i] == f)
			return;
	}
	q->finding[q->finding_count++] = f;
}

void scan_warn(struct scan *s, enum qr_finding f)
{
	PRE(!qr_finding_forbids(f));
	note(s->q, f);
}

bool scan_fail(struct scan *s, enum qr_finding f)
{
	PRE(qr_finding_forbids(f));
	if (s->q->accept)
		note(s->q, f);
	s->q->accept = false;
	return false;
}

static struct qr_field *add(struct scan *s, struct span key)
{
	struct qr *q = s->q;

	if (q->field_count == QR_FIELDS_MAX) {
		scan_fail(s, QR_E_SIZE);
		return NULL;
	}
	q->field[q->field_count] = (struct qr_field){ key, SPAN(""), 0, false };
	return &q->field[q->field_count++];
}

void scan_put(struct scan *s, struct span key, struct span value)
{
	struct qr_field *f = add(s, key);

	if (f)
		f->value = value;
}

void scan_put_int(struct scan *s, struct span key, int64_t number)
{
	struct qr_field *f = add(s, key);

	if (f) {
		f->is_number = true;
		f->number = number;
	}
}

void scan_scheme(struct scan *s, enum qr_scheme scheme)
{
	s->q->candidate[0] = scheme;
	s->q->candidate_count = 1;
	scan_put(s, SPAN("scheme"), span_str(qr_scheme_name(scheme)));
}

bool scan_open(struct scan *s, enum qr_format format, struct span text)
{
	s->q->format = format;
	if (utf8_has_control(text, false))
		return scan_fail(s, QR_E_CTRL);
	return text.n <= SCAN_LINK_MAX || scan_fail(s, QR_E_SIZE);
}

struct span scan_join(struct scan *s, struct span a, struct span b)
{
	char *p = arena_alloc(s->arena, a.n + b.n);

	if (!p)
		return SPAN("");
	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return span_of(p, a.n + b.n);
}

struct span scan_drop_head(struct scan *s, struct span text)
{
	size_t before = text.n;

	for (;;) {
		if (span_starts(text, SPAN("\xef\xbb\xbf")))
			text = span_sub(text, 3, text.n);
		else if (text.n > 0 && span_find(BLANKS, text.p[0]) < BLANKS.n)
			text = span_sub(text, 1, text.n);
		else
			break;
	}
	if (text.n < before)
		scan_warn(s, QR_W_LEADING);
	return text;
}

struct span scan_trim_tail(struct span text, struct span blanks)
{
	while (text.n > 0 && span_find(blanks, text.p[text.n - 1]) < blanks.n)
		text.n--;
	return text;
}

static bool is_line(struct span text, struct span first)
{
	return span_starts(text, first) && text.n > first.n &&
	       (text.p[first.n] == '\r' || text.p[first.n] == '\n');
}

/* The two formats made of lines judge their own ends; all others lose them here. */
static void read_cleaned(struct scan *s, struct span text)
{
	text = scan_drop_head(s, text);
	if (is_line(text, SPAN("BCD"))) {
		epc_read(s, text);
		return;
	}
	if (is_line(text, SPAN("SPC"))) {
		swiss_read(s, text);
		return;
	}
	size_t before = text.n;

	text = scan_trim_tail(text, SPAN(" \t\r\n\0"));
	if (text.n < before)
		scan_warn(s, QR_W_TRAILING);
	if (span_empty(text))
		scan_fail(s, QR_E_EMPTY);
	else if (span_starts(text, SPAN("hQVDUFY"))) /* 85 05 "CPV" and two bits of the next */
		cpm_read(s, text);
	else if (span_starts(text, SPAN("000201")) || span_starts(text, SPAN("000202")))
		mpm_read(s, text);
	else if (!span_is_utf8(text))
		scan_fail(s, QR_E_UTF8);
	else if (span_is_digits(text) && wallet_read(s, text))
		return;
	else if (span_istarts(text, SPAN("upi:")))
		upi_read(s, text);
	else if (!swish_read(s, text) && !satispay_read(s, text) && !link_read(s, text) &&
		 !foreign_read(s, text))
		scan_fail(s, QR_E_UNKNOWN);
}

/* By insertion: readers find most elements in order, and there are few. */
static void sort_fields(struct qr *q)
{
	for (size_t i = 1; i < q->field_count; i++) {
		struct qr_field f = q->field[i];
		size_t j = i;

		for (; j > 0; j--) {
			struct span a = q->field[j - 1].key, b = f.key;
			int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

			if (c < 0 || (c == 0 && a.n <= b.n))
				break;
			q->field[j] = q->field[j - 1];
		}
		q->field[j] = f;
	}
}

/* Everything but the large arrays, whose counts say what is there. */
static void clear_result(struct qr *q)
{
	q->account_count = q->candidate_count = q->field_count = 0;
	q->dynamic = false;
	q->currency = (struct ccy){ 0 };
	q->mcc = q->country = q->name = q->city = q->reference = SPAN("");
	q->amount = q->fee = MONEY_NONE;
	q->fee_bp = 0;
}

void qr_scan(struct arena *arena, struct span payload, struct qr *ret)
{
	struct scan s = { arena, ret };

	ret->format = QR_UNKNOWN;
	ret->strict = ret->accept = true;
	ret->finding_count = 0;
	clear_result(ret);
	read_cleaned(&s, payload);
	if (!arena_ok(arena))
		scan_fail(&s, QR_E_SIZE);
	if (ret->accept)
		sort_fields(ret);
	else
		clear_result(ret);
}

void qr_refuse(enum qr_finding why, struct qr *ret)
{
	ret->format = QR_UNKNOWN;
	ret->strict = ret->accept = false;
	ret->finding_count = 1;
	ret->finding[0] = why;
	clear_result(ret);
}

bool qr_text(const struct qr *q, const char *key, struct span *ret)
{
	for (size_t i = 0; i < q->field_count; i++) {
		if (!q->field[i].is_number && span_eq(q->field[i].key, span_str(key))) {
			*ret = q->field[i].value;
			return true;
		}
	}
	return false;
}

enum rc qr_total(const struct qr *q, struct money amount, struct money *ret)
{
	if (!ccy_eq(money_ccy(amount), q->currency))
		return RC_BAD;
	if (!money_is_none(q->fee))
		return money_add(amount, q->fee, ret);
	return money_scale(amount, 10000 + q->fee_bp, 10000, q->currency, ROUND_HALF_UP, ret);
}

void qr_write_json(struct buf *b, const struct qr *q)
{
	struct jw w = jw_init(b);
	char key[SCAN_LINK_MAX + 64]; /* a link names its own parameters */

	jw_obj(&w, NULL);
	jw_str(&w, "format", span_str(qr_format_name(q->format)));
	jw_int(&w, "strict", q->strict);
	jw_int(&w, "accept", q->accept);
	jw_arr(&w, "codes");
	for (size_t i = 0; i < q->finding_count; i++)
		jw_str(&w, NULL, span_str(qr_finding_name(q->finding[i])));
	jw_end(&w, ']');
	jw_obj(&w, "fields");
	for (size_t i = 0; i < q->field_count; i++) {
		const struct qr_field *f = &q->field[i];

		CHECK(span_to_cstr(f->key, key, sizeof key));
		if (f->is_number)
			jw_int(&w, key, f->number);
		else
			jw_str(&w, key, f->value);
	}
	jw_end(&w, '}');
	jw_end(&w, '}');
}
