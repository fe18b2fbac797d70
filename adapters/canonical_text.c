/*
 * canonical_text.c: a canonical message as "path: value" lines, both ways, for golden files and for
 * people. Generic over the descriptors that protobuf-c generates, so a new member needs no code
 * here.
 *
 * The hard thing is that numbers have meanings which the descriptor does not tell. Three
 * conventions of canonical.proto carry it: an int64 is a time (a sint64 an amount), and an int32
 * named op, result or reason is one of op.def. Never used on the payment path: text is for eyes,
 * not for storage.
 */
#include "adapter.h"

#include "check.h"

#define PATH_MAX_BYTES 128
#define REPEATED_MAX   32

/* ---- the words of op.def ------------------------------------------------------------------- */

enum vocabulary { WORDS_NONE, WORDS_OP, WORDS_OUTCOME, WORDS_REASON };

static enum vocabulary vocabulary_of(const ProtobufCFieldDescriptor *f)
{
	if (f->type != PROTOBUF_C_TYPE_INT32)
		return WORDS_NONE;
	if (strcmp(f->name, "op") == 0)
		return WORDS_OP;
	if (strcmp(f->name, "result") == 0)
		return WORDS_OUTCOME;
	return strcmp(f->name, "reason") == 0 ? WORDS_REASON : WORDS_NONE;
}

/* NULL where the number has no word. */
static const char *word_of(enum vocabulary v, int32_t number)
{
	static const struct {
		enum vocabulary v;
		int32_t number;
	} known[] = {
#define OP(NAME, number, slug, sentence)      { WORDS_OP, number },
#define OUTCOME(NAME, number, slug, sentence) { WORDS_OUTCOME, number },
#define REASON(NAME, number, slug, sentence)  { WORDS_REASON, number },
#include "op.def"
#undef OP
#undef OUTCOME
#undef REASON
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].v != v || known[i].number != number)
			continue;
		switch (v) {
		case WORDS_OP:
			return op_name((enum op)number);
		case WORDS_OUTCOME:
			return outcome_name((enum outcome)number);
		case WORDS_REASON:
			return reason_name((enum reason)number);
		case WORDS_NONE:
			break;
		}
	}
	return NULL;
}

#define WORD_NUMBER_MAX 64

static bool number_of(enum vocabulary v, struct span word, int32_t *ret)
{
	for (int32_t n = 0; v != WORDS_NONE && n < WORD_NUMBER_MAX; n++) {
		const char *known = word_of(v, n);

		if (known && span_eq(span_str(known), word)) {
			*ret = n;
			return true;
		}
	}
	return false;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void write_text(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '\n') {
			buf_ch(b, '\\');
			buf_ch(b, *s == '\n' ? 'n' : '\\');
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			buf_str(b, "\\x");
			buf_hex(b, span_of(s, 1));
		} else {
			buf_ch(b, *s);
		}
	}
}

static void write_number(struct buf *b, const ProtobufCFieldDescriptor *f, int32_t number)
{
	const char *word = word_of(vocabulary_of(f), number);

	if (word)
		buf_str(b, word);
	else
		buf_i64(b, number);
}

static void write_time(struct buf *b, int64_t us)
{
	int digits = us % 1000000 == 0 ? 0 : us % 1000 == 0 ? 3 : 6;

	wall_write(b, (struct wall){ us }, digits);
}

/* What canonical.proto uses of the library's types. */
enum kind { KIND_NUMBER, KIND_TIME, KIND_AMOUNT, KIND_FLAG, KIND_TEXT, KIND_MESSAGE };

static enum kind kind_of(const ProtobufCFieldDescriptor *f)
{
	if (f->type == PROTOBUF_C_TYPE_INT32)
		return KIND_NUMBER;
	if (f->type == PROTOBUF_C_TYPE_INT64)
		return KIND_TIME;
	if (f->type == PROTOBUF_C_TYPE_SINT64)
		return KIND_AMOUNT;
	if (f->type == PROTOBUF_C_TYPE_BOOL)
		return KIND_FLAG;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return KIND_TEXT;
	CHECK(f->type == PROTOBUF_C_TYPE_MESSAGE);
	return KIND_MESSAGE;
}

/* False where the member has its type's default, which proto3 does not tell from absent. */
static bool is_set(const ProtobufCFieldDescriptor *f, const void *member)
{
	switch (kind_of(f)) {
	case KIND_NUMBER:
		return *(const int32_t *)member != 0;
	case KIND_TIME:
	case KIND_AMOUNT:
		return *(const int64_t *)member != 0;
	case KIND_FLAG:
		return *(const protobuf_c_boolean *)member;
	case KIND_TEXT:
		return **(const char *const *)member != '\0';
	case KIND_MESSAGE:
		return *(const ProtobufCMessage *const *)member != NULL;
	}
	CHECK_UNREACHABLE();
}

