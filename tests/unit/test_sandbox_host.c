/*
 * test_sandbox_host.c: what the host promises a fake, shown with a fake that does whatever the path
 * says: answers now, later, out of a timer, never, cut; calls and timers; keys and settings;
 * control and book. The switch is played by hand.
 */
#include "control.h"

#include "later.h"
#include "net.h"
#include "pki.h"
#include "sysclock.h"

/* ---- the fake ---- */

struct stub {
	uint32_t requests, timers, commands;
	uint64_t entropy[2];
	uint64_t waiting; /* the tag that a timer, or the end of a call, will answer */
	int told_status;  /* of the last call; -1: none yet */
	char told_body[64];
};

static void put(const struct sandbox_host *h, struct http_out *out, int status, const char *text)
{
	*out = (struct http_out){ .status = status,
		.headers = buf_init(arena_alloc(h->arena, 256), 256),
		.body = buf_init(arena_alloc(h->arena, 256), 256) };
	http_out_header(out, "content-type", SPAN("text/plain"));
	buf_str(&out->body, text);
}

static void stub_init(void *state, const struct sandbox_host *h)
{
	struct stub *s = state;

	assert_int_equal((uintptr_t)state % 16, 0);
	s->told_status = -1;
	s->entropy[0] = h->entropy(h->ctx);
	s->entropy[1] = h->entropy(h->ctx);
}

static void call_switch(const struct sandbox_host *h, uint64_t cookie, int delay_ms)
{
	struct http_out out;

	put(h, &out, 0, "hello");
	out.method = "POST";
	out.target = buf_init(arena_alloc(h->arena, 64), 64);
	buf_str(&out.target, "/told?secret=1");
	h->call(h->ctx, cookie, delay_ms, &out);
	/* Copied at once: what becomes of ours is of no matter. */
	memset(out.body.p, 'x', out.body.n);
	memset(out.target.p, 'x', out.target.n);
}

static void answer_facts(const struct sandbox_host *h, uint64_t tag)
{
	struct http_out out;
	char sig_text[512];
	struct buf sig = buf_init(sig_text, sizeof sig_text);
	struct span key = SPAN_NONE;
	uint8_t mac[32];

	put(h, &out, 200, "");
	buf_add(&out.body, h->name);
	buf_ch(&out.body, ' ');
	buf_add(&out.body, h->origin);
	buf_ch(&out.body, ' ');
	buf_add(&out.body, h->setting(h->ctx, "colour"));
	buf_ch(&out.body, ' ');
	buf_add(&out.body, h->setting(h->ctx, "word"));
	buf_str(&out.body, h->sign(h->ctx, SPAN("text"), &sig, &key) ? " signed " : " unsigned ");
	buf_add(&out.body, key);
	buf_str(&out.body,
		h->verify(h->ctx, SPAN("v1"), SPAN("text"), buf_span(&sig)) ? " holds" : " fails");
	buf_str(&out.body, h->mac(h->ctx, "colour", SPAN("text"), mac) ? " mac" : " nomac");
	h->reply(h->ctx, tag, 0, &out);
}

static void stub_on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct stub *s = state;
	struct http_out out;

	s->requests++;
	put(h, &out, 200, "now");
	if (span_eq(m->path, SPAN("/slow"))) {
		h->reply(h->ctx, tag, 300, &out);
	} else if (span_eq(m->path, SPAN("/cut"))) {
		out.status = -1;
		h->reply(h->ctx, tag, 0, &out);
	} else if (span_eq(m->path, SPAN("/never"))) {
		out.status = 0;
		h->reply(h->ctx, tag, 0, &out);
	} else if (span_eq(m->path, SPAN("/timer"))) {
		s->waiting = tag;
		h->timer(h->ctx, 7, 50);
	} else if (span_eq(m->path, SPAN("/call"))) {
		s->waiting = tag;
		call_switch(h, 42, 20);
	} else if (span_eq(m->path, SPAN("/twice"))) {
		h->reply(h->ctx, tag, 0, &out);
		h->reply(h->ctx, tag, 0, &out);
	} else if (span_eq(m->path, SPAN("/facts"))) {
		answer_facts(h, tag);
	} else {
		h->reply(h->ctx, tag, 0, &out);
		/* The request is still there after its answer was asked for. */
		assert_span(m->method, "GET");
	}
}

