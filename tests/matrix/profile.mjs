/*
 * Makes a configuration's times short: rows of `timings` in the participants' files, which is where an operator would put them,
 * and settings of the fakes. What takes minutes in production takes seconds, by the same code.
 *
 *   profile.mjs CONF ROSTER     CONF is changed in place
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { hands } from './hands.mjs';

const [conf, roster] = process.argv.slice(2);
const OPS = ['debit', 'capture', 'inquire', 'cancel', 'refund', 'inquire-refund', 'tell', 'credit', 'notify'];
const ROWS = 8; /* as many as a participant may have */
const LADDERLESS = ['debit'];
const ladder = '1 1 1 1 1 1 2 2 2 2 2 3 3 3 3 3 5 5 5 5';

/* not_found_s: how long "no such payment" may still mean "not yet". */
const row = (op) => `  - {op: ${op}, allowed_ms: "2000"${op.startsWith('inquire') ? ', not_found_s: "3"' : ''}${LADDERLESS.includes(op) ? '' : `, ladder: "${ladder}"`}}\n`;

for (const p of JSON.parse(readFileSync(roster)).participants) {
  const rows = OPS.filter((op) => p.asks.includes(op)).slice(0, ROWS).map(row).join('');
  const file = join(conf, 'participants', `${p.name}.yaml`), rest = readFileSync(file, 'utf8').replace(/^(hold_ms|expire_s):.*\n/gm, '');
  writeFileSync(file, `${rest}\nhold_ms: "1500"\nexpire_s: "40"\n${rows && `timings:\n${rows}`}`);
}
const sandbox = join(conf, 'switchsandbox.json'), object = JSON.parse(readFileSync(sandbox));
for (const f of object.participants) Object.assign(f.settings, hands[f.fake]?.fake);
writeFileSync(sandbox, JSON.stringify(object, null, 1));
