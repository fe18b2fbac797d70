/*
 * visitor.c: the operators' listener has no passwords: who reaches it may ask. A browser reaches it
 * too, on behalf of whatever page is open in it.
 *
 * The hard thing is that such a page needs no permission to send: it may post a form across sites,
 * and by a name of its own that it turns to our address (DNS rebinding) it may read the answer as
 * well. The one says Origin, the other a Host that is not ours; an address in its place is nobody's
 * to turn. Must never refuse a program that called us by our address.
 */
#include "visitor.h"

#include <arpa/inet.h>

/* "name", "name:9100", "192.0.2.1:9100", "[::1]:9100" without the port. */
static struct span without_port(struct span host)
{
	size_t n = host.n;

	if (span_starts(host, SPAN("[")))
		return span_sub(host, 1, span_find(host, ']') - 1);
	while (n > 0 && host.p[n - 1] != ':')
		n--;
	return n > 0 && span_is_digits(span_sub(host, n, host.n)) ? span_sub(host, 0, n - 1) : host;
}

static bool is_address(struct span host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	return span_to_cstr(host, text, sizeof text) &&
	       (inet_pton(AF_INET, text, &a) == 1 || inet_pton(AF_INET6, text, &a) == 1);
}

static bool is_our_name(struct span host, const char *const *names, size_t name_count)
{
	bool ours = span_ieq(host, SPAN("localhost"));

	for (size_t i = 0; i < name_count; i++)
		ours = ours || span_ieq(host, span_str(names[i]));
	return ours;
}

/* Browsers say Origin of every POST, and whose page it was of everything; "none": a person who
 * typed the address in. */
static bool is_from_page(const struct http_msg *m)
{
	struct span site;

	if (http_header_count(m, "origin") > 0)
		return true;
	return http_header_count(m, "sec-fetch-site") > 0 &&
	       (!http_header_get(m, "sec-fetch-site", &site) || !span_eq(site, SPAN("none")));
}

const char *visitor_refused(const struct http_msg *m, const char *const *names, size_t name_count)
{
	struct span host = without_port(m->host);

	if (!is_address(host) && !is_our_name(host, names, name_count))
		return "this is none of our names: see operators_hosts";
	return is_from_page(m) ? "pages of others are not served" : NULL;
}
