-- The partners' own books beside ours: table `difference` has a row for each payment and participant
-- where they are not equal, and is empty when all is well. For psql, as a role that reads the ledger.
--
--   books  file: one JSON object a line, {"name": participant, "lines": [lines of its book]}
--   since  when those books were begun: what is older they cannot know
set client_min_messages = warning;

create temp table book (line jsonb);
\set load '\\copy book from ' :'books' ' with (format csv, quote e''\\x01'', delimiter e''\\x02'')'
:load

-- A till knows a payment by the order that it made: the payment's own id for both.
create temp view named as
	select ledger.id_text("order") as id, ledger.id_text(payment) as payment from ledger.order_payment;

-- What a payment moved on each participant's account with us: + they owe us more. `fee` is ours, and
-- part of that; a partner's book knows the payment and not what we take for it.
create temp view moved as
	select e.payment, a.agreement as participant, e.currency,
		coalesce(sum(e.amount) filter (where a.class = 1), 0)::bigint as amount,
		-coalesce(sum(e.amount) filter (where a.class = 3), 0)::bigint as fee
	from ledger.entry e join ledger.account a on a.number = e.account
	where e.kind = 3 and a.class in (1, 3)
		-- what people book: a deposit, a settlement, a difference
		and not exists (select from ledger.step s where s.payment = e.payment and s.version = 1 and s.mode in ('d', 's', 'x'))
	group by 1, 2, 3;

-- Their lines, with our sign. A wallet that only scanned moved nothing. A book that is full keeps what
-- it forgot as sums without an id.
create temp table line as
	select p.number as participant, coalesce(o.payment, nullif(left(l ->> 'id', 26), '')) as id,
		l ->> 'currency' as currency,
		((l ->> 'taken')::bigint - (l ->> 'returned')::bigint)
			* case when l ->> 'role' in ('acquirer', 'credit') or l ->> 'leg' like 'mpp-%' then -1 else 1 end as amount,
		l ->> 'state' = 'forgotten' as forgotten
	from book
	join ledger.participant p on p.name = book.line ->> 'name', jsonb_array_elements(book.line -> 'lines') l
	left join named o on o.id = left(l ->> 'id', 26)
	where l ->> 'role' is distinct from 'scan';

-- One row for each payment and side.
create temp table theirs as
	select participant, id, currency, sum(amount)::bigint as amount
	from line where id is not null group by 1, 2, 3;
create temp table ours as
	select participant, ledger.id_text(payment) as id, currency, amount - fee as amount,
		ledger.id_time(payment) >= :'since' as told
	from moved -- what is neither told nor theirs is not compared, and may be millions
	where ledger.id_time(payment) >= :'since' or ledger.id_text(payment) in (select id from theirs);
analyze theirs, ours;

create temp table difference as
	select coalesce(t.id, o.id) as id, p.name as participant, coalesce(t.currency, o.currency) as currency,
		coalesce(o.amount, 0) as ours, coalesce(t.amount, 0) as theirs
	from theirs t
	full join ours o using (participant, id, currency)
	join ledger.participant p on p.number = coalesce(t.participant, o.participant)
	where coalesce(o.amount, 0) <> coalesce(t.amount, 0)
		and (t.id is not null or o.told and not exists (
			select from line f where f.forgotten and f.participant = o.participant));

-- Where some are forgotten, the whole book beside all of ours.
insert into difference
	select 'all of them', p.name, currency, coalesce(o.amount, 0), coalesce(t.amount, 0)
	from (select participant, currency, sum(amount)::bigint as amount from line group by 1, 2) t
	full join (select participant, currency, sum(amount)::bigint as amount from ours where told group by 1, 2) o
		using (participant, currency)
	join ledger.participant p on p.number = participant
	where coalesce(o.amount, 0) <> coalesce(t.amount, 0)
		and participant in (select f.participant from line f where f.forgotten);
