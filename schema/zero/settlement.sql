-- What was booked for a settlement is on the bank and the position, once, and no window is settled twice.
select 'booked' as what, s.id, s.booked, e.bank, e.position
from ledger.settlement_state s
left join lateral (select sum(amount) filter (where account >> 26 = 5) as bank,
	sum(amount) filter (where account >> 26 = 1 and (account >> 10) & 65535 = s.agreement) as position
	from ledger.entry where payment = s.payment and kind = 3 and currency = s.currency) e on true
where s.payment is not null and (s.booked is distinct from e.bank or s.booked is distinct from -e.position)
	and s.payment >= coalesce((select kept_from from ledger.detached where name like 'entry%'
		order by kept_from desc limit 1), '00000000-0000-0000-0000-000000000000')
union all
select 'twice', a.id, b.id, null, null
from ledger.settlement a join ledger.settlement b on a.agreement = b.agreement and a.currency = b.currency
	and a.id < b.id and a.first <= b.through and b.first <= a.through
union all
select 'amount', s.id, s.amount, sum(w.gross + w.fees), null
from ledger.settlement s left join ledger.clearing_window w on w.agreement = s.agreement
	and w.currency = s.currency and w.day between s.first and s.through
group by s.id, s.amount having s.amount <> coalesce(sum(w.gross + w.fees), 0)
