import type { ApiClient } from './api-client.ts';

/** What is asked for. */
export interface WantedToken {
  readonly account: string;
  readonly namespace: string;
  /** Empty: that of the issuer itself. */
  readonly audiences: readonly string[];
  readonly seconds: number;
}

/** Asks for a token of a ServiceAccount (Kubernetes' TokenRequest). Rejects when there is none, or none is made. */
export async function tokenOf(client: ApiClient, wanted: WantedToken): Promise<string> {
  const { account, namespace, audiences, seconds } = wanted;
  const [where, who] = [encodeURIComponent(namespace), encodeURIComponent(account)];
  const { body } = await client.send<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${where}/serviceaccounts/${who}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences, expirationSeconds: seconds },
    },
  });
  return body.status.token;
}
