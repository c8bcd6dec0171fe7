import { Type } from 'typebox';
import type { Static } from 'typebox';
import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import { LivenessSchema, ReadinessSchema, StartupSchema } from './probe.ts';
import { quantitiesRule, requestsRule } from './quantity.ts';
import type { Quantity } from './quantity.ts';
import { Fields, Open, Text } from './schema.ts';
import type { Rule } from './schema.ts';
import { KeySelectorSchema } from './secret-key.ts';

const VALUE_SOURCES = ['secretKeyRef', 'configMapKeyRef', 'fieldRef', 'resourceFieldRef'] as const;

const oneValueSource: Rule<Record<string, unknown>> = (from, path, tell) => {
  const used = VALUE_SOURCES.filter((source) => from[source] !== undefined);
  if (used.length === 1) return;
  const got = used.length === 0 ? 'none' : used.join(' and ');
  tell.fault(complaint(path, `exactly one of ${VALUE_SOURCES.join(', ')}`, got));
};

const valueOnce: Rule<Record<string, unknown>> = ({ value, valueFrom }, path, tell) => {
  if (typeof value !== 'string' || value === '' || valueFrom === undefined) return;
  const text = `expected exactly one, got both: ${path}.value, ${path}.valueFrom`;
  tell.fault(complaint(join(path, 'valueFrom'), 'value or valueFrom', 'both', { text }));
};

const EnvSchema = Fields(
  {
    name: Type.String({ pattern: '^[^=\\x00]+$', expected: 'the name of an environment variable' }),
    value: Type.Optional(Type.String({ expected: 'a text' })),
    valueFrom: Type.Optional(
      Fields(
        {
          secretKeyRef: Type.Optional(KeySelectorSchema),
          configMapKeyRef: Type.Optional(KeySelectorSchema),
          fieldRef: Type.Optional(Open()),
          resourceFieldRef: Type.Optional(Open()),
        },
        { rule: oneValueSource, expected: 'an object with secretKeyRef or configMapKeyRef' },
      ),
    ),
  },
  { rule: valueOnce, expected: 'an object with name and value' },
);

/** One environment variable: a text, or where to find it. */
export type Env = Static<typeof EnvSchema>;

const Whole = Fields({ name: Text(), optional: Type.Optional(Type.Boolean()) }, { expected: 'an object with name' });

const EnvFromSchema = Fields({
  prefix: Type.Optional(Type.String()),
  secretRef: Type.Optional(Whole),
  configMapRef: Type.Optional(Whole),
});

// Kubernetes takes quantities as text or number ("500m", 2).
const Quantities = Type.Optional(
  Type.Unsafe<Record<string, Quantity>>({
    type: 'object',
    additionalProperties: { type: ['string', 'number'], expected: 'a quantity such as "512Mi" or "500m"' },
    rule: quantitiesRule,
    expected: 'an object of quantities',
  }),
);

const PortSchema = Fields({
  containerPort: Type.Integer({ minimum: 1, maximum: 65_535, expected: 'a port from 1 to 65535' }),
  /** `h2c` for HTTP/2, `http1` (the default) for HTTP/1.1. */
  name: Type.Optional(Type.String()),
  protocol: Type.Optional(Type.Enum(['TCP'])),
});

const TextList = Type.Optional(Type.Array(Type.String(), { expected: 'a list of texts' }));
const Anything = Type.Optional(Open());
const List = Type.Optional(Type.Array(Open(), { expected: 'a list of objects' }));

const CONTAINER = {
  /** Clients in Go say `""` where they say nothing. */
  name: Type.Optional(Type.String()),
  image: Text({ expected: 'the name of an image' }),
  imagePullPolicy: Type.Optional(Type.Enum(['Always', 'IfNotPresent', 'Never'])),
  command: TextList,
  args: TextList,
  workingDir: Type.Optional(Type.String()),
  env: Type.Optional(Type.Array(EnvSchema, { expected: 'a list of environment variables' })),
  envFrom: Type.Optional(Type.Array(EnvFromSchema)),
  ports: Type.Optional(Type.Array(PortSchema, { maxItems: 1, expected: 'a list of at most one port' })),
  resources: Type.Optional(
    Fields(
      { limits: Quantities, requests: Quantities, claims: List },
      { rule: requestsRule, expected: 'an object with limits and requests' },
    ),
  ),
  readinessProbe: Type.Optional(ReadinessSchema),
  livenessProbe: Type.Optional(LivenessSchema),
  startupProbe: Type.Optional(StartupSchema),
  lifecycle: Anything,
  securityContext: Anything,
  volumeMounts: List,
  volumeDevices: List,
  restartPolicy: Type.Optional(Type.String()),
  stdin: Type.Optional(Type.Boolean()),
  stdinOnce: Type.Optional(Type.Boolean()),
  tty: Type.Optional(Type.Boolean()),
  terminationMessagePath: Type.Optional(Type.String()),
  terminationMessagePolicy: Type.Optional(Type.String()),
};

/** A container of a pod; what is Kubernetes' own business (mounts, security) is taken as it is. */
const ContainerSchema = Fields(CONTAINER, { expected: 'a container: an object with image' });

/** What a container says. */
export type Container = Static<typeof ContainerSchema>;

const portOnce: Rule<unknown[]> = (containers, path, tell) => {
  if (containers.length < 2) return;
  const serving = containers.filter((container) => (container as { ports?: unknown } | null)?.ports !== undefined);
  if (serving.length === 1) return;
  const text = serving.length === 0 ? 'missing field(s): ports' : 'more than one container port is set';
  tell.fault(complaint(path, 'exactly one of several containers with ports', show('', serving.length), { text }));
};

/** The fields of a Kubernetes PodSpec that a function may have. */
export const POD = {
  containers: Type.Unsafe<Container[]>({
    ...Type.Array(ContainerSchema, { minItems: 1, expected: 'a list of at least one container' }),
    rule: portOnce,
  }),
  initContainers: Type.Optional(Type.Array(ContainerSchema)),
  serviceAccountName: Type.Optional(Type.String()),
  automountServiceAccountToken: Type.Optional(Type.Boolean()),
  enableServiceLinks: Type.Optional(Type.Boolean()),
  imagePullSecrets: List,
  volumes: List,
  nodeSelector: Anything,
  tolerations: List,
  affinity: Anything,
  topologySpreadConstraints: List,
  runtimeClassName: Type.Optional(Type.String()),
  priorityClassName: Type.Optional(Type.String()),
  schedulerName: Type.Optional(Type.String()),
  securityContext: Anything,
  hostAliases: List,
  dnsPolicy: Type.Optional(Type.String()),
  dnsConfig: Anything,
  hostNetwork: Type.Optional(Type.Boolean()),
  hostPID: Type.Optional(Type.Boolean()),
  hostIPC: Type.Optional(Type.Boolean()),
  shareProcessNamespace: Type.Optional(Type.Boolean()),
  terminationGracePeriodSeconds: Type.Optional(Type.Integer({ minimum: 0, expected: 'an integer >= 0' })),
};
