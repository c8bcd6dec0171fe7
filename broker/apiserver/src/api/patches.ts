import type { ObjectDraft } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { decodeJson, decodeObject } from './body.ts';
import { jsonPatch } from './json-patch.ts';
import { isRecord } from './json.ts';
import { mergePatch } from './merge-patch.ts';
import { badRequest, unsupportedMediaType } from './status.ts';
import { strategicMerge } from './strategic-merge.ts';

/** What server-side apply is sent as. */
export const APPLY_TYPE = 'application/apply-patch+yaml';

const JSON_PATCH = 'application/json-patch+json';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

/** Reads a patch that is no apply; the result makes another object of a live one. Throws a Refusal for other types. */
export function readPatch(body: Buffer, mediaType: string, kind: ServedKind): (live: ObjectDraft) => unknown {
  if (mediaType === JSON_PATCH) {
    const patch = decodeJson(body);
    return (live) => jsonPatch(live, patch);
  }
  if (mediaType === MERGE) {
    const patch = recordOf(decodeJson(body));
    return (live) => mergePatch(live, patch);
  }
  const { mergeKeys } = kind;
  if (mediaType === STRATEGIC && mergeKeys !== undefined) {
    const patch = recordOf(decodeJson(body));
    return (live) => strategicMerge(live, patch, mergeKeys);
  }
  throw unsupportedMediaType([JSON_PATCH, MERGE, APPLY_TYPE, ...(mergeKeys === undefined ? [] : [STRATEGIC])]);
}

/** Reads what a server-side apply wants. */
export function readApply(body: Buffer): Record<string, unknown> {
  return decodeObject(body, APPLY_TYPE);
}

function recordOf(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw badRequest('expected the patch to be an object');
}
