/*
 * keyfile.c reads a key file once, through one descriptor. The hard thing is that the permissions
 * checked are those of the bytes read: path and content are never looked at in two steps. It must
 * never print or keep what it read.
 */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc check_file(int fd, bool secret, const char **ret_why)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*ret_why = "not a regular file";
		return RC_IO;
	}
	if (secret && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		*ret_why = "a secret file that group or world may open (want mode 0400 or 0600)";
		return RC_AUTH;
	}
	if (secret && st.st_uid != geteuid() && st.st_uid != 0) {
		*ret_why = "a secret file of another user";
		return RC_AUTH;
	}
	return RC_OK;
}

static enum rc read_all(int fd, struct buf *b, const char **ret_why)
{
	for (;;) {
		ssize_t got;

		if (b->n == b->cap) {
			*ret_why = "larger than a key file can be";
			return RC_FULL;
		}
		got = read(fd, b->p + b->n, b->cap - b->n);
		if (got == 0)
			return RC_OK;
		if (got > 0) {
			b->n += (size_t)got;
		} else if (errno != EINTR) {
			*ret_why = "cannot be read";
			return RC_IO;
		}
	}
}

enum rc keyfile_read(const char *path, bool secret, struct buf *b, const char **ret_why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum rc rc;

	if (fd < 0) {
		*ret_why = errno == ENOENT ? "no such file" : "cannot be opened";
		return errno == ENOENT ? RC_NOENT : RC_IO;
	}
	rc = check_file(fd, secret, ret_why);
	if (rc == RC_OK)
		rc = read_all(fd, b, ret_why);
	close(fd);
	return rc;
}

int keyfile_no_password(char *p, int size, int writing, void *arg)
{
	(void)p;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}
