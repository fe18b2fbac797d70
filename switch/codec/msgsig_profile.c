/*
 * msgsig_profile.c: the two profiles of the partner API: what they cover, how old they may be, and
 * the steps of verification in their order.
 *
 * The hard thing: a component that is present but not covered is as good as forged, so the required
 * list is worked out from the message and not from the signature. Must never let a cause out to the
 * other side: it is for the log; the answer to all of them is the same.
 */
#include "msgsig.h"

#include "check.h"
#include "sfield.h"
#include "text.h"

#define PARAMS_MAX 1024
#define BASE_MAX   8192

/* RULE 5.4.4, seconds. */
#define AHEAD_MAX    60
#define AGE_MAX      300
#define LATE_MAX     10
#define LIFETIME_MAX 300
#define LIFETIME     60 /* what we give our own */
#define KEYID_MAX    64

static int64_t seconds(struct wall w)
{
	return w.us / 1000000;
}

static struct span body_of(const struct msgsig_msg *m)
{
	return m->in ? m->in->body : buf_span(&m->out->body);
}

static size_t field_count(const struct msgsig_msg *m, const char *name)
{
	struct span ignored;

	return m->in ? http_header_count(m->in, name) : http_out_get(m->out, name, &ignored);
}

/* The label of a request's own signature; SPAN_NONE where it has none that can be named. */
static struct span request_label(const struct msgsig_msg *req)
{
	struct span input;
	struct sf s = { 0 };
	struct sf_member m;

	if (!msgsig_field(req, "signature-input", &input) || field_count(req, "signature") != 1)
		return SPAN_NONE;
	for (s.in = input; sf_next_member(&s, &m);)
		if (span_eq(m.tag, MSGSIG_TAG_REQUEST))
			return m.key;
	return SPAN_NONE;
}

bool msgsig_claimed_keyid(const struct http_msg *m, struct span *ret)
{
	struct span input;
	struct sf s = { 0 };
	struct sf_member member;

	if (!http_header_get(m, "signature-input", &input) || input.n > PARAMS_MAX)
		return false;
	for (s.in = input; sf_next_member(&s, &member);) {
		if (!span_eq(member.tag, MSGSIG_TAG_REQUEST) || span_empty(member.keyid))
			continue;
		*ret = member.keyid;
		return true;
	}
	return false;
}

/* ---- signing ---- */

/* RULE 5.3, the column "request". */
static void cover_request(struct buf *b, const struct msgsig_msg *m)
{
	buf_str(b, "(\"@method\" \"@target-uri\"");
	if (!span_empty(body_of(m)))
		buf_str(b, " \"content-type\" \"content-digest\"");
	if (field_count(m, "idempotency-key") > 0)
		buf_str(b, " \"idempotency-key\"");
	if (field_count(m, "authorization") > 0)
		buf_str(b, " \"authorization\"");
	buf_ch(b, ')');
}

static void add_of_label(struct buf *b, const char *name, struct span label)
{
	buf_str(b, " \"");
	buf_str(b, name);
	buf_str(b, "\";req;key=\"");
	buf_add(b, label);
	buf_ch(b, '"');
}

/* RULE 5.3, the column "response": of the request's items those that exist. */
static void cover_answer(struct buf *b, const struct msgsig_msg *m)
{
	struct span label = request_label(m->req);

	buf_str(b, "(\"@status\"");
	if (!span_empty(body_of(m)))
		buf_str(b, " \"content-type\" \"content-digest\"");
	buf_str(b, " \"@method\";req \"@target-uri\";req");
	if (field_count(m->req, "content-digest") > 0)
		buf_str(b, " \"content-digest\";req");
	if (!span_empty(label)) {
		add_of_label(b, "signature-input", label);
		add_of_label(b, "signature", label);
	}
	buf_ch(b, ')');
}

/* What one signature of ours is made from. */
struct draft {
	struct buf cover, params, base, sig;
	int64_t created, expires;
	const uint8_t *nonce; /* NULL: an answer */
	struct span keyid, tag;
	struct msgsig_msg m;
};

static enum rc draft_init(struct draft *d, struct arena *a)
{
	d->cover = arena_buf(a, PARAMS_MAX);
	d->params = arena_buf(a, PARAMS_MAX);
	d->base = arena_buf(a, BASE_MAX);
	d->sig = arena_buf(a, 64);
	return arena_ok(a) ? RC_OK : RC_FULL;
}

/* RULE 5.3: created;expires;nonce;keyid;tag, in this order. */
static void draft_params(struct draft *d)
{
	struct buf *b = &d->params;

	buf_reset(b);
	buf_add(b, buf_span(&d->cover));
	buf_str(b, ";created=");
	buf_i64(b, d->created);
	if (d->nonce) {
		buf_str(b, ";expires=");
		buf_i64(b, d->expires);
		buf_str(b, ";nonce=\"");
		text_b64url(b, span_of(d->nonce, 16));
		buf_ch(b, '"');
	}
	buf_str(b, ";keyid=\"");
	buf_add(b, d->keyid);
	buf_str(b, "\";tag=\"");
	buf_add(b, d->tag);
	buf_ch(b, '"');
}

