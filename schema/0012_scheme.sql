-- Payer codes of our own making (work/codes.c): each lives its time, one after another.
set role ledger_owner;

drop function ledger.codes_keep(bytea, smallint, text, timestamptz);

-- `hashes`: 16 bytes each, one behind the other. The last one lives until `until`, each one before it
-- `apart_s` seconds less.
create function ledger.codes_keep(hashes bytea, peer smallint, payer text, until timestamptz, apart_s int)
returns int language plpgsql as $$
#variable_conflict use_variable
declare
	n constant int := length(hashes) / 16;
begin
	insert into ledger.shown_code as s (hash, peer, payer, until)
		select substring(hashes from 16 * i + 1 for 16), peer, payer,
			until - make_interval(secs => apart_s * (n - 1 - i))
		from generate_series(0, n - 1) i
		on conflict (hash) do update set peer = excluded.peer, payer = excluded.payer,
		until = excluded.until;
	return n;
end
$$;

grant execute on function ledger.codes_keep to switch_rw;

insert into ledger.schema_info (version) values (12);
reset role;
