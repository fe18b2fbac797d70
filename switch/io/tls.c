/*
 * tls.c builds OpenSSL contexts from three files. The hard thing is identity: chains are checked
 * against the anchors of one listener or one peer, never the system's, an outgoing session also
 * against the name, and who a client is is the digest of its certificate, never its subject's text.
 * It must never fall back to less: no older version, no unverified peer, no plain link.
 */
#include "tls.h"

#include "keyfile.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct tls {
	struct tls_conf conf; /* with strings of our own */
	SSL_CTX *ctx;
	SSL_SESSION *session; /* client: the newest one that the server offered to resume */
};

const char *tls_why(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return text ? text : "tls: no reason given";
}

/* A file's content as a memory BIO over `storage`, or NULL and a reason. */
static BIO *open_pem(const char *path, bool secret, struct buf *storage, const char **ret_why)
{
	BIO *bio;

	storage->n = 0;
	if (keyfile_read(path, secret, storage, ret_why) != RC_OK)
		return 0;
	bio = BIO_new_mem_buf(storage->p, (int)storage->n);
	if (!bio)
		*ret_why = "out of memory";
	return bio;
}

static bool use_chain(SSL_CTX *ctx, BIO *bio)
{
	X509 *cert = PEM_read_bio_X509(bio, 0, keyfile_no_password, 0);
	bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;

	X509_free(cert);
	while (ok && (cert = PEM_read_bio_X509(bio, 0, keyfile_no_password, 0))) {
		ok = SSL_CTX_add0_chain_cert(ctx, cert) == 1;
		if (!ok)
			X509_free(cert);
	}
	ERR_clear_error(); /* the end of the file is reported as an error */
	return ok;
}

static bool use_key(SSL_CTX *ctx, BIO *bio)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, 0, keyfile_no_password, 0);
	bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
		  SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static bool use_anchors(SSL_CTX *ctx, BIO *bio, bool server)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	size_t count = 0;
	bool ok = true;
	X509 *cert;

	while (ok && (cert = PEM_read_bio_X509(bio, 0, keyfile_no_password, 0))) {
		ok = X509_STORE_add_cert(store, cert) == 1 &&
		     (!server || SSL_CTX_add_client_CA(ctx, cert) == 1);
		X509_free(cert);
		count++;
	}
	ERR_clear_error();
	return ok && count > 0 && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

static bool load_files(
	SSL_CTX *ctx, const struct tls_conf *c, struct buf *storage, const char **ret_why)
{
	struct {
		const char *path;
		const char *wrong;
	} file[] = { { c->cert_file, "certificate file: not PEM certificates" },
		{ c->key_file, "key file: no key in it, or not the certificate's" },
		{ c->ca_file, "anchor file: not PEM certificates" } };

	for (size_t i = 0; i < 3; i++) {
		BIO *bio;
		bool ok;

		if (!file[i].path)
			continue;
		bio = open_pem(file[i].path, i == 1, storage, ret_why);
		if (!bio)
			return false;
		ok = i == 0   ? use_chain(ctx, bio)
		     : i == 1 ? use_key(ctx, bio)
			      : use_anchors(ctx, bio, c->server);
		BIO_free(bio);
		if (!ok) {
			ERR_clear_error();
			*ret_why = file[i].wrong;
			return false;
		}
	}
	return true;
}

