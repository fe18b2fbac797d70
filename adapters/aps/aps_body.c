/*
 * aps_body.c: the members that several APS messages share: amounts, times, quotes, orders.
 *
 * SPEC alipayplus 3 [C:S3,S39]: every scalar is sent as a string; receivers take native numbers and
 * booleans too; a member that is not used is left out, never "". The hard thing is to tell absent
 * from malformed: an amount that cannot be read must never look like one that was not there.
 */
#include "aps.h"

#include "check.h"

/* SPEC alipayplus 3.1 [C:S27]: currency of three letters, value in minor units as a natural number.
 */
enum rc aps_get_money(struct arena *a, const struct json *from, const char *path, Xw__Money **ret)
{
	const struct json *v = json_get(from, path);
	struct span currency, value;
	struct money m;
	enum rc rc;

	if (!v)
		return RC_NOENT;
	if (!json_str(v, "currency", &currency) || !json_text(a, v, "value", &value))
		return arena_ok(a) ? RC_BAD : RC_FULL;
	rc = money_parse_minor(value, currency, &m);
	if (rc != RC_OK)
		return rc;
	*ret = canonical_money_of(a, m);
	return arena_ok(a) ? RC_OK : RC_FULL;
}

enum rc aps_get_text(
	struct arena *a, const struct json *from, const char *path, size_t max, char **ret)
{
	struct span s = SPAN_NONE;

	if (!json_get(from, path)) {
		*ret = canonical_str(a, s);
		return RC_OK;
	}
	if (!json_text(a, from, path, &s))
		return arena_ok(a) ? RC_BAD : RC_FULL;
	if (span_utf8_count(s) > max)
		return RC_RANGE;
	*ret = canonical_str(a, s);
	return arena_ok(a) ? RC_OK : RC_FULL;
}

/* SPEC alipayplus 2.5 [C]: body times are ISO 8601 with offset; "+0800" has been seen for "+08:00".
 */
enum rc aps_get_time(const struct json *from, const char *path, int64_t *ret)
{
	struct span text;
	struct wall w = WALL_NONE;
	enum rc rc = RC_OK;

	if (json_get(from, path))
		rc = json_str(from, path, &text) ? wall_parse_lenient(text, &w) : RC_BAD;
	if (rc == RC_OK)
		*ret = w.us;
	return rc;
}

/*
 * SPEC alipayplus 5.3: the two quotes have opposite orientation and the unit differs between
 * samples; so a quote is text for audit and nothing is computed from it. A price may come as a
 * native real, which json.h refuses as it could become money: it is then left out.
 */
enum rc aps_get_quote(struct arena *a, const struct json *from, const char *path, Xw__Quote **ret)
{
	const struct json *v = json_get(from, path);
	Xw__Quote *q;
	enum rc rc;

	if (!v)
		return RC_NOENT;
	q = canonical_quote(a);
	if (!q)
		return RC_FULL;
	rc = aps_get_text(a, v, "quoteId", APS_ID_MAX, &q->id);
	if (rc == RC_OK)
		rc = aps_get_text(a, v, "quoteCurrencyPair", 16, &q->pair);
	if (rc == RC_OK)
		rc = aps_get_text(a, v, "quotePrice", 32, &q->price);
	if (rc == RC_OK)
		rc = aps_get_time(v, "quoteStartTime", &q->valid_from);
	if (rc == RC_OK)
		rc = aps_get_time(v, "quoteExpiryTime", &q->valid_until);
	if (rc == RC_FULL)
		return rc;
	*ret = q;
	return RC_OK; /* what cannot be read of a text for audit is no reason to refuse money */
}

/* SPEC alipayplus 3.1 [C:S40]: "storeMcc" occurs beside "storeMCC". */
static enum rc get_mcc(struct arena *a, const struct json *m, char **ret)
{
	static const char *const names[] = { "merchantMCC", "merchantMcc", "store.storeMCC",
		"store.storeMcc", "store.storemcc" };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		rc = aps_get_text(a, m, names[i], 32, ret);
		if (rc != RC_OK || **ret)
			break;
	}
	return rc;
}

