/*
 * qr.h: what the text of a scanned code is, whether it may be paid, and through whom.
 *
 * Rules: EMVCo QRCPS-MPM 1.1 and QRCPS-CPM, EPC069-12, EPC024-22, the Swiss implementation
 * guidelines and the wallets' published forms; README.md says where they are silent. Everything in
 * a struct qr points into the payload, the arena or constant tables: it lives as long as both.
 */
#ifndef XW_QR_H
#define XW_QR_H

#include "arena.h"
#include "buf.h"
#include "money.h"
#include "rc.h"
#include "when.h"

enum qr_format {
#define FORMAT(NAME, slug, sentence) QR_##NAME,
#include "format.def"
#undef FORMAT
};

enum qr_finding {
#define FINDING(NAME, sentence) QR_##NAME,
#include "finding.def"
#undef FINDING
	QR_FINDING_MAX
};

enum qr_scheme {
#define SCHEME(NAME, slug, class, country, ccy, ccy2, lo, hi) QR_SCHEME_##NAME,
#include "scheme.def"
#undef SCHEME
};

/* One decoded element: "26.01", "62.99.00", "iban", "_amount_minor". Values are as read. */
struct qr_field {
	struct span key;
	struct span value;
	int64_t number;
	bool is_number; /* number holds, value is empty */
};

/* One way to pay a merchant code: one account template or card id. */
struct qr_account {
	int id; /* 2 to 51, or 80 to 99 */
	enum qr_scheme scheme;
	struct span guid; /* as written; empty for cards and opaque templates */
	struct span body; /* the template's or card's whole value */
	/* The same identifier stood under a lower id: this is part of that account where the scheme
	 * splits it (Bharat QR, Kenya, Nepal), else a spare one. */
	bool again;
	/* These two bind this account only. */
	struct wall expires; /* PayNow, FPS, KHQR; WALL_NONE: no end is stated */
	bool amount_open;    /* PayNow: the payer may change a stated amount */
};

#define QR_FIELDS_MAX     320
#define QR_CANDIDATES_MAX 2
#define QR_ACCOUNTS_MAX   70 /* 02 to 51 and 80 to 99 */
/* An arena of this size is enough for any payload; in a smaller one the refusal is E_SIZE. */
#define QR_ARENA_BYTES 65536

struct qr {
	enum qr_format format;
	bool strict; /* no finding at all */
	bool accept; /* nothing that forbids payment; else all below `finding` is empty */
	size_t finding_count;
	enum qr_finding finding[QR_FINDING_MAX]; /* in the order of discovery, each once */

	/* Merchant codes (emv-mpm): whom to pay, in the order to try when the payer's wallet has no
	 * scheme of its own among them: domestic, other account schemes, unlisted identifiers,
	 * cross-border wallets, cards, opaque templates. Registry data are left out. */
	size_t account_count;
	struct qr_account account[QR_ACCOUNTS_MAX];
	bool dynamic;        /* 01 is 12: one transaction */
	struct ccy currency; /* stated, or the one currency of the account's scheme; else none */
	struct span mcc, country, name, city;
	struct span reference; /* 62.05; of transfers, the payee's reference */

	struct money fee; /* a fixed fee, or MONEY_NONE */
	int fee_bp;       /* a fee in hundredths of a per cent, or 0 */

	/* All formats but URLs, whose servers know: the amount without fee or tip. MONEY_NONE: the
	 * payer enters it. May exceed MONEY_MINOR_MAX; whoever books it checks. */
	struct money amount;

	/* Payer codes (wallet-code): whom to ask, best first. Links and texts: the one scheme. */
	size_t candidate_count;
	enum qr_scheme candidate[QR_CANDIDATES_MAX];

	size_t field_count;
	struct qr_field field[QR_FIELDS_MAX]; /* sorted by key, bytewise */
};

/* Never fails: a payload that is nothing is of format QR_UNKNOWN with E_UNKNOWN. Linear time. */
void qr_scan(struct arena *arena, struct span payload, struct qr *ret);
/* A refusal that was found before the payload could be read at all. */
void qr_refuse(enum qr_finding why, struct qr *ret);

/* The text as a QR symbol of level M with its quiet zone. RC_RANGE: no symbol holds it; RC_FULL. */
MUST enum rc qr_draw_svg(struct span text, struct buf *ret);
/* At most so many pixels wide and high, 8192 themselves at most; RC_RANGE where they are too few. */
MUST enum rc qr_draw_png(struct span text, int pixels, struct buf *ret);

