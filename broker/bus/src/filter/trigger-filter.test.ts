import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeEvent } from '@millrace/event/event';
import { FilterFault } from './filter.ts';
import { compileTriggerFilter, explainTriggerFilter, triggerRequirements } from './trigger-filter.ts';
import type { TriggerFilter } from './trigger-filter.ts';

const event = makeEvent(
  { specversion: '1.0', id: '1', source: '/s', type: 't', region: 'eu', amount: 5, paid: true, note: '' },
  undefined,
);

describe('what a Trigger asks for', () => {
  const rows: [name: string, trigger: TriggerFilter, passes: boolean][] = [
    ['without anything, every event passes', {}, true],
    ['an empty filter lets every event pass', { filter: {} }, true],
    ['attributes must all be equal', { filter: { attributes: { type: 't', source: '/s' } } }, true],
    ['one that differs is enough to fail', { filter: { attributes: { type: 't', source: '/other' } } }, false],
    ['case counts', { filter: { attributes: { type: 'T' } } }, false],
    ['an empty value takes any value', { filter: { attributes: { type: '', region: '' } } }, true],
    ['an empty value wants the attribute', { filter: { attributes: { subject: '' } } }, false],
    ['an empty value wants the extension', { filter: { attributes: { absent: '' } } }, false],
    ['an empty value wants a time', { filter: { attributes: { time: '' } } }, false],
    ['an empty value wants more than nothing', { filter: { attributes: { note: '' } } }, false],
    ['an empty value takes a number', { filter: { attributes: { amount: '' } } }, true],
    ['a number equals no text', { filter: { attributes: { amount: '5' } } }, false],
    ['a boolean equals no text', { filter: { attributes: { paid: 'true' } } }, false],
    ['an empty list leaves it to the attributes', { filters: [], filter: { attributes: { type: 'x' } } }, false],
    ['filters win over attributes', { filters: [{}], filter: { attributes: { type: 'x' } } }, true],
    ['filters win over wrong attributes', { filters: [{}], filter: { attributes: { 'no-name': 'x' } } }, true],
    ['filters must all pass', { filters: [{ exact: { type: 't' } }, { prefix: { source: '/' } }] }, true],
    ['one filter that fails is enough', { filters: [{ exact: { type: 't' } }, { prefix: { source: 'x' } }] }, false],
    ['a filter casts where attributes do not', { filters: [{ exact: { amount: '5' } }] }, true],
  ];
  for (const [name, trigger, passes] of rows) {
    test(name, () => {
      assert.equal(compileTriggerFilter(trigger)(event), passes);
      assert.equal(explainTriggerFilter(trigger, event).matched, passes);
    });
  }

  test('is refused with the whole path', () => {
    const wrongFilter: TriggerFilter = { filters: [{}, { all: [{}, { cesql: 'a b' }] }] };
    assert.throws(() => compileTriggerFilter(wrongFilter), { path: 'filters[1].all[1].cesql' });
    const wrongAttribute: TriggerFilter = { filter: { attributes: { Type: 'x' } } };
    assert.throws(() => compileTriggerFilter(wrongAttribute), { path: 'filter.attributes.Type' });
  });

  test('is refused with a fault also when it has none of the declared shapes', () => {
    const wrong = [{ filters: 'x' }, { filters: {} }, { filters: [null] }, { filter: { attributes: 'x' } }];
    for (const trigger of wrong) assert.throws(() => compileTriggerFilter(trigger as TriggerFilter), FilterFault);
    const nulls = { filters: null, filter: null } as unknown as TriggerFilter;
    assert.equal(compileTriggerFilter(nulls)(event), true);
  });

  test('requires the type and the source that it names', () => {
    assert.deepEqual(triggerRequirements({}), {});
    assert.deepEqual(triggerRequirements({ filter: { attributes: { type: 't', source: '', x: 'y' } } }), { type: 't' });
    assert.deepEqual(
      triggerRequirements({ filters: [{ exact: { type: 't' } }, { all: [{ exact: { source: '/s' } }] }] }),
      {
        type: 't',
        source: '/s',
      },
    );
    assert.deepEqual(
      triggerRequirements({ filters: [{ exact: { source: '/s' } }], filter: { attributes: { type: 't' } } }),
      {
        source: '/s',
      },
    );
  });
});
