-- Each role, each class of statement, every table: what is allowed is this, and nothing else.
\i support.sql

create temporary table expected (role name, class "char", allowed text);
insert into expected values
	('switch_rw', 'i', 'ledger.account'), ('switch_rw', 'i', 'ledger.account_total(account)'),
	('switch_rw', 'i', 'ledger.claim'), ('switch_rw', 'i', 'ledger.delivery'), ('switch_rw', 'i', 'ledger.due'),
	('switch_rw', 'i', 'ledger.entry'), ('switch_rw', 'i', 'ledger.exception_close'),
	('switch_rw', 'i', 'ledger.exception_item'), ('switch_rw', 'i', 'ledger.operator_action'),
	('switch_rw', 'i', 'ledger.outbox'), ('switch_rw', 'i', 'ledger.participant'), ('switch_rw', 'i', 'ledger.raw'),
	('switch_rw', 'i', 'ledger.payer_binding'), ('switch_rw', 'i', 'ledger.payment_key'), ('switch_rw', 'i', 'ledger.shown_code'), ('switch_rw', 'i', 'ledger.step'),
	('switch_rw', 'u', 'ledger.account_total(posted reserved)'),
	('switch_rw', 'u', 'ledger.due(at leased_until owner secret)'),
	('switch_rw', 'u', 'ledger.operator_request(done_at leased_until outcome)'),
	('switch_rw', 'u', 'ledger.outbox(leased_until next_at tries)'), ('switch_rw', 'u', 'ledger.shown_code'),
	('switch_rw', 'u', 'ledger.payer_binding(handle_hash sealed version)'),
	('switch_rw', 'd', 'ledger.due'), ('switch_rw', 'd', 'ledger.outbox'), ('switch_rw', 'd', 'ledger.shown_code'),
	('sealer', 'i', 'ledger.block'), ('sealer', 'i', 'ledger.checkpoint');

-- What only some may read: codes and handles, messages, records.
create temporary table secret (column_name text, readers name[]);
insert into secret values
	('ledger.due secret', '{switch_rw}'), ('ledger.outbox body', '{switch_rw}'),
	('ledger.shown_code payer', '{switch_rw}'), ('ledger.shown_code hash', '{switch_rw}'),
	('ledger.payer_binding sealed', '{switch_rw}'), ('ledger.payer_binding hash', '{operator_rw,switch_rw}'),
	('ledger.payment_key seed', '{auditor_ro,switch_rw}'),
	('ledger.raw body', '{auditor_ro,recon,sealer,switch_rw}'), ('ledger.raw head', '{auditor_ro,recon,sealer,switch_rw}'),
	('ledger.step record', '{auditor_ro,recon,sealer,switch_rw}'),
	('ledger.step evidence', '{auditor_ro,recon,sealer,switch_rw}'),
	('ledger.step reply', '{auditor_ro,recon,sealer,switch_rw}');

-- Functions that act with their owner's rights, and who may call them.
create temporary table lent (function_name name, callers name[]);
insert into lent values
	('partitions_make', '{switch_rw}'), ('partitions_detach', '{}'), ('months_detach', '{}'), ('cap_set', '{switch_rw}'),
	('roll_up_make', '{sealer}'), ('days_open', '{switch_rw}'), ('day_limit_set', '{switch_rw}'), ('deposit_book', '{operator_rw}'),
	('operator_ask', '{operator_rw}'), ('operator_close', '{operator_rw}'), ('merchant_add', '{operator_rw}'),
	('payer_erase', '{operator_rw}'), ('payer_stale', '{operator_rw}'), ('payer_reseal', '{operator_rw}'),
	('key_stale', '{operator_rw}'), ('key_reseed', '{operator_rw}'), ('evidence_erase', '{operator_rw}'), ('evidence_expire', '{operator_rw}'),
	('vault_rotated', '{operator_rw}'), ('clear', '{recon}'), ('windows_close', '{recon}'), ('recon_book', '{recon}'), ('known_add', '{recon}'),
	('settlement_open', '{operator_rw}'), ('settlement_instruct', '{operator_rw}'), ('settlement_confirm', '{operator_rw}'),
	('window_cap', '{}'),
	('exception_assign', '{operator_rw}'), ('exception_settle', '{operator_rw}'),
	('registration_ask', '{operator_rw}'), ('registration_take', '{switch_rw}'), ('registration_again', '{switch_rw}'),
	('registration_said', '{switch_rw}'),
	('member_register', '{switch_rw}'), ('member_standing', '{switch_rw}'), ('member_take', '{switch_rw}'),
	('member_told', '{switch_rw}'), ('member_decided', '{}'),
	('code_rules_want', '{switch_rw}'), ('code_rules_take', '{switch_rw}'), ('code_rules_keep', '{switch_rw}'),
	('code_rules_done', '{switch_rw}'), ('code_rules_ask', '{operator_rw}'),
	('merchant_change', '{operator_rw}'), ('merchant_scheme_set', '{operator_rw}'),
	('trail', '{auditor,auditor_ro,recon}'), ('trial_balance', '{auditor,auditor_ro,recon}'),
	('statement', '{auditor,auditor_ro,recon}');