static void stub_on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct stub *s = state;
	struct http_out out;

	assert_int_equal(cookie, 42);
	s->told_status = m->status;
	assert_true(span_to_cstr(m->body, s->told_body, sizeof s->told_body));
	put(h, &out, 200, m->status ? "told" : "nobody");
	if (s->waiting)
		h->reply(h->ctx, s->waiting, 0, &out);
	s->waiting = 0;
}

static void stub_on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct stub *s = state;
	struct http_out out;

	s->timers++;
	if (cookie == 1) { /* asks on and on, at once */
		h->timer(h->ctx, 1, 0);
		return;
	}
	assert_int_equal(cookie, 7);
	put(h, &out, 200, "rang");
	h->reply(h->ctx, s->waiting, 0, &out);
	s->waiting = 0;
}

static void stub_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct stub *s = state;
	struct span what;

	s->commands++;
	assert_true(json_str(command, "do", &what));
	if (span_eq(what, SPAN("spin")))
		h->timer(h->ctx, 1, 0);
	if (span_eq(what, SPAN("call")))
		call_switch(h, 42, 0);
	if (span_eq(what, SPAN("flood")))
		for (size_t i = 0; i < 300000; i++)
			buf_ch(ret_json, 'x');
	buf_str(ret_json, "{\"ok\":true}");
}

static bool stub_book(void *state, size_t i, struct buf *ret_json)
{
	(void)state;
	if (i >= 5000)
		return false;
	buf_str(ret_json, "{\"id\":\"");
	for (int k = 0; k < 5; k++) /* a hundred digits */
		buf_dec(ret_json, i, 20);
	buf_str(ret_json, "\"}");
	return true;
}

static const struct sandbox stub_sandbox = { "stub", sizeof(struct stub), stub_init,
	stub_on_request, stub_on_answer, stub_on_timer, stub_control, stub_book };

/* In place of the partners' list. */
const struct sandbox *sandbox_by_name(struct span name)
{
	return span_eq(name, SPAN("stub")) ? &stub_sandbox : NULL;
}

/* ---- the world around it ---- */

static struct loop *loop;
static struct sandbox_conf *conf;
static struct host *host;
static struct control *control;
static uint16_t port_a, port_b, port_control, port_switch;
static int switch_fd;
static struct net_heard heard;
static struct mono next;

