/*
 * sandbox_conf.c reads the configuration of the sandbox. The hard thing is to be helpful to whoever
 * wrote the file: a member that nobody knows, a port out of range or a name given twice is refused
 * with its place, before anything is opened. Must never guess what was meant.
 */
#include "sandbox_conf.h"

#include "json.h"
#include "keyfile.h"
#include "keys.h"
#include "sandbox.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES                                                                                \
	(8u << 20) /* of strings and the parsed tree; the file is at most KEYFILE_MAX              \
		    */

struct loaded {
	struct sandbox_conf conf; /* first: what callers hold */
	char why[512];
	const char *at;     /* the participant being read, for complaints */
	struct span folder; /* of the file, with its last slash */
	struct arena arena;
	char text[KEYFILE_MAX];
	char storage[ARENA_BYTES];
};

/* Complaints outlive the configuration that could not be read. */
static char last_why[512];

static bool bad(struct loaded *l, const char *member, const char *what)
{
	const char *dot = *l->at && *member ? "." : "", *colon = *l->at || *member ? ": " : "";

	snprintf(l->why, sizeof l->why, "%s%s%s%s%s", l->at, dot, member, colon, what);
	return false;
}

/* A member that is text or absent. */
static bool read_text(
	struct loaded *l, const struct json *from, const char *member, const char **ret)
{
	struct span s;

	if (!json_get(from, member))
		return true;
	if (!json_str(from, member, &s) || span_empty(s) || memchr(s.p, 0, s.n))
		return bad(l, member, "must be text");
	*ret = arena_cstr(&l->arena, s);
	return *ret || bad(l, member, "out of room");
}

/* A file, named from the folder of this one. */
static bool read_path(
	struct loaded *l, const struct json *from, const char *member, const char **ret)
{
	const char *name = NULL;
	char path[PATH_MAX];
	struct buf b = buf_init(path, sizeof path);

	if (!read_text(l, from, member, &name) || !name)
		return !name && !json_get(from, member);
	if (*name != '/')
		buf_add(&b, l->folder);
	buf_str(&b, name);
	*ret = buf_ok(&b) ? arena_cstr(&l->arena, buf_span(&b)) : NULL;
	return *ret || bad(l, member, "out of room");
}

static bool read_port(struct loaded *l, const struct json *from, const char *member, uint16_t *ret)
{
	int64_t v;

	if (!json_int(from, member, &v) || v < 1 || v > 65535)
		return bad(l, member, "must be a port, 1 to 65535");
	*ret = (uint16_t)v;
	return true;
}

/* "https://host:port" into its parts. */
static bool read_switch_url(struct loaded *l, struct sandbox_participant *p)
{
	struct span rest = span_str(p->switch_url), host;
	int64_t port;

	if (!p->switch_url)
		return true;
	p->switch_tls = span_starts(rest, SPAN("https://"));
	if (!p->switch_tls && !span_starts(rest, SPAN("http://")))
		return bad(l, "switch_url", "must begin with http:// or https://");
	rest = span_sub(rest, p->switch_tls ? 8 : 7, rest.n);
	if (!span_split(&rest, ':', &host) || span_empty(host) ||
		span_to_i64(rest, &port) != RC_OK || port < 1 || port > 65535)
		return bad(l, "switch_url", "must be scheme://host:port and nothing more");
	p->switch_host = arena_cstr(&l->arena, host);
	p->switch_port = (uint16_t)port;
	if (p->switch_tls && !p->switch_ca)
		return bad(l, "switch_ca", "is missing: an https switch_url needs its authority");
	return p->switch_host || bad(l, "switch_url", "out of room");
}

