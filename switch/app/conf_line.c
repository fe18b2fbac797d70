/*
 * conf_line.c: the line on which an entry of a list begins, over libyaml; the only file that
 * includes it. It is asked when something is wrong already: libcyaml gives values without places.
 *
 * The hard thing is a file that changed since it was read: then there is no such entry, and no line
 * is said. Must never be needed for a configuration that is good.
 */
#include "conf_parts.h"

#include <stdio.h>
#include <yaml.h>

static bool is_text(const yaml_node_t *n, const char *text)
{
	return n && n->type == YAML_SCALAR_NODE &&
	       span_eq(span_of(n->data.scalar.value, n->data.scalar.length), span_str(text));
}

static yaml_node_t *member(yaml_document_t *d, const char *name)
{
	yaml_node_t *root = yaml_document_get_root_node(d);

	if (!root || root->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
		p++)
		if (is_text(yaml_document_get_node(d, p->key), name))
			return yaml_document_get_node(d, p->value);
	return NULL;
}

static unsigned line_in(yaml_document_t *d, const char *list, unsigned entry)
{
	const yaml_node_t *n = member(d, list);

	if (!n || n->type != YAML_SEQUENCE_NODE ||
		entry >= (size_t)(n->data.sequence.items.top - n->data.sequence.items.start))
		return 0;
	n = yaml_document_get_node(d, n->data.sequence.items.start[entry]);
	return n ? (unsigned)n->start_mark.line + 1 : 0;
}

unsigned conf_line(const char *file, const char *list, unsigned entry)
{
	FILE *f = fopen(file, "r");
	yaml_parser_t p;
	yaml_document_t d;
	unsigned line = 0;

	if (!f)
		return 0;
	if (yaml_parser_initialize(&p)) {
		yaml_parser_set_input_file(&p, f);
		if (yaml_parser_load(&p, &d)) {
			line = line_in(&d, list, entry);
			yaml_document_delete(&d);
		}
		yaml_parser_delete(&p);
	}
	fclose(f);
	return line;
}
