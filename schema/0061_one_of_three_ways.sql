-- A payment three ways, asked for by its id, costs what that payment costs.
set role ledger_owner;

-- As 0060 has it, row for row. There the whole ledger was computed before the one payment was looked for: a full join lets
-- no condition through, and what is named once and read twice is kept.
create or replace view audit.three_ways as
	with side as not materialized (
		select i.payment, i.kind, i.seq, i.side, p.name as participant, i.day, i.gross, i.fees, i.currency,
			i.amount, i.order_currency,
			case when not exists (select from ledger.recon_file f where f.agreement = i.agreement and f.day = i.day)
				then 'no file'
			else coalesce((select string_agg(distinct k.sentence, '; ' order by k.sentence)
				from ledger.exception_item e join ledger.recon_difference d on d.item = e.id
				left join ledger.exception_kind k on k.kind = d.kind
				where e.payment = i.payment and e.version = i.version and d.agreement = i.agreement), 'agreed') end as file
		from ledger.clearing_item i left join ledger.participant p on p.number = i.agreement
	), m as (select distinct payment, kind, seq from ledger.clearing_item)
	select ledger.id_text(m.payment) as payment, case m.kind when 1 then 'payment' when 2 then 'refund' else 'reversal' end
			as movement, m.seq,
		coalesce(a.amount, i.amount) as amount, coalesce(a.order_currency, i.order_currency) as currency,
		a.participant as acquirer, a.day as acquirer_day, a.gross as acquirer_gross, a.fees as acquirer_fees,
		a.currency as acquirer_currency, a.file as acquirer_file,
		i.participant as issuer, i.day as issuer_day, i.gross as issuer_gross, i.fees as issuer_fees,
		i.currency as issuer_currency, i.file as issuer_file, m.payment as id
	from m left join side a on (a.payment, a.kind, a.seq, a.side) = (m.payment, m.kind, m.seq, 'a')
	left join side i on (i.payment, i.kind, i.seq, i.side) = (m.payment, m.kind, m.seq, 'i');

insert into ledger.schema_info (version) values (61);
reset role;
