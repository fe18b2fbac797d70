/*
 * A partner of our API, made of libraries that we did not write: http-message-signatures signs what it asks and verifies
 * what it is answered, standardwebhooks verifies what it is told (or its rule v1a, where our key signs). Every answer of the switch is verified, always.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import https from 'node:https';

import signatures from 'http-message-signatures';
import { Webhook } from 'standardwebhooks';

const { createSigner, createVerifier, httpbis } = signatures;
const ALG = { ed25519: 'ed25519', p256: 'ecdsa-p256-sha256' };
export const digest = (body) => `sha-256=:${crypto.createHash('sha256').update(body).digest('base64')}:`;
export const euro = (minor) => ({ currency: 'EUR', value: String(minor) });
export const krone = (minor) => ({ currency: 'NOK', value: String(minor) });

export class Caller {
  constructor(world, p) {
    this.w = world;
    this.p = p;
    this.signer = createSigner(p.theirKey.privateKey, ALG[p.theirs], p.keyids[1]);
    this.verify = createVerifier(p.ourKey.publicKey, 'ed25519');
    this.events = [];
    this.unverified = 0;
  }

  /* The signed request; `o` replaces what a play wants wrong. */
  async sign(method, path, body, o = {}) {
    const text = o.text ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers = text === undefined ? {} : {
      'content-type': 'application/json', 'content-digest': digest(text), 'idempotency-key': `"${o.key ?? crypto.randomUUID()}"`, ...o.headers,
    };
    for (const name of o.without ?? []) delete headers[name];
    const created = o.created ?? new Date(Math.floor(Date.now() / 1000) * 1000);
    const request = await httpbis.signMessage({
      key: o.signer ?? this.signer, name: 'sig1', fields: ['@method', '@target-uri', ...Object.keys(headers)],
      params: ['created', 'expires', 'nonce', 'keyid', 'tag'],
      paramValues: {
        created, expires: o.expires ?? new Date(created.getTime() + 60000), nonce: o.nonce ?? crypto.randomBytes(16).toString('base64url'),
        tag: 'xw-request-v1', ...(o.keyid ? { keyid: o.keyid } : {}),
      },
    }, { method, url: this.w.origin + path, headers });
    return { ...request, path, text };
  }

  /* Sends it; the answer with its body as text and as an object. */
  send(request) {
    const { method, path, text, headers } = request;
    return new Promise((ok, no) => {
      const q = https.request({
        host: '127.0.0.1', port: this.w.port(0), path, method, agent: request.agent ?? this.w.agent,
        headers: { ...headers, ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }) },
      }, (a) => {
        const parts = [];
        a.on('error', no).on('data', (d) => parts.push(d)).on('end', () => {
          const raw = Buffer.concat(parts).toString();
          let object = {};
          try { object = JSON.parse(raw || '{}'); } catch { /* the play will see */ }
          ok({ status: a.statusCode, headers: a.headers, text: raw, body: object, replayed: a.headers['idempotent-replayed'] === 'true' });
        });
      });
      q.on('error', no).end(text);
    });
  }

  /* By the library: signed over our own request. */
  async verified(request, answer) {
    const lower = Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k.toLowerCase(), v]));
    const ok = await httpbis.verifyMessage({
      keyLookup: async () => ({ id: this.p.keyids[0], algs: ['ed25519'], verify: this.verify }), requiredParams: ['created', 'keyid', 'tag'],
    }, { status: answer.status, headers: answer.headers }, { method: request.method, url: request.url, headers: lower }).catch((e) => e);
    return ok === true && (answer.text === '' || answer.headers['content-digest'] === digest(answer.text));
  }

  async call(method, path, body, o) {
    const request = await this.sign(method, path, body, o);
    const answer = await this.send(request);
    assert.ok(await this.verified(request, answer), `the answer ${answer.status} to ${method} ${path} is signed: ${answer.text}`);
    return answer;
  }

  /* A careful client: after a broken connection the same request with the same key. */
  async sure(method, path, body, key = crypto.randomUUID()) {
    for (let i = 0; ; i++) {
      try { return await this.call(method, path, body, { key }); } catch (e) { if (i === 20 || !e.code || e.code === 'ERR_ASSERTION') throw e; }
      await new Promise((r) => { setTimeout(r, 250); });
    }
  }

  static newId = () => `play-${crypto.randomBytes(9).toString('hex')}`;

  order(code, amount, more = {}) {
    return {
      partner_payment_id: Caller.newId(), code, amount, order: { reference: 'R-17', description: 'Coffee and a bun' },
      merchant: { id: 'kiosk-7', name: 'Kiosk at the harbour', mcc: '5994', country: amount.currency === 'NOK' ? 'NO' : 'DE', city: 'Bergen' }, ...more,
    };
  }

  pay(code, amount, o = {}) { return this.call('POST', '/v1/payments', this.order(code, amount, o.more), o); }
  read(id, kind = 'payments') { return this.call('GET', `/v1/${kind}/${id}`); }
  cancel(id, o, kind = 'payments') { return this.call('POST', `/v1/${kind}/${id}/cancel`, { reason: 'changed his mind' }, o); }
  refund(id, amount, o = {}) { return this.call('POST', `/v1/payments/${id}/refunds`, { partner_refund_id: o.id ?? Caller.newId(), amount }, o); }

  /* Does the rule of Standard Webhooks hold for it? */
  holds(headers, body) {
    if (this.p.secret?.webhook) {
      try { return Boolean(new Webhook(Buffer.from(this.p.secret.webhook).toString('base64')).verify(body, headers)); } catch { return false; }
    }
    const [version, signature] = (headers['webhook-signature'] ?? '').split(',');
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    return version === 'v1a' && crypto.verify(null, Buffer.from(content), this.p.ourKey.publicKey, Buffer.from(signature, 'base64'));
  }

  /* A webhook is acknowledged only when it is signed. */
  told(q, r, body) {
    const good = this.holds(q.headers, body.toString());
    if (!good) this.unverified++;
    else this.events.push({ id: q.headers['webhook-id'], url: q.url, headers: q.headers, raw: body.toString(), ...JSON.parse(body) });
    r.writeHead(good ? 204 : 401).end();
  }

  eventsOf(id) { return this.events.filter((e) => e.data.id === id || e.data.payment_id === id); }
}
