/*
 * confine.h: gives up the rights that a process no longer needs, for good and for all its children.
 */
#ifndef XW_CONFINE_H
#define XW_CONFINE_H

#include "proc.h"

/* For the supervisor and so for all: no new rights by a program's file, no core with keys in it. */
MUST bool confine_all(void);
/* After start-up, for a role: only the system calls that its loop makes (standards S-2). What an
 * intruder would want and we never do (a program, a process, a listener, a file to write, another
 * process's memory) kills the process; what is merely not on the list fails with EPERM, since a
 * library may try it and knows how to go on without. False: *ret_why, and nothing may be served. */
MUST bool confine_role(enum role role, const char **ret_why);

#endif
