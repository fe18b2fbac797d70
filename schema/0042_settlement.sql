-- Settlement: the net of an agreement's closed windows, instructed by us or expected from them, and the
-- money that came or went for it, booked from or to our bank. Two people for either.
set role ledger_owner;

create table ledger.settlement (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	agreement int not null,
	currency char(3) collate "C" not null,
	first date not null,		-- windows from this one
	through date not null,		-- to that one, both included
	terms text not null check (terms in ('by_us', 'by_peer')),
	amount bigint not null,		-- + they pay us, - we pay them
	operator text not null,
	unique (agreement, currency, first),
	unique (agreement, currency, through),
	check (first <= through)
);
create index settlement_xact on ledger.settlement (xact);

insert into ledger.exception_kind values
	(27, 'a settlement came to another amount'),
	(28, 'a window has closed with the position beyond its cap');
select ledger.guard('ledger.settlement');

-- A window that leaves somebody beyond its cap says so, whoever closes it; of several at once, the last.
create function ledger.window_cap() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into ledger.exception_item (kind, detail)
		select 28, format('%s: %s of %s minor units after the window of %s', a.name, t.posted + t.reserved, t.cap,
			f.day)
		from (select agreement, currency, max(day) as day from fresh group by 1, 2) f
		join ledger.account a on a.class = 1 and a.agreement = f.agreement and a.currency = f.currency
		join ledger.account_total t on t.account = a.number
		where t.posted + t.reserved > t.cap;
	return null;
end
$$;
create trigger window_cap after insert on ledger.clearing_window referencing new table as fresh
	for each statement execute function ledger.window_cap();
alter table ledger.clearing_window enable always trigger window_cap;

-- The windows that are closed and not settled, through that day, as one amount. Null: there are none.
create function ledger.settlement_open(agreement int, currency text, through date, terms text, operator text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n record;
	id bigint;
begin
	if operator !~ '\S' or octet_length(operator) > 64 then
		raise exception 'a name' using errcode = '23514';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.settlement'));
	select min(w.day) as first, max(w.day) as last, coalesce(sum(w.gross + w.fees), 0)::bigint as amount into n
		from ledger.clearing_window w
		where w.agreement = agreement and w.currency = currency and w.day <= through
		and w.day > coalesce((select max(s.through) from ledger.settlement s
			where s.agreement = agreement and s.currency = currency), '-infinity');
	if n.first is null then
		return null;
	end if;
	insert into ledger.settlement (agreement, currency, first, through, terms, amount, operator)
		values (agreement, currency, n.first, n.last, terms, n.amount, operator)
		returning settlement.id into id;
	return id;
end
$$;

-- The instruction of what we pay: 'proposed', 'instructed', or why not. Instructed once.
create function ledger.settlement_instruct(settlement bigint, operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	s ledger.settlement;
	n bigint;
begin
	select * into s from ledger.settlement t where t.id = settlement;
	if s.id is null then
		return 'there is no such settlement';
	end if;
	if s.terms <> 'by_us' or s.amount >= 0 then
		return 'that is not ours to pay';
	end if;
	if exists (select from ledger.proposal p join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement instruct' and p.object = settlement::text) then
		return 'instructed';
	end if;
	n := ledger.four_eyes('settlement instruct', settlement::text, s.amount, s.currency, operator, reason);
	if n is null then
		return 'proposed';
	end if;
	insert into ledger.approval (proposal, operator, reason) values (n, operator, reason);
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'settlement instruct', settlement::text, reason, format('by %s', session_user));
	return 'instructed';
end
$$;

-- What the bank says came (+) or went (-) for it: 'proposed', 'confirmed', or why not. What differs from
-- the settlement stays on the position, and is an exception item.
create function ledger.settlement_confirm(settlement bigint, amount bigint, reference text, operator text, reason text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	s ledger.settlement;
	n bigint;
	position int;
	bank int;
	peer smallint;
	id uuid;
begin
	select * into s from ledger.settlement t where t.id = settlement;
	if s.id is null then
		return 'there is no such settlement';
	end if;
	if exists (select from ledger.settlement_state t where t.id = settlement and t.state = 'confirmed') then
		return 'it is confirmed';
	end if;
	if amount = 0 or sign(amount) <> sign(s.amount) then
		return 'that is another direction';
	end if;
	if s.terms = 'by_us' and s.amount < 0 and not exists (select from ledger.settlement_state t
		where t.id = settlement and t.state = 'instructed') then
		return 'it was not instructed';
	end if;
	if reference !~ '^[!-~]{1,64}$' then
		return 'a reference of 1 to 64 visible characters';
	end if;
	select a.number, p.number into position, peer from ledger.account a
		left join ledger.participant p on p.number = a.agreement
		where a.class = 1 and a.agreement = s.agreement and a.currency = s.currency;
	select a.number into bank from ledger.account a
		where a.class = 5 and a.agreement = 0 and a.currency = s.currency;
	if position is null or bank is null then
		return 'there is no such position';
	end if;
	n := ledger.four_eyes('settlement confirm', format('%s %s', settlement, reference), amount, s.currency, operator,
		reason);
	if n is null then
		return 'proposed';
	end if;
	id := ledger.book_by_hand('s', peer, bank, position, amount, s.currency);
	insert into ledger.approval (proposal, operator, reason, payment) values (n, operator, reason, id);
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'settlement confirm', settlement::text, reason,
		format('%s %s minor units, reference %s, by %s', amount, s.currency, reference, session_user));
	if amount <> s.amount then
		insert into ledger.exception_item (payment, version, kind, detail) values (id, 1, 27,
			format('settlement %s: %s of %s minor units', settlement, amount, s.amount));
	end if;
	return 'confirmed';
end
$$;

-- Where each stands; a settlement of nothing is settled.
create view ledger.settlement_state with (security_invoker = true) as
	select s.*, case when c.payment is not null or s.amount = 0 then 'confirmed' when i.at is not null then 'instructed'
		when s.terms = 'by_us' and s.amount < 0 then 'to instruct' else 'expected' end as state,
		i.at as instructed_at, i.operator as instructed_by, c.payment, c.amount as booked, c.at as confirmed_at,
		c.operator as confirmed_by
	from ledger.settlement s
	left join lateral (select a.at, a.operator from ledger.proposal p join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement instruct' and p.object = s.id::text) i on true
	left join lateral (select a.at, a.operator, a.payment, p.amount from ledger.proposal p
		join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement confirm' and split_part(p.object, ' ', 1) = s.id::text limit 1) c on true;

create view audit.settlement as
	select t.id, p.name as participant, t.currency, t.first, t.through, t.terms, t.amount, t.state, t.instructed_at,
		t.instructed_by, ledger.id_text(t.payment) as payment, t.booked, t.confirmed_at, t.confirmed_by
	from ledger.settlement_state t left join ledger.participant p on p.number = t.agreement;

revoke all on audit.settlement, ledger.settlement_state from public;
revoke all on function ledger.settlement_open, ledger.settlement_instruct, ledger.settlement_confirm,
	ledger.window_cap from public;
grant execute on function ledger.settlement_open, ledger.settlement_instruct, ledger.settlement_confirm
	to operator_rw;
grant select on ledger.settlement to operator_rw, switch_rw, sealer, recon, auditor_ro, console_ro;
grant select on ledger.settlement_state to operator_rw, sealer, recon, auditor_ro, console_ro;
grant select on audit.settlement to auditor, auditor_ro, recon;

insert into ledger.schema_info (version) values (42);
reset role;
