/*
 * One printed code that every wallet pays, and a till's codes for one sale: by the payers' pages in Chromium, by push
 * message, and by wallets that send us the text. The registry, and codes as pictures, read by others than ourselves.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import jsqr from 'jsqr';
import { PNG } from 'pngjs';

import { ALIPAY, PHONE, Phones, browserPath } from './lib/browser.mjs';
import { Caller, euro, krone } from './lib/caller.mjs';
import { closing, over, refused, toldAs } from './lib/checks.mjs';
import { World, until, uuidOf } from './lib/world.mjs';

const GUID = 'org.crosswallet.play';
let w, phones, kiosk, cafe;
const till = () => w.callers['till-eur'];
const norwegian = () => w.callers['till-nok'];
const vipps = () => w.callers['vipps-server'];
const payerOrigin = () => `https://127.0.0.1:${w.port(4)}`;
const pivo = (command) => w.fake('pivo', command);
const shown = (payment) => pivo({ do: 'show', payment });

const ctl = (...args) => {
  const r = spawnSync(process.env.XW_SWITCHCTL, args, { encoding: 'utf8', env: { ...process.env, PGDATABASE: w.db, XW_CODE_GUID: GUID, XW_PAYER_ORIGIN: payerOrigin() } });
  assert.ifError(r.error);
  return { status: r.status, out: r.stdout.trim(), err: r.stderr };
};
const signed = ['--reason', 'contract of May', '--as', 'maria'];
const add = (acquirer, id, currency, country, city, ...more) => {
  const r = ctl('merchant', 'add', acquirer, id, '--name', `Kiosk ${id}`, '--mcc', '5994', '--currency', currency, '--country', country, '--city', city, ...more, ...signed);
  assert.equal(r.status, 0, r.err);
  return r.out;
};
const codeOf = (token) => ctl('merchant', 'code', token).out;
/* What another reader than ours sees in a picture. */
const decode = (file) => {
  const png = PNG.sync.read(readFileSync(file));
  return jsqr(new Uint8ClampedArray(png.data), png.width, png.height)?.data;
};
/* The address in the scheme's template: what a wallet opens that knows nothing of ours. */
const addressOf = (text) => /0010com\.alipay01\d\d(https:\/\/[^/]+\/[0-9a-z]{12,26}-\d\d)/.exec(text)[1];
const order = async (caller, amount, more) => {
  const { partner_payment_id: id, code: _, ...rest } = caller.order('', amount, more);
  return (await caller.call('POST', '/v1/orders', { partner_order_id: id, ...rest })).body;
};

/* Plain HTTP of a browser without a browser. */
const raw = (method, path, form, headers = {}, port = 4) => new Promise((ok, no) => {
  const body = form && new URLSearchParams(form).toString();
  const q = https.request({ host: '127.0.0.1', port: w.port(port), path, method, agent: w.agent,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }), ...headers } }, (a) => {
    const parts = [];
    a.on('data', (d) => parts.push(d)).on('end', () => ok({ status: a.statusCode, headers: a.headers, text: Buffer.concat(parts).toString() }));
  });
  q.on('error', no).end(body);
});
const idIn = (html) => /name="id" value="([0-9a-z]{26})"/.exec(html)[1];
/* The newest payment of that participant's merchant that the till heard of. */
const toldNew = async (caller, from) => (await until(() => caller.events.slice(from).find((e) => e.type === 'payment.paid'), 'the till is told')).data;

