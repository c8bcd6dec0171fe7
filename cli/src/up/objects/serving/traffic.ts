import type { ServedFunction } from './serving.ts';

/** A part of the calls, as the status of a Service and of its Route shows it. */
export interface ShownTraffic {
  readonly revisionName: string;
  readonly latestRevision: boolean;
  /** Of the calls that ask for no tag; clients want it also when it is 0. */
  readonly percent: number;
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
    if (tags.length === 0) return percent === 0 ? [] : [{ ...target, percent }];
    // The calls that ask for no tag belong to the first of a revision's targets, as Serving shows them.
    return tags.map((tag, index) => {
      const url = `http://${tag}-${service}.${namespace}.svc.cluster.local`;
      return Object.assign({}, target, { percent: index === 0 ? percent : 0, tag, url });
    });
  });
}
