-- What a person decides about a payment: asked for here, done by the clerk like anything else that
-- happens to one, and answered here. Who asked, and why, stays in operator_action.
do $$
begin
	if not exists (select from pg_roles where rolname = 'operator_rw') then
		create role operator_rw;
	end if;
	execute format('grant connect on database %I to operator_rw', current_database());
end
$$;
alter role operator_rw login nobypassrls connection limit 16;
alter role operator_rw set statement_timeout = '5s';
alter role operator_rw set synchronous_commit = on;
set role ledger_owner;

-- A queue like due and outbox: the clerk takes a row with a lease and writes down what came of it.
create table ledger.operator_request (
	id bigint generated always as identity primary key,
	payment uuid not null,
	verb smallint not null check (verb between 1 and 3),	-- 1 retry, 2 undo, 3 write off
	operator text not null check (octet_length(operator) between 1 and 64),
	reason text not null check (reason ~ '\S'),
	at timestamptz not null default clock_timestamp(),
	leased_until timestamptz,
	done_at timestamptz,
	outcome text,		-- 'done', or why it was refused
	check ((done_at is null) = (outcome is null))
);
create index operator_request_open on ledger.operator_request (id) where done_at is null;

-- The kinds of exception items (core/step.h), for people.
create table ledger.exception_kind (kind smallint primary key, sentence text not null);
insert into ledger.exception_kind values
	(1, 'no certain answer in time; money stays reserved'),
	(2, 'a success came after the undo'),
	(3, 'a message contradicts a final state'),
	(4, 'a peer moved another amount than asked'),
	(5, 'a refund cannot be decided by asking'),
	(6, 'an entry that must be booked passed the cap');
select ledger.guard('ledger.exception_kind');

-- The number of the request; null where there is no such payment.
create function ledger.operator_ask(payment uuid, verb smallint, operator text, reason text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n bigint;
begin
	if not exists (select from ledger.step s where s.payment = payment and s.version = 1) then
		return null;
	end if;
	insert into ledger.operator_request (payment, verb, operator, reason)
		values (payment, verb, operator, reason) returning id into n;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, (array['payment retry', 'payment undo', 'payment write-off'])[verb],
		payment::text, reason, format('request %s, by %s', n, session_user));
	return n;
end
$$;

-- False where the item does not exist or is closed.
create function ledger.operator_close(item bigint, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if not exists (select from ledger.exception_item i where i.id = item)
		or not ledger.exception_close_item(item, operator, reason) then
		return false;
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'exception close', item::text, reason, format('by %s', session_user));
	return true;
end
$$;

-- The clerk's: what nobody has taken yet, in the order of asking.
create function ledger.operator_take(most int, lease_ms int)
returns table (id bigint, payment uuid, verb smallint, operator text)
language sql as $$
	update ledger.operator_request r
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms'
	from (select q.id from ledger.operator_request q
		where q.done_at is null
		and (q.leased_until is null or q.leased_until < clock_timestamp())
		order by q.id limit most for update skip locked) t
	where r.id = t.id
	returning r.id, r.payment, r.verb, r.operator
$$;

create view ledger.exception_list with (security_invoker = true) as
	select i.id, ledger.id_text(i.payment) as payment, k.sentence as kind, i.opened_at,
		extract(epoch from clock_timestamp() - i.opened_at)::bigint as age_s, i.detail
	from ledger.exception_open i left join ledger.exception_kind k on k.kind = i.kind;

revoke all on function ledger.operator_ask, ledger.operator_close, ledger.operator_take from public;
grant usage on schema ledger to operator_rw;
grant execute on function ledger.operator_ask, ledger.operator_close, ledger.id_text to operator_rw;
grant select on ledger.schema_info, ledger.operator_request, ledger.operator_action, ledger.exception_item,
	ledger.exception_close, ledger.exception_kind, ledger.exception_open, ledger.exception_list
	to operator_rw;
grant select, update (leased_until, done_at, outcome) on ledger.operator_request to switch_rw;
grant execute on function ledger.operator_take to switch_rw;
grant select on ledger.operator_request, ledger.exception_kind, ledger.exception_list
	to sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (9);
reset role;
