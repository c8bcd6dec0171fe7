import { Control } from '@millrace/bus/control/control';
import type { FunctionHost } from '@millrace/bus/control/ports';
import { Dispatcher } from '@millrace/bus/delivery/dispatcher';
import { RetiringRoutes } from '@millrace/bus/delivery/retiring';
import { TargetFactory } from '@millrace/bus/delivery/targets';
import { Flows } from '@millrace/bus/flows/flows';
import { openGate } from '@millrace/bus/log/gate';
import type { Gate } from '@millrace/bus/log/gate';
import type { Inlet, Plan } from '@millrace/bus/plan/plan';

import { mortal } from './mortal.ts';
import type { Mortal, MortalOptions } from './mortal.ts';

/** All of a bus that flows need, wired as the bus wires it, without its sockets and processes. */
export interface FlowsLife extends Pick<Mortal, 'isOver' | 'pending' | 'end'> {
  readonly dispatcher: Dispatcher;
  readonly gate: Gate;
  /** The open doors, by path. */
  readonly inlets: ReadonlyMap<string, Inlet>;
  /** Routes that go on although nothing declares them. */
  readonly retiring: RetiringRoutes;
  /** Resolves when everything runs as the plan says. */
  apply(plan: Plan): Promise<void>;
  drain(): Promise<void>;
}

const MAX_EVENT_BYTES = 1_000_000;

export function startFlows({ functions, ...options }: MortalOptions & { readonly functions: FunctionHost }): FlowsLife {
  const own = mortal(options);
  const { store, environment } = own;
  const inlets = new Map<string, Inlet>();
  const gate = openGate({
    log: store.log,
    maxEventBytes: MAX_EVENT_BYTES,
    now: () => environment.now(),
    entered: (entries) => flows.entered(entries),
  });
  const dispatcher = new Dispatcher({
    log: store.log,
    progress: store.progress,
    gate,
    environment,
    earlierOf: (route) => retiring.earlierOf(route),
    prewarm: false,
    settled: (settlement) => flows.settled(settlement),
  });
  const flows: Flows = new Flows({
    log: store.log,
    history: store.history,
    gate,
    environment,
    maxEventBytes: MAX_EVENT_BYTES,
    stepOf: (entry) => retiring.stepOf(entry),
    beganAt: (route) => dispatcher.beganAt(route),
    cancel: async ({ route, position }) => {
      const entry = store.log.get(position);
      return entry !== undefined && ((await dispatcher.route(route)?.cancel(entry)) ?? false);
    },
  });
  const targets = new TargetFactory({
    functionOf: (workload) => control.functionOf(workload),
    transformOf: () => undefined,
    flows,
    answerWaiter: () => false,
    mismatchOf: () => undefined,
    aliases: {},
    maxAnswerBytes: 1_000_000,
    now: () => environment.now(),
  });
  const targetsOf: ConstructorParameters<typeof RetiringRoutes>[0]['targetsOf'] = (route) => targets.of(route);
  const retiring: RetiringRoutes = new RetiringRoutes({
    dispatcher,
    log: store.log,
    progress: store.progress,
    targetsOf,
    environment,
  });
  const control = new Control({
    openInlet: (inlet) => inlets.set(inlet.path, inlet),
    closeInlet: (inlet) => inlets.delete(inlet.path),
    async placeRoutes(routes) {
      await retiring.place(routes.filter((it) => it.manner === 'flow'));
      await dispatcher.place(routes);
    },
    async startRoute(route) {
      await dispatcher.start(route, route.target.kind === 'missing' ? undefined : targets.of(route));
    },
    stopRoute: (route) => dispatcher.stop(route.name),
    removeRoute: (route) => (route.manner === 'flow' ? retiring.retire(route) : dispatcher.stop(route.name)),
    openReceiver() {},
    closeReceiver() {},
    outletOf() {
      throw new Error('no sources here');
    },
    functions,
    sources() {
      throw new Error('no sources here');
    },
  });
  return {
    dispatcher,
    gate,
    inlets,
    retiring,
    async apply(plan) {
      await control.apply(plan);
      await retiring.resume(new Set(plan.routes.map((it) => it.name)));
    },
    async drain() {
      await control.drainInlets();
      retiring.close();
      await dispatcher.drain();
    },
    get isOver() {
      return own.isOver;
    },
    get pending() {
      return own.pending;
    },
    end: () => own.end(),
  };
}
