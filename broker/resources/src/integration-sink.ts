import { Type } from 'typebox';
import type { Static } from 'typebox';
import { AwsAuthSchema, exactlyOne, S3Schema, SnsSchema, SqsSchema } from './aws.ts';
import type { KindDefinition } from './kind.ts';
import { notRunRule } from './not-run.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields } from './schema.ts';

const flag = (value: boolean) => Type.Boolean({ default: value });

const LogSchema = Fields(
  {
    loggerName: Type.String({ default: 'log-sink' }),
    level: Type.Enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'OFF'], { default: 'INFO' }),
    logMask: flag(false),
    marker: Type.Optional(Type.String()),
    multiline: flag(false),
    showAllProperties: flag(false),
    showBody: flag(true),
    showBodyType: flag(true),
    showExchangePattern: flag(true),
    showHeaders: flag(false),
    showProperties: flag(false),
    showStreams: flag(false),
    showCachedStreams: flag(true),
  },
  { expected: 'an object' },
);

const SpecSchema = Fields(
  {
    log: Type.Optional(LogSchema),
    aws: Type.Optional(
      Fields({
        s3: Type.Optional(S3Schema),
        sqs: Type.Optional(SqsSchema),
        sns: Type.Optional(SnsSchema),
        auth: AwsAuthSchema,
      }),
    ),
  },
  { rule: exactlyOne('sink', 'log', ['s3', 'sqs', 'sns']), expected: 'an object with log or aws' },
);

/** What an {@link IntegrationSink} says. */
export type IntegrationSinkSpec = Static<typeof SpecSchema>;

/** A connector of Apache Camel that takes events (sinks.knative.dev/v1alpha1). */
export type IntegrationSink = Resource<'IntegrationSink', IntegrationSinkSpec>;

/** The kind IntegrationSink. */
export const integrationSinkKind: KindDefinition<IntegrationSink> = {
  kind: 'IntegrationSink',
  apiVersions: ['sinks.knative.dev/v1alpha1'],
  schema: resourceSchema('IntegrationSink', SpecSchema, { rule: notRunRule }),
};
