/*
 * draw.c: `switchctl draw`, and the drawing of codes for others: a QR symbol as SVG or PNG in a
 * file.
 */
#include "draw.h"

#include "qr.h"

#include <stdio.h>
#include <string.h>

#define PICTURE_MAX (256 * 1024)
#define PIXELS      1024

/* "-" is standard output. */
static bool write_file(struct span picture, const char *name)
{
	bool own = strcmp(name, "-") != 0, good;
	FILE *f = own ? fopen(name, "wb") : stdout;

	if (!f) {
		perror(name);
		return false;
	}
	good = fwrite(picture.p, 1, picture.n, f) == picture.n && fflush(f) == 0;
	if (own && fclose(f) != 0)
		good = false;
	if (!good)
		fprintf(stderr, "switchctl: %s was not written\n", name);
	return good;
}

static bool draw(struct span text, const char *file, bool png)
{
	static char storage[PICTURE_MAX];
	struct buf b = buf_init(storage, sizeof storage);

	if ((png ? qr_draw_png(text, PIXELS, &b) : qr_draw_svg(text, &b)) == RC_OK)
		return write_file(buf_span(&b), file);
	fputs("switchctl: no symbol holds this text\n", stderr);
	return false;
}

enum ctl_exit draw_code(struct span text, const char *svg_file, const char *png_file)
{
	if (!svg_file && !png_file)
		printf("%.*s\n", SPAN_FMT(text));
	return (!svg_file || draw(text, svg_file, false)) &&
			       (!png_file || draw(text, png_file, true))
		       ? CTL_GOOD
		       : CTL_FAILED;
}

enum ctl_exit ctl_draw(int argc, char **argv)
{
	bool svg = argc == 3 && strcmp(argv[1], "--svg") == 0;
	bool png = argc == 3 && strcmp(argv[1], "--png") == 0;

	if (!svg && !png)
		return CTL_USAGE;
	return draw_code(span_str(argv[0]), svg ? argv[2] : NULL, png ? argv[2] : NULL);
}
