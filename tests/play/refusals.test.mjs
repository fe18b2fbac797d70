/*
 * What the switch must refuse, each with the right answer, logged once, and nothing changed: the ledger has not one row more.
 * Alone in its world and one by one, so that the counts are exact.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';

import signatures from 'http-message-signatures';

import { Caller, digest, euro } from './lib/caller.mjs';
import { closing, refused } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w;
const till = () => w.callers['till-eur'];
const rows = () => w.psql('select (select count(*) from ledger.step) as steps, (select count(*) from ledger.claim) as claims, (select count(*) from ledger.entry) as entries').then((r) => r[0]);
const refusals = () => w.log().filter((l) => /"lvl":"(notice|warning|warn)"/.test(l)).length;

/* Nothing is written, one line is logged. */
async function unchanged(f, lines = 1) {
  const before = await rows(), logged = refusals();
  const answer = await f();
  assert.deepEqual(await rows(), before, 'nothing changed in the ledger');
  if (lines !== null) {
    await until(() => refusals() >= logged + lines, 'a line in the log', 2000);
    assert.equal(refusals(), logged + lines, 'logged once');
  }
  return answer;
}

/* Bytes as they are; what comes back until the other side closes, or until it has answered. */
function raw(bytes, ms = 3000) {
  return new Promise((ok) => {
    const s = tls.connect({ host: '127.0.0.1', port: w.port(0), ca: w.ca });
    let text = '';
    const done = () => { clearTimeout(timer); s.destroy(); ok(text); };
    const timer = setTimeout(done, ms);
    s.on('data', (d) => { text += d; }).on('error', done).on('close', done);
    s.write(bytes);
  });
}
const statusOf = (text) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);

const sample = (more = {}) => ({ ...till().order('281666020000000000009999', euro(1250)), ...more });
const VALID = () => JSON.stringify(sample());

