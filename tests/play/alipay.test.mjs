/*
 * Alipay's older interface signs lists of parameters. Here openssl signs and verifies them: the calls of the golden files must
 * verify in it, and our fake must take what it signed and answer what it verifies. No server of ours but the fake.
 *
 *   XW_SOURCE=. SWITCHSANDBOX=build/switch/sandbox/switchsandbox node --test alipay.test.mjs
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Lone } from './lib/lone.mjs';
import { until } from './lib/world.mjs';

const PARTNER = '2088000000000000', MD5_KEY = '0123456789abcdefghijklmnopqrstuv';
const fake = new Lone('alipay');
const file = (name) => join(fake.folder, name);
const openssl = (args, input) => execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'ignore'] });

/* What is signed, as its text says: all but two, sorted, not empty, joined. */
const base = (fields) => Object.keys(fields).filter((k) => fields[k] && k !== 'sign' && k !== 'sign_type').sort()
  .map((k) => `${k}=${fields[k]}`).join('&');
const md5 = (fields) => openssl(['dgst', '-md5', '-r'], base(fields) + MD5_KEY).toString().split(' ')[0];
const sign = (fields, key) => openssl(['dgst', '-sha256', '-sign', file(key)], base(fields)).toString('base64');
function verifies(fields, signature, key) {
  writeFileSync(file('signature'), Buffer.from(signature, 'base64'));
  try {
    return /Verified OK/.test(openssl(['dgst', '-sha256', '-verify', file(key), '-signature', file('signature')], base(fields)));
  } catch {
    return false;
  }
}

