-- Merchants' registration at schemes that demand it: what was asked, when to ask on, and what is done
-- with what a scheme says. The states themselves are rows of merchant_scheme, under the participant's
-- name.
set role ledger_owner;

create table ledger.registration (
	id text primary key check (id ~ '^[0-9a-z]{26}$'),	-- what the scheme knows it by
	at timestamptz not null default clock_timestamp(),
	token text collate "C" not null check (token ~ '^[0-9a-z]{12}$'),
	peer smallint not null references ledger.participant (number),
	legal_name text not null check (legal_name ~ '^[^[:cntrl:]]{0,128}$'),
	type text not null check (type ~ '^[A-Z_]{0,64}$'),
	number text not null check (number ~ '^[^[:cntrl:]]{0,64}$'),
	xact xid8 not null default pg_current_xact_id()
);
create index registration_of on ledger.registration (token, peer, at);
create index registration_xact on ledger.registration (xact);
select ledger.guard('ledger.registration');

-- A queue like operator_request: those that are not decided.
create table ledger.registration_due (
	id text primary key references ledger.registration (id),
	phase text not null check (phase in ('send', 'inquire')),
	due timestamptz not null,
	leased_until timestamptz,
	tries int not null default 0
);

-- The state at that scheme; null: nothing was ever said.
create function ledger.registration_state(token text, scheme text) returns text
language sql stable set search_path = pg_catalog, pg_temp, ledger as $$
	select s.state from ledger.merchant_scheme s where s.token = $1 and s.scheme = $2
	order by s.version desc limit 1
$$;

create function ledger.registration_put(token text, scheme text, state text, detail text) returns void
language sql set search_path = pg_catalog, pg_temp, ledger as $$
	insert into ledger.merchant_scheme (token, scheme, version, state, detail)
		select $1, $2, coalesce(max(s.version), 0) + 1, $3, $4
		from ledger.merchant_scheme s where s.token = $1 and s.scheme = $2
$$;

-- A person has a merchant registered, for the first time or anew; the request's id. The scheme takes no
-- new one until the one before was processed, or is half an hour old.
create function ledger.registration_ask(token text, scheme text, legal_name text, type text, number text,
	operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	peer constant smallint := (select p.number from ledger.participant p where p.name = scheme);
	id constant text := ledger.id_text((left(replace(ledger.id_floor(clock_timestamp())::text, '-', ''), 12)
		|| right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid);
begin
	if peer is null or not exists (select from ledger.merchant m where m.token = token) then
		raise exception 'there is no such merchant, or no such participant' using errcode = '22023';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.registration ' || token || scheme));
	if exists (select from ledger.registration r join ledger.registration_due d using (id)
		where r.token = token and r.peer = peer and r.at > clock_timestamp() - interval '30 min') then
		raise exception 'a registration of less than half an hour ago is not decided yet'
			using errcode = '55000';
	end if;
	delete from ledger.registration_due d using ledger.registration r
		where r.id = d.id and r.token = token and r.peer = peer;
	insert into ledger.registration (id, token, peer, legal_name, type, number)
		values (id, token, peer, legal_name, type, number);
	insert into ledger.registration_due (id, phase, due) values (id, 'send', clock_timestamp());
	perform ledger.registration_put(token, scheme, 'asked', 'request ' || id);
	perform ledger.merchant_wrote('merchant register', token, operator, reason);
	return id;
end
$$;

-- The clerk's: one whose time has come, with what is said of it.
create function ledger.registration_take(lease_ms int) returns table (id text, peer smallint, phase text,
	tries int, merchant text, name text, mcc text, country text, city text, address text, store text,
	store_name text, legal_name text, type text, number text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
	with t as (
		update ledger.registration_due d
		set leased_until = clock_timestamp() + lease_ms * interval '1 ms', tries = d.tries + 1
		from (select q.id from ledger.registration_due q
			where q.due <= clock_timestamp()
			and (q.leased_until is null or q.leased_until < clock_timestamp())
			order by q.due limit 1 for update skip locked) o
		where d.id = o.id
		returning d.*)
	select t.id, r.peer, t.phase, t.tries, m.id, m.name, m.mcc, m.country, m.city, m.address, m.store,
		m.store_name, r.legal_name, r.type, r.number
	from t join ledger.registration r on r.id = t.id
	cross join lateral (select * from ledger.merchant m where m.token = r.token
		order by m.version desc limit 1) m
$$;

-- To be asked on later; a new phase begins to count anew.
create function ledger.registration_again(id text, phase text, next_s int) returns bool
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update ledger.registration_due d set due = clock_timestamp() + next_s * interval '1 s',
		leased_until = null, tries = case when d.phase = $2 then d.tries else 0 end, phase = $2
		where d.id = $1 returning true
$$;

-- What a scheme has said of a request of ours, in a notification or when asked. The answer is what became
-- of that:
--	unknown		no such request of that scheme
--	older		a later request counts, or people have withdrawn the merchant
--	same		known already, or "being looked at" after it was decided
--	kept		another row of merchant_scheme
--	contradicts	the scheme has decided otherwise before: it is asked, and its answer counts
create function ledger.registration_said(id text, peer smallint, state text, detail text, inquired bool)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	r ledger.registration;
	scheme constant text := (select p.name from ledger.participant p where p.number = peer);
	now_is text;
begin
	select * into r from ledger.registration q where q.id = id and q.peer = peer;
	if not found then
		return 'unknown';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.registration ' || r.token || scheme));
	now_is := ledger.registration_state(r.token, scheme);
	if now_is = 'withdrawn' or exists (select from ledger.registration q
		where q.token = r.token and q.peer = peer and q.at > r.at) then
		delete from ledger.registration_due d where d.id = id;
		return 'older';
	end if;
	if state = 'asked' then
		return 'same';
	end if;
	if now_is in ('registered', 'refused') and now_is <> state and not inquired then
		insert into ledger.registration_due as d (id, phase, due) values (id, 'inquire', clock_timestamp())
			on conflict on constraint registration_due_pkey do update set phase = 'inquire', due = excluded.due,
			leased_until = null;
		return 'contradicts';
	end if;
	delete from ledger.registration_due d where d.id = id;
	if now_is = state then
		return 'same';
	end if;
	perform ledger.registration_put(r.token, scheme, state, left(detail, 200));
	return 'kept';
end
$$;

insert into ledger.word (list, number, word, sentence) values
	('op', 20, 'register', 'have a merchant known to a scheme, and to its wallets'),
	('op', 21, 'standing', 'what has become of a merchant''s registration');

revoke all on function ledger.registration_state, ledger.registration_put, ledger.registration_ask,
	ledger.registration_take, ledger.registration_again, ledger.registration_said from public;
grant execute on function ledger.registration_take, ledger.registration_again, ledger.registration_said
	to switch_rw;
grant execute on function ledger.registration_ask to operator_rw;
grant select on ledger.registration, ledger.registration_due
	to switch_rw, operator_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (52);
reset role;
