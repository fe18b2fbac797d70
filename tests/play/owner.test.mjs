/*
 * An owner of the tables with a purpose: not an edit by chance (audit.test.mjs), but what somebody would do who wants the books to
 * say otherwise, with the digests mended beside the rows and signatures that he can make.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Auditor } from './lib/auditor.mjs';
import { euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w, auditor;
const locks = (on) => w.psql(`do $$ declare t record; begin for t in select tgrelid::regclass as r, tgname as n from pg_trigger join pg_class c on c.oid = tgrelid
  where relnamespace = 'ledger'::regnamespace and not tgisinternal and tgparentid = 0 loop execute format('alter table %s ${on} trigger %I', t.r, t.n); end loop; end $$`);
/* The first fault that is found of what was done in these tables; then they are as before. */
async function found(tables, sql) {
  for (const t of tables) await w.psql(`create schema if not exists kept; drop table if exists kept.${t}; create table kept.${t} as table ledger.${t}`);
  await w.psql(sql);
  const v = await auditor.verify();
  await w.psql(`set session_replication_role = replica; ${tables.map((t) => `delete from ledger.${t}; insert into ledger.${t} overriding system value table kept.${t}`).join('; ')}`);
  const whole = await auditor.verify();
  assert.equal(whole.ok, true, `after all was put back: ${whole.first_fault}`);
  return String(v.first_fault);
}
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), crypto.createHash('sha256')).digest();
/* A verifier key (C2SP) and a note's signature line by a key of ours. */
function signer(name) {
  const pair = crypto.generateKeyPairSync('ed25519');
  const typed = Buffer.concat([Buffer.of(1), Buffer.from(pair.publicKey.export({ format: 'jwk' }).x, 'base64url')]);
  const id = sha256(`${name}\n`, typed).subarray(0, 4);
  return { key: `${name}+${id.toString('hex')}+${typed.toString('base64')}`,
    sign: (text) => `— ${name} ${Buffer.concat([id, crypto.sign(null, Buffer.from(text), pair.privateKey)]).toString('base64')}\n` };
}

