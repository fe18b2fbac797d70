/*
 * pages.c: the partner API's contract and its problem catalogue, as pages; and the style sheet of
 * the pages that payers see.
 *
 * The contract is the very file that the adapter is tested against, put into the program when it is
 * built; the catalogue is the table that the problem documents are made from. So neither can be
 * stale. Must never show anything of a payment: there is no authentication here.
 */
#include "pages.h"

/* The file's bytes, as they are, between two labels. */
__asm__(".pushsection .rodata\n"
	".global xw_openapi, xw_openapi_end\n"
	"xw_openapi:\n"
	".incbin \"" XW_OPENAPI "\"\n"
	"xw_openapi_end:\n"
	".popsection\n");
extern const char xw_openapi[], xw_openapi_end[];

__asm__(".pushsection .rodata\n"
	".global xw_page_css, xw_page_css_end\n"
	"xw_page_css:\n"
	".incbin \"" XW_PAGE_CSS "\"\n"
	"xw_page_css_end:\n"
	".popsection\n");
extern const char xw_page_css[], xw_page_css_end[];

struct problem {
	const char *slug;
	int status;
	bool retryable;
	const char *title;
};

#define CALL(REASON, slug, status, retryable, title) { slug, status, retryable, title },
#define REFUSAL(REASON, slug, status, title)         { slug, status, false, title },
#define HTTP(slug, status, retryable, title)         { slug, status, retryable, title },
static const struct problem problems[] = {
#include "problem.def"
};
#undef CALL
#undef REFUSAL
#undef HTTP

static bool problem_page(struct span slug, struct http_out *out)
{
	for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
		const struct problem *p = &problems[i];
		if (!span_eq(slug, span_str(p->slug)))
			continue;
		http_out_header(out, "content-type", SPAN("text/plain; charset=utf-8"));
		buf_str(&out->body, p->slug);
		buf_str(&out->body, "\n\n");
		buf_str(&out->body, p->title);
		buf_str(&out->body, ".\nStatus ");
		buf_u64(&out->body, (uint64_t)p->status);
		buf_str(&out->body,
			p->retryable ? ". Repeat the same request with the same Idempotency-Key.\n"
				     : ". Repeating the same request gives the same answer.\n");
		return true;
	}
	return false;
}

bool pages_has_style(const struct http_msg *m)
{
	return span_eq(m->method, SPAN("GET")) && span_eq(m->path, SPAN("/page.css"));
}

bool pages_has(const struct http_msg *m)
{
	return pages_has_style(m) || (span_eq(m->method, SPAN("GET")) &&
					     (span_eq(m->path, SPAN("/v1/openapi.yaml")) ||
						     span_starts(m->path, SPAN("/problems/"))));
}

void pages_answer(const struct http_msg *m, struct http_out *out)
{
	out->status = 200;
	if (pages_has_style(m)) {
		http_out_header(out, "content-type", SPAN("text/css; charset=utf-8"));
		http_out_header(out, "cache-control", SPAN("max-age=3600"));
		buf_add(&out->body, span_of(xw_page_css, (size_t)(xw_page_css_end - xw_page_css)));
	} else if (span_eq(m->path, SPAN("/v1/openapi.yaml"))) {
		http_out_header(out, "content-type", SPAN("application/yaml"));
		buf_add(&out->body, span_of(xw_openapi, (size_t)(xw_openapi_end - xw_openapi)));
	} else if (!problem_page(span_sub(m->path, 10, m->path.n), out)) {
		out->status = 404;
		http_out_header(out, "content-type", SPAN("text/plain; charset=utf-8"));
		buf_str(&out->body, "no such problem\n");
	}
}
