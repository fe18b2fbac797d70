-- Payer codes that went through us, as keyed hashes until they expire: a till that scans one reaches the
-- wallet straight and not round by the scheme. Not part of the books: a queue in which nothing waits.
set role ledger_owner;

create table ledger.shown_code (
	hash bytea primary key,		-- 16 bytes, keyed: the code itself is nowhere
	peer smallint not null references ledger.participant (number),
	payer text not null,		-- the wallet's own token of its user
	until timestamptz not null
);
create index shown_code_until on ledger.shown_code (until);

-- `hashes`: 16 bytes each, one behind the other.
create function ledger.codes_keep(hashes bytea, peer smallint, payer text, until timestamptz) returns int
language plpgsql as $$
#variable_conflict use_variable
declare
	n constant int := length(hashes) / 16;
begin
	insert into ledger.shown_code as s (hash, peer, payer, until)
		select substring(hashes from 16 * i + 1 for 16), peer, payer, until
		from generate_series(0, n - 1) i
		on conflict (hash) do update set peer = excluded.peer, payer = excluded.payer,
		until = excluded.until;
	return n;
end
$$;

grant select, insert, delete, update on ledger.shown_code to switch_rw;
grant execute on function ledger.codes_keep to switch_rw;

insert into ledger.schema_info (version) values (8);
reset role;
