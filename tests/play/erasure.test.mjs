/*
 * A person is forgotten. A Vipps user scans an Alipay+ merchant's code and pays; the scheme knows him by a name of ours; then
 * what his wallet calls him is erased, and looked for in all that was written down anywhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Auditor } from './lib/auditor.mjs';
import { Caller } from './lib/caller.mjs';
import { closing, over } from './lib/checks.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

const ID = 'anna-7f3a-of-the-wallet', PHONE = '4790123001'; /* which approves */
let w, payer, auditor;
const ids = [];
const wallet = () => w.callers['vipps-server'];

/* What switchctl answers, and its exit status. */
const ctl = (args, input = '') => {
  const r = spawnSync(process.env.XW_SWITCHCTL, [...args, '--json'], { encoding: 'utf8', input, env: { ...process.env, PGDATABASE: w.db } });
  assert.ifError(r.error);
  return { status: r.status, said: r.stdout ? JSON.parse(r.stdout) : null, err: r.stderr };
};
const find = (by, word) => ctl(['payer', 'find', 'vipps', by, '--secret', join(w.dir, 'secret')], `${word}\n`);
const erase = (...more) => ctl(['payer', 'erase', payer, ...more]);

/* Every table as text; bytes as hexadecimal digits, and each of them as what it could be read as. */
function dump() {
  const r = spawnSync('pg_dump', ['-h', process.env.PGHOST, '-U', 'postgres', '--data-only', w.db], { encoding: 'latin1', maxBuffer: 1 << 28 });
  assert.equal(r.status, 0, r.stderr);
  return r.stdout + r.stdout.replace(/\\\\x([0-9a-f]*)/g, (_, hex) => Buffer.from(hex, 'hex').toString('latin1'));
}
const traces = (...words) => {
  const all = { books: dump(), log: w.log().join('\n') };
  return Object.entries(all).flatMap(([where, text]) => words.filter((x) => text.includes(x)).map((x) => `${x} in ${where}`));
};

async function scan(minor, who = { id: ID, handle: PHONE }) {
  const order = await w.fake('alipayplus-mpp', { do: 'order', currency: 'EUR', value: String(minor) });
  const seen = await wallet().call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code: order.codeValue, payer: who });
  assert.equal(seen.status, 201, seen.text);
  return seen.body.id;
}

async function pay(minor, who) {
  const id = await scan(minor, who);
  const answer = await wallet().call('POST', `/v1/scans/${id}/confirm`, {});
  assert.ok([201, 202].includes(answer.status), answer.text);
  await over(w, wallet(), id, 'PAID');
  if (!who || who.id === ID) ids.push(id);
  return id;
}

/* By which customerId the scheme was asked about the code, and told of the payment. */
const namedBy = (id) => w.tapped.filter((t) => t.body.includes(id)).map((t) => JSON.parse(t.body).customerId).filter(Boolean);

