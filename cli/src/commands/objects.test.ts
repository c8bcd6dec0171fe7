import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';

import { startMillrace, testFolder } from '../../../test/support/process.ts';
import type { Millrace, TestFolder } from '../../../test/support/process.ts';
import { broker, commandsAt, secret, triggerOf } from '../testing/manifests.ts';
import type { Commands } from '../testing/manifests.ts';
import { deadAddress, linesFrom } from '../testing/millrace.ts';

const TRIGGER = 'trigger.eventing.knative.dev';

describe('objects of the API', () => {
  let folder: TestFolder;
  let millrace: Millrace;
  let commands: Commands;
  const says = (line: string, input?: string) => commands.says(line.split(' '), input);
  const run = (line: string, input?: string) => commands.run(line.split(' '), input);

  before(async () => {
    folder = testFolder();
    const declared = folder.write('declared/declared.yaml', broker('declared'));
    millrace = await startMillrace({ data: folder.at('data'), manifests: [declared] });
    commands = commandsAt(millrace.admin);
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** As another program does it that sets fields. */
  async function appliedByAnother(name: string, spec: object): Promise<void> {
    const path = `/apis/eventing.knative.dev/v1/namespaces/default/triggers/${name}?fieldManager=another`;
    const object = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata: { name }, spec };
    const response = await fetch(millrace.admin + path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(object),
    });
    assert.ok(response.ok, await response.text());
  }

  describe('apply', () => {
    test('says of each what became of it; a dry run stores nothing', async () => {
      const manifest = (type: string) => broker('applied') + triggerOf('applied', 'applied', { type });
      const each = (broker: string, trigger: string) =>
        `broker.eventing.knative.dev/applied ${broker}\n${TRIGGER}/applied ${trigger}\n`;
      const dry = await says('apply -f - --dry-run', manifest('a'));
      assert.equal(dry, each('created (server dry run)', 'created (server dry run)'));
      assert.equal((await run('get broker applied')).code, 3);
      assert.equal(await says('apply -f -', manifest('a')), each('created', 'created'));
      await says('wait --for=condition=Ready trigger/applied');
      assert.equal(await says('apply --server-side -f -', manifest('a')), each('unchanged', 'unchanged'));
      assert.equal(await says('apply -f -', manifest('b')), each('unchanged', 'configured'));
      assert.equal(await says('get trigger applied -o jsonpath={.spec.filter.attributes.type}'), 'b');
    });

    test('takes back what it has set and no manifest says any more', async () => {
      await says('apply -f -', broker('noted', ', annotations: { note: a }'));
      assert.match(await says('apply -f -', broker('noted')), / configured\n$/);
      assert.match(await says('apply -f -', broker('noted')), / unchanged\n$/);
      const annotations = await says('get broker noted -o jsonpath={.metadata.annotations}');
      assert.equal(annotations, '{"eventing.knative.dev/broker.class":"Millrace"}');
    });

    test('does nothing when a manifest cannot be read, and lists every fault with its place', async () => {
      const path = folder.write('bad/a.yaml', broker('never'));
      const bad = `${triggerOf('x', 'y').replace('kind: Trigger', 'kind: Triger')}---\n{ a: 1 }\n---\na: [\n`;
      const file = folder.write('bad/b.yaml', bad);
      const { code, stdout, stderr } = await commands.run(['apply', '-f', folder.at('bad')]);
      assert.deepEqual([code, stdout], [6, '']);
      assert.match(stderr, /^millrace: 3 faults in the manifests; nothing was done:\n/);
      assert.ok(
        stderr.includes(`${file}:3:1 kind: expected a kind that the server serves, got eventing.knative.dev/v1 Triger`),
        stderr,
      );
      assert.ok(stderr.includes('(did you mean eventing.knative.dev/v1 Trigger?)'), stderr);
      assert.ok(stderr.includes(`${file}:10:1 expected an apiVersion`), stderr);
      assert.ok(!stderr.includes(path), stderr);
      assert.equal((await run('get broker never')).code, 3);
    });

    test('tells each cause of a refusal with the place it is about, and applies the others', async () => {
      const text = `${broker('beside')}---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: refused }
spec:
  brokr: x
---
apiVersion: v1
kind: List
items:
- apiVersion: eventing.knative.dev/v1
  kind: Trigger
  metadata: { name: refused }
  spec:
    broker: x
    filters: [{ exact: { type: "" } }]
    subscriber: { uri: 7 }
${broker('declared', ', labels: { a: b }')}`;
      const file = folder.write('refused.yaml', text);
      const { code, stdout, stderr } = await commands.run(['apply', '-f', file]);
      assert.deepEqual([code, stdout], [6, 'broker.eventing.knative.dev/beside created\n']);
      const told = stderr.split('\n');
      const has = (line: string) =>
        assert.ok(
          told.some((it) => it.startsWith(line)),
          `${line}\n${stderr}`,
        );
      has('millrace: 3 of 4 were refused:');
      has(`  ${file}:10:3 ${TRIGGER}/refused: unknown field "spec.brokr" (did you mean "broker"?)`);
      has(`  ${file}:20:26 ${TRIGGER}/refused: spec.filters[0].exact.type: `);
      has(`  ${file}:21:19 ${TRIGGER}/refused: spec.subscriber.uri: `);
      assert.match(stderr, /broker.eventing.knative.dev\/declared: it is declared in .*declared.yaml: change it there/);
    });

    test('leaves alone what another has set, and says how to take it over', async () => {
      await appliedByAnother('contested', { broker: 'default', subscriber: { uri: 'http://127.0.0.1:2/' } });
      const { code, stderr } = await run('apply -f -', triggerOf('contested', 'default'));
      assert.equal(code, 4);
      assert.match(stderr, /<stdin>:8:17 .*\.spec\.subscriber\.uri: conflict with "another".*--force-conflicts$/m);
      const forced = await says('apply -f - --force-conflicts', triggerOf('contested', 'default'));
      assert.equal(forced, `${TRIGGER}/contested configured\n`);
    });

    test('prunes what it has applied and is not declared any more, and nothing else', async () => {
      const label = ', labels: { set: prunable }';
      const both = triggerOf('kept', 'default', { more: label }) + triggerOf('pruned', 'default', { more: label });
      await says('apply -f -', both + broker('unlabelled'));
      await appliedByAnother('not-ours', { broker: 'default', subscriber: { uri: 'http://127.0.0.1:2/' } });
      const rest = triggerOf('kept', 'default', { more: label });
      assert.equal((await run('apply -f - --prune', rest)).code, 2);
      const dry = await says('apply -f - --prune -l set=prunable --dry-run', rest);
      assert.match(dry, /pruned pruned \(server dry run\)\n$/);
      const pruned = await says('apply -f - --prune -l set=prunable', rest);
      assert.equal(pruned, `${TRIGGER}/kept unchanged\n${TRIGGER}/pruned pruned\n`);
      const all = await says('apply -f - --prune --all', rest);
      assert.match(all, /unlabelled pruned/);
      const names = await says('get triggers,brokers -o name');
      for (const name of ['kept', 'not-ours', 'declared']) assert.ok(names.includes(`/${name}\n`), names);
      for (const name of ['pruned', 'unlabelled']) assert.ok(!names.includes(`/${name}\n`), names);
    });

    test('passes on what the server warns of', async () => {
      const source = `
apiVersion: sources.knative.dev/v1beta2
kind: PingSource
metadata: { name: old }
spec: { schedule: "0 0 1 1 *", sink: { uri: "http://127.0.0.1:1/" } }
`;
      const { stdout, stderr } = await run('apply -f -', source);
      assert.match(`${stdout}${stderr}`, /^Warning: .*sources.knative.dev\/v1/m);
    });
  });

  describe('get', () => {
    test('finds kinds by any of their names, and shows several', async () => {
      await says('apply -f -', broker('shown', ', labels: { team: blue }') + triggerOf('shown', 'shown'));
      for (const kind of [
        'brokers',
        'broker',
        'Broker',
        'brokers.eventing.knative.dev',
        'broker.v1.eventing.knative.dev',
      ]) {
        assert.match(await says(`get ${kind} shown`), /^NAME +URL +AGE +READY +REASON\nshown +http:/, kind);
      }
      const several = await says('get broker,trigger -l team=blue');
      assert.match(several, /^NAME +URL .*\nbroker.eventing.knative.dev\/shown +http.*\n$/);
      assert.match(await says('get knative -A'), /^NAMESPACE +NAME .*\n(?:.*\n)*default +trigger.*\/shown +shown /);
      assert.match(await says('get broker/shown trigger/shown'), /^broker[^]*\n\nNAME[^]*^trigger\S+ +shown/m);
      assert.equal(
        await says('get broker,trigger shown -o name'),
        `broker.eventing.knative.dev/shown\n${TRIGGER}/shown\n`,
      );
      assert.match(
        await says('get broker shown -o wide --show-labels'),
        /CLASS +LABELS\nshown .* Millrace +team=blue\n$/,
      );
      assert.match(await says('get broker shown --no-headers'), /^shown /);
    });

    test('prints for programs', async () => {
      await says('apply -f -', broker('printed'));
      const one = JSON.parse(await says('get broker printed -o json')) as { metadata: Record<string, unknown> };
      assert.equal(one.metadata['name'], 'printed');
      assert.equal(one.metadata['managedFields'], undefined);
      assert.match(await says('get broker printed -o yaml --show-managed-fields'), /manager: millrace\n/);
      const list = JSON.parse(await says('get broker -o json')) as { kind: string; items: unknown[] };
      assert.equal(list.kind, 'List');
      const template = ['-o', 'jsonpath={range .items[*]}{.metadata.name}={.kind}{"\\n"}{end}'];
      assert.match(await commands.says(['get', 'broker', ...template]), /^printed=Broker$/m);
      const wrong = await commands.run(['get', 'broker', '-o', 'jsonpath={.items[}']);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /^millrace: -o jsonpath: cannot read "\["/);
    });

    test('says what there is when it finds nothing', async () => {
      await says('apply -f -', triggerOf('urgent', 'default'));
      const kind = await run('get tigger');
      assert.deepEqual(
        [kind.code, kind.stderr],
        [2, 'millrace: the server has no kind "tigger": did you mean trigger?\n'],
      );
      const name = await run('get trigger urgnt urgent');
      assert.equal(name.code, 3);
      assert.match(name.stdout, /^urgent /m);
      assert.match(name.stderr, /"urgnt" not found in the namespace "default"; did you mean "urgent"\?/);
      assert.match(
        (await run('get trigger urgent -n other')).stderr,
        /there is one in the namespace "default": add -n default/,
      );
      const empty = await run('get sequences');
      assert.deepEqual([empty.code, empty.stdout, empty.stderr], [0, '', 'No resources found in default namespace.\n']);
      assert.equal(await says('get trigger nope --ignore-not-found'), '');
      assert.equal((await run('get trigger -l a=b=c')).code, 2);
    });

    test('goes on with what changes', async () => {
      await says('apply -f -', triggerOf('watched', 'default', { more: ', labels: { watched: yes-it-is }' }));
      const child = commands.start([
        'get',
        'triggers',
        '-w',
        '-l',
        'watched',
        '-o',
        'jsonpath={.spec.filter.attributes.type}.',
      ]);
      const table = commands.start(['get', 'triggers', '-w', '-l', 'watched']);
      try {
        const rows = linesFrom(table.stdout);
        assert.match(String((await rows.next()).value), /^NAME +BROKER/);
        assert.match(String((await rows.next()).value), /^watched +default/);
        await once(child.stdout, 'readable');
        const gone = (async () => {
          let seen = '';
          for await (const chunk of child.stdout) {
            seen += String(chunk);
            if (seen.includes('b.')) return seen;
          }
          return seen;
        })();
        await says(
          'apply -f -',
          triggerOf('watched', 'default', { type: 'b', more: ', labels: { watched: yes-it-is }' }),
        );
        assert.match(await gone, /^(?:a\.)+b\.$/);
        assert.match(String((await rows.next()).value), /^watched +default/);
      } finally {
        child.kill();
        table.kill();
      }
    });
  });

  test('describe shows all of an object but what a Secret holds', async () => {
    await says('apply -f -', secret('described', 'hunter2') + triggerOf('described', 'nowhere'));
    const page = await says('describe secret/described');
    assert.match(page, /^password: {2}7 bytes\nuser: {6}2 bytes$/m);
    assert.ok(!page.includes('hunter2') && !page.includes(Buffer.from('hunter2').toString('base64')), page);
    assert.doesNotMatch(await says('get secret described'), /hunter2/);
    await commands.run(['wait', '--for=condition=Ready=False', 'trigger/described']);
    const trigger = await says('describe trigger descr');
    assert.match(
      trigger,
      /^Name: {9}described\nNamespace: {4}default\nLabels: {7}eventing.knative.dev\/broker=nowhere\n/,
    );
    assert.match(trigger, /^ {4}Reason: +BrokerDoesNotExist$/m);
    assert.match(trigger, /^Events:/m);
    assert.equal((await run('describe trigger nope')).code, 3);
  });

  test('delete waits until it is gone, and says who keeps it', async () => {
    await says(
      'apply -f -',
      triggerOf('one', 'default') + triggerOf('two', 'default', { more: ', finalizers: [a.b/keep]' }),
    );
    assert.equal(await says('delete trigger one --dry-run'), `${TRIGGER} "one" deleted (server dry run)\n`);
    assert.equal(await says('delete trigger/one'), `${TRIGGER} "one" deleted\n`);
    const kept = await run('delete trigger two --timeout 10ms');
    assert.deepEqual([kept.code, kept.stdout], [1, `${TRIGGER} "two" deleted\n`]);
    assert.match(kept.stderr, /triggers.eventing.knative.dev "two" is not gone after 0.01 s: a.b\/keep must let it go/);
    assert.equal((await run('delete trigger one')).code, 3);
    assert.equal(await says('delete trigger one --ignore-not-found'), '');
    const manifest = triggerOf('three', 'default', { more: ', labels: { go: away }' }) + triggerOf('four', 'default');
    await says('apply -f -', manifest);
    assert.equal(await says('delete triggers -l go=away'), `${TRIGGER} "three" deleted\n`);
    assert.equal(await says('delete -f - --ignore-not-found', manifest), `${TRIGGER} "four" deleted\n`);
    assert.equal((await run('delete triggers')).code, 2);
    const { stderr } = await run('delete broker declared');
    assert.match(stderr, /declared.yaml declares it, so it comes back: delete it there/);
  });

  test('diff shows what apply would change, and nothing of secrets', async () => {
    const manifest = (type: string, value: string) =>
      triggerOf('compared', 'default', { type }) + secret('compared', value);
    const fresh = await run('diff -f -', manifest('a', 'hunter2'));
    assert.equal(fresh.code, 1);
    assert.match(
      fresh.stdout,
      /^\+\+\+ MERGED\/eventing.knative.dev.v1.Trigger.default.compared\n@@ -0,0 \+1,\d+ @@\n\+apiVersion/m,
    );
    await says('apply -f -', manifest('a', 'hunter2'));
    assert.equal(await says('diff -f -', manifest('a', 'hunter2')), '');
    const { code, stdout } = await run('diff -f -', manifest('b', 'hunter3'));
    assert.equal(code, 1);
    assert.match(stdout, /^- {6}type: a\n\+ {6}type: b$/m);
    assert.match(
      stdout,
      /^- {2}password: '\*\*\* \(before\)'\n\+ {2}password: '\*\*\* \(after\)'\n {3}user: '\*\*\*'$/m,
    );
    for (const value of ['hunter2', 'hunter3']) {
      const hidden = [value, Buffer.from(value).toString('base64')];
      for (const text of hidden) assert.ok(!`${fresh.stdout}${stdout}`.includes(text), text);
    }
    assert.equal(await says('get trigger compared -o jsonpath={.spec.filter.attributes.type}'), 'a');
  });

  test('wait ends when it is so, and says how it is when it is not', async () => {
    await says('apply -f -', triggerOf('waiting', 'later'));
    const late = await run('wait --for=condition=Ready trigger waiting --timeout 0');
    assert.equal(late.code, 1);
    assert.match(
      late.stderr,
      /timed out waiting for the condition on triggers\/waiting: Ready is (?:False|Unknown): BrokerDoesNotExist/,
    );
    const waiting = commands.start(['wait', '--for=condition=Ready', 'trigger/waiting', '--timeout=20s']);
    const ended = once(waiting, 'close');
    const said = linesFrom(waiting.stdout);
    await says('apply -f -', broker('later'));
    assert.equal((await said.next()).value, `${TRIGGER}/waiting condition met`);
    assert.deepEqual(await ended, [0, null]);
    assert.equal(
      await says('wait --for=jsonpath={.spec.broker}=later trigger/waiting'),
      `${TRIGGER}/waiting condition met\n`,
    );
    const deleted = commands.start(['wait', '--for=delete', 'trigger/waiting', '--timeout=20s']);
    const over = once(deleted, 'close');
    await says('delete trigger waiting');
    assert.deepEqual(await over, [0, null]);
    assert.equal((await run('wait --for=condition=Ready trigger/waiting')).code, 3);
    assert.equal((await run('wait --for=readiness trigger/waiting')).code, 2);
  });

  test('explain says what fields mean, and what there are', async () => {
    assert.match(
      await says('explain trigger.spec.filters'),
      /^GROUP: {6}eventing.knative.dev\nKIND: {7}Trigger\nVERSION: {4}v1\n\nFIELD: filters <\[\]Filter>\n\nDESCRIPTION:\n {4}a list of filters\n[^]*^ {2}cesql\t<string>\n {4}a CESQL expression$/m,
    );
    assert.match(
      await says('explain broker --recursive'),
      /^ {4}delivery\t<Object>\n(?: {6}.*\n)* {6}retry\t<integer>$/m,
    );
    const { code, stderr } = await run('explain trigger.spec.filterss');
    assert.deepEqual([code, stderr], [3, 'millrace: spec has no field "filterss": did you mean filters?\n']);
  });

  test('api-resources lists the kinds', async () => {
    assert.match(await says('api-resources'), /^channels +ch +messaging.knative.dev\/v1 +true +Channel$/m);
    assert.match(await says('api-resources --namespaced false -o name'), /^namespaces$/m);
    assert.match(
      await says('api-resources -o wide --api-group flows.knative.dev'),
      /^sequences .*watch +all,knative,flows$/m,
    );
  });

  test('every one of them says so when nobody is there', async () => {
    const nowhere = commandsAt(await deadAddress());
    for (const line of [
      'get broker',
      'describe broker',
      'apply -f -',
      'diff -f -',
      'delete broker x',
      'api-resources',
    ]) {
      const { code, stderr } = await nowhere.run(line.split(' '), broker('x'));
      assert.equal(code, 5, line);
      assert.match(stderr, /^millrace: no millrace answers at .*: start one with/, line);
    }
    for (const line of ['wait --for=delete broker/x', 'explain broker', 'kubeconfig']) {
      assert.equal((await nowhere.run(line.split(' '))).code, 5, line);
    }
  });
});
