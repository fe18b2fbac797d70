/*
 * A merchant's printed code and the wallets that unified.test.mjs has no room for: Bluecode, whose app shows codes and reads none of
 * ours, by the payers' page and the link that it answers; MOMO and Pagaqui, which send us the text by our partner API.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { Phones, browserPath } from './lib/browser.mjs';
import { euro } from './lib/caller.mjs';
import { closing, over } from './lib/checks.mjs';
import { World, until } from './lib/world.mjs';

let w, phones, code;
const till = () => w.callers['till-eur'];
const ctl = (...args) => {
  const env = { ...process.env, PGDATABASE: w.db, XW_CODE_GUID: 'org.crosswallet.play', XW_PAYER_ORIGIN: `https://127.0.0.1:${w.port(4)}` };
  const r = spawnSync(process.env.XW_SWITCHCTL, args, { encoding: 'utf8', env });
  assert.equal(r.status, 0, r.stderr);
  return r.stdout.trim();
};
/* The address in the scheme's template. */
const addressOf = (text) => /0010com\.alipay01\d\d(https:\/\/[^/]+\/[0-9a-z]{12,26}-\d\d)/.exec(text)[1];
const toldNew = async (from) => (await until(() => till().events.slice(from).find((e) => e.type === 'payment.paid'), 'the till is told')).data;

describe('a printed code', () => {
  before(async () => {
    w = await World.start('printed', { unified: 'others', expire_s: 20 });
    const token = ctl('merchant', 'add', 'till-eur', 'kiosk-7', '--name', 'Kiosk 7', '--mcc', '5994', '--currency', 'EUR', '--country', 'DE', '--city', 'Berlin',
      '--reason', 'contract of May', '--as', 'maria');
    code = ctl('merchant', 'code', token);
    if (browserPath) phones = await Phones.start(w.dir);
  });
  after(async () => { await phones?.stop(); await w?.stop(); });

  for (const [wallet, amount] of [['momo', 730], ['pagaqui', 1120]]) {
    it(`${wallet} sends the text, and then the amount`, async () => {
      const from = till().events.length;
      const { payment } = await w.fake(wallet, { do: 'scan', code, payer: 'user-approve' });
      await until(async () => (await w.fake(wallet, { do: 'show', payment })).status === 'OPEN', 'an answer to the scan');
      await w.fake(wallet, { do: 'confirm', payment, amount: String(amount), currency: 'EUR' });
      const paid = await toldNew(from);
      assert.deepEqual([paid.amount, paid.merchant.id], [euro(amount), 'kiosk-7']);
      const { moved } = await over(w, till(), paid.id, 'PAID');
      assert.deepEqual(moved, { [`${wallet} EUR`]: amount, 'till-eur EUR': -amount });
    });
  }

  describe('Bluecode, in Chromium', { skip: !browserPath && 'chromium is not installed' }, () => {
    const begin = async (address, amount) => {
      const page = await phones.visit();
      await page.goto(address);
      if (amount) await page.fill('#amount', amount);
      await page.check('#page-bluecode');
      await page.click('button');
      await page.waitForURL(/\/checkin\//);
      return page;
    };

    it('pays by the link into its app, and comes back', async () => {
      const from = till().events.length;
      const page = await begin(addressOf(code), '8,40');
      await page.click('text="Pay"');
      await page.waitForURL(/page-bluecode/);
      await page.waitForSelector('text="Paid"');
      await page.leave();
      const paid = await toldNew(from);
      assert.deepEqual([paid.amount, paid.merchant.id], [euro(840), 'kiosk-7']);
      const { moved } = await over(w, till(), paid.id, 'PAID');
      assert.deepEqual(moved, { 'bluecode EUR': 840, 'till-eur EUR': -840 });
    });

    it('says no', async () => {
      const page = await begin(addressOf(code), '3');
      await page.click('text="Cancel"');
      await page.waitForURL(/page-bluecode/);
      await page.waitForSelector('text="You declined it in your wallet."');
      await page.leave();
    });

    it('pays though the answer to its call was lost, and nobody called back', async () => {
      const from = till().events.length;
      await w.fake('bluecode', { do: 'misbehave', op: 'register', how: 'apply-then-silent' });
      await w.fake('bluecode', { do: 'misbehave', op: 'callback', how: 'silent' });
      const page = await phones.visit();
      await page.goto(addressOf(code));
      await page.fill('#amount', '5');
      await page.check('#page-bluecode');
      await page.click('button');
      await page.click('text="Continue with Bluecode"');
      await page.waitForURL(/\/checkin\//);
      await page.click('text="Pay"');
      await page.waitForSelector('text="Paid"');
      await page.leave();
      await over(w, till(), (await toldNew(from)).id, 'PAID');
    });

    it("a till's code for one sale is paid once, and then refused clearly, to a browser and to a wallet", async () => {
      const { partner_payment_id: id, code: _, ...rest } = till().order('', euro(1990));
      const sale = (await till().call('POST', '/v1/orders', { partner_order_id: id, ...rest })).body;
      const page = await begin(addressOf(sale.code.text));
      await page.click('text="Pay"');
      await page.waitForSelector('text="Paid"');
      await page.leave();
      const late = await phones.visit();
      assert.equal((await late.goto(addressOf(sale.code.text))).status(), 410);
      await late.waitForSelector('text="This code was used already, or has expired."');
      await late.leave();
      const { payment } = await w.fake('pagaqui', { do: 'scan', code: sale.code.text, payer: 'user-approve' });
      await until(async () => (await w.fake('pagaqui', { do: 'show', payment })).problem === 'order-closed', 'the wallet is told');
    });
  });

  it('the books as a whole', () => closing(w));
});
