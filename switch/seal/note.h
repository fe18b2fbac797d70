/*
 * note.h: checkpoints as signed notes (C2SP tlog-checkpoint and signed-note): the text whose
 * signature commits us to a tree.
 *
 *	<origin>\n<size>\n<root in base64>\n\n— <key name> <base64(key id || signature)>\n
 */
#ifndef XW_NOTE_H
#define XW_NOTE_H

#include "digest.h"

#define NOTE_MAX       1024
#define NOTE_NAME_MAX  200
#define NOTE_KEY_BYTES 32 /* of a raw Ed25519 public key */

/* Names are like a URL without scheme: no blank, no plus, no control character. */
bool note_name_is_good(struct span name);
/* The text that is signed. */
void note_checkpoint(struct buf *b, struct span origin, uint64_t size, const struct digest *root);
/* Appends the signature line to a text that ends in a line feed. */
void note_sign(
	struct buf *b, struct span name, const uint8_t key[NOTE_KEY_BYTES], struct span signature);
/* "<name>+<key id in hex>+<base64 of 0x01 and the key>": what those who verify are given. */
void note_verifier_key(struct buf *b, struct span name, const uint8_t key[NOTE_KEY_BYTES]);

#endif
