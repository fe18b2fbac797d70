-- A payment three ways: the acquirer's file, the ledger, the issuer's file.
set role ledger_owner;

-- Each movement of a payment, what it settled with either side, and what their files said of it. A file is
-- compared with the items of its window, so two that agree with theirs agree with one another as far as the
-- books lead from one to the other; where they do not, `ours` and `theirs` of each stand in audit.difference.
create view audit.three_ways as
	with side as (
		select i.payment, i.kind, i.seq, i.side, p.name as participant, i.day, i.gross, i.fees, i.currency,
			i.amount, i.order_currency,
			case when not exists (select from ledger.recon_file f where f.agreement = i.agreement and f.day = i.day)
				then 'no file'
			else coalesce((select string_agg(distinct k.sentence, '; ' order by k.sentence)
				from ledger.exception_item e join ledger.recon_difference d on d.item = e.id
				left join ledger.exception_kind k on k.kind = d.kind
				where e.payment = i.payment and e.version = i.version and d.agreement = i.agreement), 'agreed') end as file
		from ledger.clearing_item i left join ledger.participant p on p.number = i.agreement
	), a as (select * from side where side = 'a'), i as (select * from side where side = 'i')
	select ledger.id_text(payment) as payment, case kind when 1 then 'payment' when 2 then 'refund' else 'reversal' end
			as movement, seq,
		coalesce(a.amount, i.amount) as amount, coalesce(a.order_currency, i.order_currency) as currency,
		a.participant as acquirer, a.day as acquirer_day, a.gross as acquirer_gross, a.fees as acquirer_fees,
		a.currency as acquirer_currency, a.file as acquirer_file,
		i.participant as issuer, i.day as issuer_day, i.gross as issuer_gross, i.fees as issuer_fees,
		i.currency as issuer_currency, i.file as issuer_file, payment as id
	from a full join i using (payment, kind, seq);
revoke all on audit.three_ways from public;
grant select on audit.three_ways to auditor, auditor_ro, recon;

-- As before, but of the tables themselves: ledger.settlement_state reads them with the rights of who asks, which
-- `auditor` has not, and so the view answered him with a refusal.
create or replace view audit.settlement as
	select s.id, n.name as participant, s.currency, s.first, s.through, s.terms, s.amount,
		case when c.payment is not null or s.amount = 0 then 'confirmed' when i.at is not null then 'instructed'
			when s.terms = 'by_us' and s.amount < 0 then 'to instruct' else 'expected' end as state,
		i.at as instructed_at, i.operator as instructed_by, ledger.id_text(c.payment) as payment, c.amount as booked,
		c.at as confirmed_at, c.operator as confirmed_by
	from ledger.settlement s
	left join ledger.participant n on n.number = s.agreement
	left join lateral (select a.at, a.operator from ledger.proposal p join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement instruct' and p.object = s.id::text) i on true
	left join lateral (select a.at, a.operator, a.payment, p.amount from ledger.proposal p
		join ledger.approval a on a.proposal = p.id
		where p.action = 'settlement confirm' and split_part(p.object, ' ', 1) = s.id::text limit 1) c on true;

insert into ledger.schema_info (version) values (60);
reset role;
