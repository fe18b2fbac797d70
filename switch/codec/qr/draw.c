/*
 * draw.c: a code as a picture: a QR symbol as SVG or PNG, written into the caller's buffer.
 *
 * The hard thing is what a phone's camera needs: a quiet zone of four modules, and level M, which
 * still reads when a thumb was on the print. Must never draw anything but the very text, nor hold
 * more of a picture than one line of it.
 */
#include "qr.h"

#include <png.h>
#include <qrencode.h>

#define QUIET 4 /* modules around it, as ISO/IEC 18004 asks */

#define PIXELS_MAX 8192

static bool is_dark(const QRcode *q, int x, int y)
{
	x -= QUIET;
	y -= QUIET;
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1) != 0;
}

static QRcode *encode(struct span text)
{
	return text.n > 0 && text.n <= 4096
		       ? QRcode_encodeData(
				 (int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M)
		       : NULL;
}

static void put(struct buf *b, const char *before, int n)
{
	buf_str(b, before);
	buf_i64(b, n);
}

/* One path: a stroke for each run of dark modules in a row. */
enum rc qr_draw_svg(struct span text, struct buf *ret)
{
	QRcode *q = encode(text);
	int side;

	if (!q)
		return RC_RANGE;
	side = q->width + 2 * QUIET;
	put(ret, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", side);
	put(ret, " ", side);
	put(ret, "\" shape-rendering=\"crispEdges\">\n<rect width=\"", side);
	put(ret, "\" height=\"", side);
	buf_str(ret, "\" fill=\"#fff\"/>\n<path stroke=\"#000\" d=\"");
	for (int y = 0; y < side; y++) {
		for (int x = 0; x < side; x++) {
			int from = x;

			while (is_dark(q, x, y))
				x++;
			if (x == from)
				continue;
			put(ret, "M", from);
			put(ret, " ", y);
			put(ret, ".5h", x - from);
		}
	}
	buf_str(ret, "\"/>\n</svg>\n");
	QRcode_free(q);
	return buf_ok(ret) ? RC_OK : RC_FULL;
}

static void keep_bytes(png_structp png, png_bytep bytes, size_t n)
{
	buf_add(png_get_io_ptr(png), span_of((const char *)bytes, n));
}

static void keep_nothing(png_structp png)
{
	(void)png;
}

/* False: libpng gave up, by a long jump. */
static bool write_png(const QRcode *q, int scale, png_structp png, png_infop info)
{
	png_byte row[(PIXELS_MAX + 7) / 8];
	int side = (q->width + 2 * QUIET) * scale;

	if (setjmp(png_jmpbuf(png)))
		return false;
	png_set_IHDR(png, info, (png_uint_32)side, (png_uint_32)side, 1, PNG_COLOR_TYPE_GRAY,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int y = 0; y < side; y++) {
		memset(row, 0, sizeof row);
		for (int x = 0; x < side; x++)
			if (!is_dark(q, x / scale, y / scale))
				row[x / 8] = (png_byte)(row[x / 8] | 0x80 >> x % 8);
		png_write_row(png, row);
	}
	png_write_end(png, NULL);
	return true;
}

enum rc qr_draw_png(struct span text, int pixels, struct buf *ret)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	QRcode *q = encode(text);
	enum rc rc = RC_RANGE;

	if (info && q && pixels <= PIXELS_MAX && pixels >= q->width + 2 * QUIET) {
		png_set_write_fn(png, ret, keep_bytes, keep_nothing);
		rc = write_png(q, pixels / (q->width + 2 * QUIET), png, info) && buf_ok(ret)
			     ? RC_OK
			     : RC_FULL;
	}
	QRcode_free(q);
	png_destroy_write_struct(&png, &info);
	return rc;
}
