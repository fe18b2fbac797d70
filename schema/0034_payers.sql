-- Who pays: what a wallet calls its user, under the name that we gave him. Records, evidence and schemes
-- know that name alone, so a row that is erased leaves nobody behind who could be known by it. A working
-- table and no part of the log, which keeps everything.
set role ledger_owner;

create table ledger.payer_binding (
	payer text collate "C" primary key,	-- our name for him: "<wallet>-<26 characters>"
	hash bytea not null unique,		-- 16 bytes, keyed: the wallet's own id of him, or his handle where it has none
	handle_hash bytea,			-- the same of his handle, for who asks to be erased
	peer smallint not null references ledger.participant (number),
	version smallint not null,		-- of the key, which is not in the database
	sealed bytea not null,			-- the wallet's own id of him and his handle
	at timestamptz not null default clock_timestamp()
);
create index payer_binding_handle on ledger.payer_binding (handle_hash);
create index payer_binding_version on ledger.payer_binding (version);
alter table ledger.payer_binding alter sealed set storage plain;
create trigger no_truncate before truncate on ledger.payer_binding for each statement
	execute function ledger.refuse();
alter table ledger.payer_binding enable always trigger no_truncate;

-- Codes that users show were kept under the wallet's word for them; they live for minutes.
delete from ledger.shown_code;

-- Him who is there, or else from now on. A handle that comes with an id is his newest.
create function ledger.payer_bind(hash bytea, handle_hash bytea, payer text, peer smallint,
	version smallint, sealed bytea) returns ledger.payer_binding
language plpgsql as $$
#variable_conflict use_variable
declare
	had ledger.payer_binding;
begin
	for attempt in 1 .. 2 loop	-- whoever is inserted at the same moment is there the second time
		select * into had from ledger.payer_binding b where b.hash = hash;
		if found and (handle_hash is null or had.handle_hash = handle_hash) then
			return had;
		end if;
		insert into ledger.payer_binding as b (payer, hash, handle_hash, peer, version, sealed)
			values (payer, hash, handle_hash, peer, version, sealed)
			on conflict on constraint payer_binding_hash_key do update set handle_hash = excluded.handle_hash,
			version = excluded.version, sealed = excluded.sealed
			where excluded.handle_hash is distinct from b.handle_hash
			returning b.* into had;
		exit when found;
	end loop;
	return had;
end
$$;

-- Whose they are, for who is asked to erase somebody. His telephone number may have been another's.
create view ledger.payer_list with (security_invoker = true) as
	select b.payer, p.name as wallet, b.hash, b.handle_hash, b.at
	from ledger.payer_binding b join ledger.participant p on p.number = b.peer;

-- Nothing is left of what a wallet calls him; our name for him is then nobody's. False where there is
-- nobody. Refused while a payment of his is under way: what it needs of him goes when it ends.
create function ledger.payer_erase(payer text, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if exists (select from ledger.due d, lateral (select s.record, s.state from ledger.step s
			where s.payment = d.payment order by s.version desc limit 1) l
		where position(convert_to(payer, 'UTF8') in l.record) > 0) then
		raise exception 'a payment of % is under way', payer using errcode = '55006';
	end if;
	delete from ledger.shown_code c where c.payer = payer;
	delete from ledger.payer_binding b where b.payer = payer;
	if not found then
		return false;
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'payer erase', payer, reason, format('by %s', session_user));
	return true;
end
$$;

-- Sealed under an older key than `newest`: to be sealed anew by who has the keys, so that the older one
-- can be destroyed.
create function ledger.payer_stale(newest smallint, most int)
returns table (payer text, hash bytea, version smallint, sealed bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select b.payer, b.hash, b.version, b.sealed from ledger.payer_binding b
		where b.version < newest order by b.version limit most
$$;
create function ledger.payer_reseal(payer text, old bytea, version smallint, sealed bytea) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	update ledger.payer_binding b set version = version, sealed = sealed
		where b.payer = payer and b.sealed = old;
	return found;
end
$$;
create function ledger.vault_rotated(version smallint, payers bigint, operator text, reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'vault rotate', version::text, reason,
		format('%s payers, by %s', payers, session_user));
end
$$;

revoke all on function ledger.payer_bind, ledger.payer_erase, ledger.payer_stale, ledger.payer_reseal,
	ledger.vault_rotated from public;
grant select, insert, update (handle_hash, version, sealed) on ledger.payer_binding to switch_rw;
grant execute on function ledger.payer_bind to switch_rw;
grant select (payer, hash, handle_hash, peer, at) on ledger.payer_binding to operator_rw;
grant select on ledger.payer_list to operator_rw;
grant select (number, name) on ledger.participant to operator_rw;
grant execute on function ledger.payer_erase, ledger.payer_stale, ledger.payer_reseal,
	ledger.vault_rotated to operator_rw;
grant select (payer, peer, version, at) on ledger.payer_binding to recon, auditor_ro;

insert into ledger.schema_info (version) values (34);
reset role;
