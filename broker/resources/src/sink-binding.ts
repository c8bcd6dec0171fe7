import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination } from './destination.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { LabelSelectorSchema } from './label-selector.ts';
import { notRunRule } from './not-run.ts';
import { join } from './path.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';
import { SOURCE } from './source-fields.ts';

/** By its name, or by labels. */
const subjectRule: Rule<Record<string, unknown>> = ({ name, selector }, path, tell) => {
  if ((name === undefined) !== (selector === undefined)) return;
  const got = name === undefined ? 'neither' : 'both';
  const names = `${join(path, 'name')}, ${join(path, 'selector')}`;
  tell.fault(complaint(path, 'either name or selector', got, { text: `expected exactly one, got ${got}: ${names}` }));
};

const SubjectSchema = Fields(
  {
    apiVersion: Text({ expected: 'a version such as "apps/v1"' }),
    kind: Text({ expected: 'the name of a kind, such as "Deployment"' }),
    namespace: Type.String({ expected: 'the namespace of the binding', defaulted: 'the namespace of the binding' }),
    name: Type.Optional(Text()),
    selector: Type.Optional(LabelSelectorSchema),
  },
  { rule: subjectRule, expected: 'an object with apiVersion, kind, and name or selector' },
);

const SpecSchema = Fields({ subject: SubjectSchema, ...SOURCE }, { expected: 'an object with subject and sink' });

/** What a {@link SinkBinding} says. */
export type SinkBindingSpec = Static<typeof SpecSchema>;

/** Gives a workload the address of a sink, in the K_SINK of its containers (sources.knative.dev/v1). */
export type SinkBinding = Resource<'SinkBinding', SinkBindingSpec>;

type Draft = { metadata?: { namespace?: unknown }; spec?: { subject?: { namespace?: unknown } } };

const bindingRule: Rule<Record<string, unknown>> = (binding, path, tell) => {
  const { metadata, spec } = binding as Draft;
  const theirs = spec?.subject?.namespace;
  const at = 'spec.subject.namespace';
  if (typeof theirs === 'string' && theirs !== (metadata?.namespace ?? 'default'))
    tell.fault(
      complaint(at, 'the namespace of the binding', show(at, theirs), { text: `invalid value: ${show(at, theirs)}` }),
    );
  notRunRule(binding, path, tell);
};

/** The kind SinkBinding. */
export const sinkBindingKind: KindDefinition<SinkBinding> = {
  kind: 'SinkBinding',
  apiVersions: ['sources.knative.dev/v1'],
  schema: resourceSchema('SinkBinding', SpecSchema, { rule: bindingRule }),
  complete({ metadata, spec }) {
    spec.subject.namespace ??= metadata.namespace;
    completeDestination(spec.sink, metadata.namespace);
  },
};
