-- Entries and raw messages belong to a step.
select 'entry' as what, payment, version from ledger.entry e
where not exists (select from ledger.step s where s.payment = e.payment and s.version = e.version)
union
select 'raw', payment, version from ledger.raw r
where not exists (select from ledger.step s where s.payment = r.payment and s.version = r.version)
