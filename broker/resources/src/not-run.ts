import type { Rule } from './schema.ts';

/** The kinds that are understood and that this version does not run. */
export const KINDS_NOT_RUN = [
  'ContainerSource',
  'SinkBinding',
  'IntegrationSource',
  'IntegrationSink',
  'JobSink',
  'KafkaSink',
] as const;

/** The name of one of them. */
export type KindNotRun = (typeof KINDS_NOT_RUN)[number];

const INSTEAD: Readonly<Record<KindNotRun, string>> = {
  ContainerSource: 'start the container yourself, and let it send its events to the address of the sink (K_SINK)',
  SinkBinding: 'set K_SINK of the subject to the address of the sink yourself',
  IntegrationSource: 'use timer, a PingSource, a KafkaSource or a WebhookSource',
  IntegrationSink: 'use a Service, or a uri that takes CloudEvents',
  JobSink: 'use a Service: its function is started for an event and ends after it',
  KafkaSink: 'use a Service that writes to the topic, or a uri that takes CloudEvents',
};

/**
 * Why a resource of the kind is not run, as a sentence that says what to use in its place; undefined for what is run.
 * Of an IntegrationSource it depends on its `spec`: a `timer` is run.
 */
export function whyNotRun(kind: string, spec?: unknown): string | undefined {
  if (!(KINDS_NOT_RUN as readonly string[]).includes(kind)) return undefined;
  if (kind === 'IntegrationSource' && isTimer(spec)) return undefined;
  return `${called(kind)} is not run by this version: ${INSTEAD[kind as KindNotRun]}`;
}

/** The rule of a whole resource that tells so, as something assumed: it is taken all the same. */
export const notRunRule: Rule<Record<string, unknown>> = ({ kind, spec }, path, tell) => {
  const why = whyNotRun(String(kind), spec);
  if (why !== undefined) tell.receipt(path, why);
};

function isTimer(spec: unknown): boolean {
  return (spec as { timer?: unknown } | null | undefined)?.timer !== undefined;
}

function called(kind: string): string {
  if (kind === 'IntegrationSource') return 'an IntegrationSource of AWS';
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
