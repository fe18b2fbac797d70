/*
 * A till of Bluecode's with us as its server: Alipay+ codes and Bluecode's own barcodes, in EUR. The fake till follows Bluecode's
 * reference client; what no careful till would send is sent by hand.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';

import { closing, over } from './lib/checks.mjs';
import { HOLD_MS } from './lib/configuration.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

let w;
const till = (command) => w.fake('bluecode-till', command);
const alipay = async (behaviour) => { const a = await w.fake('alipayplus', { do: 'mint-code', behaviour }); return a.code ?? a.codes[0]; };
const bluecode = async (behaviour, more = {}) => (await w.fake('bluecode', { do: 'mint-code', behaviour, ...more })).codes[0];
const shown = (payment) => till({ do: 'show', payment });
const sell = async (code, amount, more = {}) => (await till({ do: 'pay', code, amount: String(amount), terminal: code, ...more })).payment;
const ended = (payment, status) => until(async () => { const s = await shown(payment); return s.status === status && s; }, `${payment} ${status}`, 30000)
  .catch(async (e) => { throw new Error(`${e.message}; it is ${JSON.stringify(await shown(payment))}`, { cause: e }); });
/* All sides agree on how it ended. */
const agreed = async (payment, status) => {
  const s = await ended(payment, status);
  const found = await over(w, { p: { name: 'bluecode-till' }, read: async () => ({ body: { status: (await shown(payment)).status } }) }, s.switch_id, status);
  return { ...found, s };
};

const basic = (name, secret) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
/* By hand. */
const ask = (verb, body, { auth = basic('kasse', w.participants['bluecode-till'].secret.secret), peer = 'bluecode-till', type = 'application/json' } = {}) =>
  new Promise((resolve, reject) => {
    const q = https.request({ host: '127.0.0.1', port: w.port(0), ca: w.ca, method: 'POST', path: `/bluecode/${peer}/v4/${verb}`,
      headers: { 'content-type': type, ...(auth ? { authorization: auth } : {}) } }, async (a) => {
      let text = '';
      for await (const part of a) text += part;
      resolve({ status: a.statusCode, type: a.headers['content-type'], text, body: JSON.parse(text) });
    });
    q.on('error', reject).end(JSON.stringify(body));
  });
const sale = (code, amount, id = crypto.randomUUID()) => ({ barcode: code, branch_ext_id: 'branch-1', currency: 'EUR', merchant_tx_id: id,
  requested_amount: amount, scheme: 'AUTO', slip_date_time: new Date().toISOString().replace(/\.\d+/, '') });
const refused = (answer, status, code) => assert.deepEqual([answer.status, answer.body], [status, { result: 'ERROR', error_code: code }]);
const count = async (amount) => (await w.psql(`select count(*)::int as n from ledger.payment where amount = ${amount} and acquirer = 34`))[0].n;
const both = (name, minor) => ({ [`${name} EUR`]: minor, 'bluecode-till EUR': -minor });