#define run_until(cond)                                                                            \
	do {                                                                                       \
		struct mono end_ = mono_plus_ms(sysclock_mono(), NET_PATIENCE_MS);                 \
		while (!(cond)) {                                                                  \
			if (sysclock_mono().us > end_.us)                                          \
				fail_msg("never came: %s", #cond);                                 \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

static void turn(void)
{
	struct mono soon = mono_plus_ms(sysclock_mono(), 5);

	assert_int_equal(loop_once(loop, next.us < soon.us ? next : soon), RC_OK);
	next = host_turn(host);
}

static uint16_t free_port(void)
{
	uint16_t port;

	close(net_listen(&port));
	return port;
}

static const char *write_conf(const char *text)
{
	static char path[PKI_PATH];

	pki_file(&pki, "sandbox.json", 0644, text, strlen(text), path);
	return path;
}

static void start(void)
{
	char text[4096];
	const char *why = "";

	port_a = free_port();
	port_b = free_port();
	port_control = free_port();
	switch_fd = net_listen(&port_switch);
	snprintf(text, sizeof text,
		"{\"control\":{\"port\":%u},\"participants\":["
		"{\"name\":\"anna\",\"fake\":\"stub\",\"address\":\"127.0.0.1\",\"port\":%u,"
		"\"switch_url\":\"http://127.0.0.1:%u\",\"keys\":["
		"{\"use\":\"ours\",\"id\":\"v1\",\"file\":\"server.key\"},"
		"{\"use\":\"theirs\",\"id\":\"v1\",\"file\":\"%s\"},"
		"{\"use\":\"secret\",\"id\":\"word\",\"file\":\"word\"}],"
		"\"settings\":{\"colour\":\"red\",\"n\":3}},"
		"{\"name\":\"bert\",\"fake\":\"stub\",\"address\":\"127.0.0.1\",\"port\":%u,"
		"\"origin\":\"https://bert.example\"}]}",
		port_control, port_a, port_switch, pki.server, port_b);
	conf = sandbox_conf_read(write_conf(text), &why);
	if (!conf)
		fail_msg("%s", why);
	loop = loop_new();
	host = host_new(loop, conf, &why);
	if (!host)
		fail_msg("%s", why);
	control = control_open(loop, conf, host, &why);
	if (!control)
		fail_msg("%s", why);
	next = sysclock_mono();
}

static int setup(void **state)
{
	char word[PKI_PATH];

	(void)state;
	pki_open(&pki);
	pki_file(&pki, "word", 0600, "hush\n", 5, word);
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	control_close(control);
	host_free(host);
	loop_free(loop);
	sandbox_conf_free(conf);
	close(switch_fd);
	pki_close(&pki);
	return 0;
}

static int ask(uint16_t port, const char *text)
{
	int fd = net_dial(port);

	memset(&heard, 0, sizeof heard);
	net_say(fd, text);
	return fd;
}

static int get(uint16_t port, const char *path)
{
	char text[256];

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	return ask(port, text);
}

static bool heard_end(const char *tail)
{
	size_t n = strlen(tail);

	return heard.n >= n && strcmp(heard.text + heard.n - n, tail) == 0;
}

static const char *ask_control(const char *path, const char *body)
{
	char text[512];
	const char *end;
	int fd;

	snprintf(text, sizeof text,
		"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		path, strlen(body), body);
	fd = ask(port_control, text);
	run_until(net_hear(fd, &heard) && heard.ended);
	close(fd);
	end = strstr(heard.text, "\r\n\r\n");
	assert_non_null(end);
	return end + 4;
}

/* ---- answers ---- */

static void an_answer_comes_at_once(void **state)
{
	int fd = get(port_a, "/");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("now"));
	assert_memory_equal(heard.text, "HTTP/1.1 200 OK\r\n", 17);
	close(fd);
}

static void a_delayed_answer_comes_when_it_is_due(void **state)
{
	struct mono asked = sysclock_mono();
	int slow = get(port_a, "/slow"), fast = get(port_a, "/");

	(void)state;
	/* Whoever asks meanwhile does not wait for it. */
	run_until(net_hear(fast, &heard) && heard_end("now"));
	memset(&heard, 0, sizeof heard);
	run_until(net_hear(slow, &heard) && heard_end("now"));
	assert_true(sysclock_mono().us - asked.us >= 300000);
	close(slow);
	close(fast);
}

static void a_cut_cuts_without_a_byte(void **state)
{
	int fd = get(port_a, "/cut");

	(void)state;
	run_until(net_hear(fd, &heard) && heard.ended);
	assert_int_equal(heard.n, 0);
	close(fd);
}

static void never_is_silence_with_the_line_open(void **state)
{
	int silent = get(port_a, "/never"), fd;
	struct mono until = mono_plus_ms(sysclock_mono(), 300);

	(void)state;
	while (sysclock_mono().us < until.us)
		turn();
	net_hear(silent, &heard);
	assert_int_equal(heard.n, 0);
	assert_false(heard.ended);
	/* The caller gives up; others are served. */
	net_reset(silent);
	fd = get(port_a, "/");
	run_until(net_hear(fd, &heard) && heard_end("now"));
	close(fd);
}

static void an_answer_may_come_out_of_a_timer(void **state)
{
	struct mono asked = sysclock_mono();
	int fd = get(port_a, "/timer");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("rang"));
	assert_true(sysclock_mono().us - asked.us >= 50000);
	close(fd);
}

static void a_second_answer_does_nothing(void **state)
{
	int fd = get(port_a, "/twice");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("now"));
	net_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	memset(&heard, 0, sizeof heard);
	run_until(net_hear(fd, &heard) && heard_end("now"));
	assert_null(strstr(heard.text + 1, "HTTP/1.1"));
	close(fd);
}

static void an_answer_to_one_who_left_harms_nobody(void **state)
{
	int slow = get(port_a, "/slow"), fd = -1;
	struct mono until;

	(void)state;
	turn();
	turn();
	net_reset(slow);
	until = mono_plus_ms(sysclock_mono(), 400);
	while (sysclock_mono().us < until.us)
		turn();
	fd = get(port_a, "/");
	run_until(net_hear(fd, &heard) && heard_end("now"));
	close(fd);
}

static void headers_with_an_underscore_pass(void **state)
{
	int fd = ask(port_a, "GET / HTTP/1.1\r\nHost: x\r\nclient_id: 1\r\n\r\n");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("now"));
	assert_memory_equal(heard.text, "HTTP/1.1 200 OK\r\n", 17);
	close(fd);
}

