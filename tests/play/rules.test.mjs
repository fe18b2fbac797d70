/* The scheme's code rules in a running switch: asked for on start, put in force whole or not at all, kept over a restart without the
 * scheme, used beside the recognition table, explained; and told by us to a wallet that takes us for its scheme. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { Acquirer } from './lib/aps.mjs';
import { Caller, euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

const SCHEME = 'alipayplus-mpp', USUAL = '2026.01.15.1';
const HEAD = 'https://shop.plusmall.example/pay/281666040393'; /* known by a rule alone */
const MENU = 'https://shop.plusmall.example/menu/7';
const rule = (codePattern, more = {}) => ({ codePattern, isSupported: 'true', postCodeMatchActionType: 'DECODE', ...more });

let w;
const ctl = (...args) => new Promise((end) => {
  const child = spawn(process.env.XW_SWITCHCTL, args, { env: { ...process.env, PGUSER: 'operator_rw', PGDATABASE: w.db, XW_OPERATORS: `127.0.0.1:${w.port(1)}` } });
  const out = [], err = [];
  child.stdout.on('data', (d) => out.push(d));
  child.stderr.on('data', (d) => err.push(d));
  child.on('close', (status) => end({ status, out: Buffer.concat(out).toString().trim(), err: Buffer.concat(err).toString().trim() }));
});
const load = () => ctl('rules', 'load', SCHEME, '--reason', 'the scheme has new ones', '--as', 'ann');
const listed = async () => JSON.parse((await ctl('rules', 'list', '--json')).out);
const explained = async (code) => JSON.parse((await ctl('route', 'explain', code, '--from', 'vipps-server', '--json')).out);
const rules = (version, list) => w.fake(SCHEME, { do: 'code-rules', version, json: typeof list === 'string' ? list : JSON.stringify(list) });
const usual = () => rules('', '');
const scan = (code) => w.callers['vipps-server'].call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code, payer: { id: 'v-7f3a', handle: '4790000001' } });
const order = (head) => w.fake(SCHEME, { do: 'order', currency: 'EUR', value: '2500', ...(head ? { head } : {}) });
const problem = (a) => `${a.status} ${a.body.type?.split('/').pop()}`;

