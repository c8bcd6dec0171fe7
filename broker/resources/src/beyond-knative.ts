import type { AnyResource } from './any-resource.ts';
import { withoutApiVersion } from './destination.ts';
import type { Destination } from './destination.ts';
import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import type { Path } from './path.ts';

/**
 * What Knative refuses of a resource that we take as it is said: fields of ours in its kinds, and what its kinds ask of
 * references beyond what holds for all. The resource has passed validation and is not complete yet.
 */
export function beyondKnative(resource: AnyResource): Complaint[] {
  const { namespace } = resource.metadata;
  switch (resource.kind) {
    case 'Broker': {
      const { config } = resource.spec;
      return config === undefined || config.apiVersion !== undefined
        ? []
        : [withoutApiVersion('spec.config', config.kind)];
    }
    case 'Trigger':
      return namespaced(resource.spec.brokerRef, 'spec.brokerRef');
    case 'Subscription':
      return namespaced(resource.spec.channel, 'spec.channel');
    case 'Parallel':
      return resource.spec.branches.flatMap(({ filters }, index) =>
        filters === undefined ? [] : [unknownField(`spec.branches[${index}].filters`, filters)],
      );
    case 'EventTransform':
      return mismatched(resource.spec.sink, 'spec.sink', namespace);
    case 'RequestReply': {
      const { brokerRef, delivery } = resource.spec;
      const unversioned =
        brokerRef.apiVersion === undefined ? [withoutApiVersion('spec.brokerRef', brokerRef.kind)] : [];
      return [...unversioned, ...mismatched(delivery?.deadLetterSink, 'spec.delivery.deadLetterSink', namespace)];
    }
    default:
      return [];
  }
}

/** A reference that may not name its namespace, not even its own. */
function namespaced(reference: { namespace?: string } | undefined, path: Path): Complaint[] {
  if (reference?.namespace === undefined) return [];
  const at = `${path}.namespace`;
  const expected = 'nothing: only name, apiVersion and kind are taken';
  return [complaint(at, expected, show(at, reference.namespace), { text: `must not set the field(s): ${at}` })];
}

/** A destination that may not be elsewhere. */
function mismatched(destination: Destination | undefined, path: Path, namespace: string): Complaint[] {
  const theirs = destination?.ref?.namespace;
  if (theirs === undefined || theirs === namespace) return [];
  const at = `${path}.ref.namespace`;
  const text = `mismatched namespaces: ${at}: parent namespace: "${namespace}" does not match ref: "${theirs}"`;
  return [complaint(at, 'the namespace of the resource', show(at, theirs), { text })];
}

/** A field that is ours. */
function unknownField(path: Path, value: unknown): Complaint {
  const expected = 'nothing: the field is of Millrace only';
  return complaint(path, expected, show(path, value), { text: `strict decoding error: unknown field "${path}"` });
}
