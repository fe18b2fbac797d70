/*
 * conf.c: YAML files -> struct conf, over libcyaml; the only file that includes it.
 *
 * libcyaml reads the shape (mappings, sequences, unknown keys refused) and every scalar as text;
 * the text is converted here, since libcyaml takes 80x for 80. The hard thing is the message: file,
 * participant, member and what was expected, so that it can be put right at three in the morning.
 * Must never return half a configuration.
 */
#include "conf.h"

#include <cyaml/cyaml.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

struct raw_pair {
	char *name, *value;
};

struct raw_key {
	char *use, *id, *state, *file;
};

struct raw_timing {
	char *op, *allowed_ms, *not_found_s, *ladder;
};

struct raw_fee {
	char *name, *basis_points, *fixed, *minimum, *maximum, *rounding, *on_refund;
};

struct raw_peer {
	char *name, *number, *adapter, *currency, *agreement, *scheme, *debit_via, *identity, *url,
		*ca;
	char *client_certificate, *client_key, *connections, *cap, *amount_max, *hold_ms, *expire_s;
	char *refund_days, *zone, *cancel_until, *notify, *off;
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
};

struct raw_rate {
	char *from, *to, *price, *at, *until;
};

struct raw_switch {
	char *name, *origin, *environment, *partners, *operators, *postgres, *redis, *secret,
		*workers;
	char *payments_max, *calls_max, *requests_max, *shard, *participants, *routes, *rates;
	char *markup_bp, *quote_life_s, *tls_certificate, *tls_key, *client_ca;
	char **hosts;
	unsigned hosts_count;
};

struct raw_routes {
	struct raw_route *routes;
	unsigned routes_count;
};

struct raw_rates {
	struct raw_rate *rates;
	unsigned rates_count;
};

#define TEXT(type, member)                                                                         \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, struct type, member, 0, CYAML_UNLIMITED)
#define OPTIONAL(type, member)                                                                     \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type,     \
		member, 0, CYAML_UNLIMITED)
#define MANY(type, member, entry)                                                                  \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type,       \
		member, entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_value = { CYAML_VALUE_STRING(
	CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED) };

static const cyaml_schema_field_t pair_fields[] = { TEXT(raw_pair, name), TEXT(raw_pair, value),
	CYAML_FIELD_END };
static const cyaml_schema_value_t pair_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_pair, pair_fields) };

static const cyaml_schema_field_t key_fields[] = { TEXT(raw_key, use), TEXT(raw_key, id),
	OPTIONAL(raw_key, state), TEXT(raw_key, file), CYAML_FIELD_END };
static const cyaml_schema_value_t key_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_key, key_fields) };

static const cyaml_schema_field_t fee_fields[] = { TEXT(raw_fee, name),
	OPTIONAL(raw_fee, basis_points), OPTIONAL(raw_fee, fixed), OPTIONAL(raw_fee, minimum),
	OPTIONAL(raw_fee, maximum), OPTIONAL(raw_fee, rounding), OPTIONAL(raw_fee, on_refund),
	CYAML_FIELD_END };
static const cyaml_schema_value_t fee_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_fee, fee_fields) };

static const cyaml_schema_field_t timing_fields[] = { TEXT(raw_timing, op),
	OPTIONAL(raw_timing, allowed_ms), OPTIONAL(raw_timing, not_found_s),
	OPTIONAL(raw_timing, ladder), CYAML_FIELD_END };
static const cyaml_schema_value_t timing_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_timing, timing_fields) };

static const cyaml_schema_field_t peer_fields[] = { TEXT(raw_peer, name), TEXT(raw_peer, number),
	TEXT(raw_peer, adapter), TEXT(raw_peer, currency), OPTIONAL(raw_peer, agreement),
	OPTIONAL(raw_peer, scheme), OPTIONAL(raw_peer, debit_via), OPTIONAL(raw_peer, identity),
	OPTIONAL(raw_peer, url), OPTIONAL(raw_peer, ca), OPTIONAL(raw_peer, client_certificate),
	OPTIONAL(raw_peer, client_key), OPTIONAL(raw_peer, connections), OPTIONAL(raw_peer, cap),
	OPTIONAL(raw_peer, amount_max), OPTIONAL(raw_peer, hold_ms), OPTIONAL(raw_peer, expire_s),
	OPTIONAL(raw_peer, refund_days), OPTIONAL(raw_peer, zone), OPTIONAL(raw_peer, cancel_until),
	OPTIONAL(raw_peer, notify), OPTIONAL(raw_peer, off), MANY(raw_peer, roles, &text_value),
	MANY(raw_peer, keys, &key_value), MANY(raw_peer, settings, &pair_value),
	MANY(raw_peer, fees, &fee_value), MANY(raw_peer, timings, &timing_value), CYAML_FIELD_END };
