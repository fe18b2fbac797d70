/*
 * The cells: every issuer by every acquirer, by mode and outcome, from who takes part and what each can do. A cell that cannot
 * be crossed has `why`, which is made of the switch's own tables: what an adapter asks and serves, routes, who is debited through
 * whom. Must never say so of what merely fails.
 */
import { hands } from './hands.mjs';

export const OUTCOMES = ['pay', 'decline', 'pending', 'lost', 'early', 'cancel', 'part', 'refund'];
export const CREDITS = ['pay', 'decline', 'pending', 'lost', 'early'];

const serves = (p, op) => p.serves.includes(op);

/* Whose users' scans reach us: the issuer itself, or who is debited through it. */
const scanners = (all, issuer) => all.filter((p) => p.issuer && p.called && serves(p, 'resolve') && (p.name === issuer.name || p.debit_via === issuer.name));
const routed = (routes, mode, to, from) => routes.find((r) => r.mode === mode && r.to === to.name && (!r.from || !from || r.from === from.name));

/* A payer's code at a till: of the wallet's own, or one that the acquirer's side makes for the wallets that ask it. */
function presented({ routes }, issuer, acquirer) {
  if (!serves(acquirer, 'debit')) return { why: `${acquirer.name} has no call that charges a payer's code` };
  if (hands[issuer.adapter]?.issuer?.named && hands[acquirer.adapter]?.acquirer?.names === undefined && !acquirer.asks.includes('codes')) {
    return { why: `the wallet has no code that a till could scan, and nothing in the protocol of ${acquirer.name} names a wallet` };
  }
  if (!acquirer.asks.includes('codes')) {
    /* Codes that we make for a wallet lead to it without a row. */
    const ours = serves(issuer, 'codes') && !routes.some((r) => r.scheme === 'payer-codes' && r.from === issuer.name);
    return ours || routed(routes, 'C', issuer, acquirer) ? {} : { why: `no route leads a payer's code to ${issuer.name}` };
  }
  if (!serves(issuer, 'codes')) return { why: `${acquirer.name} charges codes alone that it made itself, and the wallet's protocol has no call to ask for them` };
  return routes.some((r) => r.scheme === 'payer-codes' && r.from === issuer.name && r.to === acquirer.name) ? { fetched: true }
    : { why: `no route gives ${issuer.name} codes of ${acquirer.name}` };
}

/* A merchant's code that the payer scans. */
function scanned({ participants, routes }, issuer, acquirer) {
  if (issuer.scheme && acquirer.scheme && issuer.adapter === acquirer.adapter) return { why: 'both are sides of one scheme, which crosses that by itself' };
  const [face] = scanners(participants, issuer);
  if (!face) return { why: `the wallet's protocol has no call that brings us what its users scan` };
  if (!serves(acquirer, 'order') && !routed(routes, 'M', acquirer, face)) return { why: `no code of ${acquirer.name} leads to us` };
  return { face };
}

/* A merchant's code whose address the payer's browser opens: a page of ours, on which he chooses the wallet. */
function opened({ participants }, issuer, acquirer) {
  const face = participants.find((p) => p.pages && p.debit_via === issuer.name);
  if (!face) return { why: `none of our pages for payers is for this wallet` };
  return serves(acquirer, 'order') ? { face } : { why: `the codes of ${acquirer.name} are not ours, and have no page` };
}

/* A pay-out, which the acquirer pays. */
function credited(roster, issuer, acquirer) {
  if (!issuer.asks.includes('credit')) return { why: `the wallet's protocol has no public message that credits a payer` };
  return serves(acquirer, 'credit') ? {} : { why: `the protocol of ${acquirer.name} has no call that asks us for a pay-out` };
}

const MODES = { CPM: [presented, OUTCOMES], MPM: [scanned, OUTCOMES], WEB: [opened, OUTCOMES], OUT: [credited, CREDITS] };

/* Outcomes that cannot come about between these two, by their caps rows. */
function none({ issuer, face, mode, outcome }) {
  if (mode === 'MPM' && face === issuer && issuer.debits_itself && ['lost', 'early'].includes(outcome)) {
    return { why: 'the wallet debits itself and tells us until it is heard: no debit of ours can be lost' };
  }
  if (mode === 'OUT' && outcome === 'early' && issuer.once.includes('credit')) {
    return { why: 'a pay-out that cannot be found is never sent again: a person decides, and nothing ends it before' };
  }
  return {};
}

export function cellsOf(roster) {
  /* A participant that only scans is a face of the one that is debited. */
  const issuers = roster.participants.filter((p) => p.issuer && !p.debit_via), acquirers = roster.participants.filter((p) => p.acquirer);
  const cells = [];
  for (const issuer of issuers) for (const acquirer of acquirers) for (const [mode, [how, outcomes]] of Object.entries(MODES)) {
    const found = how(roster, issuer, acquirer);
    for (const outcome of outcomes) {
      const c = { name: `${issuer.name}/${acquirer.name}/${mode}/${outcome}`, issuer, acquirer, mode, outcome, ...found };
      cells.push({ ...none(c), ...c });
    }
  }
  return cells;
}

/* "swish", "swish/till-eur", "*" + "/till-eur/CPM/pay": the first parts of a cell's name. */
export function chosen(cells, pattern) {
  const want = pattern.split('/');
  return cells.filter((c) => want.every((w, i) => w === '*' || c.name.split('/')[i] === w));
}
