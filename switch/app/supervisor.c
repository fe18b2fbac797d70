/*
 * supervisor.c: opens the sockets once, starts the roles, restarts what dies, stops them in order.
 *
 * It reads nothing from the network and holds no payment, so it has no reason to die. Listening
 * sockets are its own: a worker that is killed takes only the connection that it was serving with
 * it, and the queue goes on to the next.
 *
 * The hard thing is a new configuration. It comes in three steps, and whatever goes wrong in one of
 * them, those who serve go on serving: a process brings the ledger up to it; a new crew starts on
 * the same sockets; and only when all of that crew say that they are ready does the old one drain.
 * Must never leave a role running that it does not know.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "confine.h"
#include "http_server.h"
#include "sysclock.h"

#define CREW_MAX    (PROC_MAX / 2) /* two crews have room at once */
#define READY_US    (15 * 1000000) /* a new crew is ready by then, or goes */
#define HANGING_US  (10 * 1000000)
#define STALLED_US  (2 * 1000000)
#define STOP_US     (30 * 1000000)
#define BACKOFF_MAX (5 * 1000000)

/* A place that is to be filled: a role, and the process that fills it now. */
struct place {
	enum role role;
	int slot;  /* in the page */
	pid_t pid; /* 0: not running */
	int64_t started_us, restart_at_us, backoff_us;
};

/* The roles of one configuration. */
struct crew {
	struct conf *conf; /* its own; NULL: there is no such crew */
	int places;
	struct place place[CREW_MAX];
};

struct leaving {
	pid_t pid;
	int slot;
};

struct supervisor {
	struct proc_page *page;
	struct proc_notes *notes;
	struct proc_fds fds;
	struct proc_bells bells;
	struct crew now;  /* serves */
	struct crew next; /* is to take its place */
	pid_t setup;      /* brings the ledger up to next's configuration; 0: not running */
	int64_t ready_by_us;
	int leavers; /* told to go: processes of an older crew that drain */
	struct leaving leaving[PROC_MAX];
	bool ready, stopping, reload;
	uint32_t reload_asked; /* the wish of the page that is being done, or was last */
	int64_t stop_at_us;
	int64_t awake_us; /* when we last came back from standing still ourselves */
	int status;       /* at the end */
};

/* Processes */

static int free_slot(const struct supervisor *s)
{
	for (int i = 0; i < PROC_MAX; i++)
		if (s->page->slot[i].role == ROLE_NONE)
			return i;
	return -1;
}

/* In the new process. A listener is only for those who serve on it. */
static int run_role(struct supervisor *s, const struct conf *c, enum role role, int slot)
{
	if (role != ROLE_WORKER)
		close(s->fds.partners);
	if (role != ROLE_WORKER && s->fds.payers >= 0)
		close(s->fds.payers);
	if (role != ROLE_CONSOLE)
		close(s->fds.operators);
	if (role != ROLE_WORKER && role != ROLE_CLERK)
		munmap(s->notes, sizeof *s->notes);
	switch (role) {
	case ROLE_WORKER:
		return worker_run(c, s->page, s->notes, slot, &s->fds, &s->bells);
	case ROLE_CLERK:
		return clerk_run(c, s->page, s->notes, slot, &s->bells);
	case ROLE_CONSOLE:
		return console_run(c, s->page, &s->page->slot[slot], s->fds.operators);
	case ROLE_SETUP:
		return setup_run(c, s->page);
	case ROLE_NONE:
		break;
	}
	return 1;
}

static void start(struct supervisor *s, const struct crew *crew, struct place *p)
{
	int slot = free_slot(s);
	struct proc_slot *ps = &s->page->slot[slot < 0 ? 0 : slot];

	p->started_us = sysclock_mono().us;
	p->restart_at_us = p->started_us + 1000000;
	if (slot < 0)
		return;
	memset(ps, 0, sizeof *ps);
	ps->role = p->role;
	ps->turned_us = p->started_us;
	p->slot = slot;
	p->pid = proc_fork(p->role);
	if (p->pid == 0)
		_exit(run_role(s, crew->conf, p->role, slot));
	if (p->pid < 0) {
		ps->role = ROLE_NONE;
		p->pid = 0;
	}
}

