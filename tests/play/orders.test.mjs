/* Orders of our own (a till's code, paid by whoever is first), pay-outs to a wallet, and payer codes that went through us. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Caller, euro, krone } from './lib/caller.mjs';
import { closing, over, refused, toldAs } from './lib/checks.mjs';
import { HOLD_MS } from './lib/configuration.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

let w;
const till = () => w.callers['till-nok'];
const wallet = () => w.callers['vipps-server'];
const payee = (behaviour) => ({ wallet: 'pivo', handle: `user-${behaviour}` });

const order = async (amount, o = {}) => {
  const { partner_payment_id: id, code: _, ...rest } = till().order('', amount, o.more);
  return till().call('POST', '/v1/orders', { partner_order_id: id, ...rest }, o);
};
const pivo = (command) => w.fake('pivo', command);
const shown = (payment) => pivo({ do: 'show', payment });
/* A user of pivo scans it; he confirms when he is told to. */
const scan = async (code, confirm = false) => {
  const { payment } = await pivo({ do: 'scan', code, payer: 'user-approve', confirm });
  await until(async () => (await shown(payment)).status || (await shown(payment)).problem, 'an answer to the scan');
  return payment;
};
/* The payment that took the order. */
const taker = async (id) => (await w.psql(`select payment from ledger.order_payment where "order" = '${uuidOf(id)}'`))[0]?.payment;
const payout = (amount, to, o = {}) => w.callers['till-eur'].call('POST', '/v1/payouts', {
  partner_payout_id: o.id ?? Caller.newId(), amount, payee: to, order: { reference: 'VAT-9', description: 'Tax refund' },
}, o);

