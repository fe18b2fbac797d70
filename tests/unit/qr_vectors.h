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

/* A merchant code from all its objects but the last. */
static inline struct span qr_sealed(const char *objects, char *dst, size_t cap)
{
	int n = snprintf(dst, cap, "%s6304", objects);

	assert_true(n > 0 && (size_t)n + 5 < cap);
	snprintf(dst + n, 5, "%04X", qr_slow_crc(dst, (size_t)n));
	return span_of(dst, (size_t)n + 4);
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

#endif
