/*
 * The scheme's own side: an acquirer that speaks the ACQP API and wallets that speak the MPP API take us for Alipay+. Their fakes follow
 * the text; beside them stands an acquirer whose envelope is made by node:crypto from the text alone, and a tap before one wallet.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Acquirer, proven } from './lib/aps.mjs';
import { euro, krone } from './lib/caller.mjs';
import { booked, closing, over } from './lib/checks.mjs';
import { CODE_LIFE_S, HOLD_MS } from './lib/configuration.mjs';
import { World, sleep, until } from './lib/world.mjs';

let w, client;
const till = (command) => w.fake('aps-acquirer', command);
const shown = (name, payment) => w.fake(name, { do: 'show', payment });
const ended = (name, payment, status, ms) => until(async () => { const s = await shown(name, payment); return s.status === status && s; }, `${payment} ${status}`, ms)
  .catch(async (e) => { throw new Error(`${e.message}; it is ${JSON.stringify(await shown(name, payment))}`, { cause: e }); });
/* The wallet fetches a code for its user, as the scheme's text says it must. */
const code = async (payer = 'user-approve', wallet = 'aps-wallet') => {
  const { payment } = await w.fake(wallet, { do: 'codes', payer });
  return (await until(async () => { const s = await shown(wallet, payment); return s.code && s; }, 'a code')).code;
};
const bluecode = async (behaviour = 'approve') => (await w.fake('bluecode', { do: 'mint-code', behaviour })).codes[0];
const sell = async (c, amount, more = {}) => (await till({ do: 'pay', code: c, amount: String(amount), currency: 'EUR', ...more })).payment;
const scan = async (c, payer = 'user-approve', wallet = 'aps-wallet', more = {}) => (await w.fake(wallet, { do: 'scan', code: c, payer, ...more })).payment;
const order = async (verb, amount, more = {}) => {
  const { payment, code: own } = await till({ do: verb, amount: String(amount), currency: 'EUR', ...more });
  return { payment, code: own ?? (await until(async () => { const s = await shown('aps-acquirer', payment); return s.code && s; }, 'an order code')).code };
};
/* All sides agree on how it ended: the ledger and the fakes' books. */
async function agreed(id, late = 0) {
  const paying = (await w.psql(`select ledger.id_text(payment) as id from ledger.order_payment where "order" = (select payment from ledger.payment
    where ledger.id_text(payment) = '${id}')`))[0]?.id ?? id;
  const payment = await w.final(paying);
  assert.deepEqual(await w.balanced(paying), [], 'every currency sums to zero, and nothing stays reserved');
  const moved = Object.fromEntries(Object.entries(await w.moved(paying)).filter(([, v]) => v !== 0));
  const theirs = await booked(w, paying), acquirers = paying === id ? {} : await booked(w, id);
  assert.deepEqual(Object.fromEntries(Object.entries(moved).filter(([k]) => !/^(aps-client|till-eur) /.test(k))), { ...theirs, ...acquirers }, 'the books agree');
  assert.equal((await w.psql(`select * from ledger.exception_open where payment = '${payment.payment}'`)).length, late, 'only a success after the undo is for a person to know');
  return { payment, moved };
}
const result = (body) => `${body.result.resultStatus} ${body.result.resultCode}`;
/* On U, the same again: that is what the text tells an acquirer to do. */
const certain = (api, body) => until(async () => { const a = await client.ask(api, body); return a.result.resultStatus !== 'U' && a; }, `a final answer to ${api}`);
const paying = (id) => client.ask('inquiryPayment', { paymentRequestId: id });
const settledAs = (id, status) => until(async () => { const b = await paying(id); return b.paymentResult?.resultStatus === status && b; }, `${id} ${status}`);

