import { type HaproxySection, parseHaproxyConfig } from '../model/haproxy-config.ts';
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

/** The binds of enabled frontends and listens. None where the file has conditions: only HAProxy knows their results. */
function readBinds(text: string): readonly Bind[] {
  const sections = parseHaproxyConfig(text);
  const keywordsOf = ({ lines }: HaproxySection) => lines.map(({ words }) => words[0]);
  if (sections.some((section) => keywordsOf(section).includes('.if'))) return [];
  return sections
    .filter(({ kind }) => kind === 'frontend' || kind === 'listen')
    .filter((section) => !keywordsOf(section).includes('disabled'))
    .flatMap((section) => bindsOf(section));
}

function bindsOf({ kind, name, lines }: HaproxySection): readonly Bind[] {
  return lines.flatMap(({ words: [keyword, addresses = '', ...options], meaning }) => {
    if (keyword !== 'bind' || meaning === 'dependent') return [];
    return addresses.split(',').map((address) => ({ address: showBind(address, options), proxy: `${kind} ${name}` }));
  });
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
