/*
 * A library that merchants use with the real WeChat Pay, unmodified, against our fake of it: its signatures must be taken,
 * the fake's must verify in it, and it must open the fake's callbacks. Refusals it does not verify itself; its own parts do
 * that here.
 *
 *   SWITCHSANDBOX=build/switch/sandbox/switchsandbox node --test wechatpay.test.mjs
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import https from 'node:https';
import { after, before, test } from 'node:test';

import { Aes, Formatter, Rsa, Wechatpay } from 'wechatpay-axios-plugin';

import { Lone } from './lib/lone.mjs';
import { until } from './lib/world.mjs';

const WHO = { sp_mchid: '1900000100', sub_mchid: '1900000109' };
const APP = { sp_appid: 'wx8888888888888888' };
const APIV3 = crypto.randomBytes(16).toString('hex');
const OURS = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1', THEIRS = '7132D72A03E93CDDF8C03BBD1F37EEDF95D4B5A9';
const fake = new Lone('wechatpay');
const pair = () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
const ours = pair(), theirs = pair();
let client, agent;

const mint = async (behaviour) => (await fake.control({ do: 'mint-code', behaviour, ms: 300 })).codes[0];

const clientWith = (more = {}) => new Wechatpay({ mchid: WHO.sp_mchid, serial: OURS, privateKey: ours.privateKey,
  certs: { [THEIRS]: theirs.publicKey }, secret: APIV3, baseURL: `https://127.0.0.1:${fake.port}/`, httpsAgent: agent,
  ...more });

before(async () => {
  fake.hold('ours', THEIRS, theirs.privateKey);
  fake.hold('theirs', OURS, ours.publicKey);
  fake.hold('secret', 'apiv3', APIV3);
  await fake.start({ ...WHO, ...APP, currency: 'EUR', reverse_after_ms: '300', refund_ms: '200' });
  agent = new https.Agent({ ca: fake.ca });
  client = clientWith();
});

after(async () => {
  agent?.destroy();
  await fake.stop();
});

const number = () => crypto.randomUUID().replaceAll('-', '');
const order = (code, more = {}) => ({ ...APP, ...WHO, out_trade_no: number(), description: 'Bäckerei 面包',
  merchant_category_code: '5812', trade_type: 'MICROPAY', payer: { auth_code: code },
  amount: { total: 888, currency: 'EUR' }, ...more });
const pay = (body, by = client) => by.chain('v3/global/micropay/transactions/pay').post(body);
const query = (no) => client.chain(`v3/global/transactions/out-trade-no/${no}`).get({ params: WHO });
const refundOf = (no, sum, more = {}) => ({ ...APP, ...WHO, out_trade_no: no, out_refund_no: number(),
  amount: { refund: sum, total: 888, currency: 'EUR' }, ...more });
const give = (body) => client.chain('v3/global/refunds').post(body);

/* The library verifies answers of success only; what signs refusals is the same. */
function verifies(headers, body) {
  return headers['wechatpay-serial'] === THEIRS && Rsa.verify(
    Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], body),
    headers['wechatpay-signature'], theirs.publicKey);
}

async function refused(call, status, code, signed = true) {
  const { response } = await call.then(() => assert.fail('it was taken'), (error) => error);
  assert.deepEqual([response?.status, response?.data?.code], [status, code]);
  if (signed) assert.ok(verifies(response.headers, JSON.stringify(response.data)));
  else assert.equal(response.headers['wechatpay-signature'], undefined);
}

test('a payment by a shown code, and its query', async () => {
  const body = order(await mint('approve'));
  const { status, data } = await pay(body);
  assert.equal(status, 200);
  assert.deepEqual([data.trade_state, data.out_trade_no, data.amount.total, data.amount.currency],
    ['SUCCESS', body.out_trade_no, 888, 'EUR']);
  const asked = (await query(body.out_trade_no)).data;
  assert.deepEqual([asked.id, asked.trade_state, asked.amount.payer_currency], [data.id, 'SUCCESS', 'CNY']);
  const line = await fake.line(body.out_trade_no);
  assert.deepEqual([line.currency, line.taken, line.returned, line.own_id], ['EUR', 888, 0, data.id]);
});

