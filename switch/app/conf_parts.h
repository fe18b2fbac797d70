/*
 * conf_parts.h: what the files of conf share and nobody else sees: the texts as they stand in the
 * files (raw_...), and the conversion of a text into what is meant, with the message where it is
 * not.
 */
#ifndef XW_CONF_PARTS_H
#define XW_CONF_PARTS_H

#include "conf.h"

struct raw_pair {
	char *name, *value;
};

struct raw_key {
	char *use, *id, *state, *file, *digest;
};

struct raw_timing {
	char *op, *allowed_ms, *not_found_s, *ladder;
};

struct raw_fee {
	char *name, *from, *to, *base, *basis_points, *fixed, *minimum, *maximum, *rounding,
		*on_refund;
};

struct raw_bank {
	char *name, *iban, *bic;
};

struct raw_peer {
	char *name, *number, *adapter, *currency, *agreement, *scheme, *debit_via, *identity, *url,
		*ca;
	char *client_certificate, *client_key, *connections, *questions_per_s, *cap, *amount_max,
		*day_max, *owed_max, *markup_bp, *hold_ms, *expire_s;
	char *refund_days, *zone, *cancel_until, *notify, *off;
	char *settles;
	struct raw_bank *bank;
	char *code_rules, *registration;
	char *assigned_id, *code_head, *code_digits, *code_life_s, *order_url;
	char **roles;
	unsigned roles_count;
	struct raw_key *keys;
	unsigned keys_count;
	struct raw_pair *settings;
	unsigned settings_count;
	struct raw_fee *fees;
	unsigned fees_count;
	struct raw_timing *timings;
	unsigned timings_count;
};

struct raw_route {
	char *scheme, *mode, *from, *to, *priority, *currency, *minimum, *maximum, *off;
	char *days, *hours, *zone;
};

struct raw_corridor {
	char *acquirer, *issuer, *mode, *on;
};

struct raw_rate {
	char *from, *to, *price, *at, *until, *source;
};

/* What our exchanges may owe in a currency. */
struct raw_limit {
	char *currency, *limit;
};

struct raw_switch {
	char *name, *origin, *code_guid, *environment, *partners, *operators, *payers,
		*payer_origin, *postgres, *redis, *secret, *vault, *workers;
	char *payments_max, *calls_max, *requests_max, *idle_s, *shard, *participants, *routes,
		*rates;
	struct raw_bank *bank;
	struct raw_limit *exchange_limits;
	unsigned exchange_limits_count;
	char *markup_bp, *quote_life_s, *tls_certificate, *tls_key, *client_ca, *payer_certificate,
		*payer_key;
	char **hosts, **operators_hosts;
	unsigned hosts_count, operators_hosts_count;
};

struct raw_routes {
	struct raw_route *routes;
	unsigned routes_count;
	struct raw_corridor *corridors;
	unsigned corridors_count;
};

struct raw_rates {
	struct raw_rate *rates;
	unsigned rates_count;
};

struct loader {
	struct conf *c;
	const char *file; /* being read, for messages */
	const char *dir;  /* of the main file: relative paths start there */
	const char *what; /* the entry, for messages */
	const char *list; /* whose entry it is, and which; NULL: of none */
	unsigned entry;
	bool failed;
	uint32_t version; /* of all files together, whatever their order */
	struct raw_peer *peer[CONF_PEERS_MAX];
	const char *peer_file[CONF_PEERS_MAX];
};

/* Files into texts, which last as long as the configuration. NULL: said by conf_fail. */
struct raw_switch *conf_yaml_switch(struct loader *l, const char *file);
struct raw_peer *conf_yaml_peer(struct loader *l, const char *file);
struct raw_routes *conf_yaml_routes(struct loader *l, const char *file);
struct raw_rates *conf_yaml_rates(struct loader *l, const char *file);
void conf_yaml_free(void *data, const void *schema);

/* A piece of memory behind a configuration: freed with it, by the library where it has a schema. */
struct conf_owned {
	struct conf_owned *next;
	void *p;
	const void *schema;
};
/* False: there is no memory; p is freed, and it is said. */
bool conf_own(struct loader *l, void *p, const void *schema);
/* A text of our own; "" where there is no memory. */
const char *conf_copy(struct loader *l, const char *p, size_t n);

/* The line on which the entry of that list of the file begins; 0 where it is not to be found. */
unsigned conf_line(const char *file, const char *list, unsigned entry);
/* Keeps the first fault: file, line where known, entry, and the sentence. */
__attribute__((format(printf, 2, 3))) void conf_fail(struct loader *l, const char *format, ...);
const char *conf_failure(void);

/* Converters: the text, or what stands for an absent one (NULL). `name` is the member's. */
int64_t conf_number(struct loader *l, const char *name, const char *text, int64_t otherwise,
	int64_t least, int64_t most);
bool conf_yes(struct loader *l, const char *name, const char *text);
struct ccy conf_currency(struct loader *l, const char *name, const char *text);
struct money conf_amount(struct loader *l, const char *name, const char *text, struct ccy c);
/* Which of the words, the last one NULL; the first where absent. */
int conf_word(struct loader *l, const char *name, const char *text, const char *const *words);
/* "+08:00", a name of the IANA database, or a POSIX TZ text; UTC where absent. */
struct zone conf_zone(struct loader *l, const char *text);
int conf_time_of_day(struct loader *l, const char *text); /* "23:30" as minutes; -1: absent */
/* None where absent. */
struct conf_bank conf_bank(struct loader *l, const struct raw_bank *raw);
/* A relative path starts at the main file's folder. */
const char *conf_path(struct loader *l, const char *text);

/* All participants of a folder. */
void conf_load_peers(struct loader *l, const char *dir);
void conf_load_routes(struct loader *l, const char *file);
/* A participant's number by its name; 0 where absent. */
uint16_t conf_peer_number(struct loader *l, const char *name, const char *text);
/* What the machine could not run. PRE: all is loaded, the snapshot too. */
void conf_check(struct loader *l, const char *routes_file);

#endif
