/*
 * A proof that `switchaudit prove` wrote, by another hand: RFC 9162 and the C2SP texts over Node's own crypto.
 *
 *	node proof.mjs PROOF KEY      exits 0 where the step is under the signed root, and its rows are those that were sealed
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';

const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), crypto.createHash('sha256')).digest();
const node = (left, right) => sha256(Buffer.of(1), left, right);
const [file, keyFile] = process.argv.slice(2);

const [, name, id, typed] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(readFileSync(keyFile, 'utf8').trim());
const raw = Buffer.from(typed, 'base64');
assert.equal(sha256(`${name}\n`, raw).subarray(0, 4).toString('hex'), id);
const key = crypto.createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: raw.subarray(1).toString('base64url') } });

const [head, extra, index, ...rest] = readFileSync(file, 'utf8').split('\n');
assert.equal(head, 'c2sp.org/tlog-proof@v1');
const entry = Buffer.from(extra.slice('extra '.length), 'base64'), blank = rest.indexOf('');
const path = rest.slice(0, blank).map((l) => Buffer.from(l, 'base64'));
const note = rest.slice(blank + 1).join('\n'), at = note.indexOf('\n\n'), text = note.slice(0, at + 1);
const signed = Buffer.from(note.slice(at + 2).split('\n').find((l) => l.startsWith(`— ${name} `)).split(' ')[2], 'base64');
assert.ok(crypto.verify(null, Buffer.from(text), key, signed.subarray(4)), 'the signature');
const [, size, root] = text.split('\n');

let fn = Number(index.slice('index '.length)), sn = Number(size) - 1, r = sha256(Buffer.of(0), entry);
for (const p of path) {
  assert.notEqual(sn, 0);
  if (fn % 2 === 1 || fn === sn) {
    r = node(p, r);
    while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
  } else r = node(r, p);
  fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
}
assert.equal(sn, 0);
assert.deepEqual(r, Buffer.from(root, 'base64'), 'the path leads to the root');

const rows = readFileSync(`${file}.rows`, 'utf8').trim().split('\n').map((l) => l.split(' '));
const names = { 1: 'step', 2: 'entry', 3: 'raw', 4: 'claim' };
for (let i = 30; i < entry.length; i += 33) {
  const of = rows.filter(([table]) => table === names[entry[i]]).map(([, b]) => Buffer.from(b, 'base64'));
  assert.deepEqual(sha256(...of), entry.subarray(i + 1, i + 33));
}
