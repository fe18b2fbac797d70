/*
 * fake_user.c: users of ePassi and their browsers: to the address that the till shows, with the
 * form to ePassi's page, and back to the shop. The hard thing is to do no more than a browser does:
 * it carries fields from one page to the next, follows a redirection, and may be closed at any
 * moment. Never signs anything.
 */
#include "epassifake.h"

#include "form.h"
#include "html.h"

/* The browser goes to an address of the switch. */
static bool go(struct epassifake *f, const struct sandbox_host *h, struct ef_visit *v,
	enum ef_purpose purpose, struct span url, struct span form)
{
	struct http_out *out = fake_out(h, 0, form.n + 1);
	struct span target;

	if (!out || !html_target(url, ef_switch_origin(h), &target))
		return false;
	out->method = form.p ? "POST" : "GET";
	buf_add(&out->target, target);
	if (form.p) {
		http_out_header(out, "content-type", SPAN("application/x-www-form-urlencoded"));
		buf_add(&out->body, form);
	}
	h->call(h->ctx, ef_cookie(f, purpose, (uint32_t)(v - f->visit)), 0, out);
	return true;
}

/* The browser posts to ePassi itself. */
static struct http_out *post_here(
	struct epassifake *f, const struct sandbox_host *h, struct span path, struct span form)
{
	static const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct http_msg m = { .method = SPAN("POST"),
		.target = path,
		.path = path,
		.header_count = 1,
		.header = { { SPAN("content-type"), SPAN("application/x-www-form-urlencoded") } },
		.body = form };

	return ef_page(f, h, &m, &none);
}

static void done(struct epassifake *f, struct ef_visit *v)
{
	v->used = false;
	f->visits_done++;
}

/* What ePassi answered: a page with a form, a redirection, or a sentence. */
static void follow(struct epassifake *f, const struct sandbox_host *h, struct ef_visit *v,
	const struct http_out *page)
{
	char action_text[EF_URL], body_text[2048];
	struct buf action = buf_init(action_text, sizeof action_text),
		   body = buf_init(body_text, sizeof body_text);
	struct span location;

	if (page && http_out_get(page, "location", &location)) {
		if (!go(f, h, v, EF_VISIT_BACK, location, SPAN_NONE))
			done(f, v);
	} else if (!page || !html_form(buf_span(&page->body), &action, &body)) {
		done(f, v);
	} else if (span_eq(buf_span(&action), SPAN("/pay"))) {
		struct buf session = buf_init(v->session, sizeof v->session - 1);

		if (form_get(buf_span(&body), "session", &session) == RC_OK)
			h->timer(h->ctx, ef_cookie(f, EF_VISIT_DECIDE, (uint32_t)(v - f->visit)),
				v->ms);
		v->session[session.n] = '\0';
	} else if (v->user == EF_USER_PAYS_AND_GOES ||
		   !go(f, h, v, EF_VISIT_BACK, buf_span(&action), buf_span(&body))) {
		done(f, v);
	}
}

/* The switch's page: a form for ePassi, or a sentence. */
static void take_form(struct epassifake *f, const struct sandbox_host *h, struct ef_visit *v,
	const struct http_msg *m)
{
	char action_text[EF_URL], body_text[2048];
	struct buf action = buf_init(action_text, sizeof action_text),
		   body = buf_init(body_text, sizeof body_text);
	struct span path;

	(void)span_to_cstr(m->body, f->last_page, sizeof f->last_page);
	if (m->status == 200 && html_form(m->body, &action, &body) &&
		html_target(buf_span(&action), h->origin, &path))
		follow(f, h, v, post_here(f, h, path, buf_span(&body)));
	else
		done(f, v);
}

static void decide(struct epassifake *f, const struct sandbox_host *h, struct ef_visit *v)
{
	char storage[128];
	struct buf form = buf_init(storage, sizeof storage);
	bool pays = v->user == EF_USER_PAYS || v->user == EF_USER_PAYS_AND_GOES;

	if (v->user == EF_USER_LEAVES) {
		done(f, v);
		return;
	}
	form_put(&form, "session", span_str(v->session));
	form_put(&form, "do", pays ? SPAN("pay") : SPAN("cancel"));
	follow(f, h, v, post_here(f, h, SPAN("/pay"), buf_span(&form)));
}

void ef_visit_goes_on(struct epassifake *f, const struct sandbox_host *h, enum ef_purpose purpose,
	uint32_t index, const struct http_msg *m)
{
	struct ef_visit *v = &f->visit[index % EF_VISITS];

	if (!v->used)
		return;
	if (purpose == EF_VISIT_PAGE) {
		take_form(f, h, v, m);
	} else if (purpose == EF_VISIT_DECIDE) {
		decide(f, h, v);
	} else if (purpose == EF_VISIT_BACK) {
		(void)span_to_cstr(m->body, f->last_page, sizeof f->last_page);
		done(f, v);
	}
}

static bool read_user(struct span text, enum ef_user *ret)
{
	static const struct {
		const char *name;
		enum ef_user user;
	} known[] = { { "pay", EF_USER_PAYS }, { "cancel", EF_USER_CANCELS },
		{ "leave", EF_USER_LEAVES }, { "pay-and-go", EF_USER_PAYS_AND_GOES } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (span_eq(span_str(known[i].name), text)) {
			*ret = known[i].user;
			return true;
		}
	return false;
}

const char *ef_browse(
	struct epassifake *f, const struct sandbox_host *h, const struct json *command)
{
	struct span url = SPAN_NONE, behaviour = SPAN("pay");
	struct ef_visit *v = f->visit;
	int64_t ms = 0;
	enum ef_user user;

	(void)json_str(command, "behaviour", &behaviour);
	(void)json_int(command, "ms", &ms);
	while (v < f->visit + EF_VISITS && v->used)
		v++;
	if (!read_user(behaviour, &user) || ms < 0 || ms > MISCHIEF_MS_MAX)
		return "unknown behaviour, or ms out of range";
	if (v == f->visit + EF_VISITS)
		return "too many browsers at once";
	*v = (struct ef_visit){ .used = true, .user = user, .ms = (int32_t)ms };
	if (json_str(command, "url", &url) && go(f, h, v, EF_VISIT_PAGE, url, SPAN_NONE))
		return NULL;
	v->used = false;
	return "name a url of the switch";
}
