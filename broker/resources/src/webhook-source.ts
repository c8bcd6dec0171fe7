import { CONTEXT_ATTRIBUTES } from '@millrace/event/attributes';
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination } from './destination.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import { join } from './path.ts';
import type { Resource } from './resource.ts';
import { Fields, Text, Texts } from './schema.ts';
import type { Rule } from './schema.ts';
import { KeySelectorSchema } from './secret-key.ts';
import { SOURCE } from './source-fields.ts';
import { isTemplateFault, parseTemplate } from './template.ts';

/** The type of an event whose source says none. */
export const WEBHOOK_EVENT_TYPE = 'dev.millrace.webhook';

const templateRule: Rule<string> = (text, path, tell) => {
  const parsed = parseTemplate(text);
  if (!isTemplateFault(parsed)) return;
  tell.fault(complaint(path, `${parsed.expected} at character ${parsed.offset + 1}`, show(path, text)));
};

const idRule: Rule<string> = (text, path, tell) => {
  templateRule(text, path, tell);
  const parsed = parseTemplate(text);
  if (isTemplateFault(parsed) || parsed.some((part) => 'from' in part)) return;
  const expected = 'a template with a value in it, such as "{body.id}": an id is one event\'s own';
  tell.fault(complaint(path, expected, show(path, text)));
};

const Template = (options: object) => Text({ rule: templateRule, expected: 'a template', ...options });

const extensionsRule: Rule<Record<string, unknown>> = (extensions, path, tell) => {
  for (const [name, text] of Object.entries(extensions)) {
    const at = join(path, name);
    if (typeof text === 'string') templateRule(text, at, tell);
    if (name === 'data' || (CONTEXT_ATTRIBUTES as readonly string[]).includes(name))
      tell.fault(complaint(at, 'the name of an extension', 'an attribute that CloudEvents names itself'));
  }
};

/**
 * What the events look like: templates (see `template.ts`) over the headers, the query and the body of a request. An
 * absent value is the empty text. A request whose type, source or id comes out empty is refused; an empty subject or
 * extension is left out. The data is the body as it came, with its content type. A request that already is a CloudEvent
 * stays what it is.
 */
const EventSchema = Fields(
  {
    type: Template({ default: WEBHOOK_EVENT_TYPE }),
    source: Template({ defaulted: '/apis/v1/namespaces/<namespace>/webhooksources/<name>' }),
    subject: Type.Optional(Template({})),
    /**
     * Senders repeat a request under the same id, so an id of theirs makes repetitions recognisable. Absent: the id that
     * the sender signed, where `verify` says how; else each request is new.
     */
    id: Type.Optional(Text({ rule: idRule, expected: 'a template' })),
    extensions: Type.Optional(
      Texts({
        propertyNames: {
          pattern: '^[a-z0-9]+$',
          expected: 'the name of an extension: lower-case letters and digits',
        },
        rule: extensionsRule,
        expected: 'an object of extension names to templates',
      }),
    ),
  },
  { default: {}, expected: 'an object of attribute names to templates' },
);

const SCHEMES = ['standardWebhooks', 'github'] as const;

const oneScheme: Rule<Record<string, unknown>> = (verify, path, tell) => {
  const used = SCHEMES.filter((scheme) => verify[scheme] !== undefined);
  if (used.length === 1) return;
  const [got, text] = used.length === 0 ? ['neither', 'got neither'] : ['both', 'got both'];
  tell.fault(
    complaint(path, `exactly one of ${SCHEMES.join(', ')}`, got, {
      text: `expected exactly one, ${text}: ${SCHEMES.join(', ')}`,
    }),
  );
};

const Signed = Type.Optional(
  Fields({ secretKeyRef: KeySelectorSchema }, { expected: 'an object with secretKeyRef: { name, key }' }),
);

const VerifySchema = Fields(
  {
    /** Headers `webhook-id`, `webhook-timestamp`, `webhook-signature` (the Standard Webhooks specification). */
    standardWebhooks: Signed,
    /** Header `x-hub-signature-256`, an HMAC-SHA256 of the body. */
    github: Signed,
    /** How far the timestamp of a request may be from now, where the scheme has one. */
    toleranceSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 300,
      expected: 'an integer from 1 to 86400',
    }),
  },
  { rule: oneScheme, expected: 'an object with standardWebhooks or github' },
);

const pathRule: Rule<string> = (path, at, tell) => {
  const clean = URL.canParse(path, 'http://host') && new URL(path, 'http://host').pathname === path;
  if (clean && !path.includes('//')) return;
  const expected = 'a URL path that begins with "/", without query, fragment, "//" and ".."';
  const suggestion = path.startsWith('/') ? undefined : JSON.stringify(`/${path}`);
  tell.fault(complaint(at, expected, show(at, path), { suggestion }));
};

const SpecSchema = Fields(
  {
    /** Where requests are taken, on the port that also takes events. */
    path: Type.String({
      rule: pathRule,
      expected: 'a URL path that begins with "/"',
      defaulted: '/webhooks/<namespace>/<name>',
    }),
    ...SOURCE,
    event: EventSchema,
    /** How a request proves whose it is; without it all are taken. */
    verify: Type.Optional(VerifySchema),
    /** Media types that are taken, parameters aside; others get a 415. Any, when absent. */
    contentTypes: Type.Optional(
      Type.Array(
        Type.String({
          pattern: String.raw`^[a-z\d!#$&^_.+-]+/[a-z\d!#$&^_.+-]+$`,
          expected: 'a media type in lower case, without parameters, such as "application/json"',
        }),
        { minItems: 1, expected: 'a list of at least one media type' },
      ),
    ),
  },
  { expected: 'an object with sink' },
);

/** What a {@link WebhookSource} says. */
export type WebhookSourceSpec = Static<typeof SpecSchema>;

/**
 * HTTP requests of anyone (GitHub, Stripe, a form) as events to a sink. Our own kind (sources.millrace.dev/v1alpha1):
 *
 *     spec:
 *       path: /hooks/github
 *       verify: { github: { secretKeyRef: { name: github, key: secret } } }
 *       event:
 *         type: github.{headers.x-github-event}.{body.action}
 *         subject: "{body.repository.full_name}"
 *       sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default } }
 */
export type WebhookSource = Resource<'WebhookSource', WebhookSourceSpec>;

const unverified: Rule<{ spec?: { verify?: unknown } }> = ({ spec }, _path, tell) => {
  if (spec !== undefined && spec.verify === undefined)
    tell.receipt('spec', 'spec.verify is not given: requests are taken from anyone');
};

/** The kind WebhookSource. */
export const webhookSourceKind: KindDefinition<WebhookSource> = {
  kind: 'WebhookSource',
  apiVersions: ['sources.millrace.dev/v1alpha1'],
  schema: Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal('WebhookSource'),
      metadata: MetadataSchema,
      spec: SpecSchema,
      status: Type.Optional(Type.Unknown()),
    },
    { rule: unverified },
  ),
  complete({ metadata: { name, namespace }, spec }) {
    spec.path ??= `/webhooks/${namespace}/${name}`;
    spec.event.source ??= `/apis/v1/namespaces/${namespace}/webhooksources/${name}`;
    completeDestination(spec.sink, namespace);
  },
};
