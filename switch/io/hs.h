/*
 * hs.h: what the two halves of the HTTP server share: http_server.c has the listener, the exchanges
 * and the deadlines, hs_conn.c the life of one connection. Nobody else includes this.
 */
#ifndef XW_HS_H
#define XW_HS_H

#include "http_server.h"
#include "slab.h"
#include "stream.h"

#include <netinet/in.h>

#define HS_MAGIC   0x68736572u
#define CONN_MAGIC 0x68636f6eu

#define HS_ERROR_HEAD 1024
#define HS_ERROR_BODY 4096

/* Where a connection is; each has one deadline, kept in hs.deadline_us. */
enum conn_state {
	CONN_FREE,
	CONN_TLS,    /* handshake_ms from the accept */
	CONN_IDLE,   /* no byte of a request is here; idle_ms */
	CONN_HEAD,   /* its first bytes are; head_ms from the first */
	CONN_BODY,   /* the head is complete; body_ms, and the rate */
	CONN_WORK,   /* with the handler: no deadline of ours */
	CONN_WRITE,  /* the answer waits for the socket; stall_ms without progress */
	CONN_LINGER, /* all is said; reads on for linger_ms */
};

struct exchange {
	struct hs_exchange pub;
	struct http_msg msg;
	struct conn *conn; /* NULL: the client is gone */
	bool in_use;
	char *storage;
};

struct conn {
	uint32_t magic;
	enum conn_state state;
	struct hs *server;
	struct stream stream;
	struct exchange *x; /* CONN_WORK */
	struct mono opened;
	struct mono since; /* CONN_HEAD: first byte; CONN_BODY: end of the head */
	size_t need;       /* do not read again before so many bytes are here */
	size_t head_bytes; /* CONN_BODY */
	size_t waiting;    /* CONN_WRITE: bytes at the last look */
	size_t lingered;   /* CONN_LINGER: bytes thrown away */
	uint32_t requests;
	bool close_after; /* this answer is the last */
	bool head_only;   /* the request was a HEAD */
	bool pumping;     /* pump is on the stack */
	bool has_cert;
	struct digest cert;
	uint8_t address[16];
	char address_text[INET6_ADDRSTRLEN];
};

struct hs {
	uint32_t magic;
	uint32_t number; /* in the table of servers */
	struct loop *loop;
	struct hs_conf conf;
	hs_request_fn *on_request;
	void *ctx;
	struct event accept_ev;
	struct loop_timer rest;  /* after EMFILE */
	struct loop_timer sweep; /* the earliest deadline */
	bool full, draining;
	/* A connection is used again in a later turn, as events of this one may still mean it;
	 * nothing of the loop means an exchange. */
	struct slab conns, exchanges;
	uint64_t turn;
	void *conn_index, *exchange_index;
	struct conn *conn;
	int64_t *deadline_us; /* by connection, apart from them: a sweep reads 8 bytes each */
	struct exchange *exchange;
	char *arenas;
	char *wire; /* where an answer is put together */
	char *error_head, *error_body;
	struct http_msg msg; /* the message being read */
	struct hs_stats stats;
};

/* Bytes on the wire of the largest request, the framing of chunks included; more are never held. */
static inline size_t hs_request_max(const struct http1_limits *lim)
{
	return lim->line_max + lim->head_max + 2 * lim->body_max;
}

/* hs_conn.c */
/* A connection was accepted; false: it was refused and is gone. */
bool conn_open(struct conn *c, int fd);
void conn_close(struct conn *c);
/* Its deadline has passed. */
void conn_on_deadline(struct conn *c);
/* The answer to the request in work. False: it could not be given. */
bool conn_answer(struct conn *c, const struct http_out *out);

/* hs_error.c */
/* An answer of the server's own, in the listener's dialect; counted. Lives until the next one. */
struct http_out hs_error_out(struct hs *s, int status);

/* http_server.c */
void hs_set_deadline(struct hs *s, struct conn *c, int64_t at_us);
/* NULL: too many in work. */
struct exchange *hs_take_exchange(struct hs *s);
void hs_conn_freed(struct hs *s, struct conn *c);

#endif
