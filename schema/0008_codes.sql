-- What stands between a shown code and its payment.
--
-- Payer codes that went through us, as keyed hashes until they expire: a till that scans one reaches the
-- wallet straight and not round by the scheme. Not part of the books: a queue in which nothing waits.
set role ledger_owner;

create table ledger.shown_code (
	hash bytea primary key,		-- 16 bytes, keyed: the code itself is nowhere
	peer smallint not null references ledger.participant (number),
	payer text not null,		-- the wallet's own token of its user
	until timestamptz not null
);
create index shown_code_until on ledger.shown_code (until);

-- `hashes`: 16 bytes each, one behind the other.
create function ledger.codes_keep(hashes bytea, peer smallint, payer text, until timestamptz) returns int
language plpgsql as $$
#variable_conflict use_variable
declare
	n constant int := length(hashes) / 16;
begin
	insert into ledger.shown_code as s (hash, peer, payer, until)
		select substring(hashes from 16 * i + 1 for 16), peer, payer, until
		from generate_series(0, n - 1) i
		on conflict (hash) do update set peer = excluded.peer, payer = excluded.payer,
		until = excluded.until;
	return n;
end
$$;

grant select, insert, delete, update on ledger.shown_code to switch_rw;
grant execute on function ledger.codes_keep to switch_rw;

-- Our ids as partners see them: 128 bits in base 32, the first digit at most 7.
create function ledger.id_text(id uuid) returns text
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
	select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', substring(b from n for 5)::int + 1, 1), ''
		order by n)
	from (values (b'00' || ('x' || replace(id::text, '-', ''))::bit(128))) v (b), generate_series(1, 126, 5) n
$$;

-- The claim by which one payment, a cancel or the expiry takes an order of ours (core/order.c): each
-- part of the digest has its length in front.
create function ledger.order_claim(id uuid) returns bytea
language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp, ledger as $$
	select substring(sha256('\x00020000'::bytea || '\x0005'::bytea || 'order'::bytea || '\x001a'::bytea
		|| convert_to(ledger.id_text(id), 'UTF8')) for 16)
$$;

-- Orders and the payments that have taken them. 13 is the operation that makes an order.
create view ledger.order_payment with (security_invoker = true) as
	select s.payment as "order", c.payment, c.at as taken_at
	from ledger.step s join ledger.claim c on c.digest = ledger.order_claim(s.payment)
	where s.version = 1 and s.op = 13 and c.payment <> s.payment;

grant execute on function ledger.id_text, ledger.order_claim
	to switch_rw, sealer, recon, auditor_ro, console_ro;
grant select on ledger.order_payment to switch_rw, sealer, recon, auditor_ro;

insert into ledger.schema_info (version) values (8);
reset role;