static const cyaml_schema_value_t peer_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_peer, peer_fields) };

static const cyaml_schema_field_t route_fields[] = { TEXT(raw_route, scheme), TEXT(raw_route, mode),
	OPTIONAL(raw_route, from), TEXT(raw_route, to), OPTIONAL(raw_route, priority),
	OPTIONAL(raw_route, currency), OPTIONAL(raw_route, minimum), OPTIONAL(raw_route, maximum),
	OPTIONAL(raw_route, off), CYAML_FIELD_END };
static const cyaml_schema_value_t route_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_route, route_fields) };
static const cyaml_schema_field_t routes_fields[] = { MANY(raw_routes, routes, &route_value),
	CYAML_FIELD_END };
static const cyaml_schema_value_t routes_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_routes, routes_fields) };

static const cyaml_schema_field_t rate_fields[] = { TEXT(raw_rate, from), TEXT(raw_rate, to),
	TEXT(raw_rate, price), TEXT(raw_rate, at), TEXT(raw_rate, until), CYAML_FIELD_END };
static const cyaml_schema_value_t rate_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_rate, rate_fields) };
static const cyaml_schema_field_t rates_fields[] = { MANY(raw_rates, rates, &rate_value),
	CYAML_FIELD_END };
static const cyaml_schema_value_t rates_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_rates, rates_fields) };

static const cyaml_schema_field_t switch_fields[] = { TEXT(raw_switch, name),
	TEXT(raw_switch, origin), TEXT(raw_switch, environment), TEXT(raw_switch, partners),
	TEXT(raw_switch, operators), TEXT(raw_switch, postgres), OPTIONAL(raw_switch, redis),
	TEXT(raw_switch, secret), OPTIONAL(raw_switch, workers), OPTIONAL(raw_switch, payments_max),
	OPTIONAL(raw_switch, calls_max), OPTIONAL(raw_switch, requests_max),
	OPTIONAL(raw_switch, shard), TEXT(raw_switch, participants), TEXT(raw_switch, routes),
	OPTIONAL(raw_switch, rates), OPTIONAL(raw_switch, markup_bp),
	OPTIONAL(raw_switch, quote_life_s), OPTIONAL(raw_switch, tls_certificate),
	OPTIONAL(raw_switch, tls_key), OPTIONAL(raw_switch, client_ca),
	MANY(raw_switch, hosts, &text_value), CYAML_FIELD_END };
static const cyaml_schema_value_t switch_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_switch, switch_fields) };

static char error_text[1024];

struct loader {
	struct conf *c;
	const char *file; /* being read, for messages */
	const char *dir;  /* of the main file: relative paths start there */
	const char *what; /* the entry, for messages */
	bool failed;
	struct raw_switch *raw;
	struct raw_peer *peer[CONF_PEERS_MAX];
};

__attribute__((format(printf, 2, 3))) static void fail(struct loader *l, const char *format, ...)
{
	va_list ap;
	int n;

	if (l->failed)
		return; /* the first fault is the one to mend */
	l->failed = true;
	n = snprintf(error_text, sizeof error_text, "%s: %s%s", l->file, l->what ? l->what : "",
		l->what ? ": " : "");
	if (n < 0 || (size_t)n >= sizeof error_text)
		return;
	va_start(ap, format);
	vsnprintf(error_text + n, sizeof error_text - (size_t)n, format, ap);
	va_end(ap);
}

/* The library's last word about a file is its most exact one: keep it for our message. */
static void on_log(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	char *text = ctx;

	if (level >= CYAML_LOG_ERROR && !*text)
		vsnprintf(text, 256, format, args);
}

