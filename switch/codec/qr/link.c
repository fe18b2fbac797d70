/*
 * link.c: payment links: known hosts, WeChat, Swish, MobilePay, and the shape of EPC024-22.
 *
 * The one hard thing is to believe nothing but an exact host: no substring, no user name in front,
 * no port, no path that is not in the table. Must never open a link; even a known shape (EPC024-22)
 * is a hint by which an agreement is looked up.
 */
#include "uri.h"

#include "ascii.h"
#include "utf8.h"

static const struct {
	struct span host, path, needs;
	enum qr_scheme scheme;
} hosts[] = {
#define HOST(host, path, needs, NAME) { SPAN(host), SPAN(path), SPAN(needs), QR_SCHEME_##NAME },
#include "host.def"
#undef HOST
};

#define HOSTS (sizeof hosts / sizeof hosts[0])

static const struct uri_rules url_rules = { SPAN("q."), QR_E_URL, false };
static const struct uri_rules bare_rules = { SPAN(""), QR_E_URL, false };

static bool is_visible(char ch)
{
	return ch > 0x20 && ch <= 0x7e;
}

/* The little pattern language of host.def; linear, since "*" always takes all up to a slash. */
static bool path_matches(struct span path, struct span pattern)
{
	size_t i = 0;

	if (!ascii_all(path, is_visible))
		return false;
	for (size_t k = 0; k < pattern.n; k++, i++) {
		if (i >= path.n)
			return false;
		if (pattern.p[k] == '*') {
			if (k + 1 < pattern.n && pattern.p[k + 1] == '*')
				return true;
			if (path.p[i] == '/')
				return false;
			while (i + 1 < path.n && path.p[i + 1] != '/')
				i++;
		} else if (pattern.p[k] == '%'
				   ? !ascii_digit(path.p[i])
				   : !span_ieq(span_sub(path, i, 1), span_sub(pattern, k, 1))) {
			return false;
		}
	}
	return i == path.n;
}

static bool has_param(const struct qr *q, struct span name)
{
	for (size_t i = 0; i < q->field_count; i++) {
		const struct qr_field *f = &q->field[i];

		if (span_starts(f->key, SPAN("q.")) && f->value.n > 0 &&
			(span_eq(name, SPAN("?")) || span_eq(span_sub(f->key, 2, f->key.n), name)))
			return true;
	}
	return false;
}

static bool is_known_host(struct span host)
{
	for (size_t i = 0; i < HOSTS; i++) {
		if (span_eq(hosts[i].host, host))
			return true;
	}
	return false;
}

static bool put_link(struct scan *s, const struct uri *u, enum qr_scheme scheme, struct span needs)
{
	scan_scheme(s, scheme);
	scan_put(s, SPAN("host"), u->host);
	scan_put(s, SPAN("path"), u->path);
	if (!uri_put_params(s, u->query, &url_rules))
		return false;
	return span_empty(needs) || has_param(s->q, needs) || scan_fail(s, QR_E_URL);
}

/* False: a path that is no payment. */
static bool host_read(struct scan *s, struct span text, const struct uri *u)
{
	size_t i = 0;

	while (i < HOSTS &&
		!(span_eq(hosts[i].host, u->host) && path_matches(u->path, hosts[i].path)))
		i++;
	if (i == HOSTS && !u->has_port)
		return false;
	if (!scan_open(s, QR_URL, text))
		return true;
	if (u->has_port)
		return !scan_fail(s, QR_E_URL_PORT);
	if (u->has_fragment)
		return !scan_fail(s, QR_E_URL_FRAGMENT);
	if (span_ieq(u->scheme, SPAN("http")))
		scan_warn(s, QR_W_URL_HTTP);
	put_link(s, u, hosts[i].scheme, hosts[i].needs);
	return true;
}

/* EPC024-22: https, then /1/<type>/<provider>/?<payload>, with three segments and a final slash. */
static bool is_msct(const struct uri *u)
{
	struct span p = u->path;

	return span_ieq(u->scheme, SPAN("https")) && u->query.n > 0 && p.n == 9 &&
	       span_starts(p, SPAN("/1/")) && ascii_alnum(p.p[3]) && p.p[4] == '/' &&
	       ascii_all(span_sub(p, 5, 3), ascii_alnum) && p.p[8] == '/';
}

