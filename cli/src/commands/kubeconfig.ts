import type { Command } from 'commander';

import { addAdmin } from '../options.ts';
import type { AdminOption } from '../options.ts';

interface KubeconfigOptions extends AdminOption {
  readonly name: string;
  readonly namespace: string;
}

/** `millrace kubeconfig`: the file with which kubectl and kn find this process. */
export function register(program: Command): void {
  const command = program
    .command('kubeconfig')
    .description('print the configuration with which kubectl finds this process')
    .option('--name <name>', 'of the cluster and the context', 'millrace')
    .option('-n, --namespace <name>', 'in which kubectl looks unless it is told', 'default');
  addAdmin(command).action(kubeconfig);
}

async function kubeconfig({ admin, name, namespace }: KubeconfigOptions): Promise<void> {
  const { apiClient } = await import('../api-client.ts');
  const { reachOf } = await import('../admin-address.ts');
  const { print, tell } = await import('../output.ts');
  const { objectYaml } = await import('../view/object-text.ts');
  const client = apiClient(admin, (text) => tell(`Warning: ${text}`));
  // A file that leads nowhere is found out here, and not by kubectl.
  await client.send({ path: '/version' });
  const { base, token, ca } = reachOf(admin);
  const { protocol, username, password } = base;
  const user =
    username === '' ? {} : { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  const trust =
    protocol === 'http:'
      ? // The JavaScript client takes an address without TLS only when it may skip looking at certificates.
        { 'insecure-skip-tls-verify': true }
      : ca === undefined
        ? {}
        : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: client.url, ...trust } }],
    users: [{ name, user: token === undefined ? user : { token } }],
    contexts: [{ name, context: { cluster: name, namespace, user: name } }],
    'current-context': name,
  };
  await print(await objectYaml(config));
}
