import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import { DNS_LABEL } from './name.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const REFERENCE = {
  kind: Text(),
  name: Text(),
  apiVersion: Type.Optional(Text()),
  namespace: Type.String({
    pattern: DNS_LABEL,
    expected: 'the name of a namespace',
    defaulted: 'the namespace of the resource that refers',
  }),
  /** Which of the addresses of what is meant, by name. */
  address: Type.Optional(Text()),
  /** In place of `apiVersion`: any version of this API group. */
  group: Type.Optional(Text()),
};

/** A reference to something by its name (Knative's KReference); the namespace defaults to the referrer's. */
export const ReferenceSchema = Fields(REFERENCE, { expected: 'a reference: an object with kind and name' });

/** What a {@link ReferenceSchema} holds after defaults. */
export type Reference = Static<typeof ReferenceSchema>;

/**
 * How Knative refuses a reference that names no apiVersion (KReference.Validate). A Sequence and a Parallel of its wrap
 * that into "invalid value" with the whole step, which says less.
 */
export function withoutApiVersion(path: Path, kind: string): Complaint {
  const at = join(path, 'apiVersion');
  const like = kind === 'Service' ? ', such as "serving.knative.dev/v1"' : '';
  return complaint(at, `the apiVersion of the ${kind}${like}`, 'nothing', { text: `missing field(s): ${at}` });
}

// Only the reference of a destination is looked up by kind, so only here a missing apiVersion leaves something open.
const targetRule: Rule<Record<string, unknown>> = ({ kind, name, namespace, apiVersion, group }, path, tell) => {
  if (group !== undefined) {
    const at = join(path, 'group');
    const expected = 'an apiVersion in its place, unless the feature kreference-group is enabled';
    tell.refusal(complaint(at, expected, show(at, group), { text: `must not set the field(s): ${at}` }));
  }
  if (apiVersion !== undefined || typeof kind !== 'string' || typeof name !== 'string') return;
  const refusal = withoutApiVersion(path, kind);
  if (group !== undefined) return tell.refusal(refusal);
  const tried = kind === 'Service' ? 'in serving.knative.dev/v1' : 'among the kinds that are known here';
  tell.receipt(path, `${path} has no apiVersion: kind ${kind} is looked for ${tried}`, {
    refusal,
    reference: typeof namespace === 'string' ? { kind, name, namespace } : { kind, name },
  });
};

const destinationRule: Rule<Record<string, unknown>> = ({ ref, uri }, path, tell) => {
  if (ref === undefined && uri === undefined) {
    const text = 'expected at least one, got none: ref, uri';
    return tell.fault(complaint(path, 'a ref or a uri', 'neither', { text }));
  }
  if (typeof uri !== 'string') return;
  const at = join(path, 'uri');
  if (/[\s\p{Cc}]/u.test(uri) || !URL.canParse(uri, 'http://base')) {
    tell.fault(complaint(at, 'a URL', show(at, uri), { text: `invalid value: ${show(at, uri)}` }));
  } else if (ref === undefined && !hasHost(uri)) {
    const text = `invalid value: ${show(at, uri)}`;
    tell.fault(complaint(at, 'an absolute URL with a host, as there is no ref', show(at, uri), { text }));
  } else if (ref !== undefined && /^[A-Za-z][A-Za-z\d+.-]*:|^\/\//.test(uri)) {
    const text = 'absolute URI is not allowed when Ref is present: ref, uri';
    tell.fault(complaint(at, 'a path relative to the ref (or no ref)', show(at, uri), { text }));
  }
};

function hasHost(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).host !== '';
}

/**
 * Where events go (duck type Destination, knative.dev/pkg): a `ref`, or an absolute `uri`, or both when the uri is
 * relative to the address of the ref. `CACerts` (PEM) is trusted for https; `audience` is asked for in OIDC tokens.
 */
export const DestinationSchema = Fields(
  {
    ref: Type.Optional(
      Fields(REFERENCE, { rule: targetRule, expected: 'a reference: an object with kind, name and apiVersion' }),
    ),
    uri: Type.Optional(Text({ expected: 'a URL' })),
    CACerts: Type.Optional(Text({ expected: 'certificates in PEM' })),
    audience: Type.Optional(Text()),
  },
  { rule: destinationRule, expected: 'a destination: an object with ref or uri' },
);

/** What a {@link DestinationSchema} holds after defaults. */
export type Destination = Static<typeof DestinationSchema>;

/** Sets the namespace of a reference that has none, in place; absent destinations stay absent. */
export function completeDestination(destination: Destination | undefined, namespace: string): void {
  if (destination?.ref !== undefined) destination.ref.namespace ??= namespace;
}
