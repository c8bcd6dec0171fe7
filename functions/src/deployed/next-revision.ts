import { namesOf } from './declared.ts';
import type { Declared } from './declared.ts';
import { fingerprintOf, recordOf, templateOf } from './record.ts';
import type { RevisionRecord } from './record.ts';
import type { Records } from './records.ts';
import type { Snapshot } from './snapshot.ts';

/** What is to be done so that what runs is what is declared. */
export type Next =
  /** Nothing: it is the latest revision. */
  | { readonly kind: 'same'; readonly latest: RevisionRecord }
  /** To begin this one, new or once more. */
  | { readonly kind: 'next'; readonly record: RevisionRecord }
  /** Nothing can be: another revision has its name. */
  | { readonly kind: 'taken'; readonly message: string };

/** Compares what is declared, and the code that was seen, with the revisions that there are. */
export function nextRevision(asked: {
  readonly declared: Declared;
  readonly snapshot: Snapshot;
  readonly records: Records;
  readonly latest: RevisionRecord | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}): Next {
  const { declared, snapshot, records, latest, now } = asked;
  const { name, revisionName } = declared;
  const { revisions, state } = records;
  const template = templateOf(declared);
  const fingerprint = fingerprintOf(snapshot.hash, template);
  const isWanted = (record: RevisionRecord | undefined): record is RevisionRecord =>
    record?.fingerprint === fingerprint && (revisionName === undefined || record.name === revisionName);
  if (isWanted(latest)) return { kind: 'same', latest };

  const unproven = revisions.get(state.unproven ?? '');
  const namesake = revisionName === undefined ? undefined : revisions.get(revisionName);
  if (namesake !== undefined && namesake !== unproven && !isWanted(namesake)) {
    const message = `revision names must be unique: ${name} has a revision ${revisionName} with other content; give spec.template.metadata.name another one`;
    return { kind: 'taken', message };
  }
  const again = namesake ?? (isWanted(unproven) ? unproven : undefined);
  const number = again?.number ?? highestNumber(records) + 1;
  const made = {
    number,
    name: again?.name ?? revisionName ?? numbered(namesOf(name).service, number),
    createdAt: again?.createdAt ?? new Date(now).toISOString(),
  };
  return { kind: 'next', record: recordOf(made, snapshot, template) };
}

/** That any revision has had. */
export function highestNumber({ revisions, state }: Records): number {
  return Math.max(state.number ?? 0, ...[...revisions.values()].map((it) => it.number));
}

/** As Serving names them: `ticket-agent-00001`. */
function numbered(service: string, number: number): string {
  return `${service}-${String(number).padStart(5, '0')}`;
}
