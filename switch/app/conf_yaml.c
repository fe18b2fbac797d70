/*
 * conf_yaml.c: YAML files -> texts, over libcyaml; the only file that includes it.
 *
 * libcyaml reads the shape (mappings, sequences, unknown keys refused) and every scalar as text;
 * conf_text.c converts the text, since libcyaml takes 80x for 80. Must never give a part of a file.
 */
#include "check.h"
#include "conf_parts.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES (4 << 20)

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
	OPTIONAL(raw_key, state), TEXT(raw_key, file), OPTIONAL(raw_key, digest), CYAML_FIELD_END };
static const cyaml_schema_value_t key_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_key, key_fields) };

static const cyaml_schema_field_t fee_fields[] = { TEXT(raw_fee, name), OPTIONAL(raw_fee, from),
	OPTIONAL(raw_fee, to), OPTIONAL(raw_fee, base), OPTIONAL(raw_fee, basis_points),
	OPTIONAL(raw_fee, fixed), OPTIONAL(raw_fee, minimum), OPTIONAL(raw_fee, maximum),
	OPTIONAL(raw_fee, rounding), OPTIONAL(raw_fee, on_refund), CYAML_FIELD_END };
static const cyaml_schema_value_t fee_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_fee, fee_fields) };

static const cyaml_schema_field_t timing_fields[] = { TEXT(raw_timing, op),
	OPTIONAL(raw_timing, allowed_ms), OPTIONAL(raw_timing, not_found_s),
	OPTIONAL(raw_timing, ladder), CYAML_FIELD_END };
static const cyaml_schema_value_t timing_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_timing, timing_fields) };

static const cyaml_schema_field_t bank_fields[] = { TEXT(raw_bank, name), TEXT(raw_bank, iban),
	TEXT(raw_bank, bic), CYAML_FIELD_END };
#define BANK(type)                                                                                 \
	CYAML_FIELD_MAPPING_PTR(                                                                   \
		"bank", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type, bank, bank_fields)

static const cyaml_schema_field_t peer_fields[] = { TEXT(raw_peer, name), TEXT(raw_peer, number),
	TEXT(raw_peer, adapter), TEXT(raw_peer, currency), OPTIONAL(raw_peer, agreement),
	OPTIONAL(raw_peer, scheme), OPTIONAL(raw_peer, debit_via), OPTIONAL(raw_peer, identity),
	OPTIONAL(raw_peer, url), OPTIONAL(raw_peer, ca), OPTIONAL(raw_peer, client_certificate),
	OPTIONAL(raw_peer, client_key), OPTIONAL(raw_peer, connections),
	OPTIONAL(raw_peer, questions_per_s), OPTIONAL(raw_peer, cap),
	OPTIONAL(raw_peer, amount_max), OPTIONAL(raw_peer, day_max), OPTIONAL(raw_peer, owed_max),
	OPTIONAL(raw_peer, markup_bp), OPTIONAL(raw_peer, hold_ms), OPTIONAL(raw_peer, expire_s),
	OPTIONAL(raw_peer, refund_days), OPTIONAL(raw_peer, zone), OPTIONAL(raw_peer, cancel_until),
	OPTIONAL(raw_peer, notify), OPTIONAL(raw_peer, off), OPTIONAL(raw_peer, assigned_id),
	OPTIONAL(raw_peer, code_head), OPTIONAL(raw_peer, code_digits),
	OPTIONAL(raw_peer, code_life_s), OPTIONAL(raw_peer, order_url), OPTIONAL(raw_peer, settles),
	BANK(raw_peer), OPTIONAL(raw_peer, code_rules), OPTIONAL(raw_peer, registration),
	MANY(raw_peer, roles, &text_value), MANY(raw_peer, keys, &key_value),
	MANY(raw_peer, settings, &pair_value), MANY(raw_peer, fees, &fee_value),
	MANY(raw_peer, timings, &timing_value), CYAML_FIELD_END };
static const cyaml_schema_value_t peer_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_peer, peer_fields) };

static const cyaml_schema_field_t route_fields[] = { TEXT(raw_route, scheme), TEXT(raw_route, mode),
	OPTIONAL(raw_route, from), TEXT(raw_route, to), OPTIONAL(raw_route, priority),
	OPTIONAL(raw_route, currency), OPTIONAL(raw_route, minimum), OPTIONAL(raw_route, maximum),
	OPTIONAL(raw_route, off), OPTIONAL(raw_route, days), OPTIONAL(raw_route, hours),
	OPTIONAL(raw_route, zone), CYAML_FIELD_END };
static const cyaml_schema_value_t route_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_route, route_fields) };
static const cyaml_schema_field_t corridor_fields[] = { OPTIONAL(raw_corridor, acquirer),
	OPTIONAL(raw_corridor, issuer), OPTIONAL(raw_corridor, mode), TEXT(raw_corridor, on),
	CYAML_FIELD_END };
static const cyaml_schema_value_t corridor_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_corridor, corridor_fields) };
static const cyaml_schema_field_t routes_fields[] = { MANY(raw_routes, routes, &route_value),
	MANY(raw_routes, corridors, &corridor_value), CYAML_FIELD_END };
static const cyaml_schema_value_t routes_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_routes, routes_fields) };

static const cyaml_schema_field_t rate_fields[] = { TEXT(raw_rate, from), TEXT(raw_rate, to),
	TEXT(raw_rate, price), TEXT(raw_rate, at), TEXT(raw_rate, until),
	OPTIONAL(raw_rate, source), CYAML_FIELD_END };
