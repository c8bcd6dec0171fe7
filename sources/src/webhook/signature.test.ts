import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign as signEd25519 } from 'node:crypto';
import { describe, test } from 'node:test';

import { sign as signAsOctokit } from '@octokit/webhooks-methods';
import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';

import { githubWebhooks } from './github.ts';
import { SecretFault } from './signature.ts';
import type { Verify } from './signature.ts';
import { standardWebhooks } from './standard-webhooks.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const SECONDS = NOW / 1000;

const check = (verify: Verify, headers: Record<string, string>, body: string | Buffer, now = NOW) =>
  verify({ header: (name) => headers[name], body: Buffer.from(body as string), now });
const isGenuine = (...args: Parameters<typeof check>) => check(...args).genuine;

describe('Standard Webhooks', () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const other = `whsec_${randomBytes(24).toString('base64')}`;
  const signed = (body: string, { at = SECONDS, by = secret, id = 'msg_1' } = {}) => ({
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': new Webhook(by).sign(id, new Date(at * 1000), body),
  });

  test('what the reference implementation signs is genuine, whatever the text', () => {
    const verify = standardWebhooks([secret]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.-]{1,20}$/), (text, id) => {
        const body = text.toWellFormed();
        assert.deepEqual(check(verify, signed(body, { id }), body), {
          genuine: true,
          id,
          repeatedUntil: NOW + 300_000,
        });
      }),
      { numRuns: 50 },
    );
  });

  test('any byte changed in the body, the id or the timestamp makes it forged', () => {
    const verify = standardWebhooks([secret]);
    const headers = signed('{"a":1}');
    assert.ok(isGenuine(verify, headers, '{"a":1}'));
    assert.ok(!isGenuine(verify, headers, '{"a":2}'));
    assert.ok(!isGenuine(verify, headers, '{"a":1} '));
    assert.ok(!isGenuine(verify, { ...headers, 'webhook-id': 'msg_2' }, '{"a":1}'));
    assert.ok(!isGenuine(verify, { ...headers, 'webhook-timestamp': String(SECONDS + 1) }, '{"a":1}'));
    const cut = headers['webhook-signature'].slice(0, -4);
    assert.ok(!isGenuine(verify, { ...headers, 'webhook-signature': cut }, '{"a":1}'));
    assert.ok(!isGenuine(verify, { ...headers, 'webhook-signature': 'v1,' }, '{"a":1}'));
    const swapped = headers['webhook-signature'].replace('v1,', 'v1a,');
    assert.ok(!isGenuine(verify, { ...headers, 'webhook-signature': swapped }, '{"a":1}'));
  });

  test('bodies are bytes: what is not UTF-8 is told apart', () => {
    const verify = standardWebhooks([secret]);
    const replaced = signed('�');
    assert.ok(isGenuine(verify, replaced, Buffer.from('�')));
    assert.ok(!isGenuine(verify, replaced, Buffer.from([0xff])));
  });

  test('during a rotation any key and any of several signatures will do', () => {
    const headers = signed('x', { by: other });
    assert.ok(isGenuine(standardWebhooks([secret, other]), headers, 'x'));
    assert.ok(!isGenuine(standardWebhooks([secret]), headers, 'x'));
    const both = `v1,bm90aGluZw== v2,future ${headers['webhook-signature']}`;
    assert.ok(isGenuine(standardWebhooks([other]), { ...headers, 'webhook-signature': both }, 'x'));
  });

  test('ed25519 signatures are genuine by the public key', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
    const signature = signEd25519(null, Buffer.from(`msg_1.${SECONDS}.x`), privateKey).toString('base64');
    const headers = { ...signed('x'), 'webhook-signature': `v1a,${signature}` };
    assert.ok(isGenuine(standardWebhooks([`whpk_${raw}`]), headers, 'x'));
    assert.ok(!isGenuine(standardWebhooks([`whpk_${raw}`]), headers, 'y'));
    assert.ok(
      !isGenuine(standardWebhooks([`whpk_${raw}`]), { ...headers, 'webhook-signature': `v1,${signature}` }, 'x'),
    );
  });

  test('the timestamp may be off by the tolerance, both ways, and not more', () => {
    const verify = standardWebhooks([secret], 60);
    for (const [offset, genuine] of [
      [-60, true],
      [60, true],
      [-61, false],
      [61, false],
    ] as const) {
      assert.equal(isGenuine(verify, signed('x', { at: SECONDS + offset }), 'x'), genuine, String(offset));
    }
    for (const timestamp of ['', '1e9', `${SECONDS}.5`, ` ${SECONDS}`, '-1', 'NaN', '9'.repeat(30)]) {
      assert.ok(!isGenuine(verify, { ...signed('x'), 'webhook-timestamp': timestamp }, 'x'), timestamp);
    }
  });

  test('an id counts as repeated for as long as its timestamp would be taken', () => {
    const verdict = check(standardWebhooks([secret], 60), signed('x', { at: SECONDS + 30 }), 'x');
    assert.equal(verdict.genuine && verdict.repeatedUntil, NOW + 90_000);
  });

  test('headers that are missing make it forged', () => {
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      assert.ok(!isGenuine(standardWebhooks([secret]), { ...signed('x'), [name]: '' }, 'x'));
    }
  });

  test('a secret that cannot be used is refused without being shown', () => {
    for (const bad of ['whsec_', 'whsec_canary!', 'whsk_canary', 'whpk_Y2FuYXJ5']) {
      assert.throws(
        () => standardWebhooks([secret, bad]),
        (error) =>
          error instanceof SecretFault && error.message.startsWith('secret 2: ') && !/canary|Y2Fu/.test(error.message),
      );
    }
  });
});

describe('GitHub webhooks', () => {
  test('what Octokit signs is genuine, by any of the secrets', async () => {
    const body = '{"zen":"größer"}';
    const headers = { 'x-hub-signature-256': await signAsOctokit('second', body), 'x-github-delivery': 'guid' };
    const verify = githubWebhooks(['first', 'second']);
    assert.deepEqual(check(verify, headers, body), { genuine: true, id: 'guid', repeatedUntil: NOW + 600_000 });
    assert.ok(!isGenuine(githubWebhooks(['first']), headers, body));
    assert.ok(!isGenuine(verify, headers, `${body} `));
  });

  test('anything but 64 digits of sha256 is forged', () => {
    for (const signature of ['', 'sha256=', 'sha1=da39a3ee', `sha256=${'0'.repeat(63)}`, `sha256=${'0'.repeat(64)}`]) {
      assert.ok(!isGenuine(githubWebhooks(['s']), { 'x-hub-signature-256': signature }, ''));
    }
    assert.throws(() => githubWebhooks(['']), SecretFault);
  });
});