static void *load_file(struct loader *l, const char *file, const cyaml_schema_value_t *schema)
{
	char said[256] = "";
	cyaml_config_t config = { .log_fn = on_log,
		.log_ctx = said,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS };
	void *data = NULL;
	cyaml_err_t err;

	l->file = file;
	err = cyaml_load_file(file, &config, schema, (cyaml_data_t **)&data, NULL);
	if (err == CYAML_OK)
		return data;
	said[strcspn(said, "\n")] = '\0';
	fail(l, "%s%s%s", cyaml_strerror(err), *said ? ": " : "", said);
	return NULL;
}

static void free_file(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_config_t config = { .mem_fn = cyaml_mem };

	if (data)
		cyaml_free(&config, schema, data, 0);
}

/* Converters: the text, or what stands for an absent one. */

static int64_t number(struct loader *l, const char *name, const char *text, int64_t otherwise,
	int64_t least, int64_t most)
{
	bool negative = text && *text == '-';
	int64_t v = 0;

	if (!text)
		return otherwise;
	if (span_to_i64(span_str(text + negative), &v) != RC_OK)
		fail(l, "%s: \"%s\" is not a whole number", name, text);
	v = negative ? -v : v;
	if (v < least || v > most)
		fail(l, "%s: %s is not within %lld and %lld", name, text, (long long)least,
			(long long)most);
	return v;
}

static bool yes(struct loader *l, const char *name, const char *text)
{
	if (!text || strcmp(text, "no") == 0)
		return false;
	if (strcmp(text, "yes") != 0)
		fail(l, "%s: \"%s\" is neither yes nor no", name, text);
	return true;
}

static struct ccy currency(struct loader *l, const char *name, const char *text)
{
	struct ccy c = { 0 };

	if (text && ccy_by_alpha(span_str(text), &c) != RC_OK)
		fail(l, "%s: \"%s\" is no ISO 4217 currency", name, text);
	return c;
}

static struct money amount(struct loader *l, const char *name, const char *text, struct ccy c)
{
	struct money m = MONEY_NONE;

	if (text && money_parse_major(span_str(text), c, &m) != RC_OK)
		fail(l, "%s: \"%s\" is no amount of %s", name, text, ccy_alpha(c));
	return m;
}

