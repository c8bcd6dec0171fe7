import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { isJsonMediaType } from '@millrace/event/attributes';
import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeJson, decodeJsonBatch } from '@millrace/event/json';

import { startBus } from '../support/bus.ts';
import { trigger } from '../support/manifests.ts';
import { refused } from '../support/problem.ts';
import { startSubscriber } from '../support/subscriber.ts';

// The format conformance suite of CloudEvents for JSON, as its README describes it.

interface Suite {
  readonly testType: TestType;
  readonly tests: readonly Case[];
}

type TestType = 'ValidSingleEvent' | 'ValidBatch' | 'InvalidSingleEvent' | 'InvalidBatch';

interface Case {
  readonly id: string;
  readonly testType?: TestType;
  readonly description?: string;
  readonly event?: Json;
  readonly batch?: unknown;
  /** Asks for limits on extensions that a codec without definitions of them does not have. */
  readonly extensionConstraints?: boolean;
}

type Json = Record<string, unknown>;

const home = process.env['MILLRACE_TCK'] || undefined;

if (home === undefined) {
  test(
    'CloudEvents JSON vectors',
    {
      skip: 'set MILLRACE_TCK to the folder whose cloudevents-json/ holds the suite (*.json)',
    },
    () => {},
  );
} else {
  const folder = join(home, 'cloudevents-json');
  const suites = readdirSync(folder).filter((name) => name.endsWith('.json'));
  test('the suite is there', () => assert.notEqual(suites.length, 0, folder));
  for (const file of suites) {
    const { testType, tests } = load(join(folder, file));
    describe(file, () => {
      for (const each of tests) addCase(each, each.testType ?? testType);
    });
  }
}

/** The files begin with a byte order mark, some of them. */
function load(path: string): Suite {
  return JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')) as Suite;
}

function addCase(each: Case, type: TestType): void {
  const name = each.description === undefined ? each.id : `${each.id}: ${each.description}`;
  const isBatch = type.endsWith('Batch');
  const document = isBatch ? each.batch : each.event;
  const body = Buffer.from(JSON.stringify(document));
  const skip = each.extensionConstraints === true && 'extensions are taken without definitions that constrain them';
  test(`${name} (codec)`, { skip }, () => {
    const decode = () => (isBatch ? decodeJsonBatch(body) : [decodeJson(body)]);
    if (type.startsWith('Invalid')) assert.throws(decode, EventFault);
    else checkAll(decode(), isBatch ? (document as Json[]) : [document as Json]);
  });
  test(`${name} (over the wire)`, { skip }, async () => {
    await using subscriber = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(trigger('all', subscriber.url, { delivery: { format: 'json' } }));
    const contentType = `application/cloudevents${isBatch ? '-batch' : ''}+json`;
    const sent = fetch(`${bus.url}/default/default`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    if (type.startsWith('Invalid')) {
      await refused(sent, 400);
      assert.equal(bus.entries().length, 0);
      return;
    }
    assert.equal((await sent).status, 202);
    const wanted = isBatch ? (document as Json[]) : [document as Json];
    checkAll(
      bus.entries().map(({ event }) => event),
      wanted,
    );
    const got = (await subscriber.count(wanted.length)).map(({ event }) => event!);
    const position = ({ id }: { id?: unknown }) => wanted.findIndex((one) => one['id'] === id);
    checkAll(
      got.map(withoutArrival).toSorted((a, b) => position(a) - position(b)),
      wanted,
    );
  });
}

function withoutArrival(event: CloudEvent): CloudEvent {
  const { knativearrivaltime, ...extensions } = event.extensions;
  assert.notEqual(knativearrivaltime, undefined);
  return { ...event, extensions };
}

function checkAll(events: readonly CloudEvent[], wanted: readonly Json[]): void {
  assert.equal(events.length, wanted.length);
  events.forEach((event, index) => check(event, wanted[index]!));
}

/** The event is what its document says: every attribute, nothing else, and the data. */
function check(event: CloudEvent, { data, data_base64: base64, ...members }: Json): void {
  const { data: bytes, extensions, ...context } = event;
  const present = Object.entries(members).filter(([, value]) => value !== null);
  const wanted: Json = Object.fromEntries(present);
  if (data !== undefined) wanted['datacontenttype'] ??= 'application/json';
  const got = Object.fromEntries(
    Object.entries({ ...context, ...extensions }).filter(([, value]) => value !== undefined),
  );
  assert.deepEqual(got, wanted);
  if (typeof base64 === 'string') assert.deepEqual(Buffer.from(bytes!), Buffer.from(base64, 'base64'));
  else if (data === undefined) assert.equal(bytes, undefined);
  else if (typeof data === 'string' && !isJsonMediaType(String(wanted['datacontenttype'])))
    assert.equal(Buffer.from(bytes!).toString(), data);
  else assert.deepEqual(JSON.parse(Buffer.from(bytes!).toString()), data);
}
