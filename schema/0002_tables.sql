-- The tables. README.md says what the rows mean; rights and row security are in 0007.
-- The four that every step writes to have no CHECK constraints: the server compiles those anew in
-- every statement (5 % of a commit). What they would say is a trigger (zero_sum) or a query in zero/.
set role ledger_owner;

create table ledger.participant (
	number smallint primary key check (number > 0),
	name text not null unique,
	at timestamptz not null default clock_timestamp()
);

-- Who came first: the digests of (partner, operation, key) and (partner, payment id). For ever, and
-- so neither partitioned nor ever deleted (I-3).
create table ledger.claim (
	digest bytea primary key,	-- 16 bytes
	payment uuid not null,
	seq smallint not null,		-- which request of that payment: 0 the payment itself, 1.. refunds, ...
	fingerprint bytea not null,	-- 16 bytes, of its business fields (I-4)
	at timestamptz not null default clock_timestamp()
);
alter table ledger.claim alter digest set storage plain, alter fingerprint set storage plain;

-- One committed step of one payment; the primary key is the fence. Columns are ordered by alignment.
create table ledger.step (
	payment uuid not null,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	amount bigint not null,
	version int not null,		-- 1, 2, 3 ... without a gap
	kind smallint not null,		-- what happened: enum event kind
	op smallint not null,		-- enum op
	state smallint not null,	-- derived state after the step; 256 set: final
	acquirer smallint,		-- participant numbers
	issuer smallint,
	reply_seq smallint,		-- the request that this step answers for good
	reply_status smallint,
	mode "char" not null,		-- c consumer-presented, m merchant-presented, ...
	currency char(3) collate "C" not null,
	record bytea not null,
	evidence bytea,
	reply bytea,
	primary key (payment, version)
) partition by range (payment);
create index step_xact on ledger.step (xact);	-- the sealer reads behind the payments in this order (A-2)

create table ledger.entry (
	payment uuid not null,
	amount bigint not null,		-- + they owe us more, - less
	version int not null,
	account int not null,
	line smallint not null,
	kind smallint not null,		-- 1 reserve, 2 release, 3 post
	currency char(3) collate "C" not null,
	primary key (payment, version, line)
) partition by range (payment);

-- Raw messages that decided money. Their partitions may go before the others.
create table ledger.raw (
	payment uuid not null,
	version int not null,
	n smallint not null,
	peer smallint not null,
	op smallint not null,
	direction "char" not null,	-- i in, o out
	key text collate "C",		-- name or version of the key that signed
	head bytea,
	body bytea,
	signature bytea,
	primary key (payment, version, n)
) partition by range (payment);
alter table ledger.raw alter head set compression lz4, alter body set compression lz4;

create table ledger.account (
	number int primary key,
	class smallint not null check (class between 1 and 7),
	agreement int not null check (agreement between 0 and 65535),
	ccy smallint not null check (ccy between 1 and 999),	-- ISO 4217 numeric
	currency char(3) collate "C" not null,
	name text not null,
	at timestamptz not null default clock_timestamp(),
	check (number = (class::int << 26) + (agreement << 10) + ccy)
);
create table ledger.account_class (class smallint primary key, name text not null);
insert into ledger.account_class values (1, 'position'), (2, 'exchange'), (3, 'fee'), (4, 'rounding'),
	(5, 'bank'), (6, 'suspense'), (7, 'loss');

-- A cache of the sums of entries, and where limits are enforced. Room for in-page updates.
create table ledger.account_total (
	account int primary key,
	posted bigint not null default 0,
	reserved bigint not null default 0,
	cap bigint,
	stopped bool not null default false
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table ledger.account_cap (
	account int not null,
	at timestamptz not null default clock_timestamp(),
	cap bigint,
	stopped bool not null,
	operator text not null,
	reason text not null,
	primary key (account, at)
);
-- What detached months carried: sums start from here.
create table ledger.account_opening (
	account int not null,
	month date not null,
	posted bigint not null,
	reserved bigint not null,
	primary key (account, month)
);
create table ledger.detached (
	name text primary key,
	kept_from uuid not null,
	at timestamptz not null default clock_timestamp()
);

-- Queues: the only rows besides account_total that change.
create table ledger.due (
	payment uuid primary key,
	at timestamptz not null,
	secret bytea,			-- the encrypted payment code, until the leg is final
	leased_until timestamptz,
	owner int
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index due_at on ledger.due (at);
create table ledger.outbox (
	id uuid primary key,
	payment uuid not null,
	seq smallint not null,
	peer smallint not null,
	next_at timestamptz not null,
	leased_until timestamptz,
	tries int not null default 0,
	body bytea not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index outbox_next on ledger.outbox (next_at);
-- What became of them.
create table ledger.delivery (
	id uuid primary key,
	payment uuid not null,
	seq smallint not null,
	peer smallint not null,
	at timestamptz not null default clock_timestamp(),
	attempts int not null,
	answer_digest bytea
);

create table ledger.exception_item (
	id bigint generated always as identity primary key,
	payment uuid,
	version int,
	kind smallint not null,
	opened_at timestamptz not null default clock_timestamp(),
	detail text not null
);
create index exception_payment on ledger.exception_item (payment);
create table ledger.exception_close (
	item bigint primary key references ledger.exception_item,
	at timestamptz not null default clock_timestamp(),
	operator text not null,
	reason text not null
);
create table ledger.operator_action (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	operator text not null,
	action text not null,
	object text not null,
	reason text not null,
	detail text
);

insert into ledger.schema_info (version) values (2);
reset role;
