/*
 * deposit.c: `switchctl deposit`: money that a prefunded participant has paid into our bank is
 * booked, from the bank's account to its position, so that its pay-outs may take from it.
 *
 * The hard thing is doing it once: the bank's reference names the deposit, and whoever books it
 * again gets the first one. Two people want the same before anything is booked. Must never book
 * without names and reasons.
 */
#include "desk.h"

#include "money.h"

#include <stdio.h>
#include <string.h>

static bool read_sum(const char *amount, const char *currency, struct money *ret)
{
	struct ccy c;

	if (ccy_by_alpha(span_str(currency), &c) == RC_OK &&
		money_parse_major(span_str(amount), c, ret) == RC_OK && money_sign(*ret) > 0)
		return true;
	fprintf(stderr, "switchctl: %s %s is no amount of a currency\n", amount, currency);
	return false;
}

/* Its id, or that it was proposed. */
static void say(const struct desk_options *o, const char *said)
{
	bool proposed = strcmp(said, "proposed") == 0;

	if (o->json)
		printf("{\"%s\":\"%s\"}\n", proposed ? "said" : "deposit", said);
	else
		puts(proposed ? DESK_PROPOSED : said);
}

enum ctl_exit ctl_deposit(int argc, char **argv)
{
	const char *reference = NULL;
	const struct desk_option more[] = { { "--reference", &reference, NULL },
		{ NULL, NULL, NULL } };
	struct pg_params p = { 0 };
	struct desk_options o;
	struct money sum;
	struct desk d;
	bool good;

	if (!desk_read(argc, argv, 3, more, &o) || o.words != 3 || !reference ||
		!read_sum(o.word[1], o.word[2], &sum) || !desk_signed(&o))
		return CTL_USAGE;
	if (!desk_open(&d, &o))
		return CTL_FAILED;
	pg_add_bytes(&p, span_str(o.word[0]));
	pg_add_int8(&p, money_minor(sum));
	pg_add_bytes(&p, span_str(o.word[2]));
	pg_add_bytes(&p, span_str(reference));
	pg_add_bytes(&p, span_str(o.by));
	pg_add_bytes(&p, span_str(o.reason));
	d.each = desk_keep_text;
	good = desk_ask(&d, PG_STMT_DEPOSIT, &p);
	if (good)
		say(&o, d.text);
	desk_close(&d);
	return good ? CTL_GOOD : CTL_FAILED;
}
