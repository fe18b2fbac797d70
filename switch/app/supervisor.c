/*
 * supervisor.c: opens the sockets once, starts the roles, restarts what dies, stops them in order.
 *
 * It reads nothing from the network and holds no payment, so it has no reason to die. Listening
 * sockets are its own: a worker that is killed takes only the connection that it was serving with
 * it, and the queue goes on to the next. The hard thing is the new configuration: new workers start
 * on the same sockets before the old ones drain. Must never leave a role running that it does not
 * know.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "sysclock.h"

#include "proc.h"

#define PAGE_MAGIC  0x58575047u
#define HANGING_US  (10 * 1000000)
#define STOP_US     (30 * 1000000)
#define BACKOFF_MAX (5 * 1000000)

/* A place that is to be filled: a role, and the process that fills it now. */
struct place {
	enum role role;
	int slot;  /* in the page; -1: none */
	pid_t pid; /* 0: not running */
	int64_t started_us, restart_at_us, backoff_us;
};

struct supervisor {
	const struct conf *conf;
	struct proc_page *page;
	int partners_fd, operators_fd;
	struct proc_bells bells;
	int places;
	struct place place[PROC_MAX];
	int leaving; /* processes of an older configuration that drain */
	pid_t leaving_pid[PROC_MAX];
	int leaving_slot[PROC_MAX];
	bool stopping, reload;
	int64_t stop_at_us;
	const char *file;
};

void proc_log(const char *level, const char *event, const char *text)
{
	char line[1024], ts[40];
	struct buf b = buf_init(line, sizeof line), t = buf_init(ts, sizeof ts);
	struct jw j = jw_init(&b);

	wall_write(&t, sysclock_wall(), 6);
	jw_obj(&j, NULL);
	jw_str(&j, "ts", buf_span(&t));
	jw_str(&j, "lvl", span_str(level));
	jw_str(&j, "ev", span_str(event));
	jw_str(&j, "text", span_str(text));
	jw_end(&j, '}');
	buf_ch(&b, '\n');
	if (buf_ok(&b))
		(void)!write(STDERR_FILENO, line, b.n);
}

static int open_listener(const struct conf_listener *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(l->port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Accepted sockets inherit TCP_NODELAY: without it TLS answers wait for a delayed ACK. */
	if (inet_pton(AF_INET, l->address, &a.sin_addr) == 1 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
		bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1024) == 0)
		return fd;
	close(fd);
	return -1;
}

static int free_slot(struct supervisor *s)
{
	for (int i = 0; i < PROC_MAX; i++)
		if (s->page->slot[i].role == ROLE_NONE)
			return i;
	return -1;
}

static int run_role(struct supervisor *s, enum role role, int slot)
{
	struct proc_slot *p = &s->page->slot[slot];

	switch (role) {
	case ROLE_WORKER:
		return worker_run(s->conf, s->page, slot, s->partners_fd, &s->bells);
	case ROLE_CLERK:
		return clerk_run(s->conf, s->page, slot, &s->bells);
	case ROLE_CONSOLE:
		return console_run(s->conf, s->page, p, s->operators_fd);
	case ROLE_NONE:
		break;
	}
	return 1;
}

static void start(struct supervisor *s, struct place *p)
{
	static const char *const name[] = { "", "worker", "clerk", "console" };
	pid_t parent = getpid();
	sigset_t none;

	p->slot = free_slot(s);
	p->started_us = sysclock_mono().us;
	if (p->slot < 0)
		return;
	memset(&s->page->slot[p->slot], 0, sizeof s->page->slot[0]);
	s->page->slot[p->slot].role = p->role;
	s->page->slot[p->slot].started_us = s->page->slot[p->slot].turned_us = p->started_us;
	p->pid = fork();
	if (p->pid == 0) {
		char title[16];
		/* A role never outlives its supervisor. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(0);
		snprintf(title, sizeof title, "xw-%s", name[p->role]);
		prctl(PR_SET_NAME, title);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		s->page->slot[p->slot].pid = getpid();
		_exit(run_role(s, p->role, p->slot));
	}
	if (p->pid < 0) {
		s->page->slot[p->slot].role = ROLE_NONE;
		p->pid = 0;
		p->restart_at_us = p->started_us + 1000000;
	}
}

static void ended(struct supervisor *s, pid_t pid, int status)
{
	char text[128];
	int64_t now = sysclock_mono().us;

	for (int i = 0; i < s->leaving; i++) {
		if (s->leaving_pid[i] != pid)
			continue;
		s->page->slot[s->leaving_slot[i]].role = ROLE_NONE;
		s->leaving--;
		s->leaving_pid[i] = s->leaving_pid[s->leaving];
		s->leaving_slot[i] = s->leaving_slot[s->leaving];
		return;
	}
	for (int i = 0; i < s->places; i++) {
		struct place *p = &s->place[i];
		if (p->pid != pid)
			continue;
		p->pid = 0;
		s->page->slot[p->slot].role = ROLE_NONE;
		if (s->stopping)
			return;
		snprintf(text, sizeof text, "role %d, pid %d ended by %s %d", p->role, (int)pid,
			WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		proc_log("error", "role-ended", text);
		s->page->restarts++;
		/* At once after a good life; slower and slower when it dies young. */
		if (now - p->started_us > 10 * 1000000)
			p->backoff_us = 0;
		p->restart_at_us = now + p->backoff_us;
		p->backoff_us = p->backoff_us ? p->backoff_us * 2 : 100000;
		if (p->backoff_us > BACKOFF_MAX)
			p->backoff_us = BACKOFF_MAX;
		return;
	}
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(s, pid, status);
}