static void add_header(struct http_out *o, const char *name, const struct draft *d, bool bytes)
{
	char storage[PARAMS_MAX + 16];
	struct buf b = buf_init(storage, sizeof storage);

	buf_str(&b, "sig1=");
	if (bytes) {
		buf_ch(&b, ':');
		text_b64(&b, buf_span(&d->sig));
		buf_ch(&b, ':');
	} else {
		buf_add(&b, buf_span(&d->params));
	}
	http_out_header(o, name, buf_span(&b));
}

/* The key's name is signed, and only the signing tells it: so guess, sign, look, and once more
 * where the guess was wrong (a rotation under way, or nothing configured). */
static enum rc draft_sign(struct draft *d, const struct msgsig_keys *k, struct http_out *out)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		struct span key = SPAN_NONE;
		struct msgsig s;
		enum rc rc;

		draft_params(d);
		if (!buf_ok(&d->params) || !buf_ok(&d->cover))
			return RC_FULL;
		rc = msgsig_params_read(buf_span(&d->params), &s);
		buf_reset(&d->base);
		if (rc == RC_OK)
			rc = msgsig_base(&d->base, &s, &d->m);
		if (rc != RC_OK)
			return rc;
		buf_reset(&d->sig);
		if (!k->sign(k->ctx, buf_span(&d->base), &d->sig, &key) || !buf_ok(&d->sig))
			return RC_AUTH;
		if (span_eq(key, d->keyid)) {
			add_header(out, "signature-input", d, false);
			add_header(out, "signature", d, true);
			return http_out_ok(out) ? RC_OK : RC_FULL;
		}
		d->keyid = key;
	}
	return RC_AUTH;
}

static void add_digest(struct http_out *out)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	if (out->body.n == 0)
		return;
	msgsig_digest_write(&b, buf_span(&out->body));
	http_out_header(out, "content-digest", buf_span(&b));
}

enum rc msgsig_sign_request(const struct msgsig_keys *k, struct arena *a, struct span keyid,
	struct wall now, const uint8_t nonce[16], struct span target_uri, struct http_out *out)
{
	struct draft d = {
		.created = seconds(now),
		.expires = seconds(now) + LIFETIME,
		.nonce = nonce,
		.keyid = keyid,
		.tag = MSGSIG_TAG_REQUEST,
		.m = { .target_uri = target_uri, .out = out },
	};

	PRE(out->method && nonce);
	if (draft_init(&d, a) != RC_OK)
		return RC_FULL;
	add_digest(out);
	cover_request(&d.cover, &d.m);
	return draft_sign(&d, k, out);
}

enum rc msgsig_sign_answer(const struct msgsig_keys *k, struct arena *a, struct span keyid,
	struct wall now, const struct msgsig_msg *req, struct http_out *out)
{
	struct draft d = {
		.created = seconds(now),
		.keyid = keyid,
		.tag = MSGSIG_TAG_ANSWER,
		.m = { .out = out, .req = req },
	};

	PRE(!out->method && req);
	if (draft_init(&d, a) != RC_OK)
		return RC_FULL;
	add_digest(out);
	cover_answer(&d.cover, &d.m);
	return draft_sign(&d, k, out);
}

/* ---- verifying: RULE 5.4 ---- */

static bool covers(const struct msgsig *s, const char *name, bool req, struct span key)
{
	for (size_t i = 0; i < s->count; i++)
		if (span_eq(s->covered[i].name, span_str(name)) && s->covered[i].req == req &&
			span_eq(s->covered[i].key, key))
			return true;
	return false;
}

static const char *check_body_covered(const struct msgsig *s, const struct msgsig_msg *m)
{
	if (span_empty(body_of(m)))
		return NULL;
	if (!covers(s, "content-type", false, SPAN_NONE))
		return "content-type is not covered";
	if (!covers(s, "content-digest", false, SPAN_NONE))
		return "content-digest is not covered";
	return NULL;
}

static const char *check_request_covered(const struct msgsig *s, const struct msgsig_msg *m)
{
	if (!covers(s, "@method", false, SPAN_NONE))
		return "@method is not covered";
	if (!covers(s, "@target-uri", false, SPAN_NONE))
		return "@target-uri is not covered";
	if (field_count(m, "idempotency-key") > 0 &&
		!covers(s, "idempotency-key", false, SPAN_NONE))
		return "idempotency-key is not covered";
	if (field_count(m, "authorization") > 0 && !covers(s, "authorization", false, SPAN_NONE))
		return "authorization is not covered";
	return check_body_covered(s, m);
}

