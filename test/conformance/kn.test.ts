import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { provideKn } from '../support/kn.ts';
import { startMillrace, testFolder } from '../support/process.ts';
import type { Millrace, TestFolder } from '../support/process.ts';

const kn = await provideKn();
const CODE = join(import.meta.dirname, '../../functions/examples/hello-node');

describe('the real kn', { skip: 'skip' in kn ? kn.skip : false }, () => {
  let folder: TestFolder;
  let millrace: Millrace;

  before(async () => {
    folder = testFolder();
    millrace = await startMillrace({ data: folder.at('data') });
    const server = { server: millrace.admin };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'here', cluster: server }],
      contexts: [{ name: 'here', context: { cluster: 'here', namespace: 'default', user: 'me' } }],
      users: [{ name: 'me', user: {} }],
      'current-context': 'here',
    };
    folder.write('kubeconfig', JSON.stringify(config));
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  function run(line: string): Promise<{ code: number; out: string; err: string }> {
    const command = 'component' in kn ? kn.component : '';
    const args = ['--kubeconfig', folder.at('kubeconfig'), ...line.split(' ')];
    const env = { PATH: process.env['PATH'], HOME: folder.path };
    return new Promise((resolve) => {
      const child = execFile(command, args, { env, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
      child.stdin!.end();
    });
  }
  async function says(line: string): Promise<string> {
    const { code, out, err } = await run(line);
    assert.equal(code, 0, `kn ${line}: ${err}${out}`);
    return out;
  }
  /** Asks until it is so: what is declared becomes ready a moment after it is stored. */
  async function shows(line: string, pattern: RegExp): Promise<void> {
    for (;;) {
      const out = await says(line);
      if (pattern.test(out)) return;
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }
  async function fails(line: string): Promise<string> {
    const { code, out, err } = await run(line);
    assert.notEqual(code, 0, out);
    return err;
  }

  test('creates a Service, changes it, splits its calls, and tells of each revision', async () => {
    const created = await says(`service create hello --image x/hello --annotation millrace.dev/code=${CODE}`);
    assert.match(created, /Service 'hello' created to latest revision 'hello-00001' is available at URL:\nhttp/);
    const url = /^http\S+$/m.exec(created)![0];
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/kn', 'ce-type': 'met' };
    const body = '{"name":"Ada"}';
    const call = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body };
    assert.equal((await fetch(url, call)).headers.get('ce-type'), 'com.example.greeted');

    assert.match(await says('service update hello --env MOOD=good'), /updated to latest revision 'hello-00002'/);
    await shows('service list', /^hello +http\S+ +hello-00002 +\S+ +3 OK \/ 3 +True/m);
    await shows('revision list', /^hello-00002 +hello +100% +2 .* True *$/m);
    await shows('revision list -s hello', /^hello-00001 +hello +1 .* True *$/m);
    assert.match(await says('revision describe hello-00001'), /Service: +hello/);

    await says('service update hello --traffic hello-00001=100 --tag hello-00002=next');
    const told = await says('service describe hello');
    assert.match(told, /^ +100% +hello-00001 \[1\]/m);
    assert.match(told, /hello-00002 .*#next/);
    await shows('route describe hello', /100% +hello-00001/);
    await shows('route list', /^hello +http\S+ +True/m);

    const refused = await fails('revision delete hello-00001');
    assert.match(refused, /"hello-00001" is forbidden: .*change or delete the Service hello/);
    assert.match(await says('service delete hello'), /'hello' successfully deleted/);
    await shows('revision list', /No revisions found/);
  });

  test('handles Brokers, also the one that nobody has declared', async () => {
    await shows('broker list', /^default +http\S+\/default\/default .* True/m);
    assert.match(await says('broker create orders'), /'orders' successfully created/);
    assert.match(await says('broker create default'), /'default' successfully created/);
    await shows('broker describe orders', /URL: +http\S+\/default\/orders/);
    assert.match(await says('broker update orders --retry 3 --backoff-delay PT1S'), /'orders' updated/);
    await shows('broker list', /^orders .* 7 OK \/ 7 +True/m);
  });

  test('handles Triggers of a Broker', async () => {
    const trigger = 'trigger create urgent --broker orders --filter type=a --sink http://127.0.0.1:1/';
    assert.match(await says(trigger), /'urgent' successfully created/);
    await shows('trigger list', /^urgent +orders +http:\/\/127.0.0.1:1\/ .* 7 OK \/ 7 +True/m);
    assert.match(await says('trigger update urgent --filter type=b --sink broker:default'), /'urgent' updated/);
    const told = await says('trigger describe urgent');
    assert.match(told, /Filter: *\n +type: +b/);
    assert.match(told, /Resource: +Broker \(eventing.knative.dev\/v1\)/);
    assert.match(await says('trigger delete urgent'), /'urgent' deleted/);
    assert.match(await says('broker delete orders'), /'orders' successfully deleted/);
  });

  test('handles Channels and Subscriptions', async () => {
    await shows('channel list-types', /^InMemoryChannel +inmemorychannels.messaging.knative.dev/m);
    assert.match(await says('channel create pipe'), /'pipe' created/);
    await shows('channel list', /^pipe +InMemoryChannel +http\S+\/channels\/default\/pipe .* True/m);
    await shows('channel describe pipe', /URL: +http\S+\/channels\/default\/pipe/);
    await says('subscription create end --channel pipe --sink http://127.0.0.1:1/');
    await shows('subscription list', /^end +Channel:pipe +http:\/\/127.0.0.1:1\/ .* True/m);
    const { code, err } = await run('subscription update end --sink broker:default');
    assert.deepEqual([code, err], [0, '']);
    await shows('subscription describe end', /Resource: +Broker/);
    assert.match(await says('subscription delete end'), /'end' deleted/);
    assert.match(await says('channel delete pipe'), /'pipe' deleted/);
  });

  test('lists the types of sources, and sources with their sinks', async () => {
    await shows('source list-types', /^PingSource .*\n(?:.*\n)*SinkBinding /m);
    await says('source ping create hourly --schedule @hourly --data hi --sink broker:default');
    await shows('source list', /^hourly +PingSource +pingsources.sources.knative.dev +broker:default/m);
    assert.match(await says('source ping list'), /^hourly +@hourly +broker:default/im);
    assert.match(await says('source ping describe hourly'), /Schedule: +@hourly/);
    await says('source ping update hourly --schedule @daily');
    assert.match(await says('source ping delete hourly'), /'hourly' deleted/);
  });

  test('handles EventTypes, and says what kinds there are not', async () => {
    await says('eventtype create made --type com.example.made --broker default');
    await shows('eventtype list', /^made +com.example.made +default/m);
    assert.match(await says('eventtype delete made'), /'made' successfully deleted/);
    assert.match(await fails('domain list'), /could not find the requested resource/);
    assert.match(await fails('broker describe nobody'), /"nobody" not found/);
    assert.match(await fails('trigger create odd --broker default --sink ksvc:nobody'), /"nobody" not found/);
  });
});
