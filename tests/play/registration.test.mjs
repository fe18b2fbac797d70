/* Merchants that the scheme must know before it pays for them: asked of it, asked about, told by it, refused with its reason; what got
 * lost, what comes twice, what comes late and says otherwise. A till's merchant is paid when he is registered, and not before. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';

import { euro } from './lib/caller.mjs';
import { over } from './lib/checks.mjs';
import { World, sleep, until } from './lib/world.mjs';

const SCHEME = 'alipayplus';
let w, serial = 0;
const ctl = (...args) => new Promise((end) => {
  const child = spawn(process.env.XW_SWITCHCTL, args, { env: { ...process.env, PGUSER: 'operator_rw', PGDATABASE: w.db } });
  const out = [], err = [];
  child.stdout.on('data', (d) => out.push(d));
  child.stderr.on('data', (d) => err.push(d));
  child.on('close', (status) => end({ status, out: Buffer.concat(out).toString().trim(), err: Buffer.concat(err).toString().trim() }));
});
const why = ['--reason', 'a new merchant', '--as', 'ann'];
/* A merchant of the till's, in the registry; its own token. */
const merchant = async () => {
  const id = `M-${++serial}`;
  const { status, out, err } = await ctl('merchant', 'add', 'till-eur', id, '--store', `${id}-1`, '--name', 'Fjord Kaffe', '--store-name', 'Fjord Kaffe Havn',
    '--mcc', '5812', '--country', 'NO', '--city', 'Oslo', '--address', 'Kaia 1', '--currency', 'EUR', ...why);
  assert.equal(status, 0, err);
  return { id, store: `${id}-1`, token: out };
};
const register = (m, ...more) => ctl('merchant', 'register', m.token, SCHEME, '--legal-name', 'Fjord Kaffe AS', '--registration-type', 'ENTERPRISE_REGISTRATION_NO',
  '--registration-number', '914594685', ...more, ...why);
const schemes = async (m) => JSON.parse((await ctl('merchant', 'show', m.token, '--json')).out).schemes;
const becomes = (m, pattern) => until(async () => { const s = await schemes(m); return s && pattern.test(s) && s; }, `${m.id} ${pattern}`)
  .catch(async (e) => { throw new Error(`${e.message}; it is ${await schemes(m)}`); });
const decide = (m, verdict, more = {}) => w.fake(SCHEME, { do: 'registration', merchant: m.id, store: m.store, verdict, ...more });
const spoil = (op, how, more = {}) => w.fake(SCHEME, { do: 'misbehave', op, how, ...more });
/* The clerk asks at long intervals: here, now. */
const hurry = () => w.psql('update ledger.registration_due set due = clock_timestamp()');
const pay = async (m) => {
  const { code } = await w.fake(SCHEME, { do: 'mint-code', behaviour: 'approve' });
  const till = w.callers['till-eur'], order = till.order(code, euro(900));
  const { merchant: own, ...rest } = order;
  return till.call('POST', '/v1/payments', { ...rest, merchant: { ...own, id: m.id, store_id: m.store, store_name: 'Fjord Kaffe Havn' } });
};
const asked = async (m) => { const a = await register(m); assert.equal(a.status, 0, a.err); return a.out; };
const inquiring = (m) => until(async () => (await w.psql(`select 1 from ledger.registration_due d join ledger.registration r using (id) where r.token = '${m.token}' and phase = 'inquire'`)).length, 'taken');

