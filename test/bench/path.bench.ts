import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { alone, compared, median } from './measure.ts';
import type { Row } from './measure.ts';
import { startSubject } from './subject.ts';
import type { SubjectKind } from './subject.ts';

const PASSES = 3;
const WARM_UPS = 3;
const MEASURED = 3;

/** What is measured: a subject, how the events come, and how many triggers there are. */
const MEASURES = {
  door: { kind: 'door', mode: 'binary', triggers: 0 },
  append: { kind: 'append', mode: 'binary', triggers: 0 },
  send: { kind: 'send', mode: 'binary', triggers: 0 },
  one: { kind: 'bus', mode: 'binary', triggers: 1 },
  structured: { kind: 'bus', mode: 'structured', triggers: 1 },
  thousand: { kind: 'bus', mode: 'binary', triggers: 1_000 },
} as const satisfies Record<string, Measure>;

interface Measure {
  readonly kind: SubjectKind;
  readonly mode: 'binary' | 'structured';
  readonly triggers: number;
}

/**
 * The whole path of an event (ingress, durable append, filter, one delivery) beside the sum of its parts, each measured
 * alone in the same run: fastify with our parse, the SQLite append, one request by undici. CPU of all threads, of 20,000
 * events of 1 KiB from 64 connections. Every subject runs in a process of its own, and while no other does; several
 * passes over all of them, so that what drifts drifts for all.
 */
export async function pathBench(): Promise<Row[]> {
  await using load = await startLoad();
  const names = Object.keys(MEASURES) as (keyof typeof MEASURES)[];
  const values = new Map(names.map((name) => [name, [] as number[]]));
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const name of names) values.get(name)!.push(...(await measure(MEASURES[name], load)));
  }
  const figure = (name: keyof typeof MEASURES) => median(values.get(name)!);
  const parts = figure('door') + figure('append') + figure('send');
  return [
    alone('fastify and our parse, per event', figure('door'), 'us CPU'),
    alone('append to SQLite, per event', figure('append'), 'us CPU'),
    alone('one POST by undici, per event', figure('send'), 'us CPU'),
    compared('the whole path against the sum of its parts', figure('one'), 'us CPU', parts, 1.25),
    compared('1,000 exact triggers against one', figure('thousand'), 'us CPU', figure('one'), 1.5),
    compared('structured mode against binary mode', figure('structured'), 'us CPU', figure('one'), 1.3),
  ];
}

async function measure({ kind, mode, triggers }: Measure, load: Load): Promise<number[]> {
  await using subject = await startSubject(kind, load, triggers);
  const values: number[] = [];
  for (let round = 0; round < WARM_UPS + MEASURED; round += 1) values.push(await subject.measure(mode));
  return values.slice(WARM_UPS);
}
