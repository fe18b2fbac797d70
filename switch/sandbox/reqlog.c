/*
 * reqlog.c gathers lines and writes them in one go. The hard thing is that nobody may wait for a
 * log at a thousand requests a second: one write a turn, and what does not fit is written early.
 * Must never show what a message carried.
 */
#include "reqlog.h"

#include "json.h"

#include <errno.h>
#include <unistd.h>

#define LINE_BYTES 1024

static char gathered[64 * 1024];
static size_t gathered_n;

void reqlog_flush(void)
{
	size_t done = 0;

	while (done < gathered_n) {
		ssize_t n = write(STDERR_FILENO, gathered + done, gathered_n - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			break; /* nobody reads: lines are lost, requests are not */
	}
	gathered_n = 0;
}

static void begin_line(struct buf *b, struct jw *w, struct span who, struct wall wall)
{
	char text[40];
	struct buf ts = buf_init(text, sizeof text);

	if (sizeof gathered - gathered_n < LINE_BYTES)
		reqlog_flush();
	*b = buf_init(gathered + gathered_n, LINE_BYTES);
	*w = jw_init(b);
	wall_write(&ts, wall, 6);
	jw_obj(w, NULL);
	jw_str(w, "ts", buf_span(&ts));
	jw_str(w, "who", who);
}

/* A line that did not fit is not begun. */
static void end_line(struct buf *b, struct jw *w)
{
	jw_end(w, '}');
	buf_ch(b, '\n');
	if (buf_ok(b))
		gathered_n += b->n;
}

void reqlog_begin(struct reqlog_entry *e, struct span method, struct span target, struct mono now)
{
	struct span path = span_sub(target, 0, span_find(target, '?'));

	e->begun = now;
	(void)span_to_cstr(span_sub(method, 0, sizeof e->method - 1), e->method, sizeof e->method);
	(void)span_to_cstr(span_sub(path, 0, sizeof e->path - 1), e->path, sizeof e->path);
}

void reqlog_end(const struct reqlog_entry *e, struct span who, const char *dir, int status,
	const char *why, struct mono mono, struct wall wall)
{
	struct buf b;
	struct jw w;

	begin_line(&b, &w, who, wall);
	jw_str(&w, "dir", span_str(dir));
	jw_str(&w, "method", span_str(e->method));
	jw_str(&w, "path", span_str(e->path));
	jw_int(&w, "status", status);
	jw_int(&w, "ms", (mono.us - e->begun.us) / 1000);
	jw_opt(&w, "why", span_str(why));
	end_line(&b, &w);
}

void reqlog_say(struct span who, const char *why, struct wall wall)
{
	struct buf b;
	struct jw w;

	begin_line(&b, &w, who, wall);
	jw_str(&w, "why", span_str(why));
	end_line(&b, &w);
}
