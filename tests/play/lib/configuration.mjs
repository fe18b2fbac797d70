/*
 * A whole configuration for one world: certificates, keys, switchd's files and the sandbox's, with times so short that
 * lost answers and ladders take seconds. Nothing outside the folder is written.
 *
 * Written apart from deploy/demo on purpose: a play wants other times, and to stand between the parties.
 */
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK = { rsa: ['rsa', { modulusLength: 2048 }], ed25519: ['ed25519', {}], p256: ['ec', { namedCurve: 'P-256' }] };

/*
 * The test profile. A call's time and the till's patience leave room for a machine that is busy with two other worlds, so that only
 * silence is taken for silence. not_found_s: how long "no such payment" may still mean "not yet".
 */
export const ALLOWED_MS = 3000, HOLD_MS = 4000, CODE_LIFE_S = 15;
const fast = (rungs, ...ops) => ops.map((op) => ({
  op, allowed_ms: String(ALLOWED_MS),
  ...(op.startsWith('inquire') ? { not_found_s: '2' } : {}),
  ...(['debit', 'resolve', 'token'].includes(op) ? {} : { ladder: Array(op === 'inquire' ? rungs : 20).fill('1').join(' ') }),
}));

/* A participant on our partner API, whom a caller plays. */
const partner = (option) => (name, number, side, currency, theirs, more = {}, shared = false) => ({
  name, number, adapter: 'partner', roles: [side], currency, ours: 'ed25519', theirs, caller: true, base: `/${name}`,
  keyids: [`crosswallet-${name}:202601-1`, `${name}:202601-1`],
  more: { hold_ms: String(HOLD_MS), expire_s: String(option.expire_s ?? 12), notify: 'always', ...more },
  settings: { keyid: `crosswallet-${name}:202601-1`, ...(shared ? { webhook_sign: 'v1' } : {}) }, fake: {},
  secrets: shared ? ['webhook'] : [],
  timings: [{ op: 'notify', allowed_ms: String(ALLOWED_MS), ladder: '1 1 1 2 2 3 3 3 3 3' }],
});

const STORE = '5f91483d-78a7-4914-bc6f-0123456789ab';

/* Wallets to whom we are a merchant, and two tills that name them: the world of option `merchants`. */
function merchants(option, origin) {
  const api = partner(option), profile = '07e998f9-d932-4848-8b60-d5b5ae94b1b2';
  const asked = fast(20, 'debit', 'inquire', 'cancel', 'refund', 'inquire-refund');
  return [
    {
      name: 'bancontact', number: 27, adapter: 'bancontact', roles: ['issuer'], currency: 'EUR', more: { cap: '200000.00' },
      ours: 'p256', theirs: 'p256', keyids: ['crosswallet-2026-01', 'bancontact-2026-01'], secrets: ['api_key'], route: 'bancontact',
      settings: { profile_id: profile, keyid: 'crosswallet-2026-01' },
      fake: { profile_id: profile, keyid: 'bancontact-2026-01', callback_url: `${origin}/hooks/bancontact/bancontact`, expires_ms: '60000' },
      timings: asked,
    },
    {
      name: 'twint', number: 28, adapter: 'twint', roles: ['issuer'], currency: 'CHF', more: { cap: '200000.00' }, route: 'twint',
      settings: { merchant_uuid: STORE, cash_register_id: 'play-1' }, base: '/merchant/service/TWINTMerchantServiceV8_6',
      fake: { merchant_uuid: STORE, expires_ms: '60000', refund_ms: '500' },
      timings: [...asked, ...fast(20, 'token', 'capture')],
    },
    api('till-eur', 14, 'acquirer', 'EUR', 'p256'),
    api('till-nok', 15, 'acquirer', 'NOK', 'ed25519', {}, true),
  ];
}

