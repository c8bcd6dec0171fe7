import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { destinationName, destinationOf } from './destination.ts';

describe('a destination', () => {
  test('is named as Knative names it', () => {
    assert.equal(destinationName('trigger/shop/mailer'), 'trigger:mailer.shop');
  });

  test('may be the step of a flow', () => {
    assert.deepEqual(destinationOf('sequence/shop/checkout/1'), {
      kind: 'sequence',
      namespace: 'shop',
      name: 'checkout/1',
    });
    assert.equal(destinationName('sequence/shop/checkout/1'), 'sequence:checkout/1.shop');
  });

  test('keeps a name that is none of ours', () => {
    assert.equal(destinationOf('other'), undefined);
    assert.equal(destinationName('other'), 'other');
  });
});
