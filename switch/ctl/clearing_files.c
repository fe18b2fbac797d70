/*
 * clearing_files.c: the files of windows, as those get them for whom we are the scheme: their
 * transactions, their fees, and what is settled, in the folders that the scheme's text names.
 *
 * The hard thing is an end in the middle: a file appears whole, under its last name, and the one
 * about the settlement comes last, so that where it is, all are; where it is not, all are written
 * again, with the same bytes, since a closed window does not change. Must never write of a window
 * that is open.
 */
#include "clearing.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MOST    20000 /* of one file; then another part begins */
#define FILE_BYTES    (24u << 20)
#define WINDOWS_KNOWN 4096

/* ---- files --------------------------------------------------------------------------------- */

static bool fault(const char *what, const char *name)
{
	fprintf(stderr, "switchctl: %s: %s: %s\n", name, what, strerror(errno));
	return false;
}

static bool make_folders(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path)
		return false;
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0750) != 0 && errno != EEXIST)
			return fault("no folder", path);
		*p = '/';
	}
	return (mkdir(path, 0750) == 0 || errno == EEXIST) || fault("no folder", path);
}

static bool write_all(int fd, struct span s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = span_sub(s, (size_t)n, s.n);
	}
	return fsync(fd) == 0;
}

bool clearing_put_file(const char *dir, const char *name, struct span bytes)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int fd, folder;
	bool good;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path ||
		snprintf(fresh, sizeof fresh, "%s/.%s.%ld", dir, name, (long)getpid()) >=
			(int)sizeof fresh ||
		!make_folders(dir))
		return false;
	if ((fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)) < 0)
		return fault("cannot be made", fresh);
	good = write_all(fd, bytes);
	good = close(fd) == 0 && good && rename(fresh, path) == 0;
	if (!good) {
		(void)fault("cannot be written", path);
		(void)unlink(fresh);
		return false;
	}
	if ((folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		good = fsync(folder) == 0;
		close(folder);
	}
	return good || fault("is not on disk", path);
}

/* ---- pages --------------------------------------------------------------------------------- */

static void add_window(
	struct pg_params *p, const struct window *w, const struct clearing_page *page)
{
	pg_add_int4(p, w->agreement);
	pg_add_bytes(p, span_str(ccy_alpha(w->ccy)));
	pg_add_int4(p, (int32_t)w->day);
	pg_add_id(p, &page->payment);
	pg_add_int4(p, page->version);
	pg_add_bytes(p, span_str(page->side));
}

bool clearing_ask_items(
	struct desk *d, const struct window *w, const struct clearing_page *after, int64_t most)
{
	struct pg_params p = { 0 };

	add_window(&p, w, after);
	pg_add_int8(&p, most);
	return desk_ask(d, PG_STMT_WINDOW_ITEMS, &p);
}

bool clearing_ask_fees(
	struct desk *d, const struct window *w, const struct clearing_page *after, int64_t most)
{
	struct pg_params p = { 0 };

	add_window(&p, w, after);
	pg_add_int2(&p, (int16_t)after->line);
	pg_add_int8(&p, most);
	return desk_ask(d, PG_STMT_WINDOW_FEES, &p);
}

/* ---- one participant ----------------------------------------------------------------------- */

struct writing {
	struct desk *desk;
	const struct conf *conf;
	const struct peer *peer;
	const struct report *report;
	const char *root;
	struct arena *arena;
	struct window *window; /* those that are closed */
	size_t windows;
	struct report_line *line;
	size_t lines;
	struct clearing_page page;
	const struct window *now;
	struct buf file;
	long *files;
};

/* The desk knows its rows only; one is written at a time. */
static struct writing *under_way;

static void each_window(struct desk *d, const struct pg_rows *rows, int row)
{
	struct writing *x = under_way;
	struct window *w = &x->window[x->windows];

	(void)d;
	if (x->windows == WINDOWS_KNOWN || ccy_by_alpha(pg_bytes(rows, row, 0), &w->ccy) != RC_OK)
		return;
	w->agreement = x->peer->agreement;
	w->day = pg_int(rows, row, 1);
	w->closed = pg_time(rows, row, 2);
	w->items = pg_int(rows, row, 3);
	w->gross = money_of(pg_int(rows, row, 4), w->ccy);
	w->fees = money_of(pg_int(rows, row, 5), w->ccy);
	x->windows++;
}

