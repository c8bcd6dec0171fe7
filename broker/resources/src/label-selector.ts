import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import { labelsRule } from './name.ts';
import { join } from './path.ts';
import { Fields, Text, Texts } from './schema.ts';
import type { Rule } from './schema.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** The fields of a selector of labels (Kubernetes' LabelSelector). All of what it says must hold. */
export const SelectorFields = {
  matchLabels: Type.Optional(Texts({ rule: labelsRule, expected: 'an object of labels' })),
  matchExpressions: Type.Optional(
    Type.Array(
      Fields(
        {
          key: Text({ expected: 'the name of a label' }),
          operator: Type.Enum([...OPERATORS]),
          values: Type.Optional(Type.Array(Type.String(), { expected: 'a list of texts' })),
        },
        { expected: 'an object with key, operator and values' },
      ),
      { expected: 'a list of objects with key, operator and values' },
    ),
  ),
};

const SelectorSchema = Fields(SelectorFields);

/** What selects by labels. */
export type LabelSelector = Static<typeof SelectorSchema>;

/** `In` and `NotIn` need values, the others take none. */
export const selectorRule: Rule<Record<string, unknown>> = ({ matchExpressions }, path, tell) => {
  if (!Array.isArray(matchExpressions)) return;
  for (const [index, expression] of (matchExpressions as unknown[]).entries()) {
    if (typeof expression !== 'object' || expression === null) continue;
    const { operator, values } = expression as Record<string, unknown>;
    const at = join(`${path}.matchExpressions[${index}]`, 'values');
    const isEmpty = values === undefined || (Array.isArray(values) && values.length === 0);
    if ((operator === 'In' || operator === 'NotIn') && isEmpty) {
      const text = `must be specified when operator is 'In' or 'NotIn'`;
      tell.fault(complaint(at, 'a list of at least one text', show(at, values), { text }));
    } else if ((operator === 'Exists' || operator === 'DoesNotExist') && !isEmpty) {
      const text = `may not be specified when operator is 'Exists' or 'DoesNotExist'`;
      tell.fault(complaint(at, 'nothing', show(at, values), { text }));
    }
  }
};

/** Whether the labels are such. A selector that says nothing takes all. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const has = (key: string) => Object.hasOwn(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return has(key) && values.includes(labels[key]!);
        case 'NotIn':
          return !has(key) || !values.includes(labels[key]!);
        case 'Exists':
          return has(key);
        default:
          return !has(key);
      }
    })
  );
}
