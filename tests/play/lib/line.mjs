/*
 * A line to Postgres that can be cut at a statement: before the server has it, as soon as it has it, or when the server has
 * done it and only the answer is missing. It counts the statements that it is told to watch; what else passes is nobody's
 * business. The hard thing is to cut between messages and never within one, so both ways are read by the protocol's own
 * lengths. Must never add a byte.
 */
import { once } from 'node:events';
import net from 'node:net';

import { env } from './look.mjs';

const SYNC = 0x53, BIND = 0x42, READY = 0x5a;
/* Whole messages at the front of `bytes`, and the rest. `first`: the one that begins a connection has no type. */
function messages(bytes, first) {
  const found = [];
  for (let head = first ? 0 : 1; bytes.length >= head + 4; head = 1) {
    const n = head + bytes.readInt32BE(head);
    if (bytes.length < n) break;
    found.push(bytes.subarray(0, n));
    bytes = bytes.subarray(n);
  }
  return [found, bytes];
}
/* A Bind names its portal, then its statement. */
const statementOf = (m) => m.toString('latin1', m.indexOf(0, 5) + 1, m.indexOf(0, m.indexOf(0, 5) + 1));

export class Line {
  /* Watched are the statements whose name `watched` matches. */
  static async open(watched) {
    const l = Object.assign(new Line(), { watched, passed: 0, at: 0, moment: '', sockets: new Set(), onCut: () => {} });
    l.server = net.createServer((c) => l.join(c)).listen(0, '127.0.0.1');
    await once(l.server, 'listening');
    return l;
  }

  /* For libpq. */
  get conninfo() { return `host=127.0.0.1 port=${this.server.address().port} sslmode=disable gssencmode=disable`; }

  /* At the n-th statement from now, 'before', 'during' or 'after' it; 0: never. `onCut` comes first. */
  cutAt(n, moment = '', onCut = () => {}) { Object.assign(this, { passed: 0, at: n, moment, onCut }); }

  join(client) {
    const server = net.connect(`${env('PGHOST')}/.s.PGSQL.${process.env.PGPORT ?? 5432}`), way = { first: true, up: Buffer.alloc(0), down: Buffer.alloc(0) };
    const ended = (s) => { this.sockets.delete(s); if (!way.cut) for (const o of [client, server]) o.end(); };
    for (const s of [client, server]) this.sockets.add(s.on('error', () => {}).on('close', () => ended(s)));
    const cut = () => { way.cut = true; this.onCut(); client.destroy(); server.end(); };
    let group = [];
    client.on('data', (d) => {
      const [found, rest] = messages(Buffer.concat([way.up, d]), way.first);
      way.up = rest;
      for (const m of found) {
        group.push(m);
        if (!way.first && m[0] !== SYNC) continue;
        way.first = false;
        const mine = group.some((g) => g[0] === BIND && this.watched.test(statementOf(g))) && ++this.passed === this.at;
        if (mine && this.moment === 'before') { cut(); return; }
        server.write(Buffer.concat(group));
        group = [];
        if (mine && this.moment === 'during') { cut(); return; }
        way.doomed ||= mine;
      }
    });
    server.on('data', (d) => {
      if (way.cut) return;
      if (!way.doomed) { client.write(d); return; }
      const [found, rest] = messages(Buffer.concat([way.down, d]), false);
      way.down = rest;
      if (found.some((m) => m[0] === READY)) cut();
    });
  }

  close() {
    this.server.close();
    for (const s of this.sockets) s.destroy();
  }
}