static const cyaml_schema_value_t rate_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_rate, rate_fields) };
static const cyaml_schema_field_t rates_fields[] = { MANY(raw_rates, rates, &rate_value),
	CYAML_FIELD_END };
static const cyaml_schema_value_t rates_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_rates, rates_fields) };

static const cyaml_schema_field_t limit_fields[] = { TEXT(raw_limit, currency),
	TEXT(raw_limit, limit), CYAML_FIELD_END };
static const cyaml_schema_value_t limit_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_DEFAULT, struct raw_limit, limit_fields) };

static const cyaml_schema_field_t switch_fields[] = { TEXT(raw_switch, name),
	TEXT(raw_switch, origin), TEXT(raw_switch, code_guid), TEXT(raw_switch, environment),
	TEXT(raw_switch, partners), TEXT(raw_switch, operators), TEXT(raw_switch, postgres),
	OPTIONAL(raw_switch, payers), OPTIONAL(raw_switch, payer_origin),
	OPTIONAL(raw_switch, payer_certificate), OPTIONAL(raw_switch, payer_key),
	OPTIONAL(raw_switch, redis), TEXT(raw_switch, secret), TEXT(raw_switch, vault),
	OPTIONAL(raw_switch, workers), OPTIONAL(raw_switch, payments_max),
	OPTIONAL(raw_switch, calls_max), OPTIONAL(raw_switch, requests_max),
	OPTIONAL(raw_switch, idle_s), OPTIONAL(raw_switch, shard), TEXT(raw_switch, participants),
	TEXT(raw_switch, routes), OPTIONAL(raw_switch, rates), BANK(raw_switch),
	MANY(raw_switch, exchange_limits, &limit_value), OPTIONAL(raw_switch, markup_bp),
	OPTIONAL(raw_switch, quote_life_s), OPTIONAL(raw_switch, tls_certificate),
	OPTIONAL(raw_switch, tls_key), OPTIONAL(raw_switch, client_ca),
	MANY(raw_switch, hosts, &text_value), MANY(raw_switch, operators_hosts, &text_value),
	CYAML_FIELD_END };
static const cyaml_schema_value_t switch_value = { CYAML_VALUE_MAPPING(
	CYAML_FLAG_POINTER, struct raw_switch, switch_fields) };

/* The library's first word about a file is its most exact one; on what line, it says later. */
struct said {
	char text[256];
	unsigned line;
};

__attribute__((format(printf, 3, 0))) static void on_log(
	cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct said *s = ctx;
	char text[256];
	const char *line;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof text, format, args);
	line = strstr(text, "(line: ");
	if (line && !s->line)
		s->line = (unsigned)strtoul(line + 7, NULL, 10);
	if (!*s->text)
		memcpy(s->text, text, sizeof s->text);
}

/* The bytes are read once: what they mean and the version that is told of them must not part. */
static char *read_whole(const char *file, size_t *ret_n)
{
	FILE *f = fopen(file, "rb");
	char *p = f ? malloc(FILE_BYTES) : NULL;
	size_t n = p ? fread(p, 1, FILE_BYTES, f) : 0;
	bool good = p && !ferror(f) && n < FILE_BYTES;

	if (f)
		fclose(f);
	if (good) {
		*ret_n = n;
		return p;
	}
	free(p);
	return NULL;
}

/* Its digest is kept, and a part of it goes into the version of all. */
static void note_read(struct loader *l, const char *file, const char *p, size_t n)
{
	struct digest d = digest_sha256(span_of(p, n));

	l->version ^= (uint32_t)(d.b[0] & 0x7f) << 24 | (uint32_t)d.b[1] << 16 |
		      (uint32_t)d.b[2] << 8 | d.b[3];
	CHECK(l->c->read_count < CONF_FILES);
	l->c->read[l->c->read_count++] = (struct conf_file){ conf_copy(l, file, strlen(file)), d };
}

static void *load_file(struct loader *l, const char *file, const cyaml_schema_value_t *schema)
{
	struct said said = { .line = 0 };
	char at[32] = "";
	cyaml_config_t config = { .log_fn = on_log,
		.log_ctx = &said,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS };
	void *data = NULL;
	size_t n = 0;
	char *text = read_whole(file, &n);
	cyaml_err_t err = CYAML_ERR_FILE_OPEN;

	l->file = file;
	if (text) {
		note_read(l, file, text, n);
		err = cyaml_load_data(
			(const uint8_t *)text, n, &config, schema, (cyaml_data_t **)&data, NULL);
	}
	free(text);
	if (err == CYAML_OK)
		return conf_own(l, data, schema) ? data : NULL;
	said.text[strcspn(said.text, "\n")] = '\0';
	if (said.line)
		snprintf(at, sizeof at, "line %u: ", said.line);
	conf_fail(l, "%s%s%s%s", at, cyaml_strerror(err), *said.text ? ": " : "", said.text);
	return NULL;
}

void conf_yaml_free(void *data, const void *schema)
{
	cyaml_config_t config = { .mem_fn = cyaml_mem };

	cyaml_free(&config, schema, data, 0);
}

struct raw_switch *conf_yaml_switch(struct loader *l, const char *file)
{
	return load_file(l, file, &switch_value);
}

struct raw_peer *conf_yaml_peer(struct loader *l, const char *file)
{
	return load_file(l, file, &peer_value);
}

struct raw_routes *conf_yaml_routes(struct loader *l, const char *file)
{
	return load_file(l, file, &routes_value);
}

struct raw_rates *conf_yaml_rates(struct loader *l, const char *file)
{
	return load_file(l, file, &rates_value);
}
