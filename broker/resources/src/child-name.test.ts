import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { childName } from './child-name.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe('the name of a child', () => {
  test('is the name of its parent and the suffix, up to 63 characters', () => {
    assert.equal(childName('pipeline', '-kn-sequence-0'), 'pipeline-kn-sequence-0');
    assert.equal(childName('p'.repeat(49), '-kn-sequence-0'), `${'p'.repeat(49)}-kn-sequence-0`);
  });

  test('has a hash of the parent in place of what does not fit', () => {
    const parent = 'p'.repeat(50);
    assert.equal(childName(parent, '-kn-sequence-0'), `${'p'.repeat(17)}${md5(parent)}-kn-sequence-0`);
    // As Knative's own computes it.
    assert.equal(
      childName('f'.repeat(63), '-deployment'),
      'ffffffffffffffffffff105d7597f637e83cc711605ac3ea4957-deployment',
    );
  });

  test('has a hash of both where the suffix alone is too long, filled up with the beginning of the suffix', () => {
    const suffix = `-${'s'.repeat(62)}`;
    assert.equal(childName('short', suffix), `short${md5(`short${suffix}`)}-${'s'.repeat(25)}`);
    const parent = 'p'.repeat(40);
    assert.equal(childName(parent, suffix), `${'p'.repeat(31)}${md5(parent + suffix)}`);
  });

  test('changes its way at a suffix of 31 characters', () => {
    const parent = 'p'.repeat(40);
    const [thirty, more] = ['s'.repeat(30), 's'.repeat(31)];
    assert.equal(childName(parent, thirty), `p${md5(parent)}${thirty}`);
    assert.equal(childName(parent, more), `${'p'.repeat(31)}${md5(parent + more)}`);
  });

  test('ends with a letter or a digit', () => {
    const suffix = `-${'s'.repeat(24)}---${'s'.repeat(40)}`;
    assert.equal(childName('short', suffix), `short${md5(`short${suffix}`)}-${'s'.repeat(24)}`);
  });
});
