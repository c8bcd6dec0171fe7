import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination } from './destination.ts';
import type { KindDefinition } from './kind.ts';
import { notRunRule } from './not-run.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields, Open, Text } from './schema.ts';
import { SOURCE } from './source-fields.ts';

/** What of a pod is looked at; the rest is Kubernetes' own business. */
const TemplateSchema = Type.Object(
  {
    metadata: Type.Optional(Open()),
    spec: Type.Object(
      {
        containers: Type.Array(
          Type.Object(
            {
              name: Text({ expected: 'the name of the container' }),
              image: Text({ expected: 'the name of an image' }),
            },
            { expected: 'a container: an object with name and image' },
          ),
          { minItems: 1, expected: 'a list of at least one container' },
        ),
      },
      { expected: 'an object with containers' },
    ),
  },
  { expected: 'an object with spec' },
);

const SpecSchema = Fields({ template: TemplateSchema, ...SOURCE }, { expected: 'an object with template and sink' });

/** What a {@link ContainerSource} says. */
export type ContainerSourceSpec = Static<typeof SpecSchema>;

/** A container that sends events to the address in its K_SINK (sources.knative.dev/v1). */
export type ContainerSource = Resource<'ContainerSource', ContainerSourceSpec>;

/** The kind ContainerSource. */
export const containerSourceKind: KindDefinition<ContainerSource> = {
  kind: 'ContainerSource',
  apiVersions: ['sources.knative.dev/v1'],
  schema: resourceSchema('ContainerSource', SpecSchema, { rule: notRunRule }),
  complete({ metadata, spec }) {
    completeDestination(spec.sink, metadata.namespace);
  },
};
