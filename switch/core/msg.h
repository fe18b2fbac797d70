/*
 * msg.h: the canonical message made plain: every field checked and bounded, no pointers. canon.c
 * converts between this and the protobuf form; nothing else in the core knows protobuf.
 */
#ifndef XW_MSG_H
#define XW_MSG_H

#include "money.h"
#include "op.h"
#include "when.h"

#define MSG_ID           65 /* with the final NUL; every string below is NUL-terminated */
#define MSG_CODE         513
#define MSG_CODES_MAX    10
#define MSG_REFUNDS_MAX  16
#define MSG_CAPTURES_MAX 4
#define MSG_RULES_MAX    128 /* of a scheme's codes; in the canonical form alone, like the next */
#define MSG_RULE         201

struct msg_party {
	char id[MSG_ID];
	char handle[257]; /* personal */
	char name[257];
	char mcc[9];
	char country[3];
	char city[65];
	char address[257];
	char store_id[MSG_ID];
	char store_name[257];
	char terminal_id[MSG_ID];
};

struct msg_quote {
	char id[MSG_ID];
	char pair[17];
	char price[33];
	struct wall from, until;
};

struct msg_code {
	char text[MSG_CODE]; /* personal, single use */
	char format[17];
	char scheme[33];
	struct wall from, until;
};

struct msg_refund {
	char id[MSG_ID];
	char peer_id[MSG_ID];
	struct money amount; /* order currency */
	struct money settle; /* none: as the amount */
	char reason[257];
	enum outcome outcome; /* in lists of refunds only, like the next */
	struct wall at;
	bool release; /* of what the acquirer's side did not capture */
};

/* What an acquirer's side that captures later has taken. */
struct msg_capture {
	char id[MSG_ID];
	char peer_id[MSG_ID];
	struct money amount;
	struct wall at;
};

struct msg {
	enum op op;
	bool answer;
	bool authentic;
	char key[MSG_ID];
	char request_id[MSG_ID];
	char peer_id[MSG_ID];
	char object_id[MSG_ID];
	char event_id[MSG_ID];
	char issuer_payment_id[MSG_ID];
	char issuer[MSG_ID]; /* whose wallet it is, by the id that we assigned to it */
	char same[129]; /* what makes a repeat the same, where their text says it: else all of it */

	struct msg_code code;
	struct msg_party payer, merchant, acquirer;
	char order_reference[MSG_ID];
	char order_description[257];
	char legal_name[257], legal_type[MSG_ID], legal_number[MSG_ID]; /* of who is registered */
	struct money order_amount;

	struct money amount; /* payment.amount */
	struct money settle;
	struct ccy settle_ccy;
	struct msg_quote quote;
	struct wall expires;
	char mode[4]; /* "CPM", "MPM" */
	char notify_url[513], return_url[513];

	char undo_id[MSG_ID];
	bool only_if_open;
	bool has_refund;
	struct msg_refund refund;

	enum outcome outcome;
	enum reason reason;
	char their_code[MSG_ID];
	char their_text[257];
	struct wall at;

	bool has_counts;
	struct money held, taken, released, returned;

	bool has_problem;
	enum reason problem;
	char detail[257], pointer[129];
	int32_t retry_after_s;
	char limit[MSG_ID], limit_value[33], limit_used[33];
	struct wall limit_resets;

	char brand[65];
	int32_t ask_after_ms;
	int32_t quantity;
	uint8_t code_count;
	struct msg_code codes[MSG_CODES_MAX];
	uint8_t refund_count;
	struct msg_refund refunds[MSG_REFUNDS_MAX];
	bool has_capture; /* the message is about this one */
	struct msg_capture capture;
	uint8_t capture_count;
	struct msg_capture captures[MSG_CAPTURES_MAX];
	struct wall created; /* replies and notifications: when the payment began */
	char status[25];
	uint32_t version;     /* of our record, in replies and notifications */
	char nonce[193];      /* "<keyid> <nonce>" of a signed request */
	char action_url[513]; /* pending: where the payer goes on, in a browser */
	char user_agent[513]; /* personal: the browser that a payer comes with */
};

#endif
