import type { KubernetesObject } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { compilePath } from './json-path.ts';
import { badRequest } from './status.ts';

/** True for objects that are selected. */
export type Selector = (object: KubernetesObject) => boolean;

type Labels = Readonly<Record<string, string>>;

/** An object that two selectors select. */
export function both(one: Selector | undefined, other: Selector | undefined): Selector | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (object) => one(object) && other(object);
}

/**
 * A label selector as kubectl writes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Undefined when it is empty; throws
 * a Refusal when it cannot be read.
 */
export function labelSelector(text: string | undefined): Selector | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const requirements = requirementsOf(text).map((requirement) => compileRequirement(requirement, text));
  return ({ metadata }) => requirements.every((holds) => holds(metadata.labels ?? {}));
}

/** At the commas that stand in no parentheses. */
function requirementsOf(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

const KEY = String.raw`(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?`;
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const EQUALS = new RegExp(`^(${KEY})\\s*(=|==|!=)\\s*(${VALUE})$`);
const AMONG = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const COMPARES = new RegExp(`^(${KEY})\\s*([<>])\\s*(-?\\d+)$`);
const ONE_VALUE = new RegExp(`^${VALUE}$`);

function compileRequirement(requirement: string, all: string): (labels: Labels) => boolean {
  const exists = EXISTS.exec(requirement);
  if (exists !== null) {
    const [, not, key] = exists;
    return (labels) => Object.hasOwn(labels, key!) === (not === '');
  }
  const equals = EQUALS.exec(requirement);
  if (equals !== null) {
    const [, key, operator, value] = equals;
    return operator === '!='
      ? (labels) => valueOf(labels, key!) !== value
      : (labels) => valueOf(labels, key!) === value;
  }
  const among = AMONG.exec(requirement);
  const values = among?.[3]!.split(',').map((value) => value.trim());
  if (among !== null && values!.every((value) => ONE_VALUE.test(value))) {
    const [, key, operator] = among;
    const known = new Set(values);
    const isAmong = (labels: Labels) => known.has(valueOf(labels, key!) ?? '') && Object.hasOwn(labels, key!);
    return operator === 'in' ? isAmong : (labels) => !isAmong(labels);
  }
  const compares = COMPARES.exec(requirement);
  if (compares !== null) {
    const [, key, operator, limit] = compares;
    return (labels) => {
      const value = valueOf(labels, key!);
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      return operator === '<' ? Number(value) < Number(limit) : Number(value) > Number(limit);
    };
  }
  throw badRequest(
    `unable to parse requirement: ${JSON.stringify(requirement)} of the label selector ${JSON.stringify(all)}`,
  );
}

function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/**
 * A field selector: `metadata.name=a,type!=b`, over name, namespace and what the kind says that it can be selected by.
 * Undefined when it is empty; throws a Refusal when it cannot be read or names another field.
 */
export function fieldSelector(text: string | undefined, { selectable }: ServedKind): Selector | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const known = new Set(['metadata.name', 'metadata.namespace', ...selectable]);
  const terms = text.split(/(?<!\\),/).map((term) => {
    const [, field, operator, value] = /^\s*([\w.]+)\s*(==|=|!=)(.*)$/s.exec(term) ?? [];
    if (field === undefined) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    if (!known.has(field)) throw badRequest(`field label not supported: ${field}`);
    const wanted = value!.replaceAll(/\\(.)/g, '$1').trim();
    const lookup = compilePath(`.${field}`);
    const isThat: Selector = (object) => textOf(lookup(object)) === wanted;
    return operator === '!=' ? (object: KubernetesObject) => !isThat(object) : isThat;
  });
  return (object) => terms.every((holds) => holds(object));
}

/** What is not there is as an empty text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
}
