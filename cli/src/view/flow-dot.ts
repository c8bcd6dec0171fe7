import type { Graph, GraphNode } from '@millrace/bus/plan/graph';

import { nodeGroups, nodeTitle } from './flow-nodes.ts';
import { printable } from './printable.ts';

/** A graph in the language of Graphviz. */
export function flowDot(graph: Graph): string {
  const drawn = (node: GraphNode) =>
    `${quoted(node.id)} [label=${quoted(nodeTitle(node))}, shape=${SHAPES[node.kind] ?? 'box'}];`;
  const { alone, flows } = nodeGroups(graph);
  return [
    'digraph millrace {',
    '  rankdir=LR;',
    ...alone.map((it) => `  ${drawn(it)}`),
    ...flows.map(({ title, nodes }, index) => {
      const inner = nodes.map((it) => `    ${drawn(it)}\n`).join('');
      return `  subgraph cluster_${index} {\n    label=${quoted(title)};\n${inner}  }`;
    }),
    ...graph.edges.map(({ from, to, label }) => {
      const looks = [
        ...(label === undefined ? [] : [`label=${quoted(label)}`]),
        ...(label === 'dead letter' || label === 'reply' ? ['style=dashed'] : []),
      ];
      return `  ${quoted(from)} -> ${quoted(to)}${looks.length === 0 ? '' : ` [${looks.join(', ')}]`};`;
    }),
    '}',
    '',
  ].join('\n');
}

const SHAPES: Partial<Record<GraphNode['kind'], string>> = {
  broker: 'cylinder',
  channel: 'cylinder',
  choice: 'diamond',
  source: 'oval',
  url: 'oval',
  function: 'component',
};

function quoted(text: string): string {
  return `"${printable(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
