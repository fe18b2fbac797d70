-- The cached totals are the sums of the entries, detached months included.
select account, t.posted, s.posted as entries_posted, t.reserved, s.reserved as entries_reserved
from ledger.account_total t
full join (
	select account, sum(posted) as posted, sum(reserved) as reserved
	from (
		select account, coalesce(sum(amount) filter (where kind = 3), 0) as posted,
			coalesce(sum(amount) filter (where kind <> 3), 0) as reserved
		from ledger.entry group by account
		union all
		select account, posted, reserved from ledger.account_opening
	) e group by account
) s using (account)
where coalesce(t.posted, 0) <> coalesce(s.posted, 0) or coalesce(t.reserved, 0) <> coalesce(s.reserved, 0)
