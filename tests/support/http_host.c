/*
 * http_host.c hosts the server of one case. The hard thing is that the server must be closed before
 * the loop and whatever the case did, since a leaked connection would be the next case's. Must
 * never answer inside the test's back: all that comes of a request is in on_request.
 */
#include "http_host.h"

#include "tls.h"

static struct http_out out_of(struct http_host *h, int status, struct span body)
{
	struct http_out out = { .status = status,
		.headers = buf_init(h->head, sizeof h->head),
		.body = buf_init(h->body, sizeof h->body) };

	http_out_header(&out, "content-type", SPAN("text/plain"));
	buf_add(&out.body, body);
	return out;
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct http_host *h = ctx;
	struct http_out out;

	h->asked++;
	h->has_cert = x->has_cert;
	h->cert = x->cert;
	assert_true(span_to_cstr(x->address, h->address, sizeof h->address));
	if (span_starts(m->path, SPAN("/later"))) {
		h->kept_body[h->kept] = m->body;
		h->later[h->kept++] = x->ref;
		return;
	}
	if (span_eq(m->path, SPAN("/drop"))) {
		hs_drop(x->ref);
		return;
	}
	if (span_eq(m->path, SPAN("/big")))
		out = out_of(h, 200, span_of(h->body, sizeof h->body));
	else
		out = out_of(h, 200, span_empty(m->body) ? m->target : m->body);
	assert_true(hs_reply(x->ref, &out));
}

bool host_answer(struct http_host *h, int i, const char *text)
{
	struct http_out out = out_of(h, 200, span_str(text));

	return hs_reply(h->later[i], &out);
}

int host_begin(void **state)
{
	struct http_host *h = calloc(1, sizeof *h);

	assert_non_null(h);
	h->fd = -1;
	h->loop = loop_new();
	h->conf = hs_conf_default;
	h->conf.listen_fd = net_listen(&h->port);
	h->conf.origin = SPAN("https://switch.example");
	h->conf.conns_max = 64;
	h->conf.reply_max = 300000;
	*state = h;
	return 0;
}

void host_start(struct http_host *h)
{
	const char *why = "";

	h->server = hs_open(h->loop, &h->conf, on_request, h, &why);
	if (!h->server)
		fail_msg("%s", why);
}

void host_open(struct http_host *h)
{
	host_start(h);
	h->fd = net_dial(h->port);
}

int host_end(void **state)
{
	struct http_host *h = *state;

	if (h->fd >= 0)
		close(h->fd);
	if (h->server)
		hs_close(h->server);
	tls_close(h->conf.tls);
	close(h->conf.listen_fd);
	loop_free(h->loop);
	free(h);
	return 0;
}

void host_rest(struct http_host *h)
{
	for (int i = 0; i < 3; i++)
		net_turn(h->loop);
}

const char *host_nth(const struct http_host *h, int n)
{
	const char *p = h->heard.text;

	for (p = strstr(p, "HTTP/1.1 "); p && n > 1; n--)
		p = strstr(p + 1, "HTTP/1.1 ");
	return p;
}

bool host_ends(const struct http_host *h, const char *tail)
{
	return span_ends(span_of(h->heard.text, h->heard.n), span_str(tail));
}

void host_assert_refused(struct http_host *h, const char *text, const char *status)
{
	int fd = net_dial(h->port), asked = h->asked;
	char line[64];

	memset(&h->heard, 0, sizeof h->heard);
	net_say(fd, text);
	host_hear_on(h, fd, h->heard.ended);
	snprintf(line, sizeof line, "HTTP/1.1 %s", status);
	if (strncmp(h->heard.text, line, strlen(line)) != 0)
		fail_msg("to <%s> it said <%s>, not %s", text, h->heard.text, status);
	assert_null(host_nth(h, 2));
	assert_non_null(strstr(h->heard.text, "connection: close\r\n"));
	assert_int_equal(h->asked, asked);
	close(fd);
	memset(&h->heard, 0, sizeof h->heard);
}
