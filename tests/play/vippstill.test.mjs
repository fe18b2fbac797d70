/*
 * A till of Vipps' with us as its server: Vipps' official client library, unmodified, creates, reads, captures, cancels and refunds
 * on us, and other wallets pay. Every body that it gets is judged by Vipps' published description, where that is at hand; webhooks
 * are verified by Node's own HMAC.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';

import { Client } from '@vippsmobilepay/sdk';
import jsqr from 'jsqr';
import { PNG } from 'pngjs';
import { Agent, buildConnector, setGlobalDispatcher } from 'undici';

import { closing, over } from './lib/checks.mjs';
import { epayment } from './lib/epayment.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

globalThis.crypto ??= crypto.webcrypto; // the library wants it, and Node 18 keeps it in a module

const HOST = 'apitest.vipps.no', MSN = '123456';
const judge = epayment();
const valid = (name, body) => judge?.(name, body);
const nok = (value) => ({ currency: 'NOK', value });
const newReference = () => `ref-${crypto.randomUUID()}`;
let w, client, token, agent, hooks, secrets, unit;
const heard = []; /* webhooks */
let deaf = 0; /* so many are answered 503 */

/* ---- the till ---- */

const order = (more = {}) => ({ amount: nok(8900), paymentMethod: { type: 'WALLET' }, userFlow: 'PUSH_MESSAGE', customerInteraction: 'CUSTOMER_PRESENT',
  reference: newReference(), paymentDescription: 'Kaffe', ...more });
const bought = async (answer, schema) => {
  const { ok, data, error } = await answer;
  assert.ok(ok, JSON.stringify(error));
  valid(schema, data);
  return data;
};
const refused = async (answer, status, number) => {
  const { ok, error } = await answer;
  assert.equal(ok, false);
  assert.equal(error.status, status, JSON.stringify(error));
  valid('Problem', error);
  if (number) assert.deepEqual(error.extraDetails, [{ name: 'ErrorCode', reason: number }]);
  return error;
};
const create = (body) => bought(client.payment.create(token, body), 'CreatePaymentResponse');
const info = (reference) => bought(client.payment.info(token, reference), 'GetPaymentResponse');
const capture = (reference, value) => bought(client.payment.capture(token, reference, { modificationAmount: nok(value) }), 'ModificationResponse');
const refund = (reference, value) => bought(client.payment.refund(token, reference, { modificationAmount: nok(value) }), 'ModificationResponse');
const cancel = (reference) => bought(client.payment.cancel(token, reference), 'ModificationResponse');
const events = async (reference) => {
  const { ok, data } = await client.payment.history(token, reference);
  assert.ok(ok, JSON.stringify(data));
  for (const e of data) valid('PaymentEvent', e);
  return data.map((e) => [e.name, e.amount.value, e.success]);
};
const state = (reference, want) => until(async () => { const p = await info(reference); return p.state === want && p; }, `${reference} ${want}`);
/* Authorized, cancelled, captured, refunded. */
const sums = ({ aggregate: a }) => [a.authorizedAmount, a.cancelledAmount, a.capturedAmount, a.refundedAmount].map((m) => m.value);
const aggregate = async (reference) => sums(await info(reference));

/* By hand: what the library would not send. */
const ask = (method, path, { headers = {}, body = '' } = {}) => new Promise((resolve, reject) => {
  const q = https.request({ host: '127.0.0.1', port: w.port(0), ca: w.ca, method, path, headers: { authorization: `Bearer ${token}`,
    'ocp-apim-subscription-key': secrets.subscription_key, 'merchant-serial-number': MSN, ...(body ? { 'content-type': 'application/json' } : {}),
    ...headers } }, async (a) => {
    let text = '';
    for await (const part of a) text += part;
    resolve({ status: a.statusCode, type: a.headers['content-type'], text, body: JSON.parse(text || 'null') });
  });
  q.on('error', reject).end(body && JSON.stringify(body));
});
const post = (path, body, key = crypto.randomUUID()) => ask('POST', `/epayment/v1/payments${path}`, { body, headers: { 'idempotency-key': key } });

/* ---- the wallets ---- */

