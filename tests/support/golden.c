/*
 * golden.c: reads golden files. A hand-written line reader; every fault of the author is told with
 * file and line and ends the program, since a case that is skipped by mistake proves nothing.
 */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>

struct author {
	const char *path, *keys_dir;
	size_t line;
};

static void __attribute__((noreturn)) complain(const struct author *a, const char *what)
{
	fprintf(stderr, "%s:%zu: %s\n", a->path, a->line, what);
	exit(2);
}

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	char *text;
	long n;

	if (!f || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0) {
		perror(path);
		exit(2);
	}
	text = malloc((size_t)n + 1);
	if (!text || fread(text, 1, (size_t)n, f) != (size_t)n) {
		perror(path);
		exit(2);
	}
	fclose(f);
	text[n] = '\0';
	*ret_n = (size_t)n;
	return text;
}

/* Takes the next word off *rest. */
static struct span word(struct span *rest)
{
	struct span w;

	*rest = span_trim(*rest);
	if (!span_split(rest, ' ', &w))
		return SPAN_NONE;
	*rest = span_trim(*rest);
	return w;
}

static void set(const struct author *a, struct golden_case *c, struct span name, struct span value)
{
	struct golden_setting *s = c->settings;

	while (s < c->settings + c->setting_count && !span_eq(span_str(s->name), name))
		s++;
	if (s == c->settings + GOLDEN_SETTINGS_MAX || !span_to_cstr(name, s->name, sizeof s->name))
		complain(a, "too many settings, or a name too long");
	if (s == c->settings + c->setting_count)
		c->setting_count++;
	s->value = value;
}

static void add_key(const struct author *a, struct golden_case *c, bool own, struct span rest)
{
	char name[48], alg[16], file[64], path[600];

	if (!span_to_cstr(word(&rest), name, sizeof name) ||
		!span_to_cstr(word(&rest), alg, sizeof alg) ||
		!span_to_cstr(word(&rest), file, sizeof file) || !*file)
		complain(a, "a key is: version algorithm file");
	if (strcmp(alg, "hmac") == 0)
		snprintf(path, sizeof path, "%s", file);
	else
		snprintf(path, sizeof path, "%s/%s.pem", a->keys_dir, file);
	keyring_add(&c->keys, own, name, alg, path);
}

static void set_nonce(const struct author *a, struct golden_case *c, struct span hex)
{
	for (size_t i = 0; i < sizeof c->env.nonce; i++) {
		char pair[3] = "";
		char *end;

		span_to_cstr(span_sub(hex, 2 * i, 2), pair, sizeof pair);
		c->env.nonce[i] = (uint8_t)strtoul(pair, &end, 16);
		if (hex.n != 32 || *end)
			complain(a, "a nonce is 32 hexadecimal digits");
	}
}

