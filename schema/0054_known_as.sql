-- By which ids others know a payment, so that a trace of any of them reads no more than one payment.
set role ledger_owner;

-- Ids that stand in records: of the issuer's for the payment and its refunds, of requests, of orders. Taken up behind
-- the payments by who clears. A cache: it only says where to look, and whoever reads it looks.
create table ledger.known_as (
	digest bytea not null,		-- 8 bytes, of SHA-256 of the id
	payment uuid not null,
	primary key (digest, payment)
);
alter table ledger.known_as alter digest set storage plain;
-- How far steps were taken up: all transactions below it.
create table ledger.known_upto (
	one bool primary key default true check (one),
	upto xid8 not null
);
insert into ledger.known_upto (upto) values ('0');
select ledger.guard('ledger.known_as');

-- An array of objects: a payment and its ids. How many were new.
create function ledger.known_add(upto xid8, names text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n bigint;
begin
	insert into ledger.known_as (digest, payment)
		select distinct substring(sha256(convert_to(i, 'UTF8')) for 8), x.payment
		from jsonb_to_recordset(names::jsonb) as x(payment uuid, ids jsonb), jsonb_array_elements_text(x.ids) i
		order by 1, 2 on conflict do nothing;
	get diagnostics n = row_count;
	update ledger.known_upto k set upto = upto where k.upto < upto;
	return n;
end
$$;
revoke all on ledger.known_as, ledger.known_upto from public;
revoke all on function ledger.known_add from public;
grant execute on function ledger.known_add to recon;
grant select on ledger.known_as, ledger.known_upto to sealer, recon, auditor_ro;

insert into ledger.schema_info (version) values (54);
reset role;
