/*
 * Reconciliation: the scheme's own files, which its fake writes of what it saw, and plain files made here, against our windows; with
 * differences planted in them. Differences become exception items that somebody owns and two people close where money moves.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro, krone } from './lib/caller.mjs';
import { World, until } from './lib/world.mjs';

let w, dir, paid, refunded, vipps;
const till = () => w.callers['till-eur'];
const utc8 = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10), utc = new Date().toISOString().slice(0, 10);
const ctl = (...args) => new Promise((ok) => {
  execFile(process.env.XW_SWITCHCTL, [...args, '--json'], { env: { ...process.env, PGDATABASE: w.db } }, (e, out, err) =>
    ok({ status: e ? e.code : 0, said: out ? JSON.parse(out) : null, err }));
});
const conf = () => join(w.dir, 'switchd.yaml');
const put = (name, text) => { const f = join(dir, name); writeFileSync(f, text); return f; };
/* A file of the scheme's, as its fake writes it. */
const theirs = async (kind, more = {}) => {
  const { name, text } = await w.fake('alipayplus', { do: 'file', kind, leg: 'acqp', day: utc8, ...more });
  return put(name, text);
};
const all = (more) => Promise.all(['transactionItems', 'feeItems', 'settlement'].map((k) => theirs(k, more)));
const reconcile = (name, files, day, ...more) => ctl('reconcile', name, ...files, '--day', day, '--conf', conf(), '--as', 'maria', ...more);
const open = async () => (await ctl('exceptions', 'list')).said;
const code = async () => (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
const pay = async (minor) => { const a = await till().pay(await code(), euro(minor)); await w.final(a.body.id); return a.body.id; };

describe('reconciliation', () => {
  before(async () => {
    w = await World.start('recon');
    dir = join(w.dir, 'files');
    mkdirSync(dir);
    paid = [];
    for (const minor of [1250, 990, 2370]) paid.push(await pay(minor));
    refunded = await pay(5000);
    await till().refund(refunded, euro(1700));
    await until(async () => (await w.psql(`select 1 from ledger.payment where ledger.id_text(payment) = '${refunded}' and state = 5`)).length, 'refunded');
    const blue = (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
    paid.push((await till().pay(blue, euro(640))).body.id);
    await w.final(paid[3]);
    const nok = w.callers['till-nok'], shown = await w.fake('vipps', { do: 'mint-code', phone: '4790000001' });
    vipps = (await nok.pay(shown.code, krone(4900))).body.id;
    await w.final(vipps);
    await nok.refund(vipps, krone(900));
    await until(async () => (await w.psql(`select 1 from ledger.payment where ledger.id_text(payment) = '${vipps}' and state = 5`)).length, 'refunded');
  });
  after(() => w?.stop());

  it('a window that is open is not compared', async () => {
    const r = await reconcile('alipayplus', await all(), utc8);
    assert.equal(r.status, 3);
    assert.match(r.err, /not closed/);
    await w.settled();
    for (const day of [utc, utc8].sort()) assert.equal((await ctl('clearing', '--conf', conf(), '--through', day)).status, 0);
  });

  it('both sides say the same; the same files again are known', async () => {
    const files = await all();
    const r = await reconcile('alipayplus', files, utc8);
    assert.deepEqual([r.status, r.said], [0, { lines: 6, differences: 0, new: 0, known: false }], r.err);
    assert.equal((await reconcile('alipayplus', files, utc8)).said.known, true);
    assert.deepEqual(await open(), []);
  });

  it('a payment that their file lacks, and a total that follows from it: one item, with owner and age', async () => {
    const r = await reconcile('alipayplus', await all({ omit: paid[0] }), utc8, '--owner', 'clearing desk');
    assert.deepEqual([r.status, r.said.differences, r.said.new], [1, 1, 1], r.err);
    const [item] = await open();
    assert.deepEqual([item.payment, item.kind, item.owner], [paid[0], 'our item is not in their file', 'clearing desk']);
    assert.ok(item.age_s >= 0);
    assert.match(item.said, /alipayplus.*not in their file/);
    const again = await reconcile('alipayplus', [(await all({ omit: paid[0] }))[0]], utc8);
    assert.deepEqual([again.said.differences, again.said.new], [1, 0], 'found again, it is the same item');
  });

  it('another amount, and an item that we do not know', async () => {
    const [items, fees, settlement] = await all({ off: paid[1] });
    const r = await reconcile('alipayplus', [items, fees, settlement], utc8);
    assert.deepEqual([r.status, r.said.new], [1, 1], r.err);
    const { text } = await w.fake('alipayplus', { do: 'file', kind: 'transactionItems', leg: 'acqp', day: utc8 });
    const [head, values, columns, ...lines] = text.trimEnd().split('\n');
    const [n, net, ccy] = values.split(',');
    const made = [head, `${Number(n) + 1},${Number(net) + 100},${ccy}`, columns, ...lines, 'PAYMENT,not-ours,2026x,2026-01-15T17:30:00+08:00,100,EUR,100,EUR,,'];
    const e = await reconcile('alipayplus', [put('transactionItems_extra.csv', `${made.join('\n')}\n`)], utc8);
    assert.deepEqual([e.status, e.said.new], [1, 1], e.err);
    const kinds = (await open()).map((x) => x.kind).sort();
    assert.deepEqual(kinds, ['our item is not in their file', 'their file has another amount', 'their file has what we have not']);
    assert.deepEqual((await w.psql("select participant, ours::int, theirs::int from audit.difference where kind like '%another amount'")),
      [{ participant: 'alipayplus', ours: 990, theirs: 991 }]);
  });

  it('a plain file of a partner without one of its own: agreed, a fee, a failure', async () => {
    const file = (line) => put('day.csv', `type,id,currency,amount,fee,status\n${line}\nend,1\n`);
    const ours = `payment,${paid[3]},EUR,640`;
    assert.equal((await reconcile('bluecode', [file(`${ours},,done`)], utc)).status, 0);
    const fee = await reconcile('bluecode', [file(`${ours},3,done`)], utc), failed = await reconcile('bluecode', [file(`${ours},,failed`)], utc);
    assert.deepEqual([fee.said.new, failed.said.new], [1, 1]);
    const items = (await open()).filter((x) => x.payment === paid[3]).map((x) => x.kind);
    assert.deepEqual(items.sort(), ['their file has another fee', 'their file says it ended otherwise']);
    /* Side by side with the acquirer's, which has its own window and agrees. */
    const three = async () => (await w.psql(`select movement, amount, currency, acquirer, acquirer_gross, acquirer_file, issuer, issuer_gross, issuer_file from audit.three_ways where payment = '${paid[3]}'`));
    const row = { movement: 'payment', amount: 640, currency: 'EUR', acquirer: 'till-eur', acquirer_gross: -640, acquirer_file: 'no file',
      issuer: 'bluecode', issuer_gross: 640, issuer_file: 'their file has another fee; their file says it ended otherwise' };
    assert.deepEqual(await three(), [row]);
    const theirs = await reconcile('till-eur', [file(`payment,${paid[3]},EUR,640,,done`)], utc);
    assert.deepEqual([theirs.status, theirs.said.known], [1, false], 'the same bytes by somebody else are another file');
    assert.deepEqual(await three(), [{ ...row, acquirer_file: 'agreed' }]);
    const [other] = await w.psql(`select acquirer_file, issuer_file from audit.three_ways where payment = '${paid[2]}'`);
    assert.deepEqual(other, { acquirer_file: 'our item is not in their file', issuer_file: 'agreed' });
  });

  it('the ledger of Vipps, as its fake keeps it: agreed, and with a capture missing', async () => {
    const report = async (more = {}) => put('funds.json', (await w.fake('vipps', { do: 'report', day: utc, ...more })).text);
    assert.deepEqual((await reconcile('vipps', [await report()], utc)).said, { lines: 2, differences: 0, new: 0, known: false });
    const r = await reconcile('vipps', [await report({ omit: vipps })], utc);
    assert.deepEqual([r.status, r.said.differences, r.said.new], [1, 2, 2], 'the capture and its refund');
    assert.equal((await open()).filter((x) => x.payment === vipps && /not in their file/.test(x.kind)).length, 2);
  });

  it('a malformed file is refused whole, with file, line and reason', async () => {
    const before = (await open()).length, files = await all({ omit: paid[2] });
    const { text } = await w.fake('alipayplus', { do: 'file', kind: 'transactionItems', leg: 'acqp', day: utc8, omit: paid[2] });
    for (const [change, line, why] of [
      [(t) => t.replace(',EUR,,\n', ',EUR,\n'), 4, /fields/], [(t) => t.slice(0, -90), 7, /fields|amount/], [(t) => t.replace('PAYMENT', 'PAY"MENT'), 4, /CSV/],
      [(t) => t.replace(/^\d+,/m, '9,'), 8, /totalCount/], [(t) => t.replace('transactionType', 'kind'), 3, /column/], [() => '', 1, /totalCount/],
    ]) {
      const r = await reconcile('alipayplus', [put('transactionItems_bad.csv', change(text)), files[1], files[2]], utc8);
      assert.equal(r.status, 1);
      assert.match(r.err, new RegExp(`transactionItems_bad.csv:${line}: `), r.err);
      assert.match(r.err, why);
      assert.equal(r.said, null);
    }
    assert.equal((await open()).length, before, 'nothing of it counted');
    for (const day of ['yesterday', '2026-02-30', '20260115']) {
      const r = await reconcile('alipayplus', files, day);
      assert.deepEqual([r.status, r.said], [2, null]);
      assert.match(r.err, new RegExp(`^switchctl: --day ${day}: a day is written as `));
    }
  });

  it('a plain file that is not what it should be is refused whole; what CSV leaves open is not', async () => {
    const ours = `payment,${paid[3]},EUR,640,,done`, header = 'type,id,currency,amount,fee,status', text = `${header}\n${ours}\nend,1\n`;
    const before = (await open()).length, at = (name, bytes) => reconcile('bluecode', [put(name, bytes)], utc);
    for (const good of [`\ufeff${text}`, text.replaceAll('\n', '\r\n'), text.trimEnd(), text.replace('EUR', '"EUR"')]) assert.equal((await at('good.csv', good)).status, 0, JSON.stringify(good));
    const amount = (a) => text.replace('640', a), line = (l) => text.replace(ours, l);
    for (const [bad, where, why] of [
      ...['9223372036854775808', '18446744073709551616', '100000000000000', '-640', '+640', '6.40', '6,40'.replace(',', ';'), '1e3', '0x280', ' 640', '640 ', '0640', '', '٦٤٠'].map((a) => [amount(a), 2, /minor units/]),
      [text.replace('EUR', 'EURO'), 2, /./], [text.replace('EUR', ''), 2, /./], [text.replace('payment', 'PAYMENT'), 2, /neither payment nor refund/], [text.replace(paid[3], ''), 2, /without an id/],
      [Buffer.from(`\ufeff${text}`, 'utf16le'), 1, /./], [Buffer.from(text.replace('done', 'fait é'), 'latin1'), 2, /CSV/], [text.replace('done', 'do\0ne'), 2, /CSV/], [text.replace('done', '"done'), 2, /CSV/],
      [text.replace('done', 'do"ne'), 2, /CSV/], [text.replace('done', '"done" '), 2, /CSV/], [text.replaceAll('\n', '\r'), 1, /./], [text.replaceAll(',', ';'), 1, /./], [text.replace('status', 'fee'), 1, /twice/],
      [text.replace(',fee', ''), 2, /as many fields/], [text.replace('fee', 'FEE'), 1, /column "FEE" is none of this form/], [text.replace('amount', 'sum'), 1, /column "sum" is none/],
      [text.replace('fee', '\x1b[2J\u202e'), 1, /column "\\u001b\[2J\\u202e" is none/], [text.replace('amount', 'payment'), 1, /column "amount" must be there/], [line(`${ours},`), 2, /as many fields/], [line(`${ours}\n`), 3, /as many fields|neither/], [text.replace('end,1\n', ''), 3, /end, is missing/], [text.slice(0, -4), 3, /./],
      ...['end,2', 'end,0', 'end,-1', 'end', 'end,9223372036854775809', 'end,1x'].map((e) => [text.replace('end,1', e), 3, /end counts/]), [`${text}${ours}\n`, 4, /behind the end/], [text + text, 4, /behind the end/],
      [line(`payment,${'x'.repeat(1 << 22)}`), 2, /as many fields/], [`${header}${',x'.repeat(5000)}\n`, 1, /./], ['\n', 1, /./], ['\0'.repeat(4096), 1, /./],
    ]) {
      const r = await at('bad.csv', bad), what = `${JSON.stringify(bad.toString().slice(0, 200))}: ${r.err.slice(0, 300)}`;
      assert.equal(r.status, 1, what);
      assert.match(r.err, new RegExp(`bad.csv:${where}: .*; nothing of it counts`), what);
      assert.match(r.err, why, what);
    }
    for (const id of ['x'.repeat(257), 'é'.repeat(129)]) assert.match((await at('long.csv', line(`${ours}\npayment,${id},EUR,1,,done`).replace('end,1', 'end,2'))).err, /long.csv:3: an id of more than 256 bytes; nothing of it counts/);
    truncateSync(put('large.csv', text), 2 ** 30);
    assert.match((await reconcile('bluecode', [join(dir, 'large.csv')], utc)).err, /large.csv: too large/);
    assert.equal((await reconcile('bluecode', [dir], utc)).status, 1);
    assert.equal((await open()).length, before, 'nothing of it counted');
    /* What is an id, however odd, is a line like any other, and moves no cursor of who reads of it. */
    const odd = `\x1b[2J${'é'.repeat(120)}\u202e'"`.replace('"', '""');
    assert.equal((await at('odd.csv', line(`${ours}\npayment,"${odd}",EUR,1,,done`).replace('end,1', 'end,2'))).said.new, 1);
    const listed = await new Promise((ok) => { execFile(process.env.XW_SWITCHCTL, ['exceptions'], { env: { ...process.env, PGDATABASE: w.db } }, (e, out) => ok(out)); });
    assert.match(listed, /bluecode: \\u001b\[2Jé{120}\\u202e'": we know/);
  });

  it('items are assigned; a difference is booked by two people, and only then', async () => {
    const [item] = (await open()).filter((x) => x.kind === 'their file has another amount');
    assert.equal((await ctl('exceptions', 'assign', String(item.id), 'olga', '--reason', 'her partner', '--as', 'maria')).status, 0);
    assert.equal((await ctl('exceptions', 'show', String(item.id))).said.owner, 'olga');
    const position = async () => Number((await w.psql("select posted from ledger.balance where class = 'position' and name = 'position alipayplus EUR'"))[0].posted);
    const was = await position(), close = (who, ...more) => ctl('exceptions', 'close', String(item.id), ...more, '--reason', 'they are right', '--as', who);
    for (const who of ['olga', 'Olga']) {
      const r = await close(who, '--book');
      assert.deepEqual([r.status, r.said.said], [0, 'proposed'], r.err);
    }
    assert.equal(await position(), was, 'one person moves nothing');
    assert.equal((await close('maria', '--book')).said.said, 'closed');
    assert.equal(await position(), was + 1);
    assert.equal((await close('maria', '--book')).status, 1, 'once');
    assert.equal((await ctl('exceptions', 'list')).said.some((x) => x.id === item.id), false);
    const [failed] = (await open()).filter((x) => x.kind === 'their file says it ended otherwise');
    assert.equal((await ctl('exceptions', 'close', String(failed.id), '--book', '--reason', 'x', '--as', 'maria')).status, 1, 'there is no amount to book');
    assert.equal((await ctl('exceptions', 'close', String(failed.id), '--reason', 'asked them', '--as', 'maria')).said.closed, true);
    /* One closes what another books at the same moment: whoever is first, nothing is booked of an item that stayed as it was. */
    const [fee] = (await open()).filter((x) => x.kind === 'their file has another fee');
    const close2 = (who, ...more) => ctl('exceptions', 'close', String(fee.id), ...more, '--reason', 'they are right', '--as', who);
    assert.equal((await close2('olga', '--book')).said.said, 'proposed');
    const said = (await w.together('ledger.four_eyes', [() => close2('olga'), () => close2('maria', '--book')])).map((r) => r.said.said);
    assert.deepEqual([...said].sort(), ['closed', 'no such item is open']);
    assert.deepEqual(await w.psql(`select count(*)::int as n from ledger.approval a join ledger.proposal p on p.id = a.proposal where p.object = '${fee.id}'`), [{ n: said[1] === 'closed' ? 1 : 0 }]);
    assert.equal((await ctl('exceptions', 'close', '4711', '--reason', 'x', '--as', 'maria')).status, 1);
    assert.deepEqual(await w.faults(), []);
  });
});