describe('an owner of the tables', () => {
  before(async () => {
    w = await World.start('owner');
    auditor = new Auditor(w);
    const sealer = auditor.startSealer(), till = w.callers['till-eur'];
    for (let i = 0; i < 4; i++) {
      const { code } = await w.fake('alipayplus', { do: 'mint-code', behaviour: i ? 'approve' : 'decline' });
      const { body } = await till.pay(code, euro(1000 + i));
      await over(w, till, body.id ?? body.payment_id, i ? 'PAID' : 'DECLINED');
    }
    await w.psql(`insert into ledger.exception_item (payment, version, kind, detail) select payment, 1, 1, 'looked at' from ledger.step where version = 1 limit 2`);
    await w.psql("select ledger.operator_close(min(id), 'olga', 'all is well') from ledger.exception_item");
    await w.psql("insert into ledger.operator_action (operator, action, object, reason) values ('olga', 'route close', 'corridor', 'for the night')");
    await until(() => w.psql('select from ledger.outbox').then((r) => r.length === 0), 'all was told');
    for (const child of [w.switchd, w.sandbox, sealer]) {
      if (child === sealer) assert.equal((await auditor.sealed()).ok, true);
      w.children.splice(w.children.indexOf(child), 1);
      child.kill('SIGTERM');
      await child.gone;
    }
    await locks('disable');
  });
  after(() => w?.stop());

  it('who makes two participants change names is found', async () => {
    const [one, two] = await w.psql('select number, name from ledger.participant order by number limit 2'), name = (n, to) => `update ledger.participant set name = '${to}' where number = ${n}`;
    assert.match(await found(['participant'], [name(one.number, 'nobody'), name(two.number, one.name), name(one.number, two.name)].join('; ')), /a row of participant is not what was sealed/);
  });

  it('who rewrites what was decided, and when, is found', async () => {
    assert.match(await found(['account_cap'], 'update ledger.account_cap set cap = coalesce(cap, 0) + 1000000 where xact = (select min(xact::text::bigint)::text::xid8 from ledger.account_cap)'), /account_cap/);
    assert.match(await found(['operator_action'], "update ledger.operator_action set at = at - interval '2 days' where action = 'route close'"), /a row of operator_action is not what was sealed/);
    assert.match(await found(['operator_action'], `insert into ledger.operator_action (at, operator, action, object, reason) values (now() - interval '2 days', 'olga', 'route close', 'corridor', 'earlier')`),
      /dated before a checkpoint that was signed before they were written/);
    assert.match(await found(['raw'], "update ledger.raw set key = 'another', signature = '\\x00' where version = 1"), /is not what was sealed|are not its messages/);
  });

  it('who takes away an exception item, with or without what was said of it, is found', async () => {
    assert.match(await found(['exception_item', 'exception_close'], 'delete from ledger.exception_close; delete from ledger.exception_item'), /its row is gone/);
    assert.match(await found(['exception_close'], 'delete from ledger.exception_close'), /its row is gone/);
  });

  it('who rewrites a row and its leaf beside it is found by what was signed', async () => {
    const [{ row, old }] = await w.psql(`select encode(p.digest, 'hex') as row, encode(sha256('\\x00'::bytea || 'XWLEDG1'::bytea || '\\x0052'::bytea || '\\x07'::bytea || p.digest), 'hex') as old
      from (select sha256('\\x0008'::bytea || '\\x00000008'::bytea || xid8send(xact) || '\\x00000008'::bytea || int8send(id) || '\\x00000008'::bytea || timestamptz_send(at)
        || int4send(length(convert_to(operator, 'UTF8'))) || convert_to(operator, 'UTF8') || int4send(length(convert_to(action, 'UTF8'))) || convert_to(action, 'UTF8')
        || int4send(length(convert_to(object, 'UTF8'))) || convert_to(object, 'UTF8') || int4send(length(convert_to('because', 'UTF8'))) || convert_to('because', 'UTF8')
        || '\\xffffffff'::bytea) as digest from ledger.operator_action where action = 'route close') p`);
    const was = (await w.psql(`select encode(sha256('\\x00'::bytea || 'XWLEDG1'::bytea || '\\x0052'::bytea || '\\x07'::bytea || sha256('\\x0008'::bytea || '\\x00000008'::bytea || xid8send(xact)
        || '\\x00000008'::bytea || int8send(id) || '\\x00000008'::bytea || timestamptz_send(at) || int4send(length(convert_to(operator, 'UTF8'))) || convert_to(operator, 'UTF8')
        || int4send(length(convert_to(action, 'UTF8'))) || convert_to(action, 'UTF8') || int4send(length(convert_to(object, 'UTF8'))) || convert_to(object, 'UTF8')
        || int4send(length(convert_to(reason, 'UTF8'))) || convert_to(reason, 'UTF8') || '\\xffffffff'::bytea)), 'hex') as h from ledger.operator_action where action = 'route close'`))[0].h;
    assert.ok(row && (await w.psql(`select from ledger.block where position('\\x${was}'::bytea in hashes) > 0`)).length === 1, 'the leaf, made by another hand, is in the log');
    const fault = await found(['operator_action', 'block'], `update ledger.operator_action set reason = 'because' where action = 'route close';
      update ledger.block set hashes = overlay(hashes placing '\\x${old}'::bytea from position('\\x${was}'::bytea in hashes)) where position('\\x${was}'::bytea in hashes) > 0`);
    assert.match(fault, /the checkpoint of \d+ leaves in .* is not this tree's/);
  });

  it('a checkpoint that is signed anew, by his key or by one that was followed, is found', async () => {
    const notes = readFileSync(auditor.checkpoints, 'utf8').split(/(?<=\n— [^\n]+\n)/), text = notes.at(-1).slice(0, notes.at(-1).indexOf('\n\n') + 1);
    const old = signer('play.example/ledger'), key = `${auditor.checkpoints}.key`, theirs = readFileSync(key, 'utf8');
    const size = Number(text.split('\n')[1]), again = `${text}\n${old.sign(text)}`;
    assert.match(await found(['checkpoint'], `update ledger.checkpoint set note = $n$${again}$n$ where size = ${size}`), /no signature|is not what was sealed/);
    /* He has the log's key of years ago, which the auditor still has to know for what it signed then. */
    writeFileSync(auditor.checkpoints, `${notes.join('')}${again}`);
    const verify = async (keys) => { writeFileSync(join(w.dir, 'keys'), keys.join('')); return JSON.parse((await auditor.ask('verify', '--json', '--key', join(w.dir, 'keys'), '--notes', auditor.checkpoints)).out); };
    const smaller = notes[0].slice(0, notes[0].indexOf('\n\n') + 1);
    assert.match((await verify([`${old.key}\n`, theirs])).first_fault ?? 'nothing', /signed by a key that another had followed/);
    /* What it signed then stands. */
    writeFileSync(auditor.checkpoints, `${smaller}\n${old.sign(smaller)}${notes.join('')}`);
    const v = await verify([`${old.key}\n`, theirs]);
    assert.equal(v.ok, true, v.first_fault);
    writeFileSync(auditor.checkpoints, notes.join(''));
  });
});
