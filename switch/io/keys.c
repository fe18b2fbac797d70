/*
 * keys.c signs and verifies. The hard thing is speed without sharing state by accident: an
 * operation is prepared once per key, since setting one up costs as much as a P-256 signature, and
 * run again and again, which OpenSSL allows for EVP_PKEY_sign and _verify over a digest and for
 * one-shot Ed25519. It must never log, return or keep a key outside its ring, and never ask a
 * terminal for a password.
 */
#include "keys.h"

#include "check.h"
#include "digest.h"
#include "keyfile.h"
#include "text.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define KEYS_MAGIC  0x6b657973u
#define RAW_P256    64
#define RAW_ED25519 32
#define MEMOS       4

const char *const keys_kinds[] = { [KEY_OURS] = "ours",
	[KEY_THEIRS] = "theirs",
	[KEY_SHARED] = "shared",
	[KEY_SECRET] = "secret",
	NULL };

const char *const keys_states[] = { [KEY_PENDING] = "pending",
	[KEY_ACTIVE] = "active",
	[KEY_RETIRING] = "retiring",
	[KEY_REVOKED] = "revoked",
	NULL };

struct key {
	enum key_kind kind;
	enum key_alg alg;
	enum key_state state;
	char id[KEYS_ID_MAX];
	size_t id_n;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *op;     /* RSA, P-256: signs or verifies a digest */
	EVP_MD_CTX *one_shot; /* Ed25519 */
	size_t secret_n;
	char secret[KEYS_SECRET_MAX];
};

/* What was signed with RSA lately. */
struct memo {
	const struct key *key; /* NULL: none */
	uint64_t used;         /* counts signatures; the least is the next to be forgotten */
	struct digest text;
	size_t n;
	uint8_t sig[KEYS_SIG_MAX];
};

struct keys {
	uint32_t magic;
	EVP_MD *sha256, *sha512;
	size_t count;
	struct key key[KEYS_MAX];
	uint64_t signatures;
	struct memo memo[MEMOS];
};

static struct keys *ring(void *keys)
{
	struct keys *k = keys;

	CHECK_OBJ(k, KEYS_MAGIC);
	return k;
}

struct keys *keys_new(void)
{
	struct keys *k = calloc(1, sizeof *k);

	if (!k)
		return 0;
	k->magic = KEYS_MAGIC;
	k->sha256 = EVP_MD_fetch(0, "SHA256", 0);
	k->sha512 = EVP_MD_fetch(0, "SHA512", 0);
	return k->sha256 && k->sha512 ? k : keys_free(k);
}

static void wipe(struct key *key)
{
	EVP_PKEY_CTX_free(key->op);
	EVP_MD_CTX_free(key->one_shot);
	EVP_PKEY_free(key->pkey);
	OPENSSL_cleanse(key, sizeof *key);
}

struct keys *keys_free(struct keys *k)
{
	if (!k)
		return 0;
	for (size_t i = 0; i < k->count; i++)
		wipe(&k->key[i]);
	EVP_MD_free(k->sha256);
	EVP_MD_free(k->sha512);
	OPENSSL_cleanse(k, sizeof *k);
	free(k);
	return 0;
}

static struct key *find(struct keys *k, enum key_kind kind, struct span id)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->key[i].kind == kind && span_eq(span_of(k->key[i].id, k->key[i].id_n), id))
			return &k->key[i];
	return 0;
}

/* The newest active key of the first kind, or of KEY_SHARED. */
static struct key *newest(struct keys *k, enum key_kind kind)
{
	for (size_t i = k->count; i-- > 0;)
		if ((k->key[i].kind == kind || k->key[i].kind == KEY_SHARED) &&
			k->key[i].state == KEY_ACTIVE)
			return &k->key[i];
	return 0;
}

/* Reading. */

static EVP_PKEY *read_pem(enum key_kind kind, struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *pkey = 0;
	X509 *cert = 0;

	if (!bio)
		return 0;
	if (kind == KEY_OURS)
		pkey = PEM_read_bio_PrivateKey(bio, 0, keyfile_no_password, 0);
	else if (span_find_span(text, SPAN("-----BEGIN CERTIFICATE-----")) == text.n)
		pkey = PEM_read_bio_PUBKEY(bio, 0, keyfile_no_password, 0);
	else
		cert = PEM_read_bio_X509(bio, 0, keyfile_no_password, 0);
	if (cert)
		pkey = X509_get_pubkey(cert);
	X509_free(cert);
	BIO_free(bio);
	return pkey;
}

