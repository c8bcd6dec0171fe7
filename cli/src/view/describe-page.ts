import type { KubernetesObject } from '@millrace/apiserver/objects/object';

import { printable } from './printable.ts';
import { tabColumns } from './tab-columns.ts';
import { age } from './time.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const LONGEST_ANNOTATION = 140;

/**
 * An object in full, as `kubectl describe` shows it, with the Events about it. What a Secret holds is not shown; how long
 * it is, is.
 */
export function describePage(object: KubernetesObject, events: readonly KubernetesObject[]): string {
  const { name, namespace, labels, annotations = {} } = object.metadata;
  const noted = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED));
  const head = [
    `Name:\t${printable(name)}`,
    ...(namespace === undefined ? [] : [`Namespace:\t${printable(namespace)}`]),
    ...pairs('Labels', labels ?? {}, '='),
    ...pairs('Annotations', noted, ': '),
  ];
  const page = object.apiVersion === 'v1' ? corePage(object) : undefined;
  const lines = page ?? [`API Version:\t${object.apiVersion}`, `Kind:\t${object.kind}`, ...fieldLines(rest(object), 0)];
  const told = page !== undefined && object.kind !== 'ConfigMap' ? [] : eventLines(events);
  return `${tabColumns([...head, ...lines, ...told].join('\n')).trimEnd()}\n`;
}

/** Kinds that kubectl shows in a way of their own. */
function corePage(object: KubernetesObject): string[] | undefined {
  const fields = object as CoreFields;
  switch (object.kind) {
    case 'Namespace':
      return [`Status:\t${fields.status?.phase ?? ''}`];
    case 'Secret':
      return ['', `Type:\t${printable(fields.type ?? 'Opaque')}`, '', 'Data', '====', ...sizes(fields.data, ':\t')];
    case 'ConfigMap':
      return [
        '',
        'Data',
        '====',
        ...texts(fields.data),
        '',
        'BinaryData',
        '====',
        ...sizes(fields.binaryData, ': '),
        '',
      ];
    default:
      return undefined;
  }
}

interface CoreFields {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly status?: { readonly phase?: string };
}

function* texts(values: Readonly<Record<string, string>> = {}): Generator<string> {
  for (const [key, text] of sorted(values)) {
    yield `${printable(key)}:`;
    yield '----';
    yield* text.split('\n').map(printable);
    yield '';
  }
}

function sizes(values: Readonly<Record<string, string>> = {}, sign: string): string[] {
  return sorted(values).map(([key, base64]) => `${printable(key)}${sign}${Buffer.from(base64, 'base64').length} bytes`);
}

function sorted<Value>(values: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(values).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function pairs(title: string, values: Readonly<Record<string, string>>, sign: string): string[] {
  const lines = sorted(values).flatMap(([key, value]) => {
    const isShort = key.length + value.length + 2 <= LONGEST_ANNOTATION && !value.includes('\n');
    return isShort ? `${key}${sign}${value}` : [`${key}:`].concat(value.split('\n').map(shortened));
  });
  const shown = lines.length === 0 ? ['<none>'] : lines;
  return shown.map((text, index) => `${index === 0 ? `${title}:` : ''}\t${printable(text)}`);
}

function shortened(text: string): string {
  return `  ${text.length > LONGEST_ANNOTATION - 2 ? `${text.slice(0, LONGEST_ANNOTATION - 2)}...` : text}`;
}

/** What is not told above. */
function rest(object: KubernetesObject): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata, ...fields } = object;
  const { name: _n, namespace: _s, labels: _l, annotations: _a, managedFields: _m, ...more } = metadata;
  return { metadata: more, ...fields };
}

function* fieldLines(fields: Readonly<Record<string, unknown>>, level: number): Generator<string> {
  const indent = '  '.repeat(level);
  for (const [name, value] of sorted(fields)) {
    const label = `${indent}${printable(labelOf(name))}:`;
    if (!Array.isArray(value) && !isRecord(value)) yield `${label}\t${scalar(value)}`;
    else {
      yield label;
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isRecord(item)) yield* fieldLines(item, level + 1);
        else yield `${indent}  ${scalar(item)}`;
      }
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalar(value: unknown): string {
  return value === null ? '<nil>' : printable(typeof value === 'string' ? value : JSON.stringify(value));
}

const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `lastTransitionTime` is `Last Transition Time`; what is no plain word stays as it is. */
function labelOf(field: string): string {
  if (!/^[\p{L}-]+$/u.test(field)) return field;
  const words = field.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[^\p{Lu}]+/gu) ?? [field];
  return words
    .map((word) =>
      ACRONYMS.has(word.toUpperCase()) ? word.toUpperCase() : word[0]!.toUpperCase() + word.slice(1).toLowerCase(),
    )
    .join(' ');
}

interface EventFields {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
  readonly source?: { readonly component?: string };
  readonly reportingComponent?: string;
}

function eventLines(events: readonly KubernetesObject[]): string[] {
  if (events.length === 0) return ['Events:\t<none>'];
  const rows = events.map((event) => {
    const fields = event as EventFields;
    const last = age(fields.lastTimestamp ?? event.metadata.creationTimestamp);
    const first = fields.firstTimestamp === undefined ? '' : ` over ${age(fields.firstTimestamp)}`;
    const when = (fields.count ?? 1) > 1 ? `${last} (x${fields.count}${first})` : last;
    const from = fields.source?.component ?? fields.reportingComponent ?? '';
    return [fields.type, fields.reason, when, from, fields.message].map((cell) => printable(cell ?? ''));
  });
  return [
    'Events:',
    ...[['Type', 'Reason', 'Age', 'From', 'Message'], ['----', '------', '----', '----', '-------'], ...rows].map(
      (cells) => `  ${cells.join('\t')}`,
    ),
  ];
}
