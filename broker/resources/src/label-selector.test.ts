import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSelected } from './label-selector.ts';

const LABELS = { app: 'agent', team: 'blue' };
const expression = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

describe('a label selector', () => {
  for (const [what, selector, selected] of [
    ['none', undefined, true],
    ['empty', {}, true],
    ['all labels', { matchLabels: { app: 'agent', team: 'blue' } }, true],
    ['a label of another value', { matchLabels: { app: 'agent', team: 'red' } }, false],
    ['a label that is not there', { matchLabels: { constructor: 'x' } }, false],
    ['In', expression('team', 'In', 'red', 'blue'), true],
    ['In others', expression('team', 'In', 'red'), false],
    ['In, without the label', expression('tier', 'In', ''), false],
    ['NotIn', expression('team', 'NotIn', 'red'), true],
    ['NotIn, without the label', expression('tier', 'NotIn', 'red'), true],
    ['NotIn its own', expression('team', 'NotIn', 'blue'), false],
    ['Exists', expression('team', 'Exists'), true],
    ['Exists not', expression('toString', 'Exists'), false],
    ['DoesNotExist', expression('tier', 'DoesNotExist'), true],
    ['DoesNotExist although it does', expression('team', 'DoesNotExist'), false],
    ['labels and expressions together', { matchLabels: { app: 'agent' }, ...expression('team', 'In', 'red') }, false],
  ] as const) {
    test(`${what}: ${selected ? 'selects' : 'selects not'}`, () =>
      assert.equal(isSelected(selector as Parameters<typeof isSelected>[0], LABELS), selected));
  }

  test('of anything but everything selects nothing without labels', () => {
    assert.equal(isSelected({ matchLabels: { app: 'agent' } }, undefined), false);
    assert.equal(isSelected({}, undefined), true);
  });
});
