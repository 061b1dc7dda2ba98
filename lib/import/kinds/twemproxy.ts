import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import type { ImportFile, ImportOutput } from '../output.ts';
import { importInvalid } from '../problem.ts';

/** A pool of twemproxy's config. */
export interface TwemproxyPool {
  readonly name: string;
  readonly line: number;
  readonly listen: string | undefined;
  /** Names of the servers. */
  readonly masters: readonly string[];
  /** Other settings, under the names that twemproxy.yml.hbs takes. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const known = new Set([
  'hash',
  'hash_tag',
  'distribution',
  'timeout',
  'backlog',
  'preconnect',
  'redis_db',
  'server_connections',
  'auto_eject_hosts',
  'server_retry_timeout',
  'server_failure_limit',
  'tcpkeepalive',
]);

/** The settings that twemproxy has by default, and the bundled template does not (notes/recommendation.md, nc_conf.h). */
const defaults: Readonly<Record<string, unknown>> = {
  distribution: 'ketama',
  hash: 'fnv1a_64',
  preconnect: false,
  backlog: 512,
  server_retry_timeout: 30_000,
  tcpkeepalive: false,
};

/** Reads the pools for Redis in twemproxy's config; the others are left to do. Throws `import-invalid`. */
export function readPools({ path, text }: ImportFile, output: ImportOutput): readonly TwemproxyPool[] {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const [error] = document.errors;
  if (error !== undefined)
    throw importInvalid({ file: path, line: counter.linePos(error.pos[0]).line }, error.message.split('\n')[0] ?? '');
  const lineOf = (node: unknown) => counter.linePos((node as { range?: [number] } | null)?.range?.[0] ?? 0).line || 1;
  if (!isMap(document.contents))
    throw importInvalid({ file: path, line: 1 }, 'it is no config of twemproxy: it has no pools');
  return document.contents.items.flatMap(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key);
    if (!isMap(value)) throw importInvalid({ file: path, line: lineOf(key) }, `the pool ${name} has no settings`);
    // twemproxy's default is memcached.
    if (String(value.get('redis')) === 'true')
      return [readPool({ name, line: lineOf(key), map: value }, { path, output, lineOf })];
    const why = `the pool ${name} is not for Redis`;
    output.leave(path, { line: lineOf(key), what: name, why, advice: 'keep a twemproxy of its own for it' });
    return [];
  });
}

function readPool(
  { name, line, map }: { readonly name: string; readonly line: number; readonly map: YAMLMap },
  {
    path,
    output,
    lineOf,
  }: { readonly path: string; readonly output: ImportOutput; readonly lineOf: (node: unknown) => number },
): TwemproxyPool {
  const leave = (node: unknown, what: string, why: string, advice: string) =>
    output.leave(path, { line: lineOf(node), what, why, advice });
  const settings: Record<string, unknown> = { ...defaults };
  let listen: string | undefined;
  let masters: readonly string[] = [];
  for (const { key, value } of map.items) {
    const setting = String(isScalar(key) ? key.value : key);
    const plain = isScalar(value) ? value.value : undefined;
    if (setting === 'listen') listen = String(plain);
    else if (setting === 'servers') masters = readServers(value, leave);
    else if (setting === 'redis_auth')
      leave(key, setting, 'the password is not copied', 'write it into a file, and set vars.redis_auth_file');
    else if (known.has(setting)) settings[setting] = plain;
    else if (setting !== 'redis')
      leave(
        key,
        setting,
        `the bundled template has no ${setting}`,
        'copy templates/twemproxy.yml.hbs, and add it there',
      );
  }
  if (settings.timeout === undefined) {
    const why = `twemproxy waits without end in the pool ${name}, and the bundled template sets 400 ms`;
    const advice = `set vars.pools.${name}.timeout to the longest time that an answer may need`;
    output.differs(path, { line, what: 'timeout', why, advice });
  }
  return { name, line, listen, masters, settings };
}

/** `host:port:weight name`. */
function readServers(
  node: unknown,
  leave: (node: unknown, what: string, why: string, advice: string) => void,
): readonly string[] {
  if (!isSeq(node)) return [];
  return node.items.flatMap((item) => {
    const text = String(isScalar(item) ? item.value : item);
    const [, weight, name] = /^\S+:(\d+)(?:\s+(\S+))?\s*$/.exec(text) ?? [];
    if (weight !== undefined && weight !== '1')
      leave(item, text, 'a server has a weight other than 1', 'set vars.weight, which is that of every server');
    if (name !== undefined) return [name];
    leave(
      item,
      text,
      'a server has no name',
      'give it the name of its master, which moves its keys, or keep it out of the pool',
    );
    return [];
  });
}

/** The entry of `templates` for these pools. */
export function poolsEntry(
  pools: readonly TwemproxyPool[],
  to: { readonly destination: string; readonly reload: readonly string[] | undefined },
): Readonly<Record<string, unknown>> {
  const entries = pools.map(({ name, listen, masters, settings }) => [
    name,
    { ...(listen === undefined ? {} : { listen }), masters, ...settings },
  ]);
  const [listen] = pools.map((pool) => pool.listen).filter((one) => one !== undefined && !one.startsWith('/'));
  return {
    source: 'twemproxy.yml.hbs',
    destination: to.destination,
    vars: { pools: Object.fromEntries(entries) },
    check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
    ...(to.reload === undefined ? {} : { reload: to.reload }),
    ...(listen === undefined ? {} : { verify: { redis: listen.replace(/^0\.0\.0\.0:/, '127.0.0.1:') } }),
  };
}
