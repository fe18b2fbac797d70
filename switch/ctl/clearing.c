/*
 * clearing.c: `switchctl clearing`: takes up what steps have settled since the last time, as items
 * by windows; closes the windows whose day is over; writes the files of those for whom we are the
 * scheme. To be run every few minutes by a timer; a second one beside it is harmless.
 *
 * The hard thing is to miss no step and take none twice: steps are read in the order of
 * transactions, below the oldest that still runs, and an item is named by its step. What comes when
 * its window has closed stands in the next one, marked. Must never put an item down that does not
 * sum to what the step posted: what the record does not explain is an item's "unexplained" fee,
 * and is said.
 */
#include "clearing.h"

#include "check.h"
#include "cleared.h"
#include "day.h"
#include "json.h"
#include "sysclock.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_MOST 500
#define JSON_BYTES (8u << 20)
#define GRACE_MS   (60 * 60 * 1000) /* after midnight: late answers, and cancels that are allowed */
#define AHEAD_MS   (15 * 60 * 1000) /* a clock of theirs may be so much faster than ours */

struct options {
	struct desk_options desk;
	const char *conf, *ledger, *files, *through;
};

struct run {
	struct desk desk; /* first: who is called for each row finds the rest by it */
	const struct conf *conf;
	struct buf json; /* of the items that are taken up next */
	struct jw w;
	uint64_t from, until;
	struct pay was, is; /* of the step whose rows are read */
	struct pay_id payment;
	int32_t version;
	struct wall at;
	struct cleared item[CLEARED_SIDES];
	struct money net[CLEARED_SIDES]; /* posted on the item's position */
	int items;
	long taken, unexplained;
	long windows, files, beyond;
};

void *clearing_room(size_t n)
{
	void *p = malloc(n);

	if (!p) {
		fputs("switchctl: out of memory\n", stderr);
		exit(CTL_FAILED);
	}
	return p;
}

bool clearing_open(struct desk *d, const struct desk_options *o, const char *ledger)
{
	return desk_open_as(d, o, ledger ? ledger : "user=recon", PG_CLEARING);
}

void clearing_put_day(struct buf *b, int64_t day, bool plain)
{
	char text[40];
	struct buf t = buf_init(text, sizeof text);

	wall_write(&t, wall_of_day(day, 0, 0, 0), 0);
	for (size_t i = 0; i < 10; i++)
		if (!plain || t.p[i] != '-')
			buf_ch(b, t.p[i]);
}

bool clearing_read_day(const char *option, const char *text, int64_t *ret)
{
	if (day_parse(span_str(text), ret) == RC_OK)
		return true;
	fprintf(stderr, "switchctl: %s %s: a day is written as 2026-01-15\n", option, text);
	return false;
}

/* ---- items --------------------------------------------------------------------------------- */

static const struct zone *zone_of(const struct conf *c, uint16_t peer)
{
	static const struct zone utc;
	const struct peer *p = snapshot_peer(&c->snapshot, peer);

	return p ? &p->zone : &utc;
}

static void put_time(struct jw *w, const char *key, struct wall at)
{
	char text[40];
	struct buf b = buf_init(text, sizeof text);

	wall_write(&b, at, 6);
	jw_str(w, key, buf_span(&b));
}

static void put_money(struct jw *w, const char *key, const char *ccy_key, struct money m)
{
	jw_int(w, key, money_minor(m));
	jw_str(w, ccy_key, span_str(ccy_alpha(money_ccy(m))));
}

