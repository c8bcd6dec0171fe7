import { Option } from 'commander';
import type { Command } from 'commander';

import type { AuthorizationMode } from '@millrace/bus/plan/protection';

import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';
import { tlsFilesOf } from './tls-files.ts';
import type { TlsFiles } from './tls-files.ts';

/** Who may do what, as far as `millrace up` is told. */
export interface SecuritySettings {
  /** Default: made in the data folder, where one is needed. */
  readonly adminTokenFile: string | undefined;
  readonly adminReadTokenFile: string | undefined;
  readonly adminTls: TlsFiles | undefined;
  /** Whether tokens may come over plain HTTP from other machines. */
  readonly insecureAdmin: boolean;
  readonly metricsWithoutToken: boolean;
  /** Of the port that takes events. */
  readonly tls: TlsFiles | undefined;
  /** How senders of events are authenticated. Undefined: not at all. */
  readonly authentication: AuthenticationSettings | undefined;
}

/** How senders of events are authenticated. */
export interface AuthenticationSettings {
  /** Of whom no EventPolicy speaks. */
  readonly mode: AuthorizationMode;
  /** Whose tokens are taken. Undefined: our own. */
  readonly discoveryBaseUrl: string | undefined;
}

const MODES: readonly AuthorizationMode[] = ['allow-same-namespace', 'allow-all', 'deny-all'];

/** Adds the options to the command. */
export function addSecurity(command: Command): Command {
  return command
    .addOption(
      new Option('--admin-token-file <path>', 'the token that the admin port asks for').env(
        'MILLRACE_ADMIN_TOKEN_FILE',
      ),
    )
    .addOption(
      new Option('--admin-read-token-file <path>', 'another one, for who may only look').env(
        'MILLRACE_ADMIN_READ_TOKEN_FILE',
      ),
    )
    .addOption(
      new Option('--admin-tls-cert <path>', 'certificate of the admin port, PEM').env('MILLRACE_ADMIN_TLS_CERT'),
    )
    .addOption(new Option('--admin-tls-key <path>', 'its key').env('MILLRACE_ADMIN_TLS_KEY'))
    .addOption(new Option('--insecure-admin', 'take tokens over plain HTTP from other machines'))
    .addOption(new Option('--metrics-without-token', 'show /metrics to whoever asks'))
    .addOption(
      new Option('--tls-cert <path>', 'certificate of the port that takes events, PEM').env('MILLRACE_TLS_CERT'),
    )
    .addOption(new Option('--tls-key <path>', 'its key').env('MILLRACE_TLS_KEY'))
    .addOption(
      // The words of Knative's feature of this name.
      new Option('--authentication-oidc [state]', 'ask senders of events for a token')
        .choices(['enabled', 'disabled'])
        .preset('enabled')
        .env('MILLRACE_AUTHENTICATION_OIDC'),
    )
    .addOption(
      new Option('--default-authorization-mode <mode>', 'what holds where no EventPolicy is')
        .choices(MODES)
        .default('allow-same-namespace')
        .env('MILLRACE_DEFAULT_AUTHORIZATION_MODE'),
    )
    .addOption(
      new Option('--oidc-discovery-base-url <url>', 'the issuer of tokens (default: one of its own)').env(
        'MILLRACE_OIDC_DISCOVERY_BASE_URL',
      ),
    );
}

/** What the parsed options mean. Throws a {@link CommandFailure} where one is given without its other half. */
export function securityOf(options: Record<string, unknown>): SecuritySettings {
  const given = options as {
    adminTokenFile?: string;
    adminReadTokenFile?: string;
    adminTlsCert?: string;
    adminTlsKey?: string;
    insecureAdmin?: true;
    metricsWithoutToken?: true;
    tlsCert?: string;
    tlsKey?: string;
    authenticationOidc?: 'enabled' | 'disabled';
    defaultAuthorizationMode: AuthorizationMode;
    oidcDiscoveryBaseUrl?: string;
  };
  return {
    adminTokenFile: given.adminTokenFile,
    adminReadTokenFile: given.adminReadTokenFile,
    adminTls: tlsFilesOf(given.adminTlsCert, given.adminTlsKey, '--admin-tls'),
    insecureAdmin: given.insecureAdmin === true,
    metricsWithoutToken: given.metricsWithoutToken === true,
    tls: tlsFilesOf(given.tlsCert, given.tlsKey, '--tls'),
    authentication:
      given.authenticationOidc === 'enabled'
        ? { mode: given.defaultAuthorizationMode, discoveryBaseUrl: issuerAt(given.oidcDiscoveryBaseUrl) }
        : undefined,
  };
}

function issuerAt(text: string | undefined): string | undefined {
  if (text === undefined || /^https?:\/\/[^\s?#]+$/.test(text)) return text;
  throw new CommandFailure(
    'usage',
    `--oidc-discovery-base-url: expected an address such as https://kubernetes.default.svc, got "${printable(text)}"`,
  );
}
