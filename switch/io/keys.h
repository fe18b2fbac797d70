/*
 * keys.h: the keys between us and one peer: our private ones, its public ones, shared secrets;
 * several versions of each may live at once. Whoever signs or verifies never sees a key.
 *
 * A ring belongs to whoever called keys_new; its memory is wiped when it is freed. The four
 * functions that do the work take the ring as a void pointer, since they fill the signer that
 * adapters are given.
 */
#ifndef XW_KEYS_H
#define XW_KEYS_H

#include "buf.h"
#include "rc.h"

#define KEYS_MAX        32
#define KEYS_ID_MAX     128
#define KEYS_SIG_MAX    512 /* RSA-4096 */
#define KEYS_SECRET_MAX 512

struct keys;

/* The numbers are those of sig_alg in adapter.h. */
enum key_alg {
	KEY_RSA_SHA256,  /* PKCS#1 v1.5, 2048 to 4096 bits */
	KEY_ED25519,     /* 64 bytes over the text itself */
	KEY_P256_SHA256, /* r and s, 64 bytes */
	KEY_HMAC_SHA256, /* 32 bytes */
	KEY_RSA_SHA512,  /* as the first, where a partner asks for it (keys_use_sha512) */
};

/* SPEC standards 5.5: at least two may verify at once; the newest active one signs. */
enum key_state {
	KEY_PENDING,  /* known, not used yet */
	KEY_ACTIVE,   /* signs and verifies */
	KEY_RETIRING, /* verifies only */
	KEY_REVOKED,
};

enum key_kind {
	KEY_OURS,   /* private; signs towards the peer */
	KEY_THEIRS, /* the peer's public one; verifies */
	KEY_SHARED, /* HMAC; does both */
	KEY_SECRET, /* named, for keys_mac and keys_secret; its state is of no matter */
};

/* What files call them, by number; NULL at the end. */
extern const char *const keys_kinds[], *const keys_states[];

/* NULL: out of memory. */
struct keys *keys_new(void);
/* Wipes. NULL is fine; returns NULL. */
struct keys *keys_free(struct keys *k);

/*
 * Adds a key under its keyid, key version or name. Of several active ones the last added is the
 * newest. `text`: PEM (PKCS#8; SubjectPublicKeyInfo or a certificate), or its DER in bare base64,
 * or a bare base64 Ed25519 public key of 32 bytes; for secrets the bytes themselves, or encoded
 * behind "base64:", "hex:" or "whsec_". RC_BAD: not such a key; RC_RANGE: a kind or size that we do
 * not use; RC_EXISTS: that kind and id is here; RC_FULL. *ret_why is a constant, set on failure.
 */
MUST enum rc keys_add(struct keys *k, enum key_kind kind, struct span id, enum key_state state,
	struct span text, const char **ret_why);
/* As above from a file, one line end behind a secret not counted. All but the peer's public ones
 * must be readable by nobody else (RC_AUTH). */
MUST enum rc keys_add_file(struct keys *k, enum key_kind kind, struct span id, enum key_state state,
	const char *path, const char **ret_why);

/* From now on the key that was added last digests by SHA-512. RC_RANGE: it is not of RSA. */
MUST enum rc keys_use_sha512(struct keys *k, const char **ret_why);

/* Signs with our newest active key (or shared one), appends to ret_sig, and says which it was. */
bool keys_sign(void *keys, struct span data, struct buf *ret_sig, enum key_alg *ret_alg,
	struct span *ret_id);
/* With the peer's key of that id (empty: its newest active one). False also where the key is
 * unknown, pending or revoked. */
bool keys_verify(void *keys, struct span id, struct span data, struct span sig);
/* The id of the key that an empty one stands for there; empty: there is none. */
struct span keys_newest(void *keys);
/* The public half of the key that keys_sign would use, where that is Ed25519: it is in the names
 * that verifiers are given. */
bool keys_public(void *keys, uint8_t ret[32]);
/* HMAC-SHA256 with a named secret; false where there is none. */
bool keys_mac(void *keys, const char *name, struct span data, uint8_t ret[32]);
/* The secret's bytes, for headers that carry it; empty where there is none. */
struct span keys_secret(void *keys, const char *name);

#endif
