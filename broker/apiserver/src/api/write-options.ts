import { badRequest, invalid } from './status.ts';

/** How a write is meant, as its query says it. */
export interface WriteOptions {
  /** Everything is checked and answered, nothing is stored. */
  readonly dryRun: boolean;
  /** Under which name the fields are managed. */
  readonly manager: string;
  /** True when the request names it itself. */
  readonly isNamed: boolean;
  /** What becomes of fields that the kind does not have. */
  readonly validation: 'Ignore' | 'Warn' | 'Strict';
  /** Of an apply: take over what others manage. */
  readonly force: boolean;
}

const VALIDATIONS = ['Ignore', 'Warn', 'Strict'] as const;

/** Reads them; throws a Refusal when one is none of the values that it may have. */
export function writeOptionsOf(query: URLSearchParams, userAgent: string | undefined): WriteOptions {
  const named = query.get('fieldManager') ?? '';
  if (named.length > 128) throw badRequest('fieldManager: Too long: may not be more than 128 bytes');
  const validation = query.get('fieldValidation') || 'Warn';
  if (!isValidation(validation)) {
    const message = `Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`;
    throw optionFault('fieldValidation', message);
  }
  return {
    dryRun: isDryRun(query.getAll('dryRun')),
    // Who does not say its name is called as its program: `kubectl/v1.32 …`.
    manager: named || (userAgent ?? '').split('/')[0]!.slice(0, 128) || 'unknown',
    isNamed: named !== '',
    validation,
    force: query.get('force') === 'true',
  };
}

/** True for `All`; throws a Refusal for anything else that is said. */
export function isDryRun(values: readonly string[]): boolean {
  const said = values.filter((value) => value !== '');
  if (said.some((value) => value !== 'All')) {
    throw optionFault('dryRun', `Unsupported value: ${JSON.stringify(said[0])}: supported values: "All"`);
  }
  return said.length > 0;
}

function isValidation(value: string): value is WriteOptions['validation'] {
  return (VALIDATIONS as readonly string[]).includes(value);
}

/** A wrong parameter, as Kubernetes refuses it. */
export function optionFault(field: string, message: string) {
  const kind = { group: 'meta.k8s.io', kind: 'WriteOptions' };
  return invalid(kind, '', [{ reason: 'FieldValueNotSupported', message, field }]);
}
