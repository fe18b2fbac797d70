/*
 * configured.c: routes, limits, fees and keys are files, and who changes one has decided something:
 * at each start and reload the log gets what the switch is told now, by digests, where it is not
 * what it was told last. A crew that then does not come up leaves the entries: events say whose
 * they are.
 *
 * The hard thing is what may be told: a digest of a short secret tells it to whoever tries enough.
 * Must never give away more of a secret than that it is another.
 */
#include "configured.h"

#include "json.h"
#include "keyfile.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 256

struct telling {
	const struct conf *c;
	struct jw w;
	struct secret *secret; /* the switch's own; NULL: of others nothing is told */
	char bytes[KEYFILE_MAX];
};

static void tell(struct telling *t, const char *what, const char *how, const struct digest *d)
{
	char text[NAME_BYTES];
	struct buf b = buf_init(text, sizeof text);

	buf_str(&b, how);
	if (d)
		buf_hex(&b, digest_span(d));
	jw_arr(&t->w, NULL);
	jw_str(&t->w, NULL, span_str(what));
	jw_str(&t->w, NULL, buf_span(&b));
	jw_end(&t->w, ']');
}

/* How: its state, or "". */
static void tell_file(
	struct telling *t, const char *what, const char *state, const char *file, bool is_public)
{
	char how[NAME_BYTES];
	struct buf b = buf_init(t->bytes, sizeof t->bytes);
	const char *why = "";
	struct digest d;
	bool good;

	if (!file)
		return;
	good = keyfile_read(file, !is_public, &b, &why) == RC_OK;
	if (good && is_public) {
		d = digest_sha256(buf_span(&b));
	} else if (good && t->secret) {
		d = secret_mark(t->secret, buf_span(&b));
	} else if (good) {
		good = false;
		why = "not told: the switch's own secret is none";
	}
	explicit_bzero(t->bytes, b.n);
	snprintf(how, sizeof how, "%s%s%s", state, *state ? " " : "",
		!good       ? why
		: is_public ? "sha256 "
			    : "hmac-sha256 ");
	tell(t, what, how, good ? &d : NULL);
}

static void tell_peer(struct telling *t, const struct conf_peer *e)
{
	char what[NAME_BYTES];

	for (size_t i = 0; i < e->key_count; i++) {
		const struct conf_key *k = &e->key[i];
		snprintf(what, sizeof what, "key %s %s %s", e->name, keys_kinds[k->use], k->id);
		tell_file(t, what, keys_states[k->state], k->file, k->use == KEY_THEIRS);
	}
	snprintf(what, sizeof what, "ca %s", e->name);
	tell_file(t, what, "", e->ca_file, true);
	snprintf(what, sizeof what, "client_certificate %s", e->name);
	tell_file(t, what, "", e->client_cert_file, true);
	snprintf(what, sizeof what, "client_key %s", e->name);
	tell_file(t, what, "", e->client_key_file, false);
}

static void tell_own(struct telling *t)
{
	const struct conf *c = t->c;

	tell_file(t, "secret", "", c->secret_file, false);
	tell_file(t, "vault", "", c->vault_file, false);
	tell_file(t, "tls_certificate", "", c->tls_cert_file, true);
	tell_file(t, "tls_key", "", c->tls_key_file, false);
	tell_file(t, "client_ca", "", c->client_ca_file, true);
	tell_file(t, "payer_certificate", "", c->payer_cert_file, true);
	tell_file(t, "payer_key", "", c->payer_key_file, false);
}

/* A file below the main one's folder is called by its place there. */
static void tell_read(struct telling *t, const struct conf_file *f)
{
	const char *slash = strrchr(t->c->file, '/');
	size_t n = slash ? (size_t)(slash - t->c->file) + 1 : 0;

	tell(t, strncmp(f->name, t->c->file, n) == 0 ? f->name + n : f->name, "sha256 ",
		&f->digest);
}

void configured_put(const struct conf *c, struct buf *b)
{
	static struct telling t; /* whose process calls this once */
	const char *why;
	char version[32];

	t.c = c;
	t.w = jw_init(b);
	t.secret = secret_open(c->secret_file, &why);
	jw_arr(&t.w, NULL);
	snprintf(version, sizeof version, "%lu", (unsigned long)c->snapshot.version);
	tell(&t, "version", version, NULL);
	for (size_t i = 0; i < c->read_count; i++)
		tell_read(&t, &c->read[i]);
	tell_own(&t);
	for (size_t i = 0; i < c->peer_count; i++)
		tell_peer(&t, &c->extra[i]);
	jw_end(&t.w, ']');
	t.secret = secret_close(t.secret);
}
