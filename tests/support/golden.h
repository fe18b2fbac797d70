/*
 * golden.h: reads golden files, the plain text cases of the adapters; their form is told in
 * adapters/README.md. A file that breaks it stops the program with its name and line.
 */
#ifndef XW_TESTS_GOLDEN_H
#define XW_TESTS_GOLDEN_H

#include "keyring.h"

#define GOLDEN_SECTIONS_MAX 3
#define GOLDEN_SETTINGS_MAX 24

enum golden_section_kind {
	GOLDEN_CANONICAL_CALL,
	GOLDEN_CANONICAL_REPLY,
	GOLDEN_HTTP_REQUEST,
	GOLDEN_HTTP_ANSWER,
	GOLDEN_EXPECT_HTTP,
	GOLDEN_EXPECT_CANONICAL,
	GOLDEN_EXPECT_WHY,
};

struct golden_section {
	enum golden_section_kind kind;
	struct span text; /* without trailing newlines */
};

struct golden_setting {
	char name[48];
	struct span value;
};

struct golden_case {
	char file[64], title[160];
	struct span adapter;
	struct adapter_env env; /* without arena, signer, setting */
	struct golden_setting settings[GOLDEN_SETTINGS_MAX];
	size_t setting_count;
	struct keyring keys;
	enum rc rc;
	bool replayed;
	struct golden_section sections[GOLDEN_SECTIONS_MAX];
	size_t section_count;
	/* Where in the file's text the expect section lies, for printing the file anew. */
	size_t expect_from, expect_to;
};

struct golden_file {
	char path[512];
	char *text;
	size_t n;
	struct golden_case *cases;
	size_t count;
};

/* keys_dir: where NAME.pem and NAME.txt of `sign` and `verify` lines are. */
struct golden_file golden_open(const char *path, const char *keys_dir);
void golden_close(struct golden_file *f);

/* A head in lines becomes one with CRLF, with host and content-length where they are missing. */
void golden_http_bytes(struct span section, bool is_request, struct buf *ret);
/* What an adapter wrote, as the text of a section. */
void golden_http_text(const struct http_out *out, struct buf *ret);

#endif
