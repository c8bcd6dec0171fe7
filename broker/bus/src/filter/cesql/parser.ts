import { show } from '../fault.ts';
import { Cursor } from './cursor.ts';
import type { Token } from './lexer.ts';
import { parts } from './tree.ts';
import type { ArithmeticOperator, ComparisonOperator, LogicOperator, Tree } from './tree.ts';
import { int32 } from './value.ts';

/** How deep an expression may be nested: more than anyone writes, and far from what a stack holds. */
const DEEPEST = 256;

/** How tightly the operators bind (CESQL 1.0.0 §3.6). NOT, the minus sign and EXISTS stand before their operand. */
const LIKE = 6;
const IN = 5;
const COMPARISON = 2;
const LOGIC = 1;
const BINDING: Readonly<Record<string, number>> = {
  LIKE,
  IN,
  '*': 4,
  '/': 4,
  '%': 4,
  '+': 3,
  '-': 3,
  '=': COMPARISON,
  '!=': COMPARISON,
  '<>': COMPARISON,
  '<': COMPARISON,
  '<=': COMPARISON,
  '>': COMPARISON,
  '>=': COMPARISON,
  AND: LOGIC,
  OR: LOGIC,
  XOR: LOGIC,
};

/**
 * Reads a CESQL expression (CESQL 1.0.0 §2), or throws a {@link CesqlFault} that points at the first wrong token.
 *
 * Operators of one level group from the left - but AND, OR and XOR, which are ONE level, group from the right:
 * `a AND b OR c` is `a AND (b OR c)`. The specification's text (§3.6) says left, its grammar says right, and
 * Knative's engine is generated from the grammar; we do as Knative does. Write the parentheses.
 *
 * Attribute names are read in any case and mean the lower-case one, as in Knative.
 */
export function parse(text: string): Tree {
  return new Parser(text).whole();
}

/** Lives for one expression. */
class Parser {
  readonly #cursor: Cursor;
  #depth = 0;

  constructor(text: string) {
    this.#cursor = new Cursor(text);
  }

  whole(): Tree {
    const tree = this.#expression(LOGIC);
    if (this.#cursor.peek().kind !== 'end') throw this.#cursor.unexpected('an operator or the end of the expression');
    // A chain such as `1 + 1 + 1 …` is deep without being nested, so the depth is looked at once more.
    for (const part of parts(tree)) this.#checkDepth(part.depth, part.tree.at);
    return tree;
  }

  /** Reads operands and operators for as long as they bind at least as tightly as asked. */
  #expression(loosest: number): Tree {
    let left = this.#operand();
    for (;;) {
      const negated = this.#cursor.isNext('NOT');
      const operator = this.#cursor.peek(negated ? 1 : 0);
      const binding = bindingOf(operator);
      if (negated && binding !== LIKE && binding !== IN) {
        throw this.#cursor.unexpected('LIKE or IN after NOT', operator);
      }
      if (binding === undefined || binding < loosest) return left;
      if (negated) this.#cursor.take();
      left = binding === LOGIC ? this.#logic(left) : this.#binary(left, this.#cursor.take(), binding, negated);
    }
  }

  #binary(left: Tree, operator: Token, binding: number, negated: boolean): Tree {
    const { at, text } = operator;
    if (binding === LIKE) {
      const pattern = this.#cursor.takeIf('string');
      if (pattern === undefined) throw this.#cursor.unexpected('a text in quotes, the pattern of LIKE');
      return { kind: 'like', at, negated, operand: left, pattern: pattern.text };
    }
    if (binding === IN) {
      this.#cursor.expect('(', 'before the set of IN');
      return { kind: 'in', at, negated, operand: left, elements: this.#list() };
    }
    const right = this.#expression(binding + 1);
    if (binding !== COMPARISON) return { kind: 'arithmetic', at, operator: text as ArithmeticOperator, left, right };
    return { kind: 'comparison', at, operator: (text === '<>' ? '!=' : text) as ComparisonOperator, left, right };
  }

