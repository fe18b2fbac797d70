/*
 * servers.h: a private Postgres and a private Redis for one test program: Unix sockets in a fresh
 * folder under /tmp, nothing shared with any other server, gone when the program ends, however it
 * ends. Run as root, the servers run as an unprivileged user.
 */
#ifndef XW_SERVERS_H
#define XW_SERVERS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <sys/types.h>

struct server {
	char dir[64];  /* holds the sockets, and is removed by server_stop */
	char path[96]; /* Redis: its socket */
	pid_t pid;
};

/* False: Postgres, or Redis, is not installed. Anything else that fails ends the program. */
bool server_start_postgres(struct server *s);
bool server_start_redis(struct server *s);
void server_stop(struct server *s);
/* Kills the server hard; brings it back on the same data. */
void server_kill(struct server *s);
void server_restart_postgres(struct server *s);

/* Creates the database with the product's schema. */
void server_make_ledger(const struct server *s, const char *db);
/* "host=... dbname=... user=..."; valid until the next call. */
const char *server_conninfo(const struct server *s, const char *db, const char *user);
PGconn *server_connect(const struct server *s, const char *db, const char *user);

/* Ends the program where the statement fails. The result is the caller's. */
PGresult *sql_query(PGconn *c, const char *text);
void sql_run(PGconn *c, const char *text);
/* First column of the first row as a number; -1 where there is none. */
long long sql_number(PGconn *c, const char *text);
/* The error code, "" where there was none. Valid until the next call. */
const char *sql_code(PGconn *c, const char *text);
/* Runs a file; number of rows of its last statement. */
int sql_file_rows(PGconn *c, const char *path);

#endif
