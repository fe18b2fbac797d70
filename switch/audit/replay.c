/*
 * replay.c: recorded events through the payment machine again, step by step, and whether it says
 * now what was recorded then: the record, the lines of the books, what was claimed, and that the
 * results which it owed to somebody wait for him or were acknowledged.
 *
 * This one verb shares code with what it checks, on purpose: core_step is what is asked. The hard
 * thing is what the event leaves out because it is personal, the payer's code and handle: the
 * machine uses of them only an address to which a payer was sent, which is in the record. And a
 * step is only as repeatable as its configuration, so each says of which version it was. Must never
 * take a difference for right because the configuration is another one: it is counted apart.
 */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "canon.h"
#include "conf.h"
#include "journal.pb-c.h"
#include "step.h"

#define LINES_BYTES (STEP_ENTRIES * 64)

struct replay {
	const struct snapshot *sn;
	struct pay before; /* of the step that comes next, where it is the same payment's */
	struct pay_event ev;
	struct msg msg;
	struct step step;
	uint64_t steps, same, elsewhere, untold;
	char first[256];
};

/* ---- the event, back --------------------------------------------------------------------------
 */

static void put_16(uint8_t to[16], ProtobufCBinaryData from)
{
	if (from.len == 16)
		memcpy(to, from.data, 16);
}

static void put_lists(struct pay_event *ev, const Xw__Event *e)
{
	for (size_t i = 0; i < e->n_claims && i < 2; i++)
		put_16(ev->claim[ev->claim_count++].digest, e->claims[i]);
	for (size_t i = 0; i < e->n_schemes && i < 8; i++)
		ev->scheme[ev->scheme_count++] = e->schemes[i];
	for (size_t i = 0; i < e->n_down && i < EVENT_DOWN_MAX; i++)
		ev->down[ev->down_count++] = (uint16_t)e->down[i];
	for (size_t i = 0; i < e->n_unregistered && i < EVENT_DOWN_MAX; i++)
		ev->unregistered[ev->unregistered_count++] = (uint16_t)e->unregistered[i];
}

/* The recognition table speaks over what the message says of its code. */
static bool read_code(const Xw__Event *e, struct msg_code *code)
{
	return span_to_cstr(span_str(e->code_format), code->format, sizeof code->format) &&
	       (!e->n_schemes ||
		       span_to_cstr(span_str(e->schemes[0]), code->scheme, sizeof code->scheme));
}

/* NULL, or what cannot be read. */
static const char *read_event(struct replay *r, const Xw__Event *e, const struct pay_id *id)
{
	struct pay_event *ev = &r->ev;
	const char *where = NULL;

	*ev = (struct pay_event){ .kind = (enum event_kind)e->kind,
		.now = { e->now },
		.salt = e->salt,
		.peer = (uint16_t)e->peer,
		.op = (enum op)e->op,
		.new_id = *id,
		.repeated = e->repeated,
		.prior_claim = e->prior_claim,
		.prior_seq = e->prior_seq,
		.code_peer = (uint16_t)e->code_peer,
		.order_free = e->order_free,
		.order_version = e->order_version,
		.hurry = e->hurry,
		.look = e->look,
		.watched_ms = e->watched_ms,
		.taken = e->taken,
		.cap_refused = e->cap_refused,
		.cap_account = e->cap_account,
		.cap = e->cap,
		.cap_used = e->cap_used,
		.side = (enum side)e->side,
		.attempt = (uint8_t)e->attempt,
		.refund_seq = (uint16_t)e->refund_seq,
		.lost = (enum lost)e->lost,
		.verb = (enum operator_verb)e->verb };
	put_lists(ev, e);
	put_16(ev->fingerprint, e->fingerprint);
	put_16(ev->prior_fingerprint, e->prior_fingerprint);
	put_16(ev->code_hash, e->code_hash);
	put_16(ev->order.b, e->order);
	put_16(ev->order_from.b, e->order_from);
	if (!span_to_cstr(span_str(e->merchant), ev->merchant, sizeof ev->merchant))
		return "merchant";
	memset(&r->msg, 0, sizeof r->msg);
	if (e->message && canon_read(e->message, &r->msg, &where) != RC_OK)
		return where;
	if (*e->code_format && !read_code(e, &r->msg.code))
		return "code";
	ev->msg = e->message ? &r->msg : NULL;
	return NULL;
}

