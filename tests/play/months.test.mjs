/*
 * Months leave the ledger. Payments are moved into a month of long ago before anything is sealed, as if the ledger had lived then;
 * an auditor says what is to be stated, the month is taken out with that statement, and an owner of the tables who takes out more,
 * or states it himself, is found.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Auditor } from './lib/auditor.mjs';
import { euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w, auditor, month, first, left;
/* Of a payment: its rows stand in these, by that column. */
const ROWS = ['step', 'entry', 'raw', 'claim', 'delivery', 'payment_key', 'exception_item', 'due', 'outbox'];
const locks = (on) => w.psql(`do $$ declare t record; begin for t in select tgrelid::regclass as r, tgname as n from pg_trigger join pg_class c on c.oid = tgrelid
  where relnamespace = 'ledger'::regnamespace and not tgisinternal and tgparentid = 0 loop execute format('alter table %s ${on} trigger %I', t.r, t.n); end loop; end $$`);
const detach = (leaves, root) => w.psql(`select ledger.months_detach('${month}', ${leaves}, '${root}', 'olga', 'their time is over') as n`).then((r) => r[0].n);
const [OUT, IN] = ['disable', 'enable always'];
/* What an owner does and undoes; the first fault that was found meanwhile. `look` sees more of it. */
async function meanwhile(done, undone, look = () => {}) {
  await locks(OUT);
  await w.psql(done);
  const v = await auditor.verify();
  await look(v.first_fault);
  await w.psql(undone);
  await locks(IN);
  assert.equal((await auditor.verify()).ok, true, 'it was undone');
  return v.first_fault;
}

