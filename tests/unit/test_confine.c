/*
 * test_confine.c: each right that a confined role has or lacks, tried in a process of its own; how
 * that ended tells.
 */
#include "confine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

/* What is tried; 0 or the errno that it failed with. */
typedef int attempt_fn(void);

#define TRY(expression) ((expression) < 0 ? errno : 0)

static int be_patient(void)
{
	const struct timespec moment = { 0, 1000 };
	return TRY(nanosleep(&moment, NULL));
}

static int read_a_file(void)
{
	char c;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : TRY(read(fd, &c, 1));
}

static int ask_for_memory(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? errno : TRY(munmap(p, 1 << 20));
}

static int call_a_partner(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno != EPERM ? 0 : EPERM;
}

static int accept_a_client(void)
{
	return accept4(-1, NULL, NULL, 0) < 0 && errno == EBADF ? 0 : errno;
}

static int abort_by_a_check(void)
{
	check_fail("a test", __FILE__, __LINE__);
}

static int run_a_program(void)
{
	char *const argv[] = { "true", NULL };
	return TRY(execve("/bin/true", argv, argv + 1));
}

static int start_a_process(void)
{
	return TRY(fork());
}

static int write_a_file(void)
{
	return TRY(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static int change_a_file(void)
{
	return TRY(open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int make_a_file(void)
{
	return TRY(open("/tmp/xw-confined", O_RDONLY | O_CREAT, 0600));
}

static int take_a_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	return TRY(bind(STDIN_FILENO, (struct sockaddr *)&at, sizeof at));
}

static int open_a_listener(void)
{
	return TRY(listen(STDIN_FILENO, 1));
}

static int trace_another(void)
{
	return TRY(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_another(void)
{
	char here[8];
	struct iovec local = { here, sizeof here }, remote = { here, sizeof here };
	return TRY(process_vm_readv(getppid(), &local, 1, &remote, 1, 0));
}

static int make_code(void)
{
	void *p = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int kill_another(void)
{
	return TRY(kill(getppid(), 0));
}

static int remove_a_file(void)
{
	return TRY(unlink("/tmp/xw-confined"));
}

static int open_raw_socket(void)
{
	return TRY(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int change_modes(void)
{
	return TRY(chmod("/tmp", 0777));
}

/* The wait status of a process of that role that tries it. */
static int try(enum role role, attempt_fn *attempt)
{
	pid_t pid = fork();
	const char *why;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (!confine_all() || !confine_role(role, &why))
			_exit(255);
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_works(enum role role, attempt_fn *attempt)
{
	assert_int_equal(try(role, attempt), 0);
}

static void assert_denied(enum role role, attempt_fn *attempt)
{
	int status = try(role, attempt);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

static void assert_kills(enum role role, attempt_fn *attempt, int signo)
{
	int status = try(role, attempt);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signo);
}

static const enum role roles[] = { ROLE_WORKER, ROLE_CLERK, ROLE_CONSOLE, ROLE_SETUP };
#define ROLES 4

static void test_what_all_do(void **state)
{
	(void)state;
	for (int i = 0; i < ROLES; i++) {
		assert_works(roles[i], be_patient);
		assert_works(roles[i], read_a_file);
		assert_works(roles[i], ask_for_memory);
		assert_kills(roles[i], abort_by_a_check, SIGABRT);
	}
}

static void test_what_is_a_roles_own(void **state)
{
	(void)state;
	assert_works(ROLE_WORKER, call_a_partner);
	assert_works(ROLE_CLERK, call_a_partner);
	assert_works(ROLE_SETUP, call_a_partner);
	assert_denied(ROLE_CONSOLE, call_a_partner);
	assert_works(ROLE_WORKER, accept_a_client);
	assert_works(ROLE_CONSOLE, accept_a_client);
	assert_denied(ROLE_CLERK, accept_a_client);
	assert_denied(ROLE_SETUP, accept_a_client);
}

static void test_what_kills(void **state)
{
	static attempt_fn *const deadly[] = { run_a_program, start_a_process, write_a_file,
		change_a_file, make_a_file, take_a_port, open_a_listener, trace_another,
		read_another };

	(void)state;
	for (int i = 0; i < ROLES; i++)
		for (size_t k = 0; k < sizeof deadly / sizeof deadly[0]; k++)
			assert_kills(roles[i], deadly[k], SIGSYS);
}

static void test_what_is_denied(void **state)
{
	static attempt_fn *const denied[] = { make_code, kill_another, remove_a_file,
		open_raw_socket, change_modes };

	(void)state;
	for (int i = 0; i < ROLES; i++)
		for (size_t k = 0; k < sizeof denied / sizeof denied[0]; k++)
			assert_denied(roles[i], denied[k]);
}

static int core_and_rights(void)
{
	struct rlimit core;
	char text[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
		return 2;
	return strstr(text, "NoNewPrivs:\t1") && strstr(text, "Seccomp:\t2") ? 0 : 3;
}

static void test_for_good(void **state)
{
	(void)state;
	for (int i = 0; i < ROLES; i++)
		assert_works(roles[i], core_and_rights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_all_do),
		cmocka_unit_test(test_what_is_a_roles_own),
		cmocka_unit_test(test_what_kills),
		cmocka_unit_test(test_what_is_denied),
		cmocka_unit_test(test_for_good),
	};

#ifdef XW_UNCONFINED
	(void)tests;
	return 77;
#else
	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
