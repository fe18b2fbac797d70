/*
 * payer.c: `switchctl payer`: finds our name for a wallet's user, and forgets what the wallet calls
 * him.
 *
 * The hard thing is that whoever asks to be forgotten has no name of ours: he says how his wallet
 * knows him, and only the installation's secret makes of that what he is found by. The word comes
 * on standard input, since a command line is seen by others. Must never print or log it.
 */
#include "desk.h"

#include "secret.h"

#include <stdio.h>
#include <string.h>

static void print_payer(struct desk *d, const struct pg_rows *rows, int row)
{
	struct span payer = pg_bytes(rows, row, 0);

	if (!d->options->json) {
		printf("%.*s\n", SPAN_FMT(payer));
		return;
	}
	printf("%s\"%.*s\"", d->between, SPAN_FMT(payer));
	d->between = ",";
}

/* The first line of standard input. */
static bool read_word(char *text, size_t cap)
{
	if (!fgets(text, (int)cap, stdin))
		return false;
	text[strcspn(text, "\r\n")] = '\0';
	return text[0] != '\0';
}

static enum ctl_exit find(const struct desk_options *o, const char *file)
{
	bool by_id = strcmp(o->word[2], "id") == 0;
	struct pg_params p = { 0 };
	struct secret *secret;
	uint8_t hash[16];
	const char *why;
	char word[258];
	struct desk d;
	bool good;

	if (!read_word(word, sizeof word)) {
		fputs("switchctl: give the wallet's id of him, or his handle, on standard input\n",
			stderr);
		return CTL_USAGE;
	}
	if (!(secret = secret_open(file, &why))) {
		fprintf(stderr, "switchctl: %s: %s\n", file, why);
		return CTL_FAILED;
	}
	secret_hash_payer(secret, span_str(o->word[1]),
		by_id ? SECRET_PAYER_ID : SECRET_PAYER_HANDLE, span_str(word), hash);
	secret_close(secret);
	if (!desk_open(&d, o))
		return CTL_FAILED;
	pg_add_bytes(&p, span_str(o->word[1]));
	pg_add_bytes(&p, span_of(hash, sizeof hash));
	d.each = print_payer;
	good = desk_ask(&d, PG_STMT_PAYER_LOOK, &p);
	if (good && o->json)
		desk_put_end(&d);
	desk_close(&d);
	return !good ? CTL_FAILED : d.rows ? CTL_GOOD : CTL_FAULTS;
}

static enum ctl_exit erase(const struct desk_options *o)
{
	struct pg_params p = { 0 };
	struct desk d;
	bool good;

	if (!desk_open(&d, o))
		return CTL_FAILED;
	pg_add_bytes(&p, span_str(o->word[1]));
	pg_add_bytes(&p, span_str(o->by));
	pg_add_bytes(&p, span_str(o->reason));
	d.each = desk_keep_number;
	good = desk_ask(&d, PG_STMT_PAYER_ERASE, &p);
	desk_close(&d);
	if (!good)
		return CTL_FAILED;
	if (o->json)
		printf("{\"payer\":\"%s\",\"erased\":%s}\n", o->word[1],
			d.number ? "true" : "false");
	else
		puts(d.number ? "erased" : "there is nobody of that name");
	return d.number ? CTL_GOOD : CTL_FAULTS;
}

enum ctl_exit ctl_payer(int argc, char **argv)
{
	const char *secret = NULL;
	const struct desk_option more[] = { { "--secret", &secret, NULL }, { NULL, NULL, NULL } };
	struct desk_options o;

	if (!desk_read(argc, argv, 3, more, &o) || o.words < 2)
		return CTL_USAGE;
	if (strcmp(o.word[0], "find") == 0)
		return o.words == 3 && secret &&
				       (strcmp(o.word[2], "id") == 0 ||
					       strcmp(o.word[2], "handle") == 0)
			       ? find(&o, secret)
			       : CTL_USAGE;
	return strcmp(o.word[0], "erase") == 0 && o.words == 2 && desk_signed(&o) ? erase(&o)
										  : CTL_USAGE;
}