describe("a till of Bluecode's", () => {
  before(async () => { w = await World.start('bluecodetill', { bluecodeTill: true }); });
  after(() => w?.stop());

  describe('at once', { concurrency: 8 }, () => {
    it('an Alipay+ code is paid', async () => {
      const { moved } = await agreed(await sell(await alipay('approve'), 1250), 'PAID');
      assert.deepEqual(moved, both('alipayplus', 1250));
    });

    it("a barcode of Bluecode's own is paid, by its scheme alone too", async () => {
      const { moved } = await agreed(await sell(await bluecode('approve'), 1260), 'PAID');
      assert.deepEqual(moved, both('bluecode', 1260));
      await agreed(await sell(await bluecode('approve'), 1261, { scheme: 'blue_code' }), 'PAID');
    });

    it('the answer, member by member', async () => {
      const order = sale(await alipay('approve'), 1270);
      const { status, type, body } = await ask('payment', order);
      assert.deepEqual([status, type], [200, 'application/json']);
      const { acquirer_tx_id: id, slip_note: brand, ...payment } = body.payment;
      assert.match(id, /^[0-9a-z]{26}$/);
      assert.ok(brand === undefined || brand.length > 0);
      assert.deepEqual([body.result, payment], ['OK', { state: 'APPROVED', merchant_tx_id: order.merchant_tx_id, currency: 'EUR',
        total_amount: 1270, requested_amount: 1270, consumer_tip_amount: 0 }]);
      const asked = await ask('status', { merchant_tx_id: order.merchant_tx_id });
      assert.deepEqual(asked.body, body);
      await ask('refund', { acquirer_tx_id: id });
    });

    it('declined, with its code', async () => {
      const a = await agreed(await sell(await alipay('decline:USER_BALANCE_NOT_ENOUGH'), 1300), 'DECLINED');
      assert.equal(a.s.reason, 'INSUFFICIENT_FUNDS');
      assert.deepEqual(a.moved, {});
      const b = await agreed(await sell(await bluecode('decline:LIMIT_EXCEEDED'), 1301), 'DECLINED');
      assert.equal(b.s.reason, 'LIMIT_EXCEEDED');
    });

    it('a code that nobody knows, and one that was used', async () => {
      assert.equal((await ended(await sell('98812345678901234567', 1310), 'DECLINED')).reason, 'INVALID_BARCODE');
      assert.equal((await ended(await sell('4711', 1311), 'DECLINED')).reason, 'INVALID_BARCODE');
      const code = await bluecode('approve');
      await agreed(await sell(code, 1312), 'PAID');
      assert.equal((await ended(await sell(code, 1313), 'DECLINED')).reason, 'INVALID_BARCODE');
    });

    it('PROCESSING, then paid; then declined', async () => {
      const order = sale(await bluecode('processing-then-approve', { ms: HOLD_MS + 1000 }), 1400);
      const { body } = await ask('payment', order);
      const { ttl, ...status } = body.status;
      assert.deepEqual([body.result, status], ['PROCESSING', { merchant_tx_id: order.merchant_tx_id, check_status_in: 1000 }]);
      assert.ok(ttl > 5000 && ttl < 12000, String(ttl));
      await until(async () => (await ask('status', { merchant_tx_id: order.merchant_tx_id })).body.payment?.state === 'APPROVED', 'approved');
      await ask('cancel', { merchant_tx_id: order.merchant_tx_id });
      await agreed(await sell(await bluecode('processing-then-approve', { ms: 2500 }), 1401), 'PAID');
      const no = await agreed(await sell(await bluecode('processing-then-decline:FRAUD_DETECTED', { ms: 2500 }), 1402), 'DECLINED');
      assert.equal(no.s.reason, 'FRAUD_DETECTED');
    });

    it('the payer never acts: the till gives up, and nothing is owed', async () => {
      const s = await ended(await sell(await bluecode('processing'), 1500), 'CANCELLED');
      await w.final(s.switch_id);
      assert.deepEqual([await w.moved(s.switch_id), await w.balanced(s.switch_id)], [{}, []]);
    });

    it('cancelled after success; again; and after a refund no more', async () => {
      const payment = await sell(await alipay('approve'), 1600);
      await ended(payment, 'PAID');
      await till({ do: 'cancel', payment });
      const { moved } = await agreed(payment, 'CANCELLED');
      assert.deepEqual(moved, {});
      const again = await ask('cancel', { merchant_tx_id: payment });
      assert.equal(again.body.payment.state, 'CANCELED');
      const other = await sell(await alipay('approve'), 1601);
      await ended(other, 'PAID');
      await till({ do: 'refund', payment: other, amount: '1' });
      await ended(other, 'PARTIALLY_REFUNDED');
      refused(await ask('cancel', { merchant_tx_id: other }), 400, 'INVALID_STATE');
    });

    it('refunded in full, without an amount', async () => {
      const payment = await sell(await alipay('approve'), 1700);
      await ended(payment, 'PAID');
      await till({ do: 'refund', payment });
      const { moved, s } = await agreed(payment, 'REFUNDED');
      assert.deepEqual(moved, {});
      refused(await ask('refund', { acquirer_tx_id: s.switch_id }), 400, 'INVALID_STATE');
      assert.equal((await ask('status', { merchant_tx_id: payment })).body.payment.state, 'REFUNDED');
    });

    it('refunded in parts, and the rest without an amount', async () => {
      const payment = await sell(await bluecode('approve'), 1800);
      await ended(payment, 'PAID');
      await till({ do: 'refund', payment, amount: '700' });
      const { moved, s } = await agreed(payment, 'PARTIALLY_REFUNDED');
      assert.deepEqual(moved, both('bluecode', 1100));
      refused(await ask('refund', { acquirer_tx_id: s.switch_id, amount: 1101 }), 200, 'AMOUNT_TOO_HIGH');
      assert.deepEqual(await w.moved(s.switch_id), moved, 'the refusal moved nothing');
      await till({ do: 'refund', payment });
      assert.deepEqual((await agreed(payment, 'REFUNDED')).moved, {});
    });

    it('an issuer that has no refund', async () => {
      const payment = await sell(await bluecode('approve-no-refund'), 1900);
      await ended(payment, 'PAID');
      await till({ do: 'refund', payment, amount: '100' });
      const s = await until(async () => { const now = await shown(payment); return now.reason && now; }, 'the refusal');
      assert.deepEqual([s.status, s.reason], ['PAID', 'ISSUER_NOT_SUPPORTED']);
    });

    it('an id is good for one payment, at once and later', async () => {
      const order = sale(await alipay('approve'), 2000);
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask('payment', order)));
      const paid = answers.filter((a) => a.body.result === 'OK');
      assert.equal(paid.length, 1, answers.map((a) => a.text).join('\n'));
      for (const a of answers.filter((b) => b !== paid[0])) refused(a, 400, 'MERCHANT_TX_ID_NOT_UNIQUE');
      refused(await ask('payment', { ...order, barcode: await alipay('approve') }), 400, 'MERCHANT_TX_ID_NOT_UNIQUE');
      refused(await ask('register', { ...order, barcode: undefined }), 400, 'MERCHANT_TX_ID_NOT_UNIQUE');
      assert.equal(await count(2000), 1);
      await ask('refund', { acquirer_tx_id: paid[0].body.payment.acquirer_tx_id });
    });

    it('cancelled before it came: it finds itself closed', async () => {
      const order = sale(await alipay('approve'), 2100), name = { merchant_tx_id: order.merchant_tx_id };
      const first = await ask('cancel', name);
      assert.deepEqual([first.body.result, first.body.payment.state], ['OK', 'CANCELED'], first.text);
      assert.deepEqual((await ask('cancel', name)).body, first.body, 'a repeat is the same');
      refused(await ask('payment', order), 400, 'MERCHANT_TX_ID_NOT_UNIQUE');
      assert.equal((await ask('status', name)).body.payment.state, 'CANCELED');
      assert.equal((await w.book('alipayplus')).filter((l) => l.taken === 2100).length, 0);
    });

    it('wrong credentials, and the right ones for somebody else', async () => {
      const order = sale(await alipay('approve'), 2200);
      for (const more of [{ auth: '' }, { auth: basic('kasse', 'wrong') }, { auth: basic('kasse', '') }, { auth: basic('', '') },
        { peer: 'nobody' }, { peer: 'bluecode' }, { auth: 'Bearer x' }]) {
        refused(await ask('payment', order, more), 401, 'UNAUTHORIZED');
        refused(await ask('status', { merchant_tx_id: 'x' }, more), 401, 'UNAUTHORIZED');
      }
      assert.equal(await count(2200), 0);
    });

    it('what cannot be read moves nothing', async () => {
      const order = sale(await alipay('approve'), 2300);
      refused(await ask('payment', { ...order, branch_ext_id: 'branch-2' }), 400, 'BRANCH_NOT_FOUND');
      refused(await ask('payment', { ...order, currency: 'CHF' }), 400, 'ERROR_INVALID_PARAMETER');
      refused(await ask('payment', { ...order, requested_amount: '2300' }), 400, 'ERROR_INVALID_PARAMETER');
      refused(await ask('payment', { ...order, scheme: 'blue_code' }), 400, 'INVALID_BARCODE');
      refused(await ask('payment', order, { type: 'text/plain' }), 415, 'ERROR_INVALID_PARAMETER');
      refused(await ask('status', { merchant_tx_id: order.merchant_tx_id }), 404, 'TRANSACTION_NOT_FOUND');
      refused(await ask('refund', { acquirer_tx_id: order.merchant_tx_id }), 404, 'TRANSACTION_NOT_FOUND');
      assert.equal(await count(2300), 0);
    });

    it('a code of the till is registered, scanned and paid; refunded', async () => {
      const { payment } = await till({ do: 'order', amount: '2400', terminal: 'order' });
      const { code } = await until(async () => { const s = await shown(payment); return s.code && s; }, 'a code');
      assert.match(code, /^000201.*6304[0-9A-F]{4}$/);
      await w.fake('pivo', { do: 'scan', code, payer: 'user-approve', confirm: true });
      const paid = await ended(payment, 'PAID');
      await till({ do: 'refund', payment, amount: '400' });
      await ended(payment, 'PARTIALLY_REFUNDED');
      const taker = (await w.psql(`select payment from ledger.order_payment where "order" = '${uuidOf(paid.switch_id)}'`))[0].payment;
      const rows = await w.psql(`select currency, sum(amount) from ledger.entry where payment = '${taker}' and kind = 3 group by 1 having sum(amount) <> 0`);
      assert.deepEqual(rows, []);
    });

    it('a registered one is cancelled: nobody can pay it', async () => {
      const { payment } = await till({ do: 'order', amount: '2500', terminal: 'order-2' });
      const { code } = await until(async () => { const s = await shown(payment); return s.code && s; }, 'a code');
      await till({ do: 'cancel', payment });
      await ended(payment, 'CANCELLED');
      const scan = (await w.fake('pivo', { do: 'scan', code, payer: 'user-approve', confirm: true })).payment;
      await until(async () => /order-closed/.test((await w.fake('pivo', { do: 'show', payment: scan })).problem ?? ''), 'the refusal');
    });
  });

  describe('one by one', () => {
    it('the answer is lost: repeated under its id, then asked for', async () => {
      const code = await alipay('approve');
      await till({ do: 'misbehave', op: 'payment', how: 'apply-then-silent' });
      const { moved, s } = await agreed(await sell(code, 4000), 'PAID');
      assert.deepEqual(moved, both('alipayplus', 4000));
      assert.equal(s.cancels, 0);
      assert.equal(await count(4000), 1);
    });

    it('the call is lost: repeated under its id', async () => {
      const code = await alipay('approve');
      await till({ do: 'misbehave', op: 'payment', how: 'silent', ms: 300 });
      const { moved } = await agreed(await sell(code, 4100), 'PAID');
      assert.deepEqual(moved, both('alipayplus', 4100));
    });

    it('all is lost: cancelled until it is confirmed, and the terminal waits', async () => {
      const code = await alipay('approve');
      await till({ do: 'misbehave', op: 'payment', how: 'apply-then-silent', count: 3 });
      await till({ do: 'misbehave', op: 'cancel', how: 'silent', ms: 1500, count: 2 });
      const payment = await sell(code, 4200);
      await ended(payment, 'CANCELLING');
      await assert.rejects(sell(await alipay('approve'), 4201, { terminal: code }), /NON_CANCELED_TIMEOUTS/);
      const { moved, s } = await agreed(payment, 'CANCELLED');
      assert.deepEqual(moved, {});
      assert.ok(s.cancels >= 3, String(s.cancels));
      await agreed(await sell(await alipay('approve'), 4202, { terminal: code }), 'PAID');
    });

    it("the issuer's answer is lost: PROCESSING until it is found", async () => {
      const code = await bluecode('approve');
      await w.fake('bluecode', { do: 'misbehave', op: 'payment', how: 'apply-then-silent' });
      const { moved } = await agreed(await sell(code, 4300), 'PAID');
      assert.deepEqual(moved, both('bluecode', 4300));
    });

    it('the answer to a full refund is lost: the status tells', async () => {
      const payment = await sell(await alipay('approve'), 4400);
      await ended(payment, 'PAID');
      await till({ do: 'misbehave', op: 'refund', how: 'apply-then-silent' });
      await till({ do: 'refund', payment });
      assert.deepEqual((await agreed(payment, 'REFUNDED')).moved, {});
    });
  });

  it('the books', async () => { await closing(w); });
});
