-- Some participants are told what concerns one payment one after another: what comes later waits until the
-- earlier is acknowledged. Ids of notifications are ordered by time.
set role ledger_owner;

create index outbox_payment on ledger.outbox (payment);

drop function ledger.outbox_take(int, int);

-- in_order: their numbers, separated by blanks.
create function ledger.outbox_take(most int, lease_ms int, in_order text)
returns table (id uuid, payment uuid, seq smallint, peer smallint, tries int, body bytea)
language sql as $$
	update ledger.outbox o
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms', tries = o.tries + 1
	from (select q.id from ledger.outbox q
		where q.next_at <= clock_timestamp()
		and (q.leased_until is null or q.leased_until < clock_timestamp())
		and not (q.peer = any (string_to_array(in_order, ' ')::smallint[]) and exists (
			select from ledger.outbox e
			where e.payment = q.payment and e.peer = q.peer and e.id < q.id))
		order by q.next_at limit most for update skip locked) t
	where o.id = t.id
	returning o.id, o.payment, o.seq, o.peer, o.tries, o.body
$$;
revoke all on function ledger.outbox_take(int, int, text) from public;
grant execute on function ledger.outbox_take(int, int, text) to switch_rw;

insert into ledger.schema_info (version) values (21);
reset role;