/* Tells the processes of a crew to go; what they still do, they do among those who leave. */
static void dismiss(struct supervisor *s, struct crew *crew)
{
	for (int i = 0; i < crew->places; i++) {
		struct place *p = &crew->place[i];
		if (!p->pid)
			continue;
		kill(p->pid, SIGTERM);
		s->leaving[s->leavers++] = (struct leaving){ p->pid, p->slot };
	}
	conf_free(crew->conf);
	*crew = (struct crew){ 0 };
}

/* What it had noted goes to the clerks: it sends nothing more. The slot is clean behind us. */
static void bequeath(struct supervisor *s, int slot)
{
	struct proc_orphans *o = &s->notes->orphans;

	for (int i = 0; i < PROC_NOTES; i++) {
		struct wrk_note *n = &s->notes->note[slot][i];
		if (!n->version)
			continue;
		if (!s->stopping &&
			o->put - __atomic_load_n(&o->taken, __ATOMIC_ACQUIRE) < PROC_ORPHANS) {
			o->note[o->put % PROC_ORPHANS] = *n;
			__atomic_store_n(&o->put, o->put + 1, __ATOMIC_RELEASE);
		}
		n->version = 0;
	}
}

static bool has_left(struct supervisor *s, pid_t pid)
{
	for (int i = 0; i < s->leavers; i++) {
		if (s->leaving[i].pid != pid)
			continue;
		s->page->slot[s->leaving[i].slot].role = ROLE_NONE;
		bequeath(s, s->leaving[i].slot);
		s->leaving[i] = s->leaving[--s->leavers];
		return true;
	}
	return false;
}

/* Says how it ended, and when its place is to be filled again: at once after a good life, slower
 * and slower when it dies young. */
static void died(struct supervisor *s, struct place *p, int status)
{
	int64_t now = sysclock_mono().us;
	char text[128];

	snprintf(text, sizeof text, "%s, pid %d ended by %s %d", proc_role_name(p->role),
		(int)p->pid, WIFSIGNALED(status) ? "signal" : "exit",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	p->pid = 0;
	s->page->slot[p->slot].role = ROLE_NONE;
	bequeath(s, p->slot);
	if (s->stopping)
		return;
	proc_log("error", "role-ended", text);
	s->page->restarts++;
	if (now - p->started_us > 10 * 1000000)
		p->backoff_us = 0;
	p->restart_at_us = now + p->backoff_us;
	p->backoff_us = p->backoff_us ? p->backoff_us * 2 : 100000;
	if (p->backoff_us > BACKOFF_MAX)
		p->backoff_us = BACKOFF_MAX;
}

static struct place *place_of(struct crew *crew, pid_t pid)
{
	for (int i = 0; i < crew->places; i++)
		if (crew->place[i].pid == pid)
			return &crew->place[i];
	return NULL;
}

/* The next crew */

static void plan(struct crew *crew)
{
	uint32_t workers = crew->conf->workers < CREW_MAX - 2 ? crew->conf->workers : CREW_MAX - 2;

	crew->places = 0;
	for (uint32_t i = 0; i < workers; i++)
		crew->place[crew->places++] = (struct place){ .role = ROLE_WORKER };
	crew->place[crew->places++] = (struct place){ .role = ROLE_CLERK };
	crew->place[crew->places++] = (struct place){ .role = ROLE_CONSOLE };
}

/* For who asked; the number last, since it says that the rest is there. */
static void reload_ended(struct supervisor *s, bool good, const char *said)
{
	struct proc_page *page = s->page;

	page->reload_good = good;
	snprintf(page->reload_said, sizeof page->reload_said, "%s", said);
	__atomic_store_n(&page->reloads_done, s->reload_asked, __ATOMIC_RELEASE);
}

static void refuse(struct supervisor *s, const char *why)
{
	dismiss(s, &s->next);
	reload_ended(s, false, why);
	proc_log("error", s->now.conf ? "reload-refused" : "start", why);
	proc_tell_manager("READY=1");
	if (!s->now.conf) { /* nothing to go on with */
		s->stopping = true;
		s->status = 3;
	}
}

/* Takes the configuration: first the ledger must. */
static void prepare(struct supervisor *s, struct conf *c)
{
	s->next.conf = c;
	s->setup = proc_fork(ROLE_SETUP);
	if (s->setup == 0)
		_exit(run_role(s, c, ROLE_SETUP, -1));
	if (s->setup < 0) {
		s->setup = 0;
		refuse(s, "no process can be started");
	}
}

static void prepared(struct supervisor *s, int status)
{
	s->setup = 0;
	if (s->stopping)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		refuse(s, "the ledger does not take the configuration");
		return;
	}
	plan(&s->next);
	s->ready_by_us = sysclock_mono().us + READY_US;
	for (int i = 0; i < s->next.places; i++)
		start(s, &s->next, &s->next.place[i]);
}

