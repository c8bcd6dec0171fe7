import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';

import { requirementsIn } from '../packages/requirements.ts';
import type { Requirements } from '../packages/requirements.ts';
import type { Code, Workload } from '../workload.ts';
import type { Declared } from './declared.ts';
import { placed } from './snapshot.ts';
import type { Copy, Snapshot } from './snapshot.ts';

/** What a revision was declared as. No secret is in it: variables with one are there by name. */
export interface Template {
  readonly environment: Readonly<Record<string, string>>;
  readonly secretVariables: readonly string[];
  /** Everything else: its time, its concurrency, its scaling, its limits, its probes. */
  readonly settings: Settings;
}

type Settings = Omit<Workload, 'name' | 'revision' | 'code' | 'environment' | 'secretValues'>;

/** A revision as it is kept: code and template, which never change. */
export interface RevisionRecord {
  readonly format: 1;
  readonly name: string;
  /** Counts up with every revision of a function, from 1. */
  readonly number: number;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Of code and template: what is declared alike is the same revision. */
  readonly fingerprint: string;
  readonly codeHash: string;
  /** As it was found. */
  readonly code: Code;
  /** How its copy is laid out; null when it runs where it was found. */
  readonly copy: KeptCopy | null;
  /** What asks for its packages; null when nothing does. */
  readonly requirements: {
    readonly language: 'node' | 'python';
    /** In the copy. */
    readonly path: string;
    /** Where that was found. */
    readonly origin: string;
  } | null;
  readonly template: Template;
  readonly notes: readonly string[];
}

/** A copy, by the paths in it. */
export interface KeptCopy {
  readonly entry: string | undefined;
  readonly files: readonly string[];
}

/** What a declaration says of its next revision. */
export function templateOf(declared: Declared): Template {
  const { environment, secretValues } = declared;
  const names = Object.keys(environment).toSorted();
  const secrets = secretValues.filter((value) => value !== '');
  const isSecret = (name: string) => secrets.some((secret) => environment[name]!.includes(secret));
  const open = names.filter((name) => !isSecret(name));
  return {
    environment: Object.fromEntries(open.map((name) => [name, environment[name]!])),
    secretVariables: names.filter(isSecret),
    settings: settingsOf(declared),
  };
}

/** What is neither about its name and code nor secret. */
function settingsOf(declared: Declared & { readonly revision?: unknown }): Settings {
  const { name: _n, code: _c, environment: _e, secretValues: _s, revision: _r, ...rest } = declared;
  const { provided: _p, revisionName: _v, traffic: _t, ...settings } = rest;
  return settings;
}

/** Of what makes a revision another one, in hexadecimal digits. */
export function fingerprintOf(codeHash: string, template: Template): string {
  return createHash('sha256')
    .update(JSON.stringify([codeHash, template], sortedKeys))
    .digest('hex');
}

/** In whatever order an object was written, it says the same. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The record of a revision that begins now. */
export function recordOf(
  made: { readonly name: string; readonly number: number; readonly createdAt: string },
  snapshot: Snapshot,
  template: Template,
): RevisionRecord {
  const { code, hash, copy, requirements, note } = snapshot;
  return {
    format: 1,
    ...made,
    fingerprint: fingerprintOf(hash, template),
    codeHash: hash,
    code,
    copy: copy === undefined ? null : { entry: copy.entry, files: copy.files.map((it) => it.path) },
    requirements:
      requirements === undefined
        ? null
        : {
            language: requirements.language,
            path: copy === undefined ? '' : pathOf(requirements, copy),
            origin: requirements.folder,
          },
    template,
    notes: note === '' ? [] : [note],
  };
}

/** The folder of the files that ask for packages, in the copy. */
function pathOf({ folder, files }: Requirements, copy: Copy): string {
  const from = join(folder, files[0]!);
  const { path } = copy.files.find((it) => it.from === from)!;
  return path.slice(0, Math.max(0, path.length - files[0]!.length - 1));
}

