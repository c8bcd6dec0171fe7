import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import { Fields, Text } from './schema.ts';
import type { Rule } from './schema.ts';

const CHECKS = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;
// Serving's own words (ErrMultipleOneOf), and why grpc is none of those that one can choose.
const CHOICE = 'exactly one of httpGet, tcpSocket, exec';

const PortSchema = Type.Unsafe<string | number>({
  type: ['integer', 'string'],
  minimum: 0,
  maximum: 65_535,
  minLength: 1,
  expected: 'a port, or the name of one',
});

const HttpGetSchema = Fields(
  {
    path: Type.Optional(Type.String({ expected: 'a path, such as "/healthz"' })),
    port: Type.Optional(PortSchema),
    host: Type.Optional(Type.String()),
    scheme: Type.Optional(
      Type.Enum(['HTTP', 'HTTPS'], {
        expected: 'HTTP or HTTPS',
        rule: ((scheme, path, tell) => {
          if (scheme === 'HTTPS') tell.receipt(path, 'HTTPS is probed over HTTP, which functions speak here');
        }) satisfies Rule<string>,
        type: 'string',
      }),
    ),
    httpHeaders: Type.Optional(
      Type.Array(
        Fields({
          name: Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", expected: 'the name of a header' }),
          value: Type.String({ pattern: '^[^\\r\\n\\x00]*$', expected: 'a text of one line' }),
        }),
        { expected: 'a list of objects with name and value' },
      ),
    ),
  },
  { expected: 'an object with path' },
);

const oneCheck: Rule<Record<string, unknown>> = (probe, path, tell) => {
  if (probe['grpc'] !== undefined) {
    const text = 'grpc probes cannot be run here: functions speak HTTP';
    tell.fault(complaint(join(path, 'grpc'), CHOICE, 'grpc', { text }));
  }
  const used = CHECKS.filter((check) => probe[check] !== undefined);
  if (used.length < 2) return;
  tell.fault(
    complaint(path, CHOICE, used.join(' and '), { text: `expected exactly one, got both: ${used.join(', ')}` }),
  );
};

/** Serving's: a period of zero asks for a probe without pause, which has no use for the other two. */
const withoutPeriod: Rule<Record<string, unknown>> = (probe, path, tell) => {
  if (probe['periodSeconds'] !== 0) return;
  for (const field of ['failureThreshold', 'timeoutSeconds']) {
    if (probe[field] === undefined || probe[field] === 0) continue;
    const at = join(path, field);
    const text = `${field} is disallowed when periodSeconds is zero`;
    tell.fault(complaint(at, 'nothing, or a periodSeconds above 0', show(at, probe[field]), { text }));
  }
};

const named: Rule<Record<string, unknown>> = (probe, path, tell) => {
  if (CHECKS.some((check) => probe[check] !== undefined)) return;
  tell.fault(complaint(path, CHOICE, 'none', { text: 'expected exactly one, got neither: exec, httpGet, tcpSocket' }));
};

const once: Rule<Record<string, unknown>> = ({ successThreshold }, path, tell) => {
  if (typeof successThreshold !== 'number' || successThreshold === 1) return;
  const at = join(path, 'successThreshold');
  tell.fault(complaint(at, '1', show(at, successThreshold), { text: 'must be 1' }));
};

const notRun: Rule = (_probe, path, tell) =>
  tell.receipt(path, 'a startupProbe is not run here: an instance takes calls as soon as its readinessProbe succeeds');

const integer = (minimum: number) =>
  Type.Optional(Type.Integer({ minimum, maximum: 2_147_483_647, expected: `an integer >= ${minimum}` }));

const probe = (...rules: Rule<Record<string, unknown>>[]) =>
  Fields(
    {
      httpGet: Type.Optional(HttpGetSchema),
      tcpSocket: Type.Optional(Fields({ port: Type.Optional(PortSchema), host: Type.Optional(Type.String()) })),
      exec: Type.Optional(
        Fields({
          command: Type.Array(Text(), { minItems: 1, expected: 'a list of texts: the command and its arguments' }),
        }),
      ),
      grpc: Type.Optional(Type.Unknown()),
      initialDelaySeconds: integer(0),
      timeoutSeconds: integer(0),
      periodSeconds: integer(0),
      successThreshold: integer(1),
      failureThreshold: integer(0),
      terminationGracePeriodSeconds: integer(1),
    },
    {
      expected: 'an object with httpGet, tcpSocket or exec',
      rule(value, path, tell) {
        for (const rule of [oneCheck, withoutPeriod, ...rules]) rule(value, path, tell);
      },
    },
  );

/** Whether a container takes calls. Serving takes one that names no check for a TCP probe. */
export const ReadinessSchema = probe();
/** Whether it must be ended and begun anew. */
export const LivenessSchema = probe(named, once);
/** Whether it has started. Kept, not run. */
export const StartupSchema = probe(named, once, notRun);

/** What a probe says. */
export type ProbeSpec = Static<typeof ReadinessSchema>;
