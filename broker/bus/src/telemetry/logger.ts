import { pino } from 'pino';

import { RANKS } from './levels.ts';
import type { Level, Logger, Say } from './levels.ts';
import { lineOf } from './line.ts';
import { redactFacts, redactText } from './redact.ts';
import { hearFacts } from './tell.ts';

export type { Level, Logger, Say } from './levels.ts';

/** How the log is written. */
export interface LoggerOptions {
  /** Takes one record, its newline included. */
  readonly write: (line: string) => void;
  /** `text` for people in front of a terminal, `json` for programs. */
  readonly format: 'text' | 'json';
  /** The least level that is written. */
  readonly level: Level;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether text may be coloured. */
  readonly colour: boolean;
  /** How the command is called in what a person is told to do. Default: `millrace`. */
  readonly command?: string;
}

/** A logger that also hears the bus. */
export interface RunningLogger extends Logger {
  /** Listens to the bus no longer; what it is told directly is still written. */
  close(): void;
}

/** Writes what it is told, and what the bus tells of itself: failures always, success only at `debug`. */
export function startLogger(options: LoggerOptions): RunningLogger {
  const least = RANKS[options.level];
  const write = options.format === 'json' ? jsonWriter(options) : textWriter(options);
  const say =
    (level: Level): Say =>
    (message, facts = {}) => {
      if (RANKS[level] < least) return;
      try {
        write(level, redactText(message), redactFacts(facts));
      } catch {
        // Nobody can be told that nobody can be told: the bus goes on without its log.
      }
    };
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const close = hearFacts(logger, { tellsSuccess: options.level === 'debug', command: options.command ?? 'millrace' });
  return { ...logger, close };
}

type Write = (level: Level, message: string, facts: Record<string, unknown>) => void;

function textWriter({ write, now, colour }: LoggerOptions): Write {
  return (level, message, facts) => write(lineOf({ time: now(), level, message, facts, colour }));
}

/** The names that pino gives its own parts of a record. */
const OWN = ['time', 'level', 'message'];

function jsonWriter({ write, now, level }: LoggerOptions): Write {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return (at, message, facts) => {
    for (const name of OWN) {
      if (!(name in facts)) continue;
      facts[`${name}_`] = facts[name];
      delete facts[name];
    }
    logger[at](facts, message);
  };
}
