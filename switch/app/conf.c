/*
 * conf.c: the files of a configuration -> struct conf: the switch itself, routes and rates.
 *
 * conf_yaml.c reads texts, conf_text.c says what they mean, conf_peer.c makes participants of them.
 * Must never return half a configuration.
 */
#include "conf_parts.h"

#include <stdio.h>
#include <stdlib.h>

static void listener(
	struct loader *l, const char *name, const char *text, struct conf_listener *ret)
{
	const char *colon = strrchr(text, ':');

	if (!colon) {
		conf_fail(l, "%s: \"%s\" is not address:port", name, text);
		return;
	}
	ret->address = conf_copy(l, text, (size_t)(colon - text));
	ret->port = (uint16_t)conf_number(l, name, colon + 1, 0, 1, 65535);
}

static void load_rates(struct loader *l, const char *file)
{
	struct raw_rates *r = conf_yaml_rates(l, file);

	if (!r)
		return;
	if (r->rates_count > CONF_RATES_MAX)
		conf_fail(l, "more than %d rates", CONF_RATES_MAX);
	for (unsigned i = 0; i < r->rates_count && !l->failed; i++) {
		const struct raw_rate *from = &r->rates[i];
		struct rate *to = &l->c->rate[l->c->rate_count++];
		l->list = "rates";
		l->entry = i;
		to->from = conf_currency(l, "from", from->from);
		to->to = conf_currency(l, "to", from->to);
		if (ratio_parse(span_str(from->price), &to->price) != RC_OK)
			conf_fail(l, "price: \"%s\" is no price", from->price);
		if (from->source &&
			!span_to_cstr(span_str(from->source), to->source, sizeof to->source))
			conf_fail(l, "source: longer than %zu", sizeof to->source - 1);
		if (wall_parse(span_str(from->at), &to->at) != RC_OK ||
			wall_parse(span_str(from->until), &to->until) != RC_OK)
			conf_fail(l, "%s to %s: at and until are RFC 3339 times", from->from,
				from->to);
	}
	l->list = NULL;
}

/* The pages' listener and what browsers call it: both or none. */
static void put_payers(struct loader *l, const struct raw_switch *r)
{
	struct span origin = span_str(r->payer_origin);

	if (!r->payers != !r->payer_origin) {
		conf_fail(l, "payers, payer_origin: the one needs the other");
		return;
	}
	if (!r->payers)
		return;
	listener(l, "payers", r->payers, &l->c->payers);
	l->c->payer_origin = r->payer_origin;
	l->c->payer_cert_file = conf_path(
		l, r->payer_certificate ? r->payer_certificate : r->tls_certificate);
	l->c->payer_key_file = conf_path(l, r->payer_certificate ? r->payer_key : r->tls_key);
	if (!l->c->payer_cert_file && strncmp(r->payers, "127.", 4) != 0)
		conf_fail(l, "payers: plain HTTP is for loopback only");
	/* "<origin>/<token>" must fit into one element of a merchant code. */
	if (origin.n > 99 - 1 - 40 || span_ends(origin, SPAN("/")) ||
		!span_starts(origin, SPAN("http")))
		conf_fail(l,
			"payer_origin: \"https://host\" without a final slash, of 58 characters at most");
}

static void put_exchange_limits(struct loader *l, const struct raw_switch *r)
{
	struct conf *c = l->c;

	if (r->exchange_limits_count > CONF_LIMITS_MAX) {
		conf_fail(l, "exchange_limits: more than %d", CONF_LIMITS_MAX);
		return;
	}
	l->list = "exchange_limits";
	for (l->entry = 0; l->entry < r->exchange_limits_count && !l->failed; l->entry++) {
		const struct raw_limit *from = &r->exchange_limits[l->entry];
		struct ccy ccy = conf_currency(l, "currency", from->currency);
		if (!l->failed)
			c->exchange_limit[c->exchange_limit_count++] = conf_amount(
				l, "limit", from->limit, ccy);
	}
	l->list = NULL;
}

static size_t put_hosts(
	struct loader *l, const char *name, char **from, unsigned count, const char **ret)
{
	size_t n = 0;

	if (count > CONF_HOSTS)
		conf_fail(l, "%s: more than %d", name, CONF_HOSTS);
	for (unsigned i = 0; i < count && n < CONF_HOSTS; i++)
		ret[n++] = from[i];
	return n;
}