/* ---- calls ---- */

static int accept_call(void)
{
	int fd = -1;

	run_until((fd = accept4(switch_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	return fd;
}

static void a_call_is_made_and_its_answer_told(void **state)
{
	int fd = get(port_a, "/call"), theirs = accept_call();
	static struct net_heard call;
	char host_line[64];

	(void)state;
	memset(&call, 0, sizeof call);
	run_until(net_hear(theirs, &call) && call.n >= 5 &&
		  memcmp(call.text + call.n - 5, "hello", 5) == 0);
	assert_memory_equal(call.text, "POST /told?secret=1 HTTP/1.1\r\n", 30);
	snprintf(host_line, sizeof host_line, "\r\nhost: 127.0.0.1:%u\r\n", port_switch);
	assert_non_null(strstr(call.text, host_line));
	net_say(theirs, "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok");
	run_until(net_hear(fd, &heard) && heard_end("told"));
	close(fd);
	close(theirs);
}

static void a_call_that_is_cut_is_told_as_nothing(void **state)
{
	int fd = get(port_a, "/call"), theirs = accept_call();
	static struct net_heard call;

	(void)state;
	memset(&call, 0, sizeof call);
	run_until(net_hear(theirs, &call) && call.n > 0);
	net_reset(theirs);
	run_until(net_hear(fd, &heard) && heard_end("nobody"));
	close(fd);
}

static void a_call_without_a_switch_is_told_as_nothing(void **state)
{
	int fd = get(port_b, "/call");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("nobody"));
	close(fd);
}

/* ---- keys, settings, time ---- */

static void a_fake_sees_its_settings_and_keys(void **state)
{
	char text[256];
	int fd = get(port_a, "/facts");

	(void)state;
	snprintf(
		text, sizeof text, "anna http://127.0.0.1:%u red hush signed v1 holds mac", port_a);
	run_until(net_hear(fd, &heard) && strstr(heard.text, "mac"));
	assert_true(heard_end(text));
	close(fd);
	fd = get(port_b, "/facts");
	run_until(net_hear(fd, &heard) && strstr(heard.text, "mac"));
	assert_true(heard_end("bert https://bert.example   unsigned  fails nomac"));
	close(fd);
}

static void a_fake_that_asks_on_and_on_does_not_hold_the_loop(void **state)
{
	int fd;

	(void)state;
	assert_string_equal(ask_control("/bert/control", "{\"do\":\"spin\"}"), "{\"ok\":true}");
	fd = get(port_a, "/");
	run_until(net_hear(fd, &heard) && heard_end("now"));
	close(fd);
}

/* ---- control ---- */

static void control_reaches_the_fake(void **state)
{
	int theirs;

	(void)state;
	assert_string_equal(ask_control("/anna/control", "{\"do\":\"x\"}"), "{\"ok\":true}");
	assert_string_equal(ask_control("/anna/control", "{\"do\":\"call\"}"), "{\"ok\":true}");
	theirs = accept_call();
	close(theirs);
}

static void control_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_non_null(strstr(ask_control("/nobody/control", "{}"), "\"status\":404"));
	assert_non_null(strstr(ask_control("/anna/control", "[]"), "\"status\":400"));
	assert_non_null(strstr(ask_control("/anna/control", "{\"do\":"), "\"status\":400"));
	assert_non_null(strstr(ask_control("/anna/else", "{}"), "\"status\":404"));
	assert_non_null(strstr(ask_control("/anna", "{}"), "\"status\":404"));
	assert_non_null(strstr(ask_control("/anna/book", "{}"), "\"status\":405"));
	assert_non_null(
		strstr(ask_control("/anna/control", "{\"do\":\"flood\"}"), "\"status\":500"));
}

static void a_long_book_comes_in_parts(void **state)
{
	static char book[CONTROL_BYTES_MAX + 4096];
	size_t lines = 0, parts = 0, n;
	ssize_t got;
	char path[64] = "/anna/book";
	const char *link;
	int fd;

	(void)state;
	for (;; parts++) {
		char text[128];

		snprintf(text, sizeof text,
			"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
		fd = ask(port_control, text);
		n = 0;
		run_until((got = recv(fd, book + n, sizeof book - 1 - n, 0)) == 0 ||
			  (got > 0 && (n += (size_t)got) == 0));
		close(fd);
		book[n] = '\0';
		assert_true(n > 2 && strcmp(book + n - 2, "}]") == 0);
		for (const char *p = book; (p = strstr(p, "\"id\"")); p++)
			lines++;
		link = strstr(book, "\r\nlink: <");
		if (!link)
			break;
		assert_int_equal(sscanf(link + 9, "%63[^>]", path), 1);
	}
	assert_int_equal(lines, 5000);
	assert_true(parts >= 2);
}

static void participants_are_listed(void **state)
{
	int fd = get(port_control, "/participants");

	(void)state;
	run_until(net_hear(fd, &heard) && heard_end("]"));
	assert_non_null(strstr(heard.text, "{\"name\":\"anna\",\"fake\":\"stub\""));
	assert_non_null(strstr(heard.text, "\"origin\":\"https://bert.example\"}"));
	close(fd);
}

/* ---- the queue ---- */

static void what_is_due_comes_in_order(void **state)
{
	struct later_queue *q = later_new();
	struct mono now = { 1000000 };
	uint64_t expected[] = { 5, 6, 3, 2 }; /* at once, as asked; then by time */

	(void)state;
	assert_non_null(later_add(q, LATER_TIMER, NULL, 1, now, 3000));
	assert_non_null(later_add(q, LATER_TIMER, NULL, 2, now, 2000));
	assert_non_null(later_add(q, LATER_TIMER, NULL, 3, now, 1000));
	assert_int_equal(later_next(q).us, 2000000);
	assert_int_equal(later_ready(q, now), 0);
	assert_non_null(later_add(q, LATER_TIMER, NULL, 5, now, 0));
	assert_non_null(later_add(q, LATER_TIMER, NULL, 6, now, -1));
	assert_true(later_next(q).us <= now.us);
	assert_int_equal(later_ready(q, (struct mono){ 3000000 }), 4);
	for (size_t i = 0; i < 4; i++) {
		struct later *l = later_take(q);

		assert_int_equal(l->id, expected[i]);
		later_give(q, l);
	}
	assert_int_equal(later_ready(q, (struct mono){ 3999999 }), 0);
	assert_int_equal(later_next(q).us, 4000000);
	later_free(q);
}

static void a_full_queue_refuses_and_has_room_again(void **state)
{
	static char large[MESSAGE_BYTES + 1];
	struct later_queue *q = later_new();
	struct mono now = { 1 };
	struct http_out out = { .status = 200, .body = { large, 100, sizeof large, false } };
	struct later *l;

	(void)state;
	for (uint32_t i = 0; i < LATER_MAX; i++) {
		l = later_add(q, LATER_REPLY, NULL, i, now, 0);
		assert_non_null(l);
		assert_int_equal(later_carry(q, l, &out), i < MESSAGES_MAX);
	}
	assert_null(later_add(q, LATER_TIMER, NULL, 0, now, 0));
	for (uint32_t n = later_ready(q, now); n > 0; n--)
		later_give(q, later_take(q));
	assert_int_equal(later_ready(q, now), 0);
	l = later_add(q, LATER_REPLY, NULL, 0, now, 0);
	assert_non_null(l);
	out.body.n = sizeof large;
	assert_false(later_carry(q, l, &out));
	out.body = buf_init(large, 1);
	buf_str(&out.body, "too long");
	assert_false(later_carry(q, l, &out));
	out.body = buf_init(large, 100);
	buf_str(&out.body, "fits");
	assert_true(later_carry(q, l, &out));
	memset(large, 'x', 4);
	assert_buf(&l->message->out.body, "fits");
	later_free(q);
}

/* ---- configuration ---- */

#define CONTROL_ "{\"control\":{\"port\":1},\"participants\":["
#define ANNA_    "{\"name\":\"anna\",\"fake\":\"stub\",\"address\":\"127.0.0.1\",\"port\":2"

static void a_configuration_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "[]", "not a JSON object" },
		{ "{\"contol\":{}}", "contol: is not known" },
		{ "{\"participants\":[]}", "control: must be an object" },
		{ CONTROL_ "]}", "participants: must be an array of 1 to 31" },
		{ CONTROL_ ANNA_ ",\"fak\":1}]}", "participants.fak: is not known" },
		{ CONTROL_ ANNA_ "}," ANNA_ "}]}", "participants.name: is taken" },
		{ CONTROL_ ANNA_ ",\"tls_cert\":\"x\"}]}", "anna.tls_cert: goes with its key" },
		{ CONTROL_ ANNA_ ",\"switch_url\":\"https://h:1\"}]}",
			"anna.switch_ca: is missing" },
		{ CONTROL_ ANNA_ ",\"switch_url\":\"http://h:1/x\"}]}",
			"anna.switch_url: must be" },
		{ CONTROL_ ANNA_ ",\"keys\":[{\"use\":\"mine\"}]}]}", "anna.use: must be" },
		{ CONTROL_ ANNA_ ",\"keys\":[{\"use\":\"ours\",\"id\":\"1\",\"file\":\"none\"}]}]}",
			"/none: no such file" },
		{ CONTROL_ ANNA_ ",\"settings\":{\"a\":1.5}}]}", "anna.a: must be text" },
		{ CONTROL_
			"{\"name\":\"b\",\"fake\":\"none\",\"address\":\"127.0.0.1\",\"port\":2}]}",
			"b.fake: is no fake" },
		{ CONTROL_
			"{\"name\":\"b\",\"fake\":\"stub\",\"address\":\"10.0.0.1\",\"port\":2}]}",
			"b.address: without tls_cert must be on loopback" },
		{ CONTROL_
			"{\"name\":\"b\",\"fake\":\"stub\",\"address\":\"127.0.0.1\",\"port\":0}]}",
			"b.port: must be a port" },
		{ CONTROL_
			"{\"name\":\"B/\",\"fake\":\"stub\",\"address\":\"127.0.0.1\",\"port\":2}]}",
			"participants.name: must be of" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(sandbox_conf_read(write_conf(cases[i].text), &why));
		if (!strstr(why, cases[i].why))
			fail_msg("\"%s\" says nothing of \"%s\"", why, cases[i].why);
	}
	assert_null(sandbox_conf_read("/nowhere", &why));
	assert_string_equal(why, "/nowhere: no such file");
}

