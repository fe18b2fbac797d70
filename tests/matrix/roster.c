/*
 * roster.c: who takes part, and what each can do, as the switch itself reads it: one JSON object on
 * standard output, made of a configuration and of the adapters' own tables.
 *
 * The matrix is generated from this, so that a participant is in it by being configured, and what
 * is impossible is told by the tables that the switch runs on. Must never know a participant or an
 * adapter by name.
 */
#include <stdio.h>

#include "conf.h"

static void put_ops(struct jw *w, const struct link *k)
{
	uint32_t serves = 0;

	jw_arr(w, "asks"); /* what we may ask of it */
	for (int op = OP_NONE + 1; op < OP_MAX; op++)
		if (k->peer->caps[op] && (enum op)op != OP_PUSH)
			jw_str(w, NULL, span_str(op_name((enum op)op)));
	jw_end(w, ']');
	jw_arr(w, "once"); /* of those, what is never sent a second time */
	for (int op = OP_NONE + 1; op < OP_MAX; op++)
		if (k->peer->caps[op] && k->peer->caps[op]->repeat != REPEAT_SAME_ID)
			jw_str(w, NULL, span_str(op_name((enum op)op)));
	jw_end(w, ']');
	for (const struct route *r = k->adapter->routes; r && r->method; r++)
		serves |= UINT32_C(1) << r->op;
	jw_arr(w, "serves"); /* what it may ask of us */
	for (int op = OP_NONE + 1; op < OP_MAX; op++)
		if (serves & UINT32_C(1) << op)
			jw_str(w, NULL, span_str(op_name((enum op)op)));
	jw_end(w, ']');
}

/* Whether our pages for payers ask a number, by which the wallet is debited. */
static bool asks_phone(const struct conf_peer *e)
{
	for (size_t i = 0; i < e->setting_count; i++)
		if (strcmp(e->setting[i].name, "asks") == 0)
			return strcmp(e->setting[i].value, "phone") == 0;
	return false;
}

static void put_peer(struct jw *w, const struct conf *c, size_t i)
{
	const struct peer *p = &c->peer[i], *via = snapshot_peer(&c->snapshot, p->debit_via);

	jw_obj(w, NULL);
	jw_str(w, "name", span_str(p->name));
	jw_int(w, "number", p->number);
	jw_str(w, "adapter", span_str(c->link[i].adapter->name));
	jw_bool(w, "issuer", p->roles & PEER_ISSUER);
	jw_bool(w, "acquirer", p->roles & PEER_ACQUIRER);
	jw_bool(w, "scheme", p->scheme);
	jw_bool(w, "called", c->extra[i].url != NULL);
	jw_str(w, "currency", span_str(ccy_alpha(p->settle)));
	jw_opt(w, "debit_via", via ? span_str(via->name) : SPAN_NONE);
	jw_bool(w, "debits_itself", peer_as_scheme(p)); /* what its users scan */
	jw_bool(w, "pages", c->link[i].adapter->for_payers);
	if (c->link[i].adapter->for_payers)
		jw_bool(w, "asks_phone", asks_phone(&c->extra[i]));
	put_ops(w, &c->link[i]);
	jw_end(w, '}');
}

static void put_route(struct jw *w, const struct conf *c, const struct route_row *r)
{
	const struct peer *from = snapshot_peer(&c->snapshot, r->from);
	const char mode[2] = { (char)r->mode };

	jw_obj(w, NULL);
	jw_str(w, "scheme", span_str(r->scheme));
	jw_str(w, "mode", span_str(mode));
	jw_opt(w, "from", from ? span_str(from->name) : SPAN_NONE);
	jw_str(w, "to", span_str(snapshot_peer(&c->snapshot, r->to)->name));
	jw_end(w, '}');
}

int main(int argc, char **argv)
{
	static char text[256 * 1024];
	struct buf b = buf_init(text, sizeof text);
	struct jw w = jw_init(&b);
	const char *why = "";
	struct conf *c;

	if (argc != 2)
		return 2;
	if (!(c = conf_load(argv[1], NULL, &why))) {
		fprintf(stderr, "roster: %s\n", why);
		return 3;
	}
	jw_obj(&w, NULL);
	jw_arr(&w, "participants");
	for (size_t i = 0; i < c->peer_count; i++)
		if (!c->link[i].off)
			put_peer(&w, c, i);
	jw_end(&w, ']');
	jw_arr(&w, "routes");
	for (size_t i = 0; i < c->route_count; i++)
		if (!c->route[i].off)
			put_route(&w, c, &c->route[i]);
	jw_end(&w, ']');
	jw_end(&w, '}');
	conf_free(c);
	if (!buf_ok(&b) || fwrite(text, 1, b.n, stdout) != b.n || fflush(stdout) != 0)
		return 3;
	return 0;
}
