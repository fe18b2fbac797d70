-- After a run: is all of it final, is nothing held back, do the partners' books equal ours? Prints one
-- line: faults, entries compared, bytes stored. For psql; variables as in deploy/demo/books.sql.
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep ' '
\ir ../deploy/demo/books.sql

create temp table fault as
	select 'not final: ' || count(*) as what from ledger.payment where not final having count(*) > 0
	union all
	select 'reserved on ' || name || ': ' || reserved from ledger.balance where reserved <> 0
	union all
	select 'posted in ' || currency || ': ' || sum(posted) from ledger.balance group by currency
		having sum(posted) <> 0
	union all
	select participant || ' ' || id || ': ' || ours || ' here, ' || theirs || ' there, ' || currency
		from difference;
\o :faults
select what from fault limit 20;
\o
select (select count(*) from fault), (select count(*) from theirs where amount <> 0),
	(select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'ledger' and c.relkind = 'r');
