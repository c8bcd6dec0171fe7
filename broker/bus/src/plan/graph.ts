import type { Plan, Route, Target } from './plan.ts';

/** How what is declared hangs together, to be drawn. Nodes and edges stand in the order of the plan. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  /** `broker/<namespace>/<name>`, `trigger/<namespace>/<name>`, `sequence/<namespace>/<name>/<step>`, an address, … */
  readonly id: string;
  readonly kind: NodeKind;
  /** What it is called among those of its kind. */
  readonly label: string;
  /** The node of the flow that it is a part of. */
  readonly flow?: string;
}

export type NodeKind =
  | 'source'
  | 'broker'
  | 'channel'
  | 'sequence'
  | 'parallel'
  | 'choice'
  | 'map'
  | 'trigger'
  | 'subscription'
  /** Of a Sequence. */
  | 'step'
  /** Of a Parallel, and the service that decides what it goes on with. */
  | 'branch'
  | 'filter'
  | 'join'
  /** One of the ways of a Choice. */
  | 'option'
  /** What takes the items of a Map. */
  | 'items'
  /** What comes out of a flow. */
  | 'outcome'
  | 'function'
  | 'transform'
  | 'request-reply'
  | 'url'
  /** What should be there and is not declared. */
  | 'missing';

/** An event goes from one to the other. The label is a filter that it passes, or what it is: a reply, a dead letter. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}

/** The nodes and edges of a plan. Calls of functions from outside are not drawn: every function has them. */
export function graphOf(plan: Plan): Graph {
  return new Drawing(plan).graph;
}

class Drawing {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, GraphEdge>();
  readonly #routes: readonly Route[];
  readonly #readers: ReadonlyMap<string, readonly Route[]>;
  /** The flow that a topic is the first of. */
  readonly #flows: ReadonlyMap<string, string>;

  constructor(plan: Plan) {
    const feeds = new Map(plan.feeds.map((it) => [it.name, it]));
    this.#routes = plan.routes.filter((it) => !isPlumbing(it) && !feeds.has(it.name));
    this.#readers = Map.groupBy(this.#routes, (it) => it.topic);
    const doors = plan.inlets.filter((it) => it.path.startsWith(FLOWS));
    this.#flows = new Map(doors.map((it) => [it.topic, it.path.slice(FLOWS.length)]));

    for (const { name, kind } of plan.feeds) this.#add({ id: name, kind: 'source', label: `${kind} ${nameIn(name)}` });
    for (const { topic } of plan.inlets) {
      const id = this.#flows.get(topic) ?? topic;
      const kind = INLETS.find((it) => it === id.split('/')[0]);
      if (kind !== undefined && id.split('/').length === 3) this.#add({ id, kind, label: nameIn(id) });
    }
    for (const { name } of plan.requestReplies)
      this.#add({ id: `requestreply/${name}`, kind: 'request-reply', label: name });
    for (const route of this.#routes) this.#addRoute(route);
    for (const { name } of plan.transforms) this.#add({ id: `transform/${name}`, kind: 'transform', label: name });
    for (const { name } of plan.workloads) this.#add({ id: `function/${name}`, kind: 'function', label: name });

    for (const feed of plan.feeds) {
      const route = plan.routes.find((it) => it.name === feed.name);
      if (route === undefined) this.#join(feed.name, this.#topic(feed.topic));
      else this.#leave(feed.name, route);
    }
    for (const { name, topic } of plan.requestReplies) this.#join(`requestreply/${name}`, this.#topic(topic));
    for (const [topic, flow] of this.#flows) this.#join(flow, this.#topic(topic, flow));
    for (const route of this.#routes) this.#draw(route);
    for (const { name, sink } of plan.transforms) {
      if (sink !== undefined) this.#join(`transform/${name}`, this.#target(sink, `transform/${name}`));
    }
  }

  get graph(): Graph {
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }

  #add(node: GraphNode): string {
    if (!this.#nodes.has(node.id)) this.#nodes.set(node.id, node);
    return node.id;
  }

  #join(from: string, to: string | undefined, label?: string): void {
    if (to === undefined || from === to) return;
    const key = JSON.stringify([from, to, label]);
    if (!this.#edges.has(key)) this.#edges.set(key, { from, to, ...(label === undefined ? {} : { label }) });
  }

  #addRoute(route: Route): void {
    const { name, step } = route;
    if (isReply(name) || route.target.kind === 'waiter' || route.target.kind === 'matching') return;
    const flow = step?.flow ?? (name.startsWith(RESULTS) ? name.slice(RESULTS.length) : undefined);
    const kind = kindOf(route);
    this.#add({ id: this.#idOf(route), kind, label: labelOf(route, kind), ...(flow === undefined ? {} : { flow }) });
  }

  /** A topic that is there for one route only is that route. The join of a Parallel has the name of the whole. */
  #idOf({ name, target }: Route): string {
    return target.kind === 'join' ? `${name}#join` : name;
  }

  #draw(route: Route): void {
    const { name, topic, target, replyTopic, deadLetter } = route;
    if (isReply(name)) return;
    const from = this.#idOf(route);
    if (target.kind === 'waiter') {
      this.#join(topic, `requestreply/${target.requestReply}`, filterText(route));
      return;
    }
    if (target.kind === 'matching') {
      // It leads back to where it comes from; what an event sees of it is the dead letter sink.
      if (deadLetter !== undefined)
        this.#join(target.topic, this.#target(deadLetter, name), 'does not match its schema');
      return;
    }
    if (topic !== name) this.#join(this.#flows.get(topic) ?? topic, from, filterText(route));
    this.#leave(from, route);
    if (replyTopic !== undefined) this.#join(from, this.#topic(replyTopic, route.step?.flow), 'reply');
  }

