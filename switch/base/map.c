/*
 * map.c: linear probing with deletion by moving later entries up, so that no tombstones gather.
 *
 * The hard thing is which entry may move into a gap: only one whose own place is not behind it.
 * Must never be more than half full, or misses become slow.
 */
#include "map.h"

#include <string.h>

#include "check.h"

static uint32_t size_for(uint32_t cap)
{
	uint32_t n = 16;

	while (n < 2 * cap)
		n *= 2;
	return n;
}

size_t map_bytes(uint32_t cap)
{
	return size_for(cap) * sizeof(struct map_slot);
}

void map_init(struct map *m, void *storage, uint32_t cap)
{
	*m = (struct map){ storage, size_for(cap) - 1, 0, cap };
}

/* The last bytes of ids are random; the first are time. */
static uint32_t home(const struct map *m, const uint8_t key[16])
{
	uint64_t v;

	memcpy(&v, key + 8, sizeof v);
	return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & m->mask;
}

static uint32_t find(const struct map *m, const uint8_t key[16])
{
	uint32_t at = home(m, key);

	while (m->slot[at].value && memcmp(m->slot[at].key, key, 16) != 0)
		at = (at + 1) & m->mask;
	return at;
}

void *map_get(const struct map *m, const uint8_t key[16])
{
	return m->slot[find(m, key)].value;
}

bool map_put(struct map *m, const uint8_t key[16], void *value)
{
	uint32_t at = find(m, key);

	PRE(value);
	if (m->slot[at].value || m->count == m->cap)
		return false;
	memcpy(m->slot[at].key, key, 16);
	m->slot[at].value = value;
	m->count++;
	return true;
}

void map_del(struct map *m, const uint8_t key[16])
{
	uint32_t gap = find(m, key), at = gap;

	if (!m->slot[gap].value)
		return;
	m->count--;
	for (;;) {
		m->slot[gap].value = NULL;
		for (;;) {
			at = (at + 1) & m->mask;
			if (!m->slot[at].value)
				return;
			/* May it move up? Not when its home lies behind the gap. */
			uint32_t h = home(m, m->slot[at].key);
			if (((at - h) & m->mask) >= ((at - gap) & m->mask))
				break;
		}
		m->slot[gap] = m->slot[at];
		gap = at;
	}
}
