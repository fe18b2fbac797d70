/*
 * scan.c: `switchctl scan`: one code explained to a person, or many judged for a script.
 *
 * The one hard thing is --lines: one answer for each line, whatever the line holds, given before
 * the next read can block (so that a script may ask and wait), and without an allocation per line.
 * Must never send a code's bytes to a terminal unfiltered.
 */
#include "ctl.h"

#include "check.h"
#include "qr.h"
#include "safely.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (1u << 16)

static char storage[QR_ARENA_BYTES];
static char answer[4 * QR_ARENA_BYTES];
static struct qr result;

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 0x20;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* \n \r \t \\ and \xHH, in place. False: any other escape. */
static bool unescape(char *line, size_t n, struct span *ret)
{
	static const char letters[] = "nrt\\", bytes[] = "\n\r\t\\";
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (line[i] != '\\') {
			line[out++] = line[i];
			continue;
		}
		char ch = ++i < n ? line[i] : '\0';
		const char *at = ch ? strchr(letters, ch) : NULL;

		if (at) {
			line[out++] = bytes[at - letters];
		} else if (ch == 'x' && i + 2 < n && hex_digit(line[i + 1]) >= 0 &&
			   hex_digit(line[i + 2]) >= 0) {
			line[out++] = (char)(hex_digit(line[i + 1]) << 4 | hex_digit(line[i + 2]));
			i += 2;
		} else {
			return false;
		}
	}
	*ret = span_of(line, out);
	return true;
}

static void answer_line(char *line, size_t n)
{
	struct arena arena = arena_init(storage, sizeof storage);
	struct buf b = buf_init(answer, sizeof answer);
	struct span payload;

	if (unescape(line, n, &payload))
		qr_scan(&arena, payload, &result);
	else
		qr_refuse(QR_E_ESCAPE, &result);
	qr_write_json(&b, &result);
	buf_ch(&b, '\n');
	CHECK(buf_ok(&b)); /* the readers bound what they keep */
	fwrite(b.p, 1, b.n, stdout);
}

/* Answers the whole lines of p[n]; returns how many bytes they were. `from` is known to hold none.
 */
static size_t answer_lines(char *p, size_t n, size_t from)
{
	size_t done = 0;
	char *end;

	while ((end = memchr(p + from, '\n', n - from)) != NULL) {
		answer_line(p + done, (size_t)(end - (p + done)));
		done = from = (size_t)(end - p) + 1;
	}
	return done;
}

static enum ctl_exit scan_lines(void)
{
	char *p = NULL;
	size_t n = 0, cap = 0;
	ssize_t got;

	for (;;) {
		if (cap - n < READ_BYTES) {
			/* Only a line longer than all before it grows the buffer, by doubling. */
			cap = cap ? cap * 2 : 2 * READ_BYTES;
			char *larger = realloc(p, cap);

			if (!larger) {
				perror("switchctl: a line too long");
				free(p);
				return CTL_FAILED;
			}
			p = larger;
		}
		got = read(STDIN_FILENO, p + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size_t done = answer_lines(p, n + (size_t)got, n);

		n += (size_t)got - done;
		memmove(p, p + done, n);
		if (fflush(stdout) != 0)
			break;
	}
	if (n > 0 && got == 0)
		answer_line(p, n); /* a last line without its end */
	free(p);
	if (got < 0)
		perror("switchctl: standard input");
	return got == 0 ? CTL_GOOD : CTL_FAILED;
}

static void print_row(struct span name, struct span value)
{
	fputs("  ", stdout);
	print_safely(name);
	for (size_t n = span_utf8_count(name); n < 16; n++)
		putchar(' ');
	putchar(' ');
	print_safely(value);
	putchar('\n');
}

static void print_routes(const struct qr *q)
{
	char text[32];
	struct buf b = buf_init(text, sizeof text);

	if (q->account_count + q->candidate_count > 0)
		puts(q->account_count ? "\nto be paid through, best first:" : "\nbelongs to:");
	for (size_t i = 0; i < q->candidate_count; i++)
		printf("  %s\n", qr_scheme_name(q->candidate[i]));
	for (size_t i = 0; i < q->account_count; i++) {
		const struct qr_account *a = &q->account[i];

		printf("  %02d %-18s ", a->id, qr_scheme_name(a->scheme));
		print_safely(a->guid);
		puts(a->again ? " (again)" : "");
	}
	if (money_is_none(q->amount))
		return;
	money_write_major(&b, q->amount);
	printf("\namount: %.*s %s\n", SPAN_FMT(buf_span(&b)), ccy_alpha(money_ccy(q->amount)));
}

static void explain(const struct qr *q)
{
	printf("%s: %s\n%s\n", qr_format_name(q->format), qr_format_sentence(q->format),
		q->strict   ? "may be paid; follows its standard to the letter"
		: q->accept ? "may be paid, though it deviates from its standard:"
			    : "must not be paid:");
	for (size_t i = 0; i < q->finding_count; i++)
		print_row(span_str(qr_finding_name(q->finding[i])),
			span_str(qr_finding_sentence(q->finding[i])));
	print_routes(q);
	if (q->field_count > 0)
		puts("\nfields:");
	for (size_t i = 0; i < q->field_count; i++) {
		const struct qr_field *f = &q->field[i];
		char digits[24];
		struct buf b = buf_init(digits, sizeof digits);

		buf_i64(&b, f->number);
		print_row(f->key, f->is_number ? buf_span(&b) : f->value);
	}
}

enum ctl_exit ctl_scan(int argc, char **argv)
{
	if (argc != 1)
		return CTL_USAGE;
	if (strcmp(argv[0], "--lines") == 0)
		return scan_lines();
	struct arena arena = arena_init(storage, sizeof storage);

	qr_scan(&arena, span_str(argv[0]), &result);
	explain(&result);
	return CTL_GOOD;
}
