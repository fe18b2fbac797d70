/*
 * Settlement: windows become one net amount for each agreement, an instruction that the published schemas accept, and a booking,
 * each by two people; who is beyond its cap is said.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro, krone } from './lib/caller.mjs';
import { World, until } from './lib/world.mjs';

let w, dir;
const SCHEMAS = process.env.XW_SPECS && join(process.env.XW_SPECS, 'iso20022');
const today = [0, 8].map((h) => new Date(Date.now() + h * 3600e3).toISOString().slice(0, 10)).sort()[1];
const run = (program, args, env) => new Promise((ok) => {
  execFile(program, args, { env: { ...process.env, PGDATABASE: w.db, ...env } }, (e, out, err) => ok({ status: e ? e.code : 0, out, err }));
});
const ctl = async (...args) => {
  const r = await run(process.env.XW_SWITCHCTL, [...args, '--json']);
  return { ...r, said: r.out ? JSON.parse(r.out) : null };
};
const conf = () => ['--conf', join(w.dir, 'switchd.yaml')];
const as = (who) => ['--reason', 'the day is over', '--as', who];
const list = async () => Object.fromEntries((await ctl('settle', 'list')).said.map((s) => [s.participant, s]));
const posted = async (name) => Number((await w.psql(`select posted from ledger.balance where name = '${name}'`))[0].posted);
const blue = async (minor, money = euro(minor), till = 'till-eur') => {
  const code = (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
  const a = await w.callers[till].pay(code, money);
  assert.equal(a.status, 201, a.text);
  await w.final(a.body.id);
  return a.body.id;
};
const instruct = (id, who, ...more) => ctl('settle', 'instruct', String(id), ...conf(), '--files', dir, ...more, ...as(who));
const confirm = (id, who, ...more) => ctl('settle', 'confirm', String(id), ...more, ...as(who));

describe('settlement', () => {
  before(async () => {
    w = await World.start('settle');
    dir = join(w.dir, 'instructions');
    mkdirSync(dir);
    /* The accounts of both sides; the files are JSON, which is YAML. */
    const add = (file, more) => writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...more }));
    const peer = (name) => join(w.dir, 'participants', `${name}.yaml`);
    add(join(w.dir, 'switchd.yaml'), { bank: { name: 'Crosswallet & Co', iban: 'DE89370400440532013000', bic: 'DEUTDEFF' } });
    add(peer('till-eur'), { settles: 'by_us', bank: { name: 'till-eur', iban: 'FI2112345600000785', bic: 'NDEAFIHH' } });
    add(peer('till-nok'), { bank: { name: 'till-nok', iban: 'NO9386011117947', bic: 'DNBANOKKXXX' } });
    for (const minor of [1200, 3405]) await blue(minor);
    await blue(0, krone(9900), 'till-nok');
  });
  after(() => w?.stop());

  it('nothing is settled that is not cleared', async () => {
    assert.deepEqual((await ctl('settle', 'open', ...conf(), '--through', today)).said, { opened: 0 });
    await w.settled();
    assert.equal((await ctl('clearing', ...conf(), '--through', today)).status, 0);
  });

  it('one net amount for each agreement; a window is settled once', async () => {
    const r = await ctl('settle', 'open', ...conf(), '--through', today);
    assert.equal(r.status, 0, r.err);
    assert.ok(r.said.opened >= 4);
    const all = await list();
    assert.deepEqual([all['till-eur'].amount, all['till-eur'].state], [-4605, 'to instruct']);
    assert.deepEqual([all['till-nok'].amount, all['till-nok'].currency], [-9900, 'NOK']);
    assert.ok(all.bluecode.amount > 4605 && all.bluecode.state === 'expected' && all.bluecode.terms === 'by_peer');
    assert.equal(all.pivo.state, 'confirmed', 'nothing is owed either way');
    for (const s of Object.values(all)) assert.equal(s.amount, await posted(`position ${s.participant} ${s.currency}`), s.participant);
    assert.deepEqual((await ctl('settle', 'open', ...conf(), '--through', today)).said, { opened: 0 });
  });

  it('instructed by two people; the file is what it was whenever it is asked for', async (t) => {
    const { id } = (await list())['till-eur'], file = join(dir, `pacs.009_XW-SETTLEMENT-${id}.xml`);
    for (const who of ['olga', 'OLGA']) assert.deepEqual((await instruct(id, who)).said, { id, said: 'proposed' });
    assert.equal(existsSync(file), false, 'one person instructs nothing');
    const r = await instruct(id, 'maria');
    assert.deepEqual([r.status, r.said?.said], [0, 'instructed'], r.err);
    const text = readFileSync(file, 'utf8');
    assert.match(text, /<IntrBkSttlmAmt Ccy="EUR">46\.05</);
    assert.match(text, /<CdtrAcct><Id><IBAN>FI2112345600000785</);
    assert.equal((await instruct(id, 'maria')).status, 0);
    assert.equal(readFileSync(file, 'utf8'), text);
    const nok = (await list())['till-nok'].id;
    for (const who of ['olga', 'maria']) assert.equal((await instruct(nok, who, '--form', 'pain.001')).status, 0);
    assert.match(readFileSync(join(dir, `pain.001_XW-SETTLEMENT-${nok}.xml`), 'utf8'), /<InstdAmt Ccy="NOK">99\.00</);
    if (!SCHEMAS || !existsSync(SCHEMAS)) return t.skip('the schemas are not here');
    for (const [kind, f, xsd] of [['pacs.009', id, 'pacs.009.001.08'], ['pain.001', nok, 'pain.001.001.09']]) {
      const v = await run('xmllint', ['--nonet', '--noout', '--schema', join(SCHEMAS, `${xsd}.xsd`), join(dir, `${kind}_XW-SETTLEMENT-${f}.xml`)]);
      assert.equal(v.status, 0, v.err);
    }
    return undefined;
  });

  it('what is not ours to pay is not instructed; what was not instructed is not confirmed', async () => {
    const all = await list();
    const r = await instruct(all.bluecode.id, 'olga');
    assert.deepEqual([r.status, r.said.said], [1, 'that is not ours to pay']);
    await blue(500);
    assert.equal((await instruct(4711, 'olga')).said.said, 'there is no such settlement');
    assert.equal((await confirm(4711, 'olga', '--reference', 'B-1')).status, 1);
    assert.equal((await ctl('settle', 'confirm', String(all.bluecode.id), '--reference', 'B-1', '--as', 'olga')).status, 2, 'why?');
  });

  it('confirmed by two people: booked between the position and the bank, once', async () => {
    const { id } = (await list())['till-eur'], [position, bank] = [await posted('position till-eur EUR'), await posted('bank EUR')];
    assert.equal((await confirm(id, 'olga', '--reference', 'STMT-7')).said.said, 'proposed');
    assert.equal((await confirm(id, 'maria', '--reference', 'STMT-8')).said.said, 'proposed', 'another reference is another thing');
    assert.equal(await posted('bank EUR'), bank);
    const r = await confirm(id, 'maria', '--reference', 'STMT-7');
    assert.deepEqual([r.status, r.said.said], [0, 'confirmed'], r.err);
    assert.deepEqual([await posted('position till-eur EUR'), await posted('bank EUR')], [position + 4605, bank - 4605]);
    assert.deepEqual((await confirm(id, 'olga', '--reference', 'STMT-8')).said.said, 'it is confirmed');
    assert.equal((await list())['till-eur'].state, 'confirmed');
    const other = (await list()).bluecode.id;
    assert.deepEqual((await confirm(other, 'olga', '--reference', 'STMT-7')).said, { id: other, said: 'that reference was booked' });
    assert.deepEqual((await w.psql("select participant, amount::int, booked::int, instructed_by, confirmed_by from audit.settlement where participant = 'till-eur'")),
      [{ participant: 'till-eur', amount: -4605, booked: -4605, instructed_by: 'maria', confirmed_by: 'maria' }]);
  });

  it('the trail of a booking says who asked and who approved; what they wrote moves no cursor', async () => {
    const [{ payment }] = await w.psql("select payment from audit.settlement where participant = 'till-eur' and payment is not null");
    const decided = (await w.psql(`select detail from audit.trail('${payment}') where what = 'decided' order by n`)).map((r) => r.detail);
    assert.equal(decided.length, 2);
    assert.match(decided[0], /^olga settlement confirm proposed: the day is over \(-4605 EUR minor units, by operator_rw\)$/);
    assert.match(decided[1], /^maria settlement confirm: the day is over \(-4605 EUR minor units, reference STMT-7, by operator_rw\)$/);
    const uuid = (await w.psql(`select ledger.id_from('${payment}') as id`))[0].id;
    await w.psql(`insert into ledger.operator_action (operator, action, object, reason) values ('mallory', 'nothing', '${uuid}', E'\\x1b[2J\\u009b2J\\r\\n€')`);
    for (const verb of ['trace', 'lineage']) {
      const { out } = await run(process.env.XW_SWITCHAUDIT, [verb, payment, '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=auditor_ro`]);
      for (const who of ['olga settlement confirm proposed:', 'maria settlement confirm:', 'reference STMT-7', 'mallory nothing: \\?\\[2J\\?2J\\?\\?€']) assert.match(out, new RegExp(`decided .*${who}`), out);
    }
  });

  it('whoever has a login of his own signs by its name; two such logins, or neither', async () => {
    const { id } = (await list())['till-nok'], [olga, maria] = ['play_settle_olga', 'play_settle_maria'];
    const by = async (login, who) => {
      const r = await run(process.env.XW_SWITCHCTL, ['settle', 'confirm', String(id), '--reference', 'NO-1', ...as(who), '--json'], login && { XW_LEDGER: `user=${login}` });
      return r.out ? JSON.parse(r.out).said : r.err;
    };
    const desk = 'play_settle_desk'; /* a group: it is no less her own login */
    await w.psql(`create role ${desk} in role operator_rw; create role ${olga} login in role operator_rw; create role ${maria} login in role ${desk}`);
    try {
      assert.match(await by(olga, 'maria'), /signs by its own name/);
      assert.equal(await by(olga, olga), 'proposed');
      assert.equal(await by(olga, olga), 'proposed', 'twice the same person');
      assert.match(await by(null, 'maria'), /the login that all share/);
      assert.match(await by(maria, 'somebody else'), /signs by its own name/);
      assert.equal(await by(maria, maria), 'confirmed');
      assert.deepEqual(await w.psql(`select proposed_login, approved_login, approved_by from audit.two_people where object = '${id} NO-1'`),
        [{ proposed_login: olga, approved_login: maria, approved_by: maria }]);
    } finally {
      for (const login of [olga, maria, desk]) await w.psql(`drop role ${login}`);
    }
  });

  it('a deposit is booked by two people, once; a reference of the bank is one booking, whatever of', async () => {
    const [position, bank] = [await posted('position pivo EUR'), await posted('bank EUR')];
    const reference = '20260115297405436800000000'; /* it looks like an id of ours */
    const deposit = (who, amount) => ctl('deposit', 'pivo', amount, 'EUR', '--reference', reference, ...as(who));
    for (const who of ['olga', 'Olga']) assert.deepEqual((await deposit(who, '50.00')).said, { said: 'proposed' });
    assert.deepEqual((await deposit('maria', '50.01')).said, { said: 'proposed' }, 'another amount is another thing');
    assert.equal(await posted('bank EUR'), bank, 'one person moves nothing');
    const r = await deposit('maria', '50.00'), id = r.said.deposit;
    assert.match(id, /^[0-9a-z]{26}$/, r.err);
    assert.deepEqual([await posted('position pivo EUR'), await posted('bank EUR')], [position - 5000, bank + 5000]);
    assert.deepEqual((await deposit('olga', '50.00')).said, { deposit: id }, 'again, the same');
    const other = await deposit('olga', '50.01');
    assert.deepEqual([other.status, /booked with another amount/.test(other.err)], [3, true], other.err);
    assert.equal(await posted('bank EUR'), bank + 5000);
    assert.deepEqual(await w.psql(`select action, object, amount::int, proposed_by, approved_by from audit.two_people where payment = '${id}'`),
      [{ action: 'deposit', object: `pivo ${reference}`, amount: 5000, proposed_by: 'olga', approved_by: 'maria' }]);
    const decided = (await w.psql(`select detail from audit.trail('${id}') where what = 'decided' order by n`)).map((d) => d.detail);
    assert.deepEqual(decided.map((d) => d.split(':')[0]), ['olga deposit proposed', 'maria deposit']);
    const traced = await run(process.env.XW_SWITCHAUDIT, ['trace', reference, '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=auditor_ro`]);
    assert.ok(traced.out.startsWith(`payment ${id}, `), traced.out + traced.err);
  });

  it('what comes to another amount stays on the position, and is an exception item', async () => {
    const s = (await list()).bluecode, was = await posted('position bluecode EUR'), less = ((s.amount - 100) / 100).toFixed(2);
    for (const who of ['olga', 'maria']) assert.equal((await confirm(s.id, who, '--reference', 'IN-1', '--amount', less)).status, 0);
    assert.equal(await posted('position bluecode EUR'), was - s.amount + 100);
    const items = (await ctl('exceptions', 'list')).said.filter((x) => x.kind === 'a settlement came to another amount');
    assert.equal(items.length, 1);
    assert.match(items[0].said, new RegExp(`${s.amount - 100} of ${s.amount}`));
  });

  it('a window that leaves somebody beyond its cap says so', async () => {
    await w.psql("select ledger.cap_set(a.number, 1, false, 'maria', 'a smaller limit') from ledger.account a where a.name = 'position bluecode EUR'");
    await w.settled();
    const next = new Date(Date.parse(today) + 86400e3).toISOString().slice(0, 10), r = await ctl('clearing', ...conf(), '--through', next);
    assert.equal(r.status, 1);
    assert.match(r.err, /bluecode/);
    assert.equal(r.said.beyond_cap, 1);
    assert.equal((await ctl('exceptions', 'list')).said.filter((x) => /beyond its cap/.test(x.kind) && /bluecode/.test(x.said)).length, 1);
  });

  it('the books are right, and the log covers what people booked', async () => {
    assert.deepEqual(await w.faults(), []);
    const notes = join(w.dir, 'checkpoints'), key = join(w.dir, 'log.pem');
    writeFileSync(key, crypto.generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const sealer = spawn('setpriv', ['--pdeathsig', 'TERM', process.env.XW_SWITCHD, 'seal', '--origin', 'play.example/settle', '--key', key,
      '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=sealer`, '--notes', notes, '--every', '1'], { stdio: 'ignore' });
    sealer.gone = new Promise((r) => { sealer.on('exit', r); });
    w.children.push(sealer);
    const sealed = await until(async () => {
      const r = await run(process.env.XW_SWITCHAUDIT, ['verify', '--json', '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=auditor_ro`]);
      const v = r.out && JSON.parse(r.out);
      return v && v.unsealed === 0 && v.checkpoints > 0 && v;
    }, 'all is sealed', 30000);
    assert.equal(sealed.ok, true, sealed.first_fault);
    await w.psql("alter table ledger.settlement disable trigger all; update ledger.settlement set amount = amount - 1 where id = 1");
    const tampered = JSON.parse((await run(process.env.XW_SWITCHAUDIT, ['verify', '--json', '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=auditor_ro`])).out);
    assert.match(tampered.first_fault, /settlement/);
    assert.deepEqual(await w.psql("select 1 from ledger.step s where mode in ('s', 'x') and (select sum(amount) from ledger.entry e where e.payment = s.payment) <> 0"), []);
  });
});