static void msct_read(struct scan *s, struct span text, const struct uri *u)
{
	struct span type = span_sub(u->path, 3, 1);

	if (!scan_open(s, QR_EPC_MSCT, text))
		return;
	if (u->has_userinfo || u->has_port || u->has_fragment) {
		scan_fail(s, u->has_userinfo ? QR_E_URL_USERINFO
			     : u->has_port   ? QR_E_URL_PORT
					     : QR_E_URL_FRAGMENT);
		return;
	}
	if (span_find(SPAN("meipw"), type.p[0]) == 5)
		scan_warn(s, QR_W_MSCT_TYPE);
	scan_put(s, SPAN("host"), u->host);
	scan_put(s, SPAN("version"), SPAN("1"));
	scan_put(s, SPAN("type"), type);
	scan_put(s, SPAN("provider"), span_sub(u->path, 5, 3));
	uri_put_params(s, u->query, &url_rules);
}

static bool http_read(struct scan *s, struct span text, const struct uri *u)
{
	if (span_starts(u->path, APLUS_PATH)) {
		aplus_read(s, text, u);
		return true;
	}
	if (is_msct(u) && !is_known_host(u->host)) {
		msct_read(s, text, u);
		return true;
	}
	if (u->has_userinfo) {
		s->q->format = QR_URL;
		return !scan_fail(s, QR_E_URL_USERINFO);
	}
	return is_known_host(u->host) && host_read(s, text, u);
}

/* wxp://f2f...: a personal or shop collect code, of no use to an acquirer. */
static bool wxp_read(struct scan *s, struct span text)
{
	struct span code = span_sub(text, SPAN("wxp://").n, text.n);

	if (!span_istarts(code, SPAN("f2f")) || code.n == 3)
		return false;
	if (scan_open(s, QR_WECHAT_URL, text)) {
		scan_scheme(s, QR_SCHEME_WECHAT_COLLECT);
		scan_put(s, SPAN("code"), code);
	}
	return true;
}

/* Of an order only `pr` counts; of the older form, six signed parameters and all of them. */
static void weixin_read(struct scan *s, struct span text, struct span query)
{
	static const char *const old[] = { "appid", "mch_id", "nonce_str", "product_id", "sign",
		"time_stamp" };
	struct span pr, value[6];
	size_t found = 0;

	if (!scan_open(s, QR_WECHAT_URL, text) || !uri_put_params(s, query, &bare_rules))
		return;
	bool has_pr = qr_text(s->q, "pr", &pr) && pr.n > 0;

	for (size_t i = 0; i < 6; i++)
		found += qr_text(s->q, old[i], &value[i]) && value[i].n > 0;
	s->q->field_count = 0;
	scan_scheme(s, QR_SCHEME_WECHAT_NATIVE);
	if (has_pr) {
		scan_put(s, SPAN("pr"), pr);
	} else if (found == 6) {
		for (size_t i = 0; i < 6; i++)
			scan_put(s, span_str(old[i]), value[i]);
	} else {
		scan_fail(s, QR_E_URL);
	}
}

static void swish_url_read(struct scan *s, struct span text, struct span query)
{
	struct span token;

	if (!scan_open(s, QR_SWISH_URL, text) || !uri_put_params(s, query, &bare_rules))
		return;
	bool has_token = qr_text(s->q, "token", &token) && token.n > 0;

	s->q->field_count = 0;
	scan_scheme(s, QR_SCHEME_SWISH);
	scan_put(s, SPAN("action"), SPAN("paymentrequest"));
	if (!has_token)
		scan_fail(s, QR_E_URL);
}

static bool mobilepay_read(struct scan *s, struct span text, const struct uri *u)
{
	if (!span_eq(u->host, SPAN("pos")) || u->path.n > 0 || !u->has_query || u->has_userinfo ||
		u->has_port || u->has_fragment)
		return false;
	if (scan_open(s, QR_URL, text))
		put_link(s, u, QR_SCHEME_MOBILEPAY, SPAN("id"));
	return true;
}

bool link_read(struct scan *s, struct span text)
{
	const struct span weixin = SPAN("weixin://wxpay/bizpayurl?");
	const struct span swish = SPAN("swish://paymentrequest?");
	struct uri u;

	if (span_istarts(text, SPAN("wxp://")))
		return wxp_read(s, text);
	if (span_istarts(text, weixin)) {
		weixin_read(s, text, span_sub(text, weixin.n, text.n));
		return true;
	}
	if (span_istarts(text, swish)) {
		swish_url_read(s, text, span_sub(text, swish.n, text.n));
		return true;
	}
	if (!uri_split(s, text, &u))
		return false;
	if (span_ieq(u.scheme, SPAN("mobilepaypos")))
		return mobilepay_read(s, text, &u);
	return (span_ieq(u.scheme, SPAN("http")) || span_ieq(u.scheme, SPAN("https"))) &&
	       http_read(s, text, &u);
}
