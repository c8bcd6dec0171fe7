import type { CloudEvent } from '@millrace/event/event';

import type { Filter } from '../filter/filter.ts';
import { compileTriggerFilter, explainTriggerFilter } from '../filter/trigger-filter.ts';
import type { TriggerFilter } from '../filter/trigger-filter.ts';
import type { Position } from '../log/position.ts';
import type { Progress } from '../log/progress.ts';

/** What must be known of a route to draw what it has done. */
export interface RouteOfRun {
  readonly name: string;
  readonly topic: string;
  readonly filter: TriggerFilter;
  readonly step?: { readonly flow: string; readonly name: string } | undefined;
}

/** The routes at one moment. Filters are compiled, and positions read, when they are first asked for. */
export class RunRoutes {
  readonly #byTopic: ReadonlyMap<string, readonly RouteOfRun[]>;
  readonly #progress: Pick<Progress, 'load'>;
  readonly #filters = new Map<RouteOfRun, Filter>();
  readonly #positions = new Map<string, Position>();

  /** Of a name that comes twice, the first counts. */
  constructor(routes: Iterable<RouteOfRun>, progress: Pick<Progress, 'load'>) {
    const byName = new Map<string, RouteOfRun>();
    for (const route of routes) if (!byName.has(route.name)) byName.set(route.name, route);
    this.#byTopic = Map.groupBy(byName.values(), (it) => it.topic);
    this.#progress = progress;
  }

  of(topic: string): readonly RouteOfRun[] {
    return this.#byTopic.get(topic) ?? [];
  }

  /** The flow that an entry of the topic goes into; the topic itself where that is part of none. */
  flowOf(topic: string): string {
    return this.of(topic).find((it) => it.step !== undefined)?.step?.flow ?? topic;
  }

  /** The topics that lead into a flow, by its name or the end of that: `research` means `sequence/default/research`. */
  topicsOf(flow: string): Set<string> {
    const means = (name: string) => name === flow || name.endsWith(`/${flow}`);
    return new Set([flow, ...[...this.#byTopic.keys()].filter((topic) => means(this.flowOf(topic)))]);
  }

  wants(route: RouteOfRun, event: CloudEvent): boolean {
    let filter = this.#filters.get(route);
    if (filter === undefined) this.#filters.set(route, (filter = compileTriggerFilter(route.filter)));
    return filter(event);
  }

  why(route: RouteOfRun, event: CloudEvent): string {
    return explainTriggerFilter(route.filter, event).message;
  }

  /** Whether the route is behind this for good: what it has not tried by now it never took, as it is younger. */
  hasPassed({ name }: RouteOfRun, position: Position): boolean {
    let passed = this.#positions.get(name);
    if (passed === undefined) this.#positions.set(name, (passed = this.#progress.load(name)?.position ?? 0));
    return position <= passed;
  }
}
