/*
 * jobs.c: processes that share the work: worlds know nothing of one another, so each processor gets
 * its own.
 *
 * The hard thing is a child that dies: it has told nobody what it was doing, so what it does stands
 * in memory that all share. Must never leave a child behind.
 */
#include "sim.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 64

int64_t jobs_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void *jobs_share(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Waits for one of them. */
static void reap(pid_t pid[], int n[], int most, job_died_fn *died, void *ctx)
{
	int status;
	pid_t ended = wait(&status);

	CHECK(ended > 0);
	for (int i = 0; i < most; i++) {
		if (pid[i] != ended)
			continue;
		pid[i] = 0;
		if (WIFSIGNALED(status))
			died(ctx, n[i], WTERMSIG(status));
		else if (WEXITSTATUS(status)) /* a sanitizer's way to end */
			died(ctx, n[i], 0);
	}
}

void jobs_run(int count, int most, job_fn *fn, job_died_fn *died, void *ctx)
{
	pid_t pid[CHILDREN_MAX] = { 0 };
	int n[CHILDREN_MAX], next = 0, out = 0;

	most = most < CHILDREN_MAX ? most : CHILDREN_MAX;
	while (next < count || out) {
		int i = 0;
		if (next == count || out == most) {
			reap(pid, n, most, died, ctx);
			out--;
			continue;
		}
		while (pid[i])
			i++;
		n[i] = next++;
		fflush(NULL);
		pid[i] = fork();
		CHECK(pid[i] >= 0);
		if (pid[i] == 0) {
			fn(ctx, n[i]);
			fflush(NULL);
			_exit(0);
		}
		out++;
	}
}