describe("the scheme's own side", { concurrency: true }, () => {
  before(async () => {
    w = await World.start('scheme', { members: true, tapped: 'aps-wallet', expire_s: 30 });
    client = w.callers['aps-client'];
  });
  after(async () => {
    try {
      /* What was only looked at is reserved until its order ends. */
      await until(async () => (await w.psql('select 1 from ledger.balance where reserved <> 0')).length === 0, 'nothing is reserved', 40000);
      await closing(w);
    } finally { await w.stop(); }
  });

  it('a Bluecode user at an acquirer of the ACQP API: paid, asked about, told', async () => {
    const sale = client.sale(await bluecode(), euro(1170)), answer = await certain('pay', sale);
    assert.equal(result(answer), 'S SUCCESS');
    assert.equal(answer.acquirerId, '1022188000000000041');
    assert.equal(answer.pspId, 'bluecode', 'where nothing else is assigned, its name');
    assert.deepEqual(answer.paymentAmount, euro(1170));
    assert.equal(answer.settlementAmount, undefined, 'in one currency the amount says it');
    assert.match(answer.paymentTime, /\+08:00$/);
    const asked = await paying(sale.paymentRequestId);
    assert.equal(asked.paymentId, answer.paymentId);
    assert.deepEqual(await client.ask('inquiryPayment', { paymentId: answer.paymentId }), asked, 'by either id');
    const event = await until(() => client.eventsOf(sale.paymentRequestId)[0], 'notifyPayment');
    assert.ok(event.signed);
    assert.deepEqual([event.paymentResult.resultStatus, event.paymentId, event.paymentAmount], ['S', answer.paymentId, euro(1170)]);
    await agreed(answer.paymentId);
  });

  it('in another currency: settlementAmount, and a quote that comes to it', async () => {
    const answer = await certain('pay', client.sale(await bluecode(), krone(9900)));
    assert.equal(result(answer), 'S SUCCESS');
    assert.deepEqual(answer.settlementAmount, euro(845));
    assert.equal(answer.settlementQuote.quoteCurrencyPair, 'EUR/NOK');
    assert.equal(Math.round(845 * Number(answer.settlementQuote.quotePrice)), 9900);
    await agreed(answer.paymentId);
  });

  it("a wallet's code at an acquirer, and both signatures of every call to the wallet", async () => {
    const digits = await code();
    assert.match(digits, /^28103202\d{16}$/);
    const s = await ended('aps-acquirer', await sell(digits, 1410), 'PAID');
    assert.deepEqual((await agreed(s.switch_id)).moved, { 'aps-acquirer EUR': -1410, 'aps-wallet EUR': 1410 });
    await until(async () => (await shown('aps-acquirer', s.payment)).told === 1, 'notifyPayment');
    const p = w.participants['aps-wallet'], call = w.tapped.find((t) => t.url.endsWith('/pay') && JSON.parse(t.body).paymentRequestId === s.switch_id);
    assert.ok(proven(call, p.ourKey.publicKey, p.theirKey.publicKey), 'by node:crypto');
    const said = JSON.parse(call.body);
    assert.deepEqual([said.acquirerId, said.pspId, said.paymentMethod.customerId], ['1022188000000000031', '1022172000000000032', 'user-approve']);
    assert.deepEqual(await w.psql(`select * from ledger.shown_code where payer like '%${digits}%'`), [], 'the code is nowhere');
    assert.equal(w.log().some((l) => l.includes(digits)), false);
  });

  it("a wallet's code at a till of the partner API; and for an order in kroner what it owes is beside it", async () => {
    const t = w.callers['till-eur'], answer = await t.pay(await code('user-approve', 'momo'), euro(930));
    await over(w, t, answer.body.id, 'PAID');
    const s = await ended('aps-acquirer', await sell(await code(), 8200, { currency: 'NOK' }), 'PAID');
    const { moved } = await agreed(s.switch_id);
    const call = w.tapped.find((x) => x.url.endsWith('/pay') && JSON.parse(x.body).paymentRequestId === s.switch_id), said = JSON.parse(call.body);
    assert.deepEqual(said.paymentAmount, krone(8200));
    assert.equal(said.payToAmount.currency, 'EUR');
    assert.equal(moved['aps-wallet EUR'], Number(said.payToAmount.value));
    assert.equal(Math.round(8200 * Number(said.paymentQuote.quotePrice)), Number(said.payToAmount.value));
  });

  it('declined', async () => {
    const s = await ended('aps-acquirer', await sell(await code('user-decline:RISK_REJECT'), 700), 'DECLINED');
    assert.equal(s.problem, 'RISK_REJECT');
    assert.deepEqual((await agreed(s.switch_id)).moved, {});
  });

  it('pending, then yes: told by the wallet', async () => {
    const sale = client.sale(await code(`user-pending-then-approve:${HOLD_MS + 1000}`), euro(990)), answer = await client.ask('pay', sale);
    assert.equal(result(answer), 'U PAYMENT_IN_PROCESS');
    const paid = await settledAs(sale.paymentRequestId, 'S');
    assert.match(paid.customerId, /^\d+-[0-9a-z]{26}$/, 'our name for him, not the wallet\'s');
    await until(() => client.eventsOf(sale.paymentRequestId)[0], 'notifyPayment');
    assert.equal(result(await client.ask('pay', sale)), 'S SUCCESS', 'U may only become final');
    await agreed(paid.paymentId);
  });

  it('pending, then no', async () => {
    const s = await ended('aps-acquirer', await sell(await code('user-pending-then-decline:1500'), 991), 'DECLINED');
    assert.deepEqual((await agreed(s.switch_id)).moved, {});
  });

  it('the answer is lost and it was paid; it is lost and it was not', async () => {
    const s = await ended('aps-acquirer', await sell(await code('user-apply-then-silent'), 1550), 'PAID');
    assert.equal((await agreed(s.switch_id)).moved['aps-wallet EUR'], 1550);
    const n = await ended('aps-acquirer', await sell(await code('user-silent'), 1560), 'DECLINED');
    assert.deepEqual((await agreed(n.switch_id)).moved, {});
  });

  it('cancelled after it was paid, at once and twice', async () => {
    const s = await ended('aps-acquirer', await sell(await code(), 880), 'PAID');
    for (let i = 0; i < 2; i++) await till({ do: 'cancel', payment: s.payment });
    await ended('aps-acquirer', s.payment, 'CANCELLED');
    assert.deepEqual((await agreed(s.switch_id)).moved, {});
    const sale = client.sale(await code(), euro(881)), paid = await certain('pay', sale);
    assert.equal(result(await client.ask('cancelPayment', { paymentRequestId: sale.paymentRequestId })), 'S SUCCESS');
    assert.equal(result(await client.ask('cancelPayment', { paymentId: paid.paymentId })), 'S SUCCESS', 'by either id, once');
    assert.equal((await settledAs(sale.paymentRequestId, 'F')).paymentResult.resultCode, 'ORDER_IS_CLOSED');
    assert.deepEqual((await agreed(paid.paymentId)).moved, {});
  });

  it('cancelled while the user thinks; of what never was', async () => {
    const sale = client.sale(await code('user-pending'), euro(882));
    assert.equal(result(await client.ask('pay', sale)), 'U PAYMENT_IN_PROCESS');
    assert.equal(result(await client.ask('cancelPayment', { paymentRequestId: sale.paymentRequestId })), 'S SUCCESS');
    assert.deepEqual((await agreed((await paying(sale.paymentRequestId)).paymentId)).moved, {});
    assert.equal(result(await client.ask('cancelPayment', { paymentRequestId: Acquirer.id() })), 'F ORDER_NOT_EXIST');
    assert.equal(result(await paying(Acquirer.id())), 'F ORDER_NOT_EXIST');
  });

  it('refunded in parts, repeated, and beyond what is left', async () => {
    const sale = client.sale(await code(), krone(21000)), paid = await certain('pay', sale), id = Acquirer.id();
    assert.equal(result(paid), 'S SUCCESS');
    const refund = (value, refundRequestId = Acquirer.id()) => certain('refund', { paymentRequestId: sale.paymentRequestId, refundRequestId, refundAmount: krone(value) });
    const first = await refund(5000, id);
    assert.equal(result(first), 'S SUCCESS');
    assert.equal(first.settlementAmount.currency, 'EUR');
    assert.deepEqual(await refund(5000, id), first, 'the same again is the same');
    assert.equal(result(await refund(5001, id)), 'F REPEAT_REQ_INCONSISTENT');
    assert.equal(result(await refund(16001)), 'F REFUND_AMOUNT_EXCEED');
    assert.equal(result(await client.ask('cancelPayment', { paymentRequestId: sale.paymentRequestId })), 'F ORDER_STATUS_INVALID', 'what has refunds is not cancelled');
    assert.equal((await paying(sale.paymentRequestId)).transactions.find((t) => t.transactionRequestId === id).transactionStatus, 'SUCCESS');
    assert.equal(result(await refund(16000)), 'S SUCCESS');
    assert.deepEqual((await agreed(paid.paymentId)).moved, {}, 'exactly what was taken is returned, in every currency');
  });

  it("a refund whose answers are lost is one refund; the fake's till asks until it knows", async () => {
    const s = await ended('aps-acquirer', await sell(await code('user-approve', 'momo'), 2000), 'PAID');
    await w.fake('momo', { do: 'misbehave', op: 'refund', how: 'apply-then-silent', count: 2 });
    await till({ do: 'refund', payment: s.payment, amount: '700', currency: 'EUR' });
    await ended('aps-acquirer', s.payment, 'PARTIALLY_REFUNDED', 30000);
    assert.deepEqual((await agreed(s.switch_id)).moved, { 'aps-acquirer EUR': -1300, 'momo EUR': 1300 });
  });

  it('an id repeated: ten times at once, with another amount, with another code', async () => {
    const sale = client.sale(await code(), euro(2200));
    const answers = await Promise.all(Array.from({ length: 10 }, () => until(async () => {
      const a = await client.ask('pay', sale);
      return a.result.resultStatus === 'S' && a;
    }, 'a final answer')));
    assert.equal(new Set(answers.map((a) => JSON.stringify(a))).size, 1, 'ten times the same body');
    assert.equal(result(await client.ask('pay', { ...sale, paymentAmount: euro(2201), order: client.order(euro(2201)) })), 'F REPEAT_REQ_INCONSISTENT');
    const another = { ...sale, paymentMethod: { ...sale.paymentMethod, paymentMethodId: await code() } };
    assert.deepEqual(await client.ask('pay', another), answers[0], 'the code is not compared (7.4)');
    assert.equal((await agreed(answers[0].paymentId)).moved['aps-wallet EUR'], 2200);
    assert.equal((await w.book('aps-wallet', answers[0].paymentId)).length, 1, 'one debit');
  });

  it('no hairpin: a code of ours is good for one payment, and no other asks for it', async () => {
    const digits = await code(`user-pending-then-approve:${HOLD_MS + 1000}`), sale = client.sale(digits, euro(640));
    assert.equal(result(await client.ask('pay', sale)), 'U PAYMENT_IN_PROCESS');
    assert.equal(result(await client.ask('pay', client.sale(digits, euro(640)))), 'F EXPIRED_CODE', 'while the first is under way');
    const paid = await settledAs(sale.paymentRequestId, 'S');
    assert.equal(result(await client.ask('pay', client.sale(digits, euro(640)))), 'F EXPIRED_CODE', 'and after');
    await agreed(paid.paymentId);
    assert.equal(w.tapped.filter((t) => t.url.endsWith('/pay') && t.body.includes(digits)).length, 1);
  });

  it('codes that nobody made, or that are too old', async () => {
    assert.equal(result(await client.ask('pay', client.sale(`28103202${String(crypto.randomInt(1e12)).padStart(16, '7')}`, euro(100)))), 'F INVALID_CODE');
    assert.equal(result(await client.ask('pay', client.sale('281666029001234567890123', euro(100)))), 'F BUSINESS_NOT_SUPPORT', "another's, and no route");
    const old = await code();
    await sleep(CODE_LIFE_S * 1000 + 500);
    assert.equal(result(await client.ask('pay', client.sale(old, euro(100)))), 'F INVALID_CODE');
  });

  it('an order code of ours: shown by the acquirer, scanned by two wallets, paid once', async () => {
    const o = await order('order', 1240);
    assert.match(o.code, /^000201010212/);
    const looks = await scan(o.code, 'user-approve', 'momo', { confirm: false });
    await until(async () => (await shown('momo', looks)).request_id, 'it sees the order');
    const paid = await scan(o.code);
    const s = await ended('aps-acquirer', o.payment, 'PAID');
    assert.deepEqual((await agreed(s.switch_id)).moved, { 'aps-acquirer EUR': -1240, 'aps-wallet EUR': 1240 });
    assert.ok((await until(async () => { const x = await shown('aps-wallet', paid); return x.heard && x; }, 'acknowledged')).heard);
    const late = await scan(o.code, 'user-decline', 'momo', { confirm: false });
    void late; /* a customer of the same wallet: the code is the first one's */
    assert.equal((await ended('momo', late, 'DECLINED')).problem, 'REPEAT_REQ_INCONSISTENT');
  });

  it('an entry code: the browser is sent to a page of ours, and a wallet that reads the address as a code pays there', async () => {
    const o = await order('entry', 1260), page = `https://127.0.0.1:${w.port(9)}/`;
    assert.ok(o.code.startsWith(page), o.code);
    assert.match(o.code.slice(page.length), /^[0-9a-z]{26}-31$/);
    const poor = await scan(o.code, 'user-decline', 'momo');
    await ended('momo', poor, 'DECLINED');
    await scan(o.code);
    const s = await ended('aps-acquirer', o.payment, 'PAID');
    assert.deepEqual((await agreed(s.switch_id)).moved, { 'aps-acquirer EUR': -1260, 'aps-wallet EUR': 1260 });
    await till({ do: 'refund', payment: o.payment, amount: '260', currency: 'EUR' });
    await ended('aps-acquirer', o.payment, 'PARTIALLY_REFUNDED');
  });

  it('an order code that is cancelled, and one that nobody pays', async () => {
    const o = await order('order', 1250);
    await till({ do: 'cancel', payment: o.payment });
    await ended('aps-acquirer', o.payment, 'CANCELLED');
    assert.equal((await ended('aps-wallet', await scan(o.code), 'DECLINED')).problem, 'ORDER_IS_CLOSED');
    const n = await order('order', 1260, { expires_s: 3 });
    assert.equal((await ended('aps-acquirer', n.payment, 'DECLINED')).problem, 'ORDER_IS_CLOSED');
  });

  it("the acquirer's own order code: it is asked, and told", async () => {
    const o = await order('new-order', 1310);
    await w.fake('aps-acquirer', { do: 'misbehave', op: 'notifyPayment', how: 'silent', count: 1 });
    await scan(o.code);
    const s = await ended('aps-acquirer', o.payment, 'PAID');
    assert.deepEqual((await agreed(s.switch_id)).moved, { 'aps-acquirer EUR': -1310, 'aps-wallet EUR': 1310 });
    await till({ do: 'refund', payment: o.payment, amount: '310', currency: 'EUR' });
    await ended('aps-acquirer', o.payment, 'PARTIALLY_REFUNDED');
    assert.equal((await agreed(s.switch_id)).moved['aps-wallet EUR'], 1000);
    assert.equal((await ended('momo', await scan('https://pay.acquirer.example/281777040001000000000000', 'user-approve', 'momo'), 'DECLINED')).problem, 'INVALID_CODE');
  });

  it('a wallet that debits too late is refused, and asked to give it back', async () => {
    const o = await order('order', 1400, { expires_s: 4 });
    const s = await scan(o.code, 'user-pending-then-approve:6000', 'momo');
    await assert.rejects(w.fake('momo', { do: 'tell', payment: s }), /nothing to tell/); // he has not decided
    await ended('aps-acquirer', o.payment, 'DECLINED');
    const x = await ended('momo', s, 'CANCELLED', 30000);
    assert.equal(x.refused, 'ORDER_IS_CLOSED');
    assert.equal(x.heard, false);
    assert.deepEqual((await agreed(x.switch_id, 1)).moved, {});
  });

  it('a scan repeated is the same order; a report repeated is the same report', async () => {
    const o = await order('order', 1420), s = await scan(o.code, 'user-approve', 'momo');
    const x = await until(async () => { const y = await shown('momo', s); return y.heard && y; }, 'acknowledged');
    await w.fake('momo', { do: 'scan-again', payment: s });
    await w.fake('momo', { do: 'tell', payment: s });
    await until(async () => (await shown('momo', s)).answers >= 4, 'answers');
    const { switch_id: id } = await ended('aps-acquirer', o.payment, 'PAID');
    assert.equal(x.switch_id.length, 26);
    assert.deepEqual([(await shown('momo', s)).refused, (await shown('momo', s)).doubtful], [undefined, 0]);
    assert.equal((await agreed(id)).moved['momo EUR'], 1420);
  });

  it('refused: another signature, another client, another role, an entry code from no browser', async () => {
    const sale = client.sale(await code(), euro(100)), pay = '/aps/api/v1/payments/pay';
    const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    assert.equal(result((await client.post(pay, sale, { key: privateKey })).body), 'F INVALID_SIGNATURE');
    assert.equal(result((await client.post(pay, sale, { sent: JSON.stringify(sale).replace('"100"', '"900"') })).body), 'F INVALID_SIGNATURE');
    assert.equal((await client.post(pay, sale, { client: 'XWMEMBER99' })).body.result.resultStatus, 'F');
    assert.equal((await client.post(pay, sale, { client: 'XWMEMBER31' })).body.result.resultCode, 'INVALID_SIGNATURE', "with another's name");
    assert.equal(result(await client.ask('getPaymentCode', { customerId: 'C', env: { terminalType: 'APP' } })), 'F ACCESS_DENIED');
    assert.equal(result(await client.ask('pay', { ...sale, paymentFactor: { isInStorePayment: 'true', inStorePaymentScenario: 'EntryCode' } })), 'F PARAM_ILLEGAL');
    assert.equal(result(await client.ask('pay', '{"paymentRequestId":')), 'F PARAM_ILLEGAL');
    assert.equal(result(await certain('pay', sale)), 'S SUCCESS', 'and then as it should be');
  });
});
