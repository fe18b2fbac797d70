-- Months. A payment's rows live in the month in which its id was made, whenever they are written.
set role ledger_owner;

-- The smallest payment id of an instant: 48 bits of milliseconds lead it.
create function ledger.id_floor(at timestamptz) returns uuid
language sql immutable strict parallel safe as $$
	select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
create function ledger.id_time(id uuid) returns timestamptz
language sql immutable strict parallel safe as $$
	select to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint
		/ 1000.0)
$$;

create function ledger.refuse() returns trigger
language plpgsql as $$
begin
	raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '42501';
end
$$;

-- Postings of a payment's step sum to zero in every currency. By statement with the transition
-- table: by row it costs three times as much.
create function ledger.zero_sum() returns trigger
language plpgsql as $$
begin
	if exists (select from fresh group by payment, version, currency
		having sum(amount) filter (where kind = 3) <> 0 or not bool_and(
			case kind when 1 then amount > 0 when 2 then amount < 0 else kind = 3 end)) then
		raise exception 'postings do not sum to zero, or a line is not of its kind'
			using errcode = '23514';
	end if;
	return null;
end
$$;

-- Everything that a table or partition needs in order to be append-only. Statement triggers of a
-- partitioned table do not fire for its partitions, so each has its own.
create function ledger.guard(t regclass, parent regclass default null) returns void
language plpgsql as $$
begin
	if parent is null then	-- row triggers are inherited
		execute format('create trigger no_change before update or delete on %s for each row '
			'execute function ledger.refuse()', t);
		execute format('alter table %s enable always trigger no_change', t);
	end if;
	execute format('create trigger no_truncate before truncate on %s for each statement '
		'execute function ledger.refuse()', t);
	execute format('alter table %s enable always trigger no_truncate', t);
	if 'ledger.entry'::regclass in (t, parent) then
		execute format('create trigger zero_sum after insert on %s referencing new table as fresh '
			'for each statement execute function ledger.zero_sum()', t);
		execute format('alter table %s enable always trigger zero_sum', t);
	end if;
end
$$;

-- Creates what is missing from last month to `ahead` months from now; returns how many tables. Called
-- by migrations and by the clerk every day. Attaching, unlike creating in place, does not lock the
-- parent against payments. Rows stay whole in their page: what is big in them is packed already.
create function ledger.partitions_make(ahead int default 3) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
set lock_timeout = '5s' as $$
declare
	m timestamp;
	t text;
	name text;
	made int := 0;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.partitions_make'));
	for m in select generate_series(date_trunc('month', now() at time zone 'UTC') - interval '1 month',
		date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead),
		interval '1 month') loop
		foreach t in array array['step', 'entry', 'raw'] loop
			name := format('ledger.%s_%s', t, to_char(m, 'YYYYMM'));
			continue when to_regclass(name) is not null;
			execute format('create table %s (like ledger.%s including all)', name, t);
			if t <> 'entry' then
				execute format('alter table %s set (toast_tuple_target = %s)', name,
					case t when 'raw' then 512 else 8160 end);
			end if;
			perform ledger.guard(name::regclass, format('ledger.%s', t)::regclass);
			execute format('alter table ledger.%s attach partition %s for values from (%L) to (%L)',
				t, name, ledger.id_floor(m at time zone 'UTC'),
				ledger.id_floor((m + interval '1 month') at time zone 'UTC'));
			made := made + 1;
		end loop;
	end loop;
	return made;
end
$$;

-- Takes whole months of one table out of the books, sums carried over. The tables stay, detached, for
-- the archive. Refused inside the longest refund window; raw messages have their own retention.
create function ledger.partitions_detach(t text, before date) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	p record;
	gone int := 0;
begin
	if t not in ('step', 'entry', 'raw') then
		raise exception 'no such partitioned table: %', t;
	end if;
	if t <> 'raw' and before > now() - interval '13 months' then
		raise exception 'payments can still be refunded for 13 months';
	end if;
	for p in select c.relname, to_date(right(c.relname, 6), 'YYYYMM') as month
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = format('ledger.%s', t)::regclass and c.relname ~ '_[0-9]{6}$'
		and to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= before
		order by 1 loop
		if t = 'entry' then
			execute format('insert into ledger.account_opening select account, %L, '
				'coalesce(sum(amount) filter (where kind = 3), 0), '
				'coalesce(sum(amount) filter (where kind <> 3), 0) from ledger.%I group by 1',
				p.month, p.relname);
		end if;
		execute format('alter table ledger.%I detach partition ledger.%I', t, p.relname);
		insert into ledger.detached (name, kept_from) values (p.relname,
			ledger.id_floor((p.month + interval '1 month') at time zone 'UTC'));
		gone := gone + 1;
	end loop;
	return gone;
end
$$;

do $$
declare
	t text;
begin
	foreach t in array array['step', 'entry', 'raw'] loop
		perform ledger.guard(format('ledger.%s', t)::regclass);
		execute format('create table ledger.%s_default partition of ledger.%s default', t, t);
		perform ledger.guard(format('ledger.%s_default', t)::regclass, format('ledger.%s', t)::regclass);
	end loop;
	foreach t in array array['participant', 'claim', 'account', 'account_class', 'account_cap',
		'account_opening', 'detached', 'delivery', 'exception_item', 'exception_close',
		'operator_action', 'schema_info'] loop
		perform ledger.guard(format('ledger.%s', t)::regclass);
	end loop;
end
$$;
alter table ledger.step alter record set storage external, alter evidence set storage external,
	alter reply set storage external;
alter table ledger.raw alter head set storage main, alter body set storage main;
select ledger.partitions_make();

insert into ledger.schema_info (version) values (3);
reset role;
