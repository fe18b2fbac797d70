/*
 * conf_peer.c: the participants: one file each, and what the adapter it names can do.
 *
 * The hard thing is who may say what: times are the operator's to set, abilities the adapter's to
 * know. Must never let two participants have one number: it stands in the books for ever.
 */
#include "conf_parts.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* scheme://host:port/path into its parts. */
static void url(struct loader *l, const char *text, struct conf_peer *e, struct link *k)
{
	struct span s = span_str(text), authority, host;
	size_t slash;

	e->url = text;
	e->tls = span_starts(s, SPAN("https://"));
	if (!e->tls && !span_starts(s, SPAN("http://"))) {
		conf_fail(l, "url: \"%s\" is neither https nor http", text);
		return;
	}
	if (!e->tls && !l->c->sandbox)
		conf_fail(l, "url: plain http is for a sandbox only");
	s = span_sub(s, e->tls ? 8 : 7, s.n);
	slash = span_find(s, '/');
	authority = span_sub(s, 0, slash);
	k->authority = authority;
	k->base_path = span_sub(s, slash, s.n);
	if (span_ends(k->base_path, SPAN("/")))
		k->base_path.n--;
	host = span_sub(authority, 0, span_find(authority, ':'));
	e->address = conf_copy(l, host.p, host.n);
	e->port = e->tls ? 443 : 80;
	if (host.n < authority.n)
		e->port = (uint16_t)conf_number(l, "url",
			conf_copy(l, host.p + host.n + 1, authority.n - host.n - 1), 0, 1, 65535);
}

static void put_keys(struct loader *l, const struct raw_peer *r, struct conf_peer *e)
{
	static const char *const digests[] = { "sha256", "sha512", NULL };

	if (r->keys_count > CONF_KEYS) {
		conf_fail(l, "keys: more than %d", CONF_KEYS);
		return;
	}
	for (unsigned i = 0; i < r->keys_count; i++) {
		const struct raw_key *k = &r->keys[i];
		e->key[i] = (struct conf_key){ .id = k->id, .file = conf_path(l, k->file) };
		e->key[i].use = (enum key_kind)conf_word(l, "use", k->use, keys_kinds);
		e->key[i].state = (enum key_state)conf_word(
			l, "state", k->state ? k->state : "active", keys_states);
		e->key[i].sha512 = k->digest && conf_word(l, "digest", k->digest, digests) == 1;
	}
	e->key_count = r->keys_count;
}

static void put_settings(struct loader *l, const struct raw_peer *r, struct conf_peer *e)
{
	if (r->settings_count > CONF_SETTINGS) {
		conf_fail(l, "settings: more than %d", CONF_SETTINGS);
		return;
	}
	for (unsigned i = 0; i < r->settings_count; i++)
		e->setting[i] = (struct conf_setting){ r->settings[i].name, r->settings[i].value };
	e->setting_count = r->settings_count;
}

/* Minor units; none is 0. A fee is reckoned in another currency by the payment's own rate, and has
 * to be countable there. */
static int64_t fee_bound(struct loader *l, const char *name, const char *text, struct ccy c)
{
	int64_t minor = money_minor(conf_amount(l, name, text, c));

	if (minor > 1000000000)
		conf_fail(l, "fees: %s: %s is more than any fee", name, text);
	return minor;
}

