/*
 * wire_clerk.c: the clerk's questions to the ledger: what is overdue, which notifications are owed,
 * what people have decided.
 *
 * Each is a row taken with a lease, so that whatever becomes of the answer it is found again. Must
 * never have two of one kind under way: the second would take what the first has not begun.
 */
#include "wire_parts.h"

#include <unistd.h>

static void on_overdue(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_clerk *k = &w->clerk_state;
	wire_end_fn *end = k->overdue_end;
	bool ok = a->end == PG_END_DONE;

	for (int i = 0; ok && i < pg_rows_count(a->rows); i++) {
		struct pay_id id = pg_id(a->rows, i, 0);
		k->overdue(k->overdue_ctx, &id);
	}
	k->overdue_end = NULL;
	end(k->overdue_ctx, ok);
}

enum rc wire_overdue(struct wire *w, int most, int grace_ms, int lease_ms, wire_overdue_fn *each,
	wire_end_fn *end, void *ctx)
{
	struct wire_clerk *k = &w->clerk_state;
	struct pg_params params = { 0 };
	enum rc rc;

	if (k->overdue_end)
		return RC_FULL;
	pg_add_int4(&params, most);
	pg_add_int4(&params, grace_ms);
	pg_add_int4(&params, lease_ms);
	pg_add_int4(&params, (int32_t)getpid());
	rc = pg_send(w->clerk, PG_STMT_OVERDUE_TAKE, &params, on_overdue, w);
	if (rc != RC_OK)
		return rc;
	k->overdue = each;
	k->overdue_end = end;
	k->overdue_ctx = ctx;
	return RC_OK;
}

static void on_outbox(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_clerk *k = &w->clerk_state;
	wire_end_fn *end = k->outbox_end;
	bool ok = a->end == PG_END_DONE;

	for (int i = 0; ok && i < pg_rows_count(a->rows); i++) {
		struct pay_id id = pg_id(a->rows, i, 0);
		k->outbox(k->outbox_ctx, &id, (uint16_t)pg_int(a->rows, i, 3),
			(int)pg_int(a->rows, i, 4), pg_bytes(a->rows, i, 5));
	}
	k->outbox_end = NULL;
	end(k->outbox_ctx, ok);
}

/* Who is told in order, and how long it is waited for: numbers with blanks between. */
static void put_in_order(const struct snapshot *sn, struct buf *peers, struct buf *seconds)
{
	for (size_t i = 0; i < sn->peer_count; i++) {
		const struct caps *c = peer_caps(&sn->peer[i], OP_NOTIFY);

		if (!c || !c->in_order_s)
			continue;
		if (peers->n) {
			buf_ch(peers, ' ');
			buf_ch(seconds, ' ');
		}
		buf_u64(peers, sn->peer[i].number);
		buf_u64(seconds, c->in_order_s);
	}
}

enum rc wire_outbox(
	struct wire *w, int most, int lease_ms, wire_outbox_fn *each, wire_end_fn *end, void *ctx)
{
	struct wire_clerk *k = &w->clerk_state;
	struct pg_params params = { 0 };
	char of[1024], s[1024];
	struct buf peers = buf_init(of, sizeof of), seconds = buf_init(s, sizeof s);
	enum rc rc;

	if (k->outbox_end)
		return RC_FULL;
	put_in_order(&w->conf->snapshot, &peers, &seconds);
	if (!buf_ok(&peers) || !buf_ok(&seconds))
		return RC_RANGE;
	pg_add_int4(&params, most);
	pg_add_int4(&params, lease_ms);
	pg_add_bytes(&params, buf_span(&peers));
	pg_add_bytes(&params, buf_span(&seconds));
	rc = pg_send(w->clerk, PG_STMT_OUTBOX_TAKE, &params, on_outbox, w);
	if (rc != RC_OK)
		return rc;
	k->outbox = each;
	k->outbox_end = end;
	k->outbox_ctx = ctx;
	return RC_OK;
}

static void on_operator(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct wire_clerk *k = &w->clerk_state;
	wire_end_fn *end = k->operator_end;
	bool ok = a->end == PG_END_DONE;

	for (int i = 0; ok && i < pg_rows_count(a->rows); i++) {
		struct pay_id id = pg_id(a->rows, i, 1);
		k->operate(k->operator_ctx, pg_int(a->rows, i, 0), &id,
			(enum operator_verb)pg_int(a->rows, i, 2), pg_bytes(a->rows, i, 3));
	}
	k->operator_end = NULL;
	end(k->operator_ctx, ok);
}

