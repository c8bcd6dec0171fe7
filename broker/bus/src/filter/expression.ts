import { CesqlFault, compileCesql } from './cesql/cesql.ts';
import type { Cesql } from './cesql/cesql.ts';
import { positionOf } from './cesql/fault.ts';
import { findFunction, functionNames, signatures } from './cesql/functions.ts';
import { parts } from './cesql/tree.ts';
import type { CallTree } from './cesql/tree.ts';
import { FilterFault, show } from './fault.ts';

/** Compiles the CESQL of a filter, or throws a {@link FilterFault} at `path` with the line and the column. */
export function compileExpression(text: unknown, path: string): Cesql {
  if (typeof text !== 'string') {
    throw new FilterFault(path, 'a CESQL expression', show(text), 'Write the expression as text.');
  }
  const cesql = read(text, path);
  for (const { tree } of parts(cesql.tree)) if (tree.kind === 'call') checkCall(tree, text, path);
  return cesql;
}

function read(text: string, path: string): Cesql {
  try {
    return compileCesql(text);
  } catch (error) {
    if (!(error instanceof CesqlFault)) throw error;
    throw new FilterFault(path, error.expected, error.got, 'Correct the expression.', error.position);
  }
}

/** A call that finds no function would make every event fail; CESQL allows it, a filter has no use for it. */
function checkCall(call: CallTree, text: string, path: string): void {
  const count = call.arguments.length;
  if (findFunction(call.name, count) !== undefined) return;
  const [expected, advice] = whatToCall(call.name);
  const got = `${call.name} with ${count} argument${count === 1 ? '' : 's'}`;
  throw new FilterFault(path, expected, got, advice, positionOf(text, call.at));
}

function whatToCall(name: string): [expected: string, advice: string] {
  if (name === 'KN_VERIFY_CORRELATION_ID') {
    return ['a function of CESQL', `${name} comes with RequestReply; a filter cannot call it.`];
  }
  const known = signatures(name);
  if (known.length > 0) return [known.join(' or '), 'Correct the arguments.'];
  return ['a function that exists', `Use one of ${functionNames().join(', ')}.`];
}
