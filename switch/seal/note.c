/*
 * note.c: writing signed notes. The key id binds a signature to the name as well as to the key, so
 * that a key that is used under another name says another thing. Must never sign: the caller holds
 * the key.
 */
#include "note.h"

#include "text.h"

#define ED25519 "\x01" /* the algorithm's byte in the key id */

static struct span key_id(struct digest *d, struct span name, const uint8_t key[NOTE_KEY_BYTES])
{
	const struct span part[] = { name, SPAN("\n" ED25519), span_of(key, NOTE_KEY_BYTES) };

	*d = digest_sha256_parts(part, 3);
	return span_of(d->b, 4);
}

bool note_name_is_good(struct span name)
{
	return !span_empty(name) && name.n <= NOTE_NAME_MAX && span_is_alnum(name, "-._~/:");
}

void note_checkpoint(struct buf *b, struct span origin, uint64_t size, const struct digest *root)
{
	buf_add(b, origin);
	buf_ch(b, '\n');
	buf_u64(b, size);
	buf_ch(b, '\n');
	text_b64(b, digest_span(root));
	buf_ch(b, '\n');
}

void note_sign(
	struct buf *b, struct span name, const uint8_t key[NOTE_KEY_BYTES], struct span signature)
{
	char storage[4 + 64];
	struct buf signed_by = buf_init(storage, sizeof storage);
	struct digest d;

	buf_add(&signed_by, key_id(&d, name, key));
	buf_add(&signed_by, signature);
	buf_str(b, "\n\xe2\x80\x94 "); /* an em dash */
	buf_add(b, name);
	buf_ch(b, ' ');
	text_b64(b, buf_span(&signed_by));
	buf_ch(b, '\n');
	b->over |= signed_by.over;
}

void note_verifier_key(struct buf *b, struct span name, const uint8_t key[NOTE_KEY_BYTES])
{
	char storage[1 + NOTE_KEY_BYTES];
	struct buf typed = buf_init(storage, sizeof storage);
	struct digest d;

	buf_add(b, name);
	buf_ch(b, '+');
	buf_hex(b, key_id(&d, name, key));
	buf_ch(b, '+');
	buf_add(&typed, SPAN(ED25519));
	buf_add(&typed, span_of(key, NOTE_KEY_BYTES));
	text_b64(b, buf_span(&typed));
}
