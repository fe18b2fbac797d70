/*
 * How each fake's hand does things, by adapter. A new participant of an adapter that is here needs nothing; a new adapter
 * needs an entry. Nothing may be keyed by a participant.
 *
 * As a wallet:
 *   shows(f, n, does)      the code that its payer shows at a till; or, where it has none that a till could scan,
 *   named                  the payer names it, and
 *   goes(f, c, does)       goes on from what the till shows, c.action; c.payment is the switch's id
 *   payer(f, n, does)      who scans: what the app says of him, and where he is debited
 *   mischief               the order that makes `lost` or `early` happen, where the payer himself cannot stand for it
 *   early, lost            the till's word then under CPM, where it is not DECLINED and PAID
 *   carried                the debit is no call of ours: the payer's browser or wallet brings it about
 *   scanned, opened, credit   the same for MPM; for WEB, where our page does not ask for a number; and for a pay-out, with the
 *                          payee where he is not told by `payer`
 * As a till, and as a wallet's app:
 *   undone                 its word where nothing came of a payment; DECLINED where not said
 *   names                  its payer may name a wallet
 *   charge, order, payout, scan, codes       begin; they give the name by which the fake knows it
 *   look(f, ref)           { word, id, ... }: what it believes, in the words of the partner API
 *   cancel, refund, read
 * `fake` are settings of the fake in these runs, so that seconds pass where life has minutes.
 *
 * f(command) orders the fake about; n is unique; `does` is what happens: pay, decline, pending (approved after LATE_MS), lost (the
 * answer, after it took effect), early (the request, before it did).
 */
import { until } from './../play/lib/look.mjs';

const LATE_MS = 5000;

/* The answer or the request that is lost, of one operation; `late` where it may be asked again in the same payment. */
const spoil = (op, late = false) => ({ lost: { op, how: 'apply-then-silent', late }, early: { op, how: 'silent', late } });

/* A till knows what is wrong before it knows a state; an app whose user agreed is told so in place of a new one. */
const word = (s) => (s.problem && (s.status ?? 'OPEN') === 'OPEN' ? 'DECLINED' : s.status ?? '');
const phone = (country, n, does, no = '02') => `${country}${String(n).padStart(6, '0')}${{ decline: no, pending: '04' }[does] ?? '01'}`;
const minted = async (f, command) => { const s = await f({ do: 'mint-code', ...command }); return s.codes?.[0] ?? s.code; };
const number = (m) => ({ amount: String(m.value), currency: m.currency });
const shown = (f, ref, what) => until(async () => (await f({ do: 'show', payment: ref }))[what], `${what} of ${ref}`, 15000, 200);

/* Codes of ../../adapters/fake/shown.h. */
const shownCodes = (op, decline) => ({
  shows: (f, n, does) => minted(f, does === 'pending' ? { behaviour: 'password-then-approve', ms: LATE_MS }
    : { behaviour: does === 'decline' ? `decline:${decline}` : 'approve' }),
  mischief: spoil(op),
});

/* Who is shown a link, and opens it; refuses in the app, by the payment's name there. */
const link = (more) => ({
  named: true,
  goes: (f, c, does) => f({ do: does === 'decline' ? 'app-refuse' : 'browse', url: c.action }),
  ...more,
});

/* Who goes on in a browser of ../../adapters/fake/visit.h. The browser carries it all: it is closed before or after he paid, and
 * then the wallet's own server, which tells us by `op`, is not heard either. */
const browser = (op) => ({
  named: true,
  carried: true,
  goes: (f, c, does) => f({ do: 'browse', url: c.action, behaviour: { decline: 'cancel', lost: 'pay-and-go', early: 'leave' }[does] ?? 'pay' }),
  mischief: { lost: { op, how: 'silent', late: true } },
  early: 'EXPIRED',
});

const PARTNER = { pay: 'approve', decline: 'decline', pending: `pending-then-approve:${LATE_MS}`, lost: 'apply-then-silent', early: 'silent' };

const APS = (does) => ({ ms: does === 'pending' ? LATE_MS : 0,
  behaviour: { decline: 'decline', pending: 'pending-then-approve', lost: 'apply-then-silent-no-notify', early: 'silent' }[does] ?? 'approve' });

