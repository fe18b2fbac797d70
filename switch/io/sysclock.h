/*
 * sysclock.h: the only reader of the machine's clocks. Everything that decides is handed the time.
 */
#ifndef XW_SYSCLOCK_H
#define XW_SYSCLOCK_H

#include "when.h"

/* Never goes back, never jumps; means nothing in another process. */
struct mono sysclock_mono(void);
/* UTC as the host believes it; may jump (rule T-1: never for durations). */
struct wall sysclock_wall(void);

#endif
