/*
 * test_golden.c: runs the golden files of an adapter: bytes in, canonical text, bytes out. The
 * cases are written from the partners' texts; see adapters/README.md for their form.
 *
 * Usage: test_golden PATH... (files, or folders of *.txt). With XW_GOLDEN_PRINT=1 it prints the
 * files with what came out instead of comparing.
 */
#include "unit.h"

#include "golden_run.h"

#include <dirent.h>

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
	struct golden_run *r = golden_run_new(c);
	struct span expected = c->sections[c->section_count - 1].text, actual;
	enum rc rc = golden_run_act(r);

	if (rc != c->rc)
		fail_msg("%s: returned %s, not %s", c->title, rc_str(rc), rc_str(c->rc));
	assert_true(c->expect_to > 0 || c->expect_from > 0);
	actual = golden_run_text(r, rc);
	if (!span_eq(actual, expected))
		fail_msg("%s: differs from line %zu on; what came out:\n%.*s", c->title,
			first_difference(actual, expected), SPAN_FMT(actual));
	golden_run_free(r);
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
		struct golden_run *r = golden_run_new(c);
		struct span actual = golden_run_text(r, golden_run_act(r));

		printf("%.*s%.*s", (int)(c->expect_from - at), f->text + at, SPAN_FMT(actual));
		at = c->expect_to;
		golden_run_free(r);
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
