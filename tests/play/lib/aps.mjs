/*
 * An acquirer that speaks Alipay+'s ACQP API, by hand: the envelope as the scheme's text has it (2.3, 2.4), signed and verified
 * with node:crypto; no SDK of Alipay+ is to be had for Node. Every answer of the switch is verified over the path that was asked, and
 * every notification over its own, always.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import https from 'node:https';

const content = (path, client, time, body) => `POST ${path}\n${client}.${time}.${body}`;
const sign = (key, text) => `algorithm=RSA256,keyVersion=1,signature=${encodeURIComponent(crypto.sign('RSA-SHA256', Buffer.from(text), key).toString('base64'))}`;

/* Does the header hold? To the letter: escaped standard base64. */
export function holds(key, header, text) {
  const found = /^algorithm=RSA256,keyVersion=\w+,signature=([A-Za-z0-9%]+)$/.exec(header ?? '');
  return found !== null && crypto.verify('RSA-SHA256', Buffer.from(text), key, Buffer.from(decodeURIComponent(found[1]), 'base64'));
}

/* What passed between the switch and a partner: both signatures, over the same path. */
export function proven(seen, ours, theirs) {
  const client = seen.headers['client-id'];
  return holds(ours, seen.headers.signature, content(seen.url, client, seen.headers['request-time'], seen.body)) &&
    holds(theirs, seen.answerHeaders.signature, content(seen.url, client, seen.answerHeaders['response-time'], seen.answer));
}

export class Acquirer {
  constructor(world, p) {
    this.w = world;
    this.p = p;
    this.client = p.settings.client_id;
    this.events = [];
    this.acknowledge = 'S';
  }

  /* `o` replaces what a play wants wrong. */
  post(path, body, o = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body), time = new Date().toISOString(), client = o.client ?? this.client;
    return new Promise((ok, no) => {
      const q = https.request({
        host: '127.0.0.1', port: this.w.port(0), path, method: 'POST', agent: this.w.agent,
        headers: {
          'content-type': 'application/json; charset=UTF-8', 'client-id': client, 'request-time': time,
          signature: sign(o.key ?? this.p.theirKey.privateKey, content(path, client, time, text)), 'content-length': Buffer.byteLength(o.sent ?? text),
        },
      }, (a) => {
        const parts = [];
        a.on('error', no).on('data', (d) => parts.push(d)).on('end', () => {
          const raw = Buffer.concat(parts).toString();
          ok({
            status: a.statusCode, text: raw, body: JSON.parse(raw),
            signed: holds(this.p.ourKey.publicKey, a.headers.signature, content(path, client, a.headers['response-time'], raw)),
          });
        });
      });
      q.on('error', no).end(o.sent ?? text);
    });
  }

  async ask(api, body, o) {
    const answer = await this.post(`/aps/api/v1/${api === 'getPaymentCode' ? 'codes' : /egistration/.test(api) ? 'merchants' : 'payments'}/${api}`, body, o);
    assert.equal(answer.status, 200, 'whatever the verdict');
    assert.ok(answer.signed, `the answer to ${api} is signed: ${answer.text}`);
    return answer.body;
  }

  static id() { return `X${crypto.randomBytes(12).toString('hex')}`; }

  order(amount, more = {}) {
    return {
      referenceOrderId: 'R-77', orderDescription: 'Kaffe og bolle', orderAmount: amount,
      merchant: {
        referenceMerchantId: 'NO-914594685', merchantName: 'Fjord Kaffe AS', merchantMCC: '5812', merchantAddress: { region: 'NO', city: 'Oslo' },
        store: { referenceStoreId: 'OSL-01', storeName: 'Fjord Kaffe Aker Brygge', storeMCC: '5812' },
      }, ...more,
    };
  }

  sale(code, amount, more = {}) {
    return {
      paymentRequestId: Acquirer.id(), order: this.order(amount), paymentAmount: amount,
      paymentMethod: { paymentMethodType: 'CONNECT_WALLET', paymentMethodId: code },
      paymentFactor: { isInStorePayment: 'true', inStorePaymentScenario: 'PaymentCode' }, settlementStrategy: { settlementCurrency: 'EUR' },
      paymentExpiryTime: new Date(Date.now() + 60000).toISOString(), ...more,
    };
  }

  /* What the scheme tells us: verified, kept, acknowledged. */
  told(q, r, body) {
    const path = q.url, client = q.headers['client-id'], said = JSON.parse(body);
    this.events.push({ ...said, signed: holds(this.p.ourKey.publicKey, q.headers.signature, content(path, client, q.headers['request-time'], body)) });
    const text = JSON.stringify({ result: { resultCode: this.acknowledge === 'S' ? 'SUCCESS' : 'UNKNOWN_EXCEPTION', resultStatus: this.acknowledge, resultMessage: '-' } });
    const time = new Date().toISOString();
    r.writeHead(200, { 'content-type': 'application/json', 'client-id': client, 'response-time': time, signature: sign(this.p.theirKey.privateKey, content(path, client, time, text)) });
    r.end(text);
  }

  eventsOf(id) { return this.events.filter((e) => e.paymentRequestId === id); }
}
