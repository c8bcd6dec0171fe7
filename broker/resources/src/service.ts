import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { HostMetadataSchema } from './metadata.ts';
import { annotationsRule, DNS_1035_LABEL, labelsRule } from './name.ts';
import { POD } from './pod.ts';
import { progressDeadlineRule } from './progress-deadline.ts';
import type { Resource } from './resource.ts';
import { misplacedScalingRule, scalingRule } from './scaling.ts';
import { Fields, Texts } from './schema.ts';
import type { Rule } from './schema.ts';

const DEFAULT_TIMEOUT = 300;
const MAX_TIMEOUT = 600;
const Seconds = (options: object) =>
  Type.Integer({
    minimum: 0,
    maximum: MAX_TIMEOUT,
    expected: `an integer from 0 to ${MAX_TIMEOUT} (seconds)`,
    ...options,
  });

const withinTimeout: Rule<Record<string, unknown>> = (spec, path, tell) => {
  const limit = spec['timeoutSeconds'] || DEFAULT_TIMEOUT;
  if (typeof limit !== 'number') return;
  for (const field of ['responseStartTimeoutSeconds', 'idleTimeoutSeconds']) {
    const seconds = spec[field];
    if (typeof seconds !== 'number' || seconds <= limit) continue;
    const at = `${path}.${field}`;
    const text = `expected 0 <= ${seconds} <= ${limit}`;
    tell.fault(complaint(at, `at most timeoutSeconds, ${limit}`, show(at, seconds), { text }));
  }
};

const RevisionSchema = Fields(
  {
    ...POD,
    /** Requests at once for each instance; 0: no limit. */
    containerConcurrency: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 0,
      expected: 'an integer from 0 to 1000',
    }),
    /** How long a request may take; 0 asks for the default. */
    timeoutSeconds: Seconds({ default: DEFAULT_TIMEOUT }),
    /** How long until its answer begins; no limit of its own when absent. */
    responseStartTimeoutSeconds: Type.Optional(Seconds({})),
    /** How long it may be silent; no limit of its own when absent. */
    idleTimeoutSeconds: Type.Optional(Seconds({})),
  },
  { rule: withinTimeout, expected: 'an object with containers' },
);

/** The pod of a function, and how much of a request it takes. */
export type RevisionSpec = Static<typeof RevisionSchema>;

const TemplateSchema = Fields(
  {
    metadata: Type.Optional(
      Fields({
        name: Type.Optional(Type.String({ pattern: DNS_1035_LABEL, expected: 'a DNS 1035 label' })),
        namespace: Type.Optional(Type.String()),
        creationTimestamp: Type.Optional(Type.Unknown()),
        labels: Type.Optional(Texts({ rule: labelsRule })),
        annotations: Type.Optional(
          Texts({
            rule(annotations, path, tell) {
              annotationsRule(annotations, path, tell);
              scalingRule(annotations, path, tell);
              progressDeadlineRule(annotations, path, tell);
            },
          }),
        ),
      }),
    ),
    spec: RevisionSchema,
  },
  { expected: 'an object with spec' },
);

const TrafficSchema = Fields({
  revisionName: Type.Optional(Type.String()),
  configurationName: Type.Optional(Type.String()),
  latestRevision: Type.Optional(Type.Boolean()),
  percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, expected: 'an integer from 0 to 100' })),
  tag: Type.Optional(Type.String()),
  url: Type.Optional(Type.Unknown()),
});

const SpecSchema = Fields(
  {
    template: TemplateSchema,
    /** Kept; all requests go to the latest revision here. */
    traffic: Type.Optional(Type.Array(TrafficSchema)),
  },
  { expected: 'an object with template' },
);

/** What a {@link Service} says; the fields are those of Knative Serving. */
export type ServiceSpec = Static<typeof SpecSchema>;

/** A function: a container that answers requests, and how many of it there are (serving.knative.dev/v1). */
export type Service = Resource<'Service', ServiceSpec>;

const placedRule: Rule<{ metadata?: { annotations?: unknown } }> = ({ metadata }, _path, tell) => {
  const annotations = metadata?.annotations;
  if (typeof annotations !== 'object' || annotations === null) return;
  misplacedScalingRule(annotations as Record<string, unknown>, 'metadata.annotations', tell);
};

/** The kind Service. */
export const serviceKind: KindDefinition<Service> = {
  kind: 'Service',
  apiVersions: ['serving.knative.dev/v1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('Service'),
      metadata: HostMetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: placedRule },
  ),
  complete({ spec }) {
    const revision = spec.template.spec;
    if (revision.timeoutSeconds === 0) revision.timeoutSeconds = DEFAULT_TIMEOUT;
  },
};
