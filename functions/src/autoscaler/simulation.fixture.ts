import type { Scaling } from '@millrace/resources/scaling';

/** All times are milliseconds. */
interface Recorded {
  readonly second: number;
  readonly value: number;
}

/**
 * Knative's autoscaler once more, as a transcript of knative.md §9 for the tests: it keeps everything that was ever
 * recorded and computes everything anew at every tick. It shares no code with the autoscaler.
 */
export class NaiveAutoscaler {
  readonly scaling: Scaling;
  readonly recorded: Recorded[] = [];
  readonly decisions: { time: number; desired: number }[] = [];
  readonly total: number;
  readonly target: number;
  readonly most: number;
  panicTime: number | undefined;
  maxPanicPods = 0;
  pokes = 0;
  condition: 'Unknown' | 'True' | 'False';
  conditionTime: number;
  proxyTime: number | undefined;
  excessBurstCapacity = -1;
  isScaleTargetInitialized = false;
  replicas: number;

  constructor(scaling: Scaling, containerConcurrency: number, now: number, mostInstances: number) {
    this.scaling = scaling;
    // 9.3
    const isRps = scaling.metric === 'rps';
    let total = isRps ? 200 : 100;
    if (!isRps && containerConcurrency !== 0) total = containerConcurrency;
    if (scaling.target !== undefined) {
      total = scaling.target;
      if (!isRps && containerConcurrency !== 0) total = Math.min(scaling.target, containerConcurrency);
    }
    this.total = total;
    this.target = Math.max(0.01, total * (scaling.targetUtilizationPercentage / 100));

    this.most = scaling.maxScale === 0 ? Math.max(mostInstances, scaling.minScale) : scaling.maxScale;
    this.replicas = Math.min(Math.max(scaling.minScale, scaling.initialScale), this.most);
    this.condition = this.replicas === 0 ? 'False' : 'Unknown';
    this.conditionTime = now;
    if (scaling.targetBurstCapacity === 0) this.excessBurstCapacity = 0;
    if (scaling.targetBurstCapacity > 0)
      this.excessBurstCapacity = Math.floor(scaling.initialScale * total - scaling.targetBurstCapacity);
  }

  // ------------------------------------------------------------ 9.2

  observe(now: number, ready: number, concurrency: number, requests: number): void {
    const first = this.pokes;
    this.pokes = 0;
    if (ready === 0 && concurrency === 0 && requests === 0) return;
    const value = (this.scaling.metric === 'rps' ? requests : concurrency) - first;
    this.recorded.push({ second: Math.floor(now / 1000), value: value < 0 ? 0 : value });
  }

  poke(now: number): void {
    if (this.pokes === 1) return;
    this.pokes = 1;
    this.recorded.push({ second: Math.floor(now / 1000), value: 1 });
  }

  average(now: number, windowMs: number): number {
    const length = Math.ceil(windowMs / 1000);
    const last = this.recorded.at(-1)?.second;
    if (last === undefined) return 0;
    const current = Math.max(Math.floor(now / 1000), last);
    const trailing = current - last;
    if (trailing >= length) return 0;

    let firstWrite = this.recorded[0]!.second;
    for (let index = 1; index < this.recorded.length; index++) {
      const { second } = this.recorded[index]!;
      if (second - this.recorded[index - 1]!.second >= length) firstWrite = second;
    }

    const seconds = Array.from({ length }, (_, age) => current - age).filter((second) => second >= firstWrite);
    const buckets = seconds.map((second) =>
      this.recorded.filter((record) => record.second === second).reduce((sum, record) => sum + record.value, 0),
    );
    const sixDecimals = (value: number) => Math.floor(value * 1e6) / 1e6;
    if (this.scaling.metricAggregationAlgorithm === 'weighted-exponential') {
      const c = Math.max(1 - (1 - 0.9999) ** (1 / length), 0.2);
      return sixDecimals(buckets.reduce((sum, bucket, age) => sum + bucket * c * (1 - c) ** age, 0));
    }
    const divisor = Math.min(current - firstWrite + 1, length) - trailing;
    return sixDecimals(buckets.reduce((sum, bucket) => sum + bucket, 0) / divisor);
  }

  hasData(now: number): boolean {
    const last = this.recorded.at(-1)?.second;
    return last !== undefined && Math.floor(now / 1000) - last <= Math.ceil(this.scaling.windowMs / 1000);
  }

  // ------------------------------------------------------------ 9.4