/* The index of a word in a list that ends with NULL; -1: none of them. */
static int word_of(const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

/* As in the switch's own participant files: use, id, file, and a state where it is not active. */
static bool read_key(struct loaded *l, const struct json *v, struct keys *keys)
{
	static const char *const known[] = { "use", "id", "state", "file", "digest", NULL };
	const char *use = "", *id = "", *state = "active", *file = "", *digest = "sha256", *why;

	if (!json_is_object(v) || json_unknown(v, known))
		return bad(l, "keys", "must be objects of use, id, state, file and digest");
	if (!read_text(l, v, "use", &use) || !read_text(l, v, "id", &id) ||
		!read_text(l, v, "state", &state) || !read_text(l, v, "digest", &digest) ||
		!read_path(l, v, "file", &file))
		return false;
	if (word_of(use, keys_kinds) < 0)
		return bad(l, "use", "must be ours, theirs, shared or secret");
	if (word_of(state, keys_states) < 0)
		return bad(l, "state", "must be pending, active, retiring or revoked");
	if (keys_add_file(keys, (enum key_kind)word_of(use, keys_kinds), span_str(id),
		    (enum key_state)word_of(state, keys_states), file, &why) != RC_OK)
		return bad(l, *file ? file : "keys", why);
	if (strcmp(digest, "sha256") != 0 && strcmp(digest, "sha512") != 0)
		return bad(l, "digest", "must be sha256 or sha512");
	if (strcmp(digest, "sha512") == 0 && keys_use_sha512(keys, &why) != RC_OK)
		return bad(l, file, why);
	return true;
}

static bool read_keys(struct loaded *l, const struct json *list, struct sandbox_participant *p)
{
	p->keys = keys_new();
	if (!p->keys)
		return bad(l, "keys", "out of memory");
	if (list && !json_is_array(list))
		return bad(l, "keys", "must be an array");
	for (size_t i = 0; list && i < json_count(list); i++)
		if (!read_key(l, json_at(list, i), p->keys))
			return false;
	return true;
}

static bool read_settings(
	struct loaded *l, const struct json *settings, struct sandbox_participant *p)
{
	const struct json *value;
	const char *name;

	if (settings && !json_is_object(settings))
		return bad(l, "settings", "must be an object");
	for (size_t i = 0; settings && (name = json_member(settings, i, &value)); i++) {
		struct sandbox_setting *s = &p->setting[i];

		if (i == SANDBOX_SETTINGS_MAX)
			return bad(l, "settings", "are too many");
		s->name = span_str(name);
		if (!value || !json_text(&l->arena, value, "", &s->value))
			return bad(l, name, "must be text, a whole number or a bool");
		p->setting_count++;
	}
	return true;
}

static bool write_origin(struct loaded *l, struct sandbox_participant *p)
{
	char text[128];
	int n = snprintf(text, sizeof text, "%s://%s:%u", p->tls_cert ? "https" : "http",
		p->address, (unsigned)p->port);

	if (!p->origin)
		p->origin = arena_cstr(&l->arena, span_of(text, (size_t)n));
	return p->origin || bad(l, "origin", "out of room");
}

static bool read_pair(struct loaded *l, const struct json *from, const char *cert_member,
	const char **ret_cert, const char *key_member, const char **ret_key)
{
	if (!read_path(l, from, cert_member, ret_cert) || !read_path(l, from, key_member, ret_key))
		return false;
	return !*ret_cert == !*ret_key || bad(l, cert_member, "goes with its key, and not alone");
}

/* It stands in paths of the control listener. */
static bool check_name(struct loaded *l, const struct sandbox_participant *p)
{
	if (!p->name ||
		strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(p->name))
		return bad(l, "name", "must be of a to z, 0 to 9, - and _");
	if (strcmp(p->name, "participants") == 0)
		return bad(l, "name", "is a path of control itself");
	for (const struct sandbox_participant *q = l->conf.participant; q < p; q++)
		if (strcmp(q->name, p->name) == 0)
			return bad(l, "name", "is taken");
	return true;
}

static bool check_address(struct loaded *l, const char *address, bool tls)
{
	struct in_addr a;

	if (!address || inet_pton(AF_INET, address, &a) != 1)
		return bad(l, "address", "must be a literal IPv4 address");
	return tls || ntohl(a.s_addr) >> 24 == 127 ||
	       bad(l, "address", "without tls_cert must be on loopback");
}

static bool read_participant(struct loaded *l, const struct json *v, struct sandbox_participant *p)
{
	static const char *const known[] = { "name", "fake", "address", "port", "origin",
		"tls_cert", "tls_key", "client_ca", "switch_url", "switch_ca", "call_cert",
		"call_key", "keys", "settings", NULL };
	const char *unknown = v ? json_unknown(v, known) : NULL;

	if (!json_is_object(v))
		return bad(l, "", "must be an object");
	if (unknown)
		return bad(l, unknown, "is not known");
	if (!read_text(l, v, "name", &p->name) || !check_name(l, p))
		return false;
	l->at = p->name;
	if (!read_text(l, v, "fake", &p->fake) || !read_text(l, v, "address", &p->address) ||
		!read_port(l, v, "port", &p->port) || !read_text(l, v, "origin", &p->origin) ||
		!read_pair(l, v, "tls_cert", &p->tls_cert, "tls_key", &p->tls_key) ||
		!read_pair(l, v, "call_cert", &p->call_cert, "call_key", &p->call_key) ||
		!read_path(l, v, "client_ca", &p->client_ca) ||
		!read_text(l, v, "switch_url", &p->switch_url) ||
		!read_path(l, v, "switch_ca", &p->switch_ca) ||
		!read_keys(l, json_get(v, "keys"), p))
		return false;
	if (!p->fake || !sandbox_by_name(span_str(p->fake)))
		return bad(l, "fake", "is no fake that we have");
	return check_address(l, p->address, p->tls_cert) && read_switch_url(l, p) &&
	       read_settings(l, json_get(v, "settings"), p) && write_origin(l, p);
}

static bool read_control(struct loaded *l, const struct json *v)
{
	static const char *const known[] = { "address", "port", NULL };
	struct sandbox_conf *c = &l->conf;
	const char *unknown = v ? json_unknown(v, known) : NULL;

	l->at = "control";
	if (!json_is_object(v))
		return bad(l, "", "must be an object");
	if (unknown)
		return bad(l, unknown, "is not known");
	c->control_address = "127.0.0.1";
	return read_text(l, v, "address", &c->control_address) &&
	       check_address(l, c->control_address, false) &&
	       read_port(l, v, "port", &c->control_port);
}

static bool read_root(struct loaded *l, const struct json *v)
{
	static const char *const known[] = { "control", "participants", NULL };
	const struct json *list = json_get(v, "participants");
	const char *unknown = json_unknown(v, known);

	if (unknown)
		return bad(l, unknown, "is not known");
	if (!read_control(l, json_get(v, "control")))
		return false;
	l->at = "participants";
	if (!json_is_array(list) || json_count(list) < 1 ||
		json_count(list) > SANDBOX_PARTICIPANTS_MAX)
		return bad(l, "", "must be an array of 1 to 31");
	for (size_t i = 0; i < json_count(list); i++) {
		l->at = "participants";
		l->conf.count++; /* what it opened is closed, whole or not */
		if (!read_participant(l, json_at(list, i), &l->conf.participant[i]))
			return false;
	}
	return true;
}

static bool read_file(struct loaded *l, const char *path)
{
	struct buf text = buf_init(l->text, sizeof l->text);
	const struct json *root;
	const char *why;

	if (keyfile_read(path, false, &text, &why) != RC_OK)
		return bad(l, "", why);
	if (json_parse(&l->arena, buf_span(&text), &root) != RC_OK || !json_is_object(root))
		return bad(l, "", "not a JSON object");
	return read_root(l, root);
}

struct sandbox_conf *sandbox_conf_read(const char *path, const char **ret_why)
{
	struct loaded *l = calloc(1, sizeof *l);

	*ret_why = "out of memory";
	if (!l)
		return NULL;
	l->at = "";
	l->folder = span_str(path);
	while (l->folder.n > 0 && l->folder.p[l->folder.n - 1] != '/')
		l->folder.n--;
	l->arena = arena_init(l->storage, sizeof l->storage);
	if (read_file(l, path))
		return &l->conf;
	snprintf(last_why, sizeof last_why, "%.128s: %.300s", path, l->why);
	*ret_why = last_why;
	return sandbox_conf_free(&l->conf);
}

struct sandbox_conf *sandbox_conf_free(struct sandbox_conf *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->count; i++)
		keys_free(c->participant[i].keys);
	free(c);
	return NULL;
}
