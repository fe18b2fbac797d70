-- The tamper-evident log (standards 8): what was committed, as leaves of a growing Merkle tree whose
-- signed roots leave the house. README.md says what is hashed; switch/base/sealed.def lists it.
set role ledger_owner;

-- Rows are sealed in the order of transactions, which is gap-free below the oldest one that still runs;
-- a sequence is not (A-2). Steps have their number already.
do $$
declare
	t text;
begin
	foreach t in array array['claim', 'participant', 'account', 'account_class', 'account_cap',
		'account_opening', 'detached', 'delivery', 'exception_item', 'exception_close', 'exception_kind',
		'operator_action', 'schema_info', 'merchant', 'merchant_scheme'] loop
		execute format('alter table ledger.%I add xact xid8 not null default pg_current_xact_id()', t);
		execute format('create index %s_xact on ledger.%1$I (xact)', t);
	end loop;
end
$$;

-- One round of the sealer: the leaves of all transactions from the last round's `upto` to this one's.
create table ledger.block (
	first bigint primary key,	-- index of its first leaf
	upto xid8 not null,		-- transactions below it are sealed: one more than the last that wrote
	count int not null,
	hashes bytea not null,		-- 32 bytes for each leaf
	kept bytea not null		-- digests of raw messages, for those steps that have some: they outlive the rows
);
alter table ledger.block alter hashes set storage external, alter kept set storage external;

-- What was signed. `frontier`: the roots of the complete subtrees, from which the sealer goes on.
create table ledger.checkpoint (
	size bigint primary key,	-- how many leaves it commits to
	at timestamptz not null default clock_timestamp(),
	note text not null,		-- a signed note (C2SP): origin, size, root, signatures
	frontier bytea not null,
	xact xid8 not null default pg_current_xact_id()
);
create index checkpoint_xact on ledger.checkpoint (xact);
select ledger.guard('ledger.block'), ledger.guard('ledger.checkpoint');

grant select, insert on ledger.block, ledger.checkpoint to sealer;
grant select on ledger.block, ledger.checkpoint to recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (20);
reset role;

-- As the payment path's: a plan that was made while the tables were empty must not stay.
alter role sealer set enable_seqscan = off;
alter role sealer set enable_bitmapscan = off;
alter role sealer set enable_hashjoin = off;
alter role sealer set enable_mergejoin = off;
alter role sealer set plan_cache_mode = force_generic_plan;
alter role sealer set jit = off;
alter role sealer set synchronous_commit = on;
alter role sealer set statement_timeout = '30s';
alter role sealer set idle_in_transaction_session_timeout = '10s';
