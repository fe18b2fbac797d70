/*
 * safely.h: what strangers wrote, on a terminal.
 */
#ifndef XW_SAFELY_H
#define XW_SAFELY_H

#include "span.h"

#include <stdio.h>

/* What a terminal would act on, or what hides or turns its neighbours, as an escape. */
void print_safely_to(FILE *to, struct span text);
/* To standard output. */
void print_safely(struct span text);

#endif
