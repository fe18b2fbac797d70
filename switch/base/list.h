/*
 * list.h: intrusive doubly linked lists. The node lives in the object; the list owns nothing.
 *
 * A node that is in no list points at itself, so list_remove is harmless on it: initialise every
 * node.
 */
#ifndef XW_LIST_H
#define XW_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The object that a node is embedded in. */
#define LIST_OBJ(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline bool list_is_linked(const struct list *node)
{
	return node->next != node;
}

static inline void list_insert_(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

/* PRE: node is in no list. */
static inline void list_append(struct list *head, struct list *node)
{
	list_insert_(node, head->prev, head);
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_insert_(node, head, head->next);
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Takes the first one off; PRE: not empty. */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	list_remove(first);
	return first;
}

#endif
