/** What this function is asked. */
interface Asked {
  name: string;
}

/** The event: its attributes by name, and its data. */
interface Event {
  id: string;
  type: string;
  subject?: string;
  data?: Partial<Asked>;
}

/** What comes with every call. */
interface Context {
  logger: Record<'debug' | 'info' | 'warn' | 'error', (message: string, fields?: object) => void>;
  /** An error for a status of its own: from 400 to 499 the event is not tried again. */
  failure: (message: string, options?: { status?: number; retryAfterMs?: number }) => Error;
  /** Aborts when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** What it returns is the reply; nothing is no reply. */
export default function handle({ data, subject }: Event, { logger, failure }: Context) {
  if (typeof data?.name !== 'string') throw failure('data.name: expected a text', { status: 400 });
  logger.info('greeting', { name: data.name });
  return { type: '__NAME__.answered', subject, data: { greeting: `Hello, ${data.name}!` } };
}
