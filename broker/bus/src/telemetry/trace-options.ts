import { redactText } from './redact.ts';

/** Where spans go. */
export interface TraceTarget {
  /** The whole URL, `http://collector:4318/v1/traces`. */
  readonly endpoint: string;
  /** Sent with every request, such as credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** The resource attribute `service.name`. */
  readonly serviceName: string;
}

const SERVICE = 'millrace';
const PROTOCOLS = ['http/json', 'http/protobuf'];

/**
 * What the variables of OpenTelemetry say of traces (OTel specification, "OTLP exporter configuration" and "SDK
 * environment variables"); undefined when no endpoint is given or traces are switched off. What is said for traces alone
 * goes before what is said for all signals; an empty value counts as none. Throws when the endpoint is no http(s) URL, or
 * the protocol is one that is not spoken here.
 */
export function traceOptionsFrom(environment: Readonly<Record<string, string | undefined>>): TraceTarget | undefined {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const forTraces = (name: string): string | undefined =>
    read(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? read(`OTEL_EXPORTER_OTLP_${name}`);

  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || read('OTEL_TRACES_EXPORTER') === 'none') return undefined;
  const endpoint = endpointFrom(read);
  if (endpoint === undefined) return undefined;

  const protocol = forTraces('PROTOCOL');
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    throw new Error(
      `OTEL_EXPORTER_OTLP_PROTOCOL: expected one of ${PROTOCOLS.join(', ')}, got "${protocol}"; ` +
        'use the HTTP port of the collector (usually 4318)',
    );
  }
  return {
    endpoint,
    headers: pairs(forTraces('HEADERS')),
    serviceName: read('OTEL_SERVICE_NAME') ?? pairs(read('OTEL_RESOURCE_ATTRIBUTES'))['service.name'] ?? SERVICE,
  };
}

function endpointFrom(read: (name: string) => string | undefined): string | undefined {
  // The one for traces is used as it stands, the one for all signals is what their paths are put behind.
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (own !== undefined) return checked('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own);
  const shared = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (shared === undefined) return undefined;
  const url = new URL(checked('OTEL_EXPORTER_OTLP_ENDPOINT', shared));
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}

function checked(name: string, endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url !== null && /^https?:$/.test(url.protocol)) return endpoint;
  throw new Error(`${name}: expected a URL such as http://localhost:4318, got "${redactText(endpoint)}"`);
}

/** `a=1,b=2`, the values percent-encoded, as W3C Baggage has it. What is no pair is left out. */
function pairs(text = ''): Record<string, string> {
  const read: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) read[pair.slice(0, equals).trim()] = decoded(pair.slice(equals + 1).trim());
  }
  return read;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
