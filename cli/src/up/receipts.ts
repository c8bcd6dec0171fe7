import type { Plan } from '@millrace/bus/plan/plan';
import type { Receipt } from '@millrace/resources/fault';
import { isKind, KINDS } from '@millrace/resources/kinds';

/** The receipt of a reference without apiVersion, with what the plan takes it for; any other one as it is. */
export function asTaken(receipt: Receipt, { statuses }: Plan): Receipt {
  const { path, reference } = receipt;
  if (reference === undefined) return receipt;
  const { kind, namespace, name } = reference;
  const place = `${namespace}/${name}`;
  const version = versionOf(kind);
  const taken =
    version === undefined
      ? `the kind ${kind} is not known here`
      : statuses.has(`${kind}/${place}`)
        ? `${kind} ${name} is taken as the ${kind === 'Service' ? 'function' : kind} ${place} (${version})`
        : `no ${kind} ${place} is declared (looked for in ${version})`;
  return { ...receipt, message: `${path} has no apiVersion: ${taken}` };
}

/** Receipts in short, in their order: one line each, and one for those of a file that are alike. */
export function summaryOf(receipts: readonly Receipt[]): string[] {
  const alike = Map.groupBy(receipts, (it) => JSON.stringify([it.place.file, sortOf(it)]));
  return [...alike.values()].map((group) => {
    const { place, message, reference } = group[0]!;
    if (group.length === 1) return `${place.file}:${place.line}  ${message}`;
    const what = reference === undefined ? 'fields' : 'references without apiVersion';
    return `${place.file}: ${group.length} ${what}: ${sortOf(group[0]!)} (${linesOf(group)})`;
  });
}

/** What is said of all that is alike: the message without its path, or how the kind of a reference is looked for. */
function sortOf({ path, message, reference }: Receipt): string {
  if (reference === undefined) return message.startsWith(`${path} `) ? message.slice(path.length + 1) : message;
  const version = versionOf(reference.kind);
  return `kind ${reference.kind} is ${version === undefined ? 'not known here' : `looked for in ${version}`}`;
}

/** How many lines are named. */
const NAMED = 3;

function linesOf(receipts: readonly Receipt[]): string {
  const lines = [...new Set(receipts.map((it) => it.place.line))];
  const named = lines.slice(0, NAMED).join(', ');
  return lines.length === 1 ? `line ${named}` : `lines ${named}${lines.length > NAMED ? ' …' : ''}`;
}

function versionOf(kind: string): string | undefined {
  return isKind(kind) ? KINDS[kind].apiVersions[0] : undefined;
}
