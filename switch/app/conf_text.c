/*
 * conf_text.c: a text of the configuration -> the value that is meant.
 *
 * The hard thing is the message: file, entry, member and what was expected, so that it can be put
 * right at three in the morning. Must never guess: what is not exactly of the form is a fault.
 */
#include "conf_parts.h"

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
	int n;

	if (l->failed)
		return; /* the first fault is the one to mend */
	l->failed = true;
	n = snprintf(error_text, sizeof error_text, "%s: %s%s", l->file, l->what ? l->what : "",
		l->what ? ": " : "");
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

int conf_word(struct loader *l, const char *name, const char *text, const char *const *words)
{
	for (int i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	if (text)
		conf_fail(l, "%s: \"%s\" is not one of its words", name, text);
	return 0;
}

int conf_zone(struct loader *l, const char *text)
{
	int h, m;
	char sign, end;

	if (!text)
		return 0;
	if (strlen(text) != 6 || sscanf(text, "%c%2d:%2d%c", &sign, &h, &m, &end) != 3 ||
		(sign != '+' && sign != '-') || h > 14 || m > 59) {
		conf_fail(l, "zone: \"%s\" is not of the form +08:00", text);
		return 0;
	}
	return (h * 60 + m) * (sign == '-' ? -1 : 1);
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
