/*
 * sandboxes.c: the partners' fakes by name. Adding one is one line in the list below. It is linked
 * into the sandbox, the simulator and the benchmark, never into switchd.
 */
#include "sandbox.h"

/* Sorted. Each name is that of the adapter, and declares `const struct sandbox <name>_sandbox`. */
#define SANDBOXES(X)                                                                               \
	X(alipay)                                                                                  \
	X(alipayplus)                                                                              \
	X(apsmember)                                                                               \
	X(bancontact)                                                                              \
	X(bluecode)                                                                                \
	X(bluecodetill)                                                                            \
	X(epassi) X(partner) X(pivo) X(satispay) X(swish) X(twint) X(vipps) X(vippstill)           \
		X(wechatpay)

#define DECLARE(name) extern const struct sandbox name##_sandbox;
SANDBOXES(DECLARE)

#define ENTRY(name) &name##_sandbox,
static const struct sandbox *const sandboxes[] = { SANDBOXES(ENTRY) NULL };

const struct sandbox *sandbox_by_name(struct span name)
{
	for (const struct sandbox *const *s = sandboxes; *s; s++)
		if (span_eq(span_str((*s)->name), name))
			return *s;
	return NULL;
}