/** Its code where it runs, and what its packages are; `copyFolder` is where its copy is. */
export function codeOf(
  { code, copy, requirements }: RevisionRecord,
  copyFolder: string | undefined,
): { code: Code; requirements: Requirements | undefined } {
  const isCopied = copy !== null && copyFolder !== undefined;
  const folderOf = ({ path, origin }: { path: string; origin: string }) => (isCopied ? join(copyFolder, path) : origin);
  return {
    code: isCopied ? placed(code, copy, copyFolder) : code,
    requirements:
      requirements === null
        ? undefined
        : requirementsIn(folderOf(requirements), requirements.language, requirements.origin),
  };
}

/**
 * What an instance of it sees. Its secrets are those of now; `notes` names the variables that nothing provides any
 * more.
 */
export function environmentOf(
  { template }: RevisionRecord,
  declared: Declared,
): { environment: Record<string, string>; notes: string[] } {
  const environment = { ...declared.provided, ...template.environment };
  const notes: string[] = [];
  for (const name of template.secretVariables) {
    const value = declared.environment[name];
    if (value === undefined) notes.push(`the variable ${name} held a secret that is no longer declared: it is not set`);
    else environment[name] = value;
  }
  return { environment, notes };
}

/** Reads a record that {@link recordOf} made; a text, for people, when it is none. */
export function readRecord(text: string, name: string): RevisionRecord | string {
  let record: RevisionRecord;
  try {
    record = JSON.parse(text) as RevisionRecord;
  } catch {
    return 'it is no JSON';
  }
  if (typeof record !== 'object' || record === null || record.format !== 1) return 'it is no revision of this format';
  if (record.name !== name) return `it is the revision ${JSON.stringify(record.name)}`;
  return SHAPE.find(([, holds]) => !holds(record))?.[0] ?? record;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((it) => typeof it === 'string');
/** A path that stays in the copy. */
const isInside = (path: unknown): boolean =>
  typeof path === 'string' && !relative('/c', join('/c', path)).startsWith('..');

const SHAPE: readonly (readonly [string, (record: RevisionRecord) => boolean])[] = [
  ['its number is no number above 0', ({ number }) => Number.isInteger(number) && number > 0],
  [
    'it has no fingerprint',
    ({ fingerprint, codeHash }) => [fingerprint, codeHash].every((it) => /^[\da-f]{64}$/.test(it)),
  ],
  ['it has no date', ({ createdAt }) => typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt))],
  ['it has no code', ({ code }) => isCodeText(code)],
  [
    'its copy leads out of its folder',
    ({ copy }) =>
      copy === null ||
      (isObject(copy) && isTexts(copy.files) && copy.files.every(isInside) && isInside(copy.entry ?? '')),
  ],
  [
    'its requirements are none',
    ({ requirements }) =>
      requirements === null ||
      (isObject(requirements) &&
        ['node', 'python'].includes(requirements.language) &&
        isInside(requirements.path) &&
        typeof requirements.origin === 'string'),
  ],
  [
    'it has no template',
    ({ template }) =>
      isObject(template) &&
      isObject(template.environment) &&
      isTexts(Object.values(template.environment)) &&
      isTexts(template.secretVariables) &&
      isObject(template.settings) &&
      isObject(template.settings.scaling) &&
      isObject(template.settings.limits) &&
      [template.settings.timeoutMs, template.settings.concurrency].every((it) => typeof it === 'number'),
  ],
  ['its notes are none', ({ notes }) => isTexts(notes)],
];

function isCodeText(code: Code): boolean {
  if (!isObject(code)) return false;
  if (code.language === 'node' || code.language === 'python') return typeof code.file === 'string';
  if (code.language === 'program') return isTexts(code.command) && typeof code.folder === 'string';
  return code.language === 'image' && typeof code.image === 'string';
}
