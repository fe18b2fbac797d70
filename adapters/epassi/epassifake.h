/*
 * epassifake.h: the book of the ePassi fake, and the browsers of its users. Everything has a fixed
 * size; STAMPs are found by hash.
 */
#ifndef XW_EPASSIFAKE_H
#define XW_EPASSIFAKE_H

#include "money.h"
#include "signed.h"

#define EF_PAYMENTS (1u << 14)
#define EF_BUCKETS  (1u << 14)
#define EF_VISITS   512
#define EF_REFUNDS  8
#define EF_URL      256
#define EF_PAGE     8192

enum ef_state {
	EF_OPEN, /* the form was taken; the user is to pay */
	EF_PAID,
	EF_LEFT,   /* the user said no */
	EF_CLOSED, /* by a cancel of the switch */
};

struct ef_refund {
	char id[40];
	int64_t amount;
	bool done;
};

struct ef_payment {
	char stamp[65];
	char back[EF_URL], cancel[EF_URL], reject[EF_URL], notify[EF_URL];
	int64_t amount, returned;
	struct wall at;
	enum ef_state state;
	bool taken;  /* it was paid at some time */
	bool unseen; /* closed before its form came */
	uint32_t refund_count, next;
	struct ef_refund refund[EF_REFUNDS];
};

/* What a user does in the browser. */
enum ef_user {
	EF_USER_PAYS,
	EF_USER_CANCELS,
	EF_USER_LEAVES,        /* closes the page before paying */
	EF_USER_PAYS_AND_GOES, /* closes it after paying: nothing but NOTIFY_URL tells */
};

/* A user's browser on its way: to our page, to ePassi's, and back. */
struct ef_visit {
	bool used;
	uint32_t generation;
	enum ef_user user;
	int32_t ms;
	char session[40]; /* of ePassi's page */
};

struct epassifake {
	uint32_t generation; /* of what a reset left behind */
	uint32_t salt, payment_count;
	uint32_t bucket[EF_BUCKETS]; /* heads of chains, 1 based */
	int visits_done;
	char last_page[1024]; /* what the browser shows */
	struct mischief_table mischief;
	struct fake_nonces nonces;
	struct ef_visit visit[EF_VISITS];
	struct ef_payment payments[EF_PAYMENTS];
};

/* What a timer or the answer to a call is for. */
enum ef_purpose {
	EF_VISIT_PAGE,   /* our page came */
	EF_VISIT_DECIDE, /* the user has looked at ePassi's page long enough */
	EF_VISIT_BACK,   /* the page after paying came */
	EF_IGNORED,
};

/* ---- fake_book.c ---- */
uint64_t ef_cookie(const struct epassifake *f, enum ef_purpose p, uint32_t index);
void ef_reset(struct epassifake *f, const struct sandbox_host *h);
struct ef_payment *ef_find(struct epassifake *f, struct span stamp);
/* NULL: there is no room, or the stamp is too long. */
struct ef_payment *ef_new(struct epassifake *f, const struct sandbox_host *h, struct span stamp);
struct ef_payment *ef_by_session(struct epassifake *f, struct span session);
/* "EP", and digits that differ after each reset: PAID, and the name of its page. */
void ef_write_paid(struct buf *b, const struct epassifake *f, const struct ef_payment *p);
const char *ef_state_name(const struct ef_payment *p);
bool ef_book(void *state, size_t i, struct buf *ret_json);

/* What the switch calls itself, where that is not where we reach it. */
struct span ef_switch_origin(const struct sandbox_host *h);

/* ---- fake_pages.c: the form and the pages behind it ---- */
/* NULL: it is none of these. */
struct http_out *ef_page(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);

/* ---- fake_server.c: our partner API, beside the form ---- */
struct http_out *ef_server(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);

/* ---- fake_user.c: users and their browsers ---- */
/* NULL, or what is wrong with the command. */
const char *ef_browse(
	struct epassifake *f, const struct sandbox_host *h, const struct json *command);
void ef_visit_goes_on(struct epassifake *f, const struct sandbox_host *h, enum ef_purpose purpose,
	uint32_t index, const struct http_msg *m);

#endif
