/*
 * map.h: an open-addressing map of fixed capacity from 16-byte keys to pointers. Keys are ids and
 * digests, so their own bytes are the hash; nobody outside chooses all of them.
 */
#ifndef XW_MAP_H
#define XW_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint8_t key[16];
	void *value; /* NULL: free */
};

struct map {
	struct map_slot *slot;
	uint32_t mask, count, cap;
};

/* Storage for `cap` entries at a load of at most a half. */
size_t map_bytes(uint32_t cap);
void map_init(struct map *m, void *storage, uint32_t cap); /* storage zeroed */
void *map_get(const struct map *m, const uint8_t key[16]); /* NULL: not there */
/* False: the key is there already, or the map is full. PRE: value is not NULL. */
bool map_put(struct map *m, const uint8_t key[16], void *value);
/* Harmless where the key is not there. */
void map_del(struct map *m, const uint8_t key[16]);

#endif
