/*
 * fake.h: what the fakes share: reading and building messages, settings, the book's lines, and
 * mischief, which is what a fake was told to do wrong with the next requests of an operation.
 */
#ifndef XW_FAKE_H
#define XW_FAKE_H

#include "money.h"
#include "sandbox.h"

/* A message with room in the arena of the call; NULL when that is full. */
struct http_out *fake_out(const struct sandbox_host *h, int status, size_t body_max);
/* The same with a media type, and a writer of its body. */
struct http_out *fake_json_out(const struct sandbox_host *h, int status, const char *type,
	size_t body_max, struct jw *ret_w);

/* A setting; `otherwise` where it is absent, or no number. */
struct span fake_setting(const struct sandbox_host *h, const char *name, const char *otherwise);
int64_t fake_setting_int(const struct sandbox_host *h, const char *name, int64_t otherwise);
bool fake_setting_is(const struct sandbox_host *h, const char *name, const char *value);
/* Equals the setting, or the setting is absent: a fake without credentials takes any. */
bool fake_setting_allows(const struct sandbox_host *h, const char *name, struct span value);

/* A header, a string; SPAN_NONE where absent, and of a header that is there twice. */
struct span fake_header(const struct http_msg *m, const char *name);
struct span fake_text(const struct json *from, const char *path);
/* {"currency":"EUR","value":"1000"}, value in minor units. Written: nothing for MONEY_NONE. */
bool fake_money(const struct json *from, const char *path, struct money *ret);
void fake_put_money(struct jw *w, const char *key, struct money m);
/* RFC 3339 in UTC, with 0 or 3 digits of a second; nothing for WALL_NONE. */
void fake_put_time(struct jw *w, const char *key, struct wall t, int digits);
/* The members of a line of the book (sandbox.h), but for the state. */
void fake_put_line(struct jw *w, const char *id, struct span own_id, const char *currency,
	int64_t taken, int64_t returned);

/* A timer's or call's cookie: what it is about, and nothing from before a reset. */
uint64_t fake_cookie(uint32_t generation, unsigned kind, uint32_t index);
bool fake_cookie_read(
	uint64_t cookie, uint32_t generation, unsigned *ret_kind, uint32_t *ret_index);

uint32_t fake_hash(struct span s);
/* {"ok":true} or {"ok":false,"error":"..."}, the answers of control. */
void fake_control_ok(struct buf *b);
void fake_control_error(struct buf *b, const char *error);

/* What "mint-code" asks for where a code says what happens when it is scanned:
 * {"behaviour":B,"ms":2000,"count":1,"reusable":false}, all as they are here where not said, B
 * "approve". False: a number is out of range. */
struct fake_mint {
	struct span behaviour;
	int32_t ms;
	uint32_t count;
	bool reusable;
};
bool fake_mint_read(const struct json *command, struct fake_mint *ret);

/* Requests that are told to arrive late, kept until the fake's timer. */
#define FAKE_HELD 8

struct fake_held {
	bool used;
	size_t body_n;
	char method[8], path[128], type[48], key[64], body[4096];
};

/* ---- mischief ------------------------------------------------------------------------------ */

enum mischief {
	MISCHIEF_NONE,
	/* the request has no effect */
	MISCHIEF_SILENT, /* "silent": nobody answers */
	MISCHIEF_CUT,    /* "cut": the connection is cut */
	MISCHIEF_ERROR,  /* "error-NNN": that HTTP status */
	MISCHIEF_LATE,   /* "late": it arrives `ms` later, and nobody answers it */
	/* the request has its effect, and the answer is ... */
	MISCHIEF_APPLY_SILENT, /* "apply-then-silent": not sent */
	MISCHIEF_APPLY_CUT,    /* "apply-then-cut" */
	MISCHIEF_APPLY_ERROR,  /* "apply-then-error-NNN" */
	MISCHIEF_SLOW,         /* "slow": sent after `ms` */
	MISCHIEF_GARBLED,      /* "garbled": cut in the middle of its body */
	MISCHIEF_LAGGING,      /* "lagging": of an inquiry: what was taken within the last `ms` is
				  not found, as by a copy of the book that is behind */
	/* what these are, each fake says for itself */
	MISCHIEF_WRONG_AMOUNT,
	MISCHIEF_WRONG_ID,
	MISCHIEF_UNKNOWN_CODE,
	MISCHIEF_UNSIGNED,
	MISCHIEF_BAD_SIGNATURE,
	MISCHIEF_PENDING,
	MISCHIEF_TWICE,
	MISCHIEF_LATE_SUCCESS,
	MISCHIEF_LATE_REFUSAL,
};

struct mischief_order {
	enum mischief how;
	int status;
	int32_t ms;
};

#define MISCHIEF_ROWS   16
#define MISCHIEF_MS_MAX 86400000

struct mischief_row {
	char op[32];
	uint32_t left;
	struct mischief_order order;
};

struct mischief_table {
	struct mischief_row row[MISCHIEF_ROWS];
};

/*
 * {"do":"misbehave","op":"capture","how":"slow","ms":8000,"count":3}; count 1 and ms 10000 where
 * not said; count 0 takes the order back. `ops` ends with NULL. Writes control's answer.
 */
void mischief_control(struct mischief_table *t, const char *const *ops, const struct json *command,
	struct buf *ret_json);
/* The order for this request of op, counted down. */
struct mischief_order mischief_take(struct mischief_table *t, const char *op);
/*
 * True: the request must not be looked at; what is to be answered was. One that is to arrive late
 * is kept in `held` (NULL: nowhere), if there is room, until the timer of cookie | its slot rings.
 */
bool mischief_stops(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, struct fake_held held[FAKE_HELD], uint64_t cookie);
/* This inquiry must not find what was taken at that time: it lags behind. */
bool mischief_hides(
	const struct mischief_order *o, const struct sandbox_host *h, struct wall taken);
/* Sends the answer as ordered. */
void mischief_reply(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag,
	struct http_out *out);

#endif