static int word(struct loader *l, const char *name, const char *text, const char *const *words)
{
	for (int i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	if (text)
		fail(l, "%s: \"%s\" is not one of its words", name, text);
	return 0;
}

/* "+08:00" as minutes. */
static int zone(struct loader *l, const char *text)
{
	int h, m;
	char sign, end;

	if (!text)
		return 0;
	if (strlen(text) != 6 || sscanf(text, "%c%2d:%2d%c", &sign, &h, &m, &end) != 3 ||
		(sign != '+' && sign != '-') || h > 14 || m > 59) {
		fail(l, "zone: \"%s\" is not of the form +08:00", text);
		return 0;
	}
	return (h * 60 + m) * (sign == '-' ? -1 : 1);
}

static int until(struct loader *l, const char *text)
{
	int h, m;
	char end;

	if (!text)
		return -1;
	if (sscanf(text, "%2d:%2d%c", &h, &m, &end) != 2 || h > 23 || m > 59) {
		fail(l, "cancel_until: \"%s\" is not a time of day", text);
		return -1;
	}
	return h * 60 + m;
}

/* A relative path starts at the main file's folder. The memory is the configuration's. */
static const char *path(struct loader *l, const char *text)
{
	char *full;
	size_t n;

	if (!text || text[0] == '/')
		return text;
	n = strlen(l->dir) + strlen(text) + 2;
	full = malloc(n);
	if (!full) {
		fail(l, "out of memory");
		return text;
	}
	snprintf(full, n, "%s/%s", l->dir, text);
	return full;
}

static void listener(
	struct loader *l, const char *name, const char *text, struct conf_listener *ret)
{
	const char *colon = strrchr(text, ':');

	if (!colon) {
		fail(l, "%s: \"%s\" is not address:port", name, text);
		return;
	}
	ret->address = strndup(text, (size_t)(colon - text));
	ret->port = (uint16_t)number(l, name, colon + 1, 0, 1, 65535);
}

/* scheme://host:port/path into its parts. */
static void url(struct loader *l, const char *text, struct conf_peer *e, struct link *k)
{
	struct span s = span_str(text), authority, host;
	size_t slash;

	e->url = text;
	e->tls = span_starts(s, SPAN("https://"));
	if (!e->tls && !span_starts(s, SPAN("http://"))) {
		fail(l, "url: \"%s\" is neither https nor http", text);
		return;
	}
	if (!e->tls && !l->c->sandbox)
		fail(l, "url: plain http is for a sandbox only");
	s = span_sub(s, e->tls ? 8 : 7, s.n);
	slash = span_find(s, '/');
	authority = span_sub(s, 0, slash);
	k->authority = authority;
	k->base_path = span_sub(s, slash, s.n);
	if (span_ends(k->base_path, SPAN("/")))
		k->base_path.n--;
	host = span_sub(authority, 0, span_find(authority, ':'));
	e->address = strndup(host.p, host.n);
	e->port = e->tls ? 443 : 80;
	if (host.n < authority.n) {
		char *port = strndup(host.p + host.n + 1, authority.n - host.n - 1);
		e->port = (uint16_t)number(l, "url", port, 0, 1, 65535);
		free(port);
	}
}

static void put_keys(struct loader *l, const struct raw_peer *r, struct conf_peer *e)
{
	static const char *const uses[] = { "ours", "theirs", "shared", "secret", NULL };
	static const char *const states[] = { "active", "pending", "retiring", "revoked", NULL };

	if (r->keys_count > CONF_KEYS) {
		fail(l, "keys: more than %d", CONF_KEYS);
		return;
	}
	for (unsigned i = 0; i < r->keys_count; i++) {
		const struct raw_key *k = &r->keys[i];
		word(l, "use", k->use, uses);
		word(l, "state", k->state, states);
		e->key[i] = (struct conf_key){ k->use, k->id, k->state ? k->state : "active",
			path(l, k->file) };
	}
	e->key_count = r->keys_count;
}

static void put_settings(struct loader *l, const struct raw_peer *r, struct conf_peer *e)
{
	if (r->settings_count > CONF_SETTINGS) {
		fail(l, "settings: more than %d", CONF_SETTINGS);
		return;
	}
	for (unsigned i = 0; i < r->settings_count; i++)
		e->setting[i] = (struct conf_setting){ r->settings[i].name, r->settings[i].value };
	e->setting_count = r->settings_count;
}

static void put_fees(struct loader *l, const struct raw_peer *r, const struct peer *p)
{
	static const char *const roundings[] = { "half-even", "half-up", "down", "up", NULL };
	static const char *const refunds[] = { "keep", "prorate", "full", NULL };

	for (unsigned i = 0; i < r->fees_count; i++) {
		const struct raw_fee *f = &r->fees[i];
		struct fee_row *row = &l->c->fee[l->c->fee_count];
		if (l->c->fee_count == CONF_FEES_MAX) {
			fail(l, "fees: more than %d in all", CONF_FEES_MAX);
			return;
		}
		l->c->fee_count++;
		if (!span_to_cstr(span_str(f->name), row->name, sizeof row->name))
			fail(l, "fees: the name is too long");
		row->agreement = p->agreement;
		row->basis_points = (int32_t)number(
			l, "basis_points", f->basis_points, 0, 0, 10000);
		row->fixed = money_minor(amount(l, "fixed", f->fixed, p->settle));
		row->min = money_minor(amount(l, "minimum", f->minimum, p->settle));
		row->max = money_minor(amount(l, "maximum", f->maximum, p->settle));
		row->rounding = (enum rounding)word(l, "rounding", f->rounding, roundings);
		row->on_refund = (enum fee_refund)word(l, "on_refund", f->on_refund, refunds);
	}
}

/* "2 2 3 5": seconds between tries. */
static void ladder(struct loader *l, const char *text, struct ladder *ret)
{
	struct span rest = span_str(text), part;
	int64_t s;

	*ret = (struct ladder){ 0 };
	while (span_split(&rest, ' ', &part)) {
		if (ret->count == LADDER_MAX || span_to_i64(part, &s) != RC_OK || s < 1 ||
			s > 3600) {
			fail(l, "ladder: \"%s\" is not up to %d numbers of seconds", text,
				LADDER_MAX);
			return;
		}
		ret->after_s[ret->count++] = (uint16_t)s;
	}
}

/* Times are the operator's to set; what a partner can do is the adapter's to know. */
static void put_timings(
	struct loader *l, const struct raw_peer *r, struct peer *p, struct conf_peer *e)
{
	for (unsigned i = 0; i < r->timings_count; i++) {
		const struct raw_timing *from = &r->timings[i];
		struct caps *to = &e->timing[e->timing_count];
		enum op op = OP_NONE;
		while (op < OP_MAX && !(p->caps[op] && strcmp(op_name(op), from->op) == 0))
			op++;
		if (op == OP_MAX || e->timing_count == CONF_TIMINGS) {
			fail(l, "timings: the adapter has no \"%s\", or there are too many",
				from->op);
			return;
		}
		e->timing_count++;
		*to = *p->caps[op];
		to->allowed_ms = (uint16_t)number(
			l, "allowed_ms", from->allowed_ms, to->allowed_ms, 50, 30000);
		to->not_found_s = (uint16_t)number(
			l, "not_found_s", from->not_found_s, to->not_found_s, 0, 3600);
		if (from->ladder)
			ladder(l, from->ladder, &to->ladder);
		p->caps[op] = to;
	}
}

static void put_roles(struct loader *l, const struct raw_peer *r, struct peer *p)
{
	for (unsigned i = 0; i < r->roles_count; i++) {
		if (strcmp(r->roles[i], "issuer") == 0)
			p->roles |= PEER_ISSUER;
		else if (strcmp(r->roles[i], "acquirer") == 0)
			p->roles |= PEER_ACQUIRER;
		else
			fail(l, "roles: \"%s\" is neither issuer nor acquirer", r->roles[i]);
	}
}

static void put_peer(struct loader *l, const struct raw_peer *r, size_t i)
{
	static const char *const notifies[] = { "never", "late", "always", NULL };
	struct peer *p = &l->c->peer[i];
	struct link *k = &l->c->link[i];
	struct conf_peer *e = &l->c->extra[i];

	l->what = r->name;
	if (!span_to_cstr(span_str(r->name), p->name, sizeof p->name))
		fail(l, "name: longer than %zu", sizeof p->name - 1);
	p->number = (uint16_t)number(l, "number", r->number, 0, 1, INT16_MAX);
	p->agreement = (uint16_t)number(l, "agreement", r->agreement, p->number, 1, UINT16_MAX);
	p->settle = currency(l, "currency", r->currency);
	p->scheme = yes(l, "scheme", r->scheme);
	p->window_offset_min = (uint16_t)zone(l, r->zone);
	p->cancel_until_min = (int16_t)until(l, r->cancel_until);
	p->refund_days = (uint32_t)number(l, "refund_days", r->refund_days, 365, 1, 3660);
	p->expire_s = (uint32_t)number(l, "expire_s", r->expire_s, 120, 5, 86400);
	p->hold_ms = (uint32_t)number(l, "hold_ms", r->hold_ms, 6000, 100, 30000);
	p->notify = r->notify ? (enum notify_when)word(l, "notify", r->notify, notifies)
			      : NOTIFY_LATE;
	p->amount_max = amount(l, "amount_max", r->amount_max, p->settle);
	put_roles(l, r, p);
	k->peer = p;
	k->off = yes(l, "off", r->off);
	k->identity = span_str(r->identity ? r->identity : r->name);
	k->adapter = adapter_by_name(span_str(r->adapter));
	if (!k->adapter) {
		fail(l, "adapter: there is none named \"%s\"", r->adapter);
		return;
	}
	for (const struct caps *c = k->adapter->caps; c->op != OP_NONE; c++)
		p->caps[c->op] = c;
	e->name = r->name;
	e->ca_file = path(l, r->ca);
	e->client_cert_file = path(l, r->client_certificate);
	e->client_key_file = path(l, r->client_key);
	e->connections = (uint32_t)number(l, "connections", r->connections, 32, 1, 1024);
	e->cap = amount(l, "cap", r->cap, p->settle);
	if (r->url)
		url(l, r->url, e, k);
	put_keys(l, r, e);
	put_settings(l, r, e);
	put_fees(l, r, p);
	put_timings(l, r, p, e);
}

static uint16_t peer_number(struct loader *l, const char *name, const char *text)
{
	for (size_t i = 0; text && i < l->c->peer_count; i++)
		if (strcmp(l->c->peer[i].name, text) == 0)
			return l->c->peer[i].number;
	if (text)
		fail(l, "%s: there is no participant \"%s\"", name, text);
	return 0;
}

static void load_peers(struct loader *l, const char *dir)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, NULL, alphasort);

	if (n < 0) {
		fail(l, "participants: the folder %s cannot be read", dir);
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		size_t len = strlen(name), at = l->c->peer_count;
		if (!l->failed && len > 5 && strcmp(name + len - 5, ".yaml") == 0) {
			char *file = malloc(strlen(dir) + len + 2);
			if (!file || at == CONF_PEERS_MAX) {
				fail(l, "too many participants");
			} else {
				snprintf(file, strlen(dir) + len + 2, "%s/%s", dir, name);
				l->what = NULL;
				l->peer[at] = load_file(l, file, &peer_value);
				if (l->peer[at]) {
					put_peer(l, l->peer[at], at);
					l->c->peer_count++;
				}
			}
		}
		free(names[i]);
	}
	free(names);
	for (size_t i = 0; i < l->c->peer_count; i++) {
		l->what = l->peer[i]->name;
		l->c->peer[i].debit_via = peer_number(l, "debit_via", l->peer[i]->debit_via);
		for (size_t j = 0; j < i; j++)
			if (l->c->peer[j].number == l->c->peer[i].number)
				fail(l, "number: %d is %s's", l->c->peer[i].number,
					l->c->peer[j].name);
	}
	l->what = NULL;
}

