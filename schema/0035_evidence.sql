-- The keys of payments. What a message says of a person is sealed under a key of its payment, derived from
-- the vault's, which is not in the database, and from random bytes that stand here and nowhere else: whoever
-- destroys these has erased what was sealed, and every row of it stays as it is. So this is a working table
-- and no part of the log, which keeps everything.
set role ledger_owner;

create table ledger.payment_key (
	payment uuid primary key,
	version smallint not null,	-- of the vault's key
	seed bytea not null,		-- 16 random bytes; 48 where an older version's was taken over
	payer text collate "C"		-- our name for who pays, where we have one
);
alter table ledger.payment_key alter seed set storage plain, alter payer set storage plain;
create index payment_key_payer on ledger.payment_key (payer) where payer is not null;
create trigger no_truncate before truncate on ledger.payment_key for each statement
	execute function ledger.refuse();
alter table ledger.payment_key enable always trigger no_truncate;

create type ledger.key_in as (item int, payment uuid, version smallint, seed bytea, payer text);

drop function ledger.commit_batch(uuid, uuid, ledger.claim_in[], ledger.step_in[], ledger.entry_in[],
	ledger.raw_in[], ledger.outbox_in[], ledger.due_in[], ledger.done_in[], ledger.exception_in[]);
-- As 0004 has it, and the keys.
create function ledger.commit_batch(lo uuid, hi uuid, claims ledger.claim_in[], steps ledger.step_in[],
	entries ledger.entry_in[], raws ledger.raw_in[], outs ledger.outbox_in[], dues ledger.due_in[],
	dones ledger.done_in[], exceptions ledger.exception_in[], keys ledger.key_in[]) returns setof ledger.answer
language plpgsql as $$
#variable_conflict use_column
declare
	clock constant timestamptz := clock_timestamp();
	xid constant xid8 := pg_current_xact_id();
	items constant int := cardinality(steps);
	answers ledger.answer[] := '{}';	-- final ones
	looked ledger.answer[] := '{}';
	out int[] := '{}';			-- items that this pass leaves out
	over ledger.answer;			-- the cap that the last pass met
	n int;
	d record;
	total record;
	met text;
begin
	-- The first pass hopes. A conflict undoes it, and the next one looks first and leaves out what has
	-- lost. Whatever undoes a later pass was committed by somebody else meanwhile, so the next look
	-- sees it and the batch shrinks.
	for pass in 0 .. items + 1 loop
		if pass > 0 then
			looked := array(select a from ledger.commit_look(
				array(select a.item from unnest(answers) a), claims, steps, entries) a);
			answers := answers || array(select a from unnest(looked) a where a.verdict <> 6);
			if over.verdict is not null and cardinality(looked) = 0 then
				-- The sum passes the cap, but no item alone does.
				return query select s.item, case items - cardinality(answers) when 1 then
					over.verdict else 6::smallint end, null::smallint, null::uuid, null::smallint,
					over.account, over.value, over.cap, null::bytea
					from unnest(steps) s where not s.item in (select a.item from unnest(answers) a)
					union all select a.* from unnest(answers) a;
				return;
			end if;
			looked := array(select a from unnest(looked) a where a.verdict = 6) || answers;
			out := array(select a.item from unnest(looked) a);
			over := null;
		end if;
		begin
			-- Who waits for whom: always claims by digest, steps by id, accounts by number, and
			-- everything else behind the step that owns it. So two batches cannot deadlock.
			if cardinality(claims) > 0 then
				insert into ledger.claim (digest, payment, seq, fingerprint, at)
					select digest, payment, seq, fingerprint, clock from unnest(claims)
					where not item = any (out) order by digest;
			end if;
			insert into ledger.step (payment, at, xact, amount, version, kind, op, state, acquirer,
				issuer, reply_seq, reply_status, mode, currency, record, evidence, reply)
				select payment, clock, xid, amount, version, kind, op, state, acquirer, issuer,
					reply_seq, reply_status, mode, currency, record, evidence, reply
				from unnest(steps) s
				where not item = any (out) and (version = 1 or exists (select from ledger.step p
					where p.payment = s.payment and p.version = s.version - 1
					and p.payment between lo and hi))
				order by payment, version;
			get diagnostics n = row_count;
			if n <> items - cardinality(out) then
				raise sqlstate 'XW001';	-- a predecessor is missing
			end if;
			if cardinality(entries) > 0 then
				insert into ledger.entry (payment, amount, version, account, line, kind, currency)
					select payment, amount, version, account, line, kind, currency
					from unnest(entries) where not item = any (out);
			end if;
			if cardinality(raws) > 0 then
				insert into ledger.raw (payment, version, n, peer, op, direction, key, head, body,
					signature)
					select payment, version, n, peer, op, direction, key, head, body, signature
					from unnest(raws) where not item = any (out);
			end if;
			if cardinality(keys) > 0 then
				insert into ledger.payment_key (payment, version, seed, payer)
					select payment, version, seed, payer from unnest(keys)
					where not item = any (out);
			end if;
			if cardinality(outs) > 0 then
				insert into ledger.outbox (id, payment, seq, peer, next_at, body)
					select id, payment, seq, peer, next_at, body
					from unnest(outs) where not item = any (out);
			end if;
			if cardinality(exceptions) > 0 then
				insert into ledger.exception_item (payment, version, kind, opened_at, detail)
					select payment, version, kind, clock, detail
					from unnest(exceptions) where not item = any (out);
			end if;
			if cardinality(dues) > 0 then
				insert into ledger.due as t (payment, at, secret)
					select payment, at, secret from unnest(dues) where not item = any (out)
					order by payment
					on conflict (payment) do update set at = excluded.at, leased_until = null,
					owner = null, secret = nullif(coalesce(excluded.secret, t.secret), '');
			end if;
			if cardinality(dones) > 0 then
				delete from ledger.due t using unnest(dones) u
					where t.payment = u.payment and not u.item = any (out);
			end if;
			-- Last, because every other batch that touches the account waits from here to the flush.
			for d in select account, bool_or(guarded) as guarded,
				coalesce(sum(amount) filter (where kind = 3), 0)::bigint as posted,
				coalesce(sum(amount) filter (where kind <> 3), 0)::bigint as reserved
				from unnest(entries) where not item = any (out) group by account order by account loop
				update ledger.account_total t
					set posted = t.posted + d.posted, reserved = t.reserved + d.reserved
					where account = d.account
					returning posted + reserved as value, cap, stopped into total;
				if not found then
					raise exception 'no account %', d.account;
				end if;
				if d.guarded and (total.stopped or total.value > total.cap) then
					over := (null, case when total.stopped then 5 else 4 end, null, null, null,
						d.account, total.value - d.posted - d.reserved, total.cap, null);
					raise sqlstate 'XW001';
				end if;
			end loop;
			return query select a.* from unnest(looked) a;
			return;
		exception
			when sqlstate 'XW001' then
				null;
			when unique_violation then
				get stacked diagnostics met = table_name;
				if met !~ '^(claim|step_)' then
					raise;	-- a bug, and not to be tried again
				end if;
		end;
	end loop;
	raise exception 'a batch of % items came to no end', items;
