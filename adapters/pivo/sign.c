/*
 * sign.c: signatures of forms. SPEC pivo 5.3 [C:P-PSP]: "<key id> <64 hex>", which is as long as an
 * HMAC-SHA256; over what is inferred: all fields but `signature`, sorted by name, as a form would
 * hold them ("name=value", percent-encoded, "&" between). The hard thing is that two sets of fields
 * must never give one text, hence encoded, and no name twice. Never signs what it cannot take apart
 * again.
 */
#include "pivo.h"

#include "digest.h"
#include "form.h"
#include "text.h"

#define FIELDS_MAX 24
#define BASE_MAX   4096
#define SIG_MAX    160

struct field {
	struct span name; /* decoded */
	struct span raw;  /* the value as it stands */
};

static bool name_of(struct arena *a, struct span raw, struct span *ret)
{
	struct buf b = arena_buf(a, raw.n + 1);

	if (text_unform(&b, raw) != RC_OK || !buf_ok(&b))
		return false;
	*ret = buf_span(&b);
	return true;
}

static bool before(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	return d < 0 || (d == 0 && a.n < b.n);
}

/* The fields in order of their names, without `signature`. */
static bool sorted(
	struct arena *a, struct span form, struct field ret[FIELDS_MAX], size_t *ret_count)
{
	size_t n = 0;
	struct span part;

	while (span_split(&form, '&', &part)) {
		size_t equals = span_find(part, '='), at = n;
		struct field f = { .raw = span_sub(part, equals + 1, part.n) };

		if (span_empty(part))
			continue;
		if (!name_of(a, span_sub(part, 0, equals), &f.name))
			return false;
		if (span_eq(f.name, SPAN("signature")))
			continue;
		if (n == FIELDS_MAX)
			return false;
		for (; at > 0 && before(f.name, ret[at - 1].name); at--)
			ret[at] = ret[at - 1];
		if (at > 0 && span_eq(f.name, ret[at - 1].name))
			return false;
		ret[at] = f;
		n++;
	}
	*ret_count = n;
	return n > 0;
}

static bool write_base(struct arena *a, struct span form, struct buf *ret)
{
	struct field fields[FIELDS_MAX];
	size_t count = 0;

	if (!sorted(a, form, fields, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct buf value = arena_buf(a, fields[i].raw.n + 1);
		char name[64];

		if (!span_to_cstr(fields[i].name, name, sizeof name) ||
			text_unform(&value, fields[i].raw) != RC_OK || !buf_ok(&value))
			return false;
		form_put(ret, name, buf_span(&value));
	}
	return buf_ok(ret);
}

bool pivo_sign(const struct adapter_env *env, struct span form, struct buf *ret)
{
	struct span key = adapter_setting(env, "key_id");
	struct buf base = arena_buf(env->arena, BASE_MAX);
	uint8_t mac[32];

	if (span_empty(key) || !env->signer || !write_base(env->arena, form, &base) ||
		!env->signer->mac(env->signer->ctx, "signature", buf_span(&base), mac))
		return false;
	buf_add(ret, key);
	buf_ch(ret, ' ');
	buf_hex(ret, span_of(mac, sizeof mac));
	return buf_ok(ret);
}

bool pivo_signed(const struct adapter_env *env, struct span form)
{
	char ours_text[SIG_MAX], theirs_text[SIG_MAX];
	struct buf ours = buf_init(ours_text, sizeof ours_text),
		   theirs = buf_init(theirs_text, sizeof theirs_text);

	return form_get(form, "signature", &theirs) == RC_OK && pivo_sign(env, form, &ours) &&
	       ours.n == theirs.n && digest_same(ours.p, theirs.p, ours.n);
}