static void load_routes(struct loader *l, const char *file)
{
	static const char *const modes[] = { "CPM", "MPM", NULL };
	struct raw_routes *r = load_file(l, file, &routes_value);

	if (!r)
		return;
	if (r->routes_count > CONF_ROUTES_MAX)
		fail(l, "more than %d routes", CONF_ROUTES_MAX);
	for (unsigned i = 0; i < r->routes_count && !l->failed; i++) {
		const struct raw_route *from = &r->routes[i];
		struct route_row *to = &l->c->route[l->c->route_count++];
		l->what = from->scheme;
		if (!span_to_cstr(span_str(from->scheme), to->scheme, sizeof to->scheme))
			fail(l, "scheme: too long");
		to->mode = word(l, "mode", from->mode, modes) == 0 ? 'C' : 'M';
		to->from = peer_number(l, "from", from->from);
		to->to = peer_number(l, "to", from->to);
		to->priority = (int16_t)number(
			l, "priority", from->priority, 0, INT16_MIN, INT16_MAX);
		to->off = yes(l, "off", from->off);
		to->ccy = currency(l, "currency", from->currency);
		if ((from->minimum || from->maximum) && !from->currency)
			fail(l, "bounds need a currency");
		to->min = from->minimum ? money_minor(amount(l, "minimum", from->minimum, to->ccy))
					: 0;
		to->max = from->maximum ? money_minor(amount(l, "maximum", from->maximum, to->ccy))
					: 0;
	}
	l->what = NULL;
	free_file(&routes_value, r);
}

