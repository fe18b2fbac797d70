-- What the server lets everybody do, and nobody here needs: large objects and messages in its log fill the disk, by a login that
-- may only read, too; who holds an advisory lock of ours keeps others from closing windows and settling. As the superuser.
do $$
declare
	f regprocedure;
begin
	for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace
		and (p.proname ~ '^pg_(try_)?advisory_(xact_)?lock' or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea',
		'lo_put', 'lowrite', 'lo_truncate', 'lo_truncate64', 'lo_unlink', 'pg_logical_emit_message')) loop
		execute format('revoke execute on function %s from public', f);
	end loop;
end
$$;
-- For the functions that act with their owner's rights.
grant execute on function pg_catalog.pg_advisory_xact_lock(bigint) to ledger_owner;

set role ledger_owner;
insert into ledger.schema_info (version) values (64);
reset role;
