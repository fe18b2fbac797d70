/*
 * What must hold of a payment once it is over, whoever took part: what the caller was told, the ledger, and the fakes' books
 * say the same, to the minor unit.
 */
import assert from 'node:assert/strict';

import { until } from './world.mjs';

const WORDS = ['', 'PAID', 'DECLINED', 'CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DECLINED', 'WRITTEN_OFF'];
const fakes = (w) => Object.values(w.participants).filter((p) => !p.caller && !p.byFile && !p.page).map((p) => p.name);
/* A line's sign on our position: what a till, the scheme as our till, or the payee of a credit got, we owe. */
const signOf = (line) => (line.leg?.startsWith('mpp-') || ['credit', 'acquirer'].includes(line.role) ? -1 : 1);
const PATHS = { 'vipps-server': 'scans' };

/* What fakes say that a payment moved on our position with them. */
export async function booked(w, id) {
  const sums = {};
  for (const name of fakes(w)) {
    for (const line of (await w.book(name, id)).filter((l) => l.role !== 'scan')) {
      const key = `${name} ${line.currency}`, sign = signOf(line);
      sums[key] = (sums[key] ?? 0) + sign * (line.taken - line.returned);
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, v]) => v !== 0));
}

const without = (moved, ...names) => Object.fromEntries(Object.entries(moved).filter(([k, v]) => v !== 0 && !names.includes(k.split(' ')[0])));

/*
 * Waits until the payment is over with this word, and checks it from all sides. Returns { payment, moved, object }; `moved` as
 * "participant CURRENCY": minor units that they owe us.
 */
export async function over(w, caller, id, word, ms = 25000) {
  const kind = PATHS[caller.p.name] ?? 'payments', words = [word].flat();
  const payment = await until(async () => {
    const p = await w.payment(id);
    return p?.final && words.includes(WORDS[p.state]) && p;
  }, `${id} ${word}`, ms).catch(async (e) => {
    const p = await w.payment(id);
    throw new Error(`${e.message}; it is ${WORDS[p?.state] ?? '?'} (${p?.state}), final ${p?.final}`, { cause: e });
  });
  assert.deepEqual(await w.balanced(id), [], 'every currency sums to zero, and nothing stays reserved');
  const moved = await w.moved(id);
  assert.deepEqual(without(moved, 'till-eur', 'till-nok', 'vipps-server', 'vipps-till'), await booked(w, id), 'the ledger and the books of the fakes agree');
  /* A process that has just begun may ask to come back. */
  const { body: object } = await until(() => caller.read(id, kind).then((a) => (a.status === 503 && a.body.retryable ? null : a)), 'a read');
  assert.equal(object.status, WORDS[payment.state], 'the caller reads the same');
  assert.deepEqual(await w.psql(`select * from ledger.exception_open where payment = '${payment.payment}'`), [], 'nothing for a person to look at');
  return { payment, moved: without(moved), object };
}

/* The final word as a webhook, signed; the newest one counts. */
export async function toldAs(caller, id, type) {
  const event = await until(() => caller.eventsOf(id).find((e) => e.type === type), `webhook ${type} of ${id}`);
  assert.equal(caller.unverified, 0, 'every webhook is signed');
  return event;
}

/* A problem document of the catalogue. */
export function refused(answer, status, slug) {
  assert.equal(answer.status, status, `${status} ${slug}, not ${answer.text}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.match(answer.body.type, new RegExp(`/problems/${slug}$`));
  assert.equal(answer.body.status, status);
  return answer.body;
}

/* At the end of a world: the books as a whole. */
export async function closing(w) {
  assert.deepEqual(await w.psql('select currency, sum(posted) as posted, sum(reserved) as reserved from ledger.balance group by 1 having sum(posted) <> 0'), [], 'all accounts sum to zero');
  assert.deepEqual(await w.psql('select name, currency, reserved from ledger.balance where reserved <> 0'), [], 'nothing is reserved');
  assert.deepEqual(await w.faults(), [], 'schema/zero finds nothing');
  const theirs = {};
  for (const name of fakes(w)) {
    for (const line of (await w.book(name)).filter((l) => l.role !== 'scan')) {
      const key = `${name} ${line.currency}`, sign = signOf(line);
      theirs[key] = (theirs[key] ?? 0) + sign * (line.taken - line.returned);
    }
  }
  const ours = {};
  for (const r of await w.psql('select agreement, currency, posted::text as posted from ledger.balance where class = \'position\' and posted <> 0')) {
    const p = Object.values(w.participants).find((q) => q.number === r.agreement);
    if (!p.caller && !p.byFile) ours[`${p.name} ${r.currency}`] = Number(r.posted);
  }
  assert.deepEqual(ours, Object.fromEntries(Object.entries(theirs).filter(([, v]) => v !== 0)), 'positions equal the books of the fakes');
  const crashed = w.log().filter((l) => /"lvl":"error"|CHECK|check failed/.test(l));
  assert.deepEqual(crashed, [], 'no error in the log');
}
