/*
 * note.c: reading signed notes (C2SP signed-note, tlog-checkpoint) and checking their signatures.
 *
 * What a note says counts only behind a signature that holds, so the signature comes first. A line
 * by an unknown key is passed over: witnesses add theirs. Must never accept two spellings of one
 * checkpoint.
 */
#include "audit.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "text.h"

#define DASH       "\xe2\x80\x94 "
#define ED25519    0x01
#define COSIGNS    0x04 /* Ed25519 by a witness: over the time too */
#define NOTE_BYTES 65536
#define SIGNATURES 16

static bool same_name(const char *name, struct span s)
{
	return span_eq(span_str(name), s);
}

bool verifier_read(struct span text, struct verifier *ret)
{
	struct verifier v;
	struct span rest = text, name, id;
	uint8_t key[64], want[4];
	struct buf k = buf_init(key, sizeof key), i = buf_init(want, sizeof want);
	struct digest d;
	struct span part[3];

	if (!span_split(&rest, '+', &name) || !span_split(&rest, '+', &id) ||
		!span_to_cstr(name, v.name, sizeof v.name) || text_unhex(&i, id) != RC_OK ||
		text_unb64(&k, rest) != RC_OK || i.n != 4 || k.n != 33 ||
		(key[0] != ED25519 && key[0] != COSIGNS))
		return false;
	part[0] = name;
	part[1] = SPAN("\n");
	part[2] = buf_span(&k);
	d = digest_sha256_parts(part, 3);
	if (memcmp(d.b, want, 4) != 0)
		return false;
	memcpy(v.id, want, 4);
	memcpy(v.key, key + 1, 32);
	v.cosigns = key[0] == COSIGNS;
	*ret = v;
	return true;
}

int verifiers_need(const char *key_or_file, struct verifier *ret, int most)
{
	struct span rest = span_str(key_or_file), line;
	char *file = NULL;
	size_t n;
	int count = 0;

	if (!strchr(key_or_file, '+') && (file = read_file(key_or_file, &n)))
		rest = span_of(file, n);
	while (count < most && span_split(&rest, '\n', &line) && line.n > 0)
		if (!verifier_read(line, &ret[count++]))
			cannot("%s: no verifier key, which is <name>+<id>+<base64>", key_or_file);
	if (count == 0)
		cannot("%s: no verifier key, which is <name>+<id>+<base64>", key_or_file);
	free(file);
	return count;
}

void verifier_need(const char *key_or_file, struct verifier *ret)
{
	(void)verifiers_need(key_or_file, ret, 1);
}

static bool holds_over(const struct verifier *by, struct span text, struct span signature)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, by->key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, (const uint8_t *)signature.p, signature.n,
			    (const uint8_t *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

/* A witness signs the time and the text; the time stands in front of its signature. */
static bool holds(const struct verifier *by, struct span text, struct span signature)
{
	char room[NOTE_BYTES + 64];
	struct buf b = buf_init(room, sizeof room);
	uint64_t at = 0;

	if (!by->cosigns)
		return holds_over(by, text, signature);
	if (signature.n < 8)
		return false;
	for (int i = 0; i < 8; i++)
		at = at << 8 | (uint8_t)signature.p[i];
	buf_str(&b, "cosignature/v1\ntime ");
	buf_u64(&b, at);
	buf_ch(&b, '\n');
	buf_add(&b, text);
	return buf_ok(&b) && holds_over(by, buf_span(&b), span_sub(signature, 8, signature.n));
}

/* NULL, or what is wrong with the lines behind the text. */
static const char *check_signatures(struct span text, struct span lines, const struct verifier *by)
{
	struct span line, name;
	bool found = false;

	for (int n = 0; lines.n > 0; n++) {
		char raw[512];
		struct buf b = buf_init(raw, sizeof raw);
		if (n == SIGNATURES)
			return "too many signatures";
		(void)span_split(&lines, '\n', &line);
		if (!span_starts(line, SPAN(DASH)))
			return "a line that is no signature";
		line = span_sub(line, sizeof DASH - 1, line.n);
		if (!span_split(&line, ' ', &name) || text_unb64(&b, line) != RC_OK || b.n < 5)
			return "a signature that is not of the form";
		if (!by || !same_name(by->name, name) || memcmp(raw, by->id, 4) != 0)
			continue;
		if (!holds(by, text, span_sub(buf_span(&b), 4, b.n)))
			return "a signature that does not hold";
		found = true;
	}
	return found || !by ? NULL : "no signature by the key";
}

static bool read_size(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!span_is_digits(s) || s.n > 19 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	*ret = v;
	return true;
}

const char *note_open(struct span note, const struct verifier *by, struct checkpoint *ret)
{
	struct checkpoint c = { 0 };
	size_t blank = span_find_span(note, SPAN("\n\n"));
	struct span rest, line;
	struct buf root = buf_init(c.root.b, sizeof c.root.b);
	const char *why;

	if (note.n > NOTE_BYTES || blank == note.n || note.p[note.n - 1] != '\n' ||
		!span_is_utf8(note))
		return "not a signed note";
	c.text = span_sub(note, 0, blank + 1);
	why = check_signatures(c.text, span_sub(note, blank + 2, note.n), by);
	if (why)
		return why;
	rest = c.text;
	if (!span_split(&rest, '\n', &line) || !span_to_cstr(line, c.origin, sizeof c.origin) ||
		!span_split(&rest, '\n', &line) || !read_size(line, &c.size) ||
		!span_split(&rest, '\n', &line) || text_unb64(&root, line) != RC_OK ||
		root.n != HASH)
		return "not a checkpoint";
	*ret = c;
	return NULL;
}
