/*
 * Settlement interrupted: `switchctl settle` is killed, or loses the ledger, before, during and after each statement of each of its
 * steps, and in the middle of its file. Who asks again ends where nobody was interrupted: one settlement, one instruction with
 * one whole file, one booking.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro } from './lib/caller.mjs';
import { Line } from './lib/line.mjs';
import { World, until } from './lib/world.mjs';

let w, line, files;
const today = [0, 8].map((h) => new Date(Date.now() + h * 3600e3).toISOString().slice(0, 10)).sort()[1];
const at = (db) => ({ env: { ...process.env, XW_LEDGER: `${line.conninfo} dbname=${db} user=operator_rw` } });
/* A command's process; `end` of it says status (null: killed) and what it said. */
const start = (db, args, under = []) => {
  const [program, ...rest] = [...under, process.env.XW_SWITCHCTL, ...args, '--json'];
  let child;
  const end = new Promise((ok) => {
    child = execFile(program, rest, at(db), (e, out, err) => ok({ status: e ? e.code : 0, out, err }));
  });
  return { child, end };
};
const run = (...a) => start(...a).end;
const settle = (verb, ...more) => ['settle', verb, ...more];
const conf = () => ['--conf', join(w.dir, 'switchd.yaml')];
const as = (who) => ['--reason', 'the day is over', '--as', who];
const copy = async (from, to) => {
  await w.psql(`drop database if exists ${to} with (force)`, 'postgres');
  await until(() => w.psql(`create database ${to} template ${from}`, 'postgres').then(() => true), 'a copy');
};
/* What would be seen outside, and how often somebody did what; a file's moment is its settlement's. */
async function seen(db) {
  const [row] = await w.psql(`select
    (select json_agg((agreement, currency, first, through, terms, amount, state, booked) order by agreement, currency) from ledger.settlement_state) as settlements,
    (select json_agg((p.action, p.object, p.amount, p.operator, a.operator, a.payment is not null) order by p.id) from ledger.proposal p
      left join ledger.approval a on a.proposal = p.id) as two_people,
    (select json_agg((operator, action, object) order by id) from ledger.operator_action where action like 'settlement%') as actions,
    (select json_agg((account, posted, reserved) order by account) from ledger.account_total where posted <> 0 or reserved <> 0) as totals,
    (select json_agg((s.mode, s.state, e.account, e.amount) order by e.account) from ledger.step s join ledger.entry e using (payment) where s.mode = 's') as booked,
    (select count(*) from ledger.exception_item) as exceptions`, db);
  const written = readdirSync(files).filter((f) => !f.startsWith('.')).map((f) => [f, readFileSync(join(files, f), 'utf8').replace(/\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-][\d:]+)?)?/g, 'then')]);
  return { ...row, written };
}
const clean = () => { rmSync(files, { recursive: true, force: true }); mkdirSync(files); };

/* Each moment of each statement, whoever dies of it; of many statements alike, the first two and the last. */
async function sweep(from, to, args, said) {
  clean();
  await copy(from, to);
  line.cutAt(0);
  const whole = await run(to, args), count = line.passed;
  assert.match(whole.out, said, whole.err);
  const right = await seen(to);
  assert.ok(count > 0, 'a statement was seen');
  for (const n of [...new Set([1, 2, count])].filter((k) => k <= count)) {
    for (const moment of ['before', 'during', 'after']) {
      for (const killed of moment === 'during' ? [false] : [false, true]) {
        const what = `${args[1]}: ${killed ? 'killed' : 'cut off'} ${moment} statement ${n} of ${count}`;
        clean();
        await copy(from, 'play_settle_cut_now');
        let process_;
        line.cutAt(n, moment, () => killed && process_.child.kill('SIGKILL'));
        process_ = start('play_settle_cut_now', args);
        const hurt = await process_.end;
        assert.notEqual(hurt.status, 0, `${what}: nothing is said to be done`);
        line.cutAt(0);
        const again = await run('play_settle_cut_now', args);
        assert.equal(again.status, 0, `${what}: ${again.err}${again.out}`);
        assert.deepEqual(await seen('play_settle_cut_now'), right, what);
      }
    }
  }
}

