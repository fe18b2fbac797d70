/*
 * reconcile.c: `switchctl reconcile`: a partner's files of one window against what we settled in
 * it: our items, which are what the books say, line by line, and their totals against those of the
 * window. Each difference becomes an exception item that somebody owns.
 *
 * The hard thing is a file that cannot be trusted in parts: all files are read before anything is
 * compared, and one fault, said with file, line and reason, refuses them all. The same files again
 * change nothing. Must never compare a window that is open.
 */
#include "check.h"
#include "clearing.h"
#include "digest.h"
#include "json.h"
#include "recon.h"
#include "safely.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES_MOST  16
#define BYTES_MOST  (512l << 20)
#define PAGE        5000
#define ID_MOST     256 /* bytes of a partner's id: it is a key of the ledger's */
#define ITEMS_MOST  2000000u
#define JSON_BYTES  (8u << 20)
#define ARENA_BYTES (512u << 20) /* of ids, and of what had to be unquoted; taken as it is used */

struct options {
	struct desk_options desk;
	const char *conf, *ledger, *day, *owner;
	const char *file[FILES_MOST];
	int files;
};

struct run {
	struct desk desk; /* first: who is called for each row finds the rest by it */
	const struct options *options;
	const struct peer *peer;
	const struct report *report;
	struct arena arena;
	int64_t day;
	struct report_line *line;
	size_t lines, lines_room;
	struct recon recon;
	size_t items_room;
	struct clearing_page page;
	struct window window;
	bool closed;
	struct buf json;
	struct jw w;
	const char *file; /* that is read; of the differences: the first */
	long differences;
	struct digest digest;
	int long_id; /* line of the file that is read; 0: none */
};

static struct run run;

/* ---- files --------------------------------------------------------------------------------- */

static void keep_line(void *ctx, const struct report_line *l)
{
	struct run *r = ctx;

	if (r->lines == r->lines_room) {
		size_t room = r->lines_room ? 2 * r->lines_room : 1024;
		struct report_line *more = clearing_room(room * sizeof *more);
		if (r->lines)
			memcpy(more, r->line, r->lines * sizeof *more);
		free(r->line);
		r->line = more;
		r->lines_room = room;
	}
	r->line[r->lines++] = *l;
	if (!r->long_id && (l->request_id.n > ID_MOST || l->peer_id.n > ID_MOST ||
				   l->first_request_id.n > ID_MOST || l->first_id.n > ID_MOST))
		r->long_id = l->line;
}

