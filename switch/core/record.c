/*
 * record.c: the payment record as bytes and back, driven by record.def.
 *
 * The form is that of protobuf (tag and wire type, varints, length-delimited), so that any protobuf
 * reader can take a record apart in years to come; zero values are left out. The hard thing is that
 * two program versions may run side by side: a missing tag is zero, an unknown one was written by
 * the later program, and who skipped it would lose it with the next step, so such a record is not
 * read. Must never write a field that record.def does not list.
 */
#include "check.h"
#include "pay.h"

enum kind {
	KIND_U,
	KIND_I,
	KIND_T,
	KIND_M,
	KIND_S,
	KIND_B,
	KIND_LEG,
	KIND_UNDO,
	KIND_REFUND,
	KIND_CAPTURE,
	KIND_QUOTE,
	KIND_FEE,
	KIND_GONE
};

struct field {
	uint8_t tag;
	uint8_t kind;
	uint16_t offset;
	uint16_t size;
	const char *name;
};

#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define ROW(type, n, kind, member)                                                                 \
	{ n, KIND_##kind, offsetof(struct type, member), SIZE_OF(type, member), #member },

#define LEG_F(n, kind, member) ROW(leg, n, kind, member)
static const struct field leg_fields[] = {
#include "record.def"
};
#undef LEG_F
#define UNDO_F(n, kind, member) ROW(undo, n, kind, member)
static const struct field undo_fields[] = {
#include "record.def"
};
#undef UNDO_F
#define REFUND_F(n, kind, member) ROW(refund, n, kind, member)
static const struct field refund_fields[] = {
#include "record.def"
};
#undef REFUND_F
#define CAPTURE_F(n, kind, member) ROW(capture, n, kind, member)
static const struct field capture_fields[] = {
#include "record.def"
};
#undef CAPTURE_F
#define QUOTE_F(n, kind, member) ROW(quote, n, kind, member)
static const struct field quote_fields[] = {
#include "record.def"
};
#undef QUOTE_F
#define FEE_F(n, kind, member) ROW(fee, n, kind, member)
static const struct field fee_fields[] = {
#include "record.def"
};
#undef FEE_F
#define PAY_F(n, kind, member) ROW(pay, n, kind, member)
static const struct field pay_fields[] = {
#include "record.def"
};
#undef PAY_F

struct list {
	const struct field *field;
	size_t n;
};

#define LIST_OF(fields) ((struct list){ fields, sizeof(fields) / sizeof((fields)[0]) })

static struct list nested(uint8_t kind)
{
	switch (kind) {
	case KIND_LEG:
		return LIST_OF(leg_fields);
	case KIND_UNDO:
		return LIST_OF(undo_fields);
	case KIND_REFUND:
		return LIST_OF(refund_fields);
	case KIND_CAPTURE:
		return LIST_OF(capture_fields);
	case KIND_QUOTE:
		return LIST_OF(quote_fields);
	case KIND_FEE:
		return LIST_OF(fee_fields);
	default: /* not an enum of the domain: kinds that do not nest */
		CHECK_UNREACHABLE();
	}
}

static uint64_t get_uint(const char *at, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, at, size); /* little-endian hosts only; the build checks */
	return v;
}

static void varint(struct buf *b, uint64_t v)
{
	while (v >= 0x80) {
		buf_ch(b, (char)(v | 0x80));
		v >>= 7;
	}
	buf_ch(b, (char)v);
}

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void head(struct buf *b, const struct field *f, unsigned wire)
{
	varint(b, (uint64_t)f->tag << 3 | wire);
}

static void bytes(struct buf *b, const struct field *f, struct span s)
{
	head(b, f, WIRE_BYTES);
	varint(b, s.n);
	buf_add(b, s);
}

