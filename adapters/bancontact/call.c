/*
 * call.c: our calls to Bancontact: payments with the API key of a profile, refunds with a
 * signature. The hard thing is what is not known: a payment whose create was not answered is looked
 * for by our reference, and a refund whose id was not learnt is sent again under its key, to the
 * byte. Must never send a create twice.
 */
#include "bancontact.h"

#include "digest.h"
#include "json.h"

#define REFERENCE_MAX   35
#define DESCRIPTION_MAX 140
#define SHOP_MAX        36
#define DAY_MS          INT64_C(86400000)

bool bancontact_searches(const Xw__Canonical *call)
{
	return (call->op == OP_INQUIRE || call->op == OP_CANCEL) && !call->peer_id[0];
}

bool bancontact_refunds(const Xw__Canonical *call)
{
	return call->op == OP_REFUND ||
	       (call->op == OP_INQUIRE_REFUND && call->refund && !call->refund->peer_id[0]);
}

/* SPEC bancontact 7.2-get [C:BC-API]: 24 characters; the published example ends with "=". */
bool bancontact_is_id(struct span id)
{
	return id.n == BANCONTACT_ID_LEN && span_is_alnum(id, "-_=");
}

/* ---- create -------------------------------------------------------------------------------- */

/* SPEC bancontact 7.2-create [C:BC-API]: the European Payments Council's extended set, of which
 * these are surely part: its basic set, and the Latin letters of U+00C0 to U+017F. */
static size_t sepa(struct span s)
{
	if (span_is_alnum(span_sub(s, 0, 1), "/-?:().,'+"))
		return 1;
	if (s.n < 2 || (uint8_t)s.p[0] < 0xc3 || (uint8_t)s.p[0] > 0xc5 ||
		(s.p[1] & 0xc0) != 0x80 || span_starts(s, SPAN("\xc3\x97")) ||
		span_starts(s, SPAN("\xc3\xb7")))
		return 0;
	return 2;
}

/* The payer must see whom the money is for: we are the payee, the shop is not. */
static void put_description(const struct adapter_env *env, struct jw *w, const Xw__Order *o)
{
	struct span name = canonical_shop(o), more = span_str(o ? o->reference : "");
	struct buf b = arena_buf(env->arena, name.n + 1 + more.n);

	buf_add(&b, name);
	buf_ch(&b, ' ');
	buf_add(&b, more);
	jw_opt(w, "description", canonical_plain(env->arena, buf_span(&b), DESCRIPTION_MAX, sepa));
}

/* SPEC bancontact 7.2-create [C:BC-API]: callbackUrl has a host of two labels or more, of which the
 * last is letters; where it is left out, the one of the profile stands. */
static bool has_name(struct span origin)
{
	struct span host = span_sub(origin, SPAN("https://").n, origin.n);
	size_t last;

	host = span_sub(host, 0, span_find(host, ':'));
	for (last = host.n; last > 0 && host.p[last - 1] != '.'; last--)
		if (!((host.p[last - 1] | 0x20) >= 'a' && (host.p[last - 1] | 0x20) <= 'z'))
			return false;
	return last > 1 && host.n - last >= 2;
}

static void put_callback(const struct adapter_env *env, struct jw *w)
{
	struct buf url = arena_buf(env->arena, env->origin.n + env->peer.n + 20);

	if (!has_name(env->origin))
		return;
	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/bancontact/");
	buf_add(&url, env->peer);
	jw_str(w, "callbackUrl", buf_span(&url));
}

/*
 * SPEC bancontact 7.2-pos [C:BC-API]: a sticker at the point of sale, posId, opens the newest
 * payment that was made for it. A posId is unique in our profile, which many shops share, so it is
 * a digest of who has the terminal.
 */
static void put_pos(const struct adapter_env *env, struct jw *w, const Xw__Order *o)
{
	const Xw__Party *m = o->merchant;
	const struct span parts[] = { span_str(m ? m->id : ""), SPAN("\n"),
		span_str(m ? m->store_id : ""), SPAN("\n"), span_str(m ? m->terminal_id : "") };
	struct digest d = digest_sha256_parts(parts, sizeof parts / sizeof *parts);
	struct buf id = arena_buf(env->arena, 32);

	buf_hex(&id, span_sub(digest_span(&d), 0, 16));
	jw_str(w, "posId", buf_span(&id));
	jw_opt(w, "shopName", canonical_plain(env->arena, canonical_shop(o), SHOP_MAX, sepa));
}

