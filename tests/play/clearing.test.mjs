/*
 * Clearing, where we are the scheme: what an acquirer and a wallet settled is taken up into windows, and their files are
 * written: read here by a reader of this play's own, and compared with the fakes' books.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { World, until } from './lib/world.mjs';

let w, files;
const dayOf = (ms) => new Date(ms + 8 * 3600e3).toISOString().slice(0, 10);
const today = dayOf(Date.now()), tomorrow = dayOf(Date.now() + 86400e3);
const plain = (day) => day.replace(/-/g, '');
const till = (command) => w.fake('aps-acquirer', command);
const shown = (name, payment) => w.fake(name, { do: 'show', payment });
const ended = (payment, status) => until(async () => { const s = await shown('aps-acquirer', payment); return s.status === status && s; }, `${payment} ${status}`);
const code = async (payer = 'user-approve') => {
  const { payment } = await w.fake('aps-wallet', { do: 'codes', payer });
  return (await until(async () => { const s = await shown('aps-wallet', payment); return s.code && s; }, 'a code')).code;
};
const sell = async (amount, currency = 'EUR') => {
  const { payment } = await till({ do: 'pay', code: await code(), amount: String(amount), currency });
  return ended(payment, 'PAID');
};
const ctl = (...args) => new Promise((ok) => {
  execFile(process.env.XW_SWITCHCTL, [...args, '--json'], { env: { ...process.env, PGDATABASE: w.db } }, (e, out, err) =>
    ok({ status: e ? e.code : 0, said: out ? JSON.parse(out) : null, err }));
});
const clear = async (...more) => {
  await w.settled();
  const r = await ctl('clearing', '--conf', join(w.dir, 'switchd.yaml'), '--files', files, ...more);
  assert.equal(r.status, 0, r.err);
  return r.said;
};
const walk = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]));
/* A file of the scheme as rows: the summary, then the details by the names of their columns. No field here is quoted. */
function read(participant, kind, day) {
  const found = walk(join(files, participant)).filter((f) => f.includes(`/${kind}_`) && f.includes(`_${plain(day)}_`));
  assert.equal(found.length, 1, `${kind} of ${participant} on ${day}`);
  const lines = readFileSync(found[0], 'utf8').trimEnd().split('\n').map((l) => l.split(','));
  const rows = (head, of) => of.map((l) => { assert.equal(l.length, head.length); return Object.fromEntries(l.map((v, i) => [head[i], v])); });
  return { file: found[0], summary: rows(lines[0], [lines[1]])[0], rows: rows(lines[2], lines.slice(3)) };
}
const sum = (rows, sign) => rows.reduce((n, r) => n + sign(r) * Number(r.settlementAmountValue), 0);
const signOf = (r) => (r.transactionType === 'PAYMENT' ? 1 : -1);

