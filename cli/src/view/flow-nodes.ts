import type { Graph, GraphNode } from '@millrace/bus/plan/graph';

/** What a node is called in a drawing: `trigger default/triage`. An address is its own name. */
export function nodeTitle({ kind, label }: GraphNode): string {
  if (label === '') return kind;
  return kind === 'url' ? label : `${kind} ${label}`;
}

/** The nodes by the flow that they are a part of, the flow itself the first of its own; each in the order of the graph. */
export function nodeGroups({ nodes }: Graph): {
  readonly alone: readonly GraphNode[];
  readonly flows: readonly { readonly title: string; readonly nodes: readonly GraphNode[] }[];
} {
  const whole = new Map(nodes.map((it) => [it.id, it]));
  const groups = Map.groupBy(
    nodes.filter((it) => it.flow !== undefined),
    (it) => it.flow!,
  );
  return {
    alone: nodes.filter((it) => it.flow === undefined && !groups.has(it.id)),
    flows: [...groups].map(([flow, parts]) => {
      const own = whole.get(flow);
      const others = parts.filter((it) => it !== own);
      return { title: own === undefined ? flow : nodeTitle(own), nodes: own === undefined ? others : [own, ...others] };
    }),
  };
}

/** Brokers, channels, sources and flows: what stands for itself. */
const PLACES: ReadonlySet<GraphNode['kind']> = new Set([
  'source',
  'broker',
  'channel',
  'sequence',
  'parallel',
  'choice',
  'map',
  'request-reply',
]);

/** Whether a node stands for itself: a broker, a channel, a source, a flow. Others belong to one of these. */
export function isPlace({ kind }: GraphNode): boolean {
  return PLACES.has(kind);
}

/**
 * The part of a graph around one node: what leads to it, and all that it leads to, each up to the next place
 * ({@link isPlace}).
 */
export function graphAround(graph: Graph, id: string): Graph {
  const nodes = new Map(graph.nodes.map((it) => [it.id, it]));
  const onward = Map.groupBy(graph.edges, (it) => it.from);
  const back = Map.groupBy(graph.edges, (it) => it.to);
  const kept = new Set([id]);
  const isEnd = (other: string) => other !== id && isPlace(nodes.get(other)!);
  for (const it of kept) {
    if (!isEnd(it)) for (const { to } of onward.get(it) ?? []) kept.add(to);
  }
  const before = new Set([id]);
  for (const it of before) {
    if (!isEnd(it)) for (const { from, label } of back.get(it) ?? []) if (label !== 'reply') before.add(from);
  }
  const around = new Set([...kept, ...before]);
  return {
    nodes: graph.nodes.filter((it) => around.has(it.id)),
    edges: graph.edges.filter(({ from, to }) => around.has(from) && around.has(to)),
  };
}