/* "11.4520" as mantissa and scale. */
static void price(struct loader *l, const char *text, struct rate *ret)
{
	struct span s = span_str(text);
	size_t dot = span_find(s, '.');
	char digits[24];
	struct buf b = buf_init(digits, sizeof digits);

	buf_add(&b, span_sub(s, 0, dot));
	buf_add(&b, span_sub(s, dot + 1, s.n));
	ret->scale = (uint8_t)(dot < s.n ? s.n - dot - 1 : 0);
	while (b.n > 1 && b.p[0] == '0') { /* 0.0870 */
		b.p++;
		b.n--;
	}
	if (!buf_ok(&b) || ret->scale > 12 || span_to_i64(buf_span(&b), &ret->mantissa) != RC_OK ||
		ret->mantissa == 0)
		fail(l, "price: \"%s\" is no price", text);
}

static void load_rates(struct loader *l, const char *file)
{
	struct raw_rates *r = load_file(l, file, &rates_value);

	if (!r)
		return;
	if (r->rates_count > CONF_RATES_MAX)
		fail(l, "more than %d rates", CONF_RATES_MAX);
	for (unsigned i = 0; i < r->rates_count && !l->failed; i++) {
		const struct raw_rate *from = &r->rates[i];
		struct rate *to = &l->c->rate[l->c->rate_count++];
		to->from = currency(l, "from", from->from);
		to->to = currency(l, "to", from->to);
		price(l, from->price, to);
		if (wall_parse(span_str(from->at), &to->at) != RC_OK ||
			wall_parse(span_str(from->until), &to->until) != RC_OK)
			fail(l, "%s to %s: at and until are RFC 3339 times", from->from, from->to);
	}
	free_file(&rates_value, r);
}

