/*
 * qr_vectors.h: the published payloads of tests/vectors/qr, and small tools for the tests of codes.
 */
#ifndef XW_UNIT_QR_VECTORS_H
#define XW_UNIT_QR_VECTORS_H

#include "unit.h"

#include "qr.h"

#define QR_VECTORS_MAX 400

struct qr_vector {
	const char *id, *format, *strict, *accept, *codes, *fields;
	struct span payload; /* unescaped */
};

static char qr_arena_storage[QR_ARENA_BYTES];
static struct qr_vector qr_vector[QR_VECTORS_MAX];
static size_t qr_vector_count;

static inline void qr_scan_text(struct span payload, struct qr *ret)
{
	struct arena a = arena_init(qr_arena_storage, sizeof qr_arena_storage);

	qr_scan(&a, payload, ret);
}

/* In place: the escapes of the vector files. */
static inline struct span qr_unescape(char *text)
{
	char *out = text;
	unsigned byte;

	for (char *p = text; *p; p++) {
		if (*p != '\\') {
			*out++ = *p;
			continue;
		}
		p++;
		if (*p == 'x') {
			assert_int_equal(sscanf(p + 1, "%2x", &byte), 1);
			*out++ = (char)byte;
			p += 2;
		} else {
			*out++ = *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : *p;
		}
	}
	return span_of(text, (size_t)(out - text));
}

static inline void qr_load_file(const char *name)
{
	static char columns[1 << 16];
	char path[512];

	snprintf(path, sizeof path, "%s/vectors/qr/%s.tsv", XW_TESTS, name);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(columns, sizeof columns, f));
	assert_string_equal(
		columns, "id\tformat\tstrict\taccept\tcodes\tpayload\tfields\tsource\tnote\n");
	while (fgets(columns, sizeof columns, f)) {
		char *line = strdup(columns), *cell[9], *rest = line;

		columns[strcspn(columns, "\n")] = '\0';
		for (int i = 0; i < 9; i++) {
			cell[i] = strsep(&rest, "\t");
			assert_non_null(cell[i]);
		}
		assert_true(qr_vector_count < QR_VECTORS_MAX);
		qr_vector[qr_vector_count++] = (struct qr_vector){ cell[0], cell[1], cell[2],
			cell[3], cell[4], cell[6], qr_unescape(cell[5]) };
	}
	fclose(f);
}

static inline int qr_load(void **state)
{
	static const char *const files[] = { "emv-mpm", "emv-cpm", "epc-sct", "epc-msct",
		"swiss-qr", "wallet-code", "url-and-other" };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		qr_load_file(files[i]);
	return 0;
}

/* The slow and obvious checksum: bit by bit, as the standard's appendix has it. */
static inline unsigned qr_slow_crc(const char *p, size_t n)
{
	unsigned crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned)(unsigned char)p[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}

/* Objects as a person writes them: "<59 SHOP>" is "5904SHOP", "<62<05 A>>" is "62050501A", "<59>"
 * is "5900"; what stands outside of brackets is itself. Lengths count characters. Returns the rest.
 */
static inline const char *qr_expand(const char *text, struct buf *b)
{
	while (*text && *text != '>') {
		char inner[2048], digits[3];
		struct buf value = buf_init(inner, sizeof inner);
		unsigned length = 0;

		if (*text != '<') {
			buf_ch(b, *text++);
			continue;
		}
		buf_add(b, span_of(text + 1, 2));
		text += text[3] == ' ' ? 4 : 3;
		text = qr_expand(text, &value);
		assert_int_equal(*text, '>');
		text++;
		for (size_t i = 0; i < value.n; i++)
			length += (inner[i] & 0xc0) != 0x80;
		snprintf(digits, sizeof digits, "%02u", length % 100);
		buf_str(b, digits);
		buf_add(b, buf_span(&value));
	}
	return text;
}

/* A merchant code from all its objects but the last. */
static inline struct span qr_sealed(const char *objects, char *dst, size_t cap)
{
	struct buf b = buf_init(dst, cap);
	char crc[5];

	qr_expand(objects, &b);
	buf_str(&b, "6304");
	snprintf(crc, sizeof crc, "%04X", qr_slow_crc(b.p, b.n));
	buf_str(&b, crc);
	assert_true(buf_ok(&b));
	return buf_span(&b);
}

/* "W_A,E_B", or "-" when there are none: as the vector files write it. */
static inline void qr_codes(const struct qr *q, char *dst, size_t cap)
{
	struct buf b = buf_init(dst, cap - 1);

	for (size_t i = 0; i < q->finding_count; i++) {
		if (i > 0)
			buf_ch(&b, ',');
		buf_str(&b, qr_finding_name(q->finding[i]));
	}
	if (q->finding_count == 0)
		buf_ch(&b, '-');
	assert_true(buf_ok(&b));
	dst[b.n] = '\0';
}

/* The text is read as that format, with these findings; what was read stays for what follows. */
static struct qr qr_result;

static inline void qr_expect(struct span payload, const char *format, const char *codes)
{
	char got[512];

	qr_scan_text(payload, &qr_result);
	qr_codes(&qr_result, got, sizeof got);
	if (strcmp(got, codes) != 0 || strcmp(qr_format_name(qr_result.format), format) != 0)
		fail_msg("\"%.*s\"\n got    %s %s\n wanted %s %s", (int)payload.n, payload.p,
			qr_format_name(qr_result.format), got, format, codes);
}

static inline void qr_expect_field(const char *key, const char *value)
{
	struct span got = SPAN("(none)");

	(void)qr_text(&qr_result, key, &got);
	assert_span(got, value);
}

#endif