describe('who pays, and how he is forgotten', () => {
  before(async () => {
    w = await World.start('erasure', { tapped: 'alipayplus-mpp' });
    auditor = new Auditor(w);
    auditor.startSealer();
  });
  after(() => w?.stop());

  it('the wallet names him by its own words, the scheme by ours; the books have neither', async () => {
    for (const who of [undefined, undefined, { id: ID }]) await pay(2100, who);
    const names = ids.flatMap(namedBy);
    assert.ok(names.length >= 3);
    assert.deepEqual([...new Set(names)], [names[0]], 'always the same');
    [payer] = names;
    assert.match(payer, new RegExp(`^${w.participants.vipps.number}-[0-9a-z]{26}$`));
    assert.equal((await w.book('vipps', ids[2]))[0].taken > 0, true, 'by the telephone number that was bound before');
    assert.deepEqual(traces(ID, PHONE), []);
    assert.notDeepEqual(traces(payer), []);
  });

  it('somebody else has another name', async () => {
    const [other] = namedBy(await pay(2400, { id: 'somebody-else', handle: '4790000001' }));
    assert.notEqual(other, payer);
  });

  it('is found by what his wallet calls him, by whoever has the secret', () => {
    assert.deepEqual(find('id', ID), { status: 0, said: [payer], err: '' });
    assert.deepEqual(find('handle', PHONE).said, [payer]);
    assert.deepEqual(find('handle', ID), { status: 1, said: [], err: '' });
    assert.equal(find('name', ID).status, 2);
  });

  it('the key changes: what is sealed is sealed anew, and the switch goes on', async () => {
    const vault = join(w.dir, 'vault'), rotate = () => ctl(['vault', 'rotate', '--vault', vault, '--reason', 'a year is over', '--as', 'maria']);
    assert.deepEqual(rotate().said, { version: 1, payers: 0, payments: 0 });
    appendFileSync(vault, `2 ${randomBytes(32).toString('hex')}\n`);
    w.switchd.kill('SIGHUP');
    const before = await w.psql('select payer, sealed::text from ledger.payer_binding order by payer');
    await until(async () => (await pay(2500, { id: `new-${randomBytes(4).toString('hex')}`, handle: '4790000001' }))
      && (await w.psql('select 1 from ledger.payer_binding where version = 2')).length > 0, 'the new version', 30000);
    const { version, payments } = rotate().said;
    assert.equal(version, 2);
    assert.ok(payments >= 3);
    assert.deepEqual(await w.psql('select payer from ledger.payer_binding where version < 2'), []);
    assert.deepEqual(await w.psql('select payment from ledger.payment_key where version < 2'), []);
    writeFileSync(vault, readFileSync(vault, 'utf8').split('\n').slice(1).join('\n'));
    const [one] = await w.psql('select seed from ledger.payment_key where length(seed) = 48 limit 1');
    assert.ok(one, 'the older keys are kept under the newer');
    for (const b of before) assert.notDeepEqual(await w.psql(`select sealed::text from ledger.payer_binding where payer = '${b.payer}'`), [{ sealed: b.sealed }]);
    assert.deepEqual([...new Set(namedBy(await pay(2600)))], [payer], 'still the same');
  });

  it('an auditor with the keys reads what the messages say of him, and nobody without them', async () => {
    const read = (await auditor.ask('trace', ids[0], '--vault', join(w.dir, 'vault'))).out;
    assert.match(read, new RegExp(`> .*"id":"${ID}".*"handle":"${PHONE}"`));
    const blind = (await auditor.ask('trace', ids[0])).out;
    assert.match(blind, /body: sealed/);
    assert.ok(!blind.includes(ID) && !blind.includes(PHONE) && blind.includes(payer));
    assert.match((await auditor.sealed()).first_fault ?? 'none', /none/);
  });

  it('one payment alone is erased', async () => {
    const id = ids.shift(), why = ['--reason', 'a mistake', '--as', 'maria'];
    assert.equal(ctl(['evidence', 'erase', id]).status, 2);
    assert.deepEqual(ctl(['evidence', 'erase', id, ...why]).said, { erased: 1 });
    assert.equal(ctl(['evidence', 'erase', id, ...why]).status, 1, 'once');
    const { out } = await auditor.ask('trace', id, '--vault', join(w.dir, 'vault'));
    assert.match(out, /body: erased/);
    assert.ok(!out.includes(ID) && !out.includes(PHONE));
    const v = await auditor.sealed();
    assert.equal(v.ok, true, v.first_fault);
  });

  it('a key that was rewritten opens nothing, and who holds the vault\'s is told', async () => {
    const vault = ['--vault', join(w.dir, 'vault')], [{ payment, seed }] = await w.psql("select payment, encode(seed, 'hex') as seed from ledger.payment_key where payment in (select payment from ledger.raw where version = 1) limit 1");
    const check = async () => JSON.parse((await auditor.ask('verify', '--json', ...vault)).out);
    assert.equal((await check()).ok, true);
    await w.psql(`update ledger.payment_key set seed = decode('${seed.replace(/^./, (c) => (c === '0' ? '1' : '0'))}', 'hex') where payment = '${payment}'`);
    assert.match((await check()).first_fault, /its key is not what sealed its messages/);
    await w.psql(`update ledger.payment_key set seed = decode('${seed}', 'hex') where payment = '${payment}'`);
    assert.equal((await check()).ok, true);
  });

  it('is not forgotten without a name and a reason, nor while he is paying', async () => {
    assert.equal(erase().status, 2);
    const open = await scan(2700);
    const { status, err } = erase('--reason', 'he asked', '--as', 'maria');
    assert.equal(status, 3);
    assert.match(err, /under way/);
    await wallet().call('POST', `/v1/scans/${open}/cancel`, {});
    await w.final(open);
  });

  it('is forgotten: nothing of him is left, and payments of his read as before', async () => {
    const [{ n }] = await w.psql(`select count(*)::int as n from ledger.step where position('${payer}'::bytea in record) > 0`);
    assert.ok(n > 0);
    assert.deepEqual(erase('--reason', 'he asked', '--as', 'maria').said, { payer, erased: true });
    assert.equal(erase('--reason', 'he asked', '--as', 'maria').status, 1, 'once');
    assert.deepEqual(find('id', ID).said, []);
    assert.deepEqual(await w.psql(`select payer from ledger.payer_binding where payer = '${payer}'`), []);
    assert.deepEqual(await w.psql(`select payment from ledger.payment_key where payer = '${payer}'`), []);
    assert.deepEqual(traces(ID, PHONE), []);
    for (const id of ids) {
      const { out } = await auditor.ask('trace', id, '--vault', join(w.dir, 'vault'));
      assert.match(out, /body: erased/);
      assert.ok(!out.includes(ID) && !out.includes(PHONE));
    }
    const v = await auditor.sealed();
    assert.equal(v.ok, true, v.first_fault);
    const [{ operator, reason }] = await w.psql(`select operator, reason from ledger.operator_action where object = '${payer}'`);
    assert.deepEqual([operator, reason], ['maria', 'he asked']);
  });

  it('comes back as somebody new', async () => {
    const [name] = namedBy(await pay(2800));
    assert.notEqual(name, payer);
  });

  it('what is old enough goes; a key that vanishes otherwise is a fault', async () => {
    const expire = (days) => ctl(['evidence', 'expire', '--days', days, '--reason', 'retention', '--as', 'timer']);
    assert.equal(expire('0').status, 2);
    assert.deepEqual(expire('1').said, { erased: 0 });
    const at = `select ledger.evidence_expire(clock_timestamp(), 2, 'timer', 'retention')::int as n`;
    assert.deepEqual(await w.psql(at), [{ n: 2 }]);
    assert.equal((await auditor.sealed()).ok, true);
    const id = await pay(2900, { id: 'somebody-else', handle: '4790000001' });
    assert.equal((await auditor.sealed()).ok, true);
    await w.psql(`create table kept as select * from ledger.payment_key where payment = '${uuidOf(id)}'`);
    await w.psql(`delete from ledger.payment_key where payment = '${uuidOf(id)}'`);
    assert.match((await auditor.sealed()).first_fault, /1 payments have no key/);
    await w.psql('insert into ledger.payment_key select * from kept');
    assert.equal((await auditor.sealed()).ok, true);
  });

  it('the books as a whole', () => closing(w));
});
