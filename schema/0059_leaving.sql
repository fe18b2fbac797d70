-- Months leave with a statement of what they were.
set role ledger_owner;

-- Steps, lines and messages of the months before that day, which a month begins. `leaves` and `root` are what
-- `switchaudit verify --before` says of all leaves that have no row then: number, and root in the order of
-- the log. The statement is an operator's action, and so in the log itself: what is gone beyond it was not
-- taken out here. Returns how many months of steps.
create function ledger.months_detach(before date, leaves bigint, root text, operator text, reason text) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	gone int;
begin
	if before <> date_trunc('month', before::timestamp)::date or leaves < 0 or root !~ '^[0-9a-f]{64}$' then
		raise exception 'the first day of a month, a number of leaves, and their root';
	end if;
	if operator = '' or reason = '' then
		raise exception 'who, and why?';
	end if;
	perform ledger.partitions_detach('raw', before);
	gone := ledger.partitions_detach('step', before);
	perform ledger.partitions_detach('entry', before);
	if gone > 0 then
		insert into ledger.operator_action (operator, action, object, reason, detail)
			values (operator, 'months detach', before::text, reason, format('leaves %s root %s', leaves, root));
	end if;
	return gone;
end
$$;
revoke all on function ledger.months_detach from public;

insert into ledger.schema_info (version) values (59);
reset role;
