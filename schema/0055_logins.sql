-- Four eyes: beside the names that two people gave, by which logins they came.
set role ledger_owner;

-- Who of the two came by which login, beside the name that he gave. 1 proposed it, 2 approved it.
create table ledger.decided_by (
	proposal bigint not null references ledger.proposal,
	part smallint not null check (part in (1, 2)),
	at timestamptz not null default clock_timestamp(),
	xact xid8 not null default pg_current_xact_id(),
	own bool not null,		-- a member of operator_rw: one person's
	login text not null,
	primary key (proposal, part)
);
create index decided_by_xact on ledger.decided_by (xact);
select ledger.guard('ledger.decided_by');
grant select on ledger.decided_by to operator_rw, switch_rw, sealer, recon, auditor_ro, console_ro;

-- As before, and the logins. Whoever has a login of his own signs by its name and no other, and what one such login
-- proposed is approved by another such: a name given by the login that all share counts as nobody's then.
create or replace function ledger.four_eyes(action text, object text, amount bigint, currency text, operator text,
	reason text) returns bigint
language plpgsql as $$
#variable_conflict use_variable
declare
	p ledger.proposal;
	own constant bool := exists (select from pg_auth_members m
		where m.roleid = 'operator_rw'::regrole and m.member = session_user::regrole);
begin
	if operator !~ '\S' or octet_length(operator) > 64 or reason !~ '\S' then
		raise exception 'a name and a reason' using errcode = '23514';
	end if;
	if own and lower(operator) <> lower(session_user) then
		raise exception 'login % signs by its own name', session_user using errcode = '42501';
	end if;
	perform pg_advisory_xact_lock(hashtext('ledger.four_eyes'));
	select * into p from ledger.proposal q where q.action = action and q.object = object
		and (q.amount, q.currency) = (amount, currency)
		and not exists (select from ledger.approval a where a.proposal = q.id) order by q.id desc limit 1;
	if p.id is null then
		insert into ledger.proposal (action, object, amount, currency, operator, reason)
			values (action, object, amount, currency, operator, reason) returning * into p;
		insert into ledger.decided_by (proposal, part, own, login) values (p.id, 1, own, session_user);
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, action || ' proposed', object, reason,
			format('%s %s minor units, by %s', amount, currency, session_user));
		return null;
	end if;
	if lower(p.operator) = lower(operator) then
		return null;
	end if;
	if own <> exists (select from ledger.decided_by d where d.proposal = p.id and d.part = 1 and d.own) then
		raise exception 'one of the two came by the login that all share' using errcode = '42501';
	end if;
	insert into ledger.decided_by (proposal, part, own, login) values (p.id, 2, own, session_user);
	return p.id;
end
$$;

-- What two people decided, and by which logins.
create view audit.two_people as
	select p.id, p.action, p.object, p.amount, p.currency, p.at as proposed_at, p.operator as proposed_by,
		b.login as proposed_login, p.reason, a.at as approved_at, a.operator as approved_by, c.login as approved_login,
		a.reason as approval_reason, ledger.id_text(a.payment) as payment
	from ledger.proposal p left join ledger.approval a on a.proposal = p.id
	left join ledger.decided_by b on b.proposal = p.id and b.part = 1
	left join ledger.decided_by c on c.proposal = p.id and c.part = 2;
revoke all on audit.two_people from public;
grant select on audit.two_people to auditor, auditor_ro, recon;

insert into ledger.schema_info (version) values (55);
reset role;
