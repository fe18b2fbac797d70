/*
 * draw.h: a code as a picture.
 */
#ifndef XW_DRAW_H
#define XW_DRAW_H

#include "ctl.h"
#include "span.h"

/* NULL: not that file; with neither the text goes to standard output. CTL_FAILED: it was said why. */
enum ctl_exit draw_code(struct span text, const char *svg_file, const char *png_file);

#endif
