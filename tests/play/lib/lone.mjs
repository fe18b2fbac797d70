/*
 * lone.mjs: one fake alone, for plays in which a library speaks to it instead of our switch: a sandbox with a folder, ports
 * and a certificate of its own, the hand of the person, and a server that the fake takes for the switch, which keeps what
 * it is told. Everything ends with stop(), which also asserts that the sandbox ended well.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until } from './world.mjs';

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Lone {
  /* `host`: the name in the certificate. Keys, and secrets as text, are given by hold() before start(). */
  constructor(name, { host = 'fake.example' } = {}) {
    Object.assign(this, { name, host, heard: [], log: '', keys: [] });
    this.folder = mkdtempSync(join(tmpdir(), `xw-${name}-`));
    this.tls = { cert: join(this.folder, 'cert.pem'), key: join(this.folder, 'key.pem') };
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:127.0.0.1`, '-keyout', this.tls.key,
      '-out', this.tls.cert], { stdio: 'ignore' });
    this.ca = readFileSync(this.tls.cert);
  }

  /* use: 'ours' (the fake's own), 'theirs' (the switch's) or 'secret'. */
  hold(use, id, text) {
    const file = join(this.folder, `${use}-${this.keys.length}`);
    writeFileSync(file, text, { mode: 0o600 });
    this.keys.push({ use, id, file });
  }

  async start(settings) {
    this.server = https.createServer({ cert: this.ca, key: readFileSync(this.tls.key) }, async (request, answer) => {
      let body = '';
      for await (const part of request) body += part;
      this.heard.push({ path: request.url, headers: request.headers, body });
      answer.end();
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.switchUrl = `https://127.0.0.1:${this.server.address().port}`;
    this.port = await freePort();
    this.controlPort = await freePort();
    const conf = join(this.folder, 'sandbox.json');
    writeFileSync(conf, JSON.stringify({ control: { port: this.controlPort }, participants: [{
      name: this.name, fake: this.name, address: '127.0.0.1', port: this.port, origin: `https://${this.host}`,
      tls_cert: this.tls.cert, tls_key: this.tls.key, switch_url: this.switchUrl, switch_ca: this.tls.cert, settings,
      keys: this.keys }] }));
    this.sandbox = spawn(process.env.SWITCHSANDBOX, ['--conf', conf], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.sandbox.stderr.on('data', (part) => (this.log += part));
    await until(() => this.sandbox.exitCode !== null || this.ask('/participants').catch(() => false), 'the sandbox');
    assert.equal(this.sandbox.exitCode, null, this.log);
  }

  /* Not by fetch, which a play may have sent to the fake. */
  ask(path, command) {
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port: this.controlPort, path, method: command ? 'POST' : 'GET' },
        async (answer) => {
          let text = '';
          for await (const part of answer) text += part;
          resolve(JSON.parse(text));
        });
      request.on('error', reject);
      request.end(command && JSON.stringify(command));
    });
  }

  /* The hand of the person. */
  control(command) { return this.ask(`/${this.name}/control`, command); }

  async line(id) { return (await this.ask(`/${this.name}/book`)).find((l) => l.id === id); }

  async stop() {
    this.server?.closeAllConnections();
    this.server?.close();
    this.sandbox?.kill();
    if (this.sandbox) assert.deepEqual(await once(this.sandbox, 'exit'), [0, null], this.log);
    rmSync(this.folder, { recursive: true });
  }
}