  #logic(first: Tree): Tree {
    const { at } = this.#cursor.peek();
    const operands = [first];
    const operators: LogicOperator[] = [];
    while (bindingOf(this.#cursor.peek()) === LOGIC) {
      operators.push(this.#cursor.take().text as LogicOperator);
      operands.push(this.#expression(COMPARISON));
    }
    return { kind: 'logic', at, operands, operators };
  }

  #operand(): Tree {
    const token = this.#cursor.take();
    const { at, kind, text } = token;
    if (kind === 'string') return { kind: 'literal', at, value: text };
    if (kind === 'integer') return this.#integer(at, text);
    if (kind === 'name') return this.#cursor.isNext('(') ? this.#call(token) : this.#attribute(token);
    switch (text) {
      case 'TRUE':
      case 'FALSE':
        return { kind: 'literal', at, value: text === 'TRUE' };
      case 'NOT':
        return { kind: 'not', at, operand: this.#nested(() => this.#operand()) };
      case 'EXISTS':
        return this.#exists(at);
      case '+':
      case '-':
        return this.#signed(at, text);
      case '(':
        return this.#parenthesis();
      default:
        throw this.#cursor.unexpected('an attribute, a literal, a function or "("', token);
    }
  }

  /** A sign that touches digits belongs to the literal, as `-2147483648` needs it; another minus negates. */
  #signed(at: number, sign: '+' | '-'): Tree {
    const digits = this.#cursor.peek();
    if (digits.kind === 'integer' && digits.at === at + 1) return this.#integer(at, sign + this.#cursor.take().text);
    if (sign === '-') return { kind: 'negate', at, operand: this.#nested(() => this.#operand()) };
    throw this.#cursor.unexpected('digits right after the plus sign');
  }

  #integer(at: number, digits: string): Tree {
    const value = int32(Number(digits));
    if (value !== undefined) return { kind: 'literal', at, value };
    throw this.#cursor.fault(at, 'an integer of 32 bits, from -2147483648 to 2147483647', digits);
  }

  #attribute(token: Token): Tree {
    return { kind: 'attribute', at: token.at, name: this.#attributeName(token) };
  }

  #exists(at: number): Tree {
    const name = this.#cursor.takeIf('name') ?? this.#cursor.takeIf('integer');
    if (name === undefined) throw this.#cursor.unexpected('an attribute name after EXISTS');
    return { kind: 'exists', at, name: this.#attributeName(name) };
  }

  #attributeName({ at, text }: Token): string {
    if (!text.includes('_')) return text.toLowerCase();
    throw this.#cursor.fault(at, 'an attribute name of letters and digits', show(text));
  }

  #call({ at, text }: Token): Tree {
    if (!/^[A-Za-z][A-Za-z_]*$/.test(text)) {
      throw this.#cursor.fault(at, 'a function name of letters and underscores', show(text));
    }
    const name = text.toUpperCase();
    this.#cursor.expect('(', 'before the arguments');
    if (!this.#cursor.isNext(')')) return { kind: 'call', at, name, arguments: this.#list() };
    this.#cursor.take();
    return { kind: 'call', at, name, arguments: [] };
  }

  /** One or more expressions and the parenthesis that closes them. */
  #list(): Tree[] {
    const element = () => this.#expression(LOGIC);
    const list = [this.#nested(element)];
    while (this.#cursor.isNext(',')) {
      this.#cursor.take();
      list.push(this.#nested(element));
    }
    this.#cursor.expect(')', 'or "," after an element of the list');
    return list;
  }

  #parenthesis(): Tree {
    const tree = this.#nested(() => this.#expression(LOGIC));
    this.#cursor.expect(')', 'to close the parenthesis');
    return tree;
  }

  /** Whatever lies inside something else is read through here, so that nothing can be nested without end. */
  #nested(read: () => Tree): Tree {
    this.#checkDepth(++this.#depth, this.#cursor.peek().at);
    const tree = read();
    this.#depth--;
    return tree;
  }

  #checkDepth(depth: number, at: number): void {
    if (depth <= DEEPEST) return;
    throw this.#cursor.fault(at, `an expression nested at most ${DEEPEST} levels deep`, 'one more level');
  }
}

function bindingOf({ kind, text }: Token): number | undefined {
  return kind === 'symbol' || kind === 'keyword' ? BINDING[text] : undefined;
}
