-- Two people, again. Exception items are closed one at a time, from the first look to the booking: of one that somebody else closed at the
-- same moment the difference had been booked, and the answer said that no such item was open.
set role ledger_owner;

-- As before, but behind the lock: who closes an item waits for who books it.
create or replace function ledger.operator_close(item bigint, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	if not exists (select from ledger.exception_item i where i.id = item)
		or not ledger.exception_close_item(item, operator, reason) then
		return false;
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'exception close', item::text, reason, format('by %s', session_user));
	return true;
end
$$;

-- As before, but behind the lock; and nothing is booked of an item that could not be closed.
create or replace function ledger.exception_settle(item bigint, book bool, operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	d ledger.recon_difference;
	n bigint;
	peer smallint;
	position int;
	loss int;
	amount bigint;
	id uuid;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	if not exists (select from ledger.exception_open o where o.id = item) then
		return 'no such item is open';
	end if;
	if book then
		select * into d from ledger.recon_difference r where r.item = item;
		amount := coalesce(d.theirs, 0) - coalesce(d.ours, 0);
		if d.item is null or d.kind not in (20, 21, 22, 25) or amount = 0 then
			return 'there is no difference to book';
		end if;
		select a.number, p.number into position, peer from ledger.account a
			join ledger.participant p on p.number = a.agreement
			where a.class = 1 and a.agreement = d.agreement and a.currency = d.currency;
		if position is null then
			return 'there is no such position';
		end if;
		n := ledger.four_eyes('exception book', item::text, amount, d.currency, operator, reason);
		if n is null then
			return 'proposed';
		end if;
		loss := ledger.account_ensure(7::smallint, 0, (select a.ccy from ledger.account a
			where a.number = position), d.currency::text, 'loss ' || d.currency);
		id := ledger.book_by_hand('x', peer, position, loss, amount, d.currency);
		insert into ledger.approval (proposal, operator, reason, payment) values (n, operator, reason, id);
	end if;
	if not ledger.operator_close(item, operator, reason) then
		raise exception 'item % was closed meanwhile', item using errcode = '40001';
	end if;
	return 'closed';
end
$$;

-- As before, but a login of somebody's own may have its right through a group of operators; it was taken for the one that
-- all share, and might have signed by two names.
create or replace function ledger.four_eyes(action text, object text, amount bigint, currency text, operator text,
	reason text) returns bigint
language plpgsql as $$
#variable_conflict use_variable
declare
	p ledger.proposal;
	own constant bool := session_user <> 'operator_rw' and pg_has_role(session_user, 'operator_rw', 'member')
		and not (select r.rolsuper from pg_roles r where r.rolname = session_user);
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if own and lower(operator) <> lower(session_user) then
		raise exception 'login % signs by its own name', session_user using errcode = '42501';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	select * into p from ledger.proposal q where q.action = action and q.object = object
		and (q.amount, q.currency) = (amount, currency)
		and not exists (select from ledger.approval a where a.proposal = q.id) order by q.id desc limit 1;
	if p.id is null then
		insert into ledger.proposal (action, object, amount, currency, operator, reason)
			values (action, object, amount, currency, operator, reason) returning * into p;
		insert into ledger.decided_by (proposal, part, own, login) values (p.id, 1, own, session_user);
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, action || ' proposed', object, reason,
			format('%s %s minor units, by %s', amount, currency, session_user));
		return null;
	end if;
	if lower(p.operator) = lower(operator) then
		return null;
	end if;
	if own <> exists (select from ledger.decided_by d where d.proposal = p.id and d.part = 1 and d.own) then
		raise exception 'one of the two came by the login that all share' using errcode = '42501';
	end if;
	insert into ledger.decided_by (proposal, part, own, login) values (p.id, 2, own, session_user);
	return p.id;
end
$$;

-- 0041 says that it is of the file's bytes alone.
comment on column ledger.recon_file.digest is 'SHA-256 over the running digest of the files, the agreement''s number and the day (schema/README.md): the same bytes by another participant, or of another day, are another file';

insert into ledger.schema_info (version) values (62);
reset role;
