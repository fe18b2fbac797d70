/*
 * draw.c: `switchctl draw`, and the drawing of codes for others: a QR symbol as SVG or PNG.
 *
 * The hard thing is what a phone's camera needs: a quiet zone of four modules, and level M, which
 * still reads when a thumb was on the print. Must never draw anything but the very text.
 */
#include "draw.h"

#include <png.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET 4  /* modules around it, as ISO/IEC 18004 asks */
#define SCALE 10 /* pixels of a module in a PNG */

static bool is_dark(const QRcode *q, int x, int y)
{
	x -= QUIET;
	y -= QUIET;
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1) != 0;
}

/* One path: a square for each run of dark modules in a row. */
static bool write_svg(const QRcode *q, FILE *f)
{
	int side = q->width + 2 * QUIET;

	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
		"shape-rendering=\"crispEdges\">\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<path fill=\"#000\" d=\"",
		side, side, side, side);
	for (int y = 0; y < side; y++) {
		for (int x = 0; x < side; x++) {
			int from = x;
			while (is_dark(q, x, y))
				x++;
			if (x > from)
				fprintf(f, "M%d %dh%dv1h-%dz", from, y, x - from, x - from);
		}
	}
	fputs("\"/>\n</svg>\n", f);
	return fflush(f) == 0 && !ferror(f);
}

static bool write_png(const QRcode *q, FILE *f)
{
	int side = (q->width + 2 * QUIET) * SCALE;
	png_image image = { .version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)side,
		.height = (png_uint_32)side,
		.format = PNG_FORMAT_GRAY };
	png_byte *gray = malloc((size_t)side * (size_t)side);
	bool good = gray != NULL;

	for (int i = 0; good && i < side * side; i++)
		gray[i] = is_dark(q, i % side / SCALE, i / side / SCALE) ? 0 : 255;
	good = good && png_image_write_to_stdio(&image, f, 0, gray, 0, NULL) != 0 && fflush(f) == 0;
	free(gray);
	return good;
}

/* "-" is standard output. */
static bool write_file(const QRcode *q, const char *name, bool (*write)(const QRcode *q, FILE *f))
{
	bool own = strcmp(name, "-") != 0, good;
	FILE *f = own ? fopen(name, "wb") : stdout;

	if (!f) {
		perror(name);
		return false;
	}
	good = write(q, f);
	if (own && fclose(f) != 0)
		good = false;
	if (!good)
		fprintf(stderr, "switchctl: %s was not written\n", name);
	return good;
}

enum ctl_exit draw_code(struct span text, const char *svg_file, const char *png_file)
{
	QRcode *q;
	bool good = true;

	if (!svg_file && !png_file) {
		printf("%.*s\n", SPAN_FMT(text));
		return CTL_GOOD;
	}
	q = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	if (!q) {
		fputs("switchctl: no symbol holds this text\n", stderr);
		return CTL_FAILED;
	}
	if (svg_file)
		good = write_file(q, svg_file, write_svg);
	if (good && png_file)
		good = write_file(q, png_file, write_png);
	QRcode_free(q);
	return good ? CTL_GOOD : CTL_FAILED;
}

enum ctl_exit ctl_draw(int argc, char **argv)
{
	bool svg = argc == 3 && strcmp(argv[1], "--svg") == 0;
	bool png = argc == 3 && strcmp(argv[1], "--png") == 0;

	if (!svg && !png)
		return CTL_USAGE;
	return draw_code(span_str(argv[0]), svg ? argv[2] : NULL, png ? argv[2] : NULL);
}
