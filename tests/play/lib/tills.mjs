/*
 * The plays of a corridor in which a till scans a payer's code. A corridor says how its fake is made to behave:
 *
 *   till, issuer     names; money(minor) in the till's currency
 *   code(what)       a fresh code whose payment is: approve, decline, pending (approved after two seconds), stuck (pending until
 *                    somebody acts)
 *   owed(minor)      what the issuer owes us for that amount
 *   declined         [status, slug] of a decline
 *
 * and adds plays of its own.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { it } from 'node:test';

import { Caller } from './caller.mjs';
import { over, refused, toldAs } from './checks.mjs';
import { until } from './world.mjs';

export function tillPlays(c) {
  const till = () => c.world().callers[c.till];
  const expect = (minor) => (minor ? { [c.owes]: c.owed(minor), [c.owns]: -minor } : {});
  const paid = async (minor) => {
    const answer = await till().pay(await c.code('approve'), c.money(minor));
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.body.status, 'PAID');
    return answer.body.id;
  };
  const debits = (id) => c.world().book(c.issuer, id);

  it('approved', async () => {
    const id = await paid(1250);
    const { moved } = await over(c.world(), till(), id, 'PAID');
    assert.deepEqual(moved, expect(1250));
    const event = await toldAs(till(), id, 'payment.paid');
    assert.equal(event.data.status, 'PAID');
  });

  it('declined', async () => {
    const answer = await till().pay(await c.code('decline'), c.money(1300));
    const problem = refused(answer, ...c.declined);
    const { moved } = await over(c.world(), till(), problem.payment_id, 'DECLINED');
    assert.deepEqual(moved, {});
    await toldAs(till(), problem.payment_id, 'payment.declined');
  });

  it('pending, then success', async () => {
    const answer = await till().pay(await c.code('pending'), c.money(1400));
    assert.ok([201, 202].includes(answer.status), answer.text);
    const { moved } = await over(c.world(), till(), answer.body.id, 'PAID');
    assert.deepEqual(moved, expect(1400));
    await toldAs(till(), answer.body.id, 'payment.paid');
  });

  it('a pending answer may become final under the same key', async () => {
    const order = till().order(await c.code('pending'), c.money(1450)), key = crypto.randomUUID();
    const first = await till().call('POST', '/v1/payments', order, { key });
    assert.equal(first.status, 202, first.text);
    await over(c.world(), till(), first.body.id, 'PAID');
    const again = await till().call('POST', '/v1/payments', order, { key });
    assert.equal(again.status, 201, again.text);
    assert.equal(again.body.id, first.body.id);
    const third = await till().call('POST', '/v1/payments', order, { key });
    assert.equal(third.text, again.text);
    assert.ok(third.replayed);
  });

  it('the payer never acts: it expires', async () => {
    const answer = await till().pay(await c.code('stuck'), c.money(1500), { more: { expires_at: new Date(Date.now() + 6000).toISOString() } });
    const id = answer.body.id ?? answer.body.payment_id; /* the issuer may close it a moment before us */
    const { moved } = await over(c.world(), till(), id, ['EXPIRED', 'DECLINED']);
    assert.deepEqual(moved, {});
  });

  it('cancelled by the merchant after success', async () => {
    const id = await paid(1600);
    const answer = await till().cancel(id);
    assert.ok([200, 202].includes(answer.status), answer.text);
    const { moved } = await over(c.world(), till(), id, 'CANCELLED');
    assert.deepEqual(moved, {});
    const lines = await debits(id);
    assert.deepEqual([lines[0].taken, lines[0].returned], [c.owed(1600), c.owed(1600)]);
  });

  it('cancelled by the merchant while the payer thinks', async () => {
    const answer = await till().pay(await c.code('stuck'), c.money(1700));
    assert.equal(answer.status, 202, answer.text);
    await till().cancel(answer.body.id);
    const { moved } = await over(c.world(), till(), answer.body.id, 'CANCELLED');
    assert.deepEqual(moved, {});
  });

  it('cancelled twice, one payment given back once', async () => {
    const id = await paid(1650), key = crypto.randomUUID();
    const answers = await Promise.all([till().cancel(id, { key }), till().cancel(id, { key }), till().cancel(id)]);
    for (const a of answers) assert.ok([200, 202, 409].includes(a.status), a.text);
    await over(c.world(), till(), id, 'CANCELLED');
    assert.equal((await debits(id))[0].returned, c.owed(1650));
  });

  it('refunded in full', async () => {
    const id = await paid(1800);
    const answer = await till().refund(id, c.money(1800));
    assert.ok([201, 202].includes(answer.status), answer.text);
    const { moved } = await over(c.world(), till(), id, 'REFUNDED');
    assert.deepEqual(moved, {}, 'exactly what was taken is returned, in every currency');
    await toldAs(till(), id, 'refund.done');
  });

  it('refunded in parts; above the rest is refused', async () => {
    const id = await paid(1999);
    for (const part of [333, 666]) {
      const answer = await till().refund(id, c.money(part));
      assert.ok([201, 202].includes(answer.status), answer.text);
      await over(c.world(), till(), id, 'PARTIALLY_REFUNDED');
    }
    const before = await c.world().moved(id);
    refused(await till().refund(id, c.money(1001)), 422, 'refund-exceeds-payment');
    assert.deepEqual(await c.world().moved(id), before, 'the refusal moved nothing');
    const last = await till().refund(id, c.money(1000));
    assert.ok([201, 202].includes(last.status), last.text);
    const { moved, object } = await over(c.world(), till(), id, 'REFUNDED');
    assert.deepEqual(moved, {});
    assert.equal(object.refunds.filter((r) => r.status === 'DONE').length, 3);
  });

  it('a refund repeated under its key is one refund', async () => {
    const id = await paid(2100), key = crypto.randomUUID(), refund = Caller.newId();
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await till().refund(id, c.money(700), { key, id: refund }));
    for (const a of answers) assert.ok([201, 202].includes(a.status), a.text);
    assert.equal(new Set(answers.map((a) => a.body.id)).size, 1);
    const { moved, object } = await over(c.world(), till(), id, 'PARTIALLY_REFUNDED');
    assert.equal(moved[c.owns], -1400);
    assert.equal(object.refunds.length, 1);
    refused(await till().refund(id, c.money(701), { key, id: refund }), 422, 'idempotency-key-reused');
  });

  it('the same request ten times at once', async () => {
    const order = till().order(await c.code('approve'), c.money(2200)), key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => until(async () => {
      const a = await till().call('POST', '/v1/payments', order, { key });
      return a.status === 201 && a; /* 409 request-in-progress asks to repeat */
    }, 'a final answer')));
    assert.equal(new Set(answers.map((a) => a.text)).size, 1, 'ten times the same body');
    const { moved } = await over(c.world(), till(), answers[0].body.id, 'PAID');
    assert.deepEqual(moved, expect(2200));
    assert.equal((await debits(answers[0].body.id)).length, 1, 'one debit');
    const mine = await c.world().psql(`select count(*)::int as n from ledger.payment where amount = 2200 and acquirer = ${till().p.number}`);
    assert.equal(mine[0].n, 1, 'one payment');
  });

  it('the same key with another amount; the same id with another key', async () => {
    const order = till().order(await c.code('approve'), c.money(2300)), key = crypto.randomUUID();
    const first = await till().call('POST', '/v1/payments', order, { key });
    assert.equal(first.status, 201, first.text);
    refused(await till().call('POST', '/v1/payments', { ...order, amount: c.money(2301) }, { key }), 422, 'idempotency-key-reused');
    refused(await till().call('POST', '/v1/payments', order), 409, 'duplicate-payment-id');
    const same = await till().call('POST', '/v1/payments', order, { key });
    assert.equal(same.text, first.text);
    const { moved } = await over(c.world(), till(), first.body.id, 'PAID');
    assert.deepEqual(moved, expect(2300));
  });

  it('a code works once', async () => {
    const code = await c.code('approve');
    const first = await till().pay(code, c.money(2400));
    assert.equal(first.status, 201, first.text);
    const second = await till().pay(code, c.money(2400));
    assert.ok(['code-expired', 'code-unknown'].some((s) => second.body.type?.endsWith(`/${s}`)), second.text);
    assert.equal(second.status, 422);
    await over(c.world(), till(), first.body.id, 'PAID');
    await over(c.world(), till(), second.body.payment_id, 'DECLINED');
  });
}
