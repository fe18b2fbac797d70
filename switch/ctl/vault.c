/*
 * vault.c: `switchctl vault rotate`: what is sealed under older keys of the vault is sealed anew
 * under the newest, so that the older can be destroyed, and with them what is left in backups.
 *
 * The hard thing is to be run beside the switch, and again: rows are taken in small numbers, one is
 * replaced only where it is still what was read, and the end is that none is older. Must never
 * leave a row that no key of the file opens: such a one ends the command, unchanged.
 */
#include "desk.h"

#include "vault.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE 32

struct stale {
	char payer[80], hash[16], sealed[600];
	size_t sealed_bytes;
	int16_t version;
};

static struct {
	struct stale row[AT_ONCE];
	int rows;
	bool unfit;
} found;

static void keep(struct desk *d, const struct pg_rows *rows, int row)
{
	struct stale *s = &found.row[found.rows++];
	struct span hash = pg_bytes(rows, row, 1), sealed = pg_bytes(rows, row, 3);

	(void)d;
	s->version = (int16_t)pg_int(rows, row, 2);
	s->sealed_bytes = sealed.n;
	found.unfit = found.unfit || hash.n != sizeof s->hash || sealed.n > sizeof s->sealed ||
		      !span_to_cstr(pg_bytes(rows, row, 0), s->payer, sizeof s->payer);
	if (found.unfit)
		return;
	memcpy(s->hash, hash.p, hash.n);
	memcpy(s->sealed, sealed.p, sealed.n);
}

static bool reseal(struct desk *d, const struct vault *v, const struct stale *s)
{
	struct span hash = span_of(s->hash, sizeof s->hash);
	struct span old = span_of(s->sealed, s->sealed_bytes);
	char plain[600], sealed[600];
	struct buf words = buf_init(plain, sizeof plain), box = buf_init(sealed, sizeof sealed);
	struct pg_params p = { 0 };

	if (vault_open_payer(v, s->version, hash, old, &words) != RC_OK) {
		fprintf(stderr, "switchctl: %s: version %d of the vault is not there\n", s->payer,
			s->version);
		return false;
	}
	vault_seal_payer(v, hash, buf_span(&words), &box);
	pg_add_bytes(&p, span_str(s->payer));
	pg_add_bytes(&p, old);
	pg_add_int2(&p, vault_version(v));
	pg_add_bytes(&p, buf_span(&box));
	d->each = desk_keep_number;
	return buf_ok(&box) && desk_ask(d, PG_STMT_PAYER_RESEAL, &p);
}

/* False: not all; *ret_count were. */
static bool reseal_all(struct desk *d, const struct vault *v, int64_t *ret_count)
{
	struct pg_params p = { 0 };

	*ret_count = 0;
	pg_add_int2(&p, vault_version(v));
	pg_add_int4(&p, AT_ONCE);
	do {
		found.rows = 0;
		d->each = keep;
		if (!desk_ask(d, PG_STMT_PAYER_STALE, &p) || found.unfit)
			return false;
		for (int i = 0; i < found.rows; i++)
			if (!reseal(d, v, &found.row[i]))
				return false;
		*ret_count += found.rows;
	} while (found.rows);
	return true;
}

static bool put_down(struct desk *d, const struct vault *v, int64_t count)
{
	struct pg_params p = { 0 };

	pg_add_int2(&p, vault_version(v));
	pg_add_int8(&p, count);
	pg_add_bytes(&p, span_str(d->options->by));
	pg_add_bytes(&p, span_str(d->options->reason));
	d->each = desk_keep_text;
	return desk_ask(d, PG_STMT_VAULT_ROTATED, &p);
}

static enum ctl_exit rotate(const struct desk_options *o, const struct vault *v)
{
	struct desk d;
	int64_t count;
	bool good;

	if (!desk_open(&d, o))
		return CTL_FAILED;
	good = reseal_all(&d, v, &count) && put_down(&d, v, count);
	desk_close(&d);
	if (!good)
		return CTL_FAILED;
	printf(o->json ? "{\"version\":%d,\"payers\":%lld}\n"
		       : "version %d: %lld payers sealed anew\n",
		vault_version(v), (long long)count);
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
