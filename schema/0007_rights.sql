-- Rights (standards 7.3, L-8) and row security (L-10). What is not granted here is refused.
set role ledger_owner;
revoke all on all tables in schema ledger from public;
revoke all on all functions in schema ledger from public;
grant usage on schema ledger to migrator, switch_rw, sealer, recon, auditor_ro, console_ro;
grant execute on function ledger.id_floor(timestamptz), ledger.id_time(uuid)
	to switch_rw, sealer, recon, auditor_ro, console_ro;

-- The payment path and the clerk: insert and read; update only what is a cache or a queue.
grant select, insert on ledger.participant, ledger.claim, ledger.step, ledger.entry, ledger.raw,
	ledger.account, ledger.delivery, ledger.exception_item, ledger.exception_close,
	ledger.operator_action to switch_rw;
grant select on ledger.account_class, ledger.account_cap, ledger.account_opening, ledger.detached,
	ledger.schema_info, ledger.payment, ledger.posting, ledger.balance, ledger.exception_open
	to switch_rw;
grant select, insert (account), update (posted, reserved) on ledger.account_total to switch_rw;
grant select, insert, delete, update (at, secret, leased_until, owner) on ledger.due to switch_rw;
grant select, insert, delete, update (next_at, leased_until, tries) on ledger.outbox to switch_rw;
grant usage on type ledger.claim_in, ledger.step_in, ledger.entry_in, ledger.raw_in, ledger.outbox_in,
	ledger.due_in, ledger.done_in, ledger.exception_in, ledger.answer to switch_rw;
grant execute on function ledger.commit_batch, ledger.commit_look, ledger.participant_ensure,
	ledger.account_ensure, ledger.cap_set, ledger.overdue_take, ledger.outbox_take, ledger.outbox_done,
	ledger.exception_close_item, ledger.partitions_make to switch_rw;

-- Readers. The due rows' secrets are for the payment path alone.
grant select on ledger.participant, ledger.claim, ledger.step, ledger.entry, ledger.raw,
	ledger.account, ledger.account_class, ledger.account_total, ledger.account_cap,
	ledger.account_opening, ledger.detached, ledger.delivery, ledger.exception_item,
	ledger.exception_close, ledger.operator_action, ledger.schema_info, ledger.payment, ledger.posting,
	ledger.balance, ledger.exception_open to sealer, recon, auditor_ro;
grant select on ledger.step_default, ledger.entry_default, ledger.raw_default to switch_rw, recon,
	auditor_ro;
grant select (payment, at, leased_until, owner) on ledger.due to recon, auditor_ro, console_ro;
grant select (id, payment, seq, peer, next_at, leased_until, tries) on ledger.outbox
	to recon, auditor_ro, console_ro;

-- The console sees no message, record or key.
grant select (payment, at, amount, version, kind, op, state, acquirer, issuer, reply_seq, reply_status,
	mode, currency) on ledger.step to console_ro;
grant select on ledger.entry, ledger.participant, ledger.account, ledger.account_class,
	ledger.account_total, ledger.account_cap, ledger.delivery, ledger.exception_item,
	ledger.exception_close, ledger.operator_action, ledger.schema_info, ledger.payment, ledger.posting,
	ledger.balance, ledger.exception_open to console_ro;

-- A console session says for whom it looks: set_config('xw.partner', '<number>' or 'all', true).
-- Unset it sees nothing. The payment path has a policy of its own, since a batch mixes partners.
alter table ledger.step enable row level security, force row level security;
alter table ledger.entry enable row level security, force row level security;
alter table ledger.raw enable row level security, force row level security;
create policy whole on ledger.step to ledger_owner, switch_rw, sealer, recon, auditor_ro
	using (true) with check (true);
create policy whole on ledger.entry to ledger_owner, switch_rw, sealer, recon, auditor_ro
	using (true) with check (true);
create policy whole on ledger.raw to ledger_owner, switch_rw, sealer, recon, auditor_ro
	using (true) with check (true);
create policy own on ledger.step for select to console_ro
	using (case current_setting('xw.partner', true) when 'all' then true else
		current_setting('xw.partner', true) in (acquirer::text, issuer::text) end);
create policy own on ledger.entry for select to console_ro
	using (current_setting('xw.partner', true) = 'all'
		or exists (select from ledger.step s where s.payment = entry.payment));

insert into ledger.schema_info (version) values (7);
reset role;
