/*
 * Corridor B: a Vipps user scans an Alipay+ merchant's code. The wallet's server speaks the partner API (/v1/scans, confirm);
 * the debit is a push message in the app, in NOK by our quote; then the scheme is told (notifyPayment) and settled in EUR.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Caller } from './lib/caller.mjs';
import { closing, over, refused } from './lib/checks.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

let w;
const wallet = () => w.callers['vipps-server'];
/* The last two digits say who the person is (adapters/vipps/README.md). */
const PHONE = { approves: '4790000001', refuses: '4790000002', sleeps: '4790000003', late: '4790000004', unknown: '4790000000', waits: '4790000055' };

const order = (value, more = {}) => w.fake('alipayplus-mpp', { do: 'order', currency: 'EUR', value: String(value), ...more });
const scanning = (code, phone) => ({ wallet_scan_id: Caller.newId(), code, payer: { id: 'v-7f3a', handle: phone } });
const scan = (code, phone) => wallet().call('POST', '/v1/scans', scanning(code, phone));
const confirm = (id, o) => wallet().call('POST', `/v1/scans/${id}/confirm`, {}, o);
const end = (id, word, ms) => over(w, wallet(), id, word, ms);

async function opened(value, phone, more) {
  const o = await order(value, more);
  const answer = await scan(o.codeValue, phone);
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.body.status, 'OPEN');
  return { ...answer.body, order: o };
}

const paid = async (value, phone = PHONE.approves) => {
  const s = await opened(value, phone);
  const answer = await confirm(s.id);
  assert.ok([201, 202].includes(answer.status), answer.text);
  return { ...s, ...await end(s.id, 'PAID') };
};

