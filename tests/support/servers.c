/*
 * servers.c starts database servers for a test and sees that they end with it: they are children
 * that the kernel kills when their parent dies. The hard thing is root: Postgres refuses it, so the
 * child takes another user before anything else. Never touches a server that it did not start.
 */
#include "servers.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX 40

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 10000000 }, 0);
}

static const struct passwd *service_user(void)
{
	const struct passwd *pw = getpwnam("postgres");

	return pw ? pw : getpwnam("nobody");
}

static void make_dir(struct server *s, const char *kind)
{
	snprintf(s->dir, sizeof s->dir, "/tmp/xw%s-XXXXXX", kind);
	if (!mkdtemp(s->dir))
		die(s->dir);
	if (geteuid() == 0) {
		const struct passwd *pw = service_user();
		if (!pw || chown(s->dir, pw->pw_uid, pw->pw_gid) != 0)
			die("chown");
	}
}

/* Starts a program, as the service user or as ourselves, its output in `log` of the server's
 * folder. Its name in argv may differ from the file. */
static pid_t spawn(
	bool service, const struct server *s, const char *log, const char *file, char *const argv[])
{
	char path[160];
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	if (service && geteuid() == 0) {
		const struct passwd *pw = service_user();
		if (!pw || initgroups(pw->pw_name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
			setuid(pw->pw_uid) != 0)
			_exit(126);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	snprintf(path, sizeof path, "%s/%s", s->dir, log);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	if (chdir(s->dir) != 0 || fd < 0 || null < 0)
		_exit(126);
	dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	execv(file, argv);
	_exit(127);
}

static int run_as(
	bool service, const struct server *s, const char *log, const char *file, char *const argv[])
{
	int status;
	pid_t pid = spawn(service, s, log, file, argv);

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool find_program(const char *pattern, char *ret, size_t cap)
{
	glob_t g;
	bool found = glob(pattern, 0, 0, &g) == 0 && g.gl_pathc > 0;

	if (found)
		snprintf(ret, cap, "%s", g.gl_pathv[g.gl_pathc - 1]);
	globfree(&g);
	return found;
}

static void launch_postgres(struct server *s)
{
	char bin[128];
	char *argv[] = { "postgres", "-D", "data", "-k", s->dir, "-c", "listen_addresses=", "-c",
		"max_connections=40", "-c", "shared_buffers=64MB", "-c", "autovacuum_naptime=10s",
		"-c", "log_min_messages=warning", 0 };
	int status;

	if (!find_program("/usr/lib/postgresql/*/bin/postgres", bin, sizeof bin))
		die("postgres");
	/* After a hard kill the old children may still hold the memory for a moment: then try
	 * again. */
	for (int i = 0; i < 3000; i++, nap()) {
		if (s->pid == 0)
			s->pid = spawn(true, s, "postgres.log", bin, argv);
		if (PQping(server_conninfo(s, "postgres", "postgres")) == PQPING_OK)
			return;
		if (waitpid(s->pid, &status, WNOHANG) == s->pid)
			s->pid = 0;
	}
	die("the test's Postgres does not answer");
}

bool server_start_postgres(struct server *s)
{
	char bin[128];
	char *argv[] = { "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync", 0 };

	if (!find_program("/usr/lib/postgresql/*/bin/initdb", bin, sizeof bin))
		return false;
	make_dir(s, "pg");
	if (run_as(true, s, "initdb.log", bin, argv) != 0)
		die("initdb");
	launch_postgres(s);
	return true;
}

void server_restart_postgres(struct server *s)
{
	launch_postgres(s);
}

/* Debian's redis-tools has the server too: the programs are one, told apart by their name. */
bool server_start_redis(struct server *s)
{
	char bin[128];
	char *argv[] = { "redis-server", "--port", "0", "--unixsocket", s->path, "--save", "",
		"--appendonly", "no", "--daemonize", "no", 0 };

	if (!find_program("/usr/bin/redis-server", bin, sizeof bin) &&
		!find_program("/usr/bin/redis-check-rdb", bin, sizeof bin))
		return false;
	make_dir(s, "rd");
	snprintf(s->path, sizeof s->path, "%s/redis.sock", s->dir);
	s->pid = spawn(true, s, "redis.log", bin, argv);
	for (int i = 0; i < 1000; i++, nap())
		if (access(s->path, F_OK) == 0)
			return true;
	die("the test's Redis does not answer");
}

void server_kill(struct server *s)
{
	int status;

	kill(s->pid, SIGKILL);
	kill(s->pid, SIGCONT);
	waitpid(s->pid, &status, 0);
	s->pid = 0;
}

void server_stop(struct server *s)
{
	char *argv[] = { "rm", "-rf", s->dir, 0 };
	int status;

	if (s->pid > 0) {
		kill(s->pid, SIGCONT);
		kill(s->pid, SIGQUIT); /* Postgres: at once, children too */
		for (int i = 0; i < 100 && waitpid(s->pid, &status, WNOHANG) == 0; i++)
			nap();
		kill(s->pid, SIGKILL);
		waitpid(s->pid, &status, 0);
	}
	/* A child of Postgres may still be writing its last words. */
	for (int i = 0; i < 50 && access(s->dir, F_OK) == 0; i++, nap())
		run_as(false, s, "rm.log", "/bin/rm", argv);
}

void server_make_ledger(const struct server *s, const char *db)
{
	char create[128], conninfo[256], script[] = XW_TESTS "/../schema/migrate";
	char *argv[] = { "sh", script, conninfo, 0 };
	PGconn *c = server_connect(s, "postgres", "postgres");

	snprintf(create, sizeof create, "create database %s", db);
	sql_run(c, create);
	PQfinish(c);
	snprintf(conninfo, sizeof conninfo, "%s", server_conninfo(s, db, "postgres"));
	/* As ourselves: the service user may not be able to enter the checkout. */
	if (run_as(false, s, "migrate.log", "/bin/sh", argv) != 0)
		die("schema/migrate");
}

const char *server_conninfo(const struct server *s, const char *db, const char *user)
{
	static char text[256];

	snprintf(text, sizeof text, "host=%s dbname=%s user=%s", s->dir, db, user);
	return text;
}

PGconn *server_connect(const struct server *s, const char *db, const char *user)
{
	PGconn *c = PQconnectdb(server_conninfo(s, db, user));

	if (PQstatus(c) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(c));
		exit(1);
	}
	PQsetNoticeProcessor(c, (PQnoticeProcessor)0, 0);
	return c;
}

PGresult *sql_query(PGconn *c, const char *text)
{
	PGresult *r = PQexec(c, text);
	ExecStatusType status = PQresultStatus(r);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		fprintf(stderr, "%s\n%s", text, PQerrorMessage(c));
		exit(1);
	}
	return r;
}

void sql_run(PGconn *c, const char *text)
{
	PQclear(sql_query(c, text));
}

long long sql_number(PGconn *c, const char *text)
{
	PGresult *r = sql_query(c, text);
	long long n = PQntuples(r) > 0 && !PQgetisnull(r, 0, 0) ? atoll(PQgetvalue(r, 0, 0)) : -1;

	PQclear(r);
	return n;
}

const char *sql_code(PGconn *c, const char *text)
{
	static char code[8];
	PGresult *r = PQexec(c, text);
	const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	snprintf(code, sizeof code, "%s", s ? s : "");
	PQclear(r);
	return code;
}

int sql_file_rows(PGconn *c, const char *path)
{
	static char text[16384];
	FILE *f = fopen(path, "r");

	if (!f)
		die(path);
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	PGresult *r = sql_query(c, text);
	int rows = PQntuples(r);
	PQclear(r);
	return rows;
}
