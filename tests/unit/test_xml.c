/*
 * test_xml.c: what is refused, what reads as what, that a full arena is never a success, and that
 * xmllint finds in each document what we find.
 */
#include "unit.h"

#include "xml.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char memory[1 << 20] __attribute__((aligned(16)));
static struct arena arena;

static enum rc parse(struct span text, const struct xml **ret)
{
	arena = arena_init(memory, sizeof memory);
	return xml_parse(&arena, text, ret);
}

static const struct xml *parsed(const char *text)
{
	const struct xml *root = NULL;

	if (parse(span_str(text), &root) != RC_OK)
		fail_msg("refused: %s", text);
	return root;
}

static void assert_text(const struct xml *root, const char *path, const char *expected)
{
	struct span s;

	if (!xml_text(root, path, &s))
		fail_msg("no text at %s", path);
	assert_span(s, expected);
}

/* Not well formed: xmllint refuses them too. */
static const char *const broken[] = { "", " ", "x", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>x",
	"<a b=1/>", "<a b='1' b='2'/>", "<a>&nbsp;</a>", "<a>&</a>", "<a><</a>", "<a>\x01</a>",
	"<a>&#0;</a>", "<a>&#x1F;</a>", "<a>]]></a>", "<a><!-- -- --></a>", "<a>\xff</a>",
	"<a>\xc0\x80</a>", "<?xml version='1.0' encoding=?><a/>", "<?xml?><a/>",
	" <?xml version='1.0'?><a/>", "<a b='<'/>", "<a", "<a>&#xFFFE;</a>" };

/* Well formed, and no message of a partner of ours. */
static const char *const unwanted[] = { "<!DOCTYPE a><a/>",
	"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
	"<!DOCTYPE a [<!ENTITY x SYSTEM 'http://127.0.0.1/'>]><a>&x;</a>",
	"<?xml version='1.0' encoding='ISO-8859-15'?><a/>",
	"<?xml version='1.0' encoding='UTF-16'?><a/>",
	"<?xml version='1.0' encoding='EUC-JP'?><a/>" };

static const struct {
	const char *text, *path, *xpath, *value;
} good[] = {
	{ "<a>x</a>", "", "/a", "x" },
	{ "<a/>", "", "/a", "" },
	{ "<a><b>1</b><c>2</c></a>", "c", "/a/c", "2" },
	{ "<a><b><c>2</c></b></a>", "b/c", "/a/b/c", "2" },
	{ "<a> x\n </a>", "", "/a", " x\n " },
	{ "<a>&lt;&amp;&gt;&quot;&apos;</a>", "", "/a", "<&>\"'" },
	{ "<a>&#233;&#xe9;</a>", "", "/a", "\xc3\xa9\xc3\xa9" },
	{ "<a>1<![CDATA[<2>&amp;]]>3</a>", "", "/a", "1<2>&amp;3" },
	{ "<a>x\r\ny</a>", "", "/a", "x\ny" },
	{ "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a>\xc3\xb8</a>\n", "", "/a", "\xc3\xb8" },
	{ "\xef\xbb\xbf<a>x</a>", "", "/a", "x" },
	{ "<?xml version='1.0' encoding='GBK'?><a>12.34</a>", "", "/a", "12.34" },
	{ "<s:E xmlns:s='urn:s'><s:B>x</s:B></s:E>", "B", "//*[local-name()='B']", "x" },
	{ "<!-- x --><a><?pi y?><b>1</b><!-- z --></a>", "b", "/a/b", "1" },
};

static void refuses(void **state)
{
	const struct xml *root = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		if (parse(span_str(broken[i]), &root) != RC_BAD)
			fail_msg("taken: %s", broken[i]);
	for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
		if (parse(span_str(unwanted[i]), &root) != RC_BAD)
			fail_msg("taken: %s", unwanted[i]);
	assert_int_equal(parse(SPAN("<a>\0</a>"), &root), RC_BAD);
	assert_int_equal(parse(SPAN("\xff\xfe<\0a\0/\0>\0"), &root), RC_BAD);
	assert_null(root);
}

static void reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_text(parsed(good[i].text), good[i].path, good[i].value);
}

