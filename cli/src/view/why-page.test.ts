import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RouteWhy, WhyView } from '@millrace/bus/admin/why';
import { explainTriggerFilter } from '@millrace/bus/filter/trigger-filter';
import { needsOf } from '@millrace/bus/filter/needs';
import { makeEvent } from '@millrace/event/event';

import { programName } from '../program-name.ts';
import { whyPage } from './why-page.ts';

const event = makeEvent(
  { specversion: '1.0', id: 'a\u202eb', source: '/shop', type: 'com.example.b', amount: '5' },
  undefined,
);
const at = Date.parse('2026-01-01T00:00:00Z');

function route(name: string, filters: readonly unknown[], past: Partial<RouteWhy>): RouteWhy {
  const explanation = explainTriggerFilter({ filters }, event);
  const { matched, message: reason } = explanation;
  const needs = needsOf(explanation) ?? null;
  return {
    route: `trigger/default/${name}`,
    matched,
    reason,
    state: 'none',
    attempts: [],
    explanation,
    needs,
    ...past,
  };
}

function pageOf(...routes: RouteWhy[]): string {
  const { id, type, source } = event;
  const topic = 'broker/default/default';
  const view: WhyView = { position: 7, topic, arrivedAt: '', id, type, source, hops: 0, size: 0, routes };
  return whyPage(view, at);
}

const attempt = {
  attempt: 1,
  stage: 'subscriber',
  outcome: 'retrying',
  startedAt: '2026-01-01T00:00:00Z',
  duration: 5,
};

test('a page has a tree for each route, with the value of the event at each leaf', () => {
  const nested = [
    { exact: { type: 'com.example.a' } },
    { any: [{ prefix: { subject: 'eu-' } }, { not: { suffix: { source: 'op' } } }] },
    { cesql: "amount > 3 AND (region = 'eu' OR NOT EXISTS test)" },
  ];
  const needed = [
    '    type must be "com.example.a" (it is "com.example.b")',
    '    subject must be text that begins with "eu-" (the event has none)',
    `    region = 'eu' must be true (the event has no attribute "region"; region is nothing)`,
  ];
  assert.equal(
    pageOf(route('nested', nested, {})),
    [
      'Event:  7  com.example.b  from /shop',
      'Id:     a\\u202eb',
      'Topic:  broker/default/default',
      '',
      'trigger/default/nested: not matched',
      '  ✗ all: 0 of 3 match',
      '  ├─ ✗ exact: type is "com.example.b", wanted "com.example.a"',
      '  ├─ ✗ any: 0 of 2 match',
      '  │  ├─ ✗ prefix: there is no subject, wanted text that begins with "eu-"',
      '  │  └─ ✗ not: what must not match matches',
      '  │     └─ ✓ suffix: source is "/shop"',
      `  └─ ! amount > 3 AND (region = 'eu' OR NOT EXISTS test): fails`,
      '     ├─ ✓ amount > 3: true; amount is "5"',
      `     └─ ! region = 'eu' OR NOT EXISTS test: fails`,
      `        ├─ ! region = 'eu': the event has no attribute "region"; region is nothing`,
      '        └─ ✓ NOT EXISTS test: true',
      '           └─ ✗ EXISTS test: false; test is nothing',
      '  To match, all of these:',
      ...needed,
      '',
    ].join('\n'),
  );
});

test('what became of it stands in one line', () => {
  const line = (past: Partial<RouteWhy>, filters: readonly unknown[] = []) =>
    pageOf(route('a', filters, past))
      .split('\n')[4]!
      .replace('trigger/default/a: ', '');
  const failure = 'answered 503';
  const next = { attempt: 2, stage: 'subscriber', dueAt: '2026-01-01T00:05:00Z' };
  const [once, twice] = [[attempt], [attempt, { ...attempt, attempt: 2, outcome: 'delivered', status: 202 }]];
  assert.equal(line({ state: 'pending' }), 'matched; its turn has not come');
  assert.equal(line({ state: 'delivered', attempts: twice }), 'delivered after 2 attempts, answered 202');
  assert.equal(
    line({ state: 'waiting', attempts: once, failure, next }),
    'waiting after 1 attempt, the next in 5m: answered 503',
  );
  assert.equal(
    line({ state: 'dead', attempts: once, failure }),
    `dead letter after 1 attempt: answered 503 (${programName()} dlq show 7 --route trigger/default/a)`,
  );
  assert.equal(
    line({ state: 'deadLettered', attempts: once, failure }),
    'sent to the dead letter sink, after 1 attempt: answered 503',
  );
  assert.equal(
    line({ state: 'passed' }),
    `matched, but not taken: the route was past it before (${programName()} trigger seek trigger/default/a --to 7)`,
  );
  assert.equal(line({ state: 'none' }, [{ cesql: '1 = 2' }]), 'not matched');
});

test('a filter that no event passes says so, and a route that is gone has no tree', () => {
  const page = pageOf(
    route('never', [{ cesql: '1 = 2' }], {}),
    route('gone', [], { explanation: undefined, reason: 'not declared for this topic now', state: 'delivered' }),
    route('open', [], { state: 'pending' }),
  );
  assert.ok(page.includes('  ✗ 1 = 2: the expression is false\n  To match: no event can.\n'), page);
  assert.ok(page.includes('gone: delivered after 0 attempts\n  not declared for this topic now\n'), page);
  assert.ok(page.includes('  ✓ there is no filter, so every event passes\n'), page);
});
