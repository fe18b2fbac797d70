/*
 * rc.c: the error codes as words for logs. Must never be parsed by anybody.
 */
#include "rc.h"

const char *rc_str(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return "ok";
	case RC_MORE:
		return "more bytes needed";
	case RC_BAD:
		return "malformed";
	case RC_RANGE:
		return "out of range";
	case RC_FULL:
		return "limit reached";
	case RC_NOENT:
		return "no such thing";
	case RC_EXISTS:
		return "exists already";
	case RC_AUTH:
		return "not authentic";
	case RC_TIME:
		return "deadline passed";
	case RC_IO:
		return "input/output failed";
	}
	return "unknown";
}
