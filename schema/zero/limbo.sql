-- Somebody is going to look at every payment that is not final: it has an alarm clock.
select p.payment, p.version, p.state
from ledger.payment p
where not p.final and not exists (select from ledger.due d where d.payment = p.payment)
