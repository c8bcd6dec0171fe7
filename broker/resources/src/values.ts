import { isAlias, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Alias, Document, Node as AnyNode, ParsedNode, YAMLMap } from 'yaml';

/** Where a value was written, and where its parts were. */
export interface Mark {
  /** The character (from 0) at which the name of the field begins, or the item. */
  readonly start: number;
  /** The text of a plain scalar as it was written. */
  readonly written?: string;
  readonly inner?: ReadonlyMap<string | number, Mark>;
}

/** A value and its mark. */
export interface Marked {
  readonly value: unknown;
  readonly mark: Mark;
}

/** Tells that something at a character was refused. */
export type Refuse = (offset: number, expected: string, got: string) => void;

type Node = ParsedNode | null | undefined;
type Fields = Map<string, Marked>;

const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);
const MAX_NAME = 1024;

/**
 * Reads the values of one document out of its nodes: aliases resolved, merge keys (`<<`, YAML 1.1) merged. Fields said
 * twice, tags beyond JSON's types and names that are no texts are refused; then the result is undefined.
 *
 * `spend` is called for each value and says whether one more may be made: it is what stops "a billion laughs".
 */
export function readValues(document: Document.Parsed, spend: () => boolean, refuse: Refuse): Marked | undefined {
  let sound = true;
  let targets: ReadonlyMap<AnyNode, AnyNode> | undefined;
  // Where the alias or merge was written through which we look at what stands elsewhere.
  let detour: number | undefined;
  const targetOf = (alias: Alias) => (targets ??= targetsOf(document)).get(alias) as Node;
  const fault: Refuse = (offset, expected, got) => {
    sound = false;
    refuse(offset, expected, got);
  };

  function valueOf(node: Node, start: number, aliases: readonly Node[]): Marked {
    if (!sound || node === null || node === undefined) return { value: null, mark: { start } };
    if (!spend()) {
      fault(detour ?? start, 'fewer values', 'too many, aliases counted as what they stand for');
    } else if (isAlias(node)) {
      return aliased(node, start, aliases);
    } else if (node.tag !== undefined && !CORE_TAGS.has(node.tag)) {
      fault(start, 'a value without a tag', 'a tag');
    } else if (isMap(node)) {
      const fields = fieldsOf(node, aliases);
      const inner = new Map([...fields].map(([name, { mark }]) => [name, mark]));
      // Not by assignment: `__proto__` is a name like any other.
      const value = Object.fromEntries([...fields].map(([name, marked]) => [name, marked.value]));
      return { value, mark: { start, inner } };
    } else if (isSeq(node)) {
      const items = (node.items as Node[]).map((item) => valueOf(item, item?.range[0] ?? start, aliases));
      const inner = new Map(items.map(({ mark }, index) => [index, mark]));
      return { value: items.map((item) => item.value), mark: { start, inner } };
    } else if (isScalar(node)) {
      const mark = node.type === 'PLAIN' && node.source !== undefined ? { start, written: node.source } : { start };
      return { value: isJson(node.value) ? node.value : (node.source ?? String(node.value)), mark };
    }
    return { value: null, mark: { start } };
  }

  function aliased(alias: Alias.Parsed, start: number, aliases: readonly Node[]): Marked {
    const target = targetOf(alias);
    const found = target !== undefined && !aliases.includes(target);
    if (!found)
      fault(alias.range[0], 'an alias of something that stands before it', 'an alias of nothing or of itself');
    return via(alias, () => valueOf(target, start, [...aliases, target]));
  }

  function via<T>(node: Node, look: () => T): T {
    const before = detour;
    detour ??= node?.range[0];
    const seen = look();
    detour = before;
    return seen;
  }

  function fieldsOf(map: YAMLMap.Parsed, aliases: readonly Node[]): Fields {
    const fields: Fields = new Map();
    const sources: Node[] = [];
    for (const { key, value } of map.items as { key: Node; value: Node }[]) {
      const start = key?.range[0] ?? map.range[0];
      if (isScalar(key) && key.type === 'PLAIN' && key.source === '<<') {
        sources.push(...(isSeq(value) ? (value.items as Node[]) : [value]));
        continue;
      }
      const name = nameOf(key, start);
      if (fields.has(name)) fault(start, 'each field once', `${JSON.stringify(name.slice(0, 80))} again`);
      fields.set(name, valueOf(value, start, aliases));
    }
    // What the map says itself wins, then the earlier source.
    for (const source of sources) {
      for (const [name, marked] of mergedFields(source, aliases)) if (!fields.has(name)) fields.set(name, marked);
    }
    return fields;
  }

  function mergedFields(source: Node, aliases: readonly Node[]): Fields {
    const target = isAlias(source) ? targetOf(source) : source;
    if (sound && isMap(target) && !aliases.includes(target)) {
      return via(source, () => fieldsOf(target, [...aliases, target]));
    }
    if (sound) fault(source?.range[0] ?? 0, 'an object, or a list of them, to merge', 'something else');
    return new Map();
  }

  function nameOf(key: Node, start: number): string {
    const target = isAlias(key) ? targetOf(key) : key;
    const name = isScalar(target) ? (typeof target.value === 'string' ? target.value : target.source) : undefined;
    if (name !== undefined && name.length <= MAX_NAME) return name;
    const got = name === undefined ? 'a list, an object or nothing' : `${name.length} characters`;
    fault(start, `a text of at most ${MAX_NAME} characters as the name of a field`, got);
    return '';
  }

  const marked = valueOf(document.contents, document.contents?.range[0] ?? document.range[0], []);
  return sound ? marked : undefined;
}

/** What each alias stands for: the last anchor of its name before it. In one pass, where the library takes one for each. */
function targetsOf(document: Document.Parsed): Map<AnyNode, AnyNode> {
  const anchors = new Map<string, AnyNode>();
  const targets = new Map<AnyNode, AnyNode>();
  visit(document, {
    Value: (_key, node) => void (node.anchor !== undefined && anchors.set(node.anchor, node)),
    Alias(_key, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
  });
  return targets;
}

// Infinity, and the dates and bytes of YAML 1.1, are kept as they were written.
function isJson(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
