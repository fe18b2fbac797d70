/*
 * fake_payout.c: the fake's pay-outs: money of the merchant's that goes to a person, on a payload
 * that is signed.
 *
 * The hard thing: what is signed is the payload's text, so it is cut out of the body before anybody
 * reads it. Never pays on a signature that does not hold, nor under an id that came before.
 */
#include "swishfake.h"

#include "digest.h"
#include "text.h"

/* The bytes of the member "payload" of this object: from its bracket to the one that closes it. */
static struct span payload_of(struct span body)
{
	struct span name = SPAN("\"payload\":");
	size_t from = span_find_span(body, name) + name.n, depth = 0;
	bool quoted = false;

	for (size_t i = from; i < body.n; i++) {
		char ch = body.p[i];

		if (quoted && ch == '\\')
			i++;
		else if (ch == '"')
			quoted = !quoted;
		else if (!quoted && ch == '{')
			depth++;
		else if (!quoted && ch == '}' && --depth == 0)
			return span_sub(body, from, i + 1 - from);
	}
	return SPAN_NONE;
}

/* SPEC swish 7.1-signature [C:SW-PHP] */
static bool is_signed(const struct sandbox_host *h, const struct json *body, struct span payload)
{
	char bytes[600];
	struct buf sig = buf_init(bytes, sizeof bytes);
	uint8_t digest[64];

	digest_sha512(payload, digest);
	return text_unb64(&sig, fake_text(body, "signature")) == RC_OK &&
	       h->verify(h->ctx, fake_text(body, "payload.signingCertificateSerialNumber"),
		       span_of(digest, sizeof digest), buf_span(&sig));
}

static bool is_number(struct span s)
{
	return span_is_digits(s) && s.n >= 8 && s.n <= 15 && s.p[0] != '0';
}

static void check(const struct sandbox_host *h, const struct json *p, struct swf_faults *faults)
{
	struct span number = fake_text(p, "payeeAlias"), ssn = fake_text(p, "payeeSSN");
	struct span reference = fake_text(p, "payerPaymentReference");
	struct wall at;

	swf_fault(
		faults, !fake_setting_allows(h, "payee_alias", fake_text(p, "payerAlias")), "RP01");
	swf_fault(faults, !swf_is_reference(reference), "FF08");
	swf_fault(faults, !is_number(number), "BE18");
	swf_fault(faults, span_ends(number, SPAN("00")), "ACMT07");
	swf_fault(faults, ssn.n > 0 && (ssn.n != 12 || !span_is_digits(ssn)), "BE18");
	swf_fault(faults, !span_eq(fake_text(p, "currency"), SPAN("SEK")), "AM03");
	swf_fault(faults, !swf_is_message(fake_text(p, "message")), "RP02");
	swf_fault(faults,
		!span_eq(fake_text(p, "payoutType"), SPAN("PAYOUT")) ||
			wall_parse(fake_text(p, "instructionDate"), &at) != RC_OK,
		"PA01");
}

static struct http_out *created(const struct sandbox_host *h, const struct purse_entry *e)
{
	struct http_out *out = swf_bare(h, 201);
	struct buf location = arena_buf(h->arena, 512);

	if (!out || !arena_ok(h->arena))
		return NULL;
	buf_add(&location, h->origin);
	buf_str(&location, "/swish-cpcapi/api/v1/payouts/");
	buf_str(&location, e->id);
	http_out_header(out, "location", buf_span(&location));
	return out;
}

/* A number that ends in 05 has a bank that refuses. */
static struct http_out *take_up(
	struct purse *f, const struct sandbox_host *h, const struct json *body, int64_t amount)
{
	const struct json *p = json_get(body, "payload");
	struct span message = fake_text(p, "message"), number = fake_text(p, "payeeAlias");
	struct purse_entry *e = purse_new(
		f, h, fake_text(p, "payoutInstructionUUID"), fake_text(p, "payerPaymentReference"));

	if (!e || !span_to_cstr(number, e->payer, sizeof e->payer) ||
		!span_to_cstr(message, e->text, sizeof e->text) ||
		!purse_keep_url(e, h, fake_text(body, "callbackUrl")))
		return swf_bare(h, 503);
	e->amount = amount;
	memcpy(e->currency, "SEK", 4);
	if (swf_fails_by_message(message))
		(void)span_to_cstr(message, e->fails, sizeof e->fails);
	else if (span_ends(number, SPAN("05")))
		memcpy(e->fails, "FF10", 5);
	purse_pay_out(f, h, e,
		span_ends(number, SPAN("04")) ? fake_setting_int(h, "late_ms", 15000)
					      : fake_setting_int(h, "refund_ms", 300));
	return created(h, e);
}

/* SPEC swish 7.1-payout [C:SW-PHP]. Which code refuses a signature is not known: PA01 is ours. */
struct http_out *swf_payout(struct purse *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct json *body)
{
	static const char *const outer[] = { "payload", "callbackUrl", "signature", NULL };
	static const char *const inner[] = { "payoutInstructionUUID", "payerPaymentReference",
		"payerAlias", "payeeAlias", "payeeSSN", "amount", "currency", "payoutType",
		"message", "instructionDate", "signingCertificateSerialNumber", NULL };
	const struct json *p = json_get(body, "payload");
	struct span id = fake_text(p, "payoutInstructionUUID");
	struct swf_faults faults = { 0 };
	int64_t amount = 0;
	const char *bad;

	if (json_unknown(body, outer) || !p || json_unknown(p, inner) || !swf_is_instruction(id))
		return swf_bare(h, 400);
	if (!is_signed(h, body, payload_of(m->body)))
		return swf_refused_by(h, "PA01");
	swf_fault(&faults, !span_starts(fake_text(body, "callbackUrl"), SPAN("https://")), "RP03");
	check(h, p, &faults);
	bad = swf_read_amount(p, &amount);
	swf_fault(&faults, bad != NULL, bad);
	swf_fault(&faults, purse_find(f, id) != NULL, "RP09");
	bad = swf_refuses_by_message(fake_text(p, "message"));
	swf_fault(&faults, faults.count == 0 && bad, bad);
	return faults.count > 0 ? swf_refused(h, &faults) : take_up(f, h, body, amount);
}
