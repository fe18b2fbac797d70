/*
 * vault.c: versions of keys, read from a file, and what is sealed under them.
 *
 * The hard thing is that nothing may seal under a key that is about to be destroyed: the newest
 * alone does, and a file whose versions do not ascend is refused whole. Must never return plain
 * text whose tag did not hold.
 */
#include "vault.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "box.h"
#include "check.h"
#include "entropy.h"
#include "keyfile.h"
#include "text.h"

#define FILE_MAX 4096

struct version {
	int16_t number;
	struct digest payer_key, payment_key;
};

struct vault {
	int count;
	struct version version[VAULT_VERSIONS];
};

/* "3 0123...ef" */
static bool add_version(struct vault *v, struct span line)
{
	char key[GCM_KEY];
	struct buf k = buf_init(key, sizeof key);
	int64_t number, last = v->count ? v->version[v->count - 1].number : 0;
	struct version *to = &v->version[v->count];
	struct span head;
	bool good = v->count < VAULT_VERSIONS && span_split(&line, ' ', &head) &&
		    span_to_i64(head, &number) == RC_OK && number > last && number <= INT16_MAX &&
		    text_unhex(&k, line) == RC_OK && k.n == sizeof key;

	if (good) {
		to->number = (int16_t)number;
		to->payer_key = digest_hmac_sha256(buf_span(&k), SPAN("xw payer 1"));
		to->payment_key = digest_hmac_sha256(buf_span(&k), SPAN("xw payment 1"));
		v->count++;
	}
	OPENSSL_cleanse(key, sizeof key);
	return good;
}

static bool add_versions(struct vault *v, struct span text)
{
	struct span line;

	while (span_split(&text, '\n', &line))
		if (line.n && !add_version(v, line))
			return false;
	return v->count > 0;
}

struct vault *vault_open(const char *file, const char **ret_why)
{
	char text[FILE_MAX];
	struct buf b = buf_init(text, sizeof text);
	struct vault *v;

	if (keyfile_read(file, true, &b, ret_why) != RC_OK)
		return NULL;
	v = calloc(1, sizeof *v);
	*ret_why = "out of memory";
	if (v && !add_versions(v, buf_span(&b))) {
		*ret_why = "the vault holds no lines of a version, ascending, and 64 hex digits";
		v = vault_close(v);
	}
	OPENSSL_cleanse(text, sizeof text);
	return v;
}

struct vault *vault_close(struct vault *v)
{
	if (v)
		OPENSSL_cleanse(v, sizeof *v);
	free(v);
	return NULL;
}

int16_t vault_version(const struct vault *v)
{
	return v->version[v->count - 1].number;
}

static const struct version *find(const struct vault *v, int16_t number)
{
	for (int i = 0; i < v->count; i++)
		if (v->version[i].number == number)
			return &v->version[i];
	return NULL;
}

void vault_seal_payer(const struct vault *v, struct span hash, struct span plain, struct buf *ret)
{
	box_seal(&v->version[v->count - 1].payer_key, hash, plain, ret);
}

enum rc vault_open_payer(const struct vault *v, int16_t version, struct span hash,
	struct span sealed, struct buf *ret)
{
	const struct version *by = find(v, version);

	return by ? box_open(&by->payer_key, hash, sealed, ret) : RC_AUTH;
}

/* Of the first 16 bytes of the seed; what stands behind them goes over it. */
static struct digest derive(const struct version *by, struct span payment, struct span seed)
{
	char text[64];
	struct buf b = buf_init(text, sizeof text);
	struct digest key;

	buf_add(&b, payment);
	buf_add(&b, span_sub(seed, 0, VAULT_SEED));
	CHECK(buf_ok(&b));
	key = digest_hmac_sha256(digest_span(&by->payment_key), buf_span(&b));
	for (size_t i = VAULT_SEED; i < seed.n; i++)
		key.b[i - VAULT_SEED] ^= (uint8_t)seed.p[i];
	return key;
}

static bool is_seed(struct span seed)
{
	return seed.n == VAULT_SEED || seed.n == VAULT_SEED_MAX;
}

enum rc vault_payment_key(const struct vault *v, int16_t version, struct span payment,
	struct span seed, struct digest *ret)
{
	const struct version *by = find(v, version);

	if (!by || !is_seed(seed))
		return RC_AUTH;
	*ret = derive(by, payment, seed);
	return RC_OK;
}

void vault_reseed(const struct vault *v, struct span payment, const struct digest *key,
	uint8_t ret[VAULT_SEED_MAX])
{
	struct digest own;

	entropy_fill(ret, VAULT_SEED);
	own = derive(&v->version[v->count - 1], payment, span_of(ret, VAULT_SEED));
	for (size_t i = 0; i < sizeof own.b; i++)
		ret[VAULT_SEED + i] = own.b[i] ^ key->b[i];
}