/* A loop that does not turn holds connections and helps nobody. */
static void watch(struct supervisor *s)
{
	int64_t now = sysclock_mono().us;

	s->page->supervisor_turned_us = now;
	for (int i = 0; i < s->places; i++) {
		struct place *p = &s->place[i];
		if (!p->pid && !s->stopping && now >= p->restart_at_us)
			start(s, p);
		else if (p->pid && !s->stopping &&
			 now - s->page->slot[p->slot].turned_us > HANGING_US) {
			proc_log("error", "role-hangs", "killed");
			kill(p->pid, SIGKILL);
		}
	}
	for (int i = 0; i < s->leaving; i++)
		if (now - s->page->slot[s->leaving_slot[i]].turned_us > HANGING_US)
			kill(s->leaving_pid[i], SIGKILL);
}

static void stop(struct supervisor *s)
{
	int64_t now = sysclock_mono().us;

	if (!s->stopping)
		s->stop_at_us = now + STOP_US;
	s->stopping = true;
	s->page->stopping = 1;
	for (int i = 0; i < s->places; i++)
		if (s->place[i].pid)
			kill(s->place[i].pid, SIGTERM);
}

static bool all_gone(struct supervisor *s)
{
	int64_t now = sysclock_mono().us;
	bool gone = s->leaving == 0;

	for (int i = 0; i < s->places; i++) {
		if (!s->place[i].pid)
			continue;
		gone = false;
		if (now > s->stop_at_us)
			kill(s->place[i].pid, SIGKILL);
	}
	return gone;
}

static void plan(struct supervisor *s)
{
	uint32_t workers = s->conf->workers < PROC_MAX / 2 - 2 ? s->conf->workers
							       : PROC_MAX / 2 - 2;

	s->places = 0;
	for (uint32_t i = 0; i < workers; i++)
		s->place[s->places++] = (struct place){ .role = ROLE_WORKER };
	s->place[s->places++] = (struct place){ .role = ROLE_CLERK };
	s->place[s->places++] = (struct place){ .role = ROLE_CONSOLE };
}

/* A new configuration, whole or not at all: new roles on the same sockets, then the old ones drain.
 * One at a time: there are places for two generations, and who is told twice does not drain. */
static void reload(struct supervisor *s)
{
	const char *why;
	struct conf *fresh;

	s->reload = false;
	fresh = conf_load(s->conf->file, &why);
	if (!fresh) {
		proc_log("error", "reload-refused", why);
		return;
	}
	if (setup_run(fresh) != 0) {
		proc_log("error", "reload-refused", "the ledger does not take it");
		return;
	}
	for (int i = 0; i < s->places; i++) {
		if (!s->place[i].pid)
			continue;
		s->leaving_pid[s->leaving] = s->place[i].pid;
		s->leaving_slot[s->leaving++] = s->place[i].slot;
	}
	s->conf = fresh; /* the old one stays: it is small, and roles being forked may still read it
			  */
	plan(s);
	for (int i = 0; i < s->places; i++)
		start(s, &s->place[i]);
	for (int i = 0; i < s->leaving; i++)
		kill(s->leaving_pid[i], SIGTERM);
	proc_log("info", "reloaded", s->conf->file);
}

/* Readiness and stopping for a service manager, where there is one (sd_notify's protocol). */
static void tell_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n == 0 || n >= sizeof a.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

static bool open_all(struct supervisor *s)
{
	s->page = mmap(
		NULL, sizeof *s->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->page == MAP_FAILED)
		return false;
	s->page->magic = PAGE_MAGIC;
	for (int i = 0; i < PROC_MAX; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
			return false;
		s->bells.hear[i] = pair[0];
		s->bells.ring[i] = pair[1];
	}
	s->partners_fd = open_listener(&s->conf->partners);
	s->operators_fd = open_listener(&s->conf->operators);
	return s->partners_fd >= 0 && s->operators_fd >= 0;
}

int supervisor_run(const struct conf *c)
{
	struct supervisor s = { .conf = c };
	struct timespec tick = { 0, 200 * 1000000 };
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!open_all(&s)) {
		proc_log("error", "start", strerror(errno));
		return 3;
	}
	if (setup_run(c) != 0)
		return 3;
	plan(&s);
	tell_manager("READY=1");
	for (;;) {
		watch(&s);
		signo = sigtimedwait(&set, NULL, &tick);
		reap(&s);
		if (signo == SIGHUP)
			s.reload = true;
		if (s.reload && !s.stopping && s.leaving == 0)
			reload(&s);
		if (signo == SIGTERM || signo == SIGINT) {
			tell_manager("STOPPING=1");
			stop(&s);
		}
		if (s.stopping && all_gone(&s))
			return 0;
	}
}