static void adopt(struct supervisor *s)
{
	bool first = !s->now.conf;

	dismiss(s, &s->now);
	s->now = s->next;
	s->next = (struct crew){ 0 };
	if (first)
		return;
	reload_ended(s, true, "");
	proc_log("info", "reloaded", s->now.conf->file);
}

/* How many of a crew are ready; -1: one of them is not there. */
static int ready_count(const struct supervisor *s, const struct crew *crew)
{
	int n = 0;

	for (int i = 0; i < crew->places; i++) {
		if (!crew->place[i].pid)
			return -1;
		n += s->page->slot[crew->place[i].slot].ready != 0;
	}
	return n;
}

/* The first crew has nobody to wait for: what dies of it is started again. */
static void watch_next(struct supervisor *s)
{
	int ready = ready_count(s, &s->next);

	if (s->setup || !s->next.conf || s->stopping)
		return;
	if (!s->now.conf || ready == s->next.places)
		adopt(s);
	else if (ready < 0)
		refuse(s, "a new role ended before it was ready; the old ones go on");
	else if (sysclock_mono().us >= s->ready_by_us)
		refuse(s, "the new roles were not ready in time; the old ones go on");
}

static void reload(struct supervisor *s)
{
	const char *why;
	struct conf *c = conf_load(s->now.conf->file, NULL, &why);

	s->reload = false;
	s->reload_asked = s->page->reloads_asked;
	proc_tell_manager("RELOADING=1");
	if (c)
		prepare(s, c);
	else
		refuse(s, why);
}

/* Watching */

static void ended(struct supervisor *s, pid_t pid, int status)
{
	struct place *p;

	if (pid == s->setup)
		prepared(s, status);
	else if ((p = place_of(&s->now, pid)) || (p = place_of(&s->next, pid)))
		died(s, p, status);
	else
		(void)has_left(s, pid);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(s, pid, status);
}

static bool hangs(const struct supervisor *s, int slot, int64_t now)
{
	int64_t turned = s->page->slot[slot].turned_us;

	return now - (turned > s->awake_us ? turned : s->awake_us) > HANGING_US;
}

/* A loop that does not turn holds connections and helps nobody. Where we did not turn either, the
 * machine stood still, and they have their time from now on. */