/* The whole of it, to the end of the program. */
static bool read_bytes(const char *path, struct span *ret)
{
	FILE *f = fopen(path, "rb");
	long n = -1;
	char *p;

	if (f && fseek(f, 0, SEEK_END) == 0)
		n = ftell(f);
	if (!f || n < 0 || n > BYTES_MOST || fseek(f, 0, SEEK_SET) != 0) {
		fprintf(stderr, "switchctl: %s: %s\n", path,
			f && n > BYTES_MOST ? "too large" : strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	p = clearing_room((size_t)n + 1);
	*ret = span_of(p, fread(p, 1, (size_t)n, f));
	fclose(f);
	if (ret->n != (size_t)n)
		fprintf(stderr, "switchctl: %s: it cannot be read to its end\n", path);
	return ret->n == (size_t)n;
}

static bool read_file(struct run *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct report_in in = {
		.arena = &r->arena, .settle = r->peer->settle, .each = keep_line, .ctx = r
	};
	struct digest each[2] = { r->digest };
	struct span bytes;

	if (!read_bytes(path, &bytes))
		return false;
	each[1] = digest_sha256(bytes);
	r->digest = digest_sha256(span_of(each, sizeof each));
	r->long_id = 0;
	if (r->report->read(&in, span_str(slash ? slash + 1 : path), bytes)) {
		if (!r->long_id)
			return true;
		in.fault_line = r->long_id;
		in.fault = "an id of more than 256 bytes";
	}
	fprintf(stderr, "switchctl: %s:%d: ", path, in.fault_line);
	print_safely_to(stderr, span_str(in.fault)); /* it may name a column as it stands there */
	fputs("; nothing of it counts\n", stderr);
	return false;
}

/* ---- our side ------------------------------------------------------------------------------ */

static struct money counted(const struct run *r, struct money m)
{
	return r->peer->roles & PEER_ACQUIRER ? money_neg(m) : m;
}

static void each_window(struct desk *d, const struct pg_rows *rows, int row)
{
	struct run *r = (struct run *)d;
	struct ccy ccy;

	if (pg_int(rows, row, 1) != r->day || ccy_by_alpha(pg_bytes(rows, row, 0), &ccy) != RC_OK ||
		!ccy_eq(ccy, r->peer->settle))
		return;
	r->closed = true;
	r->window = (struct window){ .agreement = r->peer->agreement, .ccy = ccy, .day = r->day };
	r->recon.count = pg_int(rows, row, 3);
	r->recon.gross = counted(r, money_of(pg_int(rows, row, 4), ccy));
	r->recon.fees = money_of(pg_int(rows, row, 5), ccy);
}

static void each_item(struct desk *d, const struct pg_rows *rows, int row)
{
	struct run *r = (struct run *)d;
	struct recon *c = &r->recon;
	struct ccy ccy = r->peer->settle;
	struct recon_item *i;
	struct span id[4];

	for (int k = 0; k < 4; k++)
		id[k] = arena_dup(&r->arena, pg_bytes(rows, row, 7 + k));
	r->page.payment = pg_id(rows, row, 0);
	r->page.version = (int32_t)pg_int(rows, row, 1);
	CHECK(span_to_cstr(pg_bytes(rows, row, 2), r->page.side, sizeof r->page.side));
	if (c->items == r->items_room)
		return;
	i = &c->item[c->items++];
	*i = (struct recon_item){ .what = (enum report_what)pg_int(rows, row, 3),
		.payment = r->page.payment,
		.version = r->page.version,
		.day = pg_int(rows, row, 4),
		.gross = counted(r, money_of(pg_int(rows, row, 5), ccy)),
		.fees = money_of(pg_int(rows, row, 6), ccy),
		.late_from = pg_is_null(rows, row, 11) ? RECON_NEVER : pg_int(rows, row, 11),
		.paired = pg_int(rows, row, 12) != 0 };
	i->id = span_empty(id[2]) ? id[0] : id[2];
	i->peer_id = span_empty(id[2]) ? id[1] : id[3];
	i->first = span_empty(id[2]) ? SPAN_NONE : id[0];
}

/* Those of the window and of its neighbours. */
static bool load_items(struct run *r)
{
	bool good;

	r->items_room = ITEMS_MOST;
	r->recon.item = clearing_room(ITEMS_MOST * sizeof *r->recon.item);
	r->recon.index = clearing_room(2 * ITEMS_MOST * sizeof *r->recon.index);
	do {
		struct pg_params p = { 0 };
		pg_add_int4(&p, r->window.agreement);
		pg_add_bytes(&p, span_str(ccy_alpha(r->window.ccy)));
		pg_add_int4(&p, (int32_t)r->day);
		pg_add_id(&p, &r->page.payment);
		pg_add_int4(&p, r->page.version);
		pg_add_bytes(&p, span_str(r->page.side));
		pg_add_int8(&p, PAGE);
		r->desk.each = each_item;
		good = desk_ask(&r->desk, PG_STMT_RECON_ITEMS, &p);
	} while (good && r->desk.rows == PAGE && r->recon.items < r->items_room);
	if (good && (r->recon.items == r->items_room || !arena_ok(&r->arena))) {
		fputs("switchctl: more items than there is room for\n", stderr);
		return false;
	}
	return good;
}

static bool load(struct run *r)
{
	struct pg_params p = { 0 };

	pg_add_int4(&p, r->peer->agreement);
	pg_add_int4(&p, (int32_t)r->day - 1);
	r->desk.each = each_window;
	if (!desk_ask(&r->desk, PG_STMT_WINDOWS, &p))
		return false;
	if (!r->closed) {
		fputs("switchctl: that window is not closed\n", stderr);
		return false;
	}
	return load_items(r);
}

/* ---- differences --------------------------------------------------------------------------- */

static void put_money(struct jw *w, const char *key, struct money m)
{
	if (!money_is_none(m))
		jw_int(w, key, money_minor(m));
}

static void on_found(void *ctx, const struct recon_found *f)
{
	struct run *r = ctx;
	struct money m = money_is_none(f->theirs) ? f->ours : f->theirs;
	char hex[33], detail[2 * ID_MOST];
	struct buf b = buf_init(hex, 32);

	snprintf(detail, sizeof detail, "%s: %.*s: %s", r->peer->name, SPAN_FMT(f->reference),
		f->detail);
	jw_obj(&r->w, NULL);
	if (f->item) {
		buf_hex(&b, span_of(f->item->payment.b, sizeof f->item->payment.b));
		jw_str(&r->w, "payment", buf_span(&b));
		jw_int(&r->w, "version", f->item->version);
	}
	jw_int(&r->w, "kind", f->class);
	jw_str(&r->w, "currency",
		span_str(ccy_alpha(money_is_none(m) ? r->window.ccy : money_ccy(m))));
	/* As the books have it; a fee has one sign on either side. */
	put_money(&r->w, "ours", f->class == RECON_FEE ? f->ours : counted(r, f->ours));
	put_money(&r->w, "theirs", f->class == RECON_FEE ? f->theirs : counted(r, f->theirs));
	jw_str(&r->w, "reference", f->reference);
	jw_int(&r->w, "line", f->line);
	jw_str(&r->w, "detail", span_str(detail));
	jw_end(&r->w, '}');
	r->differences++;
	if (r->options->desk.json)
		return;
	print_safely(span_str(detail));
	putchar('\n');
}

/* The same bytes may be two files: those of two participants, or of two days on which nothing was.
 */
static struct digest digest_of(const struct run *r)
{
	char whose[64];
	struct span part[] = { digest_span(&r->digest), SPAN_NONE };

	snprintf(whose, sizeof whose, "%d %d", (int)r->peer->agreement, (int)r->day);
	part[1] = span_str(whose);
	return digest_sha256_parts(part, 2);
}

static bool book(struct run *r)
{
	struct pg_params p = { 0 };
	const struct options *o = r->options;
	const char *slash = strrchr(o->file[0], '/');
	struct digest digest = digest_of(r);

	pg_add_bytes(&p, digest_span(&digest));
	pg_add_int4(&p, r->peer->agreement);
	pg_add_int4(&p, (int32_t)r->day);
	pg_add_bytes(&p, span_str(slash ? slash + 1 : o->file[0]));
	pg_add_int4(&p, (int32_t)r->recon.lines);
	pg_add_bytes(&p, span_str(o->desk.by));
	pg_add_bytes(&p, span_str(o->owner ? o->owner : o->desk.by));
	pg_add_bytes(&p, buf_span(&r->json));
	r->desk.each = desk_keep_number;
	return desk_ask(&r->desk, PG_STMT_RECON_BOOK, &p);
}

static void compare(struct run *r)
{
	r->recon.day = r->day;
	r->recon.found = on_found;
	r->recon.ctx = r;
	r->json = buf_init(clearing_room(JSON_BYTES), JSON_BYTES);
	r->w = jw_init(&r->json);
	jw_arr(&r->w, NULL);
	recon_begin(&r->recon);
	/* Fees and totals are about lines that were seen. */
	for (size_t i = 0; i < r->lines; i++)
		if (r->line[i].what <= REPORT_REVERSAL)
			recon_line(&r->recon, &r->line[i]);
	for (size_t i = 0; i < r->lines; i++)
		if (r->line[i].what > REPORT_REVERSAL)
			recon_line(&r->recon, &r->line[i]);
	recon_end(&r->recon);
	jw_end(&r->w, ']');
}

static enum ctl_exit say(const struct run *r)
{
	long new = r->desk.null ? 0 : (long)r->desk.number;

	if (r->options->desk.json)
		printf("{\"lines\":%ld,\"differences\":%ld,\"new\":%ld,\"known\":%s}\n",
			r->recon.lines, r->differences, new, r->desk.null ? "true" : "false");
	else
		printf("%ld lines, %ld differences, %ld new exception items%s\n", r->recon.lines,
			r->differences, new,
			r->desk.null ? "; these files were compared before" : "");
	return r->differences ? CTL_FAULTS : CTL_GOOD;
}

static enum ctl_exit reconcile(struct run *r)
{
	enum ctl_exit status = CTL_FAILED;

	for (int i = 0; i < r->options->files; i++)
		if (!read_file(r, r->options->file[i]))
			return CTL_FAULTS;
	if (!clearing_open(&r->desk, &r->options->desk, r->options->ledger))
		return CTL_FAILED;
	if (load(r)) {
		/* A file without a line is a file. */
		r->recon.has_items = true;
		compare(r);
		if (!buf_ok(&r->json))
			fputs("switchctl: more differences than there is room for: is it the file of "
			      "this window?\n",
				stderr);
		else if (book(r))
			status = say(r);
	}
	desk_close(&r->desk);
	return status;
}

static const struct peer *peer_named(const struct conf *c, const char *name, size_t *ret_i)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (strcmp(c->peer[i].name, name) == 0) {
			*ret_i = i;
			return &c->peer[i];
		}
	return NULL;
}

static enum ctl_exit begin(const struct options *o, const struct conf *c, const char *name)
{
	size_t i = 0;

	run.options = o;
	run.peer = peer_named(c, name, &i);
	if (!run.peer) {
		fprintf(stderr, "switchctl: there is no participant \"%s\"\n", name);
		return CTL_FAILED;
	}
	run.report = report_of(span_str(c->link[i].adapter->name));
	run.arena = arena_init(clearing_room(ARENA_BYTES), ARENA_BYTES);
	CHECK(clearing_read_day("--day", o->day, &run.day));
	return reconcile(&run);
}

/* Names of files stand behind the participant's; the desk takes fewer words. */
static int split(int argc, char **argv, struct options *o, char **ret_rest)
{
	int rest = 0;

	for (int i = 0; i < argc; i++) {
		if (i > 0 && argv[i][0] != '-' && argv[i - 1][0] != '-' && o->files < FILES_MOST)
			o->file[o->files++] = argv[i];
		else
			ret_rest[rest++] = argv[i];
	}
	return rest;
}

enum ctl_exit ctl_reconcile(int argc, char **argv)
{
	struct options o = { .conf = NULL };
	const struct desk_option more[] = { { "--conf", &o.conf, NULL },
		{ "--ledger", &o.ledger, NULL }, { "--day", &o.day, NULL },
		{ "--owner", &o.owner, NULL }, { NULL, NULL, NULL } };
	enum ctl_exit status = CTL_FAILED;
	char *rest[64];
	const char *why;
	struct conf *c;
	int64_t day;

	if (argc > 64 || !desk_read(split(argc, argv, &o, rest), rest, 1, more, &o.desk) ||
		o.desk.words != 1 || !o.files || !o.conf || !o.day ||
		!clearing_read_day("--day", o.day, &day))
		return CTL_USAGE;
	if ((c = conf_load(o.conf, NULL, &why)))
		status = begin(&o, c, o.desk.word[0]);
	else
		fprintf(stderr, "switchctl: %s\n", why);
	conf_free(c);
	return status;
}
