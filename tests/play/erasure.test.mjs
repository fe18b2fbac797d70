/*
 * A person is forgotten. A Vipps user scans an Alipay+ merchant's code and pays; the scheme knows him by a name of ours; then
 * what his wallet calls him is erased, and looked for in all that was written down anywhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Caller } from './lib/caller.mjs';
import { closing, over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

const ID = 'anna-7f3a-of-the-wallet', PHONE = '4790123001'; /* which approves */
let w, payer;
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
  return id;
}

/* By which customerId the scheme was asked about the code, and told of the payment. */
const namedBy = (id) => w.tapped.filter((t) => t.body.includes(id)).map((t) => JSON.parse(t.body).customerId).filter(Boolean);

describe('who pays, and how he is forgotten', () => {
  before(async () => { w = await World.start('erasure', { tapped: 'alipayplus-mpp' }); });
  after(() => w?.stop());

  it('the wallet names him by its own words, the scheme by ours; the books have neither', async () => {
    const ids = [await pay(2100), await pay(2200), await pay(2300, { id: ID })];
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
    assert.deepEqual(rotate().said, { version: 1, payers: 0 });
    appendFileSync(vault, `2 ${randomBytes(32).toString('hex')}\n`);
    w.switchd.kill('SIGHUP');
    const before = await w.psql('select payer, sealed::text from ledger.payer_binding order by payer');
    await until(async () => (await pay(2500, { id: `new-${randomBytes(4).toString('hex')}`, handle: '4790000001' }))
      && (await w.psql('select 1 from ledger.payer_binding where version = 2')).length > 0, 'the new version', 30000);
    assert.equal(rotate().said.version, 2);
    assert.deepEqual(await w.psql('select payer from ledger.payer_binding where version < 2'), []);
    for (const b of before) assert.notDeepEqual(await w.psql(`select sealed::text from ledger.payer_binding where payer = '${b.payer}'`), [{ sealed: b.sealed }]);
    assert.deepEqual([...new Set(namedBy(await pay(2600)))], [payer], 'still the same');
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
    assert.deepEqual(traces(ID, PHONE), []);
    const [{ operator, reason }] = await w.psql(`select operator, reason from ledger.operator_action where object = '${payer}'`);
    assert.deepEqual([operator, reason], ['maria', 'he asked']);
  });

  it('comes back as somebody new', async () => {
    const [name] = namedBy(await pay(2800));
    assert.notEqual(name, payer);
  });

  it('the books as a whole', () => closing(w));
});
