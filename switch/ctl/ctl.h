/*
 * ctl.h: the commands of switchctl. A command gets its own arguments, without its name, and returns
 * the exit status.
 */
#ifndef XW_CTL_H
#define XW_CTL_H

#include <stdbool.h>

enum ctl_exit {
	CTL_GOOD = 0,
	CTL_FAULTS = 1, /* it ran, and found something wrong */
	CTL_USAGE = 2,
	CTL_FAILED = 3, /* it could not run */
};

#define COMMAND(name, usage, sentence) enum ctl_exit ctl_##name(int argc, char **argv);
#include "command.def"
#undef COMMAND

#endif