/* DER in base64, broken into lines or not. */
static EVP_PKEY *read_bare(enum key_kind kind, struct span text)
{
	char packed[8192], bytes[6144];
	struct buf b64 = buf_init(packed, sizeof packed), der = buf_init(bytes, sizeof bytes);
	EVP_PKEY *pkey = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\n' && text.p[i] != '\r' && text.p[i] != ' ')
			buf_ch(&b64, text.p[i]);
	if (buf_ok(&b64) && text_unb64_lenient(&der, buf_span(&b64)) == RC_OK && buf_ok(&der)) {
		const unsigned char *p = (unsigned char *)bytes;
		if (kind == KEY_OURS)
			pkey = d2i_AutoPrivateKey(0, &p, (long)der.n);
		else if (der.n == RAW_ED25519)
			pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, 0, p, der.n);
		else
			pkey = d2i_PUBKEY(0, &p, (long)der.n);
	}
	OPENSSL_cleanse(packed, sizeof packed);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return pkey;
}

static bool known_alg(const EVP_PKEY *pkey, enum key_alg *ret)
{
	char group[32] = "";

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*ret = KEY_RSA_SHA256;
		return EVP_PKEY_get_bits(pkey) >= 2048 && EVP_PKEY_get_bits(pkey) <= 4096;
	case EVP_PKEY_ED25519:
		*ret = KEY_ED25519;
		return true;
	case EVP_PKEY_EC:
		*ret = KEY_P256_SHA256;
		EVP_PKEY_get_group_name(pkey, group, sizeof group, 0);
		return span_eq(span_str(group), SPAN("prime256v1"));
	default:
		return false;
	}
}

/* Sets up the one operation that this key is for. */
static bool prepare(struct keys *k, struct key *key)
{
	bool signs = key->kind == KEY_OURS;

	if (key->alg == KEY_ED25519) {
		key->one_shot = EVP_MD_CTX_new();
		if (!key->one_shot)
			return false;
		return (signs ? EVP_DigestSignInit(key->one_shot, 0, 0, 0, key->pkey)
			      : EVP_DigestVerifyInit(key->one_shot, 0, 0, 0, key->pkey)) == 1;
	}
	key->op = EVP_PKEY_CTX_new(key->pkey, 0);
	if (!key->op || (signs ? EVP_PKEY_sign_init(key->op) : EVP_PKEY_verify_init(key->op)) != 1)
		return false;
	if (key->alg == KEY_RSA_SHA256 &&
		EVP_PKEY_CTX_set_rsa_padding(key->op, RSA_PKCS1_PADDING) != 1)
		return false;
	return EVP_PKEY_CTX_set_signature_md(key->op, k->sha256) == 1;
}

static enum rc read_key(struct keys *k, struct key *key, struct span text, const char **ret_why)
{
	bool pem = span_find_span(text, SPAN("-----BEGIN ")) < text.n;

	key->pkey = pem ? read_pem(key->kind, text) : read_bare(key->kind, text);
	ERR_clear_error();
	*ret_why = "not a key in PEM or bare base64, or one behind a password";
	if (!key->pkey)
		return RC_BAD;
	*ret_why =
		"a kind or size of key that we do not use (RSA of 2048 bits or more, Ed25519, P-256)";
	if (!known_alg(key->pkey, &key->alg))
		return RC_RANGE;
	*ret_why = "the crypto library refuses this key";
	return prepare(k, key) ? RC_OK : RC_BAD;
}

static enum rc read_secret(struct key *key, struct span text, const char **ret_why)
{
	struct buf b = buf_init(key->secret, sizeof key->secret);
	enum rc rc = RC_OK;

	key->alg = KEY_HMAC_SHA256;
	if (span_starts(text, SPAN("base64:")) || span_starts(text, SPAN("whsec_")))
		rc = text_unb64_lenient(&b, span_sub(text, text.p[0] == 'b' ? 7 : 6, text.n));
	else if (span_starts(text, SPAN("hex:")))
		rc = text_unhex(&b, span_sub(text, 4, text.n));
	else
		buf_add(&b, text);
	key->secret_n = b.n;
	*ret_why = "a secret that is empty, too long, or not in the encoding it names";
	if (!buf_ok(&b))
		return RC_FULL;
	return rc == RC_OK && b.n > 0 ? RC_OK : RC_BAD;
}