/* Partners for whom we are the scheme, and who pays with them: the world of option `members`. */
function members(option) {
  const member = (name, number, role, id, more, fake) => ({
    name, number, adapter: 'apsmember', roles: [role === 'acqp' ? 'acquirer' : 'issuer'], currency: 'EUR', ours: 'rsa', theirs: 'rsa', keyids: ['1', '1'],
    more: {
      zone: '+08:00', cancel_until: '00:15', identity: `XWMEMBER${number}`, assigned_id: id, expire_s: String(option.expire_s ?? 12), hold_ms: String(HOLD_MS),
      notify: role === 'acqp' ? 'always' : 'never', cap: '100000.00', ...more,
    },
    settings: { client_id: `XWMEMBER${number}`, settlement_currency: 'EUR', member_role: role },
    fake: { role, client_id: `XWMEMBER${number}`, settlement_currency: 'EUR', [role === 'acqp' ? 'acquirer_id' : 'psp_id']: id, time_divisor: '10', ...fake },
    timings: [
      ...fast(8, 'debit', 'inquire', 'cancel', 'refund', 'resolve', 'tell'),
      { op: 'notify', allowed_ms: String(ALLOWED_MS), ladder: '1 1 1 2 2 3 3 3 3 3' },
    ],
  });
  const order_url = 'https://pay.acquirer.example/281777';
  const named = (name) => participants(option).find((p) => p.name === name);
  return [
    member('aps-acquirer', 31, 'acqp', '1022188000000000031', { order_url }, { order_url }),
    member('aps-wallet', 32, 'mpp', '1022172000000000032', { code_head: '28103202', code_life_s: String(CODE_LIFE_S) }),
    member('momo', 29, 'mpp', '1022172000000000029', { code_head: '28102902' }),
    named('bluecode'),
    named('till-eur'),
    /* An acquirer of nobody's making but the play's own. */
    { ...member('aps-client', 41, 'acqp', '1022188000000000041', {}), caller: true, base: '/aps-client' },
  ];
}

/* Who takes part: port by name, keys by side, settings of either side. */
export function participants(option) {
  const api = partner(option);
  const aps = (name, number, role, side, client) => ({
    name, number, adapter: 'alipayplus', roles: [side], currency: 'EUR', ours: 'rsa', theirs: 'rsa', keyids: ['1', '1'],
    more: { scheme: 'yes', zone: '+08:00', cancel_until: role === 'acqp' ? '00:15' : '00:30', identity: client, cap: '500000.00',
      ...(role === 'mpp' ? { code_rules: 'alipay-plus-order' } : option.registration ? { registration: 'yes' } : {}) },
    settings: { client_id: client, settlement_currency: 'EUR', partner_role: role, psp_id: '1022172000000000001', acquirer_id: '1022188000000000001' },
    fake: { client_id: client, settlement_currency: 'EUR', psp_id: '1022172000000000001', time_divisor: '40', ...(option.registration ? { registration: 'yes' } : {}) },
    timings: fast(8, ...(role === 'acqp' ? ['debit', 'inquire', 'cancel', 'refund'] : ['resolve', 'tell', 'codes'])),
  });
  const all = [
    aps('alipayplus', 10, 'acqp', 'issuer', 'XWACQP0000000001'),
    aps('alipayplus-mpp', 11, 'mpp', 'acquirer', 'XWMPP00000000001'),
    {
      name: 'vipps', number: 12, adapter: 'vipps', roles: ['issuer'], currency: 'NOK', more: { cap: '2000000.00' },
      settings: { msn: '123456', client_id: 'crosswallet-play', currency: 'NOK' },
      secrets: ['subscription_key', 'client_secret', 'webhook'],
      fake: { msn: '123456', client_id: 'crosswallet-play', currency: 'NOK', push_message: 'on', webhooks: 'on', late_ms: '4000' },
      timings: fast(20, 'token', 'debit', 'capture', 'inquire', 'cancel', 'refund'),
    },
    {
      name: 'bluecode', number: 13, adapter: 'bluecode', roles: ['issuer'], currency: 'EUR', more: { cap: '200000.00' },
      settings: { access_id: 'crosswallet', branch_ext_id: 'branch-1', currency: 'EUR' }, secrets: ['secret'],
      fake: { access_id: 'crosswallet', branch_ext_id: 'branch-1', currency: 'EUR', check_status_ms: '500' },
      timings: fast(8, 'debit', 'inquire', 'cancel', 'refund', 'inquire-refund'),
    },
    onOurApi('pivo', 17, option),
    api('till-eur', 14, 'acquirer', 'EUR', 'p256', { amount_max: '10000.00' }),
    api('till-nok', 15, 'acquirer', 'NOK', 'ed25519', {}, true),
    api('vipps-server', 16, 'issuer', 'NOK', 'p256', { debit_via: 'vipps' }),
  ];
  if (option.unified === 'others') return [onOurApi('momo', 29, option), onOurApi('pagaqui', 30, option), ...all.filter((p) => ['bluecode', 'till-eur'].includes(p.name)),
    page('page-bluecode', 45, 'EUR', 'bluecode', { label: 'Bluecode' })];
  if (option.unified) return [all[0], epassi, pivoWeb, all[2], ...all.filter((p) => ['pivo', 'till-eur', 'till-nok', 'vipps-server'].includes(p.name)), ...pages];
  /* A world has ports for five fakes: who comes in takes the place of another. */
  return option.bluecodeTill ? all.map((p) => (p.name === 'vipps' ? bluecodeTill : p)).filter((p) => p.name !== 'vipps-server') : all;
}

