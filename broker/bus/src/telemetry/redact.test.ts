import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { redactFacts, redactText } from './redact.ts';

describe('redaction', () => {
  const cases: Record<string, [string, string]> = {
    'takes the user out of an address': ['see http://bob:pw@host:80/a.', 'see http://***@host:80/a.'],
    'takes a user out whose password holds an @': ['kafka://u:p@ss@host', 'kafka://***@host'],
    'keeps the names of a query and hides the values': ['http://h/p?a=1&b=2#c', 'http://h/p?a=***&b=***#c'],
    'hides the values of a query in a path alone': ['/ns/broker?key=abc', '/ns/broker?key=***'],
    'hides credentials': ['authorization: Bearer abc.d3f-g', 'authorization: Bearer ***'],
    'hides what is assigned to a secret': ['failed: password=hunter2, retry', 'failed: password=***, retry'],
    'leaves other texts alone': ['a@host: basic authentication, 3 = 3', 'a@host: basic authentication, 3 = 3'],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    test(name, () => assert.equal(redactText(text), expected));
  }

  test('cuts off what nobody would read to its end', () => {
    assert.equal(redactText('x'.repeat(50_000)).length, 2_001);
  });

  test('masks values under a key that sounds secret, however deep', () => {
    const shown = redactFacts({ user: 'bob', net: { sasl: { password: 'a' }, apiKey: 'b' }, headers: { Cookie: 'c' } });
    assert.deepEqual(shown, { user: 'bob', net: { sasl: '***', apiKey: '***' }, headers: { Cookie: '***' } });
  });

  test('tells an error with its causes, and without its secrets', () => {
    const error = new Error('no connection to http://a:b@c', { cause: new Error('refused') });
    assert.deepEqual(redactFacts({ error }), { error: 'no connection to http://***@c: refused' });
  });

  test('leaves out what is undefined, and survives what refers to itself', () => {
    const self: Record<string, unknown> = { big: 1n, nothing: undefined };
    self['self'] = self;
    assert.doesNotThrow(() => JSON.stringify(redactFacts(self)));
    assert.ok(!('nothing' in redactFacts(self)));
  });

  test('makes of anything something that can be written as JSON', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withTypedArray: true, withDate: true })),
        (value) => assert.equal(typeof JSON.stringify(redactFacts(value)), 'string'),
      ),
    );
  });

  test('shows no password of any address', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!$*+~@:-]{6,20}$/);
    fc.assert(
      fc.property(secret, (password) => {
        const shown = redactText(`POST http://user:Q${password}Q@host/path failed`);
        assert.equal(shown, 'POST http://***@host/path failed');
      }),
    );
  });
});