const alipay = async (behaviour) => { const a = await w.fake('alipayplus', { do: 'mint-code', behaviour }); return a.code ?? a.codes[0]; };
const bluecode = async (behaviour) => (await w.fake('bluecode', { do: 'mint-code', behaviour })).codes[0];
const scanned = (personalQr, more) => order({ customer: { personalQr }, ...more });
/* A payment that is authorized, and our id of it. */
const paid = async (personalQr, value = 8900) => {
  const body = scanned(personalQr, { amount: nok(value) });
  await create(body);
  const { pspReference } = await state(body.reference, 'AUTHORIZED');
  return { reference: body.reference, id: pspReference };
};
/* All sides agree on how it ended; what the till has for it, of what was captured and refunded. */
const agreed = (id, word) => over(w, { p: { name: 'vipps-till' }, read: async () => ({ body: { status: word } }) }, id, word);
const scan = (code) => w.fake('pivo', { do: 'scan', code, payer: 'user-approve', confirm: true });
const taker = async (id) => (await w.psql(`select ledger.id_text(payment) as id from ledger.order_payment where "order" = '${uuidOf(id)}'`))[0]?.id;

/* SPEC vipps 2.12: the MAC over what the headers say, with the text of the secret as its key. */
function macHolds(m) {
  const hash = crypto.createHash('sha256').update(m.body).digest('base64');
  const text = `POST\n${m.url}\n${m.headers['x-ms-date']};${m.headers.host};${hash}`;
  const mac = crypto.createHmac('sha256', secrets.webhook).update(text).digest('base64');
  return m.headers['x-ms-content-sha256'] === hash && m.headers.authorization ===
    `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${mac}`;
}

