-- A claim has its payment, unless that payment's month was detached.
select c.digest, c.payment, c.seq
from ledger.claim c
where not exists (select from ledger.step s where s.payment = c.payment and s.version = 1)
	and c.payment >= coalesce((select kept_from from ledger.detached where name like 'step%'
		order by kept_from desc limit 1), '00000000-0000-0000-0000-000000000000')
