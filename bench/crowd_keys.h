/*
 * crowd_keys.h: keys as they lie in a run's folders: NAME.pem holds the key with that id.
 */
#ifndef XW_CROWD_KEYS_H
#define XW_CROWD_KEYS_H

#include "keys.h"

/* Adds all of them; ret_id is the id of the last. False: none is there, or one is no such key. */
bool crowd_keys_load(struct keys *k, const char *dir, enum key_kind kind, char ret_id[128],
	const char **ret_why);

#endif