describe('merchants at the scheme', () => {
  before(async () => { w = await World.start('registration', { registration: true }); });
  after(() => w?.stop());

  it('registered: asked for, looked at, approved and told; paid then, and refused before', async () => {
    const m = await merchant(), early = await pay(m);
    assert.deepEqual([early.status, early.body.type?.split('/').pop()], [422, 'merchant-unavailable'], early.text);
    const id = await asked(m);
    assert.match(id, /^[0-9a-z]{26}$/);
    assert.match(await schemes(m), /^alipayplus asked/);
    await inquiring(m);
    assert.equal((await pay(m)).status, 422, 'being looked at is not registered');
    assert.equal((await decide(m, 'APPROVED', { tell: true })).request, id, 'by the id that we gave it');
    await becomes(m, /^alipayplus registered/);
    await until(async () => (await decide(m, '')).heard === 1, 'acknowledged');
    const a = await pay(m);
    assert.equal(a.status, 201, a.text);
    await over(w, w.callers['till-eur'], a.body.id, 'PAID');
    assert.equal((await w.psql(`select 1 from ledger.registration_due d join ledger.registration r using (id) where r.token = '${m.token}'`)).length, 0, 'nothing is open');
    const rows = await w.psql(`select state from ledger.merchant_scheme where token = '${m.token}' order by version`);
    assert.deepEqual(rows.map((r) => r.state), ['asked', 'registered']);
  });

  it('of a bluecode at the same till nobody wants a registration', async () => {
    const m = await merchant(), code = (await w.fake('bluecode', { do: 'mint-code', behaviour: 'approve' })).codes[0];
    const till = w.callers['till-eur'], order = till.order(code, euro(700));
    const a = await till.call('POST', '/v1/payments', { ...order, merchant: { ...order.merchant, id: m.id, store_id: m.store } });
    assert.equal(a.status, 201, a.text);
  });

  it('an order of his, scanned with a wallet of the scheme: refused to it, until he is registered', async () => {
    const m = await merchant(), till = w.callers['till-eur'];
    const order = async () => {
      const { partner_payment_id: id, code: _, ...rest } = till.order('', euro(800));
      const a = await till.call('POST', '/v1/orders', { partner_order_id: id, ...rest, merchant: { ...rest.merchant, id: m.id, store_id: m.store } });
      assert.equal(a.status, 201, a.text);
      return a.body.code.text;
    };
    const scanned = async () => {
      const { paymentId } = await w.fake(SCHEME, { do: 'scan', code: await order(), behaviour: 'approve' });
      return until(async () => { const p = await w.fake(SCHEME, { do: 'get', id: paymentId }); return p.state !== 'open' && p; }, 'an end');
    };
    const early = await scanned();
    assert.deepEqual([early.state, early.resultCode], ['failed', 'MERCHANT_NOT_REGISTERED'], JSON.stringify(early));
    await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED', { tell: true });
    await becomes(m, /registered/);
    assert.equal((await scanned()).state, 'paid');
  });

  it('without a notification the status is asked for', async () => {
    const m = await merchant();
    await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED');
    await hurry();
    await becomes(m, /^alipayplus registered/);
  });

  it('rejected by the wallets: their reason is kept, by notification and by inquiry', async () => {
    for (const tell of [true, false]) {
      const m = await merchant();
      await asked(m);
      await inquiring(m);
      await decide(m, 'REJECTED', { reason: 'the licence has run out', tell });
      if (!tell) await hurry();
      await becomes(m, /^alipayplus refused \(ALIPAY_CN: the licence has run out\)$/);
      assert.equal((await pay(m)).status, 422);
    }
  });

  it('refused by the scheme at once: with its code', async () => {
    const m = await merchant();
    await w.fake(SCHEME, { do: 'registration', refuse_next: 'PARAM_ILLEGAL' });
    await asked(m);
    await becomes(m, /^alipayplus refused \(PARAM_ILLEGAL/);
  });

  it('the answer is lost, and it was done or not: sent again under the same id', async () => {
    for (const how of ['apply-then-silent', 'silent', 'unsigned', 'garbled', 'cut', 'error-500']) {
      const m = await merchant();
      await spoil('registration', how);
      const id = await asked(m);
      await sleep(300);
      await until(async () => { await hurry(); await sleep(400); const d = await decide(m, ''); return d.request === id; }, how);
      await inquiring(m);
      await decide(m, 'APPROVED', { tell: true });
      await becomes(m, /^alipayplus registered/);
    }
  });

  it('an inquiry that is lost decides nothing', async () => {
    const m = await merchant();
    await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED');
    await spoil('inquiryRegistrationStatus', 'unsigned');
    await hurry();
    await sleep(1500);
    assert.match(await schemes(m), /^alipayplus asked/);
    await hurry();
    await becomes(m, /^alipayplus registered/);
  });

  it('told twice: one row; told late that it is still being looked at: nothing', async () => {
    const m = await merchant();
    await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED', { tell: true });
    await becomes(m, /registered/);
    await decide(m, 'APPROVED', { tell: true });
    await decide(m, 'PENDING', { tell: true });
    await until(async () => (await decide(m, '')).heard === 3, 'all acknowledged');
    assert.match(await schemes(m), /^alipayplus registered/);
    assert.equal((await w.psql(`select 1 from ledger.merchant_scheme where token = '${m.token}'`)).length, 2);
  });

  it('told late that it is otherwise: the scheme is asked, and its answer counts', async () => {
    const m = await merchant();
    await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED', { tell: true });
    await becomes(m, /registered/);
    await decide(m, 'REJECTED', { reason: 'closed down', tell: true });
    await becomes(m, /^alipayplus refused \(ALIPAY_CN: closed down\)$/);
    assert.equal((await pay(m)).status, 422);
  });

  it('a new request counts, a word about the one before does not; and not before half an hour', async () => {
    const m = await merchant(), first = await asked(m);
    const soon = await register(m);
    assert.equal(soon.status, 1, soon.out);
    assert.match(soon.err, /not decided yet/);
    await inquiring(m);
    await decide(m, 'REJECTED', { reason: 'no', tell: true });
    await becomes(m, /refused/);
    const second = await asked(m);
    await inquiring(m);
    await decide(m, 'APPROVED', { tell: true });
    await becomes(m, /registered/);
    await w.fake(SCHEME, { do: 'registration', request: first, verdict: 'REJECTED', reason: 'no', tell: true });
    await until(async () => (await w.fake(SCHEME, { do: 'registration', request: first })).heard === 2, 'acknowledged');
    assert.match(await schemes(m), /^alipayplus registered/);
    assert.notEqual(first, second);
  });

  it('a notification of nobody is acknowledged, a forged one refused, a malformed one too', async () => {
    const p = w.participants[SCHEME], path = `/aps/${SCHEME}/v1/merchants/notifyRegistrationStatus`, client = p.settings.client_id;
    const post = (body, key = p.theirKey.privateKey) => new Promise((ok, no) => {
      const text = JSON.stringify(body), time = new Date().toISOString(), content = `POST ${path}\n${client}.${time}.${text}`;
      const signature = `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(crypto.sign('RSA-SHA256', Buffer.from(content), key).toString('base64'))}`;
      https.request({ host: '127.0.0.1', port: w.port(0), path, method: 'POST', agent: w.agent, headers: {
        'content-type': 'application/json; charset=UTF-8', 'client-id': client, 'request-time': time, signature, 'content-length': Buffer.byteLength(text) } }, (a) => {
        const parts = [];
        a.on('data', (d) => parts.push(d)).on('end', () => ok(JSON.parse(Buffer.concat(parts)).result.resultCode));
      }).on('error', no).end(text);
    });
    const body = { registrationRequestId: '01jd5m7q8r9s0t1v2w3x4y5z6a', referenceMerchantId: 'nobody', registrationResult: { registrationStatus: 'COMPLETED' },
      pspRegistrationResultList: [{ pspName: 'ALIPAY_CN', registrationResult: { registrationStatus: 'APPROVED' } }] };
    const before = await w.psql('select count(*)::int as n from ledger.merchant_scheme');
    assert.equal(await post(body), 'SUCCESS');
    assert.equal(await post(body, crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), 'INVALID_SIGNATURE');
    assert.equal(await post({ ...body, registrationResult: { registrationStatus: 'DANCING' } }), 'PARAM_ILLEGAL');
    assert.equal(await post({ ...body, registrationRequestId: undefined }), 'PARAM_ILLEGAL');
    assert.deepEqual(await w.psql('select count(*)::int as n from ledger.merchant_scheme'), before);
    assert.equal((await ctl('merchant', 'register', '000000000000', SCHEME, ...why)).status, 1, 'no such merchant');
  });

  it('what people have withdrawn stays withdrawn', async () => {
    const m = await merchant();
    await asked(m);
    await inquiring(m);
    assert.equal((await ctl('merchant', 'scheme', m.token, SCHEME, 'withdrawn', ...why)).status, 0);
    await decide(m, 'APPROVED', { tell: true });
    await until(async () => (await decide(m, '')).heard === 1, 'acknowledged');
    assert.match(await schemes(m), /^alipayplus withdrawn/);
  });
});
