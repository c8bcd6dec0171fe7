import type { Container } from './pod.ts';

/** What one instance may use; undefined: as much as there is. */
export interface Limits {
  readonly memoryBytes?: number | undefined;
  /** In processors: 0.5 is half of one. */
  readonly cpus?: number | undefined;
}

/** How to find out whether an instance takes calls (Kubernetes' readinessProbe). All times in milliseconds. */
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

/** What `resources.limits` of a container say. */
export function limitsOf(_container: Container | undefined): Limits {
  return {};
}

/** The readiness probe of a container, with Kubernetes' defaults; undefined without one. */
export function probeOf(_container: Container | undefined): Probe | undefined {
  return undefined;
}
