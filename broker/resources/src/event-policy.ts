import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import { FILTER_DEFINITIONS, FilterSchema } from './filter.ts';
import type { KindDefinition } from './kind.ts';
import { LABEL_SELECTOR } from './label-selector.ts';
import { MetadataSchema } from './metadata.ts';
import { DNS_LABEL } from './name.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const Named = { apiVersion: Text(), kind: Text(), name: Text() };
const REFERENCE = 'a reference: an object with apiVersion, kind and name';

/** Exactly one of two fields; an empty text is none where there is nothing else. */
function oneOf(one: string, other: string): Rule<Record<string, unknown>> {
  return (value, path, tell) => {
    const [at, beside] = [join(path, one), join(path, other)];
    if (value[one] !== undefined && value[other] !== undefined) {
      const text = `expected exactly one, got both: ${at}, ${beside}`;
      tell.fault(complaint(path, `${one} or ${other}`, 'both', { text }));
    } else if (value[one] === undefined && (value[other] === undefined || value[other] === '')) {
      const text = `expected exactly one, got neither: ${at}, ${beside}`;
      tell.fault(complaint(path, `${one} or ${other}`, 'neither', { text }));
    }
  };
}

const subjectRule: Rule<string> = (subject, path, tell) => {
  const star = subject.indexOf('*');
  if (star < 0 || star === subject.length - 1) return;
  const text = `invalid value: ${subject}: '*' is only allowed as suffix`;
  tell.fault(complaint(path, 'a subject, or the beginning of some with * after it', show(path, subject), { text }));
};

const FromSchema = Fields(
  {
    /** Whoever the resource is when it sends. */
    ref: Type.Optional(
      Fields(
        {
          ...Named,
          namespace: Type.String({
            pattern: DNS_LABEL,
            expected: 'the name of a namespace',
            defaulted: 'the namespace of the policy',
          }),
        },
        { expected: REFERENCE },
      ),
    ),
    /** A subject of tokens, such as `system:serviceaccount:default:shop`; the beginning of some, with `*` after it. */
    sub: Type.Optional(Type.String({ rule: subjectRule, expected: 'a subject of tokens' })),
  },
  { rule: oneOf('ref', 'sub'), expected: 'an object with ref or sub' },
);

const ToSchema = Fields(
  {
    ref: Type.Optional(Fields(Named, { expected: REFERENCE })),
    /** All resources of the kind whose labels match. */
    selector: Type.Optional(
      Fields(
        { apiVersion: Type.Optional(Text()), kind: Type.Optional(Text()), ...LABEL_SELECTOR },
        {
          rule: (selector, path, tell) => {
            if (selector['kind'] === undefined || selector['apiVersion'] === undefined)
              tell.receipt(path, `${path} has no apiVersion or no kind: it selects nothing`);
          },
          expected: 'an object with apiVersion, kind, and matchLabels or matchExpressions',
        },
      ),
    ),
  },
  { rule: oneOf('ref', 'selector'), expected: 'an object with ref or selector' },
);

const SpecSchema = Fields(
  {
    /** Where events may go. Empty: everything in the namespace of the policy. */
    to: Type.Optional(Type.Array(ToSchema, { expected: 'a list of objects with ref or selector' })),
    /** From whom. Empty: from nobody. */
    from: Type.Optional(Type.Array(FromSchema, { expected: 'a list of objects with ref or sub' })),
    /** Which ones: all of them must pass. */
    filters: Type.Optional(Type.Array(FilterSchema, { expected: 'a list of filters' })),
  },
  { default: {}, expected: 'an object with to, from and filters' },
);

/** What an {@link EventPolicy} says; the fields are those of Knative. */
export type EventPolicySpec = Static<typeof SpecSchema>;

/** Who may send which events to what (eventing.knative.dev/v1alpha1). What no policy is for, the default mode decides. */
export type EventPolicy = Resource<'EventPolicy', EventPolicySpec>;

/** The kind EventPolicy. */
export const eventPolicyKind: KindDefinition<EventPolicy> = {
  kind: 'EventPolicy',
  apiVersions: ['eventing.knative.dev/v1alpha1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('EventPolicy'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { $defs: FILTER_DEFINITIONS },
  ),
  complete({ metadata, spec }) {
    for (const { ref } of spec.from ?? []) if (ref !== undefined) ref.namespace ??= metadata.namespace;
  },
};
