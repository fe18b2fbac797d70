/*
 * The partner API against libraries that we did not write: http-message-signatures signs for a partner
 * and verifies us, standardwebhooks verifies our webhooks, redocly reads the contract. Bytes go through
 * the adapter by way of test_golden, which prints what comes out of a case.
 *
 *   TEST_GOLDEN=build/tests/unit/test_golden node --test tests/play/partner.test.mjs
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import signatures from 'http-message-signatures';
import { Webhook } from 'standardwebhooks';

const { createSigner, createVerifier, httpbis } = signatures;
const root = process.env.XW_SOURCE ?? join(dirname(fileURLToPath(import.meta.url)), '../..');
const golden = process.env.TEST_GOLDEN;
const pem = (name) => readFileSync(join(root, `tests/vectors/keys/rfc9421-${name}.pem`));
const keys = { ed25519: pem('ed25519'), p256: pem('p256') };
const now = new Date();
now.setMilliseconds(0);

const ID = '01jd5m7q8r9s0t1v2w3x4y5z6a';
const DEFAULTS = `adapter partner
peer pivo
now ${now.toISOString()}
nonce ${crypto.randomBytes(16).toString('hex')}
origin https://switch.example
authority wallet.example
base_path /interop/v1
set keyid xw:202601-1
secret webhook MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
sign xw:202601-1 ed25519 rfc9421-ed25519
verify pivo:202601-1 ed25519 rfc9421-ed25519
verify pivo:202601-2 p256 rfc9421-p256
`;

/* What the adapter makes of a case: the text of its last section. */
function adapter(sections, directives = '') {
  const folder = mkdtempSync(join(tmpdir(), 'xw-play-'));
  const file = join(folder, 'case.txt');
  const text = sections.map(([title, body]) => `--- ${title}\n${body}\n`).join('');
  try {
    writeFileSync(file, `${DEFAULTS}${directives}\n=== case\n${text}`);
    const out = execFileSync(golden, [file], { env: { XW_GOLDEN_PRINT: '1' }, encoding: 'utf8' });
    return out.split(/^--- .*\n/m).pop().trimEnd();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const digest = (body) => `sha-256=:${crypto.createHash('sha256').update(body).digest('base64')}:`;
const toText = (start, headers, body) =>
  [start, ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)].join('\n') + (body ? `\n\n${body}` : '');

function fromText(text) {
  const [head, ...rest] = text.split('\n\n');
  const [start, ...lines] = head.split('\n');
  const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 2)]));
  return { start, headers, body: rest.join('\n\n') };
}

const PAY = JSON.stringify({
  partner_payment_id: 'till-3.000017', code: '281777021234567890123456', amount: { currency: 'NOK', value: '8900' },
  merchant: { id: 'kiosk-7', name: 'Kiosk', mcc: '5994', country: 'NO' }, order: { reference: 'R-17' },
});

/* A partner's request, signed by the library. */
async function signedRequest(alg, method = 'POST', path = '/v1/payments', body = PAY) {
  const withBody = body ? {
    'content-type': 'application/json', 'content-digest': digest(body), 'idempotency-key': `"${crypto.randomUUID()}"`,
  } : {};
  const signer = alg === 'ed25519' ? createSigner(keys.ed25519, 'ed25519', 'pivo:202601-1')
    : createSigner(keys.p256, 'ecdsa-p256-sha256', 'pivo:202601-2');
  return httpbis.signMessage({
    key: signer, name: 'sig1',
    fields: ['@method', '@target-uri', ...Object.keys(withBody)],
    params: ['created', 'expires', 'nonce', 'keyid', 'tag'],
    paramValues: { created: now, expires: new Date(now.getTime() + 60000), nonce: crypto.randomBytes(16).toString('base64url'), tag: 'xw-request-v1' },
  }, { method, url: `https://switch.example${path}`, headers: withBody });
}

const lower = (headers) => Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
const startOf = (request) => `${request.method} ${new URL(request.url).pathname} HTTP/1.1`;
const verifier = (alg) => async () => ({
  id: 'xw:202601-1', algs: [alg], verify: createVerifier(crypto.createPublicKey(keys[alg]), 'ed25519'),
});

for (const alg of ['ed25519', 'p256']) {
  test(`we take what http-message-signatures signed with ${alg}`, async () => {
    const request = await signedRequest(alg);
    const read = adapter([['http request', toText(startOf(request), request.headers, PAY)], ['expect canonical', '']]);
    assert.match(read, /^authentic: true$/m);
    assert.match(read, /^payment\.amount\.minor: 8900$/m);
  });
}

test('a GET without a body', async () => {
  const request = await signedRequest('ed25519', 'GET', `/v1/payments/${ID}`, '');
  const read = adapter([['http request', toText(startOf(request), request.headers)], ['expect canonical', '']]);
  assert.match(read, /^authentic: true$/m);
});

