/*
 * conf_route.c: the file of routes: rows of the route table, and switches of corridors.
 *
 * The hard thing is a table that is almost right: it would send payments astray without an error,
 * so whatever cannot be meant is refused, with its line. Must never keep a part of a file.
 */
#include "conf_parts.h"

#include <stdio.h>

static const char *const modes[] = { "CPM", "MPM", "OUT", "SHOW", NULL };

static uint8_t mode_of(struct loader *l, const char *text)
{
	return (uint8_t) "CMOS"[conf_word(l, "mode", text, modes)];
}

static int weekday(struct loader *l, struct span text)
{
	static const char *const names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

	for (int i = 0; i < 7; i++)
		if (span_eq(text, span_str(names[i])))
			return i;
	conf_fail(l, "days: \"%.*s\" is no day; they are mon, tue, wed, thu, fri, sat, sun",
		SPAN_FMT(text));
	return 0;
}

/* "mon-fri,sun" */
static uint8_t days(struct loader *l, const char *text)
{
	struct span rest = span_str(text), part;
	uint8_t set = 0;

	while (span_split(&rest, ',', &part)) {
		size_t dash = span_find(part, '-');
		int first = weekday(l, span_sub(part, 0, dash)), last = first;
		if (dash < part.n)
			last = weekday(l, span_sub(part, dash + 1, part.n));
		for (int i = first;; i = (i + 1) % 7) {
			set |= (uint8_t)(1 << i);
			if (i == last)
				break;
		}
	}
	return set;
}

/* "09:00-17:30"; "22:00-02:00" ends on the next day; "24:00" is a day's end. */
static void hours(struct loader *l, const char *text, struct route_hours *ret)
{
	int h1, m1, h2, m2;
	char end;

	if (sscanf(text, "%2d:%2d-%2d:%2d%c", &h1, &m1, &h2, &m2, &end) != 4 || h1 < 0 || h1 > 23 ||
		m1 < 0 || m1 > 59 || h2 < 0 || m2 < 0 || m2 > 59 || h2 * 60 + m2 > 24 * 60 ||
		(h1 == h2 && m1 == m2)) {
		conf_fail(l, "hours: \"%s\" is not of the form 09:00-17:30", text);
		return;
	}
	ret->from_min = (int16_t)(h1 * 60 + m1);
	ret->until_min = (int16_t)(h2 * 60 + m2);
}

static void put_hours(struct loader *l, const struct raw_route *from, struct route_hours *ret)
{
	if (!from->days && !from->hours) {
		if (from->zone)
			conf_fail(l, "zone: there are neither days nor hours");
		return;
	}
	if (!from->zone)
		conf_fail(l, "zone: days and hours are those of a zone");
	ret->zone = conf_zone(l, from->zone);
	ret->days = from->days ? days(l, from->days) : 0x7f;
	if (from->hours)
		hours(l, from->hours, ret);
}

static void put_row(struct loader *l, const struct raw_route *from, struct route_row *to)
{
	l->what = from->scheme;
	if (!span_to_cstr(span_str(from->scheme), to->scheme, sizeof to->scheme))
		conf_fail(l, "scheme: too long");
	to->mode = mode_of(l, from->mode);
	to->from = conf_peer_number(l, "from", from->from);
	to->to = conf_peer_number(l, "to", from->to);
	to->priority = (int16_t)conf_number(l, "priority", from->priority, 0, INT16_MIN, INT16_MAX);
	to->off = conf_yes(l, "off", from->off);
	to->ccy = conf_currency(l, "currency", from->currency);
	if ((from->minimum || from->maximum) && !from->currency) {
		conf_fail(l, "bounds need a currency");
		return;
	}
	to->min = from->minimum ? money_minor(conf_amount(l, "minimum", from->minimum, to->ccy))
				: 0;
	to->max = from->maximum ? money_minor(conf_amount(l, "maximum", from->maximum, to->ccy))
				: 0;
	if (to->max && to->max < to->min)
		conf_fail(l, "maximum: it is less than the minimum");
	put_hours(l, from, &to->hours);
}

static void put_corridor(struct loader *l, const struct raw_corridor *from, struct corridor *to)
{
	l->what = "corridor";
	to->acquirer = conf_peer_number(l, "acquirer", from->acquirer);
	to->issuer = conf_peer_number(l, "issuer", from->issuer);
	to->mode = from->mode ? mode_of(l, from->mode) : 0;
	to->off = !conf_yes(l, "on", from->on);
}

void conf_load_routes(struct loader *l, const char *file)
{
	struct raw_routes *r = conf_yaml_routes(l, file);
	struct conf *c = l->c;

	if (!r)
		return;
	if (r->routes_count > CONF_ROUTES_MAX || r->corridors_count > CONF_CORRIDORS_MAX)
		conf_fail(l, "more than %d routes or %d corridors", CONF_ROUTES_MAX,
			CONF_CORRIDORS_MAX);
	l->list = "routes";
	for (l->entry = 0; l->entry < r->routes_count && !l->failed; l->entry++)
		put_row(l, &r->routes[l->entry], &c->route[c->route_count++]);
	l->list = "corridors";
	for (l->entry = 0; l->entry < r->corridors_count && !l->failed; l->entry++)
		put_corridor(l, &r->corridors[l->entry], &c->corridor[c->corridor_count++]);
	l->list = l->what = NULL;
}
