// What the property tests of this folder draw from: few names and few values, so that filters and events often meet.
import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import * as fc from 'fast-check';
import type { FilterSpec } from './filter.ts';

const VALUES = ['a', 'ab', 'b', 'ba', '5', 'true'];
const NAMES = ['type', 'source', 'subject', 'ext', 'datamediatype'];

const value = fc.constantFrom(...VALUES);
const extension = fc.oneof(value, fc.constantFrom(5, 0, true, false), fc.constant(''));

/** Valid events, some without `subject`, some with an extension `ext` of any type. */
export const events: fc.Arbitrary<CloudEvent> = fc
  .record({ type: value, source: value, subject: fc.option(value), ext: fc.option(extension) })
  .map((attributes) => makeEvent({ specversion: '1.0', id: '1', ...attributes }, undefined));

const attributes = fc.dictionary(fc.constantFrom(...NAMES), value, { minKeys: 1, maxKeys: 2 });
const expressions = fc.constantFrom(
  'TRUE',
  'ext',
  "type = 'a'",
  "subject LIKE 'a%'",
  'NOT EXISTS subject',
  "type = 'a' OR ext = 5 AND source IN ('a', 'b')",
  'LENGTH(ext) < 3',
);

/** Filters of every dialect that can be compiled. */
export const specs: fc.Arbitrary<FilterSpec> = fc.letrec<{ spec: FilterSpec }>((tie) => ({
  spec: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ exact: attributes }),
    fc.record({ prefix: attributes }),
    fc.record({ suffix: attributes }),
    fc.record({ cesql: expressions }),
    fc.record({ all: fc.array(tie('spec'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('spec'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('spec') }),
  ),
})).spec;