select plan((select 4 * count(*) + 1 from roles)::int + (select count(*) from roles)::int
	+ (select count(*) from secret)::int + 6);

-- Writing, by every role and class; of an owner's statements, nothing by anybody.
select bag_eq(format('select * from tap.all_allowed(%L, %L)', r.role, c.class),
	format('select allowed from expected where role = %L and class = %L', r.role, c.class),
	format('%s may %s what it is granted, and nothing else', r.role, c.word))
from roles r, (values ('i'::"char", 'insert into'), ('u', 'update'), ('d', 'delete from'), ('t', 'truncate')) c (class, word)
order by c.class, r.role;
select is_empty('select r.role, a from tap.roles r, tap.all_allowed(r.role, ''o'') a', 'nobody may switch a trigger off');

-- What would get round the rights: all of it refused to each role.
create function pg_temp.ways(role name) returns setof text language sql as $$
	select w from unnest(array[
		'set session_replication_role = replica',
		'create or replace function ledger.refuse() returns trigger language plpgsql as ''begin return new; end''',
		'drop trigger no_change on ledger.step',
		'alter table ledger.step no force row level security',
		'drop table ledger.step cascade',
		'create table ledger.mine (a int)',
		'create temporary table mine (a int)',
		'create function ledger.mine() returns int language sql as ''select 1''',
		'create schema mine',
		'alter role current_user superuser',
		'create role mine',
		'copy ledger.claim to program ''true''',
		'copy ledger.claim from ''/dev/null''',
		'select pg_read_file(''/etc/passwd'')',
		'select lo_creat(-1)',
		'select lo_from_bytea(0, '''')',
		'select pg_logical_emit_message(false, '''', '''')',
		'select pg_advisory_lock(hashtext(''ledger.four_eyes''))',
		'select pg_try_advisory_xact_lock_shared(1, 1)',
		'select setval(''ledger.operator_action_id_seq'', 1)'] || case role
			when 'migrator' then '{}'::text[] else array['set role ledger_owner', 'select pg_advisory_xact_lock(1)'] end) w
	where tap.may(role, w)
$$;
select is_empty(format('select pg_temp.ways(%L)', role), format('%s finds no way round its rights', role)) from roles;

-- Reading.
select is(array(select r.role from roles r where has_column_privilege(r.role, split_part(column_name, ' ', 1),
	split_part(column_name, ' ', 2), 'select') order by 1), readers, format('%s is read by %s', column_name, readers)) from secret;
select is_empty($$ select a from tap.all_allowed('auditor', 's') a where a !~ '^audit\.' $$, 'auditor reads schema audit alone');
select is_empty($$ select a from tap.all_allowed('nobody_at_all', 's') a $$, 'nobody reads by being somebody');

-- Lent rights.
select bag_eq($$ select p.proname, array(select r.role from tap.roles r where has_function_privilege(r.role, p.oid, 'execute')
	order by 1) from pg_proc p where p.pronamespace in ('ledger'::regnamespace, 'audit'::regnamespace) and p.prosecdef $$,
	'select * from lent', 'who may call what acts with its owner''s rights');
select is_empty($$ select p.proname from pg_proc p where p.pronamespace in ('ledger'::regnamespace, 'audit'::regnamespace)
	and p.prosecdef and not 'search_path=pg_catalog, pg_temp' = any (p.proconfig) $$,
	'each of them looks names up in pg_catalog first');
select is_empty($$ select r.role from tap.roles r join pg_roles p on p.rolname = r.role where p.rolsuper or p.rolbypassrls
	or p.rolcreaterole or p.rolcreatedb or p.rolreplication $$, 'no role is above the rules');
select is_empty($$ select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member
	where a.roleid in ('ledger_owner'::regrole, 'switch_rw'::regrole) and m.rolname <> 'migrator' $$,
	'only a migration can become the owner');

select * from finish();
rollback;
