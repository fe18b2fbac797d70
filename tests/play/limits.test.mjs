/* Limits of a day, of a position and of our exchanges, through the whole of a running switch: counted exactly by the ledger,
 * however many ask at once, and named when they refuse. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro, krone } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w;
const till = (name = 'till-eur') => w.callers[name];
const barcode = async (behaviour = 'approve') => (await w.fake('bluecode', { do: 'mint-code', behaviour })).codes[0];
const pay = async (minor) => till().pay(await barcode(), euro(minor));
const used = async (name) => {
  const rows = await w.psql(`select used::int, most::int from ledger.day_used where participant = '${name}' and used > 0`);
  assert.ok(rows.length <= 1, JSON.stringify(rows));
  return rows[0]?.used ?? 0;
};
const kind = (a) => a.body.type?.split('/').pop();

function change(file, more) {
  const path = join(w.dir, file);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...more }));
}
function reload() {
  const r = spawnSync(process.env.XW_SWITCHCTL, ['reload'], { encoding: 'utf8', env: { ...process.env, XW_OPERATORS: `127.0.0.1:${w.port(1)}` } });
  assert.equal(r.status, 0, r.stdout + r.stderr);
}

/* As an operator reads them. */
function limits(...name) {
  const r = spawnSync(process.env.XW_SWITCHCTL, ['limits', ...name, '--json'], { encoding: 'utf8', env: { ...process.env, PGDATABASE: w.db } });
  assert.equal(r.status, 0, r.stderr);
  return JSON.parse(r.stdout);
}

describe('limits', () => {
  before(async () => {
    w = await World.start('limits');
    /* Midnight in this zone is some twelve hours away. */
    const hours = (new Date().getUTCHours() + 12) % 24, zone = hours <= 12 ? `-${String(hours).padStart(2, '0')}:00` : `+${String(24 - hours).padStart(2, '0')}:00`;
    change('participants/till-eur.yaml', { day_max: '30.00', zone });
    change('switchd.yaml', { exchange_limits: [{ currency: 'NOK', limit: '1000.00' }] });
    reload();
    await until(async () => (await pay(2000)).status === 201, 'the new roles serve');
  });
  after(() => w?.stop());

  it('a day is counted exactly, however many ask at once', async () => {
    const before = await used('till-eur');
    const codes = await Promise.all(Array.from({ length: 12 }, () => barcode()));
    const all = await Promise.all(codes.map((c) => till().pay(c, euro(300))));
    const good = all.filter((a) => a.status === 201), bad = all.filter((a) => a.status !== 201);
    assert.equal(good.length, Math.floor((3000 - before) / 300), all.map((a) => a.status).join(' '));
    assert.equal(await used('till-eur'), before + 300 * good.length);
    for (const a of bad) {
      assert.deepEqual([a.status, kind(a), a.body.limit, a.body.limit_value], [422, 'limit-exceeded', 'acquirer-day-amount', '30.00 EUR'], a.text);
      assert.match(a.body.limit_used, /^\d+\.\d\d EUR$/);
      const resets = new Date(a.body.limit_resets_at) - Date.now();
      assert.ok(resets > 11 * 3600e3 && resets <= 13 * 3600e3, a.text);
    }
    w.paid = good.map((a) => a.body.id);
  });

  it('what is cancelled or declined gives its room back; a refund does not', async () => {
    const full = await used('till-eur');
    assert.equal((await pay(400)).status, 422);
    await till().cancel(w.paid[0]);
    await over(w, till(), w.paid[0], 'CANCELLED');
    assert.equal(await used('till-eur'), full - 300);
    const declined = await till().pay(await barcode('decline:INSUFFICIENT_FUNDS'), euro(100));
    assert.equal(declined.status, 402, declined.text);
    assert.equal(await used('till-eur'), full - 300);
    const r = await till().refund(w.paid[1], euro(300));
    assert.ok(r.status < 300, r.text);
    await over(w, till(), w.paid[1], 'REFUNDED');
    assert.equal(await used('till-eur'), full - 300);
    assert.equal((await pay(300)).status, 201);
    assert.equal(await used('till-eur'), full);
  });

  it('a limit that is raised holds at once, for the day that has begun', async () => {
    change('participants/till-eur.yaml', { day_max: '50.00' });
    reload();
    await until(async () => (await pay(100)).status === 201, 'it does');
  });

  it('our exchanges owe no more than their limit in a currency', async () => {
    const sell = async (minor) => till('till-nok').pay(await barcode(), krone(minor));
    assert.equal((await sell(60000)).status, 201);
    const a = await sell(60000);
    assert.deepEqual([a.status, kind(a), a.body.limit, a.body.limit_value], [422, 'limit-exceeded', 'exchange-amount', '1000.00 NOK'], a.text);
    assert.equal(a.body.limit_used, undefined);
    assert.equal((await sell(30000)).status, 201);
  });

  it('nor are they owed more than that', async () => {
    const sell = async (minor) => till('till-nok').pay(await barcode(), krone(minor));
    change('switchd.yaml', { exchange_limits: [{ currency: 'NOK', limit: '10000.00' }, { currency: 'EUR', limit: '100.00' }] });
    reload();
    const held = await until(() => limits().find((l) => l.limit === 'exchange-amount' && l.way === 'owed to us' && l.currency === 'EUR' && l.most === 10000), 'the limit holds');
    assert.ok(held.used > 7000 && held.used < 8500, JSON.stringify(held)); /* 900 kroner were bought */
    const a = await until(async () => { const x = await sell(40000); return x.status === 422 && x; }, 'the new roles serve');
    assert.deepEqual([a.status, kind(a), a.body.limit, a.body.limit_value], [422, 'limit-exceeded', 'exchange-amount', '100.00 EUR'], a.text);
    assert.equal((await sell(10000)).status, 201);
  });

  it('what we owe a participant is bounded; it hears how much of that is used', async () => {
    const owed = -Number((await w.psql("select posted from ledger.balance where name = 'position till-eur EUR'"))[0].posted);
    assert.ok(owed > 0);
    const most = `${Math.floor((owed + 500) / 100)}.${String((owed + 500) % 100).padStart(2, '0')}`;
    change('participants/till-eur.yaml', { day_max: '60.00', amount_max: '55.00', owed_max: most });
    reload();
    await until(() => limits('till-eur').find((l) => l.limit === 'owed-amount' && l.most === owed + 500), 'the limit holds');
    for (let i = 0; i < 4; i++) await until(async () => (await pay(5600)).body.limit === 'acquirer-payment-amount', 'the new roles serve');
    const a = await pay(501);
    assert.deepEqual([kind(a), a.body.limit, a.body.limit_value], ['limit-exceeded', 'owed-amount', `${most} EUR`], a.text);
    assert.equal(a.body.limit_used, `${Math.floor(owed / 100)}.${String(owed % 100).padStart(2, '0')} EUR`);
    const codes = await Promise.all(Array.from({ length: 8 }, () => barcode()));
    const all = await Promise.all(codes.map((c) => till().pay(c, euro(125))));
    assert.equal(all.filter((x) => x.status === 201).length, 4, all.map((x) => x.status).join(' '));
    const row = limits('till-eur').find((l) => l.limit === 'owed-amount');
    assert.deepEqual([row.way, row.used, row.left, row.currency], ['we owe it', owed + 500, 0, 'EUR']);
  });

  it('the books are right, and nothing is reserved but days', async () => {
    assert.deepEqual(await w.faults(), []);
    assert.deepEqual(await w.psql('select name, reserved from ledger.balance where reserved <> 0'), []);
  });
});