/* ---- one step ---------------------------------------------------------------------------------
 */

static void difference(struct replay *r, const struct pay_id *id, int64_t version, const char *what)
{
	char text[ID_TEXT_LEN + 1] = "";
	struct buf b = buf_init(text, ID_TEXT_LEN);

	if (*r->first)
		return;
	pay_id_write(&b, id);
	snprintf(r->first, sizeof r->first, "payment %s version %" PRId64 ": %s", text, version,
		what);
}

/* As the query below writes those of the ledger. */
static void write_lines(const struct step *st, struct buf *b)
{
	for (int i = 0; i < st->entry_count; i++) {
		char line[64];
		const struct entry *e = &st->entry[i];

		snprintf(line, sizeof line, "%d %d %" PRId64 " %s;", e->account, e->kind,
			money_minor(e->money), ccy_alpha(money_ccy(e->money)));
		buf_str(b, line);
	}
}

/* Every result that the step owed to somebody is among those that wait or were acknowledged. */
static bool has_told(const struct step *st, struct span told)
{
	for (int i = 0; i < st->notify_count; i++) {
		char text[32];

		snprintf(text, sizeof text, ";%d %d;", st->notify[i].to, st->notify[i].seq);
		if (span_find_span(told, span_str(text)) == told.n)
			return false;
	}
	return true;
}

/* NULL, or what the machine says otherwise than the ledger. */
static const char *compare(const struct replay *r, struct span record, struct span lines,
	struct span digests, struct span told)
{
	char room[LINES_BYTES], hex[STEP_CLAIMS * 33];
	struct buf b = buf_init(room, sizeof room), claims = buf_init(hex, sizeof hex);

	write_lines(&r->step, &b);
	if (!r->step.changed)
		return "it would not have been a step";
	if (!span_eq(record, span_of(r->step.record, r->step.record_bytes)))
		return "the record would be another one";
	if (!span_eq(lines, buf_span(&b)))
		return "it would book other lines";
	for (int i = 0; i < r->step.claim_count; i++) {
		claims.n = 0;
		buf_hex(&claims, span_of(r->step.claim[i].digest, 16));
		if (span_find_span(digests, buf_span(&claims)) == digests.n)
			return "it would claim another id";
	}
	if (!has_told(&r->step, told))
		return "a result that it owed neither waits nor was acknowledged";
	return NULL;
}

/* Runs the step on the record before it. */
static void run(struct replay *r, const struct copy *k, const struct pay_id *id,
	const struct pay *next, const Xw__Event *e)
{
	struct span record = SPAN_NONE, lines = SPAN_NONE, digests = SPAN_NONE, told = SPAN_NONE;
	int64_t version = copy_int(k, 1);
	const char *what = read_event(r, e, id);

	(void)copy_column(k, 2, &record);
	(void)copy_column(k, 4, &lines);
	(void)copy_column(k, 5, &digests);
	(void)copy_column(k, 6, &told);
	if (!what) {
		if (next->action_url[0] && !r->msg.code.text[0])
			(void)span_to_cstr(span_str(next->action_url), r->msg.code.text,
				sizeof r->msg.code.text);
		core_step(r->sn, &r->before, &r->ev, &r->step);
		what = compare(r, record, lines, digests, told);
	}
	if (!what)
		r->same++;
	else if ((uint32_t)e->snapshot != r->sn->version)
		r->elsewhere++;
	else
		difference(r, id, version, what);
}