static bool is_zero(const char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static void pack_money(struct buf *b, const struct field *f, struct money m)
{
	char store[24];
	struct buf inner = buf_init(store, sizeof store);

	if (money_is_none(m))
		return;
	varint(&inner, zigzag(money_minor(m)));
	varint(&inner, money_ccy(m).num);
	bytes(b, f, buf_span(&inner));
}

static void pack_fields(struct buf *b, struct list l, const char *from);

static void pack_nested(struct buf *b, const struct field *f, const char *from)
{
	char store[1024];
	struct buf inner = buf_init(store, sizeof store);

	if (is_zero(from, f->size)) /* most are */
		return;
	pack_fields(&inner, nested(f->kind), from);
	b->over = b->over || inner.over;
	if (inner.n)
		bytes(b, f, buf_span(&inner));
}

static void pack_fields(struct buf *b, struct list l, const char *from)
{
	for (size_t i = 0; i < l.n; i++) {
		const struct field *f = &l.field[i];
		const char *at = from + f->offset;
		uint64_t v;
		struct money m;

		switch ((enum kind)f->kind) {
		case KIND_U:
			if ((v = get_uint(at, f->size)) != 0) {
				head(b, f, WIRE_VARINT);
				varint(b, v);
			}
			break;
		case KIND_I:
		case KIND_T:
			if ((v = get_uint(at, 8)) != 0) {
				head(b, f, WIRE_VARINT);
				varint(b, zigzag((int64_t)v));
			}
			break;
		case KIND_M:
			memcpy(&m, at, sizeof m);
			pack_money(b, f, m);
			break;
		case KIND_S:
			if (*at)
				bytes(b, f, span_of(at, strnlen(at, f->size)));
			break;
		case KIND_B:
			if (!is_zero(at, f->size))
				bytes(b, f, span_of(at, f->size));
			break;
		case KIND_LEG:
		case KIND_UNDO:
		case KIND_REFUND:
		case KIND_CAPTURE:
		case KIND_QUOTE:
		case KIND_FEE:
			pack_nested(b, f, at);
			break;
		case KIND_GONE:
			break;
		}
	}
}

enum rc pay_pack(const struct pay *p, struct buf *ret)
{
	pack_fields(ret, LIST_OF(pay_fields), (const char *)p);
	return buf_ok(ret) ? RC_OK : RC_FULL;
}

static bool same_fields(struct list l, const char *a, const char *b);

/* Behind the end of a string anything may stand. */
static bool same_value(const struct field *f, const char *a, const char *b)
{
	struct money one, other;

	switch ((enum kind)f->kind) {
	case KIND_U:
	case KIND_I:
	case KIND_T:
	case KIND_B:
		return memcmp(a, b, f->size) == 0;
	case KIND_M:
		memcpy(&one, a, sizeof one);
		memcpy(&other, b, sizeof other);
		return money_is_none(one) ? money_is_none(other) : money_eq(one, other);
	case KIND_S:
		return strncmp(a, b, f->size) == 0;
	case KIND_LEG:
	case KIND_UNDO:
	case KIND_REFUND:
	case KIND_CAPTURE:
	case KIND_QUOTE:
	case KIND_FEE:
		return memcmp(a, b, f->size) == 0 || same_fields(nested(f->kind), a, b);
	case KIND_GONE:
		return true;
	}
	CHECK_UNREACHABLE();
}

static bool same_fields(struct list l, const char *a, const char *b)
{
	for (size_t i = 0; i < l.n; i++)
		if (!same_value(&l.field[i], a + l.field[i].offset, b + l.field[i].offset))
			return false;
	return true;
}

bool pay_same(const struct pay *a, const struct pay *b)
{
	return same_fields(LIST_OF(pay_fields), (const char *)a, (const char *)b);
}

static bool read_varint(struct span *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && s->n; shift += 7) {
		uint8_t c = (uint8_t)*s->p;
		s->p++;
		s->n--;
		if (shift == 63 && c > 1)
			return false;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool read_bytes(struct span *s, struct span *ret)
{
	uint64_t n;

	if (!read_varint(s, &n) || n > s->n)
		return false;
	*ret = span_of(s->p, n);
	*s = span_sub(*s, n, s->n);
	return true;
}

static bool read_money(struct span s, char *at)
{
	uint64_t minor, num;
	struct ccy c;
	struct money m;
	char digits[3];

	if (!read_varint(&s, &minor) || !read_varint(&s, &num) || s.n || num > 999)
		return false;
	digits[0] = (char)('0' + num / 100);
	digits[1] = (char)('0' + num / 10 % 10);
	digits[2] = (char)('0' + num % 10);
	if (ccy_by_num(span_of(digits, 3), &c) != RC_OK)
		return false;
	m = money_of(unzigzag(minor), c);
	memcpy(at, &m, sizeof m);
	return true;
}

static bool unpack_fields(struct span s, struct list l, char *to);

static bool read_value(
	const struct field *f, struct span value, uint64_t number, unsigned wire, char *to)
{
	char *at = to + f->offset;
	int64_t i;

	switch ((enum kind)f->kind) {
	case KIND_U:
		if (wire != WIRE_VARINT || (f->size < 8 && number >> (8 * f->size)))
			return false;
		memcpy(at, &number, f->size);
		return true;
	case KIND_I:
	case KIND_T:
		i = unzigzag(number);
		memcpy(at, &i, sizeof i);
		return wire == WIRE_VARINT;
	case KIND_M:
		return wire == WIRE_BYTES && read_money(value, at);
	case KIND_S:
		return wire == WIRE_BYTES && span_to_cstr(value, at, f->size);
	case KIND_B:
		if (wire != WIRE_BYTES || value.n != f->size)
			return false;
		memcpy(at, value.p, value.n);
		return true;
	case KIND_LEG:
	case KIND_UNDO:
	case KIND_REFUND:
	case KIND_CAPTURE:
	case KIND_QUOTE:
	case KIND_FEE:
		return wire == WIRE_BYTES && unpack_fields(value, nested(f->kind), at);
	case KIND_GONE:
		return true;
	}
	CHECK_UNREACHABLE();
}

static bool unpack_fields(struct span s, struct list l, char *to)
{
	while (s.n) {
		uint64_t tag, number = 0;
		struct span value = SPAN_NONE;
		const struct field *f = NULL;

		if (!read_varint(&s, &tag))
			return false;
		if ((tag & 7) == WIRE_VARINT      ? !read_varint(&s, &number)
			: (tag & 7) == WIRE_BYTES ? !read_bytes(&s, &value)
						  : true)
			return false;
		for (size_t i = 0; i < l.n && !f; i++)
			if (l.field[i].tag == tag >> 3)
				f = &l.field[i];
		if (!f || !read_value(f, value, number, tag & 7, to))
			return false;
	}
	return true;
}

enum rc pay_unpack(struct span s, struct pay *ret)
{
	struct pay p;

	memset(&p, 0, sizeof p);
	if (!unpack_fields(s, LIST_OF(pay_fields), (char *)&p))
		return RC_BAD;
	*ret = p;
	return RC_OK;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "get_uint copies low bytes first");
_Static_assert(sizeof(struct wall) == 8 && sizeof(struct pay_id) == 16, "kinds T and B");
