import type { Scaling } from '@millrace/resources/scaling';

/** scale-to-zero-grace-period (knative.md §9.1). Milliseconds. */
const GRACE_MS = 30_000;
/** activationTimeoutBuffer: how much longer than its progress deadline an activation may take. */
const ACTIVATION_BUFFER_MS = 30_000;

/**
 * How far a revision is on its way up or down:
 *
 *   activating ── enough are ready ──▶ active ── nothing to do for a window ──▶ inactive ── grace ──▶ 0
 *        ▲                               │ ▲                                       │
 *        └────── too few are ready ──────┘ └───────────── a call ──────────────────┘
 *
 * An inactive revision still has its instances. A call makes it active, or activating when too few are ready.
 */
export interface GateState {
  readonly phase: 'activating' | 'active' | 'inactive';
  /** When the phase began. Milliseconds. */
  readonly since: number;
  /** Since when every call passes the activator (Knative's proxy mode); undefined: some go straight to instances. */
  readonly proxiedSince: number | undefined;
}

/** What the gate looks at. */
export interface GateInput {
  /** Milliseconds. */
  readonly now: number;
  /** What was decided, within bounds; undefined: there was nothing to decide on. */
  readonly wanted: number | undefined;
  readonly ready: number;
  /** With so many ready it is active. */
  readonly leastReady: number;
  readonly excessBurstCapacity: number;
  readonly scaling: Scaling;
  /** How long an activation may take (progressDeadline). Milliseconds. */
  readonly progressDeadlineMs: number;
}

/** How many instances there are to be; undefined: as many as there were to be before. */
export interface GateOutput {
  readonly instances: number | undefined;
  /** Why it is not what was decided, for people; undefined when it is. */
  readonly reason: string | undefined;
  readonly state: GateState;
}

/** The state of a revision that begins with so many instances: on its way up, when there are to be any. */
export function firstGateState(now: number, instances: number): GateState {
  return { phase: instances === 0 ? 'inactive' : 'activating', since: now, proxiedSince: undefined };
}

/**
 * Lets a decision of 0 pass only when it is safe and due (knative.md §9.5). Pure: the state comes in and goes out.
 * That the activator takes the calls need not be probed: here every call passes the process that decides.
 */
export function passGate(input: GateInput, state: GateState): GateOutput {
  const passed =
    input.wanted === 0 ? passZero(input, state) : { taken: input.wanted, instances: input.wanted, reason: undefined };
  return { instances: passed.instances, reason: passed.reason, state: stateAfter(passed.taken, input, state) };
}

interface Passed {
  /** What the revision is taken to want, which its phase follows; undefined: not decided. */
  readonly taken: number | undefined;
  readonly instances: number | undefined;
  readonly reason: string | undefined;
}

function passZero({ now, scaling, progressDeadlineMs }: GateInput, { phase, since, proxiedSince }: GateState): Passed {
  const elapsed = now - since;
  const passed = { taken: 0, instances: 0, reason: undefined };
  switch (phase) {
    case 'activating':
      if (elapsed >= progressDeadlineMs + ACTIVATION_BUFFER_MS) return passed;
      return { taken: undefined, instances: undefined, reason: 'the first instances are being started' };
    case 'active':
      if (elapsed >= scaling.windowMs) return { taken: 0, instances: undefined, reason: 'no calls: about to end' };
      return { taken: 1, instances: 1, reason: `no calls, but active for less than ${scaling.windowMs / 1000} s` };
    case 'inactive': {
      const retentionMs = scaling.scaleToZeroPodRetentionMs;
      const proxiedMs = proxiedSince === undefined ? 0 : now - proxiedSince;
      if (elapsed >= retentionMs && Math.max(elapsed, proxiedMs) >= GRACE_MS) return passed;
      const waitsFor = elapsed < retentionMs ? 'scale-to-zero-pod-retention-period' : 'scale-to-zero-grace-period';
      return { taken: 0, instances: undefined, reason: `no calls: ends after its ${waitsFor}` };
    }
  }
}

function stateAfter(taken: number | undefined, input: GateInput, before: GateState): GateState {
  const { now } = input;
  const isProxied =
    taken === 0 || input.excessBurstCapacity < 0 || (taken === undefined && before.phase === 'inactive');
  const phase = phaseAfter(taken, input, before.phase);
  return {
    phase,
    since: phase === before.phase ? before.since : now,
    proxiedSince: isProxied ? (before.proxiedSince ?? now) : undefined,
  };
}

function phaseAfter(
  taken: number | undefined,
  { ready, leastReady }: GateInput,
  before: GateState['phase'],
): GateState['phase'] {
  if (taken === 0 || (taken === undefined && before === 'inactive')) return 'inactive';
  return ready < leastReady ? 'activating' : 'active';
}
