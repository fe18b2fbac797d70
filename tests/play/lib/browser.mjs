/*
 * A payer's phone: Debian's Chromium, driven by playwright-core, without scripts, so that what works here works without
 * them. Each visit is a browser that remembers nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const which = (name) => { try { return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(); } catch { return ''; } };
export const browserPath = which('chromium');

export const ALIPAY = 'Mozilla/5.0 (Linux; Android 14; en-us) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36 AlipayClient/10.5.96 Language/en';
export const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';

export class Phones {
  static async start(dir) {
    const p = new Phones(), home = join(dir, 'home');
    mkdirSync(home, { recursive: true });
    p.dir = dir;
    p.browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], env: { ...process.env, HOME: home } });
    return p;
  }

  async stop() { await this.browser?.close(); }

  /* One visit; the page's pictures go to the world's folder. */
  async visit(userAgent = PHONE, o = {}) {
    const context = await this.browser.newContext({ userAgent, ignoreHTTPSErrors: true, javaScriptEnabled: false,
      viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, ...o });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    page.picture = (name) => page.screenshot({ path: join(this.dir, `${name}.png`), fullPage: true });
    page.leave = () => context.close();
    return page;
  }
}
