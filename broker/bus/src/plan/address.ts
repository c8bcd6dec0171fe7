import type { Destination } from '@millrace/resources/destination';

import { transformPath } from './event-transform.ts';
import { resolve } from './resolve.ts';
import { serviceAddress } from './service.ts';
import type { World } from './world.ts';

/**
 * The address that statuses show for a destination (`subscriberUri`, `sinkUri` …); undefined for none, and for what is not
 * there. Functions have the name that clusters have for them, everything else of ours its path on the data port.
 */
export function addressOf(
  destination: Destination | undefined,
  namespace: string,
  world: World,
  dataUrl: string,
): string | undefined {
  const resolved = destination === undefined ? undefined : resolve(destination, namespace, world);
  if (resolved === undefined || !('target' in resolved)) return undefined;
  const { target } = resolved;
  switch (target.kind) {
    case 'url':
      return target.url;
    case 'function':
      return serviceAddress(target.workload);
    case 'transform':
      return dataUrl + transformPath(target.transform);
    case 'topic': {
      const { kind = '', name = '', namespace: place = namespace } = destination?.ref ?? {};
      return `${dataUrl}${pathOf(kind)}/${place}/${name}`;
    }
    default:
      return undefined;
  }
}

function pathOf(kind: string): string {
  if (kind === 'Broker') return '';
  return kind.endsWith('Channel') ? '/channels' : `/flows/${kind.toLowerCase()}`;
}