enum rc wire_operator(
	struct wire *w, int most, int lease_ms, wire_operator_fn *each, wire_end_fn *end, void *ctx)
{
	struct wire_clerk *k = &w->clerk_state;
	struct pg_params params = { 0 };
	enum rc rc;

	if (k->operator_end)
		return RC_FULL;
	pg_add_int4(&params, most);
	pg_add_int4(&params, lease_ms);
	rc = pg_send(w->clerk, PG_STMT_OPERATOR_TAKE, &params, on_operator, w);
	if (rc != RC_OK)
		return rc;
	k->operate = each;
	k->operator_end = end;
	k->operator_ctx = ctx;
	return RC_OK;
}

static void on_operator_kept(void *ctx, const struct pg_answer *a)
{
	(void)ctx;
	if (a->end != PG_END_DONE)
		proc_log("warning", "operator",
			"an outcome was not written; taken again in seconds");
}

void wire_operator_done(struct wire *w, int64_t number, const char *outcome)
{
	struct pg_params params = { 0 };

	pg_add_int8(&params, number);
	pg_add_bytes(&params, span_str(outcome));
	if (pg_send(w->clerk, PG_STMT_OPERATOR_DONE, &params, on_operator_kept, w) != RC_OK)
		proc_log("warning", "operator",
			"an outcome was not written; taken again in seconds");
}

/* Whatever becomes of it, the row's lease ends and it is tried again: at least once, never less. */
static void on_outbox_kept(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;

	if (a->end != PG_END_DONE)
		w->stat->delivery_failed++;
}

void wire_outbox_done(struct wire *w, const struct pay_id *out_id, const uint8_t digest[32])
{
	struct pg_params params = { 0 };

	pg_add_id(&params, out_id);
	pg_add_bytes(&params, span_of(digest, 32));
	if (pg_send(w->clerk, PG_STMT_OUTBOX_DONE, &params, on_outbox_kept, w) != RC_OK)
		w->stat->delivery_failed++;
}

void wire_outbox_retry(struct wire *w, const struct pay_id *out_id, struct wall next)
{
	struct pg_params params = { 0 };

	pg_add_id(&params, out_id);
	pg_add_time(&params, next);
	if (pg_send(w->clerk, PG_STMT_OUTBOX_RETRY, &params, on_outbox_kept, w) != RC_OK)
		w->stat->delivery_failed++;
}

static void on_counts(void *ctx, const struct pg_answer *a)
{
	struct wire *w = ctx;
	struct proc_slot *s = w->stat;

	if (a->end != PG_END_DONE || pg_rows_count(a->rows) == 0)
		return;
	s->due_count = pg_int(a->rows, 0, 0);
	s->overdue_count = pg_int(a->rows, 0, 1);
	s->oldest_due_us = pg_is_null(a->rows, 0, 2) ? 0 : pg_time(a->rows, 0, 2).us;
	s->outbox_count = pg_int(a->rows, 0, 3);
	s->oldest_outbox_us = pg_is_null(a->rows, 0, 4) ? 0 : pg_time(a->rows, 0, 4).us;
	s->exceptions_open = pg_int(a->rows, 0, 5);
}

void wire_counts(struct wire *w)
{
	struct pg_params params = { 0 };

	if (pg_send(w->clerk, PG_STMT_EXCEPTIONS_KNOWN, &params, on_outbox_kept, w) != RC_OK ||
		pg_send(w->clerk, PG_STMT_COUNTS, &params, on_counts, w) != RC_OK)
		return; /* next time, then */
}

void wire_clock_back(struct wire *w)
{
	struct pg_params params = { 0 };

	if (pg_send(w->clerk, PG_STMT_CLOCK_BACK, &params, on_outbox_kept, w) != RC_OK)
		proc_log("warning", "clock", "leases of before were not ended");
}

void wire_partitions(struct wire *w)
{
	struct pg_params params = { 0 };

	pg_add_int4(&params, 3);
	if (pg_send(w->clerk, PG_STMT_PARTITIONS_MAKE, &params, on_outbox_kept, w) != RC_OK)
		proc_log("warning", "partitions", "not looked after now; again in hours");
}

void wire_days(struct wire *w)
{
	struct pg_params params = { 0 };

	pg_add_int4(&params, PROC_DAYS_AHEAD);
	if (pg_send(w->clerk, PG_STMT_DAYS_OPEN, &params, on_outbox_kept, w) != RC_OK)
		proc_log("warning", "days", "not looked after now; again in hours");
}

void wire_expire_codes(struct wire *w)
{
	struct pg_params params = { 0 };

	if (pg_send(w->clerk, PG_STMT_CODES_EXPIRE, &params, on_outbox_kept, w) != RC_OK)
		proc_log("info", "codes", "not swept now; again in a minute");
}