describe('unified codes', () => {
  before(async () => {
    w = await World.start('unified', { unified: true });
    kiosk = add('till-eur', 'kiosk-7', 'EUR', 'DE', 'Berlin');
    cafe = add('till-nok', 'cafe-1', 'NOK', 'NO', 'Oslo', '--store', 'torget', '--store-name', 'Kaffe & Te på torget');
    if (browserPath) phones = await Phones.start(w.dir);
  });
  after(async () => { await phones?.stop(); await w?.stop(); });

  describe('the registry and its codes', () => {
    it('merchants are listed and shown; a change is another version', () => {
      const list = JSON.parse(ctl('merchant', 'list', '--json').out);
      assert.deepEqual(list.map((m) => m.token).sort(), [kiosk, cafe].sort());
      assert.equal(ctl('merchant', 'add', 'till-eur', 'kiosk-7', '--name', 'x', '--mcc', '5994', '--currency', 'EUR', '--country', 'DE', '--city', 'x', ...signed).status, 1);
      assert.equal(ctl('merchant', 'change', kiosk, '--name', 'Kiosk am Hafen').status, 2, 'without a reason');
      assert.equal(ctl('merchant', 'change', kiosk, '--name', 'Kiosk am Hafen', ...signed).status, 0);
      assert.equal(ctl('merchant', 'scheme', kiosk, 'alipay-plus', 'registered', ...signed).status, 0);
      const m = JSON.parse(ctl('merchant', 'show', kiosk, '--json').out);
      assert.equal(m.name, 'Kiosk am Hafen');
      assert.equal(m.schemes, 'alipay-plus registered');
      assert.equal(ctl('merchant', 'show', '000000000000').status, 1);
    });

    it('a code is strict, has our template and the scheme\'s, and both lead to one token', () => {
      const text = codeOf(cafe);
      const scan = JSON.parse(spawnSync(process.env.XW_SWITCHCTL, ['scan', '--lines'], { input: `${text}\n`, encoding: 'utf8' }).stdout);
      assert.equal(scan.strict, 1);
      assert.equal(scan.fields['26.00'], GUID);
      assert.equal(scan.fields['26.01'], `${cafe}-15`);
      assert.equal(scan.fields['27.00'], 'com.alipay');
      assert.equal(scan.fields['27.01'], `${payerOrigin()}/${cafe}-15`);
      assert.equal(scan.fields['01'], '11');
      assert.ok(!('54' in scan.fields));
    });

    it('drawn as PNG and as SVG, and read back by another reader', async (t) => {
      const text = codeOf(kiosk), png = join(w.dir, 'code.png'), svg = join(w.dir, 'code.svg');
      assert.equal(ctl('merchant', 'code', kiosk, '--png', png, '--svg', svg).status, 0);
      assert.equal(decode(png), text);
      const sale = await order(till(), euro(990));
      assert.equal(ctl('draw', sale.code.text, '--png', png).status, 0);
      assert.equal(decode(png), sale.code.text);
      if (!phones) { t.diagnostic('no Chromium: the SVG was not drawn'); return; }
      const page = await phones.visit();
      await page.setContent(`<body style="margin:0">${readFileSync(svg, 'utf8').replace('<svg ', '<svg width="370" ')}`);
      await page.picture('svg');
      await page.leave();
      assert.equal(decode(join(w.dir, 'svg.png')), text);
    });
  });

  describe('wallets that send the text', () => {
    const scan = (code, more) => vipps().call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code, payer: { id: 'v-1', handle: '4790000001' }, ...more });
    const confirm = (id, amount) => vipps().call('POST', `/v1/scans/${id}/confirm`, amount ? { amount } : {});

    it('Vipps: the amount is for the payer to say; then it is paid and the till is told', async () => {
      const seen = await scan(codeOf(cafe));
      assert.equal(seen.status, 201, seen.text);
      const { merchant, amount_required, currency, amount, payer_amount } = seen.body;
      assert.deepEqual([merchant.id, merchant.store_name, amount_required, currency], ['cafe-1', 'Kaffe & Te på torget', true, 'NOK']);
      assert.deepEqual([amount, payer_amount], [undefined, undefined]);
      refused(await confirm(seen.body.id), 422, 'amount-invalid');
      refused(await confirm(seen.body.id, euro(100)), 422, 'amount-invalid');
      await confirm(seen.body.id, krone(4900));
      const { moved } = await over(w, vipps(), seen.body.id, 'PAID');
      assert.deepEqual(moved, { 'vipps NOK': 4900, 'till-nok NOK': -4900 });
      const told = await toldAs(norwegian(), seen.body.id, 'payment.paid');
      assert.deepEqual([told.data.merchant.id, told.data.merchant.store_id], ['cafe-1', 'torget']);
      assert.equal(told.data.partner_payment_id, undefined);
      const back = await norwegian().refund(seen.body.id, krone(900));
      assert.ok(back.status < 300, back.text);
      await over(w, norwegian(), seen.body.id, 'PARTIALLY_REFUNDED');
    });

    it('with the amount in the first request, the payer sees what he pays', async () => {
      const seen = await scan(codeOf(kiosk), { amount: euro(1000) });
      assert.equal(seen.status, 201, seen.text);
      assert.equal(seen.body.amount_required, false);
      assert.deepEqual(seen.body.amount, euro(1000));
      assert.equal(seen.body.payer_amount.currency, 'NOK');
      await confirm(seen.body.id, seen.body.payer_amount);
      await over(w, vipps(), seen.body.id, 'PAID');
      refused(await scan(codeOf(kiosk), { amount: krone(1000) }), 422, 'currency-unsupported');
    });

    it('Pivo, whose server is the wallet itself', async () => {
      const from = till().events.length;
      const { payment } = await pivo({ do: 'scan', code: codeOf(kiosk), payer: 'user-approve' });
      await until(async () => (await shown(payment)).status === 'OPEN', 'an answer to the scan');
      await pivo({ do: 'confirm', payment, amount: '640', currency: 'EUR' });
      const paid = await toldNew(till(), from);
      assert.deepEqual(paid.amount, euro(640));
      await over(w, till(), paid.id, 'PAID');
    });

    it('the address is the same code', async () => {
      const seen = await scan(`${addressOf(codeOf(cafe))}?from=vipps`);
      assert.equal(seen.body.merchant.id, 'cafe-1', seen.text);
      await vipps().cancel(seen.body.id, {}, 'scans');
    });

    it('nobody of that token, and one who is suspended', async () => {
      const text = codeOf(kiosk);
      const other = add('till-eur', 'gone-1', 'EUR', 'DE', 'Berlin');
      refused(await scan(addressOf(text).replace(kiosk, '0000000000zz')), 422, 'code-unknown');
      refused(await scan(addressOf(text).replace(/-14$/, '-15')), 422, 'code-unknown');
      assert.equal(ctl('merchant', 'suspend', other, ...signed).status, 0);
      refused(await scan(codeOf(other)), 422, 'merchant-unavailable');
      assert.equal((await raw('GET', new URL(addressOf(codeOf(other))).pathname)).status, 410);
    });
  });

  describe('the payers\' pages', () => {
    it('are ours alone, and the partners\' listener has none', async () => {
      const page = await raw('GET', new URL(addressOf(codeOf(kiosk))).pathname);
      assert.equal(page.status, 200);
      assert.match(page.headers['content-security-policy'], /default-src 'none'; style-src 'self'/);
      assert.equal(page.headers['cache-control'], 'no-store');
      assert.ok(!/<script/i.test(page.text));
      assert.equal((await raw('GET', '/page.css')).headers['content-type'], 'text/css; charset=utf-8');
      for (const path of ['/v1/openapi.yaml', '/v1/payments', '/', '/nothing', '/a/b/c']) assert.equal((await raw('GET', path)).status, 404, path);
      assert.equal((await raw('GET', new URL(addressOf(codeOf(kiosk))).pathname, undefined, {}, 0)).status, 404);
    });

    it('a form that was posted twice is one payment; another origin, another sum, no sum are refused', async () => {
      const path = new URL(addressOf(codeOf(kiosk))).pathname;
      const form = { id: idIn((await raw('GET', path)).text), currency: 'EUR', amount: '12,50', wallet: 'page-epassi' };
      refusedPage(await raw('POST', path, form, { origin: 'https://evil.example' }), 400);
      refusedPage(await raw('POST', path, { ...form, amount: '1.000' }), 400);
      refusedPage(await raw('POST', path, { ...form, wallet: 'page-nobody' }), 400);
      const both = await Promise.all([0, 1].map(() => raw('POST', path, form, { origin: payerOrigin() })));
      assert.deepEqual(both.map((a) => [a.status, a.headers.location]), Array(2).fill([307, `/page-epassi/${form.id}`]));
      refusedPage(await raw('POST', path, { ...form, amount: '13' }), 400);
      const on = await Promise.all([0, 1].map(() => raw('POST', `/page-epassi/${form.id}`, form)));
      assert.equal(on[0].status, 303);
      assert.equal(on[0].headers.location, on[1].headers.location);
      const rows = await w.psql('select payment from ledger.step where version = 1 and op = 7 and issuer = 20');
      assert.ok(rows.length <= 1, 'one payment');
    });

    const refusedPage = (a, status) => {
      assert.equal(a.status, status, a.text);
      assert.match(a.text, /role="alert"/);
    };
  });

  describe('in Chromium', { skip: !browserPath && 'chromium is not installed' }, () => {
    /* Begins at the code's page; the wallet's own page is the caller's. */
    const begin = async (code, wallet, { agent = PHONE, amount, phone, picture } = {}) => {
      const page = await phones.visit(agent);
      await page.goto(addressOf(code));
      if (picture) await page.picture(`${picture}-1`);
      if (amount) await page.fill('#amount', amount);
      if (wallet) await page.check(`#${wallet}`);
      if (phone) await page.fill(`#phone-${wallet}`, phone);
      if (picture) await page.picture(`${picture}-2`);
      await page.click('button');
      return page;
    };
    const ends = async (page, word) => { await page.waitForSelector(`text="${word}"`); };

    it('Alipay+ pays the printed code: recognised, and back again', async () => {
      const from = till().events.length;
      const page = await begin(codeOf(kiosk), null, { agent: ALIPAY, amount: '12,50', picture: 'alipay' });
      await page.waitForURL(/\/cashier\//);
      await page.click('text="Pay"');
      await page.waitForURL(/page-alipay/);
      await ends(page, 'Paid');
      await page.picture('alipay-3');
      await page.leave();
      const paid = await toldNew(till(), from);
      assert.deepEqual([paid.amount, paid.merchant.id], [euro(1250), 'kiosk-7']);
      const { moved } = await over(w, till(), paid.id, 'PAID');
      assert.deepEqual(moved, { 'alipayplus EUR': 1250, 'till-eur EUR': -1250 });
    });

    it('Alipay+ declines: the page says so', async () => {
      const page = await begin(codeOf(kiosk), null, { agent: ALIPAY, amount: '3' });
      await page.waitForURL(/\/cashier\//);
      await page.click('text="Do not pay"');
      await page.waitForURL(/page-alipay/);
      await ends(page, 'Not paid');
      await page.picture('declined');
      await page.leave();
    });

    it('ePassi pays the printed code by its form', async () => {
      const from = till().events.length;
      const page = await begin(codeOf(kiosk), 'page-epassi', { amount: '9.90' });
      await page.waitForSelector('text="Pay with ePassi"');
      await page.picture('epassi-form');
      await page.click('text="Pay with ePassi"');
      await page.click('text="Pay"');
      await page.click('text="Back to the shop"');
      await page.waitForSelector('text=/Paid/');
      await page.leave();
      const paid = await toldNew(till(), from);
      await over(w, till(), paid.id, 'PAID');
    });

    it('Pivo pays a Norwegian\'s printed code: he sees euros before he agrees', async () => {
      const from = norwegian().events.length;
      const page = await begin(codeOf(cafe), 'page-pivo', { amount: '55' });
      await page.waitForSelector('text="The shop asks 55.00 NOK"');
      await page.picture('convert');
      await page.click('text="Pay with Pivo"');
      await page.click('button');
      await page.click('text="Pay"');
      await until(async () => norwegian().events.length > from, 'the till is told');
      await page.leave();
      const paid = await toldNew(norwegian(), from);
      await over(w, norwegian(), paid.id, 'PAID');
    });

    it('Vipps pays by push message, while the page waits', async () => {
      const from = norwegian().events.length;
      const page = await begin(codeOf(cafe), 'page-vipps', { amount: '49', phone: '+47 900 00 003', picture: 'vipps' });
      await page.waitForSelector('text=/approve the payment there/');
      await page.picture('waiting');
      const id = (await until(async () => (await w.psql("select ledger.id_text(payment) as id from ledger.payment where issuer = 12 and not final"))[0], 'the payment')).id;
      await w.fake('vipps', { do: 'app-approve', reference: id });
      await ends(page, 'Paid');
      await page.leave();
      const paid = await toldNew(norwegian(), from);
      await over(w, norwegian(), paid.id, 'PAID');
    });

    it('a till\'s code: its amount stands there; it is paid once, and then refused', async () => {
      const sale = await order(till(), euro(1990));
      const page = await begin(sale.code.text, null, { agent: ALIPAY, picture: 'order' });
      await page.waitForURL(/\/cashier\//);
      await page.click('text="Pay"');
      await ends(page, 'Paid');
      await page.leave();
      await toldAs(till(), sale.id, 'payment.paid');
      const late = await phones.visit();
      const answer = await late.goto(addressOf(sale.code.text));
      assert.equal(answer.status(), 410);
      await late.waitForSelector('text="This code was used already, or has expired."');
      await late.picture('used');
      await late.leave();
      const seen = await vipps().call('POST', '/v1/scans', { wallet_scan_id: Caller.newId(), code: sale.code.text, payer: { id: 'v-1', handle: '4790000001' } });
      refused(seen, 422, 'order-closed');
    });

    it('a till\'s code: one wallet is refused, and the same code is paid by the next', async () => {
      const sale = await order(till(), euro(2190));
      const first = await begin(sale.code.text, null, { agent: ALIPAY });
      await first.waitForURL(/\/cashier\//);
      await first.click('text="Do not pay"');
      await ends(first, 'Not paid');
      await first.leave();
      assert.equal((await till().read(sale.id, 'orders')).body.status, 'OPEN');
      const next = await begin(sale.code.text, 'page-epassi');
      await next.click('text="Pay with ePassi"');
      await next.click('text="Pay"');
      await next.click('text="Back to the shop"');
      await next.waitForSelector('text=/Paid/');
      await next.leave();
      await toldAs(till(), sale.id, 'payment.paid');
      assert.deepEqual(till().eventsOf(sale.id).map((e) => e.type), ['payment.paid']);
    });

    it('two payers stand before one sale: the second is told', async () => {
      const sale = await order(till(), euro(2990));
      const first = await begin(sale.code.text, null, { agent: ALIPAY });
      await first.waitForURL(/\/cashier\//);
      const second = await phones.visit();
      await second.goto(addressOf(sale.code.text));
      await second.waitForSelector('text="This code was used already, or has expired."');
      await first.click('text="Pay"');
      await ends(first, 'Paid');
      await first.leave();
      await second.leave();
    });

    it('in the dark, and by a wallet\'s own browser', async () => {
      const page = await phones.visit(ALIPAY, { colorScheme: 'dark' });
      await page.goto(addressOf(codeOf(cafe)));
      assert.ok(await page.isChecked('#page-alipay'));
      await page.picture('dark');
      await page.leave();
    });
  });

  it('the books as a whole', () => closing(w));
});