static bool is_acquirer(const struct writing *x)
{
	return (x->peer->roles & PEER_ACQUIRER) != 0;
}

/* As the participant counts: what an acquirer is owed is plus for it. */
static struct money counted(const struct writing *x, struct money m)
{
	return is_acquirer(x) ? money_neg(m) : m;
}

static void keep_page(struct writing *x, const struct pg_rows *rows, int row)
{
	x->page.payment = pg_id(rows, row, 0);
	x->page.version = (int32_t)pg_int(rows, row, 1);
	CHECK(span_to_cstr(pg_bytes(rows, row, 2), x->page.side, sizeof x->page.side));
}

/* A refund is named by its own ids, and by the payment's beside them. */
static void put_ids(
	struct writing *x, const struct pg_rows *rows, int row, int column, struct report_line *l)
{
	struct span id[4];

	for (int i = 0; i < 4; i++)
		id[i] = arena_dup(x->arena, pg_bytes(rows, row, column + i));
	if (!span_empty(id[2])) {
		l->request_id = id[2];
		l->peer_id = id[3];
		l->first_request_id = id[0];
		l->first_id = id[1];
	} else {
		l->request_id = id[0];
		l->peer_id = id[1];
	}
}

static void each_item(struct desk *d, const struct pg_rows *rows, int row)
{
	struct writing *x = under_way;
	struct report_line *l = &x->line[x->lines++];
	struct ccy ccy;

	(void)d;
	keep_page(x, rows, row);
	CHECK(ccy_by_alpha(pg_bytes(rows, row, 6), &ccy) == RC_OK);
	*l = (struct report_line){ .what = (enum report_what)pg_int(rows, row, 3),
		.at = pg_time(rows, row, 4),
		.amount = money_of(pg_int(rows, row, 5), ccy),
		.settle = counted(x, money_of(pg_int(rows, row, 7), x->now->ccy)),
		.merchant = arena_dup(x->arena, pg_bytes(rows, row, 12)),
		.store = arena_dup(x->arena, pg_bytes(rows, row, 13)),
		.brand = arena_dup(x->arena, pg_bytes(rows, row, 14)),
		.late_from = arena_dup(x->arena, pg_bytes(rows, row, 15)) };
	put_ids(x, rows, row, 8, l);
}

static void each_fee(struct desk *d, const struct pg_rows *rows, int row)
{
	struct writing *x = under_way;
	struct report_line *l = &x->line[x->lines++];

	(void)d;
	keep_page(x, rows, row);
	x->page.line = (int32_t)pg_int(rows, row, 3);
	*l = (struct report_line){ .what = REPORT_FEE,
		.of = (enum report_what)pg_int(rows, row, 4),
		.at = pg_time(rows, row, 5),
		.settle = money_of(pg_int(rows, row, 6), x->now->ccy),
		.type = arena_dup(x->arena, pg_bytes(rows, row, 7)) };
	put_ids(x, rows, row, 8, l);
}

/* SPEC alipayplus 9.1 [C:S26]: /v1/settlements/<what>/<participant>/<date of writing>; a sandbox
 * has "sandbox" instead of "v1". */
static bool folder(const struct writing *x, bool settlement, char ret[PATH_MAX])
{
	char date[16];
	struct buf b = buf_init(date, sizeof date - 1);
	int n;

	clearing_put_day(&b, zone_day(&x->peer->zone, x->now->closed), true);
	date[b.n] = '\0';
	n = snprintf(ret, PATH_MAX, "%s/%s/%s/settlements/%s/%s/%s", x->root, x->peer->name,
		x->conf->sandbox ? "sandbox" : "v1", settlement ? "settlement" : "clearing",
		x->peer->assigned_id, date);
	return n > 0 && n < PATH_MAX;
}

