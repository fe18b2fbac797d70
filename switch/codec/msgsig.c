/*
 * msgsig.c: reading signature headers and building the text that is signed.
 *
 * The hard thing: what was signed is not what is in the header but its strict serialisation (RFC
 * 9421 2.3), so the reader writes the canonical text of each structured value while it reads it
 * (RFC 9651 4.2 and 4.1 in one pass), and everything after works on that text. Must never take a
 * value from anywhere but the message itself and our configuration, and never accept a component or
 * parameter that it does not know: such a thing changes the meaning of what the others say.
 */
#include "msgsig.h"

#include "digest.h"
#include "sfield.h"
#include "text.h"

/* RULE 5.4.1: size limits, before anything is read. */
#define INPUT_MAX     1024
#define SIGNATURE_MAX 256
#define MEMBERS_MAX   8

/* ---- Content-Digest: RFC 9530 ---- */

void msgsig_digest_write(struct buf *b, struct span content)
{
	struct digest d = digest_sha256(content);

	buf_str(b, "sha-256=:");
	text_b64(b, digest_span(&d));
	buf_ch(b, ':');
}

/* 1: equal, 0: different, -1: an algorithm that we do not compute. */
static int digest_member_holds(const struct sf_member *m, struct span content)
{
	uint8_t ours[64], storage[64];
	struct buf theirs = buf_init(storage, sizeof storage);
	size_t n;

	if (span_eq(m->key, SPAN("sha-256"))) {
		struct digest d = digest_sha256(content);

		n = sizeof d.b;
		memcpy(ours, d.b, n);
	} else if (span_eq(m->key, SPAN("sha-512"))) {
		n = sizeof ours;
		digest_sha512(content, ours);
	} else {
		return -1;
	}
	if (m->value.n < 2 || m->value.p[0] != ':' || m->value.p[m->value.n - 1] != ':')
		return 0;
	if (text_unb64(&theirs, span_sub(m->value, 1, m->value.n - 2)) != RC_OK || theirs.n != n)
		return 0;
	return digest_same(ours, storage, n);
}

bool msgsig_digest_holds(struct span field, struct span content)
{
	char storage[INPUT_MAX];
	struct buf out = buf_init(storage, sizeof storage);
	struct sf s = { .in = field, .out = &out };
	struct sf_member m;
	size_t held = 0;

	if (field.n > INPUT_MAX / 2)
		return false;
	while (sf_next_member(&s, &m)) {
		int holds = digest_member_holds(&m, content);

		if (holds == 0)
			return false;
		held += holds > 0;
	}
	return !s.bad && buf_ok(&out) && held > 0;
}

/* ---- reading one signature ---- */

/* SPEC RFC 9421 2.1, 2.2: field names are lower-case tokens; of the derived components those that
 * say what a partner may sign. The others are not accepted. */
static bool name_known(struct span name)
{
	static const char *const derived[] = { "@method", "@target-uri", "@authority", "@path",
		"@query", "@status", NULL };

	for (size_t i = 0; derived[i]; i++)
		if (span_eq(name, span_str(derived[i])))
			return true;
	for (size_t i = 0; i < name.n; i++)
		if (!sf_is_lower(name.p[i]) && !sf_is_digit(name.p[i]) &&
			!sf_is_one_of(name.p[i], "-._~"))
			return false;
	return name.n > 0;
}

/* RULE 5.4.2: of the component parameters only ;req and ;key are taken, ;key only where it selects
 * the request's own signature. */
static bool read_component(struct sf *s, struct msgsig_component *ret)
{
	struct msgsig_component c = { 0 };
	size_t start = s->at;
	struct span param;

	if (!sf_string(s, &c.name) || !name_known(c.name))
		return false;
	while (sf_take(s, ';')) {
		if (!sf_key(s, &param))
			return false;
		if (span_eq(param, SPAN("req")) && !c.req && sf_peek(s) != '=')
			c.req = true;
		else if (!span_eq(param, SPAN("key")) || c.key.p || !sf_take(s, '=') ||
			 !sf_string(s, &c.key) || span_empty(c.key))
			return false;
	}
	if (c.key.p && !span_eq(c.name, SPAN("signature")) &&
		!span_eq(c.name, SPAN("signature-input")))
		return false;
	c.id = sf_since(s, start);
	*ret = c;
	return true;
}

static bool component_same(const struct msgsig_component *a, const struct msgsig_component *b)
{
	return span_eq(a->name, b->name) && span_eq(a->key, b->key) && a->req == b->req;
}

