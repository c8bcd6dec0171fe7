import { isOutside, left, lengthOf, right, substring, trim } from './text.ts';
import { castTo, toBoolean, toInteger, toText } from './value.ts';
import type { Type, Value } from './value.ts';

/** The arguments of a call, already cast to the parameters' types. The array is reused: do not keep it. */
export type Arguments = readonly Value[];

/** One overload of a built-in function. */
export interface BuiltIn {
  /** `Any` takes the argument as it is. */
  readonly parameters: readonly (Type | 'Any')[];
  /** The type of any number of further arguments; without it, there may be none. */
  readonly rest?: Type;
  readonly returns: Type;
  /** When given and true, the call is an error of this kind - and still has the value that `apply` gives. */
  readonly fails?: {
    readonly kind: 'math' | 'cast' | 'functionEvaluation';
    readonly when: string;
    test(args: Arguments): boolean;
  };
  apply(args: Arguments): Value;
}

/** Finds the overload of the function, by its upper-case name, that takes so many arguments. */
export function findFunction(name: string, count: number): BuiltIn | undefined {
  return overloads(name).find(({ parameters, rest }) =>
    rest === undefined ? parameters.length === count : parameters.length <= count,
  );
}

/** The upper-case names of all functions, for messages. */
export function functionNames(): string[] {
  return Object.keys(FUNCTIONS);
}

/** What the calls of a function may look like, as `LEFT(String, Integer)`; none when there is no such function. */
export function signatures(name: string): string[] {
  return overloads(name).map(({ parameters, rest }) => {
    const types = rest === undefined ? parameters : [...parameters, `${rest} …`];
    return `${name}(${types.join(', ')})`;
  });
}

function overloads(name: string): readonly BuiltIn[] {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : [];
}

const text = (args: Arguments, index: number) => args[index] as string;
const integer = (args: Arguments, index: number) => args[index] as number;

const COUNT_BELOW_ZERO = {
  kind: 'functionEvaluation',
  when: 'the number of characters is below 0',
  test: (args: Arguments) => integer(args, 1) < 0,
} as const;

/** CESQL 1.0.0 §3.5, and the casting functions that its conformance suite knows. Lengths count code points. */
const FUNCTIONS: Readonly<Record<string, readonly BuiltIn[]>> = {
  INT: [
    {
      parameters: ['Any'],
      returns: 'Integer',
      fails: {
        kind: 'cast',
        when: 'the value is no integer of 32 bits',
        test: (args) => toInteger(args[0]!) === undefined,
      },
      apply: (args) => toInteger(args[0]!) ?? 0,
    },
  ],
  BOOL: [
    {
      parameters: ['Any'],
      returns: 'Boolean',
      fails: {
        kind: 'cast',
        when: 'the text is neither true nor false',
        test: (args) => toBoolean(args[0]!) === undefined,
      },
      apply: (args) => toBoolean(args[0]!) ?? false,
    },
  ],
  STRING: [{ parameters: ['Any'], returns: 'String', apply: (args) => toText(args[0]!) }],
  IS_INT: [{ parameters: ['Any'], returns: 'Boolean', apply: (args) => castTo('Integer', args[0]!) !== undefined }],
  IS_BOOL: [{ parameters: ['Any'], returns: 'Boolean', apply: (args) => castTo('Boolean', args[0]!) !== undefined }],
  ABS: [
    {
      parameters: ['Integer'],
      returns: 'Integer',
      fails: { kind: 'math', when: 'the integer is -2147483648', test: (args) => integer(args, 0) === -2147483648 },
      apply: (args) => Math.min(Math.abs(integer(args, 0)), 2147483647),
    },
  ],
  LENGTH: [{ parameters: ['String'], returns: 'Integer', apply: (args) => lengthOf(text(args, 0)) }],
  CONCAT: [{ parameters: [], rest: 'String', returns: 'String', apply: (args) => args.join('') }],
  CONCAT_WS: [
    { parameters: ['String'], rest: 'String', returns: 'String', apply: (args) => args.slice(1).join(text(args, 0)) },
  ],
  LOWER: [{ parameters: ['String'], returns: 'String', apply: (args) => text(args, 0).toLowerCase() }],
  UPPER: [{ parameters: ['String'], returns: 'String', apply: (args) => text(args, 0).toUpperCase() }],
  TRIM: [{ parameters: ['String'], returns: 'String', apply: (args) => trim(text(args, 0)) }],
  LEFT: [
    {
      parameters: ['String', 'Integer'],
      returns: 'String',
      fails: COUNT_BELOW_ZERO,
      apply: (args) => left(text(args, 0), integer(args, 1)),
    },
  ],
  RIGHT: [
    {
      parameters: ['String', 'Integer'],
      returns: 'String',
      fails: COUNT_BELOW_ZERO,
      apply: (args) => right(text(args, 0), integer(args, 1)),
    },
  ],
  SUBSTRING: [
    {
      parameters: ['String', 'Integer'],
      returns: 'String',
      fails: {
        kind: 'functionEvaluation',
        when: 'the position is outside the text',
        test: (args) => isOutside(text(args, 0), integer(args, 1)),
      },
      apply: (args) => substring(text(args, 0), integer(args, 1), Infinity),
    },
    {
      parameters: ['String', 'Integer', 'Integer'],
      returns: 'String',
      fails: {
        kind: 'functionEvaluation',
        when: 'the position is outside the text or the length is below 0',
        test: (args) => isOutside(text(args, 0), integer(args, 1)) || integer(args, 2) < 0,
      },
      apply: (args) => substring(text(args, 0), integer(args, 1), integer(args, 2)),
    },
  ],
};
