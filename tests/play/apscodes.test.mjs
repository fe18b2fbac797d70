/*
 * Merchant codes that users of Alipay+ wallets scan: our own for a till's order, which the scheme asks us about; the scheme's, which
 * the till shows for us; and money that is pushed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { krone } from './lib/caller.mjs';
import { booked, closing, refused, toldAs } from './lib/checks.mjs';
import { World, sleep, until } from './lib/world.mjs';

let w;
const till = () => w.callers['till-nok'];
const scheme = (command) => w.fake('alipayplus', command);

/* An order of the till's; with accept, the code is the scheme's. */
const order = async (amount, { accept, life_s: life, ...o } = {}) => {
  const { partner_payment_id: id, code: _, ...rest } = till().order('', amount, o.more);
  const body = { partner_order_id: id, ...rest, ...(accept ? { accept: [accept] } : {}) };
  if (life) body.expires_at = new Date(Date.now() + life * 1000).toISOString();
  return till().call('POST', '/v1/orders', body, o);
};
const made = async (amount, o) => {
  const answer = await order(amount, o);
  assert.equal(answer.status, o?.accept ? 202 : 201, answer.text);
  assert.equal(answer.body.status, 'OPEN');
  return answer.body;
};
const read = async (id) => (await till().read(id, 'orders')).body;
const becomes = (id, status) => until(async () => { const o = await read(id); return o.status === status && o; }, `the order is ${status}`);

/* A traveller scans it; what the scheme knows of him from then on. */
const scan = async (code, behaviour = 'approve', more = {}) => {
  const { paymentId: id } = await scheme({ do: 'scan', code, behaviour, ...more });
  return () => scheme({ do: 'get', id });
};
const state = (get, word) => until(async () => { const p = await get(); return p.state === word && p; }, `the scheme says ${word}`);
/* Ledger and fakes, of the payment that the scheme knows. */
const agree = async (get, moved) => {
  const { id } = await get();
  await until(async () => (await w.payment(id)).final, 'the payment is final');
  assert.deepEqual(await w.balanced(id), []);
  const ours = Object.fromEntries(Object.entries(await w.moved(id)).filter(([k, v]) => v !== 0 && !k.startsWith('till-')));
  assert.deepEqual(ours, await booked(w, id));
  assert.deepEqual(ours, moved);
};