describe('code rules', () => {
  before(async () => { w = await World.start('rules'); });
  after(() => w?.stop());

  it('are asked for on start, and listed', async () => {
    const [first, ...more] = await until(async () => { const l = await listed(); return l[0]?.rule && l[0].outcome && l; }, 'rules in force');
    assert.equal(first.outcome, `in force: 4 rules of version ${USUAL}`);
    assert.deepEqual([first.participant, first.version, first.says], [SCHEME, USUAL, 'decode']);
    assert.deepEqual(more.map((r) => r.says), ['decode', 'opens-page', 'not-supported']);
    const text = (await ctl('rules', 'list')).out;
    assert.match(text, /4 rules of version/);
    assert.match(text, /opens-page/);
  });

  it('a code that only a rule knows is resolved by its scheme, and paid', async () => {
    const o = await order(HEAD), e = await explained(o.codeValue);
    assert.deepEqual(e.schemes, ['alipay-plus-order']);
    assert.deepEqual(e.asked, [SCHEME]);
    assert.deepEqual(e.rules.map((r) => [r.of, r.rule, r.scheme, r.says]), [[SCHEME, 2, 'alipay-plus-order', 'decode']]);
    const s = await scan(o.codeValue);
    assert.equal(s.status, 201, s.text);
    const a = await w.callers['vipps-server'].call('POST', `/v1/scans/${s.body.id}/confirm`, {});
    assert.ok([201, 202].includes(a.status), a.text);
    await over(w, w.callers['vipps-server'], s.body.id, 'PAID');
  });

  it('a code that is a page, and one that the scheme does not take, are refused with the reason', async () => {
    const page = await scan(MENU);
    assert.equal(problem(page), '422 not-supported', page.text);
    assert.match(page.body.detail, /a page/);
    assert.deepEqual((await explained(MENU)).rules.map((r) => r.says), ['opens-page']);
    assert.equal((await explained(MENU)).reason, 'not-supported');
    const theirs = await scan('https://qr.alipay.com/fkx00001abcdef');
    assert.notEqual(theirs.status, 201, theirs.text);
    assert.deepEqual((await explained('https://qr.alipay.com/fkx00001abcdef')).rules.map((r) => r.says), ['not-supported']);
    const { out } = await ctl('route', 'explain', MENU, '--from', 'vipps-server');
    assert.match(out, /rule 3 of alipayplus-mpp, scheme alipay-plus-order: opens-page/);
  });

  it('of a payer\'s code at a till, and of a code of ours, no rule speaks', async () => {
    const all = [rule('^.+$')];
    await rules('all', all);
    assert.equal((await load()).status, 0);
    const { code } = await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' });
    const e = JSON.parse((await ctl('route', 'explain', code, '--from', 'till-eur', '--json')).out);
    assert.deepEqual([e.rules, e.asked], [[], ['alipayplus']]);
    const { partner_payment_id: id, code: _, ...rest } = w.callers['till-eur'].order('', euro(900));
    const unified = await w.callers['till-eur'].call('POST', '/v1/orders', { partner_order_id: id, ...rest });
    assert.equal(unified.status, 201, unified.text);
    assert.deepEqual((await explained(unified.body.code.text)).rules, []);
    assert.deepEqual((await explained('https://pay.example/x')).asked, [SCHEME], 'anything else is its');
    await usual();
    assert.equal((await load()).status, 0);
  });

  it('another set is put in force at once, whole', async () => {
    await rules('2', [rule('^https://new\\.example/\\d+$'), rule('^https://shop\\.plusmall\\.example/pay/', { isSupported: 'false' })]);
    const said = await load();
    assert.deepEqual([said.status, said.out], [0, 'in force: 2 rules of version 2']);
    assert.deepEqual((await explained('https://new.example/77')).asked, [SCHEME]);
    assert.deepEqual((await explained('https://new.example/x')).asked, []);
    const o = await order(HEAD), refused = await scan(o.codeValue);
    assert.equal(problem(refused), '422 not-supported', refused.text);
    const actions = await w.psql("select operator, object, reason from ledger.operator_action where action = 'rules load' order by id desc limit 1");
    assert.deepEqual(actions, [{ operator: 'ann', object: SCHEME, reason: 'the scheme has new ones' }]);
  });

  it('a set with one fault changes nothing, and is refused with the place and the reason', async () => {
    const good = rule('^https://other\\.example/');
    for (const [list, why] of [
      [[good, rule('^(a')], '/codeRules/1/codePattern: a group is not closed'], [[good, rule('')], '/codeRules/1/codePattern: there is no pattern'],
      [[good, rule('x*')], '/codeRules/1/codePattern: the pattern fits the empty text'], [[good, { ...good, postCodeMatchActionType: 'X' }], '/codeRules/1/postCodeMatchActionType'],
      [[good, { ...good, isSupported: 'x' }], '/codeRules/1/isSupported: neither true nor false'], ['[]', '/codeRules: there are no rules'], ['{}', '/codeRules'],
      [Array(129).fill(good), '/codeRules: more rules'], [[good, 'text'], '/codeRules/1'],
    ]) {
      await rules('3', list);
      const said = await load();
      assert.equal(said.status, 1, said.out + said.err);
      assert.ok(said.out.startsWith(`refused: ${why}`), `${said.out} is not ${why}`);
      assert.deepEqual((await explained('https://other.example/1')).asked, [], 'not even its good rules');
      assert.deepEqual((await explained('https://new.example/77')).asked, [SCHEME], 'those before stay');
    }
    assert.deepEqual(await w.psql('select number, version from ledger.code_rules order by number desc limit 1'), [{ number: 4, version: '2' }]);
  });

  it('an answer that is lost, unsigned, cut or garbled changes nothing', async () => {
    await rules('5', [rule('^https://fifth\\.example/')]);
    for (const how of ['silent', 'cut', 'unsigned', 'bad-signature', 'garbled', 'error-500', 'unknown-code']) {
      await w.fake(SCHEME, { do: 'misbehave', op: 'inquiryCodeRules', how });
      const said = await load();
      assert.deepEqual([said.status, said.out], [1, 'refused: there is no answer that can be believed'], how);
      assert.deepEqual((await explained('https://fifth.example/1')).asked, []);
      assert.deepEqual((await explained('https://new.example/77')).asked, [SCHEME]);
    }
    assert.equal((await load()).out, 'in force: 1 rules of version 5');
    assert.deepEqual((await explained('https://new.example/77')).asked, []);
  });

  it('who is not asked cannot be', async () => {
    const { status, err } = await ctl('rules', 'load', 'bluecode', '--reason', 'x');
    assert.equal(status, 1);
    assert.match(err, /not asked/);
    assert.equal((await ctl('rules', 'load', SCHEME)).status, 2, 'without a reason');
  });

  it('they stay in force over a restart without the scheme', async () => {
    w.sandbox.kill('SIGTERM');
    w.switchd.kill('SIGTERM');
    await Promise.all([w.sandbox.gone, w.switchd.gone]);
    w.switchd = w.spawn('switchd', 'switchd.yaml');
    await until(() => w.plain(1, '/startupz').then((a) => a.status === 200).catch(() => false), 'switchd');
    const e = await explained('https://fifth.example/1');
    assert.deepEqual([e.schemes, e.rules.map((r) => r.says)], [['alipay-plus-order'], ['decode']], 'from the very first');
    await until(async () => (await listed())[0].outcome.startsWith('refused: there is no answer'), 'asked on start, in vain');
    const s = await scan('https://fifth.example/1');
    assert.notEqual(problem(s), '422 code-unknown', 'it is known, though nobody answers');
  });
});

