-- Roles (standards 7.3). Who may do what is granted in 0007; here is only who there is.
-- Run by a superuser of a fresh database; everything else is owned by ledger_owner, who cannot log in.
do $$
declare
	r text;
begin
	foreach r in array array['ledger_owner', 'migrator', 'switch_rw', 'sealer', 'recon', 'auditor_ro',
		'console_ro'] loop
		if not exists (select from pg_roles where rolname = r) then
			execute format('create role %I', r);
		end if;
	end loop;
end
$$;
alter role ledger_owner nologin nosuperuser nocreatedb nocreaterole nobypassrls;
alter role migrator login noinherit;
alter role switch_rw login nobypassrls;
alter role sealer login nobypassrls;
alter role recon login nobypassrls;
alter role auditor_ro login nobypassrls connection limit 8;
alter role console_ro login nobypassrls connection limit 16;
grant ledger_owner to migrator;

-- Nobody gets anything by being somebody (L-8). TEMP too: a read-only role could make tables of its own.
do $$
begin
	execute format('revoke all on database %I from public', current_database());
	execute format('grant connect on database %I to migrator, switch_rw, sealer, recon, auditor_ro, '
		'console_ro', current_database());
	execute format('grant create on database %I to ledger_owner', current_database());
end
$$;
revoke all on schema public from public;
alter default privileges for role ledger_owner revoke execute on functions from public;
alter default privileges for role ledger_owner revoke usage on types from public;

-- The payment path: plans are forced to indexes, because a plan that was cached while the tables were
-- empty costs five times the rest of the payment. Nested loops keep the order of locks that
-- commit_batch asks for. Durability is stated here so that no client can forget it (L-13).
alter role switch_rw set enable_seqscan = off;
alter role switch_rw set enable_bitmapscan = off;
alter role switch_rw set enable_hashjoin = off;
alter role switch_rw set enable_mergejoin = off;
alter role switch_rw set enable_hashagg = off;
alter role switch_rw set plan_cache_mode = force_generic_plan;
alter role switch_rw set jit = off;
alter role switch_rw set synchronous_commit = on;
alter role switch_rw set statement_timeout = '2s';
alter role switch_rw set lock_timeout = '1s';
alter role switch_rw set idle_in_transaction_session_timeout = '10s';
alter role switch_rw set client_connection_check_interval = '1s';
alter role auditor_ro set default_transaction_read_only = on;
alter role auditor_ro set statement_timeout = '10min';
alter role auditor_ro set log_statement = 'all';
alter role console_ro set default_transaction_read_only = on;
alter role console_ro set statement_timeout = '5s';

create schema ledger authorization ledger_owner;
set role ledger_owner;
create table ledger.schema_info (
	version int primary key,
	at timestamptz not null default clock_timestamp(),
	by text not null default session_user
);
insert into ledger.schema_info (version) values (1);
reset role;
