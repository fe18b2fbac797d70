/*
 * fake_rules.c: what the Swish of the fake takes, and how it refuses: all that is wrong with a
 * request at once, each by its code. Never lets one fault pass for another.
 */
#include "swishfake.h"

#include "money.h"

#define BODY_MAX    4096
#define MESSAGE_MAX 50

/* ---- refusals ------------------------------------------------------------------------------ */

void swf_fault(struct swf_faults *f, bool there, const char *code)
{
	if (there && f->count < SWF_ERRORS_MAX)
		f->code[f->count++] = code;
}

struct http_out *swf_begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	return fake_json_out(h, status, "application/json", BODY_MAX, ret_w);
}

/* SPEC swish 7.1-errors [S:SW-ERR]: 422 and a list. */
struct http_out *swf_refused(const struct sandbox_host *h, const struct swf_faults *f)
{
	struct jw w;
	struct http_out *out = swf_begin(h, 422, &w);

	if (!out)
		return NULL;
	jw_arr(&w, NULL);
	for (size_t i = 0; i < f->count; i++) {
		jw_obj(&w, NULL);
		jw_str(&w, "errorCode", span_str(f->code[i]));
		jw_str(&w, "errorMessage", SPAN("see the list of codes"));
		jw_raw(&w, "additionalInformation", SPAN("null"));
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	return out;
}

struct http_out *swf_refused_by(const struct sandbox_host *h, const char *code)
{
	struct swf_faults f = { 0 };

	swf_fault(&f, true, code);
	return swf_refused(h, &f);
}

struct http_out *swf_bare(const struct sandbox_host *h, int status)
{
	return fake_out(h, status, 16);
}

/* ---- what a request holds ------------------------------------------------------------------ */

/* SPEC swish 7.1-create [C:SW-PHP]: 32 upper-case hexadecimal digits, a UUID of version 1, 3, 4, 5.
 */
bool swf_is_instruction(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'A' && s.p[i] <= 'F'))
			return false;
	return s.n == 32 && strchr("1345", s.p[12]) && strchr("89AB", s.p[16]);
}

/* SPEC swish 7.1-amount [C:SW-MAN]: digits, or digits, a point and two digits. */
const char *swf_read_amount(const struct json *body, int64_t *ret)
{
	struct span s, major, minor;
	size_t point;
	int64_t whole, part = 0;

	if (!json_str(body, "amount", &s))
		return "PA02";
	point = span_find(s, '.');
	major = span_sub(s, 0, point);
	minor = span_sub(s, point + 1, s.n);
	if (!span_is_digits(major) || (point < s.n && (minor.n != 2 || !span_is_digits(minor))))
		return "PA02";
	if (major.n > 12 || span_to_i64(major, &whole) != RC_OK)
		return "AM02";
	if (minor.n == 2)
		part = (minor.p[0] - '0') * 10 + (minor.p[1] - '0');
	*ret = whole * 100 + part;
	if (*ret > MONEY_MINOR_MAX)
		return "AM02";
	return whole < 1 ? "AM06" : NULL;
}

/* SPEC swish 7.1-message [C:SW-MAN]: at most 50 of a-ö, A-Ö, 0-9, blanks and :;.,?!(). */
bool swf_is_message(struct span s)
{
	static const char *const letters[] = { "å", "ä", "ö", "Å", "Ä", "Ö" };
	size_t count = 0;

	for (size_t i = 0; i < s.n; count++) {
		size_t n = 0;

		if (s.p[i] && strchr("0123456789 :;.,?!()\"", s.p[i]))
			n = 1;
		else if ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z'))
			n = 1;
		for (size_t k = 0; n == 0 && k < sizeof letters / sizeof *letters; k++)
			if (span_starts(span_sub(s, i, s.n), span_str(letters[k])))
				n = strlen(letters[k]);
		if (n == 0)
			return false;
		i += n;
	}
	return count <= MESSAGE_MAX;
}

bool swf_is_reference(struct span s)
{
	return s.n >= 1 && s.n <= 35 && span_is_alnum(s, "-_.+*/");
}

/* SPEC swish 7.1-simulator [C: MSS user guide 1.6]: a code as the message is what happens. */
const char *swf_refuses_by_message(struct span message)
{
	static const char *const at_once[] = { "FF08", "RP03", "BE18", "RP01", "PA02", "AM06",
		"AM02", "AM03", "RP02", "RP06", "ACMT01", "ACMT03", "ACMT07", "RF02", "RF03",
		"RF04", "RF06", "RF08" };

	for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++)
		if (span_eq(span_str(at_once[i]), message))
			return at_once[i];
	return NULL;
}

bool swf_fails_by_message(struct span message)
{
	return span_eq(message, SPAN("RF07")) || span_eq(message, SPAN("BANKIDCL")) ||
	       span_eq(message, SPAN("BANKIDONGOING")) || span_eq(message, SPAN("BANKIDUNKN")) ||
	       span_eq(message, SPAN("FF10")) || span_eq(message, SPAN("TM01")) ||
	       span_eq(message, SPAN("DS24"));
}
