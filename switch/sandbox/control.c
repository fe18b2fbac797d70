/*
 * control.c is the listener by which fakes are ordered about. The hard thing is that a book can be
 * far longer than an answer may be: it is read in parts, each of whole lines, and a reader follows
 * the Link header until there is none. Must never listen beyond loopback: whoever reaches it can
 * make a partner say anything.
 */
#include "control.h"

#include "address.h"
#include "check.h"
#include "http_server.h"
#include "json.h"

#include <stdlib.h>
#include <unistd.h>

#define CONTROL_MAGIC 0x6374726cu
#define ARENA_BYTES   (4u << 20) /* of a request: its bytes, the parsed command, the answer */
#define LINE_BYTES    4096u      /* of a book */

struct control {
	uint32_t magic;
	struct host *host;
	struct hs *server;
	int listen_fd;
};

/* One request. */
struct asking {
	struct control *c;
	struct hs_exchange *x;
	const struct http_msg *m;
	struct http_out out;
};

static void answer(struct asking *q, const char *type)
{
	http_out_header(&q->out, "content-type", span_str(type));
	(void)hs_reply(q->x->ref, &q->out);
}

static void refuse(struct asking *q, int status, const char *detail)
{
	struct jw w = jw_init(&q->out.body);

	buf_reset(&q->out.body);
	q->out.status = status;
	jw_obj(&w, NULL);
	jw_str(&w, "type", SPAN("about:blank"));
	jw_str(&w, "title", span_str(http_status_text(status)));
	jw_int(&w, "status", status);
	jw_str(&w, "detail", span_str(detail));
	jw_end(&w, '}');
	answer(q, "application/problem+json");
}

static void on_command(struct asking *q, struct participant *p)
{
	const struct json *command;

	if (json_parse(&q->x->arena, q->m->body, &command) != RC_OK || !json_is_object(command)) {
		refuse(q, 400, "the body is no JSON object, or too large a one");
		return;
	}
	participant_control(p, command, &q->out.body);
	if (buf_ok(&q->out.body))
		answer(q, "application/json");
	else
		refuse(q, 500, "the answer does not fit");
}

/* Where the next part begins. */
static void put_link(struct asking *q, const struct participant *p, size_t next)
{
	char text[128];
	struct buf b = buf_init(text, sizeof text);

	buf_str(&b, "</");
	buf_str(&b, participant_conf(p)->name);
	buf_str(&b, "/book?from=");
	buf_u64(&b, next);
	buf_str(&b, ">; rel=\"next\"");
	http_out_header(&q->out, "link", buf_span(&b));
	q->out.headers.over |= !buf_ok(&b);
}

static void on_book(struct asking *q, struct participant *p)
{
	char from_text[24], line_text[LINE_BYTES];
	struct buf from = buf_init(from_text, sizeof from_text),
		   line = buf_init(line_text, sizeof line_text), *body = &q->out.body;
	int64_t i = 0;

	if (!span_empty(q->m->query) && (!http_query_get(q->m, "from", &from) ||
						span_to_i64(buf_span(&from), &i) != RC_OK)) {
		refuse(q, 400, "the only parameter is from, the number of a line");
		return;
	}
	buf_ch(body, '[');
	for (size_t first = (size_t)i; participant_book(p, (size_t)i, &line); i++) {
		if (body->cap - body->n < line.n + 2) {
			put_link(q, p, (size_t)i);
			break;
		}
		if ((size_t)i > first)
			buf_ch(body, ',');
		buf_add(body, buf_span(&line));
		body->over |= !buf_ok(&line);
		buf_reset(&line);
	}
	buf_ch(body, ']');
	answer(q, "application/json");
}

static void on_list(struct asking *q)
{
	struct jw w = jw_init(&q->out.body);
	struct participant *p;

	jw_arr(&w, NULL);
	for (size_t i = 0; (p = host_at(q->c->host, i)) != NULL; i++) {
		const struct sandbox_participant *c = participant_conf(p);

		jw_obj(&w, NULL);
		jw_str(&w, "name", span_str(c->name));
		jw_str(&w, "fake", span_str(c->fake));
		jw_str(&w, "address", span_str(c->address));
		jw_int(&w, "port", c->port);
		jw_str(&w, "origin", span_str(c->origin));
		jw_opt(&w, "switch", span_str(c->switch_url));
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	answer(q, "application/json");
}

/* Paths, then methods. */
static void dispatch(struct asking *q)
{
	struct span rest = span_sub(q->m->path, 1, q->m->path.n), name;
	bool has_two = span_split(&rest, '/', &name) && rest.p;
	bool is_list = !has_two && span_eq(name, SPAN("participants"));
	bool is_command = has_two && span_eq(rest, SPAN("control"));
	bool is_book = has_two && span_eq(rest, SPAN("book"));
	const char *method = is_command ? "POST" : "GET";
	struct participant *p = has_two ? host_find(q->c->host, name) : NULL;

	if (!is_list && !is_command && !is_book) {
		refuse(q, 404, "try /participants, /NAME/control or /NAME/book");
	} else if (!span_eq(q->m->method, span_str(method))) {
		http_out_header(&q->out, "allow", span_str(method));
		refuse(q, 405, "another method");
	} else if (is_list) {
		on_list(q);
	} else if (!p) {
		refuse(q, 404, "nobody of that name is here; see /participants");
	} else if (is_command) {
		on_command(q, p);
	} else {
		on_book(q, p);
	}
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct asking q = { .c = ctx, .x = x, .m = m, .out.status = 200 };

	CHECK_OBJ(q.c, CONTROL_MAGIC);
	/* Before the command is parsed, which may use up the arena. */
	q.out.headers = arena_buf(&x->arena, 512);
	q.out.body = arena_buf(&x->arena, CONTROL_BYTES_MAX);
	CHECK(arena_ok(&x->arena)); /* sized for it */
	dispatch(&q);
}

struct control *control_open(
	struct loop *loop, const struct sandbox_conf *conf, struct host *host, const char **ret_why)
{
	struct control *c = calloc(1, sizeof *c);
	struct hs_conf server = hs_conf_default;

	*ret_why = "out of memory";
	if (!c)
		return NULL;
	c->magic = CONTROL_MAGIC;
	c->host = host;
	c->listen_fd = address_listen(conf->control_address, conf->control_port, ret_why);
	if (c->listen_fd < 0)
		return control_close(c);
	server.listen_fd = c->listen_fd;
	server.limits = http1_limits_default;
	server.limits.body_max = CONTROL_BYTES_MAX;
	server.conns_max = 64;
	server.in_work_max = 4; /* every request is answered at once */
	server.arena_bytes = ARENA_BYTES;
	server.reply_max = CONTROL_BYTES_MAX + 4096;
	c->server = hs_open(loop, &server, on_request, c, ret_why);
	return c->server ? c : control_close(c);
}

struct control *control_close(struct control *c)
{
	if (!c)
		return NULL;
	hs_close(c->server);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	free(c);
	return NULL;
}
