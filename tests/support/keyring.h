/*
 * keyring.h: real keys for tests, behind the capability that adapters are given.
 *
 * Keys come from PEM files (or a text file for HMAC). The keyring owns them; the spans that it
 * gives out live as long as it does. Any failure to load stops the test program.
 */
#ifndef XW_TESTS_KEYRING_H
#define XW_TESTS_KEYRING_H

#include "adapter.h"

#define KEYRING_MAX 8

struct keyring_key {
	char name[48]; /* name or version */
	enum sig_alg alg;
	void *pkey; /* EVP_PKEY */
	char secret[128];
};

struct keyring {
	size_t own_count, peer_count, secret_count;
	struct keyring_key own[KEYRING_MAX]; /* the last one signs */
	struct keyring_key peer[KEYRING_MAX];
	struct keyring_key secrets[KEYRING_MAX];
	struct signer signer;
};

void keyring_init(struct keyring *k);
void keyring_fini(struct keyring *k);
/* alg: "rsa", "ed25519", "p256", "hmac". path: a private key (PEM), or for hmac the secret itself.
 * Also "p256-digest", for our own side: SHA-512 in the place of a P-256 signature, which would be
 * another one each time; it proves nothing. */
void keyring_add(struct keyring *k, bool own, const char *name, const char *alg, const char *path);
void keyring_add_secret(struct keyring *k, const char *name, const char *value);
/* k->signer with its context set; PRE: k does not move afterwards. */
const struct signer *keyring_signer(struct keyring *k);

#endif
