/*
 * confine.c: the system calls of each role, over libseccomp; the only file that includes it.
 *
 * The hard thing is that libraries make calls too, some only on a bad day: a connection comes back,
 * a name is looked up, memory is short, a check fails. The lists hold what was seen and what their
 * sources say. Must never be loosened because something else went wrong; and never be skipped, but
 * by sanitizers, which do what an intruder would.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool confine_all(void)
{
	const struct rlimit none = { 0, 0 };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

#ifdef XW_UNCONFINED
bool confine_role(enum role role, const char **ret_why)
{
	(void)role, (void)ret_why;
	return true;
}
#else

/* One's own turn: bytes, time, memory, signals, an end. */
static const int always[] = { SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrusage),
	SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(exit),
	SCMP_SYS(exit_group) };

/* Who calls others: a new connection, and what libpq and the resolver read for it. */
static const int calling[] = { SCMP_SYS(connect), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink) };

static const int listening[] = { SCMP_SYS(accept), SCMP_SYS(accept4) };

static const int deadly[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(creat) };

static bool add(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(f, action, calls[i], 0) != 0)
			return false;
	return true;
}

#define ADD(f, action, calls)       add(f, action, calls, sizeof(calls) / sizeof(calls)[0])
/* An argument of which the bits of `mask` are as in `value`. */
#define BITS(argument, mask, value) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value)

/* A file may be read; opening one to write is deadly. */
static bool add_open(scmp_filter_ctx f, int call, unsigned flags)
{
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC;

	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, BITS(flags, writes, O_RDONLY)) == 0 &&
	       seccomp_rule_add(
		       f, SCMP_ACT_KILL_PROCESS, call, 1, BITS(flags, O_ACCMODE, O_WRONLY)) == 0 &&
	       seccomp_rule_add(
		       f, SCMP_ACT_KILL_PROCESS, call, 1, BITS(flags, O_ACCMODE, O_RDWR)) == 0 &&
	       seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, BITS(flags, O_CREAT, O_CREAT)) ==
		       0;
}

static bool add_socket(scmp_filter_ctx f, int family)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		       SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)family, 0)) == 0;
}

static bool add_rules(scmp_filter_ctx f, enum role role)
{
	bool calls = role != ROLE_CONSOLE, listens = role == ROLE_WORKER || role == ROLE_CONSOLE;

	/* Memory is never both ours to fill and to run; a signal is for ourselves (abort). */
	if (!ADD(f, SCMP_ACT_ALLOW, always) || !ADD(f, SCMP_ACT_KILL_PROCESS, deadly) ||
		seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, BITS(2, PROT_EXEC, 0)) !=
			0 ||
		seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, BITS(2, PROT_EXEC, 0)) !=
			0 ||
		seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)) != 0 ||
		!add_open(f, SCMP_SYS(openat), 2) || !add_open(f, SCMP_SYS(open), 1))
		return false;
	if (calls && !(ADD(f, SCMP_ACT_ALLOW, calling) && add_socket(f, AF_INET) &&
			     add_socket(f, AF_INET6) && add_socket(f, AF_UNIX)))
		return false;
	return !listens || ADD(f, SCMP_ACT_ALLOW, listening);
}

bool confine_role(enum role role, const char **ret_why)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool made = f && seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		    seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && add_rules(f, role);

	bool loaded = made && seccomp_load(f) == 0;

	if (f)
		seccomp_release(f);
	if (!loaded)
		*ret_why = made ? "the kernel does not take the list of system calls"
				: "the list of system calls cannot be made";
	return loaded;
}
#endif
