/* Corridor C: a Bluecode barcode at a Norwegian merchant of the partner API; NOK at the till, EUR from Bluecode, by our quote. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { krone } from './lib/caller.mjs';
import { closing, over, refused, toldAs } from './lib/checks.mjs';
import { ALLOWED_MS, HOLD_MS } from './lib/configuration.mjs';
import { tillPlays } from './lib/tills.mjs';
import { World, until } from './lib/world.mjs';

let w;
const mint = async (behaviour, more = {}) => (await w.fake('bluecode', { do: 'mint-code', behaviour, ...more })).codes[0];
const till = () => w.callers['till-nok'];
const id = (answer) => answer.body.id ?? answer.body.payment_id;
/* 0.0854 EUR for a krone with our markup of 50 basis points, rounded once, and the last cent is ours. */
const owed = (minor) => Math.ceil((minor * 854 * 1005) / 1e7);


describe('corridor C, Bluecode at a NOK till', () => {
  before(async () => { w = await World.start('c'); });
  after(() => w?.stop());

  describe('at once', { concurrency: 8 }, () => {
    tillPlays({
      world: () => w, till: 'till-nok', issuer: 'bluecode', money: krone, owed,
      owes: 'bluecode EUR', owns: 'till-nok NOK', declined: [402, 'insufficient-funds'],
      code: (what) => ({
        approve: () => mint('approve'), decline: () => mint('decline:INSUFFICIENT_FUNDS'),
        pending: () => mint('processing-then-approve', { ms: HOLD_MS + 1000 }), stuck: () => mint('processing'),
      })[what](),
    });

    it('pending, then declined', async () => {
      const answer = await till().pay(await mint('processing-then-decline:LIMIT_EXCEEDED', { ms: 1000 }), krone(3000));
      const { object } = await over(w, till(), id(answer), 'DECLINED');
      assert.equal(object.reason.code, 'limit-exceeded');
    });

    it('an answer code that nobody knows is in doubt, never a decline', async () => {
      const answer = await till().pay(await mint('decline:UNHEARD_OF'), krone(3100));
      assert.equal(answer.status, 202, answer.text);
      const { object } = await over(w, till(), answer.body.id, 'DECLINED');
      assert.equal(object.reason.code, 'unresolved', 'undone, since no answer was to be had');
    });

    it('a barcode that they do not know', async () => {
      const problem = refused(await till().pay('98812345678901234567', krone(3200)), 422, 'code-unknown');
      await over(w, till(), problem.payment_id, 'DECLINED');
    });
  });

  describe('one by one', () => {
    const orders = (op, how, more = {}) => w.fake('bluecode', { do: 'misbehave', op, how, ...more });

    it('the answer is lost; found by inquiry', async () => {
      const code = await mint('approve');
      await orders('payment', 'apply-then-silent');
      const answer = await till().pay(code, krone(4000));
      const { moved } = await over(w, till(), id(answer), 'PAID');
      assert.deepEqual(moved, { 'bluecode EUR': owed(4000), 'till-nok NOK': -4000 });
      await toldAs(till(), id(answer), 'payment.paid');
    });

    it('nothing is found, and it is cancelled', async () => {
      const code = await mint('approve');
      await orders('payment', 'silent');
      const answer = await till().pay(code, krone(4100));
      const { moved, object } = await over(w, till(), id(answer), 'DECLINED');
      assert.deepEqual(moved, {});
      assert.equal(object.reason.code, 'unresolved');
    });

    it('"no such payment" is not believed while ours may be under way', async () => {
      const code = await mint('approve');
      await orders('payment', 'late', { ms: ALLOWED_MS + 600 });
      const answer = await till().pay(code, krone(4200));
      const { moved } = await over(w, till(), id(answer), 'PAID');
      assert.equal(moved['till-nok NOK'], -4200);
    });

    it('approved while our cancel was lost: the success is given back', async () => {
      const answer = await till().pay(await mint('processing'), krone(4300));
      assert.equal(answer.status, 202, answer.text);
      await orders('cancel', 'silent');
      const cancel = till().cancel(answer.body.id);
      await until(() => w.log('switchsandbox').some((l) => l.includes('/v4/cancel')), 'a cancel that gets no answer').catch(() => {});
      await w.fake('bluecode', { do: 'end', id: answer.body.id });
      await cancel;
      const { moved } = await over(w, till(), answer.body.id, 'CANCELLED');
      assert.deepEqual(moved, {});
      assert.deepEqual((await w.book('bluecode', answer.body.id)).map((l) => [l.taken, l.returned]), [[owed(4300), owed(4300)]]);
    });

    it('the answer to a cancel is lost; it is asked again', async () => {
      const answer = await till().pay(await mint('approve'), krone(4400));
      await orders('cancel', 'apply-then-silent');
      await till().cancel(answer.body.id);
      await over(w, till(), answer.body.id, 'CANCELLED');
      assert.equal((await w.book('bluecode', answer.body.id))[0].returned, owed(4400));
    });

    it('the answer to a full refund is lost; asked before it is repeated', async () => {
      const answer = await till().pay(await mint('approve'), krone(4500));
      await orders('refund', 'apply-then-silent');
      await till().refund(answer.body.id, krone(4500));
      await over(w, till(), answer.body.id, 'REFUNDED');
      assert.equal((await w.book('bluecode', answer.body.id))[0].returned, owed(4500), 'once');
    });

    for (const how of ['wrong-amount', 'wrong-id', 'garbled', 'unknown-code', 'apply-then-error-500']) {
      it(`Bluecode answers wrongly, and is not believed: ${how}`, async () => {
        const code = await mint('approve');
        await orders('payment', how);
        const answer = await till().pay(code, krone(4600));
        assert.notEqual(answer.body.status, 'DECLINED');
        const { moved } = await over(w, till(), id(answer), 'PAID');
        assert.deepEqual(moved, { 'bluecode EUR': owed(4600), 'till-nok NOK': -4600 });
      });
    }
  });

  it('the books as a whole', () => closing(w));
});
