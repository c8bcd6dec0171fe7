import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';

/** An amount as Kubernetes writes it: `512Mi`, `128M`, `1e9`, `500m`, `0.5`, or a plain number. */
export type Quantity = string | number;

const KIBI = 1024;
const KILO = 1000;
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$/;
const SCALES: Record<string, number> = {
  ...Object.fromEntries('KMGTPE'.split('').map((letter, power) => [`${letter}i`, KIBI ** (power + 1)])),
  ...Object.fromEntries('kMGTPE'.split('').map((letter, power) => [letter, KILO ** (power + 1)])),
};
// Divided by, because 100 / 1000 is 0.1 and 100 * 0.001 is not.
const PARTS: Record<string, number> = { m: 1e3, u: 1e6, n: 1e9 };

/**
 * The number that a quantity stands for, bytes or processors; undefined when it is none.
 * Kubernetes' resource.Quantity: binary (`Ki` … `Ei`), decimal (`n u m k M G T P E`) and exponent (`1e9`) suffixes.
 */
export function parseQuantity(quantity: Quantity): number | undefined {
  const text = String(quantity);
  // No one means a longer one, and longer input is not worth a regular expression.
  const [, digits = '', suffix = ''] = (text.length > 40 ? null : QUANTITY.exec(text)) ?? [];
  if (digits === '') return undefined;
  const value = /^[eE]./.test(suffix)
    ? Number(`${digits}${suffix}`)
    : (Number(digits) / (PARTS[suffix] ?? 1)) * (SCALES[suffix] ?? 1);
  return Number.isFinite(value) ? value : undefined;
}

/** So many bytes as a person would have written them: 536870912 → `512Mi`, 128000000 → `128M`, 1000 → `1k`. */
export function formatBytes(bytes: number): string {
  const fitting = Object.entries(SCALES)
    .filter(([, scale]) => bytes >= scale && bytes % scale === 0)
    .toSorted(([, one], [, other]) => other - one);
  const [suffix, scale] = fitting[0] ?? ['', 1];
  return `${bytes / scale}${suffix}`;
}

const EXPECTED: Record<string, string> = {
  cpu: 'processors of zero or more, such as "500m" or 2',
  memory: 'bytes of zero or more, such as "512Mi" or "1Gi"',
};
const ANY = 'a quantity of zero or more, such as "512Mi", "500m" or 2';

/** The rule of an object of quantities by the name of what they are of. */
export const quantitiesRule: Rule<Record<string, unknown>> = (quantities, path, tell) => {
  for (const [name, quantity] of Object.entries(quantities)) {
    if (typeof quantity !== 'string' && typeof quantity !== 'number') continue;
    const value = parseQuantity(quantity);
    // "512m" are 512 thousandths of a byte: nothing can run in that, and nobody has meant it.
    const isPartOfByte = name === 'memory' && value !== undefined && value > 0 && value < 1;
    if (value !== undefined && value >= 0 && !isPartOfByte) continue;
    const at = join(path, name);
    const got = isPartOfByte ? `${show(at, quantity)} (${value} bytes)` : show(at, quantity);
    const meant = meantBy(name, String(quantity));
    const suggestion = meant === undefined ? undefined : JSON.stringify(meant);
    const text = `invalid value: ${show(at, quantity)}`;
    tell.fault(complaint(at, EXPECTED[name] ?? ANY, got, { text, suggestion }));
  }
};

/** "512 MB" is mostly meant as 512M, "512mi" and, of memory, "512m" as 512Mi. */
function meantBy(name: string, text: string): string | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([kmgtpe]?)(?:i?b?|)$/i.exec(text) ?? [];
  if (digits === undefined || unit === undefined || (name !== 'memory' && unit !== '')) return undefined;
  const isBinary = /i/i.test(text) || unit === 'm';
  const letter = isBinary || unit.toLowerCase() !== 'k' ? unit.toUpperCase() : 'k';
  return `${digits}${letter}${isBinary && unit !== '' ? 'i' : ''}`;
}

/** Requests within limits, name by name (Kubernetes' validation of resource requirements). */
export const requestsRule: Rule<Record<string, unknown>> = ({ requests, limits }, path, tell) => {
  for (const [name, request] of Object.entries(quantitiesOf(requests))) {
    const limit = quantitiesOf(limits)[name];
    const [wanted, most] = [parseQuantity(request), limit === undefined ? undefined : parseQuantity(limit)];
    if (wanted === undefined || most === undefined || wanted <= most) continue;
    const at = join(join(path, 'requests'), name);
    const text = `must be less than or equal to ${name} limit of ${limit}`;
    tell.fault(complaint(at, `at most limits.${name}, ${limit}`, show(at, request), { text }));
  }
};

function quantitiesOf(said: unknown): Record<string, Quantity> {
  return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Record<string, Quantity>) : {};
}