describe('clearing as the scheme', () => {
  before(async () => {
    w = await World.start('clearing', { members: true, expire_s: 30 });
    files = join(w.dir, 'files');
    mkdirSync(files);
  });
  after(() => w?.stop());

  it('a window closes: what was paid and refunded is in the files, what was cancelled is not', async () => {
    const [a, b, c] = [await sell(1410), await sell(9900, 'NOK'), await sell(880)];
    const { refund } = await till({ do: 'refund', payment: a.payment, amount: '410', currency: 'EUR' });
    await till({ do: 'cancel', payment: c.payment });
    await ended(c.payment, 'CANCELLED');
    await until(async () => (await shown('aps-acquirer', a.payment)).refunds[0]?.result === 'DONE', 'refunded');
    await until(async () => (await w.psql('select 1 from ledger.payment where not final')).length === 0, 'all is final');
    await clear();
    assert.deepEqual(await w.psql(`select * from ledger.clearing_window where day >= '${today}'`), [], 'the day is not over');
    const said = await clear('--through', today);
    assert.equal(said.unexplained, 0);
    for (const [name, id] of [['aps-acquirer', a], ['aps-wallet', b]]) {
      const items = read(name, 'transactionItems', today), settled = read(name, 'settlement', today);
      assert.equal(Number(items.summary.totalCount), items.rows.length);
      assert.equal(Number(items.summary.netSettlementAmountValue), sum(items.rows, signOf));
      assert.equal(settled.rows[0].transactionCount, items.summary.totalCount);
      assert.equal(settled.rows[0].settlementAmountValue, items.summary.netSettlementAmountValue, 'there are no fees');
      assert.equal(read(name, 'feeItems', today).summary.totalCount, '0');
      /* The fake's own account of the same. */
      const book = (await w.book(name)).filter((l) => l.role !== 'scan');
      assert.equal(Number(items.summary.netSettlementAmountValue), book.reduce((n, l) => n + l.taken - l.returned, 0));
      assert.ok(items.rows.some((r) => (name === 'aps-acquirer' ? r.transactionId : r.transactionRequestId) === id.switch_id));
      assert.equal(items.rows.filter((r) => r.transactionType === 'REFUND').length, 1);
      assert.ok(items.rows.every((r) => r.carriedFrom === ''));
      assert.equal(items.rows.length, 3, 'the cancelled one is in no file');
    }
    const mine = read('aps-acquirer', 'transactionItems', today);
    assert.equal(mine.rows.find((r) => r.transactionType === 'REFUND').transactionRequestId, refund);
    const kroner = mine.rows.find((r) => r.transactionAmountCurrency === 'NOK');
    assert.deepEqual([kroner.transactionAmountValue, kroner.settlementAmountCurrency], ['9900', 'EUR']);
    assert.match(kroner.transactionTime, /\+08:00$/);
    assert.match(mine.file, new RegExp(`/sandbox/settlements/clearing/1022188000000000031/\\d{8}/transactionItems_1022188000000000031_EUR_${plain(today)}_31_000.csv$`));
  });

  it('a second run changes nothing, and a file that is gone comes again word for word', async () => {
    const before = walk(files).map((f) => [f, readFileSync(f, 'utf8'), statSync(f).mtimeMs]);
    assert.deepEqual(await clear('--through', today), { items: 0, unexplained: 0, windows: 0, files: 0, beyond_cap: 0 });
    assert.deepEqual(walk(files).map((f) => [f, readFileSync(f, 'utf8'), statSync(f).mtimeMs]), before);
    const { file } = read('aps-wallet', 'settlement', today);
    spawnSync('rm', [file]);
    assert.equal((await clear('--through', today)).files, 3);
    assert.deepEqual(walk(files).map((f) => [f, readFileSync(f, 'utf8')]), before.map(([f, t]) => [f, t]));
  });

  it('what comes after the close goes to the next window, marked; a window without anything has files too', async () => {
    const s = await sell(777);
    await clear('--through', tomorrow);
    const { rows } = read('aps-acquirer', 'transactionItems', tomorrow);
    assert.deepEqual(rows.map((r) => [r.transactionId, r.settlementAmountValue, r.carriedFrom]), [[s.switch_id, '777', plain(today)]]);
    const momo = read('momo', 'transactionItems', tomorrow);
    assert.deepEqual([momo.summary.totalCount, momo.rows], ['0', []]);
    assert.equal(walk(files).some((f) => /\/bluecode\//.test(f)), false, 'only who takes us for its scheme gets them');
  });

  it('items are the books', async () => {
    assert.deepEqual(await w.psql(`select e.agreement, e.currency from (select (account >> 10) & 65535 as agreement, currency, sum(amount) as sum
      from ledger.entry where kind = 3 and account >> 26 = 1 group by 1, 2) e
      full join (select agreement, currency, sum(gross + fees) as sum from ledger.clearing_item group by 1, 2) i using (agreement, currency)
      where coalesce(e.sum, 0) <> coalesce(i.sum, 0)`), []);
    assert.deepEqual(await w.faults(), []);
  });

  it('who runs it may not write items by hand, nor change one', async () => {
    for (const sql of ["insert into ledger.clearing_window (agreement, currency, day, items, gross, fees) values (31, 'EUR', now(), 0, 0, 0)",
      'update ledger.clearing_item set gross = 0', 'delete from ledger.clearing_window']) {
      const r = spawnSync(process.env.XW_PSQL, ['-X', '-At', '-U', 'recon', '-d', w.db, '-c', sql], { encoding: 'utf8' });
      assert.match(r.stderr, /permission denied|append-only/);
    }
    await assert.rejects(w.psql('update ledger.clearing_item set gross = 0'), /append-only/);
  });
});
