/* The route table in a running switch: why a code goes where it goes, tables that are refused as a whole, tables that are
 * taken without a restart, and what another table would have sent elsewhere. By switchctl, as operators have it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w, file, usual, paid;
const till = () => w.callers['till-eur'];
const mint = async (behaviour, more = {}) => (await w.fake('alipayplus', { do: 'mint-code', behaviour, ...more })).code;
const barcode = async () => (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
/* The table as text, an entry a line, so that lines mean something. */
const table = (routes, corridors) => `routes:\n${routes.map((r) => ` - ${JSON.stringify(r)}\n`).join('')}`
  + (corridors ? `corridors:\n${corridors.map((c) => ` - ${JSON.stringify(c)}\n`).join('')}` : '');

const ctl = (...args) => new Promise((end) => {
  const child = spawn(process.env.XW_SWITCHCTL, args, { env: { ...process.env, PGDATABASE: w.db, XW_OPERATORS: `127.0.0.1:${w.port(1)}` } });
  const out = [], err = [];
  child.stdout.on('data', (d) => out.push(d));
  child.stderr.on('data', (d) => err.push(d));
  child.on('close', (status) => end({ status, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }));
});
const explained = async (code, ...args) => {
  const { status, out, err } = await ctl('route', 'explain', code, '--json', ...args);
  assert.ok(status <= 1, err);
  return JSON.parse(out);
};
const verdicts = (e) => e.rows.map((r) => `${r.to} ${r.verdict}`);
/* A connection that is open is served once more by the old roles; what comes after has new ones. */
const reload = async (text, where = file) => {
  writeFileSync(where, text);
  const said = await ctl('reload');
  w.agent = new https.Agent(w.agent.options);
  return said;
};

