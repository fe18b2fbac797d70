/* The matrix for people: a table for each mode, rows issuers, columns acquirers; in a cell how many outcomes passed, or the number
 * of the footnote that says why none can. */
export function table(cells) {
  const notes = [], names = (side) => [...new Set(cells.map((c) => c[side].name))];
  const note = (why) => { if (!notes.includes(why)) notes.push(why); return `${notes.indexOf(why) + 1})`; };
  const issuers = names('issuer'), acquirers = names('acquirer'), wide = (list) => Math.max(...list.map((s) => s.length));
  let out = '';
  const say = (group) => {
    if (!group.length) return '';
    const can = group.filter((c) => !c.why), bad = can.filter((c) => c.fault).length;
    if (!can.length) return `- ${note(group[0].why)}`;
    const rest = [...new Set(group.filter((c) => c.why).map((c) => note(c.why)))].map((x) => ` ${x}`).join('');
    return `${bad ? `${can.length - bad}, ${bad} FAILED` : can.length}${rest}`;
  };
  const titles = { CPM: "the till scans the payer's code, or the payer names the wallet there", MPM: "the payer scans the merchant's code", WEB: "the payer's browser opens the merchant's code: a page of ours", OUT: 'a pay-out to the wallet' };
  for (const mode of Object.keys(titles)) {
    const of = (i, a) => cells.filter((c) => c.mode === mode && c.issuer.name === i && c.acquirer.name === a);
    if (!cells.some((c) => c.mode === mode)) continue;
    const columns = acquirers.map((a) => [a, ...issuers.map((i) => say(of(i, a)))]), left = ['', ...issuers];
    const width = wide(left);
    out += `\n${mode}: ${titles[mode]}\n`;
    for (let r = 0; r < left.length; r++) out += `  ${left[r].padEnd(width)}${columns.map((c) => `  ${c[r].padEnd(wide(c))}`).join('')}`.trimEnd() + '\n';
  }
  return `${out}\n${notes.map((why, i) => `${i + 1}) ${why}\n`).join('')}`;
}
