/*
 * A world: one switchd, one switchsandbox, a database, a configuration and ports of its own, for one file of plays. The
 * Postgres and Redis are those of the run that the environment names (deploy/xw/play.sh); `up` is never touched.
 *
 * The hard thing is to leave nothing behind: every process dies with us, whatever ends us.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';

import { configure } from './configuration.mjs';
import { Acquirer } from './aps.mjs';
import { Caller } from './caller.mjs';
import { bookOf, env, faultsOf, get, order, psql, until } from './look.mjs';

export { sleep, until } from './look.mjs';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/* Our 26 characters are 128 bits in base 32. */
export function uuidOf(id) {
  const hex = [...id].reduce((n, c) => n * 32n + BigInt(ALPHABET.indexOf(c)), 0n).toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export class World {
  static async start(name, option = {}) {
    const w = new World();
    try { await w.begin(name, option); } catch (e) { await w.stop(); throw e; }
    return w;
  }

  servers = [];
  children = [];
  callers = {};
  tapped = []; /* what passed between the switch and who is behind the tap: Alipay+, or option `tapped` */
  arrived = 0; /* calls there, answered or not */
  bend = null;

  async begin(name, option) {
    const w = this;
    process.umask(0o077); /* secrets that others can read are refused */
    const base = Number(env('XW_PORT_BASE')) + 50 + Number(env('XW_PLAY_LANE')) * 10;
    w.name = name;
    w.behind = option.tapped ?? 'alipayplus';
    w.dir = join(env('XW_PLAY'), name);
    w.port = (offset) => base + offset;
    w.db = `play_${name.replace(/-/g, '_')}`;
    rmSync(w.dir, { recursive: true, force: true });
    mkdirSync(w.dir, { recursive: true });
    await w.psql(`drop database if exists ${w.db} with (force)`, 'postgres');
    await until(() => w.psql(`create database ${w.db} template xw_tmpl`, 'postgres').then(() => true), 'a database');
    Object.assign(w, configure(w.dir, w.port, {
      postgres: `host=${env('PGHOST')} port=5432 dbname=${w.db} user=switch_rw`, redis: env('XW_REDIS'), ...option,
    }));
    w.ca = readFileSync(join(w.dir, 'ca.pem'));
    w.tls = { key: readFileSync(join(w.dir, 'tls.key')), cert: readFileSync(join(w.dir, 'tls.pem')) };
    w.agent = new https.Agent({ keepAlive: true, ca: w.ca });
    await w.listen(3, (q, r, body) => w.toCaller(q, r, body));
    if (!option.unified) await w.listen(4, (q, r, body) => w.tap(q, r, body));
    for (const p of Object.values(w.participants)) if (p.caller) w.callers[p.name] = p.adapter === 'apsmember' ? new Acquirer(w, p) : new Caller(w, p);
    w.sandbox = w.spawn('switchsandbox', 'switchsandbox.json');
    w.switchd = w.spawn('switchd', 'switchd.yaml');
    await until(() => w.plain(2, '/participants').then((a) => a.status === 200), 'switchsandbox');
    await until(() => w.plain(1, '/startupz').then((a) => a.status === 200), 'switchd');
  }

  /* With the death of its parent it gets SIGTERM, even if we are killed. */
  spawn(program, conf) {
    const log = openSync(join(this.dir, `${program}.log`), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', env(`XW_${program.toUpperCase()}`), '--conf', join(this.dir, conf)],
      { stdio: ['ignore', log, log], cwd: this.dir });
    child.gone = new Promise((r) => { child.on('exit', (code, signal) => r({ code, signal })); });
    this.children.push(child);
    return child;
  }

  async stop() {
    for (const child of this.children.reverse()) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 15000);
      await child.gone;
      clearTimeout(late);
    }
    this.agent?.destroy();
    for (const s of this.servers) { s.close(); s.closeAllConnections(); }
    await this.psql(`drop database ${this.db} with (force)`, 'postgres').catch(() => {});
  }

  async listen(offset, on) {
    const server = https.createServer(this.tls, (q, r) => {
      const parts = [];
      q.on('data', (d) => parts.push(d)).on('error', () => {}).on('end', () => on(q, r, Buffer.concat(parts)));
    });
    server.keepAliveTimeout = 0; /* an idle line that we close as the switch writes to it would be in doubt */
    await new Promise((ok, no) => { server.on('error', no).listen(this.port(offset), '127.0.0.1', ok); });
    this.servers.push(server);
  }

  /* What the switch tells a partner of ours. */
  toCaller(q, r, body) {
    const caller = Object.values(this.callers).find((c) => q.url.startsWith(`${c.p.base}/`));
    if (caller) caller.told(q, r, body);
    else r.writeHead(404).end();
  }

  /* Stands between the switch and a partner: keeps what passed, and bends an answer where a play says so. */
  tap(q, r, body) {
    this.arrived++;
    const headers = { ...q.headers };
    const onward = https.request({
      host: '127.0.0.1', port: this.participants[this.behind].port, path: q.url, method: q.method, headers, agent: this.agent,
    }, (a) => {
      const parts = [];
      a.on('data', (d) => parts.push(d)).on('end', () => {
        const seen = { url: q.url, headers, body, status: a.statusCode, answerHeaders: a.headers, answer: Buffer.concat(parts) };
        this.tapped.push(seen);
        const bent = this.bend?.(seen) ?? seen;
        r.writeHead(bent.status, bent.answerHeaders).end(bent.answer);
      });
    });
    onward.on('error', () => r.destroy()).end(body);
  }

  /* Plain HTTP of operators and control. */
  plain(offset, path, command) { return get(this.port(offset), path, command); }

  /* Orders a fake about. */
  fake(name, command) { return order(this.port(2), name, command); }

  /* The lines of a fake's book that are about a payment of ours; all of them without one. */
  async book(name, id = '') { return (await bookOf(this.port(2), name)).filter((l) => l.id.startsWith(id)); }

  /* Rows as objects. */
  psql(sql, db = this.db) { return psql(db, sql); }

  /* What each of `starts` says, who all wait for the ledger's lock of that name before any of them is let on. */
  async together(lock, starts, db = this.db) {
    const holder = spawn(env('XW_PSQL'), ['-XqAt', '-U', 'postgres', '-d', db], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.children.push(holder);
    holder.stdin.write(`select pg_advisory_lock(hashtext('${lock}'));\n\\echo held\n`);
    await once(holder.stdout, 'data');
    const all = starts.map((start) => start());
    await until(async () => (await this.psql("select 1 from pg_locks where not granted and locktype = 'advisory'", db)).length === starts.length, 'all wait');
    holder.stdin.end();
    return Promise.all(all);
  }

  /* Nobody's transaction is older than the last step, in any database (`create database` of another play takes seconds):
   * whoever reads below the oldest that runs, as clearing and the sealer do, sees them all. */
  settled() {
    return until(async () => (await this.psql('select not exists (select from ledger.step where xact >= pg_snapshot_xmin(pg_current_snapshot())) as all'))[0].all,
      'no older transaction runs', 60000);
  }

  log(program = 'switchd') { return readFileSync(join(this.dir, `${program}.log`), 'utf8').split('\n').filter(Boolean); }

  payment(id) { return this.psql(`select * from ledger.payment where payment = '${uuidOf(id)}'`).then((r) => r[0]); }

  final(id, ms) {
    return until(() => this.payment(id).then((p) => p?.final && p), `${id} final`, ms);
  }

  /* What a payment moved on a participant's position: + they owe us. Fees are not part of it. */
  async moved(id) {
    const rows = await this.psql(`select a.agreement, e.currency, sum(e.amount)::text as amount from ledger.entry e
      join ledger.account a on a.number = e.account where e.kind = 3 and a.class = 1 and e.payment = '${uuidOf(id)}' group by 1, 2`);
    const names = Object.fromEntries(Object.values(this.participants).map((p) => [p.number, p.name]));
    return Object.fromEntries(rows.map((r) => [`${names[r.agreement]} ${r.currency}`, Number(r.amount)]));
  }

  /* Entries sum to zero in every currency, and nothing is reserved any more, but room of a day. */
  async balanced(id) {
    const of = `where payment = '${uuidOf(id)}'`;
    const sums = await this.psql(`select currency, sum(amount) from ledger.entry ${of} and kind = 3 group by 1 having sum(amount) <> 0`);
    const held = await this.psql(`select account, sum(amount) from ledger.entry ${of} and kind in (1, 2) and account >> 30 = 0 group by 1 having sum(amount) <> 0`);
    return [...sums, ...held];
  }

  /* Rows of schema/zero: faults in the books. */
  faults() { return faultsOf(this.db); }
}
