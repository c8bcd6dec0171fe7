/** What an installer may need of the place where it runs: the way to the registry, and who it is there. */
const KEPT =
  /^(?:PATH|HOME|LANG|LC_\w+|TMPDIR|XDG_CACHE_HOME|(?:HTTPS?|ALL|NO)_PROXY|SSL_CERT_\w+|\w+_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIP_\w+|npm_config_.+)$/i;
/** Settings that would lead it to another folder than ours, or are those of an npm that runs us. */
const LEFT_OUT =
  /^(?:PIP_(?:TARGET|USER|PREFIX|ROOT|REQUIRE_VIRTUALENV|REQUIREMENT)|npm_config_(?:(?:local_|global_)?prefix|global|location|workspaces?|include_workspace_root|omit|include|dry_run|node_gyp|npm_version|user_agent|init_module))$/i;

/** The environment of an installer, out of this one. */
export function installEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (it): it is [string, string] => it[1] !== undefined && KEPT.test(it[0]) && !LEFT_OUT.test(it[0]),
  );
  return { LANG: 'C.UTF-8', ...Object.fromEntries(kept) };
}

/** Passwords in addresses of registries and proxies, and tokens: what must not be read in a line. */
export function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  const named = Object.entries(environment).filter(([name]) => /token|password|_auth|secret/i.test(name));
  const inAddresses = Object.values(environment).flatMap((value) =>
    [...value.matchAll(/\/\/[^/\s:@]*:([^/\s@]+)@/g)].map((match) => match[1]!),
  );
  return [...named.map(([, value]) => value), ...inAddresses];
}
