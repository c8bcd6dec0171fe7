import { Type } from 'typebox';
import { complaint } from './fault.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import { Fields, Text } from './schema.ts';
import type { Rule, Tell } from './schema.ts';

// Each with its own default, as Knative has them (Apache Camel's connectors).
const flag = (value: boolean) => Type.Boolean({ default: value });
const count = (value: number) => Type.Integer({ minimum: 0, default: value, expected: 'an integer >= 0' });
const Count = Type.Optional(Type.Integer({ minimum: 0, expected: 'an integer >= 0' }));
const Words = Type.Optional(Type.String());

const Region = Text({ expected: 'a region, such as "eu-central-1"' });
const Arn = Text({ expected: 'an ARN' });
const ENDPOINT = { uriEndpointOverride: Words, overrideEndpoint: flag(false) };

/** A bucket of S3. */
export const S3Schema = Fields(
  {
    arn: Arn,
    region: Region,
    deleteAfterRead: flag(true),
    moveAfterRead: flag(false),
    destinationBucket: Words,
    destinationBucketPrefix: Words,
    destinationBucketSuffix: Words,
    autoCreateBucket: flag(false),
    prefix: Words,
    ignoreBody: flag(false),
    ...ENDPOINT,
    forcePathStyle: flag(false),
    delay: count(500),
    maxMessagesPerPoll: count(10),
  },
  { expected: 'an object with arn and region' },
);

/** A queue of SQS. */
export const SqsSchema = Fields(
  {
    arn: Arn,
    region: Region,
    deleteAfterRead: flag(true),
    autoCreateQueue: flag(false),
    host: Type.String({ default: 'amazonaws.com' }),
    protocol: Type.String({ default: 'https' }),
    queueURL: Words,
    ...ENDPOINT,
    delay: count(500),
    greedy: flag(false),
    maxMessagesPerPoll: count(1),
    waitTimeSeconds: Count,
    visibilityTimeout: Count,
  },
  { expected: 'an object with arn and region' },
);

/** A topic of SNS. */
export const SnsSchema = Fields(
  { arn: Arn, region: Region, autoCreateTopic: flag(false), ...ENDPOINT },
  { expected: 'an object with arn and region' },
);

/** The changes of a table of DynamoDB. */
export const DdbStreamsSchema = Fields(
  {
    table: Text({ expected: 'the name of a table' }),
    region: Region,
    streamIteratorType: Type.String({ default: 'FROM_LATEST' }),
    ...ENDPOINT,
    delay: count(500),
  },
  { expected: 'an object with table and region' },
);

/** Whose credentials are used: those in a Secret, or those of a ServiceAccount. */
export const AwsAuthSchema = Type.Optional(
  Fields(
    {
      secret: Type.Optional(Fields({ ref: Fields({ name: Text({ expected: 'the name of a Secret' }) }) })),
      serviceAccountName: Words,
    },
    { expected: 'an object with secret or serviceAccountName' },
  ),
);

type Aws = { auth?: { secret?: { ref?: { name?: unknown } }; serviceAccountName?: unknown } } & Record<string, unknown>;

/**
 * The rule of a spec that is one of several things: what stands directly in it (`direct`), or one part of `aws`, which
 * then needs credentials. `what` is how Knative calls it: `source` or `sink`.
 */
export function exactlyOne(
  what: 'source' | 'sink',
  direct: string,
  parts: readonly string[],
): Rule<Record<string, unknown>> {
  return (spec, path, tell) => {
    const aws = (typeof spec['aws'] === 'object' && spec['aws'] !== null ? spec['aws'] : {}) as Aws;
    const used = parts.filter((part) => aws[part] !== undefined).map((part) => `aws.${part}`);
    const all = spec[direct] === undefined ? used : [direct, ...used];
    const expected = `exactly one of ${[direct, ...parts.map((part) => `aws.${part}`)].join(', ')}`;
    if (all.length > 1) {
      const text = `only one ${what} type can be set`;
      tell.fault(complaint(path, expected, all.join(' and '), { text }));
    } else if (all.length === 0) {
      const text = `at least one ${what} type must be specified`;
      tell.fault(complaint(path, expected, 'none', { text }));
    } else if (used.length === 1) credentials(aws, join(path, 'aws'), tell);
  };
}

function credentials({ auth }: Aws, path: Path, tell: Tell): void {
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  const at = `${path}.auth.secret.ref.name`;
  const named = [isText(auth?.secret?.ref?.name), isText(auth?.serviceAccountName)].filter(Boolean).length;
  if (named === 1) return;
  const got = named === 0 ? 'neither' : 'both';
  const text = named === 0 ? `missing field(s): ${at}` : undefined;
  tell.fault(
    complaint(`${path}.auth`, 'either secret.ref.name or serviceAccountName', got, text === undefined ? {} : { text }),
  );
}
