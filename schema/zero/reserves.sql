-- A payment that is final holds nothing back but its room of a day (accounts above 2^30), and nobody
-- releases what was not reserved.
select r.payment, r.account, r.held, p.final
from (
	select payment, account, sum(amount) as held
	from ledger.entry where kind in (1, 2)
	group by payment, account having sum(amount) <> 0
) r
join ledger.payment p on p.payment = r.payment
where r.held < 0 or (p.final and r.account >> 30 = 0)
