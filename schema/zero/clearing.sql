-- What was taken up for clearing is what its step posted, and a window that is closed is the sum of its items.
select 'item' as what, i.payment::text as which, i.version as at, i.agreement, i.currency, i.net, e.net as posted
from (
	select payment, version, agreement, currency, sum(gross + fees) as net,
		(select sum(f.amount) from ledger.clearing_fee f where f.payment = c.payment and f.version = c.version
			and f.side = any (array_agg(c.side))) as fees, sum(fees) as said
	from ledger.clearing_item c group by 1, 2, 3, 4
) i
left join lateral (select sum(l.amount) as net from ledger.entry l where l.payment = i.payment
	and l.version = i.version and l.kind = 3 and l.account >> 26 = 1 and (l.account >> 10) & 65535 = i.agreement
	and l.currency = i.currency) e on true
where (i.net <> coalesce(e.net, 0) or i.said <> coalesce(i.fees, 0))
	and i.payment >= coalesce((select kept_from from ledger.detached where name like 'entry%'
		order by kept_from desc limit 1), '00000000-0000-0000-0000-000000000000')
union all
select 'window', w.day::text, null, w.agreement, w.currency, w.gross + w.fees, sum(i.gross + i.fees)
from ledger.clearing_window w left join ledger.clearing_item i using (agreement, currency, day)
group by w.agreement, w.currency, w.day
having w.gross <> coalesce(sum(i.gross), 0) or w.fees <> coalesce(sum(i.fees), 0)
