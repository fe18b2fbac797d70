/*
 * speed.c measures signatures in processor time, not by the clock: what others do on the machine
 * meanwhile must not count. The hard thing is warmth: the first calls fill caches and are not
 * counted.
 */
#include "speed.h"

#include "crowd_keys.h"
#include "keys.h"

#include <stdio.h>
#include <sys/resource.h>

#define MEASURE_US 500000
#define TEXT_BYTES 1200 /* about what is signed of a payment */

static char text[TEXT_BYTES];

static int64_t used_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ((int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

/* Microseconds for one; 0: it fails. `sig` empty: signs, and never the same text twice, since that
 * is signed once. */
static double cost(struct keys *k, struct span sig)
{
	struct span all = span_of(text, sizeof text);
	char out[KEYS_SIG_MAX];
	enum key_alg alg;
	struct span id;
	int64_t begin = 0, us = 0;

	for (int64_t n = -16;; n++) {
		struct buf b = buf_init(out, sizeof out);

		if (n == 0)
			begin = used_us();
		if (!sig.n)
			memcpy(text, &n, sizeof n);
		if (sig.n ? !keys_verify(k, SPAN_NONE, all, sig)
			  : !keys_sign(k, all, &b, &alg, &id))
			return 0;
		if (n > 0 && n % 16 == 0 && (us = used_us() - begin) >= MEASURE_US)
			return (double)us / (double)n;
	}
}

/* The owner's private key and what the other side holds of it. */
static bool measure(const char *keys, const char *owner, const char *other, const char *name,
	double *ret_sign, double *ret_verify, const char **ret_why)
{
	char dir[400], bytes[KEYS_SIG_MAX], id[128];
	struct keys *k = keys_new();
	struct buf sig = buf_init(bytes, sizeof bytes);
	enum key_alg alg;
	struct span used;
	bool good;

	snprintf(dir, sizeof dir, "%s/%s/%s/ours", keys, owner, name);
	good = k && crowd_keys_load(k, dir, KEY_OURS, id, ret_why);
	snprintf(dir, sizeof dir, "%s/%s/%s/theirs", keys, other, name);
	good = good && crowd_keys_load(k, dir, KEY_THEIRS, id, ret_why);
	if (good && keys_sign(k, span_of(text, sizeof text), &sig, &alg, &used)) {
		*ret_verify = cost(k, buf_span(&sig));
		*ret_sign = cost(k, SPAN_NONE);
	}
	keys_free(k);
	return good && *ret_sign > 0 && *ret_verify > 0;
}

bool speed_measure(const char *keys, struct speed *ret, const char **ret_why)
{
	*ret_why = "a key does not sign what its other half verifies";
	return measure(keys, "switch", "sandbox", "alipayplus", &ret->rsa_sign_us,
		       &ret->rsa_verify_us, ret_why) &&
	       measure(keys, "sandbox", "switch", "till-eur", &ret->p256_sign_us,
		       &ret->p256_verify_us, ret_why);
}
