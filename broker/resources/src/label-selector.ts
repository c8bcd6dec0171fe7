import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import { labelsRule } from './name.ts';
import { join } from './path.ts';
import { Fields, Text, Texts } from './schema.ts';
import type { Rule } from './schema.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** `In` and `NotIn` compare with values, the other two have none to compare with. */
const valuesRule: Rule<Record<string, unknown>> = ({ operator, values }, path, tell) => {
  const at = join(path, 'values');
  const count = Array.isArray(values) ? values.length : 0;
  const compares = operator === 'In' || operator === 'NotIn';
  if (compares && count === 0) {
    const text = `Required value: must be specified when \`operator\` is 'In' or 'NotIn'`;
    tell.fault(complaint(at, 'a list of at least one text', show(at, values), { text }));
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0) {
    const text = `Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`;
    tell.fault(complaint(at, 'no values', show(at, values), { text }));
  }
};

const RequirementSchema = Fields(
  {
    key: Text({ expected: 'the key of a label' }),
    operator: Type.Enum([...OPERATORS]),
    values: Type.Optional(Type.Array(Type.String(), { expected: 'a list of texts' })),
  },
  { rule: valuesRule, expected: 'an object with key and operator' },
);

/** The fields of a {@link LabelSelectorSchema}, for what has others beside them. */
export const LABEL_SELECTOR = {
  matchLabels: Type.Optional(Texts({ rule: labelsRule, expected: 'an object of labels' })),
  matchExpressions: Type.Optional(Type.Array(RequirementSchema, { expected: 'a list of requirements' })),
};

/** Which objects by their labels (Kubernetes' LabelSelector): all that it says must hold; empty, it selects everything. */
export const LabelSelectorSchema = Fields(LABEL_SELECTOR, {
  expected: 'an object with matchLabels or matchExpressions',
});

/** What a {@link LabelSelectorSchema} holds. */
export type LabelSelector = Static<typeof LabelSelectorSchema>;

/** Whether something with these labels is selected; without a selector everything is. */
export function isSelected(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined = {},
): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}
