/*
 * The official client library of Vipps MobilePay, unmodified, against our fake of Vipps: what the fake
 * refuses, answers and sends must satisfy the code that merchants use with the real one. The library
 * knows one host only; a dispatcher dials the sandbox instead and keeps TLS, server name and Host.
 *
 *   SWITCHSANDBOX=build/switch/sandbox/switchsandbox node --test vipps_sdk.test.mjs
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';

import { Client } from '@vippsmobilepay/sdk';
import { Agent, buildConnector, setGlobalDispatcher } from 'undici';

import { Lone } from './lib/lone.mjs';
import { until } from './lib/world.mjs';

globalThis.crypto ??= crypto.webcrypto; // the library wants it, and Node 18 keeps it in a module

const HOST = 'apitest.vipps.no';
const IDS = { clientId: 'fb492b5e-7907-4d83-bc20-c7fb60ca35de', clientSecret: 'Y8Kteew6GE3ZmeycEt6egg==' };
const KEY = '94g4f68f3ddb20a0b1j23319b854381m';
const MSN = '123456';
const fake = new Lone('vipps', { host: HOST });
const client = Client({ merchantSerialNumber: MSN, subscriptionKey: KEY, useTestMode: true, retryRequests: false,
  systemName: 'crosswallet', systemVersion: '1', pluginName: 'play', pluginVersion: '1' });
let token, agent;

before(async () => {
  await fake.start({ client_id: IDS.clientId, client_secret: IDS.clientSecret, subscription_key: KEY, msn: MSN,
    currency: 'NOK', act_ms: 50 });
  const dial = buildConnector({ ca: fake.ca });
  agent = new Agent({ connect: (to, done) => dial({ ...to, hostname: '127.0.0.1', host: '127.0.0.1',
    port: String(fake.port), servername: to.hostname }, done) });
  setGlobalDispatcher(agent);
});

after(async () => {
  await agent?.close();
  await fake.stop();
});

const nok = (value) => ({ currency: 'NOK', value });
const order = (more = {}) => ({ amount: nok(8900), paymentMethod: { type: 'WALLET' }, userFlow: 'WEB_REDIRECT',
  customer: { phoneNumber: '4791234599' }, reference: `ref-${crypto.randomUUID()}`,
  returnUrl: 'https://shop.example/back', paymentDescription: 'Kaffe', ...more });

/* Created, and approved by the person. */
async function approved() {
  const { reference } = order();
  const created = await client.payment.create(token, order({ reference }));
  assert.ok(created.ok, JSON.stringify(created));
  assert.deepEqual(await fake.control({ do: 'app-approve', reference }), { ok: true });
  await until(async () => (await client.payment.info(token, reference)).data?.state === 'AUTHORIZED', 'the approval');
  return reference;
}

test('a token, for the right secret only', async () => {
  const refused = await client.auth.getToken(IDS.clientId, 'wrong');
  assert.equal(refused.ok, false);
  const got = await client.auth.getToken(IDS.clientId, IDS.clientSecret);
  assert.ok(got.ok, JSON.stringify(got));
  assert.equal(got.data.token_type, 'Bearer');
  token = got.data.access_token;
});

