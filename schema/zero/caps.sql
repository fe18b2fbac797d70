-- A limit is what somebody last set it to, with name and reason.
select t.account, t.cap, t.stopped, c.cap as set_to, c.stopped as set_stopped
from ledger.account_total t
left join lateral (
	select cap, stopped from ledger.account_cap h where h.account = t.account order by at desc limit 1
) c on true
where t.cap is distinct from c.cap or t.stopped <> coalesce(c.stopped, false)
