-- Reserves are positive, releases negative, postings not nothing; every line is in its account's currency.
select e.payment, e.version, e.line, e.account, e.kind, e.currency, e.amount
from ledger.entry e left join ledger.account a on a.number = e.account
where a.number is null or a.currency <> e.currency
	or not case e.kind when 1 then e.amount > 0 when 2 then e.amount < 0 else e.kind = 3 and e.amount <> 0 end
