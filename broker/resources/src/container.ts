import type { Container } from './pod.ts';
import type { ProbeSpec } from './probe.ts';
import { parseQuantity } from './quantity.ts';
import type { Quantity } from './quantity.ts';

/** What one instance may use; undefined: as much as there is. */
export interface Limits {
  readonly memoryBytes?: number | undefined;
  /** In processors: 0.5 is half of one. */
  readonly cpus?: number | undefined;
}

/** How to find out whether an instance takes calls (Kubernetes' readinessProbe) or lives. All times in milliseconds. */
export interface Probe {
  readonly check:
    | { readonly kind: 'http'; readonly path: string; readonly headers: Readonly<Record<string, string>> }
    | { readonly kind: 'tcp' }
    | { readonly kind: 'exec'; readonly command: readonly string[] };
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  /** So many in a row make it ready. */
  readonly successes: number;
  /** So many in a row, once it is ready, take its calls away until it succeeds again. */
  readonly failures: number;
}

// Kubernetes' defaults.
const PERIOD_SECONDS = 10;
const TIMEOUT_SECONDS = 1;
const FAILURES = 3;

/** What `resources.limits` of a container say; 0 is no limit, as for Kubernetes. */
export function limitsOf(container: Container | undefined): Limits {
  const { memory, cpu } = container?.resources?.limits ?? {};
  const memoryBytes = Math.ceil(amountOf(memory));
  const cpus = amountOf(cpu);
  return { ...(memoryBytes > 0 ? { memoryBytes } : {}), ...(cpus > 0 ? { cpus } : {}) };
}

/** The readiness probe of a container, with Kubernetes' defaults; undefined without one. */
export function probeOf(container: Container | undefined): Probe | undefined {
  return container?.readinessProbe && withDefaults(container.readinessProbe);
}

/** The liveness probe of a container, with Kubernetes' defaults; undefined without one. */
export function livenessOf(container: Container | undefined): Probe | undefined {
  return container?.livenessProbe && withDefaults(container.livenessProbe);
}

function amountOf(quantity: Quantity | undefined): number {
  return (quantity === undefined ? undefined : parseQuantity(quantity)) ?? 0;
}

/** A zero is for Kubernetes the same as nothing said. */
function withDefaults(said: ProbeSpec): Probe {
  return {
    check: checkOf(said),
    initialDelayMs: (said.initialDelaySeconds ?? 0) * 1000,
    periodMs: (said.periodSeconds || PERIOD_SECONDS) * 1000,
    timeoutMs: (said.timeoutSeconds || TIMEOUT_SECONDS) * 1000,
    successes: said.successThreshold ?? 1,
    failures: said.failureThreshold || FAILURES,
  };
}

function checkOf({ httpGet, exec }: ProbeSpec): Probe['check'] {
  if (exec !== undefined) return { kind: 'exec', command: exec.command };
  if (httpGet === undefined) return { kind: 'tcp' };
  const { path = '/', httpHeaders = [] } = httpGet;
  const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name.toLowerCase(), value]));
  return { kind: 'http', path: path.startsWith('/') ? path : `/${path}`, headers };
}
