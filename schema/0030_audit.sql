-- What an auditor reads with plain SQL: a schema of its own, for a role that sees nothing else. Numbers
-- are told as words here; the words are those of the .def files, and a test compares them.
do $$
begin
	if not exists (select from pg_roles where rolname = 'auditor') then
		create role auditor;
	end if;
	execute format('grant connect on database %I to auditor', current_database());
	execute format('grant create on database %I to ledger_owner', current_database());
end
$$;
alter role auditor login nobypassrls connection limit 8;
alter role auditor set default_transaction_read_only = on;
alter role auditor set statement_timeout = '10min';
alter role auditor set log_statement = 'all';
alter role auditor set jit = off;

set role ledger_owner;
create schema audit;

-- The words behind numbers: what happened, what was asked, in which state that left the payment.
create table ledger.word (
	list text not null check (list in ('event', 'op', 'state', 'side')),
	number smallint not null,
	word text not null,
	sentence text not null,
	xact xid8 not null default pg_current_xact_id(),
	primary key (list, number)
);
create index word_xact on ledger.word (xact);
insert into ledger.word (list, number, word, sentence) values
	('event', 1, 'request', 'a partner asked us something'),
	('event', 2, 'answer', 'a partner answered our call'),
	('event', 3, 'no-answer', 'our call ended without a usable answer'),
	('event', 4, 'push', 'a partner told us something unasked'),
	('event', 5, 'due', 'the payment''s alarm clock'),
	('event', 6, 'operator', 'a person decided something'),
	('event', 7, 'resume', 'the record was found after a restart');
insert into ledger.word (list, number, word, sentence) values
	('op', 0, 'none', 'nothing'),
	('op', 1, 'debit', 'debit the payer (pay, create a payment)'),
	('op', 2, 'capture', 'take what the payer approved'),
	('op', 3, 'inquire', 'ask what became of a payment'),
	('op', 4, 'cancel', 'close a payment, or undo it if it succeeded'),
	('op', 5, 'refund', 'return part or all of a finished payment'),
	('op', 6, 'inquire-refund', 'ask what became of a refund'),
	('op', 7, 'resolve', 'what stands behind this merchant code'),
	('op', 8, 'tell', 'tell the acquirer''s side that its order was paid; it may refuse'),
	('op', 9, 'notify', 'a final result that we owe somebody; must be acknowledged'),
	('op', 10, 'push', 'a peer tells us something unasked; a hint unless signed and complete'),
	('op', 11, 'codes', 'payer codes to show'),
	('op', 12, 'token', 'fetch an access token'),
	('op', 13, 'order', 'create a merchant code for one order'),
	('op', 14, 'confirm', 'the payer confirmed a resolved order'),
	('op', 15, 'credit', 'pay out to a wallet'),
	('op', 16, 'read', 'read an object of ours; changes nothing'),
	('op', 17, 'hooks', 'where our notifications go, asked or said by who gets them'),
	('state', 0, 'new', 'nothing is written yet'),
	('state', 1, 'resolving', 'we ask what stands behind a merchant code'),
	('state', 2, 'open', 'resolved; the payer has not confirmed'),
	('state', 3, 'debiting', 'the issuer is asked to debit'),
	('state', 4, 'pending', 'somebody is to act, usually the payer'),
	('state', 5, 'in-doubt', 'we do not know what became of it, and ask'),
	('state', 6, 'capturing', 'approved; the money is being taken'),
	('state', 7, 'telling', 'taken; the acquirer''s side is being told'),
	('state', 8, 'undoing', 'being cancelled or given back until certain'),
	('state', 9, 'stuck', 'on the exception list'),
	('state', 10, 'refunding', 'paid, and a refund is on its way'),
	('state', 11, 'crediting', 'a pay-out: the wallet is asked to credit'),
	('state', 257, 'paid', 'paid for good'),
	('state', 258, 'declined', 'refused; nothing moved'),
	('state', 259, 'cancelled', 'cancelled by the merchant''s side; nothing is owed'),
	('state', 260, 'expired', 'nobody acted in time; nothing moved'),
	('state', 261, 'partly-refunded', 'paid, part of it returned'),
	('state', 262, 'refunded', 'paid and returned in full'),
	('state', 263, 'undone', 'undone by us since no answer was to be had; nothing is owed'),
	('state', 264, 'written-off', 'closed by a person with a reason'),
	('state', 265, 'taken', 'an order that a payment has taken; that payment tells the rest');