static void write_message(struct buf *b, struct buf *path, const ProtobufCMessage *m);

static void write_member(
	struct buf *b, struct buf *path, const ProtobufCFieldDescriptor *f, const void *member)
{
	enum kind kind = kind_of(f);

	if (kind == KIND_MESSAGE) {
		write_message(b, path, *(const ProtobufCMessage *const *)member);
		return;
	}
	buf_add(b, buf_span(path));
	buf_str(b, ": ");
	switch (kind) {
	case KIND_NUMBER:
		write_number(b, f, *(const int32_t *)member);
		break;
	case KIND_TIME:
		write_time(b, *(const int64_t *)member);
		break;
	case KIND_AMOUNT:
		buf_i64(b, *(const int64_t *)member);
		break;
	case KIND_FLAG:
		buf_str(b, "true");
		break;
	case KIND_TEXT:
	case KIND_MESSAGE:
		write_text(b, *(const char *const *)member);
		break;
	}
	buf_ch(b, '\n');
}

static size_t element_bytes(const ProtobufCFieldDescriptor *f)
{
	CHECK(kind_of(f) == KIND_TEXT || kind_of(f) == KIND_MESSAGE);
	return sizeof(void *);
}

static void write_repeated(
	struct buf *b, struct buf *path, const ProtobufCFieldDescriptor *f, const char *m)
{
	size_t count, here = path->n;
	const char *elements;

	memcpy(&count, m + f->quantifier_offset, sizeof count);
	memcpy(&elements, m + f->offset, sizeof elements);
	for (size_t i = 0; i < count; i++) {
		buf_ch(path, '[');
		buf_u64(path, i);
		buf_ch(path, ']');
		write_member(b, path, f, elements + i * element_bytes(f));
		path->n = here;
	}
}

static void write_message(struct buf *b, struct buf *path, const ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;
	size_t start = b->n, here = path->n;

	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[d->fields_sorted_by_name[i]];
		const char *member = (const char *)m + f->offset;

		if (here > 0)
			buf_ch(path, '.');
		buf_str(path, f->name);
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			write_repeated(b, path, f, (const char *)m);
		else if (is_set(f, member))
			write_member(b, path, f, member);
		path->n = here;
	}
	if (b->n == start && here > 0) { /* present, but nothing in it */
		buf_add(b, buf_span(path));
		buf_str(b, ": {}\n");
	}
}

void canonical_text_write(struct buf *b, const Xw__Canonical *m)
{
	char storage[PATH_MAX_BYTES];
	struct buf path = buf_init(storage, sizeof storage);

	write_message(b, &path, &m->base);
	CHECK(buf_ok(&path)); /* a schema that outgrew PATH_MAX_BYTES */
}

/* ---- reading ------------------------------------------------------------------------------- */

static enum rc read_escaped(struct arena *a, struct span text, char **ret)
{
	char *copy = arena_alloc(a, text.n + 1);
	struct buf b = buf_init(copy, text.n + 1);

	if (!copy)
		return RC_FULL;
	for (size_t i = 0; i < text.n; i++) {
		char hex[2], byte;

		if (text.p[i] != '\\') {
			buf_ch(&b, text.p[i]);
			continue;
		}
		if (++i == text.n)
			return RC_BAD;
		if (text.p[i] == 'n' || text.p[i] == '\\') {
			buf_ch(&b, text.p[i] == 'n' ? '\n' : '\\');
			continue;
		}
		if (text.p[i] != 'x' || text.n - i < 3)
			return RC_BAD;
		memcpy(hex, text.p + i + 1, 2);
		for (int k = 0; k < 2; k++) {
			const char *digits = "0123456789abcdef", *at = strchr(digits, hex[k]);

			if (!at || !hex[k])
				return RC_BAD;
			hex[k] = (char)(at - digits);
		}
		byte = (char)(hex[0] << 4 | hex[1]);
		if (!byte) /* would cut the string */
			return RC_BAD;
		buf_ch(&b, byte);
		i += 2;
	}
	buf_ch(&b, '\0');
	*ret = copy;
	return RC_OK;
}

static enum rc read_integer(struct span text, int64_t *ret)
{
	bool negative = span_starts(text, SPAN("-"));
	int64_t v;
	enum rc rc = (enum rc)span_to_i64(span_sub(text, negative, text.n), &v);

	if (rc == RC_OK)
		*ret = negative ? -v : v;
	return rc;
}

