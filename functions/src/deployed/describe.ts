import type { FunctionStatus } from '../running-function.ts';
import type { Code } from '../workload.ts';
import { namesOf } from './declared.ts';
import type { CodeDescription, FunctionDescription, RevisionDescription } from './description.ts';
import type { RevisionRecord } from './record.ts';
import type { Rollout } from './rollout.ts';

/** What people are shown of it. */
export function describeFunction(rollout: Rollout, status: FunctionStatus): FunctionDescription {
  const { declared, seen, records, latest } = rollout;
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
    latest,
    revisions: [...records.revisions.values()].toReversed().map((record) => describeRevision(record, rollout)),
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

function describeRevision(record: RevisionRecord, rollout: Rollout): RevisionDescription {
  const { split, live, candidate, records } = rollout;
  const { name, createdAt, codeHash } = record;
  const revision = live.get(name) ?? (candidate?.record.name === name ? candidate : undefined);
  const { state, reason, message, instances, members, ready, inFlight, waiting, wanted } =
    revision?.status() ?? atRest(record, rollout);
  return {
    name,
    createdAt,
    percent: split.shares.find((it) => it.revision === name)?.percent ?? 0,
    tags: [...split.tags].filter(([, tagged]) => tagged === name).map(([tag]) => tag),
    state,
    reason,
    message,
    instances,
    members,
    ready,
    inFlight,
    waiting,
    desired: wanted?.instances,
    desiredReason: wanted?.reason,
    codeHash,
    isPinned: records.state.pinned === name,
  };
}

function atRest({ name }: RevisionRecord, { records, problem }: Rollout) {
  const counts = { instances: 0, members: [], ready: 0, inFlight: 0, waiting: 0, wanted: undefined };
  if (records.state.unproven !== name) return { ...counts, state: 'retired', reason: '', message: '' } as const;
  return { ...counts, state: 'failing', reason: 'RevisionFailed', message: problem?.message ?? '' } as const;
}
