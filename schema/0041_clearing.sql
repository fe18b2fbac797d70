-- Clearing: what each step settled between us and a participant, as items by windows; the differences
-- that reconciliation finds; exception items with an owner, closed by two people where money moves.
set role ledger_owner;

-- An item is a line of a clearing file: gross and fees are what the step posted on the agreement's
-- position (+ they owe us more). `day` is its window, by the participant's calendar; an item that came
-- after its window had closed stands in the next one, and `late_from` says in which it would have been.
create table ledger.clearing_item (
	payment uuid not null,
	xact xid8 not null default pg_current_xact_id(),
	learnt_at timestamptz not null,	-- when the step was committed
	moved_at timestamptz not null,	-- as both sides were told
	amount bigint not null,		-- of the order, never negative
	gross bigint not null,
	fees bigint not null,
	version int not null,
	agreement int not null,
	day date not null,
	late_from date,
	kind smallint not null,		-- 1 payment, 2 refund, 3 reversal
	seq smallint not null,		-- of a refund; else 0
	side "char" not null,		-- a acquirer's, i issuer's
	order_currency char(3) collate "C" not null,
	currency char(3) collate "C" not null,
	request_id text collate "C" not null,	-- the payment's, of who asked
	peer_id text collate "C" not null,	-- and of who was asked
	refund_request_id text collate "C" not null,
	refund_peer_id text collate "C" not null,
	merchant text not null,
	store text not null,
	brand text not null,
	primary key (payment, version, side)
);
create index clearing_item_day on ledger.clearing_item (agreement, currency, day, payment, version, side);
create index clearing_item_xact on ledger.clearing_item (xact);

create table ledger.clearing_fee (
	payment uuid not null,
	xact xid8 not null default pg_current_xact_id(),
	amount bigint not null,		-- + they owe it to us
	version int not null,
	line smallint not null,
	side "char" not null,
	name text not null,
	primary key (payment, version, side, line)
);
create index clearing_fee_xact on ledger.clearing_fee (xact);

-- A window that is closed; nothing is put into it any more.
create table ledger.clearing_window (
	agreement int not null,
	currency char(3) collate "C" not null,
	day date not null,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	items int not null,		-- without what was reversed in the same window
	gross bigint not null,
	fees bigint not null,
	primary key (agreement, currency, day)
);
create index clearing_window_xact on ledger.clearing_window (xact);

-- How far the steps were taken up: all transactions below `upto`.
create table ledger.clearing (
	upto xid8 primary key,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	items int not null
);
create index clearing_xact on ledger.clearing (xact);

-- A file that was compared with the items of its window.
create table ledger.recon_file (
	digest bytea primary key,	-- SHA-256 of its bytes
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	agreement int not null,
	day date not null,
	name text not null,
	lines int not null,
	differences int not null,
	operator text not null
);
create index recon_file_xact on ledger.recon_file (xact);

-- The difference behind an exception item, once for each.
create table ledger.recon_difference (
	item bigint primary key references ledger.exception_item,
	xact xid8 not null default pg_current_xact_id(),
	agreement int not null,
	day date not null,
	kind smallint not null,
	currency char(3) collate "C" not null,
	ours bigint,			-- minor units; null: there is none here
	theirs bigint,
	reference text not null,	-- the identifier by which both sides can find it
	file text not null,
	line int not null,		-- 0: it is not in the file
	unique (agreement, kind, reference, day)
);
create index recon_difference_xact on ledger.recon_difference (xact);

-- Whose an exception item is; the last row counts.
create table ledger.exception_owner (
	id bigint generated always as identity primary key,
	item bigint not null references ledger.exception_item,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	owner text not null,
	operator text not null,
	reason text not null
);
create index exception_owner_item on ledger.exception_owner (item, id);
create index exception_owner_xact on ledger.exception_owner (xact);

-- What one person proposes and another one approves: a difference is booked, a settlement is instructed,
-- is confirmed. What it is about stands in operator_action with the same words.
create table ledger.proposal (
	id bigint generated always as identity primary key,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	action text not null,
	object text not null,
	amount bigint not null,
	currency char(3) collate "C" not null,
	operator text not null,
	reason text not null
);
create index proposal_xact on ledger.proposal (xact);
create index proposal_object on ledger.proposal (action, object);
create table ledger.approval (
	proposal bigint primary key references ledger.proposal,
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	operator text not null,
	reason text not null,
	payment uuid			-- what it booked
);
create index approval_xact on ledger.approval (xact);