describe('settlement, interrupted', () => {
  before(async () => {
    w = await World.start('settle-cut');
    files = join(w.dir, 'instructions');
    line = await Line.open(/^settlement/i);
    const add = (file, more) => writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...more }));
    add(join(w.dir, 'switchd.yaml'), { bank: { name: 'Crosswallet', iban: 'DE89370400440532013000', bic: 'DEUTDEFF' } });
    add(join(w.dir, 'participants', 'till-eur.yaml'), { settles: 'by_us', bank: { name: 'till-eur', iban: 'FI2112345600000785', bic: 'NDEAFIHH' } });
    const code = (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
    await w.final((await w.callers['till-eur'].pay(code, euro(1200))).body.id);
    /* A database is copied only while nobody is in it. */
    w.switchd.kill('SIGTERM');
    await w.switchd.gone;
    await w.settled();
    const cleared = await new Promise((ok) => { execFile(process.env.XW_SWITCHCTL, ['clearing', ...conf(), '--through', today], { env: { ...process.env, PGDATABASE: w.db } }, (e, out, err) => ok(e ? err : '')); });
    assert.equal(cleared, '');
  });
  after(async () => {
    line?.close();
    for (const db of ['now', 'opened', 'proposed', 'instructed', 'stated', 'confirmed']) await w?.psql(`drop database if exists play_settle_cut_${db} with (force)`, 'postgres').catch(() => {});
    await w?.stop();
  });

  const step = { opened: 'play_settle_cut_opened', proposed: 'play_settle_cut_proposed', instructed: 'play_settle_cut_instructed', stated: 'play_settle_cut_stated', confirmed: 'play_settle_cut_confirmed' };
  const id = async () => String((await w.psql("select id from ledger.settlement s join ledger.participant p on p.number = s.agreement where p.name = 'till-eur'", step.opened))[0].id);
  const instruct = async (who) => settle('instruct', await id(), ...conf(), '--files', files, ...as(who));
  const confirm = async (who, reference = 'STMT-1') => settle('confirm', await id(), '--reference', reference, ...as(who));

  it('while windows become settlements', async () => {
    await sweep(w.db, step.opened, settle('open', ...conf(), '--through', today), /"opened":\d/);
  });

  it('while one proposes the instruction, and another gives it', async () => {
    await sweep(step.opened, step.proposed, await instruct('olga'), /"said":"proposed"/);
    await sweep(step.proposed, step.instructed, await instruct('maria'), /"said":"instructed"/);
  });

  it('while the file is written: nobody finds half of one', async () => {
    clean();
    line.cutAt(0);
    assert.equal((await run(step.instructed, await instruct('maria'))).status, 0);
    const [name] = readdirSync(files), bytes = statSync(join(files, name)).size, text = readFileSync(join(files, name), 'utf8');
    for (const room of [0, 1, 512, bytes - 1]) {
      clean();
      const hurt = await run(step.instructed, await instruct('maria'), ['prlimit', `--fsize=${room}`, '--core=0']);
      assert.notEqual(hurt.status, 0, `room for ${room} of ${bytes} bytes`);
      assert.deepEqual(readdirSync(files).filter((f) => !f.startsWith('.')), []);
      assert.equal((await run(step.instructed, await instruct('maria'))).status, 0);
      assert.equal(readFileSync(join(files, name), 'utf8'), text, 'the same file, whole');
    }
  });

  it('while one states what the bank says, and another confirms it', async () => {
    await sweep(step.instructed, step.stated, await confirm('olga'), /"said":"proposed"/);
    await sweep(step.stated, step.confirmed, await confirm('maria'), /"said":"confirmed"/);
  });

  it('two confirm two references at the same moment: one of them is booked', async () => {
    const db = 'play_settle_cut_now';
    await copy(step.stated, db);
    assert.match((await run(db, await confirm('olga', 'STMT-2'))).out, /proposed/);
    const said = (await w.together('ledger.four_eyes', ['STMT-1', 'STMT-2'].map((r) => async () => run(db, await confirm('maria', r))), db)).map((r) => JSON.parse(r.out).said).sort();
    assert.deepEqual(said, ['confirmed', 'it is confirmed']);
    assert.deepEqual(await w.psql("select count(*)::int as n from ledger.step where mode = 's'", db), [{ n: 1 }]);
  });
});
