-- Settlements are decided one at a time, from the first look to the booking: of two who confirmed one with two
-- references at the same moment both had seen it open, and both were booked.
set role ledger_owner;

-- As before, but behind the lock.
create or replace function ledger.settlement_instruct(settlement bigint, operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	s ledger.settlement;
	n bigint;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
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

-- As before, but behind the lock; and who asks again for what was booked, because the answer was lost, hears that
-- it is.
create or replace function ledger.settlement_confirm(settlement bigint, amount bigint, reference text, operator text,
	reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	s ledger.settlement;
	n bigint;
	position int;
	bank int;
	peer smallint;
	digest bytea;
	id uuid;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	select * into s from ledger.settlement t where t.id = settlement;
	if s.id is null then
		return 'there is no such settlement';
	end if;
	if exists (select from ledger.proposal p join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement confirm' and p.object = format('%s %s', settlement, reference)
		and p.amount = amount) then
		return 'confirmed';
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
	digest := substring(sha256(convert_to(format('deposit %s %s', peer, reference), 'UTF8')) for 16);
	if exists (select from ledger.claim c where c.digest = digest)
		or exists (select from ledger.proposal p join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement confirm' and split_part(p.object, ' ', 2) = reference) then
		return 'that reference was booked';
	end if;
	n := ledger.four_eyes('settlement confirm', format('%s %s', settlement, reference), amount, s.currency, operator,
		reason);
	if n is null then
		return 'proposed';
	end if;
	id := ledger.book_by_hand('s', peer, bank, position, amount, s.currency);
	insert into ledger.claim (digest, payment, seq, fingerprint) values (digest, id, 0,
		substring(sha256(convert_to(format('settlement %s', settlement), 'UTF8')) for 16));
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

insert into ledger.schema_info (version) values (58);
reset role;
