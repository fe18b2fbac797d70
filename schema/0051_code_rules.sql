-- The rules by which schemes have told us that their merchant codes are known: each set as it was taken
-- over, whole; and when each scheme is to be asked again, with what came of the last time.
set role ledger_owner;

create table ledger.code_rules (
	peer smallint not null references ledger.participant (number),
	number int not null check (number > 0),
	at timestamptz not null default clock_timestamp(),
	version text not null check (version ~ '^[^[:cntrl:]]{1,16}$'),	-- theirs
	rules text not null check (jsonb_typeof(rules::jsonb) = 'array'),	-- of pattern, refused, page
	xact xid8 not null default pg_current_xact_id(),
	primary key (peer, number)
);
create index code_rules_xact on ledger.code_rules (xact);
select ledger.guard('ledger.code_rules');

-- A queue like operator_request: the clerk takes a row with a lease and writes down what came of it.
create table ledger.code_rules_due (
	peer smallint primary key references ledger.participant (number),
	due timestamptz not null,
	leased_until timestamptz,
	asked bigint not null default 0,	-- counts people who wanted it now,
	done bigint not null default 0,		-- and those who have been served
	tried_at timestamptz,
	outcome text
);

-- A row for each rule of the latest sets, in the order in which they decide.
create view ledger.code_rule_now with (security_invoker = true) as
	select s.peer, p.name, s.number as set, s.version, s.at, r.n, r.rule ->> 'pattern' as pattern,
		coalesce((r.rule ->> 'refused')::bool, false) as refused,
		coalesce((r.rule ->> 'page')::bool, false) as page
	from (select distinct on (peer) * from ledger.code_rules order by peer, number desc) s
	join ledger.participant p on p.number = s.peer,
	jsonb_array_elements(s.rules::jsonb) with ordinality r (rule, n);

-- Who is asked from now on, and at once: the numbers of participants, separated by blanks.
create function ledger.code_rules_want(peers text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	wanted constant smallint[] := string_to_array(nullif(peers, ''), ' ')::smallint[];
begin
	delete from ledger.code_rules_due d where d.peer <> all (coalesce(wanted, '{}'));
	insert into ledger.code_rules_due (peer, due)
		select w, clock_timestamp() from unnest(wanted) w
		on conflict (peer) do update set due = excluded.due;
	return cardinality(coalesce(wanted, '{}'));
end
$$;

-- The clerk's: one of those whose time has come.
create function ledger.code_rules_take(lease_ms int) returns table (peer smallint, asked bigint)
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update ledger.code_rules_due d
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms'
	from (select q.peer from ledger.code_rules_due q
		where (q.due <= clock_timestamp() or q.asked > q.done)
		and (q.leased_until is null or q.leased_until < clock_timestamp())
		order by q.due limit 1 for update skip locked) t
	where d.peer = t.peer
	returning d.peer, d.asked
$$;

-- A set, whole. True where it is another one than the last.
create function ledger.code_rules_keep(peer smallint, version text, rules text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	last ledger.code_rules;
begin
	select * into last from ledger.code_rules s where s.peer = peer order by s.number desc limit 1;
	if found and (last.version, last.rules) = (version, rules) then
		return false;
	end if;
	insert into ledger.code_rules (peer, number, version, rules)
		values (peer, coalesce(last.number, 0) + 1, version, rules);
	return true;
end
$$;

-- What came of asking, and when to ask again.
create function ledger.code_rules_done(peer smallint, asked bigint, next_s int, outcome text) returns bool
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update ledger.code_rules_due d set due = clock_timestamp() + next_s * interval '1 s',
		leased_until = null, done = greatest(d.done, $2), tried_at = clock_timestamp(), outcome = $4
		where d.peer = $1 returning true
$$;

-- A person wants it now; the number to wait for, null where that participant is never asked.
create function ledger.code_rules_ask(name text, operator text, reason text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n bigint;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	update ledger.code_rules_due d set asked = d.asked + 1
		from ledger.participant p where p.name = name and d.peer = p.number
		returning d.asked into n;
	if found then
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, 'rules load', name, reason, format('by %s', session_user));
	end if;
	return n;
end
$$;

insert into ledger.word (list, number, word, sentence) values
	('op', 19, 'rules', 'by which rules somebody''s codes are known');

revoke all on function ledger.code_rules_want, ledger.code_rules_take, ledger.code_rules_keep,
	ledger.code_rules_done, ledger.code_rules_ask from public;
grant execute on function ledger.code_rules_want, ledger.code_rules_take, ledger.code_rules_keep,
	ledger.code_rules_done to switch_rw;
grant execute on function ledger.code_rules_ask to operator_rw;
grant select on ledger.code_rules, ledger.code_rules_due, ledger.code_rule_now
	to switch_rw, operator_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (51);
reset role;
