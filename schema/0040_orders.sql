-- Orders that come back: a payment whose payer's wallet refused for certain leaves a claim of its own to
-- be taken in place of the order's (core/order.c), and so from payment to payment.
set role ledger_owner;

-- Orders and the payments that have them, or had them last.
create or replace view ledger.order_payment with (security_invoker = true) as
	select s.payment as "order", last.payment, last.at as taken_at
	from ledger.step s, lateral (
		with recursive had (payment, at, turn) as (
			select c.payment, c.at, 1
			from ledger.claim c
			where c.digest = ledger.order_claim(s.payment) and c.payment <> s.payment
			union all
			select c.payment, c.at, h.turn + 1
			from had h join ledger.claim c on c.digest = ledger.order_claim(h.payment)
			where c.payment <> s.payment)
		select h.payment, h.at from had h order by h.turn desc limit 1) last
	where s.version = 1 and s.op = 13;

insert into ledger.schema_info (version) values (40);
reset role;
