-- The other calls of the payment path and the clerk that are more than one statement.
set role ledger_owner;

-- Idempotent. A number that exists with other contents is a mistake of configuration.
create function ledger.participant_ensure(number smallint, name text) returns void
language plpgsql as $$
#variable_conflict use_variable
begin
	insert into ledger.participant (number, name) values (number, name) on conflict do nothing;
	if not exists (select from ledger.participant p where p.number = participant_ensure.number
		and p.name = participant_ensure.name) then
		raise exception 'participant % or name % is taken', number, name using errcode = '23505';
	end if;
end
$$;

create function ledger.account_ensure(class smallint, agreement int, ccy smallint, currency text,
	name text) returns int
language plpgsql as $$
#variable_conflict use_variable
declare
	n constant int := (class::int << 26) + (agreement << 10) + ccy;
begin
	insert into ledger.account (number, class, agreement, ccy, currency, name)
		values (n, class, agreement, ccy, currency, name) on conflict do nothing;
	insert into ledger.account_total (account) values (n) on conflict do nothing;
	if not exists (select from ledger.account a where a.number = n and a.currency = currency) then
		raise exception 'account % has another currency', n using errcode = '23505';
	end if;
	return n;
end
$$;

-- Limits are set by people: who and why is kept. Returns false where nothing changed.
create function ledger.cap_set(account int, cap bigint, stopped bool, operator text, reason text)
returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	update ledger.account_total t set cap = cap, stopped = stopped
		where t.account = account and (t.cap, t.stopped) is distinct from (cap, stopped);
	if not found then
		if not exists (select from ledger.account_total t where t.account = account) then
			raise exception 'no account %', account using errcode = '02000';
		end if;
		return false;
	end if;
	insert into ledger.account_cap (account, cap, stopped, operator, reason)
		values (account, cap, stopped, operator, reason);
	return true;
end
$$;

-- Payments whose alarm clock passed more than grace_ms ago and that nobody is driving.
create function ledger.overdue_take(most int, grace_ms int, lease_ms int, me int)
returns table (payment uuid, at timestamptz)
language sql as $$
	update ledger.due d
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms', owner = me
	from (select o.payment from ledger.due o
		where o.at < clock_timestamp() - grace_ms * interval '1 ms'
		and (o.leased_until is null or o.leased_until < clock_timestamp())
		order by o.at limit most for update skip locked) t
	where d.payment = t.payment
	returning d.payment, d.at
$$;

create function ledger.outbox_take(most int, lease_ms int)
returns table (id uuid, payment uuid, seq smallint, peer smallint, tries int, body bytea)
language sql as $$
	update ledger.outbox o
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms', tries = o.tries + 1
	from (select q.id from ledger.outbox q
		where q.next_at <= clock_timestamp()
		and (q.leased_until is null or q.leased_until < clock_timestamp())
		order by q.next_at limit most for update skip locked) t
	where o.id = t.id
	returning o.id, o.payment, o.seq, o.peer, o.tries, o.body
$$;

-- Acknowledged: the row goes, its history stays. False where it was gone already.
create function ledger.outbox_done(id uuid, answer_digest bytea) returns bool
language plpgsql as $$
#variable_conflict use_variable
begin
	with gone as (
		delete from ledger.outbox o where o.id = id returning o.*
	)
	insert into ledger.delivery (id, payment, seq, peer, attempts, answer_digest)
		select g.id, g.payment, g.seq, g.peer, g.tries, answer_digest from gone g
		on conflict do nothing;
	return found;
end
$$;

create function ledger.exception_close_item(item bigint, operator text, reason text) returns bool
language plpgsql as $$
#variable_conflict use_variable
begin
	insert into ledger.exception_close (item, operator, reason) values (item, operator, reason)
		on conflict do nothing;
	return found;
end
$$;

insert into ledger.schema_info (version) values (5);
reset role;
