/* A reporter for tests/tally.py: one TAP line for each test, whatever suites it lies in; a suite counts only where it fails by itself. */
export default async function* flat(source) {
  const path = [];
  let deepest = -1; /* nesting of what was reported last: a suite comes behind its tests */
  for await (const { type, data } of source) {
    if (type === 'test:start') path.splice(data.nesting, path.length, data.name);
    if (type === 'test:diagnostic' && data.nesting > 0) yield `# ${data.message}\n`;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const suite = deepest > data.nesting, cause = data.details?.error?.cause ?? data.details?.error;
    const name = [...path.slice(0, data.nesting), data.name].join(': ').replace(/[#\n]/g, ' ');
    deepest = suite && data.nesting === 0 ? -1 : data.nesting;
    if (suite && (type === 'test:pass' || data.details?.error?.failureType === 'subtestsFailed')) continue;
    const mark = data.skip !== undefined ? ' # SKIP' : data.todo !== undefined && type === 'test:fail' ? ' # SKIP todo' : '';
    yield `${type === 'test:pass' ? 'ok' : 'not ok'} - ${name}${mark}${typeof data.todo === 'string' ? ` ${data.todo}` : ''}\n`;
    if (type === 'test:fail') yield `${String(cause?.stack ?? cause).split('\n').slice(0, 24).map((l) => `# ${l}`).join('\n')}\n`;
  }
}
