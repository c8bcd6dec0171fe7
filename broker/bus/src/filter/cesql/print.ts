import type { LogicTree, Tree } from './tree.ts';
import type { Value } from './value.ts';

/** How tightly what a tree prints as holds together (CESQL 1.0.0 §3.6): the parser's levels. */
const LOGIC = 1;
const COMPARISON = 2;
const SUM = 3;
const PRODUCT = 4;
const IN = 5;
const LIKE = 6;
const UNARY = 7;
const WHOLE = 8;

/** The text of an expression or of a part of one, for people: spaces and parentheses as they must be, not as they were. */
export function textOf(tree: Tree): string {
  switch (tree.kind) {
    case 'literal':
      return literal(tree.value);
    case 'attribute':
      return tree.name;
    case 'exists':
      return `EXISTS ${tree.name}`;
    case 'not':
      return `NOT ${within(tree.operand, UNARY)}`;
    case 'negate':
      // A minus that touches digits would belong to them.
      return tree.operand.kind === 'literal' ? `-(${textOf(tree.operand)})` : `-${within(tree.operand, UNARY)}`;
    case 'arithmetic':
    case 'comparison': {
      const binding = bindingOf(tree);
      return `${within(tree.left, binding)} ${tree.operator} ${within(tree.right, binding + 1)}`;
    }
    case 'logic':
      return logic(tree);
    case 'like':
      return `${within(tree.operand, LIKE)} ${tree.negated ? 'NOT ' : ''}LIKE ${literal(tree.pattern)}`;
    case 'in':
      return `${within(tree.operand, IN)} ${tree.negated ? 'NOT ' : ''}IN (${list(tree.elements)})`;
    default:
      return `${tree.name}(${list(tree.arguments)})`;
  }
}

function bindingOf(tree: Tree): number {
  switch (tree.kind) {
    case 'logic':
      return LOGIC;
    case 'comparison':
      return COMPARISON;
    case 'arithmetic':
      return tree.operator === '+' || tree.operator === '-' ? SUM : PRODUCT;
    case 'in':
      return IN;
    case 'like':
      return LIKE;
    case 'not':
    case 'negate':
    case 'exists':
      return UNARY;
    default:
      return WHOLE;
  }
}

function within(tree: Tree, binding: number): string {
  return bindingOf(tree) < binding ? `(${textOf(tree)})` : textOf(tree);
}

function logic({ operands, operators }: LogicTree): string {
  const texts = operands.map((operand) => within(operand, COMPARISON));
  return texts.map((text, index) => (index === 0 ? text : `${operators[index - 1]} ${text}`)).join(' ');
}

function list(trees: readonly Tree[]): string {
  return trees.map(textOf).join(', ');
}

function literal(value: Value): string {
  if (typeof value !== 'string') return String(value).toUpperCase();
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  return quote + value.replaceAll(quote, `\\${quote}`) + quote;
}
