import { isDeepStrictEqual } from 'node:util';

import type { Admission } from '@millrace/apiserver/api/admission';
import { resourcesAdmission } from '@millrace/apiserver/api/resources-admission';
import { groupOf } from '@millrace/apiserver/objects/object';
import type { ObjectDraft } from '@millrace/apiserver/objects/object';
import { DEFINITION_TYPE } from '@millrace/apiserver/registry/definition-kind';
import { compilePlan } from '@millrace/bus/plan/compile';
import type { AnyResource } from '@millrace/resources/any-resource';
import type { Complaint } from '@millrace/resources/fault';
import { keyOf } from '@millrace/resources/resource';

import { DECLARED_IN, fileOf, IMPLICIT, isImplicit, isMade } from './ownership.ts';
import { SERVING, SERVING_VIEWS } from './serving/serving.ts';

/**
 * What the API lets in: what `@millrace/resources` does and the plan can be made of, and nothing that belongs to a file or
 * to another object.
 */
export function apiAdmission({ isAuthenticating }: { readonly isAuthenticating: boolean }): Admission {
  const meant = resourcesAdmission(faultsOf);
  return {
    admit(object, old) {
      const file = old === undefined ? fileOf(object) : fileOf(old);
      if (old !== undefined && file !== undefined) return refused(`it is declared in ${file}: change it there`);
      if (old === undefined && file !== undefined)
        return refused(`the annotation ${DECLARED_IN} is set by files alone`);
      if (isView(object)) return refused(`${object.kind}s are made of Services (${SERVING}): ${changeOf(old)}`);
      if (isDefinition(object)) return refused('which kinds there are does not change');
      if (old !== undefined && isMade(old)) {
        const [maker] = old.metadata.ownerReferences ?? [];
        return refused(`the ${maker?.kind} ${maker?.name} has made it: change that`);
      }
      if (
        !isAuthenticating &&
        object.kind === 'EventPolicy' &&
        (old === undefined || !isDeepStrictEqual(object['spec'], old['spec']))
      )
        return DISABLED;
      if (object.apiVersion === 'v1' && object.kind === 'Service') {
        return refused(`a core Service leads nowhere here: declare a Service of ${SERVING}, or name the URL itself`);
      }
      // Whoever writes it has declared it.
      return meant.admit(withoutMark(object), old);
    },
    admitDeletion: (object) =>
      isDefinition(object)
        ? 'which kinds there are does not change'
        : isView(object) && isMade(object)
          ? `${object.kind}s are made of Services: ${changeOf(object)}`
          : undefined,
    givesWay: isImplicit,
  };
}

/** With Knative's own text. A policy that would not hold must not look as if it did. */
const DISABLED: ReturnType<Admission['admit']> = {
  faults: [
    { path: '', message: 'oidc-authentication feature not enabled: start millrace up with --authentication-oidc' },
  ],
  webhook: 'validation.webhook.eventing.knative.dev',
};

function isDefinition({ apiVersion, kind }: ObjectDraft): boolean {
  return kind === DEFINITION_TYPE.kind && groupOf(apiVersion) === DEFINITION_TYPE.group;
}

function isView({ apiVersion, kind }: ObjectDraft): boolean {
  const group = groupOf(apiVersion);
  return SERVING_VIEWS.some((it) => it.kind === kind && it.group === group);
}

function changeOf(object: ObjectDraft | undefined): string {
  const service = object?.metadata.labels?.['serving.knative.dev/service'];
  return service === undefined ? 'declare one' : `change or delete the Service ${service}`;
}

function withoutMark(object: ObjectDraft): ObjectDraft {
  if (!isImplicit(object)) return object;
  const { [IMPLICIT]: _, ...annotations } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function refused(message: string): ReturnType<Admission['admit']> {
  return { faults: [{ path: '', message }] };
}

/** What a resource says that cannot work, whatever else is declared: a filter or an expression that does not compile. */
function faultsOf(resource: AnyResource): readonly Complaint[] {
  const place = { file: '', line: 1, column: 1 };
  const { faults } = compilePlan([{ resource, place, locate: () => place }], '');
  return faults.filter((it) => it.key === keyOf(resource));
}
