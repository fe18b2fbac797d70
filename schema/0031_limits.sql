-- Limits for a day, and a kind of exception. What a participant's payments take of a day is an account
-- like others, guarded like a position: a reservation that stays once money has moved. Each day has an
-- account of its own, made by the first payment that needs it, so that nothing has to be reset.
set role ledger_owner;

-- Its number is 1 << 30 | participant << 15 | days since 1970 in the participant's zone (core/snapshot.h);
-- `agreement` holds the participant.
alter table ledger.account drop constraint account_check, drop constraint account_class_check;
alter table ledger.account add constraint account_class_check check (class between 1 and 8),
	add constraint account_check check (case when class = 8
		then number >> 30 = 1 and (number >> 15 & 32767) = agreement
		else number = (class::int << 26) + (agreement << 10) + ccy end);
insert into ledger.account_class values (8, 'day');
insert into ledger.exception_kind values (7, 'a partner''s quote fits its own amounts in no direction');

-- The limit that days to come get.
create table ledger.day_limit (
	participant smallint primary key references ledger.participant,
	ccy smallint not null,
	currency char(3) collate "C" not null,
	most bigint		-- null: none
);

-- The accounts of the coming days, and of yesterday, which may still be today somewhere. Idempotent; the
-- start and the clerk call it, long before the days begin.
create function ledger.days_open(ahead int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	today constant int := extract(epoch from clock_timestamp())::bigint / 86400;
	d record;
	made int := 0;
begin
	for d in select l.*, (1 << 30) + (l.participant::int << 15) + g as number,
		date '1970-01-01' + g as day
		from ledger.day_limit l, generate_series(today - 1, today + ahead) g
		where l.most is not null
		and not exists (select from ledger.account_total t
			where t.account = (1 << 30) + (l.participant::int << 15) + g) loop
		insert into ledger.account (number, class, agreement, ccy, currency, name)
			values (d.number, 8, d.participant, d.ccy, d.currency,
			format('%s of participant %s', d.day, d.participant)) on conflict do nothing;
		insert into ledger.account_total (account, cap) values (d.number, d.most)
			on conflict do nothing;
		if found then
			insert into ledger.account_cap (account, cap, stopped, operator, reason)
				values (d.number, d.most, false, 'configuration', 'a day to come');
			made := made + 1;
		end if;
	end loop;
	return made;
end
$$;

-- Days that have begun follow a new limit, too. False: nothing changed.
create function ledger.day_limit_set(participant smallint, ccy smallint, currency text, most bigint,
	operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	today constant int := extract(epoch from clock_timestamp())::bigint / 86400;
	d record;
begin
	insert into ledger.day_limit as l (participant, ccy, currency, most)
		values (participant, ccy, currency, most)
		on conflict on constraint day_limit_pkey do update
		set ccy = excluded.ccy, currency = excluded.currency, most = excluded.most
		where (l.ccy, l.most) is distinct from (excluded.ccy, excluded.most);
	if not found then
		return false;
	end if;
	for d in select a.number from ledger.account a where a.class = 8 and a.agreement = participant
		and a.number & 32767 >= today - 1 loop
		perform ledger.cap_set(d.number, most, false, operator, reason);
	end loop;
	return true;
end
$$;

-- What was taken of the days that have begun.
create view ledger.day_used with (security_invoker = true) as
	select p.name as participant, date '1970-01-01' + (a.number & 32767) as day, a.currency,
		t.reserved as used, t.cap as most
	from ledger.account a
	join ledger.account_total t on t.account = a.number
	join ledger.participant p on p.number = a.agreement
	where a.class = 8;

-- Balances are of money; a day is a count.
create or replace view ledger.balance with (security_invoker = true) as
	select a.number as account, k.name as class, a.agreement, a.currency, a.name, t.posted, t.reserved,
		t.cap, t.stopped
	from ledger.account a
	join ledger.account_class k on k.class = a.class
	join ledger.account_total t on t.account = a.number
	where a.class <> 8;

revoke all on ledger.day_limit, ledger.day_used from public;
revoke all on function ledger.days_open, ledger.day_limit_set from public;
grant execute on function ledger.days_open, ledger.day_limit_set to switch_rw;
grant select on ledger.day_limit, ledger.day_used to switch_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (31);
reset role;
