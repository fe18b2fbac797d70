-- The registry: merchants and their stores, each with the token that its printed code carries, and what
-- each scheme says of them. A row is a version of one place where people pay; the latest one counts, and
-- none is ever edited. Put down by people, read by the payment path.
set role ledger_owner;

create table ledger.merchant (
	token text collate "C" not null check (token ~ '^[0-9a-z]{12}$'),
	version int not null check (version > 0),
	at timestamptz not null default clock_timestamp(),
	acquirer smallint not null references ledger.participant (number),
	id text not null check (id ~ '^[A-Za-z0-9._:-]{1,64}$'),	-- the acquirer's own
	store text not null check (store ~ '^[A-Za-z0-9._:-]{0,64}$'),	-- the acquirer's own; '': it has none
	name text not null check (name ~ '^[^[:cntrl:]]{1,128}$' and name ~ '\S'),
	store_name text not null check (store_name ~ '^[^[:cntrl:]]{0,128}$'),
	mcc text not null check (mcc ~ '^[0-9]{4}$'),
	country text not null check (country ~ '^[A-Z]{2}$'),
	city text not null check (city ~ '^[^[:cntrl:]]{1,32}$'),
	address text not null check (address ~ '^[^[:cntrl:]]{0,128}$'),
	currency text not null check (currency ~ '^[A-Z]{3}$'),
	active bool not null,
	primary key (token, version)
);
create unique index merchant_once on ledger.merchant (acquirer, id, store) where version = 1;

-- What a scheme says of it; a scheme that asks for no registration has no row.
create table ledger.merchant_scheme (
	token text collate "C" not null,
	scheme text not null check (scheme ~ '^[a-z0-9-]{1,32}$'),
	version int not null check (version > 0),
	at timestamptz not null default clock_timestamp(),
	state text not null check (state in ('asked', 'registered', 'refused', 'withdrawn')),
	detail text not null check (octet_length(detail) <= 256),
	primary key (token, scheme, version)
);
select ledger.guard('ledger.merchant'), ledger.guard('ledger.merchant_scheme');

create view ledger.merchant_now with (security_invoker = true) as
	select distinct on (m.token) m.*, p.name as acquirer_name
	from ledger.merchant m join ledger.participant p on p.number = m.acquirer
	order by m.token, m.version desc;
create view ledger.merchant_scheme_now with (security_invoker = true) as
	select distinct on (token, scheme) * from ledger.merchant_scheme
	order by token, scheme, version desc;

create function ledger.merchant_wrote(action text, token text, operator text, reason text) returns void
language plpgsql as $$
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, action, token, reason, format('by %s', session_user));
end
$$;

-- The token of the new one. It is random, so that a code tells nothing of how many there are; it is no
-- secret, since it is printed.
create function ledger.merchant_add(acquirer text, id text, store text, name text, store_name text,
	mcc text, country text, city text, address text, currency text, operator text, reason text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	peer smallint := (select p.number from ledger.participant p where p.name = acquirer);
	token text := right(ledger.id_text(gen_random_uuid()), 12);	-- 60 bits, all of them random
begin
	if peer is null then
		raise exception 'there is no participant "%"', acquirer using errcode = '22023';
	end if;
	begin
		insert into ledger.merchant as m (token, version, acquirer, id, store, name, store_name, mcc,
			country, city, address, currency, active)
			values (token, 1, peer, id, store, name, store_name, mcc, country, city, address,
			currency, true);
	exception when unique_violation then
		raise exception '% of % is registered already', trim(id || ' ' || store), acquirer
			using errcode = '23505';
	end;
	perform ledger.merchant_wrote('merchant add', token, operator, reason);
	return token;
end
$$;

-- What is null stays as it was. False where there is none of that token.
create function ledger.merchant_change(token text, name text, store_name text, mcc text, city text,
	address text, active bool, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	old ledger.merchant;
begin
	select * into old from ledger.merchant m where m.token = token order by m.version desc limit 1;
	if not found then
		return false;
	end if;
	insert into ledger.merchant (token, version, acquirer, id, store, name, store_name, mcc, country, city,
		address, currency, active)
		values (token, old.version + 1, old.acquirer, old.id, old.store, coalesce(name, old.name),
		coalesce(store_name, old.store_name), coalesce(mcc, old.mcc), old.country,
		coalesce(city, old.city), coalesce(address, old.address), old.currency,
		coalesce(active, old.active));
	perform ledger.merchant_wrote('merchant change', token, operator, reason);
	return true;
end
$$;

create function ledger.merchant_scheme_set(token text, scheme text, state text, detail text, operator text,
	reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if not exists (select from ledger.merchant m where m.token = token) then
		return false;
	end if;
	insert into ledger.merchant_scheme (token, scheme, version, state, detail)
		select token, scheme, coalesce(max(s.version), 0) + 1, state, detail
		from ledger.merchant_scheme s where s.token = token and s.scheme = scheme;
	perform ledger.merchant_wrote('merchant scheme', token, operator, reason);
	return true;
end
$$;

revoke all on function ledger.merchant_wrote, ledger.merchant_add, ledger.merchant_change,
	ledger.merchant_scheme_set from public;
grant execute on function ledger.merchant_add, ledger.merchant_change, ledger.merchant_scheme_set
	to operator_rw;
grant select on ledger.participant to operator_rw;
grant select on ledger.merchant, ledger.merchant_scheme, ledger.merchant_now, ledger.merchant_scheme_now
	to switch_rw, operator_rw, sealer, recon, auditor_ro, console_ro;

-- A console sees the merchants of whom it looks for (L-10).
alter table ledger.merchant enable row level security, force row level security;
alter table ledger.merchant_scheme enable row level security, force row level security;
create policy whole on ledger.merchant to ledger_owner, switch_rw, operator_rw, sealer, recon, auditor_ro
	using (true) with check (true);
create policy whole on ledger.merchant_scheme to ledger_owner, switch_rw, operator_rw, sealer, recon,
	auditor_ro using (true) with check (true);
create policy own on ledger.merchant for select to console_ro
	using (current_setting('xw.partner', true) in ('all', acquirer::text));
create policy own on ledger.merchant_scheme for select to console_ro
	using (exists (select from ledger.merchant m where m.token = merchant_scheme.token));

insert into ledger.schema_info (version) values (10);
reset role;