/* A wallet that has no protocol but our partner API. */
const onOurApi = (name, number, option) => ({
  name, number, adapter: 'partner', roles: ['issuer'], currency: 'EUR', ours: 'ed25519', theirs: 'ed25519', base: '/interop/v1',
  keyids: [`crosswallet-${name}:202601-1`, `${name}:202601-1`], more: { cap: '100000.00', hold_ms: String(HOLD_MS), expire_s: String(option.expire_s ?? 12), notify: 'always' },
  settings: { keyid: `crosswallet-${name}:202601-1` }, fake: { keyid: `${name}:202601-1` },
  timings: fast(8, 'debit', 'inquire', 'cancel', 'refund', 'inquire-refund', 'credit'),
});

/* Wallets whose payers go on in a browser; what their forms lack goes by our partner API. */
const browsed = (name, number, adapter, secret, settings, fake) => ({
  name, number, adapter, roles: ['issuer'], currency: 'EUR', ours: 'ed25519', theirs: 'ed25519', base: '/interop/v1',
  keyids: [`crosswallet-${name}:202601-1`, `${name}:202601-1`], more: { cap: '100000.00' }, secrets: [secret],
  settings: (port) => ({ ...settings(port), server: 'partner-api', keyid: `crosswallet-${name}:202601-1` }),
  fake: { ...fake, server: 'partner-api', keyid: `${name}:202601-1` }, timings: fast(8, 'debit', 'inquire', 'cancel', 'refund', 'inquire-refund'),
});
const epassi = browsed('epassi', 20, 'epassi', 'key', (port) => ({ site: '10001', form_url: `https://127.0.0.1:${port}/e_payments/v2` }), { site: '10001' });
const pivoWeb = browsed('pivo-web', 25, 'pivo', 'signature', (port) => ({
  acquiring_id: 'crosswallet', merchant_business_id: '123456-7', key_id: 'xw_1', form_url: `https://127.0.0.1:${port}/api/payments`,
}), { acquiring_id: 'crosswallet', key_id: 'xw_1' });

/* Who may be chosen on the payers' pages. */
const page = (name, number, currency, via, settings) => ({
  name, number, adapter: 'page', roles: ['issuer'], currency, settings, page: true, more: { debit_via: via, expire_s: '20', hold_ms: String(HOLD_MS) },
});
const pages = [
  page('page-alipay', 36, 'EUR', 'alipayplus', { label: 'Alipay+ wallets', user_agent: 'AlipayClient|AlipayPlus' }),
  page('page-epassi', 37, 'EUR', 'epassi', { label: 'ePassi' }),
  page('page-pivo', 38, 'EUR', 'pivo-web', { label: 'Pivo', user_agent: 'Pivo/' }),
  page('page-vipps', 39, 'NOK', 'vipps', { label: 'Vipps', asks: 'phone' }),
];

/* Its times are the protocol's own; nobody calls it. */
const bluecodeTill = {
  name: 'bluecode-till', number: 34, adapter: 'bluecodetill', roles: ['acquirer'], currency: 'EUR', secrets: ['secret'],
  more: { hold_ms: String(HOLD_MS), expire_s: '12', notify: 'never' },
  settings: { access_id: 'kasse', 'branch.branch-1': 'Kaffeehaus Mozart; 5812; AT; Wien' },
  fake: { access_id: 'kasse', branch_ext_id: 'branch-1' },
};

