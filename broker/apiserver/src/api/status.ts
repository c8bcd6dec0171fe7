import type { ServedKind } from '../registry/kind.ts';
import { resourceText } from '../registry/kind.ts';

/** One of the reasons why a request was refused (Kubernetes API: StatusCause). */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** What a refusal is about (Kubernetes API: StatusDetails). `kind` is what Kubernetes puts there: mostly the plural. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
}

/** The answer to a request that gives no object (Kubernetes API: Status, meta.k8s.io v1). */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** A request that is refused; it carries the answer. Messages are those of Kubernetes, where clients look at them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details !== undefined && { details }),
      code,
    };
  }
}

type Resource = Pick<ServedKind, 'group' | 'plural'>;

const about = (name: string, { group, plural }: Resource): StatusDetails => ({
  name,
  ...(group !== '' && { group }),
  kind: plural,
});

/** What was asked for is served nowhere. */
export function noSuchPath(): Refusal {
  return new Refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** There is no object of that name. */
export function notFound(resource: Resource, name: string): Refusal {
  return new Refusal(404, 'NotFound', `${resourceText(resource)} "${name}" not found`, about(name, resource));
}

/** What is asked may not be done to this object. */
export function forbidden(resource: Resource, name: string, why: string): Refusal {
  return new Refusal(
    403,
    'Forbidden',
    `${resourceText(resource)} "${name}" is forbidden: ${why}`,
    about(name, resource),
  );
}

/** There is an object of that name. */
export function alreadyExists(resource: Resource, name: string): Refusal {
  return new Refusal(409, 'AlreadyExists', `${resourceText(resource)} "${name}" already exists`, about(name, resource));
}

/** The object is not, or not any more, what the request takes it for. */
export function conflict(resource: Resource, name: string, why?: string): Refusal {
  const reason = why ?? 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${resourceText(resource)} "${name}": ${reason}`;
  return new Refusal(409, 'Conflict', message, about(name, resource));
}

/** The object is wrong. `message` is what those see who do not look at the causes; default: the causes. */
export function invalid(
  { group, kind }: Pick<ServedKind, 'group' | 'kind'>,
  name: string,
  causes: readonly StatusCause[],
  message?: string,
): Refusal {
  const qualified = group === '' ? kind : `${kind}.${group}`;
  const told = causes.map(({ field, message: text }) => (field === undefined ? text : `${field}: ${text}`));
  const list = told.length === 1 ? told[0] : `[${told.join(', ')}]`;
  const details = { name, ...(group !== '' && { group }), kind, causes };
  return new Refusal(422, 'Invalid', message ?? `${qualified} "${name}" is invalid: ${list}`, details);
}

/** The request makes no sense. */
export function badRequest(message: string): Refusal {
  return new Refusal(400, 'BadRequest', message);
}

/** The method means nothing here. */
export function methodNotAllowed(): Refusal {
  const message = 'the server does not allow this method on the requested resource';
  return new Refusal(405, 'MethodNotAllowed', message, {});
}

/** The body is of a type that is not read here. */
export function unsupportedMediaType(accepted: readonly string[]): Refusal {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new Refusal(415, 'UnsupportedMediaType', message);
}

/** The body is larger than `limit` bytes. */
export function tooLarge(limit: number): Refusal {
  return new Refusal(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

/** The changes after that version are not known any more: list, and watch from there. */
export function expired(asked: string, oldest: string): Refusal {
  return new Refusal(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
}

/** That something was done, where there is no object to show. */
export function success(details: StatusDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 };
}
