import type { Value } from './value.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
/** `<>` is read as `!=`. */
export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type LogicOperator = 'AND' | 'OR' | 'XOR';

/** What the parser makes of a CESQL expression. `at` is the offset in the text that an error points at. */
export type Tree =
  | { readonly kind: 'literal'; readonly at: number; readonly value: Value }
  | { readonly kind: 'attribute'; readonly at: number; readonly name: string }
  | { readonly kind: 'exists'; readonly at: number; readonly name: string }
  | { readonly kind: 'not'; readonly at: number; readonly operand: Tree }
  | { readonly kind: 'negate'; readonly at: number; readonly operand: Tree }
  | Binary<'arithmetic', ArithmeticOperator>
  | Binary<'comparison', ComparisonOperator>
  | LogicTree
  | LikeTree
  | InTree
  | CallTree;

export interface Binary<Kind extends string, Operator extends string> {
  readonly kind: Kind;
  readonly at: number;
  readonly operator: Operator;
  readonly left: Tree;
  readonly right: Tree;
}

/** A whole run of AND, OR and XOR: one operator fewer than operands, grouped from the right. */
export interface LogicTree {
  readonly kind: 'logic';
  readonly at: number;
  readonly operands: readonly Tree[];
  readonly operators: readonly LogicOperator[];
}

/** `x LIKE 'pattern'`, or `x NOT LIKE 'pattern'` when negated. */
export interface LikeTree {
  readonly kind: 'like';
  readonly at: number;
  readonly negated: boolean;
  readonly operand: Tree;
  readonly pattern: string;
}

/** `x IN (y, z)`, or `x NOT IN (y, z)` when negated. */
export interface InTree {
  readonly kind: 'in';
  readonly at: number;
  readonly negated: boolean;
  readonly operand: Tree;
  readonly elements: readonly Tree[];
}

/** A function call; the name is in upper case, whether a function of that name exists or not. */
export interface CallTree {
  readonly kind: 'call';
  readonly at: number;
  readonly name: string;
  readonly arguments: readonly Tree[];
}

/** Every part of the expression with its depth (the whole is 1). Never recurses: the tree may be too deep for that. */
export function* parts(root: Tree): Generator<{ tree: Tree; depth: number }, void, undefined> {
  const waiting = [{ tree: root, depth: 1 }];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    yield part;
    const depth = part.depth + 1;
    for (const tree of children(part.tree).toReversed()) waiting.push({ tree, depth });
  }
}

function children(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return [];
    case 'not':
    case 'negate':
    case 'like':
      return [tree.operand];
    case 'arithmetic':
    case 'comparison':
      return [tree.left, tree.right];
    case 'logic':
      return tree.operands;
    case 'in':
      return [tree.operand, ...tree.elements];
    default:
      return tree.arguments;
  }
}
