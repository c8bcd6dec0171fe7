import type { ServedFunction } from './serving.ts';

/** A part of the calls, as the status of a Service and of its Route shows it. */
export interface ShownTraffic {
  readonly revisionName: string;
  readonly latestRevision: boolean;
  readonly percent?: number;
  readonly tag?: string;
  readonly url?: string;
}

/** Who gets the calls: each revision with its percent, and each tag beside that. */
export function trafficOf({ namespace, name: service, description, spec }: ServedFunction): ShownTraffic[] {
  const named = new Set((spec?.traffic ?? []).map((it) => it.revisionName));
  return (description?.revisions ?? []).flatMap(({ name, percent, tags, isPinned }): ShownTraffic[] => {
    const target = {
      revisionName: name,
      latestRevision: name === description?.latest && !isPinned && !named.has(name),
    };
    const tagged = tags.map((tag) => ({
      ...target,
      tag,
      url: `http://${tag}-${service}.${namespace}.svc.cluster.local`,
    }));
    if (percent === 0) return tagged;
    // The calls that ask for no tag belong to the first of a revision's targets, as Serving shows them.
    return tagged.length === 0
      ? [{ ...target, percent }]
      : tagged.map((it, index): ShownTraffic => (index === 0 ? Object.assign(it, { percent }) : it));
  });
}