static bool read_components(struct sf *s, struct msgsig *m)
{
	if (!sf_take(s, '('))
		return false;
	while (!sf_take(s, ')')) {
		if (m->count == MSGSIG_COMPONENTS_MAX || (m->count > 0 && !sf_take(s, ' ')) ||
			!read_component(s, &m->covered[m->count]))
			return false;
		for (size_t i = 0; i < m->count; i++)
			if (component_same(&m->covered[i], &m->covered[m->count]))
				return false;
		m->count++;
	}
	return true;
}

static bool read_seconds(struct sf *s, int64_t *ret)
{
	size_t start = s->at;

	if (*ret >= 0)
		return false;
	while (sf_is_digit(sf_peek(s)))
		s->at++;
	return span_to_i64(sf_since(s, start), ret) == RC_OK;
}

static bool read_text(struct sf *s, struct span *ret)
{
	return !ret->p && sf_string(s, ret);
}

static bool read_signature_param(struct sf *s, struct msgsig *m)
{
	struct span key;

	if (!sf_key(s, &key) || !sf_take(s, '='))
		return false;
	if (span_eq(key, SPAN("created")))
		return read_seconds(s, &m->created);
	if (span_eq(key, SPAN("expires")))
		return read_seconds(s, &m->expires);
	if (span_eq(key, SPAN("nonce")))
		return read_text(s, &m->nonce);
	if (span_eq(key, SPAN("keyid")))
		return read_text(s, &m->keyid);
	if (span_eq(key, SPAN("alg")))
		return read_text(s, &m->alg);
	return span_eq(key, SPAN("tag")) && read_text(s, &m->tag);
}

enum rc msgsig_params_read(struct span params, struct msgsig *ret)
{
	struct msgsig m = { .params = params, .created = -1, .expires = -1 };
	struct sf s = { .in = params };

	if (!read_components(&s, &m))
		return RC_BAD;
	while (sf_take(&s, ';'))
		if (!read_signature_param(&s, &m))
			return RC_BAD;
	if (s.at != params.n)
		return RC_BAD;
	*ret = m;
	return RC_OK;
}

/* RULE 5.4.1: one label per tag. A label that comes twice means two things, so none. */
static enum rc find_member(
	struct span field, struct span key, struct span tag, struct buf *out, struct sf_member *ret)
{
	struct sf s = { .in = field, .out = out };
	struct span seen[MEMBERS_MAX];
	size_t count = 0, found = 0;
	struct sf_member m;

	while (sf_next_member(&s, &m)) {
		for (size_t i = 0; i < count; i++)
			if (span_eq(seen[i], m.key))
				return RC_BAD;
		if (count == MEMBERS_MAX)
			return RC_RANGE;
		seen[count++] = m.key;
		if (tag.p ? m.is_list && span_eq(m.tag, tag) : span_eq(m.key, key)) {
			*ret = m;
			found++;
		}
	}
	if (s.bad || found > 1)
		return RC_BAD;
	if (!buf_ok(out))
		return RC_FULL;
	return found == 1 ? RC_OK : RC_NOENT;
}

enum rc msgsig_read(struct arena *a, struct span signature_input, struct span signature,
	struct span tag, struct msgsig *ret)
{
	/* Canonical text is never longer than what was read. */
	struct buf inputs = arena_buf(a, INPUT_MAX);
	struct buf values = arena_buf(a, SIGNATURE_MAX);
	struct buf bytes = arena_buf(a, SIGNATURE_MAX);
	struct sf_member input, value;
	struct msgsig m;
	enum rc rc;

	if (!arena_ok(a))
		return RC_FULL;
	if (signature_input.n > INPUT_MAX || signature.n > SIGNATURE_MAX)
		return RC_RANGE;
	rc = find_member(signature_input, SPAN_NONE, tag, &inputs, &input);
	if (rc == RC_OK)
		rc = msgsig_params_read(input.value, &m);
	if (rc == RC_OK)
		rc = find_member(signature, input.key, SPAN_NONE, &values, &value);
	if (rc != RC_OK)
		return rc;
	if (value.value.n < 2 || value.value.p[0] != ':')
		return RC_BAD;
	rc = text_unb64(&bytes, span_sub(value.value, 1, value.value.n - 2));
	if (rc != RC_OK)
		return rc;
	m.label = input.key;
	m.signature = buf_span(&bytes);
	*ret = m;
	return RC_OK;
}

/* ---- the signature base: RFC 9421 2.5 ---- */

static struct span message_method(const struct msgsig_msg *m)
{
	return m->in ? m->in->method : span_str(m->out->method);
}

static int message_status(const struct msgsig_msg *m)
{
	return m->in ? (m->in->is_answer ? m->in->status : 0)
		     : (m->out->method ? 0 : m->out->status);
}

