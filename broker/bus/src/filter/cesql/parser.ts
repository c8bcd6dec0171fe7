import { CesqlFault } from './fault.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';
import { parts } from './tree.ts';
import type { ArithmeticOperator, ComparisonOperator, LogicOperator, Tree } from './tree.ts';
import { int32 } from './value.ts';

/** How deep an expression may be nested: more than anyone writes, and far from what a stack holds. */
const DEEPEST = 256;

/** How tightly the operators bind (CESQL 1.0.0 §3.6). NOT and the minus sign bind tighter than all of them. */
const BINDING: Readonly<Record<string, number>> = {
  LIKE: 6,
  IN: 5,
  '*': 4,
  '/': 4,
  '%': 4,
  '+': 3,
  '-': 3,
  '=': 2,
  '!=': 2,
  '<>': 2,
  '<': 2,
  '<=': 2,
  '>': 2,
  '>=': 2,
  AND: 1,
  OR: 1,
  XOR: 1,
};
const LOGIC = 1;
const COMPARISON = 2;

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
  const tree = new Parser(text).whole();
  // Long chains such as `1 + 1 + 1 …` are deep without being nested, so the depth is looked at once more.
  for (const part of parts(tree)) if (part.depth > DEEPEST) throw tooDeep(text, part.tree.at);
  return tree;
}

function tooDeep(text: string, at: number): CesqlFault {
  return new CesqlFault(text, at, `an expression nested at most ${DEEPEST} levels deep`, 'one more level');
}