static enum rc get_merchant(struct arena *a, const struct json *order, Xw__Party *p)
{
	static const struct {
		const char *path;
		size_t max, offset;
	} members[] = {
		{ "merchant.referenceMerchantId", 64, offsetof(Xw__Party, id) },
		{ "merchant.merchantName", 256, offsetof(Xw__Party, name) },
		{ "merchant.merchantAddress.region", 2, offsetof(Xw__Party, country) },
		{ "merchant.merchantAddress.city", 32, offsetof(Xw__Party, city) },
		{ "merchant.merchantAddress.address1", 256, offsetof(Xw__Party, address) },
		{ "merchant.store.referenceStoreId", 64, offsetof(Xw__Party, store_id) },
		{ "merchant.store.storeName", 256, offsetof(Xw__Party, store_name) },
		{ "env.storeTerminalId", 64, offsetof(Xw__Party, terminal_id) },
	};
	const struct json *merchant = json_get(order, "merchant");
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof members / sizeof *members && rc == RC_OK; i++)
		rc = aps_get_text(a, order, members[i].path, members[i].max,
			(char **)((char *)p + members[i].offset));
	return rc == RC_OK && merchant ? get_mcc(a, merchant, &p->mcc) : rc;
}

enum rc aps_get_order(struct arena *a, const struct json *from, Xw__Order **ret)
{
	const struct json *v = json_get(from, "order");
	Xw__Order *o;
	enum rc rc;

	if (!v)
		return RC_NOENT;
	if (!json_is_object(v))
		return RC_BAD;
	o = canonical_order(a);
	if (!o)
		return RC_FULL;
	rc = aps_get_text(a, v, "referenceOrderId", APS_ID_MAX, &o->reference);
	if (rc == RC_OK)
		rc = aps_get_text(a, v, "orderDescription", 256, &o->description);
	if (rc == RC_OK)
		rc = aps_get_money(a, v, "orderAmount", &o->amount);
	if (rc == RC_OK || rc == RC_NOENT)
		rc = get_merchant(a, v, o->merchant);
	if (rc == RC_OK)
		*ret = o;
	return rc;
}

void aps_note_dropped(
	struct arena *a, const struct json *from, const char *const *names, Xw__Canonical *c)
{
	for (; *names; names++)
		if (json_get(from, *names))
			canonical_drop(a, c, *names);
}

struct aps_said aps_get_result(const struct json *body, const char *name)
{
	const struct json *result = json_get(body, name);
	struct aps_said said = { 0 };

	(void)json_str(result, "resultStatus", &said.status);
	(void)json_str(result, "resultCode", &said.code);
	(void)json_str(result, "resultMessage", &said.message);
	return said;
}

/* ---- writing ------------------------------------------------------------------------------- */

const char *aps_cannot_carry(const Xw__Money *m)
{
	if (!m)
		return "there is no amount";
	if (money_is_none(canonical_money_in(m)))
		return "the amount is out of range or its currency unknown";
	/* SPEC alipayplus 5.1 [C:S27]: rupiah have two decimals by ISO, and both must be zero. */
	if (strcmp(m->currency, "IDR") == 0 && m->minor % 100 != 0)
		return "IDR amounts must be whole rupiah";
	return NULL;
}

void aps_put_text(struct jw *w, const char *key, const char *text, size_t max)
{
	jw_opt(w, key, span_utf8_cut(span_str(text), max));
}

/* SPEC alipayplus 8 [C:S26]: the clearing day is UTC+8, so times are written in it. */
void aps_put_time(struct jw *w, const char *key, int64_t us)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	if (us == 0)
		return;
	wall_write_offset(&b, (struct wall){ us }, 8 * 60);
	jw_str(w, key, buf_span(&b));
}

void aps_put_result(struct jw *w, const char *key, struct aps_result r)
{
	const char *message = r.status == 'S'   ? "Success."
			      : r.status == 'U' ? "The result is not known yet."
						: "The request was refused.";

	CHECK(r.status == 'S' || r.status == 'F' || r.status == 'U');
	jw_obj(w, key);
	jw_str(w, "resultCode", span_str(r.code));
	jw_str(w, "resultStatus", span_of(&r.status, 1));
	jw_str(w, "resultMessage", span_str(message));
	jw_end(w, '}');
}
