/*
 * http1.h: HTTP/1.1 messages as a pure function of bytes; strict by rules H-2 to H-11, each of
 * which stands for an attack that some server fell to. No state, no allocation, no copy but the
 * in-place joining of chunks. Methods: GET, HEAD, POST, PUT, PATCH, DELETE.
 */
#ifndef XW_HTTP1_H
#define XW_HTTP1_H

#include "buf.h"
#include "rc.h"

#define HTTP1_HEADERS_MAX 64
#define HTTP1_CHUNKS_MAX  1024 /* of one body; more is an attack on whoever walks them: 413 */

struct http_header {
	struct span name;  /* as received */
	struct span value; /* trimmed */
};

/* One message as received, or as about to be sent. Spans point into the caller's bytes. */
struct http_msg {
	bool is_answer;
	bool http10; /* answers only; a request must be 1.1 */
	bool close;  /* Connection: close */
	bool expects_100;
	int status;         /* answers */
	struct span method; /* requests */
	struct span target; /* origin form as on the wire: path and query; what gets signed */
	struct span path;
	struct span query; /* without "?"; may be empty */
	struct span host;  /* Host, or the authority of an absolute-form target (must agree) */
	size_t header_count;
	bool underscored; /* one of the names has a "_" */
	struct http_header header[HTTP1_HEADERS_MAX];
	struct span body; /* whole, chunks joined */
};

struct http1_limits {
	size_t line_max;       /* request line: 414 */
	size_t header_max;     /* one header line: 431 */
	size_t head_max;       /* all headers: 431 */
	size_t body_max;       /* 413 */
	bool allow_underscore; /* header names with "_"; the caller judges them */
};

extern const struct http1_limits http1_limits_default; /* 4 KiB, 4 KiB, 16 KiB, 64 KiB */

/*
 * Reads one whole message from the front of `in`, which is modified where chunks are joined.
 * RC_OK: *ret_used bytes belong to it. RC_MORE: read more and call again with all bytes; once
 * *ret_head_done is set, *ret is the message without its body (for deadlines and "100 Continue").
 * RC_BAD, RC_FULL: *ret_status is the answer to give (400 411 413 414 415 417 431 501 505) and the
 * connection ends after it. Whether `host` is a name of ours (H-6) is the caller's to ask.
 */
MUST enum rc http1_read_request(char *in, size_t n, const struct http1_limits *limits,
	struct http_msg *ret, size_t *ret_used, int *ret_status, bool *ret_head_done);
/* As above for an answer to `method`; framing by length or chunks only, HEAD/204/304 without body.
 * Interim answers (1xx but 101) are passed over. Header values may hold bytes above 0x7f. */
MUST enum rc http1_read_answer(char *in, size_t n, struct span method,
	const struct http1_limits *limits, struct http_msg *ret, size_t *ret_used);

/* The only header of that name (any case). False when absent, or when it is there twice. */
bool http_header_get(const struct http_msg *m, const char *name, struct span *ret);
size_t http_header_count(const struct http_msg *m, const char *name);
/* A parameter of the query, percent-decoded into the given storage ("+" stays "+"); false if
 * absent, repeated, malformed or too long. */
bool http_query_get(const struct http_msg *m, const char *name, struct buf *ret);

/* A message being written: head lines and body apart, each bounded, joined at the end. */
struct http_out {
	int status;         /* answers */
	const char *method; /* requests */
	struct buf target;  /* requests: origin form, beginning with "/" */
	struct buf
		headers; /* "name: value" CRLF each, lower-case names, without the framing ones */
	struct buf body;
};

/* A value that holds anything but visible ASCII, blanks and tabs spoils the message: not ok. */
void http_out_header(struct http_out *o, const char *name, struct span value);
/* Finds the first header of that name already written; for signature bases. */
bool http_out_get(const struct http_out *o, const char *name, struct span *ret);
bool http_out_ok(const struct http_out *o);
/* The bytes for the wire: start line, host (requests), headers, content-length, body. A message
 * that is not ok overflows b, so that half of one is never sent. */
void http1_write_request(struct buf *b, const struct http_out *o, struct span host);
void http1_write_answer(struct buf *b, const struct http_out *o, bool close);
const char *http_status_text(int status);

#endif