describe('codes for Alipay+ wallets', () => {
  before(async () => { w = await World.start('apscodes'); });
  after(() => w?.stop());

  describe('a code of ours', { concurrency: 8 }, () => {
    it('is asked about and paid; the till is told, and refunds', async () => {
      const o = await made(krone(5500));
      const get = await scan(o.code.text);
      const event = await toldAs(till(), o.id, 'payment.paid');
      assert.deepEqual(event.data.amount, krone(5500));
      assert.equal((await read(o.id)).wallet, 'ExampleWallet');
      await agree(get, { 'alipayplus EUR': 470 }); /* 55.00 x 0.0854, half to even */
      await till().refund(o.id, krone(5500));
      await becomes(o.id, 'REFUNDED');
      await agree(get, {});
    });

    it('is paid though nobody notifies us: we ask', async () => {
      const o = await made(krone(4100));
      const get = await scan(o.code.text, 'approve-no-notify');
      await becomes(o.id, 'PAID');
      await agree(get, { 'alipayplus EUR': 350 });
    });

    it('is refused by the payer\'s wallet, and paid by another', async () => {
      const o = await made(krone(4200));
      const get = await scan(o.code.text, 'decline');
      await state(get, 'failed');
      await becomes(o.id, 'OPEN');
      await agree(get, {});
      await w.fake('pivo', { do: 'scan', code: o.code.text, payer: 'user-approve', confirm: true });
      await toldAs(till(), o.id, 'payment.paid');
    });

    it('is one traveller\'s from his scan on; the same code is the same order', async () => {
      const o = await made(krone(4300));
      const get = await scan(o.code.text, 'pending');
      await becomes(o.id, 'PENDING');
      const { payment } = await w.fake('pivo', { do: 'scan', code: o.code.text, payer: 'user-approve' });
      await until(async () => /order-closed/.test((await w.fake('pivo', { do: 'show', payment })).problem ?? ''), 'another wallet is refused');
      await scan(o.code.text);
      await until(async () => !(await get()).asking, 'asked again');
      assert.equal((await scheme({ do: 'totals' })).bad_orders, 0);
      assert.equal((await till().cancel(o.id, {})).status < 300, true);
      await becomes(o.id, 'CANCELLED');
      assert.equal((await get()).state, 'closed');
      await agree(get, {});
    });

    it('ends with its order, and is then no code', async () => {
      const o = await made(krone(4400), { life_s: 3 });
      const get = await scan(o.code.text, 'pending');
      await toldAs(till(), o.id, 'payment.expired');
      assert.notEqual((await get()).state, 'open');
      await agree(get, {});
    });

    for (const [what, code, prepare] of [
      ['an expired one', 'EXPIRED_CODE', async () => { const o = await made(krone(100), { life_s: 1 }); await becomes(o.id, 'EXPIRED'); return o.code.text; }],
      ['a cancelled one', 'ORDER_IS_CLOSED', async () => { const o = await made(krone(100)); await till().cancel(o.id, {}, 'orders'); return o.code.text; }],
      ['one that nobody made', 'INVALID_CODE', () => 'https://shop.example/281666041234nobody'],
      ['one of the scheme\'s own', 'INVALID_CODE', () => 'https://qr.alipayplus.com/281666040393elsewhere'],
    ]) {
      it(`${what}: ${code}`, async () => {
        const get = await scan(await prepare());
        assert.equal((await state(get, 'failed')).resultCode, code);
      });
    }

    it('a success that comes after the till\'s cancel is the scheme\'s to reverse', async () => {
      const o = await made(krone(4500));
      const get = await scan(o.code.text, 'late-success');
      await becomes(o.id, 'PENDING');
      await till().cancel(o.id, {});
      await becomes(o.id, 'CANCELLED');
      await sleep(1500);
      assert.equal((await read(o.id)).status, 'CANCELLED');
      await agree(get, {});
    });
  });

  describe('a code of the scheme\'s', { concurrency: 8 }, () => {
    it('is shown, scanned and paid; the till is told, and refunds in part', async () => {
      const o = await made(krone(6600), { accept: 'alipay-plus' });
      assert.match(o.code.text, /^https:\/\/qr\.alipayplus\.com\/281\d{9}/);
      assert.equal((await read(o.id)).code.text, o.code.text);
      const get = await scan(o.code.text);
      await toldAs(till(), o.id, 'payment.paid');
      assert.equal((await read(o.id)).code, undefined);
      await agree(get, { 'alipayplus EUR': 564 });
      await till().refund(o.id, krone(1600));
      await becomes(o.id, 'PARTIALLY_REFUNDED');
      await agree(get, { 'alipayplus EUR': 427 });
    });

    it('is not scanned: the order ends, and so does the code', async () => {
      const o = await made(krone(6700), { accept: 'alipay-plus', life_s: 3 });
      await toldAs(till(), o.id, 'payment.expired');
      await assert.rejects(scheme({ do: 'scan', code: o.code.text }), /ORDER_IS_CLOSED/);
    });

    it('is cancelled while the traveller thinks', async () => {
      const o = await made(krone(6800), { accept: 'alipay-plus' });
      const get = await scan(o.code.text, 'pending');
      assert.equal((await till().cancel(o.id, {}, 'orders')).body.status, 'CANCELLED');
      await agree(get, {});
    });

    it('is refused by the traveller', async () => {
      const o = await made(krone(6900), { accept: 'alipay-plus' });
      await scan(o.code.text, 'decline:USER_PAYMENT_VERIFICATION_FAILED');
      await toldAs(till(), o.id, 'payment.declined');
    });

    it('of a scheme that makes none, or of two', async () => {
      refused(await order(krone(100), { accept: 'vipps' }), 422, 'no-route');
      const { partner_payment_id: id, code: _, ...rest } = till().order('', krone(100));
      refused(await till().call('POST', '/v1/orders', { partner_order_id: id, ...rest, accept: ['alipay-plus', 'pivo'] }), 400, 'validation-failed');
    });
  });

  describe('money that is pushed', { concurrency: 8 }, () => {
    it('is taken; afterwards it is only refunded', async () => {
      const o = await made(krone(7700));
      const get = await scan(o.code.text, 'approve', { push: true });
      await toldAs(till(), o.id, 'payment.paid');
      await state(get, 'paid');
      await agree(get, { 'alipayplus EUR': 658 });
      assert.equal((await till().cancel(o.id, {})).status, 403);
      await till().refund(o.id, krone(7700));
      await becomes(o.id, 'REFUNDED');
      await agree(get, {});
    });

    it('is another sum than the order\'s: it goes back', async () => {
      const o = await made(krone(7800));
      const get = await scan(o.code.text, 'wrong-amount', { push: true });
      assert.equal((await state(get, 'failed')).resultCode, 'PARAM_ILLEGAL');
      await becomes(o.id, 'DECLINED');
      await agree(get, {});
    });

    it('is not paid in time: nothing is pushed, and the order ends', async () => {
      const o = await made(krone(7900), { life_s: 3 });
      const get = await scan(o.code.text, 'pending', { push: true });
      await becomes(o.id, 'EXPIRED');
      await agree(get, {});
    });
  });

  describe('one by one', () => {
    it('the answer to pushed money is lost: the scheme asks', async () => {
      await scheme({ do: 'misbehave', op: 'pushPayment', how: 'silent', count: 2 });
      const o = await made(krone(8100));
      const get = await scan(o.code.text, 'approve', { push: true });
      await becomes(o.id, 'PAID');
      await state(get, 'paid');
      await agree(get, { 'alipayplus EUR': 692 });
    });

    it('the scheme takes long to make a code: the till reads it', async () => {
      await scheme({ do: 'misbehave', op: 'pay', how: 'apply-then-silent' });
      const answer = await order(krone(8200), { accept: 'alipay-plus' });
      assert.equal(answer.status, 202, answer.text);
      assert.equal(answer.body.code, undefined);
      /* What was made is lost: it cannot be shown, so it is cancelled with the order. */
      await till().cancel(answer.body.id, {}, 'orders');
      await becomes(answer.body.id, 'CANCELLED');
    });

    it('the books close', async () => {
      assert.equal((await scheme({ do: 'totals' })).bad_orders, 0);
      await closing(w);
    });
  });
});