static const char *write_create(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	const Xw__Money *sum = canonical_charge(call->payment, SPAN("EUR"));
	bool at_pos = span_eq(adapter_setting(env, "pos"), SPAN("sticker"));
	struct jw w = jw_init(&out->body);

	if (call->code && call->code->text[0])
		return "payers of Bancontact show no code";
	if (!sum || sum->minor < 1)
		return "no amount in euros";
	if (at_pos &&
		!(call->order && call->order->merchant && call->order->merchant->terminal_id[0]))
		return "a sticker belongs to a terminal, and the order names none";
	jw_obj(&w, NULL);
	jw_int(&w, "amount", sum->minor);
	jw_str(&w, "currency", SPAN("EUR"));
	jw_str(&w, "reference", span_str(call->request_id));
	put_description(env, &w, call->order);
	put_callback(env, &w);
	if (at_pos)
		put_pos(env, &w, call->order);
	jw_end(&w, '}');
	if (at_pos)
		buf_str(&out->target, "/pos");
	out->method = "POST";
	return NULL;
}

/* ---- the other operations ------------------------------------------------------------------ */

/* SPEC bancontact 7.2-search [C:BC-API]: without `from` it begins yesterday; a payment that is in
 * doubt may be older. It is not older than a day before its expiry. */
static const char *write_search(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	struct buf from = arena_buf(env->arena, 40);

	buf_str(&out->target, "/search?page=0&size=10");
	jw_obj(&w, NULL);
	if (call->payment && call->payment->expires != 0) {
		wall_write(
			&from, wall_plus_ms((struct wall){ call->payment->expires }, -DAY_MS), 3);
		jw_str(&w, "from", buf_span(&from));
	}
	jw_str(&w, "reference", span_str(call->request_id));
	jw_end(&w, '}');
	out->method = "POST";
	return NULL;
}

static void put_payment(const Xw__Canonical *call, struct http_out *out)
{
	buf_ch(&out->target, '/');
	buf_str(&out->target, call->peer_id);
}

static const char *write_on_payment(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	if (bancontact_searches(call))
		return write_search(env, call, out);
	if (!bancontact_is_id(span_str(call->peer_id)))
		return "not an id of Bancontact";
	put_payment(call, out);
	out->method = call->op == OP_CANCEL ? "DELETE" : "GET";
	return NULL;
}

/* SPEC bancontact 7.2-refund [C:BC-API]: recognised by its key, with the same contents. */
static const char *write_refund(const Xw__Canonical *call, struct http_out *out)
{
	const Xw__Money *sum = canonical_refund_charge(call->refund, SPAN("EUR"));
	struct jw w = jw_init(&out->body);

	if (!sum || sum->minor < 1)
		return "no amount in euros";
	jw_obj(&w, NULL);
	jw_int(&w, "amount", sum->minor);
	jw_str(&w, "currency", SPAN("EUR"));
	jw_end(&w, '}');
	out->method = "POST";
	http_out_header(out, "idempotency-key", span_str(call->refund->id));
	return NULL;
}

static const char *write_of_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	const char *why = NULL;

	if (!call->refund || !bancontact_is_id(span_str(call->peer_id)))
		return "their id of the payment is not known";
	put_payment(call, out);
	buf_str(&out->target, "/refunds");
	if (bancontact_refunds(call)) {
		why = write_refund(call, out);
	} else if (!bancontact_is_id(span_str(call->refund->peer_id))) {
		why = "not an id of Bancontact";
	} else {
		buf_ch(&out->target, '/');
		buf_str(&out->target, call->refund->peer_id);
		out->method = "GET";
	}
	return why ? why : bancontact_sign(env, out);
}

/* SPEC bancontact 7.2-auth [C:BC-API]: the API key of the profile for payments; refunds are signed.
 */
static void put_api_key(const struct adapter_env *env, struct http_out *out)
{
	struct span key = adapter_secret(env, "api_key");
	struct buf b = arena_buf(env->arena, sizeof "Bearer " + key.n);

	buf_str(&b, "Bearer ");
	buf_add(&b, key);
	http_out_header(out, "authorization", buf_span(&b));
}

static const char *write(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct span ours = span_str(call->request_id);

	if (span_empty(ours) || ours.n > REFERENCE_MAX || !span_is_alnum(ours, "-"))
		return "the id is no reference that Bancontact takes";
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, "/v3/payments");
	if (call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND)
		return write_of_refund(env, call, out);
	put_api_key(env, out);
	if (call->op == OP_DEBIT)
		return write_create(env, call, out);
	if (call->op == OP_INQUIRE || call->op == OP_CANCEL)
		return write_on_payment(env, call, out);
	return "Bancontact has no such operation";
}

enum rc bancontact_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write(env, call, out);

	http_out_header(out, "accept", SPAN("application/json"));
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
	return adapter_written(env, out, why, ret_why);
}