static void put_fees(struct jw *w, const struct cleared *c)
{
	jw_arr(w, "fee");
	for (int i = 0; i < c->fee_count; i++) {
		jw_obj(w, NULL);
		jw_str(w, "name", span_str(c->fee[i].name));
		jw_int(w, "amount", money_minor(c->fee[i].amount));
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static void put_id(struct jw *w, const struct pay_id *id)
{
	char hex[33];
	struct buf b = buf_init(hex, 32);

	buf_hex(&b, span_of(id->b, sizeof id->b));
	jw_str(w, "payment", buf_span(&b));
}

static void put_item(struct run *r, const struct cleared *c)
{
	struct jw *w = &r->w;
	struct wall moved = c->moved;
	struct money fees;
	char day[16];
	struct buf d = buf_init(day, sizeof day);

	/* A time that is not to be believed would keep the item out of every window. */
	if (!moved.us || moved.us > wall_plus_ms(r->at, AHEAD_MS).us)
		moved = r->at;
	CHECK(money_sub(cleared_net(c), c->gross, &fees) == RC_OK);
	clearing_put_day(&d, zone_day(zone_of(r->conf, c->peer), moved), false);
	jw_obj(w, NULL);
	put_id(w, &r->payment);
	jw_int(w, "version", r->version);
	jw_str(w, "side", c->side == SIDE_ISSUER ? SPAN("i") : SPAN("a"));
	jw_int(w, "agreement", c->agreement);
	jw_int(w, "kind", c->kind);
	jw_int(w, "seq", c->seq);
	jw_str(w, "day", buf_span(&d));
	put_time(w, "learnt_at", r->at);
	put_time(w, "moved_at", moved);
	put_money(w, "amount", "order_currency", c->amount);
	put_money(w, "gross", "currency", c->gross);
	jw_int(w, "fees", money_minor(fees));
	jw_str(w, "request_id", span_str(c->request_id));
	jw_str(w, "peer_id", span_str(c->peer_id));
	jw_str(w, "refund_request_id", span_str(c->refund_request_id));
	jw_str(w, "refund_peer_id", span_str(c->refund_peer_id));
	jw_str(w, "merchant", span_str(r->is.merchant_id));
	jw_str(w, "store", span_str(r->is.store_id));
	jw_str(w, "brand", span_str(r->is.brand));
	put_fees(w, c);
	jw_end(w, '}');
}

/* What was posted and what the record explains: the rest is a fee of that name, so that items
 * always sum to the books. */
static void explain_rest(struct run *r, struct cleared *c, struct money posted)
{
	struct money rest;

	if (!money_same(posted, c->gross))
		posted = money_of(0, money_ccy(c->gross));
	CHECK(money_sub(posted, cleared_net(c), &rest) == RC_OK);
	if (money_sign(rest) == 0)
		return;
	r->unexplained++;
	c->fee_count -= c->fee_count == FEES_MAX;
	c->fee[c->fee_count] = (struct cleared_fee){ .name = "unexplained", .amount = rest };
	c->fee_count++;
}

static void end_step(struct run *r)
{
	for (int i = 0; i < r->items; i++) {
		explain_rest(r, &r->item[i], r->net[i]);
		put_item(r, &r->item[i]);
	}
	r->items = 0;
}

static void say_unknown(struct run *r, int64_t agreement, struct span currency, int64_t net)
{
	char id[32];
	struct buf b = buf_init(id, sizeof id);

	pay_id_write(&b, &r->payment);
	r->unexplained++;
	fprintf(stderr,
		"switchctl: payment %.*s version %d moved %lld %.*s of agreement %lld, and its "
		"record does not say why\n",
		SPAN_FMT(buf_span(&b)), (int)r->version, (long long)net, SPAN_FMT(currency),
		(long long)agreement);
}

static void begin_step(struct run *r, const struct pg_rows *rows, int row)
{
	struct span before = pg_bytes(rows, row, 4);

	r->at = pg_time(rows, row, 2);
	memset(&r->was, 0, sizeof r->was);
	if (pay_unpack(pg_bytes(rows, row, 3), &r->is) == RC_OK &&
		(span_empty(before) || pay_unpack(before, &r->was) == RC_OK))
		r->items = cleared_by(&r->was, &r->is, r->item);
	for (int k = 0; k < r->items; k++)
		r->net[k] = money_of(0, money_ccy(r->item[k].gross));
}

/* Both sides on one position: its sum is told once, and the second item's part is its own. */
static void share(struct run *r)
{
	if (r->items < 2 || r->item[0].agreement != r->item[1].agreement ||
		!money_same(r->item[0].gross, r->item[1].gross))
		return;
	r->net[1] = cleared_net(&r->item[1]);
	CHECK(money_sub(r->net[0], r->net[1], &r->net[0]) == RC_OK);
}

/* One position that a step moved; the first of a step begins it. */
static void each_step(struct desk *d, const struct pg_rows *rows, int row)
{
	struct run *r = (struct run *)d;
	struct pay_id payment = pg_id(rows, row, 0);
	int32_t version = (int32_t)pg_int(rows, row, 1);
	struct span currency = pg_bytes(rows, row, 6);
	int64_t agreement, net;
	struct ccy ccy;
	int i = 0;

	if (memcmp(&payment, &r->payment, sizeof payment) != 0 || version != r->version) {
		end_step(r);
		r->payment = payment;
		r->version = version;
		begin_step(r, rows, row);
	}
	if (pg_is_null(rows, row, 5)) {
		share(r);
		return;
	}
	agreement = pg_int(rows, row, 5);
	net = pg_int(rows, row, 7);
	CHECK(ccy_by_alpha(currency, &ccy) == RC_OK);
	while (i < r->items &&
		!(r->item[i].agreement == agreement && ccy_eq(money_ccy(r->item[i].gross), ccy)))
		i++;
	if (i < r->items)
		r->net[i] = money_of(net, ccy);
	else if (net)
		say_unknown(r, agreement, currency, net);
	if (i == 0)
		share(r);
}

static void each_range(struct desk *d, const struct pg_rows *rows, int row)
{
	struct run *r = (struct run *)d;

	r->from = (uint64_t)pg_int(rows, row, 0);
	r->until = (uint64_t)pg_int(rows, row, 1);
}

static bool ask_range(struct run *r)
{
	struct pg_params p = { 0 };

	pg_add_int4(&p, STEPS_MOST);
	pg_add_int8(&p, (int64_t)r->until);
	r->desk.each = each_range;
	return desk_ask(&r->desk, PG_STMT_CLEAR_RANGE, &p);
}

/* Where no step moved anything, nothing is put down: our own transactions make no work for us, and
 * the next range begins behind this one all the same. */
static bool take_up_range(struct run *r)
{
	struct pg_params p = { 0 }, q = { 0 };

	buf_reset(&r->json);
	r->w = jw_init(&r->json);
	jw_arr(&r->w, NULL);
	pg_add_int8(&p, (int64_t)r->from);
	pg_add_int8(&p, (int64_t)r->until);
	r->desk.each = each_step;
	r->version = 0;
	if (!desk_ask(&r->desk, PG_STMT_CLEAR_STEPS, &p))
		return false;
	if (!r->desk.rows)
		return true;
	end_step(r);
	jw_end(&r->w, ']');
	if (!buf_ok(&r->json)) {
		fputs("switchctl: more items in one transaction than there is room for\n", stderr);
		return false;
	}
	pg_add_int8(&q, (int64_t)r->until);
	pg_add_bytes(&q, buf_span(&r->json));
	r->desk.each = desk_keep_number;
	if (!desk_ask(&r->desk, PG_STMT_CLEAR, &q))
		return false;
	r->taken += r->desk.number;
	return true;
}

static bool take_up(struct run *r)
{
	do
		if (!ask_range(r) || (r->until > r->from && !take_up_range(r)))
			return false;
	while (r->until > r->from);
	return true;
}

/* ---- windows ------------------------------------------------------------------------------- */

static bool close_windows(struct run *r, const struct options *o, struct wall began)
{
	int64_t through = 0;

	r->desk.each = desk_keep_number;
	for (size_t i = 0; i < r->conf->peer_count; i++) {
		const struct peer *p = &r->conf->peer[i];
		struct pg_params q = { 0 };

		if (o->through)
			CHECK(clearing_read_day("--through", o->through, &through));
		else
			through = zone_day(&p->zone, wall_plus_ms(began, -GRACE_MS)) - 1;
		pg_add_int4(&q, p->agreement);
		pg_add_int4(&q, (int32_t)through);
		if (!desk_ask(&r->desk, PG_STMT_WINDOWS_CLOSE, &q))
			return false;
		r->windows += r->desk.number;
	}
	return true;
}

static void each_beyond(struct desk *d, const struct pg_rows *rows, int row)
{
	(void)d;
	fprintf(stderr, "switchctl: %.*s is beyond its cap: %lld of %lld minor units\n",
		SPAN_FMT(pg_bytes(rows, row, 0)), (long long)pg_int(rows, row, 1),
		(long long)pg_int(rows, row, 2));
}

/* The ledger has made an exception item of each; here it is told whoever looks. */
static bool say_beyond(struct run *r)
{
	r->desk.each = each_beyond;
	if (!desk_ask(&r->desk, PG_STMT_BEYOND_CAP, &(struct pg_params){ 0 }))
		return false;
	r->beyond = r->desk.rows;
	return true;
}

static enum ctl_exit say(const struct run *r, bool json)
{
	if (json)
		printf("{\"items\":%ld,\"unexplained\":%ld,\"windows\":%ld,\"files\":%ld,"
		       "\"beyond_cap\":%ld}\n",
			r->taken, r->unexplained, r->windows, r->files, r->beyond);
	else
		printf("%ld items, %ld of them unexplained; %ld windows closed, %ld files "
		       "written\n",
			r->taken, r->unexplained, r->windows, r->files);
	return r->unexplained || r->beyond ? CTL_FAULTS : CTL_GOOD;
}

static enum ctl_exit run(const struct options *o, const struct conf *c)
{
	static struct run r;
	static char memory[32u << 20];
	struct arena a = arena_init(memory, sizeof memory);
	struct wall began = sysclock_wall();
	enum ctl_exit status = CTL_FAILED;

	r.conf = c;
	if (!clearing_open(&r.desk, &o->desk, o->ledger))
		return CTL_FAILED;
	r.json = buf_init(clearing_room(JSON_BYTES), JSON_BYTES);
	if (take_up(&r) && clearing_take_names(&r.desk) && close_windows(&r, o, began) &&
		(!o->files || clearing_write(&r.desk, c, o->files, &a, &r.files)) && say_beyond(&r))
		status = say(&r, o->desk.json);
	free(r.json.p);
	desk_close(&r.desk);
	return status;
}

enum ctl_exit ctl_clearing(int argc, char **argv)
{
	struct options o = { .conf = NULL };
	const struct desk_option more[] = { { "--conf", &o.conf, NULL },
		{ "--ledger", &o.ledger, NULL }, { "--files", &o.files, NULL },
		{ "--through", &o.through, NULL }, { NULL, NULL, NULL } };
	enum ctl_exit status = CTL_FAILED;
	struct conf *c;
	const char *why;
	int64_t day;

	if (!desk_read(argc, argv, 0, more, &o.desk) || !o.conf ||
		(o.through && !clearing_read_day("--through", o.through, &day)))
		return CTL_USAGE;
	if ((c = conf_load(o.conf, NULL, &why)))
		status = run(&o, c);
	else
		fprintf(stderr, "switchctl: %s\n", why);
	conf_free(c);
	return status;
}