describe('orders, pay-outs, payer codes', () => {
  before(async () => { w = await World.start('orders'); });
  after(() => w?.stop());

  describe('orders', { concurrency: 8 }, () => {
    it('is paid by the first who confirms; the till is told and refunds by its id', async () => {
      const made = await order(krone(5500));
      assert.equal(made.status, 201, made.text);
      assert.equal(made.body.status, 'OPEN');
      assert.match(made.body.code.text, /^000201.*6304[0-9A-F]{4}$/);
      await scan(made.body.code.text, true);
      const told = await toldAs(till(), made.body.id, 'payment.paid');
      assert.deepEqual(told.data.amount, krone(5500));
      const read = await till().read(made.body.id, 'orders');
      assert.equal(read.body.status, 'PAID');
      assert.equal(read.body.partner_order_id, made.body.partner_order_id);
      const back = await till().refund(made.body.id, krone(1500));
      assert.equal(back.body.payment_id, made.body.id);
      await until(async () => (await till().read(made.body.id)).body.status === 'PARTIALLY_REFUNDED', 'the refund');
      assert.deepEqual(await w.psql(`select sum(amount)::text as s from ledger.entry where payment = '${await taker(made.body.id)}' and kind = 3 group by currency having sum(amount) <> 0`), []);
    });

    it('two confirm at once: one pays, the other hears that the order is closed', async () => {
      const { body } = await order(krone(4100));
      const both = await Promise.all([scan(body.code.text), scan(body.code.text)]);
      await Promise.all(both.map((payment) => pivo({ do: 'confirm', payment })));
      await until(async () => (await till().read(body.id, 'orders')).body.status === 'PAID', 'paid');
      const ends = await until(async () => {
        const all = await Promise.all(both.map(shown));
        return all.some((p) => p.status === 'PAID') && all.some((p) => /order-closed/.test(p.problem ?? '')) && all;
      }, 'one paid and one refused');
      assert.equal(ends.filter((p) => p.status === 'PAID').length, 1);
    });

    it('a scan after it was paid is refused', async () => {
      const { body } = await order(krone(4200));
      await scan(body.code.text, true);
      await until(async () => (await till().read(body.id, 'orders')).body.status === 'PAID', 'paid');
      const late = await shown(await scan(body.code.text));
      assert.match(late.problem, /order-closed/);
    });

    it('cancelled by the till: nobody can pay it, and a cancel of the paid one gives the money back', async () => {
      const { body } = await order(krone(4300));
      const early = await scan(body.code.text);
      const cancel = await till().cancel(body.id, { key: `cancel-${body.id}` }, 'orders');
      assert.equal(cancel.body.status, 'CANCELLED', cancel.text);
      await pivo({ do: 'confirm', payment: early });
      await until(async () => /order-closed/.test((await shown(early)).problem ?? ''), 'the confirmation is refused');
      assert.equal((await till().cancel(body.id, { key: `cancel-${body.id}` }, 'orders')).text, cancel.text, 'the same answer again');

      const paid = (await order(krone(4400))).body;
      await scan(paid.code.text, true);
      await until(async () => (await till().read(paid.id, 'orders')).body.status === 'PAID', 'paid');
      const undone = await till().cancel(paid.id, {}, 'orders');
      assert.equal(undone.body.id, paid.id);
      await until(async () => (await till().read(paid.id, 'orders')).body.status === 'CANCELLED', 'cancelled');
    });

    it('nobody pays it: it expires, and the till is told', async () => {
      const { body } = await order(krone(4500), { more: { expires_at: new Date(Date.now() + 2500).toISOString() } });
      await toldAs(till(), body.id, 'payment.expired');
      assert.equal((await till().read(body.id, 'orders')).body.status, 'EXPIRED');
      assert.match((await shown(await scan(body.code.text))).problem, /order-closed/);
    });

    it('cancelled after it expired: answered, and the same again', async () => {
      const { body } = await order(krone(4510), { more: { expires_at: new Date(Date.now() + 1500).toISOString() } });
      await toldAs(till(), body.id, 'payment.expired');
      const key = `cancel-${body.id}`;
      const cancel = await till().cancel(body.id, { key }, 'orders');
      assert.equal(cancel.status, 200, cancel.text);
      assert.equal((await till().cancel(body.id, { key }, 'orders')).text, cancel.text);
    });

    it('who scans and turns away says nothing about the order', async () => {
      const { body } = await order(krone(4520));
      const seen = await wallet().call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code: body.code.text, payer: { id: 'v-1', handle: '4790000001' } });
      await wallet().cancel(seen.body.id, {}, 'scans');
      await over(w, wallet(), seen.body.id, 'CANCELLED');
      await scan(body.code.text, true);
      await toldAs(till(), body.id, 'payment.paid');
      assert.deepEqual(till().eventsOf(body.id).map((e) => e.type), ['payment.paid']);
    });

    it('any name and city, and no city, make a code; an amount that none can say is refused', async () => {
      const plain = till().order('', krone(1)).merchant;
      for (const more of [{ name: 'ÆØÅ', city: '東京' }, { name: 'x'.repeat(128), city: 'y'.repeat(32) }, { city: undefined }, { name: ' é ' }]) {
        const made = await order(krone(4530), { more: { merchant: { ...plain, ...more } } });
        assert.equal(made.status, 201, made.text);
        assert.equal((await shown(await scan(made.body.code.text))).problem, undefined);
      }
      refused(await order(krone('99999999999999')), 422, 'amount-invalid');
    });

    it('declined by the payer\'s wallet: it is open again, and who scanned it before that, or after, may pay it', async () => {
      const { body } = await order(krone(4600));
      const early = await scan(body.code.text);
      const poor = async () => {
        const { payment } = await pivo({ do: 'scan', code: body.code.text, payer: 'user-decline:insufficient-funds', confirm: true });
        await until(async () => (await shown(payment)).status === 'DECLINED', 'declined');
      };
      await poor();
      await poor();
      assert.equal((await till().read(body.id, 'orders')).body.status, 'OPEN');
      await pivo({ do: 'confirm', payment: early });
      await toldAs(till(), body.id, 'payment.paid');
      assert.deepEqual(till().eventsOf(body.id).map((e) => e.type), ['payment.paid']);
      assert.equal((await till().read(body.id, 'orders')).body.status, 'PAID');
      assert.match((await shown(await scan(body.code.text))).problem, /order-closed/);
      await till().refund(body.id, krone(4600));
      await until(async () => (await till().read(body.id)).body.status === 'REFUNDED', 'the refund');
    });

    it('declined, and then cancelled by the till, or left to expire: the order ends as it would have', async () => {
      const poor = (code) => pivo({ do: 'scan', code, payer: 'user-decline:insufficient-funds', confirm: true });
      const { body } = await order(krone(4610));
      const { payment } = await poor(body.code.text);
      await until(async () => (await shown(payment)).status === 'DECLINED', 'declined');
      const cancel = await till().cancel(body.id, {}, 'orders');
      assert.equal(cancel.body.status, 'CANCELLED', cancel.text);
      assert.equal(cancel.body.id, body.id);
      assert.match((await shown(await scan(body.code.text))).problem, /order-closed/);
      const late = (await order(krone(4620), { more: { expires_at: new Date(Date.now() + 14000).toISOString() } })).body;
      await poor(late.code.text);
      await toldAs(till(), late.id, 'payment.expired');
      assert.deepEqual(till().eventsOf(late.id).map((e) => e.type), ['payment.expired']);
    });

    it('declined too near to its end: the till is told', async () => {
      const { body } = await order(krone(4630), { more: { expires_at: new Date(Date.now() + 9000).toISOString() } });
      await pivo({ do: 'scan', code: body.code.text, payer: 'user-decline:insufficient-funds', confirm: true });
      await toldAs(till(), body.id, 'payment.declined');
    });

    it('a Vipps user pays it by push message', async () => {
      const { body } = await order(krone(4700));
      const seen = await wallet().call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code: body.code.text, payer: { id: 'v-1', handle: '4790000001' } });
      assert.equal(seen.status, 201, seen.text);
      assert.deepEqual(seen.body.payer_amount, krone(4700));
      await wallet().call('POST', `/v1/scans/${seen.body.id}/confirm`, {});
      await over(w, wallet(), seen.body.id, 'PAID');
      assert.equal((await till().read(body.id, 'orders')).body.status, 'PAID');
      refused(await wallet().read(body.id, 'orders'), 404, 'not-found');
    });

    it('the same order twice is one; another amount under the same key is refused', async () => {
      const key = `order-${Caller.newId()}`, more = { partner_order_id: Caller.newId() };
      const body = { ...more, amount: krone(4800), merchant: till().order('', krone(1)).merchant, order: { reference: 'R' } };
      const [one, two] = await Promise.all([0, 1].map(() => till().call('POST', '/v1/orders', body, { key })));
      assert.equal(one.text, two.text);
      refused(await till().call('POST', '/v1/orders', { ...body, amount: krone(4801) }, { key }), 422, 'idempotency-key-reused');
    });

    it('a forged code leads nowhere', async () => {
      const { body } = await order(krone(4900));
      const p = await shown(await scan(body.code.text.replace(/6304....$/, '')));
      assert.ok(p.problem, 'without its checksum it is no code');
    });
  });

  describe('pay-outs', { concurrency: 8 }, () => {
    it('credits a wallet\'s user', async () => {
      const made = await payout(euro(3150), payee('approve'));
      assert.equal(made.status, 201, made.text);
      const { id } = made.body;
      assert.deepEqual(await w.moved(id), { 'pivo EUR': -3150, 'till-eur EUR': 3150 });
      assert.equal((await w.book('pivo', id))[0].taken, 3150);
      refused(await w.callers['till-eur'].refund(id, euro(100)), 403, 'forbidden');
    });

    it('refused by the wallet: nothing moves', async () => {
      const { body } = await payout(euro(3200), payee('decline:payer-unavailable'));
      assert.deepEqual(await until(() => w.final(body.payment_id ?? body.id).then(() => w.moved(body.payment_id ?? body.id)), 'the end'), {});
    });

    it('pending, then done: 202, then a webhook', async () => {
      const made = await payout(euro(3300), payee(`pending-then-approve:${HOLD_MS + 1000}`));
      assert.equal(made.status, 202, made.text);
      await toldAs(w.callers['till-eur'], made.body.id, 'payout.paid');
      assert.deepEqual(await w.moved(made.body.id), { 'pivo EUR': -3300, 'till-eur EUR': 3300 });
    });

    it('ten times at once is one credit', async () => {
      const id = Caller.newId(), key = `payout-${id}`;
      const all = await Promise.all(Array.from({ length: 10 }, () => payout(euro(3400), payee('approve'), { id, key })));
      assert.equal(new Set(all.map((a) => a.body.id)).size, 1);
      assert.equal((await w.book('pivo', all[0].body.id)).length, 1);
    });

    it('a wallet that cannot credit is said so', async () => {
      const answer = await payout(euro(3500), { wallet: 'bluecode', handle: 'x' });
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    });
  });

  describe('one by one', () => {
    it('the answer to a credit is lost: asked again under the same id, credited once', async () => {
      await pivo({ do: 'misbehave', op: 'credit', how: 'apply-then-silent' });
      const { body } = await payout(euro(3600), payee('approve'));
      await w.final(body.id);
      assert.deepEqual(await w.moved(body.id), { 'pivo EUR': -3600, 'till-eur EUR': 3600 });
      assert.equal((await w.book('pivo', body.id)).length, 1);
    });

    it('another amount is not believed', async () => {
      await pivo({ do: 'misbehave', op: 'credit', how: 'wrong-amount' });
      const { body } = await payout(euro(3700), payee('approve'));
      await w.final(body.id);
      assert.deepEqual(await w.moved(body.id), { 'pivo EUR': -3700, 'till-eur EUR': 3700 });
    });
  });

  describe('payer codes', () => {
    it('a code that the scheme made for our wallet\'s user goes straight to the wallet', async () => {
      const { payment } = await pivo({ do: 'codes', payer: 'user-approve' });
      const code = await until(async () => (await shown(payment)).code, 'codes');
      const before = (await w.book('alipayplus-mpp')).length;
      const answer = await w.callers['till-eur'].pay(code, euro(640));
      const { moved } = await over(w, w.callers['till-eur'], answer.body.id, 'PAID');
      assert.equal(moved['pivo EUR'], 640);
      assert.equal((await w.book('alipayplus-mpp')).length, before, 'the scheme had no part in it');
      assert.equal(w.tapped.filter((t) => t.body.includes(code)).length, 0);
      const clear = await w.psql(`select * from ledger.shown_code where payer like '%${code}%' or encode(hash, 'escape') like '%${code}%'`);
      assert.deepEqual(clear, []);
    });

    it('is good for one payment', async () => {
      const { payment } = await pivo({ do: 'codes', payer: 'user-approve' });
      const code = await until(async () => (await shown(payment)).code, 'codes');
      const both = await Promise.all([0, 1].map(() => w.callers['till-eur'].pay(code, euro(660))));
      assert.deepEqual(both.map((a) => a.status).sort(), [201, 422], both.map((a) => a.text).join());
      assert.match(both.find((a) => a.status === 422).body.type, /code-expired$/);
    });

    it('no code stands in the clear in the books, nor in the log', async () => {
      const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
      const answer = await w.callers['till-eur'].pay(code, euro(650));
      await over(w, w.callers['till-eur'], answer.body.id, 'PAID');
      for (const [table, column] of [['raw', 'body'], ['step', 'evidence'], ['step', 'record'], ['step', 'reply'], ['outbox', 'body']]) {
        assert.deepEqual(await w.psql(`select 1 from ledger.${table} where position('${code}'::bytea in ${column}) > 0`), [], `${table}.${column}`);
      }
      assert.ok(!w.log().some((l) => l.includes(code)));
    });
  });

  it('the books as a whole', () => closing(w));
});