/* payment, version, record, evidence, lines, claims, results */
static void take_row(struct replay *r, const struct copy *k)
{
	struct span s = SPAN_NONE, record = SPAN_NONE, evidence = SPAN_NONE;
	struct pay_id id = { 0 };
	struct pay next;
	Xw__Event *e;

	r->steps++;
	if (copy_column(k, 0, &s) && s.n == sizeof id.b)
		memcpy(id.b, s.p, sizeof id.b);
	(void)copy_column(k, 2, &record);
	(void)copy_column(k, 3, &evidence);
	if (copy_int(k, 1) == 1)
		memset(&r->before, 0, sizeof r->before);
	memset(&next, 0, sizeof next);
	e = evidence.n ? xw__event__unpack(NULL, evidence.n, (const uint8_t *)evidence.p) : NULL;
	if (!e || record.n == 0 || pay_unpack(record, &next) != RC_OK ||
		(e->cap_refused && !e->cap_account))
		r->untold++; /* booked by hand, or erased, or from before such things were kept */
	else
		run(r, k, &id, &next, e);
	if (e)
		xw__event__free_unpacked(e, NULL);
	r->before = next;
}

#define STEPS                                                                                           \
	"copy (select s.payment, s.version, s.record, s.evidence,"                                      \
	" (select string_agg(concat_ws(' ', account, kind, amount, currency) || ';', '' order by line)" \
	"  from ledger.entry e where e.payment = s.payment and e.version = s.version),"                 \
	" (select string_agg(encode(digest, 'hex'), ' ') from ledger.claim c"                           \
	"  where c.xact = s.xact and c.payment = s.payment),"                                           \
	" (select ';' || string_agg(peer || ' ' || seq, ';;') || ';' from (select peer, seq"            \
	"  from ledger.delivery d where d.payment = s.payment union all select peer, seq"               \
	"  from ledger.outbox o where o.payment = s.payment) t)"                                        \
	" from ledger.step s where %s order by s.payment, s.version) to stdout (format binary)"

static void read_steps(struct replay *r, PGconn *c, const struct options *o)
{
	char sql[1024], which[64] = "true", hex[33] = "";
	struct buf b = buf_init(hex, 32);
	struct pay_id id;
	struct copy k;

	if (o->words) {
		if (pay_id_parse(span_str(o->word[0]), &id) != RC_OK)
			cannot("%s is no payment of ours; see switchaudit trace", o->word[0]);
		buf_hex(&b, span_of(id.b, sizeof id.b));
		snprintf(which, sizeof which, "s.payment = '%s'", hex);
	}
	snprintf(sql, sizeof sql, STEPS, which);
	for (copy_begin(&k, c, sql); copy_next(&k);)
		take_row(r, &k);
}

static void print(const struct replay *r, bool json)
{
	uint64_t differ = r->steps - r->same - r->elsewhere - r->untold;

	if (json) {
		printf("{\"ok\":%s,\"steps\":%" PRIu64 ",\"same\":%" PRIu64 ",\"differ\":%" PRIu64
		       ",\"other_configuration\":%" PRIu64 ",\"untold\":%" PRIu64
		       ",\"first_difference\":%s%s%s}\n",
			differ ? "false" : "true", r->steps, r->same, differ, r->elsewhere,
			r->untold, *r->first ? "\"" : "", *r->first ? r->first : "null",
			*r->first ? "\"" : "");
		return;
	}
	printf("%" PRIu64 " steps, %" PRIu64 " of them come out the same\n", r->steps, r->same);
	if (r->elsewhere)
		printf("%" PRIu64
		       " come out otherwise, and were of another configuration than this\n",
			r->elsewhere);
	if (r->untold)
		printf("%" PRIu64
		       " cannot be repeated: booked by hand, erased, or not wholly recorded\n",
			r->untold);
	if (differ)
		printf("%" PRIu64 " come out otherwise; the first: %s\n", differ, r->first);
}

int audit_replay(const struct options *o)
{
	struct replay *r;
	struct conf *conf;
	const char *why;
	PGconn *c;
	bool good;

	if (o->words > 1 || !o->conf)
		return AUDIT_USAGE;
	conf = conf_load(o->conf, NULL, &why);
	if (!conf)
		cannot("%s", why);
	r = memset(more(NULL, sizeof *r), 0, sizeof *r);
	r->sn = &conf->snapshot;
	c = ledger_open(o->postgres);
	read_steps(r, c, o);
	print(r, o->json);
	good = !*r->first && r->steps > 0;
	PQfinish(c);
	conf_free(conf);
	free(r);
	return good ? AUDIT_GOOD : AUDIT_FAULT;
}
