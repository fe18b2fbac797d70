-- A deposit takes two people, like whatever else moves money by hand: it is what a prefunded participant may pay out.
set role ledger_owner;

-- As before, but: 'proposed' until somebody else asks for the same, and then the object's id; behind the lock of settlements,
-- whose references these are too; and a login of somebody's own signs by its name.
create or replace function ledger.deposit_book(participant text, amount bigint, currency text, reference text,
	operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	peer constant smallint := (select p.number from ledger.participant p where p.name = participant);
	position constant int := (select a.number from ledger.account a
		where a.class = 1 and a.name = format('position %s %s', participant, currency));
	bank constant int := (select a.number from ledger.account a
		where a.class = 5 and a.agreement = 0 and a.currency = currency);
	digest constant bytea := substring(sha256(convert_to(format('deposit %s %s', peer, reference),
		'UTF8')) for 16);
	fingerprint constant bytea := substring(sha256(convert_to(amount || currency, 'UTF8')) for 16);
	had ledger.claim;
	n bigint;
	id uuid;
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
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	select * into had from ledger.claim c where c.digest = digest;
	if had.fingerprint = fingerprint then
		return ledger.id_text(had.payment);
	end if;
	if had.digest is not null then
		raise exception 'reference % of % was booked with another amount, or for a settlement', reference, participant
			using errcode = '23505';
	end if;
	n := ledger.four_eyes('deposit', format('%s %s', participant, reference), amount, currency, operator, reason);
	if n is null then
		return 'proposed';
	end if;
	id := ledger.book_by_hand('d', peer, position, bank, -amount, currency);
	insert into ledger.claim (digest, payment, seq, fingerprint) values (digest, id, 0, fingerprint);
	insert into ledger.approval (proposal, operator, reason, payment) values (n, operator, reason, id);
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'deposit', participant, reason,
		format('%s %s minor units, reference %s, by %s', amount, currency, reference, session_user));
	return ledger.id_text(id);
end
$$;

insert into ledger.schema_info (version) values (65);
reset role;
