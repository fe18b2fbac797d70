/*
 * visit.c: users and their browsers. The hard thing is to do no more than a browser does: it
 * carries fields from one page to the next, follows a redirection, and may be closed at any moment.
 * Never signs anything.
 */
#include "visit.h"

#include "form.h"
#include "html.h"

#define FORM_MAX 2048

struct span visit_switch_origin(const struct sandbox_host *h)
{
	return span_empty(h->setting(h->ctx, "target_origin"))
		       ? h->switch_origin
		       : h->setting(h->ctx, "target_origin");
}

static uint64_t cookie_of(const struct visits *v, enum visit_kind kind, const struct visit *one)
{
	return fake_cookie(v->generation, kind, (uint32_t)(one - v->visit));
}

/* The browser goes to an address of the switch. */
static bool go(struct visits *v, const struct sandbox_host *h, struct visit *one,
	enum visit_kind kind, struct span url, struct span form)
{
	struct http_out *out = fake_out(h, 0, form.n + 1);
	struct span target;

	if (!out || !html_target(url, visit_switch_origin(h), &target))
		return false;
	out->method = form.p ? "POST" : "GET";
	buf_add(&out->target, target);
	if (form.p) {
		http_out_header(out, "content-type", SPAN("application/x-www-form-urlencoded"));
		buf_add(&out->body, form);
	}
	h->call(h->ctx, cookie_of(v, kind, one), 0, out);
	return true;
}

/* The browser goes to a page of the wallet's. */
static struct http_out *here(
	struct visits *v, const struct sandbox_host *h, struct span path, struct span form)
{
	struct http_msg m = { .method = form.p ? SPAN("POST") : SPAN("GET"),
		.target = path,
		.path = path,
		.header_count = 1,
		.header = { { SPAN("content-type"), SPAN("application/x-www-form-urlencoded") } },
		.body = form };

	return v->page(v->state, h, &m);
}

static void done(struct visits *v, struct visit *one)
{
	one->used = false;
	v->done++;
}

static void follow(struct visits *v, const struct sandbox_host *h, struct visit *one,
	const struct http_out *page);

static void redirected(
	struct visits *v, const struct sandbox_host *h, struct visit *one, struct span location)
{
	struct span path;

	if (html_target(location, h->origin, &path))
		follow(v, h, one, here(v, h, path, SPAN_NONE));
	else if (one->user == VISIT_PAYS_AND_GOES ||
		 !go(v, h, one, VISIT_BACK, location, SPAN_NONE))
		done(v, one);
}

/* What the wallet answered: a page with a form, a redirection, or a sentence. */
static void follow(struct visits *v, const struct sandbox_host *h, struct visit *one,
	const struct http_out *page)
{
	char action_text[512], body_text[FORM_MAX];
	struct buf action = buf_init(action_text, sizeof action_text),
		   body = buf_init(body_text, sizeof body_text);
	struct span location;

	if (page && http_out_get(page, "location", &location)) {
		redirected(v, h, one, location);
	} else if (!page || !html_form(buf_span(&page->body), &action, &body)) {
		done(v, one);
	} else if (span_starts(buf_span(&action), SPAN("/"))) { /* the user is to decide */
		if (span_to_cstr(buf_span(&action), one->path, sizeof one->path) &&
			span_to_cstr(buf_span(&body), one->form, sizeof one->form))
			h->timer(h->ctx, cookie_of(v, VISIT_DECIDES, one), one->ms);
		else
			done(v, one);
	} else if (one->user == VISIT_PAYS_AND_GOES ||
		   !go(v, h, one, VISIT_BACK, buf_span(&action), buf_span(&body))) {
		done(v, one);
	}
}

/* The switch's page: a form for the wallet, or a sentence. */
static void take_form(
	struct visits *v, const struct sandbox_host *h, struct visit *one, const struct http_msg *m)
{
	char action_text[512], body_text[FORM_MAX];
	struct buf action = buf_init(action_text, sizeof action_text),
		   body = buf_init(body_text, sizeof body_text);
	struct span path;

	(void)span_to_cstr(m->body, v->last_page, sizeof v->last_page);
	if (m->status == 200 && html_form(m->body, &action, &body) &&
		html_target(buf_span(&action), h->origin, &path))
		follow(v, h, one, here(v, h, path, buf_span(&body)));
	else
		done(v, one);
}

static void decide(struct visits *v, const struct sandbox_host *h, struct visit *one)
{
	bool pays = one->user == VISIT_PAYS || one->user == VISIT_PAYS_AND_GOES;
	char storage[sizeof one->form + 16];
	struct buf form = buf_init(storage, sizeof storage);

	if (one->user == VISIT_LEAVES) {
		done(v, one);
		return;
	}
	buf_str(&form, one->form);
	form_put(&form, "do", pays ? SPAN("pay") : SPAN("cancel"));
	follow(v, h, one, here(v, h, span_str(one->path), buf_span(&form)));
}

void visit_goes_on(struct visits *v, const struct sandbox_host *h, enum visit_kind kind,
	uint32_t index, const struct http_msg *m)
{
	struct visit *one = &v->visit[index % VISITS];

	if (!one->used)
		return;
	if (kind == VISIT_PAGE) {
		take_form(v, h, one, m);
	} else if (kind == VISIT_DECIDES) {
		decide(v, h, one);
	} else {
		(void)span_to_cstr(m->body, v->last_page, sizeof v->last_page);
		done(v, one);
	}
}

static bool read_user(struct span text, enum visit_user *ret)
{
	static const char *const names[] = { "pay", "cancel", "leave", "pay-and-go" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_eq(span_str(names[i]), text)) {
			*ret = (enum visit_user)i;
			return true;
		}
	return false;
}

/* NULL, or what is wrong with the command. */
static const char *begin(struct visits *v, const struct sandbox_host *h, const struct json *command)
{
	struct span url = fake_text(command, "url"), behaviour = SPAN("pay"), path;
	struct visit *one = v->visit;
	int64_t ms = 0;
	enum visit_user user;

	(void)json_str(command, "behaviour", &behaviour);
	(void)json_int(command, "ms", &ms);
	while (one < v->visit + VISITS && one->used)
		one++;
	if (!read_user(behaviour, &user) || ms < 0 || ms > MISCHIEF_MS_MAX)
		return "unknown behaviour, or ms out of range";
	if (one == v->visit + VISITS)
		return "too many browsers at once";
	*one = (struct visit){ .used = true, .user = user, .ms = (int32_t)ms };
	if (html_target(url, h->origin, &path)) {
		follow(v, h, one, here(v, h, path, SPAN_NONE));
		return NULL;
	}
	if (go(v, h, one, VISIT_PAGE, url, SPAN_NONE))
		return NULL;
	one->used = false;
	return "name a url of the switch, or of ours";
}

static void show(const struct visits *v, struct buf *ret_json)
{
	struct jw w = jw_init(ret_json);

	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	jw_int(&w, "visits", v->done);
	jw_str(&w, "page", span_str(v->last_page));
	jw_end(&w, '}');
}

bool visit_control(struct visits *v, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json)
{
	struct span verb = fake_text(command, "do");
	const char *wrong;

	if (span_eq(verb, SPAN("show"))) {
		show(v, ret_json);
		return true;
	}
	if (!span_eq(verb, SPAN("browse")))
		return false;
	wrong = begin(v, h, command);
	if (wrong)
		fake_control_error(ret_json, wrong);
	else
		fake_control_ok(ret_json);
	return true;
}
