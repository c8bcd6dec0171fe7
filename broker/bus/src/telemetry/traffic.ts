import type { Entry, Position } from '../log/log.ts';
import { Rate } from './rate.ts';

/** A type of events that has entered a broker or channel since the process began. */
export interface SeenType {
  /** The key of the resource that they entered: `Broker/default/orders`. */
  readonly into: string;
  readonly type: string;
  readonly source: string;
  /** Of the newest. */
  readonly dataschema: string | undefined;
  readonly count: number;
  /** Events in the last minute. */
  readonly perMinute: number;
  /** Of the newest, in milliseconds since 1970. */
  readonly lastAt: number;
  readonly lastPosition: Position;
}

/** What is remembered of each topic: as many types, and sources of each. Others are not told apart. */
const MOST_TYPES = 1_000;
const MOST_SOURCES = 100;

type Seen = { -readonly [Field in Exclude<keyof SeenType, 'into' | 'perMinute'>]: SeenType[Field] } & {
  rate: Rate;
  /** Of the newest, among all that was told. */
  serial: number;
};

/** Counts the types of events that enter the topics that it follows. A few look-ups for each event; nothing is kept of it. */
export class Traffic {
  #serial = 0;
  #topics = new Map<string, { readonly into: string; readonly types: Map<string, Map<string, Seen>> }>();

  /** Follows these topics from now on, each with the key of what has it; what it knows of others is forgotten. */
  follow(topics: ReadonlyMap<string, string>): void {
    const before = this.#topics;
    this.#topics = new Map(
      [...topics].map(([topic, into]) => [topic, { into, types: before.get(topic)?.types ?? new Map() }]),
    );
  }

  /** How often it has been told of something: for {@link since}. */
  get serial(): number {
    return this.#serial;
  }

  /** Is told of what has become durable. */
  entered(entries: readonly Entry[]): void {
    this.#serial += 1;
    for (const entry of entries) {
      const topic = this.#topics.get(entry.topic);
      if (topic !== undefined) count(entry, topic.types, this.#serial);
    }
  }

  /** Those of which an event has entered after this serial; after 0, all. Arrivals would not do: they are told of later. */
  since(serial: number, now: number): readonly SeenType[] {
    return [...this.#topics.values()].flatMap(({ into, types }) =>
      [...types.values()].flatMap((sources) =>
        [...sources.values()].flatMap(({ rate, serial: last, ...seen }): SeenType[] =>
          last <= serial ? [] : [{ ...seen, into, perMinute: rate.perMinute(now) }],
        ),
      ),
    );
  }
}

function count({ event, arrivedAt, position }: Entry, types: Map<string, Map<string, Seen>>, serial: number): void {
  const { type, source, dataschema } = event;
  let sources = types.get(type);
  if (sources === undefined) {
    if (types.size >= MOST_TYPES) return;
    sources = new Map();
    types.set(type, sources);
  }
  let seen = sources.get(source);
  if (seen === undefined) {
    if (sources.size >= MOST_SOURCES) return;
    seen = { type, source, dataschema, count: 0, lastAt: arrivedAt, lastPosition: position, rate: new Rate(), serial };
    sources.set(source, seen);
  }
  seen.count += 1;
  seen.dataschema = dataschema;
  seen.lastAt = arrivedAt;
  seen.lastPosition = position;
  seen.serial = serial;
  seen.rate.add(arrivedAt);
}