describe('routes', () => {
  before(async () => {
    w = await World.start('routes');
    file = join(w.dir, 'routes.yaml');
    usual = JSON.parse(readFileSync(file, 'utf8')).routes;
    const good = await reload(table([...usual, { scheme: 'alipay-plus', mode: 'CPM', to: 'pivo', priority: '-1' }]));
    assert.equal(good.status, 0, good.out + good.err);
  });
  after(() => w?.stop());

  it('every row that speaks of the code is listed, with its verdict', async () => {
    const code = await mint('approve'), e = await explained(code, '--from', 'till-eur', '--amount', '12.50', '--currency', 'EUR');
    assert.deepEqual(e.asked, ['alipayplus', 'pivo']);
    assert.deepEqual(verdicts(e), ['alipayplus won', 'alipayplus mode', 'pivo won']); /* one is for codes that a till shows */
    assert.ok(e.schemes.includes('alipay-plus'));
    assert.equal(e.mode, 'CPM');
    paid = await till().pay(code, euro(1250));
    assert.equal(paid.status, 201, paid.text);
  });

  it('what is in force is an entry of the log, file by file and key by key, where it changed', async () => {
    const sha = (name) => crypto.createHash('sha256').update(readFileSync(join(w.dir, name))).digest('hex');
    const entries = () => w.psql("select operator, object, detail from ledger.operator_action where action = 'configuration' order by id");
    const all = await entries(), of = (object) => all.findLast((e) => e.object === object)?.detail;
    assert.equal(of('routes.yaml'), `sha256 ${sha('routes.yaml')}`, 'by the file that was loaded last');
    assert.equal(of('participants/pivo.yaml'), `sha256 ${sha('participants/pivo.yaml')}`);
    const key = all.find((e) => /^key pivo theirs /.test(e.object)), secret = all.filter((e) => /^key \S+ (ours|secret) /.test(e.object));
    assert.equal(key.detail, `active sha256 ${sha('pivo-theirs.pub.pem')}`);
    assert.ok(secret.length > 1 && secret.every((e) => /^active hmac-sha256 [0-9a-f]{64}$/.test(e.detail)), 'of secrets no digest that can be tried');
    assert.equal((await ctl('reload')).status, 0);
    assert.equal((await entries()).length, all.length, 'what is as it was is no decision');
    const pem = join(w.dir, 'pivo-theirs.pub.pem'), was = readFileSync(pem);
    writeFileSync(pem, `${was}\n`);
    assert.equal((await ctl('reload')).status, 0);
    assert.deepEqual((await entries()).slice(all.length), [{ operator: 'configuration', object: key.object, detail: `active sha256 ${sha('pivo-theirs.pub.pem')}` }]);
    writeFileSync(pem, was);
    assert.equal((await ctl('reload')).status, 0);
    w.agent = new https.Agent(w.agent.options);
  });

  it('what cannot be asked is said, and a code of nobody goes to nobody', async () => {
    for (const [args, words] of [
      [['1', '--from', 'nobody'], /no such participant/], [['1', '--from', 'till-eur', '--amount', '1.005', '--currency', 'EUR'], /amount/],
      [['1', '--from', 'till-eur', '--mode', 'XXX'], /mode/], [['1', '--from', 'till-eur', '--at', 'noon'], /at:/],
    ]) {
      const { status, err } = await ctl('route', 'explain', ...args);
      assert.equal(status, 3);
      assert.match(err, words);
    }
    const { status, out } = await ctl('route', 'explain', 'not a code', '--from', 'till-eur', '--json');
    assert.equal(status, 1);
    assert.deepEqual([JSON.parse(out).asked, JSON.parse(out).reason], [[], 'code-unknown']);
  });

  it('a bad table is refused as a whole: file, line, reason; payments under way are unharmed', async () => {
    const codes = await Promise.all(Array.from({ length: 6 }, () => mint('pending-then-approve', { ms: 1500 })));
    const waiting = codes.map((c, i) => till().pay(c, euro(2000 + i)));
    const bad = [...usual.filter((r) => r.scheme !== 'alipay-plus'), { scheme: 'alipay-plus', mode: 'CPM', to: 'nobody' }];
    const { status, out } = await reload(table(bad));
    assert.equal(status, 1, out);
    assert.match(out, new RegExp(`^refused: ${file}:${bad.length + 1}: alipay-plus: to: there is no participant "nobody"`));
    const e = await explained(codes[0], '--from', 'till-eur'); /* not even its good rows are in force */
    assert.deepEqual(e.asked, ['alipayplus', 'pivo']);
    assert.match((await reload(table([{ scheme: 'bluecode', mode: 'CPM', to: 'bluecode', hours: '9 to 5', zone: 'UTC' }]))).out, /routes\.yaml:2: bluecode: hours/);
    assert.match((await reload('routes:\n - {scheme: x, mode: CPM, to: bluecode, prio: "1"}\n')).out, /line 2/);
    for (const a of await Promise.all(waiting)) await over(w, till(), a.body.id, 'PAID');
  });

  it('a corridor is switched off and on while payments pass, without a restart', async () => {
    const supervisor = w.switchd.pid, code = await barcode();
    const off = await reload(table([...usual, { scheme: 'bluecode', mode: 'CPM', to: 'pivo', priority: '-1' }],
      [{ acquirer: 'till-eur', issuer: 'bluecode', mode: 'CPM', on: 'no' }, { issuer: 'pivo', on: 'no' }]));
    assert.equal(off.status, 0, off.out);
    const e = await explained(code, '--from', 'till-eur');
    assert.deepEqual(verdicts(e), ['bluecode corridor-off', 'pivo corridor-off']);
    assert.equal(e.reason, 'no-route');
    assert.deepEqual((await explained(code, '--from', 'till-nok')).asked, ['bluecode']);
    const refused = await till().pay(code, euro(900));
    assert.deepEqual([refused.status, refused.body.type?.split('/').pop()], [422, 'no-route'], refused.text);
    assert.equal((await reload(table(usual))).status, 0);
    const a = await till().pay(await barcode(), euro(900));
    assert.equal(a.status, 201, a.text);
    assert.equal(w.switchd.pid, supervisor);
  });

  it('a row for other hours loses, and says so at that time', async () => {
    const rows = [...usual.filter((r) => r.scheme !== 'bluecode'),
      { scheme: 'bluecode', mode: 'CPM', to: 'bluecode', days: 'mon-fri', hours: '09:00-17:00', zone: 'Europe/Oslo' }];
    assert.equal((await reload(table(rows))).status, 0);
    const code = await barcode(), at = async (time) => verdicts(await explained(code, '--from', 'till-nok', '--at', time));
    assert.deepEqual(await at('2026-07-17T07:00:00Z'), ['bluecode won']); /* a Friday; 9 h in summer is 7 h UTC */
    assert.deepEqual(await at('2026-01-16T07:00:00Z'), ['bluecode time']);
    assert.deepEqual(await at('2026-07-18T10:00:00Z'), ['bluecode time']);
    assert.equal((await reload(table(usual))).status, 0);
  });

  it('a partner that cannot be reached: its open breaker is seen', async () => {
    const code = await barcode(), port = w.participants.bluecode.port;
    const peer = join(w.dir, 'participants', 'bluecode.yaml'), is = readFileSync(peer, 'utf8');
    const main = join(w.dir, 'switchd.yaml'), two = readFileSync(main, 'utf8');
    writeFileSync(main, JSON.stringify({ ...JSON.parse(two), workers: '1' })); /* each learns for itself */
    assert.equal((await reload(is.replaceAll(`:${port}`, ':1'), peer)).status, 0); /* where nobody listens */
    const e = await until(async () => {
      const a = await till().pay(await barcode(), euro(800));
      assert.equal(a.body.type?.split('/').pop(), 'not-reached', a.text); /* not a byte left */
      const now = await explained(code, '--from', 'till-eur');
      return now.rows[0].breaker_open_in && now;
    }, 'it has learnt it');
    assert.deepEqual([verdicts(e), e.rows[0].breaker_open_in, e.reason, e.asked], [['bluecode down'], 1, 'unavailable', []]);
    writeFileSync(main, two);
    assert.equal((await reload(is, peer)).status, 0);
    assert.deepEqual((await explained(code, '--from', 'till-eur')).asked, ['bluecode']);
  });

  it('recorded payments, put to another table: what would go elsewhere', async () => {
    const other = join(w.dir, 'other.yaml'), conf = join(w.dir, 'switchd.yaml');
    writeFileSync(file, table(usual));
    writeFileSync(other, table([...usual, { scheme: 'alipay-plus', mode: 'CPM', to: 'pivo', priority: '5', currency: 'EUR', maximum: '13.00' }]));
    const same = await ctl('route', 'diff', file, file, '--conf', conf, '--json');
    assert.equal(same.status, 0, same.err);
    assert.equal(JSON.parse(same.out).elsewhere, 0);
    const { status, out, err } = await ctl('route', 'diff', file, other, '--conf', conf, '--json');
    assert.equal(status, 1, err);
    const lines = out.trim().split('\n').map((l) => JSON.parse(l)), sum = lines.pop();
    const [{ n }] = await w.psql('select count(*)::int as n from ledger.step where version = 1');
    assert.deepEqual([sum.payments, sum.elsewhere], [n, 1]);
    assert.equal(lines[0].payment, paid.body.id);
    assert.deepEqual([lines[0].amount, lines[0].old, lines[0].new], ['12.50 EUR', 'alipayplus', 'pivo,alipayplus']);
  });

  it('the books are right, and nothing is reserved', async () => {
    assert.deepEqual(await w.faults(), []);
    assert.deepEqual(await w.psql('select name, reserved from ledger.balance where reserved <> 0'), []);
  });
});