test('a payment is created and read', async () => {
  const body = order({ metadata: { table: '7' } });
  const created = await client.payment.create(token, body);
  assert.ok(created.ok, JSON.stringify(created));
  assert.equal(created.data.reference, body.reference);
  assert.match(created.data.redirectUrl, /^https:\/\//);
  const { data } = await client.payment.info(token, body.reference);
  assert.equal(data.state, 'CREATED');
  assert.deepEqual(data.amount, nok(8900));
  assert.deepEqual(data.aggregate.authorizedAmount, nok(0));
  assert.deepEqual(data.metadata, { table: '7' });
  assert.equal(data.paymentMethod.type, 'WALLET');
  assert.ok(data.pspReference);
});

test('captured and refunded in parts; the aggregate follows', async () => {
  const reference = await approved();
  const captured = await client.payment.capture(token, reference, { modificationAmount: nok(5000) });
  assert.ok(captured.ok, JSON.stringify(captured));
  assert.deepEqual(captured.data.aggregate.capturedAmount, nok(5000));
  const refunded = await client.payment.refund(token, reference, { modificationAmount: nok(2000) });
  assert.ok(refunded.ok, JSON.stringify(refunded));
  const { data } = await client.payment.info(token, reference);
  assert.deepEqual(data.aggregate, { authorizedAmount: nok(8900), cancelledAmount: nok(0),
    capturedAmount: nok(5000), refundedAmount: nok(2000) });
  const history = await client.payment.history(token, reference);
  assert.deepEqual(history.data.map((e) => [e.name, e.success]),
    [['CREATED', true], ['AUTHORIZED', true], ['CAPTURED', true], ['REFUNDED', true]]);
  const line = await fake.line(reference);
  assert.deepEqual([line.currency, line.taken, line.returned], ['NOK', 5000, 2000]);
});

test('a cancel closes it, and what was captured stays', async () => {
  const open = await client.payment.create(token, order());
  const cancelled = await client.payment.cancel(token, open.data.reference);
  assert.ok(cancelled.ok, JSON.stringify(cancelled));
  assert.equal((await client.payment.info(token, open.data.reference)).data.state, 'TERMINATED');
  const reference = await approved();
  await client.payment.capture(token, reference, { modificationAmount: nok(1000) });
  const rest = await client.payment.cancel(token, reference);
  assert.ok(rest.ok, JSON.stringify(rest));
  assert.deepEqual(rest.data.aggregate.cancelledAmount, nok(7900));
  assert.deepEqual(rest.data.aggregate.capturedAmount, nok(1000));
});

test('the test environment approves by force', async () => {
  const { reference } = order();
  await client.payment.create(token, order({ reference }));
  const forced = await client.payment.forceApprove(token, reference, { customer: { phoneNumber: '4791234599' } });
  assert.ok(forced.ok, JSON.stringify(forced));
  await until(async () => (await client.payment.info(token, reference)).data.state === 'AUTHORIZED', 'the approval');
});

test('errors have the shape that the library reads', async () => {
  const missing = await client.payment.info(token, 'ref-that-is-not-there');
  assert.equal(missing.ok, false);
  assert.equal(missing.error.status, 404);
  for (const member of ['type', 'title', 'traceId']) assert.equal(typeof missing.error[member], 'string', member);
  const reference = await approved();
  const much = await client.payment.capture(token, reference, { modificationAmount: nok(9000) });
  assert.equal(much.ok, false);
  assert.equal(much.error.status, 400);
  assert.ok(Array.isArray(much.error.extraDetails), JSON.stringify(much));
  const bad = await client.payment.create(token, order({ amount: { currency: 'XXX', value: 1 } }));
  assert.equal(bad.error.status, 400);
  const twice = order();
  assert.ok((await client.payment.create(token, twice)).ok);
  assert.equal((await client.payment.create(token, twice)).ok, false, 'a reference is used once');
  const stranger = await client.payment.info('no-token', reference);
  assert.equal(stranger.error.status, 401);
});

test('a server error, a slow answer and a cut are what was ordered', async () => {
  await fake.control({ do: 'misbehave', op: 'create', how: 'error-500' });
  const failed = await client.payment.create(token, order());
  assert.equal(failed.retry, true);
  await fake.control({ do: 'misbehave', op: 'create', how: 'slow', ms: 400 });
  const begin = Date.now();
  assert.ok((await client.payment.create(token, order())).ok);
  assert.ok(Date.now() - begin >= 400);
  await fake.control({ do: 'misbehave', op: 'create', how: 'cut' });
  await assert.rejects(client.payment.create(token, order()));
});

/* SPEC vipps 2.12: the MAC over what the headers say, with the text of the secret as its key. */
function macHolds(secret, message) {
  const hash = crypto.createHash('sha256').update(message.body).digest('base64');
  const text = `POST\n${message.path}\n${message.headers['x-ms-date']};${message.headers.host};${hash}`;
  const mac = crypto.createHmac('sha256', secret).update(text).digest('base64');
  return message.headers['x-ms-content-sha256'] === hash && message.headers.authorization ===
    `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${mac}`;
}

test('webhooks are registered, sent, signed and taken away', async () => {
  const url = `${fake.switchUrl}/hooks/play`;
  const registered = await client.webhook.register(token, { url, events: ['epayments.payment.created.v1',
    'epayments.payment.authorized.v1', 'epayments.payment.captured.v1'] });
  assert.ok(registered.ok, JSON.stringify(registered));
  const { id, secret } = registered.data;
  const listed = async () => (await client.webhook.list(token)).data.webhooks.filter((w) => w.id === id);
  assert.deepEqual((await listed()).map((w) => w.url), [url]);
  const reference = await approved();
  await client.payment.capture(token, reference, { modificationAmount: nok(8900) });
  const told = await until(() => {
    const of = fake.heard.filter((m) => JSON.parse(m.body).reference === reference);
    return of.length >= 3 && of;
  }, 'three webhooks');
  assert.deepEqual(told.map((m) => JSON.parse(m.body).name), ['CREATED', 'AUTHORIZED', 'CAPTURED']);
  for (const message of told) assert.ok(macHolds(secret, message), message.body);
  const gone = await client.webhook.delete(token, id);
  assert.ok(gone.ok, JSON.stringify(gone));
  assert.deepEqual(await listed(), []);
});