describe('code rules that we tell', () => {
  before(async () => { w = await World.start('rules', { members: true }); });
  after(() => w?.stop());
  const PATH = '/aps/api/v1/codes/inquiryCodeRules';

  it('a wallet that takes us for its scheme gets patterns of our codes; an acquirer does not', async () => {
    const wallet = new Acquirer(w, w.participants['aps-wallet']);
    const { body, signed } = await wallet.post(PATH, {});
    assert.ok(signed);
    assert.equal(body.result.resultStatus, 'S');
    assert.match(body.version, /^[0-9a-f]{16}$/);
    const fits = (code) => body.codeRules.find((r) => new RegExp(r.codePattern).test(code));
    assert.equal(fits('https://pay.acquirer.example/281777abc').postCodeMatchActionType, 'DECODE', "an acquirer's own codes");
    assert.equal(fits('https://pay-acquirer.example/281777abc'), undefined, 'to the letter');
    const { payment } = await w.fake('aps-acquirer', { do: 'order', amount: '700', currency: 'EUR' });
    const shown = await until(async () => { const s = await w.fake('aps-acquirer', { do: 'show', payment }); return s.code && s; }, 'an order code');
    assert.ok(fits(shown.code), `${shown.code} is known`);
    assert.equal((await wallet.post(PATH, {})).body.version, body.version, 'the same rules, the same version');
    const no = await w.callers['aps-client'].post(PATH, {});
    assert.deepEqual([no.body.result.resultStatus, no.body.result.resultCode], ['F', 'ACCESS_DENIED']);
    const forged = await wallet.post(PATH, {}, { sent: '{} ' });
    assert.equal(forged.body.result.resultCode, 'INVALID_SIGNATURE');
  });
});
