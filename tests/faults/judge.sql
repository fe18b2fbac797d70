-- After a row: what the caller was told, the ledger, and the partners' books. Prints one line: lost,
-- doubled, left in doubt, other faults. For psql; variables as in deploy/demo/books.sql.
--
-- lost     somebody moved or was told of money that the ledger does not have so
-- doubled  a wallet took more than the ledger says
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset fieldsep ' '
\ir ../../deploy/demo/books.sql

-- A till's difference is a word that was not kept, whichever way.
create temp table verdict as
	select d.*, abs(theirs) > abs(ours)
		and not exists (select from line l join ledger.participant p on p.number = l.participant
			where p.name = d.participant and p.name = 'till-eur') as doubled
	from difference d;

create temp table fault as
	select 'reserved on ' || name || ': ' || reserved as what from ledger.balance b
		where reserved <> 0 and not exists (select from ledger.exception_open)
	union all
	select 'posted in ' || currency || ': ' || sum(posted) from ledger.balance group by currency
		having sum(posted) <> 0;
create temp table open as
	select payment from ledger.payment p where not final
		and not exists (select from ledger.exception_open x where x.payment = p.payment);

\o :faults
select what from fault;
select case when doubled then 'doubled' else 'lost' end || ': ' || participant || ' ' || id || ': ' || ours || ' here, '
	|| theirs || ' there, ' || currency from verdict limit 20;
select 'in doubt: ' || ledger.id_text(payment) from open limit 20;
\o
select (select count(*) from verdict where not doubled), (select count(*) from verdict where doubled),
	(select count(*) from open), (select count(*) from fault);
