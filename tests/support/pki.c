/*
 * pki.c makes an authority, a server, a client and a stranger with P-256 keys. The one hard thing
 * is that verification is strict: basic constraints, key ids and alternative names must all be
 * there. It must never be linked into anything but tests.
 */
#include "pki.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUST_BE(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "pki.c:%d: %s\n", __LINE__, #cond);                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, 0, 0, 0);
	ext = X509V3_EXT_conf_nid(0, &ctx, nid, value);
	MUST_BE(ext && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

/* signer NULL: signed by itself. */
static struct identity make(const char *name, int serial, const struct identity *signer, bool ca)
{
	struct identity me = { X509_new(), EVP_EC_gen("P-256") };
	const struct identity *by = signer ? signer : &me;
	X509_NAME *subject = X509_get_subject_name(me.cert);

	MUST_BE(me.key && X509_set_version(me.cert, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(me.cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(me.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(me.cert), 24 * 3600);
	X509_set_pubkey(me.cert, me.key);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(me.cert, X509_get_subject_name(by->cert));
	extend(me.cert, by->cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
	extend(me.cert, by->cert, NID_subject_key_identifier, "hash");
	if (!ca)
		extend(me.cert, by->cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	MUST_BE(X509_sign(me.cert, by->key, EVP_sha256()) > 0);
	return me;
}

void pki_file(const struct pki *p, const char *name, unsigned mode, const void *text, size_t n,
	char ret[PKI_PATH])
{
	int fd;

	snprintf(ret, PKI_PATH, "%s/%s", p->dir, name);
	unlink(ret);
	fd = open(ret, O_WRONLY | O_CREAT | O_EXCL, mode);
	MUST_BE(fd >= 0 && fchmod(fd, mode) == 0);
	MUST_BE(write(fd, text, n) == (ssize_t)n && close(fd) == 0);
}

static void write_pem(const struct pki *p, const char *name, unsigned mode,
	const struct identity *me, bool key, char ret[PKI_PATH])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (key)
		MUST_BE(PEM_write_bio_PKCS8PrivateKey(bio, me->key, 0, 0, 0, 0, 0) == 1);
	else
		MUST_BE(PEM_write_bio_X509(bio, me->cert) == 1);
	n = BIO_get_mem_data(bio, &text);
	pki_file(p, name, mode, text, (size_t)n, ret);
	BIO_free(bio);
}

static void drop(struct identity *me)
{
	X509_free(me->cert);
	EVP_PKEY_free(me->key);
}

void pki_open(struct pki *p)
{
	struct identity ca = make("test authority", 1, 0, true);
	struct identity server = make("test server", 2, &ca, false);
	struct identity client = make("test client", 3, &ca, false);
	struct identity stranger = make("stranger", 4, 0, false);

	snprintf(p->dir, sizeof p->dir, "/tmp/xw-pki-XXXXXX");
	MUST_BE(mkdtemp(p->dir) != 0);
	write_pem(p, "ca.pem", 0644, &ca, false, p->ca);
	write_pem(p, "server.pem", 0644, &server, false, p->server);
	write_pem(p, "server.key", 0600, &server, true, p->server_key);
	write_pem(p, "client.pem", 0644, &client, false, p->client);
	write_pem(p, "client.key", 0600, &client, true, p->client_key);
	write_pem(p, "stranger.pem", 0644, &stranger, false, p->stranger);
	write_pem(p, "stranger.key", 0600, &stranger, true, p->stranger_key);
	MUST_BE(X509_digest(client.cert, EVP_sha256(), p->client_digest, 0) == 1);
	drop(&ca);
	drop(&server);
	drop(&client);
	drop(&stranger);
}

void pki_close(struct pki *p)
{
	DIR *dir = opendir(p->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(p->dir);
}

struct pki pki;

int pki_for_all(void **state)
{
	(void)state;
	pki_open(&pki);
	return 0;
}

int pki_end(void **state)
{
	(void)state;
	pki_close(&pki);
	return 0;
}