/* SPEC standards 2.4: versions, suites, groups, and what is off. */
static bool set_profile(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* One read of the socket fetches a whole record with its head; stream.c asks
	 * SSL_has_pending. Buffers of idle sessions are given back. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(ctx,
		       "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") ==
		       1 &&
	       SSL_CTX_set_cipher_list(ctx,
		       "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
		       "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
		       "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1 &&
	       SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1;
}

/* Keeps the newest session for the next connect to the same peer. 1: the reference is ours now. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!t)
		return 0;
	SSL_SESSION_free(t->session);
	t->session = session;
	return 1;
}

static void set_roles(SSL_CTX *ctx, struct tls *t)
{
	if (!t->conf.server) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, 0);
		SSL_CTX_set_session_cache_mode(
			ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, on_new_session);
		SSL_CTX_set_app_data(ctx, t);
		return;
	}
	/* A resumed session would not be checked against today's table of partners. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (t->conf.ask == TLS_ASK_ALWAYS)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, 0);
	else if (t->conf.ask == TLS_ASK_OPTIONAL)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, 0);
}

static SSL_CTX *make_ctx(struct tls *t, const char **ret_why)
{
	SSL_CTX *ctx = SSL_CTX_new(t->conf.server ? TLS_server_method() : TLS_client_method());
	char *storage = malloc(KEYFILE_MAX);
	struct buf buf = buf_init(storage, KEYFILE_MAX);
	bool ok = false;

	*ret_why = "out of memory";
	if (ctx && storage) {
		set_roles(ctx, t);
		*ret_why = "the TLS library refuses our profile";
		ok = set_profile(ctx) && load_files(ctx, &t->conf, &buf, ret_why);
	}
	if (storage)
		OPENSSL_cleanse(storage, KEYFILE_MAX);
	free(storage);
	if (ok)
		return ctx;
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return 0;
}

static bool conf_complete(const struct tls_conf *c, const char **ret_why)
{
	if (!c->cert_file != !c->key_file)
		*ret_why = "a certificate and its key come together";
	else if (c->server && !c->cert_file)
		*ret_why = "a server needs a certificate";
	else if (c->server && c->ask != TLS_ASK_NEVER && !c->ca_file)
		*ret_why = "client certificates need anchors to be checked against";
	else if (!c->server && (!c->ca_file || !c->peer_name))
		*ret_why = "a client needs the peer's anchors and its name";
	else
		return true;
	return false;
}

static const char *copy(const char *s)
{
	return s ? strdup(s) : 0;
}

struct tls *tls_open(const struct tls_conf *conf, const char **ret_why)
{
	struct tls *t;

	if (!conf_complete(conf, ret_why))
		return 0;
	t = calloc(1, sizeof *t);
	if (!t) {
		*ret_why = "out of memory";
		return 0;
	}
	t->conf = *conf;
	t->conf.cert_file = copy(conf->cert_file);
	t->conf.key_file = copy(conf->key_file);
	t->conf.ca_file = copy(conf->ca_file);
	t->conf.peer_name = copy(conf->peer_name);
	t->ctx = make_ctx(t, ret_why);
	return t->ctx ? t : tls_close(t);
}

struct tls *tls_close(struct tls *t)
{
	if (!t)
		return 0;
	if (t->ctx)
		SSL_CTX_set_app_data(t->ctx, 0);
	SSL_CTX_free(t->ctx);
	SSL_SESSION_free(t->session);
	free((char *)t->conf.cert_file);
	free((char *)t->conf.key_file);
	free((char *)t->conf.ca_file);
	free((char *)t->conf.peer_name);
	free(t);
	return 0;
}

/* The name is sent (SNI) and demanded; a literal address is demanded as such and never sent. */
static bool set_peer(SSL *ssl, const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct ssl_st *tls_session(struct tls *t, int fd)
{
	SSL *ssl = SSL_new(t->ctx);

	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return 0;
	}
	if (t->conf.server) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	if (!set_peer(ssl, t->conf.peer_name) ||
		(t->session && SSL_SESSION_is_resumable(t->session) &&
			SSL_set_session(ssl, t->session) != 1)) {
		SSL_free(ssl);
		return 0;
	}
	return ssl;
}

bool tls_peer_digest(const struct ssl_st *ssl, struct digest *ret)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	unsigned n = sizeof ret->b;

	return cert && X509_digest(cert, EVP_sha256(), ret->b, &n) == 1;
}
