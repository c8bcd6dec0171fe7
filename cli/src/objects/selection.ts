import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';
import { nameText } from './discovery.ts';
import type { Discovery, ResourceType } from './discovery.ts';

/** Where objects are looked for, and which of them are meant. */
export interface Scope {
  /** Default: `default`. */
  readonly namespace?: string;
  readonly allNamespaces?: true;
  /** A label selector: `team=blue,stage in (a,b)`. */
  readonly selector?: string;
}

/** All objects of a kind, or one of them. */
export interface Selected {
  readonly type: ResourceType;
  /** Undefined: of all namespaces, or none because the kind knows no namespaces. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/**
 * What the arguments of a command mean, as kubectl reads them: `KIND[,KIND] [NAME…]`, or `KIND/NAME…`. Throws a
 * {@link CommandFailure} for what makes no sense together.
 */
export function selectionOf(words: readonly string[], discovery: Discovery, scope: Scope): Selected[] {
  const pairs = words.some((word) => word.includes('/'))
    ? namedPairs(words, discovery)
    : kindsAndNames(words, discovery);
  if (pairs.some(({ name }) => name !== undefined)) {
    if (scope.allNamespaces) refuse('an object that is named is in one namespace: say which with -n in place of -A');
    if (scope.selector !== undefined) refuse('either name objects, or select them with -l');
  }
  return pairs.map(({ type, name }) => ({ type, name, namespace: namespaceFor(type, scope) }));
}

/** The namespace in which objects of a kind are looked for. */
export function namespaceFor({ namespaced }: ResourceType, { namespace, allNamespaces }: Scope): string | undefined {
  return namespaced && !allNamespaces ? (namespace ?? 'default') : undefined;
}

/** How a named one is told of. */
export function selectedText({ type, name = '' }: Selected): string {
  return nameText(type, name);
}

interface Pair {
  readonly type: ResourceType;
  readonly name: string | undefined;
}

function namedPairs(words: readonly string[], discovery: Discovery): Pair[] {
  return words.map((word) => {
    const [kind = '', name = '', ...rest] = word.split('/');
    if (kind === '' || name === '' || rest.length > 0) {
      refuse(`expected KIND/NAME such as trigger/urgent, got "${word}": all arguments are of this form, or none is`);
    }
    return { type: discovery.one(kind), name };
  });
}

function kindsAndNames([kinds = '', ...names]: readonly string[], discovery: Discovery): Pair[] {
  const types = new Set(
    kinds
      .split(',')
      .filter((kind) => kind !== '')
      .flatMap((kind) => discovery.named(kind)),
  );
  if (types.size === 0) refuse('expected a kind, such as triggers; `millrace api-resources` lists them');
  const readable = [...types].filter(({ verbs }) => verbs.includes('get'));
  if (names.length === 0) return readable.map((type) => ({ type, name: undefined }));
  return readable.flatMap((type) => names.map((name) => ({ type, name })));
}

function refuse(message: string): never {
  throw new CommandFailure('usage', printable(message));
}
