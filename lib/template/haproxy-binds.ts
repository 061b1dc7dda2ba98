import { templateFailure } from './helper.ts';

interface Bind {
  readonly address: string;
  /** For example `frontend shard1`. */
  readonly proxy: string;
}

/**
 * Refuses a HAProxy config in which two proxies bind the same address. HAProxy itself accepts it, because it opens its
 * sockets with SO_REUSEPORT, and the kernel then gives each connection to either of the two. Throws `template-failed`.
 */
export function refuseDoubleBinds(text: string): void {
  const owners = new Map<string, string>();
  for (const { address, proxy } of readBinds(text)) {
    const owner = owners.get(address);
    if (owner !== undefined && owner !== proxy) {
      const effect = 'connections would reach either of them at random';
      throw templateFailure(`"${owner}" and "${proxy}" both bind ${address}: ${effect}. Give each its own port.`);
    }
    owners.set(address, proxy);
  }
}

/** The keywords that begin a section (HAProxy configuration manual, 2.1 and 4). */
const sections = new Set(
  'global defaults frontend backend listen peers mailers userlist resolvers program cache fcgi-app http-errors ring log-forward log-profile traces crt-store acme'.split(
    ' ',
  ),
);

/** The binds of enabled frontends and listens. None where the file has conditions: only HAProxy knows their results. */
function readBinds(text: string): readonly Bind[] {
  const proxies: { name: string; state: 'enabled' | 'disabled'; addresses: string[] }[] = [];
  let current: (typeof proxies)[number] | undefined;
  for (const line of text.split('\n')) {
    const [keyword = '', argument = '', ...options] = line.trim().split(/\s+/);
    if (keyword === '.if') return [];
    if (sections.has(keyword)) {
      const holdsBinds = keyword === 'frontend' || keyword === 'listen';
      current = { name: `${keyword} ${argument}`, state: 'enabled', addresses: [] };
      if (holdsBinds) proxies.push(current);
    } else if (keyword === 'disabled' && current !== undefined) {
      current.state = 'disabled';
    } else if (keyword === 'bind') {
      current?.addresses.push(...argument.split(',').map((address) => showBind(address, options)));
    }
  }
  const enabled = proxies.filter(({ state }) => state === 'enabled');
  return enabled.flatMap(({ name, addresses }) => addresses.map((address) => ({ address, proxy: name })));
}

/** The address in one spelling, with what makes a different socket of it: an interface or a network namespace. */
function showBind(address: string, options: readonly string[]): string {
  const plain = address.replace(/^ipv4@/, '').replace(/^(?:\*|0\.0\.0\.0)?(?=:\d)/, '*');
  const scopes = ['interface', 'namespace'].flatMap((name) => {
    const at = options.indexOf(name);
    return at < 0 ? [] : [`${name} ${options[at + 1]}`];
  });
  return [plain, ...scopes].join(' ');
}
