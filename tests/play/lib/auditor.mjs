/* The log's keeper beside a world, and switchaudit's answers. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { until } from './look.mjs';

const run = promisify(execFile);

export class Auditor {
  constructor(w) {
    this.w = w;
    this.checkpoints = join(w.dir, 'checkpoints');
    writeFileSync(join(w.dir, 'log.pem'), crypto.generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }

  startSealer() {
    const { w } = this, log = openSync(join(w.dir, 'sealer.log'), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', process.env.XW_SWITCHD, 'seal', '--origin', 'play.example/ledger', '--key', join(w.dir, 'log.pem'),
      '--postgres', `host=${process.env.PGHOST} dbname=${w.db} user=sealer`, '--notes', this.checkpoints, '--every', '1'], { stdio: ['ignore', log, log] });
    child.gone = new Promise((r) => { child.on('exit', r); });
    w.children.push(child);
    return child;
  }

  /* { status, out } of switchaudit. */
  ask(...args) {
    return run(process.env.XW_SWITCHAUDIT, args, { env: { ...process.env, PGDATABASE: this.w.db, PGUSER: 'auditor_ro' }, maxBuffer: 1 << 24 })
      .then(({ stdout }) => ({ status: 0, out: stdout }), (e) => ({ status: e.code, out: e.stdout, err: e.stderr }));
  }

  async verify(...more) {
    const key = await until(() => readFileSync(`${this.checkpoints}.key`, 'utf8').trim(), 'the verifier key');
    const a = await this.ask('verify', '--json', '--key', key, '--notes', this.checkpoints, ...more);
    assert.ok([0, 1].includes(a.status), `${a.status} ${a.err}`);
    return JSON.parse(a.out);
  }

  /* Nothing was changed, the newest row included. */
  sealed() { return until(() => this.verify().then((v) => (v.unsealed === 0 || !v.ok) && v), 'all is sealed', 30000); }
}
