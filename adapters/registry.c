/*
 * registry.c: the adapters by name. Adding one is one line in the list below. Nothing here may know
 * more of an adapter than its name; a peer is a configured use of one, and there may be several.
 */
#include "adapter.h"

/* Sorted. Each name is that of the folder, and declares `const struct adapter <name>_adapter`. */
#define ADAPTERS(X)                                                                                \
	X(alipay)                                                                                  \
	X(alipayplus)                                                                              \
	X(apsmember)                                                                               \
	X(bancontact)                                                                              \
	X(bluecode)                                                                                \
	X(bluecodetill)                                                                            \
	X(epassi)                                                                                  \
	X(page) X(partner) X(pivo) X(satispay) X(swish) X(twint) X(vipps) X(vippstill) X(wechatpay)

#define DECLARE(name) extern const struct adapter name##_adapter;
ADAPTERS(DECLARE)

#define ENTRY(name) &name##_adapter,
static const struct adapter *const adapters[] = { ADAPTERS(ENTRY) NULL };

/* versions.sh writes the list. */
static const struct {
	const char *name, *version;
} versions[] = {
#define VERSION(name, digest) { #name, #name " " digest },
#include "adapter_versions.def"
#undef VERSION
};

const char *adapter_version(const struct adapter *a)
{
	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
		if (strcmp(versions[i].name, a->name) == 0)
			return versions[i].version;
	return "";
}

const struct adapter *adapter_by_name(struct span name)
{
	for (const struct adapter *const *a = adapters; *a; a++)
		if (span_eq(span_str((*a)->name), name))
			return *a;
	return NULL;
}

const struct caps *adapter_caps(const struct adapter *a, enum op op)
{
	for (const struct caps *c = a->caps; c->op != OP_NONE; c++)
		if (c->op == op)
			return c;
	return NULL;
}