describe('corridor B, a Vipps user at an Alipay+ merchant', () => {
  before(async () => { w = await World.start('b'); });
  after(() => w?.stop());

  describe('at once', { concurrency: 8 }, () => {
    it('approved in the app: captured, and the scheme told', async () => {
      const s = await opened(2500, PHONE.waits);
      assert.equal(s.payer_amount.currency, 'NOK');
      const payer = Number(s.payer_amount.value);
      assert.ok(payer > 2500 * 11.7 && payer < 2500 * 11.9, `by our quote: ${payer}`);
      const asked = confirm(s.id);
      await until(() => w.fake('vipps', { do: 'app-approve', reference: s.id }), 'the push message');
      const answer = await asked;
      assert.ok([201, 202].includes(answer.status), answer.text);
      const { moved } = await end(s.id, 'PAID');
      assert.deepEqual(moved, { 'vipps NOK': payer, 'alipayplus-mpp EUR': -2500 });
      const [line] = await w.book('vipps', s.id);
      assert.deepEqual([line.taken, line.held ?? 0], [payer, 0], 'captured in full');
    });

    it('the user refuses', async () => {
      const s = await opened(2600, PHONE.refuses);
      const answer = await confirm(s.id);
      if (answer.status !== 202) refused(answer, 402, 'payer-refused');
      const { moved, object } = await end(s.id, 'DECLINED');
      assert.deepEqual(moved, {});
      assert.equal(object.reason.code, 'payer-refused');
    });

    it('the user takes his time: pending, then success', async () => {
      const s = await opened(2700, PHONE.late);
      const answer = await confirm(s.id);
      assert.ok([201, 202].includes(answer.status), answer.text);
      const { moved } = await end(s.id, 'PAID');
      assert.equal(moved['alipayplus-mpp EUR'], -2700);
    });

    it('the user never acts: it expires, and the wallet is cancelled', async () => {
      const s = await opened(2800, PHONE.sleeps, { expires_s: 7 });
      await confirm(s.id);
      const { moved } = await end(s.id, 'EXPIRED');
      assert.deepEqual(moved, {});
      assert.notEqual((await w.book('vipps', s.id))[0]?.state, 'CREATED');
    });

    it('Vipps knows no such person', async () => {
      const s = await opened(2900, PHONE.unknown);
      const answer = await confirm(s.id);
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
      await end(s.id, 'DECLINED');
    });

    it('cancelled before the user confirmed', async () => {
      const s = await opened(3000, PHONE.approves);
      await wallet().cancel(s.id, {}, 'scans');
      await end(s.id, 'CANCELLED');
      assert.equal((await w.book('vipps', s.id)).length, 0, 'Vipps never heard of it');
      refused(await confirm(s.id), 422, 'order-closed');
    });

    it('once confirmed it is for the user in the app to refuse', async () => {
      const s = await opened(3100, PHONE.waits);
      const asked = confirm(s.id);
      await until(async () => (await w.book('vipps', s.id)).length > 0, 'the push message');
      const cancel = await wallet().cancel(s.id, {}, 'scans');
      assert.ok([403, 409].includes(cancel.status), cancel.text);
      await w.fake('vipps', { do: 'app-refuse', reference: s.id });
      await asked;
      const { moved } = await end(s.id, 'DECLINED');
      assert.deepEqual(moved, {});
    });

    it('an order code that the scheme does not know', async () => {
      const answer = await scan('281002040000000000000000000', PHONE.approves);
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    });

    it('the merchant cancels after success', async () => {
      const p = await paid(3200);
      await w.fake('alipayplus-mpp', { do: 'cancel', id: p.id });
      const { moved } = await end(p.id, 'CANCELLED');
      assert.deepEqual(moved, {});
      const [line] = await w.book('vipps', p.id);
      assert.equal(line.taken - line.returned, 0);
    });

    it('the merchant refunds in full', async () => {
      const p = await paid(3300);
      await w.fake('alipayplus-mpp', { do: 'refund', id: p.id });
      const { moved } = await end(p.id, 'REFUNDED');
      assert.deepEqual(moved, {}, 'exactly what was taken, in both currencies');
    });

    it('the merchant refunds in parts, and no more than the rest', async () => {
      const p = await paid(3400);
      for (const value of ['1000', '900']) {
        await w.fake('alipayplus-mpp', { do: 'refund', id: p.id, value });
        await until(async () => (await w.moved(p.id))['alipayplus-mpp EUR'] === (value === '1000' ? -2400 : -1500), `refund of ${value}`);
      }
      await end(p.id, 'PARTIALLY_REFUNDED');
      const too = await w.fake('alipayplus-mpp', { do: 'refund', id: p.id, value: '1501' }).then(() => 'asked', () => 'refused by the fake');
      await w.fake('alipayplus-mpp', { do: 'refund', id: p.id, value: '1500' }).catch(() => {});
      const { moved } = await end(p.id, 'REFUNDED');
      assert.deepEqual(moved, {}, too);
    });

    it('the same confirm ten times at once: one debit', async () => {
      const s = await opened(3500, PHONE.approves), key = crypto.randomUUID();
      const answers = await Promise.all(Array.from({ length: 10 }, () => until(async () => {
        const a = await confirm(s.id, { key });
        return a.status === 201 && a;
      }, 'a final answer')));
      assert.equal(new Set(answers.map((a) => a.text)).size, 1);
      await end(s.id, 'PAID');
      assert.equal((await w.book('vipps', s.id)).length, 1);
    });

    it('the same scan ten times at once: one order resolved; other contents refused', async () => {
      const o = await order(3600), body = scanning(o.codeValue, PHONE.approves), key = crypto.randomUUID();
      const answers = await Promise.all(Array.from({ length: 10 }, () => until(async () => {
        const a = await wallet().call('POST', '/v1/scans', body, { key });
        return a.status === 201 && a;
      }, 'a final answer')));
      assert.equal(new Set(answers.map((a) => a.body.id)).size, 1);
      refused(await wallet().call('POST', '/v1/scans', { ...body, payer: { id: 'somebody-else' } }, { key }), 422, 'idempotency-key-reused');
      await wallet().cancel(answers[0].body.id, {}, 'scans');
      await end(answers[0].body.id, 'CANCELLED');
    });
  });

  describe('one by one', () => {
    const vipps = (op, how, more = {}) => w.fake('vipps', { do: 'misbehave', op, how, ...more });
    const scheme = (op, how, more = {}) => w.fake('alipayplus-mpp', { do: 'misbehave', op, how, ...more });

    it('the answer to the create is lost; found by inquiry', async () => {
      const s = await opened(4000, PHONE.approves);
      await vipps('create', 'apply-then-silent');
      await confirm(s.id);
      await end(s.id, 'PAID');
    });

    it('the create never arrives: nothing is found, and it is cancelled', async () => {
      const s = await opened(4100, PHONE.approves);
      await vipps('create', 'silent', { count: 9 });
      await confirm(s.id);
      const { moved } = await end(s.id, 'DECLINED', 40000);
      await vipps('create', 'silent', { count: 0 });
      assert.deepEqual(moved, {});
    });

    it('approved after we had given up and cancelled: released again, and a person is told', async () => {
      const s = await opened(4150, PHONE.approves);
      await vipps('create', 'late', { ms: 10000 }); /* after our cancel */
      await confirm(s.id);
      await end(s.id, 'DECLINED', 40000);
      const line = await until(async () => (await w.book('vipps', s.id)).find((l) => l.state !== 'CREATED' && l.held === 0), 'nothing is held any more', 40000);
      assert.equal(line.taken - line.returned, 0, JSON.stringify(line));
      await until(async () => (await w.psql(`select * from ledger.exception_open where payment = '${uuidOf(s.id)}'`)).length === 1, 'the exception item');
      await until(() => w.payment(s.id).then((p) => p.final), 'final again');
      assert.deepEqual(Object.values(await w.moved(s.id)).filter((v) => v !== 0), []);
      assert.equal((await wallet().read(s.id, 'scans')).body.status, 'DECLINED', 'what was said stays said');
    });

    it('the answer to the capture is lost; captured once', async () => {
      const s = await opened(4200, PHONE.approves);
      await vipps('capture', 'apply-then-silent');
      await confirm(s.id);
      await end(s.id, 'PAID');
      assert.equal((await w.book('vipps', s.id))[0].taken, Number(s.payer_amount.value));
    });

    it('our report is lost; the scheme is told again', async () => {
      const s = await opened(4400, PHONE.approves);
      await scheme('notifyPayment', 'apply-then-silent');
      await confirm(s.id);
      const { moved } = await end(s.id, 'PAID');
      assert.equal(moved['alipayplus-mpp EUR'], -4400);
    });

    it('our report never arrives at first; it is repeated until it does', async () => {
      const s = await opened(4500, PHONE.approves);
      await scheme('notifyPayment', 'silent', { count: 2 });
      await confirm(s.id);
      await end(s.id, 'PAID');
    });

    it('the scheme answers the scan with another order than ours, or unsigned', async () => {
      for (const how of ['wrong-id', 'unsigned', 'garbled']) {
        const o = await order(4600);
        await scheme('userInitiatedPay', how);
        const answer = await scan(o.codeValue, PHONE.approves);
        assert.notEqual(answer.status, 200);
        const id = answer.body.id ?? answer.body.payment_id;
        if (!id) continue;
        if (answer.body.status === 'OPEN') await wallet().cancel(id, {}, 'scans');
        await w.final(id, 30000);
        assert.deepEqual(await w.moved(id), {});
      }
    });

    for (const how of ['wrong-amount', 'wrong-id', 'garbled', 'apply-then-error-500']) {
      it(`Vipps answers wrongly, and is not believed: ${how}`, async () => {
        const s = await opened(4700, PHONE.approves);
        await vipps('create', how);
        await confirm(s.id);
        const { moved } = await end(s.id, ['PAID', 'DECLINED']);
        assert.ok(!moved['vipps NOK'] || moved['vipps NOK'] === Number(s.payer_amount.value));
      });
      it(`Vipps answers an inquiry wrongly: ${how}`, async () => {
        const s = await opened(4800, PHONE.approves);
        await vipps('create', 'apply-then-silent');
        await vipps('get', how);
        await confirm(s.id);
        const { moved } = await end(s.id, 'PAID');
        assert.equal(moved['vipps NOK'], Number(s.payer_amount.value));
      });
    }

    it('a token that is revoked costs no sale', async () => {
      await paid(4250);
      await w.fake('vipps', { do: 'expire-tokens' });
      await paid(4260);
    });

    it('the token expires in the middle', async () => {
      const s = await opened(4300, PHONE.waits);
      const asked = confirm(s.id);
      await until(async () => (await w.book('vipps', s.id)).length > 0, 'the push message');
      await w.fake('vipps', { do: 'expire-tokens' });
      await w.fake('vipps', { do: 'app-approve', reference: s.id });
      await asked;
      await end(s.id, 'PAID');
    });
  });

  it('the books as a whole', () => closing(w));
});
