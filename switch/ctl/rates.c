/*
 * rates.c: `switchctl rates load`: a table of exchange rates from a file of the operator's, whole
 * or not at all, into the one that the configuration names; then the switch is asked to read it.
 *
 * The hard thing is that a table that is almost right costs money with every payment: it is put
 * together beside the old one, read by the switch's own reader, and takes its place only if that is
 * content. The European Central Bank's daily file gives each currency for one euro, on a date: of
 * the daily concertation at 14:10 Central European Time. Must never make up a rate.
 */
#include "explain.h"
#include "reload.h"
#include "sysclock.h"
#include "xml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_BYTES_MAX (256 * 1024)
#define FIXING_MIN     (14 * 60 + 10)

static char text[FILE_BYTES_MAX], memory[4 * FILE_BYTES_MAX];

struct options {
	const char *file, *source, *conf, *operators;
	int64_t hours; /* 0: not said */
};

static bool read_options(int argc, char **argv, struct options *o)
{
	*o = (struct options){ .operators = getenv("XW_OPERATORS") };
	if (argc < 2 || strcmp(argv[0], "load") != 0)
		return false;
	o->file = argv[1];
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--source") == 0)
			o->source = argv[i + 1];
		else if (strcmp(argv[i], "--conf") == 0)
			o->conf = argv[i + 1];
		else if (strcmp(argv[i], "--operators") == 0)
			o->operators = argv[i + 1];
		else if (strcmp(argv[i], "--valid-hours") != 0 ||
			 span_to_i64(span_str(argv[i + 1]), &o->hours) != RC_OK || o->hours < 1 ||
			 o->hours > 24 * 366)
			return false;
	}
	return argc % 2 == 0 && o->conf && o->source;
}

static bool read_file(const char *name, struct span *ret)
{
	FILE *f = fopen(name, "rb");
	size_t n = f ? fread(text, 1, sizeof text, f) : 0;
	bool good = f && !ferror(f) && n < sizeof text;

	if (!good)
		fprintf(stderr, "switchctl: %s: %s\n", name, f ? "too large" : strerror(errno));
	if (f)
		fclose(f);
	*ret = span_of(text, n);
	return good;
}

static bool fault(const char *what)
{
	fprintf(stderr, "switchctl: not the bank's daily file: %s\n", what);
	return false;
}

/* "2026-11-20" as the moment that its rates are of. */
static bool fixing(struct span date, struct wall *ret)
{
	char stamp[32];
	struct buf b = buf_init(stamp, sizeof stamp);
	struct zone cet;
	struct wall noon;

	buf_add(&b, date);
	buf_str(&b, "T12:00:00Z");
	if (!buf_ok(&b) || wall_parse(buf_span(&b), &noon) != RC_OK ||
		zone_parse(SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), &cet) != RC_OK)
		return false;
	*ret = zone_time(&cet, zone_day(&cet, noon), FIXING_MIN);
	return true;
}

/* A currency that we do not know is left out, and said; a rate that is none spoils the file. */
static bool put_rate(FILE *out, const struct xml *e, const char *at, const char *until, int *count)
{
	struct span alpha, price;
	struct ratio r;
	struct ccy c;

	if (!xml_attribute(e, "currency", &alpha) || !xml_attribute(e, "rate", &price) ||
		ratio_parse(price, &r) != RC_OK)
		return fault("an entry without a currency or a rate");
	if (ccy_by_alpha(alpha, &c) != RC_OK) {
		fprintf(stderr, "switchctl: a currency that is not known is left out\n");
		return true;
	}
	fprintf(out,
		"  - {from: EUR, to: %s, price: \"%.*s\", at: \"%s\", until: \"%s\", "
		"source: ecb}\n",
		ccy_alpha(c), SPAN_FMT(price), at, until);
	++*count;
	return true;
}

static bool put_ecb(FILE *out, struct span bytes, int64_t hours)
{
	struct arena a = arena_init(memory, sizeof memory);
	const struct xml *root, *day;
	struct span date;
	struct wall when;
	char at[32] = "", until[32] = "";
	struct buf b = buf_init(at, sizeof at - 1), u = buf_init(until, sizeof until - 1);
	int count = 0;

	if (xml_parse(&a, bytes, &root) != RC_OK || !(day = xml_get(root, "Cube/Cube")))
		return fault("no Envelope with one day's Cube");
	if (!xml_attribute(day, "time", &date) || !fixing(date, &when))
		return fault("its day is no date");
	wall_write(&b, when, 0);
	when = wall_plus_ms(when, hours * 3600000);
	wall_write(&u, when, 0);
	if (when.us <= sysclock_wall().us) {
		fprintf(stderr, "switchctl: the rates of %.*s ended at %s\n", SPAN_FMT(date),
			until);
		return false;
	}
	fprintf(out, "# The European Central Bank's reference rates of %.*s.\nrates:\n",
		SPAN_FMT(date));
	for (size_t i = 0; xml_at(day, i); i++)
		if (!put_rate(out, xml_at(day, i), at, until, &count))
			return false;
	if (count == 0)
		return fault("it has no rates");
	printf("%d rates of %.*s, in force until %s\n", count, SPAN_FMT(date), until);
	return true;
}

/* The new table beside the old one. */
static bool put_table(const struct options *o, const char *name)
{
	struct span bytes;
	FILE *out = read_file(o->file, &bytes) ? fopen(name, "w") : NULL;
	bool good;

	if (!out)
		return false;
	if (strcmp(o->source, "ecb") == 0)
		good = put_ecb(out, bytes, o->hours);
	else
		good = fwrite(bytes.p, 1, bytes.n, out) == bytes.n;
	good = fflush(out) == 0 && fsync(fileno(out)) == 0 && good;
	return fclose(out) == 0 && good;
}

static bool accepted(const struct options *o, const char *name)
{
	const char *why;
	struct conf *c = conf_load(o->conf, &(struct conf_instead){ .rates = name }, &why);

	if (!c)
		fprintf(stderr, "switchctl: %s\n", why);
	conf_free(c);
	return c != NULL;
}

enum ctl_exit ctl_rates(int argc, char **argv)
{
	struct options o;
	const char *why;
	struct conf *c;
	char file[PATH_MAX], next[PATH_MAX + 8];
	bool good;

	if (!read_options(argc, argv, &o) ||
		(strcmp(o.source, "ecb") == 0 ? o.hours == 0
					      : strcmp(o.source, "own") != 0 || o.hours))
		return CTL_USAGE;
	if (!(c = conf_load(o.conf, NULL, &why)) || !c->rates_file ||
		!span_to_cstr(span_str(c->rates_file), file, sizeof file)) {
		fprintf(stderr, "switchctl: %s\n", c ? "the configuration names no rates" : why);
		conf_free(c);
		return CTL_FAILED;
	}
	conf_free(c);
	snprintf(next, sizeof next, "%s.new", file);
	good = put_table(&o, next) && accepted(&o, next);
	if (!good || rename(next, file) != 0) {
		if (good)
			perror("switchctl: the table");
		unlink(next);
		return CTL_FAULTS;
	}
	if (o.operators && *o.operators)
		return reload_and_wait(o.operators);
	puts("in its place; the switch has to read it: switchctl reload");
	return CTL_GOOD;
}
