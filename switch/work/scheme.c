/*
 * scheme.c: what members ask of us as their scheme that is about no payment: by which rules the
 * merchant codes that we resolve are known.
 *
 * The hard thing is to promise no more than the route table keeps: a rule of another scheme's is
 * passed on only where that scheme is asked for codes that this member's users scan. Must never
 * pass on a code, only what codes look like.
 */
#include "work.h"

#define RULES_BYTES 65536

struct telling {
	struct rq *rq;
	Xw__Canonical *to;
};

static void tell(struct telling *t, struct span pattern, bool page)
{
	Xw__Canonical *c = t->to;
	Xw__CodeRule *rule;

	if (c->n_rules == MSG_RULES_MAX || !(rule = arena_new(t->rq->arena, Xw__CodeRule)))
		return;
	xw__code_rule__init(rule);
	rule->pattern = canonical_str(t->rq->arena, pattern);
	rule->page = page;
	c->rules[c->n_rules++] = rule;
}

/* What begins so, or has it inside. */
static void tell_text(struct telling *t, const char *before, struct span text, const char *behind)
{
	char storage[MSG_RULE - 1];
	struct buf b = buf_init(storage, sizeof storage);

	if (span_empty(text))
		return;
	buf_str(&b, before);
	pattern_quote(&b, text);
	buf_str(&b, behind);
	if (buf_ok(&b))
		tell(t, buf_span(&b), false);
}

/* A row sends codes of that scheme, scanned by a user of that member's, to the scheme. */
static bool is_routed(const struct wrk *w, const struct peer *scheme, uint16_t member)
{
	const struct snapshot *sn = w->conf.snapshot;

	for (size_t i = 0; i < sn->route_count; i++) {
		const struct route_row *r = &sn->route[i];
		if (!r->off && r->mode == 'M' && r->to == scheme->number &&
			(!r->from || r->from == member) &&
			strcmp(r->scheme, scheme->code_rules) == 0)
			return true;
	}
	return false;
}

static void tell_others(struct wrk *w, struct telling *t)
{
	for (size_t i = 0; w->rules && i < w->rules->count; i++) {
		const struct rule *rule = &w->rules->rule[i];
		const struct peer *p = snapshot_peer(w->conf.snapshot, rule->peer);

		if (p && p->code_rules[0] && !rule->refused &&
			is_routed(w, p, t->rq->link->peer->number))
			tell(t, span_str(rule->pattern), rule->page);
	}
}

/* The same rules have the same version, whoever of us is asked. */
static void set_version(struct telling *t)
{
	struct span part[MSG_RULES_MAX];
	struct buf b = arena_buf(t->rq->arena, 16);
	struct digest d;

	for (size_t i = 0; i < t->to->n_rules;
		i++) /* with its NUL, so that none runs into the next */
		part[i] = span_of(t->to->rules[i]->pattern, strlen(t->to->rules[i]->pattern) + 1);
	d = digest_sha256_parts(part, t->to->n_rules);
	buf_hex(&b, span_of(d.b, 8));
	t->to->rules_version = canonical_str(t->rq->arena, buf_span(&b));
}

void scheme_tell_rules(struct wrk *w, struct rq *rq)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	struct telling t = { rq, canonical_new(rq->arena, OP_RULES, true) };
	struct http_out out;

	if (t.to)
		t.to->rules = arena_alloc(rq->arena, MSG_RULES_MAX * sizeof *t.to->rules);
	if (!arena_ok(rq->arena) || !inbound_room(rq, &out, RULES_BYTES)) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	tell_text(&t, "^000201.*", w->conf.code_guid, "");
	tell_text(&t, "^", w->conf.payer_origin, "/");
	for (size_t i = 0; i < w->conf.link_count; i++)
		tell_text(&t, "^", span_str(w->conf.link[i].peer->order_url), "");
	tell_others(w, &t);
	set_version(&t);
	rq->link->adapter->write_reply(&env, &rq->request, t.to, &out);
	inbound_reply(w, rq, &out, false);
}
