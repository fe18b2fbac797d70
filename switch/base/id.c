/*
 * id.c: our ids in bytes and in text. The text sorts as the bytes do, and the bytes as time does.
 *
 * The hard thing: 26 characters hold 130 bits, so the first one is at most '7'; and of two texts
 * that look alike only one is an id, hence no aliases such as O for 0. Must never be taken for a
 * secret.
 */
#include "id.h"

#include "check.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct pay_id pay_id_make(struct wall now, unsigned shard, const uint8_t random[9])
{
	uint64_t ms = (uint64_t)(now.us / 1000);
	struct pay_id id;

	PRE(now.us > 0 && ms >> 48 == 0);
	PRE(shard < 4096);
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	id.b[6] = (uint8_t)(shard >> 4);
	id.b[7] = (uint8_t)(shard << 4 | (random[0] & 15));
	memcpy(id.b + 8, random + 1, 8);
	return id;
}

bool pay_id_is_none(const struct pay_id *id)
{
	static const struct pay_id none;

	return pay_id_eq(id, &none);
}

bool pay_id_eq(const struct pay_id *a, const struct pay_id *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

struct wall pay_id_time(const struct pay_id *id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return (struct wall){ (int64_t)ms * 1000 };
}

void pay_id_write(struct buf *b, const struct pay_id *id)
{
	char *room = buf_room(b, ID_TEXT_LEN);
	unsigned __int128 v = 0;

	for (int i = 0; i < 16; i++)
		v = v << 8 | id->b[i];
	for (int i = ID_TEXT_LEN - 1; room && i >= 0; i--, v >>= 5)
		room[i] = alphabet[v & 31];
}

/* 0 to 31, or -1. */
static int digit_of(char ch)
{
	char low = ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
	const char *at = memchr(alphabet, low, sizeof alphabet - 1);

	return at ? (int)(at - alphabet) : -1;
}

enum rc pay_id_parse(struct span text, struct pay_id *ret)
{
	unsigned __int128 v = 0;

	if (text.n != ID_TEXT_LEN || text.p[0] < '0' || text.p[0] > '7')
		return RC_BAD;
	for (int i = 0; i < ID_TEXT_LEN; i++) {
		int digit = digit_of(text.p[i]);

		if (digit < 0)
			return RC_BAD;
		v = v << 5 | (unsigned)digit;
	}
	for (int i = 15; i >= 0; i--, v >>= 8)
		ret->b[i] = (uint8_t)v;
	return RC_OK;
}
