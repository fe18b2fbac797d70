-- Every row found its month.
select 'step' as what, payment from ledger.step_default
union all select 'entry', payment from ledger.entry_default
union all select 'raw', payment from ledger.raw_default