do $$
declare
	t text;
begin
	foreach t in array array['clearing_item', 'clearing_fee', 'clearing_window', 'clearing', 'recon_file',
		'recon_difference', 'exception_owner', 'proposal', 'approval'] loop
		perform ledger.guard(format('ledger.%s', t)::regclass);
	end loop;
end
$$;

insert into ledger.exception_kind values
	(20, 'our item is not in their file'),
	(21, 'their file has what we have not'),
	(22, 'their file has another amount'),
	(23, 'their file has another currency'),
	(24, 'their file says it ended otherwise'),
	(25, 'their file has another fee'),
	(26, 'their file has it on another day');

-- The lines of files: `paired` are a payment and its reversal in one window, which no file lists.
create view ledger.clearing_line with (security_invoker = true) as
	select i.*, i.kind <> 2 and row_number() over one <= least(count(*) filter (where i.kind = 1) over both_,
		count(*) filter (where i.kind = 3) over both_) as paired
	from ledger.clearing_item i
	window one as (partition by i.agreement, i.currency, i.day, i.payment, i.side, i.kind order by i.version),
		both_ as (partition by i.agreement, i.currency, i.day, i.payment, i.side);

-- Takes up items: an array of objects with the columns' names. Those that are there already are left as
-- they are. One at a time, so that a window never closes beside it.
create function ledger.clear(upto xid8, items text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	n int;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.clearing'));
	insert into ledger.clearing_item (payment, learnt_at, moved_at, amount, gross, fees, version, agreement, day,
		late_from, kind, seq, side, order_currency, currency, request_id, peer_id, refund_request_id,
		refund_peer_id, merchant, store, brand)
		select x.payment, x.learnt_at, x.moved_at, x.amount, x.gross, x.fees, x.version, x.agreement,
			greatest(x.day, coalesce(w.last + 1, x.day)), case when x.day <= w.last then x.day end, x.kind,
			x.seq, x.side::"char", x.order_currency, x.currency, x.request_id, x.peer_id,
			x.refund_request_id, x.refund_peer_id, x.merchant, x.store, x.brand
		from jsonb_to_recordset(items::jsonb) as x(payment uuid, learnt_at timestamptz, moved_at timestamptz,
			amount bigint, gross bigint, fees bigint, version int, agreement int, day date, kind smallint,
			seq smallint, side text, order_currency text, currency text, request_id text, peer_id text,
			refund_request_id text, refund_peer_id text, merchant text, store text, brand text)
		left join lateral (select max(c.day) as last from ledger.clearing_window c
			where c.agreement = x.agreement and c.currency = x.currency) w on true
		on conflict on constraint clearing_item_pkey do nothing;
	get diagnostics n = row_count;
	insert into ledger.clearing_fee (payment, version, side, line, name, amount)
		select x.payment, x.version, x.side::"char", f.line, f.fee ->> 'name', (f.fee ->> 'amount')::bigint
		from jsonb_to_recordset(items::jsonb) as x(payment uuid, version int, side text, fee jsonb),
			jsonb_array_elements(x.fee) with ordinality as f(fee, line)
		on conflict on constraint clearing_fee_pkey do nothing;
	insert into ledger.clearing (upto, items) values (upto, n) on conflict do nothing;
	return n;
end
$$;

-- Closes the windows of an agreement that are open, from the first on, through that day; a day on which
-- nothing was settled has a window, too. Returns how many.
create function ledger.windows_close(agreement int, through date) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	a record;
	n int := 0;
	m int;
begin
	perform pg_advisory_xact_lock(hashtext('ledger.clearing'));
	for a in select p.currency, coalesce((select max(w.day) + 1 from ledger.clearing_window w
			where w.agreement = agreement and w.currency = p.currency),
			least((p.at at time zone 'UTC')::date, (select min(i.day) from ledger.clearing_item i
				where i.agreement = agreement and i.currency = p.currency))) as first
		from ledger.account p where p.class = 1 and p.agreement = agreement loop
		insert into ledger.clearing_window (agreement, currency, day, items, gross, fees)
			select agreement, a.currency, g::date, count(l.payment) filter (where not l.paired),
				coalesce(sum(l.gross), 0), coalesce(sum(l.fees), 0)
			from generate_series(a.first::timestamp, through::timestamp, interval '1 day') g
			left join ledger.clearing_line l on l.agreement = agreement and l.currency = a.currency
				and l.day = g::date
			group by g;
		get diagnostics m = row_count;
		n := n + m;
	end loop;
	return n;
end
$$;

-- What was compared, with each difference as an exception item that somebody owns. A file is compared
-- once, and a difference that is known opens nothing. Null: the file was known. Else how many were new.
create function ledger.recon_book(digest bytea, agreement int, day date, name text, lines int, operator text,
	owner text, differences text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	d record;
	n int := 0;
	id bigint;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or owner !~ '\S' or octet_length(owner) > 64 then
		raise exception 'a name, and an owner' using errcode = '23514';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.recon'));
	if exists (select from ledger.recon_file f where f.digest = digest) then
		return null;
	end if;
	for d in select x.* from jsonb_to_recordset(differences::jsonb) as x(payment uuid, version int, kind smallint,
		currency text, ours bigint, theirs bigint, reference text, line int, detail text) loop
		continue when exists (select from ledger.recon_difference r where r.agreement = agreement
			and r.kind = d.kind and r.reference = d.reference and r.day = day);
		insert into ledger.exception_item (payment, version, kind, detail)
			values (d.payment, d.version, d.kind, d.detail) returning exception_item.id into id;
		insert into ledger.recon_difference (item, agreement, day, kind, currency, ours, theirs, reference,
			file, line) values (id, agreement, day, d.kind, d.currency, d.ours, d.theirs, d.reference, name,
			coalesce(d.line, 0));
		insert into ledger.exception_owner (item, owner, operator, reason)
			values (id, owner, operator, 'reconciliation');
		n := n + 1;
	end loop;
	insert into ledger.recon_file (digest, agreement, day, name, lines, differences, operator)
		values (digest, agreement, day, name, lines, jsonb_array_length(differences::jsonb), operator);
	return n;
end
$$;

create function ledger.exception_assign(item bigint, owner text, operator text, reason text) returns bool
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
begin
	if operator !~ '\S' or reason !~ '\S' or owner !~ '\S' or octet_length(owner) > 64 then
		raise exception 'an owner, a name and a reason' using errcode = '23514';
	end if;
	if not exists (select from ledger.exception_open o where o.id = item) then
		return false;
	end if;
	insert into ledger.exception_owner (item, owner, operator, reason) values (item, owner, operator, reason);
	insert into ledger.operator_action (operator, action, object, reason, detail)
		values (operator, 'exception assign', item::text, reason, format('to %s, by %s', owner, session_user));
	return true;
end
$$;

-- One person proposes, another approves; the same words and amount, or they mean two things. Null: it is
-- proposed now, or was by the same person; else the proposal that is approved with this, once.
create function ledger.four_eyes(action text, object text, amount bigint, currency text, operator text, reason text)
returns bigint
language plpgsql as $$
#variable_conflict use_variable
declare
	p ledger.proposal;
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	select * into p from ledger.proposal q where q.action = action and q.object = object
		and (q.amount, q.currency) = (amount, currency)
		and not exists (select from ledger.approval a where a.proposal = q.id) order by q.id desc limit 1;
	if p.id is null then
		insert into ledger.proposal (action, object, amount, currency, operator, reason)
			values (action, object, amount, currency, operator, reason);
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, action || ' proposed', object, reason,
			format('%s %s minor units, by %s', amount, currency, session_user));
		return null;
	end if;
	return case when lower(p.operator) <> lower(operator) then p.id end;
end
$$;

-- The lines of a person's booking: a step of its own, in which `first` gets `amount` and `second` gives it.
create function ledger.book_by_hand(mode "char", peer smallint, first int, second int, amount bigint, currency text)
returns uuid
language plpgsql as $$
#variable_conflict use_variable
declare
	id constant uuid := left(replace(ledger.id_floor(clock_timestamp())::text, '-', ''), 12)
		|| right(replace(gen_random_uuid()::text, '-', ''), 20);
	a record;
begin
	-- 6: a person decided; 257: paid for good. Nothing is to follow.
	insert into ledger.step (payment, amount, version, kind, op, state, issuer, mode, currency, record)
		values (id, abs(amount), 1, 6, 0, 257, peer, mode, currency, '');
	insert into ledger.entry (payment, amount, version, account, line, kind, currency)
		values (id, amount, 1, first, 1, 3, currency), (id, -amount, 1, second, 2, 3, currency);
	for a in select * from (values (first, amount), (second, -amount)) v(account, amount) order by 1 loop
		update ledger.account_total t set posted = t.posted + a.amount where t.account = a.account;
	end loop;
	return id;
end
$$;

-- Closes an item. With `book`, its difference is first booked, so that the position is what their file
-- says, against our losses; then two people must ask for it. 'closed', 'proposed', or why not.
create function ledger.exception_settle(item bigint, book bool, operator text, reason text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
	d ledger.recon_difference;
	n bigint;
	peer smallint;
	position int;
	loss int;
	amount bigint;
	id uuid;
begin
	if not exists (select from ledger.exception_open o where o.id = item) then
		return 'no such item is open';
	end if;
	if book then
		select * into d from ledger.recon_difference r where r.item = item;
		amount := coalesce(d.theirs, 0) - coalesce(d.ours, 0);
		if d.item is null or d.kind not in (20, 21, 22, 25) or amount = 0 then
			return 'there is no difference to book';
		end if;
		select a.number, p.number into position, peer from ledger.account a
			join ledger.participant p on p.number = a.agreement
			where a.class = 1 and a.agreement = d.agreement and a.currency = d.currency;
		if position is null then
			return 'there is no such position';
		end if;
		n := ledger.four_eyes('exception book', item::text, amount, d.currency, operator, reason);
		if n is null then
			return 'proposed';
		end if;
		loss := ledger.account_ensure(7::smallint, 0, (select a.ccy from ledger.account a
			where a.number = position), d.currency::text, 'loss ' || d.currency);
		id := ledger.book_by_hand('x', peer, position, loss, amount, d.currency);
		insert into ledger.approval (proposal, operator, reason, payment) values (n, operator, reason, id);
	end if;
	if not ledger.operator_close(item, operator, reason) then
		return 'no such item is open';
	end if;
	return 'closed';
end
$$;

drop view ledger.exception_list;
create view ledger.exception_list with (security_invoker = true) as
	select i.id, ledger.id_text(i.payment) as payment, k.sentence as kind, i.opened_at,
		extract(epoch from clock_timestamp() - i.opened_at)::bigint as age_s, i.detail,
		coalesce((select o.owner from ledger.exception_owner o where o.item = i.id order by o.id desc limit 1), '')
			as owner
	from ledger.exception_open i left join ledger.exception_kind k on k.kind = i.kind;

-- Windows, for auditors.
create view audit.settlement_window as
	select w.agreement, p.name as participant, w.currency, w.day, w.at as closed_at, w.items, w.gross, w.fees
	from ledger.clearing_window w left join ledger.participant p on p.number = w.agreement;
create view audit.difference as
	select d.item, p.name as participant, d.day, k.sentence as kind, d.currency, d.ours, d.theirs, d.reference,
		d.file, d.line, i.opened_at, c.at as closed_at, c.operator as closed_by, c.reason
	from ledger.recon_difference d join ledger.exception_item i on i.id = d.item
	left join ledger.exception_kind k on k.kind = d.kind
	left join ledger.participant p on p.number = d.agreement
	left join ledger.exception_close c on c.item = d.item;

revoke all on all tables in schema audit from public;
revoke all on ledger.clearing_line, ledger.exception_list from public;
revoke all on function ledger.clear, ledger.windows_close, ledger.recon_book, ledger.exception_assign,
	ledger.four_eyes, ledger.book_by_hand, ledger.exception_settle from public;
grant select on audit.settlement_window, audit.difference to auditor, auditor_ro, recon;
grant execute on function ledger.clear, ledger.windows_close, ledger.recon_book, ledger.id_text to recon;
grant execute on function ledger.exception_assign, ledger.exception_settle to operator_rw;
grant select on ledger.clearing_item, ledger.clearing_fee, ledger.clearing_window, ledger.clearing,
	ledger.clearing_line, ledger.recon_file, ledger.recon_difference, ledger.exception_owner, ledger.proposal,
	ledger.approval to switch_rw, sealer, recon, auditor_ro, console_ro;
grant select on ledger.clearing_window, ledger.recon_difference, ledger.exception_owner, ledger.proposal,
	ledger.approval, ledger.participant to operator_rw;
grant select on ledger.exception_list to operator_rw, sealer, recon, auditor_ro, console_ro;

insert into ledger.schema_info (version) values (41);
reset role;