describe('what is refused', () => {
  before(async () => { w = await World.start('refusals'); });
  after(() => w?.stop());

  describe('HTTP', () => {
    const host = () => `Host: 127.0.0.1:${w.port(0)}\r\n`;
    const post = (headers, body = '') => `POST /v1/payments HTTP/1.1\r\n${host()}${headers}\r\n${body}`;
    const table = [
      ['no HTTP at all', () => 'HELLO\r\n\r\n', [400]],
      ['HTTP/1.0', () => `GET /v1/payments/x HTTP/1.0\r\n${host()}\r\n`, [505, 400]],
      ['HTTP/2 as plain text', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [505, 400]],
      ['no Host', () => 'GET /v1/payments/x HTTP/1.1\r\n\r\n', [400]],
      ['two Hosts', () => `GET /v1/payments/x HTTP/1.1\r\n${host()}Host: other\r\n\r\n`, [400]],
      ['somebody else\'s Host', () => 'GET /v1/payments/x HTTP/1.1\r\nHost: other.example\r\n\r\n', [400, 421, 404]],
      ['somebody else\'s absolute target', () => `GET https://other.example/v1/payments/x HTTP/1.1\r\n${host()}\r\n`, [400, 421, 404]],
      ['length and chunks: smuggling', () => post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nGET /v1/payments/x HTTP/1.1\r\n\r\n'), [400]],
      ['two lengths: smuggling', () => post('Content-Length: 4\r\nContent-Length: 5\r\n', 'abcde'), [400]],
      ['a length list: smuggling', () => post('Content-Length: 4, 4\r\n', 'abcd'), [400]],
      ['a signed length', () => post('Content-Length: +4\r\n', 'abcd'), [400]],
      ['an unknown coding: smuggling', () => post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), [400, 501]],
      ['chunked, twice: smuggling', () => post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), [400, 501]],
      ['a blank before the colon: smuggling', () => post('Content-Length : 4\r\n', 'abcd'), [400]],
      ['a folded header: smuggling', () => post('X-A: b\r\n c\r\nContent-Length: 0\r\n'), [400]],
      ['lines that end in LF alone', () => 'GET /v1/payments/x HTTP/1.1\nHost: a\n\n', [400]],
      ['a NUL in a header', () => post('X-A: a\0b\r\nContent-Length: 0\r\n'), [400]],
      ['a name with an underscore', () => post('client_id: a\r\nContent-Length: 0\r\n'), [400]],
      ['a body without its length', () => post(''), [411]],
      ['a body that is too large', () => post('Content-Type: application/json\r\nContent-Length: 70000\r\n', 'x'.repeat(70000)), [413]],
      ['a target that is too long', () => `GET /v1/payments/${'a'.repeat(3000)} HTTP/1.1\r\n${host()}\r\n`, [414]],
      ['headers that are too large', () => post(`X-A: ${'a'.repeat(20000)}\r\nContent-Length: 0\r\n`), [431]],
      ['an unknown method', () => `BREW /v1/payments HTTP/1.1\r\n${host()}Content-Length: 0\r\n\r\n`, [400, 405, 501]],
      ['a method that the path does not take', () => `DELETE /v1/payments HTTP/1.1\r\n${host()}\r\n`, [405]],
      ['a path that is not ours', () => `GET /v2/payments HTTP/1.1\r\n${host()}\r\n`, [404]],
      ['an expectation', () => post('Expect: magic\r\nContent-Length: 0\r\n'), [417]],
    ];
    for (const [name, bytes, statuses] of table) {
      it(name, async () => {
        const text = await unchanged(() => raw(bytes(), 1500), null);
        assert.ok(statuses.includes(statusOf(text)), `${statuses}, not ${text.slice(0, 200)}`);
        assert.equal(text.match(/^HTTP\/1\.1 [2-5]/gm).length, 1, 'one answer, and nothing smuggled behind it');
      });
    }

    it('a body that comes too slowly', async () => {
      const text = await unchanged(() => raw(post('Content-Type: application/json\r\nContent-Length: 100\r\n', '{"a'), 40000), null);
      assert.ok([0, 408].includes(statusOf(text)), text.slice(0, 200));
    });

    it('a head that comes too slowly', async () => {
      const text = await unchanged(() => raw('POST /v1/payments HT', 40000), null);
      assert.ok([0, 408].includes(statusOf(text)), text.slice(0, 200));
    });
  });

  describe('bodies', () => {
    const without = (name) => { const o = sample(); delete o[name]; return JSON.stringify(o); };
    const money = (amount) => JSON.stringify(sample({ amount }));
    const table = [
      ['not JSON', () => '{', 'malformed-request'],
      ['nothing', () => ' ', 'malformed-request'],
      ['an array', () => '[]', null],
      ['bytes behind the end', () => `${VALID()}{}`, 'malformed-request'],
      ['a duplicate key', () => VALID().replace('{', '{"code":"1",'), 'malformed-request'],
      ['a duplicate key deep down', () => VALID().replace('"currency":"EUR"', '"currency":"EUR","currency":"EUR"'), 'malformed-request'],
      ['too deep', () => `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, null],
      ['a broken escape', () => VALID().replace('Coffee', '\\u12'), 'malformed-request'],
      ['half a surrogate', () => VALID().replace('Coffee', '\\ud800'), 'malformed-request'],
      ['no UTF-8', () => Buffer.from(VALID().replace('Coffee', 'Caf\xe9'), 'latin1').toString('latin1'), null, true],
      ['a NUL', () => VALID().replace('Coffee', '\\u0000'), null],
      ['NaN', () => VALID().replace('"1250"', 'NaN'), 'malformed-request'],
      ['a member that we do not know', () => JSON.stringify(sample({ tip: '1' })), 'validation-failed'],
      ['a member that is missing: code', () => without('code'), 'validation-failed'],
      ['a member that is missing: amount', () => without('amount'), 'validation-failed'],
      ['a member that is missing: merchant', () => without('merchant'), 'validation-failed'],
      ['a number where a text belongs', () => JSON.stringify(sample({ code: 281666020000000 })), 'validation-failed'],
      ['an amount as a number', () => money({ currency: 'EUR', value: 1250 }), 'validation-failed'],
      ['an amount of zero', () => money(euro('0')), 'validation-failed'],
      ['a negative amount', () => money(euro('-5')), 'validation-failed'],
      ['an amount with decimals', () => money(euro('12.50')), 'validation-failed'],
      ['an amount with a leading zero', () => money(euro('01250')), 'validation-failed'],
      ['an amount with an exponent', () => money(euro('1e3')), 'validation-failed'],
      ['an amount beyond 14 digits', () => money(euro('123456789012345')), 'validation-failed'],
      ['a currency that does not exist', () => money({ currency: 'XYZ', value: '1250' }), null],
      ['a currency in small letters', () => money({ currency: 'eur', value: '1250' }), 'validation-failed'],
      ['an empty code', () => JSON.stringify(sample({ code: '' })), 'validation-failed'],
      ['a code that is too long', () => JSON.stringify(sample({ code: '9'.repeat(600) })), 'validation-failed'],
      ['an id with a blank', () => JSON.stringify(sample({ partner_payment_id: 'a b' })), 'validation-failed'],
      ['a merchant category that is none', () => VALID().replace('5994', '59A4'), 'validation-failed'],
      ['an expiry that is no time', () => JSON.stringify(sample({ expires_at: 'tomorrow' })), 'validation-failed'],
    ];
    for (const [name, text, slug, latin] of table) {
      it(name, async () => {
        const answer = await unchanged(async () => {
          const body = latin ? Buffer.from(text(), 'latin1') : text();
          return till().call('POST', '/v1/payments', undefined, { text: body });
        });
        refused(answer, answer.status, slug ?? '[a-z-]+');
        assert.ok([400, 422].includes(answer.status), answer.text);
        if (slug === 'validation-failed') assert.match(answer.body.errors?.[0]?.pointer ?? '', /^#\//, 'it says where');
      });
    }

    it('another media type', async () => {
      refused(await unchanged(() => till().call('POST', '/v1/payments', sample(), { headers: { 'content-type': 'text/plain' } })), 415, 'unsupported-media-type');
    });
    it('no Idempotency-Key', async () => {
      refused(await unchanged(() => till().call('POST', '/v1/payments', sample(), { without: ['idempotency-key'] })), 400, 'idempotency-key-missing');
    });
    it('a malformed Idempotency-Key', async () => {
      refused(await unchanged(() => till().call('POST', '/v1/payments', sample(), { headers: { 'idempotency-key': 'a"b' } })), 400, 'idempotency-key-invalid');
    });
    it('a payment that is not there', async () => {
      refused(await unchanged(() => till().read('01jd5m7q8r9s0t1v2w3x4y5z6a')), 404, 'not-found');
    });
    it('an id that is none', async () => {
      refused(await unchanged(() => till().read('nonsense')), 404, 'not-found');
    });
  });

  describe('signatures', () => {
    const refusedSignature = async (request, agent) => {
      const answer = await unchanged(() => till().send({ ...request, agent }));
      refused(answer, 401, 'signature-invalid');
    };
    const plain = () => till().sign('POST', '/v1/payments', sample());

    it('a byte of the body changed', async () => {
      const r = await plain();
      await refusedSignature({ ...r, text: r.text.replace('1250', '1251') });
    });
    it('body and digest changed', async () => {
      const r = await plain(), text = r.text.replace('1250', '1251');
      await refusedSignature({ ...r, text, headers: { ...r.headers, 'content-digest': digest(text) } });
    });
    it('another path', async () => { await refusedSignature({ ...await plain(), path: '/v1/orders' }); });
    it('another method', async () => {
      const r = await till().sign('GET', '/v1/payments/01jd5m7q8r9s0t1v2w3x4y5z6a/cancel');
      await refusedSignature({ ...r, method: 'POST', text: '{}', headers: { ...r.headers, 'content-type': 'application/json', 'content-digest': digest('{}'), 'idempotency-key': '"x"' } });
    });
    it('another key than the one that is named', async () => {
      const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { signer: signatures.createSigner(privateKey, 'ecdsa-p256-sha256', till().p.keyids[1]) }));
    });
    it('a key that nobody knows', async () => { await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { keyid: 'till-eur:209901-1' })); });
    it('a partner that nobody knows', async () => { await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { keyid: 'nobody:202601-1' })); });
    it('another partner\'s name', async () => { await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { keyid: 'till-nok:202601-1' })); });
    it('of an hour ago', async () => {
      const created = new Date(Math.floor(Date.now() / 1000) * 1000 - 3600e3);
      await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { created, expires: new Date(created.getTime() + 60000) }));
    });
    it('of an hour ago, said to be good for long', async () => {
      const created = new Date(Math.floor(Date.now() / 1000) * 1000 - 3600e3);
      await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { created, expires: new Date(created.getTime() + 7200e3) }));
    });
    it('of tomorrow', async () => { await refusedSignature(await till().sign('POST', '/v1/payments', sample(), { created: new Date(Math.floor(Date.now() / 1000) * 1000 + 86400e3) })); });
    it('none', async () => {
      const r = await plain(), headers = { ...r.headers };
      for (const name of Object.keys(headers)) if (/^signature/i.test(name)) delete headers[name];
      await refusedSignature({ ...r, headers });
    });
    it('a body that is not covered', async () => {
      const r = await till().sign('GET', '/v1/payments');
      await refusedSignature({ ...r, method: 'POST', text: VALID(), headers: { ...r.headers, 'content-type': 'application/json' } });
    });
    it('replayed, byte by byte', async () => {
      const r = await till().sign('GET', '/v1/payments/01jd5m7q8r9s0t1v2w3x4y5z6a');
      assert.equal((await till().send(r)).status, 404);
      await refusedSignature(r);
    });
  });

  describe('payments that nobody can make', () => {
    it('more than the limit', async () => {
      const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
      const answer = await till().pay(code, euro(1000001));
      refused(answer, 422, 'limit-exceeded');
      assert.equal((await w.book('alipayplus')).length, 0, 'nobody was asked');
    });
    for (const [name, code] of [['a text that is no code', 'hello'], ['a code that nobody reads', '0000'], ['a shop\'s QR at a till', 'https://qr.alipayplus.com/28100204XYZ']]) {
      it(name, async () => {
        const answer = await till().pay(code, euro(1250));
        assert.equal(answer.status, 422, answer.text);
        assert.ok(['no-route', 'code-unknown'].some((s) => answer.body.type.endsWith(`/${s}`)), answer.text);
        assert.deepEqual(await w.psql('select * from ledger.entry'), [], 'nothing was reserved');
      });
    }
    it('a payment of another partner', async () => {
      const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
      const { body } = await till().pay(code, euro(1250));
      const other = w.callers['till-nok'];
      for (const a of [await other.read(body.id), await other.cancel(body.id), await other.refund(body.id, euro(1250))]) {
        assert.ok([403, 404].includes(a.status), a.text);
        assert.ok(!a.text.includes('1250'), 'and nothing is told of it');
      }
      assert.equal((await till().read(body.id)).body.status, 'PAID');
    });
    it('a refund of another currency', async () => {
      const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'approve' })).code;
      const { body } = await till().pay(code, euro(1300));
      const answer = await till().refund(body.id, { currency: 'NOK', value: '1300' });
      assert.equal(answer.status, 422, answer.text);
      assert.deepEqual(await w.moved(body.id), { 'alipayplus EUR': 1300, 'till-eur EUR': -1300 });
    });
    it('a refund of what was declined', async () => {
      const code = (await w.fake('alipayplus', { do: 'mint-code', behaviour: 'decline' })).code;
      const { body } = await till().pay(code, euro(1400));
      const answer = await till().refund(body.payment_id, euro(1400));
      assert.ok([409, 422].includes(answer.status), answer.text);
    });
  });

  it('the books as a whole', () => closing(w));
});
