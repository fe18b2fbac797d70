-- What is told in order waits for what is older only so long: a notification that cannot be delivered does
-- not hold up the next for ever.
set role ledger_owner;

drop function ledger.outbox_take(int, int, text);

-- in_order, for_s: their numbers, and for each how many seconds; separated by blanks.
create function ledger.outbox_take(most int, lease_ms int, in_order text, for_s text)
returns table (id uuid, payment uuid, seq smallint, peer smallint, tries int, body bytea)
language sql as $$
	update ledger.outbox o
	set leased_until = clock_timestamp() + lease_ms * interval '1 ms', tries = o.tries + 1
	from (select q.id from ledger.outbox q
		where q.next_at <= clock_timestamp()
		and (q.leased_until is null or q.leased_until < clock_timestamp())
		and not exists (
			select from unnest(string_to_array(in_order, ' ')::smallint[],
				string_to_array(for_s, ' ')::int[]) as told(peer, for_s)
			join ledger.outbox e on e.payment = q.payment and e.peer = q.peer and e.id < q.id
				and e.id >= ledger.id_floor(clock_timestamp() - told.for_s * interval '1 s')
			where told.peer = q.peer)
		order by q.next_at limit most for update skip locked) t
	where o.id = t.id
	returning o.id, o.payment, o.seq, o.peer, o.tries, o.body
$$;
revoke all on function ledger.outbox_take(int, int, text, text) from public;
grant execute on function ledger.outbox_take(int, int, text, text) to switch_rw;

insert into ledger.schema_info (version) values (45);
reset role;
