/*
 * fake.h: what the fakes share: building answers, settings as numbers, and mischief, which is what
 * a fake was told to do wrong with the next requests of an operation.
 */
#ifndef XW_FAKE_H
#define XW_FAKE_H

#include "sandbox.h"

/* A message with room in the arena of the call; NULL when that is full. */
struct http_out *fake_out(const struct sandbox_host *h, int status, size_t body_max);
/* A setting as a number; `otherwise` where it is absent or no number. */
int64_t fake_setting_int(const struct sandbox_host *h, const char *name, int64_t otherwise);
bool fake_setting_is(const struct sandbox_host *h, const char *name, const char *value);
/* Equals the setting, or the setting is absent: a fake without credentials takes any. */
bool fake_setting_allows(const struct sandbox_host *h, const char *name, struct span value);
uint32_t fake_hash(struct span s);
struct span fake_header(const struct http_msg *m, const char *name); /* SPAN_NONE: absent, twice */
/* {"ok":true} or {"ok":false,"error":"..."}, the answers of control. */
void fake_control_ok(struct buf *b);
void fake_control_error(struct buf *b, const char *error);

/* Requests that are told to arrive late, kept until the fake's timer. */
#define FAKE_HELD 8

struct fake_held {
	bool used;
	size_t body_n;
	char method[8], path[128], type[48], key[64], body[4096];
};

/* The slot, or -1: none is free, or it does not fit. */
int fake_hold(struct fake_held held[FAKE_HELD], const struct http_msg *m);

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
	/* what these are, each fake says for itself */
	MISCHIEF_WRONG_AMOUNT,
	MISCHIEF_WRONG_ID,
	MISCHIEF_UNKNOWN_CODE,
	MISCHIEF_UNSIGNED,
	MISCHIEF_BAD_SIGNATURE,
	MISCHIEF_PENDING,
	MISCHIEF_TWICE,
	MISCHIEF_LATE_SUCCESS,
};

struct mischief_order {
	enum mischief how;
	int status;
	int32_t ms;
};

#define MISCHIEF_ROWS   16
#define MISCHIEF_MS_MAX 86400000

struct mischief_row {
	char op[24];
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
/* The request must not be looked at: nobody will answer, or `out`-less refusals were sent already.
 */
bool mischief_swallows(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag);
/* Sends the answer as ordered. */
void mischief_reply(const struct mischief_order *o, const struct sandbox_host *h, uint64_t tag,
	struct http_out *out);

#endif
