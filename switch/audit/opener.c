/*
 * opener.c: reads what the switch has sealed of people's data, for an auditor who was given the
 * file with the keys.
 *
 * Written from what is said in schema/README.md, not from the code that seals: keys are derived by
 * HMAC-SHA-256 from the vault's, boxes are AES-256-GCM. The hard thing is to say why something
 * cannot be read: its key was destroyed, or was not given, or the bytes are not what was sealed.
 * Must never write a key or a message anywhere but where the auditor reads.
 */
#include "audit.h"

#include <stdlib.h>

#include "text.h"

#define SEED     16
#define VERSIONS 32

struct vault {
	int count;
	struct {
		int64_t number;
		struct digest payment_key;
	} version[VERSIONS];
};

/* Lines "1 <64 hex digits>". */
struct vault *vault_need(const char *file)
{
	struct vault *v = more(NULL, sizeof *v);
	size_t n;
	char *text = read_file(file, &n);
	struct span rest, line, number;

	if (!text)
		cannot("%s cannot be read", file);
	v->count = 0;
	for (rest = span_of(text, n); span_split(&rest, '\n', &line);) {
		char key[32];
		struct buf k = buf_init(key, sizeof key);
		if (!line.n)
			continue;
		if (v->count == VERSIONS || !span_split(&line, ' ', &number) ||
			span_to_i64(number, &v->version[v->count].number) != RC_OK ||
			text_unhex(&k, line) != RC_OK || k.n != sizeof key)
			cannot("%s holds no lines of a version and 64 hex digits", file);
		v->version[v->count++].payment_key = digest_hmac_sha256(
			buf_span(&k), SPAN("xw payment 1"));
	}
	memset(text, 0, n);
	free(text);
	return v;
}

static struct digest key_from(
	const struct digest *by, const uint8_t id[16], const unsigned char *seed, size_t n)
{
	char text[16 + SEED];
	struct digest key;

	memcpy(text, id, 16);
	memcpy(text + 16, seed, SEED);
	key = digest_hmac_sha256(digest_span(by), span_of(text, sizeof text));
	for (size_t i = SEED; i < n; i++)
		key.b[i - SEED] ^= seed[i];
	return key;
}

void opener_from(const struct vault *v, int64_t version, struct span id, struct span seed,
	struct opener *ret)
{
	*ret = (struct opener){ .opens = false };
	for (int i = 0; v && i < v->count; i++)
		if (v->version[i].number == version && id.n == sizeof ret->id &&
			(seed.n == SEED || seed.n == SEED + sizeof ret->key.b)) {
			memcpy(ret->id, id.p, id.n);
			ret->key = key_from(&v->version[i].payment_key, ret->id,
				(const unsigned char *)seed.p, seed.n);
			ret->opens = true;
		}
}

void opener_of(PGconn *c, const struct vault *v, const char *payment, struct opener *ret)
{
	const char *params[] = { payment, NULL };
	PGresult *r = ledger_query(c,
		"select version, seed, uuid_send(payment) from ledger.payment_key"
		" where payment = $1::uuid",
		params);

	*ret = (struct opener){ .erased = PQntuples(r) == 0 };
	if (v && !ret->erased) {
		int64_t version = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
		size_t seeds, ids;
		unsigned char *seed = PQunescapeBytea(
			(const unsigned char *)PQgetvalue(r, 0, 1), &seeds);
		unsigned char *id = PQunescapeBytea(
			(const unsigned char *)PQgetvalue(r, 0, 2), &ids);
		opener_from(
			v, version, span_of((char *)id, ids), span_of((char *)seed, seeds), ret);
		PQfreemem(seed);
		PQfreemem(id);
	}
	PQclear(r);
}

const char *opener_read(const struct opener *o, struct span sealed, struct buf *ret)
{
	if (o->erased)
		return "erased";
	if (!o->opens)
		return "sealed";
	if (sealed.n < GCM_NONCE ||
		digest_gcm_open(digest_span(&o->key), span_sub(sealed, 0, GCM_NONCE),
			span_of(o->id, sizeof o->id), span_sub(sealed, GCM_NONCE, sealed.n),
			ret) != RC_OK)
		return "does not open: not what was sealed";
	return NULL;
}