static void finds_one_or_none(void **state)
{
	const struct xml *root = parsed("<a><b>1</b><b>2</b><c k='v&amp;w' e=''>x<d/></c></a>");
	struct span s;

	(void)state;
	assert_span(xml_name(root), "a");
	assert_null(xml_get(root, "b")); /* which? */
	assert_false(xml_text(root, "b", &s));
	assert_false(xml_text(root, "nothing", &s));
	assert_false(xml_text(root, "c/d/e", &s));
	assert_false(xml_text(NULL, "", &s));
	assert_false(xml_text(root, "c", &s)); /* more than text */
	assert_text(xml_at(root, 1), "", "2");
	assert_span(xml_name(xml_at(root, 2)), "c");
	assert_null(xml_at(root, 3));
	assert_true(xml_attribute(xml_at(root, 2), "k", &s));
	assert_span(s, "v&w");
	assert_true(xml_attribute(xml_at(root, 2), "e", &s));
	assert_span(s, "");
	assert_false(xml_attribute(xml_at(root, 2), "none", &s));
	/* What one reader drops and another does not. */
	assert_false(xml_text(parsed("<a>12<!-- -->3</a>"), "", &s));
	assert_false(xml_text(parsed("<a>12<?p?>3</a>"), "", &s));
}

/* Alipay's gateway declares GBK whatever was asked for; what is signed are the bytes. */
static void hands_on_bytes_of_gb_encodings(void **state)
{
	const struct xml *root;
	struct span s;

	(void)state;
	root = parsed(
		"<?xml version=\"1.0\" encoding=\"GBK\"?><a><b>\xd6\xa7\xb8\xb6</b><c>1</c></a>");
	assert_text(root, "b", "\xd6\xa7\xb8\xb6");
	assert_text(root, "c", "1");
	assert_true(xml_text(root, "b", &s) && !span_is_utf8(s));
	/* a byte of a longer character that looks like a backslash, a bracket, a bar */
	root = parsed("<?xml version='1.0' encoding='gb18030'?><a>\x81\x5c\x81\x5b\x81\x7c</a>");
	assert_text(root, "", "\x81\x5c\x81\x5b\x81\x7c");
	/* no byte has that number */
	assert_int_equal(
		parse(SPAN("<?xml version='1.0' encoding='GBK'?><a>&#x4e38;</a>"), &root), RC_BAD);
	root = parsed("<?xml version='1.0' encoding='GBK'?><a>&#xe9;</a>");
	assert_true(xml_text(root, "", &s));
	assert_span(s, "\xe9");
}

static void repeat(struct buf *b, const char *what, int times)
{
	while (times-- > 0)
		buf_str(b, what);
}

static void bounds_what_costs(void **state)
{
	static char text[1 << 18];
	struct buf b = buf_init(text, sizeof text);
	const struct xml *root = NULL;

	(void)state;
	for (int depth = 64; depth <= 65; depth++) {
		buf_reset(&b);
		repeat(&b, "<a>", depth);
		repeat(&b, "</a>", depth);
		assert_int_equal(parse(buf_span(&b), &root), depth == 64 ? RC_OK : RC_BAD);
	}
	buf_reset(&b);
	buf_str(&b, "<a");
	for (int i = 0; i < 65; i++) {
		buf_str(&b, " a");
		buf_u64(&b, (uint64_t)i);
		buf_str(&b, "='1'");
	}
	buf_str(&b, "/>");
	assert_int_equal(parse(buf_span(&b), &root), RC_BAD);
	buf_reset(&b);
	buf_str(&b, "<a>");
	repeat(&b, "<b>x</b>", 2000);
	buf_str(&b, "</a>");
	assert_int_equal(parse(buf_span(&b), &root), RC_OK);
	assert_non_null(xml_at(root, 1999));
}