static void put_switch(struct loader *l, const struct raw_switch *r)
{
	static const char *const environments[] = { "production", "sandbox", NULL };
	struct conf *c = l->c;

	c->name = r->name;
	c->origin = r->origin;
	c->sandbox = word(l, "environment", r->environment, environments) == 1;
	listener(l, "partners", r->partners, &c->partners);
	listener(l, "operators", r->operators, &c->operators);
	for (unsigned i = 0; i < r->hosts_count && i < 8; i++)
		c->hosts[c->host_count++] = r->hosts[i];
	c->tls_cert_file = path(l, r->tls_certificate);
	c->tls_key_file = path(l, r->tls_key);
	c->client_ca_file = path(l, r->client_ca);
	if (!c->tls_cert_file && !c->sandbox)
		fail(l, "tls_certificate: plain HTTP is for a sandbox only");
	if (!c->tls_cert_file && strncmp(r->partners, "127.", 4) != 0)
		fail(l, "partners: plain HTTP is for loopback only");
	c->postgres = r->postgres;
	c->redis = r->redis;
	c->secret_file = path(l, r->secret);
	c->workers = (uint32_t)number(l, "workers", r->workers, 2, 1, 16);
	c->payments_max = (uint32_t)number(l, "payments_max", r->payments_max, 4096, 64, 65536);
	c->calls_max = (uint32_t)number(l, "calls_max", r->calls_max, 512, 16, 8192);
	c->requests_max = (uint32_t)number(l, "requests_max", r->requests_max, 512, 16, 8192);
	c->shard = (unsigned)number(l, "shard", r->shard, 0, 0, 4095);
	c->snapshot.markup_bp = (int32_t)number(l, "markup_bp", r->markup_bp, 0, 0, 5000);
	c->snapshot.quote_life_s = (uint32_t)number(
		l, "quote_life_s", r->quote_life_s, 600, 10, 86400);
}

struct conf *conf_load(const char *file, const char **ret_error)
{
	struct loader l = { .c = calloc(1, sizeof *l.c), .file = file };
	const char *slash = strrchr(file, '/');

	*ret_error = error_text;
	if (!l.c) {
		snprintf(error_text, sizeof error_text, "out of memory");
		return NULL;
	}
	l.dir = slash ? strndup(file, (size_t)(slash - file)) : ".";
	l.c->file = strdup(file);
	l.raw = load_file(&l, file, &switch_value);
	if (l.raw)
		put_switch(&l, l.raw);
	if (!l.failed)
		load_peers(&l, path(&l, l.raw->participants));
	if (!l.failed)
		load_routes(&l, path(&l, l.raw->routes));
	if (!l.failed && l.raw->rates)
		load_rates(&l, path(&l, l.raw->rates));
	if (l.failed) {
		conf_free(l.c);
		return NULL;
	}
	l.c->snapshot.peer = l.c->peer;
	l.c->snapshot.peer_count = l.c->peer_count;
	l.c->snapshot.route = l.c->route;
	l.c->snapshot.route_count = l.c->route_count;
	l.c->snapshot.fee = l.c->fee;
	l.c->snapshot.fee_count = l.c->fee_count;
	l.c->snapshot.rate = l.c->rate;
	l.c->snapshot.rate_count = l.c->rate_count;
	return l.c;
}

/* The texts stay: a configuration is loaded a few times in a process's life, and roles that were
 * forked from it point into them. */
struct conf *conf_free(struct conf *c)
{
	free(c);
	return NULL;
}
