/*
 * pki.h: a certificate authority of our own for tests, made with the library at test time: no key
 * lies in the tree. All files are PEM in a fresh folder; paths live as long as the pki.
 */
#ifndef XW_PKI_H
#define XW_PKI_H

#include <stddef.h>

#define PKI_PATH 128

struct pki {
	char dir[64];
	char ca[PKI_PATH];     /* signs all below but the stranger */
	char server[PKI_PATH]; /* localhost and 127.0.0.1 */
	char server_key[PKI_PATH];
	char client[PKI_PATH];
	char client_key[PKI_PATH];
	char stranger[PKI_PATH]; /* signed by itself; nobody's anchor */
	char stranger_key[PKI_PATH];
	unsigned char client_digest[32]; /* SHA-256 of the client's certificate */
};

/* Aborts the test program where anything fails. */
void pki_open(struct pki *p);
void pki_close(struct pki *p);
/* The one that a test program keeps for all its cases: set up and torn down with the group. */
extern struct pki pki;
int pki_for_all(void **state);
int pki_end(void **state);
/* Writes text into a new file of that mode in the pki's folder; returns its path in ret. */
void pki_file(const struct pki *p, const char *name, unsigned mode, const void *text, size_t n,
	char ret[PKI_PATH]);

#endif
