/*
 * vippsfake.h: what the files of the Vipps MobilePay fake share. Everything has a fixed size;
 * records are taken in order and found by hash; indexes are 1 based, 0 is none.
 */
#ifndef XW_VIPPSFAKE_H
#define XW_VIPPSFAKE_H

#include "digest.h"
#include "fake.h"

#define VF_PAYMENTS   (1u << 16)
#define VF_EVENTS     (1u << 18)
#define VF_KEYS       (1u << 18)
#define VF_META_BYTES (1u << 24)
#define VF_HOOKS      4
#define VF_URL_MAX    256

/* SPEC vipps 2.7 [C:V-EP]: the states of a payment and the names of its events. */
enum vf_state { VF_CREATED, VF_AUTHORIZED, VF_ABORTED, VF_EXPIRED, VF_TERMINATED };
enum vf_event_name {
	VF_EV_CREATED,
	VF_EV_ABORTED,
	VF_EV_EXPIRED,
	VF_EV_CANCELLED,
	VF_EV_CAPTURED,
	VF_EV_REFUNDED,
	VF_EV_AUTHORIZED,
	VF_EV_TERMINATED,
};
enum vf_op { VF_CREATE, VF_CANCEL, VF_CAPTURE, VF_REFUND, VF_GET, VF_OPS };
enum vf_flow { VF_PUSH_MESSAGE, VF_NATIVE_REDIRECT, VF_WEB_REDIRECT, VF_QR };

struct vf_sums {
	int64_t authorized, cancelled, captured, refunded;
};

struct vf_payment {
	char reference[65], phone[16], currency[4];
	int64_t amount;
	struct vf_sums sums;
	struct wall created, expires, approved;
	enum vf_state state;
	enum vf_flow flow;
	bool processing; /* amount 201: for an hour nobody knows */
	uint32_t meta_at, meta_n;
	uint32_t first_event, last_event, next;
	struct {
		uint32_t event; /* the last one that is done with */
		uint16_t tries;
		bool busy; /* a call is out, or a retry is due */
	} delivery[VF_HOOKS];
	uint32_t rate_minute;
	uint8_t rate[VF_OPS];
};

struct vf_event {
	uint32_t payment, next;
	enum vf_event_name name;
	bool success;
	int64_t amount;
	struct wall at;
	char key[51];
};

/* How a call that changes something ended: all that is needed to say it again under its key. */
struct vf_answer {
	int status, code;
	const char *field, *reason; /* of a 400 without a code */
	uint32_t payment, event;
	struct vf_sums sums;
	enum vf_state state;
};

struct vf_key {
	uint32_t life; /* of the fake in which it came; in any other it is free */
	uint8_t id[16], body[16];
	struct wall since;
	struct vf_answer answer;
};

struct vf_hook {
	bool used, by_setting;
	uint32_t after_event; /* events up to this one are older than the registration */
	uint32_t events;      /* bits of enum vf_event_name */
	char id[37], secret[37], url[VF_URL_MAX];
};

struct vippsfake {
	uint32_t generation, life; /* a restart begins another life, which knows no key */
	uint8_t salt[16], token_key[32];
	uint32_t payment_count, event_count, key_count, meta_used;
	uint32_t bucket[VF_PAYMENTS];
	struct mischief_table mischief;
	struct fake_held held[FAKE_HELD];
	struct vf_hook hooks[VF_HOOKS];
	struct vf_key keys[VF_KEYS];
	struct vf_event events[VF_EVENTS];
	struct vf_payment payments[VF_PAYMENTS];
	char meta[VF_META_BYTES];
};

/* What a timer or an answer is for. The index is a payment's, or a held request's. */
enum vf_timer {
	VF_TIMER_APPROVES,
	VF_TIMER_REFUSES,
	VF_TIMER_EXPIRES,
	VF_TIMER_KNOWN,
	VF_TIMER_HELD,
	VF_TIMER_HOOK, /* and the slots after it */
	VF_TIMER_HOOK_LAST = VF_TIMER_HOOK + VF_HOOKS - 1,
	VF_IGNORED,
};