/* A till that speaks Vipps' ePayment API, played by the file itself on the last port, and wallets that pay there. */
function atVippsTill(option, port) {
  const wallets = participants(option).filter((p) => ['alipayplus', 'vipps', 'bluecode', 'pivo'].includes(p.name));
  const unit = { msn: '123456', client_id: 'fb492b5e-7907-4d83-bc20-c7fb60ca35de', currency: 'NOK' };
  return [...wallets, {
    name: 'vipps-till', number: 33, adapter: 'vippstill', roles: ['acquirer'], currency: 'NOK', byFile: true,
    secrets: ['client_secret', 'subscription_key', 'webhook', 'token'],
    more: { hold_ms: String(HOLD_MS), expire_s: '12', notify: 'always', identity: unit.client_id },
    settings: { ...unit, webhook_url: `https://127.0.0.1:${port(9)}/hooks?till=1`, phone_wallet: 'vipps', merchant_name: 'Kaffebar Bryggen',
      merchant_mcc: '5814', merchant_country: 'NO', merchant_city: 'Bergen' },
    timings: [{ op: 'notify', allowed_ms: String(ALLOWED_MS), ladder: '1 1 1 1 1 1 1 1' }],
  }];
}

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/* An authority and one certificate for everybody on this machine. */
function certificates(dir) {
  const at = (name) => join(dir, name);
  const ext = at('leaf.ext');
  writeFileSync(ext, 'basicConstraints=critical,CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:apitest.vipps.no\nextendedKeyUsage=serverAuth\n');
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
    '/CN=plays', '-addext', 'keyUsage=critical,keyCertSign', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=127.0.0.1',
    '-keyout', at('tls.key'), '-out', at('tls.csr'));
  openssl('x509', '-req', '-in', at('tls.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '30',
    '-extfile', ext, '-out', at('tls.pem'));
}

