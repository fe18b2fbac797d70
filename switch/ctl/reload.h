/*
 * reload.h: asks the running switch to read its configuration again, and prints how that ended.
 */
#ifndef XW_RELOAD_H
#define XW_RELOAD_H

#include "ctl.h"

/* CTL_GOOD: it was taken; CTL_FAULTS: refused, the switch goes on as it was. */
enum ctl_exit reload_and_wait(const char *operators);

#endif
