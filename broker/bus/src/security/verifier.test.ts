import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';

import { createLocalJWKSet, exportJWK, exportSPKI, SignJWT } from 'jose';

import { discoverIssuer } from './discovery.ts';
import { makeIssuerKey, openIssuer } from './issuer.ts';
import { openSenderTokens } from './sender-tokens.ts';
import { openVerifier } from './verifier.ts';
import type { Verified } from './verifier.ts';

const ISSUER = 'https://issuer.test';
const AUDIENCE = 'eventing.knative.dev/broker/default/default';
const NOW = Date.parse('2026-01-02T03:04:05Z');
const SECONDS = NOW / 1_000;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLIC_PEM = await exportSPKI(publicKey);
const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] });

const GOOD = {
  iss: ISSUER,
  sub: 'system:serviceaccount:default:shop',
  aud: AUDIENCE,
  iat: SECONDS,
  exp: SECONDS + 600,
};

function signed(claims: object, { key = privateKey, kid = 'one', alg = 'RS256' } = {}): Promise<string> {
  return new SignJWT({ ...GOOD, ...claims }).setProtectedHeader({ alg, kid }).sign(key);
}

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by hand, with a signature that is made of what is signed. */
function forged(header: object, sign: (text: string) => string, claims: object = GOOD): string {
  const text = `${base64(header)}.${base64(claims)}`;
  return `${text}.${sign(text)}`;
}

const verifier = (now = NOW) => openVerifier({ trusted: async () => ({ issuer: ISSUER, keys }), now: () => now });
const taken: Verified = { outcome: 'verified', subject: GOOD.sub };

describe('a token is taken', () => {
  const accepted: readonly [what: string, claims: object][] = [
    ['as its issuer makes it', {}],
    ['that is for several audiences', { aud: ['another', AUDIENCE] }],
    ['that has just expired, as clocks differ', { exp: SECONDS - 5 }],
    ['that is valid from now on', { nbf: SECONDS }],
  ];
  for (const [what, claims] of accepted) {
    test(what, async () => assert.deepEqual(await verifier()(await signed(claims), AUDIENCE), taken));
  }
});

