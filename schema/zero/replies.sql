-- A final answer never changes.
select payment, reply_seq, count(distinct (reply_status, reply)) as answers
from ledger.step where reply_seq is not null
group by payment, reply_seq having count(distinct (reply_status, reply)) > 1
