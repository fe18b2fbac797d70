/*
 * wire_payers.c: the listener of payers' browsers: pages of ours, and nothing of the partners'.
 *
 * The hard thing is that everybody may come: it has little room of its own, so that a crowd at its
 * door leaves the partners' alone, and it never asks a browser for a certificate, since people
 * would be asked. Must never serve a partner's route.
 */
#include "wire_parts.h"

#include "page.h"
#include "pages.h"

/* Of the room for requests that partners have. */
#define SHARE     4
#define BODY_MAX  8192
#define CONNS_MAX 1024

static void write_error(void *ctx, int status, const char *slug, struct http_out *out)
{
	(void)ctx;
	(void)slug;
	page_say(out, status,
		status >= 500 || status == 429 ? "Please try again in a moment."
					       : "This request cannot be understood.");
	page_head(out);
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct wire *w = ctx;

	w->stat->http_requests++;
	if (pages_has_style(m) && wire_public_page(x, m))
		return;
	wrk_on_request(w->worker,
		(struct exchange_ref){ LISTENER_PAYERS, x->ref.slot, x->ref.generation }, &x->arena,
		m);
}

bool wire_payers_open(struct wire *w, const char **ret_why)
{
	const struct conf *c = w->conf;
	struct tls_conf t = { .server = true,
		.cert_file = c->payer_cert_file,
		.key_file = c->payer_key_file,
		.ask = TLS_ASK_NEVER };

	return !c->payers.port || !t.cert_file || (w->payers_tls = tls_open(&t, ret_why)) != NULL;
}

bool wire_payers_listen(struct wire *w, int listen_fd, const char **ret_why)
{
	struct hs_conf c = hs_conf_default;
	struct span origin = span_str(w->conf->payer_origin);
	size_t host = span_find_span(origin, SPAN("://")) + 3;

	if (!w->conf->payers.port)
		return true;
	w->payer_host = span_sub(origin, host, origin.n);
	c.listen_fd = listen_fd;
	c.tls = w->payers_tls;
	c.hosts = &w->payer_host;
	c.host_count = 1;
	c.origin = origin;
	c.write_error = write_error;
	c.limits = http1_limits_default;
	c.limits.body_max = BODY_MAX;
	c.conns_max = CONNS_MAX;
	c.in_work_max = w->exchanges / SHARE ? w->exchanges / SHARE : 1;
	c.arena_bytes = 128 * 1024;
	w->payers = hs_open(w->loop, &c, on_request, w, ret_why);
	return w->payers != NULL;
}

void wire_payers_close(struct wire *w)
{
	hs_close(w->payers);
	tls_close(w->payers_tls);
}
