/*
 * aps_rules.c: the rules by which a scheme's merchant codes are known, from either end.
 *
 * SPEC alipayplus 4.14 [C:S18]: the call has no members; the answer has codeRules[] and version
 * (16). What a rule looks like has not been seen. That it has a pattern, whether the code is
 * supported and what is to be done with it is known from what the scheme's own library makes of
 * one; so the names of the members are settings. The hard thing is all or nothing: a set with one
 * rule that cannot be understood says nothing about which codes the others leave out. Must never
 * guess at a rule.
 */
#include "aps.h"

#include "pattern.h"

#define RULES_MAX 128
#define NODES_MAX 4096 /* of all patterns together: what one scanned code may cost */
#define VERSION   16

static const struct {
	const char *setting, *name;
} members[] = { { "rule_pattern", "codePattern" }, { "rule_supported", "isSupported" },
	{ "rule_action", "postCodeMatchActionType" } };

enum { PATTERN, SUPPORTED, ACTION };

static const char *member(const struct adapter_env *env, int i)
{
	struct span own = adapter_setting(env, members[i].setting);
	const char *name = span_empty(own) ? NULL : arena_cstr(env->arena, own);

	return name ? name : members[i].name;
}

void aps_put_rules(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	jw_arr(w, "codeRules");
	for (size_t i = 0; i < c->n_rules; i++) {
		const Xw__CodeRule *rule = c->rules[i];
		jw_obj(w, NULL);
		jw_str(w, member(env, PATTERN), span_str(rule->pattern));
		jw_str(w, member(env, SUPPORTED), rule->refused ? SPAN("false") : SPAN("true"));
		jw_str(w, member(env, ACTION), rule->page ? SPAN("OPEN_URL") : SPAN("DECODE"));
		jw_end(w, '}');
	}
	jw_end(w, ']');
	jw_str(w, "version", span_str(c->rules_version));
}

/* The set is refused: by the place of the rule, from 0, and what is wrong with it. */
static void refuse(struct aps_answering *r, size_t i, const char *name, const char *why)
{
	struct buf pointer = arena_buf(r->a, 96);
	Xw__Canonical *refusal;

	buf_str(&pointer, "/codeRules");
	if (name) {
		buf_ch(&pointer, '/');
		buf_u64(&pointer, i);
		buf_ch(&pointer, '/');
		buf_add(&pointer, span_sub(span_str(name), 0, 64));
	}
	refusal = canonical_problem(
		r->a, OP_RULES, REASON_MALFORMED, why, canonical_str(r->a, buf_span(&pointer)));
	r->c->problem = refusal ? refusal->problem : NULL;
	r->c->n_rules = 0;
}

/* NULL, or what is wrong; *ret_name is the member. */
static const char *read_rule(struct aps_answering *r, const struct json *from, Xw__CodeRule *ret,
	size_t *nodes, const char **ret_name)
{
	struct pattern pattern;
	struct span action;
	bool supported = true;
	const char *why;

	*ret_name = member(r->env, PATTERN);
	if (!json_is_object(from) ||
		aps_get_text(r->a, from, *ret_name, PATTERN_TEXT, &ret->pattern) != RC_OK ||
		!*ret->pattern)
		return "there is no pattern, or a longer one than is read";
	why = pattern_read(span_str(ret->pattern), &pattern);
	if (why)
		return why;
	if ((*nodes += pattern.count) > NODES_MAX)
		return "the patterns are too large together";
	*ret_name = member(r->env, SUPPORTED);
	if (json_get(from, *ret_name) && !json_bool(from, *ret_name, &supported))
		return "neither true nor false";
	ret->refused = !supported;
	*ret_name = member(r->env, ACTION);
	if (!json_str(from, *ret_name, &action))
		return "it is not said what is to be done with such a code";
	ret->page = span_eq(action, SPAN("OPEN_URL"));
	return ret->page || span_eq(action, SPAN("DECODE")) ? NULL : "neither DECODE nor OPEN_URL";
}

void aps_read_rules(struct aps_answering *r)
{
	const struct json *list = json_get(r->body, "codeRules");
	size_t count = list && json_is_array(list) ? json_count(list) : 0, nodes = 0;
	Xw__Canonical *c = r->c;

	if (count == 0 || count > RULES_MAX) {
		refuse(r, 0, NULL, count ? "more rules than are read" : "there are no rules");
		return;
	}
	if (aps_get_text(r->a, r->body, "version", VERSION, &c->rules_version) != RC_OK ||
		!*c->rules_version) {
		refuse(r, 0, NULL, "they have no version of up to 16 characters");
		return;
	}
	c->rules = arena_alloc(r->a, count * sizeof *c->rules);
	for (size_t i = 0; c->rules && i < count; i++) {
		Xw__CodeRule *rule = arena_new(r->a, Xw__CodeRule);
		const char *why, *name;

		if (!rule)
			return;
		xw__code_rule__init(rule);
		why = read_rule(r, json_at(list, i), rule, &nodes, &name);
		if (why) {
			refuse(r, i, name, why);
			return;
		}
		c->rules[c->n_rules++] = rule;
	}
}
