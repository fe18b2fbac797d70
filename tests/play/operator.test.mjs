/* What a person decides about payments that are stuck: a partner fell silent and stays so. By switchctl alone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { krone } from './lib/caller.mjs';
import { closing, over, toldAs } from './lib/checks.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

let w, off, back;
const till = () => w.callers['till-nok'];
const STUCK = 9, WRITTEN_OFF = 8;
const orders = (op, how, count) => w.fake('bluecode', { do: 'misbehave', op, how, count });
const code = async () => (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];

/* What switchctl answers, and its exit status. */
const ctl = (...args) => {
  const r = spawnSync(process.env.XW_SWITCHCTL, [...args, '--json'], { encoding: 'utf8', env: { ...process.env, PGDATABASE: w.db } });
  assert.ifError(r.error);
  return { status: r.status, said: r.stdout ? JSON.parse(r.stdout) : null, err: r.stderr };
};
const decide = (verb, id, reason = 'Bluecode told us by telephone', who = 'maria') => ctl('payment', verb, id, '--reason', reason, '--as', who);
const listed = (id) => ctl('exceptions').said.filter((x) => x.payment === id);

describe('people who decide', () => {
  before(async () => {
    w = await World.start('operator');
    await orders('payment', 'silent', 2);
    await orders('status', 'cut', 200);
    await orders('cancel', 'cut', 200);
    [off, back] = (await Promise.all([4100, 4200].map(async (minor) => till().pay(await code(), krone(minor))))).map((a) => a.body.id);
    for (const id of [off, back]) await until(() => w.payment(id).then((p) => p.state === STUCK), 'on the list', 90000);
  });
  after(() => w?.stop());

  it('what waits for a person is listed', () => {
    for (const id of [off, back]) {
      const [item, ...more] = listed(id);
      assert.deepEqual(more, []);
      assert.equal(item.kind, 'no certain answer in time; money stays reserved');
      assert.ok(item.age_s >= 0 && item.id > 0);
    }
  });

  it('without a name, a reason or a payment nothing is decided', async () => {
    for (const [status, ...args] of [
      [2, 'payment', 'write-off', off], [2, 'payment', 'write-off', off, '--reason', ' '], [2, 'payment', 'burn', off, '--reason', 'x'],
      [2, 'payment', 'write-off', off, '--reason', 'x', '--as', ''], [2, 'payment', 'retry', 'x', '--reason', 'x'],
      [1, 'payment', 'retry', '01jd5m7q8r9s0t1v2w3x4y5z6a', '--reason', 'x'], [1, 'exception', 'close', '4711', '--reason', 'x'],
    ]) assert.equal(ctl(...args).status, status, args.join(' '));
    assert.deepEqual(await w.psql('select * from ledger.operator_request'), []);
  });

  it('written off: final, and nothing is reserved for it any more', async () => {
    const { status, said, err } = decide('write-off', off);
    assert.equal(status, 0, err);
    assert.equal(said.outcome, 'done');
    const p = await w.payment(off);
    assert.deepEqual([p.state, p.final], [WRITTEN_OFF, true]);
    assert.deepEqual(await w.balanced(off), []);
    assert.deepEqual(await w.moved(off), {});
  });

  it('a second time it is refused, with the reason', () => {
    for (const verb of ['write-off', 'retry', 'undo']) {
      const { status, said } = decide(verb, off);
      assert.equal(status, 1);
      assert.match(said.outcome, verb === 'undo' ? /nothing to undo/ : /nothing .* is stuck/);
    }
  });

  it('the partner is back: retried, it is known long before the slow lane', async () => {
    await orders('status', 'cut', 0);
    await orders('cancel', 'cut', 0);
    /* "No such payment" is believed when it is said twice. */
    await until(async () => decide('retry', back).status <= 1 && (await w.payment(back)).final, 'the end');
    await until(async () => listed(back).length === 0, 'its item closes itself');
    const { moved } = await over(w, till(), back, 'DECLINED');
    assert.deepEqual(moved, {});
    await toldAs(till(), back, 'payment.declined');
  });

  it('an item is closed by hand, once', () => {
    const [item] = listed(off);
    assert.equal(ctl('exception', 'close', String(item.id), '--reason', 'written off', '--as', 'maria').status, 0);
    assert.equal(ctl('exception', 'close', String(item.id), '--reason', 'again', '--as', 'maria').status, 1);
    assert.deepEqual(ctl('exceptions').said, []);
  });

  it('who decided, what and why stays, and the step says so', async () => {
    const actions = await w.psql(`select action, operator, reason from ledger.operator_action where object = '${uuidOf(off)}' order by id`);
    assert.deepEqual(actions[0], { action: 'payment write-off', operator: 'maria', reason: 'Bluecode told us by telephone' });
    const steps = await w.psql(`select version from ledger.step where payment = '${uuidOf(off)}' and kind = 6 and position('maria'::bytea in evidence) > 0`);
    assert.equal(steps.length, 1);
  });

  it('no clerk: the request stands, and that is said', async () => {
    const before = await w.psql('select count(*)::int as n from ledger.operator_request');
    w.switchd.kill('SIGSTOP');
    const clerks = spawnSync('pgrep', ['-P', String(w.switchd.pid), 'xw-clerk'], { encoding: 'utf8' }).stdout.trim().split('\n');
    for (const pid of clerks) process.kill(Number(pid), 'SIGSTOP');
    const { status, said } = decide('retry', off);
    for (const pid of clerks) process.kill(Number(pid), 'SIGCONT');
    w.switchd.kill('SIGCONT');
    assert.deepEqual([status, said.done, said.outcome], [3, false, undefined]);
    await until(() => w.psql('select * from ledger.operator_request where done_at is null').then((r) => r.length === 0), 'it is answered');
    assert.deepEqual(await w.psql('select count(*)::int as n from ledger.operator_request'), [{ n: before[0].n + 1 }]);
  });

  it('the books are whole', () => closing(w));
});
