-- What a run of demonstration payments came to: each payment as both sides were told it, balances,
-- and the partners' own books beside ours. For psql, as a role that reads the ledger.
--
--   crossed  file: corridor, our id of the payment, the word that the partner was told, the one that
--            was expected; tab separated
--   books    file: one JSON object a line, {"name": participant, "lines": [its book]}
--   since    when the fakes began to keep their books: what is older they cannot know
--   zero     rows of the queries that must return none
--   json     file for the same as one JSON object
\set QUIET on
\pset footer off
\pset border 0
set client_min_messages = warning;

create temp table crossed (n int generated always as identity, corridor text, id text, told text, expected text);
\set load '\\copy crossed (corridor, id, told, expected) from ' :'crossed'
:load
\ir books.sql

-- Minor units with two decimals, which is what the currencies of this run have.
create function pg_temp.major(minor numeric, currency text) returns text language sql immutable as
	$$ select to_char(minor / 100, 'FM999999999990.00') || ' ' || currency $$;

create temp view corridor as
	select c.n, c.corridor, c.id, c.told, c.expected, p.final,
		p.amount, p.currency, i.amount as payer_amount, i.currency as payer_currency,
		-a.amount as merchant_amount, a.currency as merchant_currency, a.fee,
		pi.name as issuer, pa.name as acquirer
	from crossed c
	left join named o on o.id = c.id
	left join ledger.payment p on ledger.id_text(p.payment) = coalesce(o.payment, c.id)
	left join moved i on i.payment = p.payment and i.participant = p.issuer
	left join moved a on a.payment = p.payment and a.participant = p.acquirer
	left join ledger.participant pi on pi.number = p.issuer
	left join ledger.participant pa on pa.number = p.acquirer;

create temp table balance as
	select currency, class, name, posted, reserved from ledger.balance where posted <> 0 or reserved <> 0;
create temp table total as
	select currency, sum(posted)::bigint as posted from ledger.balance group by currency;

select corridor, id as payment, pg_temp.major(amount, currency) as amount, issuer as payer,
	pg_temp.major(payer_amount, payer_currency) as "owes us", acquirer as payee,
	pg_temp.major(merchant_amount, merchant_currency) as "is owed",
	case when fee > 0 then pg_temp.major(fee, merchant_currency) end as fee, told as state,
	case when told = expected and final then '' when final then 'not ' || expected else 'not final' end as " "
from corridor order by n;

select currency, class, name as account, to_char(posted / 100.0, 'FM999999999990.00') as posted,
	to_char(reserved / 100.0, 'FM999999999990.00') as reserved
from balance order by currency, class, name;
select currency, posted as "sum of all accounts" from total order by currency;

create temp view settled as
	select s.participant, s.first, s.through, s.amount, s.currency, i.two as instructed, c.two as confirmed, s.payment
	from audit.settlement s
	join lateral (select format('%s, %s', proposed_login, approved_login) as two from audit.two_people t
		where t.action = 'settlement confirm' and t.payment = s.payment) c on true
	left join lateral (select format('%s, %s', proposed_login, approved_login) as two from audit.two_people t
		where t.action = 'settlement instruct' and t.object = s.id::text and t.approved_at is not null) i on true;
select participant as settled, first as since, through, pg_temp.major(abs(amount), currency) as amount,
	instructed as "instructed by", confirmed as "confirmed by" from settled order by through, participant;

select count(*) = 0 as equal, (select count(*) from theirs where amount <> 0) as compared from difference \gset
\if :equal
	\echo :compared 'entries in the partners'' own books, each equal to ours'
\else
	\echo 'the partners'' own books differ:'
	select participant, id as payment, currency, ours, theirs from difference order by 1, 2;
\endif
\echo

\pset tuples_only on
\pset format unaligned
\o :json
select jsonb_build_object(
	'corridors', (select coalesce(jsonb_agg(jsonb_build_object('corridor', corridor, 'payment', id, 'state', told,
			'expected', expected, 'final', coalesce(final, false), 'issuer', issuer, 'acquirer', acquirer,
			'amount', jsonb_build_object('currency', currency, 'value', amount::text),
			'wallet_owes', jsonb_build_object('currency', payer_currency, 'value', payer_amount::text),
			'merchant_gets', jsonb_build_object('currency', merchant_currency, 'value', merchant_amount::text),
			'fee', jsonb_build_object('currency', merchant_currency, 'value', fee::text)) order by n), '[]')
		from corridor),
	'balances', (select coalesce(jsonb_agg(jsonb_build_object('account', name, 'class', class, 'currency', currency,
			'posted', posted, 'reserved', reserved) order by currency, class, name), '[]') from balance),
	'settlements', (select coalesce(jsonb_agg(to_jsonb(settled) order by through, participant), '[]') from settled),
	'totals', (select coalesce(jsonb_object_agg(currency, posted), '{}') from total),
	'books_equal', :'equal'::bool and :'zero' = '' and not exists (select from total where posted <> 0)
		and not exists (select from corridor where final is not true));
\o
