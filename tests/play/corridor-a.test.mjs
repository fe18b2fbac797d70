/* Corridor A: a traveller's Alipay+ payment code at a German till of the partner API; EUR, settled in EUR. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { euro } from './lib/caller.mjs';
import { booked, closing, over, refused, toldAs } from './lib/checks.mjs';
import { ALLOWED_MS, HOLD_MS } from './lib/configuration.mjs';
import { tillPlays } from './lib/tills.mjs';
import { World, until } from './lib/world.mjs';

let w;
const mint = async (behaviour, more = {}) => (await w.fake('alipayplus', { do: 'mint-code', behaviour, ...more })).code;

/* So much misbehaviour at once may open the breaker, which is right: nothing was sent then, and another try is made. */
const pay = (code, amount) => until(async () => {
  const answer = await till().pay(await code(), amount);
  return !answer.body.type?.endsWith('/not-reached') && answer;
}, 'the scheme is asked again', 30000, 1000);
const till = () => w.callers['till-eur'];

describe('corridor A, Alipay+ code at a EUR till', () => {
  before(async () => { w = await World.start('a'); });
  after(() => w?.stop());

  describe('at once', { concurrency: 8 }, () => {
    tillPlays({
      world: () => w, till: 'till-eur', issuer: 'alipayplus', money: euro, owed: (minor) => minor,
      owes: 'alipayplus EUR', owns: 'till-eur EUR', declined: [402, 'insufficient-funds'],
      code: (what) => ({
        approve: () => mint('approve'), decline: () => mint('decline:USER_BALANCE_NOT_ENOUGH'),
        pending: () => mint('pending-then-approve', { ms: HOLD_MS + 1000 }), stuck: () => mint('pending'),
      })[what](),
    });

    for (const [what, behaviour] of [
      ['the answer is lost; found by inquiry', 'apply-then-silent-no-notify'], ['the answer is lost; their notification says it', 'apply-then-silent'],
      ['the answer is cut off after it happened', 'cut'], ['the answer comes too late', 'slow'],
    ]) {
      it(what, async () => {
        const answer = await pay(() => mint(behaviour, { ms: ALLOWED_MS + 800 }), euro(2500));
        assert.ok([201, 202].includes(answer.status), answer.text);
        const { moved } = await over(w, till(), answer.body.id, 'PAID');
        assert.deepEqual(moved, { 'alipayplus EUR': 2500, 'till-eur EUR': -2500 });
        await toldAs(till(), answer.body.id, 'payment.paid');
      });
    }

    for (const behaviour of ['silent', 'error-500']) {
      it(`nothing is found, and it is cancelled: ${behaviour}`, async () => {
        const answer = await pay(() => mint(behaviour), euro(2600));
        const id = answer.body.id ?? answer.body.payment_id;
        const { moved, object } = await over(w, till(), id, 'DECLINED');
        assert.deepEqual(moved, {});
        assert.equal(object.reason.code, 'unresolved');
        await toldAs(till(), id, 'payment.declined');
      });
    }

    it('a success that comes after the cancel', async () => {
      const answer = await pay(() => mint('late-success'), euro(2700));
      assert.equal(answer.status, 202, answer.text);
      await till().cancel(answer.body.id);
      await over(w, till(), answer.body.id, 'CANCELLED');
      await until(() => w.log().some((l) => l.includes(answer.body.id) && l.includes('a success came after the cancel')), 'their late success');
      const { moved } = await over(w, till(), answer.body.id, 'CANCELLED');
      assert.deepEqual(moved, {}, 'what we said stays said');
    });

    for (const how of ['notify-first', 'notify-thrice']) {
      it(`their notifications: ${how}`, async () => {
        const answer = await pay(() => mint(how), euro(2800));
        const { moved } = await over(w, till(), answer.body.id, 'PAID');
        assert.equal(moved['alipayplus EUR'], 2800);
      });
    }

    for (const how of ['wrong-amount', 'wrong-currency', 'wrong-id', 'unsigned', 'bad-signature', 'garbled']) {
      it(`the scheme answers wrongly, and is not believed: ${how}`, async () => {
        const answer = await pay(() => mint(how), euro(2900));
        assert.notEqual(answer.body.status, 'DECLINED', 'in doubt is not a decline');
        const id = answer.body.id ?? answer.body.payment_id;
        const p = await w.final(id, 25000);
        assert.ok([1, 7].includes(p.state), `paid as asked, or undone: ${p.state}`);
        assert.deepEqual(await w.balanced(id), []);
        const { 'till-eur EUR': ours = 0, ...theirs } = await w.moved(id);
        assert.deepEqual(theirs, await booked(w, id));
        assert.ok([0, -2900].includes(ours));
      });
    }

    it('a result code that nobody knows is in doubt, never a decline', async () => {
      const answer = await pay(() => mint('decline:SOMETHING_NEW'), euro(3000));
      assert.equal(answer.status, 202, answer.text);
      assert.equal(answer.body.status, 'PENDING');
      const p = await w.final(answer.body.id, 25000);
      assert.notEqual(p.state, 2, 'not declined by a word that we do not know');
    });

    it('an unknown code', async () => {
      const problem = refused(await pay(() => '281666020000000000000000'.replace(/0{4}$/, '1234'), euro(3100)), 422, 'code-unknown');
      await over(w, till(), problem.payment_id, 'DECLINED');
    });
  });

  it('openssl verifies what we signed, over the base that the scheme describes', async () => {
    const pay = w.tapped.find((t) => t.url.endsWith('/pay'));
    const { pathname } = new URL(pay.url, w.origin);
    const signature = decodeURIComponent(/signature=([^,]+)/.exec(pay.headers.signature)[1]);
    const verify = (name, base, sig, key) => {
      writeFileSync(join(w.dir, `${name}.base`), base);
      writeFileSync(join(w.dir, `${name}.sig`), Buffer.from(sig, 'base64'));
      return execFileSync('openssl', ['dgst', '-sha256', '-verify', join(w.dir, key), '-signature', join(w.dir, `${name}.sig`), join(w.dir, `${name}.base`)], { encoding: 'utf8' });
    };
    const base = (id, time, body) => `POST ${pathname}\n${id}.${time}.${body}`;
    assert.match(verify('call', base(pay.headers['client-id'], pay.headers['request-time'], pay.body), signature, 'alipayplus-ours.pub.pem'), /Verified OK/);
    assert.throws(() => verify('other', base(pay.headers['client-id'], pay.headers['request-time'], `${pay.body} `), signature, 'alipayplus-ours.pub.pem'));
    const theirs = decodeURIComponent(/signature=([^,]+)/.exec(pay.answerHeaders.signature)[1]);
    assert.match(verify('answer', base(pay.answerHeaders['client-id'], pay.answerHeaders['response-time'], pay.answer), theirs, 'alipayplus-theirs.pub.pem'), /Verified OK/);
  });

  it('the books as a whole', () => closing(w));
});