const form = (text) => Object.fromEntries(new URLSearchParams(text));
const unescaped = (text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&');
const elements = (text) => Object.fromEntries([...text.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map((m) => [m[1], unescaped(m[2])]));

function post(fields) {
  return new Promise((resolve, reject) => {
    const request = https.request({ host: '127.0.0.1', port: fake.port, ca: fake.ca, method: 'POST',
      path: '/gateway.do?_input_charset=UTF-8', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      async (answer) => {
        let text = '';
        for await (const part of answer) text += part;
        const response = /<response><alipay>(.*)<\/alipay><\/response>/.exec(text);
        resolve({ ...elements(text.replace(/<request>.*<\/request>/, '').replace(/<response>.*<\/response>/, '')),
          said: response && elements(response[1]) });
      });
    request.on('error', reject);
    request.end(new URLSearchParams(fields).toString());
  });
}

const common = { partner: PARTNER, _input_charset: 'UTF-8' };
const ask = (fields, key = 'ours.pem') => post({ ...common, ...fields, sign: sign({ ...common, ...fields }, key), sign_type: 'RSA2' });
async function asked(fields) {
  const answer = await ask(fields);
  assert.equal(answer.is_success, 'T', JSON.stringify(answer));
  assert.equal(answer.sign_type, 'RSA2');
  assert.ok(verifies(answer.said, answer.sign, 'theirs.pub.pem'), JSON.stringify(answer));
  return answer.said;
}

let count = 0;
const mint = async (behaviour) => (await fake.control({ do: 'mint-code', behaviour, ms: 300 })).codes[0];
const payment = async (behaviour, more = {}) => ({ service: 'alipay.acquire.overseas.spot.pay', alipay_seller_id: PARTNER,
  trans_name: 'Bäckerei & 面包=+', partner_trans_id: `play-${++count}`, currency: 'EUR', trans_amount: '12.34',
  buyer_identity_code: await mint(behaviour), identity_code_type: 'barcode', biz_product: 'OVERSEAS_MBARCODE_PAY',
  extend_info: JSON.stringify({ secondary_merchant_id: 'M1', secondary_merchant_name: 'Test shop',
    secondary_merchant_industry: '5812' }), ...more });
const query = (id) => asked({ service: 'alipay.acquire.overseas.query', partner_trans_id: id });

before(async () => {
  for (const who of ['ours', 'theirs']) {
    openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', file(`${who}.pem`)]);
    openssl(['pkey', '-in', file(`${who}.pem`), '-pubout', '-out', file(`${who}.pub.pem`)]);
  }
  openssl(['pkey', '-in', join(process.env.XW_SOURCE, 'tests/vectors/keys/throwaway-rsa.pem'), '-pubout', '-out', file('golden.pem')]);
  fake.hold('ours', '1', readFileSync(file('theirs.pem')));
  fake.hold('theirs', '1', readFileSync(file('ours.pub.pem')));
  await fake.start({ partner: PARTNER, currency: 'EUR' });
});

after(() => fake.stop());

test('the calls of the golden files verify in openssl', () => {
  const text = readFileSync(join(process.env.XW_SOURCE, 'adapters/alipay/golden/calls.txt'), 'utf8');
  const calls = text.split('\n').filter((line) => line.startsWith('_input_charset=')).map(form);
  assert.ok(calls.length >= 20, String(calls.length));
  for (const fields of calls) {
    if (fields.sign_type === 'MD5') assert.equal(md5(fields), fields.sign);
    else assert.ok(verifies(fields, fields.sign, 'golden.pem'), fields.service);
  }
  assert.deepEqual([...new Set(calls.map((fields) => fields.sign_type))].sort(), ['MD5', 'RSA2']);
});

test('a payment, its query, its cancel', async () => {
  const fields = await payment('approve');
  const paid = await asked(fields);
  assert.deepEqual([paid.result_code, paid.partner_trans_id, paid.trans_amount, paid.currency],
    ['SUCCESS', fields.partner_trans_id, '12.34', 'EUR']);
  assert.deepEqual(await asked(fields), paid, 'the same again is the first one');
  const found = await query(fields.partner_trans_id);
  assert.deepEqual([found.alipay_trans_status, found.alipay_trans_id], ['TRADE_SUCCESS', paid.alipay_trans_id]);
  const cancelled = await asked({ service: 'alipay.acquire.cancel', out_trade_no: fields.partner_trans_id,
    timestamp: String(Date.now()) });
  assert.deepEqual([cancelled.result_code, cancelled.action, cancelled.retry_flag], ['SUCCESS', 'refund', 'N']);
  assert.equal((await query(fields.partner_trans_id)).alipay_trans_status, 'TRADE_CLOSED');
  const line = await fake.line(fields.partner_trans_id);
  assert.deepEqual([line.currency, line.taken, line.returned], ['EUR', 1234, 1234]);
});

test('a refund, told again under its number', async () => {
  const fields = await payment('approve');
  await asked(fields);
  const refund = (id, amount) => asked({ service: 'alipay.acquire.overseas.spot.refund', partner_trans_id: fields.partner_trans_id,
    partner_refund_id: id, refund_amount: amount, currency: 'EUR', is_sync: 'Y', refund_reason: 'zu groß' });
  const done = await refund('r1', '5.00');
  assert.deepEqual([done.result_code, done.partner_refund_id, done.refund_amount], ['SUCCESS', 'r1', '5.00']);
  assert.deepEqual(await refund('r1', '5.00'), done);
  assert.equal((await refund('r2', '7.35')).error, 'RETURN_AMOUNT_EXCEED');
});

test('a payer at the password, and the notification', async () => {
  const fields = await payment('password-then-approve', { notify_url: `${fake.switchUrl}/hooks/play` });
  assert.equal((await asked(fields)).result_code, 'UNKNOW');
  const told = await until(() => fake.heard.find((m) => form(m.body).partner_trans_id === fields.partner_trans_id), 'the news');
  const news = form(told.body);
  assert.equal(told.path, '/hooks/play');
  assert.equal(news.trade_status, 'TRADE_SUCCESS');
  assert.ok(verifies(news, news.sign, 'theirs.pub.pem'));
});

test('refusals: signed when it was looked at', async () => {
  assert.equal((await asked(await payment('decline:BUYER_BALANCE_NOT_ENOUGH'))).error, 'BUYER_BALANCE_NOT_ENOUGH');
  assert.equal((await query('nobody')).error, 'TRADE_NOT_EXIST');
  const strange = await ask(await payment('approve'), 'theirs.pem');
  assert.deepEqual(strange, { is_success: 'F', error: 'ILLEGAL_SIGN', said: null });
  const short = await payment('approve');
  delete short.extend_info;
  assert.deepEqual(await ask(short), { is_success: 'F', error: 'ILLEGAL_ARGUMENT', said: null });
});

test('openssl does not take what the fake spoils on purpose', async () => {
  await fake.control({ do: 'misbehave', op: 'pay', how: 'bad-signature' });
  const answer = await ask(await payment('approve'));
  assert.ok(!verifies(answer.said, answer.sign, 'theirs.pub.pem'));
});
