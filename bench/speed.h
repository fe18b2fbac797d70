/*
 * speed.h: what a signature costs on one core, through the same code and kinds of keys as the
 * switch's.
 */
#ifndef XW_SPEED_H
#define XW_SPEED_H

#include <stdbool.h>

struct speed {
	double rsa_sign_us, rsa_verify_us, p256_sign_us, p256_verify_us;
};

/* `keys`: the run's folder of keys. Takes two seconds of processor time. */
bool speed_measure(const char *keys, struct speed *ret, const char **ret_why);

#endif