static void describe(
	const struct writing *x, char day[16], char agreement[16], struct report_window *ret)
{
	struct buf d = buf_init(day, 15), a = buf_init(agreement, 15);

	clearing_put_day(&d, x->now->day, true);
	buf_u64(&a, x->now->agreement);
	*ret = (struct report_window){ .participant = span_str(x->peer->assigned_id),
		.agreement = buf_span(&a),
		.day = buf_span(&d),
		.settle = x->now->ccy,
		.acquirer = is_acquirer(x),
		.count = x->now->items,
		.gross = counted(x, x->now->gross),
		.fees = x->now->fees };
}

/* Its path; false where there is no room for that. */
static bool name_of(const struct writing *x, enum report_file f, const struct report_window *w,
	int part, char dir[PATH_MAX], char name[256])
{
	struct buf b = buf_init(name, 255);

	x->report->put_name(&b, f, w, part);
	name[b.n] = '\0';
	return buf_ok(&b) && folder(x, f == REPORT_SETTLEMENT, dir);
}

/* All parts of one kind; a window without lines has one file that says so. */
static bool write_kind(struct writing *x, enum report_file f, const struct report_window *w)
{
	char dir[PATH_MAX], name[256];
	bool good = true;

	memset(&x->page, 0, sizeof x->page);
	for (int part = 0; good && (part == 0 || x->lines == LINES_MOST); part++) {
		x->lines = 0;
		arena_reset(x->arena);
		buf_reset(&x->file);
		x->desk->each = f == REPORT_FEES ? each_fee : each_item;
		if (f == REPORT_TRANSACTIONS)
			good = clearing_ask_items(x->desk, x->now, &x->page, LINES_MOST);
		else if (f == REPORT_FEES)
			good = clearing_ask_fees(x->desk, x->now, &x->page, LINES_MOST);
		if (part > 0 && x->lines == 0)
			break;
		x->report->put_file(&x->file, f, w, x->line, x->lines);
		if (good && (!buf_ok(&x->file) || !arena_ok(x->arena) || part > 999)) {
			fputs("switchctl: a window with more than its files can hold\n", stderr);
			return false;
		}
		good = good && name_of(x, f, w, part, dir, name) &&
		       clearing_put_file(dir, name, buf_span(&x->file));
		*x->files += good;
	}
	return good;
}

static bool write_window(struct writing *x)
{
	char day[16], agreement[16], dir[PATH_MAX], name[256], path[2 * PATH_MAX];
	struct report_window w;

	describe(x, day, agreement, &w);
	if (!name_of(x, REPORT_SETTLEMENT, &w, 0, dir, name))
		return false;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (access(path, F_OK) == 0)
		return true;
	return write_kind(x, REPORT_TRANSACTIONS, &w) && write_kind(x, REPORT_FEES, &w) &&
	       write_kind(x, REPORT_SETTLEMENT, &w);
}

static bool write_peer(struct writing *x)
{
	struct pg_params p = { 0 };
	bool good;

	x->windows = 0;
	pg_add_int4(&p, x->peer->agreement);
	pg_add_int4(&p, 0);
	x->desk->each = each_window;
	good = desk_ask(x->desk, PG_STMT_WINDOWS, &p);
	for (size_t i = 0; good && i < x->windows; i++) {
		x->now = &x->window[i];
		good = write_window(x);
	}
	return good;
}

bool clearing_write(
	struct desk *d, const struct conf *c, const char *dir, struct arena *a, long *ret_files)
{
	struct writing x = { .desk = d, .conf = c, .root = dir, .arena = a, .files = ret_files };
	bool good = true;

	x.window = clearing_room(WINDOWS_KNOWN * sizeof *x.window);
	x.line = clearing_room(LINES_MOST * sizeof *x.line);
	x.file = buf_init(clearing_room(FILE_BYTES), FILE_BYTES);
	under_way = &x;
	for (size_t i = 0; good && i < c->peer_count; i++) {
		x.peer = &c->peer[i];
		x.report = report_of(span_str(c->link[i].adapter->name));
		/* Only who takes us for its scheme gets a scheme's files. */
		if (x.report->put_file && peer_as_scheme(x.peer))
			good = write_peer(&x);
	}
	under_way = NULL;
	free(x.window);
	free(x.line);
	free(x.file.p);
	return good;
}
