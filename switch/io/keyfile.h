/*
 * keyfile.h: reads small files that hold keys and certificates, whole, and refuses private ones
 * that others could read.
 */
#ifndef XW_KEYFILE_H
#define XW_KEYFILE_H

#include "buf.h"
#include "rc.h"

#define KEYFILE_MAX (256 * 1024)

/*
 * Appends the file's content to b. A secret one must be a regular file of ours or of root that
 * neither group nor world may read (RC_AUTH). RC_NOENT, RC_IO, RC_FULL. *ret_why is a constant for
 * the log, set on failure.
 */
MUST enum rc keyfile_read(const char *path, bool secret, struct buf *b, const char **ret_why);

/* A pem_password_cb that knows none: without it the library would ask at the terminal. */
int keyfile_no_password(char *p, int size, int writing, void *arg);

#endif
