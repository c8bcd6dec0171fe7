import { createHash, timingSafeEqual } from 'node:crypto';

/** Who asks at the admin port. */
export interface Visitor {
  /** As `kubectl auth whoami` shows it. */
  readonly name: string;
  readonly groups: readonly string[];
  /** `all`; or `read`: nothing that changes anything, and no Secrets. */
  readonly may: 'all' | 'read';
}

/** Whoever comes where no token is asked for: the user of this machine. */
export const LOCAL_USER: Visitor = { name: 'local', groups: ['system:masters'], may: 'all' };

const ADMIN: Visitor = { name: 'millrace:admin', groups: ['system:masters', 'system:authenticated'], may: 'all' };
const READER: Visitor = { name: 'millrace:reader', groups: ['millrace:readers', 'system:authenticated'], may: 'read' };

/** The tokens that open the admin port. */
export interface AdminTokens {
  readonly admin: string;
  readonly reader: string;
}

/**
 * Finds out whose a token is; undefined: nobody's. Takes as long for any token of the same length, right or wrong. The
 * tokens themselves are not kept.
 */
export function knownVisitors({ admin, reader }: AdminTokens): (token: string) => Visitor | undefined {
  const known = [
    { digest: digestOf(admin), visitor: ADMIN },
    { digest: digestOf(reader), visitor: READER },
  ];
  return (token) => {
    const digest = digestOf(token);
    let found: Visitor | undefined;
    // Each is compared, also after one was the same.
    for (const it of known) if (timingSafeEqual(it.digest, digest)) found ??= it.visitor;
    return found;
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
