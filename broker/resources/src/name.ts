import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';

/** A DNS label (RFC 1123): how namespaces are named. At most 63 characters. */
export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
/** A DNS label that begins with a letter (RFC 1035): how Services of Knative Serving are named. At most 63 characters. */
export const DNS_1035_LABEL = '^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$';
/** DNS labels with dots between (RFC 1123 subdomain): how everything else is named. At most 253 characters. */
export const DNS_SUBDOMAIN = String.raw`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`;

const SUBDOMAIN = new RegExp(DNS_SUBDOMAIN);
const QUALIFIED = /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;

/** True for the key of a label or an annotation: `name` or `dns.prefix/name` (Kubernetes' "qualified name"). */
function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash < 0) return QUALIFIED.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && SUBDOMAIN.test(prefix) && QUALIFIED.test(key.slice(slash + 1));
}

const QUALIFIED_EXPECTED =
  'a key like "name" or "example.com/name": at most 63 letters, digits, "-", "_" and ".", begun and ended by a letter or digit';

/** Annotations: qualified names to any texts, at most 256 KiB together. */
export const annotationsRule: Rule<Record<string, unknown>> = (annotations, path, tell) => {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + (typeof value === 'string' ? value.length : 0);
    // Kubernetes lets annotation keys be upper case in the prefix, too.
    if (isQualifiedName(key.toLowerCase())) continue;
    tell.fault(
      complaint(join(path, key), QUALIFIED_EXPECTED, show('', key), { text: `invalid key name ${show('', key)}` }),
    );
  }
  if (size > 256 * 1024) tell.fault(complaint(path, 'at most 256 KiB of annotations', `${size} characters`));
};

/** Labels: qualified names to short texts of the same letters. */
export const labelsRule: Rule<Record<string, unknown>> = (labels, path, tell) => {
  for (const [key, value] of Object.entries(labels)) {
    const at = join(path, key);
    if (!isQualifiedName(key))
      tell.fault(complaint(at, QUALIFIED_EXPECTED, show('', key), { text: `invalid key name ${show('', key)}` }));
    if (typeof value === 'string' && value !== '' && !QUALIFIED.test(value))
      tell.fault(
        complaint(
          at,
          'at most 63 letters, digits, "-", "_" and ".", begun and ended by a letter or digit',
          show(at, value),
          { text: `invalid value: ${show(at, value)}` },
        ),
      );
  }
};