static void watch(struct supervisor *s)
{
	int64_t now = sysclock_mono().us;

	if (now - s->page->supervisor_turned_us > STALLED_US)
		s->awake_us = now;
	s->page->supervisor_turned_us = now;
	for (int i = 0; i < s->now.places && !s->stopping; i++) {
		struct place *p = &s->now.place[i];
		if (!p->pid && now >= p->restart_at_us) {
			start(s, &s->now, p);
		} else if (p->pid && hangs(s, p->slot, now)) {
			proc_log("error", "role-hangs", "killed");
			kill(p->pid, SIGKILL);
		}
	}
	for (int i = 0; i < s->leavers; i++)
		if (hangs(s, s->leaving[i].slot, now))
			kill(s->leaving[i].pid, SIGKILL);
	if (!s->ready && s->now.conf && ready_count(s, &s->now) == s->now.places) {
		s->ready = true;
		proc_tell_manager("READY=1");
	}
}

/* Stopping */

static void tell_all(const struct crew *crew, int signo)
{
	for (int i = 0; i < crew->places; i++)
		if (crew->place[i].pid)
			kill(crew->place[i].pid, signo);
}

static void stop(struct supervisor *s)
{
	if (!s->stopping)
		s->stop_at_us = sysclock_mono().us + STOP_US;
	s->stopping = true;
	s->page->stopping = 1;
	proc_tell_manager("STOPPING=1");
	tell_all(&s->now, SIGTERM);
	tell_all(&s->next, SIGTERM);
	if (s->setup)
		kill(s->setup, SIGTERM);
}

static bool is_gone(const struct crew *crew)
{
	for (int i = 0; i < crew->places; i++)
		if (crew->place[i].pid)
			return false;
	return true;
}

static bool all_gone(struct supervisor *s)
{
	if (sysclock_mono().us > s->stop_at_us) {
		tell_all(&s->now, SIGKILL);
		tell_all(&s->next, SIGKILL);
	}
	return s->leavers == 0 && !s->setup && is_gone(&s->now) && is_gone(&s->next);
}

static bool open_listener(const struct conf_listener *l, int *ret_fd)
{
	const char *why;
	char text[256];

	*ret_fd = address_listen(l->address, l->port, &why);
	if (*ret_fd >= 0)
		return true;
	snprintf(text, sizeof text, "%s:%u: %s", l->address, (unsigned)l->port, why);
	proc_log("error", "start", text);
	return false;
}

static void *share(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* False: it was said why. */
static bool open_all(struct supervisor *s, const struct conf *c)
{
	s->page = share(sizeof *s->page);
	s->notes = share(sizeof *s->notes);
	if (!confine_all() || s->page == MAP_FAILED || s->notes == MAP_FAILED) {
		proc_log("error", "start", strerror(errno));
		return false;
	}
	for (int i = 0; i < PROC_MAX; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
			proc_log("error", "start", strerror(errno));
			return false;
		}
		s->bells.hear[i] = pair[0];
		s->bells.ring[i] = pair[1];
	}
	return open_listener(&c->partners, &s->fds.partners) &&
	       open_listener(&c->operators, &s->fds.operators) &&
	       (!c->payers.port || open_listener(&c->payers, &s->fds.payers));
}

int supervisor_run(struct conf *c)
{
	struct supervisor s = { .fds = { -1, -1, -1 } };
	struct timespec tick = { 0, 200 * 1000000 };
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	hs_raise_descriptors();
	if (!open_all(&s, c))
		return 3;
	prepare(&s, c);
	for (;;) {
		watch_next(&s);
		watch(&s);
		if (s.stopping && all_gone(&s))
			break;
		signo = sigtimedwait(&set, NULL, &tick);
		reap(&s);
		if (signo == SIGHUP)
			s.reload = true;
		/* One at a time: there is room for two crews. */
		s.reload = s.reload || s.page->reloads_asked != s.reload_asked;
		if (s.reload && !s.stopping && s.now.conf && !s.next.conf && s.leavers == 0)
			reload(&s);
		if (signo == SIGTERM || signo == SIGINT)
			stop(&s);
	}
	conf_free(s.now.conf);
	conf_free(s.next.conf);
	return s.status;
}