static void a_taken_port_is_said_with_its_participant(void **state)
{
	struct sandbox_conf *c;
	struct loop *l = loop_new();
	char text[512];
	const char *why;

	(void)state;
	snprintf(text, sizeof text,
		CONTROL_ "{\"name\":\"anna\",\"fake\":\"stub\",\"address\":\"127.0.0.1\","
			 "\"port\":%u}]}",
		port_switch);
	c = sandbox_conf_read(write_conf(text), &why);
	assert_non_null(c);
	assert_null(host_new(l, c, &why));
	assert_string_equal(why, "anna: port: Address already in use");
	sandbox_conf_free(c);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_at_once),
		cmocka_unit_test(a_delayed_answer_comes_when_it_is_due),
		cmocka_unit_test(a_cut_cuts_without_a_byte),
		cmocka_unit_test(never_is_silence_with_the_line_open),
		cmocka_unit_test(an_answer_may_come_out_of_a_timer),
		cmocka_unit_test(a_second_answer_does_nothing),
		cmocka_unit_test(an_answer_to_one_who_left_harms_nobody),
		cmocka_unit_test(headers_with_an_underscore_pass),
		cmocka_unit_test(a_call_is_made_and_its_answer_told),
		cmocka_unit_test(a_call_that_is_cut_is_told_as_nothing),
		cmocka_unit_test(a_call_without_a_switch_is_told_as_nothing),
		cmocka_unit_test(a_fake_sees_its_settings_and_keys),
		cmocka_unit_test(control_reaches_the_fake),
		cmocka_unit_test(control_refuses_what_it_does_not_know),
		cmocka_unit_test(a_long_book_comes_in_parts),
		cmocka_unit_test(participants_are_listed),
		cmocka_unit_test(what_is_due_comes_in_order),
		cmocka_unit_test(a_full_queue_refuses_and_has_room_again),
		cmocka_unit_test(a_configuration_is_refused_with_its_place),
		cmocka_unit_test(a_taken_port_is_said_with_its_participant),
		/* Last: it never ends. */
		cmocka_unit_test(a_fake_that_asks_on_and_on_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