static const char *check_answer_covered(const struct msgsig *s, const struct msgsig_msg *m)
{
	struct span label = request_label(m->req);

	if (!covers(s, "@status", false, SPAN_NONE))
		return "@status is not covered";
	if (!covers(s, "@method", true, SPAN_NONE) || !covers(s, "@target-uri", true, SPAN_NONE))
		return "the request's method or target is not covered";
	if (field_count(m->req, "content-digest") > 0 &&
		!covers(s, "content-digest", true, SPAN_NONE))
		return "the request's content-digest is not covered";
	if (!span_empty(label) && (!covers(s, "signature-input", true, label) ||
					  !covers(s, "signature", true, label)))
		return "the request's signature is not covered";
	return check_body_covered(s, m);
}

static const char *check_age(const struct msgsig *s, int64_t now)
{
	if (s->created < 0)
		return "created is missing";
	if (s->created > now + AHEAD_MAX)
		return "created is in the future";
	if (s->created < now - AGE_MAX)
		return "created is too old";
	if (s->expires >= 0 && s->expires <= now - LATE_MAX)
		return "expired";
	if (s->expires >= 0 && s->expires < s->created)
		return "expires before it was created";
	if (s->expires > s->created + LIFETIME_MAX)
		return "expires too late";
	return NULL;
}

/* An `alg` that is no algorithm of the profile is refused; which of the two verifies is for the
 * key's record to say, never for the message. */
static bool alg_known(struct span alg)
{
	return !alg.p || span_eq(alg, SPAN("ed25519")) || span_eq(alg, SPAN("ecdsa-p256-sha256"));
}

static const char *check_key_params(const struct msgsig *s)
{
	if (span_empty(s->keyid) || s->keyid.n > KEYID_MAX)
		return "keyid is missing or too long";
	return alg_known(s->alg) ? NULL : "alg is unknown";
}

static const char *check_request_params(const struct msgsig *s)
{
	if (s->expires < 0)
		return "expires is missing";
	if (s->nonce.n < 8 || s->nonce.n > 64)
		return "nonce is missing, too short or too long";
	return NULL;
}

static const char *check_digest(const struct msgsig_msg *m)
{
	struct span field;

	if (field_count(m, "content-digest") == 0)
		return NULL; /* then it cannot be covered: no body, or refused already */
	if (!msgsig_field(m, "content-digest", &field) || !msgsig_digest_holds(field, body_of(m)))
		return "content-digest does not hold";
	return NULL;
}

static const char *read_headers(
	struct arena *a, const struct msgsig_msg *m, struct span tag, struct msgsig *ret)
{
	struct span input, signature;
	enum rc rc;

	if (!msgsig_field(m, "signature-input", &input) ||
		!msgsig_field(m, "signature", &signature))
		return "signature headers are missing or repeated";
	rc = msgsig_read(a, input, signature, tag, ret);
	if (rc == RC_NOENT)
		return "no signature of this profile";
	return rc == RC_OK ? NULL : "signature headers are malformed";
}

/* Steps 5 and 6. */
static const char *check_signature(const struct msgsig_keys *k, struct arena *a,
	const struct msgsig_msg *m, const struct msgsig *s)
{
	struct buf base = arena_buf(a, BASE_MAX);
	const char *cause = check_digest(m);

	if (cause)
		return cause;
	if (!arena_ok(a))
		return "out of memory";
	if (msgsig_base(&base, s, m) != RC_OK)
		return "a covered component cannot be resolved";
	if (!k->verify(k->ctx, s->keyid, buf_span(&base), s->signature))
		return "the key is unknown or the signature wrong";
	return NULL;
}

static const char *verify(const struct msgsig_keys *k, struct arena *a, struct wall now,
	const struct msgsig_msg *m, bool request, struct msgsig *ret)
{
	struct msgsig s;
	const char *cause = read_headers(
		a, m, request ? MSGSIG_TAG_REQUEST : MSGSIG_TAG_ANSWER, &s);

	if (!cause)
		cause = request ? check_request_covered(&s, m) : check_answer_covered(&s, m);
	if (!cause)
		cause = check_key_params(&s);
	if (!cause && request)
		cause = check_request_params(&s);
	if (!cause)
		cause = check_age(&s, seconds(now));
	if (!cause)
		cause = check_signature(k, a, m, &s);
	if (!cause)
		*ret = s;
	return cause;
}

const char *msgsig_verify_request(const struct msgsig_keys *k, struct arena *a, struct wall now,
	const struct msgsig_msg *m, struct msgsig *ret)
{
	return verify(k, a, now, m, true, ret);
}

const char *msgsig_verify_answer(const struct msgsig_keys *k, struct arena *a, struct wall now,
	const struct msgsig_msg *m, struct msgsig *ret)
{
	PRE(m->req);
	return verify(k, a, now, m, false, ret);
}