enum rc keys_add(struct keys *k, enum key_kind kind, struct span id, enum key_state state,
	struct span text, const char **ret_why)
{
	struct key *key = &k->key[k->count];
	enum rc rc;

	CHECK_OBJ(k, KEYS_MAGIC);
	*ret_why = "too many keys";
	if (k->count == KEYS_MAX)
		return RC_FULL;
	*ret_why = "a key id that is empty or too long";
	if (span_empty(id) || id.n > sizeof key->id)
		return RC_RANGE;
	*ret_why = "a key of that kind and id is there already";
	if (find(k, kind, id))
		return RC_EXISTS;
	*key = (struct key){ .kind = kind, .state = state, .id_n = id.n };
	memcpy(key->id, id.p, id.n);
	if (kind == KEY_SHARED || kind == KEY_SECRET)
		rc = read_secret(key, text, ret_why);
	else
		rc = read_key(k, key, text, ret_why);
	if (rc == RC_OK)
		k->count++;
	else
		wipe(key);
	ERR_clear_error();
	return rc;
}

enum rc keys_add_file(struct keys *k, enum key_kind kind, struct span id, enum key_state state,
	const char *path, const char **ret_why)
{
	char text[16384];
	struct buf b = buf_init(text, sizeof text);
	enum rc rc = keyfile_read(path, kind != KEY_THEIRS, &b, ret_why);

	if (rc == RC_OK) {
		struct span s = buf_span(&b);
		if (span_ends(s, SPAN("\n")))
			s.n--;
		rc = keys_add(k, kind, id, state, s, ret_why);
	}
	OPENSSL_cleanse(text, sizeof text);
	return rc;
}

enum rc keys_use_sha512(struct keys *k, const char **ret_why)
{
	struct key *key = k->count > 0 ? &k->key[k->count - 1] : 0;

	CHECK_OBJ(k, KEYS_MAGIC);
	*ret_why = "only keys of RSA digest by SHA-512 here";
	if (!key || key->alg != KEY_RSA_SHA256)
		return RC_RANGE;
	key->alg = KEY_RSA_SHA512;
	*ret_why = "the crypto library refuses this key";
	return EVP_PKEY_CTX_set_signature_md(key->op, k->sha512) == 1 ? RC_OK : RC_BAD;
}

/* Signing. */

/* SPEC RFC 9421 3.3.4: r and s, 32 bytes each, where the library speaks DER. */
static bool raw_of_der(const uint8_t *der, size_t n, uint8_t raw[RAW_P256])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(0, &der, (long)n);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32;

	ECDSA_SIG_free(sig);
	return ok;
}

static size_t der_of_raw(const uint8_t raw[RAW_P256], uint8_t der[80])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, 32, 0), *s = BN_bin2bn(raw + 32, 32, 0);
	int n = 0;

	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		n = i2d_ECDSA_SIG(sig, &der);
	}
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

/*
 * SPEC RFC 8017 8.2.1: a PKCS#1 v1.5 signature holds no randomness, so the same text has the same
 * one. Acknowledgements of a scheme's notifications are the same for a second (the time in them has
 * no fraction), and a signature costs as much as all the rest of a payment's message.
 */
static size_t sign_rsa(struct keys *k, struct key *key, const struct digest *text, uint8_t *sig)
{
	struct memo *m = &k->memo[0];
	size_t n = KEYS_SIG_MAX;

	k->signatures++;
	for (size_t i = 0; i < MEMOS; i++) {
		struct memo *at = &k->memo[i];

		if (at->key == key && memcmp(at->text.b, text->b, sizeof text->b) == 0) {
			at->used = k->signatures;
			memcpy(sig, at->sig, at->n);
			return at->n;
		}
		if (at->used < m->used)
			m = at;
	}
	if (EVP_PKEY_sign(key->op, sig, &n, text->b, sizeof text->b) != 1)
		return 0;
	*m = (struct memo){ .key = key, .used = k->signatures, .text = *text, .n = n };
	memcpy(m->sig, sig, n);
	return n;
}

