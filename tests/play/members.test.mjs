/*
 * Merchants of an acquirer that takes us for its scheme: registered, looked at, decided by people, told. Once by hand, with an
 * envelope of node:crypto, and once by our fake of an acquirer.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { Acquirer } from './lib/aps.mjs';
import { World, until } from './lib/world.mjs';

let w, client;
const till = (command) => w.fake('aps-acquirer', command);
const result = (body) => `${body.result.resultStatus} ${body.result.resultCode}`;

describe("an acquirer's merchants are registered with us", () => {
  before(async () => {
    w = await World.start('members', { members: true, tapped: 'aps-wallet' });
    client = w.callers['aps-client'];
  });
  after(() => w?.stop());

  const registration = (id, merchant, more = {}) => ({
    registrationRequestId: id, productCodes: ['IN_STORE_PAYMENT'],
    merchantInfo: {
      referenceMerchantId: merchant, merchantDisplayName: 'Fjord Kaffe AS', merchantMCC: '5812', merchantAddress: { region: 'NO', city: 'Oslo', address1: 'Stranden 1' },
      registrationDetail: { legalName: 'Fjord Kaffe AS', registrationType: 'ENTERPRISE_REGISTRATION_NO', registrationNo: '914594685' },
    },
    storeInfo: { referenceStoreId: 'OSL-01', storeName: 'Aker Brygge', storeMCC: '5812' },
    registrationNotifyUrl: 'https://anybody.example/', ...more,
  });
  const standing = (merchant, more) => client.ask('inquiryRegistrationStatus', { referenceMerchantId: merchant, referenceStoreId: 'OSL-01', ...more });
  const ctl = (...args) => {
    const r = spawnSync(process.env.XW_SWITCHCTL, [...args, '--reason', 'papers of May', '--as', 'maria'], { encoding: 'utf8', env: { ...process.env, PGDATABASE: w.db } });
    assert.equal(r.status, 0, r.stderr);
    return r.stdout;
  };
  const tokenOf = async (merchant) => (await w.psql(`select token from ledger.merchant where id = '${merchant}' and version = 1`))[0].token;
  const decide = async (merchant, state, detail = '') => ctl('merchant', 'scheme', await tokenOf(merchant), 'crosswallet', state, '--detail', detail);
  const heard = (id) => until(() => client.events.filter((e) => e.registrationRequestId === id).at(-1), `news of ${id}`);

  it('taken, looked at, approved and told; the request again is the same', async () => {
    const id = Acquirer.id();
    assert.equal(result(await client.ask('registration', registration(id, 'M-1'))), 'S SUCCESS');
    assert.equal(result(await client.ask('registration', registration(id, 'M-1'))), 'S SUCCESS');
    assert.equal(result(await client.ask('registration', registration(id, 'M-1b'))), 'F REPEAT_REGISTRATION');
    assert.equal(result(await client.ask('registration', registration(Acquirer.id(), 'M-1'))), 'F REGISTRATION_UNDER_REVIEW');
    const asked = await standing('M-1');
    assert.deepEqual([asked.registrationRequestId, asked.registrationResult.registrationStatus, asked.pspRegistrationResultList], [id, 'PENDING', undefined]);
    client.acknowledge = 'U';
    await decide('M-1', 'registered');
    const told = await heard(id);
    client.acknowledge = 'S';
    assert.ok(told.signed);
    assert.deepEqual([told.referenceMerchantId, told.referenceStoreId, told.registrationResult.registrationStatus], ['M-1', 'OSL-01', 'COMPLETED']);
    assert.equal(told.pspRegistrationResultList[0].registrationResult.registrationStatus, 'APPROVED');
    await until(async () => (await w.psql(`select 1 from ledger.member_due where token = '${await tokenOf('M-1')}'`)).length === 0, 'acknowledged');
    assert.ok(client.events.filter((e) => e.registrationRequestId === id).length >= 2, 'told again until it was heard');
    const done = await client.ask('inquiryRegistrationStatus', { registrationRequestId: id });
    assert.equal(done.pspRegistrationResultList[0].registrationResult.registrationStatus, 'APPROVED');
    assert.equal((await w.psql(`select legal_name from ledger.member_request where id = '${id}'`))[0].legal_name, 'Fjord Kaffe AS');
  });

  it('rejected, with the reason; then anew', async () => {
    const first = Acquirer.id(), second = Acquirer.id();
    await client.ask('registration', registration(first, 'M-2'));
    await decide('M-2', 'refused', 'no such number in the register');
    const told = await heard(first);
    assert.deepEqual(told.pspRegistrationResultList[0].registrationResult, { registrationStatus: 'REJECTED', rejectionReason: 'no such number in the register' });
    assert.equal(result(await client.ask('registration', registration(second, 'M-2'))), 'S SUCCESS');
    assert.equal((await standing('M-2')).registrationRequestId, second);
  });

  it('what cannot be kept, whom nobody asked for, and who may not ask', async () => {
    const bad = (more) => client.ask('registration', { ...registration(Acquirer.id(), 'M-3'), ...more });
    const info = registration('', 'M-3').merchantInfo;
    for (const more of [{ registrationRequestId: undefined }, { productCodes: ['CASHIER_PAYMENT'] }, { storeInfo: {} }, { merchantInfo: { ...info, merchantMCC: '58' } },
      { merchantInfo: { ...info, referenceMerchantId: 'M 3' } }, { merchantInfo: { ...info, merchantAddress: { region: 'no', city: 'Oslo' } } }]) {
      assert.equal(result(await bad(more)), 'F PARAM_ILLEGAL', JSON.stringify(more));
    }
    assert.deepEqual(await w.psql("select 1 from ledger.merchant where id like 'M_3'"), []);
    assert.equal(result(await standing('nobody')), 'F PROCESS_FAIL');
    assert.equal(result(await client.ask('inquiryRegistrationStatus', {})), 'F PARAM_ILLEGAL');
  });

  it("the fake's acquirer: asks, is told though the first word is lost, and looks", async () => {
    const { request } = await till({ do: 'register', merchant: 'M-4', store: 'S-1' });
    const seen = () => till({ do: 'registered', request });
    await until(async () => (await seen()).code === 'SUCCESS', 'taken');
    await till({ do: 'misbehave', op: 'notifyRegistrationStatus', how: 'silent' });
    await decide('M-4', 'registered');
    await until(async () => (await seen()).verdict === 'APPROVED', 'told', 30000);
    await till({ do: 'standing', request });
    const s = await until(async () => { const x = await seen(); return x.code === 'SUCCESS' && x; }, 'looked');
    assert.deepEqual([s.status, s.verdict, s.told, s.doubtful], ['COMPLETED', 'APPROVED', 1, 0]);
  });
});
