import type { Handler } from '@millrace/event/handler';

import type { Target, Transform } from '../plan/plan.ts';
import type { Evaluator } from './evaluator.ts';
import { handlerSink } from './handler-sink.ts';
import { answerTransform } from './transform-door.ts';
import type { TransformRequest, TransformResponse } from './transform-door.ts';
import { transformHandler } from './transform-handler.ts';

export interface TransformsOptions {
  readonly evaluator: Evaluator;
  /** Whoever takes what a transform sends on. */
  readonly sinkOf: (target: Target, transform: Transform) => Handler;
}

/** A declared EventTransform, ready to be used. */
interface Ready {
  readonly handler: Handler;
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
  handlerOf(name: string): Handler | undefined {
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
    const sinkCall = sink === undefined ? undefined : handlerSink(sink);
    return {
      handler: transformHandler({ evaluator, expression, sink, reply }),
      answer: (request) => answerTransform(request, { evaluator, expression, sink: sinkCall, reply }),
    };
  }
}
