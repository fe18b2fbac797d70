-- What people read. security_invoker: row security sees who asks, not who owns the view.
set role ledger_owner;

create view ledger.payment with (security_invoker = true) as
	select distinct on (payment) payment, ledger.id_time(payment) as began_at, at as changed_at, version,
		state & 255 as state, state & 256 <> 0 as final, acquirer, issuer, mode, amount, currency
	from ledger.step order by payment, version desc;

create view ledger.posting with (security_invoker = true) as
	select e.payment, e.version, e.line, k.name as class, a.agreement, a.name as account, e.currency,
		case e.kind when 1 then 'reserve' when 2 then 'release' else 'post' end as kind, e.amount
	from ledger.entry e
	join ledger.account a on a.number = e.account
	join ledger.account_class k on k.class = a.class;

create view ledger.balance with (security_invoker = true) as
	select a.number as account, k.name as class, a.agreement, a.currency, a.name, t.posted, t.reserved,
		t.cap, t.stopped
	from ledger.account a
	join ledger.account_class k on k.class = a.class
	join ledger.account_total t on t.account = a.number;

create view ledger.exception_open with (security_invoker = true) as
	select i.* from ledger.exception_item i
	where not exists (select from ledger.exception_close c where c.item = i.id);

insert into ledger.schema_info (version) values (6);
reset role;