const toldOf = (reference) => heard.filter((m) => m.event.reference === reference);
/* The webhooks of a payment, in the order of their coming, once there are as many. */
const told = async (reference, names) => {
  const all = await until(() => toldOf(reference).length >= names.length && toldOf(reference), `${names} of ${reference}`)
    .catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(toldOf(reference).map((m) => m.event.name))}`); });
  for (const m of all) {
    assert.ok(macHolds(m), m.body);
    assert.equal(m.url, '/hooks?till=1');
    valid('WebhookEvent', m.event);
    assert.equal(m.event.msn, MSN);
  }
  assert.deepEqual(all.map((m) => m.event.name), names);
  return all.map((m) => m.event);
};

describe("a till of Vipps'", () => {
  before(async () => {
    w = await World.start('vippstill', { vippsTill: true });
    unit = w.participants['vipps-till'];
    secrets = unit.secret;
    hooks = https.createServer(w.tls, async (q, r) => {
      let body = '';
      for await (const part of q) body += part;
      if (deaf > 0) { deaf--; r.writeHead(503).end(); return; }
      heard.push({ url: q.url, headers: q.headers, body, event: JSON.parse(body) });
      r.end();
    }).listen(w.port(9), '127.0.0.1');
    await once(hooks, 'listening');
    const dial = buildConnector({ ca: w.ca });
    agent = new Agent({ connect: (to, done) => dial({ ...to, hostname: '127.0.0.1', host: '127.0.0.1', port: String(w.port(0)),
      servername: to.hostname }, done) });
    setGlobalDispatcher(agent);
    client = Client({ merchantSerialNumber: MSN, subscriptionKey: secrets.subscription_key, useTestMode: true, retryRequests: false,
      systemName: 'crosswallet', systemVersion: '1', pluginName: 'play', pluginVersion: '1' });
    const got = await client.auth.getToken(unit.settings.client_id, secrets.client_secret);
    assert.ok(got.ok, JSON.stringify(got));
    token = got.data.access_token;
  });
  after(async () => {
    await agent?.close();
    hooks?.closeAllConnections();
    hooks?.close();
    await w?.stop();
  });

  describe('at once', { concurrency: 6 }, () => {
    it('the published description is a judge', { skip: !judge && 'its folder is not here' }, () => {
      assert.throws(() => judge('GetPaymentResponse', { reference: newReference() }), /required/);
      assert.throws(() => judge('Amount', { currency: 'NOK', value: 1.5 }), /integer/);
      assert.throws(() => judge('Problem', { type: 'no uri', title: 'x', status: 400, traceId: '0' }), /format/);
    });

    it('a token is for the right credentials only', async () => {
      assert.equal((await client.auth.getToken(unit.settings.client_id, 'wrong')).ok, false);
      assert.equal((await client.auth.getToken('somebody', secrets.client_secret)).ok, false);
      await refused(client.payment.info(`${token}x`, newReference()), 401);
      await refused(client.payment.info(token.replace(/\.\d+\./, '.4102444800.'), newReference()), 401);
      await refused(client.payment.info('', newReference()), 401);
      const other = Client({ merchantSerialNumber: '654321', subscriptionKey: secrets.subscription_key, useTestMode: true, retryRequests: false });
      assert.equal((await other.payment.info(token, newReference())).ok, false);
    });

    it('an Alipay+ code is authorized, captured and refunded in part; the events tell it', async () => {
      const { reference, id } = await paid(await alipay('approve'));
      assert.deepEqual(await aggregate(reference), [8900, 0, 0, 0]);
      await refused(client.payment.refund(token, reference, { modificationAmount: nok(100) }), 400, '6150');
      await refused(client.payment.capture(token, reference, { modificationAmount: nok(8901) }), 400, '6090');
      const captured = await capture(reference, 8900);
      assert.deepEqual(sums(captured), [8900, 0, 8900, 0]);
      const refunded = await refund(reference, 2000);
      assert.equal(refunded.aggregate.refundedAmount.value, 2000);
      await refused(client.payment.refund(token, reference, { modificationAmount: nok(6901) }), 400, '6150');
      assert.deepEqual(await events(reference), [['CREATED', 8900, true], ['AUTHORIZED', 8900, true], ['CAPTURED', 8900, true], ['REFUNDED', 2000, true]]);
      const all = await told(reference, ['CREATED', 'AUTHORIZED', 'CAPTURED', 'REFUNDED']);
      assert.equal(all[2].pspReference, captured.pspReference);
      assert.equal(all[3].pspReference, refunded.pspReference);
      const { moved } = await agreed(id, 'PARTIALLY_REFUNDED');
      assert.equal(moved['vipps-till NOK'], -6900);
    });

    it("a Pivo user scans the till's code", async () => {
      const body = order({ userFlow: 'QR', qrFormat: { format: 'TEXT/TARGETURL' }, amount: nok(6400) });
      const { redirectUrl } = await create(body);
      assert.match(redirectUrl, /^000201.*6304[0-9A-F]{4}$/);
      assert.equal((await info(body.reference)).state, 'CREATED');
      await scan(redirectUrl);
      const { pspReference } = await state(body.reference, 'AUTHORIZED');
      await capture(body.reference, 6400);
      await told(body.reference, ['CREATED', 'AUTHORIZED', 'CAPTURED']);
      await refund(body.reference, 6400);
      const { moved } = await agreed(await taker(pspReference), 'REFUNDED');
      assert.deepEqual(moved, {});
    });

    it('a till may ask for a picture of the code: an SVG where it says nothing', async () => {
      const picture = async (more) => {
        const { redirectUrl } = await create(order({ userFlow: 'QR', amount: nok(6400), ...more }));
        const got = await fetch(redirectUrl);
        assert.equal(got.status, 200, redirectUrl);
        return { redirectUrl, type: got.headers.get('content-type'), body: Buffer.from(await got.arrayBuffer()) };
      };
      const svg = await picture({});
      assert.equal(svg.type, 'image/svg+xml');
      assert.match(svg.body.toString(), /^<svg [^]*<\/svg>\n$/);
      const png = await picture({ qrFormat: { format: 'IMAGE/PNG', size: 400 } });
      assert.equal(png.type, 'image/png');
      const { data, width, height } = PNG.sync.read(png.body);
      assert.ok(width <= 400 && width > 200 && width === height);
      const text = jsqr(new Uint8ClampedArray(data), width, height)?.data;
      assert.match(text, /^000201.*6304[0-9A-F]{4}$/);
      await scan(text);
      assert.equal((await fetch(png.redirectUrl.replace(/png400/, 'png500'))).status, 404);
    });

    it('a code that nobody scans expires', async () => {
      const body = order({ userFlow: 'QR', qrFormat: { format: 'TEXT/TARGETURL' } });
      await create(body);
      await state(body.reference, 'EXPIRED');
      await told(body.reference, ['CREATED', 'EXPIRED']);
      assert.deepEqual(await events(body.reference), [['CREATED', 8900, true], ['EXPIRED', 8900, true]]);
      await refused(client.payment.capture(token, body.reference, { modificationAmount: nok(8900) }), 400, '6200');
    });

    it("Vipps' own user, by number", async () => {
      const body = order({ customer: { phoneNumber: '4790000001' }, amount: nok(4900) });
      await create(body);
      const { pspReference } = await state(body.reference, 'AUTHORIZED');
      await capture(body.reference, 4900);
      const { moved } = await agreed(pspReference, 'PAID');
      assert.deepEqual(moved, { 'vipps NOK': 4900, 'vipps-till NOK': -4900 });
    });

    it('a wallet declines: ABORTED', async () => {
      const body = scanned(await alipay('decline:USER_BALANCE_NOT_ENOUGH'));
      await create(body);
      const { pspReference } = await state(body.reference, 'ABORTED');
      await told(body.reference, ['CREATED', 'ABORTED']);
      await refused(client.payment.cancel(token, body.reference), 400, '6190');
      assert.deepEqual((await agreed(pspReference, 'DECLINED')).moved, {});
    });

    it('a part is captured, the rest cancelled: the issuer gives it back once', async () => {
      const { reference, id } = await paid(await bluecode('approve'), 15000);
      await capture(reference, 10000);
      const rest = await cancel(reference);
      assert.deepEqual([rest.state, rest.aggregate.cancelledAmount.value, rest.aggregate.capturedAmount.value], ['AUTHORIZED', 5000, 10000]);
      await refused(client.payment.cancel(token, reference), 400, '6040');
      await refused(client.payment.capture(token, reference, { modificationAmount: nok(1) }), 400, '6090');
      assert.deepEqual(await aggregate(reference), [15000, 5000, 10000, 0]);
      assert.deepEqual(await events(reference), [['CREATED', 15000, true], ['AUTHORIZED', 15000, true], ['CAPTURED', 10000, true], ['CANCELLED', 5000, true]]);
      await told(reference, ['CREATED', 'AUTHORIZED', 'CAPTURED', 'CANCELLED']);
      await refused(client.payment.refund(token, reference, { modificationAmount: nok(10001) }), 400, '6150');
      await refund(reference, 10000);
      assert.deepEqual((await agreed(id, 'REFUNDED')).moved, {});
    });

    it('captured in four parts', async () => {
      const { reference, id } = await paid(await alipay('approve'));
      for (const part of [1000, 2000, 3000]) await capture(reference, part);
      await refused(client.payment.capture(token, reference, { modificationAmount: nok(2000) }), 400, '6140');
      await capture(reference, 2900);
      assert.deepEqual(await aggregate(reference), [8900, 0, 8900, 0]);
      await told(reference, ['CREATED', 'AUTHORIZED', 'CAPTURED', 'CAPTURED', 'CAPTURED', 'CAPTURED']);
      await agreed(id, 'PAID');
    });

    it('cancelled before the payer acts: TERMINATED', async () => {
      const body = order({ customer: { phoneNumber: '4790000003' } });
      await create(body);
      const ended = await until(async () => { const a = await client.payment.cancel(token, body.reference); return a.ok && a.data; }, 'the cancel');
      assert.equal(ended.state, 'TERMINATED');
      valid('ModificationResponse', ended);
      await told(body.reference, ['CREATED', 'TERMINATED']);
    });

    it('cancelled when it is paid, uncaptured: all of it goes back', async () => {
      const { reference, id } = await paid(await alipay('approve'), 7700);
      const ended = await until(async () => { const a = await client.payment.cancel(token, reference); return a.ok && a.data; }, 'the cancel');
      assert.deepEqual([ended.state, ended.aggregate.cancelledAmount.value], ['AUTHORIZED', 7700]);
      await told(reference, ['CREATED', 'AUTHORIZED', 'CANCELLED']);
      assert.deepEqual((await agreed(id, 'CANCELLED')).moved, {});
    });

    it('cancelTransactionOnly spares what is authorized', async () => {
      const { reference, id } = await paid(await alipay('approve'), 5200);
      const spared = await post(`/${reference}/cancel`, { cancelTransactionOnly: true });
      assert.deepEqual([spared.status, spared.body.extraDetails[0].reason], [400, '6060']);
      await capture(reference, 5200);
      await agreed(id, 'PAID');
    });

    it('the same key gets the same answer, another body a conflict', async () => {
      const body = scanned(await alipay('approve')), key = crypto.randomUUID();
      const first = await post('', body, key), again = await post('', body, key);
      assert.deepEqual([first.status, again.status, again.text], [201, 201, first.text]);
      const other = await post('', { ...body, amount: nok(8901) }, key);
      assert.deepEqual([other.status, other.body.extraDetails[0].reason], [409, '4020']);
      const twice = await post('', body);
      assert.deepEqual([twice.status, twice.body.extraDetails[0].reason], [409, '4150']);
      await state(body.reference, 'AUTHORIZED');
      const modification = { modificationAmount: nok(4000) }, k = crypto.randomUUID();
      const taken = await Promise.all([1, 2, 3].map(() => post(`/${body.reference}/capture`, modification, k)));
      assert.deepEqual(taken.map((a) => [a.status, a.text]), taken.map(() => [200, taken[0].text]));
      assert.equal(taken[0].type, 'application/problem+json');
      const conflict = await post(`/${body.reference}/capture`, { modificationAmount: nok(4001) }, k);
      assert.deepEqual([conflict.status, conflict.body.extraDetails[0].reason], [409, '4010']);
      assert.deepEqual(await aggregate(body.reference), [8900, 0, 4000, 0]);
      const r = crypto.randomUUID(), back = await Promise.all([1, 2].map(() => post(`/${body.reference}/refund`, { modificationAmount: nok(1500) }, r)));
      assert.deepEqual(back.map((a) => a.status), [200, 200]);
      const x = crypto.randomUUID(), rest = await Promise.all([1, 2].map(() => post(`/${body.reference}/cancel`, '', x)));
      assert.deepEqual(rest.map((a) => a.status), [200, 200], rest[0].text);
      assert.deepEqual(await aggregate(body.reference), [8900, 4900, 4000, 1500]);
    });

    it('what cannot be created is refused by number', async () => {
      await refused(client.payment.create(token, scanned('99999999999999999999999999')), 400, '4060');
      await refused(client.payment.create(token, order({ userFlow: 'WEB_REDIRECT', returnUrl: 'https://shop.example/' })), 400, '5070');
      await refused(client.payment.create(token, scanned('12345', { amount: { currency: 'EUR', value: 100 } })), 400, '5040');
      await refused(client.payment.create(token, scanned('12345', { amount: { currency: 'XXX', value: 100 } })), 400);
      await refused(client.payment.create(token, order()), 400, '4140');
      await refused(client.payment.info(token, newReference()), 404, '5090');
      await refused(client.payment.capture(token, newReference(), { modificationAmount: nok(100) }), 404, '5090');
      await refused(client.payment.cancel(token, newReference()), 404, '5090');
      const gone = newReference();
      await refused(client.payment.create(token, scanned('99999999999999999999999999', { reference: gone })), 400, '4060');
      await refused(client.payment.info(token, gone), 404, '5090');
    });

    it('an underscore in a header is for the route that lists it', async () => {
      const a = await ask('GET', `/epayment/v1/payments/${newReference()}`, { headers: { client_id: unit.settings.client_id } });
      assert.equal(a.status, 400);
      valid('Problem', a.body);
    });

    it('the registration is what the agreement says', async () => {
      const url = `https://127.0.0.1:${w.port(9)}/hooks?till=1`;
      const { data } = await client.webhook.list(token);
      assert.deepEqual(data.webhooks.map((h) => [h.url, h.events.length]), [[url, 8]]);
      const made = await client.webhook.register(token, { url, events: ['epayments.payment.captured.v1'] });
      assert.deepEqual(made.data, { id: data.webhooks[0].id, secret: secrets.webhook });
      assert.equal((await client.webhook.register(token, { url: 'https://evil.example/', events: ['epayments.payment.captured.v1'] })).ok, false);
      assert.equal((await client.webhook.delete(token, made.data.id)).ok, false);
    });
  });

  it('a webhook that is not taken holds up those behind it', async () => {
    deaf = 2;
    const { reference } = await paid(await alipay('approve'));
    await capture(reference, 8900);
    await told(reference, ['CREATED', 'AUTHORIZED', 'CAPTURED']);
    assert.equal(deaf, 0);
  });

  it('the books of all sides', () => closing(w));
});
