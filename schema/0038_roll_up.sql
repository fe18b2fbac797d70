-- What auditors ask of a ledger that has grown: sums of accounts over stretches of the log, so that a balance
-- of any moment reads a stretch or two and not everything; and indexes by which a payment's trail is found.
set role ledger_owner;

create index delivery_payment on ledger.delivery (payment);
create index operator_action_object on ledger.operator_action (object);

-- A stretch of the log, and of the steps in it when the first and the last happened: they are in the order of
-- their transactions, not of their times. Caches, which verify sums up anew; but what is in them never changes.
create table ledger.roll_up (
	leaves bigint primary key,	-- the log's size where it ends
	since xid8 not null,		-- its transactions
	until xid8 not null,
	first_at timestamptz,		-- null: no step is in it
	last_at timestamptz,
	lines bigint not null		-- of the books
);
create table ledger.roll_up_sum (
	leaves bigint not null,
	account int not null,
	posted numeric not null,
	reserved numeric not null,
	primary key (leaves, account)
);
create index roll_up_sum_account on ledger.roll_up_sum (account, leaves);
select ledger.guard('ledger.roll_up'), ledger.guard('ledger.roll_up_sum');

-- The next stretch, where the log has grown by that many leaves; false: it has not. It ends where a block does.
create function ledger.roll_up_make(most int) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	last ledger.roll_up;
	next ledger.roll_up;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.roll_up_make'));
	select * into last from ledger.roll_up order by leaves desc limit 1;
	select b.first into next.leaves from ledger.block b where b.first >= coalesce(last.leaves, 0) + most
		order by b.first limit 1;
	if next.leaves is null then
		return false;
	end if;
	next.since := coalesce(last.until, '0');
	select b.upto into next.until from ledger.block b where b.first < next.leaves order by b.first desc limit 1;
	with sums as (
		select e.account, sum(e.amount) filter (where e.kind = 3) as posted,
			sum(e.amount) filter (where e.kind <> 3) as reserved, count(*) as lines
		from ledger.step s join ledger.entry e using (payment, version)
		where s.xact >= next.since and s.xact < next.until group by e.account
	), put as (
		insert into ledger.roll_up_sum (leaves, account, posted, reserved)
			select next.leaves, account, coalesce(posted, 0), coalesce(reserved, 0) from sums
	)
	insert into ledger.roll_up (leaves, since, until, first_at, last_at, lines)
		select next.leaves, next.since, next.until, min(s.at), max(s.at),
			(select coalesce(sum(lines), 0) from sums)
		from ledger.step s where s.xact >= next.since and s.xact < next.until;
	return true;
end
$$;

-- Every account's sums at a moment: whole stretches, and one by one the steps of those that hold earlier and
-- later ones. Months that were taken out are in the stretches; until these reach beyond the last refund that
-- such a month can have seen, all is summed up from the rows and from what the months carried over. A moment
-- inside a stretch from which rows were taken out has no answer.
create function ledger.sums_at(at timestamptz) returns table (account int, posted numeric, reserved numeric)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
	moment constant timestamptz := at;
	last ledger.roll_up;
	out_to constant timestamptz := (select max(ledger.id_time(d.kept_from)) from ledger.detached d
		where d.name like 'entry%');
	r record;
	found bigint;
begin
	if moment < out_to then
		raise exception 'months up to then were taken out of the ledger' using errcode = '22023';
	end if;
	select * into last from ledger.roll_up order by leaves desc limit 1;
	if last.last_at < out_to + interval '13 months' or last.leaves is null then
		last := null;
		return query select o.account, sum(o.posted), sum(o.reserved) from ledger.account_opening o group by 1;
	end if;
	return query select s.account, sum(s.posted), sum(s.reserved) from ledger.roll_up u
		join ledger.roll_up_sum s using (leaves)
		where u.leaves <= last.leaves and (u.last_at <= moment or u.last_at is null) group by 1;
	for r in select u.since, u.until, u.lines from ledger.roll_up u
		where u.leaves <= last.leaves and u.first_at <= moment and u.last_at > moment
		union all select coalesce(last.until, '0'), '18446744073709551615', null loop
		if out_to is not null and r.lines is not null then
			select count(*) into found from ledger.step s join ledger.entry e using (payment, version)
				where s.xact >= r.since and s.xact < r.until;
			if found <> r.lines then
				raise exception 'rows of then were taken out of the ledger' using errcode = '22023';
			end if;
		end if;
		return query select e.account, coalesce(sum(e.amount) filter (where e.kind = 3), 0),
			coalesce(sum(e.amount) filter (where e.kind <> 3), 0)
			from ledger.step s join ledger.entry e using (payment, version)
			where s.xact >= r.since and s.xact < r.until and s.at <= moment group by 1;
	end loop;
end
$$;

create or replace function audit.trial_balance(at timestamptz default 'infinity')
returns table (account int, class text, agreement int, currency text, account_name text, posted numeric,
	reserved numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select a.number, k.name, a.agreement, a.currency::text, a.name, sum(t.posted), sum(t.reserved)
	from ledger.sums_at($1) t join ledger.account a on a.number = t.account
	join ledger.account_class k on k.class = a.class
	group by 1, 2, 3, 4, 5, a.class order by 4, a.class, 3
$$;

-- The lines of an account from one moment to another, with what it came to after each. Reservations are
-- not money and not here.
create or replace function audit.statement(account int, since timestamptz, until timestamptz)
returns table (at timestamptz, payment text, version int, line smallint, amount bigint, balance numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
	mine constant int := account;
	since_at constant timestamptz := since;
	until_at constant timestamptz := until;
	opening constant numeric := coalesce((select sum(s.posted)
		from ledger.sums_at(since_at - interval '1 microsecond') s where s.account = mine), 0);
	from_xact xid8 := coalesce((select u.since from ledger.roll_up u where u.last_at >= since_at
		order by u.leaves limit 1), (select u.until from ledger.roll_up u order by u.leaves desc limit 1), '0');
	to_xact xid8 := coalesce((select u.since from ledger.roll_up u where u.leaves > coalesce((select max(w.leaves)
		from ledger.roll_up w where w.first_at < until_at), 0) order by u.leaves limit 1), '18446744073709551615');
begin
	return query
	select s.at, ledger.id_text(e.payment), e.version, e.line, e.amount,
		opening + sum(e.amount) over (order by s.at, e.payment, e.version, e.line)
	from ledger.step s join ledger.entry e using (payment, version)
	where e.account = mine and e.kind = 3 and s.xact >= from_xact and s.xact < to_xact
	and s.at >= since_at and s.at < until_at
	order by s.at, e.payment, e.version, e.line;
end
$$;

-- As before, but by keys alone.
create or replace function audit.trail(payment text)
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
	select i.opened_at, i.version, 300, 'exception', concat_ws(': ', k.sentence, nullif(i.detail, ''))
	from ledger.exception_item i join it on i.payment = it.id left join ledger.exception_kind k on k.kind = i.kind
	union all
	select o.at, null, 400 + o.id, 'decided', concat_ws(' ', o.operator, o.action || ':', o.reason)
	from ledger.operator_action o join it on o.object = it.id::text
	order by 1, 2 nulls last, 3
$$;

revoke all on ledger.roll_up, ledger.roll_up_sum from public;
revoke all on function ledger.roll_up_make, ledger.sums_at from public;
grant execute on function ledger.roll_up_make to sealer;
grant select on ledger.roll_up, ledger.roll_up_sum to sealer, recon, auditor_ro;

insert into ledger.schema_info (version) values (38);
reset role;
