import type { BusAuthentication } from '@millrace/bus';
import { makeIssuerKey, openIssuer } from '@millrace/bus/security/issuer';
import type { Issuer } from '@millrace/bus/security/issuer';
import { openSenderTokens } from '@millrace/bus/security/sender-tokens';
import { openVerifier } from '@millrace/bus/security/verifier';

/** An issuer of tokens, and a bus that takes those alone. */
export interface TestIssuer {
  readonly issuer: Issuer;
  readonly authentication: BusAuthentication;
  /** A token of a ServiceAccount in `default`, or of a whole subject. */
  token(who: string, audience?: string): Promise<string>;
}

/** The audience of the broker that is always there. */
export const DEFAULT_BROKER = 'eventing.knative.dev/broker/default/default';

/** `system:serviceaccount:default:<name>`, or a whole subject as it is. */
export function subject(who: string): string {
  return who.includes(':') ? who : `system:serviceaccount:default:${who}`;
}

export function testIssuer(now: () => number = Date.now): TestIssuer {
  const issuer = openIssuer({ url: () => 'http://issuer.test', key: makeIssuerKey(), now });
  const issue = (who: string, audience: string, lifetimeSeconds: number) =>
    issuer.issue({ subject: subject(who), audiences: [audience], lifetimeSeconds });
  return {
    issuer,
    authentication: {
      verify: openVerifier({ trusted: () => issuer.trusted(), now }),
      tokenOf: openSenderTokens({ issue, now }),
      documents: () => issuer.documents(),
    },
    token: async (who, audience = DEFAULT_BROKER) => (await issue(who, audience, 600)).token,
  };
}
