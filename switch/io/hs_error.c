/*
 * hs_error.c writes what the HTTP server says by itself: refusals of what is no request, of what
 * came too late, and of too much. The hard thing is that these answers are read by people of many
 * dialects, so the listener's owner may write them; a problem document is only the default. Must
 * never tell anything of our inside.
 */
#include "hs.h"

static const char *slug_of(int status)
{
	switch (status) {
	case 405:
		return "method-not-allowed";
	case 408:
		return "request-timeout";
	case 413:
		return "payload-too-large";
	case 414:
		return "uri-too-long";
	case 415:
		return "unsupported-media-type";
	case 429:
		return "rate-limited";
	case 431:
		return "headers-too-large";
	case 500:
		return "internal";
	case 503:
		return "overloaded";
	default:
		return "malformed-request";
	}
}

/* SPEC standards 4, P-1: type, title, status; nothing of ours inside. */
static void write_problem(
	const struct hs_conf *conf, int status, const char *slug, struct http_out *out)
{
	struct buf *b = &out->body;

	http_out_header(out, "content-type", SPAN("application/problem+json"));
	buf_str(b, "{\"type\":\"");
	buf_add(b, conf->origin);
	buf_str(b, "/problems/");
	buf_str(b, slug);
	buf_str(b, "\",\"title\":\"");
	buf_str(b, http_status_text(status));
	buf_str(b, "\",\"status\":");
	buf_u64(b, (uint64_t)status);
	buf_str(b, status == 408 || status == 429 || status >= 500 ? ",\"retryable\":true}"
								   : ",\"retryable\":false}");
}

struct http_out hs_error_out(struct hs *s, int status)
{
	struct http_out out = { .status = status,
		.headers = buf_init(s->error_head, HS_ERROR_HEAD),
		.body = buf_init(s->error_body, HS_ERROR_BODY) };
	const char *slug = slug_of(status);

	if (status == 503 || status == 429)
		http_out_header(&out, "retry-after", SPAN("1"));
	if (s->conf.write_error)
		s->conf.write_error(s->conf.error_ctx, status, slug, &out);
	else
		write_problem(&s->conf, status, slug, &out);
	s->stats.refused[status - HS_STATUS_MIN]++;
	return out;
}
