import type { Path } from './path.ts';

/** Where something was written. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a resource, wherever it came from: which field, what was expected, what came. */
export interface Complaint {
  /** Like `spec.delivery.retry`; empty for the resource itself. */
  readonly path: Path;
  /** A whole sentence that holds `expected` and `got`, begun with Knative's own text where it has one. */
  readonly message: string;
  readonly expected: string;
  /** What came, shortened; only its sort where the field holds secrets. */
  readonly got: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** A complaint about something in a file. */
export interface Fault extends Complaint {
  readonly place: Place;
}

/** An assumption that was made where something was accepted although it was not said plainly. */
export interface Receipt {
  readonly place: Place;
  /** The key of the resource (`Trigger/default/urgent`), or empty where there is none. */
  readonly resource: string;
  /** What was assumed about; empty for the resource itself. */
  readonly path: Path;
  readonly message: string;
  /** Knative (or Kubernetes) does not assume it: a refusal says so. */
  readonly refused?: true;
  /** What is meant by a reference without apiVersion. What it is taken for depends on all that is declared. */
  readonly reference?: { readonly kind: string; readonly namespace: string; readonly name: string };
}

/**
 * A complaint of its parts. `got` is the text to show (see {@link show}); `text` is what Knative says in this case, and
 * goes before what we say.
 */
export function complaint(
  path: Path,
  expected: string,
  got: string,
  more?: { text?: string; suggestion?: string | undefined },
): Complaint {
  const ours = `expected ${expected}, got ${got}`;
  return {
    path,
    message: more?.text === undefined ? ours : `${more.text}: ${ours}`,
    expected,
    got,
    ...(more?.suggestion === undefined ? {} : { suggestion: more.suggestion }),
  };
}

/** One line for people: `file.yaml:12:7 spec.delivery.retry: expected an integer >= 0, got "3" (did you mean 3?)`. */
export function formatFault(fault: Fault): string {
  const { place, path, message, suggestion } = fault;
  const where = `${place.file}:${place.line}:${place.column}`;
  return `${where} ${path === '' ? '' : `${path}: `}${message}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`;
}

// Fields whose values are, or are easily mistaken for the place of, a secret.
const PRIVATE = /secret|password|token|credential|api-?key|^data\b|^stringData\b|\benv\b/i;
const LONGEST = 80;

/** The value for a message: short, without the passwords of URLs, and only its sort where the path holds secrets. */
export function show(path: Path, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  if (PRIVATE.test(path)) return `a ${typeof value} (hidden)`;
  const text = (JSON.stringify(value) ?? typeof value).replace(/\/\/[^/@\s]*@/, '//***@');
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text;
}
