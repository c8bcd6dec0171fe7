import { Type } from 'typebox';
import type { Static } from 'typebox';
import { AwsAuthSchema, DdbStreamsSchema, exactlyOne, S3Schema, SqsSchema } from './aws.ts';
import { completeDestination } from './destination.ts';
import type { KindDefinition } from './kind.ts';
import { notRunRule } from './not-run.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields, Open, Text } from './schema.ts';
import type { Rule } from './schema.ts';
import { SOURCE } from './source-fields.ts';

const TimerSchema = Fields(
  {
    /** Milliseconds. */
    period: Type.Integer({ minimum: 1, default: 1000, expected: 'milliseconds: an integer >= 1' }),
    message: Text(),
    contentType: Text({ default: 'text/plain', expected: 'a media type' }),
    /** How many events there are; no end when absent. */
    repeatCount: Type.Optional(Type.Integer({ minimum: 0, expected: 'an integer >= 0' })),
  },
  { expected: 'an object with message' },
);

const templateRule: Rule = (_template, path, tell) =>
  tell.receipt(path, `${path} is ignored: a source has no pod here`);

const SpecSchema = Fields(
  {
    timer: Type.Optional(TimerSchema),
    aws: Type.Optional(
      Fields({
        s3: Type.Optional(S3Schema),
        sqs: Type.Optional(SqsSchema),
        ddbStreams: Type.Optional(DdbStreamsSchema),
        auth: AwsAuthSchema,
      }),
    ),
    /** What the pod of the source is to have besides. */
    template: Type.Optional(Open({ rule: templateRule })),
    ...SOURCE,
  },
  {
    rule: exactlyOne('source', 'timer', ['s3', 'sqs', 'ddbStreams']),
    expected: 'an object with timer or aws, and sink',
  },
);

/** What an {@link IntegrationSource} says. */
export type IntegrationSourceSpec = Static<typeof SpecSchema>;

/** A connector of Apache Camel as a source of events (sources.knative.dev/v1alpha1). */
export type IntegrationSource = Resource<'IntegrationSource', IntegrationSourceSpec>;

/** The kind IntegrationSource. */
export const integrationSourceKind: KindDefinition<IntegrationSource> = {
  kind: 'IntegrationSource',
  apiVersions: ['sources.knative.dev/v1alpha1'],
  schema: resourceSchema('IntegrationSource', SpecSchema, { rule: notRunRule }),
  complete({ metadata, spec }) {
    completeDestination(spec.sink, metadata.namespace);
  },
};
