/*
 * What an auditor does: asks whether anything was changed, takes proofs away and checks them without us. The other side is
 * Node's own crypto, written from RFC 6962 and the C2SP texts; and an intruder with the table owner's rights, who changes one
 * thing at a time, two hundred times.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { euro, krone } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { Intruder } from './lib/intruder.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

const run = promisify(execFile);
const EDITS = Number(process.env.XW_EDITS ?? 200);
let w, sealer, key, checkpoints, paid;
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), crypto.createHash('sha256')).digest();
const node = (left, right) => sha256(Buffer.of(1), left, right);

/* { status, out } of switchaudit. */
const audit = (...args) => run(process.env.XW_SWITCHAUDIT, args, { env: { ...process.env, PGDATABASE: w.db, PGUSER: 'auditor_ro' }, maxBuffer: 1 << 24 })
  .then(({ stdout }) => ({ status: 0, out: stdout }), (e) => ({ status: e.code, out: e.stdout, err: e.stderr }));
const verify = async (...more) => {
  const a = await audit('verify', '--json', '--key', key, '--notes', checkpoints, ...more);
  assert.ok([0, 1].includes(a.status), `${a.status} ${a.err}`);
  return JSON.parse(a.out);
};

function startSealer(notes = checkpoints) {
  const log = openSync(join(w.dir, 'sealer.log'), 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', process.env.XW_SWITCHD, 'seal', '--origin', 'play.example/ledger', '--key', join(w.dir, 'log.pem'),
    '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=sealer`, '--notes', notes, '--every', '1', '--stretch', '40'], { stdio: ['ignore', log, log] });
  child.gone = new Promise((r) => { child.on('exit', r); });
  w.children.push(child);
  return child;
}

/* A C2SP verifier key as Node's, with its id; of type 4 that of a witness. */
function publicKey(text, type = 1) {
  const [, name, id, typed] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim());
  const raw = Buffer.from(typed, 'base64');
  assert.equal(raw[0], type, 'Ed25519');
  assert.equal(sha256(`${name}\n`, raw).subarray(0, 4).toString('hex'), id, 'the key id');
  return { name, id, key: crypto.createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: raw.subarray(1).toString('base64url') } }) };
}

/* A signed note, opened: the signature over its text holds. */
function open(note, by) {
  const at = note.indexOf('\n\n'), text = note.slice(0, at + 1);
  const line = note.slice(at + 2).split('\n').find((l) => l.startsWith(`— ${by.name} `));
  const blob = Buffer.from(line.split(' ')[2], 'base64');
  assert.equal(blob.subarray(0, 4).toString('hex'), by.id);
  assert.ok(crypto.verify(null, Buffer.from(text), by.key, blob.subarray(4)), 'the signature');
  const [origin, size, root] = text.split('\n');
  return { origin, size: Number(size), root: Buffer.from(root, 'base64') };
}

