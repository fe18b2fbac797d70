/*
 * golden_run.h: one golden case in three parts, so that a test can compare what came out and a
 * benchmark can repeat the adapter's part alone.
 *
 * What a case needs and lacks (a section, a route, a readable message) stops the program, named.
 */
#ifndef XW_TESTS_GOLDEN_RUN_H
#define XW_TESTS_GOLDEN_RUN_H

#include "golden.h"

#define GOLDEN_TEXT_BYTES (64 * 1024)

/* The adapter's function that the case is about. */
enum golden_act {
	GOLDEN_WRITE_CALL,
	GOLDEN_READ_ANSWER,
	GOLDEN_READ_REQUEST,
	GOLDEN_WRITE_REPLY, /* with its seal */
};

struct golden_run {
	struct golden_case *c;
	const struct adapter *adapter;
	struct adapter_env env; /* the signer may be changed between the parts */
	enum golden_act act;

	struct arena arena, prepared; /* prepared: as it was before the adapter's part */
	char wire[GOLDEN_TEXT_BYTES], target[4096], headers[8192], body[GOLDEN_TEXT_BYTES];
	char text[GOLDEN_TEXT_BYTES];
	struct http_msg msg;
	struct http_out out;
	struct request rq;
	Xw__Canonical *in;  /* the call, or the reply */
	Xw__Canonical *got; /* what was read */
	const char *why;
};

struct golden_run *golden_run_new(struct golden_case *c);
void golden_run_free(struct golden_run *r);
/* The adapter's part; may be repeated. */
enum rc golden_run_act(struct golden_run *r);
/* What came of it, as the text of the case's last section; lives as long as the run. */
struct span golden_run_text(struct golden_run *r, enum rc rc);

#endif
