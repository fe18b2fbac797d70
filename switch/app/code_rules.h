/*
 * code_rules.h: the code rules that are in force: from the ledger into the page that the processes
 * share, and from there into each of them. One writes at a time; who reads takes a copy.
 */
#ifndef XW_CODE_RULES_H
#define XW_CODE_RULES_H

#include "pg.h"
#include "proc.h"

/* Statement CODE_RULES' answer into the page. */
void code_rules_write(struct proc_rules *to, const struct pg_rows *rows);
/* True: *ret is what lies there; *seen is its number, 0 at first. False: it is still the same, or
 * is being written. */
bool code_rules_read(const struct proc_rules *from, uint32_t *seen, struct rules *ret);

#endif