test('a payer at the password: 202, then success', async () => {
  const body = order(await mint('password-then-approve'));
  assert.equal((await pay(body)).status, 202);
  await until(async () => (await query(body.out_trade_no)).data.trade_state === 'SUCCESS', 'the payer');
});

test('a reversal: 204, signed over nothing', async () => {
  const body = order(await mint('approve'));
  await pay(body);
  const reverse = () => client.chain(`v3/global/micropay/transactions/out-trade-no/${body.out_trade_no}/reverse`).post(WHO);
  await refused(reverse(), 403, 'TRADE_ERROR');
  await until(async () => (await reverse().catch((error) => error.response)).status === 204, 'the reversal');
  assert.equal((await query(body.out_trade_no)).data.trade_state, 'REVOKED');
});

test('a refund is accepted, called back sealed, and found', async () => {
  const body = order(await mint('approve'));
  const { data: paid } = await pay(body);
  const wanted = refundOf(body.out_trade_no, 500,
    { notify_url: `${fake.switchUrl}/hooks/play`, reason: '退款' });
  const { data: accepted } = await give(wanted);
  assert.equal(accepted.out_refund_no, wanted.out_refund_no);
  const told = await until(() => fake.heard.find((m) => JSON.parse(m.body).event_type === 'REFUND.SUCCESS'), 'the callback');
  assert.equal(told.path, '/hooks/play');
  assert.ok(verifies(told.headers, told.body));
  const { resource } = JSON.parse(told.body);
  assert.equal(resource.algorithm, 'AEAD_AES_256_GCM');
  const plain = JSON.parse(Aes.AesGcm.decrypt(resource.ciphertext, APIV3, resource.nonce, resource.associated_data));
  assert.deepEqual([plain.out_refund_no, plain.refund_status, plain.transaction_id, plain.amount.refund],
    [wanted.out_refund_no, 'SUCCESS', paid.id, 500]);
  assert.throws(() => Aes.AesGcm.decrypt(resource.ciphertext, APIV3, resource.nonce, 'transaction'));
  const { data: found } = await client.chain(`v3/global/refunds/out-refund-no/${wanted.out_refund_no}`).get({ params: WHO });
  assert.deepEqual([found.status, found.id], ['SUCCESS', accepted.id]);
  assert.equal((await query(body.out_trade_no)).data.trade_state, 'REFUND');
});

test('refusals are signed, but for who is not known', async () => {
  await refused(pay(order('139999999999999999')), 400, 'AUTH_CODE_INVALID');
  await refused(pay(order(await mint('decline:NOT_ENOUGH'))), 403, 'NOT_ENOUGH');
  await refused(query('no-such-order'), 404, 'ORDER_NOT_EXIST');
  const twice = order(await mint('approve'));
  await pay(twice);
  await refused(pay({ ...twice, payer: { auth_code: await mint('approve') } }), 400, 'ORDERPAID');
  await refused(give(refundOf(twice.out_trade_no, 889)), 400, 'INVALID_REQUEST');
  await refused(pay(order(await mint('approve'), { amount: { total: 888, currency: 'CNY' } })), 400, 'PARAM_ERROR');
  await refused(pay(order('139999999999999999'), clientWith({ privateKey: theirs.privateKey })), 401, 'SIGN_ERROR', false);
  await refused(pay(order('139999999999999999'), clientWith({ serial: 'AB12' })), 401, 'SIGN_ERROR', false);
  await refused(pay(order('139999999999999999'), clientWith({ mchid: '1900000101' })), 401, 'SIGN_ERROR', false);
});

test('the library does not take what the fake spoils on purpose', async () => {
  for (const [how, code] of [['unsigned', 'EV3_RES_HEADERS_INCOMPLATE'], ['bad-signature', 'EV3_RES_HEADER_SIGNATURE_DIGEST'],
    ['garbled', 'EV3_RES_HEADER_SIGNATURE_DIGEST']]) {
    await fake.control({ do: 'misbehave', op: 'pay', how });
    await assert.rejects(pay(order(await mint('approve'))), { code }, how);
  }
});
