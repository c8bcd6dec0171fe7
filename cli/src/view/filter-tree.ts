import type { Explanation } from '@millrace/bus/filter/explain';

import { paint } from '../output.ts';
import { printable } from './printable.ts';
import type { Tree } from './tree.ts';

/** What a filter says of an event, a line for each node: whether it matches (`!`: it fails), and by which value. */
export function filterTree(explanation: Explanation): Tree {
  const { matched, part, children } = explanation;
  const mark = matched ? paint('green', '✓') : paint('red', part?.failed === true ? '!' : '✗');
  return { line: `${mark} ${printable(textOf(explanation))}`, children: children.map(filterTree) };
}

function textOf({ dialect, attribute, expected, got, matched, message, part }: Explanation): string {
  // The values stand below, with the operands.
  if (part?.operator !== undefined) return `${part.expression}: ${part.failed ? 'fails' : matched}`;
  if (part !== undefined) return `${part.expression}: ${message}`;
  if (attribute === undefined) return dialect === 'none' ? message : `${dialect}: ${message}`;
  const has = got === 'nothing' ? `there is no ${attribute}` : `${attribute} is ${got}`;
  return matched ? `${dialect}: ${has}` : `${dialect}: ${has}, wanted ${expected}`;
}
