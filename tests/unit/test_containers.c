/*
 * test_containers.c: list, slab, heap and map against plain models under random operations.
 */
#include "unit.h"

#include "heap.h"
#include "list.h"
#include "map.h"
#include "slab.h"

#define N 200

static void lists(void **state)
{
	struct list head, node[3];

	(void)state;
	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_init(&node[i]);
	list_append(&head, &node[0]);
	list_append(&head, &node[1]);
	list_prepend(&head, &node[2]);
	list_remove(&node[0]);
	list_remove(&node[0]); /* harmless */
	assert_false(list_is_linked(&node[0]));
	assert_ptr_equal(list_pop(&head), &node[2]);
	assert_ptr_equal(list_pop(&head), &node[1]);
	assert_true(list_is_empty(&head));
}

static void slabs(void **state)
{
	static uint64_t object[N];
	void *index = malloc(slab_bytes(N));
	struct slab s;
	void *taken[N];
	bool used[N] = { false };
	uint64_t seed = 7;
	int n = 0;

	(void)state;
	slab_init(&s, object, sizeof object[0], N, index);
	for (int turn = 0; turn < 2000; turn++) {
		bool rests[N] = { false };
		slab_turn(&s);
		for (int i = 0; i < 20; i++) {
			if (unit_random(&seed) % 2) {
				void *o = slab_take(&s);
				if (!o)
					continue;
				uint32_t k = slab_index(&s, o);
				assert_false(used[k]);
				assert_false(
					rests[k]); /* not in the turn in which it was given back */
				used[k] = true;
				taken[n++] = o;
			} else if (n) {
				int k = (int)(unit_random(&seed) % (unsigned)n);
				uint32_t at = slab_index(&s, taken[k]);
				used[at] = false;
				rests[at] = true;
				slab_give(&s, taken[k]);
				taken[k] = taken[--n];
			}
		}
		assert_int_equal(slab_free_count(&s), N - n);
	}
	free(index);
}

static void slabs_know_what_is_out(void **state)
{
	static uint64_t object[3];
	static uint32_t index[8];
	static struct slab s;
	static void *o;

	(void)state;
	assert_true(slab_bytes(3) <= sizeof index);
	slab_init(&s, object, sizeof object[0], 3, index);
	o = slab_take(&s);
	assert_check_fails(slab_give(&s, object + 2));    /* never taken */
	assert_check_fails(slab_give(&s, (char *)o + 1)); /* no object's begin */
	assert_check_fails(slab_give(&s, index));         /* somebody else's */
	slab_give(&s, o);
	assert_check_fails(slab_give(&s, o));
	slab_turn(&s);
	assert_check_fails(slab_give(&s, o));
}

static void heaps(void **state)
{
	struct heap_node node[N], *slot[N];
	bool in[N] = { false };
	struct heap h;
	uint64_t seed = 9;

	(void)state;
	heap_init(&h, slot, N);
	for (int round = 0; round < 20000; round++) {
		int k = (int)(unit_random(&seed) % N);
		int64_t least = INT64_MAX;
		if (in[k]) {
			heap_remove(&h, &node[k]);
		} else {
			node[k].key = (int64_t)(unit_random(&seed) % 1000);
			assert_true(heap_put(&h, &node[k]));
		}
		in[k] = !in[k];
		for (int i = 0; i < N; i++)
			if (in[i] && node[i].key < least)
				least = node[i].key;
		if (least == INT64_MAX)
			assert_null(heap_first(&h));
		else
			assert_int_equal(heap_first(&h)->key, least);
	}
}

static void maps(void **state)
{
	void *storage = calloc(1, map_bytes(N));
	uint8_t key[2 * N][16] = { { 0 } };
	bool in[2 * N] = { false };
	struct map m;
	uint64_t seed = 11;
	unsigned count = 0;

	(void)state;
	map_init(&m, storage, N);
	for (int i = 0; i < 2 * N; i++)
		for (int j = 0; j < 16; j++)
			key[i][j] = (uint8_t)(j < 14 ? (int)(unit_random(&seed) % 3)
						     : i >> (8 * (j - 14)));
	for (int round = 0; round < 100000; round++) {
		int k = (int)(unit_random(&seed) % (2 * N));
		assert_ptr_equal(map_get(&m, key[k]), in[k] ? key[k] : NULL);
		if (in[k]) {
			assert_false(map_put(&m, key[k], key[k]));
			map_del(&m, key[k]);
			in[k] = false;
			count--;
		} else if (map_put(&m, key[k], key[k])) {
			in[k] = true;
			count++;
		} else {
			assert_int_equal(count, N); /* full */
		}
		map_del(&m, (const uint8_t[16]){ 255 });
	}
	free(storage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(slabs),
		cmocka_unit_test(slabs_know_what_is_out),
		cmocka_unit_test(heaps),
		cmocka_unit_test(maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
