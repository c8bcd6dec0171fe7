import type { Graph, GraphEdge, GraphNode } from '@millrace/bus/plan/graph';

import { paint } from '../output.ts';
import { isPlace, nodeTitle } from './flow-nodes.ts';
import { printable } from './printable.ts';
import { drawTree } from './tree.ts';
import type { Tree } from './tree.ts';

/**
 * A graph as a person would write it down: each broker, channel, source and flow with what takes its events, a line
 * each. What stands elsewhere is only named, so a circle has an end.
 */
export function flowText(graph: Graph): string {
  return new FlowText(graph).text;
}

class FlowText {
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  readonly #from: ReadonlyMap<string, readonly GraphEdge[]>;
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#nodes = new Map(graph.nodes.map((it) => [it.id, it]));
    this.#from = Map.groupBy(graph.edges, (it) => it.from);
  }

  get text(): string {
    const { nodes, edges } = this.#graph;
    const reached = new Set(edges.map((it) => it.to));
    const isLoose = ({ id, flow }: GraphNode) => flow === undefined && !reached.has(id) && !this.#from.has(id);
    const heads = nodes.filter(
      (it) => (isPlace(it) || it.kind === 'transform') && (this.#from.has(it.id) || isLoose(it)),
    );
    const alone = nodes.filter((it) => isLoose(it) && !heads.includes(it));
    return [
      ...heads.map((head) => drawTree(this.#head(head))),
      ...alone.map((it) => `${nameOf(it)}${paint('dim', '  nothing leads here')}\n`),
    ].join('\n');
  }

  #head(head: GraphNode): Tree {
    const parts = this.#graph.nodes.filter((it) => it.flow === head.id && it.id !== head.id);
    const out = this.#from.get(head.id) ?? [];
    if (parts.length > 0) {
      return { line: nameOf(head), children: parts.map((it) => this.#part(it, head, this.#into(it, head))) };
    }
    const taking = out.filter(({ to }) => ROUTES.has(this.#node(to).kind));
    const others = out.filter((it) => !taking.includes(it));
    const passes = others.filter(({ label }) => label === undefined).map((it) => this.#arrow(it));
    const named = others.filter(({ label }) => label !== undefined);
    return {
      line: [nameOf(head), ...passes].join(' '),
      children: [
        ...taking.map(({ to, label }) => this.#part(this.#node(to), head, label)),
        ...named.map((it) => this.#leaf(it)),
      ],
    };
  }

  /** One that takes events of the head: its filter, where it hands them, and what comes of that. */
  #part(node: GraphNode, head: GraphNode, filter: string | undefined): Tree {
    const out = this.#from.get(node.id) ?? [];
    const isInside = ({ to }: GraphEdge) => this.#node(to).flow === head.id;
    // What has a place of its own tells there where it leads.
    const targets = isPlace(node) ? [] : out.filter((it) => it.label === undefined);
    const comesBack = out.some((it) => it.label === 'reply' && it.to === head.id);
    const others = out.filter((it) => it.label !== undefined && it.to !== head.id && !isInside(it));
    const isOutcome = node.kind === 'outcome';
    const line = [
      nameOf(node),
      ...(filter === undefined ? [] : [paint('cyan', `[${printable(filter)}]`)]),
      ...(isOutcome ? others : targets).map((it) => this.#arrow(it)),
      ...(comesBack ? [paint('dim', '(replies come back)')] : []),
    ];
    return { line: line.join(' '), children: isOutcome ? [] : others.map((it) => this.#leaf(it)) };
  }

  /** The filter between a flow and a part of it. */
  #into(part: GraphNode, head: GraphNode): string | undefined {
    return this.#from.get(head.id)?.find((it) => it.to === part.id && it.label !== 'reply')?.label;
  }

  #arrow({ to }: GraphEdge): string {
    const node = this.#node(to);
    return `-> ${node.kind === 'missing' ? paint('red', `missing: ${printable(node.label)}`) : nameOf(node)}`;
  }

  #leaf(edge: GraphEdge): Tree {
    return { line: `${printable(edge.label ?? '')} ${this.#arrow(edge)}`, children: [] };
  }

  #node(id: string): GraphNode {
    return this.#nodes.get(id) ?? { id, kind: 'url', label: id };
  }
}

/** Those that take events of another. */
const ROUTES: ReadonlySet<GraphNode['kind']> = new Set(['trigger', 'subscription', 'request-reply']);

function nameOf(node: GraphNode): string {
  return printable(nodeTitle(node));
}
