/*
 * confirm.c: what comes back from ePassi, by the payer's browser or by its server. The hard thing:
 * the payer holds a MAC of ours, that of the form, over STAMP&SITE&AMOUNT&KEY, and the confirmation
 * is STAMP&PAID&KEY with the same key. With "SITE&AMOUNT" for PAID the one is the other, so a PAID
 * that may hold an ampersand would let everybody confirm their own payments. Must never believe a
 * browser that says that a payment ended without money: that is not signed at all.
 */
#include "epassi.h"

#include "digest.h"
#include "payer.h"
#include "text.h"

#define STAMP_MAX 64
#define PAID_MAX  64
#define MAC_HEX   128

/* SPEC epassi 4.3 [C:E-DEV]: the hex of 64 bytes; in either case of letters. */
static bool mac_holds(
	const struct adapter_env *env, struct span stamp, struct span paid, struct span mac)
{
	char ours_text[MAC_HEX];
	uint8_t ours[MAC_HEX / 2], theirs[MAC_HEX / 2];
	struct buf text = buf_init(ours_text, sizeof ours_text), a = buf_init(ours, sizeof ours),
		   b = buf_init(theirs, sizeof theirs);

	return epassi_mac(env, (struct span[]){ stamp, paid }, 2, &text) &&
	       text_unhex(&a, buf_span(&text)) == RC_OK && text_unhex(&b, mac) == RC_OK &&
	       a.n == sizeof ours && b.n == sizeof theirs && digest_same(ours, theirs, sizeof ours);
}

/* SPEC epassi 4.4 [C:E-DEV]: STAMP, PAID, MAC. It says that STAMP was paid, by what id, and not how
 * much: that is what the form said, whose amount the MAC of the form holds. */
static enum rc read_paid(const struct adapter_env *env, struct span form, Xw__Canonical **ret)
{
	char stamp_text[STAMP_MAX], paid_text[PAID_MAX], mac_text[MAC_HEX];
	struct buf stamp = buf_init(stamp_text, sizeof stamp_text),
		   paid = buf_init(paid_text, sizeof paid_text),
		   mac = buf_init(mac_text, sizeof mac_text);
	struct arena *a = env->arena;
	Xw__Canonical *c;

	if (!payer_word(form, "STAMP", &stamp))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no STAMP", "/STAMP", ret);
	if (!payer_word(form, "PAID", &paid))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no PAID", "/PAID", ret);
	if (!payer_word(form, "MAC", &mac))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no MAC", "/MAC", ret);
	if (!mac_holds(env, buf_span(&stamp), buf_span(&paid), buf_span(&mac)))
		return arena_ok(a) ? canonical_refuse(a, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
					     "the MAC does not hold", "/MAC", ret)
				   : RC_FULL;
	c = canonical_new(a, OP_PUSH, false);
	if (c) {
		c->authentic = true;
		c->request_id = canonical_str(a, buf_span(&stamp));
		c->peer_id = canonical_str(a, buf_span(&paid));
		c->event_id = canonical_str(a, buf_span(&paid));
		c->outcome = canonical_outcome(
			a, VERDICT(APPROVED, NONE), SPAN("RETURN"), SPAN_NONE);
	}
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* SPEC epassi 4.4 [S:E-PHP]: `stamp`, and `error` where the form was refused. Not signed: a hint.
 */
static enum rc read_unpaid(const struct adapter_env *env, struct span form, Xw__Canonical **ret)
{
	char stamp_text[STAMP_MAX], error_text[64];
	struct buf stamp = buf_init(stamp_text, sizeof stamp_text),
		   error = buf_init(error_text, sizeof error_text);
	struct arena *a = env->arena;
	Xw__Canonical *c;

	if (!payer_word(form, "stamp", &stamp))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no stamp", "/stamp", ret);
	if (!payer_word(form, "error", &error))
		buf_reset(&error);
	c = canonical_new(a, OP_PUSH, false);
	if (c) {
		c->request_id = canonical_str(a, buf_span(&stamp));
		c->outcome = canonical_outcome(
			a, VERDICT(UNKNOWN, NONE), buf_span(&error), SPAN_NONE);
	}
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

enum rc epassi_read_return(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	bool paid = rq->route->kind == EPASSI_RETURN || rq->route->kind == EPASSI_NOTIFY;
	struct span form;

	if (!payer_form(rq->http, &form))
		return canonical_refuse(
			env->arena, OP_PUSH, RC_BAD, REASON_MEDIA, "not a form", "", ret);
	return paid ? read_paid(env, form, ret) : read_unpaid(env, form, ret);
}