static void set_rc(const struct author *a, struct golden_case *c, struct span name)
{
	static const struct {
		const char *name;
		enum rc rc;
	} known[] = {
		{ "ok", RC_OK },
		{ "bad", RC_BAD },
		{ "range", RC_RANGE },
		{ "auth", RC_AUTH },
		{ "full", RC_FULL },
		{ "noent", RC_NOENT },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (span_eq(name, span_str(known[i].name))) {
			c->rc = known[i].rc;
			return;
		}
	complain(a, "rc is one of ok, bad, range, auth, full, noent");
}

static void directive(const struct author *a, struct golden_case *c, struct span line)
{
	struct span rest = line, name = word(&rest);
	const struct {
		const char *name;
		struct span *to;
	} texts[] = {
		{ "adapter", &c->adapter },
		{ "peer", &c->env.peer },
		{ "token", &c->env.token },
		{ "origin", &c->env.origin },
		{ "authority", &c->env.authority },
		{ "base_path", &c->env.base_path },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (span_eq(name, span_str(texts[i].name))) {
			*texts[i].to = rest;
			return;
		}
	if (span_eq(name, SPAN("now"))) {
		if (wall_parse(rest, &c->env.now) != RC_OK)
			complain(a, "now is an RFC 3339 time");
	} else if (span_eq(name, SPAN("nonce"))) {
		set_nonce(a, c, rest);
	} else if (span_eq(name, SPAN("set"))) {
		name = word(&rest);
		set(a, c, name, rest);
	} else if (span_eq(name, SPAN("secret"))) {
		char key[40], value[128];

		if (!span_to_cstr(word(&rest), key, sizeof key) ||
			!span_to_cstr(rest, value, sizeof value))
			complain(a, "a secret is: name value");
		keyring_add_secret(&c->keys, key, value);
	} else if (span_eq(name, SPAN("sign")) || span_eq(name, SPAN("verify"))) {
		add_key(a, c, span_eq(name, SPAN("sign")), rest);
	} else if (span_eq(name, SPAN("rc"))) {
		set_rc(a, c, rest);
	} else if (span_eq(name, SPAN("replayed"))) {
		c->replayed = true;
	} else {
		complain(a, "unknown directive");
	}
}

static enum golden_section_kind section_kind(const struct author *a, struct span title)
{
	static const char *const titles[] = {
		[GOLDEN_CANONICAL_CALL] = "canonical call",
		[GOLDEN_CANONICAL_REPLY] = "canonical reply",
		[GOLDEN_HTTP_REQUEST] = "http request",
		[GOLDEN_HTTP_ANSWER] = "http answer",
		[GOLDEN_EXPECT_HTTP] = "expect http",
		[GOLDEN_EXPECT_CANONICAL] = "expect canonical",
		[GOLDEN_EXPECT_WHY] = "expect why",
	};

	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		if (span_eq(title, span_str(titles[i])))
			return (enum golden_section_kind)i;
	complain(a, "unknown section");
}

/* A case begins: what stood before the first case holds for it, keys loaded once for each. */
static struct golden_case *begin_case(const struct author *a, struct golden_file *f,
	const struct golden_case *defaults, struct span title)
{
	const char *slash = strrchr(f->path, '/');
	struct golden_case *c;

	f->cases = realloc(f->cases, (f->count + 1) * sizeof *f->cases);
	if (!f->cases)
		complain(a, "out of memory");
	c = &f->cases[f->count++];
	*c = *defaults;
	if (!span_to_cstr(title, c->title, sizeof c->title))
		complain(a, "the case's name is too long");
	span_to_cstr(span_str(slash ? slash + 1 : f->path), c->file, sizeof c->file);
	return c;
}

static void end_section(struct golden_case *c, const char *text, size_t from, size_t to)
{
	struct golden_section *s = &c->sections[c->section_count - 1];

	while (to > from && text[to - 1] == '\n')
		to--;
	s->text = span_of(text + from, to - from);
	if (s->kind >= GOLDEN_EXPECT_HTTP) {
		c->expect_from = from;
		c->expect_to = to;
	}
}

struct golden_file golden_open(const char *path, const char *keys_dir)
{
	struct author a = { .path = path, .keys_dir = keys_dir };
	struct golden_file f = { 0 };
	struct golden_case defaults = { 0 }, *c = NULL;
	size_t from = 0, start = 0;
	bool in_section = false;
	struct span rest, line;

	snprintf(f.path, sizeof f.path, "%s", path);
	f.text = read_file(path, &f.n);
	rest = span_of(f.text, f.n);
	for (; span_split(&rest, '\n', &line); from += line.n + 1) {
		bool is_case = span_starts(line, SPAN("=== "));
		bool is_section = span_starts(line, SPAN("--- "));

		a.line++;
		if (in_section && (is_case || is_section)) {
			end_section(c, f.text, start, from);
			in_section = false;
		}
		if (is_case) {
			c = begin_case(&a, &f, &defaults, span_sub(line, 4, line.n));
		} else if (is_section) {
			if (!c || c->section_count == GOLDEN_SECTIONS_MAX)
				complain(&a, "a section outside of a case, or too many");
			c->sections[c->section_count++].kind = section_kind(
				&a, span_sub(line, 4, line.n));
			start = from + line.n + 1;
			in_section = true;
		} else if (!in_section && line.n > 0 && line.p[0] != '#') {
			directive(&a, c ? c : &defaults, line);
		}
	}
	if (in_section)
		end_section(c, f.text, start, f.n);
	return f;
}

/* The keys of the defaults are shared by the cases, so they are left to the end of the program. */
void golden_close(struct golden_file *f)
{
	free(f->cases);
	free(f->text);
	*f = (struct golden_file){ 0 };
}

void golden_http_bytes(struct span section, bool is_request, struct buf *ret)
{
	size_t head = span_find_span(section, SPAN("\n\n"));
	struct span lines = span_sub(section, 0, head), line;
	struct span body = span_sub(section, head + 2, section.n);
	bool host = !is_request, length = false;

	while (span_split(&lines, '\n', &line)) {
		host = host || span_istarts(line, SPAN("host:"));
		length = length || span_istarts(line, SPAN("content-length:")) ||
			 span_istarts(line, SPAN("transfer-encoding:"));
		buf_add(ret, line);
		buf_str(ret, "\r\n");
	}
	if (!host)
		buf_str(ret, "host: switch.example\r\n");
	if (!length) {
		buf_str(ret, "content-length: ");
		buf_u64(ret, body.n);
		buf_str(ret, "\r\n");
	}
	buf_str(ret, "\r\n");
	buf_add(ret, body);
}

void golden_http_text(const struct http_out *out, struct buf *ret)
{
	struct span headers = buf_span(&out->headers);

	if (out->method) {
		buf_str(ret, out->method);
		buf_ch(ret, ' ');
		buf_add(ret, buf_span(&out->target));
		buf_str(ret, " HTTP/1.1");
	} else {
		buf_str(ret, "HTTP/1.1 ");
		buf_i64(ret, out->status);
		buf_ch(ret, ' ');
		buf_str(ret, http_status_text(out->status));
	}
	buf_ch(ret, '\n');
	for (size_t i = 0; i < headers.n; i++)
		if (headers.p[i] != '\r')
			buf_ch(ret, headers.p[i]);
	if (out->body.n > 0) {
		buf_ch(ret, '\n');
		buf_add(ret, buf_span(&out->body));
	}
	while (ret->n > 0 && ret->p[ret->n - 1] == '\n')
		ret->n--;
}
