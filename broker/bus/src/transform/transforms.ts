import type { Handler } from '@millrace/event/handler';

import { HOPS_HEADER } from '../log/gate.ts';
import type { Gate } from '../log/gate.ts';
import type { Target, Transform } from '../plan/plan.ts';
import type { Evaluator } from './evaluator.ts';
import { handlerSink } from './handler-sink.ts';
import { answerTransform } from './transform-door.ts';
import type { SinkCall, TransformRequest, TransformResponse } from './transform-door.ts';
import { transformHandler } from './transform-handler.ts';
import type { TransformHandler } from './transform-handler.ts';
import { webSink } from './web-sink.ts';

/** Who takes what a transform sends on. */
export interface TransformSink {
  readonly handler: TransformHandler;
  /** As one who takes HTTP requests; undefined for one who does not. */
  readonly web: SinkCall | undefined;
}

export interface TransformsOptions {
  readonly evaluator: Evaluator;
  /** Whoever takes what a transform sends on. */
  readonly sinkOf: (target: Target, transform: Transform) => TransformSink;
  /** Where what came by a door enters the topic of a sink. */
  readonly gate: Gate;
}

/** A declared EventTransform, ready to be used. */
interface Ready {
  readonly handler: TransformHandler;
  readonly answer: (request: TransformRequest) => Promise<TransformResponse>;
}

/** The declared EventTransforms: as subscribers of routes, and by their doors. */
export class Transforms {
  readonly #options: TransformsOptions;
  #ready: ReadonlyMap<string, Ready> = new Map();

  constructor(options: TransformsOptions) {
    this.#options = options;
  }

  /** From now on these are declared, and no others. What is under way goes on as it began. */
  declare(transforms: readonly Transform[]): void {
    this.#ready = new Map(transforms.map((it) => [it.name, this.#make(it)]));
  }

  /** As a subscriber; undefined when it is not declared. */
  handlerOf(name: string): TransformHandler | undefined {
    return this.#ready.get(name)?.handler;
  }

  /** As a door; undefined when it is not declared. */
  doorOf(name: string): Ready['answer'] | undefined {
    return this.#ready.get(name)?.answer;
  }

  #make(declared: Transform): Ready {
    const { evaluator, sinkOf } = this.#options;
    const { expression, reply } = declared;
    const sink = declared.sink === undefined ? undefined : sinkOf(declared.sink, declared);
    const sinkCall = sink && (sink.web === undefined ? handlerSink(this.#entering(sink.handler)) : webSink(sink.web));
    return {
      handler: transformHandler({ evaluator, expression, sink: sink?.handler, reply }),
      answer: (request) => answerTransform(request, { evaluator, expression, sink: sinkCall, reply }),
    };
  }

  /** A sink as a door has it: there is no delivery that what enters a topic belongs to. */
  #entering(sink: TransformHandler): Handler {
    return async (event, context) => {
      const { into, ...answer } = await sink(event, context);
      if (into === undefined || answer.event === undefined) return answer;
      const { [HOPS_HEADER]: hops = '1', ...travelling } = context.headers;
      await this.#options.gate.enter(into, [{ event: answer.event, headers: travelling, hops: Number(hops) }]);
      return { status: answer.status };
    };
  }
}