static enum rc read_int32(const ProtobufCFieldDescriptor *f, struct span text, int32_t *ret)
{
	int64_t v;

	if (number_of(vocabulary_of(f), text, ret))
		return RC_OK;
	if (read_integer(text, &v) != RC_OK || v < INT32_MIN || v > INT32_MAX)
		return RC_BAD;
	*ret = (int32_t)v;
	return RC_OK;
}

static enum rc read_scalar(
	struct arena *a, const ProtobufCFieldDescriptor *f, void *member, struct span text)
{
	struct wall w;
	enum rc rc;

	switch (kind_of(f)) {
	case KIND_NUMBER:
		return read_int32(f, text, (int32_t *)member);
	case KIND_TIME:
		rc = wall_parse(text, &w);
		if (rc == RC_OK)
			*(int64_t *)member = w.us;
		return rc;
	case KIND_AMOUNT:
		return read_integer(text, (int64_t *)member);
	case KIND_FLAG:
		*(protobuf_c_boolean *)member = 1;
		return span_eq(text, SPAN("true")) ? RC_OK : RC_BAD;
	case KIND_TEXT:
		return read_escaped(a, text, (char **)member);
	case KIND_MESSAGE:
		break;
	}
	CHECK_UNREACHABLE();
}

/* The element that "[i]" means: the last one, or a new one behind it. NULL: neither, or full. */
static void *repeated_element(
	struct arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, struct span index)
{
	size_t *count = (size_t *)((char *)m + f->quantifier_offset);
	void ***elements = (void ***)((char *)m + f->offset);
	int64_t i;

	if (span_to_i64(index, &i) != RC_OK || i >= REPEATED_MAX)
		return NULL;
	if (!*elements)
		*elements = arena_alloc(a, REPEATED_MAX * element_bytes(f));
	if (!*elements || (size_t)i > *count || (size_t)i + 1 < *count)
		return NULL;
	*count = (size_t)i + 1;
	return *elements + i;
}

/* One step of a path: the member `name` or `name[i]` of m. */
static void *find_member(struct arena *a, ProtobufCMessage *m, struct span step,
	const ProtobufCFieldDescriptor **ret_field)
{
	struct span name = span_sub(step, 0, span_find(step, '['));
	char cname[PATH_MAX_BYTES];
	const ProtobufCFieldDescriptor *f;

	if (!span_to_cstr(name, cname, sizeof cname))
		return NULL;
	f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, cname);
	if (!f || (f->label == PROTOBUF_C_LABEL_REPEATED) != (name.n < step.n))
		return NULL;
	*ret_field = f;
	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return (char *)m + f->offset;
	if (!span_ends(step, SPAN("]")))
		return NULL;
	return repeated_element(a, m, f, span_sub(step, name.n + 1, step.n - name.n - 2));
}

/* The message that `member` points to, made where it is missing. */
static ProtobufCMessage *submessage(
	struct arena *a, const ProtobufCFieldDescriptor *f, ProtobufCMessage **member)
{
	const ProtobufCMessageDescriptor *d = f->descriptor;

	if (!*member) {
		*member = arena_alloc(a, d->sizeof_message);
		if (*member)
			d->message_init(*member);
	}
	return *member;
}

static enum rc read_line(struct arena *a, ProtobufCMessage *m, struct span line)
{
	size_t colon = span_find_span(line, SPAN(": "));
	struct span path = span_sub(line, 0, colon), value = span_sub(line, colon + 2, line.n);
	struct span step;

	if (colon == line.n)
		return RC_BAD;
	while (span_split(&path, '.', &step)) {
		const ProtobufCFieldDescriptor *f;
		void *member = find_member(a, m, step, &f);

		if (!member)
			return arena_ok(a) ? RC_BAD : RC_FULL;
		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			return path.p ? RC_BAD : read_scalar(a, f, member, value);
		m = submessage(a, f, (ProtobufCMessage **)member);
		if (!m)
			return RC_FULL;
	}
	return span_eq(value, SPAN("{}")) ? RC_OK : RC_BAD;
}

enum rc canonical_text_read(
	struct arena *a, struct span text, Xw__Canonical **ret, size_t *ret_line)
{
	Xw__Canonical *c = canonical_new(a, OP_NONE, false);
	struct span line;

	for (size_t n = 1; c && span_split(&text, '\n', &line); n++) {
		enum rc rc = line.n > 0 ? read_line(a, &c->base, line) : RC_OK;

		if (rc != RC_OK) {
			*ret_line = n;
			return rc;
		}
	}
	if (!c)
		return RC_FULL;
	*ret = c;
	return RC_OK;
}