/* The root that an inclusion proof leads to (RFC 9162 2.1.3.2). */
function rootOf(index, size, leaf, path) {
  let fn = index, sn = size - 1, r = leaf;
  for (const p of path) {
    assert.notEqual(sn, 0);
    if (fn % 2 === 1 || fn === sn) {
      r = node(p, r);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else r = node(r, p);
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  assert.equal(sn, 0);
  return r;
}

const tilesOf = (leaves) => {
  if (leaves.length === 1) return leaves[0];
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return node(tilesOf(leaves.slice(0, k)), tilesOf(leaves.slice(k)));
};

describe('auditors', () => {
  before(async () => {
    w = await World.start('audit');
    checkpoints = join(w.dir, 'checkpoints');
    writeFileSync(join(w.dir, 'log.pem'), crypto.generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    sealer = startSealer();
    const eur = w.callers['till-eur'], nok = w.callers['till-nok'];
    const mint = async (behaviour) => (await w.fake('alipayplus', { do: 'mint-code', behaviour })).code;
    const pays = [];
    for (let i = 0; i < 12; i++) {
      const caller = i % 3 ? eur : nok;
      pays.push(mint(i % 4 ? (i === 1 ? 'approve-no-notify' : 'approve') : 'decline').then((code) => caller.pay(code, (i % 3 ? euro : krone)(1000 + i)))
        .then((a) => over(w, caller, a.body.id ?? a.body.payment_id, i % 4 ? 'PAID' : 'DECLINED').then(() => a.body.id)));
    }
    paid = (await Promise.all(pays))[1];
    await eur.refund(paid, euro(100));
    await over(w, eur, paid, 'PARTIALLY_REFUNDED');
    /* A stretch ends where a block does, and a quick machine seals all of it in one. */
    await until(async () => (await w.psql('select from ledger.roll_up')).length > 1 || !await eur.pay(await mint('approve'), euro(1100)), 'sums of two stretches', 60000);
    await until(() => w.psql('select from ledger.payment where not final').then((r) => r.length === 0), 'all is final');
    key = await until(() => readFileSync(`${checkpoints}.key`, 'utf8').trim(), 'the verifier key');
    await until(() => verify().then((v) => v.checkpoints > 2 && v.unsealed === 0), 'all is sealed', 30000);
  });
  after(() => w?.stop());

  it('nothing was changed, and the books are right', async () => {
    const v = await verify();
    assert.equal(v.ok, true, v.first_fault);
    assert.ok(v.entries > 80 && v.steps > 24 && v.lines > 40, JSON.stringify(v));
    assert.equal((await audit('trial-balance')).status, 0);
    assert.ok((await w.psql('select from ledger.roll_up')).length > 1, 'sums are kept of stretches of the log');
  });

  it('each checkpoint that left the house holds, and their trees fit', async () => {
    const by = publicKey(key);
    const notes = readFileSync(checkpoints, 'utf8').split(/(?<=\n— [^\n]+\n)/).map((n) => open(n, by));
    const hashes = (await w.psql('select hashes::text as h from ledger.block order by first')).map((b) => Buffer.from(b.h.slice(2), 'hex'));
    const leaves = hashes.flatMap((h) => Array.from({ length: h.length / 32 }, (_, i) => h.subarray(32 * i, 32 * i + 32)));
    assert.ok(notes.length > 1);
    for (const n of notes) {
      assert.equal(n.origin, 'play.example/ledger');
      assert.deepEqual(tilesOf(leaves.slice(0, n.size)), n.root);
    }
  });

  it('a proof of a step, checked here', async () => {
    const file = join(w.dir, 'step.proof');
    await until(() => audit('prove', paid, '--out', file).then((a) => a.status === 0), 'it is under a checkpoint');
    const [head, extra, index, ...rest] = readFileSync(file, 'utf8').split('\n');
    const blank = rest.indexOf('');
    assert.equal(head, 'c2sp.org/tlog-proof@v1');
    const entry = Buffer.from(extra.slice('extra '.length), 'base64');
    const note = open(rest.slice(blank + 1).join('\n'), publicKey(key));
    const path = rest.slice(0, blank).map((l) => Buffer.from(l, 'base64'));
    assert.deepEqual(rootOf(Number(index.slice('index '.length)), note.size, sha256(Buffer.of(0), entry), path), note.root);
    /* The entry is about this payment, and the rows beside the proof are what it is the digest of. */
    const uuid = (await w.payment(paid)).payment.replaceAll('-', '');
    assert.equal(entry.subarray(0, 9).toString('latin1'), 'XWLEDG1\0S');
    assert.equal(entry.subarray(9, 25).toString('hex'), uuid);
    const rows = readFileSync(`${file}.rows`, 'utf8').trim().split('\n').map((l) => l.split(' '));
    const names = { 1: 'step', 2: 'entry', 3: 'raw', 4: 'claim' };
    for (let at = 30; at < entry.length; at += 33) {
      const of = rows.filter(([name]) => name === names[entry[at]]).map(([, b]) => Buffer.from(b, 'base64'));
      assert.ok(of.length > 0);
      assert.deepEqual(sha256(...of), entry.subarray(at + 1, at + 33));
    }
    assert.equal((await audit('check', file, '--key', key)).status, 0);
    writeFileSync(`${file}.rows`, readFileSync(`${file}.rows`, 'utf8').replace(/^(step )(.)/m, (_, a, b) => a + (b === 'A' ? 'B' : 'A')));
    assert.equal((await audit('check', file, '--key', key)).status, 1);
  });

  it('a proof that was touched does not hold', async () => {
    const file = join(w.dir, 'touched.proof');
    assert.equal((await audit('prove', `${paid}/1`, '--out', file)).status, 0);
    const text = readFileSync(file, 'utf8'), lines = text.split('\n');
    const flip = (l) => l.replace(/.$/, (c) => (c === '=' ? 'A' : '=')).replace(/^(.)/, (c) => (c === 'A' ? 'B' : 'A'));
    for (const i of [1, 3, lines.indexOf('') + 2, lines.indexOf('') + 3]) {
      writeFileSync(file, lines.map((l, k) => (k === i ? (i === 1 ? l.replace('extra W', 'extra X') .replace(/(.{12})(.)/, (_, a, b) => a + (b === 'A' ? 'B' : 'A')) : flip(l)) : l)).join('\n'));
      assert.equal((await audit('check', file, '--key', key)).status, 1, lines[i]);
    }
    writeFileSync(file, text.replace(/^index (\d+)$/m, (_, n) => `index ${Number(n) + 1}`));
    assert.equal((await audit('check', file, '--key', key)).status, 1);
  });

  it('that the log only grew, checked by files alone', async () => {
    const notes = readFileSync(checkpoints, 'utf8').split(/(?<=\n— [^\n]+\n)/), by = publicKey(key);
    const [old, now] = [open(notes[0], by), open(notes.at(-1), by)];
    const file = join(w.dir, 'growth.proof'), kept = join(w.dir, 'old.note');
    assert.ok(old.size < now.size);
    writeFileSync(kept, notes[0]);
    const unsigned = await audit('prove', `${old.size}..${now.size + 1000000}`, '--out', `${file}.none`);
    assert.deepEqual([unsigned.status, /nothing was signed over \d+ leaves; what was signed next/.test(unsigned.err), existsSync(`${file}.none`)], [3, true, false], unsigned.err);
    assert.equal((await audit('prove', `${old.size}..${now.size}`, '--out', file)).status, 0);
    assert.equal((await audit('check', file, '--key', key, '--old', kept)).status, 0);
    writeFileSync(kept, notes[1]);
    assert.equal((await audit('check', file, '--key', key, '--old', kept)).status, 1);
  });

  /* C2SP's cosignature/v1, by Node: over the time and the text. */
  const cosigned = (note, by) => {
    const at = note.indexOf('\n\n'), line = note.slice(at + 2).split('\n').find((l) => l.startsWith(`— ${by.name} `));
    const blob = Buffer.from(line.split(' ')[2], 'base64'), time = blob.readBigUInt64BE(4);
    assert.equal(blob.subarray(0, 4).toString('hex'), by.id);
    assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 300, 'the time of the cosignature');
    return crypto.verify(null, Buffer.from(`cosignature/v1\ntime ${time}\n${note.slice(0, at + 1)}`), by.key, blob.subarray(12));
  };
  const witness = (state, ...more) => new Promise((done) => {
    const child = execFile(process.env.XW_SWITCHAUDIT, ['witness', '--state', join(w.dir, state), '--secret', join(w.dir, 'witness.pem'), '--name', 'outside.example/w1', '--key', key],
      (e, out, err) => done({ status: e?.code ?? 0, out, err }));
    child.stdin.end(more.join(''));
  });
  const grown = async (old, size) => {
    const file = join(w.dir, 'request');
    const a = await audit('prove', `${old}..${size}`, '--out', file);
    assert.equal(a.status, 0, a.err);
    return readFileSync(file, 'utf8');
  };

  it('a witness outside cosigns what contains the last that it saw, and nothing else', async () => {
    writeFileSync(join(w.dir, 'witness.pem'), crypto.generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const by = publicKey(key), sizes = readFileSync(checkpoints, 'utf8').split(/(?<=\n— [^\n]+\n)/).map((n) => open(n, by).size);
    const first = await witness('state', await grown(0, sizes[0])), then = await witness('state', await grown(sizes[0], sizes.at(-1)));
    assert.deepEqual([first.status, then.status], [0, 0], first.err + then.err);
    const w1 = publicKey(readFileSync(join(w.dir, 'state.key'), 'utf8'), 4);
    for (const { out } of [first, then]) {
      assert.ok(cosigned(out, w1));
      open(out, by);
    }
    /* Back, from another place, a proof that was touched, no proof, nobody's signature; each is refused, and the state stays. */
    const good = await grown(sizes[0], sizes.at(-1)), state = readFileSync(join(w.dir, 'state'), 'utf8');
    for (const [request, why] of [[await grown(0, sizes[0]), /another checkpoint was seen last/], [good, /another checkpoint was seen last/],
      [`old ${sizes.at(-1)}\n\n${first.out}`, /has become smaller/], [good.replace(/^old \d+/, `old ${sizes.at(-1)}`), /does not contain/],
      [good.replace(/— play[^\n]*\n/, ''), /not a signed note|no signature/], ['', /not of the form/]]) {
      const a = await witness('state', request);
      assert.equal(a.status, 1, request);
      assert.match(a.err, why);
      assert.equal(readFileSync(join(w.dir, 'state'), 'utf8'), state);
    }
    writeFileSync(join(w.dir, 'cosigned'), first.out + then.out);
    const v = await verify('--cosigned', join(w.dir, 'cosigned'), '--witness', join(w.dir, 'state.key'));
    assert.equal(v.ok, true, v.first_fault);
    writeFileSync(join(w.dir, 'cosigned'), first.out + then.out.replace(/(— outside[^ ]* .{20})(.)/, (_, a, b) => a + (b === 'A' ? 'B' : 'A')));
    const touched = await verify('--cosigned', join(w.dir, 'cosigned'), '--witness', join(w.dir, 'state.key'));
    assert.match(touched.first_fault, /a signature that does not hold/);
    writeFileSync(join(w.dir, 'cosigned'), first.out + then.out);
  });

  it('the key of the log is nobody else\'s', async () => {
    chmodSync(join(w.dir, 'log.pem'), 0o640);
    const loose = startSealer();
    assert.equal(await loose.gone, 3);
    chmodSync(join(w.dir, 'log.pem'), 0o600);
    assert.match(readFileSync(join(w.dir, 'sealer.log'), 'utf8'), /want mode 0400 or 0600/);
    if (process.getuid() !== 0) assert.throws(() => readFileSync(`/proc/${sealer.pid}/environ`), /EACCES/, 'its memory is hidden from its own user');
    const told = JSON.stringify(readFileSync(join(w.dir, 'switchd.yaml'), 'utf8'));
    assert.ok(!told.includes('log.pem'), 'the switch does not know where it is');
  });

  it('a payment is traced by any party\'s identifier', async () => {
    const { body } = await w.callers['till-eur'].read(paid), uuid = (await w.payment(paid)).payment;
    const line = (await w.book('alipayplus', paid))[0];
    for (const id of [paid, uuid, body.payment_id, line.paymentId ?? line.peer_id].filter(Boolean)) {
      const a = await audit('trace', id);
      assert.equal(a.status, 0, `${id}: ${a.out}${a.err}`);
      assert.ok(a.out.startsWith(`payment ${paid}, ${uuid}\n1 `), a.out);
      for (const what of ['request debit ->', 'answer debit -> PAID', 'request refund', 'books post', 'message in alipayplus', 'told till-eur', 'body sha-256: ']) {
        assert.ok(a.out.includes(what), `${what} in ${a.out}`);
      }
      assert.doesNotMatch(a.out, /28166602\d{16}/, 'a payment code');
    }
    assert.equal((await audit('trace', 'nobody-ever-sent-this')).status, 1);
    const none = await audit('trace', '01m00000000000000000000000');
    assert.deepEqual([none.status, /no step of it is here/.test(none.out)], [1, true], none.out);
    assert.match((await audit('trace', `${paid}-r1`)).out, new RegExp(`^payment ${paid}, ${uuid}\n`), 'an id of ours for what belongs to it');
  });

  it('an id that stands in records alone is found by a list of them, which cannot mislead', async () => {
    const uuid = (await w.payment(paid)).payment, id = JSON.parse(w.tapped.find((x) => x.url.endsWith('/pay') && x.body.includes(paid)).answer).paymentId;
    await w.settled();
    await run(process.env.XW_SWITCHCTL, ['clearing', '--conf', join(w.dir, 'switchd.yaml')], { env: { ...process.env, PGDATABASE: w.db } });
    const [{ behind }] = await w.psql('select count(*)::int as behind from ledger.step where xact >= (select upto from ledger.known_upto)');
    assert.equal(behind, 0, 'all steps were taken up');
    assert.ok((await audit('trace', id)).out.startsWith(`payment ${paid}, ${uuid}\n`), id);
    const others = await w.psql(`select payment from ledger.step where version = 1 and payment <> '${uuid}' limit 1`);
    await w.psql('alter table ledger.known_as disable trigger no_change');
    await w.psql(`update ledger.known_as set payment = '${others[0].payment}' where digest = substring(sha256('${id}') for 8)`);
    assert.equal((await audit('trace', id)).status, 1, 'where it leads to another payment, nothing is shown');
    await w.psql(`update ledger.known_as set payment = '${uuid}' where digest = substring(sha256('${id}') for 8)`);
    await w.psql('alter table ledger.known_as enable always trigger no_change');
    for (const sql of ["select k.payment from ledger.known_as k where k.digest = '\\x00' and exists (select from ledger.step s where s.payment = k.payment)",
      'with tail as materialized (select payment, record from ledger.step where xact >= (select upto from ledger.known_upto)) select distinct payment from tail limit 2']) {
      const plan = await run(process.env.XW_PSQL, ['-X', '-At', '-d', w.db, '-U', 'postgres', '-c', 'set enable_seqscan = off', '-c', `explain ${sql}`]);
      assert.doesNotMatch(plan.stdout, /Seq Scan on (step|known_as)/, plan.stdout);
      if (sql.startsWith('with')) assert.match(plan.stdout, /_xact_idx/, plan.stdout); /* by the key of payments it would read all of them */
    }
  });

  it('balances of any moment are those of the lines until then', async () => {
    const moments = (await w.psql(`select at::text as at from (select at, row_number() over (order by at) as n, count(*) over () as all from ledger.step) s
      where n in (1, s.all / 3, s.all / 2, s.all - 1)`)).map((r) => r.at);
    for (const at of ['1990-01-01', ...moments, '9999-12-31T23:59:59Z']) {
      const want = await w.psql(`select e.account, coalesce(sum(e.amount) filter (where e.kind = 3), 0)::text as posted, coalesce(sum(e.amount) filter (where e.kind <> 3), 0)::text as reserved
        from ledger.entry e join ledger.step s using (payment, version) where s.at <= '${at}' group by 1 order by 1`);
      assert.deepEqual(await w.psql(`select account, posted::text, reserved::text from audit.trial_balance('${at}') where posted <> 0 or reserved <> 0 or account in (${[0, ...want.map((r) => r.account)]}) order by 1`), want, at);
      const a = await audit('trial-balance', '--json', '--at', at), told = a.out.trim().split('\n').filter(Boolean).map((l) => JSON.parse(l));
      assert.equal(a.status, 0, a.err);
      assert.deepEqual(told.map((l) => `${l.posted} ${l.reserved}`).sort(), want.map((l) => `${l.posted} ${l.reserved}`).sort(), at);
    }
  });

  it('days, moments and numbers are what they are, and an option that a verb does not know is refused', async () => {
    for (const [option, ...args] of [['--before', 'verify', '--before', 'yesterday'], ['--before', 'verify', '--before', '2026-01-15'], ['--before', 'verify', '--before', '2026-13-01'],
      ...['yesterday', 'now', 'infinity', '2026-02-30', '2026-01-15 10:30', '2026-01-15T10:30:00', '', '2026-01-15 10:30:00+0'].map((at) => ['--at', 'trial-balance', '--at', at]),
      ['--from', 'statement', 'bank EUR', '--from', 'today'], ['--to', 'export', 'bank EUR', '--form', 'csv', '--to', '1.1.2026'], ['--every', 'witness', '--every', '10x'],
      ['--at', 'statement', 'bank EUR', '--at', '2026-01-15'], ['--json', 'prove', '1', '--json'], ['--key', 'verify', '--key']]) {
      const r = await audit(...args);
      assert.equal(r.status, 2, args.join(' '));
      assert.match(r.err, new RegExp(`^switchaudit: ${option} ?.*: .+\n$`), args.join(' '));
    }
    for (const word of ['-1', '5..', '-2..5', `${paid}/0`, `${paid}/99999999999`, `${paid}/1x`]) assert.equal((await audit('prove', word)).status, 2, word);
  });

  it('a statement leads from one balance to the other, in every form', async (t) => {
    const accounts = await w.psql(`select a.number, a.name, count(*)::int as lines from ledger.account a join ledger.entry e on e.account = a.number where e.kind = 3 group by 1, 2`);
    const [{ since, until: to }] = await w.psql(`select min(at)::text as since, (min(at) + (max(at) - min(at)) / 2)::text as until from ledger.step`);
    assert.ok(accounts.length > 3);
    for (const { number, name, lines } of accounts) {
      const whole = (await audit('statement', name, '--json')).out.trim().split('\n').map((l) => JSON.parse(l));
      assert.equal(whole.length, lines, name);
      assert.equal(whole.at(-1).balance, whole.reduce((sum, l) => sum + l.amount, 0));
      const want = await w.psql(`select payment, version, line, amount, balance::int from audit.statement(${number}, '${to}', 'infinity') order by at, payment, version, line`);
      const csv = (await audit('export', String(number), '--form', 'csv', '--from', to)).out.trim().split('\n').slice(1).map((l) => l.split(','));
      assert.deepEqual(csv.map(([, payment, version, line, , amount, balance]) => [payment, ...[version, line, amount, balance].map(Number)]),
        want.map((r) => [r.payment, r.version, r.line, r.amount, r.balance]), name);
      const file = join(w.dir, 'statement.xml'), a = await audit('export', name, '--form', 'camt.053', '--from', since, '--to', to, '--out', file);
      assert.equal(a.status, 0, a.err);
      const xml = readFileSync(file, 'utf8');
      assert.equal((xml.match(/<Ntry>/g) ?? []).length + csv.length, lines);
      if (process.env.XW_SPECS) await run('xmllint', ['--noout', '--nonet', '--schema', join(process.env.XW_SPECS, 'iso20022/camt.053.001.08.xsd'), file]);
    }
    assert.equal((await audit('statement', 'no such account')).status, 3);
    if (!process.env.XW_SPECS) t.skip('the schema of camt.053 is not here');
  });

  it('what the books tell auditors to ask is asked as they print it', async () => {
    const text = readFileSync(join(process.env.XW_SOURCE, 'schema/README.md'), 'utf8');
    const ask = (role, p, sql) => run(process.env.XW_PSQL, ['-X', '-At', '-v', 'ON_ERROR_STOP=1', '-v', `p='${p}'`, '-d', w.db, '-U', role, '-f', sql]);
    const blocks = text.match(/(?:^ {4}.*\n)+/gm).filter((b) => /^ {4}select/.test(b));
    assert.equal(blocks.length, 2);
    for (const block of blocks) {
      for (const sql of block.split(/;\n/).filter((x) => x.trim())) {
        const file = join(w.dir, 'asked.sql'), here = sql.includes(' ledger.');
        writeFileSync(file, `${sql};\n`);
        const { stdout } = await ask(here ? 'auditor_ro' : 'auditor', here ? uuidOf(paid) : paid, file);
        assert.ok(stdout.length > 0 || /exception|difference|three_ways|operator_action/.test(sql), `no row of ${sql}`);
      }
    }
    /* One payment's movements are found, not looked for among all. */
    const three = await run(process.env.XW_PSQL, ['-X', '-At', '-d', w.db, '-U', 'postgres', '-c', 'set enable_seqscan = off', '-c', `explain (costs off) select * from audit.three_ways where id = (select '${uuidOf(paid)}'::uuid)`]);
    assert.equal((three.stdout.match(/ on clearing_item/g) ?? []).length, (three.stdout.match(/ on clearing_item.*\n\s+Index Cond: \(+payment = /g) ?? []).length, three.stdout);
    /* And every name in the table of what there is. */
    const table = text.slice(text.indexOf('| in `audit` | what |'));
    const views = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2).flatMap((l) => [...l.split('|')[1].matchAll(/`([a-z_]+)`/g)].map((m) => m[1]));
    const there = (await w.psql("select viewname as v from pg_views where schemaname = 'audit' order by 1")).map((r) => r.v);
    assert.deepEqual(views.sort(), there);
    for (const v of views) {
      writeFileSync(join(w.dir, 'asked.sql'), `select * from audit.${v} limit 1;\n`);
      await ask('auditor', paid, join(w.dir, 'asked.sql')); /* audit.settlement was refused him */
    }
  });

  it('the machine says again what was recorded, and notices what was not', async () => {
    const replay = async (...more) => JSON.parse((await audit('replay', '--conf', join(w.dir, 'switchd.yaml'), '--json', ...more)).out);
    const all = await replay();
    assert.deepEqual({ ...all, steps: 0, same: 0 }, { ok: true, steps: 0, same: 0, differ: 0, other_configuration: 0, untold: 0, first_difference: null });
    assert.ok(all.steps > 24 && all.same === all.steps, JSON.stringify(all));
    assert.equal((await replay(paid)).steps, (await w.psql(`select from ledger.step where payment = '${uuidOf(paid)}'`)).length);
    const lock = (on) => w.psql(`do $$ declare p regclass; begin for p in select relid from pg_partition_tree('ledger.step') loop execute format('alter table %s ${on} trigger no_change', p); end loop; end $$`);
    /* Another event in its place. */
    await lock('disable');
    const [{ was }] = await w.psql(`select encode(evidence, 'hex') as was from ledger.step where payment = '${uuidOf(paid)}' and version = 2`);
    await w.psql(`update ledger.step set evidence = (select evidence from ledger.step where payment = '${uuidOf(paid)}' and version = 1) where payment = '${uuidOf(paid)}' and version = 2`);
    const a = await audit('replay', '--conf', join(w.dir, 'switchd.yaml'), paid);
    await w.psql(`update ledger.step set evidence = decode('${was}', 'hex') where payment = '${uuidOf(paid)}' and version = 2`);
    await lock('enable always');
    assert.equal(a.status, 1);
    assert.match(a.out, new RegExp(`payment ${paid} version 2: (the record would be another one|it would not have been a step)`));
  });

  it('what decided is kept with the signature that proves whose it was', async () => {
    const rows = await w.psql(`select peer, convert_from(head, 'UTF8') as head from ledger.raw where payment = '${uuidOf(paid)}' order by version, n`);
    const [asked, answered] = rows.map((r) => r.head.split('\n')), seen = w.tapped.find((t) => answered.includes(`signature: ${t.answerHeaders.signature}`));
    assert.equal(asked[0], 'POST /v1/payments');
    for (const name of ['signature', 'signature-input', 'content-digest', 'idempotency-key']) assert.ok(asked.some((l) => l.startsWith(`${name}: `)), asked.join());
    assert.equal(answered[0], `200 to POST ${seen.url}`);
    const head = Object.fromEntries(answered.slice(1).map((l) => l.split(': ')));
    const signature = Buffer.from(decodeURIComponent(/signature=([^,]+)/.exec(head.signature)[1]), 'base64');
    const signed = Buffer.concat([Buffer.from(`POST ${seen.url}\n${head['client-id']}.${head['response-time']}.`), seen.answer]);
    assert.ok(crypto.verify('sha256', signed, w.participants.alipayplus.theirKey.publicKey, signature), 'the answer is its own');
    /* And by which key, in columns of their own. */
    const [till, scheme] = await w.psql(`select key, encode(signature, 'base64') as sig from ledger.raw where payment = '${uuidOf(paid)}' order by version, n`);
    assert.equal(scheme.key, /keyVersion=([^,]+)/.exec(head.signature)[1]);
    assert.deepEqual(Buffer.from(scheme.sig, 'base64'), signature);
    assert.equal(till.key, /keyid="([^"]+)"/.exec(asked.find((l) => l.startsWith('signature-input: ')))[1]);
    assert.ok(asked.some((l) => l.startsWith('signature: ') && l.includes(till.sig.replaceAll('\n', ''))));
    assert.ok((await audit('lineage', paid)).out.includes(`proved by key ${scheme.key}, signature ${scheme.sig.replaceAll('\n', '')}`));
  });

  it('the sealer goes on where it was killed', async () => {
    sealer.kill('SIGKILL');
    await sealer.gone;
    const before = (await verify()).entries;
    const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
    const a = await w.callers['till-eur'].pay(code, euro(777));
    await over(w, w.callers['till-eur'], a.body.id, 'PAID');
    sealer = startSealer();
    const v = await until(() => verify().then((now) => now.unsealed === 0 && now.entries > before && now), 'it is sealed');
    assert.equal(v.ok, true, v.first_fault);
  });

  it('two sealers write one log', async () => {
    const other = startSealer();
    const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
    const a = await w.callers['till-eur'].pay(code, euro(778));
    await over(w, w.callers['till-eur'], a.body.id, 'PAID');
    await until(() => verify().then((v) => v.unsealed === 0), 'it is sealed');
    other.kill('SIGTERM');
    await other.gone;
    const v = await verify();
    assert.equal(v.ok, true, v.first_fault);
  });

  it('the sealer ends where the schema changes under it', async () => {
    await w.psql('insert into ledger.schema_info (version) values (9999)');
    assert.equal(await sealer.gone, 1);
    sealer = startSealer();
    await until(() => verify().then((v) => v.ok && v.unsealed === 0), 'another goes on');
  });

  it(`${EDITS} changes by an owner of the tables, ${EDITS} found`, async (t) => {
    const seed = process.env.XW_SEED ?? crypto.randomInt(2 ** 31);
    t.diagnostic(`XW_SEED=${seed}`);
    /* First who writes, then who seals: but for the last checkpoint, which is a row too, nothing is left that no block holds. */
    for (const child of [w.switchd, w.sandbox, sealer]) {
      if (child === sealer) await until(() => verify().then((v) => v.unsealed === 0), 'all is sealed');
      w.children.splice(w.children.indexOf(child), 1);
      child.kill('SIGTERM');
      await child.gone;
    }
    assert.equal((await verify()).ok, true);
    const replays = async () => (await audit('replay', '--conf', join(w.dir, 'switchd.yaml'))).status === 0;
    const intruder = new Intruder(w, async (table) => !(await verify()).ok || (table === 'outbox' && !await replays()), seed);
    await intruder.begin();
    /* What the sealer goes on from is looked at though the newest checkpoint is a row that no block holds yet. */
    await w.psql('update ledger.checkpoint set frontier = frontier || frontier where size = (select max(size) from ledger.checkpoint)');
    assert.match((await verify()).first_fault, /what the sealer goes on from/);
    await w.psql('update ledger.checkpoint set frontier = substring(frontier for length(frontier) / 2) where size = (select max(size) from ledger.checkpoint)');
    const missed = process.env.XW_EVERY ? (await intruder.everything()).missed : await intruder.changes(EDITS);
    assert.deepEqual(missed, [], `XW_SEED=${seed}`);
    const v = await verify();
    assert.equal(v.ok, true, `after all was put back: ${v.first_fault}`);
  });

  it('an old state of the ledger does not fit what left the house', async () => {
    await w.psql('alter table ledger.block disable trigger all; alter table ledger.checkpoint disable trigger all;'
      + ' delete from ledger.checkpoint where size > (select min(size) from ledger.checkpoint);'
      + ' delete from ledger.block where first >= (select min(size) from ledger.checkpoint)');
    const v = await verify('--cosigned', join(w.dir, 'cosigned'), '--witness', join(w.dir, 'state.key'));
    assert.equal(v.ok, false);
    assert.match(v.first_fault, /holds a checkpoint of \d+ leaves; the ledger has \d+/);
    /* And whoever goes on from there is told by the witness: another tree has grown to the size that it saw. */
    const seen = Number(readFileSync(join(w.dir, 'state'), 'utf8').split('\n')[1]);
    await w.psql(`insert into ledger.operator_action (operator, action, object, reason) select 'somebody', 'nothing', g::text, 'to grow' from generate_series(1, 200) g`);
    sealer = startSealer();
    assert.equal(await sealer.gone, 1, 'the sealer signs no second history');
    sealer = startSealer(join(w.dir, 'another'));
    await until(async () => (await w.psql('select max(size)::int as size from ledger.checkpoint'))[0].size > seen, 'the log has grown anew');
    sealer.kill('SIGTERM');
    await sealer.gone;
    const [{ size }] = await w.psql('select max(size)::int as size from ledger.checkpoint'), file = join(w.dir, 'forked');
    assert.equal((await audit('prove', `${seen}..${size}`, '--out', file)).status, 0);
    assert.match((await witness('state', readFileSync(file, 'utf8'))).err, /does not contain the one that was cosigned before/);
  });
});
