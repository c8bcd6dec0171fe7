import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination } from './destination.ts';
import { complaint, show } from './fault.ts';
import { FILTER_DEFINITIONS, FilterSchema } from './filter.ts';
import type { KindDefinition } from './kind.ts';
import { LabelSelectorSchema } from './label-selector.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';
import type { Rule } from './schema.ts';
import { SOURCE } from './source-fields.ts';

const versionRule: Rule<string> = (text, path, tell) => {
  const [first = '', second, ...more] = text.split('/');
  // As Kubernetes reads it: `v1`, `group/version`, and no text at all too.
  if (text === '' || (more.length === 0 && first !== '' && second !== '')) return;
  const got = show(path, text);
  tell.fault(complaint(path, 'a version, or a group and a version', got, { text: `invalid value: ${got}` }));
};

const kindRule: Rule<string> = (text, path, tell) => {
  if (text.trim() !== '') return;
  tell.fault(complaint(path, 'the name of a kind', show(path, text), { text: `missing field(s): ${path}` }));
};

const TYPE = {
  apiVersion: Type.String({ rule: versionRule, expected: 'a version such as "v1" or "apps/v1"' }),
  kind: Type.String({ rule: kindRule, expected: 'the name of a kind, such as "Event"' }),
};

const accountRule: Rule<string> = (name, path, tell) => {
  if (name === 'default' || name === '') return;
  tell.receipt(path, `${path} is ignored: whoever may declare a source here may watch everything`);
};

const filtersRule: Rule<unknown[]> = (filters, path, tell) => {
  if (filters.length === 0) return;
  const text = 'Filters is not empty but the NewAPIServerFilters feature is disabled.';
  const expected = 'nothing, unless the feature new-apiserversource-filters is enabled';
  tell.refusal(complaint(path, expected, show(path, filters), { text }));
};

const SpecSchema = Fields(
  {
    /** What is watched: objects of these kinds, those with the labels alone where it says which. */
    resources: Type.Array(
      Fields(
        { ...TYPE, selector: Type.Optional(LabelSelectorSchema) },
        { expected: 'an object with apiVersion and kind' },
      ),
      { minItems: 1, expected: 'a list of at least one apiVersion and kind' },
    ),
    /** Only what an object of this kind controls. */
    owner: Type.Optional(Fields(TYPE, { expected: 'an object with apiVersion and kind' })),
    /** Whether an event holds the whole object, or only what it is called. */
    mode: Type.Enum(['Reference', 'Resource'], { default: 'Reference' }),
    /** Of which namespaces; its own when absent, all when empty. */
    namespaceSelector: Type.Optional(LabelSelectorSchema),
    /** Which of its events are sent: those that pass all of them. */
    filters: Type.Optional(Type.Array(FilterSchema, { rule: filtersRule, expected: 'a list of filters' })),
    serviceAccountName: Type.String({
      default: 'default',
      rule: accountRule,
      expected: 'the name of a ServiceAccount',
    }),
    ...SOURCE,
  },
  { expected: 'an object with resources and sink' },
);

/** What an {@link ApiServerSource} says. */
export type ApiServerSourceSpec = Static<typeof SpecSchema>;

/** What happens to the objects of a Kubernetes API, as events to a sink (sources.knative.dev/v1). */
export type ApiServerSource = Resource<'ApiServerSource', ApiServerSourceSpec>;

/** The kind ApiServerSource. */
export const apiServerSourceKind: KindDefinition<ApiServerSource> = {
  kind: 'ApiServerSource',
  apiVersions: ['sources.knative.dev/v1'],
  schema: resourceSchema('ApiServerSource', SpecSchema, { $defs: FILTER_DEFINITIONS }),
  complete({ metadata, spec }) {
    completeDestination(spec.sink, metadata.namespace);
  },
};