/* A field by its key; false where there is none, or it is a number. */
bool qr_text(const struct qr *q, const char *key, struct span *ret);
/* A sub-object of an account's template, such as the URL or merchant token under 01. */
bool qr_account_sub(const struct qr *q, const struct qr_account *a, int id, struct span *ret);
/* What the payer is shown: the amount, stated or entered, with the code's fee. RC_BAD: another
 * currency than the code's. RC_RANGE: beyond 64 bits. */
MUST enum rc qr_total(const struct qr *q, struct money amount, struct money *ret);
/* {"format","strict","accept","codes":[...],"fields":{...}}: strict and accept are 0 or 1. */
void qr_write_json(struct buf *b, const struct qr *q);

const char *qr_format_name(enum qr_format f); /* "emv-mpm" */
const char *qr_format_sentence(enum qr_format f);
const char *qr_finding_name(enum qr_finding f); /* "E_CRC" */
const char *qr_finding_sentence(enum qr_finding f);
bool qr_finding_forbids(enum qr_finding f);   /* the E_ ones */
const char *qr_scheme_name(enum qr_scheme s); /* "paynow"; "" for none */
/* By the identifier of a merchant template; QR_SCHEME_UNLISTED where the tables do not have it. */
enum qr_scheme qr_scheme_by_guid(struct span guid);

/* What may be changed in somebody else's merchant code. Members that are empty change nothing. */
struct qr_change {
	struct money amount;   /* sets 54, and makes the code dynamic (01 = 12) */
	bool drop_fees;        /* takes out 55, 56 and 57: the amount includes them */
	struct span reference; /* sets 62.05: 1 to 25 of [A-Za-z0-9] */
};

/*
 * Writes the code again with the change, lengths and checksum made anew; all else keeps its order
 * and bytes. RC_BAD: not an acceptable merchant code, or the change does not fit its form, or its
 * lengths count something else than characters and it could then be read differently. RC_AUTH: a
 * part is signed by somebody else (NETS 26.99, Myanmar 89) and a change would break that. RC_RANGE:
 * an element would pass its limit; nothing is ever cut. RC_FULL: the arena (two of QR_ARENA_BYTES
 * are enough) or the buffer is too small.
 */
MUST enum rc qr_mpm_encode(
	struct arena *arena, struct span payload, const struct qr_change *change, struct buf *ret);

struct qr_sub {
	int id; /* 1 to 99, ascending */
	struct span value;
};

#define QR_SUBS_MAX 8
struct qr_template {
	int id;           /* 0: the one its profile fixes, or the lowest free */
	struct span guid; /* empty: a card, `id` is 2 to 25 and sub[0] the value */
	size_t sub_count;
	struct qr_sub sub[QR_SUBS_MAX];
};

#define QR_TEMPLATES_MAX 16
/* One merchant code for many wallets. One country and one currency; foreign wallets convert. */
struct qr_merchant {
	struct money amount; /* present: a code for one sale, which needs a reference */
	struct ccy currency;
	struct span mcc, country, name, city;
	struct span postal;                     /* optional */
	struct span store, reference, terminal; /* 62.03, 62.05, 62.07; optional but as above */
	struct span language, local_name, local_city; /* 64; optional, the first two together */
	size_t template_count;
	struct qr_template template[QR_TEMPLATES_MAX];
};

/*
 * RC_EXISTS: two templates want the same id. RC_BAD: a member is missing or malformed, or a
 * national profile does not allow this id, country or currency. RC_RANGE: something is longer than
 * the standard allows, or the whole than 512 characters. RC_FULL: the buffer is too small.
 */
MUST enum rc qr_mpm_build(const struct qr_merchant *merchant, struct buf *ret);

/* The unified code: one that our own template and the scheme's lead to the same token of. */
#define QR_TOKEN_MAX 40
struct qr_unified {
	struct span guid;    /* of our template, a reverse domain */
	struct span origin;  /* of the payers' pages, "https://pay.example"; empty: without the
				scheme's template */
	struct span token;   /* letters, digits, "-" */
	struct money amount; /* as in struct qr_merchant, like the rest */
	struct ccy currency;
	struct span mcc, country, reference;
	struct span name, city; /* any; what a code cannot show is left out */
};

/* As qr_mpm_build. The arena needs room for the texts that are shown. */
MUST enum rc qr_unified_build(struct arena *a, const struct qr_unified *u, struct buf *ret);
/* "<origin>/<token>": where a payer's browser goes. */
void qr_unified_address(struct span origin, struct span token, struct buf *ret);
/* The token of a code of ours, in either of its shapes; `q` is what qr_scan says of `text`. */
bool qr_unified_token(const struct qr *q, struct span text, struct span guid, struct span origin,
	struct span *ret);

#endif
