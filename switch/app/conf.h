/*
 * conf.h: the configuration of a switch: one file for itself, one for each participant, one for
 * routes and rates. YAML; every scalar is read as text and converted by our own parsers, so that
 * 080 is not octal and 80x is not 80. A configuration loads whole or not at all.
 */
#ifndef XW_CONF_H
#define XW_CONF_H

#include "adapter.h"
#include "digest.h"
#include "keys.h"
#include "snapshot.h"
#include "worker.h"

#define CONF_PEERS_MAX     64
#define CONF_FILES         (CONF_PEERS_MAX + 3) /* the main one, routes, rates */
#define CONF_HOSTS         8
#define CONF_SETTINGS      32
#define CONF_KEYS          16
#define CONF_TIMINGS       8
#define CONF_ROUTES_MAX    512
#define CONF_CORRIDORS_MAX 256
#define CONF_RATES_MAX     512
#define CONF_LIMITS_MAX    64
#define CONF_FEES_MAX      128

struct conf_setting {
	const char *name, *value;
};

/* A key by its file. */
struct conf_key {
	enum key_kind use;
	enum key_state state;
	const char *id, *file;
	bool sha512; /* of RSA, and it digests by SHA-512 */
};

/* How an agreement is settled: we instruct what we owe, they pay or tell what they settle, or its
 * deposits have paid before. */
enum conf_settles { CONF_BY_US, CONF_BY_PEER, CONF_PREFUNDED };

/* An account at a bank; all NULL: none is configured. */
struct conf_bank {
	const char *name, *iban, *bic;
};

/* A participant beyond what the core and the worker know of it. */
struct conf_peer {
	const char *name;
	const char *url;     /* base URL of calls to it; NULL: it is never called */
	const char *address; /* from the URL */
	uint16_t port;
	bool tls;
	const char *ca_file;                            /* anchors for its server certificate */
	const char *client_cert_file, *client_key_file; /* ours, where it wants one; NULL: none */
	uint32_t connections;
	size_t key_count;
	struct conf_key key[CONF_KEYS];
	struct money cap; /* most that it may owe us in its settlement currency; none: no limit */
	enum conf_settles settles;
	struct conf_bank bank; /* where it wants to be paid */
	size_t setting_count;
	struct conf_setting setting[CONF_SETTINGS];
	size_t timing_count;
	struct caps timing[CONF_TIMINGS]; /* caps rows with other times than the adapter's */
};

struct conf_listener {
	const char *address; /* literal */
	uint16_t port;       /* 0: not wanted */
};

/* A file of the configuration, and its bytes as they were read. */
struct conf_file {
	const char *name;
	struct digest digest;
};

struct conf_owned;

struct conf {
	struct conf_owned *owned; /* what everything below points into */
	const char *file;
	const char *rates_file; /* NULL: there are none */
	const char *name;
	const char *origin;       /* public origin of the partners' listener, as partners sign it */
	const char *code_guid;    /* identifies our template in merchant codes */
	const char *payer_origin; /* public origin of the payers' pages; NULL: there are none */
	bool sandbox;             /* plain HTTP is allowed on loopback */
	struct conf_listener partners, operators, payers;
	size_t exchange_limit_count;
	struct money exchange_limit[CONF_LIMITS_MAX]; /* most that our exchanges may owe; a currency
							 without one: no limit */
	const char *hosts[CONF_HOSTS]; /* what Host may say on the partners' listener */
	size_t host_count;
	const char
		*operators_hosts[CONF_HOSTS]; /* names, without ports, of the operators' listener */
	size_t operators_host_count;
	const char *tls_cert_file, *tls_key_file,
		*client_ca_file;                      /* NULL cert: plain, sandbox only */
	const char *payer_cert_file, *payer_key_file; /* the same two where they are not said */
	const char *postgres;                         /* libpq conninfo, role switch_rw */
	const char *redis;                            /* path of a Unix socket; NULL: none */
	const char *secret_file; /* 32 bytes, hex: hashes codes, seals secrets */
	const char *vault_file;  /* versions of the keys under which people's data is kept */
	struct conf_bank bank;   /* ours, from which settlements are paid */
	uint32_t workers;
	uint32_t payments_max, calls_max, requests_max; /* per worker */
	uint32_t idle_s; /* a partner's connection without a request is closed after */
	unsigned shard;

	size_t read_count;
	struct conf_file read[CONF_FILES];
	size_t peer_count;
	struct peer peer[CONF_PEERS_MAX];
	struct link link[CONF_PEERS_MAX];
	struct conf_peer extra[CONF_PEERS_MAX];
	size_t route_count, corridor_count, rate_count, fee_count;
	struct route_row route[CONF_ROUTES_MAX];
	struct corridor corridor[CONF_CORRIDORS_MAX];
	struct rate rate[CONF_RATES_MAX];
	struct fee_row fee[CONF_FEES_MAX];
	struct snapshot snapshot; /* over the arrays above */
};

/* Files that are read instead of those that the configuration names. */
struct conf_instead {
	const char *routes, *rates; /* NULL: as it says */
};

/* Loads the file and what it names. `instead` may be NULL. NULL: *ret_error says file, line where
 * known, and what is wrong; it lasts until the next call. */
struct conf *conf_load(
	const char *file, const struct conf_instead *instead, const char **ret_error);
/* With all its texts. NULL is fine; returns NULL. */
struct conf *conf_free(struct conf *c);

#endif
