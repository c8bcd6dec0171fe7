import type { FunctionStatus } from '../running-function.ts';
import type { Code } from '../workload.ts';
import { namesOf } from './declared.ts';
import type { Declared } from './declared.ts';
import type { CodeDescription, FunctionDescription, RevisionDescription } from './description.ts';
import type { LiveRevisions } from './live-revisions.ts';
import type { Seen } from './look.ts';
import type { RevisionRecord } from './record.ts';
import type { Records } from './records.ts';
import type { Revision } from './revision.ts';
import type { Split } from './traffic.ts';

/** A function at this moment. */
export interface Moment {
  readonly declared: Declared;
  readonly status: FunctionStatus;
  readonly seen: Seen;
  readonly records: Records;
  readonly split: Split;
  readonly live: LiveRevisions;
  readonly candidate: Revision | undefined;
}

/** What people are shown of it. */
export function describeFunction(moment: Moment): FunctionDescription {
  const { declared, status, seen, records } = moment;
  const { name, environment, provided = {}, scaling, limits } = declared;
  const { namespace, service } = namesOf(name);
  const { minScale = scaling.minScale, maxScale = scaling.maxScale } = records.state;
  const { state, reason, message, notes } = status;
  return {
    name,
    namespace,
    service,
    state,
    reason,
    message,
    url: `http://${service}.${namespace}.svc.cluster.local`,
    code: 'snapshot' in seen ? describeCode(seen.snapshot.code) : undefined,
    revisions: [...records.revisions.values()].toReversed().map((record) => describeRevision(record, moment)),
    environment: Object.keys({ ...provided, ...environment }).toSorted(),
    scaling: { ...scaling, minScale, maxScale },
    limits,
    notes,
  };
}

function describeCode(code: Code): CodeDescription {
  const { language } = code;
  return {
    language,
    file: 'file' in code ? code.file : undefined,
    command: 'command' in code ? code.command : undefined,
  };
}

function describeRevision(record: RevisionRecord, moment: Moment): RevisionDescription {
  const { split, live, candidate, records } = moment;
  const { name, createdAt, codeHash } = record;
  const revision = live.get(name) ?? (candidate?.record.name === name ? candidate : undefined);
  const { state, reason, message, instances, inFlight, waiting, wanted } = revision?.status() ?? atRest(record, moment);
  return {
    name,
    createdAt,
    percent: split.shares.find((it) => it.revision === name)?.percent ?? 0,
    tags: [...split.tags].filter(([, tagged]) => tagged === name).map(([tag]) => tag),
    state,
    reason,
    message,
    instances,
    inFlight,
    waiting,
    desired: wanted?.instances,
    codeHash,
    isPinned: records.state.pinned === name,
  };
}

function atRest({ name }: RevisionRecord, { records, status }: Moment) {
  const counts = { instances: 0, inFlight: 0, waiting: 0, wanted: undefined };
  if (records.state.unproven !== name) return { ...counts, state: 'retired', reason: '', message: '' } as const;
  return { ...counts, state: 'failing', reason: 'RevisionFailed', message: status.message } as const;
}