static void put_switch(struct loader *l, const struct raw_switch *r)
{
	static const char *const environments[] = { "production", "sandbox", NULL };
	struct conf *c = l->c;

	c->name = r->name;
	c->origin = r->origin;
	c->bank = conf_bank(l, r->bank);
	c->code_guid = r->code_guid;
	if (strlen(r->code_guid) > 32 || !strchr(r->code_guid, '.'))
		conf_fail(l, "code_guid: a reverse domain of yours, of 32 characters at most");
	c->sandbox = conf_word(l, "environment", r->environment, environments) == 1;
	listener(l, "partners", r->partners, &c->partners);
	listener(l, "operators", r->operators, &c->operators);
	put_payers(l, r);
	c->host_count = put_hosts(l, "hosts", r->hosts, r->hosts_count, c->hosts);
	c->operators_host_count = put_hosts(l, "operators_hosts", r->operators_hosts,
		r->operators_hosts_count, c->operators_hosts);
	c->tls_cert_file = conf_path(l, r->tls_certificate);
	c->tls_key_file = conf_path(l, r->tls_key);
	c->client_ca_file = conf_path(l, r->client_ca);
	if (!c->tls_cert_file && !c->sandbox)
		conf_fail(l, "tls_certificate: plain HTTP is for a sandbox only");
	if (!c->tls_cert_file && strncmp(r->partners, "127.", 4) != 0)
		conf_fail(l, "partners: plain HTTP is for loopback only");
	c->postgres = r->postgres;
	c->redis = r->redis;
	c->secret_file = conf_path(l, r->secret);
	c->vault_file = conf_path(l, r->vault);
	c->workers = (uint32_t)conf_number(l, "workers", r->workers, 2, 1, 16);
	c->payments_max = (uint32_t)conf_number(
		l, "payments_max", r->payments_max, 4096, 64, 65536);
	c->calls_max = (uint32_t)conf_number(l, "calls_max", r->calls_max, 512, 16, 8192);
	c->requests_max = (uint32_t)conf_number(l, "requests_max", r->requests_max, 512, 16, 8192);
	c->idle_s = (uint32_t)conf_number(l, "idle_s", r->idle_s, 30, 5, 3600);
	c->shard = (unsigned)conf_number(l, "shard", r->shard, 0, 0, 4095);
	c->snapshot.markup_bp = (int32_t)conf_number(l, "markup_bp", r->markup_bp, 0, 0, 5000);
	put_exchange_limits(l, r);
	c->snapshot.quote_life_s = (uint32_t)conf_number(
		l, "quote_life_s", r->quote_life_s, 600, 10, 86400);
}

/* The core's view of what is loaded. */
static void show_core(struct conf *c, uint32_t version)
{
	c->snapshot.peer = c->peer;
	c->snapshot.peer_count = c->peer_count;
	c->snapshot.route = c->route;
	c->snapshot.route_count = c->route_count;
	c->snapshot.corridor = c->corridor;
	c->snapshot.corridor_count = c->corridor_count;
	c->snapshot.fee = c->fee;
	c->snapshot.fee_count = c->fee_count;
	c->snapshot.rate = c->rate;
	c->snapshot.rate_count = c->rate_count;
	c->snapshot.version = version;
}

struct conf *conf_load(const char *file, const struct conf_instead *instead, const char **ret_error)
{
	const char *routes = instead ? instead->routes : NULL;
	struct loader l = { .c = calloc(1, sizeof *l.c), .file = file };
	const char *slash = strrchr(file, '/');
	struct raw_switch *raw;

	*ret_error = "out of memory";
	if (!l.c)
		return NULL;
	*ret_error = conf_failure();
	l.dir = slash ? conf_copy(&l, file, (size_t)(slash - file)) : ".";
	l.c->file = conf_copy(&l, file, strlen(file));
	raw = conf_yaml_switch(&l, file);
	if (raw)
		put_switch(&l, raw);
	if (!l.failed)
		conf_load_peers(&l, conf_path(&l, raw->participants));
	if (!l.failed && !routes)
		routes = conf_path(&l, raw->routes);
	if (!l.failed)
		conf_load_routes(&l, routes);
	if (!l.failed)
		l.c->rates_file = conf_path(&l, raw->rates);
	if (!l.failed && l.c->rates_file)
		load_rates(&l, instead && instead->rates ? instead->rates : l.c->rates_file);
	if (!l.failed) {
		show_core(l.c, l.version);
		conf_check(&l, routes);
	}
	if (l.failed) {
		conf_free(l.c);
		return NULL;
	}
	return l.c;
}

struct conf *conf_free(struct conf *c)
{
	struct conf_owned *o, *next;

	for (o = c ? c->owned : NULL; o; o = next) {
		next = o->next;
		if (o->schema)
			conf_yaml_free(o->p, o->schema);
		else
			free(o->p);
		free(o);
	}
	free(c);
	return NULL;
}
