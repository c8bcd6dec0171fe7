import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { HostMetadataSchema } from './metadata.ts';
import { annotationsRule, DNS_1035_LABEL, labelsRule } from './name.ts';
import { join } from './path.ts';
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

const targetRule: Rule<Record<string, unknown>> = (target, path, tell) => {
  const { revisionName, latestRevision, configurationName } = target;
  const isNamed = typeof revisionName === 'string' && revisionName !== '';
  if (typeof latestRevision === 'boolean' && isNamed === latestRevision) {
    const at = join(path, 'latestRevision');
    const expected = 'either revisionName or latestRevision: true';
    const text = `may not set revisionName ${show('', isNamed ? revisionName : '')} when latestRevision is ${latestRevision}`;
    tell.fault(complaint(at, expected, isNamed ? 'both' : 'neither', { text }));
  }
  if (configurationName !== undefined) {
    const at = join(path, 'configurationName');
    const text = `must not set the field(s): ${at}`;
    tell.fault(complaint(at, 'nothing: the service is its own configuration', show(at, configurationName), { text }));
  }
};

const TrafficSchema = Fields(
  {
    /** The revision, unless it is the latest that is ready. */
    revisionName: Type.Optional(Type.String({ pattern: DNS_1035_LABEL, expected: 'the name of a revision' })),
    configurationName: Type.Optional(Type.String()),
    latestRevision: Type.Optional(Type.Boolean()),
    /** Of all requests; 0 when absent. */
    percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, expected: 'an integer from 0 to 100' })),
    /** A name under which it is called by itself. */
    tag: Type.Optional(Type.String({ pattern: DNS_1035_LABEL, expected: 'a DNS 1035 label' })),
    url: Type.Optional(Type.Unknown()),
  },
  { rule: targetRule },
);

/** What the targets say together. */
const trafficRule: Rule<unknown[]> = (targets, path, tell) => {
  const at = (index: number) => `${path}[${index}]`;
  const fields = targets.map((it) => (typeof it === 'object' && it !== null ? (it as Record<string, unknown>) : {}));
  const percents = fields.flatMap(({ percent }) => (percent === undefined ? [] : [percent]));
  const sum = percents.reduce<number>((total, it) => total + (typeof it === 'number' ? it : 0), 0);
  if (percents.length > 0 && sum !== 100) {
    const text = `Traffic targets sum to ${sum}, want 100`;
    tell.fault(complaint(path, 'percents that are 100 together, or none at all', String(sum), { text }));
  }
  const tags = new Map<unknown, number>();
  for (const [index, { tag }] of fields.entries()) {
    if (tag === undefined || tag === '') continue;
    const first = tags.get(tag);
    if (first === undefined) tags.set(tag, index);
    else {
      const place = join(at(index), 'tag');
      const got = `${show(place, tag)} of ${at(first)} again`;
      tell.fault(complaint(place, 'a tag of its own', got, { text: `Multiple definitions for ${show(place, tag)}` }));
    }
  }
};

const SpecSchema = Fields(
  {
    template: TemplateSchema,
    /** Which revisions get which part of the requests; all go to the latest that is ready when absent. */
    traffic: Type.Optional(Type.Array(TrafficSchema, { rule: trafficRule })),
  },
  { expected: 'an object with template' },
);

/** What a {@link Service} says; the fields are those of Knative Serving. */
export type ServiceSpec = Static<typeof SpecSchema>;

/** A function: a container that answers requests, and how many of it there are (serving.knative.dev/v1). */
export type Service = Resource<'Service', ServiceSpec>;

/** Serving wants the name that a template gives its revision to begin with that of the service. */
const revisionNameRule: Rule<{ metadata?: unknown; spec?: unknown }> = ({ metadata, spec }, _path, tell) => {
  const service = nameIn(metadata);
  const name = nameIn((spec as { template?: { metadata?: unknown } } | null)?.template?.metadata);
  if (service === undefined || name === undefined || name.startsWith(`${service}-`)) return;
  const at = 'spec.template.metadata.name';
  const text = `invalid value: "${name}" must have prefix "${service}-"`;
  tell.fault(complaint(at, `a name that begins with "${service}-"`, show(at, name), { text }));
};

function nameIn(metadata: unknown): string | undefined {
  const name = (metadata as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
}

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
    {
      rule(service, path, tell) {
        placedRule(service, path, tell);
        revisionNameRule(service, path, tell);
      },
    },
  ),
  complete({ spec }) {
    const revision = spec.template.spec;
    if (revision.timeoutSeconds === 0) revision.timeoutSeconds = DEFAULT_TIMEOUT;
  },
};
