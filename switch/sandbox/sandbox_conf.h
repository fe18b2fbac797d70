/*
 * sandbox_conf.h: which partners to play, where, and with which keys: one JSON file.
 *
 * Everything lives as long as the configuration, keys too; strings that the file leaves out are
 * NULL. Files are named from the folder of this one.
 */
#ifndef XW_SANDBOX_CONF_H
#define XW_SANDBOX_CONF_H

#include "arena.h"

#define SANDBOX_PARTICIPANTS_MAX 31 /* each has a listener, and so has control */
#define SANDBOX_SETTINGS_MAX     64

struct keys;

struct sandbox_setting {
	struct span name, value;
};

struct sandbox_participant {
	const char *name, *fake;
	const char *address; /* literal */
	uint16_t port;
	const char
		*origin; /* as partners and signatures name us; from address and port if absent */
	const char *tls_cert, *tls_key; /* none: plain, on loopback only */
	const char *client_ca;          /* then the switch must show a certificate */
	/* Where we call the switch; none: our calls are never answered. */
	const char *switch_url, *switch_host;
	uint16_t switch_port;
	bool switch_tls;
	const char *switch_ca;
	const char *call_cert, *call_key; /* that we show the switch */
	struct keys *keys;                /* none in the file: an empty ring */
	size_t setting_count;
	struct sandbox_setting setting[SANDBOX_SETTINGS_MAX];
};

struct sandbox_conf {
	const char *control_address;
	uint16_t control_port;
	size_t count;
	struct sandbox_participant participant[SANDBOX_PARTICIPANTS_MAX];
};

/* NULL: *ret_why says which file and member, until the next call. */
struct sandbox_conf *sandbox_conf_read(const char *path, const char **ret_why);
/* NULL is fine; returns NULL. */
struct sandbox_conf *sandbox_conf_free(struct sandbox_conf *c);

#endif