/** Lives for one expression: the tokens, and how far it has read. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  whole(): Tree {
    const tree = this.#expression(LOGIC);
    if (this.#peek().kind !== 'end') throw this.#unexpected('an operator or the end of the expression');
    return tree;
  }

  /** Reads operands and operators for as long as they bind at least as tightly as asked. */
  #expression(loosest: number): Tree {
    let left = this.#operand();
    for (;;) {
      const token = this.#peek();
      const negated = token.text === 'NOT' && token.kind === 'keyword';
      const operator = negated ? this.#peek(1) : token;
      const binding = bindingOf(operator);
      if (binding === undefined || binding < loosest) {
        if (negated) this.#next++;
        return negated ? this.#refuse('LIKE or IN after NOT') : left;
      }
      if (negated) {
        this.#next++;
        if (operator.text !== 'LIKE' && operator.text !== 'IN') return this.#refuse('LIKE or IN after NOT');
      }
      left = binding === LOGIC ? this.#logic(left) : this.#binary(left, this.#take(), binding, negated);
    }
  }

  #binary(left: Tree, operator: Token, binding: number, negated: boolean): Tree {
    const { at } = operator;
    if (operator.text === 'LIKE') {
      const pattern = this.#takeIf('string') ?? this.#refuse('a text in quotes as the pattern of LIKE');
      return { kind: 'like', at, negated, operand: left, pattern: pattern.text };
    }
    if (operator.text === 'IN') {
      this.#expect('(', 'the set of IN');
      return { kind: 'in', at, negated, operand: left, elements: this.#list() };
    }
    const right = this.#expression(binding + 1);
    if (binding === COMPARISON) {
      const comparison = (operator.text === '<>' ? '!=' : operator.text) as ComparisonOperator;
      return { kind: 'comparison', at, operator: comparison, left, right };
    }
    return { kind: 'arithmetic', at, operator: operator.text as ArithmeticOperator, left, right };
  }

  #logic(first: Tree): Tree {
    const at = this.#peek().at;
    const operands = [first];
    const operators: LogicOperator[] = [];
    while (bindingOf(this.#peek()) === LOGIC) {
      operators.push(this.#take().text as LogicOperator);
      operands.push(this.#expression(COMPARISON));
    }
    return { kind: 'logic', at, operands, operators };
  }

  #operand(): Tree {
    if (++this.#depth > DEEPEST) throw tooDeep(this.#text, this.#peek().at);
    const tree = this.#primary(this.#take());
    this.#depth--;
    return tree;
  }

  #primary(token: Token): Tree {
    const { at, text } = token;
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', at, value: text };
      case 'integer':
        return this.#integer(token, text);
      case 'name':
        return this.#isNext('(') ? this.#call(token) : { kind: 'attribute', at, name: this.#attributeName(token) };
      case 'keyword':
        if (text === 'TRUE' || text === 'FALSE') return { kind: 'literal', at, value: text === 'TRUE' };
        if (text === 'NOT') return { kind: 'not', at, operand: this.#operand() };
        if (text === 'EXISTS') return this.#exists(at);
        break;
      case 'symbol':
        if (text === '(') return this.#parenthesis();
        if (text === '-' || text === '+') return this.#sign(token);
        break;
      case 'end':
    }
    this.#next--;
    return this.#refuse('an attribute, a literal, a function or "("');
  }

  /** A sign that touches digits belongs to the literal, as `-2147483648` needs it; another minus negates. */
  #sign(sign: Token): Tree {
    const digits = this.#peek();
    if (digits.kind === 'integer' && digits.at === sign.at + 1) {
      this.#next++;
      return this.#integer(sign, sign.text + digits.text);
    }
    if (sign.text === '-') return { kind: 'negate', at: sign.at, operand: this.#operand() };
    return this.#refuse('digits right after the plus sign');
  }

  #integer(token: Token, digits: string): Tree {
    const value = int32(Number(digits));
    if (value !== undefined) return { kind: 'literal', at: token.at, value };
    throw new CesqlFault(this.#text, token.at, 'an integer of 32 bits, from -2147483648 to 2147483647', digits);
  }

  #exists(at: number): Tree {
    const name = this.#takeIf('name') ?? this.#takeIf('integer') ?? this.#refuse('an attribute name after EXISTS');
    return { kind: 'exists', at, name: this.#attributeName(name) };
  }

  #attributeName(token: Token): string {
    if (!token.text.includes('_')) return token.text.toLowerCase();
    throw new CesqlFault(this.#text, token.at, 'an attribute name of letters and digits', token.text);
  }

  #call(token: Token): Tree {
    if (!/^[A-Za-z][A-Za-z_]*$/.test(token.text)) {
      throw new CesqlFault(this.#text, token.at, 'a function name of letters and underscores', token.text);
    }
    this.#expect('(', 'the arguments');
    const call = { kind: 'call', at: token.at, name: token.text.toUpperCase() } as const;
    if (!this.#isNext(')')) return { ...call, arguments: this.#list() };
    this.#next++;
    return { ...call, arguments: [] };
  }

  /** One or more expressions and the parenthesis that closes them. */
  #list(): Tree[] {
    const list = [this.#expression(LOGIC)];
    while (this.#isNext(',')) {
      this.#next++;
      list.push(this.#expression(LOGIC));
    }
    this.#expect(')', 'the list, or a comma');
    return list;
  }

  #parenthesis(): Tree {
    const tree = this.#expression(LOGIC);
    this.#expect(')', 'the parenthesis');
    return tree;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #takeIf(kind: Token['kind']): Token | undefined {
    return this.#peek().kind === kind ? this.#take() : undefined;
  }

  #isNext(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  #expect(symbol: '(' | ')', what: string): void {
    if (!this.#isNext(symbol)) this.#refuse(`"${symbol}" to ${symbol === '(' ? 'open' : 'close'} ${what}`);
    this.#next++;
  }

  #refuse(expected: string): never {
    throw this.#unexpected(expected);
  }

  #unexpected(expected: string): CesqlFault {
    const token = this.#peek();
    const got = token.kind === 'end' ? 'the end of the expression' : JSON.stringify(token.text);
    return new CesqlFault(this.#text, token.at, expected, got);
  }
}

function bindingOf(token: Token): number | undefined {
  return token.kind === 'symbol' || token.kind === 'keyword' ? BINDING[token.text] : undefined;
}
