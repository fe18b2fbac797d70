/*
 * later.c keeps what is to be done: a list of what is due, a heap of what is not. The hard thing is
 * order: a fake that asks for an answer and then a call means them in that order, so what is asked
 * for at once never passes through the heap, which knows no order among equals. Must never allocate
 * after later_new.
 */
#include "later.h"

#include "check.h"
#include "slab.h"

#include <stdlib.h>

struct later_queue {
	struct list ready;
	uint32_t ready_count;
	struct heap heap;
	struct slab laters, messages;
	struct later *later;
	struct later_message *message;
	char *bytes;
	void *heap_storage, *later_index, *message_index;
};

struct later_queue *later_new(void)
{
	struct later_queue *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	list_init(&q->ready);
	q->later = calloc(LATER_MAX, sizeof *q->later);
	q->message = calloc(MESSAGES_MAX, sizeof *q->message);
	q->bytes = calloc(MESSAGES_MAX, MESSAGE_BYTES);
	q->heap_storage = calloc(1, heap_bytes(LATER_MAX));
	q->later_index = calloc(1, slab_bytes(LATER_MAX));
	q->message_index = calloc(1, slab_bytes(MESSAGES_MAX));
	if (!q->later || !q->message || !q->bytes || !q->heap_storage || !q->later_index ||
		!q->message_index)
		return later_free(q);
	heap_init(&q->heap, q->heap_storage, LATER_MAX);
	slab_init(&q->laters, q->later, sizeof *q->later, LATER_MAX, q->later_index);
	slab_init(&q->messages, q->message, sizeof *q->message, MESSAGES_MAX, q->message_index);
	for (size_t i = 0; i < MESSAGES_MAX; i++)
		q->message[i].bytes = q->bytes + i * MESSAGE_BYTES;
	return q;
}

struct later_queue *later_free(struct later_queue *q)
{
	if (!q)
		return NULL;
	free(q->message_index);
	free(q->later_index);
	free(q->heap_storage);
	free(q->bytes);
	free(q->message);
	free(q->later);
	free(q);
	return NULL;
}

static void make_ready(struct later_queue *q, struct later *l)
{
	list_append(&q->ready, &l->ready);
	q->ready_count++;
}

struct later *later_add(struct later_queue *q, enum later_kind kind, void *owner, uint64_t id,
	struct mono now, int after_ms)
{
	struct later *l = slab_take(&q->laters);

	if (!l)
		return NULL;
	*l = (struct later){ .kind = kind, .owner = owner, .id = id };
	list_init(&l->ready);
	if (after_ms <= 0) {
		make_ready(q, l);
		return l;
	}
	l->node.key = mono_plus_ms(now, after_ms).us;
	CHECK(heap_put(&q->heap, &l->node)); /* it has a place for each slot */
	return l;
}

/* One part of a message, copied behind what is there. */
static struct buf copy_part(struct buf *to, const struct buf *part)
{
	char *from = to->p + to->n;

	buf_add(to, buf_span(part));
	return (struct buf){ from, part->n, part->n, false };
}

bool later_carry(struct later_queue *q, struct later *l, const struct http_out *out)
{
	struct later_message *m = http_out_ok(out) ? slab_take(&q->messages) : NULL;
	struct buf copy;

	if (!m)
		return false;
	copy = buf_init(m->bytes, MESSAGE_BYTES);
	m->out = (struct http_out){ .status = out->status, .method = m->method };
	m->out.target = copy_part(&copy, &out->target);
	m->out.headers = copy_part(&copy, &out->headers);
	m->out.body = copy_part(&copy, &out->body);
	if (!buf_ok(&copy) || !span_to_cstr(span_str(out->method), m->method, sizeof m->method)) {
		slab_give(&q->messages, m);
		return false;
	}
	l->message = m;
	return true;
}

uint32_t later_ready(struct later_queue *q, struct mono now)
{
	struct heap_node *first;

	slab_turn(&q->laters);
	slab_turn(&q->messages);
	while ((first = heap_first(&q->heap)) != NULL && first->key <= now.us) {
		heap_remove(&q->heap, first);
		make_ready(q, HEAP_OBJ(first, struct later, node));
	}
	return q->ready_count;
}

struct later *later_take(struct later_queue *q)
{
	PRE(q->ready_count > 0);
	q->ready_count--;
	return LIST_OBJ(list_pop(&q->ready), struct later, ready);
}

void later_give(struct later_queue *q, struct later *l)
{
	if (l->message)
		slab_give(&q->messages, l->message);
	slab_give(&q->laters, l);
}

struct mono later_next(const struct later_queue *q)
{
	const struct heap_node *first = heap_first(&q->heap);

	if (q->ready_count > 0)
		return (struct mono){ 0 };
	return (struct mono){ first ? first->key : INT64_MAX };
}
