import type { ServedKind } from './kind.ts';
import { schemaFor } from './schemas.ts';

/** Where definitions of kinds are. */
export const DEFINITION_TYPE = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' } as const;

/** CustomResourceDefinitions: kubectl shows them, and kn finds the kinds of sources and channels by their labels. */
export function definitionKind(): ServedKind {
  const { group, kind } = DEFINITION_TYPE;
  return {
    group,
    kind,
    singular: kind.toLowerCase(),
    plural: `${kind.toLowerCase()}s`,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    versions: [{ name: 'v1' }],
    storage: 'v1',
    columns: [{ name: 'Created At', type: 'string', value: '.metadata.creationTimestamp' }],
    schema: schemaFor(group, 'v1', kind),
    hasStatus: true,
    selectable: [],
  };
}
