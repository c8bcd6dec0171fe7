import type { Graph, GraphNode } from '@millrace/bus/plan/graph';

import { nodeGroups, nodeTitle } from './flow-nodes.ts';
import { printable } from './printable.ts';

/** A graph as a flowchart of Mermaid. Nodes are numbered, as names may hold what means something there. */
export function flowMermaid(graph: Graph): string {
  const numbers = new Map(graph.nodes.map((it, index) => [it.id, `n${index}`]));
  const drawn = (node: GraphNode) => {
    const [open, close] = SHAPES[node.kind] ?? ['[', ']'];
    return `${numbers.get(node.id)}${open}${quoted(nodeTitle(node))}${close}`;
  };
  const { alone, flows } = nodeGroups(graph);
  return [
    'flowchart LR',
    ...alone.map((it) => `  ${drawn(it)}`),
    ...flows.map(({ title, nodes }, index) => {
      const inner = nodes.map((it) => `    ${drawn(it)}\n`).join('');
      return `  subgraph f${index}[${quoted(title)}]\n${inner}  end`;
    }),
    ...graph.edges.map(({ from, to, label }) => {
      const arrow = label === 'dead letter' || label === 'reply' ? '-.->' : '-->';
      return `  ${numbers.get(from)} ${arrow}${label === undefined ? '' : `|${quoted(label)}|`} ${numbers.get(to)}`;
    }),
    '',
  ].join('\n');
}

const SHAPES: Partial<Record<GraphNode['kind'], readonly [open: string, close: string]>> = {
  broker: ['[(', ')]'],
  channel: ['[(', ')]'],
  choice: ['{', '}'],
  source: ['([', '])'],
  url: ['([', '])'],
  function: ['[[', ']]'],
};

/** Text between quotes; what Mermaid would read as something else stands as its number. */
function quoted(text: string): string {
  return `"${printable(text).replaceAll(/["#&;<>`\\]/g, (character) => `#${character.codePointAt(0)};`)}"`;
}