/* Who is debited by the wallet alone: nobody hears it, or nobody pays. */
const alone = (does) => ({ ...APS(does), ...{ lost: { behaviour: 'approve-no-notify' }, early: { behaviour: 'pending' } }[does] });

export const hands = {
  alipay: { issuer: shownCodes('pay', 'BUYER_BALANCE_NOT_ENOUGH') },

  alipayplus: {
    fake: { time_divisor: '4' },
    issuer: {
      shows: (f, n, does) => minted(f, APS(does)),
      /* What its users scan it debits by itself, and notifies: or not, since nobody hears it or nobody pays. */
      payer: (f, n, does) => alone(does),
      scanned: { carried: true },
      opened: { carried: true, goes: (f, c, does) => f({ do: 'scan', code: c.action, ...alone(does) }), early: 'EXPIRED' },
    },
    acquirer: {
      currency: 'SGD',
      scan: async (f, code, how) => (await f({ do: 'scan', code, ...how })).paymentId,
      charge: async (f, c, by) => begun(c, await f({ do: 'till-pay', code: by.code, ...c.money })),
      order: async (f, c) => { const s = await f({ do: 'order', ...c.money }); return { ref: begun(c, s), code: s.codeValue }; },
      look: async (f, ref) => {
        const s = await f({ do: 'get', id: ref });
        const paid = s.returned === 0 ? 'PAID' : s.returned < s.taken ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
        return { id: s.id, word: { open: 'PENDING', paid, failed: 'DECLINED', reversed: 'CANCELLED', closed: 'CANCELLED' }[s.state], code: s.resultCode };
      },
      cancel: (f, ref) => f({ do: 'cancel', id: ref }),
      refund: async (f, ref, m) => Number((await f({ do: 'refund', id: ref, value: m.value })).refundFromAmount.value),
      read: () => {},
    },
  },

  apsmember: {
    fake: { time_divisor: '4' },
    issuer: {
      shows: async (f, n, does) => shown(f, (await f({ do: 'codes', payer: `user-${PARTNER[does]}` })).payment, 'code'),
      payer: (f, n, does) => ({ payer: `user-${PARTNER[does]}` }),
      scanned: { carried: true },
    },
    acquirer: {
      undone: 'DECLINED',
      charge: async (f, c, by) => (await f({ do: 'pay', ...number(c.money), ...by })).payment,
      order: async (f, c) => { const ref = (await f({ do: 'order', ...number(c.money) })).payment; return { ref, code: await shown(f, ref, 'code') }; },
      scan: async (f, code, payer) => (await f({ do: 'scan', code, confirm: true, ...payer })).payment,
      look: async (f, ref) => {
        const s = await f({ do: 'show', payment: ref });
        return { id: s.switch_id, word: word(s), code: s.problem ?? s.refused };
      },
      cancel: (f, ref) => f({ do: 'cancel', payment: ref }),
      refund: async (f, ref, m) => { await f({ do: 'refund', payment: ref, amount: m.value, currency: m.currency }); return Number(m.value); },
      read: () => {},
    },
  },

  bancontact: { issuer: link({ mischief: spoil('create') }) },

  bluecode: {
    issuer: {
      shows: (f, n, does) => minted(f, does === 'pending' ? { behaviour: 'processing-then-approve', ms: LATE_MS }
        : { behaviour: does === 'decline' ? 'decline:INSUFFICIENT_FUNDS' : 'approve' }),
      mischief: spoil('payment'),
      /* By the link into its app. */
      opened: { goes: (f, c, does) => f({ do: 'browse', url: c.action, behaviour: does === 'decline' ? 'cancel' : 'pay' }), mischief: spoil('register') },
    },
  },

  bluecodetill: {
    acquirer: {
      undone: 'CANCELLED', /* its word for what ended without anybody's decision */
      charge: async (f, c, by) => (await f({ do: 'pay', ...number(c.money), ...by, terminal: `kasse-${c.money.value}` })).payment,
      order: async (f, c) => {
        const ref = (await f({ do: 'order', amount: c.money.value, terminal: `kasse-${c.money.value}` })).payment;
        return { ref, code: await shown(f, ref, 'code') };
      },
      look: async (f, ref) => { const s = await f({ do: 'show', payment: ref }); return { id: s.switch_id, word: s.status, code: s.reason }; },
      cancel: (f, ref) => f({ do: 'cancel', payment: ref }),
      refund: async (f, ref, m) => { await f({ do: 'refund', payment: ref, amount: m.value }); return Number(m.value); },
      read: () => {},
    },
  },

  epassi: { issuer: browser('notify') },

  partner: {
    issuer: {
      shows: (f, n, does) => minted(f, { behaviour: PARTNER[does] }),
      payer: async (f, n, does) => { await f({ do: 'mint-user', handle: `m-${n}`, behaviour: PARTNER[does] }); return { payer: `m-${n}` }; },
      /* Asked again, it does it; a user who never answers would never answer. */
      credit: { mischief: { early: { op: 'credit', how: 'silent' } }, early: 'PAID' },
    },
    acquirer: {
      names: true,
      charge: async (f, c, by) => (await f({ do: 'pay', ...number(c.money), ...by })).payment,
      order: async (f, c) => { const ref = (await f({ do: 'order', ...number(c.money) })).payment; return { ref, code: await shown(f, ref, 'code') }; },
      payout: async (f, c, payee) => (await f({ do: 'payout', ...number(c.money), payee })).payment,
      scan: async (f, code, payer) => (await f({ do: 'scan', code, confirm: true, ...payer })).payment,
      codes: async (f, payer) => shown(f, (await f({ do: 'codes', ...payer })).payment, 'code'),
      look: async (f, ref) => {
        const s = await f({ do: 'show', payment: ref });
        return { id: s.switch_id, word: word(s), code: s.problem, action: s.action, refunds: s.refunds };
      },
      cancel: (f, ref) => f({ do: 'cancel', payment: ref }),
      refund: async (f, ref, m) => { await f({ do: 'refund', payment: ref, ...number(m) }); return Number(m.value); },
      /* Of a refund the fake reads the refund; a look at the payment is asked for. */
      read: (f, ref) => f({ do: 'get', payment: ref }),
    },
  },

  pivo: { issuer: browser('callback') },

  /* What asks what became of it is the create again, by the same key. */
  satispay: { issuer: link({ mischief: spoil('create', true), early: 'PAID' }) },

  swish: {
    fake: { late_ms: String(LATE_MS) },
    /* The link was in the answer that got lost: where the till knows no number, nobody can go on. */
    issuer: link({
      payer: (f, n, does) => ({ payer: `m-${n}`, handle: phone('4670', n, does) }),
      mischief: spoil('create'),
      lost: 'EXPIRED',
      credit: {
        payee: (f, n, does) => ({ handle: phone('4670', n, does, '05') }),
        mischief: spoil('payout'),
      },
    }),
  },

  twint: { issuer: link({ mischief: spoil('start'), lost: 'EXPIRED' }) }, /* as Swish */

  vipps: {
    fake: { late_ms: String(LATE_MS) },
    issuer: {
      shows: (f, n, does) => minted(f, { phone: phone('47', n, does) }),
      payer: (f, n, does) => ({ payer: `m-${n}`, handle: phone('47', n, does) }),
      mischief: spoil('create'),
    },
  },

  vippstill: {
    fake: { poll_first_ms: '1000', poll_ms: '1000' },
    acquirer: {
      /* What is captured cannot be cancelled there: its cashier cancels before. */
      charge: async (f, c, by) => (await f({ do: 'pay', ...number(c.money), ...by, capture: c.outcome !== 'cancel' })).payment,
      order: async (f, c) => {
        const ref = (await f({ do: 'order', ...number(c.money), capture: c.outcome !== 'cancel' })).payment;
        return { ref, code: await shown(f, ref, 'code') };
      },
      look: async (f, ref) => { const s = await f({ do: 'show', payment: ref }); return { id: s.switch_id, word: s.status, code: s.fault ?? s.number }; },
      cancel: (f, ref) => f({ do: 'cancel', payment: ref }),
      refund: async (f, ref, m) => { await f({ do: 'refund', payment: ref, amount: m.value }); return Number(m.value); },
      read: () => {},
    },
  },

  wechatpay: { issuer: shownCodes('pay', 'NOT_ENOUGH') },
};

/* Of the scheme: what it owes the wallet's side for it is in another currency than the merchant's. */
function begun(c, s) {
  c.due = Number(s.payToAmount.value);
  return s.paymentRequestId;
}