end
$$;

-- Whether something is still to happen to it that needs what was sealed.
create function ledger.is_under_way(payment uuid) returns bool
language sql stable set search_path = pg_catalog, pg_temp as $$
	select exists (select from ledger.due d where d.payment = is_under_way.payment)
$$;

-- A payment's key is destroyed: what its messages say of people is read by nobody any more. False where
-- there is none; refused while the payment is under way.
create function ledger.evidence_erase(payment uuid, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if ledger.is_under_way(payment) then
		raise exception 'the payment is under way' using errcode = '55006';
	end if;
	delete from ledger.payment_key k where k.payment = payment;
	if not found then
		return false;
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'evidence erase', payment::text, reason, format('by %s', session_user));
	return true;
end
$$;

-- He is forgotten, and so is what the messages of all his payments say of him.
create or replace function ledger.payer_erase(payer text, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	k uuid;
	erased int := 0;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if exists (select from ledger.payment_key p join ledger.due d on d.payment = p.payment
		where p.payer = payer) then
		raise exception 'a payment of % is under way', payer using errcode = '55006';
	end if;
	for k in select p.payment from ledger.payment_key p where p.payer = payer order by 1 loop
		erased := erased + ledger.evidence_erase(k, operator, reason)::int;
	end loop;
	delete from ledger.shown_code c where c.payer = payer;
	delete from ledger.payer_binding b where b.payer = payer;
	if not found and erased = 0 then
		return false;
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'payer erase', payer, reason,
		format('%s payments, by %s', erased, session_user));
	return true;
end
$$;

-- Retention: the keys of payments that began before that moment and are over, `most` of them at once. How
-- many there were.
create function ledger.evidence_expire(before timestamptz, most int, operator text, reason text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n bigint;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	delete from ledger.payment_key k using (select p.payment from ledger.payment_key p
		where p.payment < ledger.id_floor(before) and not ledger.is_under_way(p.payment)
		order by 1 limit most) old where k.payment = old.payment;
	get diagnostics n = row_count;
	if n > 0 then
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, 'evidence erase before', ledger.id_floor(before)::text, reason,
			format('%s payments, by %s', n, session_user));
	end if;
	return n;
end
$$;

-- For another key of the vault, as with payers.
create function ledger.key_stale(newest smallint, most int)
returns table (payment uuid, version smallint, seed bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select k.payment, k.version, k.seed from ledger.payment_key k
		where k.version < newest order by k.payment limit most
$$;
create function ledger.key_reseed(payment uuid, old bytea, version smallint, seed bytea) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	update ledger.payment_key k set version = version, seed = seed
		where k.payment = payment and k.seed = old;
	return found;
end
$$;
drop function ledger.vault_rotated(smallint, bigint, text, text);
create function ledger.vault_rotated(version smallint, payers bigint, payments bigint, operator text,
	reason text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'vault rotate', version::text, reason,
		format('%s payers, %s payments, by %s', payers, payments, session_user));
end
$$;

revoke all on function ledger.commit_batch, ledger.is_under_way, ledger.evidence_erase,
	ledger.evidence_expire, ledger.key_stale, ledger.key_reseed, ledger.vault_rotated from public;
grant select, insert on ledger.payment_key to switch_rw;
grant usage on type ledger.key_in to switch_rw;
grant execute on function ledger.commit_batch to switch_rw;
grant execute on function ledger.evidence_erase, ledger.evidence_expire, ledger.key_stale, ledger.key_reseed,
	ledger.vault_rotated to operator_rw;
grant select on ledger.payment_key to auditor_ro;

insert into ledger.schema_info (version) values (35);
reset role;
