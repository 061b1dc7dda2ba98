import path from 'node:path';
import { canonicalHost, formatAddress, isUnspecified, parseAddress } from '../model/address.ts';
import { packageFolder } from '../package-files.ts';
import type { Config } from './model.ts';
import type { Problem } from './problem.ts';

/** An address that a process of this node listens at. */
interface Bind {
  /** Its place in the config. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
  /** Binds of one owner may be equal: its own template or server judges them. */
  readonly owner: string;
}

type BindConfig = Pick<Config, 'api' | 'sentinelEndpoint' | 'templates'>;

/** Two processes of this node at one port: the second one does not start, or takes connections of the first. */
export function findBindConflicts(config: BindConfig): readonly Problem[] {
  const seen: Bind[] = [];
  const problems: Problem[] = [];
  for (const bind of listBinds(config)) {
    const other = seen.find((earlier) => earlier.owner !== bind.owner && overlaps(earlier, bind));
    if (other === undefined) seen.push(bind);
    else {
      const message = `is ${formatAddress(bind)}, and ${other.path} is ${formatAddress(other)}: two programs cannot listen there`;
      problems.push({ path: bind.path, message, hint: 'give each a port of its own' });
    }
  }
  return problems;
}

function listBinds({ api, sentinelEndpoint, templates }: BindConfig): readonly Bind[] {
  const servers = [
    ...(api === undefined ? [] : [{ path: 'api.listen', ...api.listen }]),
    ...(sentinelEndpoint === undefined ? [] : [{ path: 'sentinelEndpoint.listen', ...sentinelEndpoint.listen }]),
  ].map((server) => ({ ...server, owner: server.path }));
  const ofTemplates = templates.flatMap(({ source, vars }, i) => {
    const read = bindsOf[path.dirname(source) === bundledFolder ? path.basename(source) : ''];
    const owner = `templates[${i}]`;
    return (read?.(vars) ?? []).flatMap(({ at, text }) => {
      const address = parseAddress(text.replace(/^\*:/, '0.0.0.0:').split(' ')[0] ?? '');
      return address === undefined ? [] : [{ path: `${owner}.vars.${at}`, ...address, owner }];
    });
  });
  return [...servers, ...ofTemplates].filter(({ port }) => port !== 0);
}

type Vars = Readonly<Record<string, unknown>>;
type ReadBinds = (vars: Vars) => readonly { readonly at: string; readonly text: string }[];

const bundledFolder = path.join(packageFolder, 'templates');

/** Where the programs of the bundled templates listen, with the templates' own defaults. */
const bindsOf: Readonly<Record<string, ReadBinds>> = {
  'haproxy.cfg.hbs': ({ bind, ports, twemproxy_bind }) => [
    ...Object.entries(toMap(ports)).map(([name, port]) => ({
      at: `ports.${name}`,
      text: `${bracketed(bind ?? '127.0.0.1')}:${port}`,
    })),
    ...(twemproxy_bind === undefined ? [] : [{ at: 'twemproxy_bind', text: String(twemproxy_bind) }]),
  ],
  'redis-cluster-haproxy.cfg.hbs': ({ bind }) => [{ at: 'bind', text: String(bind ?? '127.0.0.1:7000') }],
  'envoy-redis-cluster.yaml.hbs': ({ address, port }) => [
    { at: 'port', text: `${bracketed(address ?? '127.0.0.1')}:${port ?? 6379}` },
  ],
  'twemproxy.yml.hbs': twemproxyBinds,
  'twemproxy-stable.yml.hbs': twemproxyBinds,
};

function twemproxyBinds({ listen, pools }: Vars) {
  const own = Object.entries(toMap(pools)).flatMap(([name, pool]) => {
    const { listen: at } = toMap(pool);
    return at === undefined ? [] : [{ at: `pools.${name}.listen`, text: String(at) }];
  });
  return own.length > 0 ? own : [{ at: 'listen', text: String(listen ?? '127.0.0.1:22121') }];
}

function toMap(value: unknown): Vars {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Vars) : {};
}

function bracketed(host: unknown): string {
  const text = String(host) === '*' ? '0.0.0.0' : String(host);
  return text.includes(':') && !text.startsWith('[') ? `[${text}]` : text;
}

/** A bind to all addresses takes the port at each of them. */
function overlaps(a: Bind, b: Bind): boolean {
  if (a.port !== b.port) return false;
  const [one, other] = [canonicalHost(a.host), canonicalHost(b.host)];
  return one === other || isUnspecified(one) || isUnspecified(other);
}