/* At each size of the arena: success with the right text, or RC_FULL; never another answer. */
static void full_arena_is_told(void **state)
{
	const struct span text = SPAN("<?xml version=\"1.0\" encoding=\"GBK\"?><alipay><a>12</a>"
				      "<request><param name=\"x\">&lt;</param></request></alipay>");
	bool read_once = false;

	(void)state;
	for (size_t cap = 0; cap < 4000; cap += 7) {
		struct arena small = arena_init(memory, cap);
		const struct xml *root = NULL;
		struct span s;
		enum rc rc = xml_parse(&small, text, &root);

		assert_true(rc == RC_OK || rc == RC_FULL);
		assert_int_equal(rc == RC_OK, arena_ok(&small));
		if (rc == RC_OK && xml_text(root, "a", &s)) {
			assert_span(s, "12");
			read_once = true;
		}
	}
	assert_true(read_once);
}

static void escapes(void **state)
{
	char storage[256];
	struct buf b = buf_init(storage, sizeof storage);
	const struct xml *root;

	(void)state;
	xml_escape(&b, SPAN("a&b<c>\"d'\te\r\n\x01\xff\xc3\xb8\xef\xbf\xbf"));
	assert_span(buf_span(&b), "a&amp;b&lt;c&gt;&quot;d'\te&#13;\n\xef\xbf\xbd\xef\xbf\xbd"
				  "\xc3\xb8\xef\xbf\xbd");
	buf_reset(&b);
	buf_str(&b, "<a k=\"");
	xml_escape(&b, SPAN("x\"<"));
	buf_str(&b, "\">");
	xml_escape(&b, SPAN("]]>&\r"));
	buf_str(&b, "</a>");
	assert_true(parse(buf_span(&b), &root) == RC_OK);
	assert_text(root, "", "]]>&\r");
}

static void written(void **state)
{
	char out[256];
	struct buf b = buf_init(out, sizeof out);

	(void)state;
	xml_open(&b, "a xmlns:x=\"urn:x\" n=\"1\"");
	xml_put(&b, "x:b", SPAN("<&\">"));
	xml_put(&b, "x:c d=\"e\"", SPAN_NONE);
	xml_close(&b, "a xmlns:x=\"urn:x\" n=\"1\"");
	assert_buf(&b, "<a xmlns:x=\"urn:x\" n=\"1\"><x:b>&lt;&amp;&quot;&gt;</x:b>"
		       "<x:c d=\"e\"></x:c></a>");
	b = buf_init(out, 8);
	xml_put(&b, "abc", SPAN("abc"));
	assert_false(buf_ok(&b));
}

/* ---- against xmllint ------------------------------------------------------------------------ */

extern char **environ;

/* Its status on that document; what it prints goes into ret. */
static int xmllint(const char *text, const char *xpath, char *ret, size_t cap)
{
	char in[] = "/tmp/test_xml.XXXXXX", query[128];
	const char *argv[] = { "xmllint", "--nonet", "--noout", in, NULL, NULL, NULL };
	posix_spawn_file_actions_t actions;
	int fd = mkstemp(in), status = -1, pipe_fd[2];
	ssize_t n;
	pid_t pid;

	assert_true(fd >= 0 && pipe(pipe_fd) == 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (xpath) {
		snprintf(query, sizeof query, "string(%s)", xpath);
		argv[2] = "--xpath";
		argv[3] = query;
		argv[4] = in;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(
		    &pid, "xmllint", &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fd[1]);
	n = read(pipe_fd[0], ret, cap - 1);
	ret[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	close(fd);
	unlink(in);
	return status;
}

static void agrees_with_xmllint(void **state)
{
	char out[256];

	(void)state;
	if (xmllint("<a/>", NULL, out, sizeof out) != 0)
		skip(); /* not installed */
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		if (xmllint(broken[i], NULL, out, sizeof out) == 0)
			fail_msg("xmllint takes %s", broken[i]);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(xmllint(good[i].text, good[i].xpath, out, sizeof out), 0);
		if (strncmp(out, good[i].value, strlen(good[i].value)) != 0 ||
			strlen(out) > strlen(good[i].value) + 1)
			fail_msg("xmllint reads \"%s\" in %s", out, good[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(reads),
		cmocka_unit_test(finds_one_or_none),
		cmocka_unit_test(hands_on_bytes_of_gb_encodings),
		cmocka_unit_test(bounds_what_costs),
		cmocka_unit_test(full_arena_is_told),
		cmocka_unit_test(escapes),
		cmocka_unit_test(written),
		cmocka_unit_test(agrees_with_xmllint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