  #leave(from: string, { target, deadLetter, name }: Route): void {
    if (target.kind === 'map') this.#join(from, target.items, 'each item');
    else this.#join(from, this.#target(target, name), name.startsWith(RESULTS) ? 'reply' : undefined);
    if (deadLetter !== undefined) this.#join(from, this.#target(deadLetter, name), 'dead letter');
  }

  /** Where an entry of a topic comes to, coming from within a flow or not; undefined where nobody looks at it. */
  #topic(topic: string, within?: string): string | undefined {
    const flow = this.#flows.get(topic);
    if (flow !== undefined && flow !== within) return flow;
    if (this.#nodes.has(topic)) return topic;
    if (topic.startsWith(REPLIES)) {
      const join = `${topic.slice(REPLIES.length)}#join`;
      return this.#nodes.has(join) ? join : undefined;
    }
    const [reply] = isReply(topic) ? (this.#readers.get(topic) ?? []) : [];
    if (reply !== undefined) return this.#target(reply.target, reply.name);
    if (!topic.startsWith(RESULTS)) return undefined;
    return this.#add({ id: topic, kind: 'outcome', label: '', flow: topic.slice(RESULTS.length) });
  }

  #target(target: Target, of: string): string | undefined {
    switch (target.kind) {
      case 'url': {
        const address = withoutCredentials(target.url);
        return this.#add({ id: address, kind: 'url', label: address });
      }
      case 'function':
        return this.#add({ id: `function/${target.workload}`, kind: 'function', label: target.workload });
      case 'transform':
        return this.#add({ id: `transform/${target.transform}`, kind: 'transform', label: target.transform });
      case 'topic':
        return this.#topic(target.topic);
      case 'missing':
        return this.#add({ id: `missing/${of}`, kind: 'missing', label: target.message });
      default:
        return undefined;
    }
  }
}

const FLOWS = '/flows/';
const RESULTS = 'results/';
const REPLIES = 'replies/';
const INLETS = ['broker', 'channel', 'sequence', 'parallel', 'choice', 'map'] as const;

/** What every function has for its calls, and the way past the filter of a branch that every channel of one has. */
function isPlumbing({ name, step, target }: Route): boolean {
  if (target.kind === 'call' || target.kind === 'callback') return true;
  return step !== undefined && name === `${step.flow}/${step.name}/channel`;
}

/** A route that only carries replies to who is no topic: an edge. */
function isReply(name: string): boolean {
  return name.startsWith('reply/');
}

function kindOf({ name, step, target }: Route): NodeKind {
  if (name.startsWith(RESULTS)) return 'outcome';
  if (step === undefined) return name.startsWith('subscription/') ? 'subscription' : 'trigger';
  if (target.kind === 'join' || target.kind === 'map') return target.kind;
  switch (step.flow.split('/')[0]) {
    case 'parallel':
      return name === `${step.flow}/${step.name}/filter` ? 'filter' : 'branch';
    case 'choice':
      return 'option';
    case 'map':
      return 'items';
    default:
      return 'step';
  }
}

/** A join is told from others by what it waits for. */
function labelOf({ name, step, target }: Route, kind: NodeKind): string {
  if (kind === 'outcome') return '';
  return target.kind === 'join' ? String(target.wanted) : (step?.name ?? nameIn(name));
}

/** `<namespace>/<name>`, of a name that begins with the kind. */
function nameIn(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

const LONGEST_FILTER = 80;

/** What passes, for people; undefined when everything does. */
function filterText({ filter, step }: Route): string | undefined {
  const { filters = [] } = filter;
  if (filters.length === 0)
    return listText(Object.entries(filter.filter?.attributes ?? {}).map(termText('=')), ' and ');
  // The ways of a Choice end with "and none before it", which goes without saying.
  const isOption = step?.flow.startsWith('choice/') === true;
  const own = isOption && isNoneBefore(filters.at(-1)) ? filters.slice(0, -1) : filters;
  return own.length === 0 ? 'otherwise' : listText(own.map(conditionText), ' and ');
}

function isNoneBefore(filter: unknown): boolean {
  const { not } = filter as { not?: { any?: readonly object[] } };
  return not?.any?.every((it) => 'all' in it) === true;
}

/** A filter has been read before it comes into a plan. */
function conditionText(filter: unknown): string {
  const [only] = Object.entries(filter as Readonly<Record<string, unknown>>);
  if (only === undefined) return 'anything';
  const [dialect, said] = only;
  switch (dialect) {
    case 'all':
    case 'any':
      return `(${(said as unknown[]).map(conditionText).join(dialect === 'all' ? ' and ' : ' or ')})`;
    case 'not':
      return `not ${conditionText(said)}`;
    case 'cesql':
      return String(said).replaceAll(/\s+/g, ' ').trim();
    default:
      return Object.entries(said as object)
        .map(termText(OPERATORS[dialect] ?? dialect))
        .join(' and ');
  }
}

const OPERATORS: Readonly<Record<string, string>> = { exact: '=', prefix: 'begins with', suffix: 'ends with' };

function termText(operator: string): (term: [string, unknown]) => string {
  return ([attribute, value]) => `${attribute} ${operator} ${String(value)}`;
}

function listText(texts: readonly string[], between: string): string | undefined {
  if (texts.length === 0) return undefined;
  const text = texts.join(between);
  return text.length > LONGEST_FILTER ? `${text.slice(0, LONGEST_FILTER - 3)}...` : text;
}
