-- Limits the other way round: what we may owe a participant, and what may be owed to us in a currency by
-- exchanges of ours. An account has one cap, and it bounds what the account owes us. So the other way has an
-- account of its own, of reservations alone: how much more payments under way may come to. What is booked
-- stands where it always stood, and counts with its sign turned.
set role ledger_owner;

alter table ledger.account drop constraint account_check, drop constraint account_class_check;
alter table ledger.account add constraint account_class_check check (class between 1 and 10),
	add constraint account_check check (case when class = 8
		then number >> 30 = 1 and (number >> 15 & 32767) = agreement
		else number = (class::int << 26) + (agreement << 10) + ccy end);
insert into ledger.account_class values (9, 'owed'), (10, 'held');

-- Where what is booked stands, of the accounts of reservations: 9 of a position (1), 10 of an exchange (2).
create function ledger.contra(account int) returns int
language sql immutable parallel safe as $$
	select case when account >> 26 in (9, 10) then account - (8 << 26) end
$$;

-- As 0004 has it, and what is booked elsewhere.
create or replace function ledger.commit_look(skip int[], claims ledger.claim_in[], steps ledger.step_in[],
	entries ledger.entry_in[]) returns setof ledger.answer
language sql stable as $$
	with live as (
		select u.* from unnest(steps) u where not u.item = any (skip)
	), there as (
		select l.item, s.record = l.record as same
		from live l join ledger.step s on s.payment = l.payment and s.version = l.version
	), fresh_net as (
		select e.item, e.account, sum(e.amount)::bigint as amount
		from unnest(entries) e where not e.item = any (skip)
		group by e.item, e.account having bool_or(e.guarded)
	), found as (
		select t.item, 1 as verdict, 0 as rank, null::smallint as claim, null::uuid as payment,
			null::smallint as seq, null::int as account, null::bigint as value, null::bigint as cap,
			null::bytea as fingerprint
		from there t where t.same
		union all
		select u.item, 2, 1 + u.n, u.n, c.payment, c.seq, null, null, null, c.fingerprint
		from unnest(claims) u join ledger.claim c on c.digest = u.digest
		where not u.item = any (skip)
		union all
		select t.item, 3, 10, null, null, null, null, null, null, null from there t where not t.same
		union all
		select l.item, 3, 10, null, null, null, null, null, null, null from live l
		where l.version > 1 and not exists (select from ledger.step s
			where s.payment = l.payment and s.version = l.version - 1)
		union all
		select f.item, case when t.stopped then 5 else 4 end, 20, null, null, null, f.account,
			t.posted + t.reserved - coalesce(c.posted, 0), t.cap, null
		from fresh_net f join ledger.account_total t on t.account = f.account
		left join ledger.account_total c on c.account = ledger.contra(f.account)
		where t.stopped or t.posted + t.reserved - coalesce(c.posted, 0) + f.amount > t.cap
		union all	-- a mate that came first may be about to take it
		select u.item, 6, 30, null, null, null, null, null, null, null
		from (select c.item, first_value(c.item) over (partition by c.digest order by c.item) as first
			from unnest(claims) c where not c.item = any (skip)) u where u.first <> u.item
		union all
		select u.item, 6, 30, null, null, null, null, null, null, null
		from (select l.item, first_value(l.item) over (partition by l.payment order by l.item) as first
			from live l) u where u.first <> u.item
	)
	select distinct on (item) item, verdict::smallint, claim, payment, seq, account, value, cap,
		fingerprint
	from found order by item, rank, account
$$;

-- As 0035 has it, likewise.
create or replace function ledger.commit_batch(lo uuid, hi uuid, claims ledger.claim_in[], steps ledger.step_in[],
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
				if d.guarded and ledger.contra(d.account) is not null then
					-- Read behind the lock: whoever turned what was reserved here into what is
					-- booked there has committed both, or neither.
					total.value := total.value - (select t.posted from ledger.account_total t
						where t.account = ledger.contra(d.account));
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

-- Every limit that somebody set, what is used of it, and when it begins anew: null where nothing but payments
-- the other way, a settlement or a deposit gives room.
create view ledger.limit_used with (security_invoker = true) as
	select case a.class when 1 then 'position-cap' when 9 then 'owed-amount' when 8 then 'day-amount'
			else 'exchange-amount' end as name,
		case a.class when 2 then 'owed by us' when 10 then 'owed to us' when 1 then 'it owes us'
			when 9 then 'we owe it' else 'paid or taken' end as way,
		p.name as participant, a.currency, t.cap as most,
		t.posted + t.reserved - coalesce(c.posted, 0) as used, t.stopped,
		case when a.class = 8 then date '1970-01-01' + (a.number & 32767) end as day
	from ledger.account a
	join ledger.account_total t on t.account = a.number
	left join ledger.account_total c on c.account = ledger.contra(a.number)
	left join ledger.participant p on p.number = a.agreement and a.class in (1, 8, 9)
	where t.cap is not null or t.stopped;

-- Balances are of money that is owed; what may come to be is not.
create or replace view ledger.balance with (security_invoker = true) as
	select a.number as account, k.name as class, a.agreement, a.currency, a.name, t.posted, t.reserved,
		t.cap, t.stopped
	from ledger.account a
	join ledger.account_class k on k.class = a.class
	join ledger.account_total t on t.account = a.number
	where a.class < 8;

revoke all on ledger.limit_used from public;
revoke all on function ledger.contra from public;
grant execute on function ledger.contra to switch_rw, sealer, recon, auditor_ro, console_ro, operator_rw;
grant select on ledger.account, ledger.account_total, ledger.participant to operator_rw;
grant select on ledger.limit_used to switch_rw, sealer, recon, auditor_ro, console_ro, operator_rw;

insert into ledger.schema_info (version) values (53);
reset role;