/* Writes at most KEYS_SIG_MAX bytes; 0: the library failed. */
static size_t sign_with(struct keys *k, struct key *key, struct span data, uint8_t *sig)
{
	size_t n = KEYS_SIG_MAX;
	uint8_t der[80], d512[64];
	struct digest d;

	switch (key->alg) {
	case KEY_RSA_SHA512:
		digest_sha512(data, d512);
		return EVP_PKEY_sign(key->op, sig, &n, d512, sizeof d512) == 1 ? n : 0;
	case KEY_ED25519:
		return EVP_DigestSign(key->one_shot, sig, &n, (const uint8_t *)data.p, data.n) == 1
			       ? n
			       : 0;
	case KEY_RSA_SHA256:
		d = digest_sha256(data);
		return sign_rsa(k, key, &d, sig);
	case KEY_P256_SHA256:
		d = digest_sha256(data);
		n = sizeof der;
		return EVP_PKEY_sign(key->op, der, &n, d.b, sizeof d.b) == 1 &&
				       raw_of_der(der, n, sig)
			       ? RAW_P256
			       : 0;
	case KEY_HMAC_SHA256:
		d = digest_hmac_sha256(span_of(key->secret, key->secret_n), data);
		memcpy(sig, d.b, sizeof d.b);
		return sizeof d.b;
	}
	CHECK_UNREACHABLE();
}

bool keys_sign(void *keys, struct span data, struct buf *ret_sig, enum key_alg *ret_alg,
	struct span *ret_id)
{
	struct key *key = newest(ring(keys), KEY_OURS);
	uint8_t sig[KEYS_SIG_MAX];
	size_t n = key ? sign_with(keys, key, data, sig) : 0;

	if (n == 0) {
		ERR_clear_error();
		return false;
	}
	buf_add(ret_sig, span_of(sig, n));
	*ret_alg = key->alg;
	*ret_id = span_of(key->id, key->id_n);
	return buf_ok(ret_sig);
}

struct span keys_newest(void *keys)
{
	const struct key *key = newest(ring(keys), KEY_THEIRS);

	return key ? span_of(key->id, key->id_n) : SPAN_NONE;
}

bool keys_public(void *keys, uint8_t ret[32])
{
	struct key *key = newest(ring(keys), KEY_OURS);
	size_t n = RAW_ED25519;

	return key && key->alg == KEY_ED25519 &&
	       EVP_PKEY_get_raw_public_key(key->pkey, ret, &n) == 1 && n == RAW_ED25519;
}

static bool verify_with(struct key *key, struct span data, struct span sig)
{
	const uint8_t *s = (const uint8_t *)sig.p;
	uint8_t der[80], d512[64];
	struct digest d;
	size_t n;

	switch (key->alg) {
	case KEY_RSA_SHA512:
		digest_sha512(data, d512);
		return EVP_PKEY_verify(key->op, s, sig.n, d512, sizeof d512) == 1;
	case KEY_ED25519:
		return sig.n == 64 && EVP_DigestVerify(key->one_shot, s, sig.n,
					      (const uint8_t *)data.p, data.n) == 1;
	case KEY_RSA_SHA256:
		d = digest_sha256(data);
		return EVP_PKEY_verify(key->op, s, sig.n, d.b, sizeof d.b) == 1;
	case KEY_P256_SHA256:
		if (sig.n != RAW_P256)
			return false;
		d = digest_sha256(data);
		n = der_of_raw(s, der);
		return n > 0 && EVP_PKEY_verify(key->op, der, n, d.b, sizeof d.b) == 1;
	case KEY_HMAC_SHA256:
		d = digest_hmac_sha256(span_of(key->secret, key->secret_n), data);
		return sig.n == sizeof d.b && digest_same(d.b, s, sizeof d.b);
	}
	CHECK_UNREACHABLE();
}

bool keys_verify(void *keys, struct span id, struct span data, struct span sig)
{
	struct keys *k = ring(keys);
	struct key *key = span_empty(id) ? newest(k, KEY_THEIRS) : find(k, KEY_THEIRS, id);
	bool ok;

	if (!key)
		key = find(k, KEY_SHARED, id);
	if (!key || (key->state != KEY_ACTIVE && key->state != KEY_RETIRING))
		return false;
	ok = verify_with(key, data, sig);
	if (!ok)
		ERR_clear_error();
	return ok;
}

bool keys_mac(void *keys, const char *name, struct span data, uint8_t ret[32])
{
	struct key *key = find(ring(keys), KEY_SECRET, span_str(name));

	if (!key)
		return false;
	struct digest d = digest_hmac_sha256(span_of(key->secret, key->secret_n), data);
	memcpy(ret, d.b, sizeof d.b);
	return true;
}

struct span keys_secret(void *keys, const char *name)
{
	struct key *key = find(ring(keys), KEY_SECRET, span_str(name));

	return key ? span_of(key->secret, key->secret_n) : SPAN("");
}