describe('months', () => {
  before(async () => {
    w = await World.start('months');
    const till = w.callers['till-eur'], ids = [];
    for (let i = 0; i < 8; i++) {
      const { code } = await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' });
      const { body } = await till.pay(code, euro(1000 + i));
      await over(w, till, body.id, 'PAID');
      ids.push(body.id);
    }
    await until(() => w.psql('select from ledger.outbox').then((r) => r.length === 0), 'all was told');
    for (const child of [w.switchd, w.sandbox]) {
      w.children.splice(w.children.indexOf(child), 1);
      child.kill('SIGTERM');
      await child.gone;
    }
    [{ month, first }] = await w.psql(`select to_char(date_trunc('month', now() - interval '440 days') + interval '1 month', 'YYYY-MM-DD') as month,
      to_char(date_trunc('month', now() - interval '440 days'), 'YYYY-MM-DD') as first`);
    await locks(OUT);
    await w.psql(`do $$ declare t text; begin set local role ledger_owner; foreach t in array array['step', 'entry', 'raw'] loop execute format(
      'create table ledger.%s_%s partition of ledger.%s for values from (%L) to (%L)', t, to_char(date '${first}', 'YYYYMM'), t,
      ledger.id_floor('${first} 00:00Z'), ledger.id_floor('${month} 00:00Z')); end loop; end $$`);
    /* Every other payment is of then: the time leads its id. */
    await w.psql(`create function public.then(id uuid) returns uuid language sql as $f$ select (left(ledger.id_floor('${first} 12:00Z')::text, 13) || substr(id::text, 14))::uuid $f$;
      create table public.old as select payment from (select payment, row_number() over (order by payment) as n from ledger.step where version = 1) s where n % 2 = 0`);
    for (const t of ROWS) await w.psql(`update ledger.${t} set payment = public.then(payment) where payment in (table public.old)`);
    await w.psql(`update ledger.schema_info set at = at - interval '600 days'`);
    await locks(IN);
    auditor = new Auditor(w);
    w.sealer = auditor.startSealer();
    const v = await auditor.sealed();
    assert.equal(v.ok, true, v.first_fault);
    /* Nothing more is written, so that a leaf without a row is nobody's but the intruder's. */
    w.children.splice(w.children.indexOf(w.sealer), 1);
    w.sealer.kill('SIGTERM');
    await w.sealer.gone;
  });
  after(() => w?.stop());

  it('a month leaves with a statement, and what is left verifies', async () => {
    left = join(w.dir, 'left');
    const { out } = await auditor.ask('verify', '--json', '--before', month, '--out', left), before = JSON.parse(out);
    const [, leaves, root] = /^leaves (\d+) root ([0-9a-f]{64})$/.exec(before.leaving);
    const [{ steps }] = await w.psql(`select count(*)::int as steps from ledger.step where payment < ledger.id_floor('${month} 00:00Z')`);
    assert.ok(steps >= 8 && Number(leaves) === steps, out);
    await assert.rejects(detach(leaves, 'no root'), /a number of leaves, and their root/);
    assert.equal(Number(await detach(leaves, root)), 1);
    const v = await auditor.verify();
    assert.equal(v.ok, true, v.first_fault);
    assert.equal(v.leaves_of_detached_rows, steps);
    assert.equal(readFileSync(left, 'utf8').split('\n').length, steps + 1);
    assert.deepEqual(await auditor.verify('--left', left), v, 'the entries of what left are those of a month that was taken out');
    assert.equal(v.steps + steps, before.steps);
    const [action] = await w.psql("select operator, object, detail from audit.operator_action where action = 'months detach'");
    assert.deepEqual(action, { operator: 'olga', object: month, detail: before.leaving });
  });

  it('whoever takes out one payment more is found, though its sums were mended; by its leaf, though that was stated', async () => {
    /* The statement is not sealed yet: as if it had been false from the first. */
    const stated = async (fault) => {
      await w.psql(`create table public.said as select id, detail from ledger.operator_action where action = 'months detach';
        update ledger.operator_action set detail = '${/ is (leaves \d+ root [0-9a-f]+)$/.exec(fault)[1]}' where action = 'months detach'`);
      assert.equal((await auditor.verify()).first_fault, null, 'by the statement alone nothing is amiss');
      assert.match((await auditor.verify('--left', left)).first_fault, /^leaf \d+: its row is gone, and no entry shows that it is of a month/);
      writeFileSync(`${left}.other`, `${readFileSync(left, 'utf8')}no entry\n`);
      assert.match((await auditor.ask('verify', '--left', `${left}.other`)).err, /left.other:\d+: that is no entry of the log/);
      await w.psql("update ledger.operator_action a set detail = s.detail from public.said s where a.id = s.id");
    };
    const [{ id }] = await w.psql('select payment as id from ledger.step order by payment desc limit 1');
    const fault = await meanwhile(`create table public.kept_step as select * from ledger.step where payment = '${id}'; create table public.kept_entry as select * from ledger.entry where payment = '${id}';
      create table public.kept_raw as select * from ledger.raw where payment = '${id}'; create table public.kept_claim as select * from ledger.claim where payment = '${id}';
      create table public.kept_key as select * from ledger.payment_key where payment = '${id}';
      create table public.kept_total as table ledger.account_total;
      update ledger.account_total t set posted = posted - e.p, reserved = reserved - e.r from (select account, coalesce(sum(amount) filter (where kind = 3), 0) as p,
        coalesce(sum(amount) filter (where kind <> 3), 0) as r from public.kept_entry group by 1) e where e.account = t.account;
      delete from ledger.step where payment = '${id}'; delete from ledger.entry where payment = '${id}'; delete from ledger.raw where payment = '${id}';
      delete from ledger.claim where payment = '${id}'; delete from ledger.payment_key where payment = '${id}'`,
    `insert into ledger.step table public.kept_step; insert into ledger.entry table public.kept_entry; insert into ledger.raw table public.kept_raw;
      insert into ledger.claim table public.kept_claim; insert into ledger.payment_key table public.kept_key; delete from ledger.account_total; insert into ledger.account_total table public.kept_total`, stated);
    assert.match(fault, /^months were taken out with leaves \d+ root [0-9a-f]+; what has no row, or is older, is leaves \d+ root/);
  });

  it('whoever takes out a raw message of a month that is still there is found', async () => {
    const [{ id }] = await w.psql('select payment as id from ledger.raw order by payment desc limit 1');
    const fault = await meanwhile(`create table public.raw_once as select * from ledger.raw where payment = '${id}' and version = 1; delete from ledger.raw where payment = '${id}' and version = 1`,
      'insert into ledger.raw table public.raw_once');
    assert.match(fault, /is not what was sealed|no row|are not its messages/);
  });

  it('a statement that was changed, or made again, or of a month that may not leave, is found', async () => {
    const was = "(select detail from public.stated)", keep = "create table public.stated as select * from ledger.operator_action where action = 'months detach'";
    assert.match(await meanwhile(`${keep}; update ledger.operator_action set detail = 'leaves 1 root ' || repeat('0', 64) where action = 'months detach'`,
      `update ledger.operator_action set detail = ${was} where action = 'months detach'`), /months were taken out with leaves 1 root/);
    assert.match(await meanwhile(`insert into ledger.operator_action (operator, action, object, reason, detail) select operator, action, object, reason, detail from public.stated`,
      "delete from ledger.operator_action where action = 'months detach' and id <> (select id from public.stated)"), /stated more than once/);
    assert.match(await meanwhile(`delete from ledger.operator_action where action = 'months detach'`,
      'insert into ledger.operator_action overriding system value table public.stated'), /nobody stated which were taken out/);
    assert.match(await meanwhile(`insert into ledger.detached (name, kept_from) values ('step_pretended', ledger.id_floor(now()))`,
      "delete from ledger.detached where name = 'step_pretended'"), /to which refunds may still come/);
  });

  it('who has the archive shows the leaves again', async () => {
    const name = first.slice(0, 7).replace('-', ''), each = (how) => w.psql(`do $$ declare t text; begin foreach t in array array['step', 'entry', 'raw'] loop ${how}; end loop; end $$`);
    await locks(OUT);
    await each(`execute format('alter table ledger.%s attach partition ledger.%s_${name} for values from (%L) to (%L)', t, t, ledger.id_floor('${first} 00:00Z'), ledger.id_floor('${month} 00:00Z'))`);
    const opening = await w.psql('select count(*)::int as n from ledger.account_opening');
    assert.ok(opening[0].n > 0);
    await w.psql('create table public.opening as table ledger.account_opening; update ledger.account_opening set posted = 0, reserved = 0');
    const a = await auditor.verify();
    assert.equal(a.leaves_of_detached_rows, 0, 'each leaf has its row again');
    assert.doesNotMatch(String(a.first_fault), /taken out/);
    /* An archive that lacks a row does not: its leaf is without one. */
    await w.psql(`create table public.lost as select * from ledger.step where payment = (select min(payment::text)::uuid from ledger.step) and version = 2; delete from ledger.step where payment = (select payment from public.lost) and version = 2`);
    assert.equal((await auditor.verify()).leaves_of_detached_rows, 1);
    await w.psql('insert into ledger.step table public.lost; delete from ledger.account_opening; insert into ledger.account_opening table public.opening');
    await each(`execute format('alter table ledger.%s detach partition ledger.%s_${name}', t, t)`);
    await locks(IN);
    assert.equal((await auditor.verify()).ok, true);
  });
});
