-- Versions begin at one and have no gap.
select payment, min(version) as first, max(version) as last, count(*) as steps
from ledger.step group by payment
having min(version) <> 1 or max(version) <> count(*)
