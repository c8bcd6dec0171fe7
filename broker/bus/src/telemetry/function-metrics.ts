import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Accepted, Prewarmed } from '../log/facts.ts';
import { kept } from './kept.ts';
import { usageIn } from './usage.ts';

/** How busy a function is. */
export interface FunctionReading {
  /** `namespace/service`. */
  readonly name: string;
  readonly revisions: readonly {
    readonly instances: number;
    readonly inFlight: number;
    readonly waiting: number;
  }[];
}

const MOST_NAMES = 1_000;
const MOST_MODELS = 200;

/** Counts what functions cost, and shows how busy they are. */
export function openFunctionMetrics(registry: Registry, read: () => readonly FunctionReading[]) {
  const registers = [registry];
  const tokens = new Counter({
    name: 'millrace_function_tokens_total',
    help: 'Tokens that models read and wrote for replies, as the replies say',
    labelNames: ['route', 'model', 'direction'],
    registers,
  });
  const cost = new Counter({
    name: 'millrace_function_cost_usd_total',
    help: 'List price of what models did for replies, in US dollars, as the replies say',
    labelNames: ['route', 'model'],
    registers,
  });
  const prewarms = new Counter({
    name: 'millrace_prewarms_total',
    help: 'How often a function got ready because the route before it had begun',
    labelNames: ['route'],
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['function'], registers });
  const instances = gauge('millrace_function_instances', 'Instances, also those that begin or end');
  const inFlight = gauge('millrace_function_in_flight', 'Calls that instances have');
  const waiting = gauge('millrace_function_waiting', 'Calls that wait for an instance');

  const modelOf = kept((model) => model, MOST_MODELS);
  const spentBy = kept(
    (route) =>
      kept((model) => ({
        input: tokens.labels({ route, model, direction: 'input' }),
        output: tokens.labels({ route, model, direction: 'output' }),
        cost: cost.labels({ route, model }),
      })),
    MOST_NAMES,
  );
  const prewarmsOf = kept((route) => prewarms.labels({ route }), MOST_NAMES);

  return {
    /** An event from outside costs nothing here, whatever it says. */
    accepted({ entries }: Accepted): void {
      for (const { event, cause } of entries) {
        const usage = cause === undefined ? undefined : usageIn(event.extensions);
        if (usage === undefined) continue;
        const spent = spentBy(cause!.route)(modelOf(usage.model));
        spent.input.inc(usage.inputTokens);
        spent.output.inc(usage.outputTokens);
        spent.cost.inc(usage.costUsd ?? 0);
      }
    },
    prewarmed({ next }: Prewarmed): void {
      prewarmsOf(next).inc();
    },
    /** To be called before the gauges are read. */
    readGauges(): void {
      for (const each of [instances, inFlight, waiting]) each.reset();
      const labelOf = kept((name) => name, MOST_NAMES);
      for (const { name, revisions } of read()) {
        const labels = { function: labelOf(name) };
        for (const revision of revisions) {
          instances.inc(labels, revision.instances);
          inFlight.inc(labels, revision.inFlight);
          waiting.inc(labels, revision.waiting);
        }
      }
    },
  };
}
