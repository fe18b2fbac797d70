/*
 * test_golden.c: runs the golden files of an adapter: bytes in, canonical text, bytes out. The
 * cases are written from the partners' texts; see adapters/README.md for their form.
 *
 * Usage: test_golden PATH... (files, or folders of *.txt). With XW_GOLDEN_PRINT=1 it prints the
 * files with what came out instead of comparing.
 */
#include "unit.h"

#include "golden.h"

#include <dirent.h>

#define ARENA_BYTES (256 * 1024)
#define TEXT_BYTES  (64 * 1024)

/* ---- one case ------------------------------------------------------------------------------ */

struct run {
	struct golden_case *c;
	const struct adapter *adapter;
	struct adapter_env env;
	struct arena arena;
	char wire[TEXT_BYTES], target[4096], headers[8192], body[TEXT_BYTES];
	struct http_msg msg;
	struct http_out out;
	struct request rq;
	struct buf actual;
};

static struct span setting(void *ctx, const char *name)
{
	const struct golden_case *c = ctx;

	for (size_t i = 0; i < c->setting_count; i++)
		if (strcmp(c->settings[i].name, name) == 0)
			return c->settings[i].value;
	return SPAN_NONE;
}

static const struct golden_section *section(const struct run *r, enum golden_section_kind kind)
{
	for (size_t i = 0; i < r->c->section_count; i++)
		if (r->c->sections[i].kind == kind)
			return &r->c->sections[i];
	return NULL;
}

static const struct golden_section *needed(const struct run *r, enum golden_section_kind kind)
{
	const struct golden_section *s = section(r, kind);

	if (!s)
		fail_msg("%s: a section is missing", r->c->title);
	return s;
}

static Xw__Canonical *canonical(struct run *r, enum golden_section_kind kind)
{
	Xw__Canonical *m = NULL;
	size_t line = 0;

	if (canonical_text_read(&r->arena, needed(r, kind)->text, &m, &line) != RC_OK)
		fail_msg("%s: line %zu of a canonical section is not one", r->c->title, line);
	return m;
}

static void new_out(struct run *r)
{
	r->out = (struct http_out){ .target = buf_init(r->target, sizeof r->target),
		.headers = buf_init(r->headers, sizeof r->headers),
		.body = buf_init(r->body, sizeof r->body) };
}

static void read_http(struct run *r, enum golden_section_kind kind)
{
	struct buf b = buf_init(r->wire, sizeof r->wire);
	struct http1_limits limits = http1_limits_default;
	size_t used = 0;
	int status = 0;
	bool head_done;
	enum rc rc;

	limits.allow_underscore = true;
	golden_http_bytes(needed(r, kind)->text, kind == GOLDEN_HTTP_REQUEST, &b);
	assert_true(buf_ok(&b));
	if (kind == GOLDEN_HTTP_REQUEST)
		rc = http1_read_request(b.p, b.n, &limits, &r->msg, &used, &status, &head_done);
	else
		rc = http1_read_answer(b.p, b.n, SPAN("POST"), &limits, &r->msg, &used);
	if (rc != RC_OK || used != b.n)
		fail_msg("%s: not an HTTP message (%s, %d)", r->c->title, rc_str(rc), status);
}

static void route(struct run *r)
{
	char storage[64];
	struct buf methods = buf_init(storage, sizeof storage);

	if (adapter_route(r->adapter, &r->msg, &r->rq, &methods) != RC_OK)
		fail_msg("%s: no route for %.*s", r->c->title, SPAN_FMT(r->msg.path));
}

static void expect_rc(const struct run *r, enum rc rc)
{
	if (rc != r->c->rc)
		fail_msg("%s: returned %s, not %s", r->c->title, rc_str(rc), rc_str(r->c->rc));
}

static void run_call(struct run *r)
{
	Xw__Canonical *call = canonical(r, GOLDEN_CANONICAL_CALL), *answer = NULL;
	bool alone = !section(r, GOLDEN_HTTP_ANSWER); /* nobody is called: the adapter answers */
	bool to_answer = section(r, GOLDEN_EXPECT_CANONICAL) != NULL;
	const char *why = NULL;
	enum rc rc;

	new_out(r);
	rc = r->adapter->write_call(&r->env, call, &r->out, &why);
	if (to_answer && rc != RC_OK)
		fail_msg("%s: write_call returned %s: %s", r->c->title, rc_str(rc), why ? why : "");
	if (!to_answer) {
		expect_rc(r, rc);
		if (rc == RC_OK)
			golden_http_text(&r->out, &r->actual);
		else
			buf_str(&r->actual, why ? why : "");
		return;
	}
	if (alone != !r->out.method)
		fail_msg("%s: somebody is called, or nobody", r->c->title);
	if (alone)
		r->msg = (struct http_msg){ .is_answer = true };
	else
		read_http(r, GOLDEN_HTTP_ANSWER);
	expect_rc(r, r->adapter->read_answer(&r->env, call, &r->out, &r->msg, &answer));
	assert_non_null(answer);
	canonical_text_write(&r->actual, answer);
}

