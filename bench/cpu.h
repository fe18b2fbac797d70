/*
 * cpu.h: what processor time the parties have used so far, by group.
 */
#ifndef XW_CPU_H
#define XW_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The first five are the product; the others stand in for others' machines. */
enum cpu_group {
	CPU_SWITCHD, /* supervisor, workers, console */
	CPU_CLERK,
	CPU_SEALER,
	CPU_POSTGRES,
	CPU_REDIS,
	CPU_SANDBOX,
	CPU_CLIENT, /* this process */
	CPU_GROUPS,
};

#define CPU_PRODUCT 5 /* groups */

struct cpu_pids {
	pid_t switchd, sealer, postgres, redis, sandbox; /* the parents; 0: there is none */
};

struct cpu {
	int64_t us[CPU_GROUPS];
};

const char *cpu_group_name(enum cpu_group g);
/* Since their start. False where /proc cannot be read or one of them is gone. */
bool cpu_read(const struct cpu_pids *pids, struct cpu *ret);

#endif
