import type Anthropic from '@anthropic-ai/sdk';

type Environment = Readonly<Record<string, string | undefined>>;

/** What decides to whom a client speaks, and as whom. */
const VARIABLES = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL'];

// The one state of the module: a process keeps its clients, so that all its agents share connections and credentials.
const clients = new Map<string, Promise<Anthropic>>();

/**
 * The client for the environment as it is now: made at the first use, then the same one for the same key and address.
 * The SDK is loaded here, at the first use, since it is large. It does not retry: the bus keeps the event and tries
 * again later, also when this process is long gone.
 */
export function clientFor(environment: Environment = process.env): Promise<Anthropic> {
  const [apiKey, authToken, baseURL] = VARIABLES.map((name) => environment[name]?.trim() || undefined);
  const who = JSON.stringify([apiKey, authToken, baseURL]);
  let client = clients.get(who);
  if (client === undefined) {
    const credential = apiKey !== undefined ? { apiKey } : authToken !== undefined ? { authToken } : {};
    client = import('@anthropic-ai/sdk').then(
      ({ default: Anthropic }) => new Anthropic({ ...credential, baseURL, maxRetries: 0 }),
    );
    clients.set(who, client);
  }
  return client;
}

/** What must not be in an error. */
export function secretsOf(environment: Environment = process.env): string[] {
  return ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'].flatMap((name) => environment[name]?.trim() || []);
}