static void put_fees(struct loader *l, const struct raw_peer *r, const struct peer *p)
{
	static const char *const roundings[] = { "half-even", "half-up", "down", "up", NULL };
	static const char *const refunds[] = { "keep", "prorate", "full", NULL };
	static const char *const sides[] = { "acquirer", "issuer", "us", NULL };
	/* What is not said is what the participant is: it pays us, on its own amount. */
	int own = p->roles & PEER_ACQUIRER ? FEE_ACQUIRER : FEE_ISSUER;

	if (r->fees_count > FEES_MAX / 2)
		conf_fail(l, "fees: more than %d", FEES_MAX / 2);
	for (unsigned i = 0; i < r->fees_count; i++) {
		const struct raw_fee *f = &r->fees[i];
		struct fee_row *row = &l->c->fee[l->c->fee_count];
		if (l->c->fee_count == CONF_FEES_MAX) {
			conf_fail(l, "fees: more than %d in all", CONF_FEES_MAX);
			return;
		}
		l->c->fee_count++;
		if (!span_to_cstr(span_str(f->name), row->name, sizeof row->name))
			conf_fail(l, "fees: the name is too long");
		row->agreement = p->agreement;
		row->from = (enum fee_side)(f->from ? conf_word(l, "from", f->from, sides) : own);
		row->to = (enum fee_side)(f->to ? conf_word(l, "to", f->to, sides) : FEE_US);
		row->base = (enum fee_side)(f->base ? conf_word(l, "base", f->base, sides) : own);
		if (row->from == row->to || row->base == FEE_US)
			conf_fail(l, "fees: %s: from one to another, on the amount of a side",
				f->name);
		row->basis_points = (int32_t)conf_number(
			l, "basis_points", f->basis_points, 0, 0, 10000);
		row->fixed = fee_bound(l, "fixed", f->fixed, p->settle);
		row->min = fee_bound(l, "minimum", f->minimum, p->settle);
		row->max = fee_bound(l, "maximum", f->maximum, p->settle);
		if ((int)row->base != own && (row->fixed || row->min || row->max))
			conf_fail(
				l, "fees: %s: amounts are of the participant's own side", f->name);
		row->rounding = (enum rounding)conf_word(l, "rounding", f->rounding, roundings);
		row->on_refund = (enum fee_refund)conf_word(l, "on_refund", f->on_refund, refunds);
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
			conf_fail(l, "ladder: \"%s\" is not up to %d numbers of seconds", text,
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
			conf_fail(l, "timings: the adapter has no \"%s\", or there are too many",
				from->op);
			return;
		}
		e->timing_count++;
		*to = *p->caps[op];
		to->allowed_ms = (uint16_t)conf_number(
			l, "allowed_ms", from->allowed_ms, to->allowed_ms, 50, 30000);
		to->not_found_s = (uint16_t)conf_number(
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
			conf_fail(l, "roles: \"%s\" is neither issuer nor acquirer", r->roles[i]);
	}
}

/* With its host whole: "https://pay.a.example" would be another's "https://pay.a.example.org" too.
 */
static void put_order_url(struct loader *l, const struct raw_peer *r, struct peer *p)
{
	struct span url = span_str(r->order_url ? r->order_url : ""), rest;

	if (!span_to_cstr(url, p->order_url, sizeof p->order_url))
		conf_fail(l, "order_url: longer than %zu", sizeof p->order_url - 1);
	rest = span_sub(url, sizeof "https://" - 1, url.n);
	if (url.n && (!span_starts(url, SPAN("https://")) || span_find(rest, '/') == 0 ||
			     span_find(rest, '/') == rest.n))
		conf_fail(l, "order_url: https://, a host, and at least one /");
}

/* What we give out as somebody's scheme: ids, and payer codes. */
static void put_codes(struct loader *l, const struct raw_peer *r, struct peer *p)
{
	struct span head = span_str(r->code_head ? r->code_head : "");

	if (!span_to_cstr(span_str(r->assigned_id ? r->assigned_id : r->name), p->assigned_id,
		    sizeof p->assigned_id))
		conf_fail(l, "assigned_id: longer than %zu", sizeof p->assigned_id - 1);
	if (!span_to_cstr(head, p->code_head, sizeof p->code_head) ||
		(head.n && !span_is_digits(head)))
		conf_fail(l, "code_head: not up to %zu digits", sizeof p->code_head - 1);
	p->code_digits = (uint32_t)conf_number(l, "code_digits", r->code_digits, 24, 16, 32);
	p->code_life_s = (uint32_t)conf_number(l, "code_life_s", r->code_life_s, 60, 5, 3600);
	if (head.n && head.n + 12 > p->code_digits)
		conf_fail(l, "code_head: leaves less than twelve digits that nobody can guess");
	put_order_url(l, r, p);
}

/* Who acquires is paid by us, and who issues pays us, unless said otherwise. With cap 0 it has paid
 * before. */
static void put_settling(
	struct loader *l, const struct raw_peer *r, const struct peer *p, struct conf_peer *e)
{
	static const char *const words[] = { "by_us", "by_peer", "prefunded", NULL };
	bool is_empty = !money_is_none(e->cap) && money_sign(e->cap) == 0;

	e->bank = conf_bank(l, r->bank);
	if (r->settles)
		e->settles = (enum conf_settles)conf_word(l, "settles", r->settles, words);
	else if (is_empty)
		e->settles = CONF_PREFUNDED;
	else
		e->settles = p->roles & PEER_ACQUIRER ? CONF_BY_US : CONF_BY_PEER;
	if (e->settles == CONF_PREFUNDED && !is_empty)
		conf_fail(l, "settles: prefunded means cap: \"0\"");
}

/* SPEC alipayplus 4.14, 4.17: under which scheme its codes are routed; whether it wants merchants
 * registered. PRE: the adapter's rows are there.
 */
static void put_scheme(struct loader *l, const struct raw_peer *r, struct peer *p)
{
	struct span scheme = span_str(r->code_rules ? r->code_rules : "");

	if (!span_to_cstr(scheme, p->code_rules, sizeof p->code_rules))
		conf_fail(l, "code_rules: longer than %zu", sizeof p->code_rules - 1);
	if (scheme.n && !peer_caps(p, OP_RULES))
		conf_fail(l, "code_rules: its adapter has none to ask for");
	p->registration = conf_yes(l, "registration", r->registration);
	if (p->registration && !peer_caps(p, OP_REGISTER))
		conf_fail(l, "registration: its adapter has none to ask for");
}

static void put_peer(struct loader *l, const struct raw_peer *r, size_t i)
{
	static const char *const notifies[] = { "never", "late", "always", NULL };
	struct peer *p = &l->c->peer[i];
	struct link *k = &l->c->link[i];
	struct conf_peer *e = &l->c->extra[i];

	l->what = r->name;
	if (!span_to_cstr(span_str(r->name), p->name, sizeof p->name))
		conf_fail(l, "name: longer than %zu", sizeof p->name - 1);
	p->number = (uint16_t)conf_number(l, "number", r->number, 0, 1, INT16_MAX);
	p->agreement = (uint16_t)conf_number(
		l, "agreement", r->agreement, p->number, 1, UINT16_MAX);
	p->settle = conf_currency(l, "currency", r->currency);
	p->scheme = conf_yes(l, "scheme", r->scheme);
	p->zone = conf_zone(l, r->zone);
	p->cancel_until_min = (int16_t)conf_time_of_day(l, r->cancel_until);
	p->refund_days = (uint32_t)conf_number(l, "refund_days", r->refund_days, 366, 1, 3660);
	p->expire_s = (uint32_t)conf_number(l, "expire_s", r->expire_s, 120, 5, 86400);
	p->hold_ms = (uint32_t)conf_number(l, "hold_ms", r->hold_ms, 6000, 100, 30000);
	p->notify = r->notify ? (enum notify_when)conf_word(l, "notify", r->notify, notifies)
			      : NOTIFY_LATE;
	p->amount_max = conf_amount(l, "amount_max", r->amount_max, p->settle);
	put_codes(l, r, p);
	p->day_max = conf_amount(l, "day_max", r->day_max, p->settle);
	p->owed_max = conf_amount(l, "owed_max", r->owed_max, p->settle);
	p->markup_bp = (int32_t)conf_number(l, "markup_bp", r->markup_bp, MARKUP_COMMON, 0, 5000);
	put_roles(l, r, p);
	k->peer = p;
	k->off = conf_yes(l, "off", r->off);
	k->questions_per_s = (uint32_t)conf_number(
		l, "questions_per_s", r->questions_per_s, 50, 1, 10000);
	k->identity = span_str(r->identity ? r->identity : r->name);
	k->adapter = adapter_by_name(span_str(r->adapter));
	if (!k->adapter) {
		conf_fail(l, "adapter: there is none named \"%s\"", r->adapter);
		return;
	}
	for (const struct caps *c = k->adapter->caps; c->op != OP_NONE; c++)
		p->caps[c->op] = c;
	put_scheme(l, r, p);
	e->name = r->name;
	e->ca_file = conf_path(l, r->ca);
	e->client_cert_file = conf_path(l, r->client_certificate);
	e->client_key_file = conf_path(l, r->client_key);
	e->connections = (uint32_t)conf_number(l, "connections", r->connections, 32, 1, 1024);
	e->cap = conf_amount(l, "cap", r->cap, p->settle);
	put_settling(l, r, p, e);
	if (r->url)
		url(l, r->url, e, k);
	put_keys(l, r, e);
	put_settings(l, r, e);
	put_fees(l, r, p);
	put_timings(l, r, p, e);
}

uint16_t conf_peer_number(struct loader *l, const char *name, const char *text)
{
	for (size_t i = 0; text && i < l->c->peer_count; i++)
		if (strcmp(l->c->peer[i].name, text) == 0)
			return l->c->peer[i].number;
	if (text)
		conf_fail(l, "%s: there is no participant \"%s\"", name, text);
	return 0;
}

static int is_yaml(const struct dirent *e)
{
	return span_ends(span_str(e->d_name), SPAN(".yaml"));
}

static void load_peer(struct loader *l, const char *dir, const char *name)
{
	size_t at = l->c->peer_count;
	char file[PATH_MAX];

	snprintf(file, sizeof file, "%s/%s", dir, name);
	l->what = NULL;
	if (at == CONF_PEERS_MAX) {
		conf_fail(l, "more than %d participants", CONF_PEERS_MAX);
		return;
	}
	l->peer_file[at] = conf_copy(l, file, strlen(file));
	l->peer[at] = conf_yaml_peer(l, l->peer_file[at]);
	if (!l->peer[at])
		return;
	put_peer(l, l->peer[at], at);
	l->c->peer_count++;
}

void conf_load_peers(struct loader *l, const char *dir)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_yaml, alphasort);

	if (n < 0) {
		conf_fail(l, "participants: the folder %s cannot be read", dir);
		return;
	}
	for (int i = 0; i < n; i++) {
		if (!l->failed)
			load_peer(l, dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	for (size_t i = 0; i < l->c->peer_count; i++) {
		l->file = l->peer_file[i];
		l->what = l->peer[i]->name;
		l->c->peer[i].debit_via = conf_peer_number(l, "debit_via", l->peer[i]->debit_via);
	}
	l->what = NULL;
}
