/*
 * conf_text.c: a text of the configuration -> the value that is meant.
 *
 * The hard thing is the message: file, entry, member and what was expected, so that it can be put
 * right at three in the morning. Must never guess: what is not exactly of the form is a fault.
 */
#include "conf_parts.h"
#include "iso20022.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char error_text[1024];

const char *conf_failure(void)
{
	return error_text;
}

void conf_fail(struct loader *l, const char *format, ...)
{
	va_list ap;
	char at[16] = "";
	unsigned line;
	int n;

	if (l->failed)
		return; /* the first fault is the one to mend */
	l->failed = true;
	line = l->list ? conf_line(l->file, l->list, l->entry) : 0;
	if (line)
		snprintf(at, sizeof at, ":%u", line);
	n = snprintf(error_text, sizeof error_text, "%s%s: %s%s", l->file, at,
		l->what ? l->what : "", l->what ? ": " : "");
	if (n < 0 || (size_t)n >= sizeof error_text)
		return;
	va_start(ap, format);
	vsnprintf(error_text + n, sizeof error_text - (size_t)n, format, ap);
	va_end(ap);
}

int64_t conf_number(struct loader *l, const char *name, const char *text, int64_t otherwise,
	int64_t least, int64_t most)
{
	bool negative = text && *text == '-';
	int64_t v = 0;

	if (!text)
		return otherwise;
	if (span_to_i64(span_str(text + negative), &v) != RC_OK)
		conf_fail(l, "%s: \"%s\" is not a whole number", name, text);
	v = negative ? -v : v;
	if (v < least || v > most)
		conf_fail(l, "%s: %s is not within %lld and %lld", name, text, (long long)least,
			(long long)most);
	return v;
}

bool conf_yes(struct loader *l, const char *name, const char *text)
{
	if (!text || strcmp(text, "no") == 0)
		return false;
	if (strcmp(text, "yes") != 0)
		conf_fail(l, "%s: \"%s\" is neither yes nor no", name, text);
	return true;
}

struct ccy conf_currency(struct loader *l, const char *name, const char *text)
{
	struct ccy c = { 0 };

	if (text && ccy_by_alpha(span_str(text), &c) != RC_OK)
		conf_fail(l, "%s: \"%s\" is no ISO 4217 currency", name, text);
	return c;
}

struct money conf_amount(struct loader *l, const char *name, const char *text, struct ccy c)
{
	struct money m = MONEY_NONE;

	if (text && money_parse_major(span_str(text), c, &m) != RC_OK)
		conf_fail(l, "%s: \"%s\" is no amount of %s", name, text, ccy_alpha(c));
	return m;
}

struct conf_bank conf_bank(struct loader *l, const struct raw_bank *raw)
{
	if (!raw)
		return (struct conf_bank){ .name = NULL };
	if (span_empty(span_str(raw->name)) || strlen(raw->name) > 140)
		conf_fail(l, "bank: a name of 1 to 140 bytes");
	if (!iso_is_iban(span_str(raw->iban)))
		conf_fail(l, "bank: \"%s\" is no IBAN", raw->iban);
	if (!iso_is_bic(span_str(raw->bic)))
		conf_fail(l, "bank: \"%s\" is no BIC", raw->bic);
	return (struct conf_bank){ raw->name, raw->iban, raw->bic };
}

int conf_word(struct loader *l, const char *name, const char *text, const char *const *words)
{
	for (int i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	if (text)
		conf_fail(l, "%s: \"%s\" is not one of its words", name, text);
	return 0;
}

/* A zone of the database ends with a line that states its rule for the future. */
static bool read_zone(const char *name, char *ret, size_t cap)
{
	char path[PATH_MAX];
	size_t n = 0;
	FILE *f;
	int c;

	if (*name == '/' || strstr(name, "..") ||
		snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name) >= (int)sizeof path ||
		!(f = fopen(path, "rb")))
		return false;
	while ((c = getc(f)) != EOF)
		if (c == '\n' && n && n < cap) {
			ret[n] = '\0'; /* the last line so far */
			n = 0;
		} else {
			n = c == '\n' ? 0 : n;
			if (c != '\n' && n < cap - 1)
				ret[n++] = (char)c;
		}
	fclose(f);
	return ret[0] != '\0';
}

struct zone conf_zone(struct loader *l, const char *text)
{
	struct zone z = { 0 };
	char rule[128] = "";

	if (!text || zone_parse(span_str(text), &z) == RC_OK)
		return z;
	if (!read_zone(text, rule, sizeof rule) || zone_parse(span_str(rule), &z) != RC_OK)
		conf_fail(l,
			"zone: \"%s\" is neither of the form +08:00 nor a zone like Europe/Oslo",
			text);
	return z;
}

int conf_time_of_day(struct loader *l, const char *text)
{
	int h, m;
	char end;

	if (!text)
		return -1;
	if (sscanf(text, "%2d:%2d%c", &h, &m, &end) != 2 || h > 23 || m > 59) {
		conf_fail(l, "cancel_until: \"%s\" is not a time of day", text);
		return -1;
	}
	return h * 60 + m;
}

bool conf_own(struct loader *l, void *p, const void *schema)
{
	struct conf_owned *o = p ? malloc(sizeof *o) : NULL;

	if (!o) {
		conf_fail(l, "out of memory");
		if (p && schema)
			conf_yaml_free(p, schema);
		else
			free(p);
		return false;
	}
	*o = (struct conf_owned){ l->c->owned, p, schema };
	l->c->owned = o;
	return true;
}

const char *conf_copy(struct loader *l, const char *p, size_t n)
{
	char *text = strndup(p, n);

	return conf_own(l, text, NULL) ? text : "";
}

const char *conf_path(struct loader *l, const char *text)
{
	char full[PATH_MAX];
	int n;

	if (!text || text[0] == '/')
		return text;
	n = snprintf(full, sizeof full, "%s/%s", l->dir, text);
	if (n < 0 || (size_t)n >= sizeof full) {
		conf_fail(l, "a path of more than %d bytes", PATH_MAX);
		return "";
	}
	return conf_copy(l, full, (size_t)n);
}