static void run_request(struct run *r)
{
	Xw__Canonical *request = NULL;

	read_http(r, GOLDEN_HTTP_REQUEST);
	route(r);
	if (section(r, GOLDEN_CANONICAL_REPLY)) {
		Xw__Canonical *reply = canonical(r, GOLDEN_CANONICAL_REPLY);

		new_out(r);
		r->adapter->write_reply(&r->env, &r->rq, reply, &r->out);
		if (r->adapter->seal_reply)
			r->adapter->seal_reply(&r->env, &r->rq, r->c->replayed, &r->out);
		assert_true(http_out_ok(&r->out));
		golden_http_text(&r->out, &r->actual);
		return;
	}
	expect_rc(r, r->adapter->read_request(&r->env, &r->rq, &request));
	assert_non_null(request);
	canonical_text_write(&r->actual, request);
}

static void run(struct run *r, struct golden_case *c)
{
	r->c = c;
	r->arena = arena_init(malloc(ARENA_BYTES), ARENA_BYTES);
	r->actual = buf_init(malloc(TEXT_BYTES), TEXT_BYTES);
	r->env = c->env;
	r->env.arena = &r->arena;
	r->env.signer = keyring_signer(&c->keys);
	r->env.settings_ctx = c;
	r->env.setting = setting;
	r->adapter = adapter_by_name(c->adapter);
	if (!r->adapter)
		fail_msg("%s: no such adapter", c->title);
	if (section(r, GOLDEN_CANONICAL_CALL))
		run_call(r);
	else
		run_request(r);
	assert_true(buf_ok(&r->actual));
	while (r->actual.n > 0 && r->actual.p[r->actual.n - 1] == '\n')
		r->actual.n--;
}

/* The number of the first line that differs, from 1. */
static size_t first_difference(struct span a, struct span b)
{
	size_t line = 1;

	for (size_t i = 0; i < a.n && i < b.n && a.p[i] == b.p[i]; i++)
		line += a.p[i] == '\n';
	return line;
}

static void test_case(void **state)
{
	struct golden_case *c = *state;
	struct run *r = calloc(1, sizeof *r);
	struct span expected = c->sections[c->section_count - 1].text, actual;

	run(r, c);
	assert_true(c->expect_to > 0 || c->expect_from > 0);
	actual = buf_span(&r->actual);
	if (!span_eq(actual, expected))
		fail_msg("%s: differs from line %zu on; what came out:\n%.*s", c->title,
			first_difference(actual, expected), SPAN_FMT(actual));
	free(r->arena.p);
	free(r->actual.p);
	free(r);
}

/* ---- files --------------------------------------------------------------------------------- */

#define FILES_MAX 64

static struct golden_file files[FILES_MAX];
static size_t file_count;

static void add_file(const char *path)
{
	if (file_count == FILES_MAX) {
		fprintf(stderr, "more than %d golden files\n", FILES_MAX);
		exit(2);
	}
	files[file_count++] = golden_open(path, XW_TESTS "/vectors/keys");
}

static int is_text(const struct dirent *e)
{
	return span_ends(span_str(e->d_name), SPAN(".txt"));
}

static void add(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_text, alphasort);

	if (n < 0) {
		add_file(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		char name[1024];

		snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
		add_file(name);
		free(entries[i]);
	}
	free(entries);
}

static void print_anew(const struct golden_file *f)
{
	size_t at = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct golden_case *c = &f->cases[i];
		struct run *r = calloc(1, sizeof *r);

		run(r, c);
		printf("%.*s%.*s", (int)(c->expect_from - at), f->text + at, (int)r->actual.n,
			r->actual.p);
		at = c->expect_to;
	}
	printf("%s", f->text + at);
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests;
	size_t count = 0, n = 0;

	for (int i = 1; i < argc; i++)
		add(argv[i]);
	for (size_t i = 0; i < file_count; i++)
		count += files[i].count;
	if (count == 0) {
		fprintf(stderr, "no golden cases\n");
		return 2;
	}
	if (getenv("XW_GOLDEN_PRINT")) {
		for (size_t i = 0; i < file_count; i++)
			print_anew(&files[i]);
		return 0;
	}
	tests = calloc(count, sizeof *tests);
	for (size_t i = 0; i < file_count; i++)
		for (size_t k = 0; k < files[i].count; k++)
			tests[n++] = (struct CMUnitTest){ .name = files[i].cases[k].title,
				.test_func = test_case,
				.initial_state = &files[i].cases[k] };
	return _cmocka_run_group_tests("golden", tests, count, NULL, NULL);
}
