-- Postings of a step sum to zero in every currency.
select payment, version, currency, sum(amount) as surplus
from ledger.entry where kind = 3
group by payment, version, currency having sum(amount) <> 0