function keyPair(dir, kind, name) {
  const [type, options] = MARK[kind];
  const { privateKey, publicKey } = crypto.generateKeyPairSync(type, options);
  writeFileSync(join(dir, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(dir, `${name}.pub.pem`), publicKey.export({ type: 'spki', format: 'pem' }));
  return { privateKey, publicKey };
}

/* Keys and secrets of one participant, as each side's configuration names them. */
function keysOf(dir, p) {
  const ours = [], fakes = [];
  if (p.ours) {
    p.ourKey = keyPair(dir, p.ours, `${p.name}-ours`);
    p.theirKey = keyPair(dir, p.theirs, `${p.name}-theirs`);
    ours.push({ use: 'ours', id: p.keyids[0], file: `${p.name}-ours.pem` }, { use: 'theirs', id: p.keyids[1], file: `${p.name}-theirs.pub.pem` });
    fakes.push({ use: 'ours', id: p.keyids[1], file: `${p.name}-theirs.pem` }, { use: 'theirs', id: p.keyids[0], file: `${p.name}-ours.pub.pem` });
  }
  for (const name of p.secrets ?? []) {
    const secret = crypto.randomBytes(16).toString('hex');
    writeFileSync(join(dir, `${p.name}-${name}`), secret);
    ours.push({ use: 'secret', id: name, file: `${p.name}-${name}` });
    fakes.push({ use: 'secret', id: name, file: `${p.name}-${name}` });
    p.secret = { ...p.secret, [name]: secret };
  }
  return [ours, fakes];
}

/* JSON is YAML, but for the numbers: our reader takes every scalar as text. */
const yaml = (object) => `${JSON.stringify(object, (_, v) => (typeof v === 'number' ? String(v) : v), 1)}\n`;
const pairs = (object) => Object.entries(object ?? {}).map(([name, value]) => ({ name, value }));

/*
 * Writes it all. `port` names a port by offset: 0 partners, 1 operators, 2 control, 3 callers (our own server, for what the
 * switch tells a partner), 4 the tap before Alipay+ (option `tapped`: before another; where codes are `unified`: the payers' pages),
 * 5 to 9 the fakes (9 the payers' pages, where there are `members`).
 */
export function configure(dir, port, { postgres, redis, ...option }) {
  mkdirSync(join(dir, 'participants'), { recursive: true });
  certificates(dir);
  const origin = `https://127.0.0.1:${port(0)}`, payers = option.unified ? port(4) : option.members ? port(9) : undefined;
  const all = option.merchants ? merchants(option, origin) : option.members ? members(option) : option.vippsTill ? atVippsTill(option, port) : participants(option), fakes = [];
  all.forEach((p, i) => {
    const [ours, theirs] = keysOf(dir, p);
    const own = port(5 + i);
    const tapped = p.name === (option.tapped ?? 'alipayplus') && !option.unified;
    if (!p.page) p.url = p.caller ? `https://127.0.0.1:${port(3)}${p.base}` : `https://127.0.0.1:${tapped ? port(4) : own}${p.base ?? ''}`;
    if (typeof p.settings === 'function') p.settings = p.settings(own);
    writeFileSync(join(dir, 'participants', `${p.name}.yaml`), yaml({
      name: p.name, number: p.number, adapter: p.adapter, roles: p.roles, currency: p.currency, ...p.more, url: p.url,
      ca: 'ca.pem', keys: ours, settings: pairs(p.settings), timings: p.timings,
    }));
    if (p.caller || p.byFile || p.page) return;
    fakes.push({
      name: p.name, fake: p.adapter, address: '127.0.0.1', port: own, tls_cert: 'tls.pem', tls_key: 'tls.key',
      switch_url: origin, switch_ca: 'ca.pem', keys: theirs,
      settings: { ...p.fake, ...(/^(bluecode|vipps|bancontact)/.test(p.adapter) ? p.secret : {}) },
    });
    p.port = own;
  });
  const here = new Set(all.map((p) => p.name));
  writeFileSync(join(dir, 'routes.yaml'), yaml({ routes: [
    ...all.filter((p) => p.route).map((p) => ({ scheme: p.route, mode: 'CPM', to: p.name })),
    { scheme: 'alipay-plus', mode: 'CPM', to: 'alipayplus' }, { scheme: 'bluecode', mode: 'CPM', to: 'bluecode' },
    ...(option.bluecodeTill ? [] : [{ scheme: 'vipps', mode: 'CPM', to: 'vipps' }]), { scheme: 'payer-codes', mode: 'CPM', from: 'pivo', to: 'alipayplus-mpp' }, { scheme: 'alipay-plus-order', mode: 'MPM', to: 'alipayplus-mpp' },
    { scheme: 'alipay-plus', mode: 'SHOW', to: 'alipayplus' },
  ].filter((r) => here.has(r.to)) }));
  const day = 86400e3, at = new Date(Date.now() - day).toISOString(), until = new Date(Date.now() + day).toISOString();
  writeFileSync(join(dir, 'rates.yaml'), yaml({ rates: [
    { from: 'EUR', to: 'NOK', price: '11.7096', at, until }, { from: 'NOK', to: 'EUR', price: '0.0854', at, until },
    { from: 'EUR', to: 'CHF', price: '0.9405', at, until }, { from: 'NOK', to: 'CHF', price: '0.0803', at, until },
  ] }));
  writeFileSync(join(dir, 'secret'), crypto.randomBytes(32).toString('hex'));
  writeFileSync(join(dir, 'vault'), `1 ${crypto.randomBytes(32).toString('hex')}\n`);
  writeFileSync(join(dir, 'switchd.yaml'), yaml({
    name: 'plays', code_guid: 'org.crosswallet.play', environment: 'sandbox', origin, partners: `127.0.0.1:${port(0)}`, operators: `127.0.0.1:${port(1)}`,
    hosts: [`127.0.0.1:${port(0)}`, ...(option.vippsTill ? ['apitest.vipps.no'] : [])], tls_certificate: 'tls.pem', tls_key: 'tls.key', secret: 'secret', vault: 'vault', postgres, redis,
    ...(payers ? { payers: `127.0.0.1:${payers}`, payer_origin: `https://127.0.0.1:${payers}` } : {}),
    workers: '2', participants: 'participants', routes: 'routes.yaml', rates: 'rates.yaml', markup_bp: '50',
  }));
  writeFileSync(join(dir, 'switchsandbox.json'), JSON.stringify({ control: { address: '127.0.0.1', port: port(2) }, participants: fakes }, null, 1));
  return { origin, participants: Object.fromEntries(all.map((p) => [p.name, p])) };
}