/* Adds a field's value: several lines are joined with ", ". False where there is none. */
static bool add_field(struct buf *b, const struct msgsig_msg *m, struct span name)
{
	bool found = false;
	struct span value;
	char cname[64];

	if (!m->in) {
		if (!span_to_cstr(name, cname, sizeof cname) ||
			!http_out_get(m->out, cname, &value))
			return false;
		buf_add(b, span_trim(value));
		return true;
	}
	for (size_t i = 0; i < m->in->header_count; i++) {
		if (!span_ieq(m->in->header[i].name, name))
			continue;
		if (found)
			buf_str(b, ", ");
		buf_add(b, m->in->header[i].value);
		found = true;
	}
	return found;
}

bool msgsig_field(const struct msgsig_msg *m, const char *name, struct span *ret)
{
	return m->in ? http_header_get(m->in, name, ret) : http_out_get(m->out, name, ret);
}

/* SPEC RFC 9421 2.1.2: a dictionary member is signed as its strict serialisation. */
static bool add_dictionary_member(
	struct buf *b, const struct msgsig_msg *m, const struct msgsig_component *c)
{
	char storage[INPUT_MAX], cname[64];
	struct buf out = buf_init(storage, sizeof storage);
	struct sf_member member;
	struct span field;

	if (!span_to_cstr(c->name, cname, sizeof cname) || !msgsig_field(m, cname, &field) ||
		field.n > INPUT_MAX ||
		find_member(field, c->key, SPAN_NONE, &out, &member) != RC_OK)
		return false;
	buf_add(b, member.value);
	return true;
}

/* Cuts "scheme://authority/path?query"; path and query keep their first character. */
static bool split_uri(struct span uri, struct span *scheme, struct span *authority,
	struct span *path, struct span *query)
{
	size_t colon = span_find_span(uri, SPAN("://")), mark;
	struct span rest = span_sub(uri, colon + 3, uri.n);

	if (colon == uri.n)
		return false;
	*scheme = span_sub(uri, 0, colon);
	mark = span_find(rest, '?');
	*query = span_sub(rest, mark, rest.n);
	rest = span_sub(rest, 0, mark);
	mark = span_find(rest, '/');
	*authority = span_sub(rest, 0, mark);
	*path = span_sub(rest, mark, rest.n);
	return true;
}

static bool add_uri_part(struct buf *b, struct span uri, struct span name)
{
	struct span scheme, authority, path, query;

	if (!split_uri(uri, &scheme, &authority, &path, &query))
		return false;
	if (span_eq(name, SPAN("@path"))) {
		buf_add(b, span_empty(path) ? SPAN("/") : path);
	} else if (span_eq(name, SPAN("@query"))) {
		buf_add(b, span_empty(query) ? SPAN("?") : query);
	} else { /* SPEC RFC 9421 2.2.3: lower case, without the scheme's default port */
		if (span_ieq(scheme, SPAN("https")) && span_ends(authority, SPAN(":443")))
			authority.n -= 4;
		for (size_t i = 0; i < authority.n; i++) {
			char c = authority.p[i];

			buf_ch(b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
	}
	return true;
}

static bool add_component(
	struct buf *b, const struct msgsig_component *c, const struct msgsig_msg *message)
{
	const struct msgsig_msg *m = c->req ? message->req : message;

	if (!m)
		return false;
	if (c->name.p[0] != '@')
		return c->key.p ? add_dictionary_member(b, m, c) : add_field(b, m, c->name);
	if (span_eq(c->name, SPAN("@status"))) {
		buf_u64(b, (uint64_t)message_status(m));
		return message_status(m) != 0;
	}
	if (message_status(m) != 0) /* the others are a request's */
		return false;
	if (span_eq(c->name, SPAN("@method"))) {
		buf_add(b, message_method(m));
		return true;
	}
	if (span_eq(c->name, SPAN("@target-uri"))) {
		buf_add(b, m->target_uri);
		return !span_empty(m->target_uri);
	}
	return add_uri_part(b, m->target_uri, c->name);
}

enum rc msgsig_base(struct buf *b, const struct msgsig *s, const struct msgsig_msg *m)
{
	for (size_t i = 0; i < s->count; i++) {
		size_t start;

		buf_add(b, s->covered[i].id);
		buf_str(b, ": ");
		start = b->n;
		if (!add_component(b, &s->covered[i], m))
			return RC_BAD;
		/* SPEC RFC 9421 2.5: ASCII, and no line may make another. */
		for (size_t k = start; k < b->n; k++)
			if ((unsigned char)b->p[k] > 0x7e ||
				((unsigned char)b->p[k] < 0x20 && b->p[k] != '\t'))
				return RC_BAD;
		buf_ch(b, '\n');
	}
	buf_str(b, "\"@signature-params\": ");
	buf_add(b, s->params);
	return buf_ok(b) ? RC_OK : RC_FULL;
}
