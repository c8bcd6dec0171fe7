import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { TypeView } from '@millrace/bus/admin/types';

import { post } from '../../../test/support/events.ts';
import { startMillrace, testFolder } from '../../../test/support/process.ts';
import type { Millrace, TestFolder } from '../../../test/support/process.ts';
import { broker, commandsAt } from '../testing/manifests.ts';
import type { Commands } from '../testing/manifests.ts';

const ORDER = JSON.stringify({ type: 'object', required: ['id'] });
const DECLARED = `${broker('shop', ', annotations: { millrace.dev/schema-validation: reject }')}---
apiVersion: eventing.knative.dev/v1beta2
kind: EventType
metadata: { name: order }
spec:
  type: order
  schemaData: '${ORDER}'
  reference: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: shop }
`;

describe('millrace types', () => {
  let folder: TestFolder;
  let millrace: Millrace;
  let commands: Commands;

  const send = async (type: string, data = '{"id":1}') =>
    (await post(`${millrace.url}/default/shop`, { id: `${type}-1`, type, source: '/till', data })).status;

  before(async () => {
    folder = testFolder();
    millrace = await startMillrace({ data: folder.at('data') });
    commands = commandsAt(millrace.admin);
    await commands.says(['apply', '-f', '-'], DECLARED);
    await commands.says(['wait', '--for=condition=Ready', 'broker/shop']);
    assert.equal(await send('order'), 202);
    assert.equal(await send('paid'), 202);
    // Made of the event, and not by hand.
    await commands.says(['wait', '--for=create', 'eventtype/et-shop-f4d12939cd0c9add739b4645b9eb2782']);
    await commands.says(['wait', '--for=condition=Ready', 'eventtype', '--all']);
  });
  after(async () => {
    await millrace[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test('lists what is declared and what has entered, with how much', async () => {
    const [header, ...rows] = (await commands.says(['types'])).trimEnd().split('\n');
    assert.match(header!, /^TYPE +SOURCE +INTO +EVENTS +PER MINUTE +LAST +SCHEMA$/);
    assert.match(rows[0]!, /^order +\* +broker\/default\/shop +1 +1 +\d+s +registered$/);
    assert.match(rows[1]!, /^paid +\/till +broker\/default\/shop +1 +1 +\d+s +-$/);
    assert.equal(rows.length, 2);
  });

  test('gives programs all of it, or the names', async () => {
    assert.equal(await commands.says(['types', 'list', '-o', 'name']), 'order\npaid\n');
    const views = JSON.parse(await commands.says(['types', 'list', '-o', 'json'])) as TypeView[];
    assert.deepEqual(
      views.map(({ type, count, hasSchema }) => [type, count, hasSchema]),
      [
        ['order', 1, true],
        ['paid', 1, false],
      ],
    );
  });

  test('shows one with its newest event', async () => {
    const page = await commands.says(['types', 'show', 'paid']);
    assert.match(page, /^Type: +paid\nSource: +\/till\nInto: +broker\/default\/shop\nEventType: +default\/et-shop-/);
    assert.match(page, /\nExample: {2}paid-1, position 2\nData: {2}application\/json, 8 bytes\n {2}\{\n {4}"id": 1\n/);
  });

  test('says which type was probably meant', async () => {
    const { code, stderr } = await commands.run(['types', 'show', 'pait']);
    assert.deepEqual([code, stderr], [3, 'millrace: there are no events of the type "pait" (did you mean paid?)\n']);
  });

  test('what a schema keeps out is no event', async () => {
    assert.equal(await send('order', '{}'), 422);
    assert.match(await commands.says(['types']), /^order +\* +broker\/default\/shop +1 /m);
  });

  test('a schema that is none is refused, over the API too', async () => {
    const { code, stderr } = await commands.run(['apply', '-f', '-'], DECLARED.replace(ORDER, '{"type":"money"}'));
    assert.notEqual(code, 0);
    assert.match(stderr, /spec\.schemaData: .*expected a JSON Schema, got schema is invalid/);
  });

  test('the newest event is found in the log after a restart', async () => {
    await millrace.stop();
    millrace = await startMillrace({ data: folder.at('data') });
    commands = commandsAt(millrace.admin);
    const page = await commands.says(['types', 'show', 'paid']);
    assert.match(page, /\nEvents: +0 since the start, 0 in the last minute\n/);
    assert.match(page, /\nExample: {2}paid-1, position 2\n/);
  });
});

test('no EventTypes are made where that is not wanted', async () => {
  using folder = testFolder();
  await using millrace = await startMillrace({ data: folder.at('data'), arguments: ['--no-event-types'] });
  const commands = commandsAt(millrace.admin);
  await post(millrace.broker, { type: 'order' });
  // The look at which they would be made comes with a new status.
  await commands.says(['apply', '-f', '-'], broker('other'));
  await commands.says(['wait', '--for=condition=Ready', 'broker/other']);
  assert.match(await commands.says(['types']), /^order +\/test +broker\/default\/default +1 /m);
  assert.equal(await commands.says(['get', 'eventtypes', '-o', 'name']), '');
});