select ledger.guard('ledger.word');

-- Our ids as partners see them, back; null where it is none.
create function ledger.id_from(id text) returns uuid
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
	select case when id ~ '^[0-7][0-9a-hjkmnp-tv-z]{25}$' then (
		select lpad(string_agg(to_hex(substring(b from 4 * n + 3 for 4)::int), '' order by n), 32, '0')::uuid
		from (select string_agg((position(substr(id, i, 1) in '0123456789abcdefghjkmnpqrstvwxyz') - 1)::bit(5)::text, ''
			order by i)::varbit as b from generate_series(1, 26) i) v, generate_series(0, 31) n) end
$$;

-- Every step of every payment, as it was committed.
create view audit.journal as
	select ledger.id_text(s.payment) as payment, s.version, s.at, e.word as event, o.word as op,
		w.word as state, s.state & 256 <> 0 as final, a.name as acquirer, i.name as issuer,
		case s.mode when 'M' then 'merchant-presented' when 'C' then 'consumer-presented'
			when 'O' then 'pay-out' else s.mode::text end as mode,
		s.amount, s.currency, s.reply_status as answered, encode(sha256(s.record), 'hex') as record_sha256,
		encode(sha256(s.evidence), 'hex') as evidence_sha256, s.payment as id
	from ledger.step s
	left join ledger.word e on e.list = 'event' and e.number = s.kind
	left join ledger.word o on o.list = 'op' and o.number = s.op
	left join ledger.word w on w.list = 'state' and w.number = s.state
	left join ledger.participant a on a.number = s.acquirer
	left join ledger.participant i on i.number = s.issuer;

-- Every line of the books. Amounts in minor units; plus: the account owes us more.
create view audit.posting as
	select ledger.id_text(e.payment) as payment, e.version, e.line, k.name as class, a.agreement,
		a.name as account_name, e.account, e.currency,
		case e.kind when 1 then 'reserve' when 2 then 'release' else 'post' end as kind, e.amount,
		e.payment as id
	from ledger.entry e
	join ledger.account a on a.number = e.account
	join ledger.account_class k on k.class = a.class;

-- What each participant's position is now, and what may be owed on it.
create view audit.position as
	select a.number as account, p.name as participant, a.agreement, a.currency, t.posted, t.reserved,
		t.cap, t.stopped, c.at as cap_set_at, c.operator as cap_set_by, c.reason as cap_reason
	from ledger.account a
	join ledger.account_total t on t.account = a.number
	left join ledger.participant p on p.number = a.agreement
	left join lateral (select at, operator, reason from ledger.account_cap h where h.account = a.number
		order by at desc limit 1) c on true
	where a.class = 1;

-- Fees that were accrued, by payment; minus is ours.
create view audit.fee as
	select ledger.id_text(e.payment) as payment, e.version, s.at, a.name as account_name, e.currency,
		e.amount, e.payment as id
	from ledger.entry e join ledger.step s using (payment, version)
	join ledger.account a on a.number = e.account
	where a.class = 3 and e.kind = 3;

create view audit.exception as
	select i.id, ledger.id_text(i.payment) as payment, i.version, k.sentence as kind, i.opened_at,
		i.detail, c.at as closed_at, c.operator as closed_by, c.reason
	from ledger.exception_item i
	left join ledger.exception_kind k on k.kind = i.kind
	left join ledger.exception_close c on c.item = i.id;

create view audit.operator_action as
	select id, at, operator, action, object, reason, detail from ledger.operator_action;

create view audit.checkpoint as select size, at, note from ledger.checkpoint;

