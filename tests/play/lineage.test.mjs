/* From a line of the books to the two signed messages that caused it, and back. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Auditor } from './lib/auditor.mjs';
import { euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, uuidOf } from './lib/world.mjs';

const sha256 = (b) => createHash('sha256').update(b).digest('hex');
const text = (m) => m.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
let w, auditor, id, out;
const till = () => w.callers['till-eur'];
const lineage = (word, ...more) => auditor.ask('lineage', word, ...more);
const posted = () => w.psql(`select version, line, amount::text, currency, account from ledger.posting where payment = '${uuidOf(id)}' and kind = 'post' order by 1, 2`);
/* What stands under a step, up to the next. */
const step = (n) => out.split(/^(?=\d+ \d{4}-)/m).find((s) => s.startsWith(`${n} `));

describe('lineage', () => {
  before(async () => {
    w = await World.start('lineage');
    auditor = new Auditor(w);
    const { code } = await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' });
    id = (await till().pay(code, euro(1234))).body.id;
    await over(w, till(), id, 'PAID');
    await till().refund(id, euro(234));
    await over(w, till(), id, 'PARTIALLY_REFUNDED');
    out = (await lineage(id, '--vault', join(w.dir, 'vault'))).out;
  });
  after(() => w?.stop());

  it('a line leads to the request and to the answer that decided, each with its proof', async () => {
    const [line] = await posted();
    const a = await lineage(`${id}/${line.version}/${line.line}`, '--vault', join(w.dir, 'vault'));
    assert.equal(a.status, 0, a.err);
    assert.match(a.out, new RegExp(`^line ${line.version}/${line.line}: post ${text(line.amount)} ${line.currency}, `, 'm'));
    const [begun, decided] = [1, line.version].map((n) => a.out.split(/^(?=\d+ \d{4}-)/m).find((s) => s.startsWith(`${n} `)));
    for (const s of [begun, decided]) assert.match(s, /kept whole/);
    assert.match(begun, /signature-input: .*keyid=/i);
    assert.match(begun, /"amount":\{.*1234/);
    const said = w.tapped.find((t) => t.url.endsWith('/pay'));
    assert.match(decided, /signature: algorithm=.*keyVersion=\d+/i);
    assert.match(decided, new RegExp(`body sha-256: ${sha256(said.answer)}`));
    assert.ok(decided.includes(`> ${said.answer}`), 'as it came');
    assert.match(decided, new RegExp(`caused ${line.version}/${line.line} post ${text(line.amount)}`));
    assert.ok(!a.out.includes('PARTLY_REFUNDED'), 'what came later has no part in it');
  });

  it('a refund has its own two', async () => {
    const last = (await posted()).at(-1);
    assert.match(step(last.version), /kept whole/);
    assert.match(out, /request refund -> .*kept whole/);
  });

  it('what translated, and which version of it', () => {
    const versions = execFileSync('sh', [join(process.env.XW_SOURCE, 'adapters/versions.sh'), join(w.dir, 'versions.def'), join(process.env.XW_SOURCE, 'adapters')])
      && Object.fromEntries([...execFileSync('cat', [join(w.dir, 'versions.def')], { encoding: 'utf8' }).matchAll(/VERSION\((\w+), "(\w+)"\)/g)].map((m) => [m[1], m[2]]));
    assert.ok(step(1).includes(`translated by: partner ${versions.partner}`));
    assert.ok(out.includes(`translated by: alipayplus ${versions.alipayplus}`));
  });

  it('what did not come over as it was, field by field', () => {
    assert.match(out, /not as it came: \/result\/resultStatus = S/);
    assert.ok(!/not as it came: \/paymentId /.test(out), 'ids are carried');
    assert.match(out, /acquirer: .*owed -?12\.34 EUR/);
  });

  it('without the keys the proof stands, the bodies do not', async () => {
    const { out: blind } = await lineage(id);
    assert.match(blind, /body: sealed/);
    assert.match(blind, /keyVersion=/);
    assert.ok(!blind.includes('    > '));
  });

  it('what is no line of the books', async () => {
    assert.equal((await lineage(`${id}/99`)).status, 1);
    assert.equal((await lineage(`${id}/x`)).status, 2);
    assert.equal((await lineage('nobody-has-this-id')).status, 1);
  });
});
