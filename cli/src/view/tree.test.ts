import assert from 'node:assert/strict';
import { test } from 'node:test';

import { drawTree } from './tree.ts';

test('a tree is drawn with a line to each child', () => {
  const leaf = (line: string) => ({ line, children: [] });
  const tree = { line: 'root', children: [{ line: 'a', children: [leaf('a1'), leaf('a2')] }, leaf('b')] };
  assert.equal(drawTree(tree), 'root\n├─ a\n│  ├─ a1\n│  └─ a2\n└─ b\n');
});