const [head = '', body = '', signature = ''] = (await signed({})).split('.');
const refused: readonly [what: string, token: string, reason: RegExp][] = [
  ['without a signature', forged({ alg: 'none' }, () => ''), /cannot be read, or is not signed/],
  ['that says it needs none, in other letters', forged({ alg: 'NoNe' }, () => ''), /cannot be read|not signed/],
  [
    'signed with the public key as if that were a shared secret',
    forged({ alg: 'HS256', kid: 'one' }, (text) => createHmac('sha256', PUBLIC_PEM).update(text).digest('base64url')),
    /cannot be read, or is not signed/,
  ],
  ['whose signature was cut off', `${head}.${body}.`, /signature/],
  ['whose signature is of another token', `${head}.${base64({ ...GOOD, sub: 'root' })}.${signature}`, /signature/],
  ['signed by somebody else under the same name', await signed({}, { key: other.privateKey }), /signature/],
  ['of a key that the issuer does not have', await signed({}, { kid: 'two' }), /no such key/],
  [
    'that brings its own key',
    forged({ alg: 'RS256', jwk: await exportJWK(other.publicKey), kid: 'own' }, () => 'AAAA'),
    /no such key/,
  ],
  ['of another issuer', await signed({ iss: 'https://evil.test' }), /claim iss/],
  ['that does not say who issued it', await signed({ iss: undefined }), /claim iss/],
  ['that has expired', await signed({ exp: SECONDS - 60 }), /expired/],
  ['that never expires', await signed({ exp: undefined }), /claim exp/],
  ['that is not valid yet', await signed({ nbf: SECONDS + 60 }), /claim nbf/],
  ['for another audience', await signed({ aud: 'another' }), /another audience/],
  ['for an audience that only begins so', await signed({ aud: `${AUDIENCE}-2` }), /another audience/],
  ['for nobody', await signed({ aud: undefined }), /claim aud/],
  ['that names no subject', await signed({ sub: undefined }), /claim sub/],
  ['whose subject is empty', await signed({ sub: '' }), /no subject/],
  ['that is huge', `${'a'.repeat(20_000)}.${body}.${signature}`, /longer than/],
  ['that is no token', 'abc', /cannot be read/],
  ['that is no token with points', '..', /cannot be read/],
  ['that is encrypted', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c', /cannot be read/],
];

describe('a token is refused', () => {
  for (const [what, token, reason] of refused) {
    test(what, async () => {
      const verified = await verifier()(token, AUDIENCE);
      assert.equal(verified.outcome, 'refused');
      assert.match((verified as { reason: string }).reason, reason);
      assert.ok(!JSON.stringify(verified).includes(token), 'what is told does not hold the token');
    });
  }
});

describe('what is known of a token', () => {
  test('is found out once, until it expires', async () => {
    let [now, asked] = [NOW, 0];
    const trusted = async () => {
      asked += 1;
      return { issuer: ISSUER, keys };
    };
    const verify = openVerifier({ trusted, now: () => now });
    const token = await signed({ exp: SECONDS + 60 });
    for (let count = 0; count < 3; count += 1) assert.deepEqual(await verify(token, AUDIENCE), taken);
    assert.equal(asked, 1);
    assert.equal((await verify(token, 'another')).outcome, 'refused', 'each time for its audience');
    now += 90_000;
    assert.equal((await verify(token, AUDIENCE)).outcome, 'refused');
    assert.equal(asked, 2);
  });

  test('is forgotten soon, so that a key which the issuer takes back is not taken for long', async () => {
    let [now, isTrusted] = [NOW, true];
    const none = createLocalJWKSet({ keys: [] });
    const verify = openVerifier({
      trusted: async () => ({ issuer: ISSUER, keys: isTrusted ? keys : none }),
      now: () => now,
    });
    const token = await signed({ exp: SECONDS + 86_400 });
    assert.deepEqual(await verify(token, AUDIENCE), taken);
    isTrusted = false;
    now += 5 * 60_000;
    assert.equal((await verify(token, AUDIENCE)).outcome, 'refused');
  });

  test('is not made of what could not be found out', async () => {
    let isThere = false;
    const trusted = async () => {
      if (!isThere) throw new Error('nobody answers');
      return { issuer: ISSUER, keys };
    };
    const verify = openVerifier({ trusted, now: () => NOW });
    const token = await signed({});
    assert.equal((await verify(token, AUDIENCE)).outcome, 'unavailable');
    isThere = true;
    assert.deepEqual(await verify(token, AUDIENCE), taken);
  });
});

describe('an issuer elsewhere', () => {
  /** Serves what an issuer serves, on a free port. */
  async function startIssuer() {
    const state = { keys: [makeIssuerKey()], configuration: undefined as object | undefined, asked: [] as string[] };
    const server = createServer((request, response) => {
      state.asked.push(request.url!);
      const documents = new Map(state.keys.flatMap((key) => [...openIssuer({ url, key, now: Date.now }).documents()]));
      const all = state.keys.map((key) => openIssuer({ url, key, now: Date.now }).documents().get('/openid/v1/jwks'));
      documents.set('/openid/v1/jwks', { keys: all.flatMap((it) => (it as { keys: object[] }).keys) });
      if (state.configuration !== undefined) documents.set('/.well-known/openid-configuration', state.configuration);
      const document = documents.get(request.url!);
      response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(document ?? {}));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      state,
      url: url(),
      async token(key: string) {
        const request = { subject: GOOD.sub, audiences: [AUDIENCE], lifetimeSeconds: 600 };
        return (await openIssuer({ url, key, now: Date.now }).issue(request)).token;
      },
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test('is asked once who it is and which keys it has', async () => {
    await using issuer = await startIssuer();
    const verify = openVerifier({
      trusted: discoverIssuer({ baseUrl: `${issuer.url}/`, fetch, now: Date.now }),
      now: Date.now,
    });
    for (let count = 0; count < 3; count += 1) {
      assert.deepEqual(await verify(await issuer.token(issuer.state.keys[0]!), AUDIENCE), taken);
    }
    assert.deepEqual(issuer.state.asked, ['/.well-known/openid-configuration', '/openid/v1/jwks']);
  });

  test('may change its keys: a new one is asked for, one that is gone is taken no longer', async () => {
    await using issuer = await startIssuer();
    let now = Date.now();
    const trusted = discoverIssuer({ baseUrl: issuer.url, fetch, now: () => now });
    const verify = openVerifier({ trusted, now: () => now });
    const [before] = issuer.state.keys;
    assert.deepEqual(await verify(await issuer.token(before!), AUDIENCE), taken);
    const next = makeIssuerKey();
    issuer.state.keys = [next];
    now += 10 * 60_000;
    assert.deepEqual(await verify(await issuer.token(next), AUDIENCE), taken);
    assert.equal((await verify(await issuer.token(before!), AUDIENCE)).outcome, 'refused');
  });

  test('that cannot be asked, or says what cannot be read, makes nothing known', async () => {
    await using issuer = await startIssuer();
    for (const configuration of [{}, { issuer: 1, jwks_uri: 'a' }, { issuer: 'a', jwks_uri: 'file:///etc/passwd' }]) {
      issuer.state.configuration = configuration;
      const trusted = discoverIssuer({ baseUrl: issuer.url, fetch, now: Date.now });
      await assert.rejects(trusted(), /says no issuer and jwks_uri/, JSON.stringify(configuration));
    }
    const nowhere = discoverIssuer({ baseUrl: `${issuer.url}/none`, fetch, now: Date.now });
    const verified = await openVerifier({ trusted: nowhere, now: Date.now })('abc', AUDIENCE);
    assert.equal(verified.outcome, 'unavailable');
  });
});

test('senders have one token an hour, renewed five minutes before it is over, however many ask at once', async () => {
  let [now, made] = [NOW, 0];
  const tokenOf = openSenderTokens({
    issue: async (who, audience, lifetimeSeconds) => {
      made += 1;
      return { token: `${who} ${audience} ${made}`, expiresAt: now + lifetimeSeconds * 1_000 };
    },
    now: () => now,
  });
  assert.deepEqual(await Promise.all([tokenOf('a', 'x'), tokenOf('a', 'x'), tokenOf('b', 'x')]), [
    'a x 1',
    'a x 1',
    'b x 2',
  ]);
  now += 54 * 60_000;
  assert.equal(await tokenOf('a', 'x'), 'a x 1');
  now += 60_000;
  assert.deepEqual(await Promise.all([tokenOf('a', 'x'), tokenOf('a', 'x')]), ['a x 3', 'a x 3']);
});
