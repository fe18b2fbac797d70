/*
 * Judges the payments of cells whose till was content: our ledger's postings, the issuer's book and the acquirer's book must
 * agree, and be what the outcome wants. Then the books as a whole.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { bookOf, env, faultsOf, psql, psqlFile, until } from './../play/lib/look.mjs';

/* ledger.payment.state; ../../switch/core/state.def. */
const STATES = { PAID: [1], DECLINED: [2, 7], CANCELLED: [3], EXPIRED: [4], PARTIALLY_REFUNDED: [5], REFUNDED: [6] };

export async function books(control, names) {
  const db = env('XW_DB'), file = join(env('XW_MATRIX'), 'books');
  await until(async () => (await psql(db, 'select 1 from ledger.payment where not final limit 1')).length === 0, 'every payment final', 60000, 500)
    .catch(() => {}); /* each that is not fails its cell */
  await until(async () => (await psql(db, 'select 1 from ledger.outbox limit 1')).length === 0, 'everything told', 15000, 500).catch(() => {});
  const theirs = [];
  for (const name of names) theirs.push({ name, lines: await bookOf(control, name) });
  writeFileSync(file, theirs.map((b) => `${JSON.stringify(b)}\n`).join(''));
  const ours = JSON.parse(await psqlFile(db, join(env('XW_SOURCE'), 'tests/matrix/books.sql'), { books: file, since: '2000-01-01' }));
  const payment = new Map(ours.payments.map((p) => [p.id, p])), move = new Map(), line = new Map();
  for (const o of ours.ours) move.set(`${o.id} ${o.participant}`, o);
  for (const b of theirs) for (const l of b.lines.filter((x) => x.role !== 'scan' && x.id)) {
    const id = l.id.slice(0, 26), key = `${ours.orders[id] ?? id} ${b.name}`, sum = line.get(key) ?? { taken: 0, returned: 0 };
    line.set(key, { taken: sum.taken + l.taken, returned: sum.returned + l.returned });
  }
  return { ...ours, payment, move, line };
}

/* ledger.step: kinds of ../../switch/core/event.h, operations of ../../switch/base/op.def. */
const ANSWER = 2, NO_ANSWER = 3, DEBIT = 1, INQUIRE = 3, CREDIT = 15;

/* Was something lost indeed? A call of ours had no answer; or, where a browser carried it, we had to ask. */
const doubted = (c, steps) => (c.carried ? steps.some((s) => s.kind === ANSWER && s.op === INQUIRE)
  : steps.some((s) => s.kind === NO_ANSWER && [DEBIT, CREDIT].includes(s.op)));

/* Why a cell's payment is not as it should be; nothing where it is. */
export function fault(b, c) {
  /* A till that was refused may have no name for it; its amount is its own. */
  c.payment ??= b.payments.filter((x) => x.amount === Number(c.money.value) && x.currency === c.money.currency && x.acquirer === c.acquirer.number)[0]?.id;
  c.payment = b.orders[c.payment] ?? c.payment; /* which of the order's payments it became */
  const p = b.payment.get(c.payment);
  if (!p) return `the ledger has no payment ${c.payment}`;
  /* An order that a wallet was to pay by itself lapses where it does not. */
  const states = c.outcome === 'decline' && c.carried && c.mode === 'MPM' ? [2, 4] : c.outcome === 'early' && c.want !== 'PAID' ? [2, 3, 4, 7] : STATES[c.want];
  if (!p.final || !states.includes(p.state)) return `the ledger has it in state ${p.state}, ${p.final ? '' : 'not '}final, not ${c.want}`;
  const [payer, payee] = c.mode === 'OUT' ? [c.acquirer, c.issuer] : [c.issuer, c.acquirer];
  if (!['decline', 'early'].includes(c.outcome) && (p.issuer !== payer.number || p.acquirer !== payee.number)) return `it went from ${p.issuer} to ${p.acquirer}`;
  if (['lost', 'early'].includes(c.outcome) && !doubted(c, p.steps)) return 'nothing was lost';
  const apart = b.difference.filter((d) => d.id === c.payment);
  if (apart.length) return apart.map((d) => `${d.participant}: ${d.ours} ${d.currency} in our books, ${d.theirs} in its own`).join('; ');
  const open = b.exceptions.find((e) => e.payment === c.payment);
  if (open) return `a person is to look at it: ${open.detail}`;
  return moved(b, c, payer, payee);
}

function moved(b, c, payer, payee) {
  const ours = (x) => b.move.get(`${c.payment} ${x.number}`)?.amount ?? 0, line = (x) => b.line.get(`${c.payment} ${x.name}`) ?? { taken: 0, returned: 0 };
  const asked = c.due ?? Number(c.money.value), from = ours(payer), to = -ours(payee), paid = line(payer);
  const said = `${payer.name} ${from}, ${payee.name} ${to} of ${asked}; its book ${paid.taken} - ${paid.returned}`;
  switch (c.want) {
    case 'PAID':
      return from > 0 && paid.taken === from && paid.returned === 0 && (c.mode === 'OUT' ? to > 0 : to === asked) ? undefined : `paid: ${said}`;
    case 'PARTIALLY_REFUNDED':
      return from > 0 && paid.returned > 0 && from === paid.taken - paid.returned && to === asked - c.given ? undefined : `refunded in part: ${said}, ${c.given}`;
    case 'REFUNDED':
    case 'CANCELLED':
      if (c.outcome === 'early') break;
      return from === 0 && to === 0 && paid.taken > 0 && paid.taken === paid.returned ? undefined : `given back: ${said}`;
  }
  return from === 0 && to === 0 && paid.taken === paid.returned ? undefined : `not paid: ${said}`;
}

/* The books as a whole: what must not be there, each a sentence. */
export async function whole(b, cells) {
  const mine = new Set(cells.map((c) => c.payment));
  return [
    ...await faultsOf(env('XW_DB')),
    ...b.reserved.map((r) => `${r.reserved} stay reserved on ${r.account}`),
    ...b.posted.map((s) => `all accounts sum to ${s.sum} ${s.currency}`),
    ...b.exceptions.filter((e) => !mine.has(e.payment)).map((e) => `an exception item of ${e.payment ?? 'nobody'}: ${e.detail}`),
    ...b.difference.filter((d) => !mine.has(d.id)).map((d) => `${d.id} with ${d.participant}: ${d.ours} ${d.currency} in our books, ${d.theirs} in its own`),
  ];
}
