-- What the matrix judges its payments by, as one JSON object. For psql, as a role that reads the ledger; variables as in
-- deploy/demo/books.sql, by which the partners' books are laid beside ours.
\set QUIET on
\pset tuples_only on
\pset format unaligned
\ir ../../deploy/demo/books.sql

select json_build_object(
	'payments', (select coalesce(json_agg(json_build_object('id', ledger.id_text(payment), 'state', state, 'final', final,
		'issuer', issuer, 'acquirer', acquirer, 'mode', mode, 'amount', amount, 'currency', currency,
		'steps', (select json_agg(json_build_object('kind', kind, 'op', op)) from ledger.step s where s.payment = p.payment))), '[]') from ledger.payment p),
	'orders', (select coalesce(json_object_agg(id, payment), '{}') from named),
	'ours', (select coalesce(json_agg(ours), '[]') from ours),
	'difference', (select coalesce(json_agg(difference), '[]') from difference),
	'exceptions', (select coalesce(json_agg(json_build_object('payment', ledger.id_text(payment), 'detail', detail)), '[]')
		from ledger.exception_open),
	'reserved', (select coalesce(json_agg(json_build_object('account', name, 'reserved', reserved)), '[]')
		from ledger.balance where reserved <> 0),
	'posted', (select coalesce(json_agg(s), '[]') from (select currency, sum(posted)::bigint as sum from ledger.balance
		group by 1 having sum(posted) <> 0) s));
