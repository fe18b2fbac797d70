-- One batch, one call. README.md, "How a batch is committed", is the essay to this file.
set role ledger_owner;

-- What a batch brings: one array per table, each row marked with the item that it belongs to. Arrays of
-- rows, not one array per column: unnesting sixteen arrays side by side costs ten times as much.
create type ledger.claim_in as (item int, n smallint, digest bytea, payment uuid, seq smallint,
	fingerprint bytea);
create type ledger.step_in as (item int, payment uuid, version int, kind smallint, op smallint,
	state smallint, acquirer smallint, issuer smallint, mode "char", amount bigint, currency char(3),
	record bytea, evidence bytea, reply_seq smallint, reply_status smallint, reply bytea);
create type ledger.entry_in as (item int, payment uuid, version int, line smallint, account int,
	kind smallint, currency char(3), amount bigint, guarded bool);
create type ledger.raw_in as (item int, payment uuid, version int, n smallint, peer smallint,
	op smallint, direction "char", key text, head bytea, body bytea, signature bytea);
create type ledger.outbox_in as (item int, id uuid, payment uuid, seq smallint, peer smallint,
	next_at timestamptz, body bytea);
-- secret: null keeps the one that is there, empty removes it.
create type ledger.due_in as (item int, payment uuid, at timestamptz, secret bytea);
create type ledger.done_in as (item int, payment uuid);
create type ledger.exception_in as (item int, payment uuid, version int, kind smallint, detail text);

-- The verdict on one item. Items without an answer were committed (0 OK).
--   1 OK_BEFORE  this very step was committed earlier (same record)
--   2 CLAIMED    claim number `claim` of the item belongs to `payment`, request `seq`
--   3 FENCE      the version exists already with other contents, or its predecessor does not
--   4 CAP        `account` would pass `cap`; it stands at `value`
--   5 STOPPED    `account` was stopped by an operator
--   6 SPLIT      not decided, nothing kept: submit it again alone
create type ledger.answer as (item int, verdict smallint, claim smallint, payment uuid, seq smallint,
	account int, value bigint, cap bigint, fingerprint bytea);

-- Looks, before anything is written, for items that cannot be committed; `skip` are known already.
-- Only a batch that met a conflict comes here. What it sees was committed by others, so its answers
-- hold whatever becomes of the rest of the batch; SPLIT is for items that depend on a batch mate.
create function ledger.commit_look(skip int[], claims ledger.claim_in[], steps ledger.step_in[],
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
			t.posted + t.reserved, t.cap, null
		from fresh_net f join ledger.account_total t on t.account = f.account
		where t.stopped or t.posted + t.reserved + f.amount > t.cap
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

-- Commits the batch, or as much of it as can be, and answers for the rest. `lo` and `hi` bound the
-- batch's payment ids: with them the look at earlier steps opens one month and not all.
create function ledger.commit_batch(lo uuid, hi uuid, claims ledger.claim_in[], steps ledger.step_in[],
	entries ledger.entry_in[], raws ledger.raw_in[], outs ledger.outbox_in[], dues ledger.due_in[],
	dones ledger.done_in[], exceptions ledger.exception_in[]) returns setof ledger.answer
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

insert into ledger.schema_info (version) values (4);
reset role;
