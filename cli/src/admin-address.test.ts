import assert from 'node:assert/strict';
import { test } from 'node:test';

import { testFolder } from '../../test/support/process.ts';
import { reachOf } from './admin-address.ts';

const OWN = 'the-token-of-the-folder';

const cases: readonly [
  what: string,
  url: string,
  environment: Readonly<Record<string, string>>,
  token: string | undefined,
][] = [
  ['goes to this machine', 'http://127.0.0.1:8081', {}, OWN],
  ['goes to this machine by its name', 'https://localhost:8081', {}, OWN],
  ['goes to nobody else', 'https://admin.example', {}, undefined],
  ['goes to nobody whose name looks like this machine', 'https://127.0.0.1.example', {}, undefined],
  ['goes to nobody whose name begins like an address', 'https://127.example', {}, undefined],
  ['does not go where there is a name and a password', 'http://me:hunter2@127.0.0.1:8081', {}, undefined],
  ['gives way to one that is given', 'http://127.0.0.1:8081', { MILLRACE_TOKEN: 'given ' }, 'given'],
];

for (const [what, url, given, token] of cases) {
  test(`the token of the data folder ${what}: ${url}`, () => {
    using folder = testFolder();
    folder.write('admin.token', `${OWN}\n`);
    const reach = reachOf(url, { MILLRACE_DATA: folder.path, ...given });
    assert.equal(reach.token, token);
    assert.equal(reach.headers['authorization'], token === undefined ? undefined : `Bearer ${token}`);
    assert.ok(!reach.url.includes('hunter2'));
  });
}

test('a token in a file comes before all others, and a file that is not there is told', () => {
  using folder = testFolder();
  const tokenFile = folder.write('token', 'in-a-file\n');
  const url = 'https://admin.example';
  assert.equal(reachOf({ url, tokenFile }, { MILLRACE_TOKEN: 'other' }).token, 'in-a-file');
  assert.throws(() => reachOf({ url, tokenFile: folder.at('none') }, {}), /--token-file: .*ENOENT/);
  assert.throws(() => reachOf({ url, caFile: folder.at('none') }, {}), /--ca-file: .*ENOENT/);
});
