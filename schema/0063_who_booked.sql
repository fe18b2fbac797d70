-- Of what people booked by hand, its trail says who did.
set role ledger_owner;

-- What people decided about a payment: under its id; or, of a step that was booked by hand, in the step's own
-- transaction, and in that of the proposal which it approved.
create function ledger.decisions(payment uuid) returns setof ledger.operator_action
language sql stable as $$
	with by_hand as (select s.xact from ledger.step s
		where s.payment = decisions.payment and s.kind = 6 and s.mode in ('d', 's', 'x'))
	select o.* from ledger.operator_action o where o.object = decisions.payment::text
	union
	select o.* from by_hand b join ledger.operator_action o on o.xact = b.xact
	union
	select o.* from by_hand b join ledger.approval a on a.xact = b.xact join ledger.proposal p on p.id = a.proposal
	join ledger.operator_action o on o.xact = p.xact
$$;
revoke all on function ledger.decisions from public;
grant execute on function ledger.decisions to auditor_ro, recon;

-- As before, with these.
create or replace function audit.trail(payment text)
returns table (at timestamptz, version int, n bigint, what text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	with it as (select ledger.id_from(payment) as id)
	select j.at, j.version, -1, 'step', concat_ws(' ', j.event, j.op, '->', j.state, 'answered ' || j.answered,
		'evidence ' || j.evidence_sha256)
	from audit.journal j, it where j.id = it.id
	union all
	select s.at, p.version, p.line, 'line', concat_ws(' ', p.kind, p.amount, p.currency, p.account_name)
	from audit.posting p join it on p.id = it.id
	join ledger.step s on s.payment = it.id and s.version = p.version
	union all
	select s.at, r.version, 100 + r.n, 'message', concat_ws(' ', case r.direction when 'i' then 'from' else 'to' end,
		a.name, split_part(convert_from(r.head, 'UTF8'), E'\n', 1), 'sealed ' || encode(sha256(r.body), 'hex'))
	from ledger.raw r join it on r.payment = it.id
	join ledger.step s on s.payment = it.id and s.version = r.version
	left join ledger.participant a on a.number = r.peer
	union all
	select d.at, null, 200, 'told', concat_ws(' ', a.name, 'in', d.attempts, 'attempts')
	from ledger.delivery d join it on d.payment = it.id left join ledger.participant a on a.number = d.peer
	union all
	select i.opened_at, i.version, 300, 'exception', concat_ws(': ', k.sentence, nullif(i.detail, ''))
	from ledger.exception_item i join it on i.payment = it.id left join ledger.exception_kind k on k.kind = i.kind
	union all
	select o.at, null, 400 + o.id, 'decided', concat_ws(' ', o.operator, o.action || ':', o.reason,
		'(' || nullif(o.detail, '') || ')')
	from it, ledger.decisions(it.id) o
	order by 1, 2 nulls last, 3
$$;

insert into ledger.schema_info (version) values (63);
reset role;
