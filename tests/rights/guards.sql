-- Rows stay as they are, whoever asks: the owner of the tables, a superuser, and a superuser who plays a
-- replica, for whom ordinary triggers do not fire.
\i support.sql

-- Queues and caches change by nature; schema/README.md says so of each.
create temporary table working as select unnest(array['account_total', 'block', 'code_rules_due', 'day_limit', 'due', 'known_upto', 'member_due', 'operator_request',
	'outbox', 'payer_binding', 'payment_key', 'registration_due', 'shown_code']) as name;
create temporary view guarded as
	select t.* from tables t where name ~ '^ledger\.' and relkind in ('r', 'p')
	and split_part(name, '.', 2) not in (select w.name from working w where w.name <> 'block');

-- A row in every table that grows, by the product's own calls where it has some.
\o /dev/null
insert into ledger.participant (number, name) values (1, 'wallet'), (2, 'till');
select ledger.account_ensure(1::smallint, 1, 978::smallint, 'EUR', 'position wallet EUR');
select ledger.account_ensure(1::smallint, 2, 978::smallint, 'EUR', 'position till EUR');
select ledger.account_ensure(5::smallint, 0, 978::smallint, 'EUR', 'bank EUR');
select ledger.cap_set((1 << 26) + (1 << 10) + 978, 100000, false, 'somebody', 'a first limit');
select ledger.deposit_book('wallet', 5000, 'EUR', 'reference-1', operator, 'money came') from (values ('somebody'), ('another')) v (operator);
create temporary table one as select payment from ledger.step;
insert into ledger.raw (payment, version, n, peer, op, direction, head, body)
	select payment, 1, 1, 1, 1, 'i', 'GET /', 'sealed' from one;
insert into ledger.exception_item (payment, version, kind, detail) select payment, 1, 1, 'detail' from one;
select ledger.operator_close(id, 'somebody', 'looked at') from ledger.exception_item;
insert into ledger.delivery (id, payment, seq, peer, attempts) select gen_random_uuid(), payment, 0, 1, 1 from one;
insert into ledger.account_opening (account, month, posted, reserved) select number, '2020-01-01', 0, 0 from ledger.account;
insert into ledger.detached (name, kept_from) select 'step_202001', payment from one;
select ledger.merchant_add('till', 'm1', '', 'Café', '', '5812', 'FI', 'Turku', '', 'EUR', 'somebody', 'a new one');
select ledger.merchant_scheme_set(token, 'alipayplus', 'asked', '', 'somebody', 'to be registered') from ledger.merchant;
select ledger.clear('1', format('[{"payment": "%s", "version": 1, "side": "i", "agreement": 1, "kind": 1, "seq": 0, "day": "2026-01-15",
	"learnt_at": "2026-01-15", "moved_at": "2026-01-15", "amount": 5, "order_currency": "EUR", "gross": 5, "currency": "EUR", "fees": -1,
	"request_id": "", "peer_id": "", "refund_request_id": "", "refund_peer_id": "", "merchant": "", "store": "", "brand": "",
	"fee": [{"name": "service", "amount": -1}]}]', payment)) from one;
select ledger.known_add('1', format('[{"payment": "%s", "ids": ["theirs"]}]', payment)) from one;
select ledger.windows_close(1, '2026-01-15');
select ledger.settlement_open(1, 'EUR', '2026-01-15', 'by_peer', 'somebody');
select ledger.recon_book('file', 1, '2026-01-15', 'file.csv', 1, 'somebody', 'anybody', '[{"kind": 22, "currency": "EUR", "ours": 5,
	"theirs": 4, "reference": "r", "line": 1, "detail": "another amount"}]');
select ledger.exception_settle(item, true, operator, 'their file is right') from ledger.recon_difference,
	(values ('somebody'), ('another')) v (operator);
select ledger.registration_ask(token, 'wallet', '', '', '', 'somebody', 'a new one') from ledger.merchant;
select ledger.code_rules_keep(1::smallint, '1', '[]');
insert into ledger.block (first, upto, count, hashes, kept) values (0, '1', 1, decode(repeat('00', 32), 'hex'), '');
insert into ledger.checkpoint (size, note, frontier) values (1, 'note', '');
\o

create temporary view filled as
	select g.name from guarded g where (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %s', g.name),
		false, true, '')))[1]::text <> '0';

-- The statements that must fail, as that role and with that setting; those that did not, or for another
-- reason than the guard, are the answer.
create function pg_temp.unguarded(role name, replication text) returns setof text language plpgsql as $$
declare
	t text;
	c pg_attribute;
	s text;
	said text;
begin
	for t in select name from filled loop
		for s in select format('delete from %s', t) union all select format('truncate %s cascade', t) union all
			select format('update %s set %I = %2$I', t, attname) from pg_attribute where attrelid = t::regclass
			and attnum > 0 and not attisdropped and attidentity = '' loop
			begin
				perform set_config('session_replication_role', replication, true);
				perform set_config('role', role, true);
				execute s;
				raise exception sqlstate 'UNDO0';
			exception
				when sqlstate 'UNDO0' then
					return next s;
				when others then
					get stacked diagnostics said = message_text;
					if said !~ 'is append-only$' then
						return next s || ': ' || said;
					end if;
			end;
		end loop;
	end loop;
end
$$;

select plan(9);
select is_empty($$ select name from guarded g where not relispartition and not exists (select from pg_trigger t
	where t.tgrelid = g.oid and t.tgname = 'no_change' and t.tgtype = 1 | 2 | 8 | 16 and t.tgenabled = 'A'
	and t.tgqual is null and t.tgattr = '' and t.tgfoid = 'ledger.refuse'::regproc) $$,
	'each table that grows refuses updates and deletes, by a trigger that always fires');
select is_empty($$ select name from guarded g where relispartition and not exists (select from pg_trigger t
	where t.tgrelid = g.oid and t.tgname = 'no_change' and t.tgtype = 1 | 2 | 8 | 16 and t.tgenabled = 'A'
	and t.tgqual is null and t.tgattr = '' and t.tgfoid = 'ledger.refuse'::regproc) $$, 'so does each month');
select is_empty($$ select name from guarded g where not exists (select from pg_trigger t where t.tgrelid = g.oid
	and t.tgname = 'no_truncate' and t.tgtype = 2 | 32 and t.tgenabled = 'A' and t.tgfoid = 'ledger.refuse'::regproc) $$,
	'each refuses to be emptied');
select cmp_ok((select count(*) from filled), '>=', 32::bigint, 'there is something in the tables that are tried');
select is_empty($$ select pg_temp.unguarded('ledger_owner', 'origin') $$, 'the owner changes no row');
select is_empty($$ select pg_temp.unguarded('none', 'origin') $$, 'a superuser changes no row');
select is_empty($$ select pg_temp.unguarded('none', 'replica') $$, 'nor one who plays a replica');

-- What does not balance is not taken, by nobody's hand.
prepare surplus as insert into ledger.entry (payment, amount, version, account, line, kind, currency)
	select payment, 1, 2, (1 << 26) + (1 << 10) + 978, 1, 3, 'EUR' from one;
select throws_ok('surplus', '23514', null, 'a superuser books no surplus');
set local session_replication_role = replica;
select throws_ok('surplus', '23514', null, 'nor one who plays a replica');

select * from finish();
rollback;