  scale(now: number, readyPods: number, reachable: boolean): number {
    const { scaling, target } = this;
    if (!this.hasData(now)) return -1;
    const panicWindow = Math.max(
      1000,
      Math.round((scaling.windowMs * scaling.panicWindowPercentage) / 100 / 1000) * 1000,
    );
    const stableAvg = this.average(now, scaling.windowMs);
    const panicAvg = this.average(now, panicWindow);

    const ready = Math.max(1, readyPods);
    const maxUp = Math.ceil(1000 * ready);
    const maxDown = reachable ? Math.floor(ready / 2) : 0;
    const dspc = Math.ceil(stableAvg / target);
    const dppc = Math.ceil(panicAvg / target);
    let stable = Math.min(Math.max(dspc, maxDown), maxUp);
    let panic = Math.min(Math.max(dppc, maxDown), maxUp);
    if (scaling.activationScale > 1) {
      if (dspc > 0) stable = Math.max(stable, scaling.activationScale);
      if (dppc > 0) panic = Math.max(panic, scaling.activationScale);
    }

    const over = dppc / ready >= scaling.panicThresholdPercentage / 100;
    if (over) this.panicTime = now;
    else if (this.panicTime !== undefined && this.panicTime + scaling.windowMs < now) {
      this.panicTime = undefined;
      this.maxPanicPods = 0;
    }
    let desired = stable;
    if (this.panicTime !== undefined) {
      desired = Math.max(stable, panic);
      this.maxPanicPods = Math.max(this.maxPanicPods, desired);
      desired = this.maxPanicPods;
    }
    if (reachable && scaling.scaleDownDelayMs > 0) {
      // In buckets of one tick.
      this.decisions.push({ time: now, desired });
      const buckets = Math.ceil(scaling.scaleDownDelayMs / 2000);
      const within = this.decisions.filter((d) => Math.floor(now / 2000) - Math.floor(d.time / 2000) < buckets);
      desired = Math.max(...within.map((d) => d.desired));
    }

    const tbc = scaling.targetBurstCapacity;
    if (tbc === 0) this.excessBurstCapacity = 0;
    else if (tbc > 0) this.excessBurstCapacity = Math.floor(readyPods * this.total - tbc - panicAvg);
    else this.excessBurstCapacity = -1;
    return desired;
  }

  // ------------------------------------------------------------ bounds, then 9.5

  tick(now: number, ready: number, reachable: boolean): number {
    const { scaling } = this;
    let min = reachable ? scaling.minScale : 0;
    let minReady = Math.max(min, 1);
    if (!this.isScaleTargetInitialized) {
      minReady = Math.max(minReady, scaling.initialScale);
      if (scaling.initialScale > 1) min = Math.max(min, scaling.initialScale);
    }
    minReady = Math.min(minReady, this.most);

    let want = this.scale(now, ready, reachable);
    if (want >= 0 || this.condition === 'Unknown') {
      want = Math.min(Math.max(want, min), this.most);
      want = this.handleScaleToZero(now, Math.max(want, 0));
    }

    const isProxy = want === 0 || this.excessBurstCapacity < 0 || (want === -1 && this.condition === 'False');
    if (!isProxy) this.proxyTime = undefined;
    else if (this.proxyTime === undefined) this.proxyTime = now;

    if (want === 0) this.mark('False', now);
    else if (want > 0 || this.condition !== 'False') this.mark(ready < minReady ? 'Unknown' : 'True', now);
    if (ready >= minReady) this.isScaleTargetInitialized = true;
    return this.replicas;
  }

  handleScaleToZero(now: number, want: number): number {
    const time = now - this.conditionTime;
    if (want > 0) return (this.replicas = want);
    if (this.condition === 'Unknown') {
      if (time >= 600_000 + 30_000) return (this.replicas = 0);
      return -1;
    }
    if (this.condition === 'True') {
      if (time >= this.scaling.windowMs) return 0;
      return (this.replicas = 1);
    }
    const retention = this.scaling.scaleToZeroPodRetentionMs;
    if (time >= Math.max(30_000, retention)) return (this.replicas = 0);
    if (retention > 0 && time < retention) return 0;
    if (this.proxyTime !== undefined && now - this.proxyTime >= 30_000) return (this.replicas = 0);
    return 0;
  }

  mark(condition: 'Unknown' | 'True' | 'False', now: number): void {
    if (this.condition === condition) return;
    this.condition = condition;
    this.conditionTime = now;
  }
}
