/*
 * Every issuer by every acquirer, in each way and with each outcome: crosses the cells, dozens at once, judges them by all books,
 * and prints the table. README.md says what a cell is.
 *
 *   matrix.mjs [--json] [--only CELL]     in the environment of deploy/xw/matrix.sh
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { cellsOf, chosen } from './cells.mjs';
import { SECONDS, cross, mischiefOf } from './cross.mjs';
import { books, fault, whole } from './judge.mjs';
import { env } from './../play/lib/look.mjs';
import { table } from './table.mjs';

const AT_ONCE = 40;
const args = process.argv.slice(2), only = args.includes('--only') ? args[args.indexOf('--only') + 1] : '*';
const roster = JSON.parse(readFileSync(join(env('XW_MATRIX'), 'roster.json'))), control = Number(env('XW_CONTROL'));
const cells = chosen(cellsOf(roster), only), open = cells.filter((c) => !c.why);
if (!cells.length) {
  console.error(`matrix: there is no cell ${only}`);
  process.exit(2);
}
const began = Date.now();
await crossAll();
const b = await books(control, roster.participants.filter((p) => p.called).map((p) => p.name));
for (const c of open) c.fault ??= fault(b, c);
const faults = await whole(b, cells);
report();

/*
 * A cell that orders mischief is alone with its issuer's fake until that is made: such cells come when the issuer's others are
 * over, one after another. Behind each two comes one that is simply paid, alone too: a wallet that never answers gets no payments.
 */
function lineUp() {
  const wild = open.filter(mischiefOf), alone = [];
  for (const issuer of new Set(wild.map((c) => c.issuer))) {
    const paid = open.filter((c) => c.issuer === issuer && c.outcome === 'pay' && !mischiefOf(c));
    wild.filter((c) => c.issuer === issuer).forEach((c, i) => alone.push(c, ...(i % 2 ? paid.splice(0, 1) : [])));
  }
  return { alone: new Set(alone), waiting: [...open.filter((c) => !alone.includes(c)), ...alone] };
}

async function crossAll() {
  const { alone, waiting } = lineUp(), shared = new Map(), taken = new Set();
  let running = 0, n = 0, wake;
  for (const c of open) if (!alone.has(c)) shared.set(c.issuer, (shared.get(c.issuer) ?? 0) + 1);
  const ready = (c) => !alone.has(c) || (!shared.get(c.issuer) && !taken.has(c.issuer));
  while (waiting.length || running) {
    const next = running < AT_ONCE ? waiting.findIndex(ready) : -1;
    if (next < 0) { await new Promise((r) => { wake = r; }); continue; }
    const [c] = waiting.splice(next, 1);
    const leave = () => { if (alone.has(c)) taken.delete(c.issuer); wake?.(); };
    if (alone.has(c)) taken.add(c.issuer);
    running++;
    one(c, ++n, once(leave)).finally(() => {
      running--;
      if (!alone.has(c)) shared.set(c.issuer, shared.get(c.issuer) - 1);
      wake?.();
    });
  }
}
function once(f) { let done = false; return () => { if (!done) f(); done = true; }; }

async function one(c, n, spoilt) {
  const start = Date.now();
  try { await cross(c, control, n, spoilt); } catch (e) { c.fault = e.message; }
  spoilt();
  c.seconds = (Date.now() - start) / 1000;
  if (n % 50 === 0 || c.fault) console.error(c.fault ? `      ${c.name}: ${c.fault}` : `      ${n} of ${open.length}`);
}

function report() {
  const failed = open.filter((c) => c.fault), passed = open.length - failed.length, impossible = cells.length - open.length;
  process.stdout.write(table(cells));
  for (const c of failed) console.log(`FAILED ${c.name}: ${c.fault}\n       ./xw matrix --only ${c.name}`);
  for (const f of faults) console.log(`FAILED the books: ${f}`);
  console.log(`\n${cells.length} cells in ${Math.round((Date.now() - began) / 1000)} s: ${passed} passed, ${failed.length + faults.length} failed, ${impossible} impossible`);
  if (args.includes('--json')) {
    console.log(JSON.stringify({
      cells: cells.map((c) => ({ cell: c.name, issuer: c.issuer.name, acquirer: c.acquirer.name, mode: c.mode, outcome: c.outcome,
        result: c.why ? 'impossible' : c.fault ? 'failed' : 'passed', why: c.why ?? c.fault, payment: c.payment, seconds: c.seconds })),
      passed, failed: failed.length + faults.length, impossible, faults }));
  }
  process.exitCode = failed.length + faults.length ? 1 : 0;
}
