/*
 * visit.h: users and their browsers: from the address that a till shows, with a form to the
 * wallet's page, and back to the shop. A fake gives its pages; what a user decides there is posted
 * to the page's own form as "do", pay or cancel.
 */
#ifndef XW_VISIT_H
#define XW_VISIT_H

#include "fake.h"

#define VISITS 512

enum visit_user {
	VISIT_PAYS,
	VISIT_CANCELS,
	VISIT_LEAVES,        /* closes the page before paying */
	VISIT_PAYS_AND_GOES, /* closes it after paying: no browser tells */
};

struct visit {
	bool used;
	enum visit_user user;
	int32_t ms;
	char path[64], form[512]; /* of the page where the user decides */
};

/* The wallet's own page for a request of a browser; NULL: it has none. */
typedef struct http_out *visit_page_fn(
	void *state, const struct sandbox_host *h, const struct http_msg *m);

struct visits {
	visit_page_fn *page;
	void *state;
	uint32_t generation;
	int done;
	char last_page[1024]; /* what a browser shows */
	struct visit visit[VISITS];
};

/* What a cookie is for; a fake's own kinds begin at VISIT_KINDS. */
enum visit_kind { VISIT_PAGE, VISIT_DECIDES, VISIT_BACK, VISIT_KINDS };

/* What the switch calls itself, where that is not where we reach it. */
struct span visit_switch_origin(const struct sandbox_host *h);
/* An answer (m) or a timer (NULL) of that kind. */
void visit_goes_on(struct visits *v, const struct sandbox_host *h, enum visit_kind kind,
	uint32_t index, const struct http_msg *m);
/* {"do":"browse","url":U,"behaviour":B,"ms":M}; {"do":"show"}, which answers
 * {"ok":true,"visits":N,"page":...}. False: it is neither, nothing was written. */
bool visit_control(struct visits *v, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);

#endif
