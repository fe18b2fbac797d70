/*
 * proc.c: what every process of the switch does alike: the first steps of a new one, a line of the
 * log, a word to the service manager.
 *
 * The hard thing is the moment after the fork: the child has its parent's signals, name and rights,
 * and its parent may be gone already. Must never return into the parent's loop.
 */
#include "proc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "json.h"
#include "sysclock.h"

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

const char *proc_role_name(enum role role)
{
	static const char *const name[] = { "none", "worker", "clerk", "console", "setup" };

	return name[role];
}

pid_t proc_fork(enum role role)
{
	pid_t parent = getpid(), pid = fork();
	char title[16];
	sigset_t none;

	if (pid != 0)
		return pid;
	/* A role never outlives its supervisor. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	snprintf(title, sizeof title, "xw-%s", proc_role_name(role));
	prctl(PR_SET_NAME, title);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	return 0;
}

void proc_tell_manager(const char *state)
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
