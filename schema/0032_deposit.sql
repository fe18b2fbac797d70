-- Deposits: what a prefunded participant has paid into our bank. A pay-out takes from it, since such a
-- position's cap is 0. Booked by people, once per reference of the bank's.
set role ledger_owner;

-- The object's id. The same reference again is the same deposit; with another amount it is refused.
create function ledger.deposit_book(participant text, amount bigint, currency text, reference text,
	operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	peer constant smallint := (select p.number from ledger.participant p where p.name = participant);
	position constant int := (select a.number from ledger.account a
		where a.class = 1 and a.name = format('position %s %s', participant, currency));
	bank constant int := (select a.number from ledger.account a
		where a.class = 5 and a.agreement = 0 and a.currency = currency);
	id constant uuid := left(replace(ledger.id_floor(clock_timestamp())::text, '-', ''), 12)
		|| right(replace(gen_random_uuid()::text, '-', ''), 20);
	digest constant bytea := substring(sha256(convert_to(format('deposit %s %s', peer, reference),
		'UTF8')) for 16);
	fingerprint constant bytea := substring(sha256(convert_to(amount || currency, 'UTF8')) for 16);
	had ledger.claim;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if peer is null or position is null or bank is null then
		raise exception '% has no position in %', participant, currency using errcode = '22023';
	end if;
	if amount <= 0 or reference !~ '^[!-~]{1,64}$' then
		raise exception 'a positive amount, and a reference of 1 to 64 visible characters'
			using errcode = '22023';
	end if;
	insert into ledger.claim (digest, payment, seq, fingerprint)
		values (digest, id, 0, fingerprint) on conflict do nothing;
	if not found then
		select * into had from ledger.claim c where c.digest = digest;
		if had.fingerprint <> fingerprint then
			raise exception 'reference % of % was booked with another amount', reference, participant
				using errcode = '23505';
		end if;
		return ledger.id_text(had.payment);
	end if;
	-- A step like any other, but that nothing is to follow: 6 a person decided, 257 paid for good.
	insert into ledger.step (payment, amount, version, kind, op, state, issuer, mode, currency, record)
		values (id, amount, 1, 6, 0, 257, peer, 'd', currency, '');
	insert into ledger.entry (payment, amount, version, account, line, kind, currency)
		values (id, -amount, 1, position, 1, 3, currency), (id, amount, 1, bank, 2, 3, currency);
	update ledger.account_total t set posted = t.posted - amount where t.account = position;
	update ledger.account_total t set posted = t.posted + amount where t.account = bank;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'deposit', participant, reason,
		format('%s %s minor units, reference %s, by %s', amount, currency, reference, session_user));
	return ledger.id_text(id);
end
$$;

create view ledger.deposit with (security_invoker = true) as
	select s.payment, s.at, p.name as participant, s.amount, s.currency
	from ledger.step s join ledger.participant p on p.number = s.issuer
	where s.mode = 'd' and s.version = 1;

revoke all on function ledger.deposit_book from public;
grant execute on function ledger.deposit_book to operator_rw;
grant select on ledger.deposit to switch_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (32);
reset role;
