/*
 * tillfake.h: a till that speaks Vipps' ePayment API, and what its files share. Payments are taken
 * from a table in order and never forgotten; when it is full, no more are begun.
 */
#ifndef XW_TILLFAKE_H
#define XW_TILLFAKE_H

#include "fake.h"

#define VT_PAYMENTS 8192
#define VT_TOKEN    512
#define VT_FAULT    64

/* SPEC vipps 2.7 [C:V-EP]: the names of events, in the order in which they may be told. */
enum vt_event {
	VT_CREATED,
	VT_AUTHORIZED,
	VT_ABORTED,
	VT_EXPIRED,
	VT_TERMINATED,
	VT_CAPTURED,
	VT_CANCELLED,
	VT_REFUNDED,
	VT_EVENTS,
};

enum vt_op { VT_NOTHING, VT_CREATE, VT_CAPTURE, VT_CANCEL, VT_REFUND };

struct vt_sums {
	int64_t authorized, cancelled, captured, refunded;
};

/* A call that changes something, until it has an answer that says what became of it. */
struct vt_change {
	enum vt_op op;
	int64_t amount;
	bool only_if_open;
	char key[40];
	uint8_t tries;
};

struct vt_payment {
	char reference[51], currency[4], psp[65], state[16];
	char code[513]; /* the payer's, to be scanned; or ours, for the payer to scan */
	char phone[16];
	bool qr;       /* the payer scans */
	bool captures; /* at once, in full, when it is authorized */
	bool done;     /* nothing is to be followed any more */
	int64_t amount;
	struct vt_sums sums;
	struct vt_change doing;
	int http;         /* status of the last answer to a change */
	char number[8];   /* its ErrorCode */
	uint32_t changes; /* numbers of keys */
	uint32_t answers,
		asked; /* answers to changes, and how many when the reading that is out was asked */
	bool reading, again; /* one is out; another is wanted behind it */
	uint16_t polls;
	uint8_t told; /* bits of enum vt_event */
	uint16_t webhooks;
	uint16_t events; /* that its list of events had, when it was last read */
};

struct tillfake {
	uint32_t generation;
	uint64_t salt; /* of references: no two lives of a till share one */
	uint32_t count;
	char token[VT_TOKEN];
	bool fetching;
	char fault[VT_FAULT];     /* the first thing that the switch did and Vipps would not */
	uint32_t faults, refused; /* refused: webhooks that did not prove themselves */
	struct mischief_table mischief;
	struct vt_payment payment[VT_PAYMENTS];
};

/* What a call or timer is about; the index is a payment's, 1 based, and for a change its number
 * above that: an answer to an earlier one is nobody's. */
#define VT_INDEX_BITS 14
enum vt_kind { VT_FOR_TOKEN, VT_FOR_CHANGE, VT_FOR_READ, VT_FOR_EVENTS, VT_FOR_HOOKS, VT_POLL };

struct vt_payment *vt_find(struct tillfake *f, struct span reference);
uint32_t vt_index(const struct tillfake *f, const struct vt_payment *p);
/* Noted, and shown by every "show": a strict till would have failed here. */
void vt_fault(struct tillfake *f, const char *what);

/* ---- fake_call.c: what we ask of the switch ---- */
/* Sends what the payment is doing; without a token, when there is one. */
void vt_send_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p);
void vt_begin_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	enum vt_op op, int64_t amount, bool only_if_open);
void vt_send_read(
	struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p, bool events);
void vt_send_hooks(struct tillfake *f, const struct sandbox_host *h);
void vt_fetch_token(struct tillfake *f, const struct sandbox_host *h);

/* ---- fake_hear.c: what the switch says ---- */
void vt_on_token(struct tillfake *f, const struct sandbox_host *h, const struct http_msg *m);
void vt_on_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m);
void vt_on_read(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m);
void vt_on_events(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	const struct http_msg *m);
void vt_on_poll(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p);

/* ---- fake_hook.c: webhooks ---- */
void vt_on_webhook(
	struct tillfake *f, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m);
void vt_on_hooks(struct tillfake *f, const struct sandbox_host *h, const struct http_msg *m);

/* ---- fake_verbs.c ---- */
void vt_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);

#endif
