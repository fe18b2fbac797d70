/*
 * conf_check.c: what each part of a configuration allows, but all of it together cannot be run.
 *
 * The machine follows up what it began: it asks what became of a debit, gives back what it took,
 * tells an order that it was paid. A participant that can be asked the first but not the second
 * would stop a worker in the middle of a payment (core's CHECKs), so it is refused here, by name.
 * Must never ask more than the machine does.
 */
#include "conf_parts.h"
#include "route.h"

#include <stdio.h>

/* Whoever has the first must have the second. */
static const struct {
	enum op has, needs;
	const char *why;
} follow_ups[] = {
	{ OP_DEBIT, OP_INQUIRE, "a debit without an answer, or a refused cancel, is asked about" },
	{ OP_DEBIT, OP_REFUND, "what can no longer be cancelled is given back" },
	{ OP_RESOLVE, OP_TELL, "an order that was resolved is told that it was paid" },
};

static void lacks(struct loader *l, enum op has, enum op needs, const char *why)
{
	conf_fail(
		l, "adapter: it has \"%s\" but not \"%s\": %s", op_name(has), op_name(needs), why);
}

static void check_abilities(struct loader *l, const struct peer *p)
{
	const struct caps *refund = peer_caps(p, OP_REFUND), *debit = peer_caps(p, OP_DEBIT);

	for (size_t i = 0; i < sizeof follow_ups / sizeof follow_ups[0]; i++)
		if (peer_caps(p, follow_ups[i].has) && !peer_caps(p, follow_ups[i].needs))
			lacks(l, follow_ups[i].has, follow_ups[i].needs, follow_ups[i].why);
	if (debit && debit->must_capture && !peer_caps(p, OP_CAPTURE))
		lacks(l, OP_DEBIT, OP_CAPTURE, "its debits only hold the money");
	for (int op = 0; op < OP_MAX; op++)
		if (p->caps[op] && p->caps[op]->needs_token && !peer_caps(p, OP_TOKEN))
			lacks(l, (enum op)op, OP_TOKEN, "a call needs an access token");
	if (refund && refund->repeat == REPEAT_NEVER)
		conf_fail(l,
			"adapter: its \"%s\" may never be sent or asked about again, so a "
			"lost answer would leave the payment without an end",
			op_name(OP_REFUND));
	/* A wallet that debits its user by itself is asked to undo what came too late. */
	if ((p->roles & PEER_ISSUER) && !debit && !p->debit_via &&
		!(peer_caps(p, OP_INQUIRE) && refund))
		conf_fail(l, "roles: an issuer that debits by itself needs \"%s\" and \"%s\"",
			op_name(OP_INQUIRE), op_name(OP_REFUND));
}

static void check_peer(struct loader *l, size_t i)
{
	const struct conf *c = l->c;
	const struct peer *p = &c->peer[i];
	const struct peer *via = snapshot_peer(&c->snapshot, p->debit_via);

	l->file = l->peer_file[i];
	l->what = p->name;
	for (size_t j = 0; j < i; j++) {
		if (strcmp(c->peer[j].name, p->name) == 0)
			conf_fail(l, "name: %s has it already", l->peer_file[j]);
		if (c->peer[j].number == p->number)
			conf_fail(l, "number: %d is %s's", p->number, c->peer[j].name);
	}
	if (via && !peer_caps(via, OP_DEBIT))
		conf_fail(l, "debit_via: \"%s\" cannot be debited, its adapter has no \"%s\"",
			via->name, op_name(OP_DEBIT));
	check_abilities(l, p);
}

/* The operation that a route leads to. */
static enum op asked_by(const struct route_row *r)
{
	return strcmp(r->scheme, "payer-codes") == 0 ? OP_CODES : route_op(r->mode);
}

static void check_route(struct loader *l, const struct route_row *r)
{
	const struct peer *to = snapshot_peer(&l->c->snapshot, r->to);

	l->what = r->scheme;
	if (to && !peer_caps(to, asked_by(r)))
		conf_fail(l, "to: \"%s\" cannot take it, its adapter has no \"%s\"", to->name,
			op_name(asked_by(r)));
}

void conf_check(struct loader *l, const char *routes_file)
{
	for (size_t i = 0; i < l->c->peer_count; i++)
		check_peer(l, i);
	l->file = routes_file;
	l->list = "routes";
	for (l->entry = 0; l->entry < l->c->route_count; l->entry++)
		check_route(l, &l->c->route[l->entry]);
	l->list = NULL;
}
