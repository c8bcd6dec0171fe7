import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { Option } from 'commander';
import type { Command } from 'commander';

import { CommandFailure } from '../exit-codes.ts';
import { addSecurity, securityOf } from './security-settings.ts';
import type { SecuritySettings } from './security-settings.ts';

/** Everything that `millrace up` can be told; each by a flag, some by the environment as well. */
export interface Settings extends SecuritySettings {
  readonly manifests: readonly string[];
  /** Whether what Knative refuses of a manifest is a fault, also where we take it. */
  readonly strict: boolean;
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Absolute. */
  readonly dataFolder: string;
  readonly codeFolder: string | undefined;
  /** Where packages of functions are installed. Absolute. */
  readonly cacheFolder: string;
  /** Whether manifests and code are read again when they change. */
  readonly watch: boolean;
  /** Whether functions are started while those before them in a flow are at work. */
  readonly prewarm: boolean;
  /** Whether EventTypes are made of events that enter. */
  readonly eventTypes: boolean;
  readonly aliases: Readonly<Record<string, string>>;
  readonly maxEventBytes: number;
  readonly retainMs: number;
  readonly retainBytes: number;
  readonly logFormat: 'text' | 'json';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** How long the end may wait for deliveries under way, in milliseconds. */
  readonly drainMs: number;
}

const DAY_MS = 24 * 3_600_000;
const MIB = 1024 * 1024;

/** Adds the options to the command. */
export function addSettings(command: Command): Command {
  const several = (value: string, before: readonly string[] = []) => [...before, value];
  command
    .addOption(
      new Option('-f, --file <path>', 'manifest file or folder; may be given several times').argParser(several),
    )
    .addOption(new Option('--strict', 'refuse what Knative refuses of manifests'))
    .addOption(new Option('--host <address>', 'address that takes events').default('127.0.0.1').env('MILLRACE_HOST'))
    .addOption(port('--port <number>', 'port that takes events', 8080, 'MILLRACE_PORT'))
    .addOption(
      new Option('--admin-host <address>', 'address for health, metrics and commands')
        .default('127.0.0.1')
        .env('MILLRACE_ADMIN_HOST'),
    )
    .addOption(port('--admin-port <number>', 'port for health, metrics and commands', 8081, 'MILLRACE_ADMIN_PORT'))
    .addOption(new Option('--data <folder>', 'where events are kept').default('.millrace').env('MILLRACE_DATA'))
    .addOption(
      new Option(
        '--code <folder>',
        'where the code of Services is looked for, besides functions/ beside the manifests',
      ),
    )
    .addOption(
      new Option(
        '--cache <folder>',
        'where packages of functions are installed (default: ~/.cache/millrace/packages)',
      ).env('MILLRACE_CACHE'),
    )
    .addOption(new Option('--no-prewarm', 'do not start functions while those before them in a flow are at work'))
    .addOption(new Option('--no-event-types', 'make no EventTypes of events that enter'))
    .addOption(new Option('--no-watch', 'do not read manifests and code again when they change'))
    .addOption(
      new Option(
        '--alias <from=to>',
        'another address for host:port, such as kafka:9092=127.0.0.1:19092; may be given several times',
      ).argParser(several),
    )
    .addOption(number('--max-event-bytes <bytes>', 'the longest data of one event', MIB))
    .addOption(number('--retain-days <days>', 'how long delivered events are kept', 7))
    .addOption(number('--retain-mib <MiB>', 'how large the data may grow before delivered events go earlier', 10_240))
    .addOption(new Option('--log-format <format>').choices(['text', 'json']).default('text').env('MILLRACE_LOG_FORMAT'))
    .addOption(
      new Option('--log-level <level>')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info')
        .env('MILLRACE_LOG_LEVEL'),
    )
    .addOption(number('--drain-seconds <seconds>', 'how long to wait at the end for deliveries under way', 30));
  return addSecurity(command);
}

/** What the parsed options mean. Throws a {@link CommandFailure} for an alias that is none. */
export function settingsOf(options: Record<string, unknown>): Settings {
  const given = options as {
    file?: string[];
    strict?: true;
    host: string;
    port: number;
    adminHost: string;
    adminPort: number;
    data: string;
    code?: string;
    cache?: string;
    watch: boolean;
    prewarm: boolean;
    eventTypes: boolean;
    alias?: string[];
    maxEventBytes: number;
    retainDays: number;
    retainMib: number;
    logFormat: Settings['logFormat'];
    logLevel: Settings['logLevel'];
    drainSeconds: number;
  };
  return {
    manifests: given.file ?? [],
    strict: given.strict === true,
    host: given.host,
    port: given.port,
    adminHost: given.adminHost,
    adminPort: given.adminPort,
    dataFolder: resolve(given.data),
    codeFolder: given.code === undefined ? undefined : resolve(given.code),
    cacheFolder: resolve(given.cache ?? join(homedir(), '.cache/millrace/packages')),
    watch: given.watch,
    prewarm: given.prewarm,
    eventTypes: given.eventTypes,
    aliases: Object.fromEntries((given.alias ?? []).map(aliasOf)),
    maxEventBytes: given.maxEventBytes,
    retainMs: given.retainDays * DAY_MS,
    retainBytes: given.retainMib * MIB,
    logFormat: given.logFormat,
    logLevel: given.logLevel,
    drainMs: given.drainSeconds * 1_000,
    ...securityOf(options),
  };
}

function aliasOf(text: string): [from: string, to: string] {
  const [from, to, ...rest] = text.split('=');
  const isAddress = (value: string | undefined) => value !== undefined && /^[^\s:/]+:\d+$/.test(value);
  if (rest.length > 0 || !isAddress(from) || !isAddress(to)) {
    throw new CommandFailure('usage', `--alias: expected host:port=host:port, got "${text}"`);
  }
  return [from!, to!];
}

function port(flag: string, description: string, otherwise: number, variable: string): Option {
  return number(flag, `${description} (0: a free one)`, otherwise, 65_535).env(variable);
}

function number(flag: string, description: string, otherwise: number, most = Number.MAX_SAFE_INTEGER): Option {
  return new Option(flag, description).default(otherwise).argParser((text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw new CommandFailure('usage', `${flag}: expected an integer from 0 to ${most}, got "${text}"`);
  });
}
