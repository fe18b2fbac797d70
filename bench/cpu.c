/*
 * cpu.c reads /proc. The hard thing is processes that end while we measure, Postgres' workers above
 * all: their time moves from themselves to what their parent remembers of dead children, so parent,
 * dead and living children are read together and their sum is what counts. Must never lose a group
 * silently: a parent that is not there is a failure.
 */
#include "cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	pid_t pid, parent;
	char name[32];
	unsigned long long own, dead; /* ticks: its own, and of children that it has buried */
};

const char *cpu_group_name(enum cpu_group g)
{
	static const char *const names[] = { "switchd", "clerk", "sealer", "postgres", "redis",
		"sandbox", "client" };

	return names[g];
}

/* proc(5): the name stands in brackets and may hold anything, so the fields are counted from the
 * last one. */
static bool read_entry(const char *pid, struct entry *ret)
{
	char path[64], text[1024], *open, *close;
	unsigned long long utime, stime, cutime, cstime;
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	if (!(f = fopen(path, "re")))
		return false;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close ||
		sscanf(close + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
			&ret->parent, &utime, &stime, &cutime, &cstime) != 5)
		return false;
	*close = '\0';
	snprintf(ret->name, sizeof ret->name, "%.31s", open + 1);
	ret->pid = (pid_t)strtol(pid, NULL, 10);
	ret->own = utime + stime;
	ret->dead = cutime + cstime;
	return true;
}

static void add(struct cpu *c, enum cpu_group g, const struct entry *e)
{
	c->us[g] += (int64_t)((e->own + e->dead) * 1000000 /
			      (unsigned long long)sysconf(_SC_CLK_TCK));
}

bool cpu_read(const struct cpu_pids *pids, struct cpu *ret)
{
	const struct {
		pid_t pid;
		enum cpu_group group;
	} parent[] = { { pids->switchd, CPU_SWITCHD }, { pids->sealer, CPU_SEALER },
		{ pids->postgres, CPU_POSTGRES }, { pids->redis, CPU_REDIS },
		{ pids->sandbox, CPU_SANDBOX }, { getpid(), CPU_CLIENT } };
	size_t seen = 0, want = 0, count = sizeof parent / sizeof *parent;
	DIR *dir = opendir("/proc");
	struct dirent *d;
	struct entry e;

	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < count; i++)
		want += parent[i].pid > 0;
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' || !read_entry(d->d_name, &e))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (parent[i].pid <= 0 ||
				(e.pid != parent[i].pid && e.parent != parent[i].pid))
				continue;
			seen += e.pid == parent[i].pid;
			add(ret, strcmp(e.name, "xw-clerk") == 0 ? CPU_CLERK : parent[i].group, &e);
		}
	}
	if (dir)
		closedir(dir);
	return seen == want;
}