/* ---- fake_book.c ---- */
void vf_begin(struct vippsfake *f, const struct sandbox_host *h);
void vf_reset(struct vippsfake *f, const struct sandbox_host *h);
struct vf_payment *vf_find(struct vippsfake *f, struct span reference);
/* NULL: there is no room, or the reference is too long. */
struct vf_payment *vf_new(struct vippsfake *f, struct span reference);
uint32_t vf_index(const struct vippsfake *f, const struct vf_payment *p);
/* The record of this key, new or old; NULL: there is no room. */
struct vf_key *vf_key(struct vippsfake *f, enum vf_op op, struct span reference, struct span key);
bool vf_keep_meta(struct vippsfake *f, struct vf_payment *p, struct span json);
void vf_write_psp(struct buf *b, const struct vippsfake *f, uint32_t event); /* a UUID */
void vf_write_uuid(struct buf *b, const uint8_t bytes[16]);
const char *vf_state_name(enum vf_state s);
const char *vf_event_text(enum vf_event_name name);

/* What happens to a payment; each adds an event and wakes the webhooks. */
uint32_t vf_happens(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	enum vf_event_name name, bool success, int64_t amount, struct span key);
/* The person approves, refuses, or does nothing; false where the payment does not wait for that. */
bool vf_approve(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p);
bool vf_abort(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p);
bool vf_expire(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p);
/* Asks to be woken when the time to approve is over. */
void vf_await_expiry(struct vippsfake *f, const struct sandbox_host *h, const struct vf_payment *p);
/* Amount 201: the hour is over, and it was approved after all. */
void vf_known(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p);
/* Counts a request; true: too many within this minute. */
bool vf_too_many(const struct sandbox_host *h, struct vf_payment *p, enum vf_op op);

/* ---- fake_person.c: codes and tokens of persons, access tokens ---- */
void vf_write_qr(struct buf *b, struct span phone);
void vf_write_customer_token(struct buf *b, struct span phone);
/* The phone number behind; false: it is none of ours. */
bool vf_read_qr(struct span text, char ret_phone[16]);
bool vf_read_customer_token(struct span text, char ret_phone[16]);
bool vf_is_phone(struct span text); /* 10 to 15 digits with the country code */
void vf_write_access_token(
	const struct vippsfake *f, const struct sandbox_host *h, struct buf *b, int64_t expires_s);
bool vf_access_token_holds(
	const struct vippsfake *f, const struct sandbox_host *h, struct span token);

/* ---- fake_body.c: bodies of answers ---- */
struct http_out *vf_problem(
	const struct sandbox_host *h, int status, int code, const char *field, const char *reason);
struct http_out *vf_answer_out(struct vippsfake *f, const struct sandbox_host *h, enum vf_op op,
	const struct vf_answer *a, const struct mischief_order *o);
struct http_out *vf_payment_out(struct vippsfake *f, const struct sandbox_host *h,
	const struct vf_payment *p, const struct mischief_order *o);
struct http_out *vf_events_out(
	struct vippsfake *f, const struct sandbox_host *h, const struct vf_payment *p);
/* The members of an event, in the list and in webhooks. */
void vf_put_event(struct jw *w, const struct vippsfake *f, uint32_t number);

/* ---- fake_create.c, fake_adjust.c: the calls that change something ---- */
struct vf_answer vf_create(struct vippsfake *f, const struct sandbox_host *h,
	const struct json *body, struct span key);
struct vf_answer vf_cancel(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key);
struct vf_answer vf_capture(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key);
struct vf_answer vf_refund(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, struct span key);
/* 0: approved; else the HTTP status of the refusal and its code. */
int vf_force_approve(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	const struct json *body, int *ret_code);
struct vf_answer vf_refuse(int code);
struct vf_answer vf_invalid(const char *field, const char *reason);

/* ---- fake_hooks.c: webhooks ---- */
void vf_hooks_begin(struct vippsfake *f, const struct sandbox_host *h);
/* Sends what is owed to each registration for this payment, in order. */
void vf_hooks_wake(struct vippsfake *f, const struct sandbox_host *h, uint32_t payment);
void vf_hooks_answer(
	struct vippsfake *f, const struct sandbox_host *h, int hook, uint32_t payment, int status);
void vf_hooks_retry(struct vippsfake *f, const struct sandbox_host *h, int hook, uint32_t payment);
struct http_out *vf_hooks_register(
	struct vippsfake *f, const struct sandbox_host *h, const struct json *body);
struct http_out *vf_hooks_list(const struct vippsfake *f, const struct sandbox_host *h);
struct http_out *vf_hooks_delete(struct vippsfake *f, const struct sandbox_host *h, struct span id);

/* ---- fake_report.c ---- */
/* The text of that day's ledger of funds. False: there is no such day, or no room. */
bool vf_put_report(const struct vippsfake *f, const struct sandbox_host *h, struct span day,
	struct span omit, struct jw *ret);

/* ---- fake_hand.c ---- */
void vf_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);

#endif
