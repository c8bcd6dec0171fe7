import type { Static } from 'typebox';
import type { KindDefinition } from './kind.ts';
import { notRunRule } from './not-run.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { Fields, Open } from './schema.ts';

const SpecSchema = Fields(
  /** A `batch/v1` Job; what is in it is Kubernetes' own business. */
  { job: Open({ expected: 'a Job of batch/v1' }) },
  { expected: 'an object with job' },
);

/** What a {@link JobSink} says. */
export type JobSinkSpec = Static<typeof SpecSchema>;

/** Starts a Job for each event (sinks.knative.dev/v1alpha1). */
export type JobSink = Resource<'JobSink', JobSinkSpec>;

/** The kind JobSink. */
export const jobSinkKind: KindDefinition<JobSink> = {
  kind: 'JobSink',
  apiVersions: ['sinks.knative.dev/v1alpha1'],
  schema: resourceSchema('JobSink', SpecSchema, { rule: notRunRule }),
};
