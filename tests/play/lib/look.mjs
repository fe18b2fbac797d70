/*
 * Looking at a run from outside, with nothing but Node: the fakes' control and books, the ledger by psql. Orders to a fake are
 * what people and partners could do. Must never look into the switch.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const env = (name) => process.env[name] ?? (() => { throw new Error(`${name} is not set; run ./xw`); })();
export const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });

/* until(f): what f gives, once it gives something true. */
export async function until(f, what, ms = 20000, pause = 60) {
  const end = Date.now() + ms;
  for (let last; ;) {
    try { last = await f(); if (last) return last; } catch (e) { if (Date.now() > end || e.last) throw e; }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`);
    await sleep(pause);
  }
}

/* Plain HTTP; a command is posted. */
export function get(port, path, command) {
  return new Promise((ok, no) => {
    const q = http.request({ host: '127.0.0.1', port, path, method: command ? 'POST' : 'GET',
      headers: command ? { 'content-type': 'application/json' } : {} }, (a) => {
      const parts = [];
      a.on('data', (d) => parts.push(d)).on('end', () => ok({ status: a.statusCode, headers: a.headers, body: Buffer.concat(parts).toString() }));
    });
    q.on('error', no).end(command && JSON.stringify(command));
  });
}

/* Orders a fake about. */
export async function order(port, name, command) {
  const a = await get(port, `/${name}/control`, command);
  const said = JSON.parse(a.body);
  if (a.status !== 200 || said.error) throw new Error(`${name}: ${JSON.stringify(command)}: ${a.body}`);
  return said;
}

/* The lines of a fake's book. */
export async function bookOf(port, name) {
  const lines = [];
  for (let next = `/${name}/book`; next;) {
    const a = await get(port, next);
    lines.push(...JSON.parse(a.body));
    next = /<([^>]+)>; rel="next"/.exec(a.headers.link ?? '')?.[1];
  }
  return lines;
}

const call = (...args) => run(env('XW_PSQL'), ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', ...args], { maxBuffer: 1 << 26 });

/* Rows as objects. */
export async function psql(db, sql) {
  const rows = /^\s*(select|with)\b/i.test(sql);
  const text = rows ? `select coalesce(json_agg(q), '[]') from (${sql.replace(/;\s*$/, '')}) q` : sql;
  const { stdout } = await call('-d', db, '-c', text);
  return rows ? JSON.parse(stdout) : [];
}

/* What a file of statements prints; `variables` as it knows them. */
export async function psqlFile(db, file, variables = {}) {
  const { stdout } = await call('-d', db, ...Object.entries(variables).flatMap(([k, v]) => ['-v', `${k}=${v}`]), '-f', file);
  return stdout.trim();
}

/* Rows of schema/zero: faults in the books. */
export async function faultsOf(db) {
  const dir = join(env('XW_SOURCE'), 'schema/zero'), found = [];
  for (const file of readdirSync(dir).filter((f) => f.endsWith('.sql'))) {
    const out = await psqlFile(db, join(dir, file));
    if (out) found.push(`${file}: ${out}`);
  }
  return found;
}
