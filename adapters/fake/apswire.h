/*
 * apswire.h: fakes that speak APS, the protocol of Alipay+: the envelope, and members that every
 * message shares. Section numbers in SPEC comments are those of the partner's text.
 */
#ifndef XW_APSWIRE_H
#define XW_APSWIRE_H

#include "fake.h"

/* What is wrong with an envelope of ours. */
enum apsw_spoil {
	APSW_GOOD,
	APSW_UNSIGNED,
	APSW_BAD,
	APSW_URLSAFE, /* the other spelling, which holds */
};

/* Verifies headers and signature of a request of the switch, over the setting client_id. NULL, or
 * the result code to refuse with. */
const char *apsw_check_request(const struct sandbox_host *h, const struct http_msg *m);
/* An answer of the switch to our call to `path`: 200, signed, JSON with a result. Forged: it has no
 * signature that holds. */
bool apsw_check_answer(const struct sandbox_host *h, const char *path, const struct http_msg *m,
	bool *ret_forged, const struct json **ret_body);
/* A message with that body; then its headers, over the body as it is. */
struct http_out *apsw_out(const struct sandbox_host *h, int status, struct span body);
void apsw_seal(const struct sandbox_host *h, const char *time_header, struct span uri,
	enum apsw_spoil spoil, struct http_out *o);
/* Signs and sends a call; `path` is remembered by nobody, so pass the same to apsw_check_answer. */
void apsw_call(const struct sandbox_host *h, uint64_t cookie, const char *path, struct span body);

struct buf apsw_body(const struct sandbox_host *h); /* room for one, from the arena */
void apsw_put_result(struct jw *w, const char *key, const char *code, char status);
/* The order of a merchant in Singapore; official samples spell the store's MCC in two ways.
 * `user_agent`: of the payer's browser, or NULL. */
void apsw_put_order(struct jw *w, const char *reference, struct money amount, const char *store_mcc,
	const char *user_agent);
void apsw_put_time(struct jw *w, const char *key, struct wall t);
struct wall apsw_time(const struct json *from, const char *path);

#endif
