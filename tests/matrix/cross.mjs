/*
 * Crosses one cell: begins the payment by the hands of the fakes, does what its outcome wants, and waits until the till says
 * what it should. What the books say of it is judged later (judge.mjs).
 *
 * The hard thing: a lost message is ordered from a fake for whoever comes next, so such a cell must be alone with that fake
 * (matrix.mjs sees to it).
 */
import { hands } from './hands.mjs';
import { order, until } from './../play/lib/look.mjs';
import { addressOf, look as lookAt, visit } from './visit.mjs';

const DOES = { cancel: 'pay', part: 'pay', refund: 'pay' };
const WORDS = { pay: 'PAID', pending: 'PAID', lost: 'PAID', decline: 'DECLINED', early: 'DECLINED', cancel: 'CANCELLED', part: 'PARTIALLY_REFUNDED', refund: 'REFUNDED' };
export const SECONDS = 75;

/* What the adapter's entry lacks is a failure of the cell, with these words. */
function hand(p, side) {
  const h = hands[p.adapter]?.[side];
  if (!h) throw new Error(`tests/matrix/hands.mjs says nothing of ${p.adapter} as ${side === 'issuer' ? 'a wallet' : 'a till'}`);
  return h;
}
const till = (p) => hand(p, 'acquirer');
const wants = (h, what, p) => h[what] ?? (() => { throw new Error(`tests/matrix/hands.mjs: ${p.adapter} has no "${what}"`); })();

/* What the wallet's entry says of this mode. */
const own = (c, i) => ({ CPM: i, MPM: asked(i), WEB: c.face?.asks_phone ? asked(i) : { ...i, ...i?.opened }, OUT: i?.credit })[c.mode] ?? {};
const asked = (i) => ({ mischief: i?.mischief, ...i?.scanned });

/* The order of mischief that this cell needs. */
export function mischiefOf(c) { return own(c, hands[c.issuer.adapter]?.issuer).mischief?.[c.outcome]; }

/* The till's word at the end. */
function wanted(c, i, a) {
  const wallets = own(c, i)[c.outcome];
  return (c.outcome === 'early' && wallets !== 'PAID' && a.undone) || (wallets ?? WORDS[c.outcome]);
}

/* `spoilt` is called when the mischief has been made: others may use that fake again. */
export async function cross(c, control, n, spoilt) {
  const to = (p) => (command) => order(control, p.name, command);
  const a = till(c.acquirer), i = hand(c.issuer, 'issuer'), f = to(c.acquirer), does = DOES[c.outcome] ?? c.outcome;
  c.money = { currency: a.currency ?? c.acquirer.currency, value: String(10000 + n) };
  const { late, ...mischief } = mischiefOf(c) ?? {};
  if (mischief.op) await to(c.issuer)({ do: 'misbehave', count: 1, ...mischief });
  await begin();
  const want = wanted(c, i, a), first = DOES[c.outcome] ? 'PAID' : want;
  await said(first);
  if (c.outcome === 'cancel') await a.cancel(f, c.ref);
  if (c.outcome === 'part' || c.outcome === 'refund') await giveBack();
  if (want !== first) await said(want);
  if (c.outcome === 'pending' && !c.waited) throw new Error('nobody was ever told that it is pending');
  Object.assign(c, { want, carried: own(c, i).carried });

  async function begin() {
    if (c.mode === 'OUT') {
      const payee = i.credit?.payee ?? wants(i, 'payer', c.issuer);
      const { payer, handle } = await payee(to(c.issuer), n, mischief.op ? 'pay' : does);
      c.ref = await wants(a, 'payout', c.acquirer)(f, c, `${c.issuer.name}/${handle ?? payer}`);
    } else if (c.mode === 'CPM') {
      c.ref = await wants(a, 'charge', c.acquirer)(f, c, await presents());
    } else if (c.mode === 'WEB') {
      const { ref, code } = await wants(a, 'order', c.acquirer)(f, c);
      c.ref = ref;
      c.web = await visit(addressOf(code), c.face.name, c.face.asks_phone && (await wants(i, 'payer', c.issuer)(to(c.issuer), n, does)).handle);
    } else {
      const { ref, code } = await wants(a, 'order', c.acquirer)(f, c);
      c.ref = ref;
      c.app = till(c.face);
      c.scan = await wants(c.app, 'scan', c.face)(to(c.face), code, await wants(i, 'payer', c.issuer)(to(c.issuer), n, does));
    }
  }
  async function presents() {
    if (c.fetched) return { code: await till(c.issuer).codes(to(c.issuer), await wants(i, 'payer', c.issuer)(to(c.issuer), n, does)) };
    return i.named ? { wallet: c.issuer.name } : { code: await wants(i, 'shows', c.issuer)(to(c.issuer), n, does) };
  }
  /* Both sides are looked at: the till, and where the payer scanned, his app. */
  async function look() {
    const t = await a.look(f, c.ref);
    const s = c.scan ? await c.app.look(to(c.face), c.scan) : c.web ? await lookAt(c.web) : t;
    c.payment = s.id || t.id || c.payment;
    c.told = [t.word, ...(s !== t ? [s.word] : [])];
    c.action = t.action ?? s.action;
    c.refunds = t.refunds;
    if (t.code ?? s.code) c.code = t.code ?? s.code;
    /* We name a payment to the till once the debit's call is out, or later. */
    if (s.word && (c.payment || c.web) && !late) spoilt();
    if (s.word === 'PENDING') {
      c.waited = true;
      const goes = own(c, i).goes;
      if (!c.gone && goes && c.action) {
        c.gone = true;
        if (does === 'pending') await new Promise((r) => { setTimeout(r, 1500); });
        await goes(to(c.issuer), c, does);
      }
    }
    return s;
  }
  async function said(what) {
    await until(async () => {
      const s = await look();
      if (c.refunds?.length && c.refunds.every((r) => r.status === 'DONE')) await a.read(f, c.ref);
      return c.told[0] === what || ((c.scan || c.web) && tolerated(what, s.word));
    }, () => `${what}; it is ${c.told} ${c.code ?? ''}`, SECONDS * 1000, 300);
  }
  /* Where the payer's side said no, a merchant's code merely stays unpaid. */
  /* What a wallet was to pay by itself lapses, and is closed, where it does not. */
  function tolerated(what, scan) {
    return what === 'DECLINED' && c.told[0] !== 'PAID' && (scan === what || (own(c, i).carried && scan === 'CANCELLED'));
  }
  async function giveBack() {
    const whole = c.outcome === 'refund' ? Number(c.money.value) : 4000;
    c.given = await a.refund(f, c.ref, { currency: c.money.currency, value: String(whole) });
  }
}
