-- Merchants of acquirers who take us for their scheme: what was asked of us under which id, and who is to
-- hear what was decided. The merchants are rows of the registry like others, and what we say of one is a row
-- of merchant_scheme under our own name, `crosswallet`: people decide, by merchant_scheme_set.
set role ledger_owner;

create table ledger.member_request (
	peer smallint not null references ledger.participant (number),
	id text collate "C" not null check (octet_length(id) between 1 and 64),	-- the acquirer's own
	at timestamptz not null default clock_timestamp(),
	token text collate "C" not null check (token ~ '^[0-9a-z]{12}$'),
	legal_name text not null check (legal_name ~ '^[^[:cntrl:]]{0,128}$'),
	type text not null check (type ~ '^[A-Z_]{0,64}$'),
	number text not null check (number ~ '^[^[:cntrl:]]{0,64}$'),
	xact xid8 not null default pg_current_xact_id(),
	primary key (peer, id)
);
create index member_request_of on ledger.member_request (token, at);
create index member_request_xact on ledger.member_request (xact);
select ledger.guard('ledger.member_request');

-- A queue like registration_due: decisions that an acquirer has not acknowledged.
create table ledger.member_due (
	token text collate "C" primary key,
	due timestamptz not null,
	leased_until timestamptz,
	tries int not null default 0
);

-- The answer:
--	taken	being looked at, or this very request came before
--	review	the merchant's last request is not decided, and less than half an hour old
--	repeat	the id was used for another merchant
create function ledger.member_register(peer smallint, request text, merchant text, store text, name text,
	store_name text, mcc text, country text, city text, address text, currency text, legal_name text,
	type text, number text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	tok text := (select q.token from ledger.member_request q where q.peer = peer and q.id = request);
	last int;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.member ' || peer || ' ' || merchant || ' ' || store));
	if tok is not null then
		return case when exists (select from ledger.merchant m where m.token = tok and m.version = 1
			and m.id = merchant and m.store = store) then 'taken' else 'repeat' end;
	end if;
	select m.token into tok from ledger.merchant m where m.version = 1 and m.acquirer = peer
		and m.id = merchant and m.store = store;
	if tok is null then
		tok := right(ledger.id_text(gen_random_uuid()), 12);
		last := 0;
	elsif ledger.registration_state(tok, 'crosswallet') = 'asked' and exists (select
		from ledger.member_request q where q.token = tok and q.at > clock_timestamp() - interval '30 min') then
		return 'review';
	else
		last := (select max(m.version) from ledger.merchant m where m.token = tok);
	end if;
	insert into ledger.merchant (token, version, acquirer, id, store, name, store_name, mcc, country, city,
		address, currency, active)
		values (tok, last + 1, peer, merchant, store, name, store_name, mcc, country, city, address,
		currency, coalesce((select m.active from ledger.merchant m where m.token = tok and m.version = last), true));
	insert into ledger.member_request (peer, id, token, legal_name, type, number)
		values (peer, request, tok, legal_name, type, number);
	delete from ledger.member_due d where d.token = tok;
	perform ledger.registration_put(tok, 'crosswallet', 'asked', 'request ' || request);
	return 'taken';
end
$$;

-- How a request stands, or, without an id, the latest of that merchant and store.
create function ledger.member_standing(peer smallint, request text, merchant text, store text)
returns table (state text, id text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select s.state, q.id, s.detail
	from ledger.member_request q
	join ledger.merchant m on m.token = q.token and m.version = 1
	cross join lateral (select s.state, s.detail from ledger.merchant_scheme s
		where s.token = q.token and s.scheme = 'crosswallet' order by s.version desc limit 1) s
	where q.peer = $1 and case when $2 = '' then m.id = $3 and m.store = $4 else q.id = $2 end
	order by q.at desc limit 1
$$;

-- A decision is owed to who asked.
create function ledger.member_decided() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into ledger.member_due as d (token, due)
		select distinct f.token, clock_timestamp() from fresh f
		where f.scheme = 'crosswallet' and f.state <> 'asked'
		and exists (select from ledger.member_request q where q.token = f.token)
		on conflict (token) do update set due = excluded.due, leased_until = null, tries = 0;
	return null;
end
$$;
create trigger member_decided after insert on ledger.merchant_scheme referencing new table as fresh
	for each statement execute function ledger.member_decided();
alter table ledger.merchant_scheme enable always trigger member_decided;

-- The clerk's: one whose time has come.
create function ledger.member_take(lease_ms int) returns table (token text, version int, tries int,
	peer smallint, request text, merchant text, store text, state text, detail text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
	with t as (
		update ledger.member_due d
		set leased_until = clock_timestamp() + lease_ms * interval '1 ms', tries = d.tries + 1
		from (select q.token from ledger.member_due q where q.due <= clock_timestamp()
			and (q.leased_until is null or q.leased_until < clock_timestamp())
			order by q.due limit 1 for update skip locked) o
		where d.token = o.token
		returning d.*)
	select t.token, s.version, t.tries, q.peer, q.id, m.id, m.store, s.state, s.detail
	from t join ledger.merchant m on m.token = t.token and m.version = 1
	cross join lateral (select * from ledger.member_request q where q.token = t.token
		order by q.at desc limit 1) q
	cross join lateral (select * from ledger.merchant_scheme s where s.token = t.token
		and s.scheme = 'crosswallet' order by s.version desc limit 1) s
$$;

-- Heard, if nothing was decided since; else again.
create function ledger.member_told(token text, version int, heard bool, next_s int) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if heard and version = (select max(s.version) from ledger.merchant_scheme s
		where s.token = token and s.scheme = 'crosswallet') then
		delete from ledger.member_due d where d.token = token;
	else
		update ledger.member_due d set leased_until = null,
			due = clock_timestamp() + next_s * interval '1 s' where d.token = token;
	end if;
	return true;
end
$$;

revoke all on function ledger.member_register, ledger.member_standing, ledger.member_decided,
	ledger.member_take, ledger.member_told from public;
grant execute on function ledger.member_register, ledger.member_standing, ledger.member_take,
	ledger.member_told to switch_rw;
grant select on ledger.member_request, ledger.member_due
	to switch_rw, operator_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (57);
reset role;
