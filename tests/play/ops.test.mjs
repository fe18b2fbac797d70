/* What operators see, and what survives the death of a process. Every kill is -9. */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro, krone } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, sleep, until } from './lib/world.mjs';

let w;
const mint = async (behaviour, more = {}) => (await w.fake('alipayplus', { do: 'mint-code', behaviour, ...more })).code;
const till = () => w.callers['till-eur'];

/* The roles below the supervisor: pid and name. */
const roles = () => readdirSync('/proc').filter((p) => /^\d+$/.test(p)).flatMap((pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== w.switchd.pid) return [];
    return [{ pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }];
  } catch { return []; }
});
const pids = () => roles().map((r) => r.pid).sort();
const logged = (ev) => w.log().map((l) => JSON.parse(l)).filter((l) => l.ev === ev);

/* The socket that listens on a port, as the kernel numbers it. */
const inode = (port) => readFileSync('/proc/net/tcp', 'utf8').split('\n').map((l) => l.trim().split(/\s+/))
  .find((f) => f[3] === '0A' && f[1]?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`))?.[9];

/* Asks for a payment without a pause, on lasting connections and on fresh ones; the function it gives ends it and gives
 * what was answered: status or error, and how often. */
function steadily(path) {
  const seen = {};
  let on = true;
  const loops = [true, true, false, false].map(async (keepAlive) => {
    const agent = new https.Agent({ ...w.agent.options, keepAlive, maxSockets: 1 });
    while (on) {
      const what = await till().sign('GET', path).then((r) => till().send({ ...r, agent })).then((a) => a.status, (e) => e.code ?? e.message);
      seen[what] = (seen[what] ?? 0) + 1;
    }
    agent.destroy();
  });
  return async () => {
    on = false;
    await Promise.all(loops);
    return seen;
  };
}

describe('operations', () => {
  before(async () => { w = await World.start('ops'); });
  after(() => w?.stop());

  for (const path of ['/livez', '/readyz', '/startupz', '/healthz']) {
    it(`GET ${path}`, async () => {
      const a = await w.plain(1, path);
      assert.equal(a.status, 200, a.body);
    });
  }

  it('operators\' pages are not for partners', async () => {
    for (const path of ['/livez', '/metrics']) assert.notEqual((await till().send(await till().sign('GET', path))).status, 200);
  });

  it('nor for pages in an operator\'s browser', async () => {
    const ask = (method, path, headers) => new Promise((ok, no) => {
      http.request({ host: '127.0.0.1', port: w.port(1), method, path, headers }, (a) => { a.resume(); ok(a.statusCode); }).on('error', no).end();
    });
    const asked = async () => JSON.parse((await w.plain(1, '/reload')).body).asked;
    const before = await asked();
    assert.equal(await ask('GET', '/metrics', { host: 'rebound.example' }), 403);
    assert.equal(await ask('POST', '/reload', { origin: 'https://page.example', 'content-type': 'text/plain' }), 403);
    assert.equal(await ask('POST', '/reload', { host: 'rebound.example' }), 403);
    assert.equal(await asked(), before);
    assert.equal(await ask('GET', '/metrics', { host: 'localhost' }), 200);
  });

  it('GET /metrics counts what happened', async () => {
    const value = async (name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec((await w.plain(1, '/metrics')).body)?.[1]);
    const before = await value('xw_steps_total');
    const a = await till().pay(await mint('approve'), euro(1250));
    assert.equal(a.status, 201, a.text);
    await until(async () => await value('xw_steps_total') >= before + 2, 'two steps counted');
    await till().send({ ...await till().sign('GET', '/v1/payments/x'), method: 'BREW' });
    await until(async () => await value('xw_http_parse_errors_total{status="501"}') === 1, 'a refused request counted');
    for (const name of ['http_request', 'partner_call', 'commit']) assert.ok(await value(`xw_${name}_duration_seconds_count`) > 0, name);
  });

  it('the metrics are as Prometheus reads them', async () => {
    const a = await w.plain(1, '/metrics');
    assert.match(a.headers['content-type'], /^text\/plain; version=0\.0\.4|^application\/openmetrics-text/);
    const tool = spawnSync('promtool', ['check', 'metrics'], { input: a.body, encoding: 'utf8' });
    assert.ifError(tool.error);
    assert.equal(tool.status, 0, tool.stderr);
  });

  it('one line of JSON for each move of a payment', async () => {
    const a = await till().pay(await mint('approve'), euro(1300));
    const { payment } = await over(w, till(), a.body.id, 'PAID');
    const lines = w.log().map((l) => JSON.parse(l));
    const mine = lines.filter((l) => l.ev === 'move' && l.payment === a.body.id);
    assert.deepEqual(mine.map((l) => l.version), Array.from({ length: payment.version }, (_, i) => i + 1));
    for (const l of mine) for (const key of ['ts', 'lvl', 'state', 'from', 'acquirer', 'issuer', 'dur_us']) assert.ok(key in l, key);
  });

  it('no payment code and no phone number is in the log', async () => {
    const code = await mint('approve');
    await till().pay(code, euro(1350));
    assert.ok(!w.log().join('\n').includes(code));
    assert.ok(!JSON.stringify(await w.psql('select encode(record, \'escape\') as r, encode(evidence, \'escape\') as e from ledger.step')).includes(code));
  });

  it('no role has more rights than its work needs', () => {
    assert.deepEqual(roles().map((r) => r.name).sort(), ['xw-clerk', 'xw-console', 'xw-worker', 'xw-worker']);
    const of = (pid, file) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    for (const { pid, name } of roles()) {
      assert.match(of(pid, 'status'), /^Seccomp:\t2$/m, name);
      assert.match(of(pid, 'status'), /^NoNewPrivs:\t1$/m, name);
      assert.match(of(pid, 'limits'), /^Max core file size +0 +0 /m, name);
      const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const listeners = [w.port(0), w.port(1)].map((port) => sockets.includes(`socket:[${inode(port)}]`));
      assert.deepEqual(listeners, [name === 'xw-worker', name === 'xw-console'], name);
      /* The page that all share; and what the dead leave to the clerk, which is not the console's to write. */
      assert.equal(of(pid, 'maps').match(/ rw-s .*\/dev\/zero/g).length, name === 'xw-console' ? 1 : 2, name);
    }
  });

  it('a bad configuration is refused with file and member', () => {
    const r = spawnSync(process.env.XW_SWITCHD, ['--conf', `${w.dir}/participants/bluecode.yaml`, '--check'], { encoding: 'utf8' });
    assert.notEqual(r.status, 0);
    assert.match(r.stderr + r.stdout, /bluecode\.yaml/);
    execFileSync(process.env.XW_SWITCHD, ['--conf', `${w.dir}/switchd.yaml`, '--check']);
  });

  describe('kill -9', () => {
    it('of every worker, with payments under way: each becomes final, once', async () => {
      const keys = await Promise.all(Array.from({ length: 12 }, async (_, i) => ({
        order: till().order(await mint(i % 3 ? 'pending-then-approve' : 'slow', { ms: i % 3 ? 1500 : 800 }), euro(2000 + i)), key: crypto.randomUUID(),
      })));
      const there = w.arrived;
      const answers = keys.map(({ order, key }) => till().sure('POST', '/v1/payments', order, key));
      await until(() => w.arrived >= there + keys.length, 'every debit has left'); /* one that has not is undone */
      const before = roles();
      for (const { pid } of before) process.kill(pid, 'SIGKILL');
      for (const [i, a] of (await Promise.all(answers)).entries()) {
        assert.ok([201, 202].includes(a.status), a.text);
        const { moved } = await over(w, till(), a.body.id, 'PAID', 30000);
        assert.deepEqual(moved, { 'alipayplus EUR': 2000 + i, 'till-eur EUR': -2000 - i });
      }
      assert.ok(before.length >= 3 && roles().length === before.length, 'all roles are back');
      assert.equal((await w.plain(1, '/readyz')).status, 200);
    });

    it('of a worker between debit and answer, the till gone: it becomes final without anybody asking', async () => {
      const request = await till().sign('POST', '/v1/payments', till().order(await mint('pending-then-approve', { ms: 2000 }), euro(2100)));
      const lost = till().send(request).catch(() => {});
      const [p] = await until(() => w.psql('select payment from ledger.payment where amount = 2100').then((r) => r.length && r), 'it is written');
      for (const { pid } of roles()) process.kill(pid, 'SIGKILL');
      await lost;
      await until(() => w.psql(`select * from ledger.payment where payment = '${p.payment}' and final and state = 1`).then((r) => r.length), 'PAID', 30000);
    });
  });

  it('SIGHUP: a new configuration, not a payment lost', async () => {
    const before = roles().map((r) => r.pid);
    const answers = Promise.all(Array.from({ length: 8 }, async (_, i) => till().sure('POST', '/v1/payments', till().order(await mint('slow', { ms: 600 }), euro(2200 + i)))));
    await sleep(200);
    w.switchd.kill('SIGHUP');
    for (const a of await answers) {
      assert.ok([201, 202].includes(a.status), a.text);
      await over(w, till(), a.body.id, 'PAID');
    }
    await until(() => roles().every((r) => !before.includes(r.pid)), 'the old roles are gone', 20000);
  });

  it('SIGHUP under steady load: nobody is refused', async () => {
    const a = await till().pay(await mint('approve'), euro(2250));
    const before = pids(), end = steadily(`/v1/payments/${a.body.id}`);
    await sleep(300);
    w.switchd.kill('SIGHUP');
    await until(() => pids().every((p) => !before.includes(p)), 'the old roles are gone', 20000);
    const seen = await end();
    assert.deepEqual(Object.keys(seen), ['200'], JSON.stringify(seen));
    assert.ok(seen[200] > 50, `${seen[200]} requests`);
  });

  it('kill -9 of one worker under steady load: it costs the connections that it was serving', async () => {
    const a = await till().pay(await mint('approve'), euro(2260));
    const end = steadily(`/v1/payments/${a.body.id}`), [one] = roles().filter((r) => r.name === 'xw-worker');
    await sleep(300);
    process.kill(one.pid, 'SIGKILL');
    await until(async () => JSON.parse((await w.plain(1, '/readyz')).body).checks.workers_ready === 2 && !pids().includes(one.pid), 'two workers');
    await sleep(300);
    const { 200: good, ...cut } = await end();
    assert.ok(good > 50, `${good} requests`);
    assert.ok(Object.entries(cut).every(([what, n]) => what === 'ECONNRESET' && n <= 4), JSON.stringify(cut));
  });

  it('a configuration that loads but cannot run: the old roles go on, and the log says why', async () => {
    const before = pids(), key = join(w.dir, 'tls.key'), refused = logged('reload-refused').length;
    chmodSync(key, 0o644);
    w.switchd.kill('SIGHUP');
    await until(() => logged('reload-refused').length > refused, 'it is refused');
    assert.match(logged('worker').at(-1).text, /^partners: .*group or world/);
    await until(() => pids().length === before.length, 'the new ones are gone');
    assert.deepEqual(pids(), before);
    chmodSync(key, 0o600);
    assert.equal((await till().pay(await mint('approve'), euro(2270))).status, 201);
    w.switchd.kill('SIGHUP');
    await until(() => pids().length === before.length && pids().every((p) => !before.includes(p)), 'mended, it is taken', 20000);
  });

  it('a participant that is in the books cannot be left out, only switched off', async () => {
    const dir = join(w.dir, 'participants'), file = join(dir, 'gone.yaml'), refused = logged('reload-refused').length;
    const peer = { ...JSON.parse(readFileSync(join(dir, 'till-nok.yaml'), 'utf8')), name: 'gone', number: '77' };
    const taken = async () => {
      const before = pids();
      w.switchd.kill('SIGHUP');
      await until(() => pids().length === before.length && pids().every((p) => !before.includes(p)), 'it is taken', 20000);
      return pids();
    };
    writeFileSync(file, JSON.stringify(peer));
    const now = await taken();
    rmSync(file);
    w.switchd.kill('SIGHUP');
    await until(() => logged('reload-refused').length > refused, 'it is refused');
    assert.match(logged('setup').at(-1).text, /^participant gone \(77\)/);
    assert.deepEqual(pids(), now);
    writeFileSync(file, JSON.stringify({ ...peer, off: 'yes' }));
    await taken();
  });

  it('new roles that do not become ready go, and the old ones stay', async () => {
    const before = pids(), refused = logged('reload-refused').length;
    const [{ n }] = await w.psql(`select count(*)::int as n from pg_stat_activity where datname = '${w.db}' and usename <> 'postgres'`);
    await w.psql(`alter database ${w.db} connection limit ${n + 1}`); /* enough to look, not to work */
    w.switchd.kill('SIGHUP');
    await until(() => pids().length > before.length, 'the new ones try');
    assert.equal((await till().pay(await mint('approve'), euro(2280))).status, 201);
    await until(() => logged('reload-refused').length > refused, 'they had their time', 30000);
    assert.match(logged('reload-refused').at(-1).text, /not ready in time/);
    await until(() => pids().length === before.length, 'they are gone');
    assert.deepEqual(pids(), before);
    await w.psql(`alter database ${w.db} connection limit -1`);
    assert.equal((await w.plain(1, '/readyz')).status, 200);
  });

  it('too many at once: what is new is refused first, with Retry-After; a cancel is heard', async () => {
    const file = join(w.dir, 'switchd.yaml'), usual = readFileSync(file, 'utf8');
    const reload = async (text, count) => {
      const before = pids();
      writeFileSync(file, text);
      w.switchd.kill('SIGHUP');
      await until(() => pids().length === count && pids().every((p) => !before.includes(p)), 'the new roles are there', 20000);
    };
    await reload(JSON.stringify({ ...JSON.parse(usual), workers: '1', requests_max: '16' }), 3);
    const paid = await till().pay(await mint('approve'), euro(2290));
    const codes = await Promise.all(Array.from({ length: 32 }, () => mint('pending-then-approve', { ms: 1000 })));
    const answers = codes.map((c, i) => till().pay(c, euro(2400 + i)));
    await Promise.race(answers); /* the refused ones are the first to hear */
    const cancel = await till().cancel(paid.body.id);
    assert.ok([200, 201, 202].includes(cancel.status), cancel.text);
    const all = await Promise.all(answers), refused = all.filter((a) => a.status === 503);
    /* There is room for 12, of which what the fakes tell meanwhile takes some; how many are over before the last one comes is the
     * machine's affair. */
    assert.ok(refused.length >= 1 && refused.length <= 24, `${refused.length} of 32 refused`);
    for (const a of refused) {
      assert.match(a.body.type, /\/overloaded$/);
      assert.ok(Number(a.headers['retry-after']) > 0, 'Retry-After');
    }
    for (const a of all.filter((x) => x.status !== 503)) await over(w, till(), a.body.id, 'PAID');
    /* A dozen notifications at one moment may find no room at all, and come again. */
    assert.ok(Number((await w.plain(1, '/metrics')).body.match(/^xw_shed_total (\d+)$/m)?.[1]) >= refused.length, 'shed is counted');
    await reload(usual, 4);
  });

  it('the sandbox dies and comes back: what was in doubt is decided', async () => {
    const code = (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
    w.sandbox.kill('SIGKILL');
    await w.sandbox.gone;
    const a = await w.callers['till-nok'].pay(code, krone(5000));
    w.sandbox = w.spawn('switchsandbox', 'switchsandbox.json');
    const id = a.body.id ?? a.body.payment_id;
    const p = await w.final(id, 30000);
    assert.ok([2, 7].includes(p.state), 'declined or undone: it never arrived');
    assert.deepEqual(await w.moved(id), {});
    await until(() => w.plain(2, '/participants').then((r) => r.status === 200), 'switchsandbox is back');
  });

  it('a machine that stood still for a while hangs nobody', async () => {
    const before = pids(), all = [w.switchd.pid, ...before], hung = logged('role-hangs').length;
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    await sleep(10500);
    for (const pid of all) process.kill(pid, 'SIGCONT'); /* who watches is the first to wake */
    await until(() => w.plain(1, '/readyz').then((r) => r.status === 200), 'it is ready');
    assert.deepEqual(pids(), before);
    assert.equal(logged('role-hangs').length, hung);
  });

  it('SIGTERM: an orderly end', async () => {
    const slow = till().sure('POST', '/v1/payments', till().order(await mint('slow', { ms: 700 }), euro(2300))).catch((e) => e);
    await sleep(200);
    w.switchd.kill('SIGTERM');
    assert.deepEqual(await w.switchd.gone, { code: 0, signal: null });
    const a = await slow;
    assert.ok(a.status === 201 || a.status === 202 || a.code, 'answered, or written');
    assert.deepEqual(roles(), []);
    w.switchd = w.spawn('switchd', 'switchd.yaml');
    await until(() => w.plain(1, '/readyz').then((r) => r.status === 200), 'switchd is back');
    await until(() => w.psql('select * from ledger.payment where not final').then((r) => r.length === 0), 'all payments are final', 30000);
    await until(() => w.psql('select * from ledger.outbox').then((r) => r.length === 0), 'all notifications are delivered', 30000);
  });

  it('nothing is left in doubt', async () => {
    assert.deepEqual(await w.faults(), []);
    assert.deepEqual(await w.psql('select * from ledger.exception_open'), []);
  });
});