test('we refuse it when a byte of the body changed', async () => {
  const request = await signedRequest('ed25519');
  const changed = PAY.replace('8900', '8901');
  const read = adapter([['http request', toText(startOf(request), request.headers, changed)], ['expect canonical', '']], 'rc auth\n');
  assert.match(read, /^problem\.reason: signature-invalid$/m);
});

const REPLY = `op: debit
answer: true
object_id: ${ID}
request_id: till-3.000017
payment.amount.currency: NOK
payment.amount.minor: 8900
outcome.result: approved
version: 2`;

test('http-message-signatures verifies our answer, over its own request', async () => {
  const request = await signedRequest('ed25519');
  const answer = fromText(adapter([['http request', toText(startOf(request), request.headers, PAY)], ['canonical reply', REPLY], ['expect http', '']]));
  const response = { status: Number(answer.start.split(' ')[1]), headers: answer.headers };
  assert.equal(response.status, 201);
  assert.equal(answer.headers['content-digest'], digest(answer.body));
  const config = { keyLookup: verifier('ed25519'), requiredParams: ['created', 'keyid', 'tag'] };
  const asked = { ...request, headers: lower(request.headers) };
  assert.equal(await httpbis.verifyMessage(config, response, asked), true);
  const other = await signedRequest('ed25519');
  assert.notEqual(await httpbis.verifyMessage(config, response, { ...other, headers: lower(other.headers) }).catch(() => false), true);
});

const DEBIT = `op: debit
request_id: ${ID}
code.text: 281777021234567890123456
payment.amount.currency: EUR
payment.amount.minor: 812
payment.mode: CPM
order.merchant.name: Kiosk`;

test('http-message-signatures verifies our call', async () => {
  const call = fromText(adapter([['canonical call', DEBIT], ['expect http', '']]));
  const [method, path] = call.start.split(' ');
  assert.equal(call.headers['content-digest'], digest(call.body));
  assert.equal(await httpbis.verifyMessage({ keyLookup: verifier('ed25519') },
    { method, url: `https://wallet.example${path}`, headers: call.headers }), true);
});

test('we believe an answer that it signed', async () => {
  const call = fromText(adapter([['canonical call', DEBIT], ['expect http', '']]));
  const [method, path] = call.start.split(' ');
  const body = JSON.stringify({ requestId: ID, status: 'APPROVED', walletPaymentId: 'wp-1' });
  const response = await httpbis.signMessage({
    key: createSigner(keys.ed25519, 'ed25519', 'pivo:202601-1'), name: 'sig1',
    fields: ['@status', 'content-type', 'content-digest', '"@method";req', '"@target-uri";req', '"content-digest";req',
      '"signature-input";req;key="sig1"', '"signature";req;key="sig1"'],
    params: ['created', 'keyid', 'tag'], paramValues: { created: now, tag: 'xw-response-v1' },
  }, { status: 201, headers: { 'content-type': 'application/json', 'content-digest': digest(body) } },
  { method, url: `https://wallet.example${path}`, headers: call.headers });
  const read = adapter([['canonical call', DEBIT], ['http answer', toText('HTTP/1.1 201 Created', response.headers, body)], ['expect canonical', '']]);
  assert.match(read, /^outcome\.result: approved$/m);
});

const NOTIFY = `op: notify
event_id: ${crypto.randomUUID()}
object_id: ${ID}
request_id: till-3.000017
outcome.result: approved
version: 3`;

test('standardwebhooks verifies our webhook with a shared secret', () => {
  const sent = fromText(adapter([['canonical call', NOTIFY], ['expect http', '']], 'set webhook_sign v1\n'));
  const hook = new Webhook(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').toString('base64'));
  assert.equal(hook.verify(sent.body, sent.headers).type, 'payment.paid');
  assert.throws(() => hook.verify(sent.body.replace('PAID', 'paid'), sent.headers));
});

test('and a webhook with our key holds by the rule of v1a', () => {
  const { headers, body } = fromText(adapter([['canonical call', NOTIFY], ['expect http', '']]));
  const [version, signature] = headers['webhook-signature'].split(',');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  assert.equal(version, 'v1a');
  assert.ok(crypto.verify(null, Buffer.from(content), crypto.createPublicKey(keys.ed25519), Buffer.from(signature, 'base64')));
});

test('redocly finds nothing wrong with the contract', () => {
  const cli = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');
  const out = execFileSync(process.execPath, [cli, 'lint', join(root, 'adapters/partner/openapi.yaml')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, REDOCLY_TELEMETRY: 'off' } });
  assert.doesNotMatch(out, /warning|error/i);
});
