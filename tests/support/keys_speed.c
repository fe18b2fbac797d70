/*
 * keys_speed.c: signatures and verifications per second through keys.h on one core, to be held
 * against `openssl speed rsa2048 ecdsap256 ed25519`. A tool for people: nothing asserts a speed.
 */
#include "keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SECONDS 3

static struct span pem_of(EVP_PKEY *pkey, bool priv, BIO *bio)
{
	char *p;
	long n;

	(void)BIO_reset(bio);
	if ((priv ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, 0, 0, 0, 0, 0)
		  : PEM_write_bio_PUBKEY(bio, pkey)) != 1)
		abort();
	n = BIO_get_mem_data(bio, &p);
	return span_of(p, (size_t)n);
}

static int64_t user_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (int64_t)u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec;
}

/* Signs a new text each time: the same one is signed once (keys.c). */
static double per_second(struct keys *k, char *text, size_t text_n, struct span sig)
{
	int64_t begin = user_us();
	char out[KEYS_SIG_MAX];
	enum key_alg alg;
	struct span id;
	int64_t n = 0, us;

	do {
		for (int i = 0; i < 64; i++, n++) {
			struct buf b = buf_init(out, sizeof out);
			if (!sig.n)
				memcpy(text, &n, sizeof n);
			if (sig.n ? !keys_verify(k, SPAN("k"), span_of(text, text_n), sig)
				  : !keys_sign(k, span_of(text, text_n), &b, &alg, &id))
				abort();
		}
		us = user_us() - begin;
	} while (us < SECONDS * 1000000);
	return (double)n * 1e6 / (double)us;
}

static void measure(const char *name, EVP_PKEY *pkey)
{
	static char text[486], bytes[KEYS_SIG_MAX];
	struct keys *k = keys_new();
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf sig = buf_init(bytes, sizeof bytes);
	const char *why = "";
	enum key_alg alg;
	struct span id;
	double verified;

	if (keys_add(k, KEY_OURS, SPAN("k"), KEY_ACTIVE, pem_of(pkey, true, bio), &why) != RC_OK ||
		keys_add(k, KEY_THEIRS, SPAN("k"), KEY_ACTIVE, pem_of(pkey, false, bio), &why) !=
			RC_OK ||
		!keys_sign(k, span_of(text, sizeof text), &sig, &alg, &id))
		abort();
	verified = per_second(k, text, sizeof text, buf_span(&sig));
	printf("%-8s %10.1f sign/s %10.1f verify/s\n", name,
		per_second(k, text, sizeof text, SPAN_NONE), verified);
	BIO_free(bio);
	keys_free(k);
	EVP_PKEY_free(pkey);
}

int main(void)
{
	measure("rsa2048", EVP_RSA_gen(2048));
	measure("p256", EVP_EC_gen("P-256"));
	measure("ed25519", EVP_PKEY_Q_keygen(0, 0, "ED25519"));
	return 0;
}