-- Everything of one payment in the order in which it happened: steps, lines, messages that decided,
-- results that were acknowledged, exception items, what people decided. `payment` as partners see it.
create function audit.trail(payment text)
returns table (at timestamptz, version int, n bigint, what text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	with it as (select ledger.id_from(payment) as id)
	select j.at, j.version, -1, 'step', concat_ws(' ', j.event, j.op, '->', j.state, 'answered ' || j.answered,
		'evidence ' || j.evidence_sha256)
	from audit.journal j, it where j.id = it.id
	union all
	select s.at, p.version, p.line, 'line', concat_ws(' ', p.kind, p.amount, p.currency, p.account_name)
	from audit.posting p join it on p.id = it.id
	join ledger.step s on s.payment = it.id and s.version = p.version
	union all
	select s.at, r.version, 100 + r.n, 'message', concat_ws(' ', case r.direction when 'i' then 'from' else 'to' end,
		a.name, split_part(convert_from(r.head, 'UTF8'), E'\n', 1), 'sealed ' || encode(sha256(r.body), 'hex'))
	from ledger.raw r join it on r.payment = it.id
	join ledger.step s on s.payment = it.id and s.version = r.version
	left join ledger.participant a on a.number = r.peer
	union all
	select d.at, null, 200, 'told', concat_ws(' ', a.name, 'in', d.attempts, 'attempts')
	from ledger.delivery d join it on d.payment = it.id left join ledger.participant a on a.number = d.peer
	union all
	select e.opened_at, e.version, 300, 'exception', concat_ws(': ', e.kind, nullif(e.detail, ''))
	from audit.exception e, it where e.payment = ledger.id_text(it.id)
	union all
	select o.at, null, 400 + o.id, 'decided', concat_ws(' ', o.operator, o.action || ':', o.reason)
	from ledger.operator_action o, it where o.object = it.id::text
	order by 1, 2 nulls last, 3
$$;

-- Every account's sum at a moment; posted is zero over all accounts of a currency. Months that were taken
-- out have sums and no moments: a moment before the last of them has no answer.
create function audit.trial_balance(at timestamptz default 'infinity')
returns table (account int, class text, agreement int, currency text, account_name text, posted numeric,
	reserved numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if at < (select max(ledger.id_time(d.kept_from)) from ledger.detached d where d.name like 'entry%') then
		raise exception 'months up to then were taken out of the ledger' using errcode = '22023';
	end if;
	return query
	with sums as (
		select e.account as a, sum(e.amount) filter (where e.kind = 3) as posted,
			sum(e.amount) filter (where e.kind <> 3) as reserved
		from ledger.entry e where at = 'infinity' group by 1
		union all
		select e.account, sum(e.amount) filter (where e.kind = 3), sum(e.amount) filter (where e.kind <> 3)
		from ledger.entry e join ledger.step s using (payment, version)
		where at <> 'infinity' and s.at <= at and e.payment < ledger.id_floor(at + interval '1 minute') group by 1
		union all
		select o.account, o.posted, o.reserved from ledger.account_opening o
	)
	select a.number, k.name, a.agreement, a.currency::text, a.name, sum(coalesce(t.posted, 0)),
		sum(coalesce(t.reserved, 0))
	from sums t join ledger.account a on a.number = t.a join ledger.account_class k on k.class = a.class
	group by 1, 2, 3, 4, 5, a.class order by 4, a.class, 3;
end
$$;

-- The lines of an account from one moment to another, with what it came to after each. Reservations are
-- not money and not here.
create function audit.statement(account int, since timestamptz, until timestamptz)
returns table (at timestamptz, payment text, version int, line smallint, amount bigint, balance numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	with lines as (
		select s.at, e.payment, e.version, e.line, e.amount,
			sum(e.amount) over (order by s.at, e.payment, e.version, e.line)
			+ (select coalesce(sum(o.posted), 0) from ledger.account_opening o where o.account = $1) as balance
		from ledger.entry e join ledger.step s using (payment, version)
		where e.account = $1 and e.kind = 3 and e.payment < ledger.id_floor($3 + interval '1 minute')
		and s.at < $3
	)
	select l.at, ledger.id_text(l.payment), l.version, l.line, l.amount, l.balance from lines l where l.at >= $2
	order by l.at, l.payment, l.version, l.line
$$;

revoke all on all tables in schema audit from public;
revoke all on all functions in schema audit from public;
revoke all on function ledger.id_from from public;
grant usage on schema audit to auditor, auditor_ro, recon;
grant select on all tables in schema audit to auditor, auditor_ro, recon;
grant execute on all functions in schema audit to auditor, auditor_ro, recon;
grant select on ledger.word to switch_rw, sealer, recon, auditor_ro, console_ro;
grant execute on function ledger.id_text to auditor;
grant execute on function ledger.id_from to recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (30);
reset role;
