import { startLoad } from './load.ts';
import { alone, compared, medians } from './measure.ts';
import type { Row } from './measure.ts';
import { startSubject } from './subject.ts';

const ROUNDS = 7;

/**
 * The whole path of an event (ingress, durable append, filter, one delivery) beside the sum of its parts, each measured
 * alone in the same run: fastify with our parse, the SQLite append, one request by undici. CPU of all threads, of 20,000
 * events of 1 KiB from 64 connections; every subject in a process of its own, all in turn.
 */
export async function pathBench(): Promise<Row[]> {
  await using load = await startLoad();
  await using door = await startSubject('door', load);
  await using append = await startSubject('append', load);
  await using send = await startSubject('send', load);
  await using one = await startSubject('bus', load, 1);
  await using thousand = await startSubject('bus', load, 1_000);
  const figures = await medians(ROUNDS, {
    door: () => door.measure('binary'),
    append: () => append.measure('binary'),
    send: () => send.measure('binary'),
    one: () => one.measure('binary'),
    structured: () => one.measure('structured'),
    thousand: () => thousand.measure('binary'),
  });
  const parts = figures.door + figures.append + figures.send;
  return [
    alone('fastify and our parse, per event', figures.door, 'us CPU'),
    alone('append to SQLite, per event', figures.append, 'us CPU'),
    alone('one POST by undici, per event', figures.send, 'us CPU'),
    compared('the whole path against the sum of its parts', figures.one, 'us CPU', parts, 1.25),
    compared('1,000 exact triggers against one', figures.thousand, 'us CPU', figures.one, 1.5),
    compared('structured mode against binary mode', figures.structured, 'us CPU', figures.one, 1.3),
  ];
}
