import { createHash } from 'node:crypto';

/** The longest name of a Kubernetes resource that is a label. */
const LONGEST = 63;
const HASH_LENGTH = 32;
const HEAD_LENGTH = LONGEST - HASH_LENGTH;

/**
 * The name of what a resource makes: its own name and a suffix, and where that is too long, a hash in place of what does
 * not fit (knative.dev/pkg `kmeta.ChildName`).
 */
export function childName(parent: string, suffix: string): string {
  const name = parent + suffix;
  if (name.length <= LONGEST) return name;
  if (suffix.length < HEAD_LENGTH) return parent.slice(0, HEAD_LENGTH - suffix.length) + md5(parent) + suffix;
  const head = parent.slice(0, HEAD_LENGTH) + md5(parent + suffix);
  const whole = head + suffix.slice(0, Math.max(0, LONGEST - head.length));
  return whole.replace(/[^A-Za-z0-9]+$/, '');
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
