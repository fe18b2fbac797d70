/*
 * vault.c: `switchctl vault rotate`: what is sealed under older keys of the vault is sealed anew
 * under the newest, so that the older can be destroyed, and with them what is left in backups.
 *
 * The hard thing is to be run beside the switch, and again: rows are taken in small numbers, one is
 * replaced only where it is still what was read, and the end is that none is older. Must never
 * leave a row that no key of the file opens: such a one ends the command, unchanged.
 */
#include "desk.h"

#include "id.h"
#include "vault.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE 32

struct stale {
	char payer[80], hash[16], sealed[600]; /* a payer, */
	struct pay_id payment;                 /* or a payment, whose seed is in `sealed` */
	size_t sealed_bytes;
	int16_t version;
};

static struct {
	struct stale row[AT_ONCE];
	int rows;
	bool unfit;
} found;

static struct stale *keep(const struct pg_rows *rows, int row, int version, int sealed)
{
	struct stale *s = &found.row[found.rows++];
	struct span box = pg_bytes(rows, row, sealed);

	s->version = (int16_t)pg_int(rows, row, version);
	s->sealed_bytes = box.n;
	found.unfit = found.unfit || box.n > sizeof s->sealed;
	if (!found.unfit)
		memcpy(s->sealed, box.p, box.n);
	return s;
}

static void keep_payer(struct desk *d, const struct pg_rows *rows, int row)
{
	struct stale *s = keep(rows, row, 2, 3);
	struct span hash = pg_bytes(rows, row, 1);

	(void)d;
	found.unfit = found.unfit || hash.n != sizeof s->hash ||
		      !span_to_cstr(pg_bytes(rows, row, 0), s->payer, sizeof s->payer);
	if (!found.unfit)
		memcpy(s->hash, hash.p, hash.n);
}

static void keep_payment(struct desk *d, const struct pg_rows *rows, int row)
{
	struct stale *s = keep(rows, row, 1, 2);

	(void)d;
	s->payment = pg_id(rows, row, 0);
}

static bool has_no_key(const struct stale *s, const char *what)
{
	fprintf(stderr, "switchctl: %s: version %d of the vault is not there\n", what, s->version);
	return false;
}

static bool replace(struct desk *d, enum pg_stmt stmt, struct pg_params *p, const struct vault *v,
	struct span old, const struct buf *sealed)
{
	pg_add_bytes(p, old);
	pg_add_int2(p, vault_version(v));
	pg_add_bytes(p, buf_span(sealed));
	d->each = desk_keep_number;
	return buf_ok(sealed) && desk_ask(d, stmt, p);
}

static bool renew_payer(struct desk *d, const struct vault *v, const struct stale *s)
{
	struct span hash = span_of(s->hash, sizeof s->hash);
	struct span old = span_of(s->sealed, s->sealed_bytes);
	char plain[600], sealed[600];
	struct buf words = buf_init(plain, sizeof plain), box = buf_init(sealed, sizeof sealed);
	struct pg_params p = { 0 };

	if (vault_open_payer(v, s->version, hash, old, &words) != RC_OK)
		return has_no_key(s, s->payer);
	vault_seal_payer(v, hash, buf_span(&words), &box);
	pg_add_bytes(&p, span_str(s->payer));
	return replace(d, PG_STMT_PAYER_RESEAL, &p, v, old, &box);
}

static bool renew_payment(struct desk *d, const struct vault *v, const struct stale *s)
{
	struct span id = span_of(s->payment.b, sizeof s->payment.b);
	struct span old = span_of(s->sealed, s->sealed_bytes);
	char seed[VAULT_SEED_MAX];
	struct buf box = buf_init(seed, sizeof seed);
	struct pg_params p = { 0 };
	struct digest key;

	if (vault_payment_key(v, s->version, id, old, &key) != RC_OK)
		return has_no_key(s, "a payment");
	vault_reseed(v, id, &key, (uint8_t *)buf_room(&box, sizeof seed));
	pg_add_id(&p, &s->payment);
	return replace(d, PG_STMT_KEY_RESEED, &p, v, old, &box);
}

/* One kind of rows: how they are asked for, kept, and sealed anew. */
struct kind {
	enum pg_stmt stale;
	void (*keep)(struct desk *d, const struct pg_rows *rows, int row);
	bool (*renew)(struct desk *d, const struct vault *v, const struct stale *s);
};

/* False: not all; *ret_count were. */
static bool renew_all(
	struct desk *d, const struct vault *v, const struct kind *k, int64_t *ret_count)
{
	struct pg_params p = { 0 };

	*ret_count = 0;
	pg_add_int2(&p, vault_version(v));
	pg_add_int4(&p, AT_ONCE);
	do {
		found.rows = 0;
		d->each = k->keep;
		if (!desk_ask(d, k->stale, &p) || found.unfit)
			return false;
		for (int i = 0; i < found.rows; i++)
			if (!k->renew(d, v, &found.row[i]))
				return false;
		*ret_count += found.rows;
	} while (found.rows);
	return true;
}

static bool put_down(struct desk *d, const struct vault *v, int64_t payers, int64_t payments)
{
	struct pg_params p = { 0 };

	pg_add_int2(&p, vault_version(v));
	pg_add_int8(&p, payers);
	pg_add_int8(&p, payments);
	pg_add_bytes(&p, span_str(d->options->by));
	pg_add_bytes(&p, span_str(d->options->reason));
	d->each = desk_keep_text;
	return desk_ask(d, PG_STMT_VAULT_ROTATED, &p);
}

static enum ctl_exit rotate(const struct desk_options *o, const struct vault *v)
{
	static const struct kind payers = { PG_STMT_PAYER_STALE, keep_payer, renew_payer },
				 payments = { PG_STMT_KEY_STALE, keep_payment, renew_payment };
	int64_t n[2] = { 0, 0 };
	struct desk d;
	bool good;

	if (!desk_open(&d, o))
		return CTL_FAILED;
	good = renew_all(&d, v, &payers, &n[0]) && renew_all(&d, v, &payments, &n[1]) &&
	       put_down(&d, v, n[0], n[1]);
	desk_close(&d);
	if (!good)
		return CTL_FAILED;
	printf(o->json ? "{\"version\":%d,\"payers\":%lld,\"payments\":%lld}\n"
		       : "version %d: %lld payers and %lld payments sealed anew\n",
		vault_version(v), (long long)n[0], (long long)n[1]);
	return CTL_GOOD;
}

enum ctl_exit ctl_vault(int argc, char **argv)
{
	const char *file = NULL, *why;
	const struct desk_option more[] = { { "--vault", &file, NULL }, { NULL, NULL, NULL } };
	struct desk_options o;
	struct vault *v;
	enum ctl_exit status;

	if (!desk_read(argc, argv, 1, more, &o) || o.words != 1 ||
		strcmp(o.word[0], "rotate") != 0 || !file || !desk_signed(&o))
		return CTL_USAGE;
	if (!(v = vault_open(file, &why))) {
		fprintf(stderr, "switchctl: %s: %s\n", file, why);
		return CTL_FAILED;
	}
	status = rotate(&o, v);
	vault_close(v);
	return status;
}
