/*
 * A payer with a browser at our own pages: from the address in a merchant's code to where the wallet's own page is, and how it
 * stands. HTML is read by what a person would see in it; forms are posted as a browser posts them, without scripts.
 *
 * Must never ask the switch anything that a payer could not.
 */
import { readFileSync } from 'node:fs';
import https from 'node:https';

import { env } from './../play/lib/look.mjs';

const agent = new https.Agent({ keepAlive: true, maxSockets: 8, ca: readFileSync(env('XW_CA')) });

function browse(method, url, form) {
  const body = form && new URLSearchParams(form).toString();
  return new Promise((ok, no) => {
    const q = https.request(url, { method, agent, headers: body === undefined ? {} : {
      'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, origin: new URL(url).origin } }, (a) => {
      const parts = [];
      a.on('data', (d) => parts.push(d)).on('end', () => ok({ status: a.statusCode, to: a.headers.location && new URL(a.headers.location, url).href,
        html: Buffer.concat(parts).toString() }));
    });
    q.on('error', no).end(body);
  });
}

const found = (html, what) => what.exec(html)?.[1]?.replaceAll('&amp;', '&');
const alert = (a) => found(a.html, /role="alert">([^<]*)/) ?? `${a.status}`;

/* The address in the scheme's template, which says how long it is. */
export function addressOf(code) {
  const m = /0010com\.alipay01(\d\d)/.exec(code);
  if (!m) throw new Error(`no address in ${code}`);
  return code.substr(m.index + m[0].length, Number(m[1]));
}

/* Chooses the wallet, agrees to what he sees, and is sent on; the address where it can be looked at. `url`: of the code's page. */
export async function visit(url, wallet, phone) {
  const page = await browse('GET', url);
  const form = { id: found(page.html, /name="id" value="([0-9a-z]{26})"/), wallet, ...(phone && { [`phone-${wallet}`]: `+${phone}` }) };
  if (!form.id) throw new Error(`the code's page: ${alert(page)}`);
  const chosen = await browse('POST', url, form);
  if (!chosen.to) throw new Error(`the choice of ${wallet}: ${alert(chosen)}`);
  const agreed = await browse('POST', chosen.to, chosen.status === 307 ? form : {});
  return { at: chosen.to, action: agreed.to !== chosen.to ? agreed.to : undefined };
}

/* The words of the partner API for what the page says. */
const ENDS = [[/class="good">Paid/, 'PAID'], [/not approved in time/, 'EXPIRED'], [/Whatever was taken is given back/, 'CANCELLED'], [/class="bad">Not paid/, 'DECLINED'],
  [/>Not paid yet|>Waiting for /, 'PENDING'], [/>Confirm your payment/, 'OPEN']];

export async function look(v) {
  const page = await browse('GET', v.at);
  v.action = found(page.html, /<a class="button" href="([^"]+)"/) ?? v.action;
  return { word: ENDS.find(([sign]) => sign.test(page.html))?.[1] ?? '', action: v.action };
}
