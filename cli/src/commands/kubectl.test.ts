import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';

import { provideKubectl } from '../../../test/support/kubectl.ts';
import { startMillrace, testFolder } from '../../../test/support/process.ts';
import type { Millrace, TestFolder } from '../../../test/support/process.ts';
import { broker, commandsAt, secret, triggerOf } from '../testing/manifests.ts';
import type { Commands } from '../testing/manifests.ts';

const kubectl = await provideKubectl();

const CONFIG_MAP = `---
apiVersion: v1
kind: ConfigMap
metadata: { name: texts }
data:
  "1": "on"
  bool: "true"
  colon: "a: b"
  empty: ""
  lines: "one\\ntwo\\n"
  octal: "010"
  quoted: it's "so"
  space: " a "
  star: "*"
  time: 2026-01-02T03:04:05Z
`;

const MOST_TRIES = 5;

const withoutAges = (text: string) => text.replaceAll(/ +(?:\d+[dhm])*\d+[dhms]\b/g, ' AGE').replaceAll(/ +/g, ' ');

/** Of one entry: kubectl describes several in the order of a Go map, another one each time. */
const SMALL_SECRET = `---
apiVersion: v1
kind: Secret
metadata: { name: token }
stringData: { value: hush }
`;

describe('millrace beside the real kubectl', { skip: 'skip' in kubectl ? kubectl.skip : false }, () => {
  let folder: TestFolder;
  let millrace: Millrace;
  let commands: Commands;

  before(async () => {
    folder = testFolder();
    millrace = await startMillrace({ data: folder.at('data') });
    commands = commandsAt(millrace.admin);
    const objects = [
      broker('orders', `, labels: { team: blue }, annotations: { long: ${'x'.repeat(150)}, note: "yes" }`),
      triggerOf('urgent', 'orders', { more: ', labels: { team: blue, stage: test }' }),
      triggerOf('lost', 'nowhere'),
      secret('key', 'hunter2'),
      SMALL_SECRET,
      CONFIG_MAP,
      CONFIG_MAP.replace('texts', 'one').replace(/^data:[^]*/m, 'data: { a: "1\\n2" }\n'),
    ];
    await commands.says(['apply', '-f', '-'], objects.join(''));
    await commands.says(['wait', '--for=condition=Ready', 'trigger/urgent']);
    await commands.says(['wait', '--for=condition=Ready=False', 'trigger/lost']);
    folder.write('kubeconfig', await commands.says(['kubeconfig']));
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** It finds the process by what `millrace kubeconfig` has printed. */
  function kubectlSays(line: readonly string[]): Promise<string> {
    const command = 'component' in kubectl ? kubectl.component : '';
    const env = { PATH: process.env['PATH'], HOME: folder.path, KUBECONFIG: folder.at('kubeconfig') };
    return new Promise((resolve, reject) => {
      execFile(command, [...line], { env, timeout: 30_000 }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`kubectl ${line.join(' ')}: ${err}${out}`));
      });
    });
  }
  /**
   * Both are asked until no second has passed between them: ages are told in seconds. Where that never happens because the
   * machine has much to do, they are compared without ages, and so without the widths of columns.
   */
  async function bothSay(line: readonly string[]): Promise<[ours: string, theirs: string]> {
    for (let tries = 1; ; tries++) {
      const first = await commands.says(line);
      const theirs = (await kubectlSays(line)).replaceAll(/ +$/gm, '');
      const second = await commands.says(line);
      if (first === second) return [second, theirs];
      if (tries === MOST_TRIES) return [withoutAges(second), withoutAges(theirs)];
    }
  }

  for (const line of [
    ['get', 'triggers'],
    ['get', 'triggers,brokers,cm', '-A', '--show-labels'],
    ['get', 'broker', 'orders', '-o', 'wide'],
    ['get', 'secret/key', 'trigger/urgent'],
    ['get', 'all', '--no-headers'],
    ['get', 'triggers', '--sort-by=.metadata.name'],
    ['get', 'triggers,brokers', '--sort-by={.metadata.creationTimestamp}', '-o', 'name'],
    ['get', 'trigger', '-l', 'team in (blue),stage!=live', '-o', 'name'],
    [
      'get',
      'trigger',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name}:{.status.conditions[?(@.type=="Ready")].reason};{end}',
    ],
    ['api-resources'],
    ['api-resources', '-o', 'name'],
    ['describe', 'trigger', 'urgent'],
    ['describe', 'trigger/lost', 'broker/orders', 'secret/token', 'cm/one', 'ns/default'],
  ]) {
    test(`prints the same for ${line.join(' ')}`, async () => {
      const [ours, theirs] = await bothSay(line);
      assert.equal(ours, theirs);
    });
  }

  for (const line of [
    ['get', 'trigger', 'urgent', '-o', 'yaml'],
    ['get', 'trigger,broker,secret', '-o', 'yaml', '--show-managed-fields'],
    ['get', 'cm', 'texts', '-o', 'yaml'],
    ['get', 'trigger,broker', '-A', '-o', 'json'],
  ]) {
    test(`prints the same, byte for byte, for ${line.join(' ')}`, async () => {
      assert.equal(await commands.says(line), await kubectlSays(line));
    });
  }

  for (const field of [
    'trigger',
    'trigger.spec',
    'trigger.spec.delivery',
    'ksvc.spec.template',
    'sequence.spec.steps',
    'broker.spec.delivery.backoffPolicy',
  ]) {
    test(`explains ${field} with the same lines`, async () => {
      const linesOf = (text: string) =>
        text
          .split('\n')
          .map((it) => it.trimEnd())
          .filter((it) => it !== '');
      assert.deepEqual(
        linesOf(await commands.says(['explain', field])),
        linesOf(await kubectlSays(['explain', field])),
      );
      const recursive = ['explain', field, '--recursive'];
      assert.deepEqual(linesOf(await commands.says(recursive)), linesOf(await kubectlSays(recursive)));
    });
  }

  test('what one has applied, the other takes for its own to look at and to delete', async () => {
    const manifest = folder.write('shared.yaml', triggerOf('shared', 'orders'));
    assert.equal(await kubectlSays(['apply', '-f', manifest]), 'trigger.eventing.knative.dev/shared created\n');
    assert.equal(await commands.says(['diff', '-f', manifest]), '');
    assert.match(await commands.says(['apply', '-f', manifest]), / unchanged\n$/);
    assert.match(await kubectlSays(['diff', '-f', manifest]), /^$/);
    const deleted = 'trigger.eventing.knative.dev "shared" deleted\n';
    assert.equal(await kubectlSays(['delete', '-f', manifest]), deleted);
    await commands.says(['apply', '-f', manifest]);
    assert.equal(await commands.says(['delete', '-f', manifest]), deleted);
  });
});
